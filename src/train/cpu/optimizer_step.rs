//! One step of Adam, SGD, `RMSprop` or `AdaGrad`, as `PyTorch` 2 computes them, with an L2 term.
//!
//! With weight w, gradient g (the L2 term l2 x w included), moments m and v, step t from 1, and
//! the epoch's learning rate r:
//!
//! ```text
//! adam      m += (1 - beta1)(g - m);  v = beta2 v + (1 - beta2) g g
//!           w -= r / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon)
//! sgd       m = momentum m + g;  w -= r m            (r g where momentum is 0,
//!                                                     r (g + momentum m) with Nesterov)
//! rmsprop   v = rho v + (1 - rho) g g;  m = momentum m + g / (sqrt(v) + epsilon);  w -= r m
//! adagrad   v += g g;  w -= r / (1 + (t - 1) decay) g / (sqrt(v) + epsilon)
//! ```
//!
//! Each weight stands for itself: there is no reduction but whether all stay finite. Moments
//! below 2^-100 become 0. So do SGD's, `RMSprop`'s and `AdaGrad`'s weights, which L2 would
//! otherwise shrink into denormals, step by step; under Adam the flushed moment stops that.

use super::lanes::Level;
use crate::graph::optimizer::{Factors, OptimizerStep, flushed};

impl OptimizerStep {
    /// Updates `weights` and the moments that the optimizer uses; the gradient gains `l2` x
    /// weight. Returns whether every weight is still finite.
    pub(crate) fn apply(
        self,
        level: Level,
        l2: f32,
        weights: &mut [f32],
        gradient: &[f32],
        moment1: &mut [f32],
        moment2: &mut [f32],
    ) -> bool {
        level.wide(
            #[inline(always)]
            || self.update(l2, weights, gradient, moment1, moment2),
        )
    }

    #[inline(always)]
    fn update(
        self,
        l2: f32,
        weights: &mut [f32],
        gradient: &[f32],
        moment1: &mut [f32],
        moment2: &mut [f32],
    ) -> bool {
        let rate = self.rate;
        let (first, second) = (moment1.iter_mut(), moment2.iter_mut());
        match self.rule {
            Factors::Adam { blend1, beta2, blend2, epsilon, root2 } => {
                each(l2, weights, gradient, first.zip(second), |w, g, (m, v)| {
                    *m = flushed(*m + blend1 * (g - *m));
                    *v = flushed(*v * beta2 + blend2 * g * g);
                    w - rate * (*m / (v.sqrt() / root2 + epsilon))
                })
            }
            Factors::Sgd => {
                // Counts along without a look at any moment.
                let nothing = first.map(|_| ());
                each(l2, weights, gradient, nothing, |w, g, ()| flushed(w - rate * g))
            }
            Factors::Momentum { momentum, nesterov: false } => {
                each(l2, weights, gradient, first, |w, g, m| {
                    *m = flushed(momentum * *m + g);
                    flushed(w - rate * *m)
                })
            }
            Factors::Momentum { momentum, nesterov: true } => {
                each(l2, weights, gradient, first, |w, g, m| {
                    *m = flushed(momentum * *m + g);
                    flushed(w - rate * (g + momentum * *m))
                })
            }
            Factors::RmsProp { rho, blend, epsilon, momentum } if momentum > 0.0 => {
                each(l2, weights, gradient, first.zip(second), |w, g, (m, v)| {
                    *v = flushed(*v * rho + blend * g * g);
                    *m = flushed(momentum * *m + g / (v.sqrt() + epsilon));
                    flushed(w - rate * *m)
                })
            }
            Factors::RmsProp { rho, blend, epsilon, .. } => {
                each(l2, weights, gradient, second, |w, g, v| {
                    *v = flushed(*v * rho + blend * g * g);
                    flushed(w - rate * (g / (v.sqrt() + epsilon)))
                })
            }
            Factors::AdaGrad { epsilon } => each(l2, weights, gradient, second, |w, g, v| {
                *v = flushed(*v + g * g);
                flushed(w - rate * (g / (v.sqrt() + epsilon)))
            }),
        }
    }
}

/// Gives every weight the value that `rule` makes of it, its gradient and its state; whether all
/// are finite.
#[inline(always)]
fn each<S>(
    l2: f32,
    weights: &mut [f32],
    gradient: &[f32],
    state: impl Iterator<Item = S>,
    rule: impl Fn(f32, f32, S) -> f32,
) -> bool {
    let mut is_finite = true;
    for ((weight, &gradient), state) in weights.iter_mut().zip(gradient).zip(state) {
        *weight = rule(*weight, gradient + l2 * *weight, state);
        is_finite &= weight.is_finite();
    }
    is_finite
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::optimizer::initial_moment2;
    use crate::model::{RateSchedule, Recipe, Scope, UpdateRule};

    const ADAM: UpdateRule = UpdateRule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
    const SGD: UpdateRule = UpdateRule::Sgd { momentum: 0.0, nesterov: false };
    const MOMENTUM: UpdateRule = UpdateRule::Sgd { momentum: 0.5, nesterov: false };
    const NESTEROV: UpdateRule = UpdateRule::Sgd { momentum: 0.5, nesterov: true };
    const RMSPROP: UpdateRule = UpdateRule::RmsProp { rho: 0.75, epsilon: 0.5, momentum: 0.0 };
    const RMSPROP_MOMENTUM: UpdateRule =
        UpdateRule::RmsProp { rho: 0.75, epsilon: 0.5, momentum: 0.5 };
    const ADAGRAD: UpdateRule = adagrad(0.0, 0.0);
    const ALL: [UpdateRule; 7] =
        [ADAM, SGD, MOMENTUM, NESTEROV, RMSPROP, RMSPROP_MOMENTUM, ADAGRAD];

    const fn adagrad(learning_rate_decay: f64, initial_accumulator: f64) -> UpdateRule {
        UpdateRule::AdaGrad { epsilon: 1.0, learning_rate_decay, initial_accumulator }
    }

    fn recipe(optimizer: UpdateRule) -> Recipe {
        Recipe {
            optimizer,
            learning_rate: 0.1,
            schedule: RateSchedule::Constant,
            l2: 0.0,
            l2_scope: Scope::Dense,
            batch_size: 1,
        }
    }

    /// A weight of 1 after each of three steps with gradients 2, -1, 4.
    fn path(optimizer: UpdateRule) -> [f32; 3] {
        let recipe = recipe(optimizer);
        let (mut w, mut m, mut v) = ([1.0], [0.0], [initial_moment2(&recipe)]);
        [(1, 2.0), (2, -1.0), (3, 4.0)].map(|(step, g)| {
            let step = OptimizerStep::new(&recipe, 1, step);
            assert!(step.apply(Level::best(), 0.0, &mut w, &[g], &mut m, &mut v));
            w[0]
        })
    }

    fn assert_path(optimizer: UpdateRule, expected: [f32; 3]) {
        let found = path(optimizer);
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{optimizer:?}: {found}, not {expected}");
        }
    }

    #[test]
    fn descent_by_hand() {
        assert_path(SGD, [0.8, 0.9, 0.5]);
        // m = 2, 0.5 x 2 - 1 = 0, 4
        assert_path(MOMENTUM, [0.8, 0.8, 0.4]);
        // g + m / 2 = 3, -1, 6
        assert_path(NESTEROV, [0.7, 0.8, 0.2]);
        assert_path(UpdateRule::Sgd { momentum: 0.0, nesterov: true }, [0.8, 0.9, 0.5]);
    }

    #[test]
    fn rmsprop_by_hand() {
        // v = 1, 0.75 + 0.25 = 1, 0.75 + 4 = 4.75; g / (sqrt(v) + 0.5) = 4/3, -2/3, 4 / 2.6794495
        let last = 4.0 / 2.679_449_5;
        let third = 1.0_f32 / 3.0;
        let w = [1.0 - 0.4 * third, 1.0 - 0.2 * third];
        assert_path(RMSPROP, [w[0], w[1], w[1] - 0.1 * last]);
        // m = 4/3, 2/3 - 2/3 = 0, last
        assert_path(RMSPROP_MOMENTUM, [w[0], w[0], w[0] - 0.1 * last]);
    }

    #[test]
    fn adagrad_by_hand() {
        // v = 4, 5, 21; g / (sqrt(v) + 1) = 2/3, -1 / 3.2360680, 4 / 5.5825757
        let moves = [2.0_f32 / 3.0, -1.0 / 3.236_068, 4.0 / 5.582_576];
        let w1 = 1.0 - 0.1 * moves[0];
        let w2 = w1 - 0.1 * moves[1];
        assert_path(ADAGRAD, [w1, w2, w2 - 0.1 * moves[2]]);
        // With v from 5: 9, 10, 26; the rate is 0.1 over 1, 1.5, 2.
        let moves = [2.0_f32 / 4.0, -1.0 / 4.162_277_7, 4.0 / 6.099_019_5];
        let w1 = 1.0 - 0.1 * moves[0];
        let w2 = w1 - 0.1 / 1.5 * moves[1];
        assert_path(adagrad(0.5, 5.0), [w1, w2, w2 - 0.05 * moves[2]]);
    }

    #[test]
    fn adam_by_hand() {
        // m = 0.2, 0.08, 0.472 over 0.1, 0.19, 0.271;
        // v = 0.004, 0.004996, 0.020991004 over 0.001, 0.001999, 0.002997001
        let w1 = 0.9;
        let w2 = w1 - 0.1 * (0.08 / 0.19) / (0.004_996_f32 / 0.001_999).sqrt();
        let w3 = w2 - 0.1 * (0.472 / 0.271) / (0.020_991_004_f32 / 0.002_997_001).sqrt();
        assert_path(ADAM, [w1, w2, w3]);
    }

    #[test]
    fn the_schedule_sets_the_rate_of_every_optimizer() {
        for optimizer in ALL {
            let mut recipe = recipe(optimizer);
            recipe.schedule = RateSchedule::Step { epochs: 1, gamma: 0.25 };
            let moved = [1, 2].map(|epoch| {
                let (mut w, mut m, mut v) = ([0.0], [0.0], [0.0]);
                OptimizerStep::new(&recipe, epoch, 1).apply(
                    Level::best(),
                    0.0,
                    &mut w,
                    &[1.0],
                    &mut m,
                    &mut v,
                );
                w[0]
            });
            assert!((moved[1] / moved[0] - 0.25).abs() < 1e-6, "{optimizer:?}: {moved:?}");
            // Far below what f32 holds: nothing moves, and nothing is denormal.
            let (mut w, mut m, mut v) = ([1.0], [0.0], [0.0]);
            recipe.schedule = RateSchedule::Exponential { gamma: 0.1 };
            OptimizerStep::new(&recipe, 40, 1).apply(
                Level::best(),
                0.0,
                &mut w,
                &[1.0],
                &mut m,
                &mut v,
            );
            assert_eq!((w, OptimizerStep::new(&recipe, 40, 1).rate), ([1.0], 0.0));
        }
    }

    #[test]
    fn l2_is_a_gradient_of_l2_times_the_weight() {
        for optimizer in ALL {
            let step = OptimizerStep::new(&recipe(optimizer), 1, 1);
            let (mut pulled, mut m, mut v) = ([1.0, -2.0], [0.0; 2], [0.0; 2]);
            step.apply(Level::best(), 0.5, &mut pulled, &[0.0, 0.25], &mut m, &mut v);
            let (mut told, mut m, mut v) = ([1.0, -2.0], [0.0; 2], [0.0; 2]);
            step.apply(Level::best(), 0.0, &mut told, &[0.5, -0.75], &mut m, &mut v);
            assert_eq!(pulled, told, "{optimizer:?}");
            assert!(pulled[0] < 1.0 && pulled[1] > -2.0, "{optimizer:?}: towards zero");
        }
    }

    #[test]
    fn tiny_moments_become_zero_and_infinity_is_told() {
        for optimizer in ALL {
            let step = OptimizerStep::new(&recipe(optimizer), 1, 900);
            let (mut w, mut m, mut v) = ([1.0], [1e-29], [1e-29]);
            step.apply(Level::best(), 0.0, &mut w, &[0.0], &mut m, &mut v);
            assert!(m[0] > 0.0 && v[0] > 0.0, "above 2^-100 = 7.9e-31");
            // All but plain descent have at least one moment, which here falls below the bound.
            let (mut m, mut v) = ([7.8e-31], [7.8e-31]);
            step.apply(Level::best(), 0.0, &mut w, &[0.0], &mut m, &mut v);
            let kept = usize::from(m[0] > 0.0) + usize::from(v[0] > 0.0);
            let unused = match optimizer {
                ADAM | RMSPROP_MOMENTUM => 0,
                SGD => 2,
                _ => 1,
            };
            assert_eq!(kept, unused, "{optimizer:?}");
            for bad in [f32::NAN, f32::INFINITY] {
                let (mut w, mut m, mut v) = ([1.0, 1.0], [0.0; 2], [0.0; 2]);
                assert!(
                    !step.apply(Level::best(), 0.0, &mut w, &[bad, 0.0], &mut m, &mut v),
                    "{optimizer:?}"
                );
            }
        }
    }

    #[test]
    fn l2_alone_shrinks_weights_to_zero_and_never_to_denormals() {
        // l2 x rate / epsilon stays below 2, so that weights shrink by a factor at each step.
        for optimizer in &ALL[1..] {
            let step = OptimizerStep::new(&recipe(*optimizer), 1, 1);
            let (mut w, mut m, mut v) = ([1e-20], [0.0], [0.0]);
            for _ in 0..5_000 {
                step.apply(Level::best(), 1.0, &mut w, &[0.0], &mut m, &mut v);
                assert!([w[0], m[0], v[0]].iter().all(|x| *x == 0.0 || x.is_normal()));
            }
            assert_eq!(w, [0.0], "{optimizer:?}");
        }
    }
}
