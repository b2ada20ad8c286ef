//! Bootstrap resamples of quantiles of large samples whose runs pair, without drawing them whole.
//!
//! A quantile of a resample lies, all but certainly, within five standard deviations of its rank,
//! and only the counts of the values there matter, and how many draws fall below. So the runs near
//! the quantile of any of the samples are drawn one by one, and the others only as totals: those
//! below in the first sample and above in the second, and so on. The totals of a multinomial
//! resample are multinomial, so that the law is that of
//! [`draw`](super::bootstrap::draw), not an approximation of it: only values more than five
//! standard deviations away, one of 1.7 million, are moved to that distance.

#![expect(clippy::cast_precision_loss, reason = "sample sizes are far below 2^32")]

use std::collections::BTreeMap;

use rand::Rng;

use super::binomial;
use super::dice::Dice;
use super::order_bootstrap::bounds;
use super::quantile::{interpolate, position};

/// Standard deviations of a resample's rank on each side of the quantile that are drawn.
const REACH: f64 = 5.0;

/// How many samples may share their resamples: each takes a bit.
const SAMPLES_MAX: usize = 64;

/// Samples prepared for resamples that they share: the value at one index of each is one run.
#[derive(Debug, Clone)]
pub struct JointQuantiles {
    n: usize,
    index: usize,
    weight: f64,
    samples: Vec<Near>,
    /// How many runs are near the quantile of some sample.
    near: usize,
    /// The other runs: in which samples they are below, a bit each, and how many there are.
    far: Vec<(u64, usize)>,
}

/// One sample around its quantile.
#[derive(Debug, Clone)]
struct Near {
    /// Ascending.
    values: Vec<f64>,
    /// The number of each of `values` among the runs that are drawn.
    runs: Vec<u32>,
    /// Runs that are drawn for another sample's sake, and whose value here is below.
    below: Vec<u32>,
}

impl JointQuantiles {
    /// Prepares samples of equal length for their `p`-quantiles (type 7), in time and memory
    /// linear in it. `+infinity` is the largest value. No sample, more than 64, an empty one,
    /// lengths that differ, NaN and `p` outside [0, 1] are refused by assertion.
    pub fn new(samples: &[&[f64]], p: f64) -> Self {
        assert!((1..=SAMPLES_MAX).contains(&samples.len()), "1 to {SAMPLES_MAX} samples");
        let n = samples[0].len();
        assert!(samples.iter().all(|s| s.len() == n), "pairs are of equally many runs");
        assert!(samples.iter().all(|s| s.iter().all(|v| !v.is_nan())), "NaN has no rank");
        let (index, weight) = position(n, p);
        let (first, end) = bounds(n, index, REACH);
        let orders: Vec<Vec<u32>> = samples.iter().map(|s| partition(s, first, end)).collect();
        // Bit by bit, whether a run is near the quantile of a sample, and whether it is below.
        let (mut is_near, mut is_below) = (vec![false; n], vec![0_u64; n]);
        for (bit, order) in orders.iter().enumerate() {
            order[..first].iter().for_each(|&run| is_below[run as usize] |= 1 << bit);
            order[first..end].iter().for_each(|&run| is_near[run as usize] = true);
        }
        let mut far = BTreeMap::new();
        let mut number = vec![0_u32; n];
        let mut near = 0;
        for ((is_near, is_below), number) in is_near.iter().zip(&is_below).zip(&mut number) {
            if *is_near {
                *number = near;
                near += 1;
            } else {
                *far.entry(*is_below).or_insert(0) += 1;
            }
        }
        let near_of = |(sample, order): (&&[f64], &Vec<u32>)| Near {
            values: order[first..end].iter().map(|&run| sample[run as usize]).collect(),
            runs: order[first..end].iter().map(|&run| number[run as usize]).collect(),
            below: order[..first]
                .iter()
                .filter(|&&run| is_near[run as usize])
                .map(|&run| number[run as usize])
                .collect(),
        };
        let samples = samples.iter().zip(&orders).map(near_of).collect();
        Self { n, index, weight, samples, near: near as usize, far: far.into_iter().collect() }
    }

    /// Draws `resamples` resamples of all runs: the quantile of each sample in each of them.
    pub fn draw(&self, rng: &mut impl Rng, resamples: usize) -> Vec<Vec<f64>> {
        let mut found = vec![Vec::with_capacity(resamples); self.samples.len()];
        let mut counts = vec![0_u32; self.near];
        let mut below = vec![0_usize; self.samples.len()];
        let dice = Dice::new(self.near as u64);
        for _ in 0..resamples {
            let draws = self.draw_far(rng, &mut below);
            counts.fill(0);
            dice.roll(rng, draws, |run| counts[run] += 1);
            for ((sample, below), found) in self.samples.iter().zip(&below).zip(&mut found) {
                found.push(sample.quantile(&counts, *below, self.index, self.weight));
            }
        }
        found
    }

    /// How many draws fall on runs that are near, and for each sample how many of the others fall
    /// below.
    fn draw_far(&self, rng: &mut impl Rng, below: &mut [usize]) -> usize {
        below.fill(0);
        let (mut draws, mut runs) = (self.n, self.n);
        for &(bits, size) in &self.far {
            let drawn = binomial::draw(rng, draws, size as f64 / runs as f64);
            draws -= drawn;
            runs -= size;
            for (bit, below) in below.iter_mut().enumerate() {
                if (bits >> bit) & 1 == 1 {
                    *below += drawn;
                }
            }
        }
        draws
    }
}

impl Near {
    fn quantile(&self, counts: &[u32], below: usize, index: usize, weight: f64) -> f64 {
        let count = |run: &u32| counts[*run as usize] as usize;
        let mut passed = below + self.below.iter().map(count).sum::<usize>();
        let mut at = 0;
        let last = self.values.len() - 1;
        passed += count(&self.runs[0]);
        while passed <= index && at < last {
            at += 1;
            passed += count(&self.runs[at]);
        }
        let low = self.values[at];
        if weight == 0.0 || passed > index + 1 {
            return low;
        }
        let next = (at + 1..=last).find(|&at| count(&self.runs[at]) > 0);
        interpolate(low, next.map_or(low, |next| self.values[next]), weight)
    }
}

/// Runs by their value, equal ones by their number: those before `first` and from `end` on in no
/// order.
fn partition(values: &[f64], first: usize, end: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..).take(values.len()).collect();
    let by_value =
        |a: &u32, b: &u32| values[*a as usize].total_cmp(&values[*b as usize]).then(a.cmp(b));
    if end < order.len() {
        order.select_nth_unstable_by(end, by_value);
    }
    if first > 0 {
        order[..end].select_nth_unstable_by(first, by_value);
    }
    order[first..end].sort_unstable_by(by_value);
    order
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::rng::Stream;
    use crate::stats::bootstrap::{Resampled, draw};
    use crate::stats::kolmogorov_smirnov::kolmogorov_smirnov;
    use crate::stats::order_bootstrap::quantile_interval;
    use crate::stats::quantile::quantile;

    const INF: f64 = f64::INFINITY;

    /// Two samples that share some of their luck; one run of ten is equal in both.
    fn paired(n: usize) -> (Vec<f64>, Vec<f64>) {
        let mut rng = Stream::new(2, 0, "test");
        let mut time = |scale: f64| -scale * libm::log1p(-rng.random::<f64>());
        (0..n)
            .map(|run| {
                let luck = time(1.0);
                let first = luck + time(0.5);
                (first, if run % 10 == 0 { first } else { luck + time(0.7) })
            })
            .unzip()
    }

    #[test]
    fn ratios_follow_the_law_of_whole_resamples() {
        for n in [11_usize, 300, 1_201, 2_000] {
            let (first, second) = paired(n);
            let joint = JointQuantiles::new(&[&first, &second], 0.5);
            let mut rng = Stream::new(3, 0, "test");
            let drawn = joint.draw(&mut rng, 3_000);
            let ratios: Vec<f64> = drawn[0].iter().zip(&drawn[1]).map(|(a, b)| a / b).collect();
            let (a, b) = (Resampled::new(&first), Resampled::new(&second));
            let mut counts = vec![0; n];
            let whole: Vec<f64> = (0..3_000)
                .map(|_| {
                    draw(&mut rng, &mut counts);
                    a.quantile(&counts, n, 0.5) / b.quantile(&counts, n, 0.5)
                })
                .collect();
            let test = kolmogorov_smirnov(&ratios, &whole).expect("values");
            assert!(test.p_value > 0.001, "{n}: {test:?}");
        }
    }

    #[test]
    fn each_sample_alone_has_its_exact_interval() {
        let (first, second) = paired(20_000);
        let joint = JointQuantiles::new(&[&first, &second], 0.25);
        assert!(joint.near < 5_000 && joint.far.len() == 4);
        let drawn = joint.draw(&mut Stream::new(4, 0, "test"), 4_000);
        for (values, drawn) in [first, second].iter().zip(&drawn) {
            let exact = quantile_interval(values, 0.25, 0.95).unwrap();
            // The shares of draws at the exact ends: 0.0025 is one standard deviation.
            let share = |end: f64| drawn.iter().filter(|d| **d <= end).count() as f64 / 4_000.0;
            assert!((share(exact.low) - 0.025).abs() < 0.01, "{}", share(exact.low));
            assert!((share(exact.high) - 0.975).abs() < 0.01, "{}", share(exact.high));
        }
    }

    #[test]
    fn equal_samples_have_equal_quantiles_and_never_is_a_value() {
        let (mut first, _) = paired(30_000);
        first.iter_mut().step_by(2).for_each(|v| *v = INF);
        let joint = JointQuantiles::new(&[&first, &first.clone()], 0.5);
        let drawn = joint.draw(&mut Stream::new(4, 0, "test"), 500);
        assert_eq!(drawn[0], drawn[1]);
        let infinite = drawn[0].iter().filter(|v| v.is_infinite()).count();
        assert!((150..350).contains(&infinite), "{infinite}");
        let one = JointQuantiles::new(&[&[7.0]], 0.5).draw(&mut Stream::new(4, 0, "test"), 3);
        assert_eq!(one, [[7.0; 3]]);
    }

    #[test]
    fn the_quantile_of_what_was_drawn_is_that_of_its_values() {
        // All runs are near, and each is drawn once.
        let values = [4.0, 1.0, INF, 2.0, 9.0, 2.0];
        for p in [0.0, 0.1, 0.5, 0.75, 1.0] {
            let joint = JointQuantiles::new(&[&values], p);
            assert_eq!((joint.near, joint.far.len()), (6, 0));
            let (index, weight) = position(6, p);
            let found = joint.samples[0].quantile(&[1; 6], 0, index, weight);
            assert_eq!(found, quantile(&values, p));
        }
    }
}
