//! The answer to a goal in one sentence.

use base::stats::Interval;
use base::units::plural;

use super::human;
use crate::analysis::{Analysis, Answer, GoalAnswers, Labels, Speedup};

/// `On digits-lenet, rf-ei + etr1 reaches top 0.5 % 2.43 x sooner than random (95 %: 1.65 to 3.12),
/// and kills no goal row.`
///
/// It names the method with the largest speed-up whose interval lies above 1; where there is none,
/// it says so, and which comes nearest.
pub(super) fn sentence(analysis: &Analysis, goal: &GoalAnswers, labels: &Labels) -> String {
    let on = format!("On {}", goal.table);
    let asked = goal_words(&goal.goal);
    if goal.answers.iter().all(|a| a.reached == 0) {
        let of = if goal.answers.len() == 1 { "" } else { " of any method" };
        return format!("{on}, no run{of} reaches {asked}.");
    }
    let name = |a: &Answer| labels.spoken[a.method].as_str();
    let baseline = goal.answers.iter().find(|a| a.is_baseline);
    let others: Vec<(&Answer, Speedup)> =
        goal.answers.iter().filter_map(|a| Some((a, a.speedup?))).collect();
    let (Some(baseline), false) = (baseline, others.is_empty()) else {
        return alone(analysis, goal, labels);
    };
    let (best, speedup) = named(&others).expect("there is another");
    let (best, baseline) = ((name(best), best), (name(baseline), baseline));
    format!("{on}, {}.", compared(analysis, &asked, best, baseline, speedup))
}

/// The method that a sentence names beside the baseline; `None` where none is compared.
pub(super) fn named<'a>(others: &[(&'a Answer, Speedup)]) -> Option<(&'a Answer, Speedup)> {
    let is_sure = |s: &Speedup| s.interval.is_some_and(|i| i.low > 1.0);
    let by_ratio = |a: &&(&Answer, Speedup), b: &&(&Answer, Speedup)| {
        let key = |s: &Speedup| (s.ratio.low, s.ratio.high);
        let ((a_low, a_high), (b_low, b_high)) = (key(&a.1), key(&b.1));
        // Of equals the first counts, which `max_by` would pass over.
        a_low.total_cmp(&b_low).then(a_high.total_cmp(&b_high)).then(std::cmp::Ordering::Greater)
    };
    let sure = others.iter().filter(|(_, s)| is_sure(s)).max_by(by_ratio);
    sure.or(others.iter().max_by(by_ratio)).copied()
}

/// How the best of the others compares with the baseline, and what the sooner of the two kills.
fn compared(
    analysis: &Analysis,
    asked: &str,
    (best, answer): (&str, &Answer),
    (base, baseline): (&str, &Answer),
    speedup: Speedup,
) -> String {
    let interval = range(analysis, speedup.interval);
    let ratio = speedup.ratio;
    let median = |a: &Answer| human::bounded(a.time_to_goal_s.median, human::time);
    let base_kills = match killed(baseline) {
        text if text.is_empty() => text,
        text => text.replacen(", and kills", &format!("; {base} kills"), 1),
    };
    let kills = killed(answer);
    match ratio.value() {
        Some(r) if r.is_infinite() => format!(
            "{best} reaches {asked} in {}{kills}; {base} reaches it in {} of {}",
            median(answer),
            baseline.reached,
            plural(baseline.runs, "run")
        ),
        Some(r) if r > 1.0 && speedup.interval.is_none_or(|i| i.low > 1.0) => {
            format!(
                "{best} reaches {asked} {} x sooner than {base}{interval}{kills}",
                human::number(r)
            )
        }
        Some(r) if r > 1.0 => format!(
            "no method surely reaches {asked} sooner than {base}; {best} comes nearest with {} x \
             its speed{interval}{kills}",
            human::number(r)
        ),
        Some(r) if r > 0.0 => format!(
            "no method reaches {asked} sooner than {base}, in {}; the next, {best}, has {} x its \
             speed{interval}{base_kills}",
            median(baseline),
            human::number(r)
        ),
        Some(_) => format!(
            "{base} reaches {asked} in {}, no other method in half of its runs{base_kills}",
            median(baseline)
        ),
        None if ratio.low > 1.0 => format!(
            "{best} reaches {asked} at least {} x sooner than {base}{kills}",
            human::number(ratio.low)
        ),
        None => format!(
            "too few runs reach {asked} to say who is sooner: {best} in {} of {}, {base} in {} of \
             {}",
            answer.reached, answer.runs, baseline.reached, baseline.runs
        ),
    }
}

/// The soonest of methods that are compared with nothing.
fn alone(analysis: &Analysis, goal: &GoalAnswers, labels: &Labels) -> String {
    let key = |a: &Answer| (a.time_to_goal_s.median.low, a.time_to_goal_s.median.high);
    let soonest = goal.answers.iter().min_by(|a, b| {
        let ((a_low, a_high), (b_low, b_high)) = (key(a), key(b));
        a_low.total_cmp(&b_low).then(a_high.total_cmp(&b_high))
    });
    let soonest = soonest.expect("a goal has a method");
    let on = format!("On {}, {}", goal.table, labels.spoken[soonest.method]);
    let asked = goal_words(&goal.goal);
    let runs = plural(soonest.runs, "run");
    let median = soonest.time_to_goal_s.median;
    if median.low.is_infinite() || median.value().is_none() {
        return format!(
            "{on} reaches {asked} in {} of {runs}{}.",
            soonest.reached,
            killed(soonest)
        );
    }
    let shown = human::bounded(median, human::time);
    let interval = soonest.time_to_goal_s_median_interval.filter(|i| i.high.is_finite());
    let interval = interval.map_or(String::new(), |i| {
        format!("; {}: {} to {}", confidence(analysis), human::time(i.low), human::time(i.high))
    });
    format!("{on} reaches {asked} in {shown} (median of {runs}{interval}){}.", killed(soonest))
}

/// ` (95 %: 1.65 to 3.12)`, nothing where an interval says nothing.
fn range(analysis: &Analysis, interval: Option<Interval>) -> String {
    let end = |r: f64| if r.is_infinite() { "infinity".to_string() } else { human::number(r) };
    interval.map_or(String::new(), |i| {
        format!(" ({}: {} to {})", confidence(analysis), end(i.low), end(i.high))
    })
}

pub(super) fn confidence(analysis: &Analysis) -> String {
    let percent = format!("{:.6}", 100.0 * analysis.confidence);
    format!("{} %", percent.trim_end_matches('0').trim_end_matches('.'))
}

/// What the rules of a method cost it.
fn killed(answer: &Answer) -> String {
    match answer.ended.killed() {
        Some((0, _)) => ", and kills no goal row".to_string(),
        Some((killed, met)) => format!(", and kills {killed} of the {met} goal rows that it meets"),
        None => String::new(),
    }
}

/// `top 0.5 %` of `top:0.005`, `rank 50` of `rank:50`, `a value of 0.98` of `0.98`.
pub(super) fn goal_words(goal: &str) -> String {
    if let Some(share) = goal.strip_prefix("top:").and_then(|s| s.parse::<f64>().ok()) {
        let percent = format!("{:.6}", 100.0 * share);
        return format!("top {} %", percent.trim_end_matches('0').trim_end_matches('.'));
    }
    match goal.strip_prefix("rank:") {
        Some("1") => "the best row".to_string(),
        Some(rank) => format!("rank {rank}"),
        None => format!("a value of {goal}"),
    }
}
