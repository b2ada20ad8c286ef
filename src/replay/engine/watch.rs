//! Notes what was decided and why, where somebody asked for it. Nothing that is replayed depends on
//! it.

use base::units::{Epoch, SimTime, TrialId};
use methods::interface::{Fate, Reason, Scheduler, Verdict, Work};

use super::Run;
use crate::decision::{Decided, Decider, Decision, Decisions, Wants};

/// Who asked, and what was decided so far.
pub(super) struct Watcher<'a> {
    wants: Wants<'a>,
    decisions: Decisions,
}

impl<'a> Watcher<'a> {
    pub(super) fn new(wants: Wants<'a>) -> Self {
        Self { wants, decisions: Decisions::default() }
    }
}

impl Run<'_> {
    /// What a rule answered.
    pub(super) fn note_verdict(&mut self, id: TrialId, verdict: Verdict, reasons: Vec<Reason>) {
        let decided = if verdict == Verdict::Go { Decided::GoOn } else { Decided::Stop };
        self.note(Decider::Stopper, id, decided, reasons);
    }

    /// What a rung answered.
    pub(super) fn note_fate(&mut self, id: TrialId, fate: Fate, reasons: Vec<Reason>) {
        let decided = match fate {
            Fate::Go { .. } => Decided::GoOn,
            Fate::Pause => Decided::Pause,
            Fate::Stop => Decided::Stop,
        };
        self.note(Decider::Scheduler, id, decided, reasons);
    }

    /// What becomes of a paused trial.
    pub(super) fn note_work(&mut self, scheduler: &dyn Scheduler, work: &Work) {
        let (id, decided) = match work {
            Work::Resume { trial, .. } => (*trial, Decided::Resume),
            Work::Drop(trial) => (*trial, Decided::Stop),
            Work::New { .. } | Work::Wait => return,
        };
        let reasons = scheduler.reasons(&self.view(), id);
        self.note(Decider::Scheduler, id, decided, reasons);
    }

    /// How the trials stand that are paused when the run ends.
    pub(super) fn note_paused(&mut self, scheduler: &dyn Scheduler) {
        if self.watcher.is_none() {
            return;
        }
        let paused: Vec<TrialId> = self.view().paused().collect();
        for id in paused {
            let reasons = scheduler.reasons(&self.view(), id);
            self.note(Decider::Scheduler, id, Decided::StayPaused, reasons);
        }
    }

    fn note(&mut self, by: Decider, id: TrialId, decided: Decided, reasons: Vec<Reason>) {
        // Where nothing was compared and nothing changed, nothing was decided.
        if decided == Decided::GoOn && reasons.is_empty() {
            return;
        }
        let trial = &self.w.trials[id.index()];
        let (start, length) = (self.w.starts[id.index()], self.w.lengths[id.index()]);
        let epoch = trial.executed;
        let score = match epoch {
            Epoch(0) => None,
            epoch => {
                let score = self.pool.scores()[start + epoch.index()];
                score.is_measured().then(|| score.number().unwrap_or(f64::NAN))
            }
        };
        let saved = if decided == Decided::Stop {
            let whole = self.pool.cost(start, Epoch(length));
            SimTime(whole.0 - self.pool.cost(start, epoch).0)
        } else {
            SimTime::ZERO
        };
        let decision = Decision {
            at: self.w.now,
            trial: id,
            config: trial.config,
            epoch,
            by,
            decided,
            in_warm_start: self.in_warm_start,
            score,
            value: trial.value,
            whole: self.pool.value(self.settings.value, start..start + usize::from(length)),
            saved,
            reasons,
        };
        let watcher = self.watcher.as_mut().expect("somebody asked");
        if (watcher.wants)(&decision) {
            watcher.decisions.wanted.push(decision);
        } else {
            watcher.decisions.others += 1;
        }
    }

    /// What was decided, once the run is over; nothing where nobody asked.
    pub(super) fn decisions(&mut self) -> Decisions {
        let Some(watcher) = self.watcher.take() else { return Decisions::default() };
        let curves = self.w.starts.iter().zip(&self.w.lengths);
        let curves = curves.map(|(start, length)| *start..*start + usize::from(*length));
        let wholes = curves.map(|curve| self.pool.value(self.settings.value, curve)).collect();
        Decisions { wholes, ..watcher.decisions }
    }
}
