//! All that a picture of a table is drawn from: what its curves are like, and which
//! hyperparameters matter.

use std::path::PathBuf;

use base::error::Result;
use base::rng::Stream;
use base::space::{Domain, Metric, Numbers, Parameter, Space, Value};
use base::stats::ped_anova::{Axis, Column, Shares, ped_anova};
use base::units::ConfigId;
use methods::surrogates::functional_anova::{FunctionalAnova, filled, grid};
use rayon::prelude::*;
use replay::Pool;

pub use answers::table::{
    Band, Costs, CurveGroup, DIPS, Dips, ELITE_MIN, ELITE_SHARE, EpochRanks, Etr1, Etr2, Group,
    Illustration, LEADERS_SHARE, LookSettings, NeverAbove, Progress, QUANTILES, TOLD_SHARE,
    TableCurve, TableFacts, Told, Values,
};
pub use methods::surrogates::functional_anova::{GridPoint, OverTrees, Settings as ForestSettings};

use crate::Events;
use crate::pools::TableOptions;

/// Pairs are looked at among so many parameters at most: those with the largest main effects.
pub const PAIRED_MAX: usize = 10;

/// Which table, and how closely it is looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The table's directory.
    pub table: PathBuf,
    /// Which rows are looked at and by what, what an epoch costs, and which training of a row is
    /// looked at: the first of a drawn one.
    pub options: TableOptions,
    pub look: LookSettings,
    pub forest: ForestSettings,
    /// Points of a marginal at most, and of each side of a surface; at least 2.
    pub marginal_points: usize,
    pub surface_points: usize,
    /// The best share of the rows that PED-ANOVA tells from all of them, in (0, 1).
    pub best_share: f64,
}

impl Settings {
    /// The usual look at a table.
    pub fn of(table: impl Into<PathBuf>) -> Self {
        Self {
            table: table.into(),
            options: TableOptions::default(),
            look: LookSettings::default(),
            forest: ForestSettings::default(),
            marginal_points: 50,
            surface_points: 25,
            best_share: 0.1,
        }
    }
}

/// What there is to see in a table.
#[derive(Debug, Clone, PartialEq)]
pub struct TableLook {
    /// The table's name.
    pub name: String,
    pub metric: Metric,
    pub space: Space,
    pub facts: TableFacts,
    /// `None` where all rows are worth the same, or nothing.
    pub importance: Option<Importance>,
}

/// Which hyperparameters matter to the whole-curve value.
///
/// A row without a finite value counts as chance where that is known, else as the worst finite one.
#[derive(Debug, Clone, PartialEq)]
pub struct Importance {
    /// Mean and variance of the metric over the space, as the forest has them.
    pub mean: OverTrees,
    pub variance: OverTrees,
    /// One a parameter, in the space's order.
    pub parameters: Vec<ParameterImportance>,
    /// Pairs of parameters, the most important first; ties in the space's order.
    pub pairs: Vec<PairImportance>,
}

/// How much a hyperparameter matters, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterImportance {
    pub name: String,
    /// The share of the variance that its main effect has (functional ANOVA).
    pub main: OverTrees,
    /// PED-ANOVA's importance for being among the best: no share of anything.
    pub among_best: f64,
    /// Values of the parameter, ascending.
    pub grid: Vec<GridPoint>,
    /// The metric at each of them, averaged over all other parameters.
    pub marginal: Vec<OverTrees>,
}

/// How much two hyperparameters matter together.
#[derive(Debug, Clone, PartialEq)]
pub struct PairImportance {
    /// Positions in the space, ascending.
    pub parameters: (usize, usize),
    /// The share of the variance that they have beyond their main effects.
    pub interaction: OverTrees,
    /// Values of both, ascending.
    pub grids: (Vec<GridPoint>, Vec<GridPoint>),
    /// The metric, averaged over all other parameters and the trees: for each value of the first a
    /// row of those of the second.
    pub surface: Vec<f64>,
}

/// Looks at a table.
///
/// # Errors
/// Faults of what is no table, and of a training that not all rows have.
pub fn run(settings: &Settings, events: &dyn Events) -> Result<TableLook> {
    let (table, pool) = settings.options.load_with_table(&settings.table, events)?;
    let facts = TableFacts::of(&pool, &settings.look);
    let id = |row: u32| pool.ids().id_of(ConfigId(row)).index();
    let configs: Vec<_> = (0..pool.rows()).map(|row| table.configs[id(row)].clone()).collect();
    Ok(TableLook {
        name: pool.name().to_string(),
        metric: pool.metric().clone(),
        space: pool.space().clone(),
        facts,
        importance: importance(&pool, &configs, settings),
    })
}

fn importance(pool: &Pool, configs: &[Vec<Value>], settings: &Settings) -> Option<Importance> {
    let scores = pool.full_values(settings.look.mode);
    if scores.is_empty() {
        return None;
    }
    let targets = filled(scores, pool.chance())?;
    let targets: Vec<f64> = targets.into_iter().map(|score| pool.value_of(score)).collect();
    let (space, forest) = (pool.space(), settings.forest);
    let mut stream = Stream::new(settings.look.seed, 0, "table-look-importance");
    let anova = FunctionalAnova::fit(space, pool.points(), &targets, forest, &mut stream);
    let mains = anova.mains()?;
    let losses: Vec<f64> = scores.iter().map(|score| -score).collect();
    let parameter = |(at, main): (usize, OverTrees)| {
        let parameter = &space.parameters[at];
        let grid = grid(parameter, settings.marginal_points);
        let values: Vec<f64> = configs.iter().map(|row| number(parameter, row[at])).collect();
        let column = Column { axis: axis(&parameter.domain), values: &values };
        let shares = Shares { target: settings.best_share, ..Shares::default() };
        ParameterImportance {
            name: parameter.name.clone(),
            main,
            among_best: ped_anova(column, &losses, shares),
            marginal: anova.marginal(at, &coordinates(&grid)),
            grid,
        }
    };
    let ranked = paired(&mains);
    Some(Importance {
        mean: anova.mean(),
        variance: anova.variance(),
        parameters: mains.into_par_iter().enumerate().map(parameter).collect(),
        pairs: pairs(&anova, space, &ranked, settings.surface_points)?,
    })
}

/// Pairs of the parameters with the largest main effects, in the space's order.
fn paired(mains: &[OverTrees]) -> Vec<(usize, usize)> {
    let mut ranked: Vec<usize> = (0..mains.len()).collect();
    ranked.sort_by(|a, b| mains[*b].mean.total_cmp(&mains[*a].mean));
    ranked.truncate(PAIRED_MAX);
    ranked.sort_unstable();
    let with_later = |(at, first): (usize, &usize)| {
        let first = *first;
        ranked[at + 1..].iter().map(move |second| (first, *second)).collect::<Vec<_>>()
    };
    ranked.iter().enumerate().flat_map(with_later).collect()
}

fn pairs(
    anova: &FunctionalAnova,
    space: &Space,
    pairs: &[(usize, usize)],
    points: usize,
) -> Option<Vec<PairImportance>> {
    let shares = anova.interactions(pairs)?;
    let pair = |(parameters, interaction): (&(usize, usize), OverTrees)| {
        let grids = (parameters.0, parameters.1);
        let grids =
            (grid(&space.parameters[grids.0], points), grid(&space.parameters[grids.1], points));
        let at = (coordinates(&grids.0), coordinates(&grids.1));
        let surface = anova.surface(*parameters, (&at.0, &at.1));
        PairImportance { parameters: *parameters, interaction, grids, surface }
    };
    let mut found: Vec<PairImportance> = pairs.iter().zip(shares).map(pair).collect();
    found.sort_by(|a, b| b.interaction.mean.total_cmp(&a.interaction.mean));
    Some(found)
}

fn coordinates(grid: &[GridPoint]) -> Vec<f64> {
    grid.iter().map(|point| point.coordinate).collect()
}

/// A parameter as PED-ANOVA takes it: some numbers are as many ints.
#[expect(clippy::cast_precision_loss, reason = "ints stay below 2^52")]
fn axis(domain: &Domain) -> Axis {
    match domain {
        Domain::Int { low, high, log } => {
            Axis::Int { low: *low as f64, high: *high as f64, log: *log }
        }
        Domain::Float { low, high, log } => Axis::Float { low: *low, high: *high, log: *log },
        Domain::Categorical { choices } => Axis::Categorical { choices: choices.len() },
        Domain::Ordinal { values } => {
            Axis::Int { low: 0.0, high: values.len() as f64 - 1.0, log: false }
        }
    }
}

/// A value on that axis; NaN where the parameter plays no part.
#[expect(clippy::cast_precision_loss, reason = "ints stay below 2^52")]
fn number(parameter: &Parameter, value: Value) -> f64 {
    let place = |place: Option<usize>| place.expect("a value of this parameter") as f64;
    match (&parameter.domain, value) {
        (_, Value::Inactive) => f64::NAN,
        (Domain::Ordinal { values: values @ Numbers::Int(_) }, Value::Int(value)) => {
            place(values.position_of_int(value))
        }
        (Domain::Ordinal { values }, Value::Float(value)) => place(values.position_of_float(value)),
        (_, Value::Int(value)) => value as f64,
        (_, Value::Float(value)) => value,
        (_, Value::Choice(choice)) => choice as f64,
    }
}

#[cfg(test)]
mod tests {
    use base::space::{Condition, Direction, Literal};
    use base::units::Epoch;
    use replay::RecordedCurve;

    use super::*;

    /// A pool of the space's first Sobol points, each of one epoch worth `value`.
    fn pool(
        space: &Space,
        rows: u32,
        value: impl Fn(&[Value]) -> f64,
        chance: Option<f64>,
    ) -> (Pool, Vec<Vec<Value>>) {
        let configs = (0..rows).map(|row| base::space::sobol::configuration(space, row, 0));
        let configs: Vec<Vec<Value>> = configs.collect();
        let values: Vec<[f64; 1]> = configs.iter().map(|config| [value(config)]).collect();
        let curves = values.iter().map(|values| RecordedCurve {
            values,
            cost_ns: &[1],
            ..RecordedCurve::default()
        });
        let metric = Metric { name: "loss".into(), goal: Direction::Minimize, chance };
        let pool = Pool::new("t", &metric, space, Epoch(1), &configs, curves).unwrap();
        (pool, configs)
    }

    fn parameter(name: &str, domain: Domain) -> Parameter {
        Parameter { name: name.into(), domain, condition: None }
    }

    /// Two ordinals, and a float that the larger batch alone has.
    fn space() -> Space {
        let (ints, floats) = (Numbers::Int(vec![16, 32]), Numbers::Float(vec![0.1, 0.5, 0.9]));
        let values = vec![Literal::Int(32)];
        let condition = Some(Condition::In { name: "batch".into(), values });
        let warm = parameter("warm", Domain::Float { low: 0.0, high: 1.0, log: false });
        let parameters = vec![
            parameter("batch", Domain::Ordinal { values: ints }),
            parameter("decay", Domain::Ordinal { values: floats }),
            Parameter { condition, ..warm },
        ];
        Space::new("test", "parameter", "mixed".into(), parameters).unwrap()
    }

    #[test]
    fn some_numbers_and_conditions_matter_as_they_do() {
        let value = |config: &[Value]| match config {
            [_, Value::Float(decay), Value::Float(warm)] => decay + warm,
            [_, Value::Float(decay), _] => decay + 3.0,
            _ => unreachable!(),
        };
        let (pool, configs) = pool(&space(), 500, value, None);
        let found = importance(&pool, &configs, &Settings::of("t")).unwrap();
        let [batch, decay, warm] = &found.parameters[..] else { panic!() };
        assert!(batch.main.mean > 0.8 && batch.among_best > 0.0, "{batch:?}");
        assert_eq!(
            decay.grid.iter().map(|at| at.value).collect::<Vec<_>>(),
            [Value::Float(0.1), Value::Float(0.5), Value::Float(0.9)]
        );
        for (marginal, expected) in decay.marginal.iter().zip([1.85, 2.25, 2.65]) {
            assert!((marginal.mean - expected).abs() < 0.05, "{marginal:?}");
        }
        // Half of the rows have it: half of its slope is left, and an interaction with batch.
        let rise = warm.marginal[49].mean - warm.marginal[0].mean;
        assert!((rise - 0.5).abs() < 0.1 && warm.among_best > 0.0, "{rise}");
        assert_eq!(found.pairs[0].parameters, (0, 2));
    }

    #[test]
    fn without_differences_nothing_matters() {
        let settings = Settings::of("t");
        let of = |value: f64, rows, chance| {
            let (pool, configs) = pool(&space(), rows, |_| value, chance);
            importance(&pool, &configs, &settings)
        };
        assert_eq!(of(0.5, 20, None), None);
        assert_eq!(of(f64::NAN, 20, None), None);
        assert_eq!(of(f64::NAN, 20, Some(2.3)), None);
        assert_eq!(of(0.5, 1, Some(2.3)), None);
        assert_eq!(of(0.5, 0, Some(2.3)), None);
    }

    #[test]
    fn of_many_parameters_the_important_ones_are_paired() {
        let float = |at: usize| {
            parameter(&format!("x{at}"), Domain::Float { low: 0.0, high: 1.0, log: false })
        };
        let parameters = (0..12).map(float).collect();
        let space = Space::new("test", "parameter", "wide".into(), parameters).unwrap();
        let value = |config: &[Value]| match (config[11], config[3]) {
            (Value::Float(a), Value::Float(b)) => a * b,
            _ => unreachable!(),
        };
        let (pool, configs) = pool(&space, 200, value, None);
        let found = importance(&pool, &configs, &Settings::of("t")).unwrap();
        assert_eq!((found.parameters.len(), found.pairs.len()), (12, 45));
        assert_eq!(found.pairs[0].parameters, (3, 11));
        assert_eq!(found.pairs[0].surface.len(), 25 * 25);
    }
}
