//! A table looked at: what its curves, values and costs are like, in numbers that can be drawn.
//!
//! [`TableFacts::of`] reads a pool and nothing else; it draws nothing and prints nothing. Of a row
//! with several trainings the first one counts, as in [`Pool::full_values`]. What a row is worth is
//! its *whole-curve value*, its best epoch or its last one.
//!
//! **Direction.** Every value given is in the metric's own direction, and "best", "top", "dip" and
//! "above" mean the better side of it: for a loss the lower one.
//!
//! **NaN and null.** A row without a finite whole-curve value ranks behind all others, ties by
//! row. At an epoch, a diverged row is worse than every number, and one that was not measured, or
//! whose curve has ended by then, is left out. Curves are handed on as recorded: NaN where training
//! had diverged, [`base::measured::NOT_MEASURED`] where nothing was measured.
//!
//! **Sameness.** The random rows depend on the seed and the number of rows alone.

mod costs;
mod groups;
mod progress;
mod rules;
mod told;
mod values;

use base::units::{ConfigId, Epoch};
use replay::{Pool, ValueMode};

pub use self::costs::Costs;
pub use self::groups::{Band, CurveGroup, Group, QUANTILES, TableCurve};
pub use self::progress::{DIPS, Dips, Progress};
pub use self::rules::{Etr1, Etr2, Illustration};
pub use self::told::{ELITE_MIN, ELITE_SHARE, EpochRanks, LEADERS_SHARE, TOLD_SHARE, Told};
pub use self::values::{NeverAbove, Values};

/// What is looked at, and how closely.
#[derive(Debug, Clone, PartialEq)]
pub struct LookSettings {
    /// What a whole curve is worth.
    pub mode: ValueMode,
    /// Rows of each group of curves, where the table has as many.
    pub curves: usize,
    /// Of the random rows.
    pub seed: u64,
    /// How far above chance a row counts as above it, in the metric's unit (epsilon of ETR-1).
    pub chance_margin: f64,
    /// How near its best a curve counts as there, in the metric's unit.
    pub near: f64,
    /// Bins of a histogram, at least 1.
    pub bins: usize,
    /// The rules that are illustrated.
    pub etr1: Etr1,
    pub etr2: Etr2,
}

impl Default for LookSettings {
    fn default() -> Self {
        Self {
            mode: ValueMode::Best,
            curves: 100,
            seed: 0,
            chance_margin: 0.05,
            near: 0.01,
            bins: 40,
            etr1: Etr1::default(),
            etr2: Etr2::default(),
        }
    }
}

/// What there is to see in a table.
#[derive(Debug, Clone, PartialEq)]
pub struct TableFacts {
    pub rows: u32,
    /// The table's last epoch.
    pub epochs: Epoch,
    /// All rows (bands alone), random, top and bottom ones.
    pub groups: Vec<CurveGroup>,
    pub values: Values,
    pub costs: Costs,
    /// How soon the ends of curves show; `None` where no row has a finite value.
    pub told: Option<Told>,
    pub progress: Progress,
    /// ETR-1 and ETR-2; empty where no chance level is known or nothing could be judged.
    pub rules: Vec<Illustration>,
}

impl TableFacts {
    /// Looks at a table.
    pub fn of(pool: &Pool, settings: &LookSettings) -> Self {
        let table = Table::new(pool, settings.mode);
        Self {
            rows: pool.rows(),
            epochs: pool.epochs(),
            groups: groups::groups(&table, settings),
            values: values::values(&table, settings),
            costs: costs::costs(pool, settings.bins),
            told: told::told(&table),
            progress: progress::progress(&table, settings.near),
            rules: rules::illustrations(&table, settings),
        }
    }
}

/// One epoch of a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Seen {
    Score(f64),
    Diverged,
    NotMeasured,
}

impl Seen {
    /// A score in which divergence is the worst there is; `None` where nothing was measured.
    fn ranked(self) -> Option<f64> {
        match self {
            Self::Score(score) => Some(score),
            Self::Diverged => Some(f64::NEG_INFINITY),
            Self::NotMeasured => None,
        }
    }

    fn number(self) -> Option<f64> {
        if let Self::Score(score) = self { Some(score) } else { None }
    }
}

/// A pool as the parts of this module read it: higher scores are better.
struct Table<'a> {
    pool: &'a Pool,
    /// One curve a row, as long as it was recorded.
    curves: Vec<Vec<Seen>>,
    /// Where each row's curve is complete, whether or not it goes so far.
    complete_at: Vec<usize>,
    /// Whole-curve scores; minus infinity where there is no finite one.
    whole: Vec<f64>,
    /// All rows, the best first.
    order: Vec<usize>,
}

impl<'a> Table<'a> {
    fn new(pool: &'a Pool, mode: ValueMode) -> Self {
        let rows = pool.rows() as usize;
        let (mut curves, mut complete_at) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        for (row, _, scores, last_epoch) in pool.curves() {
            // Further trainings of a row follow its first.
            if row.index() < curves.len() {
                continue;
            }
            let seen = scores.iter().map(|score| match score.number() {
                Some(number) => Seen::Score(number),
                None if score.is_measured() => Seen::Diverged,
                None => Seen::NotMeasured,
            });
            curves.push(seen.collect());
            complete_at.push(usize::from(last_epoch.0));
        }
        let finite = |value: &f64| if value.is_finite() { *value } else { f64::NEG_INFINITY };
        let whole: Vec<f64> = pool.full_values(mode).iter().map(finite).collect();
        let mut order: Vec<usize> = (0..rows).collect();
        order.sort_by(|a, b| whole[*b].total_cmp(&whole[*a]));
        Self { pool, curves, complete_at, whole, order }
    }

    fn rows(&self) -> usize {
        self.curves.len()
    }

    /// Which configuration of the table a row is.
    fn id(&self, row: usize) -> ConfigId {
        self.pool.ids().id_of(ConfigId(u32::try_from(row).expect("config ids are 32 bits")))
    }

    fn epochs(&self) -> usize {
        usize::from(self.pool.epochs().0)
    }

    /// What a row shows at an epoch, from 0; past its end, nothing.
    fn at(&self, row: usize, epoch: usize) -> Seen {
        self.curves[row].get(epoch).copied().unwrap_or(Seen::NotMeasured)
    }

    /// A score in the metric's own direction; NaN for minus infinity.
    fn value(&self, score: f64) -> f64 {
        if score.is_finite() { self.pool.value_of(score) } else { f64::NAN }
    }

    /// A row's curve in the metric's own direction, as it was recorded.
    fn recorded(&self, row: usize) -> TableCurve {
        let value = |seen: &Seen| match *seen {
            Seen::Score(score) => self.pool.value_of(score),
            Seen::Diverged => f64::NAN,
            Seen::NotMeasured => base::measured::NOT_MEASURED,
        };
        TableCurve {
            row: self.id(row),
            whole: self.value(self.whole[row]),
            values: self.curves[row].iter().map(value).collect(),
        }
    }
}

/// An epoch counted from 0 as one counted from 1.
fn epoch(at: usize) -> Epoch {
    Epoch(u16::try_from(at + 1).expect("epochs are 16 bits"))
}

/// How many rows a share is: at least one, at most all.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rows are 32 bits"
)]
fn count_of(share: f64, rows: usize) -> usize {
    ((share * rows as f64 - 1e-9).ceil().max(1.0) as usize).min(rows)
}

/// Shares of whole numbers.
#[expect(clippy::cast_precision_loss, reason = "rows are 32 bits")]
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

#[cfg(test)]
mod tests;
