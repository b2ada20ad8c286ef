//! Reads the layers of `[model]`: kinds, settings, and the names that join them.

use base::error::{Result, suggest};
use base::fields::Fields;
use base::space::Space;
use serde_json::Value as Json;

use super::Setting;
use super::layer::{
    Activation, BatchNormSettings, INPUT, Layer, LayerKind, Padding, Pool, Regularizer,
};
use super::read_model::{ALMOST_ONE, SIZE_MAX, Settings};
use super::read_training::without_default;

const KINDS: [&str; 10] = [
    "conv",
    "maxpool",
    "avgpool",
    "dense",
    "dropout",
    "batchnorm",
    "regularizer",
    "add",
    "concat",
    "repeat",
];

/// Which choices of a `regularizer` know a setting.
const OF_REGULARIZERS: [(&str, &[Regularizer]); 3] = [
    ("rate", &[Regularizer::Dropout]),
    ("decay", &[Regularizer::BatchNorm]),
    ("epsilon", &[Regularizer::BatchNorm]),
];

/// Groups inside groups: more than anybody writes, and few enough for the stack.
const DEPTH_MAX: usize = 8;

/// Rounds of one group.
const TIMES_MAX: i64 = 1_024;

/// Reads a list of layers.
///
/// Errors: unknown kinds, settings and names, and joins that do not say what they join.
pub(super) fn read_layers(tables: Vec<Fields>, space: &Space) -> Result<Vec<Layer>> {
    Reader { space, names: vec![INPUT.to_string()], depth: 0 }.layers(tables)
}

/// Reads layer by layer and keeps the names seen so far.
struct Reader<'a> {
    space: &'a Space,
    names: Vec<String>,
    depth: usize,
}

impl Reader<'_> {
    fn layers(&mut self, tables: Vec<Fields>) -> Result<Vec<Layer>> {
        let mut layers = Vec::new();
        for table in tables {
            let layer = self.layer(table, layers.last())?;
            layers.push(layer);
        }
        Ok(layers)
    }

    fn layer(&mut self, fields: Fields, before: Option<&Layer>) -> Result<Layer> {
        let mut s = Settings { fields, space: self.space };
        let kind = s.fields.required_text("kind", "the kind of layer")?;
        let name = self.name(&mut s.fields)?;
        let from = self.from(&mut s.fields, &kind)?;
        let kind = if kind == "repeat" {
            self.repeat(&mut s)?
        } else {
            s.layer_kind(&kind, before.filter(|_| from.is_empty()))?
        };
        s.fields.finish()?;
        self.names.extend(name.clone());
        Ok(Layer { name, from, kind })
    }

    fn name(&self, fields: &mut Fields) -> Result<Option<String>> {
        let name = fields.text("name")?;
        match name.as_deref() {
            Some(INPUT) => {
                let rule = "names what enters the list of layers";
                Err(fields.fault("name", INPUT, rule, "choose another name"))
            }
            Some("") => Err(fields.fault("name", "\"\"", "is empty", "write a name or none")),
            Some(known) if self.names.iter().any(|n| n == known) => {
                let rule = "an earlier layer that can be seen from here has this name";
                Err(fields.fault("name", known, rule, "choose another name"))
            }
            _ => Ok(name),
        }
    }

    /// One name in quotes, or a list of names; joins need two or more, all others at most one.
    fn from(&self, fields: &mut Fields, kind: &str) -> Result<Vec<String>> {
        let from = match fields.peek("from") {
            Some(Json::String(_)) => fields.text("from")?.into_iter().collect(),
            _ => fields.texts("from")?.unwrap_or_default(),
        };
        if let Some(unknown) = from.iter().find(|name| !self.names.contains(name)) {
            let remedy = suggest(unknown, self.names.iter().map(String::as_str));
            let rule = "no earlier layer that can be seen from here has this name";
            return Err(fields.fault("from", unknown, rule, remedy));
        }
        let found = || format!("{from:?}");
        let remedy = "as in from = [\"input\", \"a\"], where an earlier layer has name = \"a\"";
        match (kind, from.len()) {
            ("add" | "concat", 0 | 1) => {
                Err(fields.fault("from", found(), format!("{kind} joins two or more"), remedy))
            }
            ("add" | "concat", _) | (_, 0 | 1) => Ok(from),
            _ => {
                let rule = format!("{kind} reads one output");
                Err(fields.fault("from", found(), rule, "join them first, by add or concat"))
            }
        }
    }

    fn repeat(&mut self, s: &mut Settings<'_>) -> Result<LayerKind> {
        let times = s.integer("times", None, 0, TIMES_MAX)?;
        let tables = s.fields.tables("layer")?;
        if tables.is_empty() {
            return Err(s.fields.missing("layer", "the layers to repeat, [[model.layer.layer]]"));
        }
        if self.depth == DEPTH_MAX {
            let rule = format!("groups stand at most {DEPTH_MAX} deep in each other");
            return Err(s.fields.fault("kind", "repeat", rule, "write the inner group out"));
        }
        let seen = self.names.len();
        self.depth += 1;
        let layers = self.layers(tables)?;
        self.depth -= 1;
        self.names.truncate(seen);
        Ok(LayerKind::Repeat { times, layers })
    }
}

impl Settings<'_> {
    /// Everything but groups. `before` is the layer that this one reads, if that is known here.
    fn layer_kind(&mut self, kind: &str, before: Option<&Layer>) -> Result<LayerKind> {
        Ok(match kind {
            "conv" => LayerKind::Conv {
                filters: self.integer("filters", None, 1, SIZE_MAX)?,
                kernel: self.integer("kernel", None, 1, SIZE_MAX)?,
                stride: self.integer("stride", Some(1), 1, SIZE_MAX)?,
                padding: self.padding(Padding::Same)?,
                activation: self.word("activation", Some(Activation::Linear))?,
            },
            "maxpool" => LayerKind::MaxPool(self.pool()?),
            "avgpool" if self.fields.peek("size").is_some_and(|size| size == "global") => {
                self.fields.text("size")?;
                LayerKind::GlobalAvgPool
            }
            "avgpool" => LayerKind::AvgPool(self.pool()?),
            "dense" => LayerKind::Dense {
                units: self.integer("units", None, 1, SIZE_MAX)?,
                activation: self.word("activation", Some(Activation::Linear))?,
            },
            "dropout" => LayerKind::Dropout { rate: self.number("rate", None, 0.0, ALMOST_ONE)? },
            "batchnorm" => {
                LayerKind::BatchNorm { settings: self.batchnorm()?, activation: self.own(before)? }
            }
            "regularizer" => self.regularizer(before)?,
            "add" => {
                LayerKind::Add { activation: self.word("activation", Some(Activation::Linear))? }
            }
            "concat" => LayerKind::Concat,
            other => {
                let remedy = suggest(other, KINDS);
                return Err(self.fields.fault("kind", other, "no such kind of layer", remedy));
            }
        })
    }

    fn pool(&mut self) -> Result<Pool> {
        let size = self.integer("size", None, 1, SIZE_MAX)?;
        let has_stride = self.fields.has("stride");
        let stride = has_stride.then(|| self.integer("stride", None, 1, SIZE_MAX)).transpose()?;
        Ok(Pool { size, stride, padding: self.padding(Padding::Valid)? })
    }

    fn batchnorm(&mut self) -> Result<BatchNormSettings> {
        Ok(BatchNormSettings {
            decay: self.number("decay", Some(0.9), 0.0, ALMOST_ONE)?,
            epsilon: self.number("epsilon", Some(1e-5), 1e-12, 1.0)?,
        })
    }

    /// The activation of a batch normalisation; `None` if it takes over that of the layer before.
    fn own(&mut self, before: Option<&Layer>) -> Result<Option<Setting<Activation>>> {
        if self.fields.has("activation") {
            return self.word("activation", None).map(Some);
        }
        match before {
            Some(layer) if has_activation(layer) => self.taken_over("batchnorm", layer),
            _ => Ok(Some(Setting::Literal(Activation::Linear))),
        }
    }

    fn regularizer(&mut self, before: Option<&Layer>) -> Result<LayerKind> {
        let Some(layer) = before.filter(|layer| has_activation(layer)) else {
            let rule = "acts between a conv or dense layer and that layer's activation";
            let remedy = "move it to directly after a conv or dense layer";
            return Err(self.fields.fault("kind", "regularizer", rule, remedy));
        };
        self.taken_over("regularizer", layer)?;
        let choice: Setting<Regularizer> = self.word("choice", None)?;
        self.refuse_idle("choice", choice, &OF_REGULARIZERS)?;
        let has_rate = self.fields.has("rate");
        // It is asked for under dropout alone, and a parameter may be inactive elsewhere.
        let rate = has_rate.then(|| self.number("rate", Some(0.0), 0.0, ALMOST_ONE)).transpose()?;
        let rate = rate.map(without_default);
        Ok(LayerKind::Regularizer { choice, rate, batchnorm: self.batchnorm()? })
    }

    /// Refuses a name on the layer before: it would mean what comes out before the activation
    /// under one configuration and after it under another.
    fn taken_over(&self, kind: &str, before: &Layer) -> Result<Option<Setting<Activation>>> {
        let Some(name) = &before.name else { return Ok(None) };
        let rule = format!("follows the layer named {name:?} and takes over its activation");
        Err(self.fields.fault("kind", kind, rule, "give the name to this layer instead"))
    }

    fn padding(&mut self, default: Padding) -> Result<Padding> {
        match self.fields.text("padding")?.as_deref() {
            None => Ok(default),
            Some("same") => Ok(Padding::Same),
            Some("valid") => Ok(Padding::Valid),
            Some(other) => {
                let remedy = suggest(other, ["same", "valid"]);
                Err(self.fields.fault("padding", other, "no such padding", remedy))
            }
        }
    }
}

fn has_activation(layer: &Layer) -> bool {
    matches!(layer.kind, LayerKind::Conv { .. } | LayerKind::Dense { .. })
}

#[cfg(test)]
mod tests {
    use crate::model::{Definition, LayerKind};

    fn read(layers: &str) -> Result<Definition, String> {
        let text = format!(
            "name = \"t\"\ndataset = \"digits\"\n[[parameter]]\nname = \"depth\"\ntype = \"int\"\n\
             low = 0\nhigh = 3\n[model]\ninput = [1, 8, 8]\nclasses = 4\nlayer = [{layers}]\n\
             [training]\nlearning_rate = 0.1\nl2 = \"$depth\"\n\
             epochs = 1\ntrain_size = 1\nval_size = 1\n\
             test_size = 1\n"
        );
        Definition::parse("t.toml", &text).map_err(|e| e.to_string())
    }

    #[test]
    fn names_are_seen_by_later_layers_of_their_list_and_its_groups() {
        let group = "{ kind = 'repeat', times = '$depth', layer = [ \
                     { kind = 'dense', units = 3, name = 'b' }, \
                     { kind = 'add', from = ['input', 'a', 'b'] } ] }";
        let first = "{ kind = 'dense', units = 3, name = 'a' }";
        let definition = read(&format!("{first}, {group}")).unwrap();
        let LayerKind::Repeat { layers, .. } = &definition.layers[1].kind else { panic!("repeat") };
        assert_eq!(layers[1].from, ["input", "a", "b"]);
        let message =
            read(&format!("{first}, {group}, {{ kind = 'dropout', rate = 0, from = 'b' }}"));
        let message = message.unwrap_err();
        assert!(message.contains("model.layer[2].from = b: no earlier layer"), "{message}");
        let message = read(&format!("{first}, {}", group.replace("'b'", "'a'"))).unwrap_err();
        assert!(message.contains("model.layer[1].layer[0].name = a: an earlier"), "{message}");
    }

    #[test]
    fn wrong_joins_and_groups_are_refused_with_a_remedy() {
        let deep = (0..9).fold("{ kind = 'dense', units = 1 }".to_string(), |inner, _| {
            format!("{{ kind = 'repeat', times = 1, layer = [{inner}] }}")
        });
        for (layers, part) in [
            ("{ kind = 'add' }", "from = []: add joins two or more"),
            ("{ kind = 'concat', from = 'input' }", "concat joins two or more"),
            ("{ kind = 'dense', units = 1, from = ['input', 'input'] }", "dense reads one output"),
            ("{ kind = 'dense', units = 1, name = 'input' }", "names what enters the list"),
            ("{ kind = 'dense', units = 1, from = 'inptu' }", "did you mean `input`?"),
            ("{ kind = 'repeat', times = 2 }", "layer = missing: the layers to repeat"),
            ("{ kind = 'repeat', times = -1, layer = [] }", "times = -1: must be 0 to 1024"),
            ("{ kind = 'regularizer', choice = 'none' }", "directly after a conv or dense"),
            (
                "{ kind = 'dense', units = 1, name = 'a' }, { kind = 'batchnorm' }",
                "give the name to this layer instead",
            ),
            (deep.as_str(), "at most 8 deep"),
            ("{ kind = 'avgpool', size = 'golbal' }", "size = \"golbal\": must be a whole number"),
        ] {
            let message = read(layers).unwrap_err();
            assert!(message.contains(part), "{layers}: {message}");
        }
        assert!(read("{ kind = 'avgpool', size = 'global' }").is_ok());
        assert!(read("{ kind = 'batchnorm', activation = 'relu' }").is_ok());
    }
}
