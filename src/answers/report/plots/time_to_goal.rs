//! Box plots of the time to a goal, as in Figures 4 and 5 of Choi et al. (2018).

use std::fmt::Write as _;

use base::stats::quantile::{quantile, sorted};
use plotters::element::{Circle, PathElement, Rectangle};
use plotters::style::text_anchor::{HPos, VPos};

use super::super::sentence::goal_words;
use super::axis::Axis;
use super::paint::Paint;
use super::plot::{Cell, Data, Plot};
use super::stage::{
    Chart, Group, Panel, Stage, TEXT, WIDTH, fill, fitted, scaled, stroke, text, text_width,
};
use super::whom::{Whom, times};
use crate::analysis::{Answer, GoalAnswers, MethodOutcomes, Outcome};

/// Pixels a method.
pub(super) const ROW: u32 = 28;
/// Where the first row begins.
pub(super) const TOP: u32 = 44;
/// As many runs a method are drawn one by one; of more, those beyond the whiskers.
const DOTS_MAX: usize = 100;
/// The widest name, in pixels.
const NAME_MAX: f64 = 260.0;

/// The plot, or nothing where no run of any method met the goal.
pub(in crate::report) fn time_to_goal(
    goal: &GoalAnswers,
    outcomes: &[MethodOutcomes],
    whom: &Whom,
    name: &str,
) -> Option<Plot> {
    let reached = || outcomes.iter().flat_map(|m| &m.outcomes).filter_map(|o| o.time_to_goal_s);
    let range = range_above_zero(reached())?;
    let rows = goal.answers.len();
    let mut stage = Stage::new(WIDTH, TOP + ROW * u32::try_from(rows).expect("few methods") + 8);
    let panel = Panel {
        left: left(goal.answers.iter().map(|a| whom.name(a.method))),
        top: TOP,
        right: 104,
        bottom: 8,
        x: Axis::time(range[0], range[1], "time to the goal, on the simulated clock"),
        y: Axis::rows(rows),
    };
    panel.axes(&mut stage, true);
    for (row, (answer, runs)) in goal.answers.iter().zip(outcomes).enumerate() {
        let name = whom.name(answer.method);
        let unmet = unmet_words(&runs.outcomes);
        let mut tip = format!("{name}\n{}", times(answer));
        let _ = write!(tip, "\n{} of {} runs reached it", answer.reached, answer.runs);
        let group =
            Group { method: Some(whom.number(answer.method)), row: Some(row), tip, dash: None };
        let paint = whom.paint(answer.method);
        let middle = f64::from(TOP) + (row_number(row) + 0.5) * f64::from(ROW);
        let right = f64::from(WIDTH - panel.right) + 8.0;
        panel.draw(&mut stage, &group, |chart| {
            draw_box(chart, &panel, row_number(row), answer, &runs.outcomes, paint);
        });
        stage.layer(&group, |area| {
            let shown = fitted(name, TEXT, NAME_MAX);
            let at = [f64::from(panel.left) - 8.0, middle];
            text(area, &shown, at, TEXT, Paint::Ink, [HPos::Right], VPos::Center);
            text(
                area,
                &unmet,
                [right, middle],
                TEXT - 1.0,
                Paint::Muted,
                [HPos::Left],
                VPos::Center,
            );
        });
    }
    let goal_is = goal_words(&goal.goal);
    let nearest = whom.labels.heading.clone();
    Some(Plot {
        name: name.to_string(),
        title: format!("Time to {goal_is} on {}", goal.table),
        caption: format!(
            "A row a method ({nearest}): a dot a run where there are at most {DOTS_MAX}, the box \
             between the quartiles, the line at the median, whiskers to the last run within 1.5 \
             boxes. A box that is open to the right has a quartile that is not known or never \
             reached. On the right stand runs that never got there, and those that were cut."
        ),
        alternative: alternative(goal, whom),
        width: stage.width,
        height: stage.height,
        rows: Some([ROW, TOP]),
        data: data(outcomes, whom),
        body: stage.body(),
    })
}

/// The space that the names of rows take, in pixels.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "pixels of a page")]
pub(super) fn left<'a>(names: impl Iterator<Item = &'a str>) -> u32 {
    let widest = names.map(|name| text_width(name, TEXT).min(NAME_MAX)).fold(0.0, f64::max);
    widest.max(40.0) as u32 + 18
}

/// The name of a row, cut to the space that there is.
pub(super) fn row_name(name: &str) -> String {
    fitted(name, TEXT, NAME_MAX)
}

#[expect(clippy::cast_precision_loss, reason = "rows of a picture are few")]
pub(super) fn row_number(row: usize) -> f64 {
    row as f64
}

/// The smallest and the largest of times; those of 0, which have no logarithm, count as a
/// thousandth of the smallest other.
pub(super) fn range_above_zero(times: impl Iterator<Item = f64>) -> Option<[f64; 2]> {
    let (mut low, mut high, mut has_zero, mut any) = (f64::INFINITY, 0.0_f64, false, false);
    for time in times.filter(|time| time.is_finite()) {
        any = true;
        has_zero |= time <= 0.0;
        if time > 0.0 {
            low = low.min(time);
            high = high.max(time);
        }
    }
    if !any {
        return None;
    }
    if low.is_infinite() {
        // Everything happens at once.
        return Some([1e-3, 1.0]);
    }
    Some([if has_zero { low / 1_000.0 } else { low }, high])
}

/// `3 never, 2 cut`.
fn unmet_words(outcomes: &[Outcome]) -> String {
    let unmet = |is_cut| {
        let is = |o: &&Outcome| o.time_to_goal_s.is_none() && o.is_cut == is_cut;
        outcomes.iter().filter(is).count()
    };
    let words = [(unmet(false), "never"), (unmet(true), "cut")];
    let words = words.iter().filter(|(count, _)| *count > 0);
    words.map(|(count, word)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
}

fn draw_box(
    chart: &mut Chart<'_, '_>,
    panel: &Panel,
    row: f64,
    answer: &Answer,
    outcomes: &[Outcome],
    paint: Paint,
) {
    let area = chart.plotting_area();
    let put = |drawn: Result<(), _>| drawn.expect("a string takes what is drawn");
    let x = |time: f64| panel.x.at(time);
    let [x_low, x_high] = panel.x.ends();
    let middle = row + 0.5;
    let quartiles = answer.time_to_goal_s;
    let (q25, q75) = (quartiles.q25.low, quartiles.q75.high);
    let times = sorted(&outcomes.iter().filter_map(|o| o.time_to_goal_s).collect::<Vec<_>>());
    // Whiskers end at the last runs within 1.5 boxes of the box, by plain seconds as ever.
    let reach = 1.5 * (q75 - q25);
    let (from, to) = (q25 - reach, q75 + reach);
    let within = |time: &&f64| !(**time < from || **time > to);
    let dots: Vec<(usize, f64)> = if times.len() <= DOTS_MAX {
        times.iter().copied().enumerate().collect()
    } else {
        times.iter().copied().enumerate().filter(|(_, t)| !within(&t)).collect()
    };
    for (at, time) in dots {
        // A fixed wobble keeps equal times apart.
        let wobble = f64::from(u32::try_from(at * 7 % 11).expect("below 11")) / 10.0 - 0.5;
        let dot = Circle::new((x(time), middle + 0.5 * wobble), scaled(1.8), fill(paint, 0.35));
        put(area.draw(&dot));
    }
    let first = times.iter().find(within).copied();
    let last = times.iter().rev().find(within).copied();
    if let (Some(first), Some(last)) = (first, last) {
        let (box_low, box_high) = (x(q25), x(q75));
        for [a, b] in [[x(first), box_low], [box_high, x(last)]] {
            if a < b {
                let line = vec![(a, middle), (b, middle)];
                put(area.draw(&PathElement::new(line, stroke(paint, 1.0))));
            }
        }
    }
    if q25.is_infinite() {
        return;
    }
    let (low, high) = (x(q25), if q75.is_finite() { x(q75) } else { x_high });
    put(area.draw(&Rectangle::new([(low, row + 0.22), (high, row + 0.78)], fill(paint, 0.18))));
    // Open to the right where nobody knows how far it goes.
    let mut outline =
        vec![(high, row + 0.22), (low, row + 0.22), (low, row + 0.78), (high, row + 0.78)];
    if q75.is_finite() {
        outline.push((high, row + 0.22));
    }
    put(area.draw(&PathElement::new(outline, stroke(paint, 1.2))));
    let median = quartiles.median;
    if median.low.is_finite() {
        let ends = [median.low, median.high.min(f64::MAX)].map(|end| x(end).max(x_low));
        if ends[0] < ends[1] {
            let span = [(ends[0], row + 0.22), (ends[1], row + 0.78)];
            put(area.draw(&Rectangle::new(span, fill(paint, 0.3))));
        }
        let line = vec![(ends[0], row + 0.16), (ends[0], row + 0.84)];
        put(area.draw(&PathElement::new(line, stroke(paint, 3.0))));
    }
}

fn alternative(goal: &GoalAnswers, whom: &Whom) -> String {
    let row = |a: &Answer| format!("{}: {}", whom.name(a.method), times(a));
    let rows: Vec<String> = goal.answers.iter().take(12).map(row).collect();
    let more = goal.answers.len() - rows.len();
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("Box plots of time to {}. {}{more}.", goal_words(&goal.goal), rows.join("; "))
}

/// Runs of which a page holds each; of more it holds quantiles.
const RUNS_MAX: usize = 8_000;

/// Every run, in plain seconds, or quantiles of too many.
fn data(outcomes: &[MethodOutcomes], whom: &Whom) -> Data {
    if outcomes.iter().map(|m| m.outcomes.len()).sum::<usize>() > RUNS_MAX {
        return quantiles(outcomes, whom);
    }
    every_run(outcomes, whom)
}

/// Of the times of each method, those that were cut as the times at which they were.
fn quantiles(outcomes: &[MethodOutcomes], whom: &Whom) -> Data {
    const SHARES: [f64; 7] = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95];
    let names = SHARES.map(|share| format!("time_to_goal_s_{:.0}_percent", 100.0 * share));
    let columns = ["method", "runs", "reached"].map(String::from).into_iter().chain(names);
    let row = |m: &MethodOutcomes| {
        let reached = m.outcomes.iter().filter(|o| o.time_to_goal_s.is_some()).count();
        let times = sorted(&m.outcomes.iter().map(Outcome::at_least_s).collect::<Vec<_>>());
        let counts = [m.outcomes.len().into(), reached.into()];
        let quantile = |share: f64| Cell::from(quantile(&times, share));
        let name = Cell::from(whom.name(m.method));
        std::iter::once(name).chain(counts).chain(SHARES.map(quantile)).collect()
    };
    Data::Rows { columns: columns.collect(), rows: outcomes.iter().map(row).collect() }
}

fn every_run(outcomes: &[MethodOutcomes], whom: &Whom) -> Data {
    let columns = ["method", "repeat", "seed", "time_to_goal_s", "end_s", "outcome"];
    let row = |method: usize, o: &Outcome| {
        let word = match (o.time_to_goal_s, o.is_cut) {
            (Some(_), _) => "reached",
            (None, true) => "cut",
            (None, false) => "never",
        };
        #[expect(clippy::cast_precision_loss, reason = "a seed is shown, not used")]
        let seed = Cell::Number(o.seed as f64);
        let time = o.time_to_goal_s.map_or(Cell::Nothing, Cell::from);
        let repeat = Cell::from(f64::from(o.repeat));
        vec![whom.name(method).into(), repeat, seed, time, o.end_s.into(), word.into()]
    };
    let rows = outcomes.iter().flat_map(|m| m.outcomes.iter().map(move |o| row(m.method, o)));
    Data::Rows { columns: columns.map(String::from).to_vec(), rows: rows.collect() }
}
