//! A run in the small, for the tests of such schedulers: epochs take no time to speak of, and the
//! workers' trials end theirs by turns.

use base::units::{ConfigId, Epoch, SimTime, TrialId};

use crate::interface::{
    EpochScore, Fate, Fresh, Origin, Past, Proposal, RowOrder, Scheduler, State, Trial, View, Work,
};

/// A segment of a trial: its row, the epochs that it had run when it ended, and its state then.
pub(crate) type Segment = (u32, u16, State);

/// A table and how far its run has come.
pub(crate) struct Driver {
    epochs: Epoch,
    /// By row, all of one length.
    curves: Vec<Vec<EpochScore>>,
    order: RowOrder,
    trials: Vec<Trial>,
    ended: Vec<TrialId>,
    scores: Vec<EpochScore>,
    starts: Vec<usize>,
    /// Trials on workers, the longest there first.
    running: Vec<TrialId>,
    workers: usize,
    /// How many trials may start.
    pub(crate) trials_max: usize,
    pub(crate) segments: Vec<Segment>,
}

impl Driver {
    /// Scores by row, NaN where training had diverged and `None` where nothing was measured.
    pub(crate) fn new(curves: &[Vec<Option<f64>>], workers: usize, seed: u64) -> Self {
        let score = |s: &Option<f64>| s.map_or(EpochScore::NOT_MEASURED, EpochScore::measured);
        let curves: Vec<Vec<EpochScore>> =
            curves.iter().map(|curve| curve.iter().map(score).collect()).collect();
        let mut order = RowOrder::empty();
        order.begin(u32::try_from(curves.len()).unwrap(), seed, 0);
        Self {
            epochs: Epoch(u16::try_from(curves[0].len()).unwrap()),
            scores: curves.concat(),
            curves,
            order,
            trials: Vec::new(),
            ended: Vec::new(),
            starts: Vec::new(),
            running: Vec::new(),
            workers,
            trials_max: usize::MAX,
            segments: Vec::new(),
        }
    }

    pub(crate) fn view(&self) -> View<'_> {
        View {
            now: SimTime(self.segments.len() as u64),
            workers: 1,
            epochs: self.epochs,
            chance: None,
            gain_offset: 0.0,
            goal: None,
            budget: None,
            trials_max: None,
            past: Past::new(&self.order, &self.trials, &self.ended, &self.scores, &self.starts),
        }
    }

    /// Runs until nothing runs any more, or `segments` have ended. The sampler takes the first
    /// free row.
    pub(crate) fn run(&mut self, scheduler: &mut dyn Scheduler, segments: usize) {
        while self.segments.len() < segments {
            while self.running.len() < self.workers {
                let may_start = self.order.has_free() && self.trials.len() < self.trials_max;
                let fresh = if may_start { Fresh::Ready } else { Fresh::Exhausted };
                match scheduler.next(&self.view(), fresh) {
                    Work::New { until, own, .. } => {
                        assert!(may_start, "no trial may start");
                        self.start(scheduler, until, own);
                    }
                    Work::Resume { trial, until } => {
                        assert_eq!(self.trials[trial.index()].state, State::Paused);
                        self.go_on(trial, until);
                    }
                    Work::Drop(trial) => self.end(scheduler, trial, State::Stopped),
                    Work::Wait => break,
                }
            }
            if self.running.is_empty() {
                return;
            }
            let trial = self.running.remove(0);
            self.finish(scheduler, trial);
        }
    }

    fn start(&mut self, scheduler: &mut dyn Scheduler, until: Epoch, own: Option<Proposal>) {
        let (row, origin) = match own {
            Some(Proposal::Row(row)) => (row, Origin::Scheduler),
            Some(Proposal::Point(point)) => panic!("{point:?}"),
            None => (self.order.first_free().unwrap(), Origin::Sampler),
        };
        self.order.take(row);
        let trial = TrialId(u32::try_from(self.trials.len()).unwrap());
        self.trials.push(Trial {
            config: row,
            curve_repeat: 0,
            bracket: 0,
            state: State::Paused,
            executed: Epoch(0),
            until,
            last_epoch: self.epochs,
            value: f64::NAN,
            reported: f64::NAN,
            point: None,
            snap_distance: None,
            segment_start: SimTime(0),
            charged: SimTime(0),
        });
        self.starts.push(row.index() * usize::from(self.epochs.0));
        self.go_on(trial, until);
        scheduler.started(&self.view(), trial, origin);
    }

    fn go_on(&mut self, id: TrialId, until: Epoch) {
        let trial = &mut self.trials[id.index()];
        assert!(until > trial.executed && until <= self.epochs, "{until}");
        (trial.state, trial.until) = (State::Running, until);
        self.running.push(id);
    }

    /// Lets a running trial come to where it pauses or ends.
    fn finish(&mut self, scheduler: &mut dyn Scheduler, id: TrialId) {
        loop {
            let trial = &mut self.trials[id.index()];
            trial.executed = trial.until;
            if trial.executed == self.epochs {
                return self.end(scheduler, id, State::Completed);
            }
            match scheduler.at_until(&self.view(), id) {
                Fate::Go { until } => self.trials[id.index()].until = until,
                Fate::Pause => return self.close(id, State::Paused),
                Fate::Stop => return self.end(scheduler, id, State::Stopped),
            }
        }
    }

    fn end(&mut self, scheduler: &mut dyn Scheduler, id: TrialId, state: State) {
        self.close(id, state);
        self.ended.push(id);
        scheduler.ended(&self.view(), id);
    }

    fn close(&mut self, id: TrialId, state: State) {
        let trial = &mut self.trials[id.index()];
        trial.state = state;
        self.segments.push((trial.config.0, trial.executed.0, state));
    }

    /// The place of each row in the repeat's order.
    pub(crate) fn positions(&self) -> Vec<u32> {
        let rows = u32::try_from(self.curves.len()).unwrap();
        (0..rows).map(|row| self.order.position(ConfigId(row))).collect()
    }
}

/// Curves with everything that may be wrong with them.
pub(crate) fn odd_curves() -> Vec<Vec<Option<f64>>> {
    let nan = Some(f64::NAN);
    vec![
        vec![nan; 4],
        vec![Some(0.2), nan, Some(0.5), nan],
        vec![None; 4],
        vec![None, Some(0.3), None, Some(0.4)],
        vec![Some(0.1), Some(0.3), Some(0.5), Some(0.6)],
        vec![Some(1e300), Some(-1e300), Some(f64::INFINITY), Some(0.0)],
        vec![Some(0.5); 4],
    ]
}
