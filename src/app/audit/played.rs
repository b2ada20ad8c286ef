//! What a rule does to trials, and what that is worth.

use base::units::{ConfigId, Epoch};
use methods::interface::meets;
use replay::{Pool, Segment, ValueMode};

use super::Unit;

/// What a rule did to the trials of an order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Played {
    /// Trials of the order that have a curve.
    pub trials: usize,
    /// Those that were ended before their last recorded epoch.
    pub ended: usize,
    /// What that saved, as a share of what the order costs; 0 where it costs nothing.
    pub saved: f64,
    /// Winners of the order.
    pub winners: usize,
    /// Those that were ended before they showed it.
    pub winners_lost: usize,
    /// How much worse the best value that was seen is than the best one recorded, in the metric's
    /// unit; 0 where it was not lost. `None` where nothing was seen, or the order has no value.
    pub regret: Option<f64>,
}

impl Played {
    /// Whether the best value was lost.
    pub fn lost_best(&self) -> bool {
        self.regret.is_none_or(|regret| regret > 0.0)
    }

    /// Whether neither the best value nor any winner was lost.
    pub fn is_safe(&self) -> bool {
        self.winners_lost == 0 && !self.lost_best()
    }
}

/// A trial that a rule ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ended {
    pub(super) row: ConfigId,
    /// Epochs that ran.
    pub epochs: Epoch,
    /// Epochs that were recorded.
    pub of: Epoch,
    /// What the rest cost.
    pub saved: f64,
    /// Whether it was a winner that had not shown it by then.
    pub is_lost_winner: bool,
}

/// What one rule did to every order.
#[derive(Debug)]
pub(super) struct Outcome {
    pub whole: Played,
    pub ended: Vec<Ended>,
    /// Two halves a split, one after the other.
    pub parts: Vec<Played>,
}

/// The trials as they were recorded.
pub(super) struct Trials<'a> {
    pool: &'a Pool,
    pub with_curve: usize,
    pub with_value: usize,
    pub unit: Unit,
    /// The best score, and the first trial that has it.
    pub best: f64,
    pub best_row: ConfigId,
    /// The score that makes a winner of all trials; NaN where none has a value.
    pub threshold: f64,
    winners: f64,
}

impl<'a> Trials<'a> {
    pub(super) fn new(pool: &'a Pool, winners: f64) -> Self {
        let rows = || (0..pool.rows()).map(ConfigId);
        let scores = pool.full_values(ValueMode::Best);
        let best = rows().filter(|row| !scores[row.index()].is_nan()).reduce(|best, row| {
            if scores[row.index()] > scores[best.index()] { row } else { best }
        });
        let with_value = scores.iter().filter(|score| !score.is_nan()).count();
        let has_curve = |row: &ConfigId| epochs_of(pool, *row) > Epoch(0);
        let has_seconds = rows().any(|row| cost_of(pool, row, epochs_of(pool, row)) > 0.0);
        let mut trials = Self {
            pool,
            with_curve: rows().filter(has_curve).count(),
            with_value,
            unit: if has_seconds { Unit::Seconds } else { Unit::Epochs },
            best: best.map_or(f64::NAN, |row| scores[row.index()]),
            best_row: best.unwrap_or(ConfigId(0)),
            threshold: f64::NAN,
            winners,
        };
        let all: Vec<ConfigId> = trials.all().collect();
        trials.threshold = trials.threshold_of(&all).unwrap_or(f64::NAN);
        trials
    }

    pub(super) fn all(&self) -> impl Iterator<Item = ConfigId> {
        (0..self.pool.rows()).map(ConfigId)
    }

    pub(super) fn winners(&self) -> impl Iterator<Item = ConfigId> {
        self.all().filter(|row| meets(self.full(*row), self.threshold))
    }

    fn full(&self, row: ConfigId) -> f64 {
        self.pool.full_values(ValueMode::Best)[row.index()]
    }

    /// What the whole curves of some rows cost.
    pub(super) fn cost(&self, rows: impl Iterator<Item = ConfigId>) -> f64 {
        rows.map(|row| self.cost_by(row, epochs_of(self.pool, row))).fold(0.0, |sum, of| sum + of)
    }

    fn cost_by(&self, row: ConfigId, epochs: Epoch) -> f64 {
        match self.unit {
            Unit::Seconds => cost_of(self.pool, row, epochs),
            Unit::Epochs => f64::from(epochs.0),
        }
    }

    /// The score that makes a winner among some rows; `None` without a value.
    fn threshold_of(&self, rows: &[ConfigId]) -> Option<f64> {
        let scores = rows.iter().map(|row| self.full(*row)).filter(|score| !score.is_nan());
        let mut scores: Vec<f64> = scores.collect();
        scores.sort_unstable_by(|a, b| b.total_cmp(a));
        #[expect(clippy::cast_precision_loss, reason = "trials are far below 2^53")]
        let rank = (self.winners * rows.len() as f64 - 1e-9).ceil().max(1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at least 1, at most as many as there are trials"
        )]
        let rank = (rank as usize).min(scores.len());
        scores.get(rank.checked_sub(1)?).copied()
    }

    /// What the run over an order, by its segments, came to.
    pub(super) fn play(&self, order: &[ConfigId], segments: &[Segment]) -> (Played, Vec<Ended>) {
        let threshold = self.threshold_of(order);
        let is_winner = |score: f64| threshold.is_some_and(|threshold| meets(score, threshold));
        // The last segment of a trial says how far it came.
        let mut executed = vec![Epoch(0); self.pool.rows() as usize];
        for segment in segments {
            let epochs = &mut executed[segment.config.index()];
            *epochs = (*epochs).max(segment.epochs);
        }
        let (mut ended, mut seen, mut best) = (Vec::new(), f64::NAN, f64::NAN);
        let (mut trials, mut winners) = (0, 0);
        for &row in order {
            let recorded = self.pool.recorded(row, 0);
            let Some(recorded) = recorded.filter(|curve| curve.epochs() > Epoch(0)) else {
                continue;
            };
            let (of, epochs) = (recorded.epochs(), executed[row.index()]);
            let full = self.full(row);
            let score = match epochs {
                Epoch(0) => f64::NAN,
                epochs => recorded.score(ValueMode::Best, epochs),
            };
            trials += 1;
            winners += usize::from(is_winner(full));
            // The larger one, and the one that is there.
            (seen, best) = (seen.max(score), best.max(full));
            if epochs < of {
                ended.push(Ended {
                    row,
                    epochs,
                    of,
                    saved: self.cost_by(row, of) - self.cost_by(row, epochs),
                    is_lost_winner: is_winner(full) && !is_winner(score),
                });
            }
        }
        let cost = self.cost(order.iter().copied());
        // From 0 on: a sum of nothing is -0.
        let saved = ended.iter().map(|end| end.saved).fold(0.0, |sum, saved| sum + saved);
        let played = Played {
            trials,
            ended: ended.len(),
            saved: if cost > 0.0 { saved / cost } else { 0.0 },
            winners,
            winners_lost: ended.iter().filter(|end| end.is_lost_winner).count(),
            regret: Some(best - seen).filter(|regret| !regret.is_nan()),
        };
        (played, ended)
    }
}

fn epochs_of(pool: &Pool, row: ConfigId) -> Epoch {
    pool.recorded(row, 0).map_or(Epoch(0), |curve| curve.epochs())
}

fn cost_of(pool: &Pool, row: ConfigId, epochs: Epoch) -> f64 {
    pool.recorded(row, 0).map_or(0.0, |curve| curve.cost(epochs).seconds())
}
