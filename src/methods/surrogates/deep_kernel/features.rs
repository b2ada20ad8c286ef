//! The network in front of the kernel: from a configuration, a budget and the curve until then to
//! features.

use base::rng::Stream;
use rand::RngExt;

use super::Points;
use crate::surrogates::products::{
    Left, Product, column_sums, leaky_rectify, leaky_rectify_backward, transpose, wide,
};

/// Filters of the convolution over the curve.
pub(super) const FILTERS: usize = 4;

/// Epochs that a filter spans.
pub(super) const SPAN: usize = 3;

/// Added to a variance in batch norm.
const NORM_EPSILON: f32 = 1e-5;

/// How much of the running statistics a pass replaces.
const NORM_MOMENTUM: f32 = 0.1;

/// The sizes of the layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Numbers of a configuration.
    pub width: usize,
    /// Units of the first layer; the second has twice as many.
    pub units: usize,
}

/// Where the parts of the parameters lie, in this order.
#[derive(Debug, Clone, Copy)]
enum Part {
    /// (width + 1, units).
    FirstWeights,
    FirstBias,
    NormScale,
    NormShift,
    /// (filters, span).
    CurveWeights,
    CurveBias,
    /// (units + filters, 2 units).
    SecondWeights,
    SecondBias,
}

impl Shape {
    pub(super) fn inputs(self) -> usize {
        self.width + 1
    }

    /// How many features there are.
    pub fn features(self) -> usize {
        2 * self.units
    }

    fn joined(self) -> usize {
        self.units + FILTERS
    }

    fn sizes(self) -> [usize; 8] {
        let Self { units, .. } = self;
        let second = [self.joined() * self.features(), self.features()];
        let curve = [FILTERS * SPAN, FILTERS];
        let norm = [units, units];
        [[self.inputs() * units, units], norm, curve, second].as_flattened().try_into().expect("8")
    }

    /// How many parameters there are.
    pub(super) fn parameters(self) -> usize {
        self.sizes().iter().sum()
    }

    fn range(self, part: Part) -> std::ops::Range<usize> {
        let at = part as usize;
        let start = self.sizes()[..at].iter().sum();
        start..start + self.sizes()[at]
    }

    /// With torch's default weights: uniform within `1 / sqrt(inputs)` of 0, the biases too; scales
    /// of batch norm 1 and shifts 0.
    pub(super) fn initial(self, stream: &mut Stream) -> Vec<f32> {
        let mut parameters = vec![0.0; self.parameters()];
        let parts = [
            (Part::FirstWeights, self.inputs()),
            (Part::FirstBias, self.inputs()),
            (Part::CurveWeights, SPAN),
            (Part::CurveBias, SPAN),
            (Part::SecondWeights, self.joined()),
            (Part::SecondBias, self.joined()),
        ];
        for (part, inputs) in parts {
            #[expect(clippy::cast_precision_loss, reason = "small counts")]
            let bound = 1.0 / (inputs as f64).sqrt();
            for parameter in &mut parameters[self.range(part)] {
                #[expect(clippy::cast_possible_truncation, reason = "the weights' precision")]
                let weight = ((stream.random::<f64>() * 2.0 - 1.0) * bound) as f32;
                *parameter = weight;
            }
        }
        parameters[self.range(Part::NormScale)].fill(1.0);
        parameters
    }
}

/// What batch norm knows of all passes so far, for predictions.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Running {
    means: Vec<f32>,
    variances: Vec<f32>,
}

impl Running {
    pub(super) fn new(shape: Shape) -> Self {
        Self { means: vec![0.0; shape.units], variances: vec![1.0; shape.units] }
    }

    pub(super) fn is_finite(&self) -> bool {
        self.means.iter().chain(&self.variances).all(|x| x.is_finite())
    }
}

/// What a pass leaves for the way back.
#[derive(Debug, Clone, Default)]
pub(super) struct Pass {
    /// What batch norm gives before its scale and shift: (points, units).
    normed: Vec<f32>,
    /// One over the deviation of each unit.
    inverse: Vec<f32>,
    /// (points, units + filters).
    joined: Vec<f32>,
    /// Where each filter found its maximum: (points, filters).
    places: Vec<usize>,
    /// (points, features).
    pub(super) features: Vec<f32>,
}

/// The maximum of each filter over the curve, and where.
fn pool(weights: &[f32], bias: &[f32], curve: &[f32]) -> [(f32, usize); FILTERS] {
    std::array::from_fn(|filter| {
        let weights = &weights[filter * SPAN..][..SPAN];
        let mut best = (f32::NEG_INFINITY, 0);
        for (place, window) in curve.windows(SPAN).enumerate() {
            let sum = window.iter().zip(weights).fold(bias[filter], |sum, (x, w)| sum + x * w);
            if sum > best.0 {
                best = (sum, place);
            }
        }
        best
    })
}

/// Computes the features of some points. With `running`, batch norm takes the mean and variance of
/// these very points and notes them there; else those of `noted`.
pub(super) fn forward(
    shape: Shape,
    parameters: &[f32],
    points: &Points,
    pass: &mut Pass,
    norm: Norm<'_>,
) {
    let part = |part| &parameters[shape.range(part)];
    let (count, units) = (points.count(), shape.units);
    let Pass { normed, inverse, joined, places, features } = pass;
    normed.resize(count * units, 0.0);
    product(
        (&points.inputs, shape.inputs()),
        [part(Part::FirstWeights), part(Part::FirstBias)],
        normed,
    );
    normalise(normed, inverse, norm);
    joined.resize(count * shape.joined(), 0.0);
    places.clear();
    let (scale, shift) = (part(Part::NormScale), part(Part::NormShift));
    let (weights, bias) = (part(Part::CurveWeights), part(Part::CurveBias));
    let rows = joined.chunks_exact_mut(shape.joined()).zip(normed.chunks_exact(units));
    for ((row, normed), curve) in rows.zip(points.curves.chunks_exact(points.epochs)) {
        let (hidden, pooled) = row.split_at_mut(units);
        let scaled = hidden.iter_mut().zip(normed).zip(scale.iter().zip(shift));
        scaled.for_each(|((hidden, normed), (scale, shift))| *hidden = normed * scale + shift);
        leaky_rectify(hidden);
        for (into, (maximum, place)) in pooled.iter_mut().zip(pool(weights, bias, curve)) {
            *into = maximum;
            places.push(place);
        }
    }
    features.resize(count * shape.features(), 0.0);
    product(
        (joined, shape.joined()),
        [part(Part::SecondWeights), part(Part::SecondBias)],
        features,
    );
    leaky_rectify(features);
}

/// Which statistics batch norm takes.
#[derive(Debug)]
pub(super) enum Norm<'a> {
    /// The points', which it notes.
    Batch(&'a mut Running),
    /// Those that were noted.
    Noted(&'a Running),
}

fn product((input, depth): (&[f32], usize), [weights, bias]: [&[f32]; 2], out: &mut [f32]) {
    let columns = bias.len();
    Product { left: Left::Plain(input), right: weights, bias, depth, columns, out }.compute();
}

/// Takes the mean from each column and divides by the deviation.
fn normalise(values: &mut [f32], inverse: &mut Vec<f32>, norm: Norm<'_>) {
    let (means, variances) = match norm {
        Norm::Noted(running) => (running.means.clone(), running.variances.clone()),
        Norm::Batch(running) => {
            let units = running.means.len();
            let moments = batch_moments(values, units);
            note(running, &moments, values.len() / units);
            moments
        }
    };
    inverse.clear();
    inverse.extend(variances.iter().map(|variance| 1.0 / (variance + NORM_EPSILON).sqrt()));
    for row in values.chunks_exact_mut(means.len()) {
        let moments = means.iter().zip(&*inverse);
        row.iter_mut().zip(moments).for_each(|(x, (mean, inverse))| *x = (*x - mean) * inverse);
    }
}

/// Mean and (population) variance of each column.
fn batch_moments(values: &[f32], units: usize) -> (Vec<f32>, Vec<f32>) {
    #[expect(clippy::cast_precision_loss, reason = "points are few")]
    let count = (values.len() / units) as f32;
    let mut means = vec![0.0; units];
    column_sums(values, &mut means);
    for mean in &mut means {
        *mean /= count;
    }
    let mut variances = vec![0.0; units];
    for row in values.chunks_exact(units) {
        let both = row.iter().zip(&means);
        for (variance, (x, mean)) in variances.iter_mut().zip(both) {
            *variance += (x - mean) * (x - mean);
        }
    }
    for variance in &mut variances {
        *variance /= count;
    }
    (means, variances)
}

/// Notes the moments of `count` points, the variance as a sample's.
fn note(running: &mut Running, (means, variances): &(Vec<f32>, Vec<f32>), count: usize) {
    #[expect(clippy::cast_precision_loss, reason = "points are few")]
    let sample = count as f32 / (count - 1) as f32;
    let mix = |old: &mut f32, new: f32| *old += NORM_MOMENTUM * (new - *old);
    running.means.iter_mut().zip(means).for_each(|(old, new)| mix(old, *new));
    let variances = running.variances.iter_mut().zip(variances);
    variances.for_each(|(old, new)| mix(old, new * sample));
}

/// Writes the gradients of the parameters, from those of the features of the points' pass.
pub(super) fn backward(
    shape: Shape,
    parameters: &[f32],
    points: &Points,
    pass: &Pass,
    mut by_features: Vec<f32>,
    gradients: &mut [f32],
) {
    let (count, units) = (points.count(), shape.units);
    leaky_rectify_backward(&pass.features, &mut by_features);
    let of = |left: &[f32], right: &[f32], columns: usize, out: &mut [f32]| {
        let left = Left::Transposed(left);
        Product { left, right, bias: &[], depth: count, columns, out }.compute();
    };
    let features = shape.features();
    of(&pass.joined, &by_features, features, &mut gradients[shape.range(Part::SecondWeights)]);
    column_sums(&by_features, &mut gradients[shape.range(Part::SecondBias)]);
    let weights = &parameters[shape.range(Part::SecondWeights)];
    let mut turned = vec![0.0; weights.len()];
    transpose(weights, features, &mut turned);
    let mut by_joined = vec![0.0; pass.joined.len()];
    Product {
        left: Left::Plain(&by_features),
        right: &turned,
        bias: &[],
        depth: features,
        columns: shape.joined(),
        out: &mut by_joined,
    }
    .compute();
    curve_gradients(shape, points, pass, &by_joined, gradients);
    let mut by_hidden = vec![0.0; count * units];
    let rows = by_hidden.chunks_exact_mut(units).zip(by_joined.chunks_exact(shape.joined()));
    for ((into, from), joined) in rows.zip(pass.joined.chunks_exact(shape.joined())) {
        into.copy_from_slice(&from[..units]);
        leaky_rectify_backward(&joined[..units], into);
    }
    let scale = &parameters[shape.range(Part::NormScale)];
    let [by_scale, by_shift] = norm_backward(pass, scale, &mut by_hidden);
    gradients[shape.range(Part::NormScale)].copy_from_slice(&by_scale);
    gradients[shape.range(Part::NormShift)].copy_from_slice(&by_shift);
    of(&points.inputs, &by_hidden, units, &mut gradients[shape.range(Part::FirstWeights)]);
    // Batch norm takes the bias before it away again: what a sum would give is rounding, of which
    // Adam makes whole steps.
    gradients[shape.range(Part::FirstBias)].fill(0.0);
}

/// Those of the convolution: what its maxima were taken from.
fn curve_gradients(
    shape: Shape,
    points: &Points,
    pass: &Pass,
    by_joined: &[f32],
    gradients: &mut [f32],
) {
    let mut by_weights = [0.0; FILTERS * SPAN];
    let mut by_bias = [0.0; FILTERS];
    let curves = points.curves.chunks_exact(points.epochs);
    let rows = by_joined.chunks_exact(shape.joined()).zip(pass.places.chunks_exact(FILTERS));
    for ((by_joined, places), curve) in rows.zip(curves) {
        let by_pooled = &by_joined[shape.units..];
        for (filter, (gradient, place)) in by_pooled.iter().zip(places).enumerate() {
            by_bias[filter] += gradient;
            let by_weights = by_weights[filter * SPAN..][..SPAN].iter_mut();
            let window = &curve[*place..][..SPAN];
            by_weights.zip(window).for_each(|(sum, x)| *sum += gradient * x);
        }
    }
    gradients[shape.range(Part::CurveWeights)].copy_from_slice(&by_weights);
    gradients[shape.range(Part::CurveBias)].copy_from_slice(&by_bias);
}

/// Turns gradients by what batch norm gave into those by what it took; those of its scale and
/// shift.
fn norm_backward(pass: &Pass, scale: &[f32], by_output: &mut [f32]) -> [Vec<f32>; 2] {
    let units = scale.len();
    let Pass { normed, inverse, .. } = pass;
    #[expect(clippy::cast_precision_loss, reason = "points are few")]
    let share = 1.0 / (by_output.len() / units) as f32;
    let mut by_shift = vec![0.0; units];
    column_sums(by_output, &mut by_shift);
    let mut by_scale = vec![0.0; units];
    let rows = by_output.chunks_exact(units).zip(normed.chunks_exact(units));
    for (by_output, normed) in rows {
        let both = by_output.iter().zip(normed);
        by_scale.iter_mut().zip(both).for_each(|(sum, (by, normed))| *sum += by * normed);
    }
    wide(
        #[inline(always)]
        || {
            let rows = by_output.chunks_exact_mut(units).zip(normed.chunks_exact(units));
            for (by_output, normed) in rows {
                for unit in 0..units {
                    let means = share * (by_shift[unit] + normed[unit] * by_scale[unit]);
                    by_output[unit] = (by_output[unit] - means) * scale[unit] * inverse[unit];
                }
            }
        },
    );
    [by_scale, by_shift]
}
