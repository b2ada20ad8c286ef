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
        let columns = self.columns.iter().zip(&self.distances).zip(weights).zip(to);
        for (((column, distance), weight), to) in columns {
            let column = &column[first..first + out.len()];
            match distance {
                Distance::Difference => out.iter_mut().zip(column).for_each(|(sum, x)| {
                    let difference = x - to;
                    *sum += weight * (difference * difference);
                }),
                Distance::Hamming => out.iter_mut().zip(column).for_each(|(sum, x)| {
                    *sum += if x == to { 0.0 } else { *weight };
                }),
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
