//! Expected improvement under a forest, as an acquisition over the rows of its table.

use super::expected_improvement::{Bounds, expected_improvement};
use super::forest::Forest;
use crate::kit::rows::{Acquisition, Bounded};

/// Added to every deviation, so that none is 0 (Spearmint's `RandomForestEIChooser`).
pub const DEVIATION_FLOOR: f64 = 1e-4;

/// The expected improvement of a row on the lowest loss observed, with deviation `sqrt(v) + 1e-4`.
/// Its bounds are a table's, which spares a search from evaluating it for nearly all rows.
#[derive(Debug, Clone, Copy)]
pub struct ForestImprovement<'a> {
    forest: &'a Forest,
    bounds: &'a Bounds,
    lowest: f64,
}

impl<'a> ForestImprovement<'a> {
    /// That of a forest which has seen something.
    pub fn new(forest: &'a Forest, bounds: &'a Bounds) -> Self {
        Self { forest, bounds, lowest: forest.lowest() }
    }
}

impl Acquisition for ForestImprovement<'_> {
    #[inline]
    fn score(&self, row: u32) -> f64 {
        let prediction = self.forest.predict(row as usize);
        let deviation = prediction.deviation + DEVIATION_FLOOR;
        expected_improvement(self.lowest, prediction.mean, deviation)
    }
}

impl Bounded for ForestImprovement<'_> {
    #[inline]
    fn bounds(&self, row: u32) -> (f64, f64) {
        let prediction = self.forest.predict(row as usize);
        let deviation = prediction.deviation + DEVIATION_FLOOR;
        self.bounds.of(self.lowest, prediction.mean, deviation)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use base::rng::Stream;
    use rand::RngExt;

    use super::*;
    use crate::kit::encoding::Ranks;
    use crate::kit::rows::{RowSearch, Rows};
    use crate::surrogates::forest::Observation;

    /// Rows with their positions, of which those from `first_free` on are free.
    struct Table<'a> {
        positions: &'a [u32],
        first_free: u32,
    }

    impl Rows for Table<'_> {
        fn count(&self) -> u32 {
            u32::try_from(self.positions.len()).unwrap()
        }

        fn is_free(&self, row: u32) -> bool {
            row >= self.first_free
        }

        fn position(&self, row: u32) -> u32 {
            self.positions[row as usize]
        }
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
        let bounds = Bounds::new();
        for case in 0..40_u32 {
            let mut rng = Stream::new(9, u64::from(case), "test");
            let mut column = || (0..300).map(|_| rng.random::<f64>()).collect::<Vec<_>>();
            let columns = Arc::new(Ranks::new(&[column(), column(), column()]));
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
            let improvement = ForestImprovement::new(&forest, &bounds);
            let mut table = Table { positions: &positions, first_free: 40 };
            let expected = first_argmax(&forest, &order, |row| table.is_free(row));
            let mut search = RowSearch::new();
            let found = search.best_bounded(&table, &improvement);
            assert_eq!(found, expected, "case {case}");
            assert_eq!(search.best(&table, &improvement, 2), expected, "case {case}");
            table.first_free = 300;
            assert_eq!(search.best_bounded(&table, &improvement), None);
        }
    }
}
