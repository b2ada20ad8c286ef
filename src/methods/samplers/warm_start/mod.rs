//! A warm start from a cheaper table: random search there first, and its best configurations begin
//! the run proper (Hinz, Navarro-Guerrero, Magg, Wermter, "Speeding up the hyperparameter
//! optimization of deep convolutional neural networks", 2018, who optimise on images of a lower
//! resolution and go on with the best configurations on the full ones).
//!
//! 1. `trials` distinct rows of the table `table` are drawn, each runs there for `epochs` epochs
//!    (0: to its end), one after another on every worker of the run.
//! 2. The `top` of them by their best score, the best first and of equal ones the one drawn first,
//!    are the first rows of the run. Rows that never showed a number are none of them.
//! 3. After them, and where one of them is taken, `sampler` proposes, which is told of all trials.
//!
//! The paper's first phase runs its optimiser at length; here it is random search, and the table
//! stands for the lower resolution (another table of the same space and the same first rows) or for
//! early epochs (`table=self,epochs=3`).
//!
//! **What it costs.** The cheap trainings are charged: each worker's first trial begins once all
//! of them are done, and `overhead_s` of the results counts that. Setup seconds that the cheap
//! table recorded count with them. Under a scheduler that resumes trials nothing of the cheap phase
//! is resumed: it ran elsewhere.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

use base::error::{Error, Result, fault};
use base::units::{ConfigId, Epoch, SimTime, TrialId, plural};

use crate::interface::{
    Arguments, Ask, Comparison, Context, Entry, Fresh, Origin, Paired, Proposal, Sampler,
    SamplerFactory, View, parameters,
};
use crate::kit::draws::permutation;

parameters! {
    struct Parameters {
        /// the directory of the cheaper table, whose first rows are the same configurations; self:
        /// the table that is replayed
        table: PathBuf,
        /// configurations that run there
        trials: u32 in 1.. = 100,
        /// how many of them begin the run
        top: u32 in 1.. = 10,
        /// epochs that they run there; 0: all
        epochs: u16 in 0.. = 0,
        /// what proposes after them
        sampler: Method<SamplerFactory> in super::REGISTRY = "random",
    }
}

pub(super) const ENTRY: Entry<SamplerFactory> = Entry {
    name: "warm-start",
    summary: "Begins with the best of some trials on a cheaper table, whose cost is charged; the \
              first phase is random search.",
    citation: "Hinz, Navarro-Guerrero, Magg & Wermter, Speeding up the hyperparameter \
               optimization of deep convolutional neural networks, IJCIA 17, 2018",
    parameters: Parameters::SPECS,
    compared: &[Comparison {
        with: "runs worked out by hand",
        what: "rows, their order and every time on a table of 12 rows at 1 and 3 workers \
               (tests/it/warm_start_table.rs)",
        result: "equal",
    }],
    traits: &[],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<SamplerFactory> {
    let Parameters { table, trials, top, epochs, sampler } = Parameters::read(arguments)?;
    let cheap = (context.readers.paired)(&table)?;
    let common = cheap.rows.min(context.rows);
    check(&cheap, common, context)?;
    let refuse = |field: &str, value: u32, rule: String, remedy: &str| -> Error {
        fault("--sampler", format!("warm-start:{field}"), value, rule, remedy)
    };
    if trials > common {
        let both = format!("`{}` and `{}`", cheap.table, context.table);
        let rule = format!("{both} have {} in common", plural(common, "row"));
        return Err(refuse("trials", trials, rule, "lower it"));
    }
    if top > trials {
        let rule = format!("only {} run there", plural(trials, "trial"));
        return Err(refuse("top", top, rule, "lower it, or raise trials"));
    }
    if epochs > cheap.epochs.0 {
        let rule = format!("`{}` has epochs 1 to {}", cheap.table, cheap.epochs);
        return Err(refuse("epochs", epochs.into(), rule, "lower it; 0 is all of them"));
    }
    let until = if epochs == 0 { cheap.epochs } else { Epoch(epochs) };
    let (rest, cheap) = (sampler.build(context)?, Arc::new(cheap));
    Ok(Box::new(move |run| {
        let mut rng = run.stream("warm-start");
        let mut rows = permutation(&mut rng, common as usize);
        rows.truncate(trials as usize);
        let id = |row: usize| ConfigId(u32::try_from(row).expect("rows are 32 bits"));
        Box::new(WarmStart {
            cheap: Arc::clone(&cheap),
            until,
            top: top as usize,
            drawn: rows.into_iter().map(id).collect(),
            best: VecDeque::new(),
            wait: None,
            waited: 0,
            workers: 0,
            rest: rest(run),
        })
    }))
}

/// Refuses a table that is of other configurations.
fn check(cheap: &Paired, common: u32, context: &Context<'_>) -> Result<()> {
    let refuse = |field: &str, value: String, rule: String, remedy: &str| {
        Err(fault("--sampler", format!("warm-start: {field}"), value, rule, remedy))
    };
    let (table, own) = (&cheap.table, context.table);
    let (theirs, ours) = (&cheap.space.parameters, &context.space.parameters);
    let remedy = "name a table of the same space";
    for (at, parameter) in ours.iter().enumerate() {
        if theirs.get(at) != Some(parameter) {
            let rule = format!("`{table}` must have the parameters of `{own}`, this one as it is");
            return refuse("parameter", parameter.name.clone(), rule, remedy);
        }
    }
    if let Some(parameter) = theirs.get(ours.len()) {
        let rule = format!("`{table}` must have the parameters of `{own}`, which lacks this one");
        return refuse("parameter", parameter.name.clone(), rule, remedy);
    }
    if cheap.metric.goal != context.metric.goal {
        let rule = format!("`{table}` must have a metric of the same direction as `{own}`");
        return refuse("metric", cheap.metric.name.clone(), rule, "name another table");
    }
    let differs = |row: &ConfigId| cheap.points.row(*row) != context.points.row(*row);
    if let Some(row) = (0..common).map(ConfigId).find(differs) {
        let rule = format!("is another configuration in `{table}` than in `{own}`");
        return refuse("row", row.to_string(), rule, "name a table of the same configurations");
    }
    Ok(())
}

struct WarmStart {
    cheap: Arc<Paired>,
    /// Where trials of the cheap phase end.
    until: Epoch,
    top: usize,
    /// What runs there, in this order.
    drawn: Vec<ConfigId>,
    /// What begins the run and has not been proposed, the next one first.
    best: VecDeque<ConfigId>,
    /// What the cheap phase took; `None` before it ran.
    wait: Option<SimTime>,
    /// Workers that have waited for it.
    waited: u32,
    /// Of the run.
    workers: u32,
    rest: Box<dyn Sampler>,
}

impl WarmStart {
    /// Runs the cheap phase on so many workers: each free one takes the next row.
    fn run(&mut self, workers: u32) -> SimTime {
        let mut free: BinaryHeap<Reverse<SimTime>> =
            (0..workers.max(1)).map(|_| Reverse(SimTime::ZERO)).collect();
        let mut last = SimTime::ZERO;
        let mut scored = Vec::new();
        for row in &self.drawn {
            let (score, cost) = self.cheap.by(*row, self.until);
            let Reverse(begin) = free.pop().expect("there is a worker");
            let end = begin.saturating_add(cost);
            free.push(Reverse(end));
            last = last.max(end);
            if !score.is_nan() {
                scored.push((score, *row));
            }
        }
        scored.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        self.best = scored.into_iter().take(self.top).map(|(_, row)| row).collect();
        last
    }
}

impl Sampler for WarmStart {
    fn ready(&mut self, view: &View<'_>) -> Fresh {
        if self.wait.is_none() {
            self.workers = view.workers;
            self.wait = Some(self.run(view.workers));
        }
        while self.best.front().is_some_and(|row| !view.is_free(*row)) {
            self.best.pop_front();
        }
        if self.best.is_empty() { self.rest.ready(view) } else { Fresh::Ready }
    }

    fn propose(&mut self, view: &View<'_>, ask: &Ask) -> Proposal {
        match self.best.pop_front() {
            Some(row) => Proposal::Row(row),
            None => self.rest.propose(view, ask),
        }
    }

    fn spent(&mut self) -> SimTime {
        // Every worker was busy with it.
        let is_first = self.waited < self.workers;
        self.waited += u32::from(is_first);
        let wait = self.wait.filter(|_| is_first).unwrap_or(SimTime::ZERO);
        wait.saturating_add(self.rest.spent())
    }

    fn started(&mut self, view: &View<'_>, trial: TrialId, origin: Origin) {
        self.rest.started(view, trial, origin);
    }

    fn tell(&mut self, view: &View<'_>, trial: TrialId) {
        self.rest.tell(view, trial);
    }

    fn looks_at_running(&self) -> bool {
        self.rest.looks_at_running()
    }
}
