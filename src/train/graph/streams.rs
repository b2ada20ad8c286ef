//! The random numbers of one training: initial weights, batch order, dropout masks.
//!
//! Every number is a pure function of (training seed, configuration, repeat, purpose, index), so a
//! configuration trains to the same bits alone or in a crowd, in any order, and a shader draws the
//! same numbers.

use base::rng::Key;
use base::units::ConfigId;

/// The streams of one training of one configuration.
#[derive(Debug, Clone, Copy)]
pub struct Streams {
    seed: u64,
    /// Configuration in the low half, repeat in the high half.
    who: u64,
}

impl Streams {
    /// The streams of repeat `repeat` of `config` under the training seed `seed`.
    pub fn new(seed: u64, config: ConfigId, repeat: u16) -> Self {
        Self { seed, who: u64::from(repeat) << 32 | u64::from(config.0) }
    }

    /// Fills `weights` with He-normal numbers: mean 0, deviation sqrt(2 / `fan_in`).
    ///
    /// Box-Muller: elements 2i and 2i+1 are the cosine and the sine of counter i, worked out in
    /// f64 with `libm` and rounded once.
    pub fn he_normal(&self, layer: usize, fan_in: usize, weights: &mut [f32]) {
        let key = Key::new(self.seed, self.who, &format!("weights.{layer}"));
        #[expect(clippy::cast_precision_loss, reason = "a fan-in stays far below 2^53")]
        let deviation = (2.0 / fan_in as f64).sqrt();
        for (counter, pair) in (0_u64..).zip(weights.chunks_mut(2)) {
            let [first, second] = key.at(counter);
            // u in (0, 1], so that its logarithm is finite.
            let u = (f64::from(first) + 1.0) / 4_294_967_296.0;
            let angle = std::f64::consts::TAU * (f64::from(second) / 4_294_967_296.0);
            let radius = deviation * (-2.0 * libm::log(u)).sqrt();
            for (weight, direction) in pair.iter_mut().zip([libm::cos(angle), libm::sin(angle)]) {
                #[expect(clippy::cast_possible_truncation, reason = "weights are f32")]
                let value = (radius * direction) as f32;
                *weight = value;
            }
        }
    }

    /// Writes the order in which epoch `epoch` (from 1) visits the training images: a
    /// Fisher-Yates shuffle of 0.., position i swapped with floor(u x (i + 1)), u the 32-bit
    /// uniform at counter (epoch, i). Its bias is below n / 2^32.
    pub fn order(&self, epoch: u16, order: &mut [u32]) {
        let key = Key::new(self.seed, self.who, "order");
        for (place, image) in order.iter_mut().zip(0_u32..) {
            *place = image;
        }
        for i in (1..order.len()).rev() {
            let [word, _] = key.at(u64::from(epoch) << 32 | i as u64);
            let other = (u64::from(word) * (i as u64 + 1)) >> 32;
            order.swap(i, usize::try_from(other).expect("at most i"));
        }
    }

    /// The key of the masks of dropout layer `layer`.
    pub fn dropout(&self, layer: usize) -> Key {
        Key::new(self.seed, self.who, &format!("dropout.{layer}"))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::cast_precision_loss, reason = "small counts")]
    use super::*;

    #[test]
    fn weights_are_normal_with_the_deviation_of_he() {
        let mut weights = vec![0.0; 100_000];
        Streams::new(3, ConfigId(7), 0).he_normal(1, 50, &mut weights);
        let count = weights.len() as f64;
        let moment = |p: i32| weights.iter().map(|&w| f64::from(w).powi(p)).sum::<f64>() / count;
        // Six standard errors of each moment of a normal with variance 0.04.
        assert!(moment(1).abs() < 6.0 * (0.04 / count).sqrt(), "{}", moment(1));
        assert!((moment(2) - 0.04).abs() < 6.0 * 0.04 * (2.0 / count).sqrt(), "{}", moment(2));
        assert!((moment(4) - 3.0 * 0.0016).abs() < 6.0 * 0.0016 * (96.0 / count).sqrt());
    }

    #[test]
    fn a_prefix_of_the_weights_does_not_depend_on_their_number() {
        let streams = Streams::new(3, ConfigId(7), 0);
        let (mut long, mut short) = (vec![0.0; 9], vec![0.0; 4]);
        streams.he_normal(0, 8, &mut long);
        streams.he_normal(0, 8, &mut short);
        assert_eq!(long[..4], short[..]);
    }

    #[test]
    fn every_epoch_configuration_and_repeat_has_its_own_order() {
        let order = |config, repeat, epoch| {
            let mut order = vec![0; 100];
            Streams::new(1, ConfigId(config), repeat).order(epoch, &mut order);
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert!(sorted.into_iter().eq(0..100), "every image once");
            order
        };
        assert_eq!(order(2, 0, 1), order(2, 0, 1));
        for other in [order(2, 0, 2), order(3, 0, 1), order(2, 1, 1)] {
            assert_ne!(order(2, 0, 1), other);
        }
    }

    #[test]
    fn shuffles_of_three_are_uniform() {
        let mut counts = std::collections::BTreeMap::new();
        for epoch in 1..=6_000 {
            let mut order = [0; 3];
            Streams::new(5, ConfigId(0), 0).order(epoch, &mut order);
            *counts.entry(order).or_insert(0_u32) += 1;
        }
        assert_eq!(counts.len(), 6);
        // Expected 1,000 each, deviation 29: five of them.
        assert!(counts.values().all(|&n| n.abs_diff(1_000) < 145), "{counts:?}");
    }
}
