//! What a study's trace adds to its page.

use std::path::{Path, PathBuf};

use answers::analysis::{Analysis, Answer, Runs};
use answers::anytime::{anytime, timelines};
use answers::headroom::headroom;
use answers::report::html::Traced;
use answers::traced::{Study, TracedRuns};
use base::error::{Error, Result};
use replay::Pool;

use crate::Silent;
use crate::study::{About, StudyDefinition};

/// Where the tables of a study may be.
pub(super) struct Places<'a> {
    pub(super) study: &'a StudyDefinition,
    pub(super) about: &'a About,
    /// Where the user says; nothing where the study's own places count.
    pub(super) given: &'a [PathBuf],
}

/// What the trace beside `runs.parquet` shows. Tables of the study that are not where it was run,
/// or are others now, are left out, and so is what needs them, with a sentence that says so.
pub(super) fn traced(
    dir: &Path,
    places: &Places<'_>,
    analysis: &Analysis,
    runs: &Runs,
) -> Result<Traced> {
    let mut missing = Vec::new();
    let pools = places.pools(&mut missing)?;
    let pools: Vec<&Pool> = pools.iter().collect();
    let read = TracedRuns::from_file(&dir.join("runs.parquet"), &analysis.methods)?;
    let trace = dir.join("trace.parquet");
    let studies = [Study { runs: &read, trace: &trace }];
    let curves = anytime(&studies, &pools)?;
    let headroom =
        if missing.is_empty() { headroom(analysis, &studies, &pools)? } else { Vec::new() };
    for of in &headroom {
        if let Err(reason) = &of.bound_s {
            let why = format!("No headroom for {} on {}: {reason}.", of.goal, of.table);
            missing.push(why);
        }
    }
    let timelines = timelines(&read, &trace, &chosen(analysis, runs, &read))?;
    Ok(Traced { curves, headroom, timelines, missing })
}

impl Places<'_> {
    /// The tables as they were replayed.
    fn pools(&self, missing: &mut Vec<String>) -> Result<Vec<Pool>> {
        let experiments = &self.study.experiments;
        let is_given = !self.given.is_empty();
        let dirs = if is_given { self.given } else { &experiments.tables };
        let mut pools: Vec<Pool> = Vec::new();
        for dir in dirs {
            match experiments.table_options.load_and_warn(dir, &Silent) {
                Ok(pool) => pools.push(pool),
                // A place that the user named must hold a table.
                Err(e) if is_given => return Err(e),
                Err(Error::Input(_) | Error::Io { .. }) => {}
                Err(e) => return Err(e),
            }
        }
        pools.retain(|pool| self.about.tables().any(|of| of == (pool.name(), pool.table_hash())));
        for (name, _) in self.about.tables() {
            if !pools.iter().any(|pool| pool.name() == name) {
                missing.push(format!(
                    "The table {name} of this study is not there, or has changed since: without it \
                     there are no regret, targets and headroom. `curvebook report --table DIR` \
                     says where it is."
                ));
            }
        }
        Ok(pools)
    }
}

/// The runs whose timelines are shown: of the baseline and of the soonest method for the last goal,
/// the hardest as studies are written, the run nearest to the median.
fn chosen(analysis: &Analysis, runs: &Runs, read: &TracedRuns) -> Vec<u32> {
    let Some((goal, outcomes)) = analysis.goals.last().zip(runs.outcomes().pop()) else {
        return Vec::new();
    };
    let median = |a: &Answer| (a.time_to_goal_s.median.low, a.time_to_goal_s.median.high);
    let soonest = goal.answers.iter().min_by(|a, b| {
        let ((a_low, a_high), (b_low, b_high)) = (median(a), median(b));
        a_low.total_cmp(&b_low).then(a_high.total_cmp(&b_high))
    });
    let baseline = goal.answers.iter().find(|a| a.is_baseline);
    let mut chosen = Vec::new();
    for answer in [baseline, soonest].into_iter().flatten() {
        let of_method = outcomes.iter().find(|o| o.method == answer.method);
        let away = |time: f64| (time - answer.time_to_goal_s.median.low).abs();
        let reached = of_method.into_iter().flat_map(|o| &o.outcomes);
        let near = reached
            .filter_map(|o| Some((away(o.time_to_goal_s?), o)))
            .filter(|(away, _)| away.is_finite())
            .min_by(|a, b| a.0.total_cmp(&b.0));
        let Some((_, outcome)) = near else { continue };
        let is_it = |run: &&answers::traced::TracedRun| {
            (run.method, run.repeat, run.seed) == (answer.method, outcome.repeat, outcome.seed)
        };
        let run = read.runs().find(is_it).map(|run| run.run);
        chosen.extend(run.filter(|run| !chosen.contains(run)));
    }
    chosen
}
