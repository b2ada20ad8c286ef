//! Performance profiles over tables and goals.

use plotters::element::PathElement;

use super::axis::Axis;
use super::legend::{of_methods, panel_with_legend};
use super::plot::{Data, Frame, Line, Lines, Plot, six_digits};
use super::stage::{Group, stroke};
use super::whom::Whom;
use crate::analysis::Profiles;

const HEIGHT: u32 = 320;
/// Factors beyond this are not drawn.
const FACTOR_MAX: f64 = 16.0;

/// The plot: on which share of problems each method is within a factor of the soonest.
pub(in crate::report) fn profiles(of: &Profiles, whom: &Whom, prefix: &str) -> Plot {
    let shown = whom.order(of.methods.iter().map(|m| (m.method, m)).collect());
    let keys: Vec<usize> = shown.iter().rev().map(|(method, _)| *method).collect();
    let entries = of_methods(whom, &keys);
    let axes = [
        Axis::factor(1.0, FACTOR_MAX, "factor of the soonest method's median time"),
        Axis::share("share of tables and goals"),
    ];
    let (mut stage, panel) = panel_with_legend(&entries, HEIGHT, axes);
    let mut lines = Vec::new();
    for (method, profile) in &shown {
        let steps = &profile.profile;
        let group = Group {
            method: Some(whom.number(*method)),
            dash: whom.dash(*method),
            ..Group::default()
        };
        panel.draw(&mut stage, &group, |chart| {
            let [x_low, x_high] = panel.x.ends();
            let mut path = vec![(x_low, steps.before())];
            for (factor, share) in steps.times().iter().zip(steps.values()) {
                let (x, before) = (panel.x.at(*factor), path[path.len() - 1].1);
                path.extend([(x, before), (x, *share)]);
            }
            path.push((x_high, path[path.len() - 1].1));
            let line = PathElement::new(path, stroke(whom.paint(*method), whom.width(*method)));
            chart.plotting_area().draw(&line).expect("a string takes what is drawn");
        });
        let m = whom.number(*method);
        let list = |of: &[f64]| of.iter().map(|v| six_digits(*v)).collect::<Vec<f64>>();
        let (x, y) = (list(steps.times()), vec![list(steps.values())]);
        lines.push(Line { m, name: whom.names[m].clone(), x, y });
    }
    lines.reverse();
    let frame = Frame::new(&stage, &panel, true, ["number", "share"]);
    let score = |m: &crate::analysis::Profile| format!("{} {:.2}", whom.name(m.method), m.score);
    let scores: Vec<String> = of.methods.iter().map(score).collect();
    Plot {
        name: format!("{prefix}profiles"),
        title: format!("Over all {} tables and goals", of.problems),
        caption: format!(
            "On which share of tables and goals a method's median time is within a factor of the \
             soonest's there (Dolan and More 2002). The mean over factors 1 to 4 (the score of \
             AlgoPerf): {}.",
            scores.join(", ")
        ),
        alternative: format!("Lines rise with the factor. {}.", scores.join(", ")),
        width: stage.width,
        height: stage.height,
        rows: None,
        data: Data::Lines(Lines {
            x: "factor".to_string(),
            y: vec!["share_of_problems".to_string()],
            frame,
            lines,
        }),
        body: stage.body(),
    }
}
