//! How far an array is, by what its tasks have written.

use std::path::Path;

use base::error::Result;
use store::Finished;
use store::table::Manifest;

use super::{Places, read_about};

/// How far one task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TaskState {
    /// It has written nothing.
    Waiting,
    /// It has begun, and goes on where it is started again.
    Begun,
    Done,
}

/// How far an array is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// `train` or `study`.
    pub work: String,
    /// In the order of their numbers.
    pub tasks: Vec<TaskState>,
    /// Whether the one result of all tasks is there.
    pub has_ended: bool,
}

/// How many tasks are how far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub done: usize,
    pub begun: usize,
    pub waiting: usize,
}

impl Status {
    /// Counts tasks.
    pub fn progress(&self) -> Progress {
        let count = |state: TaskState| self.tasks.iter().filter(|task| **task == state).count();
        Progress {
            done: count(TaskState::Done),
            begun: count(TaskState::Begun),
            waiting: count(TaskState::Waiting),
        }
    }

    /// The numbers of the tasks that are not done, as `sbatch --array` takes them.
    pub fn missing(&self) -> String {
        let mut ranges: Vec<(usize, usize)> = Vec::new();
        for (task, state) in self.tasks.iter().enumerate() {
            if *state == TaskState::Done {
                continue;
            }
            match ranges.last_mut() {
                Some((_, last)) if *last + 1 == task => *last = task,
                _ => ranges.push((task, task)),
            }
        }
        let range = |(first, last): &(usize, usize)| {
            if first == last { first.to_string() } else { format!("{first}-{last}") }
        };
        ranges.iter().map(range).collect::<Vec<_>>().join(",")
    }
}

/// Looks at what the tasks of an array have written. Nothing is asked of Slurm, so that it can be
/// called anywhere.
///
/// # Errors
/// A directory that `slurm` did not write.
pub fn status(dir: &Path) -> Result<Status> {
    let about = read_about(dir)?;
    let places = Places(dir);
    let is_train = about.work == "train";
    let state = |task: u32| {
        let part = places.part(task);
        let is_done = if is_train {
            Manifest::read(&part).is_ok()
        } else {
            Finished::find(&part).is_ok_and(|finished| finished.is_some())
        };
        match (is_done, part.exists()) {
            (true, _) => TaskState::Done,
            (false, true) => TaskState::Begun,
            (false, false) => TaskState::Waiting,
        }
    };
    let has_ended = if is_train {
        Manifest::read(&places.table()).is_ok()
    } else {
        dir.join("report.html").exists()
    };
    Ok(Status { work: about.work, tasks: (0..about.tasks).map(state).collect(), has_ended })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_tasks_are_ranges() {
        use TaskState::{Begun, Done, Waiting};
        let status = |tasks: &[TaskState]| {
            let status =
                Status { work: "train".to_string(), tasks: tasks.to_vec(), has_ended: false };
            (status.missing(), status.progress())
        };
        let progress = |done, begun, waiting| Progress { done, begun, waiting };
        assert_eq!(status(&[Done, Done]), (String::new(), progress(2, 0, 0)));
        let some = [Begun, Waiting, Done, Waiting, Done, Begun, Begun, Begun];
        assert_eq!(status(&some), ("0-1,3,5-7".to_string(), progress(2, 4, 2)));
    }
}
