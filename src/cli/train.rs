//! `curvebook train`.

use app::settings::Given;
use app::train::{self, Outcome, Settings, TRAIN};
use clap::{ArgMatches, Command, FromArgMatches};

use super::documents::TrainingOutcome;
use super::interrupt::Interrupt;
use super::{Format, estimate, output, progress, settings};

const EXAMPLES: &str = "Examples:
  curvebook train --space digits-lenet --configs 64 --out my-table
  curvebook data get mnist
  curvebook train --space mnist-lenet-lite --configs 8 --epochs 2 --out lite
  curvebook train --space mnist-lenet-lite --device gpu --configs 2000 --out gpu-table
  curvebook train --space my-space.toml --out my-table --resume
  curvebook train --space digits-lenet --configs 128 --out my-table --resume
  curvebook train --space my-space.toml --plan
  curvebook train --space my-space.toml --out piece-0 --shard 0/4

Shards, trained anywhere, become one table by `curvebook table merge`.";

/// What the options say.
#[derive(Debug)]
pub(super) struct Arguments(Given);

impl clap::Args for Arguments {
    fn augment_args(command: Command) -> Command {
        let about = "Train the Sobol configurations of a space and keep every epoch in a table";
        settings::options(command.about(about).after_help(EXAMPLES), TRAIN)
            // Else it is the grammar of the command line that asks for it.
            .mut_arg("out", |out| out.required_unless_present("plan"))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Arguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self(settings::given(matches, TRAIN)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

pub(super) fn run(arguments: &Arguments, format: Format) -> anyhow::Result<()> {
    let settings = Settings::read(&arguments.0)?;
    let interrupt = Interrupt::default();
    let progress = progress::Training::new(&interrupt);
    if settings.plans {
        let space = &settings.training.definition.space.name;
        return estimate::print(space, &train::plan(&settings, &progress)?, format);
    }
    report(&train::run(&settings, &progress, interrupt.flag())?, format)
}

fn report(outcome: &Outcome, format: Format) -> anyhow::Result<()> {
    let Outcome { table, summary, wall_seconds: seconds } = outcome;
    let dir = table.display();
    match format {
        Format::Json => output::print_json(&TrainingOutcome {
            table: dir.to_string(),
            trained: summary.trained,
            skipped: summary.skipped,
            diverged: summary.diverged,
            wall_seconds: *seconds,
        }),
        Format::Text => output::print(&format!(
            "{dir}: {} configurations trained in {seconds:.1} s ({} diverged, {} were there)",
            summary.trained, summary.diverged, summary.skipped
        )),
    }
}
