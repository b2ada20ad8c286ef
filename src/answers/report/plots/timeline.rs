//! What the workers of one run did when.

use plotters::element::Rectangle;

use super::super::human;
use super::axis::Axis;
use super::legend::{Entry, Sample, legend, legend_height};
use super::plot::{Cell, Data, Plot};
use super::spent::STATES;
use super::stage::{Group, Panel, Stage, WIDTH, fill};
use super::time_to_goal::row_number;
use super::whom::Whom;
use crate::anytime::{Bar, Timeline};

/// The tallest and the lowest row, and the tallest plot, in pixels.
const ROW_MAX: u32 = 18;
const HEIGHT_MAX: u32 = 420;
/// Bars of which a pointer reads each; more are one group a state.
const TIPS_MAX: usize = 400;

/// The plot, or nothing where the run started nothing. With one worker a row is a trial, with
/// several a worker.
pub(in crate::report) fn timeline(of: &Timeline, whom: &Whom, name: &str) -> Option<Plot> {
    let last = of.bars.iter().map(|bar| bar.end_s).fold(0.0, f64::max);
    if of.bars.is_empty() || last <= 0.0 {
        return None;
    }
    let is_alone = of.workers == 1;
    let row = |bar: &Bar| if is_alone { bar.trial } else { bar.worker } as usize;
    let rows = of.bars.iter().map(row).max().unwrap_or(0) + 1;
    let count = u32::try_from(rows).expect("rows of one run");
    let height = (ROW_MAX * count).min(HEIGHT_MAX);
    let states = [0, 1, 2, 3, 4].map(|at| STATES[at]);
    let name_of = |at: usize| if at == 2 { "paused" } else { states[at].0 };
    let is_there = |at: usize| of.bars.iter().any(|bar| state(bar) == at);
    let entry = |at| Entry { method: None, name: name_of(at).to_string(), sample: states[at].1 };
    let entries: Vec<Entry> = (0..states.len()).filter(|at| is_there(*at)).map(entry).collect();
    let below = legend_height(&entries, WIDTH);
    let mut stage = Stage::new(WIDTH, 26 + height + 48 + below);
    let mut y = Axis::rows(rows);
    y.title = if is_alone { "a row a trial" } else { "a row a worker" }.to_string();
    let panel = Panel {
        left: 56,
        top: 26,
        right: 20,
        bottom: 48 + below,
        x: Axis::plain_time(0.0, last, "time on the simulated clock"),
        y,
    };
    panel.axes(&mut stage, false);
    let pixel = last / f64::from(WIDTH - 76);
    let draw = |stage: &mut Stage, tip: String, bars: &[&Bar]| {
        let group = Group { tip, ..Group::default() };
        panel.draw(stage, &group, |chart| {
            for bar in bars {
                let Sample::Surface(paint, opacity) = states[state(bar)].1 else { continue };
                let top = row_number(row(bar));
                // What is shorter than a pixel is still to be seen.
                let end = bar.end_s.max(bar.start_s + pixel);
                let corners = [(panel.x.at(bar.start_s), top + 0.1), (panel.x.at(end), top + 0.9)];
                let bar = Rectangle::new(corners, fill(paint, opacity));
                chart.plotting_area().draw(&bar).expect("a string takes what is drawn");
            }
        });
    };
    if of.bars.len() <= TIPS_MAX {
        for bar in &of.bars {
            draw(&mut stage, words(bar, name_of(state(bar))), &[bar]);
        }
    } else {
        for at in 0..states.len() {
            let bars: Vec<&Bar> = of.bars.iter().filter(|bar| state(bar) == at).collect();
            draw(&mut stage, name_of(at).to_string(), &bars);
        }
    }
    legend(&mut stage, &entries, 26 + height + 48);
    let method = whom.name(of.method);
    Some(Plot {
        name: name.to_string(),
        title: format!("One run of {method}"),
        caption: format!(
            "Repeat {}, the one nearest to the median time to the goal: a bar a segment of a \
             trial, by what became of it then.",
            of.repeat
        ),
        alternative: format!(
            "{} segments of trials over {}, by what became of them.",
            of.bars.len(),
            human::time(last)
        ),
        width: stage.width,
        height: stage.height,
        rows: None,
        data: data(of, &name_of),
        body: stage.body(),
    })
}

/// The number of what became of a segment, in [`STATES`].
fn state(bar: &Bar) -> usize {
    use replay::State::{Completed, Cut, Failed, Paused, Running, Stopped};
    match bar.end_state {
        Completed => 0,
        Stopped => 1,
        Paused => 2,
        Failed => 3,
        // A segment that runs on has been cut by whoever looks.
        Cut | Running => 4,
    }
}

fn words(bar: &Bar, state: &str) -> String {
    let value = bar.value.map_or("no value".to_string(), |v| format!("value {}", human::value(v)));
    format!(
        "trial {}, configuration {}, worker {}\n{} to {}, {} epochs so far\n{value}, {state}",
        bar.trial,
        bar.config.0,
        bar.worker,
        human::time(bar.start_s),
        human::time(bar.end_s),
        bar.epochs
    )
}

fn data(of: &Timeline, name_of: &dyn Fn(usize) -> &'static str) -> Data {
    let columns =
        ["trial", "config_id", "worker", "start_s", "end_s", "epochs", "end_state", "value"];
    let number = |n: u32| Cell::Number(f64::from(n));
    let row = |bar: &Bar| {
        vec![
            number(bar.trial),
            number(bar.config.0),
            number(bar.worker),
            bar.start_s.into(),
            bar.end_s.into(),
            number(u32::from(bar.epochs)),
            name_of(state(bar)).into(),
            bar.value.map_or(Cell::Nothing, Cell::from),
        ]
    };
    let rows = of.bars.iter().map(row).collect();
    Data::Rows { columns: columns.map(String::from).to_vec(), rows }
}
