//! What is the same for all runs of an experiment.

use std::fmt::Write;

use base::error::{Result, fault, suggest};
use base::units::{Epoch, SimTime};
use methods::interface::{EndingFactory, Method, SamplerFactory, StopperFactory};

/// What the value of a trial is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueMode {
    /// Its best executed epoch; epochs that are not finite do not count.
    Best,
    /// Its last executed epoch; a trial whose last epoch is not finite has no value.
    Final,
}

impl ValueMode {
    /// The word in `runs.parquet`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Best => "best",
            Self::Final => "final",
        }
    }
}

/// What a *stopped* trial tells the sampler. Others tell their value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// Its best executed epoch (DEEP-BO).
    Best,
    /// Its last executed epoch (Optuna's pruned trials).
    Last,
    /// The final score that the stopper predicted (Domhan 2015); where a scheduler stopped it or
    /// the rule predicted nothing finite, its best executed epoch.
    Predicted,
    /// Nothing.
    Ignore,
    /// The worst value of all trials that have ended by then, its own included.
    Worst,
    /// Its last executed epoch, for samplers that rank stopped trials behind completed ones by
    /// themselves (deeper first, then by value: Optuna's TPE).
    Ranked,
}

impl Report {
    /// What the sampler is told of a stopped trial: of its best and its last value, of what its
    /// rule `predicted`, and of the worst value of any trial that has ended. NaN is nothing.
    pub(crate) fn of_stopped(
        self,
        value: impl Fn(ValueMode) -> f64,
        predicted: Option<f64>,
        worst: f64,
    ) -> f64 {
        let best = || value(ValueMode::Best);
        match self {
            Self::Best => best(),
            Self::Last | Self::Ranked => value(ValueMode::Final),
            Self::Predicted => predicted.filter(|p| p.is_finite()).unwrap_or_else(best),
            Self::Ignore => f64::NAN,
            Self::Worst => worst,
        }
    }

    /// All of them, the default first.
    pub const ALL: [Self; 6] =
        [Self::Best, Self::Last, Self::Predicted, Self::Ignore, Self::Worst, Self::Ranked];

    /// Reads the word; `option` names it in errors.
    pub fn parse(option: &str, text: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|report| report.word() == text);
        known.ok_or_else(|| {
            let remedy = suggest(text, Self::ALL.map(Self::word));
            fault(option, "report", text, "no such report", remedy)
        })
    }

    /// The word on the command line and in `runs.parquet`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Best => "best",
            Self::Last => "last",
            Self::Predicted => "predicted",
            Self::Ignore => "ignore",
            Self::Worst => "worst",
            Self::Ranked => "ranked",
        }
    }
}

/// What an epoch that is not finite does to its trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnNan {
    /// It runs on: rules see chance.
    Continue,
    /// The trial fails at that epoch's end.
    Stop,
}

/// What deciding costs, charged to the worker that asked, before the first epoch of the trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overhead {
    /// Nothing.
    None,
    /// So much a new trial.
    Fixed(SimTime),
    /// What proposing took on the real clock. Two runs never agree.
    Measured,
}

impl Overhead {
    /// Reads `none`, `fixed:SECONDS` or `measured`; `option` names it in errors.
    pub fn parse(option: &str, text: &str) -> Result<Self> {
        match text {
            "none" => return Ok(Self::None),
            "measured" => return Ok(Self::Measured),
            _ => {}
        }
        let Some(seconds) = text.strip_prefix("fixed:") else {
            let remedy = "write none, fixed:SECONDS or measured";
            return Err(fault(option, "overhead", text, "no such model of overhead", remedy));
        };
        let wrong = || {
            let remedy = "write fixed:0.5 for half a second a new trial";
            fault(option, "overhead", text, "what follows `fixed:` must be seconds", remedy)
        };
        overhead_seconds(option, seconds.parse().map_err(|_| wrong())?).map(Self::Fixed)
    }
}

/// The longest overhead of one decision or start: 11 days of it a hundred thousand times over
/// leave the clock far from its end.
const OVERHEAD_SECONDS_MAX: f64 = 1e6;

/// Seconds charged at each start or decision.
pub fn overhead_seconds(option: &str, seconds: f64) -> Result<SimTime> {
    let checked = SimTime::from_seconds(seconds).filter(|_| seconds <= OVERHEAD_SECONDS_MAX);
    checked.ok_or_else(|| {
        let remedy = "choose a number in that range";
        fault(option, "seconds", seconds, "must be 0 to 1e6 seconds", remedy)
    })
}

/// A first phase of every run: so many trials of another sampler, charged as all others. The
/// second phase begins when none of them runs any more, and its methods are told of all of them.
#[derive(Debug, Clone)]
pub struct WarmStart {
    /// How many trials start in the phase.
    pub trials: u32,
    pub sampler: Method<SamplerFactory>,
    pub stopper: Method<StopperFactory>,
    /// Trials pause here, and the second phase may resume them; `None`: they run to their ends.
    pub epochs: Option<Epoch>,
}

impl WarmStart {
    /// As it stands in the settings of `runs.parquet`.
    fn text(&self) -> String {
        let epochs = self.epochs.map_or("all".to_string(), |e| e.to_string());
        let (sampler, stopper) = (&self.sampler.canonical, &self.stopper.canonical);
        format!(
            "warm-start-trials={} warm-start-sampler={sampler} warm-start-stopper={stopper} \
             warm-start-epochs={epochs}",
            self.trials
        )
    }
}

/// Settings of a run other than its table, methods and goals.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Trials that run at once; at least 1.
    pub workers: u32,
    pub value: ValueMode,
    pub report: Report,
    pub on_nan: OnNan,
    /// Trials are cut at this instant.
    pub budget: Option<SimTime>,
    /// How many trials may start.
    pub trials_max: Option<u32>,
    /// Whether a resumed trial runs its earlier epochs again, at their cost.
    pub restart: bool,
    /// Added to each start and resume.
    pub trial_overhead: SimTime,
    /// Added to each resume of a paused trial: what loading its checkpoint takes.
    pub resume_cost: SimTime,
    /// Whether a start (and a restart) is charged what the table recorded before the first epoch.
    pub charge_setup: bool,
    pub overhead: Overhead,
    pub warm_start: Option<WarmStart>,
    /// When a run is over though no goal is met; `None`: never.
    pub ending: Option<Method<EndingFactory>>,
    /// Master seed.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            workers: 1,
            value: ValueMode::Best,
            report: Report::Best,
            on_nan: OnNan::Continue,
            budget: None,
            trials_max: None,
            restart: false,
            trial_overhead: SimTime::ZERO,
            resume_cost: SimTime::ZERO,
            charge_setup: false,
            overhead: Overhead::None,
            warm_start: None,
            ending: None,
            seed: 0,
        }
    }
}

impl Settings {
    /// Settings that have no column of their own in `runs.parquet` and are not the default, as
    /// options without their dashes. Budgets and limits are not among them: they cut a run short
    /// and leave it the same until then. An ending is: how soon a run gives up is what it decides.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut say = |part: &str| {
            let space = if text.is_empty() { "" } else { " " };
            write!(text, "{space}{part}").expect("writing into a String does not fail");
        };
        if self.on_nan == OnNan::Stop {
            say("on-nan=stop");
        }
        if self.restart {
            say("restart");
        }
        if self.trial_overhead > SimTime::ZERO {
            say(&format!("trial-overhead={}", self.trial_overhead.seconds()));
        }
        if self.resume_cost > SimTime::ZERO {
            say(&format!("resume-cost={}", self.resume_cost.seconds()));
        }
        if self.charge_setup {
            say("charge-setup");
        }
        match self.overhead {
            Overhead::None => {}
            Overhead::Fixed(cost) => say(&format!("overhead=fixed:{}", cost.seconds())),
            Overhead::Measured => say("overhead=measured"),
        }
        if let Some(warm_start) = &self.warm_start {
            say(&warm_start.text());
        }
        if let Some(ending) = &self.ending {
            say(&format!("end={}", ending.canonical));
        }
        text
    }
}
