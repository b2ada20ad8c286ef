//! The Kaplan-Meier estimate (1958) of "not reached by t" and its restricted mean.

#![expect(clippy::cast_precision_loss, reason = "sample sizes are far below 2^53")]

/// When one run reached its goal, or how long it was watched without.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// Infinite, with `reached` false, for a run that can never reach its goal: it stays at risk
    /// for ever.
    pub time: f64,
    pub reached: bool,
}

/// One step of the curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    pub time: f64,
    /// Runs not yet reached nor censored just before `time`.
    pub at_risk: usize,
    /// Runs that reached the goal at `time`.
    pub reached: usize,
    /// The estimated share still without the goal just after `time`.
    pub survival: f64,
    /// Greenwood's estimate of its variance; 0 where the share is 0.
    pub variance: f64,
}

/// The product-limit estimate: one step at each time at which a run reached its goal.
#[derive(Debug, Clone, PartialEq)]
pub struct KaplanMeier {
    pub steps: Vec<Step>,
    /// The longest time that any run was watched, infinite where one is at risk for ever.
    watched: f64,
}

impl KaplanMeier {
    /// Estimates; runs censored at the time at which another reaches its goal count as at risk
    /// there. A goal reached at infinity, a negative time and NaN are refused by assertion.
    pub fn new(observations: &[Observation]) -> Self {
        let valid = |o: &Observation| o.time >= 0.0 && (o.time.is_finite() || !o.reached);
        assert!(observations.iter().all(valid), "times are >= 0 and reached ones finite");
        let mut ordered = observations.to_vec();
        ordered.sort_by(|a, b| a.time.total_cmp(&b.time));
        let mut steps = Vec::new();
        let mut at_risk = ordered.len();
        let (mut survival, mut greenwood) = (1.0, 0.0);
        for group in ordered.chunk_by(|a, b| a.time == b.time) {
            let reached = group.iter().filter(|o| o.reached).count();
            if reached > 0 {
                let (n, d) = (at_risk as f64, reached as f64);
                survival *= 1.0 - d / n;
                greenwood += d / (n * (n - d));
                let variance =
                    if reached == at_risk { 0.0 } else { survival * survival * greenwood };
                if reached == at_risk {
                    survival = 0.0;
                }
                steps.push(Step { time: group[0].time, at_risk, reached, survival, variance });
            }
            at_risk -= group.len();
        }
        let watched = ordered.last().map_or(0.0, |o| o.time);
        Self { steps, watched }
    }

    /// The estimated share of runs still without the goal just after `time`.
    pub fn survival(&self, time: f64) -> f64 {
        let passed = self.steps.partition_point(|step| step.time <= time);
        if passed == 0 { 1.0 } else { self.steps[passed - 1].survival }
    }

    /// The first time by which half of the runs have reached the goal: the smallest `t` with a
    /// share of at most 1/2 left. Infinite where more than half is left at the end of the curve.
    pub fn median(&self) -> f64 {
        // A share of 1/2 that is a product of ratios may miss it by rounding.
        let half = 0.5 + 1e-12;
        let step = self.steps.iter().find(|step| step.survival <= half);
        step.map_or(f64::INFINITY, |step| step.time)
    }

    /// The mean of min(time to the goal, `horizon`): the area under the curve up to `horizon`.
    ///
    /// `None` where the curve is unknown before the horizon: the longest watched run was censored
    /// there, with the goal unreached. Means are comparable only under one horizon.
    pub fn restricted_mean(&self, horizon: f64) -> Option<f64> {
        assert!(horizon >= 0.0 && horizon.is_finite(), "a horizon is finite and >= 0");
        let last = self.steps.last().map_or(1.0, |step| step.survival);
        if self.watched < horizon && last > 0.0 {
            return None;
        }
        let (mut area, mut from, mut survival) = (0.0, 0.0, 1.0);
        for step in self.steps.iter().take_while(|step| step.time < horizon) {
            area += survival * (step.time - from);
            (from, survival) = (step.time, step.survival);
        }
        Some(area + survival * (horizon - from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::golden;

    fn observations(case: &serde_json::Value) -> Vec<Observation> {
        let times = golden::numbers(&case["times"]);
        let reached = case["reached"].as_array().expect("a list");
        let word = |v: &serde_json::Value| v.as_bool().expect("a truth value");
        times
            .into_iter()
            .zip(reached)
            .map(|(time, r)| Observation { time, reached: word(r) })
            .collect()
    }

    #[test]
    fn curves_and_restricted_means_are_lifelines() {
        for case in golden::cases("kaplan_meier") {
            let curve = KaplanMeier::new(&observations(&case));
            let at = golden::numbers(&case["at"]);
            for (time, expected) in at.iter().zip(golden::numbers(&case["survival"])) {
                golden::assert_close(curve.survival(*time), expected, 1e-12);
            }
            for (step, expected) in curve.steps.iter().zip(golden::numbers(&case["variance"])) {
                golden::assert_close(step.variance, expected, 1e-12);
            }
            let mean = curve.restricted_mean(golden::number(&case["horizon"]));
            let expected = golden::number(&case["restricted_mean"]);
            golden::assert_close(mean.expect("known up to the horizon"), expected, 1e-12);
            assert_eq!(curve.median(), golden::number(&case["median"]));
        }
    }

    #[test]
    fn exhausted_runs_stay_at_risk_for_ever() {
        let runs = [(1.0, true), (f64::INFINITY, false), (3.0, true), (f64::INFINITY, false)];
        let curve = KaplanMeier::new(&runs.map(|(time, reached)| Observation { time, reached }));
        assert_eq!(curve.survival(1e300), 0.5);
        assert_eq!(curve.median(), 3.0);
        assert_eq!(curve.restricted_mean(5.0), Some(1.0 + 0.75 * 2.0 + 0.5 * 2.0));
    }

    #[test]
    fn a_mean_beyond_what_was_watched_is_unknown() {
        let runs = [(1.0, true), (4.0, false)];
        let curve = KaplanMeier::new(&runs.map(|(time, reached)| Observation { time, reached }));
        assert_eq!(curve.restricted_mean(4.0), Some(1.0 + 0.5 * 3.0));
        assert_eq!(curve.restricted_mean(4.5), None);
        assert_eq!(curve.median(), 1.0);
        assert_eq!(
            KaplanMeier::new(&runs.map(|_| Observation { time: 4.0, reached: false })).median(),
            f64::INFINITY
        );
        assert_eq!(KaplanMeier::new(&[]).restricted_mean(0.0), Some(0.0));
        assert_eq!(KaplanMeier::new(&[]).restricted_mean(1.0), None);
        let all = KaplanMeier::new(&[Observation { time: 2.0, reached: true }]);
        assert_eq!((all.restricted_mean(9.0), all.steps[0].variance), (Some(2.0), 0.0));
    }
}
