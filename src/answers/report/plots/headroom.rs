//! How much of what could be gained each rule gained.

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
use crate::headroom::{Captured, Headroom};

/// Shares beyond these are drawn at the edge.
const ENDS: [f64; 2] = [-1.0, 1.25];

/// The plot of all samplers of one goal, or nothing where nothing is compared.
pub(in crate::report) fn headroom(all: &[&Headroom], whom: &Whom, name: &str) -> Option<Plot> {
    let first = *all.first()?;
    let rooms: Vec<(&Headroom, Interval)> =
        all.iter().filter_map(|of| Some((*of, *of.bound_s.as_ref().ok()?))).collect();
    let shown: Vec<(&Headroom, &Captured)> =
        rooms.iter().flat_map(|(of, _)| of.captured.iter().map(move |c| (*of, c))).collect();
    if shown.is_empty() {
        return None;
    }
    let lows = shown.iter().flat_map(|(_, c)| [Some(c.share), c.interval]).flatten();
    let lowest = lows.map(|i| i.low).fold(0.0, f64::min).max(ENDS[0]);
    let rows = shown.len();
    let mut stage = Stage::new(WIDTH, TOP + ROW * u32::try_from(rows).expect("few methods") + 8);
    let panel = Panel {
        left: left(shown.iter().map(|(_, c)| whom.name(c.method))),
        top: TOP,
        right: 150,
        bottom: 8,
        x: Axis::percent(lowest, ENDS[1], "share of what a clairvoyant would gain"),
        y: Axis::rows(rows),
    };
    panel.axes(&mut stage, true);
    panel.draw(&mut stage, &Group::default(), |chart| {
        for (at, paint) in [(0.0, Paint::Muted), (1.0, Paint::Good)] {
            let line = vec![(panel.x.at(at), 0.0), (panel.x.at(at), row_number(rows))];
            let line = PathElement::new(line, stroke(paint, 1.2));
            chart.plotting_area().draw(&line).expect("a string takes what is drawn");
        }
    });
    for (row, (of, captured)) in shown.iter().enumerate() {
        draw(&mut stage, &panel, row, of, captured, whom);
    }
    let row = |(_, c): &(&Headroom, &Captured)| format!("{}: {}", whom.name(c.method), words(c));
    let said: Vec<String> = shown.iter().take(12).map(row).collect();
    Some(Plot {
        name: name.to_string(),
        title: format!("Headroom to {} on {}", goal_words(&first.goal), first.table),
        caption: caption(&rooms, whom),
        alternative: format!("Shares with intervals. {}.", said.join("; ")),
        width: stage.width,
        height: stage.height,
        rows: Some([ROW, TOP]),
        data: data(&shown, whom),
        body: stage.body(),
    })
}

fn caption(rooms: &[(&Headroom, Interval)], whom: &Whom) -> String {
    let time = |i: Interval| human::bounded(i, human::time);
    let takes = |(of, bound): &(&Headroom, Interval)| {
        let base = whom.name(of.baseline);
        let kind = if of.is_exact { "" } else { " (an estimate)" };
        format!("{base} takes {}, and would take {}{kind}", time(of.none_s), time(*bound))
    };
    let takes: Vec<String> =
        rooms.iter().filter(|(of, _)| !of.captured.is_empty()).map(takes).collect();
    format!(
        "If somebody knew every curve, and stopped each hopeless trial of the same order after its \
         first epoch: {} (medians). A row says which share of that gain a method has over its own \
         sampler without a rule: 100 % is all of it, and below 0 it harms. It is an estimate where \
         what is tried next depends on what was learnt, or on which of several workers is free. \
         Who changes the order, or pauses trials, may be beyond it.",
        takes.join("; ")
    )
}

fn draw(
    stage: &mut Stage,
    panel: &Panel,
    row: usize,
    of: &Headroom,
    captured: &Captured,
    whom: &Whom,
) {
    let name = whom.name(captured.method);
    let words = words(captured);
    let group = Group {
        method: Some(whom.number(captured.method)),
        row: Some(row),
        tip: format!(
            "{name}\n{words} of the headroom of {}, over {} pairs",
            whom.name(of.baseline),
            captured.pairs
        ),
        dash: None,
    };
    let paint = match captured.interval {
        Some(i) if i.low > 0.0 => Paint::Good,
        Some(i) if i.high < 0.0 => Paint::Bad,
        _ => Paint::Muted,
    };
    let y = row_number(row) + 0.5;
    panel.draw(stage, &group, |chart| {
        let area = chart.plotting_area();
        let line = |of: Interval, width| {
            let ends = vec![(panel.x.at(of.low), y), (panel.x.at(of.high), y)];
            let line = PathElement::new(ends, stroke(paint, width));
            area.draw(&line).expect("a string takes what is drawn");
        };
        if let Some(interval) = captured.interval {
            line(interval, 2.0);
        }
        match captured.share.value() {
            Some(share) => {
                let dot = Circle::new((panel.x.at(share), y), scaled(4.5), fill(paint, 1.0));
                area.draw(&dot).expect("a string takes what is drawn");
            }
            None => line(captured.share, 5.0),
        }
    });
    let middle = f64::from(TOP) + y * f64::from(ROW);
    stage.layer(&group, |area| {
        let at = [f64::from(panel.left) - 8.0, middle];
        text(area, &row_name(name), at, TEXT, Paint::Ink, [HPos::Right], VPos::Center);
        let at = [f64::from(WIDTH - panel.right) + 10.0, middle];
        text(area, &words, at, TEXT, Paint::Ink, [HPos::Left], VPos::Center);
    });
}

/// `62 % [50, 71]`.
fn words(captured: &Captured) -> String {
    let percent = |share: f64| {
        if share.is_infinite() {
            if share > 0.0 { "inf" } else { "-inf" }.to_string()
        } else {
            format!("{:.0}", 100.0 * share)
        }
    };
    let share = match captured.share.value() {
        Some(share) => format!("{} %", percent(share)),
        None if captured.share.low.is_infinite() && captured.share.high.is_infinite() => {
            return "not known".to_string();
        }
        None => format!("{} to {} %", percent(captured.share.low), percent(captured.share.high)),
    };
    let interval = |i: Interval| format!("{share} [{}, {}]", percent(i.low), percent(i.high));
    captured.interval.map_or(share.clone(), interval)
}

fn data(shown: &[(&Headroom, &Captured)], whom: &Whom) -> Data {
    let columns = [
        "method",
        "baseline",
        "pairs",
        "none_s",
        "bound_s",
        "median_s",
        "share_low",
        "share_high",
        "interval_low",
        "interval_high",
    ];
    let row = |(of, c): &(&Headroom, &Captured)| {
        let interval = c.interval.map_or([Cell::Nothing, Cell::Nothing], |i| {
            [Cell::Number(i.low), Cell::Number(i.high)]
        });
        let [low, high] = interval;
        vec![
            whom.name(c.method).into(),
            whom.name(of.baseline).into(),
            c.pairs.into(),
            c.none_s.low.into(),
            c.bound_s.low.into(),
            c.median_s.low.into(),
            c.share.low.into(),
            c.share.high.into(),
            low,
            high,
        ]
    };
    let rows = shown.iter().map(row).collect();
    Data::Rows { columns: columns.map(String::from).to_vec(), rows }
}
