//! From the layers of a space file to planned ones, with every `$name` resolved.

use super::active;
use super::network::{Operation, PlannedLayer, Shape, Source, Window};
use crate::error::{Result, fault};
use crate::space::{
    Activation, BatchNormSettings, Definition, INPUT, Layer, LayerKind, Padding, Pool, Regularizer,
    Setting, Value,
};

/// Weights of a network, and values of one activation, beyond which no machine trains it.
const SIZE_MAX: usize = 1 << 30;

/// Layers of a network, all rounds of all groups counted.
const LAYERS_MAX: usize = 4_096;

/// The layer that every network ends with.
const LAST: &str = "the last dense layer";

/// Walks the layers, keeping what the next one reads.
pub(super) struct Planner<'a> {
    definition: &'a Definition,
    configuration: &'a [Value],
    input: Shape,
    layers: Vec<PlannedLayer>,
    /// What a layer reads that does not say otherwise.
    current: Source,
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
                let choice = active(self.definition, &field, *choice, self.configuration)?;
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
        let times = active(self.definition, &field, times, self.configuration)?;
        let (place, outer) = (self.place.clone(), self.round.clone());
        for nth in 1..=times.resolve(self.configuration) {
            self.round = format!("{outer}, round {nth}");
            self.group(&place, layers)?;
        }
        (self.place, self.round) = (place, outer);
        Ok(())
    }

    /// The full name of a field of the layer in work.
    fn field(&self, name: &str) -> String {
        format!("{}.{name}{}", self.place, self.round)
    }

    /// The name of the layer in work.
    fn name(&self) -> String {
        format!("{}{}", self.place, self.round)
    }

    fn named(&self, name: &str) -> Source {
        let known = self.names.iter().rev().find(|(known, _)| *known == name);
        known.expect("names were checked when the file was read").1
    }

    fn shape(&self, source: Source) -> Shape {
        match source {
            Source::Images => self.input,
            Source::Layer(at) => self.layers[at].output,
        }
    }

    /// A size under the configuration: at least 1.
    fn size(&self, name: &str, setting: Setting<i64>) -> Result<usize> {
        let field = self.field(name);
        let setting = active(self.definition, &field, setting, self.configuration)?;
        let value = setting.resolve(self.configuration);
        match usize::try_from(value) {
            Ok(size) if (1..=SIZE_MAX).contains(&size) => Ok(size),
            _ => self.refuse(&field, value, format!("must lie in 1..{SIZE_MAX}")),
        }
    }

    fn activation(&self, setting: Setting<Activation>) -> Result<Activation> {
        let field = self.field("activation");
        let setting = active(self.definition, &field, setting, self.configuration)?;
        Ok(setting.resolve_word(&self.definition.space, self.configuration))
    }

    fn refuse<T>(&self, field: &str, value: impl std::fmt::Display, rule: String) -> Result<T> {
        let remedy = "narrow the range of the parameter that sets it, or change the layers";
        Err(fault(&self.definition.source, field, value, rule, remedy))
    }

    fn conv(
        &mut self,
        filters: usize,
        kernel: usize,
        stride: usize,
        padding: Padding,
        activation: Activation,
    ) -> Result<()> {
        let input = self.shape(self.current);
        let (height, above) = along(input.height, kernel, stride, padding);
        let (width, left) = along(input.width, kernel, stride, padding);
        if height == 0 || width == 0 {
            let rule = format!("leaves nothing of {} x {}", input.height, input.width);
            return self.refuse(&self.field("kernel"), kernel, rule);
        }
        let fan_in = kernel.checked_mul(kernel).and_then(|k| k.checked_mul(input.channels));
        let unfolded = fan_in.and_then(|fan_in| fan_in.checked_mul(height * width));
        if unfolded.is_none_or(|values| values > SIZE_MAX) {
            let rule = format!(
                "{height} x {width} windows of {kernel} x {kernel} x {} values: at most {SIZE_MAX} \
                 can be trained",
                input.channels
            );
            return self.refuse(&self.field("kernel"), kernel, rule);
        }
        let operation = Operation::Conv { kernel, stride, before: [above, left], activation };
        self.weighted(operation, Shape { channels: filters, height, width }, fan_in)
    }

    fn dense(&mut self, units: usize, activation: Activation) -> Result<()> {
        let fan_in = Some(self.shape(self.current).len());
        self.weighted(Operation::Dense { activation }, Shape::flat(units), fan_in)
    }

    /// Adds a layer with weights, if their number is one that a machine can hold.
    fn weighted(
        &mut self,
        operation: Operation,
        output: Shape,
        fan_in: Option<usize>,
    ) -> Result<()> {
        let weights = fan_in.and_then(|fan_in| fan_in.checked_mul(output.channels));
        let values = output.channels.checked_mul(output.height * output.width);
        let (Some(fan_in), Some(weights), Some(values)) = (fan_in, weights, values) else {
            return self.refuse(&self.name(), output, "overflows".to_string());
        };
        if weights.max(values) > SIZE_MAX {
            let value = format!("{weights} weights, {values} outputs");
            let rule = format!("at most {SIZE_MAX} of each can be trained");
            return self.refuse(&self.name(), value, rule);
        }
        self.push(operation, output);
        let layer = self.layers.last_mut().expect("pushed above");
        (layer.weights, layer.biases, layer.fan_in) = (weights, output.channels, fan_in);
        Ok(())
    }

    /// The windows of a pooling, and what they make of the input.
    fn window(&self, pool: &Pool) -> Result<(Window, Shape)> {
        let size = self.size("size", pool.size)?;
        let stride = pool.stride.map_or(Ok(size), |stride| self.size("stride", stride))?;
        let Shape { channels, height, width } = self.shape(self.current);
        let (rows, above) = along(height, size, stride, pool.padding);
        let (columns, left) = along(width, size, stride, pool.padding);
        if rows == 0 || columns == 0 {
            let rule = format!("pooling {size} x {size} leaves nothing of {height} x {width}");
            return self.refuse(&self.field("size"), size, rule);
        }
        let window = Window { height: size, width: size, stride, before: [above, left] };
        Ok((window, Shape { channels, height: rows, width: columns }))
    }

    fn dropout(&mut self, rate: Setting<f64>) -> Result<()> {
        let field = self.field("rate");
        let rate = active(self.definition, &field, rate, self.configuration)?;
        let rate = rate.resolve(self.configuration);
        if !(0.0..1.0).contains(&rate) {
            return self.refuse(&field, rate, "must be at least 0 and below 1".to_string());
        }
        self.plain(Operation::Dropout { rate }, self.shape(self.current))
    }

    /// Without an activation of its own the normalisation takes over that of the layer before,
    /// which has no name, so that nothing else reads it.
    fn batchnorm(
        &mut self,
        settings: BatchNormSettings,
        own: Option<Setting<Activation>>,
    ) -> Result<()> {
        let field = self.field("decay");
        let decay = active(self.definition, &field, settings.decay, self.configuration)?;
        let decay = decay.resolve(self.configuration);
        if !(0.0..=1.0).contains(&decay) {
            return self.refuse(&field, decay, "must lie in 0..1".to_string());
        }
        let field = self.field("epsilon");
        let epsilon = active(self.definition, &field, settings.epsilon, self.configuration)?;
        let epsilon = epsilon.resolve(self.configuration);
        if !(1e-12..=1.0).contains(&epsilon) {
            return self.refuse(&field, epsilon, "must lie in 1e-12..1".to_string());
        }
        let activation = match own {
            Some(own) => self.activation(own)?,
            None => match self.layers.last_mut().map(|layer| &mut layer.operation) {
                Some(Operation::Conv { activation, .. } | Operation::Dense { activation }) => {
                    std::mem::replace(activation, Activation::Linear)
                }
                other => unreachable!("checked when the file was read: {other:?}"),
            },
        };
        let shape = self.shape(self.current);
        self.plain(Operation::BatchNorm { decay, epsilon, activation }, shape)?;
        self.layers.last_mut().expect("pushed above").biases = 2 * shape.channels;
        Ok(())
    }

    fn add(&mut self, sources: Vec<Source>, activation: Activation) -> Result<()> {
        let shapes: Vec<Shape> = sources.iter().map(|source| self.shape(*source)).collect();
        let output = shapes[0];
        if shapes.iter().any(|shape| *shape != output) {
            let rule = "add sums equal shapes (channels x height x width)".to_string();
            return self.refuse(&self.field("from"), list(&shapes), rule);
        }
        self.join(Operation::Add { activation }, sources, output);
        Ok(())
    }

    fn concat(&mut self, sources: Vec<Source>) -> Result<()> {
        let shapes: Vec<Shape> = sources.iter().map(|source| self.shape(*source)).collect();
        let Shape { height, width, .. } = shapes[0];
        if shapes.iter().any(|shape| (shape.height, shape.width) != (height, width)) {
            let rule = "concat joins channels of equal height and width".to_string();
            return self.refuse(&self.field("from"), list(&shapes), rule);
        }
        let channels = shapes.iter().map(|shape| shape.channels).sum();
        self.join(Operation::Concat, sources, Shape { channels, height, width });
        Ok(())
    }

    fn join(&mut self, operation: Operation, sources: Vec<Source>, output: Shape) {
        self.push(operation, output);
        let layer = self.layers.last_mut().expect("pushed above");
        (layer.sources, layer.input) = (sources, output);
    }

    /// Adds a layer without weights.
    #[expect(clippy::unnecessary_wraps, reason = "stands last where layers are told apart")]
    fn plain(&mut self, operation: Operation, output: Shape) -> Result<()> {
        self.push(operation, output);
        Ok(())
    }

    fn push(&mut self, operation: Operation, output: Shape) {
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

/// Output size along one side, and the padding before it. `same`: the smallest padding that yields
/// ceil(size / stride), the odd pixel at the end; `valid`: whole windows only.
fn along(size: usize, window: usize, stride: usize, padding: Padding) -> (usize, usize) {
    match padding {
        Padding::Same => {
            let out = size.div_ceil(stride);
            (out, ((out - 1) * stride + window).saturating_sub(size) / 2)
        }
        Padding::Valid => ((size + stride).saturating_sub(window) / stride, 0),
    }
}

/// Shapes for a message.
fn list(shapes: &[Shape]) -> String {
    shapes.iter().map(Shape::to_string).collect::<Vec<_>>().join(", ")
}
