//! What ETR-1 and ETR-2 do on curves of the table, as in Figure 3 of Choi, Cho, Rhee (2018).
//!
//! The rules are asked as a replay asks them: NaN counts as chance, what was not measured goes on,
//! a curve that ends by then was never asked, and equality goes on within a slack. A test
//! holds the number of rows that are stopped to replays with the rules themselves.

use base::space::Direction;
use base::units::Epoch;
use replay::falls_below;

use super::groups::TableCurve;
use super::{LookSettings, Seen, Table, epoch};

/// ETR-1's parameters: at epoch `tau`, is it above chance by `epsilon`?
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Etr1 {
    pub tau: Epoch,
    pub epsilon: f64,
}

impl Default for Etr1 {
    fn default() -> Self {
        Self { tau: Epoch(1), epsilon: 0.05 }
    }
}

/// ETR-2's parameters under its defaults `gap=ratio`, `empty=first`, `reference=final`: where the
/// best row was last at or below the share `q` of its final gain, has it a share `p` of that row's
/// gain?
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Etr2 {
    pub p: f64,
    pub q: f64,
}

impl Default for Etr2 {
    fn default() -> Self {
        Self { p: 0.9, q: 0.75 }
    }
}

/// A rule on curves of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Illustration {
    /// The rule, as a replay takes it.
    pub rule: String,
    /// When it is asked.
    pub tau: Epoch,
    /// What it asks for there, in the metric's own direction: the line to draw.
    pub bar: f64,
    /// The curve that the bar was made of: for ETR-2 the best row of the table, as if it had been
    /// completed before all others.
    pub reference: Option<TableCurve>,
    /// Rows that were asked, and of these the stopped ones.
    pub asked: usize,
    pub stopped: usize,
    /// How many of the ten best rows of the table (fewer where it has fewer) are stopped.
    pub top_ten_stopped: usize,
    /// Of the rows that are stopped, the best, the middle and the worst by whole-curve value; fewer
    /// where fewer are.
    pub stopped_examples: Vec<TableCurve>,
    /// The same of the rows that are asked and go on.
    pub passed_examples: Vec<TableCurve>,
}

/// One a rule, where a chance level is known and the rule has something to ask.
pub(super) fn illustrations(table: &Table<'_>, settings: &LookSettings) -> Vec<Illustration> {
    let Some(chance) = table.pool.chance() else { return Vec::new() };
    let Etr1 { tau, epsilon } = settings.etr1;
    assert!(tau.0 > 0, "epochs count from 1");
    let first = Asked {
        rule: format!("etr1:tau={},epsilon={epsilon}", tau.0),
        tau: tau.index(),
        bar: chance + epsilon,
        reference: None,
        // Scores are compared as they stand.
        offset: 0.0,
    };
    let second = second(table, settings.etr2, chance);
    [Some(first), second]
        .into_iter()
        .flatten()
        .filter_map(|asked| asked.of(table, chance))
        .collect()
}

/// A rule's question.
struct Asked {
    rule: String,
    tau: usize,
    /// In gains.
    bar: f64,
    reference: Option<usize>,
    /// Makes a gain of a score.
    offset: f64,
}

/// ETR-2 after the table's best row; `None` where its gain bounds nothing.
fn second(table: &Table<'_>, Etr2 { p, q }: Etr2, chance: f64) -> Option<Asked> {
    let offset = match table.pool.metric().goal {
        Direction::Maximize => 0.0,
        Direction::Minimize => -chance,
    };
    let is_complete = |row: &&usize| table.curves[**row].len() == table.complete_at[**row];
    let best = *table.order.iter().find(is_complete)?;
    if !table.whole[best].is_finite() {
        return None;
    }
    let gains: Vec<(usize, f64)> = table.curves[best]
        .iter()
        .enumerate()
        .filter_map(|(at, seen)| Some((at, seen_score(*seen, chance)? + offset)))
        .collect();
    let reference = gains.last()?.1;
    if reference <= 0.0 {
        return None;
    }
    let limit = q * reference;
    // Not above the limit, within the slack.
    let (tau, gain) =
        *gains.iter().rfind(|(_, gain)| !falls_below(-gain, -limit)).or(gains.first())?;
    let rule = format!("etr2:p={p},q={q}");
    (gain > 0.0).then_some(Asked { rule, tau, bar: p * gain, reference: Some(best), offset })
}

/// What a rule sees.
fn seen_score(seen: Seen, chance: f64) -> Option<f64> {
    match seen {
        Seen::Score(score) => Some(score),
        Seen::Diverged => Some(chance),
        Seen::NotMeasured => None,
    }
}

impl Asked {
    /// Asks every row; `None` where no row is to be asked.
    fn of(self, table: &Table<'_>, chance: f64) -> Option<Illustration> {
        // The best first.
        let asked =
            table.order.iter().copied().filter(|row| {
                table.curves[*row].len() > self.tau + 1 && Some(*row) != self.reference
            });
        let (stopped, passed): (Vec<usize>, Vec<usize>) = asked.partition(|row| {
            let seen = seen_score(table.at(*row, self.tau), chance);
            seen.is_some_and(|score| falls_below(score + self.offset, self.bar))
        });
        if stopped.is_empty() && passed.is_empty() {
            return None;
        }
        let examples = |rows: &[usize]| {
            let mut places = match rows.len() {
                0 => Vec::new(),
                count => vec![0, count / 2, count - 1],
            };
            places.dedup();
            places.into_iter().map(|place| table.recorded(rows[place])).collect()
        };
        let top = &table.order[..table.rows().min(10)];
        Some(Illustration {
            rule: self.rule,
            tau: epoch(self.tau),
            bar: table.value(self.bar - self.offset),
            reference: self.reference.map(|row| table.recorded(row)),
            asked: stopped.len() + passed.len(),
            stopped: stopped.len(),
            top_ten_stopped: top.iter().filter(|row| stopped.contains(row)).count(),
            stopped_examples: examples(&stopped),
            passed_examples: examples(&passed),
        })
    }
}
