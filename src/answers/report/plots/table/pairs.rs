//! Heat maps of pairs of hyperparameters.

use plotters::element::Rectangle;
use plotters::prelude::ViridisRGB;
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{Color, ShapeStyle};

use super::super::super::human;
use super::super::axis::Axis;
use super::super::paint::Paint;
use super::super::plot::{Cell, Data, Plot};
use super::super::stage::{Group, Panel, Stage, TEXT, WIDTH, fitted, text};
use super::TableView;
use super::importance::{Grid, ImportanceView, PairView, SMALL, places};

/// As many pairs are drawn, the most important.
const PAIRS_MAX: usize = 9;
/// The height of the scale of colours.
const SCALE_HEIGHT: u32 = 44;

/// The pairs that matter most, nothing where there is none.
pub(super) fn plot(view: &TableView<'_>, of: &ImportanceView) -> Option<Plot> {
    let shown: Vec<&PairView> = of.pairs.iter().take(PAIRS_MAX).collect();
    let all = || shown.iter().flat_map(|pair| &pair.surface).copied();
    let (low, high) = (all().reduce(f64::min)?, all().reduce(f64::max)?);
    let high = if high > low { high } else { low + 1.0 };
    let (places, height) = places(shown.len());
    let height = height + SCALE_HEIGHT;
    let mut stage = Stage::new(WIDTH, height);
    let colour = |value: f64| ShapeStyle {
        color: ViridisRGB::get_color_normalized(value, low, high).to_rgba(),
        filled: true,
        stroke_width: 0,
    };
    scale(&mut stage, &colour, [low, high], view.metric);
    let mut data = Vec::new();
    for (pair, [x0, y0]) in shown.iter().zip(places) {
        let [first, second] = &pair.grids;
        let ((x_at, x), (y_at, y)) = (first.axis(""), second.axis(""));
        let panel = Panel {
            left: x0 + 56,
            top: y0 + SCALE_HEIGHT + 26,
            right: WIDTH - (x0 + SMALL[0] - 14),
            bottom: height - (y0 + SCALE_HEIGHT + SMALL[1] - 30),
            x,
            y,
        };
        panel.axes(&mut stage, false);
        let (columns, rows) = (borders(&x_at, &panel.x), borders(&y_at, &panel.y));
        let [one, other] = &pair.names;
        let tip = format!("{one} and {other}\n{:.1} % together", 100.0 * pair.interaction);
        // Over each other by a hair: else the ground shows between cells.
        let hairs = [&panel.x, &panel.y].map(|axis| {
            let [low, high] = axis.ends();
            0.004 * (high - low)
        });
        panel.draw(&mut stage, &Group { tip, ..Group::default() }, |chart| {
            for at in 0..pair.surface.len() {
                let (column, row) = (at / second.len(), at % second.len());
                let far = |borders: &[f64], at: usize, hair: f64| {
                    (borders[at + 1] + hair).min(borders[borders.len() - 1])
                };
                let end = (far(&columns, column, hairs[0]), far(&rows, row, hairs[1]));
                let ends = [(columns[column], rows[row]), end];
                let cell = Rectangle::new(ends, colour(pair.surface[at]));
                chart.plotting_area().draw(&cell).expect("a string takes what is drawn");
            }
        });
        stage.layer(&Group::default(), |area| {
            let [across, up] = &pair.names;
            let title = format!("{across} \u{2192}, {up} \u{2191}");
            let at = [f64::from(panel.left) - 40.0, f64::from(y0 + SCALE_HEIGHT) + 6.0];
            let title = fitted(&title, TEXT - 1.0, 236.0);
            text(area, &title, at, TEXT - 1.0, Paint::Ink, [HPos::Left], VPos::Top);
        });
        for (at, value) in pair.surface.iter().enumerate() {
            let (a, b) = (at / second.len(), at % second.len());
            data.push(row(pair, [(first, a), (second, b)], *value));
        }
    }
    let said: Vec<String> = shown
        .iter()
        .map(|p| format!("{} and {}: {:.1} %", p.names[0], p.names[1], 100.0 * p.interaction))
        .collect();
    Some(Plot {
        name: "pairs".to_string(),
        title: format!("What matters together on {}", view.name),
        caption: format!(
            "{} by the values of two hyperparameters, averaged over all others, for the pairs that \
             explain most of the variance beyond what each explains alone: {}.",
            view.metric,
            said.join("; ")
        ),
        alternative: "Heat maps of pairs of hyperparameters.".to_string(),
        width: WIDTH,
        height,
        rows: None,
        data: Data::Rows {
            columns: ["first", "second", "first_value", "second_value", "mean"]
                .map(String::from)
                .to_vec(),
            rows: data,
        },
        body: stage.body(),
    })
}

fn row(pair: &PairView, at: [(&Grid, usize); 2], value: f64) -> Vec<Cell> {
    let [a, b] = at.map(|(grid, at)| grid.word(at));
    let [first, second] = &pair.names;
    [first, second, &a, &b]
        .map(|text| Cell::from(text.as_str()))
        .into_iter()
        .chain([value.into()])
        .collect()
}

/// The borders of cells around places, in the coordinates of a chart: midway between neighbours.
fn borders(at: &[f64], axis: &Axis) -> Vec<f64> {
    let places: Vec<f64> = at.iter().map(|value| axis.at(*value)).collect();
    let [low, high] = axis.ends();
    let mut borders = vec![low];
    borders.extend(places.windows(2).map(|pair| f64::midpoint(pair[0], pair[1])));
    borders.push(high);
    borders
}

/// What the colours are.
fn scale(
    stage: &mut Stage,
    colour: &dyn Fn(f64) -> ShapeStyle,
    [low, high]: [f64; 2],
    metric: &str,
) {
    const STEPS: i32 = 48;
    stage.layer(&Group::default(), |area| {
        for step in 0..STEPS {
            let value = low + (high - low) * f64::from(step) / f64::from(STEPS - 1);
            let left = 2_000 + step * 60;
            let bar = Rectangle::new([(left, 60), (left + 61, 180)], colour(value));
            area.draw(&bar).expect("a string takes what is drawn");
        }
        let [low, high] = [low, high].map(human::value);
        let at = |x: f64| [x, 12.0];
        text(area, &low, at(194.0), TEXT - 1.0, Paint::Muted, [HPos::Right], VPos::Center);
        text(area, &high, at(496.0), TEXT - 1.0, Paint::Muted, [HPos::Left], VPos::Center);
        text(area, metric, at(60.0), TEXT - 1.0, Paint::Ink, [HPos::Left], VPos::Center);
    });
}
