//! A plot in a page.

use maud::{Markup, PreEscaped, html};

use super::super::plots::{Data, Plot};
use super::super::printable;

/// The plot with its words, its files, and its data for who points at it.
pub(super) fn figure(plot: &Plot) -> Markup {
    let data = serde_json::to_string(&plot.data).expect("plain structs become JSON");
    // No tag begins within a script.
    let data = data.replace('<', "\\u003c");
    let view = format!("0 0 {} {}", plot.width * 10, plot.height * 10);
    let rows = plot.rows.map(|[row, top]| format!("{row} {top}"));
    let label = format!("{}. {}", plot.title, plot.alternative);
    let is_lines = matches!(plot.data, Data::Lines(_));
    html! {
        figure.plot.card id=(plot.name) data-lines[is_lines] {
            figcaption { h4 { (printable(&plot.title)) } }
            div.frame tabindex="0" role="group" aria-label=(printable(&plot.title)) {
                svg role="img" aria-label=(printable(&label)) viewBox=(view) data-rows=[rows]
                    data-height=(plot.height) { (PreEscaped(plot.elements())) }
            }
            p.how { (printable(&plot.caption)) }
            div.tools {
                @for (what, word) in [("svg", "Save SVG"), ("csv", "Save CSV")] {
                    button type="button" data-do=(what)
                        aria-label={ (word) ": " (printable(&plot.title)) } { (word) }
                }
                button type="button" data-do="data" aria-expanded="false"
                    aria-label={ "Show numbers: " (printable(&plot.title)) } { "Show numbers" }
            }
            script type="application/json" { (PreEscaped(data)) }
        }
    }
}
