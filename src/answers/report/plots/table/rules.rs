//! What rules stop and let pass.

use plotters::element::PathElement;

use super::super::axis::Axis;
use super::super::legend::{Entry, Sample, panel_with_legend};
use super::super::paint::Paint;
use super::super::plot::{Cell, Data, Plot};
use super::super::stage::{Group, WIDTH, stroke};
use super::TableView;
use super::curves::{level_across, paths, values_axis};
use crate::table::{Illustration, TableCurve};

const HEIGHT: u32 = 300;

/// One plot a rule.
pub(super) fn plots(view: &TableView<'_>) -> Vec<Plot> {
    view.facts.rules.iter().zip(1..).filter_map(|(rule, at)| plot(view, rule, at)).collect()
}

fn plot(view: &TableView<'_>, rule: &Illustration, at: usize) -> Option<Plot> {
    let mut y = values_axis(view)?;
    y.title = view.metric.to_string();
    let line = |name: &str, paint, dash| Entry {
        method: None,
        name: name.to_string(),
        sample: Sample::Line(paint, 2.0, dash),
    };
    let mut entries = vec![
        line("stopped", Paint::Series(1), None),
        line("goes on", Paint::Series(0), Some("70 30")),
        line("what it asks for", Paint::Ink, None),
    ];
    if rule.reference.is_some() {
        entries.push(line("the curve that it was made of", Paint::Muted, Some("20 25")));
    }
    let axes = [Axis::epochs(view.facts.epochs.0, "epoch"), y];
    let (mut stage, panel) = panel_with_legend(&entries, HEIGHT, axes);
    level_across(&mut stage, &panel, f64::from(rule.tau.0));
    let reference: Vec<&TableCurve> = rule.reference.iter().collect();
    let groups: [(&str, Vec<&TableCurve>, Paint, Option<&'static str>); 3] = [
        ("reference", reference, Paint::Muted, Some("20 25")),
        ("goes on", rule.passed_examples.iter().collect(), Paint::Series(0), Some("70 30")),
        ("stopped", rule.stopped_examples.iter().collect(), Paint::Series(1), None),
    ];
    let mut rows = Vec::new();
    for (word, curves, paint, dash) in groups {
        for curve in curves {
            let tip = format!("configuration {}\n{word}", curve.row.0);
            panel.draw(&mut stage, &Group { tip, dash, ..Group::default() }, |chart| {
                for path in paths(&panel, &curve.values) {
                    let line = PathElement::new(path, stroke(paint, 2.0));
                    chart.plotting_area().draw(&line).expect("a string takes what is drawn");
                }
            });
            for (epoch, value) in (1_u16..).zip(&curve.values) {
                let number = |n: u32| Cell::Number(f64::from(n));
                let config = number(curve.row.0);
                rows.push(vec![word.into(), config, number(epoch.into()), (*value).into()]);
            }
        }
    }
    panel.draw(&mut stage, &Group::default(), |chart| {
        let half = 0.03 * f64::from(view.facts.epochs.0);
        let ends = [f64::from(rule.tau.0) - half, f64::from(rule.tau.0) + half];
        let bar = ends.map(|end| (panel.x.at(end), panel.y.at(rule.bar))).to_vec();
        let bar = PathElement::new(bar, stroke(Paint::Ink, 4.0));
        chart.plotting_area().draw(&bar).expect("a string takes what is drawn");
    });
    let caption = format!(
        "At epoch {} it asks for {}. It stops {} of the {} configurations that it asks, {} of the \
         ten best among them. Shown are the best, the middle and the worst of those that it stops, \
         and of those that go on.",
        rule.tau.0,
        super::super::super::human::value(rule.bar),
        rule.stopped,
        rule.asked,
        rule.top_ten_stopped
    );
    Some(Plot {
        name: format!("rule-{at}"),
        title: format!("{} on {}", rule.rule, view.name),
        alternative: caption.clone(),
        caption,
        width: WIDTH,
        height: stage.height,
        rows: None,
        data: Data::Rows {
            columns: ["verdict", "config_id", "epoch", "value"].map(String::from).to_vec(),
            rows,
        },
        body: stage.body(),
    })
}
