//! The program's methods under somebody else's loop, on a table's configurations or on a space.

use std::sync::Arc;

use base::error::{Result, fault};
use base::fields::Fields;
use base::space::{Direction, Metric, Space, Value, raw, sobol};
use base::units::{ConfigId, Epoch, TrialId};
use methods::interface::{Proposal, Readers, Trait};
use replay::{Advisor, Grid, Pool, RecordedCurve};
use serde_json::{Map, Value as Json, json};

use crate::loaded::{LoadedTable, Named, values_of};
use crate::runs::{read_order, read_paired, read_short_text};
use crate::settings::{Experiments, Given};

pub use replay::{Advice, Answer};

/// What an optimizer is told of a replay's settings.
const OF_AN_OPTIMIZER: [&str; 10] = [
    "samplers",
    "schedulers",
    "stoppers",
    "goals",
    "workers",
    "value",
    "report",
    "max_trials",
    "seed",
    "methods",
];

/// Where configurations come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// The rows of a table.
    Table(Arc<LoadedTable>),
    /// So many Sobol points of a space, and what is measured over so many epochs.
    Space(Box<Measured>),
}

/// A space whose configurations somebody trains.
#[derive(Debug, Clone)]
pub struct Measured {
    pub space: Space,
    pub metric: Metric,
    /// Epochs of a complete training.
    pub epochs: Epoch,
    /// How many Sobol points stand for the space.
    pub candidates: u32,
}

/// The methods of a loop.
#[derive(Debug)]
pub struct Optimizer {
    advisor: Advisor,
    configs: Configs,
}

#[derive(Debug)]
enum Configs {
    Table(Arc<LoadedTable>),
    Sobol(Vec<Vec<Value>>),
}

/// A space by its name, file or table's directory.
///
/// # Errors
/// Faults of the name and of the file.
pub fn find_space(name_or_path: &str) -> Result<Space> {
    Ok(crate::space::find(name_or_path)?.space)
}

/// A space by its parameters, as a table's JSON has them.
///
/// # Errors
/// A fault of the first that is wrong.
pub fn space_of(parameters: Json) -> Result<Space> {
    let mut map = Map::new();
    map.insert("parameters".to_string(), parameters);
    let mut fields = Fields::new("space", "", map);
    let parameters = fields.tables("parameters")?.into_iter().map(|p| raw::read(p, true));
    let parameters = parameters.collect::<Result<Vec<_>>>()?;
    Space::new("space", "parameters", "space".to_string(), parameters)
}

impl Measured {
    /// What is measured on a space: which way is better, and what guessing is worth.
    ///
    /// # Errors
    /// Faults of a direction that is none, of no epochs, and of more candidates than there are.
    pub fn new(
        space: Space,
        goal: &str,
        chance: Option<f64>,
        epochs: i64,
        candidates: i64,
    ) -> Result<Self> {
        let goal = match goal {
            "maximize" => Direction::Maximize,
            "minimize" => Direction::Minimize,
            _ => {
                let rule = "must be maximize or minimize";
                return Err(fault("direction", "direction", goal, rule, "write one of the two"));
            }
        };
        let epochs = u16::try_from(epochs).ok().filter(|epochs| *epochs > 0).ok_or_else(|| {
            let remedy = "say how many epochs a complete training has";
            fault("epochs", "epochs", epochs, "must be 1 to 65535", remedy)
        })?;
        let most = i64::from(sobol::POINTS_MAX);
        if !(1..=most).contains(&candidates) {
            let rule = format!("must be 1 to {most}");
            let remedy = "choose a number in that range";
            return Err(fault("candidates", "candidates", candidates, rule, remedy));
        }
        let candidates = u32::try_from(candidates).expect("checked above");
        sobol::check(&space, candidates)?;
        let metric = Metric { name: "value".to_string(), goal, chance };
        Ok(Self { space, metric, epochs: Epoch(epochs), candidates })
    }
}

impl Optimizer {
    /// The methods that keywords of a replay name: one `sampler`, `scheduler` and `stopper`.
    ///
    /// # Errors
    /// Faults of the settings, and of methods that the table or space does not suit.
    pub fn new(source: Source, given: Given, repeat: u32) -> Result<Self> {
        given.check_only(&OF_AN_OPTIMIZER)?;
        let has_goal = given.has("goals");
        let given = if has_goal { given } else { given.set("goal", "rank:1") };
        let experiments = Experiments::read(&given.set("table", "."))?;
        check_one(&experiments.grid, has_goal)?;
        let seed = experiments.grid.settings.seed;
        let (pool, configs) = match source {
            Source::Table(table) => (Arc::clone(table.pool()), Configs::Table(table)),
            Source::Space(measured) => {
                let (pool, configs) = candidates(&measured, seed)?;
                (Arc::new(pool), Configs::Sobol(configs))
            }
        };
        let orders = |path: &std::path::Path| read_order(path, &pool);
        let paired = |path: &std::path::Path| read_paired(path, &pool);
        let readers = Readers { orders: &orders, text: &read_short_text, paired: &paired };
        let advisor = Advisor::new(Arc::clone(&pool), &experiments.grid, readers, repeat)
            .map_err(|error| experiments.respell(error))?;
        Ok(Self { advisor, configs })
    }

    /// The methods themselves.
    pub fn advisor(&self) -> &Advisor {
        &self.advisor
    }

    /// The methods themselves.
    pub fn advisor_mut(&mut self) -> &mut Advisor {
        &mut self.advisor
    }

    /// The configuration of a row, in the space's order.
    pub fn config(&self, row: ConfigId) -> &[Value] {
        match &self.configs {
            Configs::Table(table) => table.config(row),
            Configs::Sobol(configs) => &configs[row.index()],
        }
    }

    /// Takes up a trial that somebody else chose: a configuration, which becomes the nearest free
    /// row, or where none is given the next free one.
    ///
    /// # Errors
    /// Faults of the configuration; see [`Advisor::begin`].
    pub fn begin(
        &mut self,
        config: Option<Named<'_>>,
        now: base::units::SimTime,
    ) -> Result<TrialId> {
        let space = self.advisor.pool().space();
        let proposal = match config {
            Some(named) => Proposal::Point(space.to_unit(&values_of(space, named)?)),
            // Without a free row it is refused below, whatever is proposed.
            None => self.advisor.first_free().map_or(Proposal::Point(Vec::new()), Proposal::Row),
        };
        self.advisor.begin(proposal, now)
    }
}

/// Refuses several methods of a kind, and a method that is told the goal without one.
fn check_one(grid: &Grid, has_goal: bool) -> Result<()> {
    let counts = [
        ("sampler", grid.samplers.len()),
        ("scheduler", grid.schedulers.len()),
        ("stopper", grid.stoppers.len()),
        ("goal", grid.goals.len()),
    ];
    for (name, count) in counts {
        if count > 1 || !grid.further.is_empty() {
            let rule = "a loop has one method of each kind";
            return Err(fault(name, name, count, rule, "give one"));
        }
    }
    let aware = grid.samplers.iter().any(|it| it.has(Trait::GoalAware))
        || grid.schedulers.iter().any(|it| it.has(Trait::GoalAware))
        || grid.stoppers.iter().any(|it| it.has(Trait::GoalAware));
    if aware && !has_goal {
        let rule = "a method of the loop is told the goal";
        return Err(fault("goal", "goal", "missing", rule, "give `goal`"));
    }
    Ok(())
}

/// Sobol points as rows without a curve.
fn candidates(measured: &Measured, seed: u64) -> Result<(Pool, Vec<Vec<Value>>)> {
    let Measured { space, metric, epochs, candidates } = measured;
    // The sequence has seeds of 32 bits.
    let sobol_seed = u32::try_from(seed & u64::from(u32::MAX)).expect("masked");
    let configs: Vec<Vec<Value>> =
        (0..*candidates).map(|index| sobol::configuration(space, index, sobol_seed)).collect();
    let curves = configs.iter().map(|_| RecordedCurve::default());
    let pool = Pool::new(&space.name, metric, space, *epochs, &configs, curves)?;
    Ok((pool, configs))
}

/// What a space's parameters are, as a table's JSON has them.
pub fn parameters_json(space: &Space) -> Json {
    json!(space.parameters.iter().map(raw::write).collect::<Vec<_>>())
}
