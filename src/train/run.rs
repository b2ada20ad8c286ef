//! The training of everything that is not trained yet.

use std::sync::atomic::{AtomicBool, Ordering};

use base::error::{Error, Result};

use crate::backend::{Device, Work};
use crate::data::{Dataset, Folds, Split};
use crate::memory;
use crate::plan::{self, Task};
use crate::progress::{Progress, Sink, Summary};
use crate::settings::TrainSettings;

/// Trains the configurations of `settings` that `sink` does not hold yet, and of those that it
/// holds in part the further curves, roughly in ascending order, on `device`.
///
/// The records, times aside, do not depend on the number of threads. A kill loses what is in
/// training and what was finished in the last seconds, no more. When `stop` is set, every finished
/// configuration is kept and [`Error::Interrupted`] says how many.
///
/// # Errors
///
/// Before any training: a data set of another shape than the space's, split sizes beyond the data,
/// a configuration whose network cannot be built or trained. Later: whatever the sink says, and a
/// GPU that fails again and again.
pub fn train(
    settings: &TrainSettings,
    dataset: &Dataset,
    device: &Device,
    sink: &mut dyn Sink,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<Summary> {
    plan::check(settings, dataset)?;
    let split = Split::new(dataset, settings.train_size, settings.val_size, settings.test_size)?;
    let folds = settings.folds.map(|count| Folds::new(&split, count)).transpose()?;
    let splits = plan::splits(&split, folds.as_ref())?;
    let planned = plan::tasks(settings, &splits)?;
    memory::check(settings, &planned, device)?;
    let all = planned.len();
    let mut tasks: Vec<Task> =
        planned.into_iter().filter(|task| !sink.is_done(task.config)).collect();
    for task in &mut tasks {
        task.leave_out(sink.curves_done(task.config), settings, &splits);
    }
    let skipped = all - tasks.len();
    let flops = tasks.iter().map(|task| task.flops).sum();
    progress.planned(tasks.len(), flops);
    let work = Work { settings, tasks: &tasks, splits: &splits, progress, stop };
    let mut summary = device.backend().train(&work, sink)?;
    summary.skipped = skipped;
    if stop.load(Ordering::Relaxed) && summary.trained < tasks.len() {
        let kept = summary.trained + skipped;
        let kept = format!("{kept} of {all} configurations are kept; --resume goes on from there");
        return Err(Error::Interrupted { kept });
    }
    Ok(summary)
}
