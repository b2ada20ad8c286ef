//! What methods have by every moment: value, regret, targets, rank.

use plotters::element::{PathElement, Polygon};

use super::axis::Axis;
use super::legend::{of_methods, panel_with_legend};
use super::plot::{Data, Frame, Line, Lines, Plot, six_digits};
use super::stage::{Group, Panel, fill, stroke};
use super::whom::Whom;
use crate::anytime::{Band, MethodCurves, TableCurves};

const HEIGHT: u32 = 330;
/// As many methods have their quartiles drawn as surfaces; of more, medians alone.
const BANDS_MAX: usize = 3;
/// Regrets below this are drawn at the edge.
const REGRET_MIN: f64 = 1e-4;

/// One way of looking at what methods have.
struct View {
    what: &'static str,
    title: String,
    caption: &'static str,
    y: Axis,
    names: Vec<&'static str>,
    words: &'static str,
    /// Of each method, its line and quartiles where it has any: lists as long as the grid of times.
    of: Vec<(usize, Vec<Vec<f64>>)>,
}

/// The plots that the curves of a table allow.
pub(in crate::report) fn anytime(curves: &TableCurves, whom: &Whom, prefix: &str) -> Vec<Plot> {
    let views = [best(curves), regret(curves), targets(curves), rank(curves)];
    views.into_iter().flatten().map(|view| plot(curves, whom, prefix, view)).collect()
}

/// The median, and the quartiles: those that are infinite are no number.
fn lists(bands: &[Band]) -> Vec<Vec<f64>> {
    let number = |value: f64| if value.is_finite() { value } else { f64::NAN };
    let list = |of: fn(&Band) -> f64| bands.iter().map(|band| number(of(band))).collect();
    vec![list(|b| b.median), list(|b| b.q25), list(|b| b.q75)]
}

fn best(curves: &TableCurves) -> Option<View> {
    let of: Vec<_> = curves.methods.iter().map(|m| (m.method, lists(&m.best))).collect();
    let mut medians: Vec<f64> =
        of.iter().flat_map(|(_, l)| &l[0]).copied().filter(|v| v.is_finite()).collect();
    medians.sort_by(f64::total_cmp);
    let (first, last) = (*medians.first()?, *medians.last()?);
    // Of the beginning, where values are bad, no more than a tenth of the medians is cut off.
    let tenth = medians.len() / 10;
    let (low, high) = if curves.larger_is_better {
        (medians[tenth], last)
    } else {
        (first, medians[medians.len() - 1 - tenth])
    };
    let room = 0.03 * (high - low);
    Some(View {
        what: "best",
        title: format!("Best value by when on {}", curves.table),
        caption: "The median over runs of the best value so far; quartiles are under the pointer \
                  and in the numbers. A line ends where a run was cut; a run that has ended holds \
                  what it had.",
        y: Axis::linear(low - room, high + room, "best value so far"),
        names: vec!["best_median", "best_q25", "best_q75"],
        words: "value",
        of,
    })
}

fn regret(curves: &TableCurves) -> Option<View> {
    let of = curves.methods.iter().map(|m| Some((m.method, lists(m.regret.as_ref()?))));
    let of = of.collect::<Option<Vec<_>>>()?;
    let positive = of.iter().flat_map(|(_, l)| &l[0]).copied().filter(|v| *v > 0.0);
    let low = positive.fold(f64::INFINITY, f64::min).clamp(REGRET_MIN, 0.5);
    Some(View {
        what: "regret",
        title: format!("Regret by when on {}", curves.table),
        caption: "How far the best so far is from the best of the table, where 1 is the table's \
                  median configuration and 0 its best: medians over runs. What lies below the \
                  axis, 0 among it, is drawn at its edge.",
        y: Axis::log(low, 1.0, "normalised regret"),
        names: vec!["regret_median", "regret_q25", "regret_q75"],
        words: "number",
        of,
    })
}

fn targets(curves: &TableCurves) -> Option<View> {
    let of = curves.methods.iter().map(|m| Some((m.method, vec![m.targets_reached.clone()?])));
    Some(View {
        what: "targets",
        title: format!("Targets reached by when on {}", curves.table),
        caption: "The share of 51 targets, from the table's best half to its best row, that runs \
                  have reached (all runs and targets pooled, as COCO does). Unlike one goal it \
                  rewards being early at easy targets too.",
        y: Axis::share("share of targets reached"),
        names: vec!["targets_reached"],
        words: "share",
        of: of.collect::<Option<Vec<_>>>()?,
    })
}

fn rank(curves: &TableCurves) -> Option<View> {
    let of = curves.methods.iter().map(|m| Some((m.method, vec![m.mean_rank.clone()?])));
    let of = of.collect::<Option<Vec<_>>>()?;
    #[expect(clippy::cast_precision_loss, reason = "methods are few")]
    let last = of.len() as f64;
    Some(View {
        what: "rank",
        title: format!("Rank by when on {}", curves.table),
        caption: "The mean over repeats of a method's rank by its best value so far, 1 the best, \
                  equal ones sharing theirs. A rank depends on who else is compared.",
        y: Axis::linear(1.0, last.max(2.0), "mean rank").reversed(),
        names: vec!["mean_rank"],
        words: "number",
        of,
    })
}

fn plot(curves: &TableCurves, whom: &Whom, prefix: &str, view: View) -> Plot {
    let shown = whom.order(view.of);
    let keys: Vec<usize> = shown.iter().rev().map(|(method, _)| *method).collect();
    let entries = of_methods(whom, &keys);
    let (low, high) = ends(curves);
    let title = "time on the simulated clock";
    let axes = [
        if curves.is_log {
            Axis::time(low, high, title)
        } else {
            Axis::plain_time(low, high, title)
        },
        view.y,
    ];
    let (mut stage, panel) = panel_with_legend(&entries, HEIGHT, axes);
    let mut lines = Vec::new();
    for (method, lists) in &shown {
        let of = curves.methods.iter().find(|m| m.method == *method).expect("one of the methods");
        let until = known(curves, of);
        let group = Group {
            method: Some(whom.number(*method)),
            dash: whom.dash(*method),
            ..Group::default()
        };
        let times = &curves.times_s[..until];
        panel.draw(&mut stage, &group, |chart| {
            let paint = whom.paint(*method);
            let area = chart.plotting_area();
            if let ([_, low, high], true) = (&lists[..], shown.len() <= BANDS_MAX) {
                for (from, to) in pieces(times, low, high) {
                    let steps = |of: &[f64]| steps(&panel, &times[from..to], &of[from..to]);
                    let mut outline = steps(low);
                    outline.extend(steps(high).into_iter().rev());
                    let surface = Polygon::new(outline, fill(paint, 0.14));
                    area.draw(&surface).expect("a string takes what is drawn");
                }
            }
            for (from, to) in pieces(times, &lists[0], &lists[0]) {
                let path = steps(&panel, &times[from..to], &lists[0][from..to]);
                let line = PathElement::new(path, stroke(paint, whom.width(*method)));
                area.draw(&line).expect("a string takes what is drawn");
            }
        });
        let m = whom.number(*method);
        let numbers = |list: &Vec<f64>| list[..until].iter().map(|v| six_digits(*v)).collect();
        lines.push(Line {
            m,
            name: whom.names[m].clone(),
            x: times.iter().map(|t| six_digits(*t)).collect(),
            y: lists.iter().map(numbers).collect(),
        });
    }
    lines.reverse();
    let frame = Frame::new(&stage, &panel, true, ["time", view.words]);
    let last = |l: &Line| {
        let value = l.y[0].last().copied().unwrap_or(f64::NAN);
        format!("{} ends at {}", l.name, super::super::human::value(value))
    };
    let said: Vec<String> = lines.iter().take(12).map(last).collect();
    Plot {
        name: format!("{prefix}{}-{}", view.what, file_part(&curves.table)),
        title: view.title,
        caption: view.caption.to_string(),
        alternative: format!("Lines over time. {}.", said.join("; ")),
        width: stage.width,
        height: stage.height,
        rows: None,
        data: Data::Lines(Lines {
            x: "time_s".to_string(),
            y: view.names.into_iter().map(String::from).collect(),
            frame,
            lines,
        }),
        body: stage.body(),
    }
}

/// How many times of the grid a method's line goes to: where a run was cut nobody knows on.
fn known(curves: &TableCurves, of: &MethodCurves) -> usize {
    let until = of.watched_s.unwrap_or(f64::INFINITY);
    curves.times_s.partition_point(|time| *time <= until)
}

/// From where on the median of some method is a number, to the last time.
fn ends(curves: &TableCurves) -> (f64, f64) {
    let begins = |m: &MethodCurves| m.best.iter().position(|band| band.median.is_finite());
    let first = curves.methods.iter().filter_map(begins).min().unwrap_or(0);
    let mut from = curves.times_s.iter().skip(first).copied().filter(|time| *time > 0.0);
    let low = from.next().unwrap_or(1e-3);
    (low, from.next_back().unwrap_or(low))
}

/// The stretches over which both lists are numbers.
fn pieces(times: &[f64], low: &[f64], high: &[f64]) -> Vec<(usize, usize)> {
    let is_known = |at: usize| !low[at].is_nan() && !high[at].is_nan();
    let (mut found, mut from) = (Vec::new(), None);
    for at in 0..=times.len() {
        let known = at < times.len() && is_known(at);
        match (known, from) {
            (true, None) => from = Some(at),
            (false, Some(start)) => {
                found.push((start, at));
                from = None;
            }
            _ => {}
        }
    }
    found
}

/// A line that holds each number until the next.
fn steps(panel: &Panel, times: &[f64], values: &[f64]) -> Vec<(f64, f64)> {
    let mut path: Vec<(f64, f64)> = Vec::with_capacity(2 * times.len());
    for (time, value) in times.iter().zip(values) {
        let (x, y) = (panel.x.at(*time), panel.y.at(*value));
        match path.last() {
            // A line that goes on straight needs no corner.
            Some((_, before)) if *before == y => {}
            Some((_, before)) => path.extend([(x, *before), (x, y)]),
            None => path.push((x, y)),
        }
    }
    if let (Some(time), Some((_, y))) = (times.last(), path.last()) {
        path.push((panel.x.at(*time), *y));
    }
    path
}

/// A name as part of a file's name.
pub(in crate::report) fn file_part(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let part: String = name.chars().map(plain).take(40).collect();
    if part.is_empty() { "table".to_string() } else { part }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_where_nothing_is_known() {
        let nan = f64::NAN;
        let times = [1.0, 2.0, 3.0, 4.0, 5.0];
        let low = [nan, 1.0, 1.0, nan, 2.0];
        assert_eq!(pieces(&times, &low, &low), [(1, 3), (4, 5)]);
        assert_eq!(pieces(&times, &low, &[nan, nan, 1.0, 1.0, nan]), [(2, 3)]);
        assert!(pieces(&[], &[], &[]).is_empty());
        assert_eq!(file_part("My <table>/1"), "my--table--1");
    }

    #[test]
    fn steps_hold_until_the_next() {
        let panel = Panel {
            left: 0,
            top: 0,
            right: 0,
            bottom: 0,
            x: Axis::linear(0.0, 10.0, ""),
            y: Axis::linear(0.0, 1.0, ""),
        };
        let path = steps(&panel, &[1.0, 2.0, 3.0, 4.0], &[0.5, 0.5, 0.7, 0.7]);
        assert_eq!(path, [(1.0, 0.5), (3.0, 0.5), (3.0, 0.7), (4.0, 0.7)]);
    }
}
