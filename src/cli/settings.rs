//! Options made of a list of settings, and what they say handed to its reader.

use std::ffi::OsString;

use app::settings::{Door, Given, Kind, Setting};
use clap::builder::{OsStringValueParser, PossibleValue, StringValueParser, TypedValueParser};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

/// The command with an option a setting, in the list's order.
pub(super) fn options(command: Command, list: &'static [Setting]) -> Command {
    command.args(list.iter().map(option))
}

/// The command with options of some settings of a list.
pub(super) fn some_options(
    command: Command,
    settings: impl Iterator<Item = &'static Setting>,
) -> Command {
    command.args(settings.map(option))
}

/// What the options say of the settings of a list, but for those with some names.
pub(super) fn given_but(matches: &ArgMatches, list: &'static [Setting], names: &[&str]) -> Given {
    read(matches, list, |setting| !names.contains(&setting.name))
}

/// What the options say. Defaults are the reader's business.
pub(super) fn given(matches: &ArgMatches, list: &'static [Setting]) -> Given {
    read(matches, list, |_| true)
}

fn read(
    matches: &ArgMatches,
    list: &'static [Setting],
    is_there: impl Fn(&Setting) -> bool,
) -> Given {
    let mut given = Given::new(Door::CommandLine, list);
    for setting in list {
        if !is_there(setting) {
            continue;
        }
        let id = setting.option();
        if matches.value_source(&id) != Some(ValueSource::CommandLine) {
            continue;
        }
        let texts: Vec<OsString> = match setting.kind {
            Kind::Flag => Vec::new(),
            Kind::Path | Kind::Paths => {
                matches.get_many::<OsString>(&id).into_iter().flatten().cloned().collect()
            }
            _ => {
                let texts = matches.get_many::<String>(&id).into_iter().flatten();
                texts.map(OsString::from).collect()
            }
        };
        given.take_option(setting, texts);
    }
    given
}

fn option(setting: &'static Setting) -> Arg {
    let id = setting.option();
    let value_name = setting.value_name.map_or(id.replace('-', "_").to_uppercase(), str::to_string);
    let arg = Arg::new(id.clone()).long(id).help(setting.help);
    let arg = arg.required(setting.required.is_some()).value_name(value_name);
    let arg = match setting.default {
        Some(default) => arg.default_value(default),
        None => arg,
    };
    match setting.kind {
        Kind::Flag => arg.action(ArgAction::SetTrue),
        Kind::Path | Kind::Paths => arg.value_parser(OsStringValueParser::new()),
        Kind::Word(words) => {
            let values = words.iter().map(|word| {
                let value = PossibleValue::new(word.word);
                if word.help.is_empty() { value } else { value.help(word.help) }
            });
            arg.value_parser(Words(values.collect()))
        }
        // A goal may be a negative number, and so may what is refused by the reader.
        Kind::Seconds => arg.allow_negative_numbers(true),
        Kind::Texts => {
            arg.action(ArgAction::Append).allow_negative_numbers(setting.name == "goals")
        }
        // An expression may begin with a minus.
        Kind::Text => arg.allow_hyphen_values(setting.name == "objective"),
        Kind::Whole(_) | Kind::TextOrWhole => arg,
    }
}

/// Shows words in the help and takes any text: which are refused, and how, is said once, by the
/// reader of the settings.
#[derive(Debug, Clone)]
struct Words(Vec<PossibleValue>);

impl TypedValueParser for Words {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().cloned()))
    }
}
