//! Priors made from a table: what a user might believe who knows it well, or badly.
//!
//! For experiments on what a belief is worth: the sampler `prior` takes the file. The kinds are
//! ours, after the good and bad priors of Mallik et al., "`PriorBand`" (2023), which are
//! configurations near the best and the worst that a large random sample has.

use std::cmp::Ordering;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use base::error::{Result, fault, internal, suggest};
use base::space::{Domain, Parameter, Value};
use base::units::ConfigId;
use methods::samplers::CONFIDENCE_MAX;
use replay::{Pool, ValueMode};
use serde_json::{Map, Value as Json, json};

use crate::Events;
use crate::pools::TableOptions;

/// A number off centre is moved by this share of its range.
const MOVED: f64 = 0.25;

/// Where a prior stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// At the best configuration of the table.
    Good,
    /// At the one in the middle.
    Medium,
    /// At the worst one.
    Bad,
    /// Beside the best one.
    OffCentre,
}

impl Kind {
    const ALL: [(&'static str, Self); 4] = [
        ("good", Self::Good),
        ("medium", Self::Medium),
        ("bad", Self::Bad),
        ("off-centre", Self::OffCentre),
    ];

    /// As the command line has it.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).expect("all kinds have a word").0
    }

    fn parse(text: &str) -> Result<Self> {
        let words = Self::ALL.iter().map(|(word, _)| *word);
        let found = Self::ALL.iter().find(|(word, _)| *word == text);
        found.map(|(_, kind)| *kind).ok_or_else(|| {
            let rule = "must be good, medium, bad or off-centre";
            fault("--kind", "kind", text, rule, suggest(text, words))
        })
    }
}

/// Which prior is wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The table's directory.
    pub table: PathBuf,
    pub kind: Kind,
    /// Of every parameter.
    pub confidence: f64,
}

impl Settings {
    /// Checks what was given; a confidence of 0.75 is the default.
    ///
    /// # Errors
    /// A kind that there is not, and a confidence that no prior file may have.
    pub fn read(table: &Path, kind: &str, confidence: Option<f64>) -> Result<Self> {
        let confidence = confidence.unwrap_or(0.75);
        if !(0.0..=CONFIDENCE_MAX).contains(&confidence) {
            let rule = format!("a confidence is a number 0 to {CONFIDENCE_MAX}");
            let remedy = "0.5 is low, 0.75 medium, 0.9 high";
            return Err(fault("--confidence", "confidence", confidence, rule, remedy));
        }
        Ok(Self { table: table.to_path_buf(), kind: Kind::parse(kind)?, confidence })
    }
}

/// A prior.
#[derive(Debug, Clone, PartialEq)]
pub struct Prior {
    /// The table's name.
    pub table: String,
    /// Its hash.
    pub table_hash: String,
    pub kind: Kind,
    pub confidence: f64,
    /// The configuration that it was made of.
    pub config_id: u32,
    /// That one's best value of the table's metric; `None` where it never had one.
    pub value: Option<f64>,
    /// The values believed best, in the order of the space; those that play no part are left out.
    pub centers: Vec<(String, Json)>,
}

/// Makes a prior of a table. A configuration's value is that of its best epoch; of equal ones the
/// first in the table is the better.
///
/// # Errors
/// Faults of what is no table, and of one that replays nothing.
pub fn make(settings: &Settings, events: &dyn Events) -> Result<Prior> {
    let pool = TableOptions::default().load_and_warn(&settings.table, events)?;
    let row = chosen(&pool, settings.kind);
    let mut values = pool.space().from_unit(pool.points().row(row));
    if settings.kind == Kind::OffCentre {
        for (value, parameter) in values.iter_mut().zip(&pool.space().parameters) {
            *value = beside(parameter, *value);
        }
    }
    let named = values.iter().zip(&pool.space().parameters);
    let score = pool.full_values(ValueMode::Best)[row.index()];
    Ok(Prior {
        table: pool.name().to_string(),
        table_hash: pool.table_hash().to_string(),
        kind: settings.kind,
        confidence: settings.confidence,
        config_id: row.0,
        value: score.is_finite().then(|| pool.value_of(score)),
        centers: named.filter_map(|(v, p)| Some((p.name.clone(), literal(p, *v)?))).collect(),
    })
}

/// The row of a kind, by rank.
fn chosen(pool: &Pool, kind: Kind) -> ConfigId {
    let scores = pool.full_values(ValueMode::Best);
    let mut rows: Vec<u32> = (0..pool.rows()).collect();
    let worst_last = |a: &u32, b: &u32| -> Ordering {
        let [a, b] = [a, b].map(|row| scores[*row as usize]);
        // What never was a number is worse than all that was.
        a.is_nan().cmp(&b.is_nan()).then(b.total_cmp(&a))
    };
    rows.sort_by(worst_last);
    let at = match kind {
        Kind::Good | Kind::OffCentre => 0,
        Kind::Medium => rows.len() / 2,
        Kind::Bad => rows.len() - 1,
    };
    ConfigId(rows[at])
}

/// A value a quarter of its range away, towards the farther end; the next choice.
fn beside(parameter: &Parameter, value: Value) -> Value {
    match (value, &parameter.domain) {
        (Value::Choice(choice), Domain::Categorical { choices }) => {
            Value::Choice((choice + 1) % choices.len())
        }
        (Value::Inactive, _) => value,
        _ => {
            let u = parameter.to_unit(value);
            parameter.from_unit(if u < 0.5 { u + MOVED } else { u - MOVED })
        }
    }
}

fn literal(parameter: &Parameter, value: Value) -> Option<Json> {
    match (value, &parameter.domain) {
        (Value::Int(value), _) => Some(json!(value)),
        (Value::Float(value), _) => Some(json!(value)),
        (Value::Choice(choice), Domain::Categorical { choices }) => Some(json!(choices[choice])),
        _ => None,
    }
}

impl Prior {
    /// The file that the sampler `prior` reads.
    ///
    /// # Errors
    /// None in practice: numbers and texts can be written as TOML.
    pub fn toml(&self) -> Result<String> {
        let Self { table, table_hash, kind, confidence, config_id, value, .. } = self;
        let from = match kind {
            Kind::Good => "the best configuration",
            Kind::Medium => "the configuration in the middle",
            Kind::Bad => "the worst configuration",
            Kind::OffCentre => "a quarter of every range beside the best configuration",
        };
        let value = value.map_or_else(|| "no value".to_string(), |value| value.to_string());
        let mut text = format!(
            "# {from} of {table:?}: number {config_id}, with {value}\n# table hash {table_hash}\n"
        );
        for (name, center) in &self.centers {
            let belief = json!({"center": center, "confidence": confidence});
            let one: Map<String, Json> = [(name.clone(), belief)].into_iter().collect();
            let section = toml::to_string(&one).map_err(|e| internal("writing TOML", e))?;
            let _ = write!(text, "\n{section}");
        }
        Ok(text)
    }
}
