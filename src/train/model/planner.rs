//! From the layers of a space file to planned ones, with every `$name` resolved.

use base::error::{Result, fault};
use base::space::Value;

use super::network::{Operation, PlannedLayer, Shape, Source, Window};
use crate::model::{Activation, Definition, INPUT, Layer, LayerKind, Regularizer, Setting};

/// Weights of a network, and values of one activation, beyond which no machine trains it.
pub(super) const SIZE_MAX: usize = 1 << 30;

/// Layers of a network, all rounds of all groups counted.
const LAYERS_MAX: usize = 4_096;

/// The layer that every network ends with.
const LAST: &str = "the last dense layer";

/// Walks the layers, keeping what the next one reads.
pub(super) struct Planner<'a> {
    pub(super) definition: &'a Definition,
    pub(super) configuration: &'a [Value],
    input: Shape,
    pub(super) layers: Vec<PlannedLayer>,
    /// What a layer reads that does not say otherwise.
    pub(super) current: Source,
    /// The names that can be seen, the latest last.
    names: Vec<(&'a str, Source)>,
    /// Layers walked over, those that planned nothing included.
    visits: usize,
    /// Where the layer in work stands, and in which round.
    place: String,
    round: String,
}

impl<'a> Planner<'a> {
    pub(super) fn new(
        definition: &'a Definition,
        configuration: &'a [Value],
        input: Shape,
    ) -> Self {
        Self {
            definition,
            configuration,
            input,
            layers: Vec::new(),
            current: Source::Images,
            names: Vec::new(),
            visits: 0,
            place: String::new(),
            round: String::new(),
        }
    }

    /// All layers, the implied last one included.
    pub(super) fn plan(mut self) -> Result<Vec<PlannedLayer>> {
        self.group("model", &self.definition.layers)?;
        self.place = LAST.to_string();
        self.dense(self.definition.classes, Activation::Linear)?;
        self.check_whole()?;
        Ok(self.layers)
    }

    /// A list of layers; what enters it has a name inside.
    fn group(&mut self, prefix: &str, layers: &'a [Layer]) -> Result<()> {
        let outer = self.names.len();
        self.names.push((INPUT, self.current));
        for (at, layer) in layers.iter().enumerate() {
            self.visits += 1;
            self.place = format!("{prefix}.layer[{at}]");
            if self.visits > LAYERS_MAX {
                let rule = format!("a network has at most {LAYERS_MAX} layers");
                return self.refuse(&self.name(), "one layer more", rule);
            }
            self.layer(layer)?;
            if let Some(name) = &layer.name {
                self.names.push((name, self.current));
            }
        }
        self.names.truncate(outer);
        Ok(())
    }

    fn layer(&mut self, layer: &'a Layer) -> Result<()> {
        let sources: Vec<Source> = layer.from.iter().map(|name| self.named(name)).collect();
        if let [source] = sources[..] {
            self.current = source;
        }
        match &layer.kind {
            LayerKind::Conv { filters, kernel, stride, padding, activation } => {
                let [filters, kernel, stride] =
                    [("filters", filters), ("kernel", kernel), ("stride", stride)]
                        .map(|(name, setting)| self.size(name, *setting));
                let activation = self.activation(*activation)?;
                self.conv(filters?, kernel?, stride?, *padding, activation)
            }
            LayerKind::MaxPool(pool) => {
                let (window, output) = self.window(pool)?;
                self.plain(Operation::MaxPool { window }, output)
            }
            LayerKind::AvgPool(pool) => {
                let (window, output) = self.window(pool)?;
                self.plain(Operation::AvgPool { window }, output)
            }
            LayerKind::GlobalAvgPool => {
                let Shape { channels, height, width } = self.shape(self.current);
                let window = Window { height, width, stride: 1, before: [0, 0] };
                self.plain(Operation::AvgPool { window }, Shape::flat(channels))
            }
            LayerKind::Dense { units, activation } => {
                let units = self.size("units", *units)?;
                let activation = self.activation(*activation)?;
                self.dense(units, activation)
            }
            LayerKind::Dropout { rate } => self.dropout(*rate),
            LayerKind::BatchNorm { settings, activation } => self.batchnorm(*settings, *activation),
            LayerKind::Regularizer { choice, rate, batchnorm } => {
                let field = self.field("choice");
                let choice = choice.active(self.definition, &field, self.configuration)?;
                match choice.resolve_word(&self.definition.space, self.configuration) {
                    Regularizer::None => Ok(()),
                    Regularizer::Dropout => rate.map_or(Ok(()), |rate| self.dropout(rate)),
                    Regularizer::BatchNorm => self.batchnorm(*batchnorm, None),
                }
            }
            LayerKind::Add { activation } => {
                let activation = self.activation(*activation)?;
                self.add(sources, activation)
            }
            LayerKind::Concat => self.concat(sources),
            LayerKind::Repeat { times, layers } => self.repeat(*times, layers),
        }
    }

    fn repeat(&mut self, times: Setting<i64>, layers: &'a [Layer]) -> Result<()> {
        let field = self.field("times");
        let times = times.active(self.definition, &field, self.configuration)?;
        let (place, outer) = (self.place.clone(), self.round.clone());
        for nth in 1..=times.resolve(self.configuration) {
            self.round = format!("{outer}, round {nth}");
            self.group(&place, layers)?;
        }
        (self.place, self.round) = (place, outer);
        Ok(())
    }

    /// The full name of a field of the layer in work.
    pub(super) fn field(&self, name: &str) -> String {
        format!("{}.{name}{}", self.place, self.round)
    }

    /// The name of the layer in work.
    pub(super) fn name(&self) -> String {
        format!("{}{}", self.place, self.round)
    }

    fn named(&self, name: &str) -> Source {
        let known = self.names.iter().rev().find(|(known, _)| *known == name);
        known.expect("names were checked when the file was read").1
    }

    pub(super) fn shape(&self, source: Source) -> Shape {
        match source {
            Source::Images => self.input,
            Source::Layer(at) => self.layers[at].output,
        }
    }

    /// A size under the configuration: at least 1.
    pub(super) fn size(&self, name: &str, setting: Setting<i64>) -> Result<usize> {
        let field = self.field(name);
        let setting = setting.active(self.definition, &field, self.configuration)?;
        let value = setting.resolve(self.configuration);
        match usize::try_from(value) {
            Ok(size) if (1..=SIZE_MAX).contains(&size) => Ok(size),
            _ => self.refuse(&field, value, format!("must lie in 1..{SIZE_MAX}")),
        }
    }

    pub(super) fn activation(&self, setting: Setting<Activation>) -> Result<Activation> {
        let field = self.field("activation");
        let setting = setting.active(self.definition, &field, self.configuration)?;
        Ok(setting.resolve_word(&self.definition.space, self.configuration))
    }

    pub(super) fn refuse<T>(
        &self,
        field: &str,
        value: impl std::fmt::Display,
        rule: String,
    ) -> Result<T> {
        let remedy = "narrow the range of the parameter that sets it, or change the layers";
        Err(fault(&self.definition.source, field, value, rule, remedy))
    }

    /// Adds a layer without weights.
    #[expect(clippy::unnecessary_wraps, reason = "stands last where layers are told apart")]
    pub(super) fn plain(&mut self, operation: Operation, output: Shape) -> Result<()> {
        self.push(operation, output);
        Ok(())
    }

    pub(super) fn push(&mut self, operation: Operation, output: Shape) {
        self.layers.push(PlannedLayer {
            name: self.name(),
            operation,
            sources: vec![self.current],
            input: self.shape(self.current),
            output,
            weights: 0,
            biases: 0,
            fan_in: 0,
            has_input_gradient: false,
            flops: 0.0,
        });
        self.current = Source::Layer(self.layers.len() - 1);
    }

    /// What no layer can know alone: that each is read, and what all take together.
    fn check_whole(&self) -> Result<()> {
        let sources = self.layers.iter().flat_map(|layer| &layer.sources);
        let read: std::collections::HashSet<usize> = sources
            .filter_map(|source| match source {
                Source::Images => None,
                Source::Layer(at) => Some(*at),
            })
            .collect();
        let unread = (0..self.layers.len() - 1).find(|at| !read.contains(at));
        if let Some(layer) = unread.map(|at| &self.layers[at]) {
            let rule = "no later layer reads its output".to_string();
            return self.refuse(&layer.name, layer.output, rule);
        }
        let weights: usize = self.layers.iter().map(|layer| layer.weights).sum();
        let values: usize = self.layers.iter().map(|layer| layer.output.len()).sum();
        if weights.max(values) > SIZE_MAX {
            let value = format!("{weights} weights, {values} outputs in all layers");
            let rule = format!("at most {SIZE_MAX} of each can be trained");
            return self.refuse("model", value, rule);
        }
        Ok(())
    }
}
