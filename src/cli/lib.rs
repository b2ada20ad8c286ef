//! The command line: arguments, then validated settings, then one file a command.
//!
//! Data goes to stdout, everything else to stderr. Exit code 0: done; 1: the input is wrong; 2:
//! anything else.

mod analyze;
mod audit;
#[cfg(feature = "download")]
mod data;
#[cfg(feature = "gpu")]
mod devices;
mod documents;
#[cfg(feature = "download")]
mod download;
#[cfg(feature = "download")]
mod download_progress;
mod estimate;
mod example;
mod export;
mod import;
mod interrupt;
mod methods;
mod output;
mod progress;
mod quiet_driver;
mod replay;
mod report;
mod schema;
mod settings;
mod shell;
mod slurm;
mod space;
mod study;
mod table;
mod train;
mod verify;
mod why;

pub use schema::{DOCUMENTS, Document};

use std::ffi::OsString;
use std::process::ExitCode;

use app::error::{Error, fault};
use app::report::{is_printable, printable};
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};

/// Input that the user can mend.
const EXIT_INPUT: u8 = 1;
/// Anything else.
const EXIT_OTHER: u8 = 2;

#[derive(Debug, Parser)]
#[command(
    name = "curvebook",
    version = env!("CURVEBOOK_VERSION"),
    about = "Replay hyperparameter optimisers against recorded learning curves",
    long_about = "Train thousands of configurations once, keep every epoch of every learning \
                  curve in a table, and replay optimisers and early-termination rules against it \
                  on a simulated clock.",
    after_help = "Examples:
  curvebook replay --table tables/digits-lenet --stopper none --stopper etr1 --goal top:0.005
  curvebook train --space digits-lenet --configs 64 --out my-table
  curvebook table check my-table
  curvebook methods"
)]
struct Cli {
    /// How results are printed; csv and markdown by analyze, replay and study alone.
    #[arg(long, global = true, value_enum, default_value_t = AnyFormat::Text)]
    format: AnyFormat,
    /// Say nothing on stderr but warnings and errors.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Say more on stderr: what was read, and what will run.
    #[arg(short, long, global = true)]
    verbose: bool,
    #[command(subcommand)]
    command: Command,
}

/// How answers are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AnyFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// A row a goal and method, for spreadsheets and data frames.
    Csv,
    /// Tables for documents.
    Markdown,
    /// Tables for papers, with the package booktabs.
    Latex,
}

/// How the results of the other commands are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Text,
    Json,
}

impl AnyFormat {
    /// For commands whose results are no answers.
    fn plain(self) -> anyhow::Result<Format> {
        match self {
            Self::Text => Ok(Format::Text),
            Self::Json => Ok(Format::Json),
            Self::Csv | Self::Markdown | Self::Latex => {
                let word = match self {
                    Self::Csv => "csv",
                    Self::Latex => "latex",
                    _ => "markdown",
                };
                let rule = "answers alone are printed so: analyze, replay and study";
                Err(fault("command line", "--format", word, rule, "write text or json").into())
            }
        }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    Train(train::Arguments),
    Replay(Box<replay::Arguments>),
    Study(study::Arguments),
    Analyze(analyze::Arguments),
    Report(report::Arguments),
    Verify(verify::Arguments),
    Why(why::Arguments),
    Audit(Box<audit::Arguments>),
    #[command(
        subcommand,
        after_help = "Examples:
  curvebook table info tables/digits-lenet
  curvebook table check my-table
  curvebook table merge piece-0 piece-1 --out my-table"
    )]
    Table(table::Command),
    #[command(
        subcommand,
        after_help = "Examples:
  curvebook space list
  curvebook space show digits-lenet --config 17"
    )]
    Space(space::Command),
    #[cfg(feature = "download")]
    #[command(
        subcommand,
        after_help = "Examples:
  curvebook data list
  curvebook data get mnist"
    )]
    Data(data::Command),
    #[cfg(feature = "gpu")]
    Devices(devices::Arguments),
    Methods(methods::Arguments),
    Schema(schema::Arguments),
    #[command(
        subcommand,
        after_help = "Examples:
  curvebook slurm train --space mnist-lenet --configs 20000 --tasks 64 --out lenet --submit
  curvebook slurm study my-study.toml --tasks 16 --out results
  curvebook slurm status lenet"
    )]
    Slurm(slurm::Command),
    Example(example::Arguments),
    Completions(shell::Completions),
    Man(shell::Man),
}

impl Command {
    /// Whether the drivers of adapters are loaded.
    const fn looks_for_adapters(&self) -> bool {
        match self {
            Self::Train(_) => true,
            #[cfg(feature = "gpu")]
            Self::Devices(_) => true,
            _ => false,
        }
    }
}

/// Runs the program and says how it ended.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            let typed = |part: OsString| part.to_string_lossy().into_owned();
            if std::env::args_os().map(typed).all(|part| is_printable(&part)) {
                // Help and version are answers, not errors; nothing can be done if printing fails.
                let _ = e.print();
            } else {
                // What was typed stands in the message. It holds no colours once it is a text.
                progress::line_to_stderr(printable(e.to_string().trim_end()).as_ref());
            }
            return ExitCode::from(if e.use_stderr() { EXIT_INPUT } else { 0 });
        }
    };
    if cli.command.looks_for_adapters() {
        quiet_driver::begin_anew();
    }
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            progress::line_to_stderr(&format!("error: {}", printable(&chain(&e))));
            let is_input = e.downcast_ref().is_some_and(Error::is_input);
            ExitCode::from(if is_input { EXIT_INPUT } else { EXIT_OTHER })
        }
    }
}

/// An error and what caused it, each said once.
fn chain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

fn run(cli: Cli) -> anyhow::Result<()> {
    progress::set_verbosity(cli.quiet, cli.verbose);
    match cli.command {
        Command::Replay(arguments) => return replay::run(&arguments, cli.format),
        Command::Study(arguments) => return study::run(&arguments, cli.format),
        Command::Analyze(arguments) => return analyze::run(&arguments, cli.format),
        _ => {}
    }
    let format = cli.format.plain()?;
    match cli.command {
        Command::Replay(_) | Command::Study(_) | Command::Analyze(_) => Ok(()),
        Command::Report(arguments) => report::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments, format),
        Command::Train(arguments) => train::run(&arguments, format),
        Command::Table(command) => table::run(&command, format),
        Command::Space(command) => space::run(&command, format),
        #[cfg(feature = "download")]
        Command::Data(command) => data::run(&command, format),
        #[cfg(feature = "gpu")]
        Command::Devices(arguments) => devices::run(&arguments, format),
        Command::Why(arguments) => why::run(&arguments, format),
        Command::Audit(arguments) => audit::run(&arguments, format),
        Command::Methods(arguments) => methods::run(&arguments, format),
        Command::Schema(arguments) => schema::run(&arguments, format),
        Command::Slurm(command) => slurm::run(&command, format),
        Command::Example(arguments) => example::run(&arguments),
        Command::Completions(arguments) => shell::completions(&arguments, Cli::command()),
        Command::Man(arguments) => shell::man(&arguments, Cli::command()),
    }
}
