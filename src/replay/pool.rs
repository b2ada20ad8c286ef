//! A table as the engine needs it: scores and nanoseconds by row, contiguous.

use std::ops::Range;
use std::sync::Arc;

use base::error::{Result, fault};
use base::rng::Key;
use base::space::{Direction, Metric, Space, Value};
use base::units::{ConfigId, Epoch, SimTime};
use methods::interface::Points;

use super::settings::ValueMode;

/// One recorded curve: equally many values (in the metric's own direction; NaN where not finite or
/// not measured) and costs.
#[derive(Debug, Clone, Copy, Default)]
pub struct RecordedCurve<'a> {
    /// Which training of the row it is.
    pub repeat: u16,
    /// One an epoch.
    pub values: &'a [f64],
    /// One an epoch.
    pub cost_ns: &'a [u64],
    /// The metric on test images, one an epoch, where it was measured. No method sees it.
    pub test: Option<&'a [f64]>,
}

/// What one row has recorded.
#[derive(Debug, Clone)]
pub struct RecordedRow<'a> {
    /// At least one; a run replays one of them.
    pub curves: Vec<RecordedCurve<'a>>,
    /// Charged before the first epoch, if at all.
    pub setup_ns: u64,
}

/// One curve within the pool's arrays.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
    repeat: u16,
    /// The first epoch that is not finite; 0 where all are.
    first_nan: u16,
}

/// All rows of a table, ready to be replayed.
#[derive(Debug)]
pub struct Pool {
    name: String,
    metric: Metric,
    space: Space,
    epochs: Epoch,
    /// How it was loaded, for the settings of `runs.parquet`.
    options: String,
    /// Which table it is, whatever its name; empty where nobody said.
    table_hash: String,
    /// All recorded curves as scores, one after another.
    scores: Vec<f64>,
    /// Score by the best epoch so far, epoch by epoch; NaN until one is finite.
    best: Vec<f64>,
    /// Cost of a curve up to the end of each of its epochs.
    cumulative_ns: Vec<u64>,
    test: Vec<f64>,
    spans: Vec<Span>,
    /// Row `i` has the curves `rows[i]..rows[i + 1]`.
    rows: Vec<u32>,
    setup_ns: Vec<u64>,
    has_free_epochs: bool,
    points: Arc<Points>,
    full_best: Vec<f64>,
    full_final: Vec<f64>,
}

/// The longest that all epochs of a table may last together, so that no clock overflows.
const TOTAL_NS_MAX: u64 = u64::MAX / 4;

impl Pool {
    /// Takes configurations with one curve each, in row order.
    pub fn new<'a>(
        name: &str,
        metric: &Metric,
        space: &Space,
        epochs: Epoch,
        configs: &[Vec<Value>],
        curves: impl Iterator<Item = RecordedCurve<'a>>,
    ) -> Result<Self> {
        let rows = curves.map(|curve| RecordedRow { curves: vec![curve], setup_ns: 0 });
        Self::with_rows(name, metric, space, epochs, configs, rows)
    }

    /// Takes the configurations and what they recorded, in row order. A row with several curves
    /// replays a drawn one in each run.
    ///
    /// Refuses a table whose seconds add up to more than 146 years: far beyond it the simulated
    /// clock could not count a run.
    pub fn with_rows<'a>(
        name: &str,
        metric: &Metric,
        space: &Space,
        epochs: Epoch,
        configs: &[Vec<Value>],
        rows: impl Iterator<Item = RecordedRow<'a>>,
    ) -> Result<Self> {
        let mut pool = Self {
            name: name.to_string(),
            metric: metric.clone(),
            space: space.clone(),
            epochs,
            options: String::new(),
            table_hash: String::new(),
            scores: Vec::new(),
            best: Vec::new(),
            cumulative_ns: Vec::new(),
            test: Vec::new(),
            spans: Vec::new(),
            rows: vec![0],
            setup_ns: Vec::new(),
            has_free_epochs: false,
            points: Arc::new(Points {
                width: space.parameters.len(),
                coordinates: configs.iter().flat_map(|values| space.to_unit(values)).collect(),
            }),
            full_best: Vec::new(),
            full_final: Vec::new(),
        };
        let mut total_ns: u64 = 0;
        for row in rows {
            assert!(!row.curves.is_empty(), "a row has a curve, if an empty one");
            let mut row_ns = Some(row.setup_ns);
            for curve in row.curves {
                let curve_ns = pool.push(curve);
                row_ns = row_ns.zip(curve_ns).and_then(|(a, b)| a.checked_add(b));
            }
            total_ns = row_ns
                .and_then(|ns| total_ns.checked_add(ns))
                .filter(|total| *total < TOTAL_NS_MAX)
                .ok_or_else(|| {
                    let rule = "all seconds of a table must add up to less than 146 years";
                    let remedy = "check the unit of the column";
                    fault(name, "curves.parquet cost column", "too large", rule, remedy)
                })?;
            pool.rows.push(u32::try_from(pool.spans.len()).expect("fewer than 2^32 curves"));
            pool.setup_ns.push(row.setup_ns);
        }
        assert_eq!(pool.setup_ns.len(), configs.len(), "one row a configuration");
        pool.full_best = pool.full(ValueMode::Best);
        pool.full_final = pool.full(ValueMode::Final);
        Ok(pool)
    }

    /// Appends a curve; its cost, `None` where that overflows.
    fn push(&mut self, curve: RecordedCurve<'_>) -> Option<u64> {
        assert_eq!(curve.values.len(), curve.cost_ns.len(), "checked when the table was read");
        let sign = sign(&self.metric);
        let start = self.scores.len();
        let (mut best, mut first_nan, mut cost) = (f64::NAN, 0, 0_u64);
        for (epoch, (value, cost_ns)) in (1..).zip(curve.values.iter().zip(curve.cost_ns)) {
            let score = sign * value;
            if score.is_finite() && (best.is_nan() || score > best) {
                best = score;
            }
            if !score.is_finite() && first_nan == 0 {
                first_nan = epoch;
            }
            cost = cost.checked_add(*cost_ns)?;
            self.has_free_epochs |= *cost_ns == 0;
            self.scores.push(score);
            self.best.push(best);
            self.cumulative_ns.push(cost);
        }
        let end = self.scores.len();
        match curve.test {
            Some(test) => self.test.extend_from_slice(test),
            None => self.test.resize(end, f64::NAN),
        }
        assert_eq!(self.test.len(), end, "one test value an epoch");
        self.spans.push(Span { start, end, repeat: curve.repeat, first_nan });
        Some(cost)
    }

    /// Full-curve values by the first curve of each row.
    fn full(&self, mode: ValueMode) -> Vec<f64> {
        let firsts = self.rows[..self.rows.len() - 1].iter();
        firsts
            .map(|at| self.spans[*at as usize])
            .map(|s| self.value(mode, s.start..s.end))
            .collect()
    }

    /// Says what of its loading is not the default; see [`Self::options`].
    pub fn set_options(&mut self, options: String) {
        self.options = options;
    }

    /// What of its loading is not the default, as options without their dashes.
    pub fn options(&self) -> &str {
        &self.options
    }

    /// Says which table it is; see [`Self::table_hash`].
    pub fn set_table_hash(&mut self, hash: String) {
        self.table_hash = hash;
    }

    /// Which table it is, whatever its name; empty where nobody said.
    pub fn table_hash(&self) -> &str {
        &self.table_hash
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

    /// Where the rows lie in the unit cube.
    pub fn points(&self) -> &Arc<Points> {
        &self.points
    }

    /// Epochs of a full curve.
    pub fn epochs(&self) -> Epoch {
        self.epochs
    }

    /// Rows of the table.
    pub fn rows(&self) -> u32 {
        u32::try_from(self.setup_ns.len()).expect("config ids are 32 bits")
    }

    /// The value of every row's full curve (its first one, where it has several); NaN where it has
    /// none.
    pub fn full_values(&self, mode: ValueMode) -> &[f64] {
        match mode {
            ValueMode::Best => &self.full_best,
            ValueMode::Final => &self.full_final,
        }
    }

    /// The best score of any epoch of any curve; NaN where none is finite.
    pub fn best_score(&self) -> f64 {
        self.best.iter().copied().fold(f64::NAN, f64::max)
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

    /// See [`methods::interface::View::gain_offset`].
    pub(super) fn gain_offset(&self) -> f64 {
        match self.metric.goal {
            Direction::Maximize => 0.0,
            Direction::Minimize => self.metric.chance.unwrap_or(0.0),
        }
    }

    /// Whether an epoch anywhere costs nothing.
    pub(super) fn has_free_epochs(&self) -> bool {
        self.has_free_epochs
    }

    pub(super) fn scores(&self) -> &[f64] {
        &self.scores
    }

    /// The curve that a run replays for a row: the only one, or the one that `draw` gives it.
    /// Returns where it stands, which training it is, and its first epoch that is not finite.
    pub(super) fn curve(&self, row: ConfigId, draw: Key) -> (Range<usize>, u16, Option<Epoch>) {
        let spans =
            &self.spans[self.rows[row.index()] as usize..self.rows[row.index() + 1] as usize];
        let span = if let [only] = spans {
            only
        } else {
            let [low, high] = draw.at(u64::from(row.0));
            let word = u64::from(low) | u64::from(high) << 32;
            // Multiply and shift: the bias is below the number of curves / 2^64.
            let at = (u128::from(word) * spans.len() as u128) >> 64;
            &spans[usize::try_from(at).expect("below the number of curves")]
        };
        let first_nan = (span.first_nan > 0).then_some(Epoch(span.first_nan));
        (span.start..span.end, span.repeat, first_nan)
    }

    /// The value of executed epochs; NaN where there is none.
    pub(super) fn value(&self, mode: ValueMode, executed: Range<usize>) -> f64 {
        if executed.is_empty() {
            return f64::NAN;
        }
        match mode {
            ValueMode::Best => self.best[executed.end - 1],
            ValueMode::Final => Some(self.scores[executed.end - 1])
                .filter(|score| score.is_finite())
                .unwrap_or(f64::NAN),
        }
    }

    /// Whether the last of the executed epochs is not finite.
    pub(super) fn is_nan(&self, executed: Range<usize>) -> bool {
        !executed.is_empty() && !self.scores[executed.end - 1].is_finite()
    }

    /// What the first `epochs` epochs of the curve at `start` cost.
    pub(super) fn cost(&self, start: usize, epochs: Epoch) -> SimTime {
        if epochs.0 == 0 {
            return SimTime::ZERO;
        }
        SimTime(self.cumulative_ns[start + epochs.index()])
    }

    /// What is charged before a row's first epoch.
    pub(super) fn setup(&self, row: ConfigId) -> SimTime {
        SimTime(self.setup_ns[row.index()])
    }

    /// The metric on test images, in its own direction; `None` where it was not measured.
    pub(super) fn test_value(&self, at: usize) -> Option<f64> {
        Some(self.test[at]).filter(|value| !value.is_nan())
    }
}

fn sign(metric: &Metric) -> f64 {
    match metric.goal {
        Direction::Maximize => 1.0,
        Direction::Minimize => -1.0,
    }
}
