//! Where the seconds of workers went.

use std::fmt::Write as _;

use plotters::element::Rectangle;
use plotters::style::text_anchor::{HPos, VPos};

use super::super::human;
use super::anytime::file_part;
use super::axis::Axis;
use super::legend::{Entry, Sample, legend, legend_height};
use super::paint::Paint;
use super::plot::{Cell, Data, Plot};
use super::stage::{Group, Panel, Stage, TEXT, WIDTH, fill, text};
use super::time_to_goal::{ROW, TOP, left, row_name, row_number};
use super::whom::Whom;
use crate::anytime::{Spent, TableCurves};

/// What became of a trial, its colour, and the seconds in such trials.
pub(super) type State = (&'static str, Sample, fn(&Spent) -> f64);

pub(super) const STATES: [State; 6] = [
    ("completed", Sample::Surface(Paint::Series(0), 0.75), |s| s.completed_s),
    ("stopped early", Sample::Surface(Paint::Series(1), 0.8), |s| s.stopped_s),
    ("paused for good", Sample::Surface(Paint::Series(4), 0.6), |s| s.paused_s),
    ("failed", Sample::Surface(Paint::Series(3), 0.8), |s| s.failed_s),
    ("cut by the run's end", Sample::Surface(Paint::Muted, 0.5), |s| s.cut_s),
    ("idle workers", Sample::Surface(Paint::Grid, 1.0), |s| s.idle_s),
];

/// The plot, or nothing where no second was spent.
pub(in crate::report) fn spent(curves: &TableCurves, whom: &Whom, prefix: &str) -> Option<Plot> {
    let total = |spent: &Spent| STATES.iter().map(|(_, _, of)| of(spent)).sum::<f64>();
    let shown: Vec<_> = curves.methods.iter().filter(|m| total(&m.spent) > 0.0).collect();
    if shown.is_empty() {
        return None;
    }
    let is_there = |of: fn(&Spent) -> f64| shown.iter().any(|m| of(&m.spent) > 0.0);
    let states: Vec<&State> = STATES.iter().filter(|(_, _, of)| is_there(*of)).collect();
    let entry = |(name, sample, _): &&State| Entry {
        method: None,
        name: (*name).to_string(),
        sample: *sample,
    };
    let entries: Vec<Entry> = states.iter().map(entry).collect();
    // Above the rows: these move up where a filter hides some.
    let above = legend_height(&entries, WIDTH);
    let top = TOP + above;
    let rows = shown.len();
    let mut stage = Stage::new(WIDTH, top + ROW * u32::try_from(rows).expect("few methods") + 8);
    let panel = Panel {
        left: left(shown.iter().map(|m| whom.name(m.method))),
        top,
        right: 120,
        bottom: 8,
        x: Axis::share(""),
        y: Axis::rows(rows),
    };
    panel.axes(&mut stage, true);
    legend(&mut stage, &entries, 8);
    let mut data = Vec::new();
    for (row, of) in shown.iter().enumerate() {
        let name = whom.name(of.method);
        let all = total(&of.spent);
        #[expect(clippy::cast_precision_loss, reason = "counts of runs")]
        let a_run = all / of.runs as f64;
        let mut tip = format!("{name}\n{} of workers a run", human::time(a_run));
        let mut from = 0.0;
        let group = |tip: &str| Group {
            method: Some(whom.number(of.method)),
            row: Some(row),
            tip: tip.to_string(),
            dash: None,
        };
        for (state, _, seconds) in &states {
            let share = seconds(&of.spent) / all;
            if share > 0.0 {
                let _ = write!(tip, "\n{:.1} % {state}", 100.0 * share);
            }
        }
        panel.draw(&mut stage, &group(&tip), |chart| {
            for (_, sample, seconds) in &states {
                let Sample::Surface(paint, opacity) = *sample else { continue };
                let to = from + seconds(&of.spent) / all;
                let y = row_number(row);
                let ends = [(panel.x.at(from), y + 0.18), (panel.x.at(to), y + 0.82)];
                if to > from {
                    let bar = Rectangle::new(ends, fill(paint, opacity));
                    chart.plotting_area().draw(&bar).expect("a string takes what is drawn");
                }
                from = to;
            }
        });
        let middle = f64::from(top) + (row_number(row) + 0.5) * f64::from(ROW);
        stage.layer(&group(&tip), |area| {
            let at = [f64::from(panel.left) - 8.0, middle];
            text(area, &row_name(name), at, TEXT, Paint::Ink, [HPos::Right], VPos::Center);
            let at = [f64::from(WIDTH - panel.right) + 10.0, middle];
            let words = format!("{} a run", human::time(a_run));
            text(area, &words, at, TEXT, Paint::Muted, [HPos::Left], VPos::Center);
        });
        let seconds = STATES.iter().map(|(_, _, seconds)| Cell::from(seconds(&of.spent)));
        data.push(
            std::iter::once(Cell::from(name)).chain([of.runs.into()]).chain(seconds).collect(),
        );
    }
    let names = STATES
        .map(|(name, _, _)| format!("{}_s", name.split(' ').next().expect("a name has a word")));
    let columns = ["method", "runs"].map(String::from).into_iter().chain(names).collect();
    Some(Plot {
        name: format!("{prefix}spent-{}", file_part(&curves.table)),
        title: format!("Where the time went on {}", curves.table),
        caption: "The seconds of all workers until the last goal was met, by what became of the \
                  trial that they went into. What a rule saves it saves in trials that it stops; \
                  what it spent in them bought nothing but the verdict."
            .to_string(),
        alternative: format!("Bars of shares of time, a row a method, of {rows} methods."),
        width: stage.width,
        height: stage.height,
        rows: Some([ROW, top]),
        data: Data::Rows { columns, rows: data },
        body: stage.body(),
    })
}
