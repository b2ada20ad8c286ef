//! The repeat's shuffled row order, drawn only as far as somebody looks.

use std::cell::{Cell, OnceCell, RefCell};

use base::rng::Stream;
use base::units::ConfigId;
use rand::RngExt;

/// A uniform permutation of the rows (Fisher & Yates, front to back) and which rows are taken. It
/// depends on (seed, repeat) alone. Looking draws, so the order stands in cells.
#[derive(Debug)]
pub struct RowOrder {
    order: Vec<Cell<u32>>,
    /// `order[..drawn]` is final.
    drawn: Cell<usize>,
    /// Whom each drawn position was swapped with, so that a run that looked at a few rows of many
    /// leaves no more than those to put back.
    swapped: RefCell<Vec<u32>>,
    stream: RefCell<Stream>,
    /// The inverse of `order`, once somebody asked for it.
    positions: OnceCell<Vec<u32>>,
    taken: Vec<bool>,
    taken_rows: Vec<ConfigId>,
    /// Everything before this position is taken.
    front: Cell<usize>,
    free_count: usize,
}

impl RowOrder {
    /// An order that [`Self::begin`] has yet to fill.
    pub fn empty() -> Self {
        Self {
            order: Vec::new(),
            drawn: Cell::new(0),
            swapped: RefCell::new(Vec::new()),
            stream: RefCell::new(Stream::new(0, 0, "")),
            positions: OnceCell::new(),
            taken: Vec::new(),
            taken_rows: Vec::new(),
            front: Cell::new(0),
            free_count: 0,
        }
    }

    /// Starts over for one repeat, reusing the memory.
    pub fn begin(&mut self, rows: u32, seed: u64, repeat: u32) {
        if self.order.len() == rows as usize {
            self.put_back();
        } else {
            self.order.clear();
            self.order.extend((0..rows).map(Cell::new));
            self.taken.clear();
            self.taken.resize(rows as usize, false);
        }
        self.swapped.get_mut().clear();
        self.taken_rows.clear();
        self.drawn.set(0);
        self.stream = RefCell::new(Stream::new(seed, u64::from(repeat), "row-order"));
        self.positions = OnceCell::new();
        self.front.set(0);
        self.free_count = rows as usize;
    }

    /// Makes the order the identity again, and every row free.
    fn put_back(&mut self) {
        let swapped = self.swapped.get_mut();
        for (position, with) in (0..).zip(swapped.iter().copied()) {
            for at in [position, with] {
                self.order[at as usize].set(at);
            }
        }
        for row in &self.taken_rows {
            self.taken[row.index()] = false;
        }
    }

    /// The row at a position.
    fn draw_to(&self, position: usize) -> u32 {
        let drawn = self.drawn.get();
        if drawn <= position {
            let mut stream = self.stream.borrow_mut();
            let mut swapped = self.swapped.borrow_mut();
            for at in drawn..=position {
                let with = stream.random_range(at as u64..self.order.len() as u64);
                let with = u32::try_from(with).expect("rows are 32 bits");
                self.order[at].swap(&self.order[with as usize]);
                swapped.push(with);
            }
            self.drawn.set(position + 1);
        }
        self.order[position].get()
    }

    fn draw_all(&self) {
        if let Some(last) = self.order.len().checked_sub(1) {
            self.draw_to(last);
        }
    }

    /// The first free row.
    pub fn first_free(&self) -> Option<ConfigId> {
        while self.front.get() < self.order.len() {
            let row = self.draw_to(self.front.get());
            if !self.taken[row as usize] {
                return Some(ConfigId(row));
            }
            self.front.set(self.front.get() + 1);
        }
        None
    }

    /// Free rows in order; draws the whole permutation.
    pub fn free(&self) -> impl Iterator<Item = ConfigId> + '_ {
        self.draw_all();
        let rows = self.order[self.front.get()..].iter().map(Cell::get);
        rows.filter(|row| !self.taken[*row as usize]).map(ConfigId)
    }

    /// A row's place in the order; draws the whole permutation.
    pub fn position(&self, row: ConfigId) -> u32 {
        let positions = self.positions.get_or_init(|| {
            self.draw_all();
            let mut positions = vec![0; self.order.len()];
            for (position, row) in (0..).zip(&self.order) {
                positions[row.get() as usize] = position;
            }
            positions
        });
        positions[row.index()]
    }

    /// Whether a row is free.
    pub fn is_free(&self, row: ConfigId) -> bool {
        !self.taken[row.index()]
    }

    /// Whether any row is free.
    pub fn has_free(&self) -> bool {
        self.free_count > 0
    }

    /// Takes a row.
    pub fn take(&mut self, row: ConfigId) {
        let Some(taken) = self.taken.get_mut(row.index()) else {
            panic!("row {row} was proposed, which the table does not have")
        };
        assert!(!std::mem::replace(taken, true), "row {row} was proposed twice");
        self.taken_rows.push(row);
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
            assert!(!one_by_one.is_free(row));
            visited.push(row);
        }
        let mut at_once = RowOrder::empty();
        // What an earlier run left behind makes no difference.
        at_once.begin(50, 1, 1);
        let twentieth = at_once.free().nth(20).unwrap();
        at_once.take(twentieth);
        at_once.begin(50, 7, 3);
        assert_eq!(at_once.free().collect::<Vec<_>>(), visited);
        for (position, row) in (0..).zip(&visited) {
            assert_eq!(at_once.position(*row), position);
        }
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
