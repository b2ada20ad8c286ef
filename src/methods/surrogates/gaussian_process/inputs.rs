//! Points as a kernel sees them.

/// What the difference between two values of a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distance {
    /// `a - b`.
    Difference,
    /// 1 where the values differ, 0 where they are equal: for choices without an order.
    Hamming,
}

/// Some points, column after column, so that a kernel runs through many of them at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Inputs {
    distances: Vec<Distance>,
    columns: Vec<Vec<f64>>,
    count: usize,
}

impl Inputs {
    /// No points yet, with a column for each distance.
    ///
    /// # Panics
    /// Without any column.
    pub fn new(distances: &[Distance]) -> Self {
        assert!(!distances.is_empty(), "a point has a coordinate");
        Self { distances: distances.to_vec(), columns: vec![Vec::new(); distances.len()], count: 0 }
    }

    /// Adds a point.
    ///
    /// # Panics
    /// Where it has another number of coordinates, or one of them is not finite.
    pub fn push(&mut self, point: &[f64]) {
        assert_eq!(point.len(), self.width(), "a coordinate a column");
        assert!(point.iter().all(|x| x.is_finite()), "coordinates are finite: {point:?}");
        self.columns.iter_mut().zip(point).for_each(|(column, x)| column.push(*x));
        self.count += 1;
    }

    /// Points.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Coordinates of a point.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// What the columns' distances are.
    pub fn distances(&self) -> &[Distance] {
        &self.distances
    }

    /// One coordinate of all points.
    pub fn column(&self, at: usize) -> &[f64] {
        &self.columns[at]
    }

    /// One point.
    pub fn point(&self, at: usize) -> Vec<f64> {
        self.columns.iter().map(|column| column[at]).collect()
    }

    /// The points at some places, in their order.
    #[must_use]
    pub fn select(&self, places: &[u32]) -> Self {
        let pick = |column: &Vec<f64>| places.iter().map(|at| column[*at as usize]).collect();
        let columns = self.columns.iter().map(pick).collect();
        Self { distances: self.distances.clone(), columns, count: places.len() }
    }

    /// The weighted squared distances of the points from `first` on to one point, as many as there
    /// is room for. Columns are added in their order.
    pub fn squared_distances(&self, first: usize, weights: &[f64], to: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        let last = first + out.len();
        let column = |at: usize| &self.columns[at][first..last];
        let mut at = 0;
        while at < self.width() {
            let four = self.distances.get(at..at + 4);
            if four.is_some_and(|four| four.iter().all(|d| *d == Distance::Difference)) {
                let columns = [0, 1, 2, 3].map(|next| column(at + next));
                add_four(out, columns, &weights[at..at + 4], &to[at..at + 4]);
                at += 4;
            } else {
                add_one(out, column(at), self.distances[at], weights[at], to[at]);
                at += 1;
            }
        }
    }

    /// The squared differences of one column, unweighted, from the points from `first` on.
    pub(super) fn squared_differences(&self, column: usize, first: usize, out: &mut [f64]) {
        let values = &self.columns[column];
        let to = values[first - 1];
        let values = &values[first..first + out.len()];
        match self.distances[column] {
            Distance::Difference => out.iter_mut().zip(values).for_each(|(square, x)| {
                let difference = x - to;
                *square = difference * difference;
            }),
            Distance::Hamming => out.iter_mut().zip(values).for_each(|(square, x)| {
                *square = if *x == to { 0.0 } else { 1.0 };
            }),
        }
    }
}

/// Adds four columns to weighted squared distances: to the bit what adding one after another does,
/// with a quarter of the memory written.
fn add_four(out: &mut [f64], columns: [&[f64]; 4], weights: &[f64], to: &[f64]) {
    let [a, b, c, d] = columns.map(|column| &column[..out.len()]);
    let [weight_a, weight_b, weight_c, weight_d] = [0, 1, 2, 3].map(|at| weights[at]);
    let [to_a, to_b, to_c, to_d] = [0, 1, 2, 3].map(|at| to[at]);
    for (at, sum) in out.iter_mut().enumerate() {
        let [a, b, c, d] = [a[at] - to_a, b[at] - to_b, c[at] - to_c, d[at] - to_d];
        let after_two = *sum + weight_a * (a * a) + weight_b * (b * b);
        *sum = after_two + weight_c * (c * c) + weight_d * (d * d);
    }
}

/// Adds a column to weighted squared distances.
fn add_one(out: &mut [f64], column: &[f64], distance: Distance, weight: f64, to: f64) {
    match distance {
        Distance::Difference => {
            for (sum, x) in out.iter_mut().zip(column) {
                let difference = x - to;
                *sum += weight * (difference * difference);
            }
        }
        Distance::Hamming => {
            for (sum, x) in out.iter_mut().zip(column) {
                *sum += if *x == to { 0.0 } else { weight };
            }
        }
    }
}
