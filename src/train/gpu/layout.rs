//! Where a network's numbers lie in each memory of the device.

use super::elements::{Tensor, blocks, count};
use super::frames::{NO_FRAME, frames, gradient_frame, phases};
use super::kernels::Memory;
use crate::cpu::lanes::LANES;
use crate::cpu::layer_pass::conv_shape;
use crate::dense_chunks::further_sums;
use crate::model::{Network, Operation, PlannedLayer, Recipe, Scope, Shape};
use crate::wiring::Wiring;

/// Images that each pass over the data sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PassSizes {
    pub(super) train: usize,
    pub(super) validation: usize,
    pub(super) test: usize,
}

impl PassSizes {
    pub(super) fn all(self) -> [usize; 3] {
        [self.train, self.validation, self.test]
    }
}

/// Places in, or sizes of, the memories that networks share, each in its own unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Extents {
    /// Values of 64 bytes.
    pub(super) values: u32,
    /// Fours of f32, 16 bytes; likewise the next three.
    pub(super) weights: u32,
    pub(super) moments: u32,
    pub(super) gradients: u32,
    pub(super) columns: u32,
    /// Numbers of images, 4 bytes.
    pub(super) orders: u32,
    /// Records of 32 bytes.
    pub(super) steps: u32,
    /// Words of 4 bytes.
    pub(super) results: u32,
}

/// The memories that networks share, with the bytes of a unit.
pub(super) const SHARED: [(Memory, u64); 8] = [
    (Memory::Values, 64),
    (Memory::Weights, 16),
    (Memory::Moments, 16),
    (Memory::Gradients, 16),
    (Memory::Columns, 16),
    (Memory::Orders, 4),
    (Memory::Steps, 32),
    (Memory::Results, 4),
];

impl Extents {
    /// In the order of [`SHARED`].
    pub(super) fn all(self) -> [u32; 8] {
        [
            self.values,
            self.weights,
            self.moments,
            self.gradients,
            self.columns,
            self.orders,
            self.steps,
            self.results,
        ]
    }

    pub(super) fn of(
        [values, weights, moments, gradients, columns, orders, steps, results]: [u32; 8],
    ) -> Self {
        Self { values, weights, moments, gradients, columns, orders, steps, results }
    }
}

/// Some weights that the optimizer treats alike: (rows, columns), rows in whole fours. Places are
/// in fours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Matrix {
    pub(super) at: u32,
    pub(super) rows: u32,
    pub(super) columns: u32,
    pub(super) moments: [u32; 2],
    /// The gradient is the sum of so many blocks.
    pub(super) gradient: u32,
    pub(super) gradient_row: u32,
    pub(super) blocks: u32,
    pub(super) block: u32,
    /// Whether the L2 term counts them.
    pub(super) is_decaying: bool,
}

impl Matrix {
    /// Fours of a row.
    pub(super) fn row(self) -> u32 {
        self.columns.div_ceil(4)
    }
}

/// What belongs to a layer with weights.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Parameters {
    pub(super) weights: Option<Matrix>,
    /// Of a batch normalisation the scales, then the shifts: two rows.
    pub(super) biases: Option<Matrix>,
    /// Where the weights lie in the order of the backward pass, in fours.
    pub(super) transposed: u32,
    /// Of a batch normalisation: mean and spread of the batch, running mean and variance, four rows
    /// in fours.
    pub(super) statistics: u32,
    /// Where `channel_sums` leaves its blocks: in fours, one sum after the other.
    pub(super) partials: [u32; 2],
    /// Of a dense layer: its inputs image by image in `columns`, the gradients of its outputs by
    /// units in `gradients`.
    pub(super) inputs: u32,
    pub(super) by_units: u32,
}

/// Where everything of one network lies.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layout {
    pub(super) groups: u32,
    pub(super) images: Tensor,
    pub(super) outputs: Vec<Tensor>,
    /// Which place won, of each max-pooling.
    pub(super) argmax: Vec<Option<Tensor>>,
    /// Of each output, where one is needed: first its gradient, then that before its function.
    pub(super) gradients: Vec<Option<Tensor>>,
    /// Room for a gradient that joins a sum, of any layer, and in the forward pass for the sums of
    /// a dense layer's chunks.
    pub(super) spare: u32,
    pub(super) parameters: Vec<Parameters>,
    pub(super) orders: u32,
    /// Of each pass: its first step's record, and its results.
    pub(super) steps: [u32; 3],
    pub(super) results: [u32; 3],
    /// What is taken, from the beginning on.
    pub(super) begin: Extents,
    pub(super) end: Extents,
}

/// Takes places one after the other.
#[derive(Debug)]
struct Taker {
    next: Extents,
    groups: u32,
}

/// More than any memory holds: sizes are counted on, and refused as a whole.
fn add(place: &mut u32, size: u32) -> u32 {
    let start = *place;
    *place = place.saturating_add(size);
    start
}

impl Taker {
    /// A tensor with a frame: so many rows and columns of 0 before and behind its images.
    fn tensor(&mut self, shape: Shape, [before, behind]: [[usize; 2]; 2]) -> Tensor {
        let [top, left] = before.map(count);
        let mut tensor = Tensor::of(0, self.groups, shape);
        let row = (tensor.columns + left + count(behind[1])) * tensor.channels;
        let group = row * (tensor.rows + top + count(behind[0]));
        tensor.steps = [group, row, tensor.channels];
        let size = u64::from(group) * u64::from(self.groups);
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        let start = add(&mut self.next.values, size);
        tensor.start = start.saturating_add(top * row + left * tensor.channels);
        tensor
    }

    /// What no layer needs for longer than its own pass.
    fn spare(&mut self, network: &Network, wiring: &Wiring) -> u32 {
        let partials = network.layers.iter().map(|layer| match layer.operation {
            Operation::Dense { .. } => further_sums(layer.input, layer.output),
            _ => 0,
        });
        let size = partials.fold(wiring.spare, usize::max).saturating_mul(self.groups as usize);
        add(&mut self.next.values, u32::try_from(size).unwrap_or(u32::MAX))
    }

    /// Fours in whole values, so that a product can write them.
    fn weights(&mut self, fours: u32) -> u32 {
        add(&mut self.next.weights, fours.next_multiple_of(4))
    }

    fn gradients(&mut self, fours: u32) -> u32 {
        add(&mut self.next.gradients, fours.next_multiple_of(4))
    }

    /// Weights, their moments, and a gradient of so many blocks whose rows are so many fours.
    fn matrix(&mut self, rows: u32, columns: u32, gradient_row: u32, blocks: u32) -> Matrix {
        let fours = rows * columns.div_ceil(4);
        let block = (rows * gradient_row).next_multiple_of(4);
        Matrix {
            at: self.weights(fours),
            rows,
            columns,
            moments: [(); 2].map(|()| add(&mut self.next.moments, fours.next_multiple_of(4))),
            gradient: self.gradients(block.saturating_mul(blocks)),
            gradient_row,
            blocks,
            block,
            is_decaying: false,
        }
    }

    fn biases(&mut self, rows: u32, columns: u32) -> Option<Matrix> {
        (columns > 0).then(|| self.matrix(rows, columns, columns.div_ceil(4), 1))
    }
}

impl Layout {
    /// Lays a network out from `begin` on.
    pub(super) fn new(
        network: &Network,
        wiring: &Wiring,
        recipe: &Recipe,
        passes: PassSizes,
        begin: Extents,
    ) -> Self {
        let groups = count(recipe.batch_size.div_ceil(LANES));
        let mut taker = Taker { next: begin, groups };
        let frames = frames(network);
        let images = taker.tensor(network.input, frames[network.layers.len()]);
        let (mut outputs, mut argmax) = (Vec::new(), Vec::new());
        for (at, layer) in network.layers.iter().enumerate() {
            // The output of a convolution that is pooled at once becomes its own gradient.
            let is_pooled = wiring.layers[at].partner.is_some_and(|partner| partner > at);
            let frame = if is_pooled { gradient_frame(layer) } else { frames[at] };
            outputs.push(taker.tensor(layer.output, frame));
            let is_pooling = matches!(layer.operation, Operation::MaxPool { .. });
            argmax.push(is_pooling.then(|| taker.tensor(layer.output, NO_FRAME)));
        }
        let mut gradients = Vec::new();
        for (at, layer) in network.layers.iter().enumerate() {
            let wires = &wiring.layers[at];
            let is_pooled = wires.partner.is_some_and(|partner| partner > at);
            let is_needed = wires.buffer.is_some() && !is_pooled;
            gradients.push(is_needed.then(|| taker.tensor(layer.output, gradient_frame(layer))));
        }
        let spare = taker.spare(network, wiring);
        let parameters = (network.layers.iter().enumerate())
            .map(|(at, layer)| {
                let gradient = gradients[at].or(gradients_of_pool(wiring, &gradients, at));
                parameters(&mut taker, layer, recipe, gradient)
            })
            .collect();
        let orders = add(&mut taker.next.orders, count(passes.train));
        let (mut steps, mut results) = ([0; 3], [0; 3]);
        for (pass, images) in passes.all().into_iter().enumerate() {
            let batches = count(images.div_ceil(recipe.batch_size));
            steps[pass] = add(&mut taker.next.steps, batches);
            let losses = batches.saturating_mul(groups * 4);
            let words = losses.saturating_add(losses_at(network.classes));
            results[pass] = add(&mut taker.next.results, words);
        }
        let end = taker.next;
        Self {
            groups,
            images,
            outputs,
            argmax,
            gradients,
            spare,
            parameters,
            orders,
            steps,
            results,
            begin,
            end,
        }
    }

    /// What it takes of each memory.
    pub(super) fn sizes(&self) -> Extents {
        let (begin, end) = (self.begin.all(), self.end.all());
        Extents::of(std::array::from_fn(|memory| end[memory] - begin[memory]))
    }
}

/// Where a pass's losses begin in its results: behind the mark of divergence and the confusion
/// matrix.
pub(super) fn losses_at(classes: usize) -> u32 {
    count(1 + classes * classes)
}

/// Inputs and outputs of a layer as two matrices, and what leads to their gradients.
fn parameters(
    taker: &mut Taker,
    layer: &PlannedLayer,
    recipe: &Recipe,
    gradient: Option<Tensor>,
) -> Parameters {
    let mut own = Parameters::default();
    let outputs = count(layer.output.channels);
    // Gradients are summed over the positions of the output, pooled where the pooling is at once.
    let rows = gradient.map_or(0, |tensor| tensor.groups * tensor.rows * tensor.columns);
    match layer.operation {
        Operation::Conv { .. } => {
            let shape = conv_shape(layer).expect("a convolution");
            let blocks = taker.groups.div_ceil(count(shape.groups_at_once()));
            let row = outputs.div_ceil(4);
            let mut weights = taker.matrix(count(layer.fan_in), outputs, row, blocks);
            weights.is_decaying = recipe.l2_scope == Scope::All;
            own.weights = Some(weights);
            own.biases = taker.biases(1, count(layer.biases));
            if layer.has_input_gradient {
                let fours = phases(shape).iter().map(|phase| phase.fours(shape)).sum();
                own.transposed = taker.weights(fours);
            }
        }
        Operation::Dense { .. } => {
            let (inputs, vectors) = (count(layer.fan_in), outputs.div_ceil(count(LANES)));
            let mut weights = taker.matrix(inputs, outputs, vectors * 4, 1);
            weights.is_decaying = true;
            own.weights = Some(weights);
            own.biases = taker.biases(1, count(layer.biases));
            let images = taker.groups * count(LANES);
            own.inputs = add(&mut taker.next.columns, images * inputs.div_ceil(4));
            own.by_units = taker.gradients(vectors * images * 4);
            if layer.has_input_gradient {
                // One part a row of the input, each in whole fours.
                let rows = count(layer.input.height);
                own.transposed = taker.weights(outputs * rows * (inputs / rows).div_ceil(4));
            }
        }
        Operation::BatchNorm { .. } => {
            own.biases = taker.biases(2, outputs);
            own.statistics = taker.weights(4 * outputs.div_ceil(4));
        }
        _ => return own,
    }
    // One sum for biases, two for a normalisation, whose forward pass needs one as well.
    let fours = blocks(rows.max(1)) * outputs * 4;
    own.partials = [(); 2].map(|()| taker.gradients(fours));
    own
}

/// The gradient that a convolution shares with the pooling that alone reads it.
fn gradients_of_pool(wiring: &Wiring, gradients: &[Option<Tensor>], at: usize) -> Option<Tensor> {
    gradients[wiring.layers[at].partner.filter(|partner| *partner > at)?]
}
