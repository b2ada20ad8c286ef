//! How far the kernels of numbers reach, and what they weigh.

/// Observations that weigh 1, the newest; older ones weigh less (hyperopt: `linear_forgetting`).
pub(super) const FORGETTING: usize = 25;

/// Whose deviations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Optuna's from 4.9 on: the prior is no neighbour.
    Optuna,
    /// hyperopt's: the prior is a neighbour, and a single observation has deviation 1/2.
    Hyperopt,
}

/// The weights of `count` observations, the oldest first: 1 for the newest 25, and for those before
/// an even ramp from `1 / count` up to 1 (where there is but one before, `1 / count`).
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub fn forgetting_weights(count: usize) -> Vec<f64> {
    let Some(older) = count.checked_sub(FORGETTING) else { return vec![1.0; count] };
    let first = 1.0 / count as f64;
    let steps = older.saturating_sub(1).max(1) as f64;
    let ramp = (0..older).map(|at| first + (1.0 - first) * at as f64 / steps);
    ramp.chain([1.0; FORGETTING]).collect()
}

/// Kernels of numbers, in the order of the observations, the prior's last.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spread {
    pub centres: Vec<f64>,
    pub deviations: Vec<f64>,
}

/// Where the prior stands.
pub(super) const MIDDLE: f64 = 0.5;

impl Spread {
    /// That of observations in 0..1.
    pub(super) fn of(rule: Rule, observed: &[f64]) -> Self {
        let count = observed.len();
        let mut centres = observed.to_vec();
        centres.push(MIDDLE);
        // The neighbours in order; `count` is the prior.
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by(|a, b| observed[*a].partial_cmp(&observed[*b]).expect("not NaN"));
        if rule == Rule::Hyperopt {
            // Before observations that are equal to it.
            let at = order.partition_point(|i| observed[*i] < MIDDLE);
            order.insert(at, count);
        }
        let mut deviations = vec![1.0; count + 1];
        let place = |at: usize| centres[order[at]];
        let last = order.len().saturating_sub(1);
        for (at, kernel) in order.iter().enumerate() {
            let below = (at > 0).then(|| place(at) - place(at - 1));
            let above = (at < last).then(|| place(at + 1) - place(at));
            deviations[*kernel] = match (below, above) {
                (Some(below), Some(above)) => below.max(above),
                (Some(gap), None) | (None, Some(gap)) => gap,
                // The ends stand in for neighbours.
                (None, None) => place(at).max(1.0 - place(at)),
            };
        }
        if rule == Rule::Hyperopt && count == 1 {
            deviations[0] = 0.5;
        }
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
        let least = 1.0 / f64::min(100.0, (count + 2) as f64);
        for deviation in &mut deviations {
            *deviation = deviation.clamp(least, 1.0);
        }
        deviations[count] = 1.0;
        Self { centres, deviations }
    }
}
