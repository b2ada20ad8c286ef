//! A page about a table, and its plots.

use std::path::PathBuf;

use answers::report::html::{TablePage, render_table};
use answers::report::plots::Plot;
use answers::report::plots::table::{Grid, ImportanceView, PairView, ParameterView, TableView};
use base::error::{Result, fault};
use base::space::{Direction, Domain, Parameter, Value};
use base::units::plural;
use store::{Document, Documents, Replacing};

use crate::Events;
use crate::report_page::{MARK, files};
use crate::table_look::{self, GridPoint, Importance, OverTrees, TableLook};

/// Which table, and where its page goes.
#[derive(Debug, Clone)]
pub struct Settings {
    pub look: table_look::Settings,
    /// A page, `*.html`, or the plot of its curves alone, `*.svg` or `*.png`; `-` is standard
    /// output, for a page.
    pub out: PathBuf,
    /// A directory for SVG, PNG and CSV of each plot.
    pub plots: Option<PathBuf>,
    /// Whether a file of somebody else may be replaced.
    pub is_forced: bool,
}

/// What the file is, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Html,
    Svg,
    Png,
}

impl Settings {
    fn kind(&self) -> Result<Kind> {
        let ending = self.out.extension().map(std::ffi::OsStr::to_ascii_lowercase);
        match ending.as_ref().and_then(|ending| ending.to_str()) {
            None if self.out.as_os_str() == "-" => Ok(Kind::Html),
            Some("html" | "htm") => Ok(Kind::Html),
            Some("svg") => Ok(Kind::Svg),
            Some("png") => Ok(Kind::Png),
            _ => {
                let rule = "a page ends in .html, a picture of curves in .svg or .png";
                Err(fault("--out", "file", self.out.display(), rule, "name such a file"))
            }
        }
    }
}

/// Makes it.
///
/// # Errors
/// Faults of what is no table, and of places that cannot be written.
pub fn run(settings: &Settings, events: &dyn Events) -> Result<()> {
    let kind = settings.kind()?;
    let replacing = Replacing { is_forced: settings.is_forced, inputs: &[] };
    let mark = match kind {
        Kind::Html => MARK,
        Kind::Svg => "<title>Learning curves of ",
        // A picture in pixels does not say whose it is.
        Kind::Png => "\u{0}nobody's\u{0}",
    };
    let document = Document::at("--out", &settings.out, mark, &replacing)?;
    let plots = settings.plots.as_deref().map(|dir| Documents::at("--plots", dir)).transpose()?;
    let look = table_look::run(&settings.look, events)?;
    let importance = look.importance.as_ref().map(|of| importance(of, &look.space.parameters));
    let dir = settings.look.table.display().to_string();
    let page = TablePage {
        view: TableView {
            name: &look.name,
            metric: &look.metric.name,
            larger_is_better: look.metric.goal == Direction::Maximize,
            facts: &look.facts,
            importance: importance.as_ref(),
        },
        summary: summary(&look),
        facts: facts(&look),
        commands: vec![
            ("This page".to_string(), format!("curvebook table plot {dir} --out table.html")),
            (
                "A first replay on it".to_string(),
                format!(
                    "curvebook replay --table {dir} --stopper none --stopper etr1 --goal top:0.005"
                ),
            ),
        ],
        made_by: format!("curvebook {}", env!("CARGO_PKG_VERSION")),
    };
    let (html, drawn) = render_table(&page);
    let curves = || {
        drawn.iter().find(|plot| plot.name == "curves").ok_or_else(|| {
            let rule = "no configuration has a value at any epoch: there is nothing to draw";
            fault("table plot", "table", &dir, rule, "name another table")
        })
    };
    let bytes = match kind {
        Kind::Html => html.into_bytes(),
        Kind::Svg => curves()?.svg().into_bytes(),
        Kind::Png => curves().map(|plot: &Plot| plot.png(2.0))??,
    };
    if let Some(plots) = plots {
        plots.write(&files(&drawn)?)?;
    }
    document.write(&bytes)?;
    if settings.out.as_os_str() != "-" {
        events.say(&format!("{}: to be looked at", settings.out.display()));
    }
    Ok(())
}

fn summary(look: &TableLook) -> String {
    let values = &look.facts.values;
    let best = values.best.map_or_else(String::new, |best| format!(", the best {best:.4}"));
    format!("{} configurations, {}{best}", look.facts.rows, plural(look.facts.epochs.0, "epoch"))
}

fn facts(look: &TableLook) -> Vec<(String, String)> {
    let facts = &look.facts;
    let better = if look.metric.goal == Direction::Maximize { "larger" } else { "smaller" };
    let number =
        |value: Option<f64>| value.map_or_else(|| "not known".to_string(), |v| format!("{v:.4}"));
    let mut all = vec![
        ("metric".to_string(), format!("{}, the {better} the better", look.metric.name)),
        ("configurations".to_string(), facts.rows.to_string()),
        ("epochs".to_string(), facts.epochs.0.to_string()),
        ("chance".to_string(), number(facts.values.chance)),
        ("best value".to_string(), number(facts.values.best)),
        (
            "diverged".to_string(),
            format!("{} ({:.1} %)", facts.values.diverged, 100.0 * facts.values.diverged_share),
        ),
    ];
    let names: Vec<&str> = look.space.parameters.iter().map(|p| p.name.as_str()).collect();
    all.push(("hyperparameters".to_string(), names.join(", ")));
    all
}

fn importance(of: &Importance, parameters: &[Parameter]) -> ImportanceView {
    let pair = |of: &OverTrees| [of.mean, of.deviation];
    let parameter =
        |(p, parameter): (&table_look::ParameterImportance, &Parameter)| ParameterView {
            name: p.name.clone(),
            main: pair(&p.main),
            among_best: p.among_best,
            grid: grid(&p.grid, parameter),
            marginal: p.marginal.iter().map(pair).collect(),
        };
    let of_pair = |p: &table_look::PairImportance| {
        let (first, second) = (&parameters[p.parameters.0], &parameters[p.parameters.1]);
        PairView {
            names: [first.name.clone(), second.name.clone()],
            interaction: p.interaction.mean,
            grids: [grid(&p.grids.0, first), grid(&p.grids.1, second)],
            surface: p.surface.clone(),
        }
    };
    ImportanceView {
        parameters: of.parameters.iter().zip(parameters).map(parameter).collect(),
        pairs: of.pairs.iter().map(of_pair).collect(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "ints stay below 2^52")]
fn grid(points: &[GridPoint], parameter: &Parameter) -> Grid {
    let is_log =
        matches!(parameter.domain, Domain::Int { log: true, .. } | Domain::Float { log: true, .. });
    let number = |point: &GridPoint| match point.value {
        Value::Int(number) => Some(number as f64),
        Value::Float(number) => Some(number),
        _ => None,
    };
    let numbers: Option<Vec<f64>> = points.iter().map(number).collect();
    match numbers {
        Some(values) if values.len() > 1 => {
            let is_whole = points.iter().all(|point| matches!(point.value, Value::Int(_)));
            Grid::Numbers { values, is_log, is_whole }
        }
        _ => {
            let word = |point: &GridPoint| match (point.value, &parameter.domain) {
                (Value::Choice(at), Domain::Categorical { choices }) => choices[at].clone(),
                (Value::Int(number), _) => number.to_string(),
                (Value::Float(number), _) => number.to_string(),
                _ => "-".to_string(),
            };
            Grid::Words(points.iter().map(word).collect())
        }
    }
}
