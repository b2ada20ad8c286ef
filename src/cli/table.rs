//! `curvebook table`.

use std::path::{Path, PathBuf};

use app::extrapolate::Settings;
use app::plural;
use app::report::human::time;
use app::table::{self, CostCorrelation, Direction, Doubt, Info, Quantiles};
use app::table_look;
use app::table_plot;
use clap::Subcommand;

use super::documents::{Check, Extrapolated, Merged, Prior};
use super::estimate::size;
use super::interrupt::Interrupt;
use super::{Format, output, progress};

/// Look at tables and check them.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Sum a table up: its values, what it cost, how it was made.
    #[command(after_help = "Examples:
  curvebook table info tables/digits-lenet
  curvebook table info my-table --format json")]
    Info {
        /// The table's directory.
        dir: PathBuf,
        /// The column of curves.parquet that an epoch costs [default: seconds]
        #[arg(long, value_name = "COLUMN")]
        cost: Option<String>,
    },
    /// Verify everything that a table must hold to; every finding is printed.
    #[command(after_help = "Examples:
  curvebook table check tables/digits-lenet
  curvebook table check my-table --format json

The exit code is 0 for a sound table and 1 for any other.")]
    Check {
        /// The table's directory.
        dir: PathBuf,
        /// The column of curves.parquet that an epoch costs [default: seconds]
        #[arg(long, value_name = "COLUMN")]
        cost: Option<String>,
    },
    /// Draw a table: its curves, values and costs, which hyperparameters matter, what rules do.
    #[command(after_help = "Examples:
  curvebook table plot tables/digits-lenet --out table.html
  curvebook table plot tables/digits-lenet --out curves.svg
  curvebook table plot my-table --out table.html --plots plots --seed 1

An .html file is a page that needs no network; .svg and .png are a picture of random, best and
worst curves alone. Hyperparameters matter by functional ANOVA of a random forest (Hutter et al.
2014) and by PED-ANOVA (Watanabe et al. 2023).")]
    Plot {
        /// The table's directory.
        dir: PathBuf,
        /// A page (.html), or a picture of curves (.svg, .png); `-` prints the page.
        #[arg(long)]
        out: PathBuf,
        /// A directory for SVG, PNG and CSV of each plot: a new one, or one of plots alone.
        #[arg(long, value_name = "DIR")]
        plots: Option<PathBuf>,
        /// The column of curves.parquet that an epoch costs [default: seconds]
        #[arg(long, value_name = "COLUMN")]
        cost: Option<String>,
        /// Which configurations are drawn at random, and which forest is fitted [default: 0]
        #[arg(long)]
        seed: Option<u64>,
        /// Replace a file that curvebook did not write.
        #[arg(long)]
        force: bool,
    },
    /// Make a table of what another program recorded.
    Import(Box<super::import::Arguments>),
    /// Write a table as other programs read it.
    Export(Box<super::export::Arguments>),
    /// Put the shards of a table together; only then does it replay.
    #[command(after_help = "Examples:
  curvebook table merge piece-0 piece-1 piece-2 --out my-table
  curvebook table merge pieces/* --out my-table --format json

Any order of the shards gives the same table: the one that training at once would have given,
seconds aside. Shards must agree in everything but their ranges and the machine; where processor,
driver, tiles or configurations trained at once differ, `provenance.shards` in table.json lists
them.")]
    Merge {
        /// The directories of all shards, in any order.
        #[arg(required = true, num_args = 1..)]
        shards: Vec<PathBuf>,
        /// The directory of the new table; it must be new or empty.
        #[arg(long)]
        out: PathBuf,
    },
    /// Extrapolate every curve of a table as a rule will ask for it, and keep that beside the
    /// table: replays with that rule then take a moment.
    #[command(after_help = "Examples:
  curvebook table extrapolate my-table
  curvebook table extrapolate my-table --stopper curve:steps=700 --threads 8

Extrapolations depend on the curves and on how they are sampled alone, and not on a rule's
threshold or mode. What is there already is not made again, so a call that was stopped goes on
where it was. Without this command a replay makes what it needs, and forgets it at its end.")]
    Extrapolate {
        /// The table's directory.
        dir: PathBuf,
        /// A rule that extrapolates curves [default: curve]
        #[arg(long, value_name = "RULE")]
        stopper: Option<String>,
        /// Which recorded training of a configuration: its number, or `draw` for all of them
        /// [default: 0]
        #[arg(long, value_name = "REPEAT")]
        curve_repeat: Option<String>,
        /// Extrapolations at once [default: one a core]
        #[arg(long, value_name = "N")]
        threads: Option<usize>,
    },
    /// Print a prior for the sampler `prior`, as a user might believe who knows the table well, or
    /// badly.
    #[command(after_help = "Examples:
  curvebook table prior my-table --kind good > good.toml
  curvebook replay --table my-table --sampler prior:file=good.toml --goal top:0.005

The best configuration is good, the one in the middle medium, the worst one bad; off-centre lies a
quarter of every range beside the best one, at the next choice. Values are those of best epochs.")]
    Prior {
        /// The table's directory.
        dir: PathBuf,
        /// Which prior: good, medium, bad or off-centre.
        #[arg(long, value_name = "KIND")]
        kind: String,
        /// How sure it is of every parameter, 0 to 0.999 [default: 0.75]
        #[arg(long, value_name = "SHARE")]
        confidence: Option<f64>,
    },
}

pub(super) fn run(command: &Command, format: Format) -> anyhow::Result<()> {
    match command {
        Command::Plot { dir, out, plots, cost, seed, force } => {
            let mut look = table_look::Settings::of(dir);
            look.options.cost.clone_from(cost);
            look.look.seed = seed.unwrap_or(0);
            let (out, plots) = (out.clone(), plots.clone());
            let settings = table_plot::Settings { look, out, plots, is_forced: *force };
            Ok(table_plot::run(&settings, &progress::Words)?)
        }
        Command::Info { dir, cost } => {
            let info = table::info(dir, cost.as_deref())?;
            match format {
                Format::Json => output::print_json(&info),
                Format::Text => output::print(&describe(&info)),
            }
        }
        Command::Check { dir, cost } => check(dir, cost.as_deref(), format),
        Command::Import(arguments) => super::import::run(arguments, format),
        Command::Export(arguments) => super::export::run(arguments, format),
        Command::Merge { shards, out } => merge(shards, out, format),
        Command::Extrapolate { dir, stopper, curve_repeat, threads } => {
            let (stopper, repeat) = (stopper.as_deref(), curve_repeat.as_deref());
            extrapolate(&Settings::read(dir, stopper, repeat, *threads)?, format)
        }
        Command::Prior { dir, kind, confidence } => {
            prior(&app::prior::Settings::read(dir, kind, *confidence)?, format)
        }
    }
}

fn prior(settings: &app::prior::Settings, format: Format) -> anyhow::Result<()> {
    let prior = app::prior::make(settings, &progress::Words)?;
    match format {
        Format::Text => output::print(&prior.toml()?),
        Format::Json => output::print_json(&Prior {
            table: prior.table,
            table_hash: prior.table_hash,
            kind: prior.kind.word().to_string(),
            confidence: prior.confidence,
            config_id: prior.config_id,
            value: prior.value,
            centers: prior.centers.into_iter().collect(),
        }),
    }
}

fn extrapolate(settings: &Settings, format: Format) -> anyhow::Result<()> {
    let interrupt = Interrupt::default();
    let words = ["extrapolation", "extrapolations"];
    let progress = progress::Runs::of(words, &interrupt);
    let outcome = app::extrapolate::run(settings, &progress, interrupt.flag())?;
    outcome.whole()?;
    let file = |path: &PathBuf| path.display().to_string();
    let files: Vec<String> = outcome.files.iter().map(file).collect();
    match format {
        Format::Json => output::print_json(&Extrapolated {
            table: settings.table.display().to_string(),
            stopper: settings.stopper.canonical.clone(),
            extrapolations: outcome.all,
            before: outcome.before,
            files,
        }),
        Format::Text => output::print(&format!(
            "{}: {} of {} kept in {}",
            settings.table.display(),
            plural(outcome.all, "extrapolation"),
            settings.stopper.canonical,
            files.join(", ")
        )),
    }
}

fn merge(shards: &[PathBuf], out: &Path, format: Format) -> anyhow::Result<()> {
    let merged = table::merge(shards, out, &progress::Words)?;
    let (dir, count) = (out.display(), shards.len());
    let (configs, epochs) = (merged.configs, merged.recorded_epochs);
    match format {
        Format::Json => output::print_json(&Merged {
            table: dir.to_string(),
            shards: count,
            configs,
            recorded_epochs: epochs,
            differing: &merged.differing,
        }),
        Format::Text => output::print(&format!(
            "{dir}: {} merged; {}, {}",
            plural(count, "shard"),
            plural(configs, "configuration"),
            plural(epochs, "epoch")
        )),
    }
}

fn check(dir: &Path, cost: Option<&str>, format: Format) -> anyhow::Result<()> {
    let checked = table::check(dir, cost)?;
    let (report, findings) = (&checked.report, &checked.findings);
    match format {
        Format::Json => output::print_json(&Check {
            table: dir.display().to_string(),
            sound: report.is_sound(),
            stopped_early: report.stopped,
            checked: report.checked,
            findings,
            warnings: &report.doubts,
        })?,
        Format::Text => {
            let mut lines = findings.clone();
            lines.extend(report.doubts.iter().map(warning));
            if let (true, Some(checked)) = (report.is_sound(), &report.checked) {
                lines.push(format!(
                    "{}: sound; {}, {} checked{}",
                    dir.display(),
                    plural(checked.configs, "configuration"),
                    plural(checked.recorded_epochs, "epoch"),
                    if checked.sealed { ", files match their hashes" } else { "" }
                ));
            }
            output::print(&lines.join("\n"))?;
        }
    }
    Ok(checked.sound()?)
}

fn warning(doubt: &Doubt) -> String {
    format!("warning: {doubt}")
}

fn warning_line(doubt: &Doubt) -> String {
    format!("\n{}", warning(doubt))
}

/// A line a pair of costs: how far they put the configurations into the same order.
fn correlation(found: &CostCorrelation) -> String {
    let CostCorrelation { a, b, spearman, configs } = found;
    let rank = spearman.map_or("none".to_string(), |rank| format!("{rank:.3}"));
    format!("\nrank correlation of {a} and {b}: {rank} ({})", plural(*configs, "configuration"))
}

fn describe(info: &Info) -> String {
    let number = |x: f64| format!("{x:.4}");
    let spread = |q: &Option<Quantiles>| {
        q.as_ref().map_or(["-"; 5].map(String::from), |q| {
            [q.min, q.q25, q.median, q.q75, q.max].map(number)
        })
    };
    let row = |name: &str, q: &Option<Quantiles>| {
        let [a, b, c, d, e] = spread(q);
        [name.to_string(), a, b, c, d, e]
    };
    let statuses: Vec<String> =
        info.statuses.iter().map(|(status, count)| format!("{count} {status}")).collect();
    let quantiles = output::table(
        ["", "least", "25 %", "median", "75 %", "greatest"],
        [
            row("last value", &info.last_values),
            row("best value", &info.best_values),
            row("seconds a configuration", &info.seconds_per_config),
        ],
    );
    let best = match (info.best_value, info.best_config) {
        (Some(value), Some(config)) => format!("{value:.4} by configuration {config}"),
        _ => "none".to_string(),
    };
    format!(
        "{}: {} x {} x {} ({})\n\
         metric {} ({}), best {best}\n{quantiles}\n\
         {} of training recorded, {} on disk, {} of space {}{}{}",
        output::one_line(&info.name),
        plural(info.configs, "configuration"),
        plural(info.epochs, "epoch"),
        plural(info.repeats, "repeat"),
        statuses.join(", "),
        output::one_line(&info.metric.name),
        match info.metric.goal {
            Direction::Maximize => "maximised",
            Direction::Minimize => "minimised",
        },
        time(info.total_seconds),
        size(info.bytes_on_disk),
        plural(info.parameters.len(), "hyperparameter"),
        output::one_line(&info.space),
        info.cost_correlations.iter().map(correlation).collect::<String>(),
        info.warnings.iter().map(warning_line).collect::<String>(),
    )
}
