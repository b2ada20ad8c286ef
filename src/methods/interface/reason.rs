//! Why a rule or a rung decided as it did, for people who ask afterwards.

use base::units::TrialId;

use super::falls_below;

/// What a rule or a rung compared when it decided: something of the trial with a bar, and where
/// the bar came from. A trial is ended, or kept at its rung, where it [fails](Reason::fails) all
/// that was compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// What of the trial is compared, in a few words: `score at the epoch`, `best so far`.
    pub what: &'static str,
    /// That of the trial. `None` where the epoch was not measured; NaN where training had diverged
    /// and nothing stands in for it; minus infinity where that counts as worst of all.
    pub seen: Option<f64>,
    /// What it is compared with. `None` where nothing could be compared, for which
    /// [`bar_is`](Self::bar_is) says the cause; minus infinity where any number is enough.
    pub bar: Option<f64>,
    /// Where a trial fails.
    pub side: Side,
    /// What the two numbers are.
    pub measure: Measure,
    /// What the bar is, in a few words without numbers that a reader of a metric that is minimised
    /// would have to turn around: `median of the others`.
    pub bar_is: String,
    /// The trials whose recorded scores made the bar, by id. Empty where it is a constant.
    pub trials: Vec<TrialId>,
}

/// On which side of a bar a trial fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Below it, by more than the [slack](super::slack) of thresholds.
    Below,
    /// Above it, by more than the slack.
    Above,
    /// On it, and beyond: where trials end.
    Reached,
}

/// What the numbers of a comparison are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Scores: people are shown the metric, and [`Side`] turned around where that is minimised.
    Score,
    /// Numbers that are no scores: a share of trials, a p-value, an epoch.
    Number,
}

impl Reason {
    /// Scores that must not fall below a bar.
    pub fn score(
        what: &'static str,
        seen: Option<f64>,
        bar: Option<f64>,
        bar_is: impl Into<String>,
    ) -> Self {
        Self {
            what,
            seen,
            bar,
            side: Side::Below,
            measure: Measure::Score,
            bar_is: bar_is.into(),
            trials: Vec::new(),
        }
    }

    /// Numbers that are no scores.
    pub fn number(
        what: &'static str,
        side: Side,
        seen: Option<f64>,
        bar: Option<f64>,
        bar_is: impl Into<String>,
    ) -> Self {
        let score = Self::score(what, seen, bar, bar_is);
        Self { side, measure: Measure::Number, ..score }
    }

    /// A trial that has run as far as trials of its scheduler run.
    pub fn end_of_trials(executed: base::units::Epoch, max: base::units::Epoch) -> Self {
        let [seen, bar] = [executed, max].map(|epoch| Some(f64::from(epoch.0)));
        let bar_is = "where the scheduler ends trials";
        Self::number("epochs", Side::Reached, seen, bar, bar_is)
    }

    /// The same, above the bar.
    #[must_use]
    pub fn above(self) -> Self {
        Self { side: Side::Above, ..self }
    }

    /// The same with the trials that made the bar, in any order.
    #[must_use]
    pub fn made_by(mut self, trials: impl IntoIterator<Item = TrialId>) -> Self {
        self.trials = trials.into_iter().collect();
        self.trials.sort_unstable();
        self
    }

    /// Whether the trial fails: it lies on the wrong side of the bar, or is not even a number.
    /// False where nothing could be compared.
    pub fn fails(&self) -> bool {
        let (Some(seen), Some(bar)) = (self.seen, self.bar) else { return false };
        seen.is_nan()
            || match self.side {
                Side::Below => falls_below(seen, bar),
                Side::Above => falls_below(-seen, -bar),
                Side::Reached => seen >= bar,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_fails_beyond_the_slack_and_where_it_is_no_number() {
        let score = |seen, bar| Reason::score("score", Some(seen), Some(bar), "a bar");
        let low = f64::NEG_INFINITY;
        assert!(score(0.4, 0.5).fails() && score(low, 0.5).fails());
        assert!(score(f64::NAN, low).fails(), "any number would do, and there is none");
        for (seen, bar) in [(0.5, 0.5), (0.5 - 1e-9, 0.5), (0.6, 0.5), (low, low), (0.0, low)] {
            assert!(!score(seen, bar).fails(), "{seen} {bar}");
        }
        assert!(score(0.6, 0.5).above().fails() && !score(0.5, 0.5).above().fails());
        let nothing = Reason::score("score", Some(0.0), None, "too few");
        assert!(!nothing.fails() && !Reason { seen: None, ..score(0.0, 0.5) }.fails());
        let [two, three] = [2, 3].map(base::units::Epoch);
        assert!(Reason::end_of_trials(three, three).fails());
        assert!(!Reason::end_of_trials(two, three).fails());
    }

    #[test]
    fn the_trials_stand_in_their_order() {
        let reason = Reason::score("score", None, None, "").made_by([4, 1, 2].map(TrialId));
        assert_eq!(reason.trials, [1, 2, 4].map(TrialId));
    }
}
