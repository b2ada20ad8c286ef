//! The settings of the commands: each stands once, and one parser reads it from wherever it comes.
//!
//! ```text
//! --budget-seconds 50      command line   -.
//! budget_seconds = 50      study file       +-> Given -> the command's Settings
//! budget_seconds=50        keyword        -'
//! ```
//!
//! A list ([`REPLAY`], [`TRAIN`](crate::train::TRAIN)) says of each [`Setting`] what it is called,
//! what it takes, what it is where nobody says, and what the help says of it. A [`Given`] holds
//! what was said, and by which [`Door`]; its getters refuse what the list does not allow, with the
//! same rule at every door and the door's own spelling. What a command makes of the values is the
//! business of the command: see [`Experiments`] and [`crate::train::Settings`].

mod combinations;
mod experiments;
mod given;
mod presets;
mod replay;

pub use experiments::Experiments;
pub(crate) use experiments::recorded_table_options;
pub use given::{Door, Given};
pub use presets::{PRESETS, Preset};
pub use replay::REPLAY;

use base::error::{Result, fault};

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// As files write it; what stands before a dot is a table of the file.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// What the command line's help says.
    pub help: &'static str,
    /// What it is where nobody says, as the command line would write it.
    pub default: Option<&'static str>,
    /// What the help calls its value, where that is not the option itself.
    pub value_name: Option<&'static str>,
    /// What must stand here, where something must.
    pub required: Option<&'static str>,
    /// Whether it says how a work is done and not which, and so has no place in a study file.
    pub is_of_the_call: bool,
    option: Option<&'static str>,
    noun: Option<&'static str>,
}

/// What a setting takes.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Nothing: it is set, or it is not.
    Flag,
    /// A whole number in a range, both ends included.
    Whole(Range),
    /// A number of seconds, or one with a unit (`1.5m`, `2h`); the reader checks its range.
    Seconds,
    /// One of some words.
    Word(&'static [Word]),
    /// A text that the reader checks.
    Text,
    /// A text that the reader checks and that a file may write as a whole number.
    TextOrWhole,
    /// Texts, any number of them.
    Texts,
    /// A file or directory.
    Path,
    /// Files or directories. The command line gives one.
    Paths,
}

/// A range of whole numbers, and what is said of those outside it.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    pub low: u64,
    pub high: u64,
    /// The rule that numbers below it break, where there is more to say than its ends.
    pub rule: Option<&'static str>,
    /// What to do instead.
    pub remedy: Option<&'static str>,
}

/// A word that a setting takes.
#[derive(Debug, Clone, Copy)]
pub struct Word {
    pub word: &'static str,
    /// What the help says of it; empty where nothing needs to be said.
    pub help: &'static str,
}

impl Kind {
    /// A whole number of a type's range.
    pub(crate) const fn whole(low: u64, high: u64) -> Self {
        Self::Whole(Range { low, high, rule: None, remedy: None })
    }

    /// A count from 1, with what is said of none.
    pub(crate) const fn count(high: u64, rule: &'static str, remedy: &'static str) -> Self {
        Self::Whole(Range { low: 1, high, rule: Some(rule), remedy: Some(remedy) })
    }
}

impl Setting {
    pub(crate) const fn new(name: &'static str, kind: Kind, help: &'static str) -> Self {
        Self {
            name,
            kind,
            help,
            default: None,
            value_name: None,
            required: None,
            is_of_the_call: false,
            option: None,
            noun: None,
        }
    }

    pub(crate) const fn default(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }

    /// The option, where it is not the name: a list of `samplers` is given one `--sampler` at a
    /// time.
    pub(crate) const fn option_is(self, option: &'static str) -> Self {
        Self { option: Some(option), ..self }
    }

    pub(crate) const fn value_name(self, value_name: &'static str) -> Self {
        Self { value_name: Some(value_name), ..self }
    }

    /// What a fault calls the value: `seconds`.
    pub(crate) const fn noun_is(self, noun: &'static str) -> Self {
        Self { noun: Some(noun), ..self }
    }

    pub(crate) const fn required(self, what: &'static str) -> Self {
        Self { required: Some(what), ..self }
    }

    pub(crate) const fn of_the_call(self) -> Self {
        Self { is_of_the_call: true, ..self }
    }

    /// Its option without the dashes: `budget-seconds`.
    pub fn option(&self) -> String {
        self.option.map_or_else(|| self.name.replace(['.', '_'], "-"), str::to_string)
    }

    /// What a fault calls the value: the last part of the name, unless there is a better word.
    pub fn noun(&self) -> &'static str {
        let last = self.name.rsplit('.').next().unwrap_or(self.name);
        self.noun.unwrap_or(last)
    }

    /// Its name as a keyword: `warm_start_trials`.
    pub(crate) fn keyword(&self) -> String {
        self.name.replace('.', "_")
    }
}

/// Settings as `runs.parquet` has them: options without their dashes, with what they take. A blank
/// that no option follows is part of a value.
///
/// # Errors
/// What no option of the list comes before.
pub(crate) fn recorded<'a>(
    list: &'static [Setting],
    text: &'a str,
) -> std::result::Result<Vec<(&'static Setting, Option<String>)>, &'a str> {
    let mut found: Vec<(&'static Setting, Option<String>)> = Vec::new();
    for part in text.split(' ').filter(|_| !text.is_empty()) {
        let (name, value) = match part.split_once('=') {
            Some((name, value)) => (name, Some(value.to_string())),
            None => (part, None),
        };
        if let Some(setting) = list.iter().find(|setting| setting.option() == name) {
            found.push((setting, value));
        } else if let Some((_, Some(before))) = found.last_mut() {
            before.push(' ');
            before.push_str(part);
        } else {
            return Err(part);
        }
    }
    Ok(found)
}

/// The range of `--threads`, wherever it stands: more of them are a slip of the finger, since each
/// takes memory and systems refuse them.
pub(crate) const THREADS: Range =
    Range { low: 1, high: 4096, rule: None, remedy: Some("leave it out for one thread a core") };

/// The threads that were asked for, or one a core.
///
/// # Errors
/// A fault for none and for more than 4,096.
pub fn threads_or_all(threads: Option<usize>) -> Result<usize> {
    let Some(count) = threads else {
        return Ok(std::thread::available_parallelism().map_or(1, std::num::NonZero::get));
    };
    if (THREADS.low..=THREADS.high).contains(&(count as u64)) {
        return Ok(count);
    }
    let (rule, remedy) = THREADS.refusal(i128::from(count as u64));
    Err(fault("--threads", "threads", count, rule, remedy))
}

impl Range {
    /// Rule and remedy for a number outside.
    pub(crate) fn refusal(&self, number: i128) -> (String, &'static str) {
        let Self { low, high, rule, remedy } = *self;
        let is_below = number < i128::from(low);
        let usual = "choose a number in that range";
        match (rule, remedy) {
            (Some(rule), remedy) if is_below => (rule.to_string(), remedy.unwrap_or(usual)),
            (None, Some(remedy)) => (format!("must be {low} to {high}"), remedy),
            _ => (format!("must be {low} to {high}"), usual),
        }
    }
}
