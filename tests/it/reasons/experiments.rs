//! Random experiments, and what their curves say by themselves.

use curvebook::base::measured::{NOT_MEASURED, is_measured};
use curvebook::base::rng::Stream;
use curvebook::base::space::{Direction, Metric, Value};
use curvebook::base::units::{Epoch, SimTime, TrialId};
use curvebook::replay::{Outcome, Pool, RecordedCurve, RecordedRow};
use rand::RngExt;

use crate::replay_common::line_space;

/// A pool whose rows are visited by id, so that the trial `i` runs the row `i`.
pub(super) struct Random {
    pub(super) pool: Pool,
    pub(super) workers: u32,
    /// As a score.
    pub(super) chance: Option<f64>,
    /// In the metric's own direction.
    curves: Vec<Vec<f64>>,
    /// Nanoseconds of an epoch, by row.
    costs: Vec<u64>,
    is_loss: bool,
}

impl Random {
    pub(super) fn new(seed: u64, needs_chance: bool) -> Self {
        let mut stream = Stream::new(seed, 0, "reasons");
        let (rows, epochs) = (stream.random_range(4..30_usize), stream.random_range(6..13_u16));
        let is_loss = stream.random_range(0..2_u8) == 1;
        let chance = (needs_chance || stream.random_range(0..2_u8) == 1).then_some(if is_loss {
            0.875
        } else {
            0.125
        });
        // Few levels make ties.
        let levels = [8.0, 32.0, 1024.0][stream.random_range(0..3_usize)];
        let (mut curves, mut lasts) = (Vec::new(), Vec::new());
        for _ in 0..rows {
            let last = match stream.random_range(0..6_u8) {
                0 => stream.random_range(1..=epochs),
                _ => epochs,
            };
            let height: f64 = stream.random_range(0.0..0.8);
            let value = |stream: &mut Stream| match stream.random_range(0..20_u8) {
                0 => f64::NAN,
                1 => NOT_MEASURED,
                _ => ((height + stream.random_range(0.0..0.2)) * levels).floor() / levels,
            };
            curves.push((0..last).map(|_| value(&mut stream)).collect::<Vec<f64>>());
            lasts.push(last);
        }
        let costs: Vec<u64> = (0..rows).map(|_| stream.random_range(1..4_u64)).collect();
        let per_epoch: Vec<Vec<u64>> =
            costs.iter().zip(&curves).map(|(cost, curve)| vec![*cost; curve.len()]).collect();
        let recorded = curves.iter().zip(&per_epoch).zip(&lasts);
        let recorded = recorded.map(|((values, cost_ns), last)| RecordedRow {
            curves: vec![RecordedCurve { values, cost_ns, ..RecordedCurve::default() }],
            setup_ns: 0,
            last_epoch: (*last < epochs).then_some(Epoch(*last)),
        });
        let goal = if is_loss { Direction::Minimize } else { Direction::Maximize };
        let metric = Metric { name: "y".into(), goal, chance };
        let count = rows as f64;
        let configs: Vec<Vec<Value>> =
            (0..rows).map(|row| vec![Value::Float((row as f64 + 0.5) / count)]).collect();
        let space = line_space();
        let pool =
            Pool::with_rows("random", &metric, &space, Epoch(epochs), &configs, recorded).unwrap();
        let chance = chance.map(|chance| pool.score_of(chance));
        let workers = stream.random_range(1..5_u32);
        Self { pool, workers, chance, curves, costs, is_loss }
    }

    pub(super) fn rows(&self) -> usize {
        self.curves.len()
    }

    /// What turns a score into a gain.
    pub(super) fn gain_offset(&self) -> f64 {
        if self.is_loss { -self.chance.unwrap() } else { 0.0 }
    }

    /// The best that a score can be, less than 1, is a loss of 0: what lies between the two.
    pub(super) fn gain_offset_of_losses(&self) -> f64 {
        if self.is_loss { 1.0 } else { 0.0 }
    }

    /// How far a trial had come by an instant, that whole instant counted.
    pub(super) fn executed_at(&self, outcome: &Outcome, trial: TrialId, at: SimTime) -> Epoch {
        let begun = outcome.segments.iter().filter(|s| s.trial == trial && s.start <= at);
        let come = begun.map(|segment| {
            let ran = (at.0 - segment.start.0) / self.costs[trial.index()];
            segment.epochs.0.min(segment.epoch_first.0 - 1 + ran as u16)
        });
        Epoch(come.max().unwrap_or(0))
    }

    /// A score as rules see it: NaN is chance.
    pub(super) fn seen(&self, trial: TrialId, epoch: Epoch) -> Option<f64> {
        self.seen_as(trial, epoch, self.chance)
    }

    /// The same with something else in place of NaN.
    pub(super) fn seen_as(&self, trial: TrialId, epoch: Epoch, chance: Option<f64>) -> Option<f64> {
        let value = self.curves[trial.index()][epoch.index()];
        let of_nan = chance.unwrap_or(f64::NAN);
        let score = if value.is_nan() { of_nan } else { self.sign(value) };
        is_measured(value).then_some(score)
    }

    /// A score that is a number.
    pub(super) fn number(&self, trial: TrialId, epoch: Epoch) -> Option<f64> {
        let value = self.curves[trial.index()][epoch.index()];
        (!value.is_nan()).then(|| self.sign(value))
    }

    /// A score as rungs compare it.
    pub(super) fn at_rung(&self, trial: TrialId, epoch: Epoch) -> f64 {
        let seen = self.seen(trial, epoch).unwrap_or(f64::NAN);
        if seen.is_nan() { f64::NEG_INFINITY } else { seen }
    }

    /// The mean score of some epochs, where NaN is chance, or worst of all.
    pub(super) fn average(&self, trial: TrialId, first: Epoch, last: Epoch) -> f64 {
        let seen = (first.0..=last.0).filter_map(|epoch| self.seen(trial, Epoch(epoch)));
        let seen: Vec<f64> =
            seen.map(|score| if score.is_nan() { f64::NEG_INFINITY } else { score }).collect();
        seen.iter().sum::<f64>() / seen.len() as f64
    }

    fn sign(&self, value: f64) -> f64 {
        if self.is_loss { -value } else { value }
    }
}

/// As numpy's, between the two nearest.
pub(super) fn percentile(mut scores: Vec<f64>, share: f64) -> f64 {
    scores.sort_by(f64::total_cmp);
    let place = share * (scores.len() - 1) as f64;
    let (low, high) = (scores[place.floor() as usize], scores[place.ceil() as usize]);
    // Worst of all has no middle to anything.
    if low == high || low == f64::NEG_INFINITY { low } else { low + (high - low) * place.fract() }
}
