//! The answers of one study in a page.

use maud::{Markup, html};

use super::super::grids::Grids;
use super::super::plots::{
    Plot, Whom, anytime, file_part, headroom, profiles, reached, speedups, spent, time_to_goal,
    timeline,
};
use super::super::sentence::{goal_words, sentence};
use super::super::text::threshold_text;
use super::super::{Shown, human, legend, printable};
use super::figure::figure;
use super::numbers::{compared, sortable};
use super::robust;
use super::{Study, matrix};
use crate::analysis::{Answer, GoalAnswers, MethodOutcomes, reached_curves};
use crate::headroom::Headroom;

/// The heading of what is about all tables and goals.
const OVER_ALL: &str = "Over all tables and goals";

/// A study with its plots.
pub(super) struct Drawn<'a> {
    study: &'a Study,
    whom: Whom,
    /// Which of the page's studies it is, from 0: methods are numbered within it.
    at: usize,
    /// What its names begin with: a page may hold several.
    prefix: String,
    /// Goal by goal.
    goals: Vec<Vec<Plot>>,
    /// What methods have by when, and where the time went.
    anytime: Vec<Plot>,
    headroom: Vec<Plot>,
    over_all: Vec<Plot>,
    timelines: Vec<Plot>,
}

impl<'a> Drawn<'a> {
    pub(super) fn of(study: &'a Study, at: usize) -> Self {
        let whom = Whom::of(&study.analysis);
        let prefix = if at == 0 { String::new() } else { format!("study-{}-", at + 1) };
        let outcomes = study.runs.outcomes();
        let curves = reached_curves(&study.runs, study.analysis.confidence);
        let goals = study.analysis.goals.iter().enumerate();
        let goals = goals.map(|(number, goal)| {
            // As the answers are sorted, whatever the order of runs.
            let of = |a: &Answer| outcomes[number].iter().find(|o| o.method == a.method).cloned();
            let runs: Vec<MethodOutcomes> = goal.answers.iter().filter_map(of).collect();
            let name = |what: &str| format!("{prefix}{what}-{}", number + 1);
            [
                time_to_goal(goal, &runs, &whom, &name("time-to-goal")),
                reached(goal, &runs, &curves[number], &whom, &name("reached")),
                speedups(goal, &whom, &name("speed-up")),
            ]
            .into_iter()
            .flatten()
            .collect()
        });
        let goals = goals.collect();
        let traced = &study.traced;
        let of_table = |curves| {
            let spent = spent(curves, &whom, &prefix);
            anytime(curves, &whom, &prefix).into_iter().chain(spent)
        };
        let numbered = |what: &str, at: usize| format!("{prefix}{what}-{}", at + 1);
        // One plot a goal, for all samplers.
        let mut rooms: Vec<Vec<&Headroom>> = Vec::new();
        for of in &traced.headroom {
            let is_same =
                |all: &&mut Vec<&Headroom>| (&all[0].table, &all[0].goal) == (&of.table, &of.goal);
            match rooms.iter_mut().find(is_same) {
                Some(all) => all.push(of),
                None => rooms.push(vec![of]),
            }
        }
        let rooms = rooms.iter().enumerate();
        let headroom = rooms.filter_map(|(at, of)| headroom(of, &whom, &numbered("headroom", at)));
        let lines = traced.timelines.iter().enumerate();
        let timelines = lines.filter_map(|(at, of)| timeline(of, &whom, &numbered("timeline", at)));
        let (headroom, timelines) = (headroom.collect(), timelines.collect());
        let anytime = traced.curves.iter().flat_map(of_table).collect();
        let over_all = study.analysis.profiles.iter();
        let over_all = over_all.map(|of| profiles(of, &whom, &prefix)).collect();
        Self { study, whom, at, prefix, goals, anytime, headroom, over_all, timelines }
    }

    pub(super) fn plots(self) -> Vec<Plot> {
        let Self { goals, anytime, headroom, over_all, timelines, .. } = self;
        let traced = anytime.into_iter().chain(headroom).chain(timelines);
        goals.into_iter().flatten().chain(over_all).chain(traced).collect()
    }

    /// Its methods to choose from.
    pub(super) fn filter(&self) -> Markup {
        html! {
            fieldset data-study=(self.at) {
                legend { (printable(&self.study.name)) }
                @for (number, name) in self.whom.names.iter().enumerate() {
                    @let paint = self.whom.paints[number];
                    label {
                        input type="checkbox" checked value=(number) data-main[!paint.is_rest()];
                        span.swatch style={ "background:var(--" (paint.name()) ")" } {}
                        span { (printable(name)) }
                    }
                }
            }
        }
    }

    /// The place of a section in the page.
    fn place(&self, what: &str, more: &str) -> String {
        format!("{}section-{}-{}", self.prefix, file_part(what), file_part(more))
    }

    /// Where to go in the page.
    fn contents(&self) -> Markup {
        let goal = |goal: &GoalAnswers| {
            let words = format!("To {} on {}", goal_words(&goal.goal), goal.table);
            (words, self.place(&goal.table, &goal.goal))
        };
        let mut places: Vec<(String, String)> =
            self.study.analysis.goals.iter().map(goal).collect();
        if matrix::matrix(&self.study.rules).is_some() {
            places.push(("What rules do".to_string(), self.place("rules", "")));
        }
        if !self.study.robustness.settings.is_empty() {
            places.push(("Under other settings".to_string(), self.place("robustness", "")));
        }
        for (heading, _, plots) in self.parts() {
            if !plots.is_empty() {
                places.push((heading.to_string(), self.place(heading, "")));
            }
        }
        places.push(("What the words mean".to_string(), self.place("words", "")));
        places.push(("To repeat it".to_string(), self.place("repeat", "")));
        html! {
            nav aria-label="contents" { ul.contents {
                @for (words, place) in &places {
                    li { a href={ "#" (place) } { (printable(words)) } }
                }
            } }
        }
    }

    pub(super) fn section(&self, is_one_of_several: bool) -> Markup {
        let study = self.study;
        let analysis = &study.analysis;
        let labels = &self.whom.labels;
        html! {
            section id={ (self.prefix) "answers" } data-study=(self.at) {
                @if is_one_of_several {
                    h2 { (printable(&study.name)) }
                    p.lead { (printable(&study.summary)) }
                }
                @for goal in &analysis.goals {
                    p.answer {
                        (printable(&sentence(analysis, goal, labels)))
                        @if let Some(holds) = robust::holds(goal, &study.robustness) {
                            " " (holds)
                        }
                    }
                }
                p.small {
                    "A speed-up is a ratio of median times; its interval is where "
                    (human::plain(100.0 * analysis.confidence))
                    " % of repetitions of the whole experiment on this table would put it. What \
                     holds on this table need not hold on another."
                }
                @if !labels.shared.is_empty() {
                    p.small { "All with: " (printable(&labels.shared.join(", "))) "." }
                }
                (self.contents())
                (self.notes())
                @for (goal, plots) in analysis.goals.iter().zip(&self.goals) {
                    (self.goal(goal, plots))
                }
                @if let Some(matrix) = matrix::matrix(&study.rules) {
                    h2 id=(self.place("rules", "")) { "What rules do" }
                    p.small {
                        "Speed-ups of each rule and scheduler over its own sampler without one. In \
                         colour where the interval says that it is no chance."
                    }
                    (matrix)
                }
                (self.robustness())
                (self.traced())
                (self.repeat())
            }
        }
    }

    /// The comparison under other settings.
    fn robustness(&self) -> Markup {
        let robustness = &self.study.robustness;
        html! {
            @if !robustness.settings.is_empty() {
                h2 id=(self.place("robustness", "")) { "Under other settings" }
                p.small {
                    "Each column changes one decision of the comparison, all else as it was, and \
                     makes it anew. A speed-up is in colour where its interval says that it is no \
                     chance: green for sooner, orange for later. = is to the last digit what it \
                     was: that says nothing, and does not count."
                }
                @for goal in &self.study.analysis.goals {
                    (robust::table(goal, robustness, &self.whom))
                }
                details { summary { "What each setting changes" } dl {
                    @for setting in &robustness.settings {
                        dt { (printable(&setting.name)) }
                        dd {
                            (printable(&setting.words))
                            @if let Some(why) = &setting.refused { "; refused: " (printable(why)) }
                        }
                    }
                } }
            }
        }
    }

    /// What the trace shows, each with its heading and a word about it.
    fn parts(&self) -> [(&'static str, &'static str, &[Plot]); 4] {
        [
            (OVER_ALL, "Who does well everywhere.", &self.over_all),
            (
                "At any time",
                "Not everybody has a goal: what each method has by when.",
                &self.anytime,
            ),
            (
                "Headroom",
                "What perfect knowledge of the curves would gain, and which share of it each rule \
                 and scheduler gains.",
                &self.headroom,
            ),
            ("Single runs", "What the workers of one run did.", &self.timelines),
        ]
    }

    /// What the trace shows.
    fn traced(&self) -> Markup {
        html! {
            @for (heading, words, plots) in self.parts() {
                @if !plots.is_empty() {
                    h2 id=(self.place(heading, "")) { (heading) }
                    p.small { (words) }
                    @for plot in plots { (figure(plot)) }
                    @if heading == OVER_ALL { (self.ranks()) }
                }
            }
            @if !self.study.traced.missing.is_empty() {
                h2 { "What is not shown" }
                @for sentence in &self.study.traced.missing { p.note { (printable(sentence)) } }
            }
        }
    }

    fn goal(&self, goal: &GoalAnswers, plots: &[Plot]) -> Markup {
        let labels = &self.whom.labels;
        let names: Vec<String> =
            goal.answers.iter().map(|a| labels.names[a.method].clone()).collect();
        let grids = Grids::of(goal, &names, usize::MAX);
        let all: Vec<&Answer> = goal.answers.iter().collect();
        let (words, heading) = (goal_words(&goal.goal), &labels.heading);
        let (value, rows) = (threshold_text(goal.goal_value), goal.goal_rows);
        html! {
            h2 id=(self.place(&goal.table, &goal.goal)) {
                "To " (printable(&words)) " on " (printable(&goal.table))
            }
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
                (sortable(&grids.times, &format!("Times to {words}"), heading, &all, &self.whom))
                @if let Some(grid) = &grids.comparisons {
                    h4 { "Against the baseline, pair by pair" }
                    (sortable(grid, &format!("Comparisons for {words}"), &labels.heading,
                        &compared(goal), &self.whom))
                }
                h4 { "Means, and what was selected" }
                (sortable(&grids.means, &format!("Means for {words}"), heading, &all, &self.whom))
                (self.further(goal, &words))
            }
        }
    }

    /// What only those ask for who plan the next experiment.
    fn further(&self, goal: &GoalAnswers, words: &str) -> Markup {
        let grid = Grids::further(goal);
        let all: Vec<&Answer> = goal.answers.iter().collect();
        let heading = &self.whom.labels.heading;
        html! {
            @if let Some(grid) = grid {
                details {
                    summary { "Middle halves, and how many repeats it takes" }
                    (sortable(&grid, &format!("Further numbers for {words}"), heading, &all,
                        &self.whom))
                    p.small {
                        "IQM: the mean of the middle half of times. Repeats: so many a method show \
                         the observed difference, or a method that is a fifth faster, with \
                         probability 0.8, by a rank test at the level of the intervals, were the \
                         logarithms of times normal."
                    }
                }
            }
        }
    }

    /// Ranks over tables, where there are enough.
    fn ranks(&self) -> Markup {
        let methods = |at: usize| self.whom.number(at);
        html! {
            @for over in &self.study.analysis.over_tables {
                div.card {
                    h4 {
                        "Mean ranks over " (over.tables) " tables, to "
                        (printable(&goal_words(&over.goal)))
                    }
                    p.small {
                        "Friedman's test: chi-squared " (human::number(over.chi_squared)) ", p "
                        (human::p_value(over.p_value)) " (Iman and Davenport: "
                        (human::p_value(over.f_p_value)) "). Two methods whose mean ranks are more \
                         than " (human::number(over.critical_difference)) " apart differ (Nemenyi)."
                    }
                    div.wide tabindex="0" role="region" aria-label="Mean ranks" { table {
                        thead { tr {
                            th scope="col" { (self.whom.labels.heading) }
                            th scope="col" { "mean rank" }
                        } }
                        tbody { @for of in &over.methods { tr data-m=(methods(of.method)) {
                            th scope="row" { (printable(&self.whom.names[methods(of.method)])) }
                            td { (human::number(of.mean_rank)) }
                        } } }
                    } }
                }
            }
        }
    }

    fn notes(&self) -> Markup {
        let analysis = &self.study.analysis;
        html! {
            @if !analysis.notes.is_empty() {
                h2 { "Before you believe it" }
                @for note in &analysis.notes {
                    p.note { (printable(&note.what)) "; " (printable(&note.remedy)) "." }
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
        let shown = Shown { width: usize::MAX, full: true, plot: false };
        html! {
            h2 id=(self.place("words", "")) { "What the words mean" }
            div.card { ul.small {
                @for line in legend::legend(&drawn, &study.analysis, labels, shown) {
                    li { (printable(&line)) }
                }
            } }
            h2 id=(self.place("repeat", "")) { "To repeat it" }
            div.card {
                @for (what, command) in &study.commands {
                    div {
                        h4 { (printable(what)) }
                        pre tabindex="0" { (printable(command)) }
                        button type="button" data-copy { "Copy" }
                    }
                }
                @if !study.provenance.is_empty() {
                    h4 { "What it was made of" }
                    dl {
                        @for (name, value) in &study.provenance {
                            dt { (printable(name)) } dd { (printable(value)) }
                        }
                    }
                }
                @if let Some(text) = &study.text {
                    h4 { "The study as it was written down" }
                    pre tabindex="0" { (printable(text)) }
                }
            }
        }
    }
}
