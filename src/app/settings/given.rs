//! What was given, and the one reader of it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use base::error::{Error, Result, fault, suggest};
use base::fields::Fields;
use serde_json::Value as Json;

use super::{Kind, Range, Setting};

/// Where settings come from: how they are spelled there, and how a fault names the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Door {
    /// Options: `--budget-seconds`.
    CommandLine,
    /// Fields of a file: `budget_seconds`, `warm_start.trials`.
    File(String),
    /// Keyword arguments of a program: `budget_seconds`, `warm_start_trials`.
    Keywords,
}

impl Door {
    /// A setting as it is spelled here.
    pub fn place(&self, setting: &Setting) -> String {
        match self {
            Self::CommandLine => format!("--{}", setting.option()),
            Self::File(file) => format!("{file}: {}", setting.name),
            Self::Keywords => setting.keyword(),
        }
    }

    /// The same error, where it names an option of the list, in this door's spelling. Rules that do
    /// not know where their value came from name options.
    pub fn respell(&self, list: &[Setting], error: Error) -> Error {
        let Error::Input(mut fault) = error else { return error };
        let named = |setting: &&Setting| {
            fault.file.strip_prefix("--").is_some_and(|option| option == setting.option())
        };
        if let Some(setting) = list.iter().find(named) {
            fault.file = self.place(setting);
        }
        Error::Input(fault)
    }
}

/// What was said of the settings of one list, before anything is checked.
#[derive(Debug, Clone)]
pub struct Given {
    door: Door,
    list: &'static [Setting],
    values: BTreeMap<&'static str, Raw>,
    /// Tables of a file that are there, be they empty.
    tables: Vec<&'static str>,
    /// A keyword that the list does not have.
    stranger: Option<(String, Json)>,
}

/// A value as it came.
#[derive(Debug, Clone)]
enum Raw {
    /// From a door where everything is text.
    Texts(Vec<OsString>),
    /// From a door that knows numbers, texts and lists.
    Value(Json),
}

impl Given {
    /// Nothing yet, from a door.
    pub const fn new(door: Door, list: &'static [Setting]) -> Self {
        Self { door, list, values: BTreeMap::new(), tables: Vec::new(), stranger: None }
    }

    /// The same with what a keyword says. Lists may be given by the name of one (`stopper`) or of
    /// all (`stoppers`).
    #[must_use]
    pub fn set(mut self, keyword: &str, value: impl Into<Json>) -> Self {
        let names = |s: &&Setting| {
            [s.keyword(), s.option().replace('-', "_")].iter().any(|name| name == keyword)
        };
        match self.list.iter().find(names) {
            Some(setting) => _ = self.values.insert(setting.name, Raw::Value(value.into())),
            None => self.stranger = Some((keyword.to_string(), value.into())),
        }
        self
    }

    /// Takes what an option says, each time that it was given.
    pub fn take_option(&mut self, setting: &Setting, texts: Vec<OsString>) {
        self.values.insert(setting.name, Raw::Texts(texts));
    }

    /// Takes back what was said of settings.
    pub fn leave_out(&mut self, names: &[&str]) {
        self.values.retain(|name, _| !names.contains(name));
    }

    /// What was said by options, as a command line says it again; in the order of the list.
    pub fn options(&self) -> Vec<OsString> {
        let mut options = Vec::new();
        for setting in self.list {
            let Some(Raw::Texts(texts)) = self.values.get(setting.name) else { continue };
            let option = format!("--{}", setting.option());
            if texts.is_empty() {
                options.push(option.clone().into());
            }
            for text in texts {
                // In one word: a value may begin with a minus.
                let mut word = OsString::from(format!("{option}="));
                word.push(text);
                options.push(word);
            }
        }
        options
    }

    /// Takes the fields of a file that are settings of the list.
    ///
    /// # Errors
    /// Faults for unknown fields in tables of settings, and for required ones that are missing.
    pub fn from_fields(list: &'static [Setting], fields: &mut Fields) -> Result<Self> {
        let mut given = Self::new(Door::File(fields.file().to_string()), list);
        let mut tables: Vec<(&'static str, Option<Fields>)> = Vec::new();
        for setting in list.iter().filter(|setting| !setting.is_of_the_call) {
            let value = match setting.name.split_once('.') {
                None => fields.value(setting.name),
                Some((table, field)) => {
                    if tables.iter().all(|(name, _)| *name != table) {
                        tables.push((table, fields.table(table)?));
                    }
                    let found = tables.iter_mut().find(|(name, _)| *name == table);
                    found.and_then(|(_, table)| table.as_mut()?.value(field))
                }
            };
            let is_empty = value.as_ref().is_none_or(|v| v.as_array().is_some_and(Vec::is_empty));
            if let Some(what) = setting.required.filter(|_| is_empty) {
                return Err(fields.missing(setting.name, what));
            }
            given.values.extend(value.map(|value| (setting.name, Raw::Value(value))));
        }
        for (name, table) in tables {
            let Some(table) = table else { continue };
            given.tables.push(name);
            table.finish()?;
        }
        Ok(given)
    }

    /// Refuses keywords that the list does not have, and required settings that are missing.
    ///
    /// # Errors
    /// Faults for both.
    pub fn check_names(&self) -> Result<()> {
        if let Some((name, value)) = &self.stranger {
            let known: Vec<String> = self.list.iter().map(Setting::keyword).collect();
            let remedy = suggest(name, known.iter().map(String::as_str));
            return Err(fault("settings", name, value, "no such setting is known here", remedy));
        }
        let lacks = |s: &&Setting| s.required.is_some() && !self.values.contains_key(s.name);
        self.list.iter().find(lacks).map_or(Ok(()), |setting| Err(self.missing(setting.name)))
    }

    /// Refuses keywords that are settings, and mean nothing where these few alone are taken.
    ///
    /// # Errors
    /// A fault of the first of them, and of what is no setting at all.
    pub fn check_only(&self, taken: &[&str]) -> Result<()> {
        let known = |name: &str| taken.contains(&name);
        let setting = self.values.iter().find(|(name, _)| !known(name));
        let setting = setting.map(|(name, raw)| match raw {
            Raw::Texts(texts) => (self.place(name), format!("{texts:?}")),
            Raw::Value(value) => (self.place(name), value.to_string()),
        });
        let stranger =
            self.stranger.as_ref().map(|(name, value)| (name.clone(), value.to_string()));
        let Some((name, value)) = setting.or(stranger) else { return Ok(()) };
        let keywords: Vec<String> = taken.iter().map(|name| self.place(name)).collect();
        let remedy = suggest(&name, keywords.iter().map(String::as_str));
        Err(fault("settings", name, value, "is no setting here", remedy))
    }

    /// Where they come from.
    pub const fn door(&self) -> &Door {
        &self.door
    }

    /// A setting as this door spells it, to name a place in a fault.
    pub fn place(&self, name: &str) -> String {
        self.door.place(self.setting(name))
    }

    /// A fault about one setting.
    pub fn fault(
        &self,
        name: &str,
        value: impl std::fmt::Display,
        rule: impl std::fmt::Display,
        remedy: impl std::fmt::Display,
    ) -> Error {
        fault(self.place(name), self.setting(name).noun(), value, rule, remedy)
    }

    /// The fault of a setting that must be given and is not.
    pub fn missing(&self, name: &str) -> Error {
        let what = self.setting(name).required.unwrap_or("something");
        let spelled = match &self.door {
            Door::CommandLine => self.place(name),
            _ => self.setting(name).noun().to_string(),
        };
        let rule = format!("{what} must stand here");
        self.fault(name, "missing", rule, format!("add `{spelled}`: {what}"))
    }

    /// The same error, where it names an option in this door's spelling.
    pub fn respell(&self, error: Error) -> Error {
        self.door.respell(self.list, error)
    }

    /// Whether anything was said of a setting, or of any in a table.
    pub fn has(&self, name_or_table: &str) -> bool {
        let is_in = |name: &str| {
            let rest = name.strip_prefix(name_or_table);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.values.keys().any(|name| is_in(name)) || self.tables.contains(&name_or_table)
    }

    /// Whether a flag is set.
    ///
    /// # Errors
    /// A fault for what is neither true nor false.
    pub fn flag(&self, name: &str) -> Result<bool> {
        match self.raw(name) {
            None => Ok(false),
            // An option without a value.
            Some(Raw::Texts(_)) => Ok(true),
            Some(Raw::Value(Json::Bool(is_set))) => Ok(is_set),
            Some(Raw::Value(value)) => Err(self.wrong(name, &value, "true or false")),
        }
    }

    /// A whole number in the setting's range.
    ///
    /// # Errors
    /// A fault for what is none, and for one outside.
    ///
    /// # Panics
    /// If the list allows what does not fit into `T`.
    pub fn whole<T: TryFrom<u64>>(&self, name: &str) -> Result<Option<T>> {
        let Kind::Whole(range) = self.setting(name).kind else { panic!("`{name}` is no number") };
        let what = "a whole number";
        let number: i128 = match self.raw(name) {
            None => return Ok(None),
            Some(Raw::Texts(texts)) => {
                let text = last(texts);
                text.parse().map_err(|_| self.wrong(name, &text, what))?
            }
            Some(Raw::Value(value)) => {
                whole(&value).ok_or_else(|| self.wrong(name, &value, what))?
            }
        };
        let Range { low, high, .. } = range;
        let inside = u64::try_from(number).ok().filter(|n| (low..=high).contains(n));
        let Some(number) = inside else {
            let (rule, remedy) = range.refusal(number);
            return Err(self.fault(name, number, rule, remedy));
        };
        let fits = T::try_from(number).ok();
        Ok(Some(fits.expect("the list's range is within that of the type")))
    }

    /// A number, finite or not; of seconds also with a unit: `90s`, `1.5m`, `2h`, `1d`.
    ///
    /// # Errors
    /// A fault for what is none.
    pub fn number(&self, name: &str) -> Result<Option<f64>> {
        let what = "a finite number";
        let is_seconds = matches!(self.setting(name).kind, Kind::Seconds);
        let read = |text: &str| {
            let number = if is_seconds { seconds(text) } else { text.parse().ok() };
            number.map(Some).ok_or_else(|| self.wrong(name, &text, what))
        };
        match self.raw(name) {
            None => Ok(None),
            Some(Raw::Texts(texts)) => read(&last(texts)),
            Some(Raw::Value(Json::String(text))) if is_seconds => read(&text),
            Some(Raw::Value(value)) => {
                value.as_f64().map(Some).ok_or_else(|| self.wrong(name, &value, what))
            }
        }
    }

    /// A text.
    ///
    /// # Errors
    /// A fault for what is none.
    pub fn text(&self, name: &str) -> Result<Option<String>> {
        match self.raw(name) {
            None => Ok(None),
            Some(Raw::Texts(texts)) => Ok(Some(last(texts))),
            Some(Raw::Value(Json::String(text))) => Ok(Some(text)),
            Some(Raw::Value(value)) => {
                let is_number = matches!(self.setting(name).kind, Kind::TextOrWhole);
                let number = whole(&value).filter(|_| is_number).map(|number| number.to_string());
                number.map(Some).ok_or_else(|| self.wrong(name, &value, "a text in quotes"))
            }
        }
    }

    /// One of the setting's words, by its position.
    ///
    /// # Errors
    /// A fault for any other.
    pub fn word(&self, name: &str) -> Result<Option<usize>> {
        let Kind::Word(words) = self.setting(name).kind else { panic!("`{name}` is no word") };
        let Some(text) = self.text(name)? else { return Ok(None) };
        let found = words.iter().position(|known| known.word == text);
        found.map(Some).ok_or_else(|| {
            let remedy = suggest(&text, words.iter().map(|known| known.word));
            self.fault(name, &text, "no such word is known here", remedy)
        })
    }

    /// Texts, in the order in which they were given. One may stand for a list of one.
    ///
    /// # Errors
    /// A fault for what is no text.
    pub fn texts(&self, name: &str) -> Result<Vec<String>> {
        match self.raw(name) {
            None => Ok(Vec::new()),
            Some(Raw::Texts(texts)) => Ok(texts.into_iter().map(lossy).collect()),
            Some(Raw::Value(Json::String(text))) => Ok(vec![text]),
            Some(Raw::Value(Json::Array(list))) => {
                let text = |(at, value): (usize, &Json)| {
                    let wrong = || self.wrong_in(name, Some(at), value, "a text in quotes");
                    value.as_str().map(str::to_string).ok_or_else(wrong)
                };
                list.iter().enumerate().map(text).collect()
            }
            Some(Raw::Value(value)) => Err(self.wrong(name, &value, "a list")),
        }
    }

    /// Files or directories. One may stand for a list of one.
    ///
    /// # Errors
    /// A fault for what is no text.
    pub fn paths(&self, name: &str) -> Result<Vec<PathBuf>> {
        match self.raw(name) {
            Some(Raw::Texts(texts)) => Ok(texts.into_iter().map(PathBuf::from).collect()),
            _ => Ok(self.texts(name)?.into_iter().map(PathBuf::from).collect()),
        }
    }

    /// A file or directory.
    ///
    /// # Errors
    /// A fault for what is no text.
    pub fn path(&self, name: &str) -> Result<Option<PathBuf>> {
        match self.raw(name) {
            Some(Raw::Texts(texts)) => Ok(texts.into_iter().next_back().map(PathBuf::from)),
            _ => Ok(self.text(name)?.map(PathBuf::from)),
        }
    }

    fn setting(&self, name: &str) -> &'static Setting {
        let found = self.list.iter().find(|setting| setting.name == name);
        found.unwrap_or_else(|| panic!("`{name}` is not in the list of settings"))
    }

    /// What was said, or the default.
    fn raw(&self, name: &str) -> Option<Raw> {
        let default = || self.setting(name).default.map(|text| Raw::Texts(vec![text.into()]));
        self.values.get(name).cloned().or_else(default)
    }

    fn wrong(&self, name: &str, found: &dyn std::fmt::Display, what: &str) -> Error {
        self.wrong_in(name, None, found, what)
    }

    /// Not what must stand there; `at` counts within a list.
    fn wrong_in(
        &self,
        name: &str,
        at: Option<usize>,
        found: &dyn std::fmt::Display,
        what: &str,
    ) -> Error {
        let (place, noun) = (self.place(name), self.setting(name).noun());
        let noun = at.map_or(noun.to_string(), |at| format!("{noun}[{at}]"));
        fault(place, noun, found, format!("must be {what}"), format!("write {what}"))
    }
}

/// A number of seconds, or one with the unit that it counts in.
fn seconds(text: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 5] =
        [("min", 60.0), ("s", 1.0), ("m", 60.0), ("h", 3_600.0), ("d", 86_400.0)];
    let of_unit = UNITS.iter().find_map(|(unit, size)| {
        let number: f64 = text.strip_suffix(unit)?.trim_end().parse().ok()?;
        Some(number * size)
    });
    text.parse().ok().or(of_unit)
}

fn lossy(text: OsString) -> String {
    text.into_string().unwrap_or_else(|text| text.to_string_lossy().into_owned())
}

/// The last time counts, where an option may be given once alone.
fn last(texts: Vec<OsString>) -> String {
    texts.into_iter().next_back().map(lossy).unwrap_or_default()
}

/// A whole number of any size that a file can hold.
fn whole(value: &Json) -> Option<i128> {
    value.as_u64().map(i128::from).or_else(|| base::fields::whole(value).map(i128::from))
}
