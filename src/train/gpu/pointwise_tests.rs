//! Shaders that work on values one by one, against their twins: `activation`,
//! `activation_backward`, `add` and `dropout`.

use base::rng::{Key, threefry2x32};

use super::elements::{ElementsJob, Tensor};
use super::kernels::{Kernel, Memory};
use super::lot::{Lot, shape};
use super::twin::{self, Random};
use crate::cpu::activation::activation;
use crate::cpu::activation_backward::activation_backward;
use crate::cpu::add::{accumulate, add_forward};
use crate::cpu::dropout::{draw_mask, dropout};
use crate::cpu::lanes::{LANES, Lanes, Level};
use crate::model::{Activation, Shape};

/// Functions by their numbers.
const FUNCTIONS: [Activation; 6] = [
    Activation::Linear,
    Activation::Relu,
    Activation::LeakyRelu,
    Activation::Elu,
    Activation::Tanh,
    Activation::Sigmoid,
];

/// Of `shared/exponential.wgsl`, with what the twin errs by; nothing where no exponential is.
fn tolerance(function: Activation) -> impl Fn(usize, usize, f32) -> f32 {
    let is_exact =
        matches!(function, Activation::Linear | Activation::Relu | Activation::LeakyRelu);
    move |_, _, reference| if is_exact { 0.0 } else { 7e-7 * reference.abs() + 2e-37 }
}

#[test]
fn activation_gives_what_its_twin_gives() {
    let Some(gpu) = twin::gpu() else { return };
    let (mut random, mut lot) = (Random::new(1), Lot::new(Kernel::Activation));
    for number in 0..48 {
        let (groups, function) = (random.count(1, 3), number % 6);
        let shape = shape(&mut random);
        let (tensor, mut numbers) = lot.tensor(&mut random, groups, shape);
        // From the smallest numbers to those where the functions end.
        let scale = 10.0_f32.powi(i32::try_from(random.count(0, 8)).unwrap() - 6);
        for lanes in &mut numbers {
            lanes.0 = lanes.0.map(|x| x * scale);
        }
        lot.fill(tensor, &numbers);
        let numbers_job = [number % 6, !0, !0, !0];
        lot.add(ElementsJob::new(tensor.shape()).a(tensor).numbers(0, numbers_job));
        let function = FUNCTIONS[function as usize];
        activation(Level::best(), function, &mut numbers);
        lot.expect(tensor, &numbers, tolerance(function));
    }
    lot.check(&gpu, 0..1);
}

/// Numbers over all magnitudes, both signs, and the ends.
fn magnitudes() -> Vec<Lanes> {
    let (low, high) = (1e-30_f32.to_bits(), 120.0_f32.to_bits());
    let mut numbers: Vec<f32> = (low..high)
        .step_by(50_021)
        .flat_map(|bits| [f32::from_bits(bits), -f32::from_bits(bits)])
        .chain([0.0, f32::MAX, f32::MIN, f32::INFINITY, f32::NEG_INFINITY])
        .collect();
    numbers.resize(numbers.len().next_multiple_of(LANES), 1.0);
    numbers.chunks_exact(LANES).map(|lanes| Lanes(lanes.try_into().unwrap())).collect()
}

/// `shared/exponential.wgsl` against libm in f64.
#[test]
fn exponentials_agree_with_libm_over_all_magnitudes() {
    let Some(gpu) = twin::gpu() else { return };
    let references: [fn(f64) -> f64; 3] =
        [|x| if x > 0.0 { x } else { libm::expm1(x) }, libm::tanh, |x| 1.0 / (1.0 + libm::exp(-x))];
    let (mut random, mut lot) = (Random::new(2), Lot::new(Kernel::Activation));
    let numbers = magnitudes();
    for (function, reference) in (3..).zip(references) {
        let count = u32::try_from(numbers.len()).unwrap();
        let tensor = lot.room(&mut random, 1, [1, 1, count]);
        lot.fill(tensor, &numbers);
        lot.add(ElementsJob::new(tensor.shape()).a(tensor).numbers(0, [function, 0, 0, 0]));
        #[expect(clippy::cast_possible_truncation, reason = "results are f32")]
        let wide = |lanes: &Lanes| Lanes(lanes.0.map(|x| reference(x.into()) as f32));
        let expected: Vec<Lanes> = numbers.iter().map(wide).collect();
        // A rounding of the reference on top.
        lot.expect(tensor, &expected, |_, _, reference| 4.6e-7 * reference.abs() + 1e-37);
    }
    lot.check(&gpu, 0..1);
}

#[test]
fn nan_stays_nan_under_every_function() {
    let Some(gpu) = twin::gpu() else { return };
    let (mut random, mut lot) = (Random::new(3), Lot::new(Kernel::Activation));
    for function in 0..6 {
        let tensor = lot.room(&mut random, 1, [1, 1, 1]);
        lot.add(ElementsJob::new(tensor.shape()).a(tensor).numbers(0, [function, 0, 0, 0]));
        lot.expect(tensor, &[Lanes([f32::NAN; LANES])], |_, _, _| 0.0);
    }
    lot.check(&gpu, 0..1);
}

#[test]
fn activation_backward_gives_what_its_twin_gives() {
    let Some(gpu) = twin::gpu() else { return };
    let (mut random, mut lot) = (Random::new(4), Lot::new(Kernel::ActivationBackward));
    for number in 0..48 {
        let (groups, function) = (random.count(1, 3), FUNCTIONS[number as usize % 6]);
        let shape = shape(&mut random);
        let (output, mut outputs) = lot.tensor(&mut random, groups, shape);
        // Left of a rectifier's bend, on it and right of it; where functions end.
        for (at, lanes) in outputs.iter_mut().enumerate() {
            [lanes.0[at % LANES], lanes.0[(at + 5) % LANES]] = [0.0, 1.0 - 6e-8];
        }
        lot.fill(output, &outputs);
        let (gradient, mut gradients) = lot.tensor(&mut random, groups, shape);
        let job = ElementsJob::new(output.shape()).a(output).b(gradient);
        lot.add(job.numbers(0, [number % 6, !0, !0, !0]));
        let before = gradients.clone();
        activation_backward(Level::best(), function, &outputs, &mut gradients);
        let is_exact =
            matches!(function, Activation::Linear | Activation::Relu | Activation::LeakyRelu);
        let tolerance = |at: usize, lane: usize, _: f32| {
            if is_exact { 0.0 } else { 1.2e-7 * before[at].0[lane].abs() }
        };
        lot.expect(gradient, &gradients, tolerance);
    }
    lot.check(&gpu, 0..1);
}

#[test]
fn add_gives_what_its_twin_gives() {
    let Some(gpu) = twin::gpu() else { return };
    let (mut random, mut lot) = (Random::new(5), Lot::new(Kernel::Add));
    for number in 0..48 {
        let (groups, shape) = (random.count(1, 3), shape(&mut random));
        let (first, firsts) = lot.tensor(&mut random, groups, shape);
        let (second, seconds) = lot.tensor(&mut random, groups, shape);
        // Gradients meet in one of the two.
        let is_met = number % 8 == 7;
        let function = if is_met { 0 } else { number % 6 };
        let sum = if is_met { second } else { lot.room(&mut random, groups, shape) };
        let job = ElementsJob::new(sum.shape()).a(first).b(second).c(sum);
        lot.add(job.numbers(0, [function, 0, !0, !0]));
        let mut expected = seconds.clone();
        if is_met {
            accumulate(Level::best(), &firsts, &mut expected);
        } else {
            let both = [&firsts[..], &seconds[..]].into_iter();
            add_forward(Level::best(), FUNCTIONS[function as usize], both, &mut expected);
        }
        lot.expect(sum, &expected, tolerance(FUNCTIONS[function as usize]));
    }
    lot.check(&gpu, 0..1);
}

#[test]
fn add_gives_what_its_twin_gives_of_many_terms() {
    let Some(gpu) = twin::gpu() else { return };
    let (mut random, mut lot) = (Random::new(7), Lot::new(Kernel::Add));
    for number in 0..48 {
        let (groups, shape, terms) = (random.count(1, 3), shape(&mut random), random.count(2, 29));
        let (first, firsts) = lot.tensor(&mut random, groups, shape);
        // The further terms are some rows each of one tensor.
        let [rows, columns, channels] = shape;
        let (all, numbers) = lot.tensor(&mut random, groups, [terms * rows, columns, channels]);
        let (function, step) = (number % 6, rows * all.steps[1]);
        let sum = if number % 2 == 0 { first } else { lot.room(&mut random, groups, shape) };
        let job = ElementsJob::new(sum.shape()).a(first).b(Tensor { rows, ..all }).c(sum);
        let job = job.reaching(Memory::Values, all.end() * 64);
        lot.add(job.numbers(0, [function, terms - 1, step, !0]));
        let len = (rows * columns * channels) as usize;
        let term = |nth: usize| {
            let images = numbers.chunks_exact(len * terms as usize);
            images.flat_map(|image| image[nth * len..][..len].to_vec()).collect()
        };
        let further: Vec<Vec<Lanes>> = (0..terms as usize).map(term).collect();
        let every = std::iter::once(&firsts).chain(&further).map(|numbers| &numbers[..]);
        let mut expected = firsts.clone();
        add_forward(Level::best(), FUNCTIONS[function as usize], every, &mut expected);
        lot.expect(sum, &expected, tolerance(FUNCTIONS[function as usize]));
    }
    lot.check(&gpu, 0..1);
}

#[test]
fn dropout_gives_what_its_twin_gives() {
    let Some(gpu) = twin::gpu() else { return };
    let (mut random, mut lot) = (Random::new(6), Lot::new(Kernel::Dropout));
    for number in 0..24 {
        let (groups, shape) = (random.count(1, 3), shape(&mut random));
        let key = Key::new(number as u64, 7, "dropout.1");
        let (input, mut inputs) = lot.tensor(&mut random, groups, shape);
        // A network that diverges shows it, here too.
        inputs[0].0[number % LANES] = f32::INFINITY;
        lot.fill(input, &inputs);
        let output = lot.room(&mut random, groups, shape);
        // The third step of the pass.
        let first = lot.step(0, 16, 0, [0.0; 2]);
        lot.step(0, 16, 1, [0.0; 2]);
        let count = random.count(0, 1_000_000);
        lot.step(0, 16, count, [0.0; 2]);
        // At the fourth rate the first value's word is the last that is dropped.
        let last = (f64::from(threefry2x32(key.0, [0, count])[0]) + 1.0) / 4_294_967_296.0;
        let rate = [0.5, 1e-9, 1.0 - 1e-12, last][number % 4];
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "as the host")]
        let (threshold, factor) =
            ((rate * 4_294_967_296.0).ceil() as u64 - 1, (1.0 / (1.0 - rate)) as f32);
        let threshold = u32::try_from(threshold).unwrap();
        let job = ElementsJob::new(input.shape()).a(input).c(output);
        let job = job.numbers(0, [key.0[0], key.0[1], threshold, factor.to_bits()]);
        lot.add(job.numbers(1, [first, !0, !0, !0]));
        let [height, width, channels] = shape.map(|x| x as usize);
        let image = Shape { channels, height, width };
        let [mut mask, mut expected] = [(); 2].map(|()| inputs.clone());
        draw_mask(Level::best(), key, count, rate, image, &mut mask);
        dropout(Level::best(), &inputs, &mask, &mut expected);
        lot.expect(output, &expected, |_, _, _| 0.0);
    }
    assert!(lot.word(Memory::Steps) == 24 * 3 * 8);
    lot.check(&gpu, 2..3);
}
