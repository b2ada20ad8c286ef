//! Toy methods see a plain copy of what has happened, so that the same ones run under the engine
//! and under the slow implementation.

use std::sync::{Arc, Mutex};

use curvebook::base::measured::NOT_MEASURED;
use curvebook::base::units::{Epoch, TrialId};
use curvebook::methods::interface::{
    Ask, Ending, EpochScore, Fate, Fresh, Looks, Origin, Proposal, Sampler, Scheduler, State,
    Stopper, Verdict, View, Work,
};
use curvebook::replay::{Methods, Phase};

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SeenTrial {
    pub config: u32,
    pub bracket: u32,
    pub state: State,
    pub executed: u16,
    pub until: u16,
    pub last_epoch: u16,
    pub value: f64,
    pub reported: f64,
    pub point: Option<Vec<f64>>,
    pub snap_distance: Option<f64>,
    /// Scores of the executed epochs: NaN where diverged, [`NOT_MEASURED`] where null.
    pub curve: Vec<f64>,
    /// Nanoseconds by now.
    pub cost_ns: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    pub now: u64,
    pub workers: u32,
    pub epochs: u16,
    pub chance: Option<f64>,
    pub gain_offset: f64,
    pub goal: Option<f64>,
    pub budget: Option<u64>,
    pub trials_max: Option<u32>,
    /// In the repeat's order.
    pub free: Vec<u32>,
    pub trials: Vec<SeenTrial>,
    pub ended: Vec<u32>,
}

fn plain(score: EpochScore) -> f64 {
    let nothing = if score.is_measured() { f64::NAN } else { NOT_MEASURED };
    score.number().unwrap_or(nothing)
}

impl Seen {
    fn of(view: &View<'_>) -> Self {
        let trial = |id: TrialId| {
            let trial = view.trial(id);
            SeenTrial {
                config: trial.config.0,
                bracket: trial.bracket,
                state: trial.state,
                executed: trial.executed.0,
                until: trial.until.0,
                last_epoch: trial.last_epoch.0,
                value: trial.value,
                reported: trial.reported,
                point: trial.point.as_deref().map(<[f64]>::to_vec),
                snap_distance: trial.snap_distance,
                curve: view.curve(id).iter().copied().map(plain).collect(),
                cost_ns: view.cost(id).0,
            }
        };
        let count = u32::try_from(view.trials().len()).unwrap();
        let seen = Self {
            now: view.now.0,
            workers: view.workers,
            epochs: view.epochs.0,
            chance: view.chance,
            gain_offset: view.gain_offset,
            goal: view.goal,
            budget: view.budget.map(|b| b.0),
            trials_max: view.trials_max,
            free: view.free().map(|row| row.0).collect(),
            trials: (0..count).map(TrialId).map(trial).collect(),
            ended: view.ended().iter().map(|id| id.0).collect(),
        };
        let ids = |wanted| seen.in_state(wanted).map(TrialId).collect::<Vec<_>>();
        assert_eq!(view.running().collect::<Vec<_>>(), ids(State::Running));
        assert_eq!(view.paused().collect::<Vec<_>>(), ids(State::Paused));
        seen
    }

    /// Trials in a state, by id.
    pub(crate) fn in_state(&self, wanted: State) -> impl Iterator<Item = u32> + '_ {
        (0..).zip(&self.trials).filter(move |(_, t)| t.state == wanted).map(|(id, _)| id)
    }

    pub(crate) fn trial(&self, id: TrialId) -> &SeenTrial {
        &self.trials[id.index()]
    }
}

/// Sampler, scheduler and stopper in one. As it stands: first come, first served, nothing stops.
pub(crate) trait Mind: Send {
    fn ready(&mut self, _: &Seen) -> Fresh {
        Fresh::Ready
    }
    fn propose(&mut self, seen: &Seen, _: &Ask) -> Proposal {
        Proposal::Row(curvebook::base::units::ConfigId(seen.free[0]))
    }
    /// Told twice: as a scheduler, and as a sampler.
    fn started(&mut self, _: &Seen, _: TrialId, _: Origin) {}
    fn tell(&mut self, _: &Seen, _: TrialId) {}
    fn next(&mut self, seen: &Seen, fresh: Fresh) -> Work {
        match fresh {
            Fresh::Ready => Work::New { until: Epoch(seen.epochs), bracket: 0, own: None },
            Fresh::Wait | Fresh::Exhausted => Work::Wait,
        }
    }
    fn at_until(&mut self, seen: &Seen, _: TrialId) -> Fate {
        Fate::Go { until: Epoch(seen.epochs) }
    }
    fn ended(&mut self, _: &Seen, _: TrialId) {}
    fn at_epoch(&mut self, _: &Seen, _: TrialId, _: Epoch) -> Verdict {
        Verdict::Go
    }
    /// `None`: there is no stopper.
    fn looks(&self) -> Option<Looks> {
        None
    }
    fn looks_at_running(&self) -> bool {
        true
    }
    fn is_over(&mut self, _: &Seen) -> bool {
        false
    }
}

pub(crate) type Shared = Arc<Mutex<dyn Mind>>;

pub(crate) fn shared(mind: impl Mind + 'static) -> Shared {
    Arc::new(Mutex::new(mind))
}

struct Part(Shared);

impl Sampler for Part {
    fn ready(&mut self, view: &View<'_>) -> Fresh {
        self.0.lock().unwrap().ready(&Seen::of(view))
    }
    fn propose(&mut self, view: &View<'_>, ask: &Ask) -> Proposal {
        self.0.lock().unwrap().propose(&Seen::of(view), ask)
    }
    fn started(&mut self, view: &View<'_>, trial: TrialId, origin: Origin) {
        self.0.lock().unwrap().started(&Seen::of(view), trial, origin);
    }
    fn tell(&mut self, view: &View<'_>, trial: TrialId) {
        self.0.lock().unwrap().tell(&Seen::of(view), trial);
    }
    fn looks_at_running(&self) -> bool {
        self.0.lock().unwrap().looks_at_running()
    }
}

impl Scheduler for Part {
    fn next(&mut self, view: &View<'_>, fresh: Fresh) -> Work {
        self.0.lock().unwrap().next(&Seen::of(view), fresh)
    }
    fn at_until(&mut self, view: &View<'_>, trial: TrialId) -> Fate {
        self.0.lock().unwrap().at_until(&Seen::of(view), trial)
    }
    fn started(&mut self, view: &View<'_>, trial: TrialId, origin: Origin) {
        self.0.lock().unwrap().started(&Seen::of(view), trial, origin);
    }
    fn ended(&mut self, view: &View<'_>, trial: TrialId) {
        self.0.lock().unwrap().ended(&Seen::of(view), trial);
    }
    fn looks_at_running(&self) -> bool {
        self.0.lock().unwrap().looks_at_running()
    }
}

impl Stopper for Part {
    fn at_epoch(&mut self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Verdict {
        self.0.lock().unwrap().at_epoch(&Seen::of(view), trial, epoch)
    }
    fn looks(&self) -> Looks {
        self.0.lock().unwrap().looks().expect("made only where it looks")
    }
    fn looks_at_running(&self) -> bool {
        self.0.lock().unwrap().looks_at_running()
    }
}

impl Ending for Part {
    fn is_over(&mut self, view: &View<'_>) -> bool {
        self.0.lock().unwrap().is_over(&Seen::of(view))
    }
}

/// A phase of the engine under a toy method.
pub(crate) fn phase(mind: &Shared, trials_max: Option<u32>) -> Phase {
    let part = || Part(Arc::clone(mind));
    let looks = mind.lock().unwrap().looks().is_some();
    let methods = Methods {
        sampler: Box::new(part()),
        scheduler: Box::new(part()),
        stopper: looks.then(|| Box::new(part()) as Box<dyn Stopper>),
    };
    Phase { methods, trials_max, ending: Some(Box::new(part())) }
}

/// Whether a rule that looks so is asked after an epoch, for the slow implementation.
pub(crate) fn looks_at(looks: &Looks, epoch: u16) -> bool {
    match looks {
        Looks::Never => false,
        Looks::EveryEpoch => true,
        Looks::From { first, step } => {
            (first.0..=epoch).step_by(usize::from(*step)).any(|look| look == epoch)
        }
        Looks::These(epochs) => epochs.contains(&Epoch(epoch)),
    }
}
