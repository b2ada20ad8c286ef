//! A page of answers: one file that needs nothing else, to be looked at in a browser or printed.
//!
//! What a page says is [`Page`], plain data; every text in it may come from a file that somebody
//! else wrote, and is escaped where it stands. `style.css` and `behaviour.js` are put into it
//! whole: filtering methods, sorting tables, reading numbers under a pointer, saving plots. Without
//! scripts it still shows everything.

mod figure;
mod matrix;
mod numbers;
mod robust;
mod study;
mod table;

pub use matrix::RuleSpeedup;
pub use table::{TablePage, render_table};

use std::fmt::Write as _;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::analysis::{Analysis, Runs};
use crate::anytime::{TableCurves, Timeline};
use crate::headroom::Headroom;
use crate::robustness::Robustness;

use super::plots::{COLOURS, Plot};
use super::printable;

const STYLE: &str = include_str!("style.css");
const BEHAVIOUR: &str = include_str!("behaviour.js");

/// What a page is made of.
#[derive(Debug)]
pub struct Page {
    pub title: String,
    /// One sentence below the title; may be empty.
    pub summary: String,
    /// Side by side: each is compared with its own baseline.
    pub studies: Vec<Study>,
    /// The program and its version.
    pub made_by: String,
}

/// The answers of one study.
#[derive(Debug)]
pub struct Study {
    pub name: String,
    pub summary: String,
    pub runs: Runs,
    pub analysis: Analysis,
    /// What its trace shows; nothing where there is no trace.
    pub traced: Traced,
    /// The comparison under other settings; empty where it was not made.
    pub robustness: Robustness,
    /// What each rule does for its own sampler.
    pub rules: Vec<RuleSpeedup>,
    /// What to call, to repeat it: what each does, and the command.
    pub commands: Vec<(String, String)>,
    /// What it was made of: names and values.
    pub provenance: Vec<(String, String)>,
    /// The study as it was written down, where there is such a text.
    pub text: Option<String>,
}

/// What the trace of a study shows.
#[derive(Debug, Clone, Default)]
pub struct Traced {
    pub curves: Vec<TableCurves>,
    pub headroom: Vec<Headroom>,
    pub timelines: Vec<Timeline>,
    /// Why some of it is missing, if it is: a sentence each.
    pub missing: Vec<String>,
}

/// The page as HTML, and every plot of it.
pub fn render(page: &Page) -> (String, Vec<Plot>) {
    let studies: Vec<study::Drawn<'_>> =
        page.studies.iter().enumerate().map(|(at, of)| study::Drawn::of(of, at)).collect();
    let filter = html! {
        details #filter {
            summary { "Methods: " span #count { "all" } }
            div {
                button type="button" data-show="all" { "All" } " "
                button type="button" data-show="main" { "Those in colour" } " "
                button type="button" data-show="none" { "None" }
                @for study in &studies { (study.filter()) }
            }
        }
    };
    let body = html! {
        @for study in &studies { (study.section(page.studies.len() > 1)) }
    };
    let html = frame(&page.title, &page.summary, &page.made_by, &filter, &body);
    (html, studies.into_iter().flat_map(study::Drawn::plots).collect())
}

/// Colours that no plot has: by name, on a light page and on a dark one.
const PAGE_COLOURS: [(&str, &str, &str); 4] = [
    ("ground", "#f4f6f8", "#0e1114"),
    ("edge", "#d5dae0", "#343c45"),
    ("link", "#005a9c", "#7cc0f5"),
    ("mark", "#e8f2fb", "#1d2a36"),
];

/// The names of the style sheet, light or dark as the reader or the reader's system has it.
fn colours() -> String {
    let (mut light, mut dark) = (String::new(), String::new());
    for (name, on_light, on_dark) in COLOURS.iter().chain(&PAGE_COLOURS) {
        let _ = write!(light, "--{name}:{on_light};");
        let _ = write!(dark, "--{name}:{on_dark};");
    }
    format!(
        ":root{{{light}}}\n:root[data-theme=\"dark\"]{{{dark}}}\n\
         @media (prefers-color-scheme:dark){{:root:not([data-theme=\"light\"]){{{dark}}}}}\n"
    )
}

/// What every page has: its head, a bar that stays in sight, and its scripts.
fn frame(title: &str, summary: &str, made_by: &str, filter: &Markup, body: &Markup) -> String {
    let title = printable(title);
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="generator" content=(made_by);
                meta name="viewport" content="width=device-width, initial-scale=1";
                // Nothing is fetched, whatever stands in a name.
                meta http-equiv="Content-Security-Policy"
                    content="default-src 'none'; style-src 'unsafe-inline'; \
                             script-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
                             form-action 'none'";
                title { (title) }
                style { (PreEscaped(colours())) (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#answers" { "To the answers" }
                header.bar { div {
                    b { (title) }
                    (filter)
                    button #theme type="button" aria-pressed="false" { "Light or dark" }
                } }
                main {
                    h1 { (title) }
                    p.lead { (printable(summary)) }
                    (body)
                    footer.small {
                        p {
                            "Made by " (made_by)
                            ". Times are seconds on the simulated clock."
                        }
                    }
                }
                div #tip role="status" aria-hidden="true" {}
                script { (PreEscaped(BEHAVIOUR)) }
            }
        }
    };
    markup.into_string()
}
