//! The answers as LaTeX: what Markdown has, with tables of the package `booktabs`.

use super::grids::Grids;
use super::sentence::sentence;
use super::summary::summary;
use super::text::heading;
use crate::analysis::{Analysis, Labels, Note};

/// Parts of a document, to be read in by `\input`; ends in a newline. Whatever a name holds is
/// printed as it is, and no command of it is run.
pub fn render(analysis: &Analysis) -> String {
    let labels = Labels::of(&analysis.methods);
    let mut blocks = vec!["% Needs \\usepackage{booktabs}.\n".to_string()];
    blocks.push(list(analysis.goals.iter().map(|goal| sentence(analysis, goal, &labels))));
    for goal in &analysis.goals {
        let names: Vec<String> =
            goal.answers.iter().map(|a| labels.names[a.method].clone()).collect();
        let grid = Grids::of(goal, &names, usize::MAX).times;
        blocks.push(table(&heading(goal), &grid.latex(&labels.heading, &names)));
    }
    if let Some(summary) = summary(analysis, &labels) {
        let grid = summary.grid.latex(&labels.heading, &summary.labels);
        blocks.push(table(&summary.heading, &grid));
    }
    let with = [labels.spelled.join("; "), labels.shared.join(", ")];
    let with: Vec<&str> = with.iter().map(String::as_str).filter(|w| !w.is_empty()).collect();
    if !with.is_empty() {
        blocks.push(format!("All with: {}.\n", escaped(&with.join("; "))));
    }
    if !analysis.notes.is_empty() {
        let note = |n: &Note| format!("{}; {}.", n.what, n.remedy);
        blocks.push(list(analysis.notes.iter().map(note)));
    }
    blocks.join("\n")
}

fn list(items: impl Iterator<Item = String>) -> String {
    let mut out = "\\begin{itemize}\n".to_string();
    for item in items {
        out.push_str("  \\item ");
        out.push_str(&escaped(&item));
        out.push('\n');
    }
    out.push_str("\\end{itemize}\n");
    out
}

fn table(caption: &str, tabular: &str) -> String {
    let caption = escaped(caption);
    format!("\\begin{{table}}\n\\centering\n\\caption{{{caption}}}\n{tabular}\\end{{table}}\n")
}

/// A text that LaTeX prints as it is, on one line.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' => out.push_str("\\textbackslash{}"),
            '~' => out.push_str("\\textasciitilde{}"),
            '^' => out.push_str("\\textasciicircum{}"),
            '<' => out.push_str("\\textless{}"),
            '>' => out.push_str("\\textgreater{}"),
            '|' => out.push_str("\\textbar{}"),
            '"' => out.push_str("{\\ttfamily\\char34}"),
            // Two in a row would become a dash of another length.
            '-' if out.ends_with('-') => out.push_str("{}-"),
            // A backquote opens a quotation.
            '`' => out.push_str("{\\ttfamily\\char96}"),
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => out.extend(['\\', letter]),
            letter if letter.is_control() => out.push(' '),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_name_holds_is_a_command() {
        assert_eq!(escaped("a_b & 5 % of {x}"), "a\\_b \\& 5 \\% of \\{x\\}");
        assert_eq!(escaped("\\input{x}"), "\\textbackslash{}input\\{x\\}");
        let marks = "\\textasciitilde{}\\textasciicircum{}\\$";
        assert_eq!(escaped("--seed\n#1 ~^$"), format!("-{{}}-seed \\#1 {marks}"));
        assert_eq!(escaped("etr1 tau=9"), "etr1 tau=9");
    }
}
