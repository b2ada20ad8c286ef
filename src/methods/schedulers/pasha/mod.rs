//! PASHA: asynchronous successive halving whose last epoch rises only when it must.
//!
//! Bohdal, Balles, Wistuba, Ermis, Archambeau, Zappella, "PASHA: efficient HPO and NAS with
//! progressive resource allocation" (ICLR 2023). Rungs and promotions are those of `asha`, but
//! trials end at the second rung at first. Whenever a trial has ended an epoch that may matter, the
//! trials that came to the highest rung in use are ranked there and at the rung below; if one of
//! them lies outside of the group of those that the rung below cannot tell apart from whoever has
//! its rank there (scores within `epsilon`), one more rung is used, and after the last rung `max`.
//!
//! `epsilon` is the 90th percentile of how far apart two trials are at the latest epoch that both
//! have run between the two rungs, over the pairs that changed order and back by then; 0 before
//! there is one. That is the reference's code (Syne Tune 0.14), which decides as this does wherever
//! there are at least three rungs below `max`. With two it never uses the second, and with one it
//! fails: here two rungs are used as the paper has it, and with fewer than two the method is
//! `asha`.
//!
//! NaN counts as chance; pairs in which a score is unknown or no number say nothing of `epsilon`. A
//! trial that was not measured at a rung waits for nobody there: it goes on as soon as that rung is
//! below the highest one in use. Ties: first come, first served, as in `asha`. What an earlier
//! phase ran counts in the rungs that it came to. A rung takes `O(log n)`; an epoch between the two
//! rungs `O(n log n)` for the ranking of `n` trials, and for `epsilon` one step a pair.

mod noise;
mod ranking;

use std::collections::VecDeque;

use base::error::Result;
use base::units::{Epoch, TrialId};

use crate::interface::{
    Arguments, Comparison, Context, Entry, Fate, Fresh, Origin, Reason, Scheduler,
    SchedulerFactory, State, Trait, View, Work, parameters,
};
use crate::rungs::{
    Cutoff, Ladder, Span, left_by_earlier_phase, not_compared, passed_over, score_at,
};
use noise::Noise;
use ranking::Ranking;

parameters! {
    struct Parameters {
        /// How many times as far each rung lies as the one below it (paper: eta).
        eta: u16 in 2..=65535 = 3,
        /// The epoch of the lowest rung (paper: r).
        min: u16 in 1..=65535 = 1,
        /// Where trials end at the latest (paper: R); 0: at the table's last epoch.
        max: u16 in 0..=65535 = 0,
        /// Who may go on from a rung: the paper's, or Syne Tune's.
        cutoff: CutoffWord { Floor = "floor", Quantile = "quantile" } = "floor",
    }
}

pub(super) const ENTRY: Entry<SchedulerFactory> = Entry {
    name: "pasha",
    summary: "ASHA whose trials run farther only where the order of the best still changes.",
    citation: "Bohdal et al., PASHA: efficient HPO and NAS with progressive resource allocation, \
               ICLR 2023",
    parameters: Parameters::SPECS,
    compared: &[Comparison {
        with: "Syne Tune 0.14",
        what: super::EVERY_SEGMENT,
        result: "all equal",
    }],
    traits: &[Trait::Pauses],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<SchedulerFactory> {
    let Parameters { eta, min, max, cutoff } = Parameters::read(arguments)?;
    let span = Span::read("pasha", [eta, min, max], context)?;
    let cutoff = match cutoff {
        CutoffWord::Floor => Cutoff::Floor,
        CutoffWord::Quantile => Cutoff::Quantile,
    };
    Ok(Box::new(move |_| Box::new(Pasha::new(span, cutoff))))
}

struct Pasha {
    max: Epoch,
    ladder: Ladder,
    /// How many rungs are in use; one more than there are once trials may run to `max`.
    used: usize,
    /// By trial, the rung that it has not come to yet.
    rungs: Vec<usize>,
    /// By rung, who came to it.
    rankings: Vec<Ranking>,
    noise: Noise,
    /// By rung, paused trials that go on as soon as trials do from there: they were not measured
    /// there, or have run past it.
    unmeasured: Vec<VecDeque<TrialId>>,
    /// Paused trials of an earlier phase, which go on before any other starts.
    left_over: VecDeque<TrialId>,
}

impl Pasha {
    fn new(span: Span, cutoff: Cutoff) -> Self {
        let ladder = Ladder::new(span, 0, cutoff);
        let count = ladder.rungs();
        let used = if count < 2 { count + 1 } else { 2 };
        let mut pasha = Self {
            max: span.max,
            ladder,
            used,
            rungs: Vec::new(),
            rankings: (0..count).map(|_| Ranking::default()).collect(),
            noise: Noise::default(),
            unmeasured: vec![VecDeque::new(); count],
            left_over: VecDeque::new(),
        };
        pasha.noise.look_between(pasha.between());
        pasha
    }

    /// The two highest rungs in use, unless trials may run to `max`.
    fn top_two(&self) -> Option<[usize; 2]> {
        (self.used <= self.ladder.rungs()).then(|| [self.used - 2, self.used - 1])
    }

    /// The epochs whose scores tell the noise: after the lower of the two rungs, to the higher.
    fn between(&self) -> Option<[Epoch; 2]> {
        self.top_two().map(|rungs| rungs.map(|rung| self.ladder.level(rung)))
    }

    /// How many rungs trials may go on from.
    fn open_rungs(&self) -> usize {
        self.used - 1
    }

    /// Where a trial is looked at next on its way to a rung.
    fn next_look(&self, executed: Epoch, level: Epoch) -> Epoch {
        match self.between() {
            Some([low, high]) if executed >= low && executed < high => Epoch(executed.0 + 1),
            _ => level,
        }
    }

    fn go_to_next_rung(&self, trial: TrialId, executed: Epoch) -> Fate {
        let level = self.ladder.level(self.rungs[trial.index()]);
        Fate::Go { until: self.next_look(executed, level) }
    }

    /// Uses one more rung if the order at the two highest differs.
    fn rise_if_it_must(&mut self) {
        let Some([low, high]) = self.top_two() else { return };
        if self.rankings[high].agrees_with(&self.rankings[low], self.noise.epsilon()) {
            return;
        }
        self.used += 1;
        let between = self.between();
        self.noise.look_between(between);
    }

    /// What becomes of a trial that has ended an epoch short of `max`.
    fn look(&mut self, view: &View<'_>, id: TrialId) -> Fate {
        let executed = view.trial(id).executed;
        self.noise.take_in(view, id, executed);
        let rung = self.rungs[id.index()];
        let is_at_rung = executed == self.ladder.level(rung);
        let score = if is_at_rung { score_at(view, id, executed) } else { None };
        if let Some(score) = score {
            self.rankings[rung].enter(score, id);
            self.ladder.wait(rung, score, id);
        }
        self.rise_if_it_must();
        if !is_at_rung {
            return self.go_to_next_rung(id, executed);
        }
        if score.is_none() {
            if rung < self.open_rungs() {
                self.rungs[id.index()] += 1;
                return self.go_to_next_rung(id, executed);
            }
            self.unmeasured[rung].push_back(id);
        }
        Fate::Pause
    }

    /// Takes a trial of an earlier phase in as if it had run here.
    fn adopt(&mut self, view: &View<'_>, id: TrialId) {
        let trial = view.trial(id);
        for epoch in (1..=trial.executed.0).map(Epoch) {
            self.noise.take_in(view, id, epoch);
        }
        let is_paused = trial.state == State::Paused;
        let mut rung = 0;
        while rung < self.ladder.rungs() {
            let level = self.ladder.level(rung);
            let is_here = is_paused && level == trial.executed;
            if level > trial.executed || level >= trial.last_epoch || is_here {
                break;
            }
            if let Some(score) = score_at(view, id, level) {
                self.rankings[rung].enter(score, id);
                self.ladder.enter(rung, score, id);
            }
            rung += 1;
        }
        self.rungs[id.index()] = rung;
        if is_paused {
            self.left_over.push_back(id);
        }
    }

    /// Work for trials that an earlier phase left paused.
    fn go_on(&mut self, view: &View<'_>) -> Option<Work> {
        while let Some(trial) = self.left_over.pop_front() {
            let executed = view.trial(trial).executed;
            let rung = self.rungs[trial.index()];
            let fate = if executed >= self.max {
                Fate::Stop
            } else if executed == self.ladder.level(rung) {
                self.look(view, trial)
            } else if rung < self.used {
                self.go_to_next_rung(trial, executed)
            } else {
                // It has run farther than trials run by now.
                self.rungs[trial.index()] -= 1;
                self.unmeasured[rung - 1].push_back(trial);
                Fate::Pause
            };
            match fate {
                Fate::Go { until } => return Some(Work::Resume { trial, until }),
                Fate::Stop => return Some(Work::Drop(trial)),
                Fate::Pause => {}
            }
        }
        None
    }

    fn promote(&mut self, view: &View<'_>) -> Option<Work> {
        let open = self.open_rungs();
        let unmeasured = self.unmeasured[..open].iter_mut().rev();
        let trial = match unmeasured.into_iter().find_map(VecDeque::pop_front) {
            Some(trial) => trial,
            None => self.ladder.promote(open)?.0,
        };
        self.rungs[trial.index()] += 1;
        let executed = view.trial(trial).executed;
        let level = self.ladder.level(self.rungs[trial.index()]);
        Some(Work::Resume { trial, until: self.next_look(executed, level) })
    }
}

impl Scheduler for Pasha {
    fn next(&mut self, view: &View<'_>, fresh: Fresh) -> Work {
        if let Some(work) = self.go_on(view) {
            return work;
        }
        if let Some(work) = self.promote(view) {
            return work;
        }
        match fresh {
            Fresh::Ready => Work::New { until: self.ladder.level(0), bracket: 0, own: None },
            Fresh::Wait | Fresh::Exhausted => Work::Wait,
        }
    }

    fn at_until(&mut self, view: &View<'_>, trial: TrialId) -> Fate {
        if view.trial(trial).executed >= self.max {
            return Fate::Stop;
        }
        self.look(view, trial)
    }

    fn started(&mut self, view: &View<'_>, trial: TrialId, origin: Origin) {
        assert_eq!(trial.index(), self.rungs.len(), "it hears of every start");
        self.rungs.push(0);
        if origin == Origin::EarlierPhase {
            self.adopt(view, trial);
        }
    }

    fn ended(&mut self, _: &View<'_>, _: TrialId) {}

    fn ends_at(&self) -> Option<Epoch> {
        Some(self.max)
    }

    fn reasons(&self, view: &View<'_>, trial: TrialId) -> Vec<Reason> {
        let executed = view.trial(trial).executed;
        if executed >= self.max {
            return vec![Reason::end_of_trials(executed, self.max)];
        }
        // It waits at the rung that it has not left, or has just left the one before.
        let next = self.rungs[trial.index()];
        let here = [Some(next), next.checked_sub(1)].into_iter().flatten();
        let mut here =
            here.filter(|rung| *rung < self.ladder.rungs() && self.ladder.level(*rung) == executed);
        let Some(rung) = here.next() else {
            // Between rungs nothing is compared; only an earlier phase pauses trials there.
            let is_paused = view.trial(trial).state == State::Paused;
            return is_paused.then(left_by_earlier_phase).into_iter().collect();
        };
        let Some(score) = score_at(view, trial, executed) else { return vec![passed_over()] };
        if rung >= self.open_rungs() {
            let bar_is = "the order of the best stands: nobody goes on from here yet";
            return vec![not_compared(Some(score), bar_is)];
        }
        vec![self.ladder.reason(rung, score)]
    }
}
