//! One dense layer: `y = activation(x W + b)`.

use rand::Rng;

use crate::kit::draws::uniform_open;

/// What a unit does to its sum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Activation {
    /// Nothing.
    Identity,
    /// `x` where it is positive, else this share of it, at least 0: 0 is the rectifier. The
    /// derivative at 0 is the share, as in `PyTorch`.
    LeakyRelu(f64),
    /// The hyperbolic tangent.
    Tanh,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
}

impl Activation {
    /// The rectifier with `PyTorch`'s default share of 0.01.
    pub const LEAKY: Self = Self::LeakyRelu(0.01);

    /// The unit's answer to a sum.
    pub fn value(self, sum: f64) -> f64 {
        match self {
            Self::Identity => sum,
            Self::LeakyRelu(share) => {
                if sum > 0.0 {
                    sum
                } else {
                    share * sum
                }
            }
            Self::Tanh => libm::tanh(sum),
            Self::Sigmoid => 1.0 / (1.0 + libm::exp(-sum)),
        }
    }

    /// The derivative by the sum, told from the answer.
    pub fn slope(self, value: f64) -> f64 {
        match self {
            Self::Identity => 1.0,
            Self::LeakyRelu(share) => {
                if value > 0.0 {
                    1.0
                } else {
                    share
                }
            }
            Self::Tanh => 1.0 - value * value,
            Self::Sigmoid => value * (1.0 - value),
        }
    }
}

/// A dense layer. Its parameters lie elsewhere: the weights, (inputs x outputs) row after row, then
/// a bias for each output.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dense {
    /// Numbers that it takes.
    pub inputs: usize,
    /// Numbers that it gives.
    pub outputs: usize,
    pub activation: Activation,
}

impl Dense {
    /// How many parameters it has.
    pub fn parameters(&self) -> usize {
        (self.inputs + 1) * self.outputs
    }

    /// Parameters uniform in ±1 / sqrt(inputs).
    pub(super) fn initial(&self, rng: &mut impl Rng) -> Vec<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a number of units")]
        let reach = 1.0 / (self.inputs as f64).sqrt();
        (0..self.parameters()).map(|_| reach * (2.0 * uniform_open(rng) - 1.0)).collect()
    }

    /// Replaces `outputs` by the layer's answer to some rows of inputs.
    ///
    /// # Panics
    /// Where `parameters` are not the layer's, or `inputs` not whole rows.
    pub fn forward(&self, parameters: &[f64], inputs: &[f64], outputs: &mut Vec<f64>) {
        assert_eq!(parameters.len(), self.parameters(), "parameters of {self:?}");
        assert!(inputs.len().is_multiple_of(self.inputs), "rows of {}", self.inputs);
        let (weights, bias) = parameters.split_at(self.inputs * self.outputs);
        outputs.clear();
        for row in inputs.chunks_exact(self.inputs) {
            let start = outputs.len();
            outputs.extend_from_slice(bias);
            add_product(&mut outputs[start..], row, weights);
        }
        if self.activation != Activation::Identity {
            for value in outputs.iter_mut() {
                *value = self.activation.value(*value);
            }
        }
    }

    /// The way back through a pass whose inputs and outputs are given: `output_gradient` is the
    /// loss's derivative by the outputs, and leaves as that by the sums. *Adds* the derivatives by
    /// the parameters to `gradient`, and replaces `input_gradient` by those by the inputs.
    pub fn backward(
        &self,
        parameters: &[f64],
        (inputs, outputs): (&[f64], &[f64]),
        output_gradient: &mut [f64],
        gradient: &mut [f64],
        input_gradient: Option<&mut Vec<f64>>,
    ) {
        assert_eq!(output_gradient.len(), outputs.len(), "a derivative an output");
        if self.activation != Activation::Identity {
            for (slope, value) in output_gradient.iter_mut().zip(outputs) {
                *slope *= self.activation.slope(*value);
            }
        }
        let (weights, _) = parameters.split_at(self.inputs * self.outputs);
        let (by_weight, by_bias) = gradient.split_at_mut(self.inputs * self.outputs);
        let rows = inputs.chunks_exact(self.inputs).zip(output_gradient.chunks_exact(self.outputs));
        for (row, slopes) in rows {
            add(by_bias, 1.0, slopes);
            for (by_weight, x) in by_weight.chunks_exact_mut(self.outputs).zip(row) {
                add(by_weight, *x, slopes);
            }
        }
        if let Some(found) = input_gradient {
            // Transposed, so that the sums run along rows here too.
            let transposed: Vec<f64> = (0..self.outputs)
                .flat_map(|output| weights[output..].iter().step_by(self.outputs).copied())
                .collect();
            found.clear();
            found.resize(inputs.len(), 0.0);
            let rows = found.chunks_exact_mut(self.inputs);
            for (found, slopes) in rows.zip(output_gradient.chunks_exact(self.outputs)) {
                add_product(found, slopes, &transposed);
            }
        }
    }
}

/// `sums += row * matrix`, the rows of the matrix as long as `sums`. Four rows are added at a time,
/// in their order, so that `sums` is read and written a quarter as often.
fn add_product(sums: &mut [f64], row: &[f64], matrix: &[f64]) {
    let width = sums.len();
    let (fours, rest) = row.as_chunks::<4>();
    let (four_rows, rest_rows) = matrix.split_at(4 * width * fours.len());
    for (factors, rows) in fours.iter().zip(four_rows.chunks_exact(4 * width)) {
        let [a, b, c, d]: [&[f64]; 4] = std::array::from_fn(|at| &rows[at * width..][..width]);
        for (at, sum) in sums.iter_mut().enumerate() {
            let two = *sum + factors[0] * a[at] + factors[1] * b[at];
            *sum = two + factors[2] * c[at] + factors[3] * d[at];
        }
    }
    for (factor, row) in rest.iter().zip(rest_rows.chunks_exact(width)) {
        add(sums, *factor, row);
    }
}

/// `left += factor * right`.
fn add(left: &mut [f64], factor: f64, right: &[f64]) {
    left.iter_mut().zip(right).for_each(|(left, right)| *left += factor * right);
}
