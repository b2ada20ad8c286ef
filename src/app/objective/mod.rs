//! What is reached for in a replay, and on which configurations, where the table's own metric and
//! all of its rows are not what was asked for: `--metric`, `--objective`, `--where`.

mod columns;
mod filter;
mod on_table;

pub use filter::Filter;
pub(crate) use on_table::{OnTable, Values};

use base::error::{Error, Result, fault, suggest};
use base::formula::{Formula, Wrong};
use base::space::Direction;

const WORDS: [(&str, Direction); 2] =
    [("minimize", Direction::Minimize), ("maximize", Direction::Maximize)];

/// What a replay makes better instead of the table's metric.
#[derive(Debug, Clone, PartialEq)]
pub enum Objective {
    /// `--metric`: a recorded column of `curves.parquet`.
    Column {
        name: String,
        /// Which way is better; `None` where the column's name says it.
        goal: Option<Direction>,
    },
    /// `--objective`: arithmetic over columns of the curves and of the configurations.
    Expression { formula: Formula, goal: Direction },
}

impl Objective {
    /// Reads `COLUMN` or `COLUMN:minimize`; `option` names it in faults.
    ///
    /// # Errors
    /// A fault for an empty one, and for what is no direction after the last colon.
    pub fn column(option: &str, text: &str) -> Result<Self> {
        let (name, goal) = directed(option, "metric", text)?;
        if name.is_empty() {
            let rule = "names a column of curves.parquet";
            return Err(fault(option, "metric", text, rule, "write one, such as val_loss"));
        }
        Ok(Self::Column { name: name.to_string(), goal })
    }

    /// Reads an expression, which is maximised unless `:minimize` follows; `option` names it in
    /// faults.
    ///
    /// # Errors
    /// A fault with the place where it is none, and for what is no direction after the last colon.
    pub fn expression(option: &str, text: &str) -> Result<Self> {
        // A colon may stand in a quoted name.
        let (text_of, goal) = match Formula::parse(text) {
            Ok(_) => (text, None),
            Err(_) => directed(option, "objective", text)?,
        };
        let formula = Formula::parse(text_of).map_err(|wrong| {
            let Wrong { rule, remedy } = wrong;
            fault(option, "objective", text, rule, remedy)
        })?;
        Ok(Self::Expression { formula, goal: goal.unwrap_or(Direction::Maximize) })
    }

    /// The option that says it.
    fn option(&self) -> &'static str {
        match self {
            Self::Column { .. } => "--metric",
            Self::Expression { .. } => "--objective",
        }
    }

    /// As it may be said again: the column or the expression without blanks, and its direction
    /// where that was said and is not the usual one.
    pub fn text(&self) -> String {
        let (text, goal) = match self {
            Self::Column { name, goal } => (name.as_str(), *goal),
            Self::Expression { formula, goal } => {
                (formula.text(), Some(*goal).filter(|goal| *goal == Direction::Minimize))
            }
        };
        goal.map_or_else(|| text.to_string(), |goal| format!("{text}:{}", word(goal)))
    }

    fn refuse(&self, rule: impl std::fmt::Display, remedy: impl std::fmt::Display) -> Error {
        let option = self.option();
        fault(option, option.trim_start_matches('-'), self.text(), rule, remedy)
    }
}

fn word(goal: Direction) -> &'static str {
    let found = WORDS.iter().find(|(_, known)| *known == goal);
    found.expect("both stand there").0
}

/// What stands before the last colon, and the direction behind it.
fn directed<'a>(option: &str, noun: &str, text: &'a str) -> Result<(&'a str, Option<Direction>)> {
    let Some((before, after)) = text.rsplit_once(':') else { return Ok((text.trim(), None)) };
    let after = after.trim();
    let Some((_, goal)) = WORDS.iter().find(|(word, _)| *word == after) else {
        let rule = format!("`{after}` behind the last colon is no direction");
        let remedy = suggest(after, WORDS.map(|(word, _)| word));
        return Err(fault(option, noun, text, rule, remedy));
    };
    Ok((before.trim(), Some(*goal)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_stand_behind_the_last_colon() {
        let column = |text: &str| Objective::column("--metric", text);
        for (text, canonical) in [
            ("val_loss", "val_loss"),
            ("reward : maximize", "reward:maximize"),
            ("a:b:minimize", "a:b:minimize"),
        ] {
            assert_eq!(column(text).unwrap().text(), canonical);
        }
        for (text, rule) in [
            ("val_loss:minimise", "`minimise` behind the last colon is no direction"),
            ("a:b", "`b` behind the last colon is no direction"),
            ("", "names a column"),
            (":minimize", "names a column"),
        ] {
            let error = column(text).unwrap_err().to_string();
            assert!(error.contains(rule), "{error}");
        }
        let expression = |text: &str| Objective::expression("--objective", text);
        for (text, canonical) in [
            ("a - 1", "a-1"),
            ("a - 1 : maximize", "a-1"),
            ("a-1:minimize", "a-1:minimize"),
            ("\"x:y\"", "\"x:y\""),
            ("\"x:y\" : minimize", "\"x:y\":minimize"),
        ] {
            let read = expression(text).unwrap();
            assert_eq!(read.text(), canonical);
            assert_eq!(expression(&read.text()).unwrap(), read);
        }
        for (text, rule) in [
            ("a - :minimize", "must stand at its end"),
            ("a:minimise", "`minimise` behind the last colon is no direction"),
            ("", "must stand at its end"),
        ] {
            let error = expression(text).unwrap_err().to_string();
            assert!(error.contains(rule), "{error}");
        }
    }
}
