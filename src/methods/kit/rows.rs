//! The free row of a table with the largest acquisition.
//!
//! A table is finite, so nothing is climbed: every free row is scored. Of equal scores the first in
//! the repeat's shuffled order wins, wherever it lies in the table, since scores of a forest are
//! often equal and the table's own order means something (a Sobol sequence). A score of NaN counts
//! as minus infinity: such a row is chosen only where there is nothing better. Scores are computed
//! by as many threads as the caller allows, and compared by one, so the threads never show in what
//! is found.
//!
//! A scorer that can bound its scores more cheaply than it computes them implements [`Bounded`]:
//! [`RowSearch::best_bounded`] then scores only rows whose upper bound reaches the largest lower
//! one, which changes the time and not the row.
//!
//! This is not an optimiser over the unit cube. A method that proposes points of it leaves it to
//! the engine to find the nearest free row.

use base::units::ConfigId;
use rayon::prelude::*;

use crate::interface::View;

/// Rows that a thread scores at least: fewer are not worth waking it.
const ROWS_A_THREAD_MIN: usize = 64;

/// The rows of a table among which is searched.
pub trait Rows {
    /// Rows of the table, free or not.
    fn count(&self) -> u32;
    /// Whether the row may be chosen.
    fn is_free(&self, row: u32) -> bool;
    /// Breaks ties: the least wins. No two rows share it.
    fn position(&self, row: u32) -> u32;
}

/// The rows that no trial has taken, in the repeat's order.
#[derive(Debug, Clone, Copy)]
pub struct FreeRows<'a> {
    view: &'a View<'a>,
    count: u32,
}

impl<'a> FreeRows<'a> {
    /// Those of a table of `count` rows.
    pub fn new(view: &'a View<'a>, count: usize) -> Self {
        Self { view, count: u32::try_from(count).expect("rows are 32 bits") }
    }
}

impl Rows for FreeRows<'_> {
    #[inline]
    fn count(&self) -> u32 {
        self.count
    }

    #[inline]
    fn is_free(&self, row: u32) -> bool {
        self.view.is_free(ConfigId(row))
    }

    #[inline]
    fn position(&self, row: u32) -> u32 {
        self.view.order_position(ConfigId(row))
    }
}

/// An acquisition: what makes a row worth trying, larger is better.
pub trait Acquisition {
    /// The score of a row.
    fn score(&self, row: u32) -> f64;

    /// The scores of some rows, for models to which many at once are cheaper than each by itself.
    /// A score must not depend on which other rows it is asked with.
    fn score_all(&self, rows: &[u32], scores: &mut [f64]) {
        for (row, score) in rows.iter().zip(scores) {
            *score = self.score(*row);
        }
    }
}

/// An acquisition that can bound its scores.
pub trait Bounded: Acquisition {
    /// A lower and an upper bound of [`Acquisition::score`] of the row.
    fn bounds(&self, row: u32) -> (f64, f64);
}

/// Finds rows; keeps its memory from one search to the next.
#[derive(Debug, Clone, Default)]
pub struct RowSearch {
    free: Vec<u32>,
    /// Of the free rows, or of all rows the upper bounds.
    scores: Vec<f64>,
}

/// A score where NaN is the worst.
#[inline]
fn ranked(score: f64) -> f64 {
    if score.is_nan() { f64::NEG_INFINITY } else { score }
}

/// The best so far of rows in no order.
struct Leader<'a, R> {
    rows: &'a R,
    best: Option<(f64, u32)>,
}

impl<R: Rows> Leader<'_, R> {
    #[inline]
    fn meet(&mut self, row: u32, score: f64) {
        let score = ranked(score);
        let wins = self.best.is_none_or(|(most, winner)| {
            let is_first = || self.rows.position(row) < self.rows.position(winner);
            score > most || (score == most && is_first())
        });
        if wins {
            self.best = Some((score, row));
        }
    }
}

impl RowSearch {
    /// A search that has found nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The free row with the largest score; of equals, the one of the least position. `None` where
    /// no row is free. Up to `threads` threads score.
    pub fn best(
        &mut self,
        rows: &impl Rows,
        acquisition: &(impl Acquisition + Sync),
        threads: usize,
    ) -> Option<u32> {
        self.score_free(rows, acquisition, threads);
        let mut leader = Leader { rows, best: None };
        for (row, score) in self.free.iter().zip(&self.scores) {
            leader.meet(*row, *score);
        }
        leader.best.map(|(_, row)| row)
    }

    /// The `count` free rows with the largest scores, or as many as are free, in the order in
    /// which [`Self::best`] would find them one after another.
    pub fn top(
        &mut self,
        rows: &impl Rows,
        acquisition: &(impl Acquisition + Sync),
        threads: usize,
        count: usize,
    ) -> Vec<u32> {
        self.score_free(rows, acquisition, threads);
        let scored = self.free.iter().zip(&self.scores);
        let mut scored: Vec<(f64, u32)> = scored.map(|(row, s)| (ranked(*s), *row)).collect();
        let better_first = |a: &(f64, u32), b: &(f64, u32)| {
            let by_score = b.0.partial_cmp(&a.0).expect("NaN was replaced");
            by_score.then_with(|| rows.position(a.1).cmp(&rows.position(b.1)))
        };
        let count = count.min(scored.len());
        if count == 0 {
            return Vec::new();
        }
        scored.select_nth_unstable_by(count - 1, better_first);
        scored.truncate(count);
        scored.sort_unstable_by(better_first);
        scored.iter().map(|(_, row)| *row).collect()
    }

    /// Fills in the free rows, by row, and their scores.
    fn score_free(
        &mut self,
        rows: &impl Rows,
        acquisition: &(impl Acquisition + Sync),
        threads: usize,
    ) {
        let Self { free, scores } = self;
        free.clear();
        free.extend((0..rows.count()).filter(|row| rows.is_free(*row)));
        scores.clear();
        scores.resize(free.len(), 0.0);
        let share = free.len().div_ceil(threads.max(1)).max(ROWS_A_THREAD_MIN);
        if free.len() <= share {
            acquisition.score_all(free, scores);
            return;
        }
        let shares = free.par_chunks(share).zip(scores.par_chunks_mut(share));
        shares.for_each(|(rows, scores)| acquisition.score_all(rows, scores));
    }

    /// As [`Self::best`], on one thread, without scoring rows that their bounds rule out.
    pub fn best_bounded(&mut self, rows: &impl Rows, acquisition: &impl Bounded) -> Option<u32> {
        // Below every upper bound of a free row, and above that of one that is not.
        let mut least = f64::MIN;
        self.scores.clear();
        self.scores.extend((0..rows.count()).map(|row| {
            if !rows.is_free(row) {
                return f64::NEG_INFINITY;
            }
            let (low, high) = acquisition.bounds(row);
            if low > least {
                least = low;
            }
            high.max(f64::MIN)
        }));
        let mut leader = Leader { rows, best: None };
        for (row, upper) in (0..rows.count()).zip(&self.scores) {
            if *upper < least {
                continue;
            }
            leader.meet(row, acquisition.score(row));
        }
        leader.best.map(|(_, row)| row)
    }
}

/// The place of the largest score, the first of equals; NaN counts as minus infinity. `None` where
/// there are no scores. For lists of candidates that are not the rows of a table.
pub fn first_argmax(scores: impl IntoIterator<Item = f64>) -> Option<usize> {
    let mut best: Option<(f64, usize)> = None;
    for (at, score) in scores.into_iter().map(ranked).enumerate() {
        if best.is_none_or(|(most, _)| score > most) {
            best = Some((score, at));
        }
    }
    best.map(|(_, at)| at)
}

#[cfg(test)]
mod tests {
    use base::rng::Stream;
    use rand::RngExt;

    use super::*;

    struct Table {
        is_free: Vec<bool>,
        positions: Vec<u32>,
    }

    impl Rows for Table {
        fn count(&self) -> u32 {
            u32::try_from(self.is_free.len()).unwrap()
        }

        fn is_free(&self, row: u32) -> bool {
            self.is_free[row as usize]
        }

        fn position(&self, row: u32) -> u32 {
            self.positions[row as usize]
        }
    }

    /// Scores with bounds of some width around them.
    struct Scores {
        scores: Vec<f64>,
        slack: f64,
    }

    impl Acquisition for Scores {
        fn score(&self, row: u32) -> f64 {
            self.scores[row as usize]
        }
    }

    impl Bounded for Scores {
        fn bounds(&self, row: u32) -> (f64, f64) {
            let score = self.scores[row as usize];
            (score - self.slack, score + self.slack)
        }
    }

    /// What the definition says: along the repeat's order, the first that nothing exceeds.
    fn by_definition(table: &Table, scores: &[f64]) -> Vec<u32> {
        let mut rows: Vec<u32> = (0..table.count()).filter(|row| table.is_free(*row)).collect();
        rows.sort_by_key(|row| table.position(*row));
        let rank = |row: &u32| ranked(scores[*row as usize]);
        rows.sort_by(|a, b| rank(b).partial_cmp(&rank(a)).unwrap());
        rows
    }

    fn random_table(rows: u32, rng: &mut Stream) -> Table {
        let mut positions: Vec<u32> = (0..rows).collect();
        for at in (1..rows as usize).rev() {
            positions.swap(at, usize::try_from(rng.random_range(0..=at as u64)).unwrap());
        }
        Table { is_free: (0..rows).map(|_| rng.random::<f64>() < 0.6).collect(), positions }
    }

    #[test]
    fn the_first_of_the_largest_is_found_however_it_is_searched() {
        let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MIN, -0.0, 0.0];
        for case in 0..60_u64 {
            let mut rng = Stream::new(4, case, "test");
            let table = random_table(1 + 7 * u32::try_from(case).unwrap(), &mut rng);
            let mut score = |_| match case % 4 {
                0 => rng.random::<f64>() - 0.5,
                // Few values make ties.
                1 => (rng.random::<f64>() * 3.0).floor() - 1.0,
                // Odd ones, with and without anything better.
                2 => odd[rng.random_range(0..6_usize)],
                _ => [f64::NAN, f64::NEG_INFINITY][rng.random_range(0..2_usize)],
            };
            let scores: Vec<f64> = (0..table.count()).map(&mut score).collect();
            let expected = by_definition(&table, &scores);
            let first = expected.first().copied();
            let mut search = RowSearch::new();
            for slack in [0.0, 0.3, f64::INFINITY] {
                let scores = Scores { scores: scores.clone(), slack };
                assert_eq!(search.best_bounded(&table, &scores), first, "case {case} {slack}");
            }
            let scores = Scores { scores, slack: 0.0 };
            for threads in [1, 2, 3, 64] {
                assert_eq!(search.best(&table, &scores, threads), first, "case {case}");
                for count in [0, 1, 5, 10_000] {
                    let found = search.top(&table, &scores, threads, count);
                    assert_eq!(found, expected[..count.min(expected.len())], "case {case}");
                }
            }
        }
    }

    #[test]
    fn no_free_row_is_no_row() {
        let table = Table { is_free: vec![false; 5], positions: (0..5).collect() };
        let scores = Scores { scores: vec![1.0; 5], slack: 0.0 };
        let mut search = RowSearch::new();
        assert_eq!(search.best(&table, &scores, 2), None);
        assert_eq!(search.best_bounded(&table, &scores), None);
        assert!(search.top(&table, &scores, 1, 3).is_empty());
    }

    #[test]
    fn candidates_of_a_list_are_compared_in_its_order() {
        assert_eq!(first_argmax([0.5, f64::NAN, 2.0, 2.0, 1.0]), Some(2));
        assert_eq!(first_argmax([f64::NAN, f64::NEG_INFINITY]), Some(0));
        assert_eq!(first_argmax([f64::NAN, -1.0]), Some(1));
        assert_eq!(first_argmax([]), None);
    }
}
