//! REINFORCE over a binned space (Williams, Machine Learning 8, 1992): a policy gradient in the place
//! of the one that Mortazi & Bagci 2018 use without giving its settings. Ours, and no reproduction.
//!
//! Each parameter has a softmax of its own over its bins, uniform at first. A trial draws a bin of
//! each, and runs a free row with these bins, uniform among them, or the nearest to them. When it
//! is told its reward `r`, the logits `z` of the bins of the *row that ran* move by
//! `rate ((r - b) grad log p + entropy grad H)`, with the gradients
//! `1[bin] - p` and `-p (ln p + H)` at the policy of then; the baseline `b` is a moving average of
//! rewards, `b = memory b + (1 - memory) r`, from the first reward on, and follows after the step.
//!
//! Rewards, trials that report nothing, several workers and trials of others are as in
//! `q-learning`, but that a trial teaches once, by its first word: a step that was taken stays.

use std::sync::Arc;

use base::error::Result;
use base::rng::Stream;
use base::units::TrialId;

use super::bins::Bins;
use crate::interface::{
    Arguments, Ask, Comparison, Context, Entry, Fresh, Proposal, Sampler, SamplerFactory, Trait,
    View, parameters,
};
use crate::kit::draws::weighted;
use crate::kit::genes::Seen;
use crate::kit::streams::Streams;

parameters! {
    struct Parameters {
        /// bins of a numeric parameter
        bins: u16 in 2..=1000 = 8,
        /// the learning rate
        rate: f64 in 0.0..=100.0 = 0.05,
        /// how much of the baseline stays at each reward
        memory: f64 in 0.0..=1.0 = 0.9,
        /// weight of the policy's entropy
        entropy: f64 in 0.0..=100.0 = 0.01,
    }
}

pub(super) const ENTRY: Entry<SamplerFactory> = Entry {
    name: "reinforce",
    summary: "A policy gradient over binned parameters. Ours: no paper gives these settings.",
    citation: "Williams, Simple statistical gradient-following algorithms, Machine Learning 8, 1992",
    parameters: Parameters::SPECS,
    compared: &[Comparison {
        with: "central differences of ln p and of the entropy",
        what: "the step of each logit at a policy that is not uniform (unit test)",
        result: "equal within 1e-9",
    }],
    traits: &[Trait::LearnsValues],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<SamplerFactory> {
    let Parameters { bins, rate, memory, entropy } = Parameters::read(arguments)?;
    let bins = Arc::new(Bins::new(context, bins));
    Ok(Box::new(move |run| {
        Box::new(Reinforce {
            policy: Policy::new(bins.counts(), rate, entropy),
            memory,
            bins: Arc::clone(&bins),
            streams: Streams::new(run, "reinforce"),
            seen: Seen::default(),
            baseline: None,
            worst: None,
            proposals: 0,
        })
    }))
}

/// A softmax for each parameter.
#[derive(Debug, Clone)]
struct Policy {
    logits: Vec<Vec<f64>>,
    rate: f64,
    entropy: f64,
}

/// Probabilities of some logits.
fn softmax(logits: &[f64]) -> Vec<f64> {
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = logits.iter().map(|z| libm::exp(z - most)).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

/// In nats; a probability of 0 adds nothing.
fn entropy_of(probabilities: &[f64]) -> f64 {
    probabilities.iter().filter(|p| **p > 0.0).map(|p| -p * libm::log(*p)).sum()
}

impl Policy {
    fn new(counts: &[usize], rate: f64, entropy: f64) -> Self {
        Self { logits: counts.iter().map(|count| vec![0.0; *count]).collect(), rate, entropy }
    }

    fn draw(&self, stream: &mut Stream) -> Vec<u16> {
        let bin = |logits: &Vec<f64>| {
            let found = weighted(stream, &softmax(logits)).expect("probabilities are positive");
            u16::try_from(found).expect("bins are 16 bits")
        };
        self.logits.iter().map(bin).collect()
    }

    /// One step up the gradient for bins with this advantage.
    fn teach(&mut self, bins: &[u16], advantage: f64) {
        for (logits, bin) in self.logits.iter_mut().zip(bins) {
            let probabilities = softmax(logits);
            let entropy = entropy_of(&probabilities);
            for (at, (logit, p)) in logits.iter_mut().zip(&probabilities).enumerate() {
                let chosen = f64::from(u8::from(at == usize::from(*bin)));
                let spread = if *p > 0.0 { -p * (libm::log(*p) + entropy) } else { 0.0 };
                *logit += self.rate * (advantage * (chosen - p) + self.entropy * spread);
            }
        }
    }
}

struct Reinforce {
    policy: Policy,
    memory: f64,
    bins: Arc<Bins>,
    streams: Streams,
    seen: Seen,
    baseline: Option<f64>,
    /// The worst reward so far.
    worst: Option<f64>,
    proposals: u32,
}

impl Sampler for Reinforce {
    fn ready(&mut self, _: &View<'_>) -> Fresh {
        Fresh::Ready
    }

    fn propose(&mut self, view: &View<'_>, _: &Ask) -> Proposal {
        let mut stream = self.streams.decision("draw", self.proposals);
        self.proposals += 1;
        let wanted = self.policy.draw(&mut stream);
        Proposal::Row(self.bins.row(view, &wanted, &mut stream))
    }

    fn tell(&mut self, view: &View<'_>, trial: TrialId) {
        if !self.seen.is_first(trial) {
            return;
        }
        let told = view.trial(trial);
        let reported = told.reported + view.gain_offset;
        let reward = if reported.is_finite() { reported } else { self.worst.unwrap_or(0.0) };
        self.worst = Some(self.worst.map_or(reward, |worst| worst.min(reward)));
        let baseline = *self.baseline.get_or_insert(reward);
        self.policy.teach(self.bins.of_row(told.config), reward - baseline);
        self.baseline = Some(self.memory * baseline + (1.0 - self.memory) * reward);
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::super::harness::check_everywhere;
    use super::*;

    #[test]
    fn steps_are_those_of_the_gradient() {
        let logits = vec![0.3, -0.4, 1.1, 0.0];
        let ln_p = |z: &[f64]| libm::log(softmax(z)[2]);
        let entropy = |z: &[f64]| entropy_of(&softmax(z));
        let mut policy = Policy { logits: vec![logits.clone()], rate: 0.05, entropy: 0.01 };
        policy.teach(&[2], 0.7);
        for at in 0..4 {
            let slope = |f: &dyn Fn(&[f64]) -> f64| {
                let moved = |by: f64| {
                    let mut z = logits.clone();
                    z[at] += by;
                    f(&z)
                };
                (moved(1e-5) - moved(-1e-5)) / 2e-5
            };
            let expected = logits[at] + 0.05 * (0.7 * slope(&ln_p) + 0.01 * slope(&entropy));
            assert!((policy.logits[0][at] - expected).abs() < 1e-9);
        }
    }

    #[test]
    fn a_bandit_is_learnt() {
        // Two parameters; the second bin of each pays most, with noise.
        let mut policy = Policy::new(&[4, 3], 0.05, 0.01);
        let mut stream = Stream::new(1, 0, "reinforce");
        let mut baseline = 0.5;
        for _ in 0..3_000 {
            let bins = policy.draw(&mut stream);
            let pays = f64::from(u8::from(bins[0] == 1)) + f64::from(u8::from(bins[1] == 1));
            let reward = 0.4 * pays + 0.2 * stream.random::<f64>();
            policy.teach(&bins, reward - baseline);
            baseline = 0.9 * baseline + 0.1 * reward;
        }
        let chances = [0, 1].map(|at: usize| softmax(&policy.logits[at])[1]);
        assert!(chances.iter().all(|chance| *chance > 0.8), "{chances:?}");
        // Entropy alone keeps it from a certainty, and levels it where nothing pays.
        for _ in 0..40_000 {
            policy.teach(&[0, 0], 0.0);
        }
        assert!((softmax(&policy.logits[1])[1] - 1.0 / 3.0).abs() < 0.05);
    }

    #[test]
    fn probabilities_add_up_to_one_however_large_the_logits() {
        let found = softmax(&[1e4, 1e4 - 1.0, -1e4]);
        assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-15 && found[2] == 0.0);
        assert!(entropy_of(&found).is_finite());
        let mut policy = Policy { logits: vec![vec![1e4, -1e4]], rate: 0.05, entropy: 0.01 };
        policy.teach(&[1], 0.5);
        assert!(policy.logits[0].iter().all(|z| z.is_finite()));
    }

    #[test]
    fn every_table_is_visited_whole() {
        check_everywhere("reinforce");
        check_everywhere("reinforce:bins=3,rate=0.5,entropy=0");
    }
}
