//! Decisions as a table for people.

use app::report::human::{time, value};
use app::why::{Compared, Decided, Told, Why};
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table};

use super::decider;

/// Ids of trials that are named, unless there is one more alone.
const IDS: usize = 3;
/// The least room for what a bar is.
const WORDS_WIDTH_MIN: usize = 20;

/// A table of decisions. Where there is little room, columns leave it.
pub(super) struct Grid {
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
    pub(super) fn new(why: &Why, shown: &[&Told], first: &[&'static str]) -> Self {
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
    pub(super) fn event(&mut self, at_s: f64, epoch: u16, what: &str, words: &str) {
        self.rows.push(vec![
            ("at", time(at_s)),
            ("epoch", epoch.to_string()),
            ("decision", what.to_string()),
            (WORDS, words.to_string()),
        ]);
    }

    pub(super) fn decision(&mut self, why: &Why, told: &Told) {
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

    pub(super) fn draw(mut self, width: usize) -> String {
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
        lines.lines().fold(String::new(), |text, line| text + line.trim_end() + "\n")
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

/// What was compared, comparison by comparison.
pub(super) fn whats<'a>(shown: &'a [&Told]) -> impl Iterator<Item = &'a str> {
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
pub(super) fn one_bar<'a>(shown: &'a [&Told]) -> Option<&'a str> {
    one_of(bars(shown)).filter(|bar| !bar.is_empty())
}

/// What all of them are, if they are all one.
pub(super) fn one_of<'a>(mut all: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
}

/// Trials by their ids, abbreviated where they are many.
pub(super) fn ids(trials: &[u32]) -> String {
    let named = if trials.len() <= IDS + 1 { trials } else { &trials[..IDS] };
    let list: Vec<String> = named.iter().map(ToString::to_string).collect();
    let list = list.join(", ");
    if named.len() == trials.len() { list } else { format!("{list}, ... ({})", trials.len()) }
}
