//! Speed-ups over the baseline with their intervals.

use base::stats::Interval;
use plotters::element::{Circle, PathElement};
use plotters::style::text_anchor::{HPos, VPos};

use super::super::human;
use super::super::sentence::goal_words;
use super::axis::Axis;
use super::paint::Paint;
use super::plot::{Cell, Data, Plot};
use super::stage::{Group, Panel, Stage, TEXT, WIDTH, fill, scaled, stroke, text};
use super::time_to_goal::{ROW, TOP, left, row_name, row_number};
use super::whom::Whom;
use crate::analysis::{Answer, GoalAnswers, Speedup};

/// Factors further from 1 are drawn at the edge.
const FACTOR_MAX: f64 = 1e3;

/// The plot, or nothing where nothing is compared, and where no run met the goal.
pub(in crate::report) fn speedups(goal: &GoalAnswers, whom: &Whom, name: &str) -> Option<Plot> {
    let compared: Vec<(&Answer, Speedup)> =
        goal.answers.iter().filter_map(|a| Some((a, a.speedup?))).collect();
    let baseline = goal.answers.iter().find(|a| a.is_baseline)?;
    if goal.answers.iter().all(|a| a.reached == 0) {
        return None;
    }
    let (low, high) = range(&compared)?;
    let rows = compared.len();
    let mut stage = Stage::new(WIDTH, TOP + ROW * u32::try_from(rows).expect("few methods") + 8);
    let against = whom.name(baseline.method);
    let panel = Panel {
        left: left(compared.iter().map(|(a, _)| whom.name(a.method))),
        top: TOP,
        right: 150,
        bottom: 8,
        x: Axis::factor(low, high, &format!("times as fast as {against}")),
        y: Axis::rows(rows),
    };
    panel.axes(&mut stage, true);
    panel.draw(&mut stage, &Group::default(), |chart| {
        let line = vec![(panel.x.at(1.0), 0.0), (panel.x.at(1.0), row_number(rows))];
        let line = PathElement::new(line, stroke(Paint::Muted, 1.2));
        chart.plotting_area().draw(&line).expect("a string takes what is drawn");
    });
    for (row, (answer, speedup)) in compared.iter().enumerate() {
        let name = whom.name(answer.method);
        let words = words(*speedup);
        let group = Group {
            method: Some(whom.number(answer.method)),
            row: Some(row),
            tip: format!("{name}\n{words} times as fast as {against}"),
            dash: None,
        };
        let paint = verdict(speedup.interval);
        let middle = f64::from(TOP) + (row_number(row) + 0.5) * f64::from(ROW);
        panel.draw(&mut stage, &group, |chart| {
            let y = row_number(row) + 0.5;
            let area = chart.plotting_area();
            let line = |from: [f64; 2], width| {
                let from = from.map(|factor| (panel.x.at(factor), y));
                let line = PathElement::new(from.to_vec(), stroke(paint, width));
                area.draw(&line).expect("a string takes what is drawn");
            };
            if let Some(Interval { low, high }) = speedup.interval {
                line([low, high], 2.0);
            }
            match speedup.ratio.value() {
                Some(ratio) => {
                    let dot = Circle::new((panel.x.at(ratio), y), scaled(4.5), fill(paint, 1.0));
                    area.draw(&dot).expect("a string takes what is drawn");
                }
                None => line([speedup.ratio.low, speedup.ratio.high], 5.0),
            }
        });
        stage.layer(&group, |area| {
            let at = [f64::from(panel.left) - 8.0, middle];
            text(area, &row_name(name), at, TEXT, Paint::Ink, [HPos::Right], VPos::Center);
            let at = [f64::from(WIDTH - panel.right) + 10.0, middle];
            text(area, &words, at, TEXT, Paint::Ink, [HPos::Left], VPos::Center);
        });
    }
    Some(Plot {
        name: name.to_string(),
        title: format!("Speed-up to {} on {}", goal_words(&goal.goal), goal.table),
        caption: format!(
            "The ratio of median times, {against} over the method, with its interval: surely \
             sooner where all of it lies right of 1 (green), surely later left of it (orange), and \
             grey where it may be chance."
        ),
        alternative: alternative(&compared, whom, against),
        width: stage.width,
        height: stage.height,
        rows: Some([ROW, TOP]),
        data: data(&compared, whom),
        body: stage.body(),
    })
}

/// The factors that are shown, `None` where none is known at all.
fn range(compared: &[(&Answer, Speedup)]) -> Option<(f64, f64)> {
    let ends = compared.iter().flat_map(|(_, s)| [Some(s.ratio), s.interval]).flatten();
    let ends = ends.flat_map(|i| [i.low, i.high]).filter(|end| *end > 0.0 && end.is_finite());
    let ends = ends.map(|end| end.clamp(1.0 / FACTOR_MAX, FACTOR_MAX));
    let both = ends.fold((1.0_f64, 1.0_f64), |(low, high), end| (low.min(end), high.max(end)));
    (!compared.is_empty()).then_some((both.0 / 1.1, both.1 * 1.1))
}

/// What an interval of factors says.
pub(in crate::report) fn verdict(interval: Option<Interval>) -> Paint {
    match interval {
        Some(Interval { low, .. }) if low > 1.0 => Paint::Good,
        Some(Interval { high, .. }) if high < 1.0 => Paint::Bad,
        _ => Paint::Muted,
    }
}

fn words(speedup: Speedup) -> String {
    let ratio = human::ratio(speedup.ratio);
    speedup.interval.map_or(ratio.clone(), |interval| format!("{ratio} {}", human::range(interval)))
}

fn alternative(compared: &[(&Answer, Speedup)], whom: &Whom, against: &str) -> String {
    let row = |(a, s): &(&Answer, Speedup)| format!("{}: {}", whom.name(a.method), words(*s));
    let rows: Vec<String> = compared.iter().take(12).map(row).collect();
    format!("Speed-ups over {against} with intervals. {}.", rows.join("; "))
}

fn data(compared: &[(&Answer, Speedup)], whom: &Whom) -> Data {
    let columns =
        ["method", "speedup_low", "speedup_high", "interval_low", "interval_high", "paired"];
    let row = |(answer, speedup): &(&Answer, Speedup)| {
        let ends = |i: Interval| [Cell::Number(i.low), Cell::Number(i.high)];
        let interval = speedup.interval.map_or([Cell::Nothing, Cell::Nothing], ends);
        let pairs = if speedup.paired { "yes" } else { "no" };
        let name = Cell::from(whom.name(answer.method));
        [vec![name], ends(speedup.ratio).to_vec(), interval.to_vec(), vec![pairs.into()]].concat()
    };
    let rows = compared.iter().map(row).collect();
    Data::Rows { columns: columns.map(String::from).to_vec(), rows }
}
