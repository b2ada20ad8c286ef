//! `curvebook replay`.

use app::replay::{Settings, run as replay};
use app::settings::{Given, REPLAY};
use clap::{ArgMatches, Command, FromArgMatches};

use super::analyze::Shown;
use super::interrupt::Interrupt;
use super::{AnyFormat, analyze, progress, settings};

const EXAMPLES: &str = "Examples:
  curvebook replay --table tables/digits-lenet --goal top:0.005
  curvebook replay --table T --stopper none --stopper etr1:tau=1,epsilon=0.05 --goal 0.97
  curvebook replay --table T --workers 4 --goal rank:50 --out runs.parquet --trace trace.parquet";

/// What the options say.
#[derive(Debug)]
pub(super) struct Arguments(Given, Shown);

impl clap::Args for Arguments {
    fn augment_args(command: Command) -> Command {
        let about = "Replay experiments against a table and print how soon each method reaches \
                     each goal";
        let command = Shown::augment_args(settings::options(command, REPLAY));
        // Last: what is shown of answers has a sentence of its own.
        command.about(about).after_help(EXAMPLES)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Arguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self(settings::given(matches, REPLAY), Shown::from_arg_matches(matches)?))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

pub(super) fn run(arguments: &Arguments, format: AnyFormat) -> anyhow::Result<()> {
    let settings = Settings::read(&arguments.0)?;
    let interrupt = Interrupt::default();
    let mut outcome = replay(&settings, &progress::Runs::new(&interrupt), interrupt.flag())?;
    if let Some(analysis) = outcome.analysis.take() {
        analyze::print(analysis, &arguments.1, format)?;
    }
    let whole = outcome.whole();
    outcome.unkept.map_or(Ok(()), Err)?;
    Ok(whole?)
}
