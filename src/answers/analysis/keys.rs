//! The keys of rows: what many rows share stands once.

use std::collections::HashMap;

use polars::prelude::{Column, DataFrame, IntoColumn, NamedFrom, Series};
use store::runs::Record;

use super::columns::{Block, KEYS, write_parts};

/// Keys in the order of first appearance, found again row by row.
///
/// Rows come in runs of one key, or with the goals of a run in turn: so a row's key is most often
/// the one that followed the key of the row before it when that was last seen.
pub(super) struct Keys {
    /// A row a key.
    block: Block,
    known: Vec<Known>,
    numbers: HashMap<Box<[u8]>, u32>,
    /// The key of each row.
    of_row: Vec<u32>,
    /// The parts of the row at hand.
    parts: Vec<u8>,
}

struct Known {
    parts: Box<[u8]>,
    /// The key of the row that came after the newest row of this one.
    next: u32,
}

impl Keys {
    pub(super) fn new() -> Self {
        Self {
            block: Block::new(&KEYS, usize::MAX, 0),
            known: Vec::new(),
            numbers: HashMap::new(),
            of_row: Vec::new(),
            parts: Vec::new(),
        }
    }

    /// Notes the key of the next row.
    pub(super) fn push(&mut self, record: &Record<'_>) {
        self.parts.clear();
        write_parts(&KEYS, record, &mut self.parts);
        let last = self.of_row.last().map(|last| *last as usize);
        let guess = last.map(|last| self.known[last].next);
        let number = guess
            .filter(|guess| *self.known[*guess as usize].parts == *self.parts)
            .or_else(|| self.numbers.get(self.parts.as_slice()).copied())
            .unwrap_or_else(|| self.add(record));
        if let Some(last) = last {
            self.known[last].next = number;
        }
        self.of_row.push(number);
    }

    fn add(&mut self, record: &Record<'_>) -> u32 {
        let number = u32::try_from(self.known.len()).expect("no more keys than rows");
        let parts: Box<[u8]> = self.parts.as_slice().into();
        self.numbers.insert(parts.clone(), number);
        self.known.push(Known { parts, next: number });
        self.block.push(record);
        number
    }

    /// A row a key, and the number of each row's key.
    pub(super) fn finish(self) -> (DataFrame, Column) {
        (self.block.finish(), Series::new("key".into(), self.of_row).into_column())
    }
}
