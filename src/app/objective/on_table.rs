//! An objective on one table.

use std::path::Path;

use base::error::{Result, suggest};
use base::formula::Formula;
use base::space::{Direction, Metric};
use base::units::ConfigId;
use store::table::{
    CURVE_KEYS, ConfigCells, KnownColumn, KnownColumns, Manifest, SECONDS_COLUMN, Table,
};
use train::record::known_columns;

use super::columns::{TEST, cells, is_usable, usable};
use super::{Objective, word};

/// What begins the name of a column of validation images.
const VALIDATION: &str = "val_";

/// An objective with what a table has for it.
#[derive(Debug)]
pub(crate) struct OnTable {
    /// What takes the place of the table's metric.
    pub(crate) metric: Metric,
    /// As the settings of `runs.parquet` name it.
    pub(crate) option: String,
    formula: Computed,
    /// The same on test images, where the table has all that it needs.
    test: Option<Computed>,
}

/// A formula and where its columns are.
#[derive(Debug)]
struct Computed {
    formula: Formula,
    /// Of its names: whether it is a column of the curves.
    is_curve: Vec<bool>,
    /// The cells of the others, by position; empty of a curve's.
    of_configs: Vec<Vec<f64>>,
}

/// A curve's values of an objective, and those on test images.
pub(crate) type Values = (Vec<f64>, Option<Vec<f64>>);

impl Objective {
    /// What it is on the table in a directory, which charges `cost`; `None` where it is the
    /// table's own metric.
    ///
    /// # Errors
    /// Faults of columns that the table lacks, that hold no numbers, that say which epoch a row is
    /// about or what it cost, and of those on test images; of a direction that nobody knows.
    pub(crate) fn on_table(&self, dir: &Path, cost: &str) -> Result<Option<OnTable>> {
        let (known, manifest) = (KnownColumns::read(dir)?, Manifest::read(dir)?);
        let own = &manifest.metric;
        match self {
            Self::Column { name, goal } => {
                self.check_curve(name, &known, own)?;
                self.refuse_cost(name, &known, cost)?;
                let is_own = *name == own.name;
                if is_own && goal.is_none_or(|goal| goal == own.goal) {
                    return Ok(None);
                }
                let usual = if is_own { Some(own.goal) } else { usual_goal(name) };
                let goal = goal.or(usual).ok_or_else(|| {
                    let rule = "nothing says whether more of it is better";
                    let remedy = format!("write {name}:maximize or {name}:minimize");
                    self.refuse(rule, remedy)
                })?;
                let chance = own.chance.filter(|_| own.goal == goal && is_same_kind(name, own));
                let metric = Metric { name: name.clone(), goal, chance };
                let mut option = format!("metric={name}");
                if usual != Some(goal) {
                    option = format!("{option}:{}", word(goal));
                }
                Ok(Some(OnTable::new(metric, option, Formula::column(name), &known)))
            }
            Self::Expression { formula, goal } => {
                self.check_names(formula, &known, &manifest)?;
                let metric = Metric { name: formula.text().to_string(), goal: *goal, chance: None };
                let option = format!("objective={}", self.text());
                Ok(Some(OnTable::new(metric, option, formula.clone(), &known)))
            }
        }
    }

    /// Refuses a column of curves that is no objective.
    fn check_curve(&self, name: &str, known: &KnownColumns, own: &Metric) -> Result<()> {
        let may_be = |column: &&KnownColumn| is_objective(&column.name, own) && column.is_number;
        let others = || known.curves.iter().filter(may_be).map(|column| column.name.as_str());
        if CURVE_KEYS.contains(&name) {
            let rule = format!("`{name}` says which epoch a row is about, and measures nothing");
            return Err(self.refuse(rule, suggest("", others())));
        }
        if !is_objective(name, own) {
            let rule =
                format!("`{name}` was measured on test images, which are never shown to a method");
            let remedy = suggest(&name.replacen(TEST, VALIDATION, 1), others());
            return Err(self.refuse(rule, remedy));
        }
        let Some(column) = known.curves.iter().find(|column| column.name == name) else {
            let rule = format!("the table has no column `{name}` in curves.parquet");
            return Err(self.refuse(rule, suggest(name, others())));
        };
        if column.is_number {
            return Ok(());
        }
        let rule = format!("`{name}` holds no numbers");
        Err(self.refuse(rule, suggest("", others())))
    }

    /// Refuses what an epoch costs as a metric: a run charges it already.
    fn refuse_cost(&self, name: &str, known: &KnownColumns, cost: &str) -> Result<()> {
        let is_duration = known.curves.iter().any(|c| c.name == name && c.is_duration);
        if !is_duration && name != cost && !name.ends_with(SECONDS_COLUMN) {
            return Ok(());
        }
        let rule = format!("`{name}` is what an epoch costs, and not what it reaches");
        let remedy = "--cost COLUMN charges it; --objective may weigh it against a metric";
        Err(self.refuse(rule, remedy))
    }

    /// Refuses names that stand for no column, and expressions that no epoch changes.
    fn check_names(
        &self,
        formula: &Formula,
        known: &KnownColumns,
        manifest: &Manifest,
    ) -> Result<()> {
        let parameters = manifest.space.parameters.iter().map(|p| p.name.clone());
        let parameters: Vec<String> = parameters.collect();
        let mut curves = 0;
        for name in formula.names() {
            let has = |columns: &[KnownColumn]| columns.iter().any(|column| column.name == *name);
            let is_key = CURVE_KEYS.contains(&name.as_str());
            if has(&known.curves) || is_key {
                self.check_curve(name, known, &manifest.metric)?;
                curves += 1;
                continue;
            }
            let column = known.configs.iter().find(|column| column.name == *name);
            match column.filter(|_| is_usable(name, &parameters)) {
                Some(column) if column.is_number => {}
                Some(_) => {
                    let rule = format!("`{name}` holds no numbers");
                    let remedy = "--where compares texts: activation = relu";
                    return Err(self.refuse(rule, remedy));
                }
                None => {
                    let all = known.curves.iter().map(|column| column.name.as_str());
                    let all = all.filter(|name| is_objective(name, &manifest.metric));
                    let all = all.chain(usable(&known.configs, &parameters));
                    let rule = format!(
                        "the table has no column `{name}` that may stand here, of curves or of \
                         configurations"
                    );
                    return Err(self.refuse(rule, suggest(name, all)));
                }
            }
        }
        if curves == 0 {
            let rule = "names no column of curves.parquet: no epoch would change it";
            return Err(self.refuse(rule, "name one, such as val_accuracy"));
        }
        Ok(())
    }
}

/// Whether a column of curves may be seen by methods: what was measured on test images may not,
/// unless it is what the table is about.
fn is_objective(name: &str, own: &Metric) -> bool {
    !CURVE_KEYS.contains(&name) && (!name.starts_with(TEST) || name == own.name)
}

/// Which way a column of our trainer's is better.
fn usual_goal(name: &str) -> Option<Direction> {
    let is_ours = known_columns().curves.iter().any(|column| column.name == name);
    let goal = if name.ends_with("_loss") { Direction::Minimize } else { Direction::Maximize };
    is_ours.then_some(goal)
}

/// Whether a column measures what the metric does, be it on other images.
fn is_same_kind(name: &str, own: &Metric) -> bool {
    let kind = |name: &str| {
        let begins = [VALIDATION, "train_", TEST];
        let kind = begins.iter().find_map(|begin| name.strip_prefix(begin));
        kind.map(str::to_string)
    };
    name == own.name || (kind(name).is_some() && kind(name) == kind(&own.name))
}

impl OnTable {
    fn new(metric: Metric, option: String, formula: Formula, known: &KnownColumns) -> Self {
        let has = |name: &str| known.curves.iter().any(|c| c.name == name && c.is_number);
        let test = |name: &String| match name.strip_prefix(VALIDATION) {
            Some(kind) if has(name) => Some(format!("{TEST}{kind}")).filter(|test| has(test)),
            _ => Some(name.clone()),
        };
        let on_test: Option<Vec<String>> = formula.names().iter().map(test).collect();
        let on_test = on_test.filter(|names| names != formula.names());
        let computed = |formula: Formula| {
            let is_curve: Vec<bool> = formula.names().iter().map(|name| has(name)).collect();
            let of_configs = vec![Vec::new(); is_curve.len()];
            Computed { formula, is_curve, of_configs }
        };
        let test = on_test.map(|names| computed(formula.renamed(names)));
        Self { metric, option, formula: computed(formula), test }
    }

    /// The columns of `curves.parquet` that must be loaded for it.
    pub(crate) fn columns(&self) -> Vec<String> {
        let all = [Some(&self.formula), self.test.as_ref()];
        let mut columns: Vec<String> = Vec::new();
        for name in all.into_iter().flatten().flat_map(Computed::curves) {
            if !columns.contains(name) {
                columns.push(name.clone());
            }
        }
        columns
    }

    /// Reads the columns of configurations, once the table is loaded.
    pub(crate) fn read_configs(&mut self, dir: &Path, table: &Table) -> Result<()> {
        for computed in [Some(&mut self.formula), self.test.as_mut()].into_iter().flatten() {
            for (at, name) in computed.formula.names().iter().enumerate() {
                if computed.is_curve[at] {
                    continue;
                }
                let ConfigCells::Numbers(cells) = cells(dir, table, name)? else {
                    unreachable!("names of texts have been refused")
                };
                computed.of_configs[at] = cells;
            }
        }
        Ok(())
    }

    /// Its values over a recorded curve.
    ///
    /// # Panics
    /// Where the table has no such curve, or was loaded without [`Self::columns`].
    pub(crate) fn values(&self, table: &Table, id: ConfigId, repeat: u16) -> Values {
        let test = self.test.as_ref().map(|test| test.values(table, id, repeat));
        (self.formula.values(table, id, repeat), test)
    }
}

impl Computed {
    fn curves(&self) -> impl Iterator<Item = &String> {
        let names = self.formula.names().iter().zip(&self.is_curve);
        names.filter(|(_, is_curve)| **is_curve).map(|(name, _)| name)
    }

    fn values(&self, table: &Table, id: ConfigId, repeat: u16) -> Vec<f64> {
        let epochs = table.curve(id, repeat).expect("one of the table's curves").values.len();
        let names = self.formula.names().iter();
        let columns = names.map(|name| table.column(name, id, repeat));
        let columns: Vec<Option<&[f64]>> = columns.collect();
        let (mut numbers, mut stack) = (vec![0.0; columns.len()], Vec::new());
        let mut values = Vec::with_capacity(epochs);
        for epoch in 0..epochs {
            for (at, number) in numbers.iter_mut().enumerate() {
                *number = if self.is_curve[at] {
                    columns[at].expect("it was loaded")[epoch]
                } else {
                    self.of_configs[at][id.index()]
                };
            }
            values.push(self.formula.value(&numbers, &mut stack));
        }
        values
    }
}
