//! How far candidates lie from the best, and what they are compared by.

/// Where the radius begins, and the most it is.
const RADIUS_MAX: f64 = 0.2;
/// Where it has become too small.
const RADIUS_MIN: f64 = RADIUS_MAX / 64.0;
/// Improvements in a row that double it.
const SUCCESSES: i32 = 3;
/// An improvement is by more than this share of the best.
const GAIN_MIN: f64 = 1e-3;

/// The radius, and the results that move it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Steps {
    radius: f64,
    /// Failures in a row that halve it.
    failures_max: i32,
    /// Improvements in a row, or minus failures in a row, since it changed.
    status: i32,
    /// Failures since the last improvement.
    failures: i32,
    best: f64,
    /// The first trial that began after it changed: those before say nothing about it.
    since_trial: u32,
}

impl Steps {
    pub(super) fn new(parameters: usize) -> Self {
        let failures_max = i32::try_from(parameters.max(4)).expect("few parameters");
        Self {
            radius: RADIUS_MAX,
            failures_max,
            status: 0,
            failures: 0,
            best: f64::INFINITY,
            since_trial: 0,
        }
    }

    pub(super) fn radius(&self) -> f64 {
        self.radius
    }

    /// Whether pySOT would start over.
    pub(super) fn is_converged(&self) -> bool {
        self.failures >= 4 * self.failures_max || self.radius <= RADIUS_MIN
    }

    /// A trial of the model has reported a loss, infinite where it reports nothing; so many trials
    /// have begun by now.
    pub(super) fn result(&mut self, trial: u32, loss: f64, begun: u32) {
        if trial < self.since_trial {
            return;
        }
        let bar = if self.best.is_finite() {
            self.best - GAIN_MIN * self.best.abs()
        } else {
            f64::INFINITY
        };
        if loss < bar {
            self.best = loss;
            self.status = self.status.max(0) + 1;
            self.failures = 0;
        } else {
            self.status = self.status.min(0) - 1;
            self.failures += 1;
        }
        let radius = if self.status <= -self.failures_max {
            (self.radius / 2.0).max(RADIUS_MIN)
        } else if self.status >= SUCCESSES {
            (self.radius * 2.0).min(RADIUS_MAX)
        } else {
            return;
        };
        self.radius = radius;
        self.status = 0;
        self.since_trial = begun;
    }
}

/// Numbers from 0 to 1 in the place of some; all 1 where they are equal.
fn rescaled(numbers: &[f64]) -> Vec<f64> {
    let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let high = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let rescale = |x: &f64| if high > low { (x - low) / (high - low) } else { 1.0 };
    numbers.iter().map(rescale).collect()
}

/// What candidates are compared by, the least is best: `weight` times the predicted loss and `1 -
/// weight` times the nearness, both rescaled. Infinite where the distance is less than `least`.
pub(super) fn merits(losses: &[f64], distances: &[f64], weight: f64, least: f64) -> Vec<f64> {
    let both = rescaled(losses).into_iter().zip(rescaled(distances)).zip(distances);
    both.map(|((loss, far), distance)| {
        let merit = weight * loss + (1.0 - weight) * (1.0 - far);
        if *distance < least { f64::INFINITY } else { merit }
    })
    .collect()
}
