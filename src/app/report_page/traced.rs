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
use crate::settings::Experiments;

/// What the trace beside `runs.parquet` shows. Tables of the study that are not where it was run,
/// or are others now, are left out, and so is what needs them, with a sentence that says so.
pub(super) fn traced(
    dir: &Path,
    experiments: &Experiments,
    tables: &[PathBuf],
    analysis: &Analysis,
    runs: &Runs,
) -> Result<Traced> {
    let mut missing = Vec::new();
    let pools = pools(experiments, tables, &mut missing)?;
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

/// The tables as they were replayed, from where the study says or from where the user does.
fn pools(
    experiments: &Experiments,
    tables: &[PathBuf],
    missing: &mut Vec<String>,
) -> Result<Vec<Pool>> {
    let mut pools = Vec::new();
    let dirs = if tables.is_empty() { &experiments.tables } else { tables };
    for dir in dirs {
        match experiments.table_options.load_and_warn(dir, &Silent) {
            Ok(pool) => pools.push(pool),
            // A place that the user named must hold a table.
            Err(e) if !tables.is_empty() => return Err(e),
            Err(Error::Input(_) | Error::Io { .. }) => missing.push(format!(
                "The table {} is not where this page was made: give `report --table DIR` for \
                 regret, targets and headroom.",
                dir.display()
            )),
            Err(e) => return Err(e),
        }
    }
    Ok(pools)
}

/// The runs whose timelines are shown: of the baseline and of the soonest method for the last goal,
/// the hardest as studies are written, the run nearest to the median.
fn chosen(analysis: &Analysis, runs: &Runs, read: &TracedRuns) -> Vec<u32> {
    let Some((goal, outcomes)) = analysis.goals.iter().zip(runs.outcomes()).last() else {
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
