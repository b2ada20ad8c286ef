//! Dense, forward: `output[n, o] = act(bias[o] + sum over i of input[n, i] weights[i, o])`.
//!
//! The sum is cut in chunks of i, see [`dense_chunks`](crate::dense_chunks): in each it
//! runs over i in order, from the bias in the first one and from 0 in the others, each term fused
//! into it; then the sums of the chunks are added in order. It errs by at most as many roundings as
//! a chunk has inputs and there are chunks, 6e-8 of the sum of the magnitudes each.

use super::activation::{activation, rectifies};
use super::add::accumulate;
use super::geometry::Scratch;
use super::lanes::{Lanes, Level};
use super::product::Product;
use crate::dense_chunks::dense_chunks;
use crate::model::{Activation, Shape};

/// `input`: (groups, inputs), images of `shape`; `weights`: (inputs, units); `bias`: (units), or
/// empty for none; `output`: (groups, units), overwritten.
pub(super) fn dense_forward(
    level: Level,
    shape: Shape,
    units: usize,
    function: Activation,
    input: &[Lanes],
    weights: &[f32],
    bias: &[f32],
    output: &mut [Lanes],
    scratch: &mut Scratch,
) {
    scratch.rows(input.len() / shape.len(), shape.len(), units);
    let chunks = dense_chunks(shape);
    let rectify = rectifies(function) && chunks.len() == 1;
    if chunks.len() > 1 {
        scratch.sums.resize(output.len(), Lanes::ZERO);
    }
    for (nth, chunk) in chunks.enumerate() {
        let inputs = chunk.inputs(shape);
        let product = Product {
            x: input,
            from: &scratch.from,
            taps: &[inputs.start],
            run: inputs.len(),
            spans: &[],
            bias: if nth == 0 { bias } else { &[] },
            rectify,
            out: if nth == 0 { &mut *output } else { &mut scratch.sums },
            to: &scratch.to,
            step: 1,
        };
        let weight = |_: usize, i: usize, unit: usize| weights[(inputs.start + i) * units + unit];
        product.compute(level, units, weight, &mut scratch.packed);
        if nth > 0 {
            accumulate(level, &scratch.sums, output);
        }
    }
    if !rectify {
        activation(level, function, output);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(at: usize) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "small counts")]
        let at = (at * at % 10_007) as f32;
        libm::sinf(at)
    }

    /// Every chunk's sum term by term, then their sum.
    fn reference(shape: Shape, input: &[Lanes], weights: &[f32], bias: &[f32]) -> Vec<Lanes> {
        let units = bias.len();
        let of = |(x, unit): (&[Lanes], usize)| {
            let mut sum = [0.0; 16];
            for (nth, chunk) in dense_chunks(shape).enumerate() {
                let mut partial = [if nth == 0 { bias[unit] } else { 0.0 }; 16];
                for i in chunk.inputs(shape) {
                    for (partial, x) in partial.iter_mut().zip(x[i].0) {
                        *partial = weights[i * units + unit].mul_add(x, *partial);
                    }
                }
                let add =
                    |(sum, partial): (f32, f32)| if nth == 0 { partial } else { sum + partial };
                sum = std::array::from_fn(|lane| add((sum[lane], partial[lane])));
            }
            Lanes(sum)
        };
        let images = input.chunks_exact(shape.len());
        images.flat_map(|x| (0..units).map(move |unit| (x, unit))).map(of).collect()
    }

    #[test]
    fn chunks_are_summed_in_order_under_every_instruction_set() {
        let mut scratch = Scratch::default();
        for ([height, width, channels], units) in [
            ([1, 1, 512], 5),
            ([1, 1, 513], 7),
            ([7, 5, 30], 3),
            ([2, 2, 515], 66),
            ([9, 1, 257], 2),
        ] {
            let shape = Shape { channels, height, width };
            let count = 3 * shape.len();
            let input: Vec<Lanes> = (0..count)
                .map(|i| Lanes(std::array::from_fn(|lane| value(16 * i + lane))))
                .collect();
            let weights: Vec<f32> = (0..shape.len() * units).map(|i| value(3 * i + 1)).collect();
            let bias: Vec<f32> = (0..units).map(|unit| value(unit + 5)).collect();
            let sums = reference(shape, &input, &weights, &bias);
            assert!(sums.iter().any(|sum| sum.0.iter().any(|x| *x < 0.0)), "something to rectify");
            for function in [Activation::Relu, Activation::Tanh, Activation::Linear] {
                let mut expected = sums.clone();
                activation(Level::all()[0], function, &mut expected);
                for level in Level::all() {
                    let mut output = vec![Lanes([f32::NAN; 16]); 3 * units];
                    // Of another layer.
                    scratch.sums.fill(Lanes([f32::NAN; 16]));
                    dense_forward(
                        level,
                        shape,
                        units,
                        function,
                        &input,
                        &weights,
                        &bias,
                        &mut output,
                        &mut scratch,
                    );
                    assert!(output == expected, "{level:?} {shape:?} {function:?}");
                }
            }
        }
    }
}
