//! The clairvoyant's time to a goal in a given order of trials.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use base::stats::Interval;
use base::units::{Epoch, SimTime};
use replay::{Recorded, ValueMode, meets};

/// A trial as the clairvoyant sees it: what it costs to know that it is hopeless, or to meet the
/// goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Prospect {
    pub cost: SimTime,
    pub meets_goal: bool,
}

impl Prospect {
    /// Of a trial that was charged `overhead` before its first epoch. One without a single epoch
    /// costs that alone.
    pub(super) fn new(curve: &Recorded<'_>, mode: ValueMode, goal: f64, overhead: SimTime) -> Self {
        let epochs = curve.epochs().0;
        let met = (1..=epochs).map(Epoch).find(|epoch| meets(curve.score(mode, *epoch), goal));
        let ran = met.unwrap_or(Epoch(epochs.min(1)));
        Self { cost: overhead.saturating_add(curve.cost(ran)), meets_goal: met.is_some() }
    }
}

/// The earliest end of a trial that meets the goal, if trials start in this order, each on the
/// worker that is free first.
///
/// Where the trials run out before that is known (the run was cut, or ended when it met its goal)
/// the bound lies between the time from which on further trials could have run and what the known
/// ones come to. Where there are no further ones (`is_whole`) it is known.
pub(super) fn bound(prospects: &[Prospect], workers: u32, is_whole: bool) -> Interval {
    let mut free: BinaryHeap<Reverse<SimTime>> =
        (0..workers.max(1)).map(|_| Reverse(SimTime::ZERO)).collect();
    let mut best: Option<SimTime> = None;
    for prospect in prospects {
        let Reverse(start) = free.pop().expect("there is a worker");
        if best.is_some_and(|best| start >= best) {
            return known(best);
        }
        let end = start.saturating_add(prospect.cost);
        if prospect.meets_goal {
            best = Some(best.map_or(end, |best| best.min(end)));
        }
        free.push(Reverse(end));
    }
    let Reverse(next) = free.pop().expect("there is a worker");
    if is_whole || best.is_some_and(|best| next >= best) {
        return known(best);
    }
    let high = best.map_or(f64::INFINITY, SimTime::seconds);
    Interval { low: next.seconds(), high }
}

fn known(best: Option<SimTime>) -> Interval {
    Interval::exact(best.map_or(f64::INFINITY, SimTime::seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    const INF: f64 = f64::INFINITY;

    fn prospect(seconds: f64, meets_goal: bool) -> Prospect {
        Prospect { cost: SimTime::from_seconds(seconds).unwrap(), meets_goal }
    }

    #[test]
    fn one_worker_passes_hopeless_trials_at_their_first_epochs() {
        let trials = [prospect(1.0, false), prospect(2.0, false), prospect(7.0, true)];
        assert_eq!(bound(&trials, 1, false), Interval::exact(10.0));
        // What comes later is no concern.
        let longer = [&trials[..], &[prospect(0.1, true)]].concat();
        assert_eq!(bound(&longer, 1, false), Interval::exact(10.0));
        // None meets it: further trials could, if there are any.
        assert_eq!(bound(&trials[..2], 1, false), Interval { low: 3.0, high: INF });
        assert_eq!(bound(&trials[..2], 1, true), Interval::exact(INF));
        assert_eq!(bound(&[], 1, false), Interval { low: 0.0, high: INF });
    }

    #[test]
    fn several_workers_take_trials_as_they_are_free() {
        // Worker 0: 0..4, worker 1: 0..1, 1..3, 3..8; worker 0 goes on at 4: 4..6.
        let trials = [
            prospect(4.0, false),
            prospect(1.0, false),
            prospect(2.0, false),
            prospect(5.0, true),
            prospect(2.0, true),
        ];
        // The last one starts at 4, before the fourth ends at 8, and is sooner. It ends at 6, and
        // who is free next is free then.
        assert_eq!(bound(&trials, 2, false), Interval::exact(6.0));
        // Without it nobody knows who would have come at 4.
        assert_eq!(bound(&trials[..4], 2, false), Interval { low: 4.0, high: 8.0 });
        assert_eq!(bound(&trials[..4], 2, true), Interval::exact(8.0));
    }
}
