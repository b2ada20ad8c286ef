//! Adam (Kingma and Ba, ICLR 2015), as `PyTorch` 2 computes it, with an L2 term.

#![expect(clippy::cast_possible_truncation, reason = "factors are worked out in f64, used in f32")]

use super::softmax_cross_entropy::FLUSH;
use crate::model::Recipe;

/// The factors of one step.
#[derive(Debug, Clone, Copy)]
pub(super) struct AdamStep {
    blend1: f32,
    beta2: f32,
    blend2: f32,
    epsilon: f32,
    /// Learning rate over the first moment's bias correction.
    step_size: f32,
    /// Root of the second moment's bias correction.
    root2: f32,
}

impl AdamStep {
    /// Factors of step `step` (from 1).
    pub(super) fn new(recipe: &Recipe, step: u32) -> Self {
        let correction1 = 1.0 - libm::pow(recipe.beta1, f64::from(step));
        let correction2 = 1.0 - libm::pow(recipe.beta2, f64::from(step));
        Self {
            blend1: (1.0 - recipe.beta1) as f32,
            beta2: recipe.beta2 as f32,
            blend2: (1.0 - recipe.beta2) as f32,
            epsilon: recipe.epsilon as f32,
            step_size: (recipe.learning_rate / correction1) as f32,
            root2: correction2.sqrt() as f32,
        }
    }

    /// Updates `weights` and both moments; the gradient gains `l2` x weight. Moments below 2^-100
    /// become 0. Returns whether every weight is still finite.
    pub(super) fn apply(
        self,
        l2: f32,
        weights: &mut [f32],
        gradient: &[f32],
        moment1: &mut [f32],
        moment2: &mut [f32],
    ) -> bool {
        let flushed = |x: f32| if x.abs() < FLUSH { 0.0 } else { x };
        let mut is_finite = true;
        let moments = moment1.iter_mut().zip(moment2);
        for ((weight, &gradient), (m, v)) in weights.iter_mut().zip(gradient).zip(moments) {
            let g = gradient + l2 * *weight;
            *m = flushed(*m + self.blend1 * (g - *m));
            *v = flushed(*v * self.beta2 + self.blend2 * g * g);
            *weight -= self.step_size * (*m / (v.sqrt() / self.root2 + self.epsilon));
            is_finite &= weight.is_finite();
        }
        is_finite
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::Scope;

    const RECIPE: Recipe = Recipe {
        learning_rate: 0.1,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        l2: 0.5,
        l2_scope: Scope::Dense,
        batch_size: 1,
    };

    #[test]
    fn the_first_step_moves_by_the_learning_rate_against_the_gradient() {
        let (mut w, mut m, mut v) = ([1.0, -2.0, 0.0], [0.0; 3], [0.0; 3]);
        assert!(AdamStep::new(&RECIPE, 1).apply(0.0, &mut w, &[0.3, -7.0, 0.0], &mut m, &mut v));
        for (found, expected) in w.iter().zip([0.9_f32, -1.9, 0.0]) {
            assert!((found - expected).abs() < 1e-6, "{w:?}");
        }
    }

    #[test]
    fn l2_pulls_weights_towards_zero() {
        let (mut w, mut m, mut v) = ([1.0, -2.0], [0.0; 2], [0.0; 2]);
        AdamStep::new(&RECIPE, 1).apply(0.5, &mut w, &[0.0, 0.0], &mut m, &mut v);
        assert!(w[0] < 1.0 && w[1] > -2.0, "{w:?}");
        assert!((m[0] - 0.05).abs() < 1e-7, "the gradient of l2 / 2 w^2 is l2 w");
    }

    #[test]
    fn tiny_moments_become_zero_and_infinity_is_told() {
        let (mut w, mut m, mut v) = ([1.0], [1e-30], [1e-30]);
        AdamStep::new(&RECIPE, 900).apply(0.0, &mut w, &[0.0], &mut m, &mut v);
        assert!(m[0] > 0.0 && v[0] > 0.0, "above 2^-100 = 7.9e-31");
        let (mut m, mut v) = ([8e-31], [7.8e-31]);
        AdamStep::new(&RECIPE, 900).apply(0.0, &mut w, &[0.0], &mut m, &mut v);
        assert_eq!((m, v), ([0.0], [0.0]));
        let step = AdamStep::new(&RECIPE, 1);
        assert!(!step.apply(0.0, &mut w, &[f32::NAN], &mut m, &mut v));
    }
}
