//! The posterior of a weighted combination of families.

use base::elementary::ln;

use super::ensemble::Target;
use super::family::Family;
use super::fit::{Fit, recency_weights};
use super::lanes::{At, LANES, Row, prepare, values};

/// Where every weight begins; only their ratios count.
const WEIGHT: f64 = 10.0;
/// The least deviation that the noise begins with: a curve may be fitted exactly.
const SIGMA_MIN: f64 = 1e-6;
/// The values that a family may have at the horizon.
const ENDS: std::ops::RangeInclusive<f64> = 0.0..=100.0;
/// The epoch that a family must not fall below by the horizon.
const EARLY: f64 = 2.0;
/// `ln sqrt(2 pi)`.
const LN_ROOT_TWO_PI: f64 = 0.918_938_533_204_672_7;
/// Epochs whose residuals are summed before walkers that have lost are dropped.
const AT_ONCE: usize = 3;
/// Lanes are computed by eights.
const STRIDE: usize = 8;

/// Whether a family may have these values at [`EARLY`] and at the horizon. NaN passes: it has no
/// density anyway where the curve was seen.
fn is_sane(early: f64, end: f64) -> bool {
    !(end < *ENDS.start() || end > *ENDS.end() || early > end)
}

/// Whether a fitted family may take part.
pub(super) fn is_sane_fit(fit: &Fit, horizon: f64) -> bool {
    is_sane(fit.value(EARLY), fit.value(horizon))
}

/// `y ~ N(sum_k w_k f_k(x) / sum_k w_k, sigma^2)`, where observation `i` of `n` counts `10^(i/n)`,
/// with a flat prior where no weight is below 0 and every family is sane.
///
/// A vector holds the parameters of the families, then `sigma`, then the weights.
#[derive(Debug)]
pub(super) struct Combination {
    families: Vec<Family>,
    /// Where the vector begins.
    start: Vec<f64>,
    /// From the last observation to the first: the heaviest decide soonest.
    seen: Vec<Seen>,
    /// What all observations count.
    weight: f64,
    early: At,
    horizon: At,
    block: Block,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    at: At,
    y: f64,
    /// Half of what it counts.
    half_weight: f64,
}

impl Combination {
    /// Of the families whose least-squares fits to `y` at `x` exist and are sane at the horizon, in
    /// the order of [`Family::ALL`]. `None` where no family is left.
    pub(super) fn new(x: &[f64], y: &[f64], horizon: f64, fits: &[Fit]) -> Option<Self> {
        let fits: Vec<&Fit> = fits.iter().filter(|fit| is_sane_fit(fit, horizon)).collect();
        if fits.is_empty() {
            return None;
        }
        let mut start: Vec<f64> = fits.iter().flat_map(|fit| fit.parameters.clone()).collect();
        start.push(spread_of_residuals(x, y, &fits).max(SIGMA_MIN));
        start.extend(fits.iter().map(|_| WEIGHT));
        let weights = recency_weights(x.len());
        let seen = x.iter().zip(y).zip(&weights).rev();
        let seen =
            seen.map(|((x, y), weight)| Seen { at: At::new(*x), y: *y, half_weight: 0.5 * weight });
        Some(Self {
            families: fits.iter().map(|fit| fit.family).collect(),
            seen: seen.collect(),
            weight: weights.iter().sum(),
            early: At::new(EARLY),
            horizon: At::new(horizon),
            block: Block::new(start.len()),
            start,
        })
    }

    /// The same families, from another start.
    #[cfg(test)]
    pub(super) fn from_start(mut self, families: Vec<Family>, start: Vec<f64>) -> Self {
        self.families = families;
        self.block = Block::new(start.len());
        self.start = start;
        self
    }

    /// Where the vector begins.
    pub(super) fn start(&self) -> &[f64] {
        &self.start
    }

    /// The combined value at the horizon and the deviation of the noise, of each of some vectors.
    pub(super) fn ends(&mut self, rows: &[f64], mut each: impl FnMut(f64, f64)) {
        let sigma_at = self.sigma_at();
        for rows in rows.chunks(self.start.len() * LANES) {
            self.block.load(rows, self.start.len());
            let lanes = self.block.padded();
            self.prepare(lanes);
            let mut ends = [0.0; LANES];
            self.combine(self.horizon, lanes, &mut ends, |_| {});
            let sigmas = &self.block.rows[sigma_at];
            for (end, sigma) in ends.iter().zip(sigmas).take(self.block.count) {
                each(*end, *sigma);
            }
        }
    }

    fn sigma_at(&self) -> usize {
        self.start.len() - self.families.len() - 1
    }

    /// Turns the loaded vectors into what [`Self::combine`] takes: weights that sum to 1.
    fn prepare(&mut self, lanes: usize) {
        let (parameters, weights) =
            self.block.rows.split_at_mut(self.start.len() - self.families.len());
        let mut sums = [0.0; LANES];
        for row in &*weights {
            sums[..lanes].iter_mut().zip(row).for_each(|(sum, weight)| *sum += weight);
        }
        for row in weights {
            row[..lanes].iter_mut().zip(&sums).for_each(|(weight, sum)| *weight /= sum);
        }
        let mut from = 0;
        for family in &self.families {
            let to = from + family.defaults().len();
            prepare(*family, lanes, &mut parameters[from..to]);
            from = to;
        }
    }

    /// Writes the combined values at an epoch. `look` sees those of every family.
    fn combine(&self, at: At, lanes: usize, into: &mut Row, mut look: impl FnMut(&Row)) {
        into[..lanes].fill(0.0);
        let (mut from, mut own) = (0, [0.0; LANES]);
        let weights = &self.block.rows[self.sigma_at() + 1..];
        for (family, weights) in self.families.iter().zip(weights) {
            let to = from + family.defaults().len();
            values(*family, &self.block.rows[from..to], at, lanes, &mut own);
            from = to;
            look(&own);
            for ((sum, value), weight) in into[..lanes].iter_mut().zip(&own).zip(weights) {
                *sum += weight * value;
            }
        }
    }

    /// Drops the lanes in which a family is not sane.
    fn drop_insane(&mut self) {
        let lanes = self.block.padded();
        let mut early = [[0.0; LANES]; Family::ALL.len()];
        let (mut number, mut sum) = (0, [0.0; LANES]);
        self.combine(self.early, lanes, &mut sum, |own| {
            early[number] = *own;
            number += 1;
        });
        let (mut number, mut is_kept) = (0, [true; LANES]);
        self.combine(self.horizon, lanes, &mut sum, |own| {
            let kept = is_kept[..lanes].iter_mut().zip(&early[number]).zip(own);
            kept.for_each(|((is_kept, early), end)| *is_kept &= is_sane(*early, *end));
            number += 1;
        });
        self.block.keep(&is_kept);
    }

    /// Takes residuals off the densities of one block, some epochs at a time; every summand is
    /// below 0, so that a lane that has fallen to its threshold has lost.
    fn drop_unlikely(&mut self) {
        for first in (0..self.seen.len()).step_by(AT_ONCE) {
            let lanes = self.block.padded();
            for number in first..self.seen.len().min(first + AT_ONCE) {
                let Seen { at, y, half_weight } = self.seen[number];
                let mut combined = [0.0; LANES];
                self.combine(at, lanes, &mut combined, |_| {});
                let sigma = &self.block.rows[self.sigma_at()];
                let density = &mut self.block.density[..lanes];
                for ((density, combined), sigma) in density.iter_mut().zip(&combined).zip(sigma) {
                    let z = (combined - y) / sigma;
                    *density -= half_weight * (z * z);
                }
            }
            let mut is_kept = [false; LANES];
            for (lane, is_kept) in is_kept.iter_mut().enumerate().take(self.block.count) {
                *is_kept = self.block.density[lane] > self.block.threshold[lane];
            }
            self.block.keep(&is_kept);
            if self.block.count == 0 {
                return;
            }
        }
    }
}

/// The deviation of what the mean of the fits leaves of the observations, the mean removed.
#[expect(clippy::cast_precision_loss, reason = "epochs of a curve, families")]
fn spread_of_residuals(x: &[f64], y: &[f64], fits: &[&Fit]) -> f64 {
    let left = x.iter().zip(y).map(|(x, y)| {
        let sum: f64 = fits.iter().map(|fit| fit.value(*x)).sum();
        y - sum / fits.len() as f64
    });
    let left: Vec<f64> = left.collect();
    let mean = left.iter().sum::<f64>() / left.len() as f64;
    let squares: f64 = left.iter().map(|left| (left - mean) * (left - mean)).sum();
    (squares / left.len() as f64).sqrt()
}

impl Target for Combination {
    fn dimensions(&self) -> usize {
        self.start.len()
    }

    fn judge(&mut self, rows: &[f64], thresholds: &[f64], densities: &mut [f64]) {
        let (d, sigma_at) = (self.start.len(), self.sigma_at());
        densities.fill(f64::NEG_INFINITY);
        let mut next = 0;
        while next < thresholds.len() {
            self.block.count = 0;
            while next < thresholds.len() && self.block.count < LANES {
                let row = &rows[next * d..][..d];
                if row[sigma_at] > 0.0 && row[sigma_at + 1..].iter().all(|weight| *weight >= 0.0) {
                    // What no residual at all would have.
                    let density = -self.weight * (ln(row[sigma_at]) + LN_ROOT_TWO_PI);
                    if density > thresholds[next] {
                        self.block.push(row, next, density, thresholds[next]);
                    }
                }
                next += 1;
            }
            if self.block.count == 0 {
                continue;
            }
            self.block.pad();
            self.prepare(self.block.padded());
            self.drop_insane();
            if self.block.count > 0 {
                self.drop_unlikely();
            }
            for lane in 0..self.block.count {
                densities[self.block.number[lane]] = self.block.density[lane];
            }
        }
    }
}

/// Up to [`LANES`] vectors side by side.
#[derive(Debug)]
struct Block {
    /// A row a coordinate.
    rows: Vec<Row>,
    count: usize,
    /// Which vector a lane is.
    number: [usize; LANES],
    density: Row,
    threshold: Row,
}

impl Block {
    fn new(coordinates: usize) -> Self {
        Self {
            rows: vec![[0.0; LANES]; coordinates],
            count: 0,
            number: [0; LANES],
            density: [0.0; LANES],
            threshold: [0.0; LANES],
        }
    }

    /// Lanes that are computed: what fills them up is not looked at.
    fn padded(&self) -> usize {
        self.count.next_multiple_of(STRIDE).min(LANES)
    }

    fn push(&mut self, vector: &[f64], number: usize, density: f64, threshold: f64) {
        let lane = self.count;
        self.rows.iter_mut().zip(vector).for_each(|(row, value)| row[lane] = *value);
        self.number[lane] = number;
        self.density[lane] = density;
        self.threshold[lane] = threshold;
        self.count += 1;
    }

    /// Fills the lanes up with the last vector.
    fn pad(&mut self) {
        let (last, padded) = (self.count - 1, self.padded());
        for row in &mut self.rows {
            let value = row[last];
            row[last + 1..padded].fill(value);
        }
    }

    /// Takes some vectors, one after another.
    fn load(&mut self, vectors: &[f64], coordinates: usize) {
        self.count = 0;
        for (number, vector) in vectors.chunks_exact(coordinates).enumerate() {
            self.push(vector, number, 0.0, 0.0);
        }
        self.pad();
    }

    /// Moves the lanes that are kept to the front.
    fn keep(&mut self, is_kept: &[bool; LANES]) {
        let (mut from, mut count) = ([0; LANES], 0);
        for (lane, _) in is_kept.iter().enumerate().take(self.count).filter(|(_, kept)| **kept) {
            from[count] = lane;
            count += 1;
        }
        if count == self.count {
            return;
        }
        self.count = count;
        let from = &from[..count];
        let move_row = |row: &mut Row| {
            for (to, from) in from.iter().enumerate() {
                row[to] = row[*from];
            }
        };
        self.rows.iter_mut().for_each(move_row);
        move_row(&mut self.density);
        move_row(&mut self.threshold);
        for (to, from) in from.iter().enumerate() {
            self.number[to] = self.number[*from];
        }
    }
}
