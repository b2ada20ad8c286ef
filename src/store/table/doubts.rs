//! Signs that the numbers of a table are not what a replay takes them for.
//!
//! Every table here is one in form. But run times are written where costs of an epoch belong,
//! percentages where shares do, milliseconds where seconds do, NaN where a training was stopped:
//! a replay would answer all the same, and wrongly. What is found is a doubt, never a fault, and
//! says how many configurations show it and what would mend it.

#![expect(clippy::cast_precision_loss, reason = "signs, not sums: shares of counts, seconds")]

use std::fmt;

use base::measured::is_diverged;
use base::space::Direction;
use base::stats::quantile::median;
use base::units::{ConfigId, plural};
use schemars::JsonSchema;
use serde::Serialize;

use super::SECONDS_COLUMN;
use super::reader::{CurveView, Table};

/// Whether a cost moves one way from an epoch to the next.
type Moves = fn(u64, u64) -> bool;

/// Fewer configurations than these are no pattern.
const ROWS_MIN: usize = 4;

/// A sign that numbers of a table are not what a replay takes them for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Doubt {
    /// The column or the field of `table.json`.
    pub field: String,
    /// What was seen, and what it looks like.
    pub sign: String,
    /// Configurations that show it, by the first curve of each.
    pub rows: usize,
    /// Configurations that could.
    pub of: usize,
    /// The first that shows it.
    pub first_config: u32,
    /// What to do if it is so.
    pub remedy: String,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, sign, rows, of, first_config, remedy } = self;
        let of = plural(*of, "configuration");
        write!(f, "{field}: {sign} ({rows} of {of}, first {first_config}); {remedy}")
    }
}

/// What is doubtful about a table. `cost_column` was loaded as the cost of an epoch, with or
/// without a unit of its own; `maker` is the field of `provenance` that tables have whose NaN means
/// divergence for sure.
pub(super) fn doubts(
    table: &Table,
    cost_column: &str,
    cost_has_unit: bool,
    maker: Option<&str>,
) -> Vec<Doubt> {
    let ids = table.manifest.ids().map(ConfigId);
    let curves: Vec<(u32, CurveView<'_>)> =
        ids.filter_map(|id| Some((id.0, table.first_curve(id)?))).collect();
    let is_sure = maker.is_some_and(|field| table.manifest.provenance_field(field).is_some());
    let metric = metric_doubts(table, &curves);
    let padding = if is_sure { None } else { padding(table, &curves) };
    let unit = if cost_has_unit { None } else { milliseconds(cost_column, &curves) };
    let clock = clock(cost_column, &curves);
    clock.into_iter().chain(unit).chain(metric).chain(padding).collect()
}

/// Counts the curves that show something among those that could.
fn count(
    curves: &[(u32, CurveView<'_>)],
    could: impl Fn(&CurveView<'_>) -> bool,
    shows: impl Fn(&CurveView<'_>) -> bool,
) -> (usize, usize, u32) {
    let able: Vec<_> = curves.iter().filter(|(_, curve)| could(curve)).collect();
    let mut showing = able.iter().filter(|(_, curve)| shows(curve)).map(|(id, _)| *id);
    let first = showing.next();
    (first.map_or(0, |_| 1 + showing.count()), able.len(), first.unwrap_or(0))
}

/// Whether costs move one way over a curve, as a clock does: in four steps of five, and by so much
/// that the greatest is a third of the curve's length times the least.
fn runs_as_a_clock(cost_ns: &[u64], moves: impl Fn(u64, u64) -> bool) -> bool {
    let steps = cost_ns.len() - 1;
    let moved = cost_ns.windows(2).filter(|pair| moves(pair[0], pair[1])).count();
    let (least, most) = (cost_ns.iter().min(), cost_ns.iter().max());
    let (least, most) = (*least.unwrap_or(&0) as f64, *most.unwrap_or(&0) as f64);
    moved * 5 >= steps * 4 && most > 1.5 * least && most * 3.0 >= cost_ns.len() as f64 * least
}

/// Costs that run as a clock does, up or down.
fn clock(column: &str, curves: &[(u32, CurveView<'_>)]) -> Option<Doubt> {
    let field = format!("column {column}");
    let is_long = |curve: &CurveView<'_>| curve.cost_ns.len() >= 4;
    let clocks: [(Moves, &str, &str); 2] = [
        (
            |a, b| b > a,
            "rises epoch by epoch and looks cumulative: run times, not what each epoch costs by \
             itself",
            "if so, write the differences of neighbouring epochs: each epoch would be charged the \
             whole time before it",
        ),
        (
            |a, b| b < a,
            "falls epoch by epoch and looks like the time that is left, not what each epoch costs \
             by itself",
            "if so, write the differences of neighbouring epochs",
        ),
    ];
    for (moves, sign, remedy) in clocks {
        let shows = |curve: &CurveView<'_>| runs_as_a_clock(curve.cost_ns, moves);
        let (rows, of, first_config) = count(curves, is_long, shows);
        if of >= ROWS_MIN && rows * 10 >= of * 9 {
            let (sign, remedy) = (sign.into(), remedy.into());
            return Some(Doubt { field, sign, rows, of, first_config, remedy });
        }
    }
    None
}

/// A column that is named for milliseconds, or whole numbers of which half are above 1,000.
fn milliseconds(column: &str, curves: &[(u32, CurveView<'_>)]) -> Option<Doubt> {
    let lower = column.to_lowercase();
    let named = lower == "ms" || lower.ends_with("_ms") || lower.contains("milli");
    let costs = curves.iter().flat_map(|(_, curve)| curve.cost_ns).map(|&ns| ns as f64 / 1e9);
    let costs: Vec<f64> = costs.collect();
    if costs.is_empty() || curves.len() < ROWS_MIN || !(named || column == SECONDS_COLUMN) {
        return None;
    }
    let half = median(&costs);
    let are_whole = costs.iter().all(|seconds| seconds.fract() == 0.0);
    let looks_so = are_whole && half >= 1000.0;
    if !named && !looks_so {
        return None;
    }
    let is_such = |curve: &CurveView<'_>| named || curve.cost_ns.iter().any(|ns| *ns >= 1 << 40);
    let (rows, of, first_config) = count(curves, |curve| !curve.cost_ns.is_empty(), is_such);
    let sign = if named {
        "is named for milliseconds, and is read as seconds".to_string()
    } else {
        format!("is whole numbers, half of them {half} or more, and looks like milliseconds")
    };
    let remedy = "if so, divide it by 1,000, or write it in a type of durations";
    let field = format!("column {column}");
    Some(Doubt { field, sign, rows, of, first_config, remedy: remedy.into() })
}

/// Values that are no shares beside a level of chance or a name that is one's, and a level of
/// chance that nothing exceeds.
fn metric_doubts(table: &Table, curves: &[(u32, CurveView<'_>)]) -> Option<Doubt> {
    let metric = &table.manifest.metric;
    let numbers = || curves.iter().flat_map(|(_, curve)| curve.values);
    let most = numbers().copied().filter(|v| v.is_finite()).reduce(f64::max)?;
    let lower = metric.name.to_lowercase();
    let is = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let is_share = match metric.goal {
        Direction::Maximize => {
            is(&["acc", "f1", "auc", "precision", "recall"])
                || metric.chance.is_some_and(|chance| chance > 0.0)
        }
        Direction::Minimize => is(&["err"]),
    };
    let field = format!("column {}", metric.name);
    if is_share && metric.chance.is_none_or(|c| c <= 1.0) && most > 1.5 && most <= 100.0 {
        let above = |curve: &CurveView<'_>| curve.values.iter().any(|v| *v > 1.5);
        let (rows, of, first_config) = count(curves, |_| true, above);
        let sign = format!("goes up to {most} and looks like percent");
        let remedy = "if so, divide it by 100, or write metric.chance and goals in percent, too \
                      (10 for ten classes)";
        return Some(Doubt { field, sign, rows, of, first_config, remedy: remedy.into() });
    }
    let chance = metric.chance?;
    let beats = |v: &f64| match metric.goal {
        Direction::Maximize => *v > chance,
        Direction::Minimize => *v < chance,
    };
    if numbers().any(beats) || curves.len() < ROWS_MIN {
        return None;
    }
    let (rows, of, first_config) = count(curves, |_| true, |_| true);
    let sign = format!("no value is better than {chance}");
    let remedy = "write the value that guessing has, on the scale of the column, or remove the \
                  field: rules that know chance would stop everything";
    let field = "metric.chance".to_string();
    Some(Doubt { field, sign, rows, of, first_config, remedy: remedy.into() })
}

/// Curves that are NaN from some epoch on although they were at their best there, or had come as
/// far as those that never are: trainings that were stopped, not such that diverged.
fn padding(table: &Table, curves: &[(u32, CurveView<'_>)]) -> Option<Doubt> {
    let metric = &table.manifest.metric;
    let score = |v: f64| if metric.goal == Direction::Maximize { v } else { -v };
    let numbers = |curve: &CurveView<'_>| -> Vec<f64> {
        curve.values.iter().copied().filter(|v| v.is_finite()).map(score).collect()
    };
    let last = |curve: &CurveView<'_>| numbers(curve).last().copied();
    let is_padded = |curve: &CurveView<'_>| {
        curve.values.last().is_some_and(|v| is_diverged(*v)) && last(curve).is_some()
    };
    let whole = curves.iter().filter(|(_, curve)| !is_padded(curve));
    let whole: Vec<f64> = whole.filter_map(|(_, curve)| last(curve)).collect();
    let bar = if whole.is_empty() { f64::NEG_INFINITY } else { median(&whole) };
    let (rows, of, first_config) = count(curves, is_padded, |curve| {
        let numbers = numbers(curve);
        let best = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        numbers.last().is_some_and(|last| *last >= bar || (*last == best && numbers.len() > 1))
    });
    if rows < ROWS_MIN || rows * 2 < of {
        return None;
    }
    let sign = "is NaN to its end after values that were still good, and looks like padding after \
                an early stop: NaN means that training diverged";
    let remedy = "if so, remove the rows of those epochs, and write in configs.parquet last_epoch \
                  (complete by then) or status truncated (broken off)";
    let field = format!("column {}", metric.name);
    Some(Doubt { field, sign: sign.into(), rows, of, first_config, remedy: remedy.into() })
}
