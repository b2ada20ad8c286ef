//! What random search comes to on a table by the number of its trials.

use base::stats::Interval;
use base::stats::band::Band;
use base::stats::tuning_curve::{Draws, TuningCurve};
use plotters::element::{PathElement, Polygon};

use super::super::axis::Axis;
use super::super::legend::{Entry, Sample, panel_with_legend};
use super::super::paint::Paint;
use super::super::plot::{Data, Frame, Line, Lines, Plot, six_digits};
use super::super::stage::{Group, WIDTH, fill, stroke};
use super::super::time_to_goal::row_number;
use super::TableView;

const HEIGHT: u32 = 300;
/// As many numbers of trials are looked at.
const POINTS: usize = 60;
/// No more trials than these.
const TRIALS_MAX: usize = 1_000;
/// The narrow band takes a while for more rows; these have the wide one.
const NARROW_ROWS_MAX: usize = 5_000;
const CONFIDENCE: f64 = 0.95;

/// The plot, nothing where no row has a value.
pub(super) fn tuning(view: &TableView<'_>) -> Option<Plot> {
    let facts = &view.facts.values;
    let worst = if view.larger_is_better { facts.sorted.first() } else { facts.sorted.last() };
    let mut values = facts.sorted.clone();
    // Rows without a value are as bad as the worst that has one: nobody would take them.
    values.extend(std::iter::repeat_n(*worst?, facts.without_value));
    let rows = values.len();
    let curve = TuningCurve::new(&values, view.larger_is_better);
    let trials = trials(rows.min(TRIALS_MAX));
    let exact = |p: f64| -> Vec<f64> {
        trials.iter().map(|k| curve.quantile(*k, p, Draws::WithoutReplacement)).collect()
    };
    let (median, low, high) = (exact(0.5), exact(0.25), exact(0.75));
    let kind = if rows <= NARROW_ROWS_MAX { Band::EqualTailed } else { Band::Dkw };
    // What a metric can be at all is not known of every one.
    let support = Interval { low: f64::NEG_INFINITY, high: f64::INFINITY };
    let band = curve.quantile_band(&trials, 0.5, CONFIDENCE, kind, support);
    let entries = [
        ("median, this table", Sample::Line(Paint::Series(0), 2.0, None)),
        ("quartiles, this table", Sample::Surface(Paint::Series(0), 0.25)),
        ("95 % band of the median, the space", Sample::Line(Paint::Muted, 1.2, Some("40 30"))),
    ]
    .map(|(name, sample)| Entry { method: None, name: name.to_string(), sample });
    let all = || median.iter().chain(&low).chain(&high).copied();
    let (least, most) =
        (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    let room = 0.03 * (most - least);
    let last = row_number(*trials.last().expect("a table has a row"));
    let axes = [
        Axis::log(1.0, last, "trials, each to its end"),
        Axis::linear(least - room, most + room, view.metric),
    ];
    let (mut stage, panel) = panel_with_legend(&entries, HEIGHT, axes);
    let path = |of: &[f64]| -> Vec<(f64, f64)> {
        let point = |(k, v): (&usize, &f64)| (panel.x.at(row_number(*k)), panel.y.at(*v));
        trials.iter().zip(of).map(point).collect()
    };
    panel.draw(&mut stage, &Group::default(), |chart| {
        let area = chart.plotting_area();
        let mut outline = path(&low);
        outline.extend(path(&high).into_iter().rev());
        let surface = Polygon::new(outline, fill(Paint::Series(0), 0.25));
        area.draw(&surface).expect("a string takes what is drawn");
        let line = PathElement::new(path(&median), stroke(Paint::Series(0), 2.0));
        area.draw(&line).expect("a string takes what is drawn");
    });
    let ends: [Vec<f64>; 2] =
        [band.iter().map(|i| i.low).collect(), band.iter().map(|i| i.high).collect()];
    for end in &ends {
        let group = Group { dash: Some("40 30"), ..Group::default() };
        panel.draw(&mut stage, &group, |chart| {
            // Where the rows do not bound it, it has no end to draw.
            let known: Vec<(f64, f64)> = path(end)
                .into_iter()
                .zip(end)
                .filter(|(_, value)| value.is_finite())
                .map(|(point, _)| point)
                .collect();
            let line = PathElement::new(known, stroke(Paint::Muted, 1.2));
            chart.plotting_area().draw(&line).expect("a string takes what is drawn");
        });
    }
    let finite = |v: &f64| if v.is_finite() { six_digits(*v) } else { f64::NAN };
    let list = |of: &[f64]| of.iter().map(finite).collect::<Vec<f64>>();
    let line = Line {
        m: 0,
        name: "the best of so many".to_string(),
        x: trials.iter().map(|k| row_number(*k)).collect(),
        y: vec![list(&median), list(&low), list(&high), list(&ends[0]), list(&ends[1])],
    };
    let frame = Frame::new(&stage, &panel, false, ["number", "value"]);
    Some(Plot {
        name: "tuning".to_string(),
        title: format!("What random search comes to on {}", view.name),
        caption: format!(
            "The best of so many configurations drawn from the table without replacement: median \
             and quartiles, exact. Dashed: where the median over the whole space, of which the \
             table's {rows} rows are a sample, lies for all numbers of trials at once with \
             probability 0.95 (Lourie, Cho and He 2024), as far as the rows bound it. A tuner that \
             is worse than this curve is worse than chance."
        ),
        alternative: "The best value of random search by its number of trials.".to_string(),
        width: WIDTH,
        height: stage.height,
        rows: None,
        data: Data::Lines(Lines {
            x: "trials".to_string(),
            y: ["median", "q25", "q75", "space_median_low", "space_median_high"]
                .map(String::from)
                .to_vec(),
            frame,
            lines: vec![line],
        }),
        body: stage.body(),
    })
}

/// Whole numbers from 1 to the last, spaced by their logarithms.
fn trials(last: usize) -> Vec<usize> {
    let top = libm::log(row_number(last));
    let at = |point: usize| {
        let share = row_number(point) / row_number(POINTS - 1);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in 1..last")]
        let number = libm::exp(share * top).round() as usize;
        number.clamp(1, last)
    };
    let mut all: Vec<usize> = (0..POINTS).map(at).collect();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_trials_ascend_to_the_last() {
        for last in [1, 2, 59, 1_000] {
            let all = trials(last);
            assert_eq!((all[0], all[all.len() - 1]), (1, last));
            assert!(all.is_sorted() && all.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
