//! The hyperparameters with the largest likelihood under a prior.

use super::{Curve, FreezeThaw, Hyperparameters};
use crate::kit::lbfgs::{Settings, minimise};

/// A hyperparameter's logarithm: the mean of its normal prior, and how far it may go. Deviations
/// are 1.
const LENGTHSCALE: (f64, f64) = (-0.7, 5.0);
const SCALE: (f64, f64) = (0.0, 5.0);
const DECAY: (f64, f64) = (0.0, 5.0);
const ALPHA: (f64, f64) = (0.0, 4.0);
const BETA: (f64, f64) = (0.0, 5.0);
const NOISE: (f64, f64) = (-6.0, 6.0);

/// Half the step of differences.
const STEP: f64 = 1e-4;

/// Quasi-Newton steps.
const STEPS_MAX: usize = 30;

/// The priors of the logarithms, in their order.
fn priors(width: usize) -> Vec<(f64, f64)> {
    let rest = [SCALE, DECAY, ALPHA, BETA, NOISE];
    std::iter::repeat_n(LENGTHSCALE, width).chain(rest).collect()
}

fn of_logs(logs: &[f64], mean: f64) -> Hyperparameters {
    let (lengths, rest) = logs.split_at(logs.len() - 5);
    let [scale, decay, alpha, beta, noise] = std::array::from_fn(|at| libm::exp(rest[at]));
    let lengthscales = lengths.iter().map(|log| libm::exp(*log)).collect();
    Hyperparameters { lengthscales, scale, mean, decay, alpha, beta, noise }
}

/// The hyperparameters that explain some curves best, whose values have a deviation of about 1, by
/// L-BFGS on central differences from `start` (the logarithms that an earlier fit ended with), or
/// else the priors' means. Asymptotes have the mean of the curves' last values. Also the
/// logarithms, for the next fit. `None` where even the start has no likelihood.
pub fn fit(
    curves: &[Curve],
    width: usize,
    start: Option<&[f64]>,
) -> Option<(Hyperparameters, Vec<f64>)> {
    let priors = priors(width);
    #[expect(clippy::cast_precision_loss, reason = "curves are few")]
    let count = curves.len() as f64;
    let last = |curve: &Curve| curve.values.last().map_or(0.0, |(_, y)| *y);
    let mean = curves.iter().map(last).sum::<f64>() / count;
    let loss = |logs: &[f64]| {
        let off = logs.iter().zip(&priors).map(|(log, (mean, _))| (log - mean) * (log - mean));
        let model = FreezeThaw::new(of_logs(logs, mean), curves);
        model.map_or(f64::INFINITY, |model| 0.5 * off.sum::<f64>() - model.log_likelihood())
    };
    let start: Vec<f64> =
        start.map_or_else(|| priors.iter().map(|(mean, _)| *mean).collect(), <[f64]>::to_vec);
    let bounds: Vec<(f64, f64)> =
        priors.iter().map(|(mean, reach)| (mean - reach, mean + reach)).collect();
    let found = minimise(
        |logs, gradient| {
            let mut shifted = logs.to_vec();
            for (at, slope) in gradient.iter_mut().enumerate() {
                shifted[at] = logs[at] + STEP;
                let above = loss(&shifted);
                shifted[at] = logs[at] - STEP;
                *slope = (above - loss(&shifted)) / (2.0 * STEP);
                shifted[at] = logs[at];
            }
            loss(logs)
        },
        &start,
        &bounds,
        &Settings { steps_max: STEPS_MAX, gradient_tolerance: 1e-2, ..Settings::default() },
    );
    found.value.is_finite().then(|| (of_logs(&found.point, mean), found.point))
}
