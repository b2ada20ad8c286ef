//! The rules that an audit tries.

use base::error::{Result, fault};
use base::units::Epoch;
use methods::interface::{Readers, RunContext, Trait, resolve};
use replay::{Pool, Trio};

use super::{Settings, in_order};

/// The scheduler and the rule that end nothing.
const FIFO: &str = "fifo";
const NONE: &str = "none";

/// A rule that the table has no use for, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    pub rule: String,
    pub why: String,
}

/// Rules and schedulers, each with the sampler that keeps the order.
pub(super) struct Candidates {
    pub trios: Vec<Trio>,
    /// How each was asked for.
    pub asked: Vec<String>,
    pub skipped: Vec<Skipped>,
}

impl Candidates {
    /// Those that were asked for, each of which must be of use; else the usual ones that are.
    pub(super) fn find(settings: &Settings, pool: &Pool) -> Result<Self> {
        let rules = settings.stoppers.iter().map(|text| (FIFO.to_string(), text.clone()));
        let schedulers = settings.schedulers.iter().map(|text| (text.clone(), NONE.to_string()));
        let asked: Vec<(String, String)> = rules.chain(schedulers).collect();
        let is_usual = asked.is_empty();
        let all = if is_usual { usual(pool.epochs()) } else { asked };
        let mut found = Self { trios: Vec::new(), asked: Vec::new(), skipped: Vec::new() };
        for (scheduler, stopper) in all {
            let built = trio(&scheduler, &stopper, pool);
            let rule = if scheduler == FIFO { stopper } else { scheduler };
            match built {
                // Settings of a rule may come to the same.
                Ok(trio) if found.trios.contains(&trio) => {}
                Ok(trio) => {
                    found.trios.push(trio);
                    found.asked.push(rule);
                }
                Err(e) if is_usual => found.skipped.push(Skipped { rule, why: e.to_string() }),
                Err(e) => return Err(e),
            }
        }
        Ok(found)
    }
}

/// Resolves what works together, and sees that it can be built for these trials and ever looks at
/// them.
fn trio(scheduler: &str, stopper: &str, pool: &Pool) -> Result<Trio> {
    let trio = Trio {
        sampler: in_order()?,
        scheduler: resolve("--scheduler", scheduler, methods::schedulers::REGISTRY)?,
        stopper: resolve("--stopper", stopper, methods::stoppers::REGISTRY)?,
    };
    let told = |has: bool, option: &str, canonical: &str| {
        let rule = "is told a goal, and trials that have run have none";
        if has { Err(fault(option, "method", canonical, rule, "leave it out")) } else { Ok(()) }
    };
    let Trio { scheduler, stopper, .. } = &trio;
    told(scheduler.has(Trait::GoalAware), "--scheduler", &scheduler.canonical)?;
    told(stopper.has(Trait::GoalAware), "--stopper", &stopper.canonical)?;
    let context = pool.context(1, Readers::NONE);
    drop(scheduler.build(&context)?);
    let factory = stopper.build(&context)?;
    let rule = factory(&RunContext { seed: 0, repeat: 0, threads: 1 });
    let first = rule.and_then(|rule| rule.looks().next_after(Epoch(0)));
    if let Some(first) = first.filter(|first| *first > context.epochs) {
        let rule = format!("looks after epoch {first}, and the curves end at {}", context.epochs);
        let remedy = "let it look earlier, or leave it out";
        return Err(fault("--stopper", "stopper", &stopper.canonical, rule, remedy));
    }
    Ok(trio)
}

/// The rules that people use, in the settings that they choose among, for curves of so many epochs.
/// Rules that extrapolate curves are not among them: they take long, and can be asked for.
fn usual(epochs: Epoch) -> Vec<(String, String)> {
    let epochs = epochs.0;
    // A first part of the curve in which nothing is stopped: none, or a quarter.
    let warmups = [0, epochs / 4];
    let mut rules = Vec::new();
    for variant in ["vizier", "optuna", "ray", "nni", "synetune", "sagemaker"] {
        let rule = format!("median:variant={variant}");
        rules.extend(warmups.map(|warmup| warmed(&rule, warmup)));
    }
    for percentile in [10, 25, 50, 75] {
        let rule = format!("percentile:percentile={percentile}");
        rules.extend(warmups.map(|warmup| warmed(&rule, warmup)));
    }
    for patience in [epochs / 10, epochs / 5, epochs / 3] {
        rules.push(format!("patient:patience={}", patience.max(1)));
    }
    for (min, eta) in [(1, 2.0), (1, 3.0), (3, 2.0), (3, 3.0), (epochs / 4, 2.0)] {
        rules.push(format!("wandb-hyperband:min_iter={},eta={eta}", min.max(1)));
    }
    for tau in [1, 3, 5, 9] {
        rules.push(format!("etr1:tau={tau}"));
    }
    for p in [0.5, 0.7, 0.9] {
        rules.push(format!("etr2:p={p}"));
    }
    rules.extend(["tercet", "adaptive"].map(str::to_string));
    let rules = rules.into_iter().map(|rule| (FIFO.to_string(), rule));
    let mut schedulers = Vec::new();
    for kind in ["stopping", "promotion"] {
        for eta in [2, 3, 4] {
            schedulers.push(format!("asha:type={kind},eta={eta}"));
        }
    }
    schedulers.extend([2, 3].map(|eta| format!("optuna-hyperband:eta={eta}")));
    let schedulers = schedulers.into_iter().map(|scheduler| (scheduler, NONE.to_string()));
    rules.chain(schedulers).collect()
}

fn warmed(rule: &str, warmup: u16) -> String {
    if warmup == 0 { rule.to_string() } else { format!("{rule},warmup={warmup}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_rules_are_rules() {
        for epochs in [1, 2, 3, 9, 30, 1_000].map(Epoch) {
            for (scheduler, stopper) in usual(epochs) {
                resolve("--scheduler", &scheduler, methods::schedulers::REGISTRY).unwrap();
                resolve("--stopper", &stopper, methods::stoppers::REGISTRY).unwrap();
            }
        }
    }
}
