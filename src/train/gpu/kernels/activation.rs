//! Pointwise functions of layers, in place.

use bytemuck::Zeroable;

use super::elements::{Cut, ElementsJob, ElementsRecord};
use super::record::{Record as _, device_record};
use super::tensor::Tensor;
use super::{Kernel, Memory};
use crate::gpu::shaders::{ACTIVATION, EXPONENTIAL, Shader};
use crate::model::Activation;

static SHADER: Shader = Shader::elementwise(
    "activation",
    include_str!("../../../../shaders/activation.wgsl"),
    &[EXPONENTIAL, ACTIVATION],
    Record::LAYOUT,
);

pub(crate) static KERNEL: Kernel =
    Kernel { name: "activation", shader: &SHADER, memories: &[Memory::Values] };

device_record! {
    /// `Job` of the shader, where its fields are explained.
    pub(crate) struct Record {
        pub(crate) shape: [u32; 4],
        pub(crate) a: [u32; 4],
        pub(crate) function: u32,
        pub(crate) reserved_0: u32,
        pub(crate) reserved_1: u32,
        pub(crate) reserved_2: u32,
    }
}

impl ElementsRecord for Record {
    fn cut(&self) -> Cut {
        Cut::by_shape(self.shape)
    }
}

/// `a = function(a)`.
pub(crate) fn job(a: Tensor, function: Activation) -> ElementsJob<Record> {
    let (shape, place, function) = (a.shape(), a.place(), number(function));
    ElementsJob::new(Record { shape, a: place, function, ..Record::zeroed() }).on([a])
}

/// The number of a function in `shaders/shared/activation.wgsl`.
pub(crate) fn number(activation: Activation) -> u32 {
    match activation {
        Activation::Linear => 0,
        Activation::Relu => 1,
        Activation::LeakyRelu => 2,
        Activation::Elu => 3,
        Activation::Tanh => 4,
        Activation::Sigmoid => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::super::twin::{self, Random};
    use super::super::twin_test::{FUNCTIONS, TwinTest, of_function, shape};
    use super::*;
    use crate::cpu::activation::activation;
    use crate::cpu::lanes::{LANES, Lanes, Level};

    #[test]
    fn activation_gives_what_its_twin_gives() {
        let Some(gpu) = twin::gpu() else { return };
        let (mut random, mut test) = (Random::new(1), TwinTest::new(&KERNEL));
        for number in 0..48 {
            let (groups, function) = (random.count(1, 3), FUNCTIONS[number % 6]);
            let shape = shape(&mut random);
            let (tensor, mut numbers) = test.tensor(&mut random, groups, shape);
            // From the smallest numbers to those where the functions end.
            let scale = 10.0_f32.powi(i32::try_from(random.count(0, 8)).unwrap() - 6);
            for lanes in &mut numbers {
                lanes.0 = lanes.0.map(|x| x * scale);
            }
            test.fill(tensor, &numbers);
            test.add(job(tensor, function));
            activation(Level::best(), function, &mut numbers);
            test.expect(tensor, &numbers, of_function(function));
        }
        test.check(&gpu, 0..1);
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
        let references: [fn(f64) -> f64; 3] = [
            |x| if x > 0.0 { x } else { libm::expm1(x) },
            libm::tanh,
            |x| 1.0 / (1.0 + libm::exp(-x)),
        ];
        let (mut random, mut test) = (Random::new(2), TwinTest::new(&KERNEL));
        let numbers = magnitudes();
        for (function, reference) in FUNCTIONS[3..].iter().zip(references) {
            let count = u32::try_from(numbers.len()).unwrap();
            let tensor = test.room(&mut random, 1, [1, 1, count]);
            test.fill(tensor, &numbers);
            test.add(job(tensor, *function));
            #[expect(clippy::cast_possible_truncation, reason = "results are f32")]
            let wide = |lanes: &Lanes| Lanes(lanes.0.map(|x| reference(x.into()) as f32));
            let expected: Vec<Lanes> = numbers.iter().map(wide).collect();
            // A rounding of the reference on top.
            test.expect(tensor, &expected, |_, _, reference| 4.6e-7 * reference.abs() + 1e-37);
        }
        test.check(&gpu, 0..1);
    }

    #[test]
    fn nan_stays_nan_under_every_function() {
        let Some(gpu) = twin::gpu() else { return };
        let (mut random, mut test) = (Random::new(3), TwinTest::new(&KERNEL));
        for function in &FUNCTIONS {
            let tensor = test.room(&mut random, 1, [1, 1, 1]);
            test.add(job(tensor, *function));
            test.expect(tensor, &[Lanes([f32::NAN; LANES])], |_, _, _| 0.0);
        }
        test.check(&gpu, 0..1);
    }
}
