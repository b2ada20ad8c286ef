//! Reads the `[model]` table of a space file, and the settings of any table.

use serde_json::Value as Json;

use base::error::{Result, suggest};
use base::fields::{Fields, whole};
use base::space::{Domain, Parameter, Space};

use super::layer::Layer;
use super::read_layer::read_layers;
use super::{Scope, Setting, Word};

/// Sizes beyond this (filters, units, kernels) are refused rather than multiplied.
pub(super) const SIZE_MAX: i64 = 1 << 20;

/// What `[model]` describes.
pub(super) struct Model {
    pub(super) input: [usize; 3],
    pub(super) classes: usize,
    pub(super) layers: Vec<Layer>,
}

/// Reads `[model]`.
pub(super) fn read_model(mut fields: Fields, space: &Space) -> Result<Model> {
    let input = read_input(&mut fields)?;
    let classes = fields.integer_in("classes", 2, 65_536)?;
    let classes = classes.ok_or_else(|| fields.missing("classes", "the number of classes"))?;
    let layers = read_layers(fields.tables("layer")?, space)?;
    fields.finish()?;
    Ok(Model { input, classes: size(classes), layers })
}

fn read_input(fields: &mut Fields) -> Result<[usize; 3]> {
    let what = "three sizes: channels, height, width";
    let list = fields.list("input")?.ok_or_else(|| fields.missing("input", what))?;
    let sizes: Option<Vec<i64>> =
        list.iter().map(|v| whole(v).filter(|n| (1..=65_536).contains(n))).collect();
    if let Some(&[channels, height, width]) = sizes.as_deref() {
        return Ok([size(channels), size(height), size(width)]);
    }
    let found = Json::Array(list);
    Err(fields.fault("input", found, format!("must be {what}"), "as in [1, 28, 28]"))
}

fn size(n: i64) -> usize {
    usize::try_from(n).expect("range checked when it was read")
}

/// The greatest decay below 1: a decay of 1 never learns.
pub(super) const ALMOST_ONE: f64 = 1.0 - f64::EPSILON / 2.0;

/// One table whose fields may be literals or `$parameter`.
pub(super) struct Settings<'a> {
    pub(super) fields: Fields,
    pub(super) space: &'a Space,
}

impl Settings<'_> {
    pub(super) fn scope(&mut self) -> Result<Scope> {
        match self.fields.text("l2_scope")?.as_deref() {
            None | Some("dense") => Ok(Scope::Dense),
            Some("all") => Ok(Scope::All),
            Some(other) => {
                let remedy = suggest(other, ["dense", "all"]);
                Err(self.fields.fault("l2_scope", other, "no such scope", remedy))
            }
        }
    }

    pub(super) fn epochs(&mut self) -> Result<u16> {
        let epochs = self.fields.integer_in("epochs", 1, i64::from(u16::MAX))?;
        let epochs = epochs.ok_or_else(|| self.fields.missing("epochs", "epochs of a curve"))?;
        Ok(u16::try_from(epochs).expect("range checked above"))
    }

    pub(super) fn split(&mut self, name: &'static str) -> Result<usize> {
        let images = self.fields.integer_in(name, 1, 1 << 32)?;
        images.map(size).ok_or_else(|| self.fields.missing(name, "a number of images"))
    }

    /// A whole number of `low..=high`; for a parameter, its whole range must lie therein.
    pub(super) fn integer(
        &mut self,
        name: &'static str,
        default: Option<i64>,
        low: i64,
        high: i64,
    ) -> Result<Setting<i64>> {
        if let Some(index) = self.reference(name)? {
            let parameter = &self.space.parameters[index];
            let bounds = parameter.domain.int_bounds();
            let sound = bounds.is_some_and(|(l, h)| l >= low && h <= high);
            self.check_parameter(name, parameter, sound, &format!("an int {low} to {high}"))?;
            return self.conditional(name, index, default);
        }
        match (self.fields.integer_in(name, low, high)?, default) {
            (Some(found), _) | (None, Some(found)) => Ok(Setting::Literal(found)),
            (None, None) => Err(self.fields.missing(name, "a whole number or $parameter")),
        }
    }

    /// A number of `low..=high`; for a parameter, its whole range must lie therein.
    pub(super) fn number(
        &mut self,
        name: &'static str,
        default: Option<f64>,
        low: f64,
        high: f64,
    ) -> Result<Setting<f64>> {
        if let Some(index) = self.reference(name)? {
            let parameter = &self.space.parameters[index];
            let bounds = parameter.domain.bounds();
            let sound = bounds.is_some_and(|(l, h)| l >= low && h <= high);
            self.check_parameter(name, parameter, sound, &format!("a number {low} to {high}"))?;
            return self.conditional(name, index, default);
        }
        match (self.fields.number(name)?, default) {
            (Some(found), _) if !(low..=high).contains(&found) => {
                let rule = format!("must be {low} to {high}");
                Err(self.fields.fault(name, found, rule, "choose a number in that range"))
            }
            (Some(found), _) | (None, Some(found)) => Ok(Setting::Literal(found)),
            (None, None) => Err(self.fields.missing(name, "a number or $parameter")),
        }
    }

    /// One of some words; for a parameter, all its choices must be among them.
    pub(super) fn word<W: Word>(
        &mut self,
        name: &'static str,
        default: Option<W>,
    ) -> Result<Setting<W>> {
        let words = || W::WORDS.iter().map(|(word, _)| *word);
        if let Some(index) = self.reference(name)? {
            let parameter = &self.space.parameters[index];
            let sound = matches!(&parameter.domain, Domain::Categorical { choices }
                if choices.iter().all(|c| words().any(|w| w == c)));
            let list = words().collect::<Vec<_>>().join(", ");
            self.check_parameter(name, parameter, sound, &format!("categorical among {list}"))?;
            return self.conditional(name, index, default);
        }
        let Some(found) = self.fields.text(name)? else {
            let what = format!("one of {}, or $parameter", words().collect::<Vec<_>>().join(", "));
            return default.map(Setting::Literal).ok_or_else(|| self.fields.missing(name, &what));
        };
        let known = W::WORDS.iter().find(|(word, _)| *word == found);
        known.map(|(_, word)| Setting::Literal(*word)).ok_or_else(|| {
            self.fields.fault(name, &found, "no such word is known here", suggest(&found, words()))
        })
    }

    /// The index of the parameter that a field names with `$`, if it does; the field is taken then.
    fn reference(&mut self, name: &'static str) -> Result<Option<usize>> {
        let is_reference = self.fields.peek(name).and_then(Json::as_str);
        let Some(parameter) = is_reference.and_then(|text| text.strip_prefix('$')) else {
            return Ok(None);
        };
        let parameter = parameter.to_string();
        self.fields.value(name);
        self.space.position(&parameter).map(Some).ok_or_else(|| {
            let known = self.space.parameters.iter().map(|p| p.name.as_str());
            let remedy = suggest(&parameter, known);
            self.fields.fault(name, format!("${parameter}"), "no such parameter", remedy)
        })
    }

    fn check_parameter(&self, name: &str, p: &Parameter, sound: bool, what: &str) -> Result<()> {
        if sound {
            return Ok(());
        }
        let found = format!("${} ({})", p.name, p.range_text());
        let rule = format!("the parameter must be {what}");
        Err(self.fields.fault(name, found, rule, "change the parameter's type or range"))
    }

    fn conditional<T>(&self, name: &str, index: usize, default: Option<T>) -> Result<Setting<T>> {
        let parameter = &self.space.parameters[index];
        match (&parameter.condition, default) {
            (None, _) => Ok(Setting::Parameter(index)),
            (Some(_), Some(default)) => Ok(Setting::Conditional(index, default)),
            (Some(_), None) => {
                let rule = "the parameter has a condition and this setting has no default";
                let found = format!("${}", parameter.name);
                Err(self.fields.fault(name, found, rule, "drop the parameter's condition"))
            }
        }
    }
}
