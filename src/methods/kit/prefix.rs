//! Beginnings of curves as models take them: without gaps, and what a finished one came to.
//!
//! A rule that compares whole beginnings wants a number for each epoch. Where an epoch was not
//! measured it has that of the last epoch before it that was, or of the first after it where there
//! is none before. NaN is chance; where the table knows no chance level such a beginning has no
//! numbers, and a model leaves it out.

use base::units::{Epoch, TrialId};

use crate::interface::{State, View};

/// The scores of the epochs 1 to `epoch`, of which all have been run. `None` where none of them was
/// measured, or one is NaN and the table knows no chance level.
pub fn filled(view: &View<'_>, trial: TrialId, epoch: Epoch) -> Option<Vec<f64>> {
    let measured = view.measured(trial).take_while(|(at, _)| *at <= epoch);
    let mut scores = Vec::with_capacity(usize::from(epoch.0));
    for (at, score) in measured {
        if !score.is_finite() {
            return None;
        }
        let before = scores.last().copied().unwrap_or(score);
        scores.resize(at.index(), before);
        scores.push(score);
    }
    let last = *scores.last()?;
    scores.resize(usize::from(epoch.0), last);
    Some(scores)
}

/// What a completed trial came to: its last measured score, or `None` where it has none or is not
/// complete.
pub fn final_score(view: &View<'_>, trial: TrialId) -> Option<f64> {
    if view.trial(trial).state != State::Completed {
        return None;
    }
    view.last_measured(trial).map(|(_, score)| score).filter(|score| score.is_finite())
}

/// The first trial that completed with this score; for reasons.
pub fn first_with_final(view: &View<'_>, score: f64) -> Option<TrialId> {
    view.ended().iter().copied().find(|id| final_score(view, *id) == Some(score))
}

/// Every how many epochs a rule extrapolates: as told, or at 0 every tenth part of the table's
/// epochs, rounded up.
pub fn interval_or_tenth(told: u16, epochs: Epoch) -> u16 {
    if told > 0 { told } else { epochs.0.div_ceil(10).max(1) }
}

#[cfg(test)]
mod tests {
    use base::units::{ConfigId, SimTime};

    use super::*;
    use crate::interface::{EpochScore, Past, RowOrder, Trial};

    /// What a trial with this curve is filled up to and ends with, run to its end.
    fn of(curve: &[EpochScore], chance: Option<f64>, to: u16) -> (Option<Vec<f64>>, Option<f64>) {
        let epochs = Epoch(u16::try_from(curve.len()).unwrap());
        let trials = [Trial {
            config: ConfigId(0),
            curve_repeat: 0,
            bracket: 0,
            state: State::Completed,
            executed: epochs,
            until: epochs,
            last_epoch: epochs,
            value: 0.5,
            reported: 0.5,
            point: None,
            snap_distance: None,
            segment_start: SimTime(0),
            charged: SimTime(0),
        }];
        let order = RowOrder::empty();
        let view = View {
            now: SimTime(0),
            workers: 1,
            epochs,
            chance,
            gain_offset: 0.0,
            goal: None,
            budget: None,
            trials_max: None,
            past: Past::new(&order, &trials, &[], curve, &[0]),
        };
        (filled(&view, TrialId(0), Epoch(to)), final_score(&view, TrialId(0)))
    }

    #[test]
    fn gaps_take_what_was_measured_last() {
        let [a, b, nan] = [0.25, 0.5, f64::NAN].map(EpochScore::measured);
        let null = EpochScore::NOT_MEASURED;
        let curve = [null, a, null, null, b, null];
        assert_eq!(of(&curve, None, 6), (Some(vec![0.25, 0.25, 0.25, 0.25, 0.5, 0.5]), Some(0.5)));
        assert_eq!(of(&curve, None, 4).0, Some(vec![0.25; 4]));
        assert_eq!(of(&curve, None, 1).0, None);
        assert_eq!(of(&[null; 3], Some(0.1), 3), (None, None));
        assert_eq!(of(&[a, nan, b], Some(0.1), 3), (Some(vec![0.25, 0.1, 0.5]), Some(0.5)));
        assert_eq!(of(&[a, nan, b], None, 3), (None, Some(0.5)));
        assert_eq!(of(&[a, nan], None, 1), (Some(vec![0.25]), None));
    }

    #[test]
    fn an_interval_of_zero_is_a_tenth() {
        let of = |told, epochs| interval_or_tenth(told, Epoch(epochs));
        assert_eq!([of(0, 30), of(0, 31), of(0, 1), of(7, 30)], [3, 4, 1, 7]);
    }
}
