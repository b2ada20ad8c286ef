//! What a run needs while it goes on, and leaves to the next.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use base::units::{Epoch, SimTime, TrialId};
use methods::interface::{RowOrder, Trial};

use methods::kit::row_tree::FreeCounts;

/// Memory that one run leaves to the next.
#[derive(Debug)]
pub struct Workspace {
    /// Look after every epoch even where nobody asks for it: what comes out is the same, which
    /// tests use.
    pub looks_at_every_epoch: bool,
    pub(super) order: RowOrder,
    /// What the order has left of the pool's tree.
    pub(super) free: FreeCounts,
    pub(super) trials: Vec<Trial>,
    /// Where the curve of each trial begins in the pool...
    pub(super) starts: Vec<usize>,
    /// ...and how many epochs of it can ever run.
    pub(super) lengths: Vec<u16>,
    pub(super) ended: Vec<TrialId>,
    pub(super) running: Vec<Option<Running>>,
    /// One pending event a running trial.
    pub(super) events: BinaryHeap<Reverse<(SimTime, TrialId)>>,
    pub(super) free_workers: BinaryHeap<Reverse<u32>>,
    pub(super) due: Vec<TrialId>,
}

/// What only a running trial has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Running {
    pub worker: u32,
    /// Its place in the list of segments, which stand in the order of their starts.
    pub segment: usize,
    /// When the first epoch of the segment began: after every overhead.
    pub begun: SimTime,
    /// Epochs executed in earlier segments.
    pub executed_before: Epoch,
    /// The epoch whose end is its pending event.
    pub next: Epoch,
}

impl Default for Workspace {
    fn default() -> Self {
        Self {
            looks_at_every_epoch: false,
            order: RowOrder::empty(),
            free: FreeCounts::default(),
            trials: Vec::new(),
            starts: Vec::new(),
            lengths: Vec::new(),
            ended: Vec::new(),
            running: Vec::new(),
            events: BinaryHeap::new(),
            free_workers: BinaryHeap::new(),
            due: Vec::new(),
        }
    }
}

impl Workspace {
    pub(super) fn begin(&mut self, rows: u32, workers: u32, seed: u64, repeat: u32) {
        self.order.begin(rows, seed, repeat);
        self.free.begin();
        self.trials.clear();
        self.starts.clear();
        self.lengths.clear();
        self.ended.clear();
        self.running.clear();
        self.events.clear();
        self.free_workers.clear();
        // Free workers are taken by index and a row runs on one worker at a time: those past the
        // number of rows never get work, and get no memory either.
        self.free_workers.extend((0..workers.min(rows)).map(Reverse));
    }
}
