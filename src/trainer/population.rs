//! Many configurations: planned, spread over threads, kept cohort by cohort.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, mpsc};

use super::cpu::Cpu;
use super::{Backend, Job, Progress, Sink, Summary, TrainSettings, Watch};
use crate::data::{Dataset, Split};
use crate::error::{Error, Result, fault};
use crate::model::{Network, Recipe};
use crate::space::{Value, sobol};
use crate::table::record::{ConfigRecord, Status, TrainedConfig};
use crate::units::ConfigId;

/// A cohort is kept as soon as its configurations are trained. It ends after this many of them ...
const COHORT_CONFIGS_MAX: usize = 32;
/// ... or with this much work, about 20 s on two cores; never by what a clock or the number of
/// threads says, so that the same cohorts come out everywhere.
const COHORT_FLOPS: f64 = 2e12;

/// Trains the configurations of `settings` that `sink` does not hold yet, in ascending order.
///
/// The records, times aside, do not depend on the number of threads. A kill loses only what is in
/// training and the cohort that waits for it. When `stop` is set, every configuration before the
/// first unfinished one is kept and [`Error::Interrupted`] says how many.
///
/// Errors, all before any training: a data set of another shape than the space's, split sizes
/// beyond the data, a configuration whose network cannot be built or trained. Later: whatever the
/// sink says.
pub fn train(
    settings: &TrainSettings,
    dataset: &Dataset,
    sink: &mut dyn Sink,
    progress: &dyn Progress,
    stop: &AtomicBool,
) -> Result<Summary> {
    let backend = Cpu;
    check(settings, dataset)?;
    let split = Split::new(dataset, settings.train_size, settings.val_size, settings.test_size)?;
    check_labels(settings, &split)?;
    let planned = plan(settings, &backend)?;
    let all = planned.len();
    let tasks: Vec<Task> = planned.into_iter().filter(|task| !sink.is_done(task.config)).collect();
    let skipped = all - tasks.len();
    let flops = tasks.iter().map(|task| task.flops).sum();
    progress.planned(tasks.len(), flops);
    let crew = Crew { settings, tasks: &tasks, split: &split, backend: &backend, progress, stop };
    let mut summary = crew.run(sink)?;
    summary.skipped = skipped;
    if stop.load(Ordering::Relaxed) && summary.trained < tasks.len() {
        let kept = summary.trained + skipped;
        let kept = format!("{kept} of {all} configurations are kept; --resume goes on from there");
        return Err(Error::Interrupted { kept });
    }
    Ok(summary)
}

/// One configuration to train.
#[derive(Debug)]
struct Task {
    config: ConfigId,
    values: Vec<Value>,
    network: Network,
    recipe: Recipe,
    /// Of the whole training.
    flops: f64,
}

fn check(settings: &TrainSettings, dataset: &Dataset) -> Result<()> {
    let definition = &settings.definition;
    let refuse = |field: &str, value: String, rule: String| {
        let remedy = "change the space's [model], or train it on another data set";
        Err(fault(&definition.source, field, value, rule, remedy))
    };
    let shape = [dataset.channels, dataset.height, dataset.width];
    if definition.input != shape {
        let rule = format!("images of {} are {shape:?}", dataset.name);
        return refuse("model.input", format!("{:?}", definition.input), rule);
    }
    if definition.classes != dataset.classes {
        let rule = format!("{} has {} classes", dataset.name, dataset.classes);
        return refuse("model.classes", definition.classes.to_string(), rule);
    }
    for (option, value) in [
        ("--epochs", usize::from(settings.epochs)),
        ("--repeats", usize::from(settings.repeats)),
        ("--threads", settings.threads),
    ] {
        if value == 0 {
            let remedy = "ask for at least one";
            return Err(fault("command line", option, value, "must be at least 1", remedy));
        }
    }
    sobol::check(&definition.space, settings.configs.end)
}

/// Orders count images in 32 bits.
fn check_labels(settings: &TrainSettings, split: &Split<'_>) -> Result<()> {
    if u32::try_from(split.train.len()).is_ok() {
        return Ok(());
    }
    let rule = format!("at most {} images can be ordered", u32::MAX);
    Err(fault("command line", "--train-size", settings.train_size, rule, "ask for fewer"))
}

/// Builds every configuration's network: what cannot be trained is refused before any work.
fn plan(settings: &TrainSettings, backend: &dyn Backend) -> Result<Vec<Task>> {
    let definition = &settings.definition;
    let trainings = f64::from(settings.epochs) * f64::from(settings.repeats);
    let build = |index: u32| {
        let values = sobol::configuration(&definition.space, index, settings.sobol_seed);
        let network = Network::build(definition, &values)?;
        backend.check(&definition.source, &network)?;
        let recipe = Recipe::resolve(definition, &values)?;
        let flops = network.flops_per_epoch(settings.train_size) * trainings;
        Ok(Task { config: ConfigId(index), values, network, recipe, flops })
    };
    settings.configs.clone().map(build).collect()
}

/// Where each cohort ends, as positions among the tasks.
fn cohort_ends(tasks: &[Task]) -> VecDeque<usize> {
    let (mut ends, mut first, mut flops) = (VecDeque::new(), 0, 0.0);
    for (at, task) in tasks.iter().enumerate() {
        flops += task.flops;
        let is_full = at + 1 - first >= COHORT_CONFIGS_MAX || flops >= COHORT_FLOPS;
        if is_full || at + 1 == tasks.len() {
            ends.push_back(at + 1);
            (first, flops) = (at + 1, 0.0);
        }
    }
    ends
}

/// The order of the starts: within a cohort the longest first, so that threads end it together.
fn starts(tasks: &[Task], ends: &VecDeque<usize>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..tasks.len()).collect();
    let mut first = 0;
    for &end in ends {
        order[first..end].sort_by(|&a, &b| tasks[b].flops.total_cmp(&tasks[a].flops));
        first = end;
    }
    order
}

/// Everything that the threads share.
struct Crew<'a> {
    settings: &'a TrainSettings,
    tasks: &'a [Task],
    split: &'a Split<'a>,
    backend: &'a dyn Backend,
    progress: &'a dyn Progress,
    stop: &'a AtomicBool,
}

impl Crew<'_> {
    /// Trains all tasks; this thread hands out the work and keeps what comes back.
    fn run(&self, sink: &mut dyn Sink) -> Result<Summary> {
        let abort = AtomicBool::new(false);
        let (give, take) = mpsc::channel();
        let take = Mutex::new(take);
        let (back, results) = mpsc::channel();
        std::thread::scope(|scope| {
            for _ in 0..self.settings.threads.min(self.tasks.len()) {
                let (back, take, abort) = (back.clone(), &take, &abort);
                scope.spawn(move || self.work(take, &back, abort));
            }
            drop(back);
            let mut kept = Kept::default();
            let outcome = self.hand_out(&give, &results, &mut kept, sink);
            // Ends the idle threads.
            drop(give);
            if outcome.is_err() {
                abort.store(true, Ordering::Relaxed);
                return outcome.map(|()| kept.summary);
            }
            // After a stop: what the other threads still finished counts, if nothing before it is
            // missing.
            kept.waiting.extend(results.iter().filter_map(|(at, result)| Some((at, result?))));
            let mut end = kept.summary.trained;
            while kept.waiting.contains_key(&end) {
                end += 1;
            }
            kept.append(sink, end).map(|()| kept.summary)
        })
    }

    /// Gives out tasks and keeps cohorts until all is done, a thread stops, or the sink fails.
    fn hand_out(
        &self,
        give: &mpsc::Sender<usize>,
        results: &mpsc::Receiver<(usize, Option<TrainedConfig>)>,
        kept: &mut Kept,
        sink: &mut dyn Sink,
    ) -> Result<()> {
        let mut ends = cohort_ends(self.tasks);
        let mut starts = starts(self.tasks, &ends).into_iter().enumerate().peekable();
        // Threads run ahead of the oldest unfinished cohort, but not far: a kill loses little.
        let ahead = COHORT_CONFIGS_MAX + self.settings.threads;
        while let Some(&end) = ends.front() {
            // Nothing before the oldest open cohort waits, and each position waits once: counting
            // tells whether the cohort is complete.
            if kept.waiting.range(..end).count() == end - kept.summary.trained {
                kept.append(sink, end)?;
                ends.pop_front();
                continue;
            }
            let window = kept.summary.trained + ahead;
            while let Some((_, task)) = starts.next_if(|&(nth, _)| nth < window) {
                give.send(task).expect("the receiver outlives this function");
            }
            // None: a stop, or a thread that panicked, which the scope passes on.
            let Ok((at, Some(trained))) = results.recv() else { return Ok(()) };
            kept.waiting.insert(at, trained);
        }
        Ok(())
    }

    /// A thread's life: take a task, train it, hand it back.
    fn work(
        &self,
        take: &Mutex<mpsc::Receiver<usize>>,
        back: &mpsc::Sender<(usize, Option<TrainedConfig>)>,
        abort: &AtomicBool,
    ) {
        let watch = Watch { progress: self.progress, stop: self.stop, abort };
        let _alarm = Alarm { back };
        loop {
            let next = take.lock().expect("no thread panics while it waits").recv();
            let Ok(at) = next else { return };
            let trained = self.train(&self.tasks[at], &watch);
            let is_stopped = trained.is_none();
            if let Some(trained) = &trained {
                self.progress.config_done(trained);
            }
            if back.send((at, trained)).is_err() || is_stopped {
                return;
            }
        }
    }

    /// Every repeat of one configuration.
    fn train(&self, task: &Task, watch: &Watch<'_>) -> Option<TrainedConfig> {
        let mut curves = Vec::new();
        for repeat in 0..self.settings.repeats {
            if watch.is_stopped() {
                return None;
            }
            let job = Job {
                config: task.config,
                repeat,
                seed: self.settings.seed,
                epochs: self.settings.epochs,
                network: &task.network,
                recipe: &task.recipe,
                split: self.split,
            };
            curves.push(self.backend.train(&job, watch)?);
        }
        let diverged = curves.iter().any(|curve| curve.status == Status::Diverged);
        let first = curves.first().expect("at least one repeat was asked for");
        let params = i64::try_from(task.network.params()).expect("networks are bounded");
        let config = ConfigRecord {
            config_id: task.config,
            values: task.values.clone(),
            params,
            flops_per_epoch: task.network.flops_per_epoch(self.settings.train_size),
            setup_seconds: first.setup_seconds,
            status: if diverged { Status::Diverged } else { first.status },
            val_confusion: first.val_confusion.clone(),
        };
        let epochs = curves.into_iter().flat_map(|curve| curve.epochs).collect();
        Some(TrainedConfig { config, epochs })
    }
}

/// Tells the thread that hands out work of a panic: it would wait for the lost result for ever.
struct Alarm<'a> {
    back: &'a mpsc::Sender<(usize, Option<TrainedConfig>)>,
}

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Nobody listens any more if the other end has given up already.
            let _ = self.back.send((usize::MAX, None));
        }
    }
}

/// What is in the sink, and what waits for its cohort.
#[derive(Debug, Default)]
struct Kept {
    summary: Summary,
    waiting: BTreeMap<usize, TrainedConfig>,
}

impl Kept {
    /// Hands every waiting configuration before position `end` to the sink.
    fn append(&mut self, sink: &mut dyn Sink, end: usize) -> Result<()> {
        let later = self.waiting.split_off(&end);
        let cohort: Vec<_> = std::mem::replace(&mut self.waiting, later).into_values().collect();
        if cohort.is_empty() {
            return Ok(());
        }
        let is_diverged = |trained: &&TrainedConfig| trained.config.status == Status::Diverged;
        let (trained, diverged) = (cohort.len(), cohort.iter().filter(is_diverged).count());
        sink.append(cohort)?;
        self.summary.trained += trained;
        self.summary.diverged += diverged;
        Ok(())
    }
}
