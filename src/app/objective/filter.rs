//! Which configurations take part.

use std::path::Path;

use base::error::{Error, Result, fault, suggest};
use base::formula::{Comparison, Constraint, Formula, Relation, Side, Wrong};
use base::space::Domain;
use store::table::{ConfigCells, KnownColumns, Table};

use super::columns::{cells, is_usable, usable};

/// A column of words by its name, a word a row where it has one.
type NamedWords<'a> = (&'a str, Vec<Option<String>>);

/// `--where`: what must hold of a configuration's columns for it to be a row of the pool.
///
/// A comparison with null, a hyperparameter that is inactive included, or with NaN does not hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter(Constraint);

impl Filter {
    /// Reads a constraint; `option` names it in faults.
    ///
    /// # Errors
    /// A fault with the place where it is none.
    pub fn parse(option: &str, text: &str) -> Result<Self> {
        Constraint::parse(text)
            .map(Self)
            .map_err(|Wrong { rule, remedy }| fault(option, "where", text, rule, remedy))
    }

    /// As it may be said again, without blanks.
    pub fn text(&self) -> &str {
        self.0.text()
    }

    /// Which configurations of a loaded table it keeps, by position.
    ///
    /// # Errors
    /// Faults of names that stand for no column of `configs.parquet`, of texts that are compared
    /// as numbers and the other way round, and of words that are no choice.
    pub(crate) fn keeps(&self, dir: &Path, table: &Table) -> Result<Vec<bool>> {
        let known = KnownColumns::read(dir)?;
        let parameters = table.manifest.space.parameters.iter();
        let parameters = parameters.map(|parameter| parameter.name.clone()).collect();
        let names = Names { filter: self, dir, table, known, parameters };
        let mut kept = vec![true; table.rows()];
        for comparison in self.0.comparisons() {
            names.apply(comparison, &mut kept)?;
        }
        Ok(kept)
    }
}

/// What names stand for on one table.
struct Names<'a> {
    filter: &'a Filter,
    dir: &'a Path,
    table: &'a Table,
    known: KnownColumns,
    parameters: Vec<String>,
}

impl Names<'_> {
    fn refuse(&self, rule: impl std::fmt::Display, remedy: impl std::fmt::Display) -> Error {
        fault("--where", "where", self.filter.text(), rule, remedy)
    }

    /// Drops the configurations for which a comparison does not hold.
    fn apply(&self, comparison: &Comparison, kept: &mut [bool]) -> Result<()> {
        let Comparison { left, relation, right, text } = comparison;
        let sides = [self.words(left)?, self.words(right)?];
        let words = match sides {
            [Some((name, words)), _] => Some((name, words, right)),
            [None, Some((name, words))] => Some((name, words, left)),
            [None, None] => None,
        };
        let Some((name, words, other)) = words else {
            let [left, right] = [self.numbers(left)?, self.numbers(right)?];
            for (kept, (left, right)) in kept.iter_mut().zip(left.iter().zip(&right)) {
                *kept &= relation.holds(*left, *right);
            }
            return Ok(());
        };
        let wanted = match other {
            Side::Text(text) => Some(text.as_str()),
            Side::Formula(formula) => formula.as_column(),
        };
        let is_equal = match relation {
            Relation::Equal => true,
            Relation::NotEqual => false,
            _ => {
                let rule = format!("`{text}`: `{name}` holds texts, which have no order");
                return Err(self.refuse(rule, "compare it with = or !="));
            }
        };
        let Some(wanted) = wanted else {
            let rule = format!("`{text}`: `{name}` holds texts, and not numbers");
            return Err(self.refuse(rule, "compare it with a word, or a text in single quotes"));
        };
        self.check_choice(name, wanted)?;
        for (kept, word) in kept.iter_mut().zip(&words) {
            *kept &= word.as_ref().is_some_and(|word| (word == wanted) == is_equal);
        }
        Ok(())
    }

    /// A side that is a column of texts, with its cells.
    fn words<'a>(&self, side: &'a Side) -> Result<Option<NamedWords<'a>>> {
        let Side::Formula(formula) = side else { return Ok(None) };
        let Some(name) = formula.as_column().filter(|name| self.has(name)) else {
            return Ok(None);
        };
        Ok(match cells(self.dir, self.table, name)? {
            ConfigCells::Words(words) => Some((name, words)),
            ConfigCells::Numbers(_) => None,
        })
    }

    fn has(&self, name: &str) -> bool {
        usable(&self.known.configs, &self.parameters).any(|known| known == name)
    }

    /// A side's value for each configuration.
    fn numbers(&self, side: &Side) -> Result<Vec<f64>> {
        let formula: &Formula = match side {
            Side::Formula(formula) => formula,
            Side::Text(text) => {
                let rule = format!("'{text}' stands beside no column of texts");
                return Err(self.refuse(rule, "write activation = 'relu', or numbers bare"));
            }
        };
        let mut columns = Vec::new();
        for name in formula.names() {
            columns.push(self.column(name)?);
        }
        let (mut numbers, mut stack) = (vec![0.0; columns.len()], Vec::new());
        let value = |row: usize| {
            for (number, column) in numbers.iter_mut().zip(&columns) {
                *number = column[row];
            }
            formula.value(&numbers, &mut stack)
        };
        Ok((0..self.table.rows()).map(value).collect())
    }

    /// A column of numbers.
    fn column(&self, name: &str) -> Result<Vec<f64>> {
        let is_there = self.known.configs.iter().any(|column| column.name == name);
        if is_there && !is_usable(name, &self.parameters) {
            let rule = format!("`{name}` is a key, or was measured on test images");
            let remedy = "--rows A..B names configurations by their ids; others by their columns";
            return Err(self.refuse(rule, remedy));
        }
        if !self.has(name) {
            let is_curve = self.known.curves.iter().any(|column| column.name == name);
            let rule = if is_curve {
                format!("`{name}` is a column of curves, and configurations are chosen before any")
            } else {
                format!("the table has no column `{name}` in configs.parquet")
            };
            let all = usable(&self.known.configs, &self.parameters);
            return Err(self.refuse(rule, suggest(name, all)));
        }
        match cells(self.dir, self.table, name)? {
            ConfigCells::Numbers(cells) => Ok(cells),
            ConfigCells::Words(_) => {
                let rule = format!("`{name}` holds texts, and not numbers");
                Err(self.refuse(rule, "compare it alone, with = or !="))
            }
        }
    }

    /// Refuses a word that a categorical hyperparameter never is.
    fn check_choice(&self, name: &str, word: &str) -> Result<()> {
        let parameters = &self.table.manifest.space.parameters;
        let of_name = parameters.iter().find(|parameter| parameter.name == name);
        let Some(Domain::Categorical { choices }) = of_name.map(|p| &p.domain) else {
            return Ok(());
        };
        if choices.iter().any(|choice| choice == word) {
            return Ok(());
        }
        let rule = format!("`{word}` is no choice of `{name}`");
        Err(self.refuse(rule, suggest(word, choices.iter().map(String::as_str))))
    }
}
