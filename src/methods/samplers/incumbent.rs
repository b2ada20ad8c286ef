//! The best trial of one descent, for searches that move from point to point.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::units::TrialId;

use crate::interface::View;
use crate::kit::genes::{Genes, Member};

/// Where a descent stands, and what it has asked for. `Tag` is what a search wants to know of a
/// trial when it is told.
#[derive(Debug, Clone)]
pub(super) struct Incumbent<Tag> {
    genes: Arc<Genes>,
    /// Trials before this one belong to an earlier descent.
    since: TrialId,
    best: Option<Member>,
    /// The coordinates of the best trial's row.
    pub(super) point: Vec<f64>,
    out: BTreeMap<TrialId, Tag>,
}

/// What became of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard<Tag> {
    /// The descent stands there now. Who was not asked for has no tag.
    Better(Option<Tag>),
    /// Nothing has changed.
    NoBetter,
}

impl<Tag: Copy> Incumbent<Tag> {
    pub(super) fn new(genes: Arc<Genes>) -> Self {
        let (since, best, out) = (TrialId(0), None, BTreeMap::new());
        Self { genes, since, best, point: Vec::new(), out }
    }

    /// Whether there is none yet.
    pub(super) fn is_missing(&self) -> bool {
        self.best.is_none()
    }

    /// Whether answers are awaited.
    pub(super) fn waits(&self) -> bool {
        !self.out.is_empty()
    }

    /// Notes what was asked for.
    pub(super) fn asked(&mut self, trial: TrialId, tag: Tag) {
        self.out.insert(trial, tag);
    }

    /// Begins a new descent, whose first trial is yet to start.
    pub(super) fn start_over(&mut self, first: TrialId) {
        (self.since, self.best) = (first, None);
        self.out.clear();
    }

    /// A trial was told: it is the incumbent if there was none, or if its score is strictly
    /// larger. What the incumbent itself says later replaces what it said. A trial that nobody
    /// here asked for (of a warm start, or of a scheduler) counts like any other.
    pub(super) fn hear(&mut self, view: &View<'_>, trial: TrialId) -> Heard<Tag> {
        if trial < self.since {
            return Heard::NoBetter;
        }
        let tag = self.out.remove(&trial);
        let told = Member::of(view, trial);
        match &mut self.best {
            Some(best) if best.trial == trial => {
                *best = told;
                Heard::NoBetter
            }
            Some(best) if told.score <= best.score => Heard::NoBetter,
            best => {
                *best = Some(told);
                self.point = self.genes.point(told.row).to_vec();
                Heard::Better(tag)
            }
        }
    }
}
