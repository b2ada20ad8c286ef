//! The answers of one study in a page.

use maud::{Markup, html};

use super::super::grids::Grids;
use super::super::plots::{Plot, Whom, clean, reached, speedups, time_to_goal};
use super::super::sentence::{goal_words, sentence};
use super::super::text::threshold_text;
use super::super::{Shown, human, legend};
use super::Study;
use super::figure::figure;
use super::numbers::{compared, sortable};
use crate::analysis::{Answer, GoalAnswers, MethodOutcomes};

/// A study with its plots.
pub(super) struct Drawn<'a> {
    study: &'a Study<'a>,
    whom: Whom,
    /// What its names begin with: a page may hold several.
    prefix: String,
    /// Goal by goal.
    goals: Vec<Vec<Plot>>,
}

impl<'a> Drawn<'a> {
    pub(super) fn of(study: &'a Study<'a>, at: usize) -> Self {
        let whom = Whom::of(study.analysis);
        let prefix = if at == 0 { String::new() } else { format!("study-{}-", at + 1) };
        let outcomes = study.runs.outcomes();
        let goals = study.analysis.goals.iter().enumerate();
        let goals = goals.map(|(number, goal)| {
            // As the answers are sorted, whatever the order of runs.
            let of = |a: &Answer| outcomes[number].iter().find(|o| o.method == a.method).cloned();
            let runs: Vec<MethodOutcomes> = goal.answers.iter().filter_map(of).collect();
            let name = |what: &str| format!("{prefix}{what}-{}", number + 1);
            [
                time_to_goal(goal, &runs, &whom, &name("time-to-goal")),
                reached(goal, &runs, &whom, &name("reached")),
                speedups(goal, &whom, &name("speed-up")),
            ]
            .into_iter()
            .flatten()
            .collect()
        });
        let goals = goals.collect();
        Self { study, whom, goals, prefix }
    }

    pub(super) fn plots(self) -> Vec<Plot> {
        self.goals.into_iter().flatten().collect()
    }

    /// Its methods to choose from.
    pub(super) fn filter(&self) -> Markup {
        html! {
            fieldset {
                legend { (clean(&self.study.name)) }
                @for (number, name) in self.whom.names.iter().enumerate() {
                    @let paint = self.whom.paints[number];
                    label {
                        input type="checkbox" checked value=(number) data-main[!paint.is_rest()];
                        span.swatch style={ "background:var(--" (paint.name()) ")" } {}
                        span { (clean(name)) }
                    }
                }
            }
        }
    }

    pub(super) fn section(&self, is_one_of_several: bool) -> Markup {
        let study = self.study;
        let analysis = study.analysis;
        let labels = &self.whom.labels;
        html! {
            section id={ (self.prefix) "answers" } {
                @if is_one_of_several {
                    h2 { (clean(&study.name)) }
                    p.lead { (clean(&study.summary)) }
                }
                @for goal in &analysis.goals {
                    p.answer { (clean(&sentence(analysis, goal, labels))) }
                }
                p.small {
                    "A speed-up is a ratio of median times; its interval is where "
                    (human::plain(100.0 * analysis.confidence))
                    " % of repetitions of the whole experiment on this table would put it. What \
                     holds on this table need not hold on another."
                }
                @if !labels.shared.is_empty() {
                    p.small { "All with: " (clean(&labels.shared.join(", "))) "." }
                }
                (self.notes())
                @for (goal, plots) in analysis.goals.iter().zip(&self.goals) {
                    (self.goal(goal, plots))
                }
                (self.repeat())
            }
        }
    }

    fn goal(&self, goal: &GoalAnswers, plots: &[Plot]) -> Markup {
        let labels = &self.whom.labels;
        let names: Vec<String> =
            goal.answers.iter().map(|a| labels.names[a.method].clone()).collect();
        let grids = Grids::of(goal, &names, usize::MAX);
        let all: Vec<&Answer> = goal.answers.iter().collect();
        let words = goal_words(&goal.goal);
        let (value, rows) = (threshold_text(goal.goal_value), goal.goal_rows);
        html! {
            h2 { "To " (clean(&words)) " on " (clean(&goal.table)) }
            p.small {
                "A value of " (value) ", which " (rows)
                @if rows == 1 { " row of the table meets." } @else { " rows of the table meet." }
            }
            @if plots.is_empty() {
                p.note { "No run of any method reached this goal: there is no time to draw." }
            }
            @for plot in plots { (figure(plot)) }
            div.card {
                h3 { "Times" }
                (sortable(&grids.times, &format!("Times to {words}"), &labels.heading, &all, &self.whom))
                @if let Some(grid) = &grids.comparisons {
                    h4 { "Against the baseline, pair by pair" }
                    (sortable(grid, &format!("Comparisons for {words}"), &labels.heading,
                        &compared(goal), &self.whom))
                }
                h4 { "Means, and what was selected" }
                (sortable(&grids.means, &format!("Means for {words}"), &labels.heading, &all, &self.whom))
            }
        }
    }

    fn notes(&self) -> Markup {
        let analysis = self.study.analysis;
        html! {
            @if !analysis.notes.is_empty() {
                h2 { "Before you believe it" }
                @for note in &analysis.notes {
                    p.note { (clean(&note.what)) "; " (clean(&note.remedy)) "." }
                }
            }
        }
    }

    fn repeat(&self) -> Markup {
        let study = self.study;
        let labels = &self.whom.labels;
        // The legend explains the columns of what it is given: all of them.
        let drawn: String = study
            .analysis
            .goals
            .iter()
            .map(|goal| {
                let names: Vec<String> =
                    goal.answers.iter().map(|a| labels.names[a.method].clone()).collect();
                Grids::of(goal, &names, usize::MAX).times.draw(&labels.heading, &names, usize::MAX)
            })
            .collect();
        let shown = Shown { width: usize::MAX, full: true };
        html! {
            h2 { "What the words mean" }
            div.card { ul.small {
                @for line in legend::legend(&drawn, study.analysis, labels, shown) {
                    li { (clean(&line)) }
                }
            } }
            h2 { "To repeat it" }
            div.card {
                @for (what, command) in &study.commands {
                    div {
                        h4 { (clean(what)) }
                        pre tabindex="0" { (clean(command)) }
                        button type="button" data-copy { "Copy" }
                    }
                }
                @if !study.provenance.is_empty() {
                    h4 { "What it was made of" }
                    dl {
                        @for (name, value) in &study.provenance {
                            dt { (clean(name)) } dd { (clean(value)) }
                        }
                    }
                }
                @if let Some(text) = &study.text {
                    h4 { "The study as it was written down" }
                    pre tabindex="0" { (clean(text)) }
                }
            }
        }
    }
}
