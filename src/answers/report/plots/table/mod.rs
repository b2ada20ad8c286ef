//! Plots of a table: its curves, values and costs, how soon the end shows, what matters, what rules
//! do.

mod bars;
mod curves;
mod importance;
mod pairs;
mod rules;
mod told;
mod tuning;

pub use importance::{Grid, ImportanceView, PairView, ParameterView};

use super::plot::Plot;
use crate::table::TableFacts;

/// What is drawn of a table.
#[derive(Debug)]
pub struct TableView<'a> {
    pub name: &'a str,
    /// What the metric is called.
    pub metric: &'a str,
    pub larger_is_better: bool,
    pub facts: &'a TableFacts,
    /// `None` where nothing can matter.
    pub importance: Option<&'a ImportanceView>,
}

/// A heading, a word about it, and its plots.
pub(in crate::report) type Part = (&'static str, &'static str, Vec<Plot>);

/// All plots that the table allows, by what they are about.
pub(in crate::report) fn parts(view: &TableView<'_>) -> Vec<Part> {
    let some = |plots: Vec<Option<Plot>>| plots.into_iter().flatten().collect::<Vec<Plot>>();
    let importance = view.importance.map_or_else(Vec::new, |of| importance::plots(view, of));
    let pairs = view.importance.and_then(|of| pairs::plot(view, of));
    let parts: Vec<Part> = vec![
        (
            "Curves",
            "A line is one training: a hundred at random, the best, and the worst, as in Figures 1 \
             and 2 of Choi et al. (2018).",
            some(vec![curves::groups(view), curves::bands(view)]),
        ),
        (
            "Values and costs",
            "How good whole curves are, what they cost, and what random search comes to.",
            some(vec![bars::values(view), bars::costs(view), tuning::tuning(view)]),
        ),
        (
            "How soon the end shows",
            "What the first epochs say of the last.",
            some(vec![told::told(view), bars::near(view)]),
        ),
        (
            "What matters",
            "Which hyperparameters the values depend on, by a random forest that was fitted to all \
             configurations.",
            importance.into_iter().chain(pairs).collect(),
        ),
        (
            "What rules do",
            "The early-termination rules of Choi et al. on curves of this table, as in their \
             Figure 3.",
            rules::plots(view),
        ),
    ];
    parts.into_iter().filter(|(_, _, plots)| !plots.is_empty()).collect()
}
