//! Labelled random streams, and how decisions stay paired.
//!
//! A stream is a function of (seed, repeat, label) and of nothing else
//! ([`RunContext::stream`]): not of the goal, the threads, or what other methods draw. The labels
//! of a method:
//!
//! | label | for |
//! |---|---|
//! | `rf-ei` | the main stream ([`Streams::main`]), drawn from in the order of decisions |
//! | `smac/interleaving` | one purpose ([`Streams::of`]): draws for another do not shift it |
//! | `tpe/candidates/17` | one decision of one purpose ([`Streams::decision`]) |
//!
//! **Pairing.** Two runs of a repeat that differ in the stopper alone, or in one parameter of the
//! sampler, are compared pair by pair; their noise is common as long as they draw alike. A method
//! that draws a fixed number of words a decision, or whose draws belong to a sequence of its own
//! (a population, a bootstrap that grows), uses its main stream. One that draws as many words as
//! the data demand (rejection, candidates until one is free, a chain) takes the stream of each
//! decision: decision 17 then starts from the same words whatever the sixteen before it did. What
//! is a stranger to the learned model (a random start, whether to interleave a random row) has a
//! purpose of its own.
//!
//! The label begins with the registry's name and without its parameters, so that
//! `rf-ei:trees=10` and `rf-ei:trees=50` are paired too.

use base::rng::Stream;

use crate::interface::RunContext;

/// The streams of one method in one run.
#[derive(Debug, Clone, Copy)]
pub struct Streams {
    run: RunContext,
    method: &'static str,
}

impl Streams {
    /// Those of the registry's `method`.
    pub fn new(run: &RunContext, method: &'static str) -> Self {
        Self { run: *run, method }
    }

    /// The method's main stream.
    pub fn main(&self) -> Stream {
        self.run.stream(self.method)
    }

    /// The stream of one purpose.
    pub fn of(&self, purpose: &str) -> Stream {
        self.run.stream(&format!("{}/{purpose}", self.method))
    }

    /// The stream of one decision of one purpose, counted by the method or by the trial to be.
    pub fn decision(&self, purpose: &str, decision: u32) -> Stream {
        self.run.stream(&format!("{}/{purpose}/{decision}", self.method))
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;

    #[test]
    fn streams_are_functions_of_seed_repeat_and_label_alone() {
        let run = RunContext { seed: 7, repeat: 3, threads: 1 };
        let first = |mut stream: Stream| stream.random::<u64>();
        let streams = Streams::new(&run, "tpe");
        assert_eq!(first(streams.main()), first(run.stream("tpe")));
        assert_eq!(first(streams.of("start")), first(run.stream("tpe/start")));
        let of_decision = first(streams.decision("candidates", 17));
        assert_eq!(of_decision, first(run.stream("tpe/candidates/17")));
        let threads = Streams::new(&RunContext { threads: 4, ..run }, "tpe");
        assert_eq!(first(threads.decision("candidates", 17)), of_decision);
        let repeat = Streams::new(&RunContext { repeat: 4, ..run }, "tpe");
        let others = [
            first(streams.decision("candidates", 18)),
            first(streams.decision("start", 17)),
            first(Streams::new(&run, "bohb").decision("candidates", 17)),
            first(repeat.decision("candidates", 17)),
        ];
        assert!(others.iter().all(|other| *other != of_decision));
    }
}
