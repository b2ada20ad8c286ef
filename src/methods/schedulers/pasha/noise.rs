//! How far apart two trials can be while noise changes their order.

use std::collections::BTreeMap;

use base::stats::quantile::{interpolate, position};
use base::units::{Epoch, TrialId};

use crate::interface::View;

/// Pairs of trials that changed order and back, by the latest epoch that both have run.
#[derive(Debug, Default)]
pub(super) struct Noise {
    /// The epochs that count: after the first, to the second.
    between: Option<[Epoch; 2]>,
    /// By epoch, the scores of the trials that have run it so far.
    known: Vec<Vec<(TrialId, f64)>>,
    /// By trial, its scores by epoch, NaN where it has none.
    curves: BTreeMap<TrialId, Vec<f64>>,
    /// How far apart a pair is that changed order and back.
    distances: BTreeMap<(TrialId, TrialId), f64>,
    epsilon: f64,
}

impl Noise {
    pub(super) fn epsilon(&self) -> f64 {
        self.epsilon
    }

    /// From now on these epochs count.
    pub(super) fn look_between(&mut self, between: Option<[Epoch; 2]>) {
        self.between = between;
        self.distances.clear();
        let Some([low, high]) = between else { return };
        for epoch in (low.0 + 1..=high.0).map(Epoch) {
            let known = self.known.get(epoch.index()).cloned().unwrap_or_default();
            for (at, (later, _)) in known.iter().enumerate() {
                for (earlier, _) in &known[..at] {
                    self.compare(*earlier, *later, epoch);
                }
            }
        }
        self.update();
    }

    /// A trial has run an epoch.
    pub(super) fn take_in(&mut self, view: &View<'_>, id: TrialId, epoch: Epoch) {
        let Some([low, high]) = self.between else { return };
        let curve = self.curves.entry(id).or_default();
        for earlier in (u16::try_from(curve.len()).expect("epochs") + 1..=epoch.0).map(Epoch) {
            curve.push(view.seen(id, earlier).unwrap_or(f64::NAN));
        }
        let score = curve[epoch.index()];
        if !score.is_finite() {
            return;
        }
        if self.known.len() < usize::from(epoch.0) {
            self.known.resize(usize::from(epoch.0), Vec::new());
        }
        let others = std::mem::take(&mut self.known[epoch.index()]);
        if epoch > low && epoch <= high {
            for (other, _) in &others {
                self.compare(*other, id, epoch);
            }
            self.update();
        }
        self.known[epoch.index()] = others;
        self.known[epoch.index()].push((id, score));
    }

    /// Looks at a pair at the latest epoch that both have run: the order there, the other order
    /// before it, and the first one before that?
    fn compare(&mut self, one: TrialId, other: TrialId, epoch: Epoch) {
        let pair = (one.min(other), one.max(other));
        let [a, b] = [&self.curves[&pair.0], &self.curves[&pair.1]];
        let [now_a, now_b] = [a[epoch.index()], b[epoch.index()]];
        let is_first_better = now_a > now_b;
        let before = a.iter().zip(b).take(epoch.index()).rev();
        let mut before = before.filter(|(a, b)| a.is_finite() && b.is_finite());
        let has_turned = before.any(|(a, b)| (a > b) != is_first_better);
        let has_turned_back = has_turned && before.any(|(a, b)| (a > b) == is_first_better);
        if has_turned_back {
            self.distances.insert(pair, (now_a - now_b).abs());
        } else {
            self.distances.remove(&pair);
        }
    }

    /// The percentile stays as it was where no pair tells anything.
    fn update(&mut self) {
        let mut distances: Vec<f64> = self.distances.values().copied().collect();
        if distances.is_empty() {
            return;
        }
        let (index, weight) = position(distances.len(), 0.9);
        // No need to sort them all: the one at the position, and the next.
        let (_, low, above) = distances.select_nth_unstable_by(index, f64::total_cmp);
        let next = above.iter().copied().min_by(f64::total_cmp).unwrap_or(*low);
        self.epsilon = interpolate(*low, next, weight);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(curves: &[&[f64]], between: [u16; 2]) -> Noise {
        let mut noise = Noise { between: Some(between.map(Epoch)), ..Noise::default() };
        for (trial, curve) in (0..).map(TrialId).zip(curves) {
            noise.curves.insert(trial, curve.to_vec());
            noise.known.resize(noise.known.len().max(curve.len()), Vec::new());
            for (epoch, score) in curve.iter().enumerate() {
                noise.known[epoch].push((trial, *score));
            }
        }
        noise.look_between(noise.between);
        noise
    }

    #[test]
    fn pairs_that_changed_order_and_back_by_hand() {
        let none = [[0.1, 0.2, 0.3], [0.2, 0.3, 0.4]];
        assert_eq!(noise(&[&none[0], &none[1]], [1, 3]).epsilon(), 0.0);
        // Once is a change of order, and no noise.
        assert_eq!(noise(&[&none[0], &[0.2, 0.1, 0.1]], [1, 3]).epsilon(), 0.0);
        let back: &[f64] = &[0.0, 0.4, 0.0];
        assert!((noise(&[back, &none[1]], [1, 3]).epsilon() - 0.4).abs() < 1e-12);
        // Three trials: the distances are 0.4 and 0.3, at 90 % between them 0.39.
        let three = noise(&[back, &none[1], &none[0]], [1, 3]);
        assert!((three.epsilon() - 0.39).abs() < 1e-12, "{}", three.epsilon());
        // Epoch 3 is not between these rungs, and at epoch 2 they have not changed back yet.
        assert_eq!(noise(&[back, &none[1]], [1, 2]).epsilon(), 0.0);
        // What was not measured says nothing.
        let gap: &[f64] = &[f64::NAN, 0.4, 0.0];
        assert_eq!(noise(&[gap, &none[1]], [1, 3]).epsilon(), 0.0);
    }

    #[test]
    fn it_stays_as_it_was_where_no_pair_tells_anything() {
        let back: &[f64] = &[0.0, 0.4, 0.0];
        let mut noise = noise(&[back, &[0.2, 0.3, 0.4]], [1, 3]);
        let before = noise.epsilon();
        noise.look_between(Some([3, 9].map(Epoch)));
        assert_eq!((noise.epsilon(), noise.distances.len()), (before, 0));
    }
}
