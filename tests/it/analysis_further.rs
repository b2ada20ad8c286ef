//! Statistics of an analysis beyond medians and tests, by hand: interquartile means, the share that
//! has reached the goal by each time, repeats needed, and what notes say of runs that were cut.

use curvebook::answers::analysis::{
    AnalyzeSettings, Answer, ReachedCurve, ReachedCurves, RepeatsNeeded, Runs, analyze,
    reached_curves,
};
use curvebook::base::stats::Interval;
use curvebook::replay::EndReason;
use curvebook::store::runs::RunRow;

use crate::analysis::{analysed, answers, goals, rows};

const INF: f64 = f64::INFINITY;

#[test]
fn interquartile_means_are_of_the_middle_half() {
    use EndReason::{Budget, Exhausted, Goal};
    let mean = |runs: &[(EndReason, f64)]| answers(&rows("none", runs))[0].interquartile_mean_s;
    let eight: Vec<f64> = (1..=8).map(f64::from).collect();
    let found = mean(&goals(&eight)).unwrap();
    assert_eq!(found.value, 4.5);
    let interval = found.interval.unwrap();
    assert!(interval.low > 1.0 && interval.low < 4.5 && interval.high > 4.5 && interval.high < 8.0);
    // Never, in the upper quarter alone, is trimmed away; in the middle half it is no number.
    let three = goals(&[1.0, 2.0, 3.0]);
    let found = mean(&[&three[..], &[(Exhausted, 9.0)]].concat()).unwrap();
    assert_eq!((found.value, found.interval.unwrap().high), (2.5, INF));
    assert_eq!(mean(&[(Goal, 1.0), (Goal, 2.0), (Exhausted, 9.0), (Exhausted, 9.0)]), None);
    // A run that was cut later than all others is surely in the upper quarter.
    assert_eq!(mean(&[&three[..], &[(Budget, 9.0)]].concat()).unwrap().value, 2.5);
    assert_eq!(mean(&[&three[..], &[(Budget, 1.5)]].concat()), None);
    assert_eq!(mean(&goals(&[3.0])).unwrap().interval, None);
}

fn curves(rows: &[RunRow]) -> ReachedCurves {
    reached_curves(&Runs::from_rows(rows).unwrap(), 0.95).remove(0)
}

fn steps(curve: &ReachedCurve) -> Vec<(f64, f64)> {
    curve.steps.iter().map(|step| (step.time_s, step.share)).collect()
}

#[test]
fn shares_that_reached_the_goal_are_kaplan_meiers() {
    use EndReason::{Budget, Exhausted, Goal, MaxTrials};
    let found = curves(&rows("none", &[(Goal, 1.0), (Goal, 2.0), (Goal, 2.0), (Exhausted, 1.5)]));
    assert_eq!((found.table.as_str(), found.goal.as_str()), ("digits", "top:0.005"));
    let all = found.curves.unwrap();
    assert_eq!((all[0].method, all[0].watched_s), (0, INF));
    assert_eq!(steps(&all[0]), [(1.0, 0.25), (2.0, 0.75)]);
    // S = 3/4, s^2 = 1/12: S^exp(+-1.96 s / ln S).
    let band = all[0].steps[0].interval;
    assert!((band.low - 0.03945).abs() < 1e-4 && (band.high - 0.87205).abs() < 1e-4, "{band:?}");
    // One budget for all.
    let budget = rows("none", &[(Goal, 1.0), (Goal, 2.0), (Budget, 9.0), (Budget, 9.0)]);
    let all = curves(&budget).curves.unwrap();
    assert_eq!((steps(&all[0]), all[0].watched_s), (vec![(1.0, 0.25), (2.0, 0.5)], 9.0));
    // Cut by how many trials ran: who was cut does not stand for the others.
    let cut = rows("none", &[(Goal, 1.0), (MaxTrials, 0.5)]);
    assert!(curves(&cut).curves.unwrap_err().contains("--max-trials"));
}

#[test]
fn repeats_needed_follow_from_the_spread_of_pairs() {
    let base = rows("none", &goals(&[10.0, 20.0, 30.0, 40.0]));
    let needed = |other: Vec<RunRow>| {
        answers(&[base.clone(), other].concat())[1].comparison.unwrap().repeats_needed
    };
    // Ratios 2, 4, 2, 4; medians 25 and 7.5. With s = 0.40018 of the logarithms,
    // ((1.95996 + 0.84162) s / ln 3.3333)^2 + 1.92073 = 2.788 pairs by a t test, pi / 3 times as
    // many by ranks, and 39.73 for ln 1.2.
    let found = needed(rows("etr1", &goals(&[5.0, 5.0, 15.0, 10.0])));
    assert_eq!(found, Some(RepeatsNeeded { observed: Some(3), fifth_faster: 42 }));
    // The same median: no number of repeats shows that.
    let found = needed(rows("etr1", &goals(&[40.0, 30.0, 20.0, 10.0]))).unwrap();
    assert_eq!(found.observed, None);
    // Runs that do not pair spread as they are, which takes more.
    let mut apart = rows("etr1", &goals(&[5.0, 5.0, 15.0, 10.0]));
    for row in &mut apart {
        row.seed = 9;
    }
    assert!(needed(apart).unwrap().fifth_faster > 84);
    let never = rows("etr1", &[(EndReason::Exhausted, 5.0); 4]);
    assert_eq!(needed(never), None);
    let cut = rows("etr1", &[(EndReason::Budget, 5.0); 4]);
    assert_eq!(needed(cut), None);
}

#[test]
fn a_note_says_where_more_than_half_of_the_runs_were_cut() {
    use EndReason::{Budget, Goal};
    let note = |runs: &[(EndReason, f64)]| {
        let notes = analysed(&rows("none", runs)).notes;
        notes.into_iter().find(|n| n.what.contains("runs were cut")).unwrap().what
    };
    let half = "more than half of those of 1 method";
    let most = [(Goal, 1.0), (Budget, 9.0), (Budget, 9.0)];
    assert!(note(&most).contains(half));
    assert!(!note(&[&most[..], &[(Goal, 1.0)]].concat()).contains(half));
}

/// As many runs of each method as are not drawn whole, and one more or less.
fn many(runs: u32) -> Vec<Answer> {
    // Times that wander over 9,973 values, a method that is faster by a factor that wanders too.
    let time = |at: u32| f64::from(1 + (at * 7_919) % 9_973) / 100.0;
    let base: Vec<f64> = (0..runs).map(time).collect();
    let other: Vec<f64> =
        (0..runs).map(|at| time(at) * f64::from(30 + (at * 31) % 47) / 77.0).collect();
    let all = [rows("none", &goals(&base)), rows("etr1", &goals(&other))].concat();
    let settings = AnalyzeSettings { bootstrap_resamples: 1_000, ..AnalyzeSettings::default() };
    analyze(&Runs::from_rows(&all).unwrap(), &settings).unwrap().goals.remove(0).answers
}

#[test]
fn intervals_go_on_where_groups_are_no_longer_drawn_whole() {
    let (small, large) = (many(2_000), many(2_001));
    let near = |what: &str, a: Interval, b: Interval| {
        let width = a.high - a.low;
        assert!(width > 0.0, "{what}");
        // Ends of 1,000 resamples have themselves errors of some 4 % of the width.
        for (a, b) in [(a.low, b.low), (a.high, b.high)] {
            assert!((a - b).abs() < 0.15 * width, "{what}: {a} {b} {width}");
        }
    };
    for (a, b) in small.iter().zip(&large) {
        let both = |of: &dyn Fn(&Answer) -> Option<Interval>| (of(a).unwrap(), of(b).unwrap());
        let median = both(&|a| a.time_to_goal_s_median_interval);
        near("median", median.0, median.1);
        let expected = both(&|a| a.expected_running_time_s.interval);
        near("expected", expected.0, expected.1);
        let restricted = both(&|a| a.restricted_mean_s?.interval);
        near("restricted", restricted.0, restricted.1);
        let middle = both(&|a| a.interquartile_mean_s?.interval);
        near("interquartile", middle.0, middle.1);
        if !a.is_baseline {
            let speedup = both(&|a| a.speedup?.interval);
            near("speed-up", speedup.0, speedup.1);
            let sooner = a.comparison.unwrap().sooner_interval.unwrap();
            assert_eq!(b.comparison.unwrap().sooner_interval, Some(sooner), "all pairs are won");
        }
    }
}
