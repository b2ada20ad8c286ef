//! The bootstrap sample of one tree, and how it grows with the observations.

use rand::{Rng, RngExt};

/// `n` draws with replacement out of `n` observations, a slot a draw.
#[derive(Debug, Clone, Default)]
pub(super) struct Sample {
    slots: Vec<u32>,
}

impl Sample {
    /// Draws all slots anew.
    pub(super) fn draw(&mut self, observations: u32, rng: &mut impl Rng) {
        self.slots.clear();
        self.slots.extend((0..observations).map(|_| rng.random_range(0..observations)));
    }

    /// Every observation in one slot: no bootstrap at all.
    #[cfg(test)]
    pub(super) fn draw_each_once(&mut self, observations: u32) {
        self.slots = (0..observations).collect();
    }

    /// The observation in each slot.
    pub(super) fn slots(&self) -> &[u32] {
        &self.slots
    }

    /// Makes of `n` draws out of `n` observations `n + 1` draws out of `n + 1`, reporting each
    /// observation that gains (+1) or loses (-1) a slot.
    ///
    /// Of n + 1 independent uniform draws K ~ Binomial(n + 1, 1 / (n + 1)) hit the new observation
    /// and the other n + 1 - K are uniform over the old ones. The old sample *is* n such draws; a
    /// random n + 1 - K of them, or all and one more where K = 0, are what is needed. So at every n
    /// the sample is an exact bootstrap (up to the rounding of the binomial's probabilities), and
    /// on average 2 slots change: no fewer can.
    pub(super) fn grow(&mut self, rng: &mut impl Rng, mut changed: impl FnMut(u32, i32)) {
        let new = u32::try_from(self.slots.len()).expect("config ids are 32 bits");
        let hits = binomial_of_mean_one(new + 1, rng.random());
        if hits == 0 {
            let old = rng.random_range(0..new);
            self.slots.push(old);
            changed(old, 1);
            return;
        }
        for _ in 1..hits {
            let slot = rng.random_range(0..self.slots.len());
            changed(self.slots.swap_remove(slot), -1);
        }
        for _ in 0..hits {
            self.slots.push(new);
        }
        changed(new, hits.cast_signed());
    }
}

/// A Binomial(n, 1/n) draw by inversion of one uniform number.
fn binomial_of_mean_one(n: u32, uniform: f64) -> u32 {
    let trials = f64::from(n);
    if n == 1 {
        return 1;
    }
    // P(0) = (1 - 1/n)^n, P(k + 1) / P(k) = (n - k) / ((k + 1) (n - 1)).
    let mut probability = libm::exp(trials * libm::log1p(-1.0 / trials));
    let (mut below, mut hits) = (probability, 0);
    while uniform >= below && hits < n {
        probability *= (trials - f64::from(hits)) / (f64::from(hits + 1) * (trials - 1.0));
        below += probability;
        hits += 1;
    }
    hits
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::rng::Stream;

    #[test]
    fn a_grown_sample_has_the_law_of_a_fresh_one() {
        // From 1 to 4 observations: the counts of each are Binomial(4, 1/4), and the counts
        // together multinomial: P(all in one) = 4 / 256, P(one each) = 24 / 256.
        let mut rng = Stream::new(1, 0, "test");
        let (mut zeros, mut all_in_one, mut one_each) = ([0_u32; 4], 0_u32, 0_u32);
        let runs = 40_000;
        for _ in 0..runs {
            let mut sample = Sample::default();
            sample.draw(1, &mut rng);
            let mut counts = [1, 0, 0, 0];
            for _ in 1..4 {
                sample.grow(&mut rng, |observation, by| counts[observation as usize] += by);
            }
            let mut recount = [0; 4];
            sample.slots().iter().for_each(|slot| recount[*slot as usize] += 1);
            assert_eq!(counts, recount);
            for (zero, count) in zeros.iter_mut().zip(counts) {
                *zero += u32::from(count == 0);
            }
            all_in_one += u32::from(counts.contains(&4));
            one_each += u32::from(counts == [1; 4]);
        }
        // Each within four deviations of its expectation.
        let within = |found: u32, probability: f64| {
            let (mean, n) = (probability * f64::from(runs), f64::from(runs));
            let deviation = (n * probability * (1.0 - probability)).sqrt();
            assert!((f64::from(found) - mean).abs() < 4.0 * deviation, "{found}, not {mean}");
        };
        for zero in zeros {
            within(zero, 81.0 / 256.0);
        }
        within(all_in_one, 4.0 / 256.0);
        within(one_each, 24.0 / 256.0);
    }

    #[test]
    fn binomial_draws_invert_the_cumulative_probabilities() {
        // Binomial(3, 1/3): 8/27, 20/27, 26/27, 1.
        let draws = [(0.29, 0), (0.30, 1), (0.74, 1), (0.75, 2), (0.962, 2), (0.964, 3)];
        for (uniform, hits) in draws {
            assert_eq!(binomial_of_mean_one(3, uniform), hits, "{uniform}");
        }
        assert_eq!(binomial_of_mean_one(3, 1.0), 3);
        assert_eq!(binomial_of_mean_one(1, 0.3), 1);
    }
}
