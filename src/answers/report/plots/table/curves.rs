//! Learning curves.

use plotters::element::{PathElement, Polygon};
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{Color, ShapeStyle};

use super::super::super::human;
use super::super::axis::Axis;
use super::super::paint::Paint;
use super::super::plot::{Cell, Data, Frame, Line, Lines, Plot, six_digits};
use super::super::stage::{Group as Layer, Panel, Stage, TEXT, WIDTH, fill, scaled, stroke, text};
use super::TableView;
use crate::table::{CurveGroup, Group, QUANTILES, TableCurve};

const HEIGHT: u32 = 300;

/// Three panels of curves: random, top and bottom ones.
pub(super) fn groups(view: &TableView<'_>) -> Option<Plot> {
    let y = values_axis(view)?;
    let mut stage = Stage::new(WIDTH, HEIGHT);
    let shown =
        [(Group::Random, "at random"), (Group::Top, "the best"), (Group::Bottom, "the worst")];
    let of = |group| view.facts.groups.iter().find(|g| g.group == group);
    let mut data = Vec::new();
    for (at, (group, words)) in (0_u32..).zip(shown) {
        let Some(of) = of(group) else { continue };
        let panel = Panel {
            left: 60 + at * 236,
            top: 44,
            right: WIDTH - (60 + at * 236 + 216),
            bottom: 44,
            x: Axis::epochs(view.facts.epochs.0, "epoch"),
            y: if at == 0 { y.clone() } else { y.without_words() },
        };
        panel.axes(&mut stage, false);
        stage.layer(&Layer::default(), |area| {
            let at = [f64::from(panel.left), 22.0];
            let count = of.curves.len();
            let words = if group == Group::Random {
                format!("{count} at random")
            } else {
                format!("{words} {count}")
            };
            text(area, &words, at, TEXT, Paint::Ink, [HPos::Left], VPos::Top);
        });
        draw(&mut stage, &panel, of, Paint::Series(0));
        if let Some(chance) = view.facts.values.chance {
            level(&mut stage, &panel, chance);
        }
        for curve in &of.curves {
            data.extend(cells(words, curve));
        }
    }
    let columns = ["group", "config_id", "epoch", "value"].map(String::from).to_vec();
    Some(Plot {
        name: "curves".to_string(),
        title: format!("Learning curves of {}", view.name),
        caption: format!(
            "{} by epoch. Dashed: chance. A curve ends where it was not recorded further, and has \
             a gap where training diverged.",
            view.metric
        ),
        alternative: "Three panels of learning curves: random, best and worst configurations."
            .to_string(),
        width: WIDTH,
        height: HEIGHT,
        rows: None,
        data: Data::Rows { columns, rows: data },
        body: stage.body(),
    })
}

/// The metric as an axis, over the finite values of all bands and curves.
pub(super) fn values_axis(view: &TableView<'_>) -> Option<Axis> {
    let facts = view.facts;
    let bands = facts.groups.iter().flat_map(|g| &g.bands).flat_map(|band| band.quantiles);
    let chance = facts.values.chance;
    let finite: Vec<f64> = bands.chain(chance).filter(|v| v.is_finite()).collect();
    let low = finite.iter().copied().reduce(f64::min)?;
    let high = finite.iter().copied().reduce(f64::max)?;
    let room = 0.03 * (high - low);
    Some(Axis::linear(low - room, high + room, view.metric))
}

/// The curves of a group, one over the other.
fn draw(stage: &mut Stage, panel: &Panel, of: &CurveGroup, paint: Paint) {
    let color = paint.mark().mix(0.3);
    let thin = ShapeStyle { color, filled: false, stroke_width: scaled(1.0) };
    for curve in &of.curves {
        let whole =
            if curve.whole.is_nan() { "no value".to_string() } else { human::value(curve.whole) };
        let tip = format!("configuration {}\n{whole}", curve.row.0);
        panel.draw(stage, &Layer { tip, ..Layer::default() }, |chart| {
            for path in paths(panel, &curve.values) {
                let line = PathElement::new(path, thin);
                chart.plotting_area().draw(&line).expect("a string takes what is drawn");
            }
        });
    }
}

/// A dashed line across a panel.
pub(super) fn level(stage: &mut Stage, panel: &Panel, value: f64) {
    let layer = Layer { dash: Some("50 40"), ..Layer::default() };
    panel.draw(stage, &layer, |chart| {
        let [from, to] = panel.x.ends();
        let line = vec![(from, panel.y.at(value)), (to, panel.y.at(value))];
        let line = PathElement::new(line, stroke(Paint::Muted, 1.2));
        chart.plotting_area().draw(&line).expect("a string takes what is drawn");
    });
}

/// The stretches of a curve that are numbers. A single epoch is a short stroke.
pub(super) fn paths(panel: &Panel, values: &[f64]) -> Vec<Vec<(f64, f64)>> {
    let mut paths: Vec<Vec<(f64, f64)>> = vec![Vec::new()];
    for (epoch, value) in (1_u16..).zip(values) {
        if value.is_finite() {
            let point = (panel.x.at(f64::from(epoch)), panel.y.at(*value));
            paths.last_mut().expect("one is open").push(point);
        } else if paths.last().is_some_and(|path| !path.is_empty()) {
            paths.push(Vec::new());
        }
    }
    paths.retain(|path| !path.is_empty());
    for path in &mut paths {
        if let [(x, y)] = path[..] {
            *path = vec![(x - 0.1, y), (x + 0.1, y)];
        }
    }
    paths
}

fn cells(group: &str, curve: &TableCurve) -> Vec<Vec<Cell>> {
    let row = |(epoch, value): (u16, &f64)| {
        let config = Cell::Number(f64::from(curve.row.0));
        vec![group.into(), config, Cell::Number(f64::from(epoch)), (*value).into()]
    };
    (1_u16..).zip(&curve.values).map(row).collect()
}

/// Quantiles of all curves by epoch.
pub(super) fn bands(view: &TableView<'_>) -> Option<Plot> {
    let all = view.facts.groups.iter().find(|g| g.group == Group::All)?;
    let mut stage = Stage::new(WIDTH, HEIGHT);
    let panel = Panel {
        left: 60,
        top: 26,
        right: 20,
        bottom: 44,
        x: Axis::epochs(view.facts.epochs.0, "epoch"),
        y: values_axis(view)?,
    };
    panel.axes(&mut stage, false);
    let list = |at: usize| all.bands.iter().map(|band| band.quantiles[at]).collect::<Vec<f64>>();
    let lists: Vec<Vec<f64>> = (0..QUANTILES.len()).map(list).collect();
    panel.draw(&mut stage, &Layer::default(), |chart| {
        let area = chart.plotting_area();
        for (low, high, opacity) in [(0, 4, 0.15), (1, 3, 0.25)] {
            let mut outline: Vec<(f64, f64)> = Vec::new();
            let point = |epoch: usize, value: f64| {
                let epoch = f64::from(u16::try_from(epoch + 1).expect("epochs are 16 bits"));
                // Diverged rows are at the worse end: beyond the axis.
                let end = if view.larger_is_better { f64::NEG_INFINITY } else { f64::INFINITY };
                let value = if value.is_nan() { end } else { value };
                (panel.x.at(epoch), panel.y.at(value))
            };
            outline.extend(lists[low].iter().enumerate().map(|(e, v)| point(e, *v)));
            outline.extend(lists[high].iter().enumerate().rev().map(|(e, v)| point(e, *v)));
            let surface = Polygon::new(outline, fill(Paint::Series(0), opacity));
            area.draw(&surface).expect("a string takes what is drawn");
        }
        for path in paths(&panel, &lists[2]) {
            let line = PathElement::new(path, stroke(Paint::Series(0), 2.0));
            area.draw(&line).expect("a string takes what is drawn");
        }
    });
    if let Some(chance) = view.facts.values.chance {
        level(&mut stage, &panel, chance);
    }
    let x: Vec<f64> = all.bands.iter().map(|band| f64::from(band.epoch.0)).collect();
    let line = |at: usize| Line {
        m: at,
        name: format!("{:.0} % of rows are below", 100.0 * QUANTILES[at]),
        x: x.clone(),
        y: vec![lists[at].iter().map(|v| six_digits(*v)).collect()],
    };
    let frame = Frame::new(&stage, &panel, false, ["number", "value"]);
    Some(Plot {
        name: "bands".to_string(),
        title: format!("All curves of {}", view.name),
        caption: "Median, quartiles and the 5 % and 95 % quantiles of all configurations at each \
                  epoch; those that diverged count as worst."
            .to_string(),
        alternative: "Quantiles of all learning curves by epoch.".to_string(),
        width: WIDTH,
        height: HEIGHT,
        rows: None,
        data: Data::Lines(Lines {
            x: "epoch".to_string(),
            y: vec![view.metric.to_string()],
            frame,
            lines: (0..QUANTILES.len()).map(line).collect(),
        }),
        body: stage.body(),
    })
}

/// A dashed line up a panel.
pub(super) fn level_across(stage: &mut Stage, panel: &Panel, value: f64) {
    let layer = Layer { dash: Some("50 40"), ..Layer::default() };
    panel.draw(stage, &layer, |chart| {
        let [from, to] = panel.y.ends();
        let line = vec![(panel.x.at(value), from), (panel.x.at(value), to)];
        let line = PathElement::new(line, stroke(Paint::Muted, 1.2));
        chart.plotting_area().draw(&line).expect("a string takes what is drawn");
    });
}
