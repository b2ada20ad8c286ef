//! Reasons for people: a sentence, what ended trials as a table, and what its words mean.

use app::plural;
use app::report::human::{self, time, value};
use app::why::{Compared, Decided, Parameter, Told, TrialStory, Value, Why};
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table};

use super::super::output::one_line;
use super::super::space::value_text;
use super::{decider, is_end, name};

/// Rows that are shown unless all are asked for; those of killed goal rows always are.
const ROWS: usize = 40;
/// Ids of trials that are named, unless there is one more alone.
const IDS: usize = 3;
/// The least room for where a bar came from.
const WORDS_WIDTH_MIN: usize = 20;

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
        text.push_str(&format!(
            "{more} more {noun} not shown: --full prints {them}, --trial K the story of one trial\n"
        ));
    }
    text
}

/// The decisions that have room: the first, and all that killed a goal row.
fn shown(why: &Why, full: bool) -> Vec<&Told> {
    if full {
        return why.decisions.iter().collect();
    }
    let killed = |told: &Told| {
        let is_killed = |goal: &app::why::GoalOf| goal.killed.contains(&told.trial);
        told.decided == Decided::Stop && why.goals.iter().any(is_killed)
    };
    let all = why.decisions.iter().enumerate();
    all.filter(|(at, told)| *at < ROWS || killed(told)).map(|(_, told)| told).collect()
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
        let asked = format!("{} ({})", goal.goal, value(goal.value));
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
        text.push_str(&killed);
        text.push('\n');
    }
    text
}

/// How many trials were ended by what.
fn stopped(why: &Why) -> String {
    let (rule, rung) = (why.stopped_by_rule, why.stopped_by_scheduler);
    let trials = plural(why.trials, "trial");
    let (stopper, scheduler) = (name(&why.recorded.stopper), name(&why.recorded.scheduler));
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

/// What the columns hold.
fn legend(why: &Why, shown: &[&Told]) -> String {
    let metric = &why.metric.name;
    let seen = match one_of(whats(shown)) {
        Some(what) => format!("seen: {what} ({}), beside its bar", one_line(metric)),
        None => format!("seen: what is compared ({} where it is a value)", one_line(metric)),
    };
    let mut lines = vec![seen];
    if let Some(bar) = one_bar(shown) {
        lines.push(format!("bar: {bar}"));
    }
    if shown.iter().any(|told| told.decided == Decided::StayPaused) {
        lines.push("left: still paused when the run ended".to_string());
    }
    if shown.iter().any(|told| told.saved_s.is_some()) {
        lines.push("saved: what the rest of the curve would have cost".to_string());
    }
    let goals: Vec<String> =
        why.goals.iter().map(|g| format!("{} ({})", g.goal, value(g.value))).collect();
    lines.push(format!("goal: whether the whole curve reaches {}", goals.join(", ")));
    lines.join("\n") + "\n"
}

/// What was compared, comparison by comparison.
fn whats<'a>(shown: &'a [&Told]) -> impl Iterator<Item = &'a str> {
    shown.iter().flat_map(|told| &told.compared).map(|compared| compared.what)
}

/// What bars are, comparison by comparison; nothing where a decision has none.
fn bars<'a>(shown: &'a [&Told]) -> impl Iterator<Item = &'a str> {
    let of = |told: &&'a Told| -> Vec<&'a str> {
        let bars: Vec<&str> = told.compared.iter().map(|c| c.bar_is.as_str()).collect();
        if bars.is_empty() { vec![""] } else { bars }
    };
    shown.iter().flat_map(of)
}

/// What the bar is, if it is always the same.
fn one_bar<'a>(shown: &'a [&Told]) -> Option<&'a str> {
    one_of(bars(shown)).filter(|bar| !bar.is_empty())
}

/// What all of them are, if they are all one.
fn one_of<'a>(mut all: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
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
    text.push_str(&format!("{}\n", whole(why, story)));
    let values = story.values.iter();
    let text_of = |p: &Parameter, v: Value| match v {
        Value::Float(v) => human::number(v),
        v => value_text(p, v),
    };
    let values: Vec<String> =
        values.map(|(p, v)| format!("{} {}", one_line(&p.name), text_of(p, *v))).collect();
    text.push_str(&format!("Configuration {}: {}\n", story.config, one_line(&values.join(", "))));
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
        while let Some(told) = decisions.next_if(|told| is_here(&told)) {
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
        format!("{verb} {} ({})", goal.goal, value(goal.value))
    });
    let goals: Vec<String> = goals.collect();
    format!("Its whole curve comes to {}, which {}.", value(story.whole), goals.join(" and "))
}

/// Trials by their ids, abbreviated where they are many.
fn ids(trials: &[u32]) -> String {
    let named = if trials.len() <= IDS + 1 { trials } else { &trials[..IDS] };
    let list: Vec<String> = named.iter().map(ToString::to_string).collect();
    let list = list.join(", ");
    if named.len() == trials.len() { list } else { format!("{list}, ... ({})", trials.len()) }
}

/// A table of decisions. Where there is little room, columns leave it.
struct Grid {
    /// Whether decisions are of one method.
    of_one: bool,
    headings: Vec<&'static str>,
    rows: Vec<Vec<(&'static str, String)>>,
}

/// In the order of their leaving, but for the words.
const LEAVE: [&str; 5] = ["config", WHAT, TRIALS, "saved", "goal"];

/// The column that says what is compared, and the least that it takes.
const WHAT: &str = "compared";
const WHAT_WIDTH_MIN: usize = 12;

/// The column of words, which wrap.
const WORDS: &str = "what the bar is";

/// The column that names the trials which set a bar.
const TRIALS: &str = "set by";

impl Grid {
    fn new(why: &Why, shown: &[&Told], first: &[&'static str]) -> Self {
        let mut headings = first.to_vec();
        if one_of(whats(shown)).is_none() {
            headings.push(WHAT);
        }
        headings.extend(["seen", "bar"]);
        // Of a trial's story what was not decided says something there, too.
        if one_bar(shown).is_none() || why.trial.is_some() {
            headings.push(WORDS);
        }
        if shown.iter().flat_map(|told| &told.compared).any(|c| !c.trials.is_empty()) {
            headings.push(TRIALS);
        }
        if shown.iter().any(|told| told.saved_s.is_some()) {
            headings.push("saved");
        }
        headings.push("goal");
        let of_one = one_of(shown.iter().map(|told| decider(why, told))).is_some();
        Self { of_one, headings, rows: Vec::new() }
    }

    /// Something that nobody decided.
    fn event(&mut self, at_s: f64, epoch: u16, what: &str, words: &str) {
        self.rows.push(vec![
            ("at", time(at_s)),
            ("epoch", epoch.to_string()),
            ("decision", what.to_string()),
            (WORDS, words.to_string()),
        ]);
    }

    fn decision(&mut self, why: &Why, told: &Told) {
        let word = match told.decided {
            Decided::GoOn => "go on",
            Decided::Pause => "pause",
            Decided::Resume => "resume",
            Decided::Stop => "stop",
            Decided::StayPaused => "left",
        };
        let decision =
            if self.of_one { word.to_string() } else { format!("{}: {word}", decider(why, told)) };
        let goal: Vec<&str> =
            told.would_meet.iter().map(|meets| if *meets { "yes" } else { "no" }).collect();
        let mut row = vec![
            ("at", time(told.at_s)),
            ("trial", told.trial.to_string()),
            ("config", told.config.to_string()),
            ("epoch", told.epoch.to_string()),
            ("decision", decision),
            ("saved", told.saved_s.map(time).unwrap_or_default()),
            ("goal", goal.join(", ")),
        ];
        let Some((first, further)) = told.compared.split_first() else {
            let is_over = told.in_warm_start && told.decided == Decided::Pause;
            let words = if is_over {
                "until the warm start is over"
            } else {
                "the method gives no reasons"
            };
            row.extend([("seen", number(told.value, true)), (WORDS, words.to_string())]);
            self.rows.push(row);
            return;
        };
        row.extend(comparison(first));
        self.rows.push(row);
        self.rows.extend(further.iter().map(comparison));
    }

    fn cells(&self, heading: &str) -> Vec<&str> {
        let cell = |row: &Vec<(&'static str, String)>| row.iter().position(|(h, _)| *h == heading);
        self.rows.iter().map(|row| cell(row).map_or("", |at| row[at].1.as_str())).collect()
    }

    /// What all columns but the words take: two blanks and a border each.
    fn width(&self) -> usize {
        let column = |heading: &&str| {
            let cells = self.cells(heading);
            let widths = cells.iter().chain([heading]).map(|cell| cell.chars().count());
            let most = if *heading == WHAT { WHAT_WIDTH_MIN } else { usize::MAX };
            widths.max().unwrap_or(0).min(most) + 3
        };
        4 + self.headings.iter().filter(|h| **h != WORDS).map(column).sum::<usize>()
    }

    fn draw(mut self, width: usize) -> String {
        let words = if self.headings.contains(&WORDS) { WORDS_WIDTH_MIN } else { 0 };
        for leaving in LEAVE {
            if self.width() + words <= width {
                break;
            }
            self.headings.retain(|heading| *heading != leaving);
        }
        let room = width.saturating_sub(self.width()).max(WORDS_WIDTH_MIN);
        let longest = self.cells(WORDS).iter().map(|cell| cell.chars().count()).max().unwrap_or(0);
        let room = room.min(longest.max(WORDS.len()));
        let mut table = Table::new();
        table.load_style(UTF8_FULL_CONDENSED);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(u16::try_from(self.width() + room).unwrap_or(u16::MAX));
        table.set_header(&self.headings);
        let columns: Vec<Vec<&str>> =
            self.headings.iter().map(|heading| self.cells(heading)).collect();
        for row in 0..self.rows.len() {
            table.add_row(columns.iter().map(|cells| cells[row]));
        }
        for (heading, column) in self.headings.iter().zip(table.column_iter_mut()) {
            if *heading == WORDS || *heading == WHAT {
                continue;
            }
            column.set_constraint(ColumnConstraint::ContentWidth);
            if *heading != "decision" {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let lines = table.to_string();
        lines.lines().map(|line| format!("{}\n", line.trim_end())).collect()
    }
}

fn comparison(compared: &Compared) -> Vec<(&'static str, String)> {
    let bar = compared.bar.filter(|bar| bar.is_finite());
    vec![
        (WHAT, compared.what.to_string()),
        ("seen", number(compared.seen, compared.is_metric)),
        ("bar", bar.map(|bar| number(Some(bar), compared.is_metric)).unwrap_or_default()),
        (WORDS, compared.bar_is.clone()),
        (TRIALS, ids(&compared.trials)),
    ]
}

/// A number that may be unknown.
fn number(number: Option<f64>, is_metric: bool) -> String {
    match number {
        None => "-".to_string(),
        Some(number) if number.is_nan() => "NaN".to_string(),
        Some(number) if is_metric || number.fract() != 0.0 => value(number),
        Some(number) => number.to_string(),
    }
}
