//! Which rules help which samplers, on which tables and goals.

use base::stats::Interval;
use maud::{Markup, html};

use super::super::human;
use super::super::plots::{Paint, verdict};
use super::super::printable;
use super::super::sentence::goal_words;

/// The speed-up of a rule or scheduler over its own sampler without one.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleSpeedup {
    pub table: String,
    pub goal: String,
    /// As labels have it.
    pub sampler: String,
    /// Scheduler and rule, as labels have them.
    pub rule: String,
    pub ratio: Interval,
    pub interval: Option<Interval>,
}

/// A row a rule, a column a table, goal and sampler; nothing where there is a single column, which
/// the speed-ups of its goal show already.
pub(super) fn matrix(of: &[RuleSpeedup]) -> Option<Markup> {
    let mut columns: Vec<(&str, &str, &str)> = Vec::new();
    let mut rows: Vec<&str> = Vec::new();
    for one in of {
        let column = (one.table.as_str(), one.goal.as_str(), one.sampler.as_str());
        if !columns.contains(&column) {
            columns.push(column);
        }
        if !rows.contains(&one.rule.as_str()) {
            rows.push(&one.rule);
        }
    }
    if columns.len() < 2 {
        return None;
    }
    let cell = |rule: &str, (table, goal, sampler): (&str, &str, &str)| {
        let is_it = |one: &&RuleSpeedup| {
            (one.rule.as_str(), one.table.as_str(), one.goal.as_str(), one.sampler.as_str())
                == (rule, table, goal, sampler)
        };
        of.iter().find(is_it)
    };
    Some(html! {
        div.card { div.wide tabindex="0" role="region" aria-label="Speed-ups of rules" { table {
            thead { tr {
                th scope="col" { "times as fast as its sampler without a rule" }
                @for (table, goal, sampler) in &columns {
                    th scope="col" {
                        (printable(sampler)) br; (printable(&goal_words(goal))) br;
                        (printable(table))
                    }
                }
            } }
            tbody { @for rule in &rows { tr {
                th scope="row" { (printable(rule)) }
                @for column in &columns {
                    @match cell(rule, *column) {
                        Some(one) => td class=(class(one)) {
                            (human::ratio(one.ratio))
                            @if let Some(interval) = one.interval {
                                br; span.range { (human::range(interval)) }
                            }
                        },
                        None => td { "-" },
                    }
                }
            } } }
        } } }
    })
}

/// What is sure is in colour.
fn class(one: &RuleSpeedup) -> &'static str {
    match verdict(one.interval) {
        Paint::Good => "good",
        Paint::Bad => "bad",
        _ => "",
    }
}
