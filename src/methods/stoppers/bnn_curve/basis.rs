//! The layer that makes curves: five basis functions of the time, each 0 at the end.
//!
//! Klein, Falkner, Springenberg & Hutter, "Learning curve prediction with Bayesian neural
//! networks", ICLR 2017, figure 3 and equation 3: a curve is its value at the end plus a weighted
//! sum of functions of the time `t` in (0, 1], of which a network gives the parameters for each
//! configuration. The forms and their scaling are those of the authors' `pybnn` (`pybnn/lcnet.py`,
//! its five of the paper), where parameters are sigmoids of what the network gives, weights a
//! softmax, and the value at the end a sigmoid.

/// What the network gives: 13 parameters, 5 weights, the value at the end.
pub(super) const RAW: usize = PARAMETERS + FUNCTIONS + 1;
const PARAMETERS: usize = 13;
const FUNCTIONS: usize = 5;

/// What a curve is linear in: the value at the end, and the weights.
pub(super) const COEFFICIENTS: usize = FUNCTIONS + 1;

/// Of which function each parameter is.
const OWNER: [usize; PARAMETERS] = [0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 4, 4, 4];

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}

/// The functions at a time with given parameters, and their derivatives by their own parameters.
fn functions(theta: &[f64; PARAMETERS], t: f64) -> ([f64; FUNCTIONS], [f64; PARAMETERS]) {
    let log_t = libm::log(t);
    let [a, b, c, ..] = *theta;
    let (now, end) = (libm::exp(-a - b / (10.0 * t) - c * log_t / 10.0), libm::exp(-a - b / 10.0));
    let vapor = now - end;
    let by_vapor = [-vapor, (end - now / t) / 10.0, -now * log_t / 10.0];

    let [_, _, _, a, b, ..] = *theta;
    let power = libm::exp(b * log_t);
    let pow = a * (power - 1.0);
    let by_pow = [power - 1.0, a * power * log_t];

    let [_, _, _, _, _, a, b, c, ..] = *theta;
    let b = b / 10.0;
    let (end, now) = (sigmoid(c * b), sigmoid(c * (b - log_t)));
    let (end_slope, now_slope) = (end * (1.0 - end), now * (1.0 - now));
    let log_power = 2.0 * a * (end - now);
    let by_log_power = [
        2.0 * (end - now),
        2.0 * a * c * (end_slope - now_slope) / 10.0,
        2.0 * a * (end_slope * b - now_slope * (b - log_t)),
    ];

    let [_, _, _, _, _, _, _, _, a, b, ..] = *theta;
    let (end, now) = (libm::exp(-10.0 * a), libm::exp(-10.0 * a * t));
    let exponential = b * (end - now);
    let by_exponential = [10.0 * b * (t * now - end), end - now];

    let [.., a, b, c] = *theta;
    let log_c = libm::log(c.max(f64::MIN_POSITIVE));
    let (now, end) = (sigmoid(b * (log_t - log_c)), sigmoid(-b * log_c));
    let (now_slope, end_slope) = (now * (1.0 - now), end * (1.0 - end));
    let hill = a * (now - end);
    let by_hill = [
        now - end,
        a * (now_slope * (log_t - log_c) + end_slope * log_c),
        a * b / c.max(f64::MIN_POSITIVE) * (end_slope - now_slope),
    ];

    let mut slopes = [0.0; PARAMETERS];
    let all = by_vapor.iter().chain(&by_pow).chain(&by_log_power);
    let all = all.chain(&by_exponential).chain(&by_hill);
    slopes.iter_mut().zip(all).for_each(|(slope, own)| *slope = *own);
    ([vapor, pow, log_power, exponential, hill], slopes)
}

/// The curve of one configuration.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    theta: [f64; PARAMETERS],
    weights: [f64; FUNCTIONS],
    end: f64,
}

impl Shape {
    /// From what the network gives for the configuration.
    pub(super) fn new(raw: &[f64]) -> Self {
        let theta = std::array::from_fn(|at| sigmoid(raw[at]));
        let logits = &raw[PARAMETERS..PARAMETERS + FUNCTIONS];
        let largest = logits.iter().fold(f64::NEG_INFINITY, |most, logit| most.max(*logit));
        let mut weights: [f64; FUNCTIONS] = std::array::from_fn(|k| libm::exp(logits[k] - largest));
        let total: f64 = weights.iter().sum();
        for weight in &mut weights {
            *weight /= total;
        }
        Self { theta, weights, end: sigmoid(raw[RAW - 1]) }
    }

    /// What a time multiplies the coefficients by: 1 for the value at the end, and the functions.
    pub(super) fn row(&self, t: f64) -> [f64; COEFFICIENTS] {
        let (values, _) = functions(&self.theta, t);
        std::array::from_fn(|at| if at == 0 { 1.0 } else { values[at - 1] })
    }

    /// The value at the end, and the weights of the functions.
    #[cfg(test)]
    pub(super) fn coefficients(&self) -> [f64; COEFFICIENTS] {
        std::array::from_fn(|at| if at == 0 { self.end } else { self.weights[at - 1] })
    }

    /// The curve at a time, and in `slopes` its derivatives by what the network gave.
    pub(super) fn at(&self, t: f64, slopes: &mut [f64; RAW]) -> f64 {
        let Self { theta, weights, end } = self;
        let (values, own) = functions(theta, t);
        let sum: f64 = weights.iter().zip(values).map(|(weight, value)| weight * value).sum();
        for at in 0..PARAMETERS {
            slopes[at] = weights[OWNER[at]] * own[at] * theta[at] * (1.0 - theta[at]);
        }
        for k in 0..FUNCTIONS {
            slopes[PARAMETERS + k] = weights[k] * (values[k] - sum);
        }
        slopes[RAW - 1] = end * (1.0 - end);
        end + sum
    }
}
