//! The row of a table with the largest expected improvement under a forest.

use std::sync::Arc;

use super::expected_improvement::{Bounds, expected_improvement};
use super::forest::Forest;

/// Added to every deviation, so that none is 0 (Spearmint's `RandomForestEIChooser`).
pub const DEVIATION_FLOOR: f64 = 1e-4;

/// Finds the largest expected improvement without evaluating it for nearly all rows: one pass
/// bounds it by a table, a second evaluates those rows whose upper bound reaches the largest lower
/// one.
#[derive(Debug, Clone)]
pub struct Search {
    bounds: Arc<Bounds>,
    /// Of each row; below 0 where it is not free.
    uppers: Vec<f64>,
}

impl Search {
    /// A search with tabulated bounds, which many share.
    pub fn new(bounds: Arc<Bounds>) -> Self {
        Self { bounds, uppers: Vec::new() }
    }

    /// The free row with the largest expected improvement on the lowest loss observed, with
    /// deviation `sqrt(v) + 1e-4`; of equals, the one of the least `position`. `None` where no row
    /// is free.
    pub fn best(
        &mut self,
        forest: &Forest,
        is_free: impl Fn(u32) -> bool,
        position: impl Fn(u32) -> u32,
    ) -> Option<u32> {
        let lowest = forest.lowest();
        let rows = u32::try_from(forest.rows()).expect("rows are 32 bits");
        let mut least = 0.0;
        self.uppers.clear();
        self.uppers.extend((0..rows).map(|row| {
            if !is_free(row) {
                return -1.0;
            }
            let prediction = forest.predict(row as usize);
            let deviation = prediction.deviation + DEVIATION_FLOOR;
            let (low, high) = self.bounds.of(lowest, prediction.mean, deviation);
            if low > least {
                least = low;
            }
            high
        }));
        let mut best: Option<(f64, u32)> = None;
        for (row, upper) in (0..rows).zip(&self.uppers) {
            if *upper < least {
                continue;
            }
            let prediction = forest.predict(row as usize);
            let deviation = prediction.deviation + DEVIATION_FLOOR;
            let value = expected_improvement(lowest, prediction.mean, deviation);
            let wins = best.is_none_or(|(most, winner)| {
                value > most || (value == most && position(row) < position(winner))
            });
            if wins {
                best = Some((value, row));
            }
        }
        best.map(|(_, row)| row)
    }
}

#[cfg(test)]
mod tests {
    use base::rng::Stream;
    use rand::RngExt;

    use super::*;
    use crate::surrogates::columns::Columns;
    use crate::surrogates::forest::Observation;

    fn search() -> Search {
        Search::new(Arc::new(Bounds::new()))
    }

    /// Evaluates every row, in the order of the repeat.
    fn first_argmax(forest: &Forest, order: &[u32], is_free: impl Fn(u32) -> bool) -> Option<u32> {
        let mut best: Option<(f64, u32)> = None;
        for &row in order.iter().filter(|row| is_free(**row)) {
            let found = forest.predict(row as usize);
            let deviation = found.deviation + DEVIATION_FLOOR;
            let value = expected_improvement(forest.lowest(), found.mean, deviation);
            if best.is_none_or(|(most, _)| value > most) {
                best = Some((value, row));
            }
        }
        best.map(|(_, row)| row)
    }

    #[test]
    fn bounds_never_change_the_first_argmax() {
        for case in 0..40_u32 {
            let mut rng = Stream::new(9, u64::from(case), "test");
            let mut column = || (0..300).map(|_| rng.random::<f64>()).collect::<Vec<_>>();
            let columns = Arc::new(Columns::new(&[column(), column(), column()]));
            // Targets of few values make ties; of tiny spread beside a far best, underflow.
            let target = |row: u32, u: f64| match case % 4 {
                0 => u,
                1 => (u * 3.0).floor(),
                2 => 0.5 + f64::from(row % 7) * 1e-7 - f64::from(u32::from(row == 0)) * 0.4,
                _ => 0.25,
            };
            let mut forest = Forest::new(columns, 2 + case as usize % 9, 2);
            let first = Observation { row: 0, target: target(0, rng.random()) };
            forest.fit(&[first], &mut rng);
            for row in 1..40 {
                forest.extend(Observation { row, target: target(row, rng.random()) }, &mut rng);
            }
            let mut order: Vec<u32> = (0..300).collect();
            for at in (1..300).rev() {
                order.swap(at, rng.random_range(0..=at));
            }
            let mut positions = vec![0; 300];
            (0..).zip(&order).for_each(|(at, row)| positions[*row as usize] = at);
            let is_free = |row: u32| row >= 40;
            let found = search().best(&forest, is_free, |row| positions[row as usize]);
            assert_eq!(found, first_argmax(&forest, &order, is_free), "case {case}");
            assert_eq!(search().best(&forest, |_| false, |row| row), None);
        }
    }
}
