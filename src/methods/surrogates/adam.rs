//! Adam (Kingma & Ba, "Adam: a method for stochastic optimization", 2015) on parameters of f32, in
//! the form and with the constants of `torch.optim.Adam`.

use super::products::wide;

const FIRST_DECAY: f32 = 0.9;
const SECOND_DECAY: f32 = 0.999;
const EPSILON: f32 = 1e-8;

/// The moments of each parameter.
#[derive(Debug, Clone)]
pub struct Adam {
    rate: f64,
    steps: i32,
    first: Vec<f32>,
    second: Vec<f32>,
}

impl Adam {
    /// An optimiser of `count` parameters that has not taken a step.
    pub fn new(count: usize, rate: f64) -> Self {
        Self { rate, steps: 0, first: vec![0.0; count], second: vec![0.0; count] }
    }

    /// Moves the parameters against their gradients.
    ///
    /// # Panics
    /// Where there are not as many as there were.
    pub fn step(&mut self, parameters: &mut [f32], gradients: &[f32]) {
        let count = self.first.len();
        assert!(parameters.len() == count && gradients.len() == count, "a gradient a parameter");
        self.steps += 1;
        let steps = f64::from(self.steps);
        let first_left = 1.0 - libm::pow(0.9, steps);
        let second_left = 1.0 - libm::pow(0.999, steps);
        #[expect(clippy::cast_possible_truncation, reason = "the parameters' precision")]
        let (rate, root) = ((self.rate / first_left) as f32, second_left.sqrt() as f32);
        let Self { first, second, .. } = self;
        wide(
            #[inline(always)]
            || {
                let moments = first.iter_mut().zip(second);
                let all = parameters.iter_mut().zip(gradients).zip(moments);
                for ((parameter, gradient), (first, second)) in all {
                    *first += (1.0 - FIRST_DECAY) * (gradient - *first);
                    *second = SECOND_DECAY * *second + (1.0 - SECOND_DECAY) * (gradient * gradient);
                    *parameter -= rate * (*first / (second.sqrt() / root + EPSILON));
                }
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_steps_are_of_the_rates_length() {
        let mut adam = Adam::new(3, 0.01);
        let mut parameters = [1.0, 1.0, 1.0];
        adam.step(&mut parameters, &[5.0, -0.001, 0.0]);
        for (found, expected) in parameters.iter().zip([0.99, 1.01, 1.0]) {
            assert!((found - expected).abs() < 2e-6, "{parameters:?}");
        }
    }
}
