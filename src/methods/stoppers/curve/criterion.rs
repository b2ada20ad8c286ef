//! When a prediction stops a trial.

use crate::interface::{Extrapolation, Reason, Side};

/// What is compared with the threshold, as reasons call it.
pub(super) const CHANCE: &str = "probability to exceed the best";

/// The deviation below which the optimistic mode is certain.
const CERTAIN: f64 = 0.005;

/// Whether a trial that may still become the best can be stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// It cannot.
    Conservative,
    /// It is stopped where the prediction is certain.
    Optimistic,
}

/// `terminationcriterion.py` of pylearningcurvepredictor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Criterion {
    mode: Mode,
    threshold: f64,
    /// `None`: any.
    deviation: Option<f64>,
}

impl Criterion {
    /// A deviation of 0 is the mode's own.
    pub(super) fn new(mode: Mode, threshold: f64, deviation: f64) -> Self {
        let own = (mode == Mode::Optimistic).then_some(CERTAIN);
        let deviation = if deviation > 0.0 { Some(deviation) } else { own };
        Self { mode, threshold, deviation }
    }

    /// Whether nothing need be predicted: the trial goes on. `own_best` is its best value so far,
    /// `best` is y*.
    pub(super) fn lets_go(&self, own_best: f64, best: Option<f64>) -> bool {
        self.mode == Mode::Conservative && best.is_none_or(|best| own_best > best)
    }

    /// Whether the prediction stops a trial that was not let go.
    pub(super) fn stops(&self, found: &Extrapolation, best: Option<f64>) -> bool {
        let is_certain = self.deviation.is_none_or(|most| found.deviation() < most);
        let is_unlikely = best.is_some_and(|best| found.probability_above(best) < self.threshold);
        let stops = match self.mode {
            Mode::Conservative => is_unlikely && is_certain,
            Mode::Optimistic => is_unlikely || is_certain,
        };
        stops && (0.0..=1.0).contains(&found.mean())
    }

    /// What [`Self::stops`] compared; of the optimistic mode, where one is enough, that which the
    /// trial fails, if it does.
    pub(super) fn reasons(&self, found: &Extrapolation, best: Option<f64>) -> Vec<Reason> {
        if !(0.0..=1.0).contains(&found.mean()) {
            let why = "the prediction lies outside of what an accuracy can be";
            return vec![Reason::number(CHANCE, Side::Below, None, None, why)];
        }
        let unlikely = best.map(|best| {
            let chance = Some(found.probability_above(best));
            Reason::number(CHANCE, Side::Below, chance, Some(self.threshold), "the threshold")
        });
        let certain = self.deviation.map(|most| {
            let (what, seen) = ("deviation of the prediction", Some(found.deviation()));
            Reason::number(what, Side::Below, seen, Some(most), "what counts as certain")
        });
        let mut all: Vec<Reason> = unlikely.into_iter().chain(certain).collect();
        if self.mode == Mode::Optimistic && all.iter().any(Reason::fails) {
            all.retain(Reason::fails);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surrogates::curves::{Part, of_parts};

    fn found(mean: f64, deviation: f64, noise: f64) -> Extrapolation {
        let part = Part { mean, deviation: noise, weight: 1.0 };
        of_parts(&[part], mean, deviation).unwrap()
    }

    #[test]
    fn the_conservative_mode_stops_what_is_unlikely_to_win() {
        let rule = Criterion::new(Mode::Conservative, 0.05, 0.0);
        // P(y > 0.6) is 0.0228 and P(y > 0.565) is 0.0968.
        let unlikely = found(0.5, 0.03, 0.05);
        assert!(rule.stops(&unlikely, Some(0.6)) && !rule.stops(&unlikely, Some(0.565)));
        assert!(!rule.stops(&unlikely, None));
        assert!(rule.lets_go(0.4, None) && rule.lets_go(0.61, Some(0.6)));
        assert!(!rule.lets_go(0.6, Some(0.6)));
        // As certain as can be, and that is not asked for.
        assert!(!rule.stops(&found(0.5, 0.0, 0.05), Some(0.5)));
        let gated = Criterion::new(Mode::Conservative, 0.05, 0.03);
        assert!(
            !gated.stops(&unlikely, Some(0.6)) && gated.stops(&found(0.5, 0.02, 0.05), Some(0.6))
        );
    }

    #[test]
    fn the_optimistic_mode_also_stops_what_is_certain() {
        let rule = Criterion::new(Mode::Optimistic, 0.05, 0.0);
        assert!(!rule.lets_go(0.9, None) && !rule.lets_go(0.9, Some(0.1)));
        let (certain, open) = (found(0.5, 0.004, 0.05), found(0.5, 0.005, 0.05));
        assert!(rule.stops(&certain, None) && rule.stops(&certain, Some(0.4)));
        assert!(!rule.stops(&open, None) && !rule.stops(&open, Some(0.4)));
        assert!(rule.stops(&open, Some(0.6)));
        assert!(Criterion::new(Mode::Optimistic, 0.05, 0.006).stops(&open, None));
    }

    #[test]
    fn no_prediction_outside_of_0_to_1_stops() {
        for mode in [Mode::Conservative, Mode::Optimistic] {
            let rule = Criterion::new(mode, 0.05, 0.0);
            let stops = |mean: f64| rule.stops(&found(mean, 0.001, 0.001), Some(mean + 1.0));
            assert_eq!([-0.1, 0.0, 1.0, 1.1].map(stops), [false, true, true, false]);
        }
    }
}
