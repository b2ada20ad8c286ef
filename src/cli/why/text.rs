//! Reasons for people: a sentence, what ended trials as a table, and what its words mean.

use std::fmt::Write;

use app::plural;
use app::report::human::{self, time, value};
use app::why::{Decided, Decider, GoalOf, Parameter, Told, TrialStory, Value, Why};

use super::super::output::one_line;
use super::super::space::value_text;
use super::grid::{Grid, ids, one_bar, one_of, whats};
use super::{decider, is_end, name};

/// Rows that are shown unless all are asked for; those of trials that would have met a goal always
/// are.
const ROWS: usize = 40;

pub(super) fn render(why: &Why, width: usize, full: bool) -> String {
    match &why.trial {
        Some(story) => of_trial(why, story, width),
        None => of_run(why, width, full),
    }
}

/// `random + asha + median`: what decides, without what decides nothing.
fn methods(why: &Why) -> String {
    let recorded = &why.recorded;
    let mut parts = vec![name(&recorded.sampler)];
    parts.extend(Some(name(&recorded.scheduler)).filter(|name| *name != "fifo"));
    parts.extend(Some(name(&recorded.stopper)).filter(|name| *name != "none"));
    parts.join(" + ")
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("writing into a String does not fail");
}

fn of_run(why: &Why, width: usize, full: bool) -> String {
    let mut text = summary(why);
    let shown = shown(why, full);
    if !shown.is_empty() {
        let mut grid = Grid::new(why, &shown, &["at", "trial", "config", "epoch", "decision"]);
        for told in &shown {
            grid.decision(why, told);
        }
        text.push('\n');
        text.push_str(&grid.draw(width));
        text.push_str(&legend(why, &shown));
    }
    let ends = why.decisions.len() - shown.len();
    let more = ends + why.others;
    if more > 0 {
        let (noun, them) =
            if more == 1 { ("decision is", "it") } else { ("decisions are", "them") };
        let how = format!("--full prints {them}, --trial K the story of one trial");
        line(&mut text, &format!("{more} more {noun} not shown: {how}"));
    }
    text
}

/// The decisions that have room: the first, and all that lost a goal row.
fn shown(why: &Why, full: bool) -> Vec<&Told> {
    if full {
        return why.decisions.iter().collect();
    }
    let lost = |told: &Told| {
        let is_lost = |goal: &GoalOf| match told.decided {
            Decided::Stop => goal.killed.contains(&told.trial),
            Decided::StayPaused => goal.paused.contains(&told.trial),
            _ => false,
        };
        why.goals.iter().any(is_lost)
    };
    let all = why.decisions.iter().enumerate();
    all.filter(|(at, told)| *at < ROWS || lost(told)).map(|(_, told)| told).collect()
}

/// A goal as it was asked, and what it stands for where that says more.
fn asked(goal: &GoalOf) -> String {
    let is_value = goal.goal.parse::<f64>().is_ok();
    let value = if is_value { String::new() } else { format!(" ({})", value(goal.value)) };
    format!("{}{value}", goal.goal)
}

fn summary(why: &Why) -> String {
    let recorded = &why.recorded;
    let mut text = format!(
        "Run {} on {} ({}, repeat {}): {}\n",
        recorded.run,
        one_line(&recorded.table),
        methods(why),
        recorded.repeat,
        stopped(why)
    );
    for goal in &why.goals {
        let asked = asked(goal);
        let whose = format!("whose whole curve reaches {asked}");
        let killed = match (goal.met, &goal.killed[..]) {
            (0, _) => format!("No trial's whole curve reaches {asked}."),
            (1, []) => format!("The one trial {whose} was not stopped too soon."),
            (met, []) => format!("None of the {met} trials {whose} was stopped too soon."),
            (1, [killed]) => format!("The one trial {whose} was stopped too soon: trial {killed}."),
            (met, [killed]) => {
                format!("Of the {met} trials {whose}, one was stopped too soon: trial {killed}.")
            }
            (met, killed) => {
                let (count, ids) = (killed.len(), ids(killed));
                format!("Of the {met} trials {whose}, {count} were stopped too soon: {ids}.")
            }
        };
        let paused = match &goal.paused[..] {
            [] => String::new(),
            [one] => format!(" Still paused: trial {one}."),
            paused => format!(" Still paused: {} of them, {}.", paused.len(), ids(paused)),
        };
        line(&mut text, &format!("{killed}{paused}"));
    }
    text
}

/// How many trials were ended by what.
fn stopped(why: &Why) -> String {
    let (rule, rung) = (why.stopped_by_rule, why.stopped_by_scheduler);
    let trials = plural(why.trials, "trial");
    let (stopper, scheduler) = (stoppers(why), name(&why.recorded.scheduler));
    let saved = format!("which saved {}", time(why.saved_s));
    let stopped = match (rule, rung) {
        (0, 0) => format!("none of {trials} was stopped"),
        (rule, 0) => format!("{stopper} stopped {rule} of {trials}, {saved}"),
        (0, rung) => format!("{scheduler} stopped {rung} of {trials}, {saved}"),
        (rule, rung) => {
            format!("of {trials}, {stopper} stopped {rule} and {scheduler} {rung}, {saved}")
        }
    };
    match why.left_paused {
        0 => format!("{stopped}."),
        1 => format!("{stopped}; 1 was still paused at the end."),
        paused => format!("{stopped}; {paused} were still paused at the end."),
    }
}

/// The rule that stopped trials: the run's own, that of its warm start, or both.
fn stoppers(why: &Why) -> &str {
    let stops = || {
        let decisions = why.decisions.iter();
        decisions.filter(|t| t.decided == Decided::Stop && t.by == Decider::Stopper)
    };
    match stops().filter(|told| told.in_warm_start).count() {
        0 => name(&why.recorded.stopper),
        count if count == stops().count() => "the warm start's rule",
        _ => "rules",
    }
}

/// What the columns hold.
fn legend(why: &Why, shown: &[&Told]) -> String {
    let metric = &why.metric.name;
    let seen = match one_of(whats(shown)) {
        Some(what) => format!("seen: {what} ({}), beside its bar", one_line(metric)),
        None => format!("seen: what is compared ({} where it is a value)", one_line(metric)),
    };
    let mut lines = vec![seen];
    // A story has it in its table.
    if let Some(bar) = one_bar(shown).filter(|_| why.trial.is_none()) {
        lines.push(format!("bar: {bar}"));
    }
    if shown.iter().flat_map(|told| &told.compared).any(|c| !c.trials.is_empty()) {
        lines.push("set by: the trials that the bar came from".to_string());
    }
    if shown.iter().any(|told| told.decided == Decided::StayPaused) {
        lines.push("left: still paused when the run ended".to_string());
    }
    if shown.iter().any(|told| told.saved_s.is_some()) {
        lines.push("saved: what the rest of the curve would have cost".to_string());
    }
    let goals: Vec<String> = why.goals.iter().map(asked).collect();
    lines.push(format!("goal: whether the whole curve reaches {}", goals.join(", ")));
    lines.join("\n") + "\n"
}

fn of_trial(why: &Why, story: &TrialStory, width: usize) -> String {
    let recorded = &why.recorded;
    let mut text = format!(
        "Trial {} of run {} on {} ({}): {}\n",
        story.trial,
        recorded.run,
        one_line(&recorded.table),
        methods(why),
        ending(why, story)
    );
    line(&mut text, &whole(why, story));
    let values = story.values.iter();
    let text_of = |p: &Parameter, v: Value| match v {
        Value::Float(v) => human::number(v),
        v => value_text(p, v),
    };
    let values: Vec<String> =
        values.map(|(p, v)| format!("{} {}", one_line(&p.name), text_of(p, *v))).collect();
    line(&mut text, &format!("Configuration {}: {}", story.config, one_line(&values.join(", "))));
    let told: Vec<&Told> = why.decisions.iter().collect();
    let mut grid = Grid::new(why, &told, &["at", "epoch", "decision"]);
    let mut decisions = why.decisions.iter().peekable();
    for (at, segment) in story.segments.iter().enumerate() {
        // What made it go on comes before it does.
        while let Some(told) = decisions.next_if(|told| told.epoch < segment.epoch_first) {
            grid.decision(why, told);
        }
        let verb = if at == 0 { "starts" } else { "goes on" };
        let overhead = if segment.overhead_s > 0.0 {
            format!(", after {} of overhead", time(segment.overhead_s))
        } else {
            String::new()
        };
        let words = format!("on worker {}{overhead}", segment.worker);
        grid.event(segment.start_s, segment.epoch_first, verb, &words);
        let is_last = at + 1 == story.segments.len();
        let next = story.segments.get(at + 1).map_or(f64::INFINITY, |next| next.start_s);
        let is_here = |told: &&Told| {
            told.epoch <= segment.epochs && told.decided != Decided::Resume && told.at_s <= next
        };
        while let Some(told) = decisions.next_if(|told| is_here(told)) {
            grid.decision(why, told);
        }
        let word = match segment.end_state {
            "completed" => "completed",
            "failed" => "fails",
            "cut" => "cut",
            _ => continue,
        };
        let words = if word == "cut" { "the run ended" } else { "" };
        assert!(is_last, "whatever has ended does not go on");
        grid.event(segment.end_s, segment.epochs, word, words);
    }
    for told in decisions {
        grid.decision(why, told);
    }
    text.push_str(&grid.draw(width));
    text.push_str(&legend(why, &told));
    text
}

/// How a trial ended.
fn ending(why: &Why, story: &TrialStory) -> String {
    let last = story.segments.last().expect("a trial has a segment");
    let epochs = plural(last.epochs, "epoch");
    let end = why.decisions.iter().rev().find(|told| is_end(told.decided));
    match end {
        Some(told) if told.decided == Decided::Stop => {
            let saved = told.saved_s.unwrap_or(0.0);
            let by = decider(why, told);
            format!("{by} stopped it after {epochs}, which saved {}.", time(saved))
        }
        Some(told) => {
            let by = decider(why, told);
            format!("{by} had paused it after {epochs} when the run ended.")
        }
        None => match last.end_state {
            "completed" => format!("it ran all of its {epochs}."),
            "cut" => format!("it had run {epochs} when the run ended."),
            _ => format!("it failed after {epochs}."),
        },
    }
}

/// What its whole curve comes to.
fn whole(why: &Why, story: &TrialStory) -> String {
    if story.whole.is_nan() {
        return "Its whole curve has no value.".to_string();
    }
    let goals = why.goals.iter().zip(&story.would_meet).map(|(goal, meets)| {
        let verb = if *meets { "reaches" } else { "misses" };
        format!("{verb} {}", asked(goal))
    });
    let goals: Vec<String> = goals.collect();
    format!("Its whole curve comes to {}, which {}.", value(story.whole), goals.join(" and "))
}
