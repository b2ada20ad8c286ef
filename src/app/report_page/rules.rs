//! What each rule and scheduler does for its own sampler.

use answers::analysis::{Analysis, AnalyzeSettings, Answer, Labels, Method, Runs, analyze};
use answers::report::html::RuleSpeedup;
use base::error::Result;

/// Of more samplers nothing is made: each takes an analysis of all runs.
const SAMPLERS_MAX: usize = 12;

/// The speed-up of every method over its own sampler under `fifo` without a rule, on every table
/// and goal: the analysis anew with that as the baseline, where it has another.
///
/// # Errors
/// None that the analysis itself did not have.
pub(super) fn rules(runs: &Runs, analysis: &Analysis) -> Result<Vec<RuleSpeedup>> {
    let methods = &analysis.methods;
    let is_without = |m: &Method| m.scheduler == "fifo" && m.stopper == "none";
    let is_kin = |a: &Method, b: &Method| {
        (&a.sampler, &a.report, &a.value, a.workers, &a.settings)
            == (&b.sampler, &b.report, &b.value, b.workers, &b.settings)
    };
    let mut bases: Vec<&Method> = Vec::new();
    for base in methods.iter().filter(|m| is_without(m)) {
        let has_rules = methods.iter().any(|m| !is_without(m) && is_kin(m, base));
        if has_rules && !bases.iter().any(|other| other.same_but_table(base)) {
            bases.push(base);
        }
    }
    if bases.len() > SAMPLERS_MAX {
        return Ok(Vec::new());
    }
    let labels = Labels::of(methods);
    let mut found = Vec::new();
    for base in bases {
        let settings = AnalyzeSettings {
            baseline: Some(base.to_string()),
            confidence: analysis.confidence,
            bootstrap_resamples: analysis.bootstrap_resamples,
            seed: analysis.seed,
        };
        let is_its_baseline = |a: &Answer| a.is_baseline && methods[a.method].same_but_table(base);
        let is_it = analysis.goals.iter().all(|goal| goal.answers.iter().any(is_its_baseline));
        let anew = if is_it { None } else { Some(analyze(runs, &settings)?) };
        for goal in &anew.as_ref().unwrap_or(analysis).goals {
            for answer in &goal.answers {
                let method = &methods[answer.method];
                let (Some(speedup), true) = (answer.speedup, is_kin(method, base)) else {
                    continue;
                };
                found.push(RuleSpeedup {
                    table: goal.table.clone(),
                    goal: goal.goal.clone(),
                    sampler: labels.shorts[answer.method][0].clone(),
                    rule: labels.rule(answer.method),
                    ratio: speedup.ratio,
                    interval: speedup.interval,
                });
            }
        }
    }
    Ok(found)
}
