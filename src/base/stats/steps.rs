//! Right-continuous step functions of time: what a run has found by then, the share of runs that
//! have reached a goal.

#![expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]

use super::quantile::sorted;

/// A function that is `before` until its first time, and from each time on has that time's value.
#[derive(Debug, Clone, PartialEq)]
pub struct Steps {
    before: f64,
    times: Vec<f64>,
    values: Vec<f64>,
}

impl Steps {
    /// A function with the value `before` until the first of `times`, and `values[i]` from
    /// `times[i]` on. Of equal times the last one's value holds. Values may be infinite. Times that
    /// do not ascend, a value a time too few and NaN are refused by assertion.
    pub fn new(before: f64, times: Vec<f64>, values: Vec<f64>) -> Self {
        assert_eq!(times.len(), values.len(), "one value a time");
        assert!(times.is_sorted(), "times must ascend, without NaN");
        assert!(!before.is_nan() && values.iter().all(|v| !v.is_nan()), "a value is a number");
        Self { before, times, values }
    }

    /// The share of `times` that have come by each time (the empirical distribution function): of
    /// runs, or of pairs of a run and a target as COCO pools them (Hansen et al., "COCO:
    /// performance assessment", 2016). What never comes has an infinite time: it keeps the share
    /// below 1. No times: 0 for ever. NaN is refused by assertion.
    pub fn share_reached(times: &[f64]) -> Self {
        let ordered = sorted(times);
        let n = ordered.len() as f64;
        let (mut at, mut shares) = (Vec::new(), Vec::new());
        let mut passed = 0;
        for same in ordered.chunk_by(|a, b| a == b).filter(|same| same[0] < f64::INFINITY) {
            passed += same.len();
            at.push(same[0]);
            shares.push(passed as f64 / n);
        }
        Self { before: 0.0, times: at, values: shares }
    }

    pub fn before(&self) -> f64 {
        self.before
    }

    pub fn times(&self) -> &[f64] {
        &self.times
    }

    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The value at `time`.
    pub fn at(&self, time: f64) -> f64 {
        let passed = self.times.partition_point(|t| *t <= time);
        if passed == 0 { self.before } else { self.values[passed - 1] }
    }

    /// The first time at which the function is at or beyond each target, infinite where it never
    /// is: `>= target` where `is_rising`, else `<= target`. A function that is there before its
    /// first time has reached the target at 0, where simulated clocks start.
    pub fn first_reaching(&self, targets: &[f64], is_rising: bool) -> Vec<f64> {
        // The best so far is monotone, whatever the function is, so each target is a search.
        let better = |a: f64, b: f64| if is_rising { a.max(b) } else { a.min(b) };
        let mut best = self.before;
        let so_far: Vec<f64> = self
            .values
            .iter()
            .map(|value| {
                best = better(best, *value);
                best
            })
            .collect();
        let reaches = |value: f64, target: f64| {
            if is_rising { value >= target } else { value <= target }
        };
        targets
            .iter()
            .map(|&target| {
                assert!(!target.is_nan(), "a target is a number");
                if reaches(self.before, target) {
                    return 0.0;
                }
                let at = so_far.partition_point(|value| !reaches(*value, target));
                self.times.get(at).copied().unwrap_or(f64::INFINITY)
            })
            .collect()
    }

    /// The area under the function from `from` to `to`, over `to - from`: its mean there. Infinite
    /// values count where they hold for a while. `from >= to`, ends that are not finite, and both
    /// infinities between them are refused by assertion.
    pub fn mean(&self, from: f64, to: f64) -> f64 {
        assert!(from < to && from.is_finite() && to.is_finite(), "a span has a length");
        let mut at = self.times.partition_point(|t| *t <= from);
        let (mut area, mut since) = (0.0, from);
        let mut value = if at == 0 { self.before } else { self.values[at - 1] };
        loop {
            let until = self.times.get(at).map_or(to, |t| t.min(to));
            if until > since {
                area += value * (until - since);
            }
            if until >= to {
                assert!(!area.is_nan(), "a mean of both infinities");
                return area / (to - from);
            }
            (since, value) = (until, self.values[at]);
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INF: f64 = f64::INFINITY;

    #[test]
    fn a_step_holds_from_its_time_on() {
        let steps = Steps::new(9.0, vec![1.0, 3.0, 3.0], vec![5.0, 4.0, 2.0]);
        assert_eq!(
            [0.0, 0.9, 1.0, 2.9, 3.0, INF].map(|t| steps.at(t)),
            [9.0, 9.0, 5.0, 5.0, 2.0, 2.0]
        );
        // 9 for one second, 5 for two, 2 for one.
        assert_eq!(steps.mean(0.0, 4.0), 21.0 / 4.0);
        assert_eq!(steps.mean(1.0, 2.0), 5.0);
        assert_eq!(steps.mean(5.0, 7.0), 2.0);
        assert_eq!(Steps::new(INF, vec![1.0], vec![2.0]).mean(0.5, 3.0), INF);
        assert_eq!(Steps::new(INF, vec![1.0], vec![2.0]).mean(1.0, 3.0), 2.0);
    }

    #[test]
    fn shares_count_what_never_comes() {
        let found = Steps::share_reached(&[4.0, INF, 1.0, 4.0]);
        assert_eq!((found.times(), found.values()), (&[1.0, 4.0][..], &[0.25, 0.75][..]));
        assert_eq!((found.before(), found.at(1e300)), (0.0, 0.75));
        assert_eq!(Steps::share_reached(&[]).at(3.0), 0.0);
        assert_eq!(Steps::share_reached(&[INF; 2]).at(3.0), 0.0);
    }

    #[test]
    fn exponential_times_come_by_their_law() {
        let n = 10_000_u32;
        let times: Vec<f64> =
            (0..n).map(|i| -libm::log1p(-(f64::from(i) + 0.5) / f64::from(n))).collect();
        let found = Steps::share_reached(&times);
        for t in [0.1, 1.0, 3.0] {
            assert!((found.at(t) + libm::expm1(-t)).abs() < 1e-4);
        }
    }

    #[test]
    fn targets_are_reached_by_the_best_so_far() {
        // A last value that gets worse again.
        let steps = Steps::new(0.1, vec![2.0, 3.0, 5.0, 6.0], vec![0.4, 0.3, 0.9, 0.5]);
        let found = steps.first_reaching(&[0.05, 0.1, 0.35, 0.4, 0.41, 0.95], true);
        assert_eq!(found, [0.0, 0.0, 2.0, 2.0, 5.0, INF]);
        let losses = Steps::new(INF, vec![2.0, 4.0], vec![3.0, 1.0]);
        assert_eq!(losses.first_reaching(&[3.0, 2.0, 0.5, INF], false), [2.0, 4.0, INF, 0.0]);
    }
}
