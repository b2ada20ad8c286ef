//! A page about a table.

use maud::{Markup, html};

use super::super::plots::table::{TableView, parts};
use super::super::plots::{Plot, file_part};
use super::super::printable;
use super::figure::figure;
use super::frame;

/// A page about a table: what it says, its plots, and the commands that make it.
#[derive(Debug)]
pub struct TablePage<'a> {
    pub view: TableView<'a>,
    /// One sentence below the title.
    pub summary: String,
    /// Names and values: how many configurations, of what, made how.
    pub facts: Vec<(String, String)>,
    /// What each command does, and the command.
    pub commands: Vec<(String, String)>,
    /// The program and its version.
    pub made_by: String,
}

/// The page as HTML, and every plot of it.
pub fn render_table(page: &TablePage<'_>) -> (String, Vec<Plot>) {
    let parts = parts(&page.view);
    let place = |heading: &str| format!("section-{}", file_part(heading));
    let body: Markup = html! {
        section #answers {
            dl.card {
                @for (name, value) in &page.facts {
                    dt { (printable(name)) } dd { (printable(value)) }
                }
            }
            nav aria-label="contents" { ul.contents {
                @for (heading, _, _) in &parts {
                    li { a href={ "#" (place(heading)) } { (heading) } }
                }
            } }
            @for (heading, words, plots) in &parts {
                h2 id=(place(heading)) { (heading) }
                p.small { (words) }
                @for plot in plots { (figure(plot)) }
            }
            h2 #section-repeat { "To repeat it" }
            div.card {
                @for (what, command) in &page.commands {
                    div {
                        h4 { (printable(what)) }
                        pre tabindex="0" { (printable(command)) }
                        button type="button" data-copy { "Copy" }
                    }
                }
            }
        }
    };
    let html = frame(page.view.name, &page.summary, &page.made_by, &html! {}, &body);
    (html, parts.into_iter().flat_map(|(_, _, plots)| plots).collect())
}
