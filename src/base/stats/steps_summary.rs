//! Summaries over many step functions: their quantiles at chosen times, and mean ranks of methods.

#![expect(clippy::cast_precision_loss, reason = "counts of runs are far below 2^53")]

use super::quantile::{position, sorted};
use super::ranks::midranks;
use super::steps::Steps;

/// The exact quantiles (type 7) over `functions` of their values at each of `times`: one row a
/// time, one number for each of `shares`.
///
/// A sweep over all steps in order of time, with the values that hold now kept as counts in a
/// Fenwick tree (1994) over all values there are: `O((s + t q) log s)` for `s` steps, `t` times and
/// `q` shares, in memory linear in `s`, however many functions there are. Values may be infinite: a
/// quantile is as soon as a neighbour that has weight is. Empty rows without functions. Times that
/// do not ascend, shares outside [0, 1], and a quantile between both infinities are refused by
/// assertion.
pub fn quantiles_over_time(functions: &[Steps], times: &[f64], shares: &[f64]) -> Vec<Vec<f64>> {
    assert!(times.is_sorted(), "times must ascend, without NaN");
    if functions.is_empty() {
        return vec![Vec::new(); times.len()];
    }
    let all = functions.iter().flat_map(|f| std::iter::once(f.before()).chain(kept(f)));
    let mut values = sorted(&all.collect::<Vec<f64>>());
    values.dedup();
    let place = |value: f64| values.partition_point(|v| *v < value);
    // What changes when: the place that a value leaves and the one it takes.
    let mut changes: Vec<(f64, usize, usize)> = Vec::new();
    let mut held = Fenwick::new(values.len());
    for function in functions {
        let mut now = place(function.before());
        held.add(now, 1);
        for (time, value) in function.times().iter().zip(function.values()) {
            let next = place(*value);
            if next != now {
                changes.push((*time, now, next));
                now = next;
            }
        }
    }
    // A stable sort: changes of one function keep their order.
    changes.sort_by(|a, b| a.0.total_cmp(&b.0));
    let positions: Vec<(usize, f64)> =
        shares.iter().map(|share| position(functions.len(), *share)).collect();
    let mut changes = changes.into_iter().peekable();
    times
        .iter()
        .map(|time| {
            while let Some((_, from, to)) = changes.next_if(|(at, ..)| at <= time) {
                held.add(from, -1);
                held.add(to, 1);
            }
            let value = |index: usize| values[held.find(index)];
            let quantile = |&(index, weight): &(usize, f64)| {
                let low = value(index);
                if weight == 0.0 { low } else { between(low, value(index + 1), weight) }
            };
            positions.iter().map(quantile).collect()
        })
        .collect()
}

fn kept(function: &Steps) -> impl Iterator<Item = f64> + '_ {
    function.values().iter().copied()
}

/// Linear interpolation of extended reals; infinite where a neighbour is.
fn between(low: f64, high: f64, weight: f64) -> f64 {
    if low == high {
        return low;
    }
    if low.is_infinite() || high.is_infinite() {
        let sum = low + high;
        assert!(!sum.is_nan(), "a quantile between both infinities");
        return sum;
    }
    low + weight * (high - low)
}

/// Counts of places, whose sums up to a place cost a logarithm.
struct Fenwick {
    sums: Vec<i64>,
}

impl Fenwick {
    fn new(places: usize) -> Self {
        Self { sums: vec![0; places + 1] }
    }

    fn add(&mut self, place: usize, count: i64) {
        let mut at = place + 1;
        while at < self.sums.len() {
            self.sums[at] += count;
            at += at & at.wrapping_neg();
        }
    }

    /// The place of the value with `index` others before it.
    fn find(&self, index: usize) -> usize {
        let mut left = i64::try_from(index).expect("indices are small");
        let mut at = 0;
        let mut half = self.sums.len().next_power_of_two();
        while half > 0 {
            let next = at + half;
            if next < self.sums.len() && self.sums[next] <= left {
                at = next;
                left -= self.sums[next];
            }
            half /= 2;
        }
        at
    }
}

/// The mean rank of each method at each of `times`, 1 for the best: a row a time, a number a
/// method.
///
/// `repeats` holds, for each repeat, one function a method, so that runs are ranked against those
/// that share their luck; equal values share the mean of their ranks. `larger_is_better` says which
/// way a value improves. Ranks of a repeat are found anew only where one of its functions has
/// stepped. Empty rows without repeats. Repeats with other numbers of methods, and times that do
/// not ascend, are refused by assertion.
pub fn mean_ranks_over_time(
    repeats: &[Vec<Steps>],
    times: &[f64],
    larger_is_better: bool,
) -> Vec<Vec<f64>> {
    assert!(times.is_sorted(), "times must ascend, without NaN");
    let methods = repeats.first().map_or(0, Vec::len);
    assert!(repeats.iter().all(|r| r.len() == methods), "every repeat has every method");
    let mut sums = vec![vec![0.0; methods]; times.len()];
    for functions in repeats {
        let mut passed = vec![0; methods];
        let mut ranks = rank(functions, &passed, larger_is_better);
        for (time, sums) in times.iter().zip(&mut sums) {
            let mut has_stepped = false;
            for (function, passed) in functions.iter().zip(&mut passed) {
                let more = function.times()[*passed..].iter().take_while(|t| *t <= time).count();
                *passed += more;
                has_stepped |= more > 0;
            }
            if has_stepped {
                ranks = rank(functions, &passed, larger_is_better);
            }
            sums.iter_mut().zip(&ranks).for_each(|(sum, rank)| *sum += rank);
        }
    }
    let n = repeats.len() as f64;
    sums.iter_mut().flatten().for_each(|sum| *sum /= n);
    sums
}

/// The ranks of functions of which so many steps have passed.
fn rank(functions: &[Steps], passed: &[usize], larger_is_better: bool) -> Vec<f64> {
    let value = |(function, &passed): (&Steps, &usize)| {
        let value = if passed == 0 { function.before() } else { function.values()[passed - 1] };
        if larger_is_better { -value } else { value }
    };
    midranks(&functions.iter().zip(passed).map(value).collect::<Vec<f64>>()).ranks
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::rng::Stream;
    use crate::stats::quantile::quantile;

    const INF: f64 = f64::INFINITY;

    /// Best values so far, some of which begin with nothing.
    fn functions(n: usize, rng: &mut Stream) -> Vec<Steps> {
        (0..n)
            .map(|_| {
                let steps = rng.random_range(0..12_usize);
                let mut times: Vec<f64> =
                    (0..steps).map(|_| f64::from(rng.random_range(0..40_u32)) / 2.0).collect();
                times.sort_by(f64::total_cmp);
                let mut best = if rng.random_range(0..3_u32) == 0 { INF } else { 9.0 };
                let before = best;
                let values: Vec<f64> = (0..steps)
                    .map(|_| {
                        best = best.min(f64::from(rng.random_range(0..80_u32)) / 10.0);
                        best
                    })
                    .collect();
                Steps::new(before, times, values)
            })
            .collect()
    }

    #[test]
    fn the_sweep_has_the_quantiles_of_all_values_at_a_time() {
        let mut rng = Stream::new(1, 0, "test");
        let times: Vec<f64> = (0..45).map(|i| f64::from(i) / 2.0 - 0.7).collect();
        let shares = [0.0, 0.1, 0.25, 0.5, 0.75, 1.0];
        for n in [1, 2, 7, 60] {
            let functions = functions(n, &mut rng);
            let found = quantiles_over_time(&functions, &times, &shares);
            for (time, row) in times.iter().zip(&found) {
                let values: Vec<f64> = functions.iter().map(|f| f.at(*time)).collect();
                let expected = shares.map(|share| quantile(&values, share));
                assert_eq!(row[..], expected, "{n} {time}");
            }
        }
    }

    #[test]
    fn maximised_values_may_begin_at_minus_infinity() {
        let functions =
            [Steps::new(-INF, vec![1.0], vec![0.5]), Steps::new(-INF, vec![2.0], vec![0.75])];
        let found = quantiles_over_time(&functions, &[0.0, 1.0, 2.0], &[0.5, 1.0]);
        assert_eq!(found, [[-INF, -INF], [-INF, 0.5], [0.625, 0.75]]);
        let nothing = vec![Vec::<f64>::new(); 2];
        assert_eq!(quantiles_over_time(&[], &[0.0, 1.0], &[0.5]), nothing);
    }

    #[test]
    fn random_search_follows_its_law() {
        // One uniform value a second: the smallest of k has the median 1 - 2^(-1/k).
        let mut rng = Stream::new(2, 0, "test");
        let runs: Vec<Steps> = (0..4_000)
            .map(|_| {
                let mut best: f64 = 1.0;
                let mut next = || {
                    best = best.min(rng.random());
                    best
                };
                let values: Vec<f64> = (0..10).map(|_| next()).collect();
                Steps::new(1.0, (1..=10).map(f64::from).collect(), values)
            })
            .collect();
        let times: Vec<f64> = (1..=10).map(f64::from).collect();
        for (k, row) in times.iter().zip(quantiles_over_time(&runs, &times, &[0.5])) {
            let expected = -libm::expm1(-std::f64::consts::LN_2 / k);
            // Half over the density of the median, over sqrt(4,000), four times.
            let density = k * libm::pow(1.0 - expected, k - 1.0);
            assert!((row[0] - expected).abs() < 2.0 / density / 4_000_f64.sqrt(), "{k} {row:?}");
        }
    }

    #[test]
    fn mean_ranks_are_those_of_each_repeat() {
        let mut rng = Stream::new(3, 0, "test");
        let repeats: Vec<Vec<Steps>> = (0..20).map(|_| functions(4, &mut rng)).collect();
        let times: Vec<f64> = (0..45).map(|i| f64::from(i) / 2.0 - 0.7).collect();
        for larger_is_better in [false, true] {
            let found = mean_ranks_over_time(&repeats, &times, larger_is_better);
            for (time, row) in times.iter().zip(&found) {
                let mut sums = [0.0; 4];
                for repeat in &repeats {
                    let values: Vec<f64> = repeat
                        .iter()
                        .map(|f| if larger_is_better { -f.at(*time) } else { f.at(*time) })
                        .collect();
                    let ranks = midranks(&values).ranks;
                    sums.iter_mut().zip(ranks).for_each(|(sum, rank)| *sum += rank);
                }
                assert_eq!(row[..], sums.map(|sum| sum / 20.0), "{time}");
            }
        }
        // Before anything was found, all are equal.
        let one = vec![Steps::new(INF, vec![1.0], vec![2.0]), Steps::new(INF, vec![], vec![])];
        assert_eq!(mean_ranks_over_time(&[one], &[0.0, 1.0], false), [[1.5, 1.5], [1.0, 2.0]]);
    }
}
