//! The answers as Markdown: the sentences, a table a goal, and the notes.

use super::grids::Grids;
use super::sentence::sentence;
use super::summary::summary;
use super::text::heading;
use crate::analysis::{Analysis, Labels, Note};

/// Everything that the first table of a goal has, whatever its width; ends in a newline.
pub fn render(analysis: &Analysis) -> String {
    let labels = Labels::of(&analysis.methods);
    let mut blocks: Vec<String> = Vec::new();
    let sentences = analysis.goals.iter().map(|goal| sentence(analysis, goal, &labels));
    blocks.push(list(sentences));
    for goal in &analysis.goals {
        let names: Vec<String> =
            goal.answers.iter().map(|a| labels.names[a.method].clone()).collect();
        let table = Grids::of(goal, &names, usize::MAX).times.markdown(&labels.heading, &names);
        blocks.push(format!("**{}**\n\n{table}", heading(goal)));
    }
    if let Some(summary) = summary(analysis, &labels) {
        let table = summary.grid.markdown(&labels.heading, &summary.labels);
        blocks.push(format!("**{}**\n\n{table}", summary.heading));
    }
    let with = [labels.spelled.join("; "), labels.shared.join(", ")];
    let with: Vec<&str> = with.iter().map(String::as_str).filter(|w| !w.is_empty()).collect();
    if !with.is_empty() {
        blocks.push(format!("All with: {}.\n", with.join("; ")));
    }
    if !analysis.notes.is_empty() {
        let note = |n: &Note| format!("{}; {}.", n.what, n.remedy);
        blocks.push(list(analysis.notes.iter().map(note)));
    }
    blocks.join("\n")
}

fn list(items: impl Iterator<Item = String>) -> String {
    let mut out = String::new();
    for item in items {
        out.push_str("- ");
        out.push_str(&item);
        out.push('\n');
    }
    out
}
