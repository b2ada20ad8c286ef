//! How soon the end of a curve shows.

use plotters::element::PathElement;

use super::super::axis::Axis;
use super::super::legend::{Entry, Sample, panel_with_legend};
use super::super::paint::Paint;
use super::super::plot::{Data, Frame, Line, Lines, Plot};
use super::super::stage::{Group, WIDTH, stroke};
use super::TableView;
use super::curves::{level_across, paths};
use crate::table::{EpochRanks, LEADERS_SHARE, TOLD_SHARE};

const HEIGHT: u32 = 300;

/// A line: what it is, its colour, its dash, its numbers.
type Told = (&'static str, Paint, Option<&'static str>, fn(&EpochRanks) -> Option<f64>);

const LINES: [Told; 4] = [
    ("rank correlation, all", Paint::Series(0), None, |e| e.correlation),
    ("rank correlation, top tenth", Paint::Series(1), Some("70 30"), |e| e.correlation_top),
    ("share of the best that lead", Paint::Series(2), Some("20 25"), |e| e.elite_leads),
    ("share of leaders that stay", Paint::Series(5), Some("90 30 20 30"), |e| e.leaders_stay),
];

/// What each epoch says of the end, nothing where no row has a value.
pub(super) fn told(view: &TableView<'_>) -> Option<Plot> {
    let told = view.facts.told.as_ref()?;
    let entry = |(name, paint, dash, _): &Told| Entry {
        method: None,
        name: (*name).to_string(),
        sample: Sample::Line(*paint, 2.0, *dash),
    };
    let entries: Vec<Entry> = LINES.iter().map(entry).collect();
    let list = |of: fn(&EpochRanks) -> Option<f64>| {
        told.epochs.iter().map(|e| of(e).unwrap_or(f64::NAN)).collect::<Vec<f64>>()
    };
    let lists: Vec<Vec<f64>> = LINES.iter().map(|(_, _, _, of)| list(*of)).collect();
    let low = lists.iter().flatten().copied().filter(|v| v.is_finite()).fold(0.0, f64::min);
    let axes = [
        Axis::epochs(view.facts.epochs.0, "epoch"),
        Axis::linear(low, 1.03, "correlation, or share"),
    ];
    let (mut stage, panel) = panel_with_legend(&entries, HEIGHT, axes);
    for ((_, paint, dash, _), list) in LINES.iter().zip(&lists) {
        panel.draw(&mut stage, &Group { dash: *dash, ..Group::default() }, |chart| {
            for path in paths(&panel, list) {
                let line = PathElement::new(path, stroke(*paint, 2.0));
                chart.plotting_area().draw(&line).expect("a string takes what is drawn");
            }
        });
    }
    if let Some(epoch) = told.told_from {
        level_across(&mut stage, &panel, f64::from(epoch.0));
    }
    let x: Vec<f64> = told.epochs.iter().map(|e| f64::from(e.epoch.0)).collect();
    let named = |((m, (name, ..)), list): ((usize, &Told), &Vec<f64>)| Line {
        m,
        name: (*name).to_string(),
        x: x.clone(),
        y: vec![list.clone()],
    };
    let from = told.told_from.map_or_else(
        || "They never do so for good.".to_string(),
        |epoch| format!("Dashed upright: from epoch {} on they do so for good.", epoch.0),
    );
    let frame = Frame::new(&stage, &panel, false, ["number", "number"]);
    Some(Plot {
        name: "told".to_string(),
        title: format!("What an epoch says of the end on {}", view.name),
        caption: format!(
            "Spearman's rank correlation of the value at an epoch with that of the whole curve; of \
             the {} best configurations the share that is among the best {:.0} % at that epoch, \
             and of those the share that is among them in the end. The best are told from the rest \
             where {:.0} % of them lead. {from}",
            told.elite,
            100.0 * LEADERS_SHARE,
            100.0 * TOLD_SHARE
        ),
        alternative: format!("Four lines over epochs. {from}"),
        width: WIDTH,
        height: stage.height,
        rows: None,
        data: Data::Lines(Lines {
            x: "epoch".to_string(),
            y: vec!["correlation_or_share".to_string()],
            frame,
            lines: LINES.iter().enumerate().zip(&lists).map(named).collect(),
        }),
        body: stage.body(),
    })
}
