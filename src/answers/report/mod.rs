//! Analyses made readable: text for people, CSV, Markdown and LaTeX for their documents, JSON for
//! programs, and a page with plots to look at. A format is a file.

mod boxes;
pub mod csv;
mod grid;
mod grids;
pub mod html;
pub mod human;
pub mod json;
pub mod latex;
mod legend;
pub mod markdown;
pub mod plots;
mod printable;
mod sentence;
mod summary;
pub mod text;

pub use printable::{is_printable, printable};

use crate::analysis::{Analysis, Answer};

/// The width of a report where nobody says.
pub const WIDTH: usize = 118;

/// How much of an analysis is shown, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// Columns of characters; text alone has a width.
    pub width: usize,
    /// All tables of every goal, and every note; else what fits on a screen.
    pub full: bool,
    /// A small box plot a method, where there is room for it.
    pub plot: bool,
}

impl Default for Shown {
    fn default() -> Self {
        Self { width: WIDTH, full: false, plot: false }
    }
}

/// The order of the methods of a goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// As they were given.
    #[default]
    Given,
    /// By the median time to the goal, the soonest first.
    Time,
    /// By the share of goal rows that were killed, the smallest first.
    Killed,
    /// By their canonical strings.
    Name,
}

/// The same analysis with the methods of every goal in another order; equal ones stay as they were.
#[must_use]
pub fn sorted(mut analysis: Analysis, by: Sort) -> Analysis {
    let share = |a: &Answer| match a.ended.killed() {
        #[expect(clippy::cast_precision_loss, reason = "counts of rows are below 2^53")]
        Some((killed, met)) if met > 0 => killed as f64 / met as f64,
        _ => 0.0,
    };
    let names: Vec<String> = analysis.methods.iter().map(ToString::to_string).collect();
    for goal in &mut analysis.goals {
        let answers = &mut goal.answers;
        match by {
            Sort::Given => {}
            Sort::Time => answers.sort_by(|a, b| {
                let key = |a: &Answer| a.time_to_goal_s.median;
                let (a, b) = (key(a), key(b));
                a.low.total_cmp(&b.low).then(a.high.total_cmp(&b.high))
            }),
            Sort::Killed => answers.sort_by(|a, b| share(a).total_cmp(&share(b))),
            Sort::Name => answers.sort_by(|a, b| names[a.method].cmp(&names[b.method])),
        }
    }
    analysis
}
