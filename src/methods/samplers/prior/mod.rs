//! A user's prior knowledge, mixed with random rows and with the best result so far as `PriorBand`
//! does (Mallik et al. 2023).
//!
//! **The file** names for some parameters of the space what value is believed to be best, and how
//! surely:
//!
//! ```toml
//! [learning_rate]
//! center = 0.001
//! confidence = "high"     # low (0.5), medium (0.75, the default), high (0.9), or 0 to 0.999
//! ```
//!
//! **The prior.** A number has a normal distribution on its coordinate in 0..1 (of the logarithm,
//! if `log`) around the centre, with the deviation 1 - confidence, cut off at 0 and 1. A choice has
//! the confidence as its probability, and the others share the rest. A parameter that the file does
//! not name may be anything.
//!
//! **The mix.** `none` draws from the prior alone. `random` takes the first free row in the
//! repeat's order with the probability `1 / (1 + eta^r)`, where a trial is to run to the rung `r`:
//! rungs lie at `min eta^r` epochs. `priorband` divides the rest between the prior and the
//! *incumbent*, the best result so far, of equals the oldest: of the `n` results at the highest
//! rung that has at least `eta`, the best `floor(n / eta)` are weighed `k, k - 1, ..., 1`, and each
//! side's share is the weighted sum of their densities under it. The incumbent's side is the prior
//! moved to it (with the confidence of the file, or low). What is drawn from it is the incumbent
//! with each value changed with the probability `mutation`: numbers by a normal distribution around
//! it of `deviation`, cut off at 0 and 1; choices to any other one.
//!
//! Nothing is drawn from the incumbent before a trial has come to the highest rung, the trials have
//! run as many epochs as one bracket of successive halving from the lowest rung costs (paused
//! trials going on), and a rung has `eta` results. This is the paper's rule: the code in neps
//! 0.17.0 means the same and never holds it back, since it compares numpy's truth values by
//! identity.
//!
//! What reports nothing (NaN) is no result. A result belongs to the highest rung that its trial had
//! come to; where a trial was told twice at a rung, the later epoch counts. A parameter that plays
//! no part adds nothing to a density. A proposal takes as long as its coordinates.

mod belief;

use std::collections::BTreeMap;
use std::sync::Arc;

use base::error::{Result, fault};
use base::rng::Stream;
use base::space::Space;
use base::units::{ConfigId, Epoch, TrialId};
use rand::RngExt;

use self::belief::Belief;
pub use self::belief::CONFIDENCE_MAX;
use crate::interface::{
    Arguments, Ask, Comparison, Context, Entry, Fresh, Points, Proposal, Sampler, SamplerFactory,
    Trait, View, parameters,
};
use crate::kit::encoding::{activity, settled};
use crate::kit::history::{History, Telling};
use crate::kit::streams::Streams;

parameters! {
    struct Parameters {
        /// a TOML file: for some parameters the value believed best (center) and a confidence
        file: PathBuf,
        /// what is drawn from beside the prior: nothing, random rows, or these and the incumbent
        mix: Mix { None = "none", Random = "random", PriorBand = "priorband" } = "priorband",
        /// each rung lies so many times as far as the one below it
        eta: u16 in 2..=100 = 3,
        /// epochs of the lowest rung
        min: u16 in 1.. = 1,
        /// the probability that a value of the incumbent changes
        mutation: f64 in 0.0..=1.0 = 0.5,
        /// how far numbers of the incumbent then go, a share of their range
        deviation: f64 in 0.01..=1.0 = 0.25,
    }
}

pub(super) const ENTRY: Entry<SamplerFactory> = Entry {
    name: "prior",
    summary: "Draws from a user's belief, mixed with random rows and the best so far (PriorBand).",
    citation: "Mallik et al., PriorBand: practical hyperparameter optimization in the age of deep \
               learning, NeurIPS 2023",
    parameters: Parameters::SPECS,
    compared: &[
        Comparison {
            with: "the law of the prior",
            what: "20,000 draws of a number and of a choice against the density, chi-squared at \
                   0.001 (samplers/prior)",
            result: "not told apart; a prior of another confidence is",
        },
        Comparison {
            with: "PriorBand's rule as neps 0.17.0 writes it, worked out by hand",
            what: "shares of random rows, prior and incumbent on a space of three parameters \
                   (samplers/prior); neps itself was not run",
            result: "within 1e-12",
        },
    ],
    traits: &[Trait::LearnsValues],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<SamplerFactory> {
    let settings = Parameters::read(arguments)?;
    if settings.min > context.epochs.0 {
        let rule = format!("table `{}` has epochs 1 to {}", context.table, context.epochs);
        return Err(fault("--sampler", "prior:min", settings.min, rule, "lower it"));
    }
    let text = (context.readers.text)(&settings.file)?;
    let beliefs = belief::read(&settings.file, &text, context.space)?;
    let shared = Arc::new(Shared {
        space: context.space.clone(),
        points: Arc::clone(context.points),
        top: rung(Epoch(settings.min), settings.eta, context.epochs),
        beliefs,
        settings,
    });
    Ok(Box::new(move |run| {
        Box::new(Prior {
            shared: Arc::clone(&shared),
            streams: Streams::new(run, "prior"),
            history: History::new(),
        })
    }))
}

struct Shared {
    space: Space,
    points: Arc<Points>,
    /// The highest rung.
    top: u32,
    /// A parameter each, with how sure it is.
    beliefs: Vec<(Belief, f64)>,
    settings: Parameters,
}

/// The highest rung at or below an epoch, 0 below all of them: by multiplying.
fn rung(min: Epoch, eta: u16, epoch: Epoch) -> u32 {
    let mut level = u64::from(min.0) * u64::from(eta);
    let mut rung = 0;
    while level <= u64::from(epoch.0) {
        level *= u64::from(eta);
        rung += 1;
    }
    rung
}

/// What a proposal is drawn from, with probabilities that add up to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Shares {
    random: f64,
    prior: f64,
    incumbent: f64,
}

impl Shared {
    fn rung_of(&self, epoch: Epoch) -> u32 {
        rung(Epoch(self.settings.min), self.settings.eta, epoch)
    }

    /// The epochs of one bracket from the lowest rung: `eta^top` trials begin, and one in `eta` of
    /// them goes on from each rung.
    fn bracket_epochs(&self) -> u64 {
        let eta = u64::from(self.settings.eta);
        let level = |rung: u32| u64::from(self.settings.min) * eta.pow(rung);
        let new = |rung: u32| level(rung) - if rung == 0 { 0 } else { level(rung - 1) };
        (0..=self.top).map(|rung| eta.pow(self.top - rung) * new(rung)).sum()
    }

    /// The results of each rung, by epoch and then in the order of telling.
    fn rungs(&self, history: &History) -> BTreeMap<u32, Vec<Telling>> {
        let mut rungs: BTreeMap<u32, Vec<Telling>> = BTreeMap::new();
        for epoch in history.epochs() {
            let results = rungs.entry(self.rung_of(epoch)).or_default();
            for telling in history.at_epoch(epoch) {
                match results.iter_mut().find(|known| known.trial == telling.trial) {
                    Some(known) => *known = telling,
                    None => results.push(telling),
                }
            }
        }
        rungs
    }

    /// The incumbent, and the results that decide what share it has, the best first; `None` while
    /// nothing is drawn from it.
    fn incumbent(&self, history: &History) -> Option<(Telling, Vec<Telling>)> {
        let rungs = self.rungs(history);
        let eta = usize::from(self.settings.eta);
        let spent: u64 = history.told().map(|telling| u64::from(telling.epoch.0)).sum();
        let has_complete = rungs.get(&self.top).is_some_and(|results| !results.is_empty());
        if !has_complete || spent < self.bracket_epochs() {
            return None;
        }
        let best_first = |a: &Telling, b: &Telling| {
            let by_score = b.score.partial_cmp(&a.score).expect("results are numbers");
            by_score.then(a.trial.cmp(&b.trial))
        };
        let results = rungs.values().rev().find(|results| results.len() >= eta)?;
        let best = *rungs.values().flatten().min_by(|a, b| best_first(a, b))?;
        let mut top = results.clone();
        top.sort_by(best_first);
        top.truncate(results.len() / eta);
        Some((best, top))
    }

    /// The logarithm of the density of a row under some beliefs.
    fn log_density(&self, beliefs: &[(Belief, f64)], row: ConfigId) -> f64 {
        let point = self.points.row(row);
        let active = activity(&self.space, point);
        let parts = self.space.parameters.iter().zip(beliefs).zip(point).zip(active);
        parts
            .filter(|(_, is_active)| *is_active)
            .map(|(((parameter, (belief, _)), u), _)| belief.log_density(&parameter.domain, *u))
            .sum()
    }

    /// The prior, moved to a row.
    fn moved(&self, row: ConfigId) -> Vec<(Belief, f64)> {
        let point = self.points.row(row);
        let parts = self.space.parameters.iter().zip(&self.beliefs).zip(point);
        parts
            .map(|((p, (_, confidence)), u)| {
                (Belief::around(&p.domain, *u, *confidence), *confidence)
            })
            .collect()
    }

    fn shares(&self, incumbent: Option<&(Telling, Vec<Telling>)>, until: Epoch) -> Shares {
        let mix = self.settings.mix;
        if mix == Mix::None {
            return Shares { random: 0.0, prior: 1.0, incumbent: 0.0 };
        }
        let powers = u32::from(self.settings.eta).pow(self.rung_of(until));
        let random = 1.0 / (1.0 + f64::from(powers));
        let rest = 1.0 - random;
        let Some((best, top)) = incumbent.filter(|_| mix == Mix::PriorBand) else {
            return Shares { random, prior: rest, incumbent: 0.0 };
        };
        let moved = self.moved(best.row);
        let logs: Vec<(f64, f64)> = top
            .iter()
            .map(|t| (self.log_density(&self.beliefs, t.row), self.log_density(&moved, t.row)))
            .collect();
        let most = logs.iter().fold(f64::NEG_INFINITY, |most, (a, b)| most.max(*a).max(*b));
        let (mut prior, mut moved) = (0.0, 0.0);
        let weights = (1..=u32::try_from(logs.len()).expect("trials are 32 bits")).rev();
        for ((of_prior, of_moved), weight) in logs.iter().zip(weights) {
            prior += f64::from(weight) * libm::exp(of_prior - most);
            moved += f64::from(weight) * libm::exp(of_moved - most);
        }
        if most == f64::NEG_INFINITY {
            // Neither side can be where they are: a choice that is held to be impossible.
            (prior, moved) = (1.0, 1.0);
        }
        let share = moved / (prior + moved);
        Shares { random, prior: rest * (1.0 - share), incumbent: rest * share }
    }

    fn draw_prior(&self, rng: &mut Stream) -> Vec<f64> {
        let parts = self.space.parameters.iter().zip(&self.beliefs);
        let point: Vec<f64> = parts.map(|(p, (belief, _))| belief.draw(&p.domain, rng)).collect();
        settled(&self.space, &point)
    }

    fn draw_incumbent(&self, row: ConfigId, rng: &mut Stream) -> Vec<f64> {
        let Parameters { mutation, deviation, .. } = self.settings;
        let parts = self.space.parameters.iter().zip(self.points.row(row));
        let point = parts.map(|(parameter, u)| {
            let is_choice = matches!(parameter.domain, base::space::Domain::Categorical { .. });
            // The choice itself has no chance: it is to change.
            let confidence = if is_choice { 0.0 } else { 1.0 - deviation };
            let mutant = Belief::around(&parameter.domain, *u, confidence);
            let drawn = mutant.draw(&parameter.domain, rng);
            if rng.random::<f64>() < mutation { drawn } else { *u }
        });
        settled(&self.space, &point.collect::<Vec<f64>>())
    }
}

struct Prior {
    shared: Arc<Shared>,
    streams: Streams,
    history: History,
}

impl Sampler for Prior {
    fn ready(&mut self, _: &View<'_>) -> Fresh {
        Fresh::Ready
    }

    fn propose(&mut self, view: &View<'_>, ask: &Ask) -> Proposal {
        let incumbent = self.shared.incumbent(&self.history);
        let shares = self.shared.shares(incumbent.as_ref(), ask.until);
        let mut rng = self.streams.decision("draws", ask.trial.0);
        let policy = rng.random::<f64>();
        if policy < shares.random {
            let row = view.first_free();
            return Proposal::Row(row.expect("the engine asks only while a row is free"));
        }
        Proposal::Point(match incumbent {
            Some((best, _)) if policy < shares.random + shares.incumbent => {
                self.shared.draw_incumbent(best.row, &mut rng)
            }
            _ => self.shared.draw_prior(&mut rng),
        })
    }

    fn tell(&mut self, view: &View<'_>, trial: TrialId) {
        self.history.tell(view, trial);
    }
}

#[cfg(test)]
mod tests;
