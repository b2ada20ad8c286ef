//! A run on a loaded table whose decisions somebody else takes, at the engine's clock and charges.

mod events;
mod settings;

use std::sync::Arc;

use base::error::{Result, fault};
use base::units::{Epoch, SimTime, TrialId};
use methods::interface::{EpochScore, Proposal};
use replay::{EndReason, EpochEnd, Segment, State, Stepper, Target};
use store::Frame;
use store::trace::TraceRow;

pub use events::EventRow;
pub use settings::Settings;

use crate::loaded::{LoadedTable, Named, values_of};
use crate::runs::trace_rows;

/// What to start.
#[derive(Debug, Clone, Copy)]
pub enum Start<'a> {
    /// The table's id of a row.
    Row(i64),
    /// A configuration that the table has.
    Exactly(Named<'a>),
    /// The free row nearest to a configuration of the space.
    Nearest(Named<'a>),
    /// The next free row in the repeat's shuffled order, as random search takes them.
    Next,
}

/// A value as those outside see it: in the metric's own direction; `None` where nothing was
/// measured, NaN where training had diverged.
pub type Measured = Option<f64>;

/// A run in the making.
#[derive(Debug)]
pub struct Simulator {
    table: Arc<LoadedTable>,
    stepper: Stepper,
    repeat: u32,
    targets: Vec<Target>,
}

/// The best trial by now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Best {
    pub trial: TrialId,
    /// The epoch of its value.
    pub epoch: Epoch,
    pub value: f64,
    /// The metric on test images at that epoch, where it was measured.
    pub test_value: Option<f64>,
}

impl Simulator {
    /// A run at its beginning.
    ///
    /// # Errors
    /// Faults of goals that the table does not have.
    pub fn new(table: &Arc<LoadedTable>, settings: Settings) -> Result<Self> {
        let Settings { engine, goals, repeat } = settings;
        let pool = table.pool();
        let targets: Vec<Target> =
            goals.iter().map(|goal| goal.on(pool, engine.value)).collect::<Result<_>>()?;
        let stepper = Stepper::new(Arc::clone(pool), engine, &targets, repeat)?;
        Ok(Self { table: Arc::clone(table), stepper, repeat, targets })
    }

    /// What it runs on.
    pub fn table(&self) -> &Arc<LoadedTable> {
        &self.table
    }

    /// The run itself.
    pub fn stepper(&self) -> &Stepper {
        &self.stepper
    }

    /// The run itself.
    pub fn stepper_mut(&mut self) -> &mut Stepper {
        &mut self.stepper
    }

    /// What is to be reached, in the order of the goals that were given.
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// When each goal was met, in the order of [`Self::targets`]; `None` where it was not.
    pub fn times_to_goals(&self) -> Vec<Option<SimTime>> {
        match self.stepper.outcome() {
            Some(outcome) => outcome.goals.iter().map(|goal| goal.reached_at).collect(),
            None => self.stepper.reached_at().collect(),
        }
    }

    /// Starts a trial on the free worker of the lowest index.
    ///
    /// # Errors
    /// Faults of what cannot be started; see [`Stepper::start`]. A configuration that the table
    /// does not have is refused with the nearest free row.
    pub fn start(&mut self, start: Start<'_>, spent: SimTime) -> Result<TrialId> {
        let proposal = match start {
            Start::Row(id) => Proposal::Row(self.table.row_of(id)?),
            Start::Next => match self.stepper.first_free() {
                Some(row) => Proposal::Row(row),
                // Refused below by the rule that is broken.
                None => Proposal::Point(Vec::new()),
            },
            Start::Exactly(named) => self.exactly(named)?,
            Start::Nearest(named) => {
                let space = self.table.pool().space();
                Proposal::Point(space.to_unit(&values_of(space, named)?))
            }
        };
        self.stepper.start(proposal, spent)
    }

    fn exactly(&mut self, named: Named<'_>) -> Result<Proposal> {
        let space = self.table.pool().space();
        let values = values_of(space, named)?;
        let rows = self.table.rows_of(&values).iter().copied().map(base::units::ConfigId);
        let rows: Vec<_> = rows.collect();
        let free = rows.iter().find(|row| self.stepper.is_free(**row));
        if let Some(row) = free.or(rows.first()) {
            return Ok(Proposal::Row(*row));
        }
        let point = space.to_unit(&values);
        let nearest = self.stepper.nearest(&point).map(|(row, distance)| {
            let (id, config) = (self.table.pool().ids().id_of(row), self.table.config(row));
            let config = self.table.shown(config);
            format!("the nearest free row is {id}, {distance:.4} away: {config}")
        });
        let rule = format!(
            "table `{}` does not have this configuration; {}",
            self.table.pool().name(),
            nearest.unwrap_or_else(|| "every row has been run".to_string())
        );
        let remedy = "give that row's number, or `nearest=True`";
        Err(fault("config", "config", self.table.shown(&values), rule, remedy))
    }

    /// A score in the metric's own direction.
    pub fn measured(&self, score: EpochScore) -> Measured {
        let number = score.number().map(|score| self.table.pool().value_of(score));
        score.is_measured().then(|| number.unwrap_or(f64::NAN))
    }

    /// A trial's value by the run's value mode.
    ///
    /// # Errors
    /// A fault where it has not started.
    pub fn value(&self, trial: TrialId) -> Result<Measured> {
        let value = self.stepper.trial(trial)?.value;
        Ok(Some(self.table.pool().value_of(value)).filter(|value| !value.is_nan()))
    }

    /// What an optimiser is to be told of a trial whose segment has ended.
    ///
    /// # Errors
    /// A fault where it has not started.
    pub fn reported(&self, trial: TrialId) -> Result<Measured> {
        let reported = self.stepper.trial(trial)?.reported;
        Ok(Some(self.table.pool().value_of(reported)).filter(|value| !value.is_nan()))
    }

    /// The best trial by value.
    pub fn best(&mut self) -> Option<Best> {
        let (trial, selected) = self.stepper.best()?;
        let value = self.table.pool().value_of(selected.value);
        Some(Best { trial, epoch: selected.epoch, value, test_value: selected.test_value })
    }

    /// Why the run is over, in the word of `runs.parquet`.
    pub fn end_reason(&mut self) -> Option<&'static str> {
        self.stepper.end_reason().map(EndReason::word)
    }

    /// The segments so far, as rows of a trace. One that has not ended is `running`, as it stands.
    ///
    /// # Errors
    /// None but an internal one.
    pub fn trace(&self) -> Result<Frame> {
        let rows: Vec<TraceRow> = self.trace_rows().collect();
        Frame::of(&rows.iter().collect::<Vec<_>>())
    }

    /// The same, row by row.
    pub fn trace_rows(&self) -> impl Iterator<Item = TraceRow> {
        let now = self.stepper.now();
        let by_now = |segment: &Segment| match segment.end_state {
            State::Running => {
                let trial = &self.stepper.trials()[segment.trial.index()];
                Segment { end: now, epochs: trial.executed, value: trial.value, ..*segment }
            }
            _ => *segment,
        };
        let segments: Vec<Segment> = self.stepper.segments().iter().map(by_now).collect();
        let rows: Vec<_> = trace_rows(self.table.pool(), 0, self.repeat, &segments).collect();
        rows.into_iter()
    }

    /// Every epoch end so far.
    ///
    /// # Errors
    /// None but an internal one.
    pub fn events(&self) -> Result<Frame> {
        let ids = self.table.pool().ids();
        let row = |event: &EpochEnd| EventRow {
            now_ns: event.now.0,
            trial: event.trial.0,
            config_id: ids.id_of(event.config).0,
            epoch: event.epoch.0,
            value: self.measured(event.score),
            state: event.state.word(),
        };
        let rows: Vec<EventRow> = self.stepper.events().iter().map(row).collect();
        Frame::of(&rows.iter().collect::<Vec<_>>())
    }
}
