//! The share of runs that have reached a goal by each time.

use plotters::element::{PathElement, Polygon};

use super::super::sentence::goal_words;
use super::axis::Axis;
use super::legend::{of_methods, panel_with_legend};
use super::plot::{Data, Frame, Line, Lines, Plot, six_digits};
use super::stage::{Group, Panel, Stage, fill, stroke};
use super::time_to_goal::range_above_zero;
use super::whom::{Whom, times};
use crate::analysis::{Answer, GoalAnswers, MethodOutcomes, ReachedCurves};

const HEIGHT: u32 = 340;
/// As many steps of a line are drawn; more cannot be told apart.
const STEPS_MAX: usize = 300;
/// As many methods have their bands drawn; of more, they are under the pointer and in the numbers.
const BANDS_MAX: usize = 2;

/// The share of one method from one time on, with its interval where it has one.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Step {
    time_s: f64,
    share: f64,
    low: f64,
    high: f64,
}

/// The plot, or nothing where no run of any method met the goal. Kaplan-Meier curves with their
/// bands, or where runs that were cut do not allow them, what is known for sure.
pub(in crate::report) fn reached(
    goal: &GoalAnswers,
    outcomes: &[MethodOutcomes],
    curves: &ReachedCurves,
    whom: &Whom,
    name: &str,
) -> Option<Plot> {
    let all = || outcomes.iter().flat_map(|m| &m.outcomes);
    let [low, mut high] = range_above_zero(all().filter_map(|o| o.time_to_goal_s))?;
    high = all().filter(|o| o.is_cut).map(|o| o.end_s).fold(high, f64::max);
    let (lines, how) = match &curves.curves {
        Ok(curves) => {
            let of = |m: &MethodOutcomes| curves.iter().find(|c| c.method == m.method);
            let steps = |m: &MethodOutcomes| {
                let steps = of(m).map_or(&[][..], |curve| &curve.steps);
                let step = |s: &crate::analysis::ReachedStep| Step {
                    time_s: s.time_s,
                    share: s.share,
                    low: s.interval.low,
                    high: s.interval.high,
                };
                steps.iter().map(step).collect()
            };
            let lines: Vec<(usize, Vec<Step>)> =
                outcomes.iter().map(|m| (m.method, steps(m))).collect();
            let how = "one less the Kaplan-Meier estimate: a run that was cut leaves, one that \
                       tried everything stays and never gets there; pointwise intervals are under \
                       the pointer";
            (lines, how.to_string())
        }
        Err(why) => {
            let lines = outcomes.iter().map(|m| (m.method, known(m))).collect();
            let how =
                format!("of all runs, those that were cut among them, so at least so many: {why}");
            (lines, how)
        }
    };
    let shown = whom.order(lines);
    let keys: Vec<usize> = shown.iter().rev().map(|(method, _)| *method).collect();
    let entries = of_methods(whom, &keys);
    let axes = [
        Axis::time(low, high, "time on the simulated clock"),
        Axis::share("share of runs that reached the goal"),
    ];
    let (mut stage, panel) = panel_with_legend(&entries, HEIGHT, axes);
    for (method, steps) in &shown {
        let of = outcomes.iter().find(|m| m.method == *method).expect("one of the methods");
        // The line ends where nobody is watched any more.
        let until = of.outcomes.iter().map(|o| o.at_least_s().min(high)).fold(0.0, f64::max);
        let has_band = shown.len() <= BANDS_MAX;
        draw(&mut stage, &panel, whom, *method, &thinned(steps), until, has_band);
    }
    let lines = shown.iter().rev().map(|(method, steps)| line(whom, *method, &thinned(steps)));
    let lines = lines.collect();
    let frame = Frame::new(&stage, &panel, true, ["time", "share"]);
    let goal_is = goal_words(&goal.goal);
    let row = |a: &Answer| format!("{}: {}", whom.name(a.method), times(a));
    let rows: Vec<String> = goal.answers.iter().take(12).map(row).collect();
    Some(Plot {
        name: name.to_string(),
        title: format!("Who has reached {goal_is} on {} by when", goal.table),
        caption: format!(
            "The share of runs that have reached the goal by each time ({how}). The further up and \
             left, the sooner."
        ),
        alternative: format!("Lines rise with time. {}.", rows.join("; ")),
        width: stage.width,
        height: stage.height,
        rows: None,
        data: Data::Lines(Lines {
            x: "time_s".to_string(),
            y: ["share_reached", "interval_low", "interval_high"].map(String::from).to_vec(),
            frame,
            lines,
        }),
        body: stage.body(),
    })
}

/// The share of all runs that surely have reached the goal, by the times at which they did.
#[expect(clippy::cast_precision_loss, reason = "counts of runs")]
fn known(of: &MethodOutcomes) -> Vec<Step> {
    let mut times: Vec<f64> = of.outcomes.iter().filter_map(|o| o.time_to_goal_s).collect();
    times.sort_by(f64::total_cmp);
    let all = of.outcomes.len() as f64;
    let step = |(at, time_s): (usize, &f64)| Step {
        time_s: *time_s,
        share: (at + 1) as f64 / all,
        low: f64::NAN,
        high: f64::NAN,
    };
    times.iter().enumerate().map(step).collect()
}

fn draw(
    stage: &mut Stage,
    panel: &Panel,
    whom: &Whom,
    method: usize,
    steps: &[Step],
    until: f64,
    has_band: bool,
) {
    let group =
        Group { method: Some(whom.number(method)), dash: whom.dash(method), ..Group::default() };
    let paint = whom.paint(method);
    let [x_low, _] = panel.x.ends();
    let path = |of: fn(&Step) -> f64| {
        let mut path = vec![(x_low, 0.0)];
        for step in steps {
            let (x, before) = (panel.x.at(step.time_s), path[path.len() - 1].1);
            path.extend([(x, before), (x, of(step))]);
        }
        path.push((panel.x.at(until), path[path.len() - 1].1));
        path
    };
    panel.draw(stage, &group, |chart| {
        let area = chart.plotting_area();
        if has_band && steps.iter().all(|step| step.low.is_finite() && step.high.is_finite()) {
            let mut outline = path(|step| step.low);
            outline.extend(path(|step| step.high).into_iter().rev());
            let band = Polygon::new(outline, fill(paint, 0.14));
            area.draw(&band).expect("a string takes what is drawn");
        }
        let line = PathElement::new(path(|step| step.share), stroke(paint, whom.width(method)));
        area.draw(&line).expect("a string takes what is drawn");
    });
}

fn line(whom: &Whom, method: usize, steps: &[Step]) -> Line {
    let m = whom.number(method);
    let list = |of: fn(&Step) -> f64| steps.iter().map(|step| six_digits(of(step))).collect();
    Line {
        m,
        name: whom.names[m].clone(),
        x: list(|step| step.time_s),
        y: vec![list(|step| step.share), list(|step| step.low), list(|step| step.high)],
    }
}

/// Evenly many of the steps where there are too many, the last among them.
fn thinned(steps: &[Step]) -> Vec<Step> {
    let every = steps.len().div_ceil(STEPS_MAX).max(1);
    let kept = |at: &usize| (at + 1).is_multiple_of(every) || at + 1 == steps.len();
    (0..steps.len()).filter(kept).map(|at| steps[at]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Outcome;

    #[test]
    fn thinned_steps_keep_the_last() {
        let step = |at: u32| Step { time_s: f64::from(at), share: 0.0, low: 0.0, high: 0.0 };
        let steps: Vec<Step> = (0..1_001).map(step).collect();
        let kept = thinned(&steps);
        assert!(kept.len() <= STEPS_MAX && kept.last() == steps.last(), "{}", kept.len());
        assert_eq!(thinned(&steps[..7]), &steps[..7]);
        assert!(thinned(&[]).is_empty());
    }

    #[test]
    fn what_is_known_for_sure_is_of_all_runs() {
        let run = |time_to_goal_s: Option<f64>, is_cut| Outcome {
            repeat: 0,
            seed: 0,
            time_to_goal_s,
            end_s: 5.0,
            is_cut,
        };
        let outcomes =
            vec![run(Some(2.0), false), run(None, true), run(Some(1.0), false), run(None, false)];
        let steps = known(&MethodOutcomes { method: 0, outcomes });
        let found: Vec<(f64, f64)> = steps.iter().map(|s| (s.time_s, s.share)).collect();
        assert_eq!(found, [(1.0, 0.25), (2.0, 0.5)]);
    }
}
