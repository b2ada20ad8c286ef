//! Which trials are good, which are not, and which say nothing.

use base::units::TrialId;

use crate::interface::{State, Trial, View};

/// Whose TPE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Peer {
    Optuna4,
    Optuna5,
    Hyperopt,
}

/// Good trials are at most so many, in all variants.
const BELOW_MAX: f64 = 25.0;

/// What is known of a trial, the better the less.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
struct Key {
    /// 0 of a completed trial, 1 of a stopped one, 2 of a stopped one that was never measured.
    group: u8,
    /// The last measured epoch of a stopped trial, the later the less.
    step: i32,
    /// Infinite where there is none.
    loss: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Class {
    Pending,
    Ranked(Key),
    Ignored,
}

/// The trials of a run in the order of what they report.
#[derive(Debug, Clone)]
pub(super) struct Split {
    peer: Peer,
    classes: Vec<Class>,
    /// Trials that have a key, the best first; of equals the older.
    ranking: Vec<u32>,
}

impl Split {
    pub(super) fn new(peer: Peer) -> Self {
        Self { peer, classes: Vec::new(), ranking: Vec::new() }
    }

    /// A trial has started.
    pub(super) fn start(&mut self, trial: TrialId) {
        if self.classes.len() <= trial.index() {
            self.classes.resize(trial.index() + 1, Class::Ignored);
        }
        self.set(
            trial,
            match self.peer {
                Peer::Optuna4 | Peer::Optuna5 => Class::Pending,
                Peer::Hyperopt => UNKNOWN,
            },
        );
    }

    /// A segment of it has ended.
    pub(super) fn tell(&mut self, view: &View<'_>, trial: TrialId) {
        let class = match self.peer {
            Peer::Optuna4 | Peer::Optuna5 => optuna_class(view, trial),
            Peer::Hyperopt => hyperopt_class(view.trial(trial)),
        };
        self.set(trial, class);
    }

    fn set(&mut self, trial: TrialId, class: Class) {
        self.ranking.retain(|ranked| *ranked != trial.0);
        self.classes[trial.index()] = class;
        if let Class::Ranked(key) = class {
            let place = |other: &u32| match self.classes[*other as usize] {
                Class::Ranked(known) => known < key || (known == key && *other < trial.0),
                Class::Pending | Class::Ignored => unreachable!("it is in the ranking"),
            };
            let at = self.ranking.partition_point(place);
            self.ranking.insert(at, trial.0);
        }
    }

    /// How many trials have started.
    pub(super) fn known(&self) -> usize {
        self.classes.len()
    }

    /// How many trials count.
    pub(super) fn count(&self) -> usize {
        self.ranking.len()
    }

    /// The trials that count, the best first.
    pub(super) fn ranking(&self) -> &[u32] {
        &self.ranking
    }

    /// The good trials, by id, and the others that a density is fitted to, by id.
    pub(super) fn sides(&self) -> (Vec<u32>, Vec<u32>) {
        let count = below_count(self.peer, self.ranking.len());
        let mut below = self.ranking[..count.min(self.ranking.len())].to_vec();
        below.sort_unstable();
        let mut is_above: Vec<bool> = self.classes.iter().map(|class| self.fits(*class)).collect();
        for trial in &below {
            is_above[*trial as usize] = false;
        }
        let trials = (0..).zip(is_above).filter(|(_, is_above)| *is_above);
        (below, trials.map(|(trial, _)| trial).collect())
    }

    fn fits(&self, class: Class) -> bool {
        match class {
            Class::Ranked(_) => true,
            // A constant liar: what runs is taken to come out badly.
            Class::Pending => self.peer == Peer::Optuna5,
            Class::Ignored => false,
        }
    }
}

/// How many of `count` trials are good.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "at most 25"
)]
fn below_count(peer: Peer, count: usize) -> usize {
    let share = match peer {
        Peer::Optuna4 | Peer::Optuna5 => 0.1 * count as f64,
        Peer::Hyperopt => 0.25 * libm::sqrt(count as f64),
    };
    share.ceil().min(BELOW_MAX) as usize
}

/// hyperopt's loss of what has none.
const UNKNOWN: Class = Class::Ranked(Key { group: 0, step: 0, loss: f64::INFINITY });

/// Every trial has a loss, infinite where there is nothing to tell.
fn hyperopt_class(trial: &Trial) -> Class {
    if !trial.reported.is_finite() {
        return UNKNOWN;
    }
    Class::Ranked(Key { group: 0, step: 0, loss: -trial.reported })
}

fn optuna_class(view: &View<'_>, trial: TrialId) -> Class {
    let now = view.trial(trial);
    match now.state {
        State::Completed if now.reported.is_finite() => {
            Class::Ranked(Key { group: 0, step: 0, loss: -now.reported })
        }
        State::Completed | State::Failed | State::Cut => Class::Ignored,
        State::Stopped | State::Paused => {
            let measured = view.curve(trial).iter().rposition(|score| score.is_measured());
            let Some(at) = measured else {
                return Class::Ranked(Key { group: 2, step: 0, loss: 0.0 });
            };
            let loss = view.curve(trial)[at].number().map_or(f64::INFINITY, |score| -score);
            if loss.is_finite() && now.reported.is_nan() {
                // It shall tell nothing: `--report ignore`.
                return Class::Ignored;
            }
            let step = -i32::try_from(at).expect("epochs are 16 bits");
            Class::Ranked(Key { group: 1, step, loss })
        }
        State::Running => Class::Pending,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranked(group: u8, epoch: i32, loss: f64) -> Class {
        Class::Ranked(Key { group, step: -epoch, loss })
    }

    fn split(peer: Peer, classes: &[Class]) -> Split {
        let mut split = Split::new(peer);
        for (trial, class) in (0..).map(TrialId).zip(classes) {
            split.start(trial);
            split.set(trial, *class);
        }
        split
    }

    #[test]
    fn good_trials_are_counted_as_the_peers_count_them() {
        let counts = |peer, of: [usize; 6]| of.map(|count| below_count(peer, count));
        assert_eq!(counts(Peer::Optuna4, [0, 10, 11, 30, 100, 251]), [0, 1, 2, 3, 10, 25]);
        assert_eq!(counts(Peer::Hyperopt, [0, 16, 17, 100, 101, 20_000]), [0, 1, 2, 3, 3, 25]);
    }

    #[test]
    fn completed_trials_come_first_and_stopped_ones_by_how_far_they_came() {
        let classes = [
            ranked(1, 3, 0.1),
            ranked(0, 0, 0.9),
            ranked(1, 5, 0.8),
            Class::Pending,
            ranked(0, 0, 0.4),
            ranked(1, 5, 0.2),
            Class::Ignored,
            ranked(2, 0, 0.0),
            ranked(1, 5, f64::INFINITY),
            ranked(0, 0, 0.4),
        ];
        let split = split(Peer::Optuna4, &classes);
        assert_eq!(split.ranking(), [4, 9, 1, 5, 2, 8, 0, 7]);
        assert_eq!(split.sides(), (vec![4], vec![0, 1, 2, 5, 7, 8, 9]));
        let split = Split { peer: Peer::Optuna5, ..split };
        assert_eq!(split.sides(), (vec![4], vec![0, 1, 2, 3, 5, 7, 8, 9]));
    }

    #[test]
    fn a_later_word_replaces_the_earlier_one() {
        let mut split = split(Peer::Optuna4, &[ranked(1, 3, 0.1), ranked(1, 3, 0.2)]);
        split.set(TrialId(1), ranked(0, 0, 0.7));
        assert_eq!(split.ranking(), [1, 0]);
        split.set(TrialId(1), Class::Ignored);
        assert_eq!(split.ranking(), [0]);
        assert_eq!(split.sides(), (vec![0], vec![]));
    }

    #[test]
    fn hyperopt_counts_what_is_unknown_and_ranks_it_last() {
        let classes = [UNKNOWN, ranked(0, 0, 0.4), UNKNOWN, ranked(0, 0, 0.1)];
        let split = split(Peer::Hyperopt, &classes);
        assert_eq!(split.ranking(), [3, 1, 0, 2]);
        assert_eq!(split.sides(), (vec![3], vec![0, 1, 2]));
    }
}
