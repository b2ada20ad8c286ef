//! A network under one configuration.

use super::active;
use crate::error::{Result, fault};
use crate::space::{Activation, Definition, Layer, Padding, Regularizer, Setting, Value};

/// Channels, height and width of an activation; after a dense layer height and width are 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub channels: usize,
    pub height: usize,
    pub width: usize,
}

impl Shape {
    /// A vector.
    pub fn flat(units: usize) -> Self {
        Self { channels: units, height: 1, width: 1 }
    }

    /// Values an image.
    pub fn len(self) -> usize {
        self.channels * self.height * self.width
    }

    /// Whether there is no value.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// What a layer does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Operation {
    /// Cross-correlation with bias, then the activation. `before` is the padding above and to the
    /// left; below and to the right stands what the output size still needs.
    Conv { kernel: usize, stride: usize, before: usize, activation: Activation },
    /// Maximum over `size` x `size`; the stride is the size, odd borders are dropped.
    MaxPool { size: usize },
    /// Fully connected with bias, then the activation. The input is read in (channel, row,
    /// column) order.
    Dense { activation: Activation },
    /// Inverted dropout.
    Dropout { rate: f64 },
    /// Batch normalisation, then the activation of the layer that it follows.
    BatchNorm { decay: f64, activation: Activation },
}

/// One layer with its shapes.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedLayer {
    /// Where it stands in the space file: `model.layer[2]`, or `the last dense layer`.
    pub name: String,
    pub operation: Operation,
    pub input: Shape,
    pub output: Shape,
    /// Weights, without biases: conv (filter, channel, row, column), dense (unit, input).
    pub weights: usize,
    /// Biases; twice the channels (scale and shift) for a batch normalisation.
    pub biases: usize,
    /// Inputs of one output: He-normal weights deviate by sqrt(2 / `fan_in`).
    pub fan_in: usize,
    /// Floating-point operations to train one image: 2 a multiply-add, forward, weight gradient
    /// and input gradient (none for the first layer with weights). Padding counts.
    pub flops: f64,
}

/// The layers of a space under one configuration, the implied last dense layer included.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    pub input: Shape,
    pub classes: usize,
    pub layers: Vec<PlannedLayer>,
}

/// Weights of a network, and values of one activation, beyond which no machine trains it.
const SIZE_MAX: usize = 1 << 30;

impl Network {
    /// Builds the network of one configuration.
    ///
    /// Errors: shapes that cannot be (a pooling larger than its input, no filters), named with
    /// layer and sizes.
    pub fn build(definition: &Definition, configuration: &[Value]) -> Result<Self> {
        let [channels, height, width] = definition.input;
        let input = Shape { channels, height, width };
        let mut planner = Planner { definition, configuration, layers: Vec::new(), shape: input };
        for (at, layer) in definition.layers.iter().enumerate() {
            planner.add(&format!("model.layer[{at}]"), layer)?;
        }
        planner.dense("the last dense layer", definition.classes, Activation::Linear)?;
        let mut network = Self { input, classes: definition.classes, layers: planner.layers };
        network.count_flops();
        Ok(network)
    }

    /// Trainable parameters.
    pub fn params(&self) -> usize {
        self.layers.iter().map(|layer| layer.weights + layer.biases).sum()
    }

    /// Floating-point operations to train one image.
    pub fn flops_per_image(&self) -> f64 {
        self.layers.iter().map(|layer| layer.flops).sum()
    }

    /// Floating-point operations of one epoch's training.
    pub fn flops_per_epoch(&self, train_size: usize) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "data sets hold far less than 2^53 images")]
        let images = train_size as f64;
        self.flops_per_image() * images
    }

    fn count_flops(&mut self) {
        let mut is_first = true;
        for layer in &mut self.layers {
            let positions = match layer.operation {
                Operation::Conv { .. } => layer.output.height * layer.output.width,
                Operation::Dense { .. } => 1,
                _ => continue,
            };
            let passes = if is_first { 2.0 } else { 3.0 };
            is_first = false;
            #[expect(clippy::cast_precision_loss, reason = "a count of operations may round")]
            let multiply_adds = layer.weights as f64 * positions as f64;
            layer.flops = 2.0 * passes * multiply_adds;
        }
    }
}

/// Walks the layers, keeping the shape that the next one gets.
struct Planner<'a> {
    definition: &'a Definition,
    configuration: &'a [Value],
    layers: Vec<PlannedLayer>,
    shape: Shape,
}

impl Planner<'_> {
    fn add(&mut self, name: &str, layer: &Layer) -> Result<()> {
        match layer {
            Layer::Conv { filters, kernel, stride, padding, activation } => {
                let filters = self.size(name, "filters", *filters)?;
                let kernel = self.size(name, "kernel", *kernel)?;
                let stride = self.size(name, "stride", *stride)?;
                let activation = self.activation(name, *activation)?;
                self.conv(name, filters, kernel, stride, *padding, activation)
            }
            Layer::MaxPool { size } => {
                let size = self.size(name, "size", *size)?;
                self.pool(name, size)
            }
            Layer::Dense { units, activation } => {
                let units = self.size(name, "units", *units)?;
                let activation = self.activation(name, *activation)?;
                self.dense(name, units, activation)
            }
            Layer::Dropout { rate } => self.dropout(name, *rate),
            Layer::BatchNorm(settings) => self.batchnorm(name, settings.decay),
            Layer::Regularizer { choice, rate, batchnorm } => {
                let field = format!("{name}.choice");
                let choice = active(self.definition, &field, *choice, self.configuration)?;
                match choice.resolve_word(&self.definition.space, self.configuration) {
                    Regularizer::None => Ok(()),
                    Regularizer::Dropout => rate.map_or(Ok(()), |rate| self.dropout(name, rate)),
                    Regularizer::BatchNorm => self.batchnorm(name, batchnorm.decay),
                }
            }
        }
    }

    /// A size under the configuration: at least 1.
    fn size(&self, name: &str, field: &str, setting: Setting<i64>) -> Result<usize> {
        let field = format!("{name}.{field}");
        let setting = active(self.definition, &field, setting, self.configuration)?;
        let value = setting.resolve(self.configuration);
        match usize::try_from(value) {
            Ok(size) if (1..=SIZE_MAX).contains(&size) => Ok(size),
            _ => self.refuse(&field, value, format!("must lie in 1..{SIZE_MAX}")),
        }
    }

    fn activation(&self, name: &str, setting: Setting<Activation>) -> Result<Activation> {
        let field = format!("{name}.activation");
        let setting = active(self.definition, &field, setting, self.configuration)?;
        Ok(setting.resolve_word(&self.definition.space, self.configuration))
    }

    fn refuse<T>(&self, field: &str, value: impl std::fmt::Display, rule: String) -> Result<T> {
        let remedy = "narrow the range of the parameter that sets it, or change the layers";
        Err(fault(&self.definition.source, field, value, rule, remedy))
    }

    fn conv(
        &mut self,
        name: &str,
        filters: usize,
        kernel: usize,
        stride: usize,
        padding: Padding,
        activation: Activation,
    ) -> Result<()> {
        let input = self.shape;
        // `same`: the smallest padding that yields ceil(input / stride), the odd pixel at the end.
        let along = |size: usize| match padding {
            Padding::Same => {
                let out = size.div_ceil(stride);
                (out, ((out - 1) * stride + kernel).saturating_sub(size) / 2)
            }
            Padding::Valid => ((size + stride).saturating_sub(kernel) / stride, 0),
        };
        let ((height, before), (width, before_in_row)) = (along(input.height), along(input.width));
        if height == 0 || width == 0 {
            let rule = format!("leaves nothing of {} x {}", input.height, input.width);
            return self.refuse(&format!("{name}.kernel"), kernel, rule);
        }
        if before != before_in_row {
            let rule = format!(
                "with stride {stride} pads the rows and columns of {} x {} differently",
                input.height, input.width
            );
            return self.refuse(&format!("{name}.kernel"), kernel, rule);
        }
        let fan_in = kernel.checked_mul(kernel).and_then(|k| k.checked_mul(input.channels));
        let operation = Operation::Conv { kernel, stride, before, activation };
        let output = Shape { channels: filters, height, width };
        self.weighted(name, operation, output, fan_in)
    }

    fn dense(&mut self, name: &str, units: usize, activation: Activation) -> Result<()> {
        let fan_in = Some(self.shape.len());
        self.weighted(name, Operation::Dense { activation }, Shape::flat(units), fan_in)
    }

    /// Adds a layer with weights, if their number is one that a machine can hold.
    fn weighted(
        &mut self,
        name: &str,
        operation: Operation,
        output: Shape,
        fan_in: Option<usize>,
    ) -> Result<()> {
        let weights = fan_in.and_then(|fan_in| fan_in.checked_mul(output.channels));
        let values = output.channels.checked_mul(output.height * output.width);
        let (Some(fan_in), Some(weights), Some(values)) = (fan_in, weights, values) else {
            return self.refuse(name, format!("{output:?}"), "overflows".to_string());
        };
        if weights.max(values) > SIZE_MAX {
            let value = format!("{weights} weights, {values} outputs");
            return self.refuse(name, value, format!("at most {SIZE_MAX} of each can be trained"));
        }
        let biases = output.channels;
        self.push(PlannedLayer { weights, biases, fan_in, ..plain(name, operation, output) });
        Ok(())
    }

    fn pool(&mut self, name: &str, size: usize) -> Result<()> {
        let Shape { channels, height, width } = self.shape;
        let output = Shape { channels, height: height / size, width: width / size };
        if output.is_empty() {
            let rule = format!("pooling {size} x {size} leaves nothing of {height} x {width}");
            return self.refuse(&format!("{name}.size"), size, rule);
        }
        self.push(plain(name, Operation::MaxPool { size }, output));
        Ok(())
    }

    fn dropout(&mut self, name: &str, rate: Setting<f64>) -> Result<()> {
        let field = format!("{name}.rate");
        let rate = active(self.definition, &field, rate, self.configuration)?;
        let rate = rate.resolve(self.configuration);
        if !(0.0..1.0).contains(&rate) {
            return self.refuse(&field, rate, "must be at least 0 and below 1".to_string());
        }
        self.push(plain(name, Operation::Dropout { rate }, self.shape));
        Ok(())
    }

    /// The normalisation takes over the activation of the layer that it follows.
    fn batchnorm(&mut self, name: &str, decay: Setting<f64>) -> Result<()> {
        let field = format!("{name}.decay");
        let decay = active(self.definition, &field, decay, self.configuration)?;
        let decay = decay.resolve(self.configuration);
        if !(0.0..=1.0).contains(&decay) {
            return self.refuse(&field, decay, "must lie in 0..1".to_string());
        }
        let activation = match self.layers.last_mut().map(|layer| &mut layer.operation) {
            Some(Operation::Conv { activation, .. } | Operation::Dense { activation }) => {
                std::mem::replace(activation, Activation::Linear)
            }
            _ => Activation::Linear,
        };
        let operation = Operation::BatchNorm { decay, activation };
        let biases = 2 * self.shape.channels;
        self.push(PlannedLayer { biases, ..plain(name, operation, self.shape) });
        Ok(())
    }

    fn push(&mut self, layer: PlannedLayer) {
        let layer = PlannedLayer { input: self.shape, ..layer };
        self.shape = layer.output;
        self.layers.push(layer);
    }
}

/// A layer without weights; its input is filled in by `push`.
fn plain(name: &str, operation: Operation, output: Shape) -> PlannedLayer {
    let name = name.to_string();
    let input = output;
    PlannedLayer { name, operation, input, output, weights: 0, biases: 0, fan_in: 0, flops: 0.0 }
}
