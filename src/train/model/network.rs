//! A network under one configuration.

use base::error::Result;
use base::space::Value;

use super::planner::Planner;
use crate::model::{Activation, Definition};

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

/// Channels x height x width; a vector's length alone.
impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.height, self.width) {
            (1, 1) => write!(f, "{}", self.channels),
            (height, width) => write!(f, "{} x {height} x {width}", self.channels),
        }
    }
}

/// The windows of a pooling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub height: usize,
    pub width: usize,
    pub stride: usize,
    /// Padding above and to the left; below and to the right stands what the output still needs.
    pub before: [usize; 2],
}

/// What a layer does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Operation {
    /// Cross-correlation with bias, then the activation. `before` is the padding above and to the
    /// left; below and to the right stands what the output size still needs.
    Conv { kernel: usize, stride: usize, before: [usize; 2], activation: Activation },
    /// Maximum over each window; padding never wins.
    MaxPool { window: Window },
    /// Sum over each window, padding as 0, divided by the size of the window.
    AvgPool { window: Window },
    /// Fully connected with bias, then the activation. The input is read in (channel, row,
    /// column) order.
    Dense { activation: Activation },
    /// Inverted dropout.
    Dropout { rate: f64 },
    /// Batch normalisation, then its activation (that of the layer that it follows, if it took
    /// that over).
    BatchNorm { decay: f64, epsilon: f64, activation: Activation },
    /// Sum of the sources, then the activation.
    Add { activation: Activation },
    /// The sources' channels, one source after the other.
    Concat,
}

/// What a layer reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The network's input.
    Images,
    /// The output of the layer at this index of [`Network::layers`], an earlier one.
    Layer(usize),
}

/// One layer with its shapes.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedLayer {
    /// Where it stands in the space file: `model.layer[2]`, `model.layer[3].layer[0], round 2`, or
    /// `the last dense layer`.
    pub name: String,
    pub operation: Operation,
    /// One, or for a join two or more.
    pub sources: Vec<Source>,
    /// Of the source; of a join, its output's.
    pub input: Shape,
    pub output: Shape,
    /// Weights, without biases: conv (filter, channel, row, column), dense (unit, input).
    pub weights: usize,
    /// Biases; twice the channels (scale, then shift) for a batch normalisation. None for a layer
    /// that only a batch normalisation reads: subtracting the batch's mean cancels them, and of
    /// their gradient, rounding noise around 0, Adam would make steps of the full learning rate.
    pub biases: usize,
    /// Inputs of one output: He-normal weights deviate by sqrt(2 / `fan_in`).
    pub fan_in: usize,
    /// Whether training needs the gradient of its input: something trainable stands before it.
    pub has_input_gradient: bool,
    /// Floating-point operations to train one image: 2 a multiply-add, forward, weight gradient
    /// and input gradient (where it is needed). Padding counts; only convolutions and dense
    /// layers do.
    pub flops: f64,
}

impl PlannedLayer {
    /// Trainable parameters.
    pub fn params(&self) -> usize {
        self.weights + self.biases
    }

    /// The function that it ends with.
    pub fn activation(&self) -> Activation {
        match self.operation {
            Operation::Conv { activation, .. }
            | Operation::Dense { activation }
            | Operation::BatchNorm { activation, .. }
            | Operation::Add { activation } => activation,
            _ => Activation::Linear,
        }
    }
}

/// The layers of a space under one configuration, the implied last dense layer included.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    pub input: Shape,
    pub classes: usize,
    /// Every layer reads earlier ones only. Each but the last is read by a later one.
    pub layers: Vec<PlannedLayer>,
}

impl Network {
    /// Builds the network of one configuration.
    ///
    /// Errors: shapes that cannot be (a pooling larger than its input, a sum of unlike shapes) and
    /// layers that nothing reads, named with layer and sizes.
    pub fn build(definition: &Definition, configuration: &[Value]) -> Result<Self> {
        let [channels, height, width] = definition.input;
        let input = Shape { channels, height, width };
        let mut layers = Planner::new(definition, configuration, input).plan()?;
        let mut readers = vec![0; layers.len()];
        for layer in &layers {
            for source in &layer.sources {
                if let Source::Layer(at) = source {
                    readers[*at] += 1;
                }
            }
        }
        drop_cancelled_biases(&mut layers, &readers);
        count_flops(&mut layers);
        Ok(Self { input, classes: definition.classes, layers })
    }

    /// The shape of what a layer reads.
    pub fn shape(&self, source: Source) -> Shape {
        match source {
            Source::Images => self.input,
            Source::Layer(at) => self.layers[at].output,
        }
    }

    /// Trainable parameters.
    pub fn params(&self) -> usize {
        self.layers.iter().map(PlannedLayer::params).sum()
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
}

/// A linear layer that only a batch normalisation reads has no bias.
fn drop_cancelled_biases(layers: &mut [PlannedLayer], readers: &[usize]) {
    for at in 0..layers.len() {
        let &[Source::Layer(source)] = &layers[at].sources[..] else { continue };
        let is_normalised = matches!(layers[at].operation, Operation::BatchNorm { .. });
        let is_linear = matches!(
            layers[source].operation,
            Operation::Conv { activation: Activation::Linear, .. }
                | Operation::Dense { activation: Activation::Linear }
        );
        if is_normalised && is_linear && readers[source] == 1 {
            layers[source].biases = 0;
        }
    }
}

fn count_flops(layers: &mut [PlannedLayer]) {
    for at in 0..layers.len() {
        let is_trained = |source: &Source| match source {
            Source::Images => false,
            Source::Layer(at) => layers[*at].params() > 0 || layers[*at].has_input_gradient,
        };
        let has_input_gradient = layers[at].sources.iter().any(is_trained);
        let layer = &mut layers[at];
        layer.has_input_gradient = has_input_gradient;
        let positions = match layer.operation {
            Operation::Conv { .. } => layer.output.height * layer.output.width,
            Operation::Dense { .. } => 1,
            _ => continue,
        };
        let passes = if has_input_gradient { 3.0 } else { 2.0 };
        #[expect(clippy::cast_precision_loss, reason = "a count of operations may round")]
        let multiply_adds = layer.weights as f64 * positions as f64;
        layer.flops = 2.0 * passes * multiply_adds;
    }
}
