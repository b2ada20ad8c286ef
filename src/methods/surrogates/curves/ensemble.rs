//! The affine-invariant ensemble sampler.

use base::elementary::ln;
use base::rng::{Key, Stream};
use rand::Rng;

/// What is sampled from.
pub(super) trait Target {
    fn dimensions(&self) -> usize;
    /// The log density of `rows`, one vector after another, up to a constant: wherever it exceeds
    /// the vector's threshold. Elsewhere (and where it is NaN) minus infinity will do.
    fn judge(&mut self, rows: &[f64], thresholds: &[f64], densities: &mut [f64]);
}

/// Goodman & Weare, "Ensemble samplers with affine invariance", Communications in Applied
/// Mathematics and Computational Science 5(1), 2010: the stretch move with `a = 2`, as in emcee 3
/// (Foreman-Mackey et al., PASP 125, 2013). In every step a random half of the walkers moves, each
/// on the line through itself and one of the other half, and then the other half likewise. A move
/// to `z` times the distance is taken with probability `min(1, z^(d - 1) p' / p)`.
///
/// The halves matter: a chain that is short for its dimensions spreads less far from where it began
/// if they are always the same, as in emcee 2.
#[derive(Debug)]
pub(super) struct Ensemble {
    dimensions: usize,
    /// Vector after vector.
    walkers: Vec<f64>,
    densities: Vec<f64>,
    /// The first half moves first.
    order: Vec<usize>,
    halves: Stream,
    moves: Key,
    moved: u64,
    proposals: Vec<f64>,
    thresholds: Vec<f64>,
    found: Vec<f64>,
}

impl Ensemble {
    /// Walkers where they begin, vector after vector. `label` names the random numbers.
    ///
    /// # Panics
    /// Where they are no even number of vectors, at least 2.
    pub(super) fn new(target: &mut impl Target, walkers: Vec<f64>, label: &str) -> Self {
        let dimensions = target.dimensions();
        let count = walkers.len() / dimensions;
        assert_eq!(walkers.len(), count * dimensions, "whole vectors");
        assert!(count >= 2 && count.is_multiple_of(2), "two halves of {count} walkers");
        let mut densities = vec![f64::NEG_INFINITY; count];
        target.judge(&walkers, &vec![f64::NEG_INFINITY; count], &mut densities);
        let half = count / 2;
        Self {
            dimensions,
            walkers,
            densities,
            order: (0..count).collect(),
            halves: Stream::new(0, 0, &format!("{label}/halves")),
            moves: Key::new(0, 0, &format!("{label}/moves")),
            moved: 0,
            proposals: vec![0.0; half * dimensions],
            thresholds: vec![0.0; half],
            found: vec![0.0; half],
        }
    }

    /// Every walker, vector after vector.
    pub(super) fn walkers(&self) -> &[f64] {
        &self.walkers
    }

    /// Moves every walker once, or leaves it where it is. How many moved.
    pub(super) fn step(&mut self, target: &mut impl Target) -> usize {
        let half = self.thresholds.len();
        for at in 0..half {
            let with = at + below(self.halves.next_u32(), 2 * half - at);
            self.order.swap(at, with);
        }
        let moved = self.move_half(target);
        self.order.rotate_left(half);
        moved + self.move_half(target)
    }

    /// Moves the walkers of the first half of the order.
    fn move_half(&mut self, target: &mut impl Target) -> usize {
        let (d, count) = (self.dimensions, self.thresholds.len());
        let (moving, others) = self.order.split_at(count);
        for (at, walker) in moving.iter().enumerate() {
            let Draw { stretch, partner, threshold } = draw(self.moves, self.moved, count);
            self.moved += 1;
            #[expect(clippy::cast_precision_loss, reason = "dozens of dimensions")]
            let volume = (d - 1) as f64 * ln(stretch);
            self.thresholds[at] = self.densities[*walker] + threshold - volume;
            let own = &self.walkers[walker * d..][..d];
            let other = &self.walkers[others[partner] * d..][..d];
            let proposal = &mut self.proposals[at * d..][..d];
            for ((proposal, own), other) in proposal.iter_mut().zip(own).zip(other) {
                *proposal = other + stretch * (own - other);
            }
        }
        target.judge(&self.proposals, &self.thresholds, &mut self.found);
        let mut moved = 0;
        for (at, walker) in moving.iter().enumerate() {
            let found = self.found[at];
            // Nobody moves from nowhere to nowhere.
            if found > self.thresholds[at] && found > f64::NEG_INFINITY {
                self.densities[*walker] = found;
                let proposal = &self.proposals[at * d..][..d];
                self.walkers[walker * d..][..d].copy_from_slice(proposal);
                moved += 1;
            }
        }
        moved
    }
}

/// What one move draws.
struct Draw {
    /// z.
    stretch: f64,
    /// Whose line, of the other half.
    partner: usize,
    /// The logarithm of a uniform number.
    threshold: f64,
}

/// From one block of the key's counter: a move draws the same whatever the others do. 24 bits each
/// for the stretch and the threshold, 16 for the partner.
fn draw(key: Key, number: u64, count: usize) -> Draw {
    let [one, two] = key.at(number);
    let open = |word: u32| (f64::from(word >> 8) + 0.5) * (1.0 / 16_777_216.0);
    // g(z) ~ 1 / sqrt(z) on 1/2 to 2.
    let root = 1.0 + open(one);
    let partner = below((one << 24) | (two & 0xFF) << 16, count);
    Draw { stretch: 0.5 * root * root, partner, threshold: ln(open(two)) }
}

/// A whole number below `count`, as good as uniform for some hundreds.
fn below(word: u32, count: usize) -> usize {
    usize::try_from((u64::from(word) * count as u64) >> 32).expect("below a usize")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::draws::normal;

    /// Normal with mean 3, -1 and deviations 0.01, 10, correlated by 0.8.
    struct Oblong {
        asked: usize,
    }

    impl Target for Oblong {
        fn dimensions(&self) -> usize {
            2
        }

        fn judge(&mut self, rows: &[f64], thresholds: &[f64], densities: &mut [f64]) {
            self.asked += thresholds.len();
            for ((row, threshold), density) in rows.chunks_exact(2).zip(thresholds).zip(densities) {
                let (a, b) = ((row[0] - 3.0) / 0.01, (row[1] + 1.0) / 10.0);
                let found = -0.5 * (a * a - 1.6 * a * b + b * b) / 0.36;
                *density = if found > *threshold { found } else { f64::NEG_INFINITY };
            }
        }
    }

    fn sampled(seed: u64, steps: usize) -> (Vec<f64>, f64) {
        let mut stream = Stream::new(seed, 0, "ensemble");
        let starts = (0..40).map(|at| [3.0, -1.0][at % 2] + 1e-3 * normal(&mut stream)).collect();
        let mut target = Oblong { asked: 0 };
        let mut ensemble = Ensemble::new(&mut target, starts, &seed.to_string());
        let (mut samples, mut moved) = (Vec::new(), 0);
        for step in 0..steps {
            moved += ensemble.step(&mut target);
            if step >= 200 {
                samples.extend_from_slice(ensemble.walkers());
            }
        }
        assert_eq!(target.asked, 20 * (steps + 1));
        (samples, f64::from(u32::try_from(moved).unwrap()) / 20.0)
    }

    #[test]
    fn samples_have_the_moments_of_what_they_are_from() {
        let (samples, moved) = sampled(1, 10_000);
        let count = f64::from(u32::try_from(samples.len() / 2).unwrap());
        let mean = |f: &dyn Fn(f64, f64) -> f64| {
            samples
                .chunks_exact(2)
                .map(|row| f((row[0] - 3.0) / 0.01, (row[1] + 1.0) / 10.0))
                .sum::<f64>()
                / count
        };
        // 196,000 samples, some fifteen of which count as one: 0.009 a deviation of a mean.
        let first = [mean(&|a, _| a), mean(&|_, b| b)];
        assert!(first.iter().all(|mean| mean.abs() < 0.04), "{first:?}");
        let second = [mean(&|a, _| a * a), mean(&|_, b| b * b), mean(&|a, b| a * b)];
        let apart = second.iter().zip([1.0, 1.0, 0.8]).map(|(a, b)| (a - b).abs());
        assert!(apart.fold(0.0, f64::max) < 0.06, "{second:?}");
        // What emcee accepts of two normal dimensions: 0.71.
        assert!((moved / 10_000.0 - 0.71).abs() < 0.02, "{moved}");
    }

    #[test]
    fn the_same_key_gives_the_same_samples() {
        assert_eq!(sampled(2, 300), sampled(2, 300));
        assert_ne!(sampled(2, 300), sampled(3, 300));
    }
}
