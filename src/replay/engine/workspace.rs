//! What a run needs while it goes on, and leaves to the next.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use base::units::{Epoch, SimTime, TrialId};
use methods::interface::{Looks, RowOrder, Trial};
use methods::kit::row_tree::FreeCounts;

use crate::goal::Target;
use crate::outcome::{Facts, Segment};
use crate::settings::Settings;

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
    pub(super) now: SimTime,
    pub(super) goals: Vec<Progress>,
    pub(super) goals_open: usize,
    pub(super) stopped_total: u32,
    /// What the optimiser has been charged.
    pub(super) overhead_total: SimTime,
    /// What the segments that have ended kept workers busy, all together.
    pub(super) busy_before: SimTime,
    /// The worst value of any trial that has ended.
    pub(super) worst: f64,
    pub(super) segments: Option<Vec<Segment>>,
    pub(super) segments_count: usize,
    pub(super) looks: Looks,
    /// Whether running trials are advanced from one look to the next.
    pub(super) is_lazy: bool,
    /// Whether a free worker that had to wait may now get work.
    pub(super) work_may_have_changed: bool,
    /// How many trials may have started by the end of the phase.
    pub(super) starts_allowed: usize,
}

/// How far one goal has come.
#[derive(Debug)]
pub(super) struct Progress {
    pub score: f64,
    pub epoch_reached_at: Option<SimTime>,
    pub reached_at: Option<SimTime>,
    pub facts: Option<Facts>,
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
            now: SimTime::ZERO,
            goals: Vec::new(),
            goals_open: 0,
            stopped_total: 0,
            overhead_total: SimTime::ZERO,
            busy_before: SimTime::ZERO,
            worst: f64::NAN,
            segments: None,
            segments_count: 0,
            looks: Looks::EveryEpoch,
            is_lazy: false,
            work_may_have_changed: true,
            starts_allowed: 0,
        }
    }
}

impl Workspace {
    pub(super) fn begin(
        &mut self,
        rows: u32,
        settings: &Settings,
        repeat: u32,
        targets: &[Target],
        trace: bool,
    ) {
        self.order.begin(rows, settings.seed, repeat);
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
        self.free_workers.extend((0..settings.workers.min(rows)).map(Reverse));
        self.due.clear();
        self.now = SimTime::ZERO;
        self.goals.clear();
        self.goals.extend(targets.iter().map(|target| Progress {
            score: target.score,
            epoch_reached_at: None,
            reached_at: None,
            facts: None,
        }));
        self.goals_open = targets.len();
        self.stopped_total = 0;
        self.overhead_total = SimTime::ZERO;
        self.busy_before = SimTime::ZERO;
        self.worst = f64::NAN;
        self.segments = trace.then(Vec::new);
        self.segments_count = 0;
        self.looks = Looks::EveryEpoch;
        self.is_lazy = false;
        self.work_may_have_changed = true;
        self.starts_allowed = 0;
    }
}
