//! The share of runs that have reached a goal by each time.

use base::stats::kaplan_meier::{KaplanMeier, Observation};
use plotters::element::PathElement;

use super::super::sentence::goal_words;
use super::axis::Axis;
use super::legend::{legend, legend_height, of_methods};
use super::plot::Frame;
use super::plot::{Data, Line, Lines, Plot, six_digits};
use super::stage::{Group, Panel, Stage, stroke};
use super::time_to_goal::range_above_zero;
use super::whom::{Whom, times};
use crate::analysis::{Answer, GoalAnswers, MethodOutcomes};

const WIDTH: u32 = 760;
const HEIGHT: u32 = 340;
/// As many steps of a line are drawn; more cannot be told apart.
const STEPS_MAX: usize = 300;

/// The plot, or nothing where no run of any method met the goal.
pub(in crate::report) fn reached(
    goal: &GoalAnswers,
    outcomes: &[MethodOutcomes],
    whom: &Whom,
    name: &str,
) -> Option<Plot> {
    let all = || outcomes.iter().flat_map(|m| &m.outcomes);
    let [low, mut high] = range_above_zero(all().filter_map(|o| o.time_to_goal_s))?;
    let cut = all().filter(|o| o.is_cut).map(|o| o.end_s);
    high = cut.fold(high, f64::max);
    let shown = whom.order(outcomes.iter().map(|m| (m.method, m)).collect());
    let keys: Vec<usize> = shown.iter().rev().map(|(method, _)| *method).collect();
    let entries = of_methods(whom, &keys);
    let below = legend_height(&entries, WIDTH);
    let mut stage = Stage::new(WIDTH, HEIGHT + below);
    let panel = Panel {
        left: 56,
        top: 26,
        right: 20,
        bottom: 44 + below,
        x: Axis::time(low, high, "time on the simulated clock"),
        y: Axis::share("share of runs that reached the goal"),
    };
    panel.axes(&mut stage, false);
    let mut lines = Vec::new();
    for (method, runs) in shown {
        let observed = runs
            .outcomes
            .iter()
            .map(|o| Observation { time: o.at_least_s(), reached: o.time_to_goal_s.is_some() });
        let estimate = KaplanMeier::new(&observed.collect::<Vec<_>>());
        let all: Vec<(f64, f64)> =
            estimate.steps.iter().map(|step| (step.time, 1.0 - step.survival)).collect();
        let steps = thinned(&all);
        // The line ends where nobody is watched any more.
        let until = runs.outcomes.iter().map(|o| o.at_least_s().min(high)).fold(0.0, f64::max);
        let group = Group {
            method: Some(whom.number(method)),
            dash: whom.dash(method),
            ..Group::default()
        };
        panel.draw(&mut stage, &group, |chart| {
            let [x_low, _] = panel.x.ends();
            let mut path = vec![(x_low, 0.0)];
            for (time, share) in &steps {
                let (x, before) = (panel.x.at(*time), path[path.len() - 1].1);
                path.extend([(x, before), (x, *share)]);
            }
            path.push((panel.x.at(until), path[path.len() - 1].1));
            let line = PathElement::new(path, stroke(whom.paint(method), whom.width(method)));
            chart.plotting_area().draw(&line).expect("a string takes what is drawn");
        });
        let [x, y] = [
            steps.iter().map(|(time, _)| six_digits(*time)).collect(),
            steps.iter().map(|(_, share)| six_digits(*share)).collect(),
        ];
        let m = whom.number(method);
        lines.push(Line { m, name: whom.names[m].clone(), x, y: vec![y] });
    }
    legend(&mut stage, &entries, HEIGHT);
    lines.reverse();
    let frame = Frame::new(&stage, &panel, true, ["time", "share"]);
    let goal_is = goal_words(&goal.goal);
    let row = |a: &Answer| format!("{}: {}", whom.name(a.method), times(a));
    let rows: Vec<String> = goal.answers.iter().take(12).map(row).collect();
    Some(Plot {
        name: name.to_string(),
        title: format!("Who has reached {goal_is} on {} by when", goal.table),
        caption: "The share of runs that have reached the goal by each time (one less the \
                  Kaplan-Meier estimate: a run that was cut leaves, one that tried everything \
                  stays and never gets there). The further up and left, the sooner."
            .to_string(),
        alternative: format!("Lines rise with time. {}.", rows.join("; ")),
        width: stage.width,
        height: stage.height,
        rows: None,
        data: Data::Lines(Lines {
            x: "time_s".to_string(),
            y: vec!["share_reached".to_string()],
            frame,
            lines,
        }),
        body: stage.body(),
    })
}

/// Evenly many of the steps where there are too many, the last among them.
fn thinned(steps: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let every = steps.len().div_ceil(STEPS_MAX).max(1);
    let kept = |at: &usize| (at + 1) % every == 0 || at + 1 == steps.len();
    (0..steps.len()).filter(kept).map(|at| steps[at]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinned_steps_keep_the_last() {
        let steps: Vec<(f64, f64)> = (0..1_001_u32).map(|at| (f64::from(at), 0.0)).collect();
        let kept = thinned(&steps);
        assert!(kept.len() <= STEPS_MAX && kept.last() == steps.last(), "{}", kept.len());
        assert_eq!(thinned(&steps[..7]), &steps[..7]);
        assert!(thinned(&[]).is_empty());
    }
}
