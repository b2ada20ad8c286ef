//! A table as the engine needs it: scores and nanoseconds by row, contiguous.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use base::error::{Result, fault};
use base::measured::is_measured;
use base::rng::Key;
use base::space::{Direction, Metric, Space, Value};
use base::units::{ConfigId, Epoch, SimTime};
use methods::interface::{Context, EpochScore, Library, Points, Readers};
use methods::kit::row_tree::RowTree;

use super::row_ids::RowIds;
use super::settings::ValueMode;

/// One recorded curve: equally many values (in the metric's own direction; not finite where
/// training had diverged, [`base::measured::NOT_MEASURED`] where nothing was measured) and costs.
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
    /// Where its curves are complete, if before the table's last epoch. None is longer.
    pub last_epoch: Option<Epoch>,
}

/// The curve that a run replays for a row.
#[derive(Debug, Clone)]
pub(super) struct Replayed {
    /// Where it stands among the scores.
    pub(super) curve: Range<usize>,
    /// Which training it is.
    pub(super) repeat: u16,
    /// Its first epoch at which training had diverged.
    pub(super) first_diverged: Option<Epoch>,
    /// Where it is complete, whether or not it goes that far.
    pub(super) last_epoch: Epoch,
}

/// One curve within the pool's arrays.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
    repeat: u16,
    /// The first epoch at which training had diverged; 0 where it never had.
    first_diverged: u16,
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
    ids: RowIds,
    /// All recorded curves as scores, one after another.
    scores: Vec<EpochScore>,
    /// Score of the last measured epoch so far, epoch by epoch; NaN until one is measured, and
    /// where training had diverged by it. Empty where every epoch was measured: then `scores` says
    /// it.
    last: Vec<f64>,
    /// Score by the best epoch so far, epoch by epoch; NaN until one is finite.
    best: Vec<f64>,
    /// Cost of a curve up to the end of each of its epochs.
    cumulative_ns: Vec<u64>,
    test: Vec<f64>,
    spans: Vec<Span>,
    /// Row `i` has the curves `rows[i]..rows[i + 1]`.
    rows: Vec<u32>,
    setup_ns: Vec<u64>,
    /// Where each row is complete.
    last_epochs: Vec<Epoch>,
    has_free_epochs: bool,
    points: Arc<Points>,
    /// Made when the first point is proposed.
    tree: OnceLock<RowTree>,
    /// Made in any run, and taken by all.
    extrapolations: Library,
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
        let rows =
            curves.map(|curve| RecordedRow { curves: vec![curve], setup_ns: 0, last_epoch: None });
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
            ids: RowIds::default(),
            scores: Vec::new(),
            last: Vec::new(),
            best: Vec::new(),
            cumulative_ns: Vec::new(),
            test: Vec::new(),
            spans: Vec::new(),
            rows: vec![0],
            setup_ns: Vec::new(),
            last_epochs: Vec::new(),
            has_free_epochs: false,
            points: Arc::new(Points {
                width: space.parameters.len(),
                coordinates: configs.iter().flat_map(|values| space.to_unit(values)).collect(),
            }),
            tree: OnceLock::new(),
            extrapolations: Library::default(),
            full_best: Vec::new(),
            full_final: Vec::new(),
        };
        let mut total_ns: u64 = 0;
        for row in rows {
            assert!(!row.curves.is_empty(), "a row has a curve, if an empty one");
            let last_epoch = row.last_epoch.map_or(epochs, |own| own.min(epochs));
            let mut row_ns = Some(row.setup_ns);
            for curve in row.curves {
                let within = curve.values.len() <= usize::from(last_epoch.0);
                assert!(within, "a curve ends by its last epoch: checked when it was read");
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
            pool.last_epochs.push(last_epoch);
        }
        assert_eq!(pool.setup_ns.len(), configs.len(), "one row a configuration");
        pool.carry_last();
        pool.full_best = pool.full(ValueMode::Best);
        pool.full_final = pool.full(ValueMode::Final);
        Ok(pool)
    }

    /// Appends a curve; its cost, `None` where that overflows.
    fn push(&mut self, curve: RecordedCurve<'_>) -> Option<u64> {
        assert_eq!(curve.values.len(), curve.cost_ns.len(), "checked when the table was read");
        let sign = sign(&self.metric);
        let start = self.scores.len();
        let (mut best, mut first_diverged, mut cost) = (f64::NAN, 0, 0_u64);
        for (epoch, (value, cost_ns)) in (1..).zip(curve.values.iter().zip(curve.cost_ns)) {
            let score = if is_measured(*value) {
                EpochScore::measured(sign * value)
            } else {
                EpochScore::NOT_MEASURED
            };
            if let Some(number) = score.number()
                && (best.is_nan() || number > best)
            {
                best = number;
            }
            if score.is_diverged() && first_diverged == 0 {
                first_diverged = epoch;
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
        self.spans.push(Span { start, end, repeat: curve.repeat, first_diverged });
        Some(cost)
    }

    /// Fills [`Self::last`] where there are gaps to be bridged.
    fn carry_last(&mut self) {
        if self.scores.iter().all(|score| score.is_measured()) {
            return;
        }
        self.last.reserve_exact(self.scores.len());
        for span in &self.spans {
            let mut last = f64::NAN;
            for score in &self.scores[span.start..span.end] {
                if score.is_measured() {
                    last = score.number().unwrap_or(f64::NAN);
                }
                self.last.push(last);
            }
        }
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

    /// Says which configurations of the table its rows are; see [`Self::ids`].
    pub fn set_ids(&mut self, ids: RowIds) {
        self.ids = ids;
    }

    /// Which configurations of the table its rows are: all, unless somebody said otherwise.
    pub fn ids(&self) -> &RowIds {
        &self.ids
    }

    /// Says where extrapolations of its curves were kept.
    pub fn set_extrapolations(&mut self, extrapolations: Library) {
        self.extrapolations = extrapolations;
    }

    /// Extrapolated beginnings of its curves, which all runs share.
    pub fn extrapolations(&self) -> &Library {
        &self.extrapolations
    }

    /// Every recorded curve: its row, which training of it, its scores, and where it is complete.
    /// Of nobody's interest in a run, where a curve is seen as far as it has run.
    pub fn curves(&self) -> impl Iterator<Item = (ConfigId, u16, &[EpochScore], Epoch)> {
        (0..self.rows()).flat_map(move |row| {
            let at = row as usize;
            let spans = &self.spans[self.rows[at] as usize..self.rows[at + 1] as usize];
            let last = self.last_epochs[at];
            spans.iter().map(move |span| {
                (ConfigId(row), span.repeat, &self.scores[span.start..span.end], last)
            })
        })
    }

    /// What a row's first curve costs up to the end of each of its epochs, in nanoseconds; setting
    /// it up is not in it.
    pub fn cumulative_ns(&self, row: ConfigId) -> &[u64] {
        let span = self.spans[self.rows[row.index()] as usize];
        &self.cumulative_ns[span.start..span.end]
    }

    /// What a method is built for.
    pub fn context<'a>(&'a self, repeats: u32, readers: Readers<'a>) -> Context<'a> {
        Context {
            table: self.name(),
            space: self.space(),
            metric: self.metric(),
            rows: self.rows(),
            points: self.points(),
            epochs: self.epochs(),
            repeats,
            readers,
            extrapolations: self.extrapolations(),
        }
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

    /// The rows as boxes, for the nearest one to a point.
    pub(super) fn tree(&self) -> &RowTree {
        self.tree.get_or_init(|| RowTree::new(&self.space, &self.points, self.rows()))
    }

    /// The same, where somebody has asked for it.
    pub(super) fn tree_if_made(&self) -> Option<&RowTree> {
        self.tree.get()
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
    pub fn chance(&self) -> Option<f64> {
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

    pub(super) fn scores(&self) -> &[EpochScore] {
        &self.scores
    }

    /// The curve that a run replays for a row: the only one, or the one that `draw` gives it.
    pub(super) fn curve(&self, row: ConfigId, draw: Key) -> Replayed {
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
        Replayed {
            curve: span.start..span.end,
            repeat: span.repeat,
            first_diverged: (span.first_diverged > 0).then_some(Epoch(span.first_diverged)),
            last_epoch: self.last_epochs[row.index()],
        }
    }

    /// Where a training of a row stands among the scores; `None` where there is none.
    pub(super) fn span(&self, row: ConfigId, repeat: u16) -> Option<Range<usize>> {
        let (from, to) = (self.rows.get(row.index())?, self.rows.get(row.index() + 1)?);
        let spans = &self.spans[*from as usize..*to as usize];
        spans.iter().find(|span| span.repeat == repeat).map(|span| span.start..span.end)
    }

    /// The value of executed epochs, the best or the last that was measured; NaN where there is
    /// none, and where training had diverged by the last one.
    pub(super) fn value(&self, mode: ValueMode, executed: Range<usize>) -> f64 {
        if executed.is_empty() {
            return f64::NAN;
        }
        match mode {
            ValueMode::Best => self.best[executed.end - 1],
            ValueMode::Final if self.last.is_empty() => {
                self.scores[executed.end - 1].number().unwrap_or(f64::NAN)
            }
            ValueMode::Final => self.last[executed.end - 1],
        }
    }

    /// Whether training had diverged at the last of the executed epochs.
    pub(super) fn is_diverged(&self, executed: Range<usize>) -> bool {
        !executed.is_empty() && self.scores[executed.end - 1].is_diverged()
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
