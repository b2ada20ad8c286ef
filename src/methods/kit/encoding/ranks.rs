//! A table's columns as a tree sees them: by rank.

/// The columns of all rows. A tree only ever asks whether a value lies at or below a threshold,
/// so each value is kept as its rank among the distinct values of its column (its *code*), and a
/// threshold as the last code at or below it.
#[derive(Debug, Clone)]
pub struct Ranks {
    rows: usize,
    columns: Vec<Ranked>,
}

#[derive(Debug, Clone)]
struct Ranked {
    /// Distinct, ascending.
    values: Vec<f64>,
    codes: Codes,
}

/// The codes of a column, one a row: half as wide where that is enough, since the rows of a table
/// are looked up in them in no order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Codes {
    Narrow(Vec<u16>),
    Wide(Vec<u32>),
}

impl Codes {
    fn new(codes: Vec<u32>) -> Self {
        let narrow: Option<Vec<u16>> = codes.iter().map(|code| u16::try_from(*code).ok()).collect();
        narrow.map_or(Self::Wide(codes), Self::Narrow)
    }

    /// The code of a row.
    #[inline]
    pub(crate) fn of(&self, row: u32) -> u32 {
        match self {
            Self::Narrow(codes) => u32::from(codes[row as usize]),
            Self::Wide(codes) => codes[row as usize],
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Narrow(codes) => codes.len(),
            Self::Wide(codes) => codes.len(),
        }
    }
}

impl Ranks {
    /// Takes one slice of finite values a feature, all equally long. Columns of a single value
    /// split nothing and are dropped; where no other is left, one of them stays, so that there is
    /// always a column.
    pub fn new(features: &[Vec<f64>]) -> Self {
        let rows = features.first().expect("a space has a parameter").len();
        assert!(u32::try_from(rows).is_ok(), "config ids are 32 bits");
        let mut columns: Vec<Ranked> = features.iter().map(|f| Ranked::new(f)).collect();
        assert!(columns.iter().all(|column| column.codes.len() == rows), "one value a row");
        let constant = columns[0].clone();
        columns.retain(|column| column.values.len() > 1);
        if columns.is_empty() {
            columns.push(constant);
        }
        Self { rows, columns }
    }

    /// Rows of the table.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Features that were kept.
    pub fn count(&self) -> usize {
        self.columns.len()
    }

    /// The codes of a feature, one a row.
    pub(crate) fn codes(&self, feature: usize) -> &Codes {
        &self.columns[feature].codes
    }

    /// The midpoint of two values of a feature, given as codes: where a tree divides.
    pub(crate) fn threshold(&self, feature: usize, low: u32, high: u32) -> f64 {
        let values = &self.columns[feature].values;
        f64::midpoint(values[low as usize], values[high as usize])
    }

    /// The last code at or below the midpoint of two values, given as codes `low < high`.
    pub(crate) fn cut(&self, feature: usize, low: u32, high: u32) -> u32 {
        if high == low + 1 {
            return low;
        }
        let values = &self.columns[feature].values[low as usize..=high as usize];
        let last = values.len() - 1;
        let midpoint = f64::midpoint(values[0], values[last]);
        // Values are near uniform between close codes: gallop from the middle rank, which is one
        // or two cache lines where a bisection of the whole range is many.
        let middle = last / 2;
        let (mut from, mut to, mut step) = (middle, middle, 1);
        while values[from] > midpoint {
            to = from;
            from = from.saturating_sub(step);
            step *= 2;
        }
        while values[to] <= midpoint && to < last {
            from = to;
            to = (to + step).min(last);
            step *= 2;
        }
        // The midpoint of neighbours may round up to the upper one: `high` itself stays right.
        let above = from + values[from..to].partition_point(|value| *value <= midpoint);
        low + u32::try_from(above - 1).expect("codes are 32 bits")
    }
}

impl Ranked {
    fn new(feature: &[f64]) -> Self {
        assert!(feature.iter().all(|value| value.is_finite()), "coordinates are finite");
        let mut values = feature.to_vec();
        values.sort_by(f64::total_cmp);
        values.dedup();
        let code = |value: &f64| values.partition_point(|known| known < value);
        let codes = feature.iter().map(|v| u32::try_from(code(v)).expect("fewer than rows"));
        let codes = Codes::new(codes.collect());
        Self { values, codes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_ranks_and_cuts_lie_at_midpoints() {
        let columns = Ranks::new(&[vec![0.5, 0.1, 0.5, 0.9, 0.2], vec![3.0; 5]]);
        assert_eq!((columns.rows(), columns.count()), (5, 1));
        assert_eq!(*columns.codes(0), Codes::Narrow(vec![2, 0, 2, 3, 1]));
        assert_eq!(columns.cut(0, 0, 1), 0);
        // The midpoint 0.3 of 0.1 and 0.5 has 0.2 below it, the midpoint 0.5 has 0.5 itself.
        assert_eq!(columns.cut(0, 0, 2), 1);
        assert_eq!(columns.cut(0, 0, 3), 2);
        assert_eq!((columns.threshold(0, 0, 2), columns.threshold(0, 2, 3)), (0.3, 0.7));
    }

    #[test]
    fn galloping_finds_what_a_bisection_finds() {
        // Squares are far from uniform, so that the middle rank is far from the midpoint.
        let squares: Vec<f64> = (0..200).map(|i| f64::from(i * i)).collect();
        let reversed: Vec<f64> = (0..200).map(|i| -f64::from(i * i)).collect();
        for values in [squares, reversed] {
            let columns = Ranks::new(&[values]);
            let sorted = &columns.columns[0].values;
            for low in 0..199_u32 {
                for high in low + 1..200 {
                    let midpoint = f64::midpoint(sorted[low as usize], sorted[high as usize]);
                    let expected = sorted.partition_point(|value| *value <= midpoint) - 1;
                    assert_eq!(columns.cut(0, low, high) as usize, expected, "{low} {high}");
                }
            }
        }
    }

    #[test]
    fn something_is_left_of_constant_columns() {
        let columns = Ranks::new(&[vec![1.0; 3], vec![0.0; 3]]);
        assert_eq!((columns.count(), columns.codes(0)), (1, &Codes::Narrow(vec![0; 3])));
    }

    #[test]
    fn codes_beyond_sixteen_bits_are_wide() {
        let columns = Ranks::new(&[(0..70_000).map(f64::from).collect()]);
        assert!(matches!(columns.codes(0), Codes::Wide(_)));
        assert_eq!(columns.codes(0).of(69_999), 69_999);
    }
}
