//! One step of any optimizer on a layer's weights or biases.

use super::elements::{Cut, ElementsRecord};
use super::record::{Record as _, device_record};
use super::{Kernel, Memory};
use crate::gpu::shaders::{STEPS, Shader};
use crate::graph::optimizer::{Factors, OptimizerStep};

static SHADER: Shader = Shader::elementwise(
    "optimizer_step",
    include_str!("../../../../shaders/optimizer_step.wgsl"),
    &[STEPS],
    Record::LAYOUT,
);

pub(crate) static KERNEL: Kernel = Kernel {
    name: "optimizer_step",
    shader: &SHADER,
    memories: &[
        Memory::Steps,
        Memory::Tick,
        Memory::Weights,
        Memory::Moments,
        Memory::Gradients,
        Memory::Results,
    ],
};

device_record! {
    /// `Job` of the shader, where its fields are explained.
    pub(crate) struct Record {
        pub(crate) weights: u32,
        pub(crate) row: u32,
        pub(crate) fours: u32,
        pub(crate) columns: u32,
        pub(crate) gradient: u32,
        pub(crate) gradient_row: u32,
        pub(crate) blocks: u32,
        pub(crate) block: u32,
        pub(crate) moment_1: u32,
        pub(crate) moment_2: u32,
        pub(crate) first_step: u32,
        pub(crate) results: u32,
        pub(crate) rule: u32,
        pub(crate) l2: f32,
        pub(crate) reserved_0: u32,
        pub(crate) reserved_1: u32,
        pub(crate) factors: [f32; 4],
    }
}

impl ElementsRecord for Record {
    fn cut(&self) -> Cut {
        Cut::fours(self.fours)
    }
}

impl OptimizerStep {
    /// Learning rate and root of the second moment's bias correction: what changes from step to
    /// step.
    pub(crate) fn changing(self) -> [f32; 2] {
        match self.rule {
            Factors::Adam { root2, .. } => [self.rate, root2],
            _ => [self.rate, 1.0],
        }
    }

    /// The number of the rule in the shader, and the factors that stay.
    pub(crate) fn rule(self) -> (u32, [f32; 4]) {
        match self.rule {
            Factors::Adam { blend1, beta2, blend2, epsilon, .. } => {
                (0, [blend1, beta2, blend2, epsilon])
            }
            Factors::Sgd => (1, [0.0; 4]),
            Factors::Momentum { momentum, nesterov } => {
                (if nesterov { 3 } else { 2 }, [momentum, 0.0, 0.0, 0.0])
            }
            Factors::RmsProp { rho, blend, epsilon, momentum } => {
                (if momentum > 0.0 { 5 } else { 4 }, [rho, blend, epsilon, momentum])
            }
            Factors::AdaGrad { epsilon } => (6, [epsilon, 0.0, 0.0, 0.0]),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::cast_possible_truncation, reason = "factors are f32")]

    use super::super::elements::ElementsJob;
    use super::super::twin::{self, Random};
    use super::super::twin_test::TwinTest;
    use super::*;
    use crate::cpu::lanes::Level;
    use crate::model::{RateSchedule, Recipe, Scope, UpdateRule};

    const RULES: [UpdateRule; 7] = [
        UpdateRule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
        UpdateRule::Sgd { momentum: 0.0, nesterov: false },
        UpdateRule::Sgd { momentum: 0.5, nesterov: false },
        UpdateRule::Sgd { momentum: 0.5, nesterov: true },
        UpdateRule::RmsProp { rho: 0.75, epsilon: 0.5, momentum: 0.0 },
        UpdateRule::RmsProp { rho: 0.75, epsilon: 0.5, momentum: 0.5 },
        UpdateRule::AdaGrad { epsilon: 0.1, learning_rate_decay: 0.5, initial_accumulator: 0.0 },
    ];
    const STEPS: u32 = 3;

    fn recipe(optimizer: UpdateRule, l2: f64) -> Recipe {
        Recipe {
            optimizer,
            learning_rate: 0.01,
            schedule: RateSchedule::Constant,
            l2,
            l2_scope: Scope::Dense,
            batch_size: 1,
        }
    }

    /// Weights: (rows, columns in whole fours) with their moments.
    #[derive(Clone)]
    struct Matrix {
        columns: u32,
        row: u32,
        weights: Vec<f32>,
        moments: [Vec<f32>; 2],
        /// Blocks of the gradient in weights' order.
        blocks: Vec<Vec<f32>>,
    }

    impl Matrix {
        fn new(random: &mut Random, size: [u32; 3], scale: f32) -> Self {
            let [rows, columns, blocks] = size;
            let row = columns.div_ceil(4);
            let mut numbers =
                || -> Vec<f32> { (0..rows * row * 4).map(|_| random.number() * scale).collect() };
            let [weights, first, second] = [(); 3].map(|()| numbers());
            // Of squares: above 0, and of their size.
            let second = second.into_iter().map(|x| scale * 0.5 + x.abs()).collect();
            let blocks = (0..blocks).map(|_| numbers()).collect();
            Self { columns, row, weights, moments: [first, second], blocks }
        }

        /// Puts a job into memory, of which `results` are the network's.
        fn add(
            &self,
            test: &mut TwinTest,
            random: &mut Random,
            recipe: &Recipe,
            results: u32,
        ) -> [u32; 3] {
            // Rows of the gradient may be longer than those of weights.
            let (row, rows) =
                (self.row + random.count(0, 2), self.weights.len() as u32 / 4 / self.row);
            let block = row * rows + random.count(0, 3);
            let mut gradients = vec![f32::NAN; self.blocks.len() * block as usize * 4];
            for (number, values) in self.blocks.iter().enumerate() {
                let own = &mut gradients[number * block as usize * 4..];
                let rows = values.chunks_exact(self.row as usize * 4);
                for (to, values) in own.chunks_mut(row as usize * 4).zip(rows) {
                    to[..values.len()].copy_from_slice(values);
                }
            }
            let gradient = test.numbers(Memory::Gradients, &gradients) / 4;
            let poison = [f32::NAN; 4];
            let mut place = |memory: Memory, numbers: &[f32]| {
                test.numbers(memory, &poison);
                test.numbers(memory, numbers)
            };
            let weights = place(Memory::Weights, &self.weights);
            let [first, second] =
                [0, 1].map(|moment: usize| place(Memory::Moments, &self.moments[moment]));
            let first_step = test.word(Memory::Steps) / 8;
            for step in 1..=STEPS {
                test.step(!0, !0, !0, OptimizerStep::new(recipe, 1, step).changing());
            }
            let (rule, factors) = OptimizerStep::new(recipe, 1, 1).rule();
            test.add(ElementsJob::new(Record {
                weights: weights / 4,
                row: self.row,
                fours: rows * self.row,
                columns: self.columns,
                gradient,
                gradient_row: row,
                blocks: self.blocks.len() as u32,
                block,
                moment_1: first / 4,
                moment_2: second / 4,
                first_step,
                results,
                rule,
                l2: recipe.l2 as f32,
                reserved_0: !0,
                reserved_1: !0,
                factors,
            }));
            [weights, first, second]
        }

        /// The gradient, block by block, and the sum of its magnitudes with the L2 term.
        fn gradient(&self, l2: f32) -> [Vec<f32>; 2] {
            let mut sum = self.blocks[0].clone();
            for block in &self.blocks[1..] {
                sum.iter_mut().zip(block).for_each(|(sum, x)| *sum += x);
            }
            let magnitudes = |at: usize| -> f32 {
                self.blocks.iter().map(|block| block[at].abs()).sum::<f32>()
                    + l2 * self.weights[at].abs()
            };
            [sum, (0..self.weights.len()).map(magnitudes).collect()]
        }
    }

    /// What the twin makes of a matrix, with the tolerances of weights and moments.
    struct Twin {
        after: Matrix,
        tolerances: [Vec<f32>; 3],
        is_finite: bool,
    }

    impl Twin {
        /// All steps, or those until a weight is no finite number.
        fn run(matrix: &Matrix, recipe: &Recipe) -> Self {
            let (mut after, l2) = (matrix.clone(), recipe.l2 as f32);
            let mut tolerances = [(); 3].map(|()| vec![0.0_f32; matrix.weights.len()]);
            let mut is_finite = true;
            for step in 1..=STEPS {
                let [gradient, sizes] = after.gradient(l2);
                let before = after.clone();
                let own = OptimizerStep::new(recipe, 1, step);
                let [first, second] = &mut after.moments;
                own.apply(Level::best(), l2, &mut after.weights, &gradient, first, second);
                for (at, size) in sizes.iter().enumerate() {
                    let [first, second] = [0, 1].map(|moment: usize| after.moments[moment][at]);
                    let moved = (before.moments[0][at].abs() + size, second);
                    let moved =
                        own.changing()[0] * largest_move(recipe, moved, own.changing()[1], *size);
                    tolerances[0][at] += 4e-6 * moved + 1.2e-7 * before.weights[at].abs();
                    tolerances[1][at] += 1e-6 * (first.abs() + size);
                    tolerances[2][at] += 1e-6 * (second + size * size);
                }
                let columns = after.row as usize * 4;
                let real =
                    after.weights.chunks_exact(columns).map(|row| &row[..after.columns as usize]);
                is_finite = real.flatten().all(|weight| weight.is_finite());
                if !is_finite {
                    break;
                }
            }
            Self { after, tolerances, is_finite }
        }

        fn expect(&self, test: &mut TwinTest, places: [u32; 3]) {
            let [first, second] = &self.after.moments;
            for (at, numbers) in [&self.after.weights, first, second].into_iter().enumerate() {
                let memory = if at == 0 { Memory::Weights } else { Memory::Moments };
                test.expect_numbers(memory, places[at], numbers, |n, _| self.tolerances[at][n]);
            }
        }
    }

    /// What a weight moves by over the rate where nothing cancels.
    fn largest_move(recipe: &Recipe, (first, second): (f32, f32), root2: f32, size: f32) -> f32 {
        match recipe.optimizer {
            UpdateRule::Adam { epsilon, .. } => first / (second.sqrt() / root2 + epsilon as f32),
            UpdateRule::Sgd { .. } => first + size,
            UpdateRule::RmsProp { epsilon, .. } => first + size / (second.sqrt() + epsilon as f32),
            UpdateRule::AdaGrad { epsilon, .. } => size / (second.sqrt() + epsilon as f32),
        }
    }

    #[test]
    fn every_rule_gives_what_its_twin_gives() {
        let Some(gpu) = twin::gpu() else { return };
        let (mut random, mut test) = (Random::new(41), TwinTest::new(&KERNEL));
        for number in 0..70 {
            let l2 = if number % 4 < 2 { 0.0 } else { 0.25 };
            let recipe = recipe(RULES[number % 7], l2);
            let size = [random.count(1, 9), random.count(1, 21), random.count(1, 4)];
            let scale = 10.0_f32.powi([0, 0, -3][number % 3]);
            let mut matrix = Matrix::new(&mut random, size, scale);
            if number >= 56 {
                // At the bound below which numbers become 0.
                matrix.blocks.iter_mut().flatten().for_each(|x| *x = 0.0);
                let moments = matrix.moments.iter_mut().flatten();
                moments.chain(&mut matrix.weights).for_each(|x| *x *= 1e-30 / scale);
            }
            if !matrix.columns.is_multiple_of(4) && number % 5 == 0 {
                // Behind the last column stands anything.
                matrix.blocks[0][matrix.columns as usize] = f32::NAN;
            }
            let results = test.words(Memory::Results, &[0, !0]);
            let places = matrix.add(&mut test, &mut random, &recipe, results);
            let twin = Twin::run(&matrix, &recipe);
            assert!(twin.is_finite, "{recipe:?}");
            twin.expect(&mut test, places);
        }
        test.check(&gpu, 0..STEPS);
    }

    #[test]
    fn a_network_that_has_diverged_is_left_alone() {
        let Some(gpu) = twin::gpu() else { return };
        let (mut random, mut test) = (Random::new(42), TwinTest::new(&KERNEL));
        for rule in RULES {
            let size = [random.count(1, 9), random.count(1, 9), random.count(1, 3)];
            let matrix = Matrix::new(&mut random, size, 1.0);
            let results = test.words(Memory::Results, &[1, !0]);
            matrix.add(&mut test, &mut random, &recipe(rule, 0.25), results);
        }
        test.check(&gpu, 0..STEPS);
    }

    #[test]
    fn a_weight_that_is_no_number_stops_its_network_and_no_other() {
        let Some(gpu) = twin::gpu() else { return };
        let (mut random, mut test) = (Random::new(43), TwinTest::new(&KERNEL));
        for (number, rule) in RULES.into_iter().enumerate() {
            for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.5] {
                // One thread's, since the others may or may not see the mark in the same step.
                let size = [1, random.count(1, 4), 2];
                let mut matrix = Matrix::new(&mut random, size, 1.0);
                matrix.blocks[number % 2][number % matrix.columns as usize] = bad;
                let results = test.words(Memory::Results, &[0, !0]);
                let recipe = recipe(rule, 0.0);
                let places = matrix.add(&mut test, &mut random, &recipe, results);
                let twin = Twin::run(&matrix, &recipe);
                assert_eq!(twin.is_finite, bad == 0.5, "{rule:?}");
                twin.expect(&mut test, places);
                test.expect_words(Memory::Results, results, &[u32::from(!twin.is_finite)]);
            }
        }
        test.check(&gpu, 0..STEPS);
    }
}
