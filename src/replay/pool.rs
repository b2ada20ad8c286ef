//! A table as the engine needs it: scores and nanoseconds by row, contiguous.

use std::ops::Range;

use crate::error::{Result, fault};
use crate::method::Curves;
use crate::replay::settings::ValueMode;
use crate::space::{Direction, Domain, Metric, Space, Value};
use crate::table::Table;
use crate::units::{ConfigId, Epoch, SimTime};

/// One recorded curve: equally many values (in the metric's own direction; NaN where not finite or
/// not measured) and costs.
#[derive(Debug, Clone, Copy)]
pub struct RecordedCurve<'a> {
    /// One an epoch.
    pub values: &'a [f64],
    /// One an epoch.
    pub cost_ns: &'a [u64],
}

/// All rows of a table, ready to be replayed.
#[derive(Debug)]
pub struct Pool {
    name: String,
    metric: Metric,
    space: Space,
    epochs: Epoch,
    curves: Curves,
    cost_ns: Vec<u64>,
    /// Row `i` has `offsets[i]..offsets[i + 1]`.
    offsets: Vec<usize>,
    /// Coordinates of the unit cube, one row after another.
    units: Vec<f64>,
    full_best: Vec<f64>,
    full_final: Vec<f64>,
}

impl Pool {
    /// Takes the configurations and their curves, in row order.
    ///
    /// Refuses a table whose seconds add up to more than the simulated clock can count: no run can
    /// overflow it then, for no row runs twice.
    pub fn new<'a>(
        name: &str,
        metric: &Metric,
        space: &Space,
        epochs: Epoch,
        configs: &[Vec<Value>],
        curves: impl Iterator<Item = RecordedCurve<'a>>,
    ) -> Result<Self> {
        let sign = sign(metric);
        let (mut scores, mut cost_ns, mut offsets) = (Vec::new(), Vec::new(), vec![0]);
        let mut total_ns: u64 = 0;
        for curve in curves {
            assert_eq!(curve.values.len(), curve.cost_ns.len(), "checked when the table was read");
            scores.extend(curve.values.iter().map(|y| sign * y));
            cost_ns.extend_from_slice(curve.cost_ns);
            offsets.push(scores.len());
            for &cost in curve.cost_ns {
                total_ns =
                    total_ns.checked_add(cost).filter(|t| *t < u64::MAX / 2).ok_or_else(|| {
                        let rule = "all seconds of a table must add up to less than 292 years";
                        let remedy = "check the unit of the column";
                        fault(name, "curves.parquet column seconds", "too large", rule, remedy)
                    })?;
            }
        }
        assert_eq!(offsets.len(), configs.len() + 1, "one curve a configuration");
        let units = configs.iter().flat_map(|values| space.to_unit(values)).collect();
        let mut pool = Self {
            name: name.to_string(),
            metric: metric.clone(),
            space: space.clone(),
            epochs,
            curves: Curves { scores },
            cost_ns,
            offsets,
            units,
            full_best: Vec::new(),
            full_final: Vec::new(),
        };
        pool.full_best = pool.values(ValueMode::Best);
        pool.full_final = pool.values(ValueMode::Final);
        Ok(pool)
    }

    /// A loaded table, by the curves of repeat 0.
    pub fn from_table(table: &Table) -> Result<Self> {
        let rows = u32::try_from(table.rows()).expect("config ids are 32 bits");
        let curves = (0..rows).map(|row| {
            let curve = table.curve(ConfigId(row), 0);
            let empty = RecordedCurve { values: &[], cost_ns: &[] };
            curve.map_or(empty, |c| RecordedCurve { values: c.values, cost_ns: c.cost_ns })
        });
        let manifest = &table.manifest;
        let epochs = Epoch(table.epochs());
        Self::new(&manifest.name, &manifest.metric, &manifest.space, epochs, &table.configs, curves)
    }

    fn values(&self, mode: ValueMode) -> Vec<f64> {
        let rows = self.offsets.windows(2);
        rows.map(|ends| mode.of(&self.curves.scores[ends[0]..ends[1]])).collect()
    }

    /// The table's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is measured.
    pub fn metric(&self) -> &Metric {
        &self.metric
    }

    /// The hyperparameters.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// Epochs of a full curve.
    pub fn epochs(&self) -> Epoch {
        self.epochs
    }

    /// Rows of the table.
    pub fn rows(&self) -> u32 {
        u32::try_from(self.offsets.len() - 1).expect("config ids are 32 bits")
    }

    /// The value of every row's full curve; NaN where it has none.
    pub fn full_values(&self, mode: ValueMode) -> &[f64] {
        match mode {
            ValueMode::Best => &self.full_best,
            ValueMode::Final => &self.full_final,
        }
    }

    /// A value in the metric's own direction as a score.
    pub fn score_of(&self, value: f64) -> f64 {
        sign(&self.metric) * value
    }

    /// A score in the metric's own direction.
    pub fn value_of(&self, score: f64) -> f64 {
        sign(&self.metric) * score
    }

    /// Score of guessing.
    pub(super) fn chance(&self) -> Option<f64> {
        self.metric.chance.map(|chance| self.score_of(chance))
    }

    /// See [`crate::method::View::gain_offset`].
    pub(super) fn gain_offset(&self) -> f64 {
        match self.metric.goal {
            Direction::Maximize => 0.0,
            Direction::Minimize => self.metric.chance.unwrap_or(0.0),
        }
    }

    pub(super) fn curves(&self) -> &Curves {
        &self.curves
    }

    pub(super) fn score(&self, at: usize) -> f64 {
        self.curves.scores[at]
    }

    pub(super) fn cost(&self, at: usize) -> SimTime {
        SimTime(self.cost_ns[at])
    }

    /// Where a row's curve stands.
    pub(super) fn curve(&self, row: ConfigId) -> Range<usize> {
        self.offsets[row.index()]..self.offsets[row.index() + 1]
    }

    /// Squared distance of a row to a point of the unit cube: numeric coordinates by difference,
    /// categorical ones 1 where the choices differ.
    pub(super) fn distance_squared(&self, row: ConfigId, point: &[f64]) -> f64 {
        let width = self.space.parameters.len();
        let unit = &self.units[row.index() * width..][..width];
        let mut sum = 0.0;
        for ((parameter, &a), &b) in self.space.parameters.iter().zip(unit).zip(point) {
            sum += match &parameter.domain {
                Domain::Categorical { .. } => {
                    f64::from(u8::from(parameter.from_unit(a) != parameter.from_unit(b)))
                }
                Domain::Int { .. } | Domain::Float { .. } => (a - b) * (a - b),
            };
        }
        sum
    }
}

fn sign(metric: &Metric) -> f64 {
    match metric.goal {
        Direction::Maximize => 1.0,
        Direction::Minimize => -1.0,
    }
}
