//! Small dense networks: a few layers of a few dozen to some hundred units, on some hundreds of
//! points, for methods that learn one during a run.
//!
//! | part | for |
//! |---|---|
//! | [`Dense`] | one layer over numbers that lie elsewhere: forward, and back |
//! | [`Network`] | layers one after another, with their parameters as one flat list |
//! | [`Tape`] | what a pass forward leaves for the way back; kept from pass to pass |
//! | [`losses`] | absolute, squared and Gaussian errors, with their derivatives |
//! | [`Adam`] | the optimiser, over any flat list of parameters |
//! | [`batches`], [`gather`] | shuffled mini-batches of the rows of a matrix |
//!
//! A network's way back starts from the derivative of *any* loss by its outputs, and ends in that
//! by its inputs where it is asked for: what a method puts before or behind a network (a power law,
//! a basis of curves, a kernel) is the method's own, and may have parameters in the same list.
//!
//! Numbers are 64 bits wide, matrices lie row after row, one row a point. Every sum has one order,
//! whatever the machine and its vectors, on one thread; transcendental functions are `libm`'s.
//! What is not finite is passed on and refused nowhere: a caller leaves out points that are not
//! numbers, and looks at the loss. The passes are held against `PyTorch`'s and against finite
//! differences (`tests/golden/small_networks`).

mod adam;
mod dense;
pub mod losses;

use rand::Rng;

pub use self::adam::{Adam, AdamSettings};
pub use self::dense::{Activation, Dense};
use crate::kit::draws::permutation;

/// Dense layers one after another.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    layers: Vec<Dense>,
    parameters: Vec<f64>,
}

/// What a pass forward leaves for the way back.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tape {
    /// The inputs, then the outputs of each layer: (rows x width) each.
    values: Vec<Vec<f64>>,
    /// The derivatives by the outputs of a layer and by its inputs.
    gradients: [Vec<f64>; 2],
}

impl Tape {
    /// A tape of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// What the network answered last: (rows x outputs).
    pub fn outputs(&self) -> &[f64] {
        self.values.last().map_or(&[], Vec::as_slice)
    }

    /// The derivative of the loss by the inputs, after [`Network::backward`] with `to_inputs`:
    /// (rows x inputs).
    pub fn input_gradient(&self) -> &[f64] {
        &self.gradients[0]
    }
}

impl Network {
    /// Layers with the parameters that `PyTorch`'s `Linear` starts from: weights and biases uniform
    /// in ±1 / sqrt(inputs). They are drawn layer after layer in the order of
    /// [`Self::parameters`].
    ///
    /// # Panics
    /// Where there is no layer, or one does not take what the one before it gives.
    pub fn new(layers: &[Dense], rng: &mut impl Rng) -> Self {
        let draw = |layer: &Dense| layer.initial(rng);
        let parameters: Vec<f64> = layers.iter().flat_map(draw).collect();
        Self::with_parameters(layers, parameters)
    }

    /// Layers with parameters that are given.
    ///
    /// # Panics
    /// As [`Self::new`]; and where there are not as many parameters as the layers have.
    pub fn with_parameters(layers: &[Dense], parameters: Vec<f64>) -> Self {
        assert!(!layers.is_empty(), "a network has layers");
        let fits = layers.windows(2).all(|pair| pair[0].outputs == pair[1].inputs);
        assert!(fits, "a layer takes what the one before it gives: {layers:?}");
        let count: usize = layers.iter().map(Dense::parameters).sum();
        assert_eq!(parameters.len(), count, "parameters of {layers:?}");
        Self { layers: layers.to_vec(), parameters }
    }

    /// The layers.
    pub fn layers(&self) -> &[Dense] {
        &self.layers
    }

    /// Numbers that it takes.
    pub fn inputs(&self) -> usize {
        self.layers[0].inputs
    }

    /// Numbers that it gives.
    pub fn outputs(&self) -> usize {
        self.layers[self.layers.len() - 1].outputs
    }

    /// All parameters, layer after layer as [`Dense`] has them.
    pub fn parameters(&self) -> &[f64] {
        &self.parameters
    }

    /// All parameters, for an optimiser.
    pub fn parameters_mut(&mut self) -> &mut [f64] {
        &mut self.parameters
    }

    /// The outputs of some rows of inputs; both stay on the tape.
    ///
    /// # Panics
    /// Where `inputs` are not whole rows.
    pub fn forward<'a>(&self, inputs: &[f64], tape: &'a mut Tape) -> &'a [f64] {
        let Self { layers, parameters } = self;
        tape.values.resize(layers.len() + 1, Vec::new());
        tape.values[0].clear();
        tape.values[0].extend_from_slice(inputs);
        let mut left = parameters.as_slice();
        for (at, layer) in layers.iter().enumerate() {
            let (own, rest) = left.split_at(layer.parameters());
            let (before, after) = tape.values.split_at_mut(at + 1);
            layer.forward(own, &before[at], &mut after[0]);
            left = rest;
        }
        tape.outputs()
    }

    /// The way back from the derivative of a loss by the outputs of the last pass forward: *adds*
    /// the derivative by each parameter to `gradient`. `to_inputs` goes on to the inputs, for
    /// [`Tape::input_gradient`].
    ///
    /// # Panics
    /// Where `output_gradient` is not as long as the outputs, or `gradient` as the parameters.
    pub fn backward(
        &self,
        tape: &mut Tape,
        output_gradient: &[f64],
        gradient: &mut [f64],
        to_inputs: bool,
    ) {
        let Self { layers, parameters } = self;
        assert_eq!(output_gradient.len(), tape.outputs().len(), "a derivative an output");
        assert_eq!(gradient.len(), parameters.len(), "a derivative a parameter");
        let Tape { values, gradients: [from, to] } = tape;
        from.clear();
        from.extend_from_slice(output_gradient);
        let mut end = parameters.len();
        for (at, layer) in layers.iter().enumerate().rev() {
            let own = end - layer.parameters()..end;
            end = own.start;
            let goes_on = (at > 0 || to_inputs).then_some(&mut *to);
            let pass = (&values[at][..], &values[at + 1][..]);
            layer.backward(&parameters[own.clone()], pass, from, &mut gradient[own], goes_on);
            std::mem::swap(from, to);
        }
    }
}

/// The indices below `count` in shuffled batches of `size`, the last one shorter where they do not
/// come out even: one epoch of training.
///
/// # Panics
/// Where `size` is 0.
pub fn batches(rng: &mut impl Rng, count: usize, size: usize) -> Vec<Vec<usize>> {
    permutation(rng, count).chunks(size).map(<[usize]>::to_vec).collect()
}

/// Some rows of a matrix, in the order given.
pub fn gather(matrix: &[f64], width: usize, rows: &[usize]) -> Vec<f64> {
    rows.iter().flat_map(|row| &matrix[row * width..][..width]).copied().collect()
}

#[cfg(test)]
mod tests;
