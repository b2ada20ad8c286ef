//! Q-learning over a binned space, after `MetaQNN` (Baker, Gupta, Naik & Raskar, ICLR 2017).
//!
//! The parameters, in the order of the space, are chosen one after another: the state is which
//! parameter it is and the bin of the one before, the action is its bin. With probability epsilon
//! an action is uniform, else one of the largest Q, uniform among equals. All Q begin at 1/2.
//! After each trial, `replays` trials are drawn uniformly from all told so far, and each teaches its
//! actions, from the last to the first: `Q += alpha (r + max Q' - Q)`, where `r` is the trial's
//! reported score at the last action and 0 before, and `Q'` are the actions of the next state (0
//! after the last).
//!
//! Epsilon is `MetaQNN`'s: 1 for 1,500 models, 0.9, 0.8 and 0.7 for 100 each, 0.6 down to 0.1 for 150
//! each, stretched over `models` trials (0: the limit of trials, or the rows of the table), and 0.1
//! after that.
//!
//! **What is not `MetaQNN`'s:** the space. `MetaQNN`'s states are layers of a network; here they are a
//! table's parameters, cut into at most `bins` equal bins. A chosen signature of bins runs a free
//! row of that signature, uniform among them, or the nearest to it, and what is learnt is the
//! signature of the row that ran. A network that repeats keeps its score in `MetaQNN`; no row repeats
//! here.
//!
//! Where the metric is minimised, the reward is chance less the metric. A trial that reports
//! nothing is as bad as the worst told so far. Nobody waits; a later word of a trial replaces its
//! reward. Trials of a warm start or of a scheduler are replayed like others.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::error::Result;
use base::rng::Stream;
use base::units::TrialId;
use rand::RngExt;

use super::bins::Bins;
use crate::interface::{
    Arguments, Ask, Comparison, Context, Entry, Fresh, Proposal, Sampler, SamplerFactory, Trait,
    View, parameters,
};
use crate::kit::draws::index;
use crate::kit::streams::Streams;

parameters! {
    struct Parameters {
        /// bins of a numeric parameter
        bins: u16 in 2..=1000 = 8,
        /// the learning rate
        alpha: f64 in 0.0..=1.0 = 0.01,
        /// trials replayed after each trial
        replays: u32 in 0..=100_000 = 128,
        /// trials that the schedule of epsilon is stretched over; 0: as many as may run
        models: u32 in 0.. = 0,
    }
}

pub(super) const ENTRY: Entry<SamplerFactory> = Entry {
    name: "q-learning",
    summary: "Q-learning with replays and MetaQNN's schedule, on parameters cut into bins.",
    citation: "Baker, Gupta, Naik & Raskar, Designing neural network architectures using \
               reinforcement learning, ICLR 2017; the binned space is ours",
    parameters: Parameters::SPECS,
    compared: &[Comparison {
        with: "bowenbaker/metaqnn at c9ee0c6, QLearner",
        what: "the whole Q table after 400 scripted episodes \
               (tests/golden/samplers/make_q_learning_golden.py)",
        result: "equal within 1e-14",
    }],
    traits: &[Trait::LearnsValues],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<SamplerFactory> {
    let Parameters { bins, alpha, replays, models } = Parameters::read(arguments)?;
    let bins = Arc::new(Bins::new(context, bins));
    let rows = context.rows;
    Ok(Box::new(move |run| {
        let streams = Streams::new(run, "q-learning");
        Box::new(QLearning {
            alpha,
            replays,
            models,
            rows,
            table: QTable::new(bins.counts()),
            bins: Arc::clone(&bins),
            streams,
            replay_stream: streams.of("replay"),
            episodes: Vec::new(),
            places: BTreeMap::new(),
            proposals: 0,
        })
    }))
}

/// `MetaQNN`'s schedule: epsilon, and for how many models.
const SCHEDULE: [(f64, f64); 10] = [
    (1.0, 1_500.0),
    (0.9, 100.0),
    (0.8, 100.0),
    (0.7, 100.0),
    (0.6, 150.0),
    (0.5, 150.0),
    (0.4, 150.0),
    (0.3, 150.0),
    (0.2, 150.0),
    (0.1, 150.0),
];

/// Epsilon of the trial `number`, from 0, of `models`.
fn epsilon(number: u32, models: u32) -> f64 {
    let total: f64 = SCHEDULE.iter().map(|(_, models)| models).sum();
    let mut left = f64::from(number) * total / f64::from(models.max(1));
    for (epsilon, models) in SCHEDULE {
        if left < models {
            return epsilon;
        }
        left -= models;
    }
    SCHEDULE[SCHEDULE.len() - 1].0
}

/// Q of each action in each state.
#[derive(Debug, Clone)]
struct QTable {
    /// Actions of each parameter.
    counts: Vec<usize>,
    /// By parameter: the actions in the state of each bin of the parameter before.
    values: Vec<Vec<Vec<f64>>>,
}

impl QTable {
    fn new(counts: &[usize]) -> Self {
        let state = |at: usize| if at == 0 { 1 } else { counts[at - 1] };
        let of = |(at, count): (usize, &usize)| vec![vec![0.5; *count]; state(at)];
        Self { counts: counts.to_vec(), values: counts.iter().enumerate().map(of).collect() }
    }

    /// Which of a parameter's states follows these actions.
    fn state(at: usize, actions: &[u16]) -> usize {
        if at == 0 { 0 } else { usize::from(actions[at - 1]) }
    }

    /// One episode, taught from its last action to its first.
    fn teach(&mut self, actions: &[u16], reward: f64, alpha: f64) {
        let last = self.counts.len() - 1;
        for at in (0..=last).rev() {
            let target = if at == last {
                reward
            } else {
                let next = &self.values[at + 1][usize::from(actions[at])];
                next.iter().copied().fold(f64::NEG_INFINITY, f64::max)
            };
            let value = &mut self.values[at][Self::state(at, actions)][usize::from(actions[at])];
            *value += alpha * (target - *value);
        }
    }

    /// Actions by the greedy policy, each uniform with probability epsilon.
    fn walk(&self, epsilon: f64, stream: &mut Stream) -> Vec<u16> {
        let mut actions: Vec<u16> = Vec::new();
        for at in 0..self.counts.len() {
            let values = &self.values[at][Self::state(at, &actions)];
            let action = if stream.random::<f64>() < epsilon {
                index(stream, values.len())
            } else {
                let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let best: Vec<usize> =
                    (0..values.len()).filter(|action| values[*action] == most).collect();
                best[index(stream, best.len())]
            };
            actions.push(u16::try_from(action).expect("bins are 16 bits"));
        }
        actions
    }
}

struct QLearning {
    alpha: f64,
    replays: u32,
    models: u32,
    rows: u32,
    bins: Arc<Bins>,
    table: QTable,
    streams: Streams,
    replay_stream: Stream,
    /// Actions of each trial that was told, and its reward, where it reported something.
    episodes: Vec<(Vec<u16>, Option<f64>)>,
    /// Where a trial stands among the episodes.
    places: BTreeMap<TrialId, usize>,
    proposals: u32,
}

impl Sampler for QLearning {
    fn ready(&mut self, _: &View<'_>) -> Fresh {
        Fresh::Ready
    }

    fn propose(&mut self, view: &View<'_>, _: &Ask) -> Proposal {
        let mut stream = self.streams.decision("walk", self.proposals);
        let most = view.trials_max.map_or(self.rows, |most| most.min(self.rows));
        let models = if self.models == 0 { most } else { self.models };
        let actions = self.table.walk(epsilon(self.proposals, models), &mut stream);
        self.proposals += 1;
        Proposal::Row(self.bins.row(view, &actions, &mut stream))
    }

    fn tell(&mut self, view: &View<'_>, trial: TrialId) {
        let told = view.trial(trial);
        let reward = told.reported + view.gain_offset;
        let reward = reward.is_finite().then_some(reward);
        if let Some(place) = self.places.get(&trial) {
            self.episodes[*place].1 = reward;
        } else {
            self.places.insert(trial, self.episodes.len());
            self.episodes.push((self.bins.of_row(told.config).to_vec(), reward));
        }
        let worst = self.episodes.iter().filter_map(|episode| episode.1).reduce(f64::min);
        for _ in 0..self.replays {
            let (actions, reward) =
                &self.episodes[index(&mut self.replay_stream, self.episodes.len())];
            self.table.teach(actions, reward.or(worst).unwrap_or(0.0), self.alpha);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    use super::super::harness::{Room, Session, check_everywhere, choices, float, int};
    use super::*;

    const GOLDEN: &str = include_str!("../../../../tests/golden/samplers/q_learning.json");

    #[test]
    fn the_table_is_metaqnns_after_scripted_episodes() {
        let golden: Json = serde_json::from_str(GOLDEN).unwrap();
        let counts: Vec<usize> = serde_json::from_value(golden["counts"].clone()).unwrap();
        let mut table = QTable::new(&counts);
        let episodes = golden["episodes"].as_array().unwrap();
        assert_eq!(episodes.len(), 400);
        for episode in episodes {
            let actions: Vec<u16> = serde_json::from_value(episode["actions"].clone()).unwrap();
            table.teach(&actions, episode["reward"].as_f64().unwrap(), 0.01);
        }
        let expected: Vec<Vec<Vec<f64>>> = serde_json::from_value(golden["q"].clone()).unwrap();
        for (found, expected) in table.values.iter().zip(&expected) {
            for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
                assert!((found - expected).abs() <= 1e-14, "{found}, not {expected}");
            }
        }
    }

    #[test]
    fn epsilon_is_metaqnns_stretched() {
        for (number, expected) in [
            (0, 1.0),
            (1_499, 1.0),
            (1_500, 0.9),
            (1_799, 0.7),
            (1_800, 0.6),
            (2_699, 0.1),
            (9_999, 0.1),
        ] {
            assert_eq!(epsilon(number, 2_700), expected, "{number}");
        }
        assert_eq!([epsilon(14, 27), epsilon(15, 27), epsilon(0, 0)], [1.0, 0.9, 1.0]);
    }

    #[test]
    fn a_signature_runs_its_rows_and_then_the_nearest() {
        // Three bins of a, two choices of b: a row at each, twice over.
        let mut room = Room::random(vec![float("a"), choices("b", 2)], 12, 1);
        let coordinates = (0..12_u32).flat_map(|row| {
            let [a, b] = [row % 3, row / 3 % 2].map(f64::from);
            [(a + 0.5) / 3.0, b * 0.5 + 0.25]
        });
        let coordinates = coordinates.collect();
        room.points = Arc::new(crate::interface::Points { width: 2, coordinates });
        let bins = Bins::new(&room.context(), 3);
        assert_eq!(bins.counts(), [3, 2]);
        assert_eq!(bins.of_row(base::units::ConfigId(4)), [1, 1]);
        let sampler = room.sampler("q-learning:bins=3,models=1", 0);
        let mut session = Session::new(&room, sampler, 1);
        // Every row is visited; the first two of a signature come before another's.
        let rows = session.run_one_by_one(12, |point| point[0]);
        assert_eq!(rows.len(), 12);
        let whole =
            Bins::new(&Room::random(vec![int("a", 1, 4), int("b", 5, 5)], 9, 1).context(), 8);
        assert_eq!(whole.counts(), [4, 1]);
    }

    #[test]
    fn the_greedy_walk_follows_what_paid() {
        let mut table = QTable::new(&[3, 2]);
        for _ in 0..400 {
            table.teach(&[2, 1], 0.9, 0.1);
            table.teach(&[0, 0], 0.1, 0.1);
        }
        let mut stream = Stream::new(1, 0, "q-learning");
        for _ in 0..50 {
            assert_eq!(table.walk(0.0, &mut stream), [2, 1]);
        }
        let uniform: Vec<Vec<u16>> = (0..200).map(|_| table.walk(1.0, &mut stream)).collect();
        assert!((0..3).all(|bin| uniform.iter().any(|walk| walk[0] == bin)));
    }

    #[test]
    fn every_table_is_visited_whole() {
        check_everywhere("q-learning");
        check_everywhere("q-learning:bins=3,replays=4,alpha=0.1");
    }
}
