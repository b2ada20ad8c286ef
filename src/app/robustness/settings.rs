//! The settings: each changes one decision that could have been taken otherwise.

use base::error::Result;
use base::units::{Epoch, SimTime};
use replay::{Goal, Grid, Pool, Report, ValueMode};

use crate::pools::Part;
use crate::study::StudyDefinition;

/// A study with one decision taken otherwise.
#[derive(Debug)]
pub(super) struct Changed {
    pub(super) name: String,
    pub(super) words: &'static str,
    pub(super) grid: Grid,
    /// Each goal as it was, and as it is now.
    pub(super) goals: Vec<[String; 2]>,
    part: Part,
}

impl Changed {
    /// The tables, as far as they take part.
    pub(super) fn pools(&self, study: &StudyDefinition) -> Result<Vec<Pool>> {
        let experiments = &study.experiments;
        let load = |dir| experiments.table_options.load_part(dir, self.part);
        experiments.tables.iter().map(|dir| load(dir)).collect()
    }
}

/// All settings of a study on its tables.
pub(super) fn all(study: &StudyDefinition, tables: &[Pool]) -> Vec<Changed> {
    let base = &study.experiments.grid;
    let mut all = Vec::new();
    let mut add = |name: String, words: &'static str, change: &dyn Fn(&mut Grid), part: Part| {
        let mut grid = base.clone();
        change(&mut grid);
        let goals = base.goals.iter().zip(&grid.goals);
        let goals = goals.map(|(was, now)| [was.text.clone(), now.text.clone()]).collect();
        // Goals that have become one are asked for once.
        let mut kept: Vec<Goal> = Vec::new();
        for goal in std::mem::take(&mut grid.goals) {
            if !kept.iter().any(|other| other.is_same(&goal)) {
                kept.push(goal);
            }
        }
        grid.goals = kept;
        all.push(Changed { name, words, grid, goals, part });
    };
    let settings = &base.settings;
    let (value, word) = match settings.value {
        ValueMode::Best => (ValueMode::Final, "value final"),
        ValueMode::Final => (ValueMode::Best, "value best"),
    };
    add(
        word.to_string(),
        "a trial's value is that of another epoch: its last, or its best",
        &|grid| grid.settings.value = value,
        Part::Whole,
    );
    for report in [Report::Best, Report::Last, Report::Ignore] {
        if report != settings.report && stops(base) {
            add(
                format!("report {}", report.word()),
                "a stopped trial tells the sampler something else",
                &|grid| grid.settings.report = report,
                Part::Whole,
            );
        }
    }
    add(
        "another seed".to_string(),
        "every random number is another one",
        &|grid| grid.settings.seed = grid.settings.seed.wrapping_add(1),
        Part::Whole,
    );
    let (epoch, training) = usual_costs(tables);
    for (name, cost) in
        [("a start costs an epoch", epoch), ("a start costs a tenth", training / 10)]
    {
        add(
            name.to_string(),
            "every start and resume costs as much besides as the median epoch, or as a tenth of \
             the median training",
            &|grid| grid.settings.trial_overhead = SimTime(grid.settings.trial_overhead.0 + cost),
            Part::Whole,
        );
    }
    add(
        "epochs cost the same".to_string(),
        "every epoch of every configuration costs a second",
        &|_| {},
        Part::UnitCosts,
    );
    for (name, times) in [("half the goal rows", 0.5), ("twice the goal rows", 2.0)] {
        let changes = base.goals.iter().any(|goal| goal.with_rows(times).is_some());
        if changes {
            add(
                name.to_string(),
                "half as many, or twice as many, configurations meet the goal",
                &|grid| scale(grid, |_| times),
                Part::Whole,
            );
        }
    }
    for (name, part) in [
        ("first half of the table", Part::FirstHalf),
        ("second half of the table", Part::SecondHalf),
    ] {
        add(
            name.to_string(),
            "the table holds one half of its configurations, the goal as large a share of it",
            &|grid| scale(grid, |goal| if goal.is_rank() { 0.5 } else { 1.0 }),
            part,
        );
    }
    all
}

/// Goals with so many times as many rows, where they are about rows.
fn scale(grid: &mut Grid, times: impl Fn(&Goal) -> f64) {
    for goal in &mut grid.goals {
        let times = times(goal);
        if let Some(scaled) = goal.with_rows(times).filter(|_| times != 1.0) {
            *goal = scaled;
        }
    }
}

/// Whether any trial may be stopped.
fn stops(grid: &Grid) -> bool {
    let is_other = |name: &str, none: &str| name.split(':').next() != Some(none);
    let all = grid.series();
    all.iter().any(|s| is_other(&s.stopper, "none") || is_other(&s.scheduler, "fifo"))
}

/// The cost of the median epoch and of the median training, in nanoseconds, over all tables.
fn usual_costs(tables: &[Pool]) -> (u64, u64) {
    let (mut epochs, mut trainings) = (Vec::new(), Vec::new());
    for pool in tables {
        for (row, repeat, _, _) in pool.curves() {
            let curve = pool.recorded(row, repeat).expect("one of its curves");
            let until = |epoch: u16| curve.cost(Epoch(epoch)).0;
            let last = curve.epochs().0;
            epochs.extend((0..last).map(|epoch| until(epoch + 1) - until(epoch)));
            trainings.push(until(last));
        }
    }
    let median = |mut all: Vec<u64>| {
        all.sort_unstable();
        all.get(all.len() / 2).copied().unwrap_or(0)
    };
    (median(epochs), median(trainings))
}
