//! What a method sees and may ask: [`View`], the four traits, and the type of registry entries.
//!
//! Methods work on *scores*: the metric where it is maximised, its negation where it is minimised,
//! so that larger is always better. They see what has happened by *now* on the simulated clock and
//! nothing else.

mod arguments;
mod epoch_score;
mod extrapolations;
mod kind;
mod looks;
mod nested;
mod parameters;
mod points;
mod readers;
mod reason;
mod registry;
mod row_order;
mod trial;
mod view;

pub use crate::parameters;
pub use arguments::{Argument, Arguments};
pub use epoch_score::EpochScore;
pub use extrapolations::{CurveAt, Extrapolation, Found, Knot, Library, Shelf};
pub use kind::{Kind, ParameterSpec};
pub use looks::Looks;
pub use nested::{AnyMethod, Factory, Registry};
pub use parameters::{ParameterValue, of_parameters};
pub use points::Points;
pub use readers::{Paired, Readers};
pub use reason::{Measure, Reason, Side};
pub use registry::{
    Comparison, Context, EndingFactory, Entry, Method, RecordedOrders, RunContext, SamplerFactory,
    SchedulerFactory, StopperFactory, Trait, describe, resolve,
};
pub use row_order::RowOrder;
pub use trial::{State, Trial};
pub use view::{Past, View};

use base::units::{ConfigId, Epoch, SimTime, TrialId};

/// Slack of every comparison against a threshold, relative to `max(1, |threshold|)`: values that
/// were stored as f32 widen below their decimals.
pub const SLACK: f64 = 1e-7;

/// The slack of one threshold.
pub fn slack(threshold: f64) -> f64 {
    SLACK * threshold.abs().max(1.0)
}

/// Whether a score meets a goal, with slack in favour of *reached*. NaN never does.
pub fn meets(score: f64, goal: f64) -> bool {
    score >= goal - slack(goal)
}

/// Whether a score falls below a rule's bar, with slack in favour of *continue*. NaN never does.
pub fn falls_below(score: f64, bar: f64) -> bool {
    score < bar - slack(bar)
}

/// What a sampler proposes.
#[derive(Debug, Clone, PartialEq)]
pub enum Proposal {
    /// A free row of the table.
    Row(ConfigId),
    /// A point of the unit cube; the engine takes the nearest free row.
    Point(Vec<f64>),
}

/// Whether a sampler has a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fresh {
    /// `propose` may be called.
    Ready,
    /// Not before a running trial ends: a generation or a simplex step is still out.
    Wait,
    /// Never again: no free row, no proposal left, or no further trial allowed.
    Exhausted,
}

/// The trial that a proposal is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// The trial to be.
    pub trial: TrialId,
    /// How far it will run before the scheduler is asked again.
    pub until: Epoch,
    /// The scheduler's bracket.
    pub bracket: u32,
}

/// Where the configuration of a trial came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The sampler proposed it.
    Sampler,
    /// The scheduler brought it along; see [`Work::New`].
    Scheduler,
    /// It started in an earlier phase of the run, under other methods.
    EarlierPhase,
}

/// Proposes configurations.
pub trait Sampler: Send {
    /// Whether `propose` may be called now. The engine has checked for free rows and limits. It
    /// asks once more where a limit has ended a run, to tell whether the sampler was exhausted.
    fn ready(&mut self, view: &View<'_>) -> Fresh;
    /// The next configuration; only called right after `ready` answered [`Fresh::Ready`].
    fn propose(&mut self, view: &View<'_>, ask: &Ask) -> Proposal;
    /// A trial has started: [`Trial::config`] is the row that a proposal became. Called right after
    /// `propose`, and for what a scheduler brought along, with the trial already running. A sampler
    /// that takes over after a warm start is first told of every trial of that phase, by id; then
    /// follow their ends.
    fn started(&mut self, _view: &View<'_>, _trial: TrialId, _origin: Origin) {}
    /// Simulated seconds that the last proposal took beyond what any proposal is charged, because
    /// something was trained for it: the trial's first epoch comes so much later. Asked right
    /// after `propose`.
    fn spent(&mut self) -> SimTime {
        SimTime::ZERO
    }
    /// A segment of the trial has ended: completed, stopped, failed or paused. A sampler that
    /// takes over after a warm start is first told of every trial of that phase.
    fn tell(&mut self, view: &View<'_>, trial: TrialId);
    /// Whether it looks at how far running trials have come. Where nobody does, the engine advances
    /// them from one decision to the next in one step, and until then [`Trial::executed`],
    /// [`Trial::value`] and [`View::curve`] of a running trial stand still. All else is as it is by
    /// now: which trials run, their [`Trial::until`], what they have [cost](View::cost).
    fn looks_at_running(&self) -> bool {
        false
    }
}

/// What a free worker shall do.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    /// Start a trial. `own` overrides the sampler's proposal.
    New { until: Epoch, bracket: u32, own: Option<Proposal> },
    /// Go on with a paused trial.
    Resume { trial: TrialId, until: Epoch },
    /// End a paused trial; the worker is asked again at once.
    Drop(TrialId),
    /// Nothing now; asked again when a segment has ended.
    Wait,
}

/// What becomes of a trial at its `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It runs on.
    Go { until: Epoch },
    /// It frees its worker and may be resumed.
    Pause,
    /// It ends.
    Stop,
}

/// Decides which trial runs next and for how long.
pub trait Scheduler: Send {
    /// Work for one free worker, asked when the run begins and whenever a segment has ended.
    /// `fresh` says whether the sampler could propose.
    fn next(&mut self, view: &View<'_>, fresh: Fresh) -> Work;
    /// The trial has reached its `until`, short of its own last epoch, where it is complete.
    fn at_until(&mut self, view: &View<'_>, trial: TrialId) -> Fate;
    /// As [`Sampler::started`]; the scheduler hears of it first.
    fn started(&mut self, _view: &View<'_>, _trial: TrialId, _origin: Origin) {}
    /// The trial has ended for good; [`Trial::state`] says how. A scheduler that takes over after
    /// a warm start is first told of every trial that ended in that phase.
    fn ended(&mut self, view: &View<'_>, trial: TrialId);
    /// Why it has just let the trial go on, paused or ended it, resumed or dropped it; and at the
    /// end of a run, how a trial that is still paused stands at its rung. Called right after the
    /// answer, with the same view, and only where somebody asks for reasons: nothing that it
    /// decides may depend on it. Empty where it compared nothing, or gives no reasons.
    fn reasons(&self, _view: &View<'_>, _trial: TrialId) -> Vec<Reason> {
        Vec::new()
    }
    /// The epoch beyond which it lets no trial run, the same for the whole run; `None` where that
    /// is each trial's own last epoch. A rule that looks later would never act, and is refused.
    fn ends_at(&self) -> Option<Epoch> {
        None
    }
    /// As [`Sampler::looks_at_running`].
    fn looks_at_running(&self) -> bool {
        false
    }
}

/// Decides when a run as a whole is over, though no goal is met and more could be tried.
pub trait Ending: Send {
    /// Asked where trials have ended for good since it was asked last, once everybody has been
    /// told of them and before free workers ask for work; and once more where a scheduler has
    /// dropped trials since. [`View::ended`] has them in their order. Not asked where the last goal
    /// is met. Once it says true the run is over: what still runs is cut. [`Trial::executed`],
    /// [`Trial::value`] and the curve of a running trial may stand still; see
    /// [`Sampler::looks_at_running`].
    fn is_over(&mut self, view: &View<'_>) -> bool;
}

/// What a stopper decides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// The trial goes on.
    Go,
    /// The trial ends here; `predicted` is the final score that the rule expected of it, if it
    /// expects one.
    Stop { predicted: Option<f64> },
}

/// Decides after an epoch whether a trial goes on. Not asked at a curve's last epoch, where the
/// trial is complete anyway. It is asked after epochs that were not measured, too: what it then
/// sees is `None`, and nothing may be stopped for want of a number.
pub trait Stopper: Send {
    /// The trial has just ended `epoch`.
    fn at_epoch(&mut self, view: &View<'_>, trial: TrialId, epoch: Epoch) -> Verdict;
    /// Why it has just answered so: what it compared, all of which a trial that is stopped
    /// [fails](Reason::fails). Called right after [`Stopper::at_epoch`], with the same view, trial
    /// and epoch, and only where somebody asks for reasons: nothing that it decides may depend on
    /// it. Empty where it compared nothing at this epoch, or gives no reasons.
    fn reasons(&self, _view: &View<'_>, _trial: TrialId, _epoch: Epoch) -> Vec<Reason> {
        Vec::new()
    }
    /// When it wants to be asked; the same for the whole run.
    fn looks(&self) -> Looks {
        Looks::EveryEpoch
    }
    /// Whether it looks at how far running trials *other* than the one it is asked about have come,
    /// as [`Sampler::looks_at_running`]. With [`Looks::EveryEpoch`] they never stand still.
    fn looks_at_running(&self) -> bool {
        false
    }
}
