//! `curvebook study`.

use std::path::PathBuf;

use app::study::{Settings, StudyDefinition, run_to_answers as study};
use clap::{Args, Subcommand};

use super::documents::ListedStudy;
use super::interrupt::Interrupt;
use super::{AnyFormat, Format, analyze, output, progress};

/// Run a grid of experiments and keep its runs and its trace.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  curvebook study quickstart --out quickstart
  curvebook study early-termination --out results
  curvebook study my-study.toml --out results --threads 8
  curvebook study show early-termination > my-study.toml

A study file:
  name = \"my-study\"
  tables = [\"tables/digits-lenet\"]   # from the file's own directory
  samplers = [\"random\"]
  stoppers = [\"none\", \"etr1:tau=3\"]
  goals = [\"top:0.005\", \"0.97\"]
  repeats = 50
It may also set methods (combinations such as \"rf-ei + asha + etr1\" beside the grid, or alone),
preset, schedulers, workers, value, report, on_nan, budget_seconds, max_trials, end,
seed, baseline, cost, curve_repeat, rows, where, metric, objective, restart, trial_overhead,
resume_cost, charge_setup, overhead, and a table [warm_start] with trials, sampler, stopper and
epochs. With robustness = true the comparison is made anew under other settings, one decision
changed at a time, and the page says in how many of them the answer holds.

A study that was interrupted goes on where the same command is given again. A finished one takes
more: a study file with further repeats, methods, goals or tables, and all else as it was, adds
what is missing to the results in --out and ends in the files of the larger study. Runs that are
there are kept, but for one case: a run is about all goals at once unless one of its methods is
told the goal, and so a further goal makes such runs anew. What would leave runs out or change
them is refused by name; until the larger results are whole, the finished ones stay.")]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// A study of this program by name, or a TOML file.
    #[arg(required = true)]
    study: Option<String>,
    /// The directory for runs.parquet, trace.parquet, report.html to look at, a copy of the study
    /// and results.json, which says what the results are.
    #[arg(long, required = true)]
    out: Option<PathBuf>,
    /// Runs at once; one a core where this says nothing. Results do not depend on it.
    #[arg(long)]
    threads: Option<usize>,
    #[command(flatten)]
    shown: analyze::Shown,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the studies that ship with the program.
    List,
    /// Print a study's file.
    Show {
        /// A study of this program by name, or a TOML file.
        study: String,
    },
}

pub(super) fn run(arguments: &Arguments, format: AnyFormat) -> anyhow::Result<()> {
    match &arguments.command {
        Some(Command::List) => return list(format.plain()?),
        Some(Command::Show { study }) => {
            return output::print(StudyDefinition::find(study)?.text.trim_end());
        }
        None => {}
    }
    let study_name = arguments.study.as_deref().expect("required where there is no subcommand");
    let out = arguments.out.clone().expect("required where there is no subcommand");
    let settings = Settings::find(study_name, out, arguments.threads)?;
    let interrupt = Interrupt::default();
    let outcome = study(&settings, &progress::Runs::new(&interrupt), interrupt.flag())?;
    analyze::print(outcome.analysis, &arguments.shown, format)?;
    Ok(outcome.unkept.map_or(Ok(()), Err)?)
}

fn list(format: Format) -> anyhow::Result<()> {
    let studies = StudyDefinition::presets().map(StudyDefinition::find);
    let studies = studies.collect::<Result<Vec<_>, _>>()?;
    match format {
        Format::Json => {
            let studies =
                studies.iter().map(|s| ListedStudy { name: &s.name, summary: &s.summary });
            output::print_json(&studies.collect::<Vec<_>>())
        }
        Format::Text => {
            let rows = studies.iter().map(|s| [s.name.clone(), s.summary.clone()]);
            output::print(&output::table(["study", "what"], rows))
        }
    }
}
