//! `curvebook slurm`.

use std::fmt::Write as _;
use std::path::PathBuf;

use app::plural;
use app::settings::Given;
use app::slurm::{Settings, Status, TaskState, Work, Written, status, write};
use app::train::TRAIN;
use clap::{ArgMatches, Args, Command as ClapCommand, FromArgMatches, Subcommand};

use super::documents::{SlurmStatus, SlurmWritten};
use super::{Format, output, settings};

/// Spread a training or a study over the tasks of a Slurm array, and see how far it is.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Train(Box<TrainArguments>),
    Study(StudyArguments),
    /// Say how far the tasks of an array are, by what they have written.
    #[command(after_help = "Examples:
  curvebook slurm status lenet
  curvebook slurm status lenet --format json

Nothing is asked of Slurm: it works wherever the directory can be read. Tasks that are not done are
listed as `sbatch --array` takes them.")]
    Status {
        /// The --out of `slurm train` or `slurm study`.
        dir: PathBuf,
    },
}

/// The array.
#[derive(Debug, Args)]
struct Array {
    /// How many tasks share the work.
    #[arg(long, value_name = "N")]
    tasks: u32,
    /// A new directory for the scripts and for what the tasks write; or that of the same array.
    #[arg(long)]
    out: PathBuf,
    /// Processors of a task.
    #[arg(long, default_value_t = 1, value_name = "N")]
    cpus: u32,
    /// A further option of sbatch, such as --sbatch=--partition=long; may be given several times.
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    sbatch: Vec<String>,
    /// Submit both jobs, the second to follow the first.
    #[arg(long)]
    submit: bool,
}

/// Replay ranges of seeds of a study.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  curvebook slurm study my-study.toml --tasks 16 --out results
  curvebook slurm study choi2018 --tasks 50 --cpus 2 --out results --submit

Each task replays a share of the repeats under a seed of its own, counted on from the study's; the
last job answers of all of them in answer.txt and report.html. Where the program stands elsewhere
on the machines that run it, CURVEBOOK names it.")]
pub(super) struct StudyArguments {
    /// A study of this program by name, or a TOML file.
    study: String,
    #[command(flatten)]
    array: Array,
}

const TRAIN_HELP: &str = "Examples:
  curvebook slurm train --space mnist-lenet --configs 20000 --tasks 64 --out lenet
  curvebook slurm train --space mnist-lenet --tasks 8 --device gpu --sbatch=--gres=gpu:1 \\
      --out lenet --submit
  seq 0 3 | parallel sh lenet/array.sh && sh lenet/end.sh

It takes the options of `train`. Each task trains a shard, and goes on where it was if it is killed
or queued again; the last job merges the shards to the table OUT/table. Scripts are plain shell:
GNU parallel runs them with the number of the task as an argument, Kubernetes as an indexed job by
JOB_COMPLETION_INDEX. CURVEBOOK names the program where it stands elsewhere on those machines.";

/// Settings of a training of which every task has its own.
const OF_A_TASK: [&str; 4] = ["out", "shard", "plan", "resume"];

/// What the options of a training say, and the array.
#[derive(Debug)]
pub(super) struct TrainArguments(Given, Array);

impl Args for TrainArguments {
    fn augment_args(command: ClapCommand) -> ClapCommand {
        let about = "Train shards of a table";
        let list = TRAIN.iter().filter(|setting| !OF_A_TASK.contains(&setting.name));
        let command = Array::augment_args(settings::some_options(command, list));
        command.about(about).after_help(TRAIN_HELP)
    }

    fn augment_args_for_update(command: ClapCommand) -> ClapCommand {
        Self::augment_args(command)
    }
}

impl FromArgMatches for TrainArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = settings::given_but(matches, TRAIN, &OF_A_TASK);
        Ok(Self(given, Array::from_arg_matches(matches)?))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

pub(super) fn run(command: &Command, format: Format) -> anyhow::Result<()> {
    match command {
        Command::Train(arguments) => {
            let TrainArguments(given, array) = &**arguments;
            written(Work::Train(Box::new(given.clone())), array, format)
        }
        Command::Study(StudyArguments { study, array }) => {
            written(Work::Study(study.clone()), array, format)
        }
        Command::Status { dir } => print_status(&status(dir)?, format),
    }
}

fn written(work: Work, array: &Array, format: Format) -> anyhow::Result<()> {
    let Array { tasks, out, cpus, sbatch, submit } = array;
    let (tasks, cpus, submit) = (*tasks, *cpus, *submit);
    let (out, sbatch) = (out.clone(), sbatch.clone());
    let Written { array, end, jobs } = write(&Settings { work, tasks, out, cpus, sbatch, submit })?;
    match format {
        Format::Json => output::print_json(&SlurmWritten {
            array: array.display().to_string(),
            end: end.display().to_string(),
            jobs: jobs.map(Vec::from),
        }),
        Format::Text => {
            let [array, end] = [array, end].map(|path| path.display().to_string());
            let next = match jobs {
                Some([first, second]) => {
                    format!("submitted: job {first}, and {second} after it")
                }
                None => format!(
                    "To submit them:\n  job=$(sbatch --parsable {array})\n  sbatch \
                     --dependency=afterok:\"$job\" {end}"
                ),
            };
            output::print(&format!("{array}: {}\n{end}: the end\n{next}", plural(tasks, "task")))
        }
    }
}

fn print_status(status: &Status, format: Format) -> anyhow::Result<()> {
    let progress = status.progress();
    match format {
        Format::Json => output::print_json(&SlurmStatus {
            work: &status.work,
            tasks: status
                .tasks
                .iter()
                .map(|task| match task {
                    TaskState::Waiting => "waiting",
                    TaskState::Begun => "begun",
                    TaskState::Done => "done",
                })
                .collect(),
            done: progress.done,
            begun: progress.begun,
            waiting: progress.waiting,
            ended: status.has_ended,
        }),
        Format::Text => {
            let mut text = format!(
                "{}: {} of {} done, {} begun, {} waiting",
                status.work,
                progress.done,
                plural(status.tasks.len(), "task"),
                progress.begun,
                progress.waiting
            );
            let missing = status.missing();
            if !missing.is_empty() {
                let _ = write!(text, "\nnot done: {missing}");
            }
            text.push_str(match (status.has_ended, missing.is_empty()) {
                (true, _) => "\nthe end has made one result of them",
                (false, true) => "\nthe end has still to run",
                (false, false) => "",
            });
            output::print(&text)
        }
    }
}
