//! Which hyperparameters matter, and how.

use plotters::element::{PathElement, Polygon, Rectangle};
use plotters::style::text_anchor::{HPos, VPos};

use super::super::super::human;
use super::super::axis::Axis;
use super::super::paint::Paint;
use super::super::plot::{Cell, Data, Plot};
use super::super::stage::{Group, Panel, Stage, TEXT, WIDTH, fill, fitted, stroke, text};
use super::super::time_to_goal::{ROW, TOP, left, row_name, row_number};
use super::TableView;

/// Values of a parameter, ascending.
#[derive(Debug, Clone, PartialEq)]
pub enum Grid {
    Numbers {
        values: Vec<f64>,
        is_log: bool,
        /// Whether there is nothing between whole numbers.
        is_whole: bool,
    },
    /// Choices, in the space's order.
    Words(Vec<String>),
}

impl Grid {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Numbers { values, .. } => values.len(),
            Self::Words(words) => words.len(),
        }
    }

    /// Where the values lie, and the axis that they lie on; words are numbered from 1.
    pub(super) fn axis(&self, title: &str) -> (Vec<f64>, Axis) {
        match self {
            Self::Numbers { values, is_log, is_whole } => {
                let (low, high) = (values[0], values[values.len() - 1]);
                let axis = if *is_log && low > 0.0 {
                    Axis::log(low, high, title)
                } else {
                    Axis::linear(low, high, title)
                };
                let axis = if *is_whole { axis.whole() } else { axis };
                (values.clone(), axis)
            }
            Self::Words(words) => {
                let places: Vec<f64> = (1..=words.len()).map(row_number).collect();
                (places, Axis::words(words, title))
            }
        }
    }

    pub(super) fn word(&self, at: usize) -> String {
        match self {
            Self::Numbers { values, .. } => {
                human::plain(super::super::plot::six_digits(values[at]))
            }
            Self::Words(words) => words[at].clone(),
        }
    }
}

/// How much a hyperparameter matters. Each number comes with its deviation between trees.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterView {
    pub name: String,
    /// The share of the variance that its main effect has (functional ANOVA).
    pub main: [f64; 2],
    /// PED-ANOVA's importance for being among the best: no share of anything.
    pub among_best: f64,
    pub grid: Grid,
    /// The metric at each value, averaged over all other parameters.
    pub marginal: Vec<[f64; 2]>,
}

/// How much two hyperparameters matter together.
#[derive(Debug, Clone, PartialEq)]
pub struct PairView {
    pub names: [String; 2],
    /// The share of the variance that they have beyond their main effects.
    pub interaction: f64,
    pub grids: [Grid; 2],
    /// The metric: for each value of the first a row of those of the second.
    pub surface: Vec<f64>,
}

/// Which hyperparameters matter.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ImportanceView {
    pub parameters: Vec<ParameterView>,
    /// The most important first.
    pub pairs: Vec<PairView>,
}

/// Shares, importances for the best, and marginals.
pub(super) fn plots(view: &TableView<'_>, of: &ImportanceView) -> Vec<Plot> {
    let share = |p: &ParameterView| p.main;
    let best = |p: &ParameterView| [p.among_best, 0.0];
    let pairs: f64 = of.pairs.iter().map(|pair| pair.interaction).sum();
    let mains: f64 = of.parameters.iter().map(|p| p.main[0]).sum();
    let percent = |share: f64| format!("{:.0} %", 100.0 * share);
    let main = bars(
        of,
        ["importance", &format!("What the values of {} depend on", view.name)],
        &format!(
            "The share of the variance over the space that each hyperparameter explains by itself \
             (functional ANOVA of a random forest, Hutter et al. 2014; lines: one deviation \
             between trees). All of them explain {}, pairs of them another {}.",
            percent(mains),
            percent(pairs)
        ),
        Axis::percent(0.0, top(of, share).max(0.01), "share of the variance"),
        share,
        percent,
    );
    let among = bars(
        of,
        ["importance-best", &format!("What sets the best tenth of {} apart", view.name)],
        "How much the distribution of each hyperparameter among the best tenth of configurations \
         differs from that among all (PED-ANOVA, Watanabe et al. 2023). It is no share of \
         anything: compare bars with each other.",
        Axis::linear(0.0, top(of, best).max(1e-6), "importance for being among the best"),
        best,
        human::number,
    );
    vec![main, among, marginals(view, of)]
}

fn top(of: &ImportanceView, number: fn(&ParameterView) -> [f64; 2]) -> f64 {
    let ends = of.parameters.iter().map(|p| number(p).iter().sum::<f64>());
    1.05 * ends.fold(0.0, f64::max)
}

fn bars(
    of: &ImportanceView,
    [name, title]: [&str; 2],
    caption: &str,
    x: Axis,
    number: fn(&ParameterView) -> [f64; 2],
    words: fn(f64) -> String,
) -> Plot {
    let mut order: Vec<&ParameterView> = of.parameters.iter().collect();
    order.sort_by(|a, b| number(b)[0].total_cmp(&number(a)[0]));
    let rows = order.len();
    let mut stage = Stage::new(WIDTH, TOP + ROW * u32::try_from(rows).expect("few rows") + 8);
    let panel = Panel {
        left: left(order.iter().map(|p| p.name.as_str())),
        top: TOP,
        right: 90,
        bottom: 8,
        x,
        y: Axis::rows(rows),
    };
    panel.axes(&mut stage, true);
    let mut data = Vec::new();
    for (row, parameter) in order.iter().enumerate() {
        let [value, deviation] = number(parameter);
        let tip = format!("{}\n{}", parameter.name, words(value));
        let group = Group { tip, ..Group::default() };
        panel.draw(&mut stage, &group, |chart| {
            let y = row_number(row);
            let area = chart.plotting_area();
            let ends = [(panel.x.at(0.0), y + 0.2), (panel.x.at(value), y + 0.8)];
            let bar = Rectangle::new(ends, fill(Paint::Series(0), 0.75));
            area.draw(&bar).expect("a string takes what is drawn");
            if deviation > 0.0 {
                let ends = [value - deviation, value + deviation].map(|v| (panel.x.at(v), y + 0.5));
                let line = PathElement::new(ends.to_vec(), stroke(Paint::Ink, 1.2));
                area.draw(&line).expect("a string takes what is drawn");
            }
        });
        let middle = f64::from(TOP) + (row_number(row) + 0.5) * f64::from(ROW);
        stage.layer(&Group::default(), |area| {
            let at = [f64::from(panel.left) - 8.0, middle];
            let label = row_name(&parameter.name);
            text(area, &label, at, TEXT, Paint::Ink, [HPos::Right], VPos::Center);
            let at = [f64::from(WIDTH - panel.right) + 10.0, middle];
            text(area, &words(value), at, TEXT, Paint::Muted, [HPos::Left], VPos::Center);
        });
        data.push(vec![parameter.name.as_str().into(), value.into(), deviation.into()]);
    }
    let said: Vec<String> =
        order.iter().take(12).map(|p| format!("{}: {}", p.name, words(number(p)[0]))).collect();
    Plot {
        name: name.to_string(),
        title: title.to_string(),
        caption: caption.to_string(),
        alternative: format!("Bars. {}.", said.join("; ")),
        width: stage.width,
        height: stage.height,
        rows: None,
        data: Data::Rows {
            columns: ["parameter", "importance", "deviation"].map(String::from).to_vec(),
            rows: data as Vec<Vec<Cell>>,
        },
        body: stage.body(),
    }
}

/// Pixels of a small panel, with its words.
pub(super) const SMALL: [u32; 2] = [250, 190];

/// Where each small panel begins, three a row.
pub(super) fn places(count: usize) -> (Vec<[u32; 2]>, u32) {
    let place = |at: usize| {
        let at = u32::try_from(at).expect("few panels");
        [at % 3 * SMALL[0], at / 3 * SMALL[1]]
    };
    let rows = u32::try_from(count.div_ceil(3)).expect("few panels");
    ((0..count).map(place).collect(), rows * SMALL[1])
}

fn marginals(view: &TableView<'_>, of: &ImportanceView) -> Plot {
    let (places, height) = places(of.parameters.len());
    let mut stage = Stage::new(WIDTH, height);
    let ends = of.parameters.iter().flat_map(|p| &p.marginal);
    let ends = ends.flat_map(|[mean, deviation]| [mean - deviation, mean + deviation]);
    let (low, high) =
        ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    let mut data = Vec::new();
    for (parameter, [x0, y0]) in of.parameters.iter().zip(places) {
        let (at, x) = parameter.grid.axis("");
        let panel = Panel {
            left: x0 + 48,
            top: y0 + 26,
            right: WIDTH - (x0 + SMALL[0] - 14),
            bottom: height - (y0 + SMALL[1] - 30),
            x,
            y: Axis::linear(low, high, ""),
        };
        panel.axes(&mut stage, false);
        let tip = format!("{}\n{:.1} % by itself", parameter.name, 100.0 * parameter.main[0]);
        panel.draw(&mut stage, &Group { tip, ..Group::default() }, |chart| {
            let area = chart.plotting_area();
            let edge = |sign: f64| {
                let point = |(x, [mean, deviation]): (&f64, &[f64; 2])| {
                    (panel.x.at(*x), panel.y.at(mean + sign * deviation))
                };
                at.iter().zip(&parameter.marginal).map(point).collect::<Vec<_>>()
            };
            let mut outline = edge(-1.0);
            outline.extend(edge(1.0).into_iter().rev());
            let surface = Polygon::new(outline, fill(Paint::Series(0), 0.2));
            area.draw(&surface).expect("a string takes what is drawn");
            let line = PathElement::new(edge(0.0), stroke(Paint::Series(0), 2.0));
            area.draw(&line).expect("a string takes what is drawn");
        });
        stage.layer(&Group::default(), |area| {
            let at = [f64::from(panel.left), f64::from(y0) + 6.0];
            let name = fitted(&parameter.name, TEXT, 190.0);
            text(area, &name, at, TEXT, Paint::Ink, [HPos::Left], VPos::Top);
        });
        for (at, [mean, deviation]) in parameter.marginal.iter().enumerate() {
            let value = parameter.grid.word(at);
            let name = parameter.name.as_str();
            data.push(vec![
                name.into(),
                value.as_str().into(),
                (*mean).into(),
                (*deviation).into(),
            ]);
        }
    }
    Plot {
        name: "marginals".to_string(),
        title: format!("How they matter on {}", view.name),
        caption: format!(
            "{} by the value of each hyperparameter, averaged over all others, as the forest has \
             it; the surface is one deviation between trees.",
            view.metric
        ),
        alternative: "A small panel a hyperparameter: the metric over its values.".to_string(),
        width: WIDTH,
        height,
        rows: None,
        data: Data::Rows {
            columns: ["parameter", "value", "mean", "deviation"].map(String::from).to_vec(),
            rows: data,
        },
        body: stage.body(),
    }
}
