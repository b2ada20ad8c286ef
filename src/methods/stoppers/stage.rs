//! A stage for tests of rules: trials that run one after another, or some epochs each.

use std::sync::Arc;

use base::error::Result;
use base::measured::is_measured;
use base::space::{Direction, Domain, Metric, Parameter, Space};
use base::units::{ConfigId, Epoch, SimTime, TrialId};

use super::REGISTRY;
use crate::interface::{
    Context, EpochScore, Library, Past, Points, Readers, RowOrder, RunContext, State, Stopper,
    Trial, Verdict, View, resolve,
};

/// How a trial ended: after how many epochs, and whether it was stopped.
pub(super) type End = (u16, bool);

/// Trials by now; a curve is as long as the table's.
pub(super) struct Stage {
    epochs: u16,
    chance: Option<f64>,
    order: RowOrder,
    trials: Vec<Trial>,
    ended: Vec<TrialId>,
    scores: Vec<EpochScore>,
    starts: Vec<usize>,
    /// What the last stopped trial was predicted to come to.
    pub(super) predicted: Option<f64>,
}

impl Stage {
    pub(super) fn new(epochs: u16, chance: Option<f64>) -> Self {
        let (order, predicted) = (RowOrder::empty(), None);
        let (trials, ended, scores, starts) = (vec![], vec![], vec![], vec![]);
        Self { epochs, chance, order, trials, ended, scores, starts, predicted }
    }

    /// A rule as the command line builds it. There are two parameters, of which the second of row
    /// `r` of `rows` is `r / (rows - 1)`, and the first a middle choice of one.
    pub(super) fn rule(&self, text: &str, rows: u32) -> Result<Box<dyn Stopper>> {
        let parameter = |name: &str, high| {
            let domain = Domain::Float { low: 0.0, high, log: false };
            Parameter { name: name.into(), domain, condition: None }
        };
        let parameters = vec![parameter("fixed", 0.0), parameter("x", 1.0)];
        let space = Space::new("test", "parameter", "stage".into(), parameters).unwrap();
        let metric = Metric { name: "m".into(), goal: Direction::Maximize, chance: self.chance };
        let coordinates =
            (0..rows).flat_map(|row| [0.5, f64::from(row) / f64::from(rows.max(2) - 1)]);
        let points = Arc::new(Points { width: 2, coordinates: coordinates.collect() });
        let extrapolations = Library::default();
        let context = Context {
            extrapolations: &extrapolations,
            table: "stage",
            space: &space,
            metric: &metric,
            rows,
            points: &points,
            epochs: Epoch(self.epochs),
            repeats: 1,
            readers: Readers::NONE,
        };
        let factory = resolve("--stopper", text, REGISTRY)?.build(&context)?;
        Ok(factory(&RunContext { seed: 1, repeat: 0, threads: 1 }).expect("a rule that stops"))
    }

    /// Starts a trial of a row with a curve, of which nothing has run.
    pub(super) fn start(&mut self, row: u32, curve: &[f64]) -> TrialId {
        let id = TrialId(u32::try_from(self.trials.len()).unwrap());
        self.starts.push(self.scores.len());
        let score = |y: &f64| {
            if is_measured(*y) { EpochScore::measured(*y) } else { EpochScore::NOT_MEASURED }
        };
        self.scores.extend(curve.iter().map(score));
        let last_epoch = Epoch(u16::try_from(curve.len()).unwrap());
        self.trials.push(Trial {
            config: ConfigId(row),
            curve_repeat: 0,
            bracket: 0,
            state: State::Running,
            executed: Epoch(0),
            until: last_epoch,
            last_epoch,
            value: f64::NAN,
            reported: f64::NAN,
            point: None,
            snap_distance: None,
            segment_start: SimTime(0),
            charged: SimTime(0),
        });
        id
    }

    /// Runs a trial on to an epoch, or to where the rule stops it or it is complete.
    pub(super) fn run_to(&mut self, rule: &mut dyn Stopper, id: TrialId, to: u16) -> End {
        let looks = rule.looks();
        while self.trials[id.index()].executed.0 < to {
            let trial = &mut self.trials[id.index()];
            trial.executed = Epoch(trial.executed.0 + 1);
            let epoch = trial.executed;
            if epoch == trial.last_epoch {
                self.end(id, State::Completed);
                break;
            }
            if looks.includes(epoch)
                && let Verdict::Stop { predicted } = rule.at_epoch(&self.view(), id, epoch)
            {
                self.predicted = predicted;
                self.end(id, State::Stopped);
                return (epoch.0, true);
            }
        }
        (self.trials[id.index()].executed.0, false)
    }

    fn end(&mut self, id: TrialId, state: State) {
        let values = self.view().measured(id).map(|(_, score)| score);
        let best = values.fold(f64::NAN, f64::max);
        let trial = &mut self.trials[id.index()];
        (trial.state, trial.value, trial.reported) = (state, best, best);
        self.ended.push(id);
    }

    /// Runs a whole trial of the next row.
    pub(super) fn run(&mut self, rule: &mut dyn Stopper, curve: &[f64]) -> End {
        let row = u32::try_from(self.trials.len()).unwrap();
        self.run_row(rule, row, curve)
    }

    /// Runs a whole trial of a row.
    pub(super) fn run_row(&mut self, rule: &mut dyn Stopper, row: u32, curve: &[f64]) -> End {
        let id = self.start(row, curve);
        self.run_to(rule, id, self.epochs)
    }

    /// The run by now.
    pub(super) fn view(&self) -> View<'_> {
        View {
            now: SimTime(0),
            workers: 1,
            epochs: Epoch(self.epochs),
            chance: self.chance,
            gain_offset: 0.0,
            goal: None,
            budget: None,
            trials_max: None,
            past: Past::new(&self.order, &self.trials, &self.ended, &self.scores, &self.starts),
        }
    }
}

/// A curve that comes to `last` in ten epochs, along the same bend as others.
pub(super) fn curve(last: f64) -> [f64; 10] {
    std::array::from_fn(|at| {
        let epoch = f64::from(u32::try_from(at).unwrap() + 1);
        0.1 + (last - 0.1) * libm::sqrt(epoch / 10.0)
    })
}

/// The ends of trials that run one after another.
pub(super) fn ends(rule: &str, chance: Option<f64>, curves: &[[f64; 10]]) -> Vec<End> {
    let mut stage = Stage::new(10, chance);
    let mut rule = stage.rule(rule, 40).unwrap();
    curves.iter().map(|curve| stage.run(&mut *rule, curve)).collect()
}

/// Curves that end evenly from .8 to .2, the best one first, and more.
pub(super) fn spread(count: u32, more: &[[f64; 10]]) -> Vec<[f64; 10]> {
    let last = |at: u32| 0.8 - 0.6 * f64::from(at) / f64::from(count - 1);
    [(0..count).map(|at| curve(last(at))).collect::<Vec<_>>(), more.to_vec()].concat()
}
