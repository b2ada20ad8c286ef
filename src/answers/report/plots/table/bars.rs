//! Histograms.

use plotters::element::Rectangle;

use super::super::super::human;
use super::super::axis::Axis;
use super::super::paint::Paint;
use super::super::plot::{Cell, Data, Plot};
use super::super::stage::{Group, Panel, Stage, WIDTH, fill};
use super::TableView;
use super::curves::level_across;

const HEIGHT: u32 = 260;

/// A histogram in the making.
struct Bars<'a> {
    name: &'static str,
    title: String,
    caption: String,
    /// Ends of bins, one more than counts.
    edges: &'a [f64],
    counts: &'a [usize],
    x: Axis,
    words: fn(f64) -> String,
    /// A line to draw, and what it is.
    mark: Option<f64>,
}

/// How good whole curves are.
pub(super) fn values(view: &TableView<'_>) -> Option<Plot> {
    let values = &view.facts.values;
    let (low, high) = (*values.edges.first()?, *values.edges.last()?);
    let chance = values.chance.map_or_else(String::new, |_| " Dashed: chance.".to_string());
    let never = values.never_above.iter().map(|never| {
        let margin = if never.margin == 0.0 {
            String::new()
        } else {
            format!(" by more than {}", human::plain(never.margin))
        };
        format!("{} are never above chance{margin}", percent(never.share))
    });
    let never: Vec<String> = never.collect();
    let diverged = format!("{} diverged", percent(values.diverged_share));
    let said = [never, vec![diverged]].concat().join(", ");
    let low = values.chance.map_or(low, |chance| chance.min(low));
    let high = values.chance.map_or(high, |chance| chance.max(high));
    Some(plot(Bars {
        name: "values",
        title: format!("Values of whole curves of {}", view.name),
        caption: format!("Configurations by the value of their best epoch: {said}.{chance}"),
        edges: &values.edges,
        counts: &values.counts,
        x: Axis::linear(low, high, view.metric),
        words: human::value,
        mark: values.chance,
    }))
}

fn percent(share: f64) -> String {
    format!("{} %", human::number(100.0 * share))
}

/// What whole curves cost.
pub(super) fn costs(view: &TableView<'_>) -> Option<Plot> {
    let costs = &view.facts.costs;
    let (low, high) = (*costs.edges.first()?, *costs.edges.last()?);
    let [q05, _, median, _, q95] = costs.quantiles.map(human::time);
    Some(plot(Bars {
        name: "costs",
        title: format!("Costs of whole curves of {}", view.name),
        caption: format!(
            "Configurations by what all their epochs cost: median {median}, 90 % between {q05} and \
             {q95}; all together {}.",
            human::time(costs.total_seconds)
        ),
        edges: &costs.edges,
        counts: &costs.counts,
        x: Axis::time(low, high, "cost of a whole curve"),
        words: human::time,
        mark: None,
    }))
}

/// When curves are first near their best.
pub(super) fn near(view: &TableView<'_>) -> Option<Plot> {
    let progress = &view.facts.progress;
    let median = progress.near_median?;
    let edges: Vec<f64> = (0..=progress.near_from.len())
        .map(|e| super::super::time_to_goal::row_number(e) + 0.5)
        .collect();
    let dips: Vec<String> = progress
        .dips
        .iter()
        .map(|dip| format!("{} dip by more than {}", percent(dip.share), human::plain(dip.by)))
        .collect();
    Some(plot(Bars {
        name: "near",
        title: format!("When curves of {} are there", view.name),
        caption: format!(
            "Curves by the epoch at which they first are within {} of their own best: the median \
             at epoch {}. On the way {}.",
            human::plain(progress.near),
            median.0,
            dips.join(", ")
        ),
        edges: &edges,
        counts: &progress.near_from,
        x: Axis::linear(edges[0], edges[edges.len() - 1], "epoch"),
        words: |edge| human::plain(edge + 0.5),
        mark: None,
    }))
}

fn plot(bars: Bars<'_>) -> Plot {
    let most = bars.counts.iter().copied().max().unwrap_or(0).max(1);
    let mut stage = Stage::new(WIDTH, HEIGHT);
    let count = super::super::time_to_goal::row_number;
    let panel = Panel {
        left: 60,
        top: 26,
        right: 20,
        bottom: 44,
        x: bars.x,
        y: Axis::linear(0.0, 1.05 * count(most), "configurations"),
    };
    panel.axes(&mut stage, false);
    let mut rows = Vec::new();
    for (at, number) in bars.counts.iter().enumerate() {
        let (from, to) = (bars.edges[at], bars.edges[at + 1]);
        rows.push(vec![from.into(), to.into(), (*number).into()]);
        if *number == 0 {
            continue;
        }
        let tip =
            format!("{} to {}\n{number} configurations", (bars.words)(from), (bars.words)(to));
        panel.draw(&mut stage, &Group { tip, ..Group::default() }, |chart| {
            let (left, right) = (panel.x.at(from), panel.x.at(to));
            // A hair of paper between bars; a single value is a bar, too.
            let [x_low, x_high] = panel.x.ends();
            let hair = 0.001 * (x_high - x_low);
            let right = (right - hair).max(left + hair);
            let ends = [(left, panel.y.at(0.0)), (right, panel.y.at(count(*number)))];
            let bar = Rectangle::new(ends, fill(Paint::Series(0), 0.75));
            chart.plotting_area().draw(&bar).expect("a string takes what is drawn");
        });
    }
    if let Some(mark) = bars.mark {
        level_across(&mut stage, &panel, mark);
    }
    Plot {
        name: bars.name.to_string(),
        alternative: bars.caption.clone(),
        title: bars.title,
        caption: bars.caption,
        width: WIDTH,
        height: HEIGHT,
        rows: None,
        data: Data::Rows {
            columns: ["from", "to", "configurations"].map(String::from).to_vec(),
            rows: rows as Vec<Vec<Cell>>,
        },
        body: stage.body(),
    }
}
