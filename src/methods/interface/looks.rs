//! After which epochs a rule is asked.

use std::sync::Arc;

use base::units::Epoch;

/// After which epochs of a trial a stopper wants to be asked. The fewer, the faster the replay:
/// where nobody looks at running trials, the engine steps from one look to the next.
///
/// A rule that wraps another asks it after the epochs that *its* looks [include](Self::includes)
/// alone: rules may rely on that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Looks {
    /// After none: it is never asked.
    Never,
    /// After every epoch. All running trials are then advanced epoch by epoch, so that it may look
    /// at anything that has happened by then.
    EveryEpoch,
    /// After `first`, and from there on after every `step` epochs, each at least 1. How far *other*
    /// running trials have come may stand still; see [`super::Stopper::looks_at_running`].
    From { first: Epoch, step: u16 },
    /// After these, in rising order, from epoch 1. Of other running trials as for `From`.
    These(Arc<[Epoch]>),
}

impl Looks {
    /// After one epoch of each trial alone.
    pub fn only(epoch: Epoch) -> Self {
        Self::These(Arc::new([epoch]))
    }

    /// Whether it looks after an epoch.
    #[inline]
    pub fn includes(&self, epoch: Epoch) -> bool {
        match self {
            Self::Never => false,
            Self::EveryEpoch => true,
            Self::From { first, step } => epoch >= *first && (epoch.0 - first.0) % step == 0,
            Self::These(epochs) => epochs.binary_search(&epoch).is_ok(),
        }
    }

    /// The first look after an epoch (0: of all), if there is one.
    #[inline]
    pub fn next_after(&self, epoch: Epoch) -> Option<Epoch> {
        match self {
            Self::Never => None,
            Self::EveryEpoch => epoch.0.checked_add(1).map(Epoch),
            Self::From { first, .. } if epoch < *first => Some(*first),
            Self::From { first, step } => {
                epoch.0.checked_add(step - (epoch.0 - first.0) % step).map(Epoch)
            }
            Self::These(epochs) => {
                epochs.get(epochs.partition_point(|look| *look <= epoch)).copied()
            }
        }
    }

    /// For the engine, when a run begins.
    ///
    /// # Panics
    ///
    /// If a step is 0, or epochs do not rise from 1.
    pub fn check(&self) {
        match self {
            Self::Never | Self::EveryEpoch => {}
            Self::From { first, step } => {
                assert!(first.0 > 0 && *step > 0, "a rule looks from {first} in steps of {step}");
            }
            Self::These(epochs) => {
                let rise = epochs.is_sorted_by(|a, b| a < b);
                assert!(rise && !epochs.contains(&Epoch(0)), "a rule looks at {epochs:?}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn these(epochs: &[u16]) -> Looks {
        Looks::These(epochs.iter().copied().map(Epoch).collect())
    }

    #[test]
    fn the_next_look_is_the_first_that_is_included() {
        let from = |first, step| Looks::From { first: Epoch(first), step };
        let patterns = [
            (Looks::Never, vec![]),
            (Looks::EveryEpoch, (1..=40).collect()),
            (from(1, 1), (1..=40).collect()),
            (from(5, 1), (5..=40).collect()),
            (from(3, 7), vec![3, 10, 17, 24, 31, 38]),
            (from(40, 65_535), vec![40]),
            (from(65_535, 1), vec![]),
            (Looks::only(Epoch(9)), vec![9]),
            (these(&[2, 3, 30]), vec![2, 3, 30]),
            (these(&[]), vec![]),
        ];
        for (looks, wanted) in patterns {
            looks.check();
            let included = (1..=40).filter(|e| looks.includes(Epoch(*e)));
            assert_eq!(included.collect::<Vec<u16>>(), wanted, "{looks:?}");
            for epoch in 0..40 {
                let next = looks.next_after(Epoch(epoch)).filter(|next| next.0 <= 40);
                let first = wanted.iter().find(|look| **look > epoch);
                assert_eq!(next.map(|next| next.0), first.copied(), "{looks:?} after {epoch}");
            }
        }
    }

    #[test]
    fn nothing_comes_after_the_last_epoch_of_all() {
        let last = Epoch(u16::MAX);
        for looks in [Looks::EveryEpoch, Looks::From { first: Epoch(1), step: 1 }, these(&[7])] {
            assert_eq!(looks.next_after(last), None, "{looks:?}");
        }
        let far = Looks::From { first: Epoch(60_000), step: 6_000 };
        assert_eq!(far.next_after(Epoch(60_000)), None);
    }
}
