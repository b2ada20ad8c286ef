//! How trials start, go on and stop running.

use std::cmp::Reverse;

use base::units::{ConfigId, Epoch, SimTime, TrialId};
use methods::interface::{Ask, Origin, Proposal, State, Trial};

use super::overhead::OptimiserClock;
use super::workspace::Running;
use super::{Methods, Run};
use crate::outcome::Segment;
use crate::pool::Replayed;
use crate::settings::OnNan;
use crate::snap;

impl Run<'_> {
    pub(super) fn start(
        &mut self,
        methods: &mut Methods,
        worker: u32,
        until: Epoch,
        bracket: u32,
        own: Option<Proposal>,
        clock: OptimiserClock,
    ) {
        let id = TrialId(u32::try_from(self.w.trials.len()).expect("rows are 32 bits"));
        let (proposal, origin) = if let Some(own) = own {
            (own, Origin::Scheduler)
        } else {
            let ask = Ask { trial: id, until, bracket };
            (methods.sampler.propose(&self.view(), &ask), Origin::Sampler)
        };
        let spent = match origin {
            Origin::Sampler => methods.sampler.spent(),
            Origin::Scheduler | Origin::EarlierPhase => SimTime::ZERO,
        };
        let overhead = self.overhead(clock).saturating_add(spent);
        self.w.overhead_total = self.w.overhead_total.saturating_add(overhead);
        let (config, point, snap_distance) = match proposal {
            Proposal::Row(row) => (row, None, None),
            Proposal::Point(point) => {
                let fits = point.len() == self.pool.points().width
                    && point.iter().all(|coordinate| coordinate.is_finite());
                assert!(fits, "a point {point:?} was proposed that is not of the space");
                let w = &mut *self.w;
                let found = snap::nearest(self.pool, &w.order, &mut w.free, &point);
                let (row, distance) = found.expect("`may_start` found a free row");
                (row, Some(point.into_boxed_slice()), Some(distance))
            }
        };
        self.w.order.take(config);
        self.w.free.take(self.pool.tree_if_made(), config);
        let Replayed { mut curve, repeat, first_diverged, last_epoch } =
            self.pool.curve(config, self.draw);
        if let Some(epoch) = first_diverged.filter(|_| self.settings.on_nan == OnNan::Stop) {
            // It fails there: nothing that was recorded later will ever run.
            curve.end = curve.start + usize::from(epoch.0);
        }
        self.w.trials.push(Trial {
            config,
            curve_repeat: repeat,
            bracket,
            state: State::Paused,
            executed: Epoch(0),
            until: until.min(last_epoch),
            last_epoch,
            value: f64::NAN,
            reported: f64::NAN,
            point,
            snap_distance,
            segment_start: self.w.now,
            charged: SimTime::ZERO,
        });
        self.w.starts.push(curve.start);
        let epochs = u16::try_from(curve.len()).expect("epochs are 16 bits");
        self.w.lengths.push(epochs);
        self.w.running.push(None);
        self.resume(worker, id, until, overhead);
        let view = self.view();
        methods.scheduler.started(&view, id, origin);
        methods.sampler.started(&view, id, origin);
    }

    /// `overhead` is what the decision is charged.
    pub(super) fn resume(&mut self, worker: u32, id: TrialId, until: Epoch, overhead: SimTime) {
        self.expect_paused(id);
        let free = self.w.free_workers.pop();
        assert_eq!(free, Some(Reverse(worker)), "work was given to a worker that did not ask");
        let trial = &mut self.w.trials[id.index()];
        let executed = trial.executed;
        assert!(
            until > executed && until <= self.pool.epochs(),
            "a trial that has run {executed} of {} epochs cannot run until {until}",
            self.pool.epochs()
        );
        trial.until = until.min(trial.last_epoch);
        trial.state = State::Running;
        trial.segment_start = self.w.now;
        let config = trial.config;
        let before_epochs = overhead.saturating_add(self.before_epochs(id, config));
        let trial = &self.w.trials[id.index()];
        self.w.running[id.index()] = Some(Running {
            worker,
            segment: self.w.segments_count,
            begun: self.w.now.saturating_add(before_epochs),
            executed_before: executed,
            next: executed,
        });
        self.w.segments_count += 1;
        if let Some(segments) = &mut self.w.segments {
            segments.push(Segment {
                trial: id,
                config,
                curve_repeat: trial.curve_repeat,
                worker,
                start: self.w.now,
                end: self.w.now,
                epoch_first: Epoch(executed.0 + 1),
                epochs: executed,
                end_state: State::Running,
                value: f64::NAN,
                reported: f64::NAN,
                snap_distance: trial.snap_distance,
                overhead: before_epochs,
            });
        }
        let instant = self.next_event(id);
        self.w.events.push(Reverse((instant, id)));
    }

    /// What a segment is charged before its first new epoch, the optimiser aside: setting up or
    /// resuming, and under `restart` the epochs that it runs again.
    fn before_epochs(&self, id: TrialId, config: ConfigId) -> SimTime {
        let trial = &self.w.trials[id.index()];
        let is_first = trial.executed.0 == 0;
        let mut cost = self.settings.trial_overhead;
        if !is_first {
            cost = cost.saturating_add(self.settings.resume_cost);
        }
        if self.settings.charge_setup && (is_first || self.settings.restart) {
            cost = cost.saturating_add(self.pool.setup(config));
        }
        if self.settings.restart {
            cost = cost.saturating_add(self.pool.cost(self.w.starts[id.index()], trial.executed));
        }
        cost
    }

    /// When the next event of a running trial is due.
    pub(super) fn next_event(&mut self, id: TrialId) -> SimTime {
        let trial = &self.w.trials[id.index()];
        let recorded = Epoch(self.w.lengths[id.index()]);
        let last = trial.until.min(recorded);
        let next = if recorded == Epoch(0) {
            // A row without a single epoch fails the moment it begins.
            recorded
        } else if self.w.is_lazy {
            self.w.looks.next_after(trial.executed).map_or(last, |look| look.min(last))
        } else {
            Epoch(trial.executed.0 + 1)
        };
        self.w.running[id.index()].as_mut().expect("it runs").next = next;
        self.instant_of(id, next)
    }

    /// When an epoch of the running segment ends.
    pub(super) fn instant_of(&self, id: TrialId, epoch: Epoch) -> SimTime {
        let running = self.w.running[id.index()].as_ref().expect("it runs");
        let start = self.w.starts[id.index()];
        let before = self.pool.cost(start, running.executed_before);
        let cost = self.pool.cost(start, epoch).0 - before.0;
        running.begun.saturating_add(SimTime(cost))
    }

    /// What the sampler is told of a trial whose segment has just ended.
    pub(super) fn reported(&self, id: TrialId, predicted: Option<f64>) -> f64 {
        let trial = &self.w.trials[id.index()];
        if trial.state != State::Stopped {
            return trial.value;
        }
        let start = self.w.starts[id.index()];
        let ran = start..start + usize::from(trial.executed.0);
        let value = |mode| self.pool.value(mode, ran.clone());
        self.settings.report.of_stopped(value, predicted, self.w.worst)
    }

    /// Frees the worker of a trial whose state has been set.
    pub(super) fn close_segment(&mut self, id: TrialId) {
        let running = self.w.running[id.index()].take().expect("it was running");
        self.w.free_workers.push(Reverse(running.worker));
        let trial = &mut self.w.trials[id.index()];
        // What a worker was kept busy is what is charged.
        let charged = SimTime(self.w.now.0 - trial.segment_start.0);
        trial.charged = trial.charged.saturating_add(charged);
        self.w.busy_before = self.w.busy_before.saturating_add(charged);
        if let Some(segments) = &mut self.w.segments {
            let segment = &mut segments[running.segment];
            segment.end = self.w.now;
            segment.epochs = trial.executed;
            segment.end_state = trial.state;
            segment.value = trial.value;
            segment.reported = if trial.state == State::Cut { f64::NAN } else { trial.reported };
        }
    }

    /// Cuts what still runs: whole epochs count.
    pub(super) fn cut(&mut self) {
        for index in 0..self.w.trials.len() {
            if self.w.trials[index].state != State::Running {
                continue;
            }
            let id = TrialId(u32::try_from(index).expect("rows are 32 bits"));
            let executed = self.executed_by_now(id);
            let trial = &mut self.w.trials[index];
            trial.executed = executed;
            trial.state = State::Cut;
            let start = self.w.starts[index];
            let ran = start..start + usize::from(executed.0);
            trial.value = self.pool.value(self.settings.value, ran);
            self.close_segment(id);
        }
    }
}
