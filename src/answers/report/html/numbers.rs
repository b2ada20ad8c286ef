//! Tables of numbers in a page.

use maud::{Markup, html};

use super::super::grid::Grid;
use super::super::plots::{Paint, Whom, verdict};
use super::super::printable;
use crate::analysis::{Answer, GoalAnswers};

/// A table whose columns can be sorted by; a row a method.
pub(super) fn sortable(
    grid: &Grid,
    caption: &str,
    heading: &str,
    answers: &[&Answer],
    whom: &Whom,
) -> Markup {
    html! {
        div.wide tabindex="0" role="region" aria-label=(printable(caption)) {
            table {
                thead { tr {
                    th scope="col" aria-sort="none" { button type="button" { (heading) } }
                    @for (heading, _) in grid.columns() {
                        th scope="col" aria-sort="none" { button type="button" { (heading) } }
                    }
                } }
                tbody {
                    @for (row, answer) in answers.iter().enumerate() {
                        @let number = whom.number(answer.method);
                        tr data-m=(number) {
                            th scope="row" { (printable(&whom.names[number])) }
                            @for (heading, cells) in grid.columns() {
                                td class=(class(heading, answer)) { (cells[row]) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A speed-up that is sure is in colour.
fn class(heading: &str, answer: &Answer) -> &'static str {
    match (heading, answer.speedup) {
        ("speed-up", Some(speedup)) => match verdict(speedup.interval) {
            Paint::Good => "good",
            Paint::Bad => "bad",
            _ => "",
        },
        ("speed-up", None) => "base",
        _ => "",
    }
}

/// The answers of a goal that are compared with its baseline.
pub(super) fn compared(goal: &GoalAnswers) -> Vec<&Answer> {
    goal.answers.iter().filter(|a| a.comparison.is_some()).collect()
}
