//! The repeat's shuffled row order, drawn only as far as somebody looks.

use rand::RngExt;

use crate::rng::Stream;
use crate::units::ConfigId;

/// A uniform permutation of the rows (Fisher & Yates, front to back) and which rows are taken. It
/// depends on (seed, repeat) alone.
#[derive(Debug)]
pub(super) struct RowOrder {
    order: Vec<u32>,
    /// `order[..drawn]` is final.
    drawn: usize,
    stream: Stream,
    taken: Vec<bool>,
    /// Everything before this position is taken.
    front: usize,
    free_count: usize,
}

impl RowOrder {
    /// An order that [`Self::begin`] has yet to fill.
    pub(super) fn empty() -> Self {
        Self {
            order: Vec::new(),
            drawn: 0,
            stream: Stream::new(0, 0, ""),
            taken: Vec::new(),
            front: 0,
            free_count: 0,
        }
    }

    /// Starts over for one repeat, reusing the memory.
    pub(super) fn begin(&mut self, rows: u32, seed: u64, repeat: u32) {
        self.order.clear();
        self.order.extend(0..rows);
        self.drawn = 0;
        self.stream = Stream::new(seed, u64::from(repeat), "row-order");
        self.taken.clear();
        self.taken.resize(rows as usize, false);
        self.front = 0;
        self.free_count = rows as usize;
    }

    /// The row at a position.
    fn draw_to(&mut self, position: usize) -> u32 {
        while self.drawn <= position {
            let at = self.stream.random_range(self.drawn as u64..self.order.len() as u64);
            self.order.swap(self.drawn, usize::try_from(at).expect("an index"));
            self.drawn += 1;
        }
        self.order[position]
    }

    /// The first free row.
    pub(super) fn first_free(&mut self) -> Option<ConfigId> {
        while self.front < self.order.len() {
            let row = self.draw_to(self.front);
            if !self.taken[row as usize] {
                return Some(ConfigId(row));
            }
            self.front += 1;
        }
        None
    }

    /// Free rows in order; draws the whole permutation.
    pub(super) fn free(&mut self) -> impl Iterator<Item = ConfigId> + '_ {
        if let Some(last) = self.order.len().checked_sub(1) {
            self.draw_to(last);
        }
        let taken = &self.taken;
        self.order[self.front..].iter().filter(|row| !taken[**row as usize]).map(|r| ConfigId(*r))
    }

    /// Whether any row is free.
    pub(super) fn has_free(&self) -> bool {
        self.free_count > 0
    }

    /// Takes a row.
    pub(super) fn take(&mut self, row: ConfigId) {
        assert!(!self.taken[row.index()], "row {row} was proposed twice");
        self.taken[row.index()] = true;
        self.free_count -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_early_or_late_gives_the_same_order() {
        let mut one_by_one = RowOrder::empty();
        one_by_one.begin(50, 7, 3);
        let mut visited = Vec::new();
        while let Some(row) = one_by_one.first_free() {
            one_by_one.take(row);
            visited.push(row);
        }
        let mut at_once = RowOrder::empty();
        at_once.begin(50, 7, 3);
        assert_eq!(at_once.free().collect::<Vec<_>>(), visited);
        visited.sort();
        assert_eq!(visited, (0..50).map(ConfigId).collect::<Vec<_>>());
        assert!(!one_by_one.has_free());
    }

    #[test]
    fn every_position_is_uniform() {
        // 6,000 permutations of 5: each cell expects 1,200 with a deviation of 31; five of them.
        let mut counts = [[0u32; 5]; 5];
        let mut order = RowOrder::empty();
        for repeat in 0..6_000 {
            order.begin(5, 1, repeat);
            for (position, row) in order.free().enumerate() {
                counts[position][row.index()] += 1;
            }
        }
        for count in counts.as_flattened() {
            assert!((1_045..=1_355).contains(count), "{counts:?}");
        }
    }
}
