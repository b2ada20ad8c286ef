//! Goals: as a value of the metric, or as a rank among the table's rows.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "numbers of rows stay below 2^32, far below 2^53"
)]

use base::error::{Error, Result, fault};
use methods::interface::meets;

use super::pool::Pool;
use super::settings::ValueMode;

/// A goal as it was asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Goal {
    /// As written: what `runs.parquet` holds.
    pub text: String,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    /// `0.992`: a value in the metric's own direction.
    Value(f64),
    /// `top:0.005`: the k-th best row, k = max(1, ceil(share N - 1e-9)).
    Top(f64),
    /// `rank:50`.
    Rank(u32),
}

impl std::fmt::Display for Goal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// `top:0.005` for `top:0.5%`: the decimal point moves two places, so that no digit is rounded.
fn without_percent(text: &str) -> String {
    let (head, tail) = match text.strip_prefix("top:") {
        Some(tail) => ("top:", tail),
        None => ("", text),
    };
    let Some(percent) = tail.strip_suffix('%').map(str::trim_end) else { return text.to_string() };
    match format!("{percent}e-2").parse::<f64>() {
        Ok(share) if !percent.contains(['e', 'E']) => format!("{head}{share}"),
        _ => text.to_string(),
    }
}

/// A goal on one table.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// As it was asked.
    pub text: String,
    /// The score to reach.
    pub score: f64,
    /// The same in the metric's own direction.
    pub value: f64,
    /// Rows whose full curve reaches it.
    pub rows: u32,
}

impl Goal {
    /// Reads `0.992`, `top:0.005` or `rank:50`. `99.2%` and `top:0.5%` are the same goals as those
    /// without a percent sign, and kept in their words.
    pub fn parse(text: &str) -> Result<Self> {
        let text = &without_percent(text);
        let wrong = |rule: &str| -> Error {
            let remedy = "write a value (0.992), a share (top:0.005) or a rank (rank:50)";
            fault("--goal", "goal", text, rule, remedy)
        };
        let kind = if let Some(share) = text.strip_prefix("top:") {
            let share = share.parse().ok().filter(|s| *s > 0.0 && *s <= 1.0);
            Kind::Top(share.ok_or_else(|| wrong("a share is above 0 and at most 1"))?)
        } else if let Some(rank) = text.strip_prefix("rank:") {
            let rank = rank.parse().ok().filter(|r| *r > 0);
            Kind::Rank(rank.ok_or_else(|| wrong("a rank is a whole number from 1"))?)
        } else {
            let value = text.parse().ok().filter(|v: &f64| v.is_finite());
            Kind::Value(value.ok_or_else(|| wrong("a goal is a finite number, a share or a rank"))?)
        };
        Ok(Self { text: text.clone(), kind })
    }

    /// Whether both ask for the same, however it is written: `0.9` and `0.90`.
    pub fn is_same(&self, other: &Self) -> bool {
        self.kind == other.kind
    }

    /// The same goal with so many times as many rows that meet it; `None` for a value, which says
    /// nothing of rows. A share stays at most 1, a rank at least 1.
    #[must_use]
    pub fn with_rows(&self, times: f64) -> Option<Self> {
        let kind = match self.kind {
            Kind::Value(_) => return None,
            Kind::Top(share) => Kind::Top((share * times).min(1.0)),
            Kind::Rank(rank) => Kind::Rank((f64::from(rank) * times).round().max(1.0) as u32),
        };
        let text = match kind {
            Kind::Top(share) => format!("top:{share}"),
            Kind::Rank(rank) => format!("rank:{rank}"),
            Kind::Value(value) => value.to_string(),
        };
        Some(Self { text, kind })
    }

    /// Whether it is about ranks of a table's rows, whatever the table's size.
    pub fn is_rank(&self) -> bool {
        matches!(self.kind, Kind::Rank(_))
    }

    /// The threshold that the goal stands for on a table: for a share or rank, the k-th best
    /// full-curve value in the run's value mode. Rows without a value rank last.
    pub fn on(&self, pool: &Pool, mode: ValueMode) -> Result<Target> {
        let score = match self.kind {
            Kind::Value(value) => pool.score_of(value),
            Kind::Top(share) => {
                let k = (share * f64::from(pool.rows()) - 1e-9).ceil().max(1.0);
                self.kth_best(pool, mode, k as usize)?
            }
            Kind::Rank(rank) => self.kth_best(pool, mode, rank as usize)?,
        };
        let rows = pool.full_values(mode).iter().filter(|v| meets(**v, score)).count();
        Ok(Target {
            text: self.text.clone(),
            score,
            value: pool.value_of(score),
            rows: rows as u32,
        })
    }

    fn kth_best(&self, pool: &Pool, mode: ValueMode, k: usize) -> Result<f64> {
        let mut values: Vec<f64> =
            pool.full_values(mode).iter().copied().filter(|v| !v.is_nan()).collect();
        if k > values.len() {
            return Err(fault(
                "--goal",
                "goal",
                &self.text,
                format!(
                    "asks for row {k} of table `{}`, which has {} rows with a finite value",
                    pool.name(),
                    values.len()
                ),
                "ask for a smaller share or rank",
            ));
        }
        let (_, kth, _) = values.select_nth_unstable_by(k - 1, |a, b| b.total_cmp(a));
        Ok(*kth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percent_is_the_share_that_it_is() {
        let same = [("95%", "0.95"), ("top:0.5%", "top:0.005"), ("99.2 %", "0.992")];
        for (percent, share) in same {
            let parsed = Goal::parse(percent).unwrap();
            assert_eq!((&parsed, parsed.text.as_str()), (&Goal::parse(share).unwrap(), share));
        }
        for wrong in ["%", "top:%", "rank:5%", "top:200%", "1e1%"] {
            assert!(Goal::parse(wrong).is_err(), "{wrong}");
        }
    }
}
