//! Losses: means over what a network answers. Each replaces `gradient` by its derivative by the
//! outputs and returns its value; that of nothing is NaN.

/// The number of outputs.
#[expect(clippy::cast_precision_loss, reason = "some thousands")]
fn count_of(outputs: &[f64]) -> f64 {
    outputs.len() as f64
}

/// The mean of a loss of each output's error (output less target).
fn mean_of(
    outputs: &[f64],
    targets: &[f64],
    gradient: &mut Vec<f64>,
    loss: impl Fn(f64) -> (f64, f64),
) -> f64 {
    assert_eq!(outputs.len(), targets.len(), "a target an output");
    let share = 1.0 / count_of(outputs);
    let mut sum = 0.0;
    gradient.clear();
    gradient.extend(outputs.iter().zip(targets).map(|(output, target)| {
        let (value, slope) = loss(output - target);
        sum += value;
        slope * share
    }));
    sum / count_of(outputs)
}

/// The mean absolute error (`PyTorch`: `L1Loss`); its derivative at 0 is 0.
///
/// # Panics
/// Where there are not as many targets as outputs.
pub fn absolute(outputs: &[f64], targets: &[f64], gradient: &mut Vec<f64>) -> f64 {
    let sign = |error: f64| if error == 0.0 { 0.0 } else { error.signum() };
    mean_of(outputs, targets, gradient, |error| (error.abs(), sign(error)))
}

/// The mean squared error (`PyTorch`: `MSELoss`).
///
/// # Panics
/// Where there are not as many targets as outputs.
pub fn squared(outputs: &[f64], targets: &[f64], gradient: &mut Vec<f64>) -> f64 {
    mean_of(outputs, targets, gradient, |error| (error * error, 2.0 * error))
}

/// Half the mean of `ln v + (mean - target)^2 / v` of outputs that come in pairs, a mean and the
/// logarithm of a variance `v` for each target: the negative logarithm of a normal density, but
/// for a constant (`PyTorch`: `GaussianNLLLoss` of `exp` of the second).
///
/// # Panics
/// Where there are not two outputs a target.
pub fn gaussian(outputs: &[f64], targets: &[f64], gradient: &mut Vec<f64>) -> f64 {
    assert_eq!(outputs.len(), 2 * targets.len(), "a mean and a log variance a target");
    let share = 1.0 / count_of(targets);
    let mut sum = 0.0;
    gradient.clear();
    for (output, target) in outputs.as_chunks::<2>().0.iter().zip(targets) {
        let [mean, log_variance] = *output;
        let error = mean - target;
        let scaled = error * libm::exp(-log_variance);
        sum += 0.5 * (log_variance + error * scaled);
        gradient.push(scaled * share);
        gradient.push(0.5 * (1.0 - error * scaled) * share);
    }
    sum / count_of(targets)
}
