//! The statistics of an analysis, end to end: from rows of runs to what scipy, lifelines and
//! statsmodels say of them (`tests/golden/make_statistics_golden.py`), and by hand.

use curvebook::answers::analysis::{Answer, Horizon, Pairs, Runs, Tested};
use curvebook::answers::report;
use curvebook::base::stats::Interval;
use curvebook::replay::EndReason;
use curvebook::store::runs::RunRow;
use serde_json::Value;

use crate::analysis::{analysed, answers, goals, row, rows};

const INF: f64 = f64::INFINITY;

fn golden_cases() -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../golden/statistics.json")).unwrap();
    all["time_to_goal"].as_array().unwrap().clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap_or(INF)).collect()
}

fn cut_at(stopper: &str, times: &[f64], budget_s: f64) -> Vec<RunRow> {
    let end = |t: &f64| {
        if *t <= budget_s { (EndReason::Goal, *t) } else { (EndReason::Budget, budget_s) }
    };
    rows(stopper, &times.iter().map(end).collect::<Vec<_>>())
}

#[track_caller]
fn assert_close(found: f64, expected: &Value) {
    let expected = expected.as_f64().unwrap();
    assert!((found - expected).abs() <= 1e-10 * expected.abs(), "{found:e} {expected:e}");
}

#[track_caller]
fn assert_tested(found: Option<Tested>, statistic: &Value, p_value: &Value) {
    let found = found.unwrap();
    assert_close(found.statistic, statistic);
    assert_close(found.p_value, p_value);
    assert_eq!(found.p_holm, found.p_value, "one comparison");
}

#[test]
fn pairs_and_curves_under_a_budget_are_what_scipy_and_lifelines_say() {
    for case in golden_cases() {
        let budget_s = case["budget"].as_f64().unwrap();
        let base = cut_at("none", &numbers(&case["baseline"]), budget_s);
        let other = cut_at("etr1", &numbers(&case["method"]), budget_s);
        let analysis = analysed(&[base, other].concat());
        let goal = &analysis.goals[0];
        assert_eq!(goal.horizon, Some(Horizon { seconds: budget_s, is_budget: true }));
        let found = goal.answers[1].comparison.unwrap();
        let Pairs { wins, losses, unknown, .. } = found.pairs.unwrap();
        let count = |name: &str| case[name].as_f64().unwrap() as usize;
        assert_eq!((wins, losses, unknown), (count("wins"), count("losses"), count("unknown")));
        assert_tested(found.sign, &case["wins"], &case["sign"]);
        assert_tested(found.wilcoxon, &case["wilcoxon_statistic"], &case["wilcoxon"]);
        assert_tested(found.log_rank, &case["log_rank_statistic"], &case["log_rank"]);
        assert_eq!(found.mann_whitney, None);
        for (at, answer) in goal.answers.iter().enumerate() {
            let mean = answer.restricted_mean_s.unwrap();
            assert_close(mean.value, &case["restricted_means"][at]);
            assert_close(answer.kaplan_meier_median_s.unwrap().low, &case["medians"][at]);
            assert_close(answer.expected_running_time_s.value, &case["expected"][at]);
            for (estimate, name) in
                [(mean, "mean"), (answer.expected_running_time_s, "expected time")]
            {
                let i = estimate.interval.unwrap();
                assert!(i.low < estimate.value && estimate.value < i.high, "{name} {i:?}");
            }
        }
    }
}

#[test]
fn runs_that_do_not_pair_take_the_u_test_and_its_p_value_is_scipys() {
    for case in golden_cases() {
        let budget_s = case["budget"].as_f64().unwrap();
        let base = cut_at("none", &numbers(&case["baseline"]), budget_s);
        let mut other = cut_at("etr1", &numbers(&case["method"]), budget_s);
        for row in &mut other {
            row.seed = 1;
        }
        let found = answers(&[base.clone(), other.clone()].concat())[1].comparison.unwrap();
        assert_eq!((found.pairs, found.sign, found.wilcoxon), (None, None, None));
        let u = &case["mann_whitney_statistic"];
        assert_tested(found.mann_whitney, u, &case["mann_whitney"]);
        assert_tested(found.log_rank, &case["log_rank_statistic"], &case["log_rank"]);
        // Both cut: a tie in the ranks, but unknown.
        let cut = |rows: &[RunRow]| rows.iter().filter(|r| !r.reached).count() as f64;
        let (n, both) = (base.len() as f64, cut(&base) * cut(&other));
        let sooner = found.sooner.unwrap();
        assert!((sooner.high - sooner.low - both / (n * n)).abs() < 1e-12);
        assert!(
            (f64::midpoint(sooner.low, sooner.high) * n * n - u.as_f64().unwrap()).abs() < 1e-9
        );

        // Cut at two times: who is sooner is not known for enough of them.
        for row in other.iter_mut().filter(|r| !r.reached) {
            row.end_s = budget_s / 2.0;
        }
        let found = answers(&[base, other].concat())[1].comparison.unwrap();
        assert_eq!((found.sooner, found.mann_whitney, found.log_rank), (None, None, None));
    }
}

#[test]
fn pairs_by_hand_with_never_and_cut() {
    use EndReason::{Budget, Exhausted, Goal, MaxTrials};
    let base = [(Goal, 9.0), (Exhausted, 50.0), (Exhausted, 50.0), (Goal, 4.0), (Goal, 5.0)];
    let other = [(Goal, 3.0), (Goal, 40.0), (Exhausted, 60.0), (Goal, 4.0), (Exhausted, 70.0)];
    // Cut at 20 against 20: later. Cut at 20 against 21, never, or cut: who knows.
    let base_cut = [(Budget, 20.0), (Budget, 20.0), (MaxTrials, 20.0), (Budget, 20.0)];
    let other_cut = [(Goal, 20.0), (Goal, 21.0), (Exhausted, 8.0), (MaxTrials, 30.0)];
    let of = |a: &[_], b: &[_]| [rows("none", a), rows("etr1", b)].concat();
    let all = of(&[base.as_slice(), &base_cut].concat(), &[other.as_slice(), &other_cut].concat());
    let found = answers(&all)[1].comparison.unwrap();
    assert_eq!(found.pairs, Some(Pairs { wins: 3, ties: 2, losses: 1, unknown: 3 }));
    assert_eq!(found.sooner, Some(Interval { low: 4.0 / 9.0, high: 7.0 / 9.0 }));
    // 3 of 4: 2 (1 + 4) / 16. Ranks of 6, never, never, never: 1 and three times 3.
    let sign = found.sign.unwrap();
    assert!((sign.statistic, (sign.p_value - 0.625).abs() < 1e-12) == (3.0, true), "{sign:?}");
    assert_eq!(found.wilcoxon.unwrap().statistic, 3.0);
    assert_eq!((found.log_rank, found.mann_whitney), (None, None));
    // The interval of a share known within bounds is wider than they are.
    let interval = found.sooner_interval.unwrap();
    assert!(interval.low < 4.0 / 9.0 && interval.high > 7.0 / 9.0, "{interval:?}");
    let notes = analysed(&all).notes;
    assert!(notes.iter().any(|n| n.what.contains("leave out up to 3 of 9 pairs")), "{notes:?}");
}

#[test]
fn p_values_are_adjusted_over_the_methods_of_a_goal() {
    let times = |f: &dyn Fn(i32) -> f64| goals(&(1..=10).map(f).collect::<Vec<_>>());
    let base = rows("none", &times(&|i| f64::from(10 * i)));
    // Sooner in 10, 9 and 8 of 10 pairs.
    let later_in = |k: i32| times(&move |i| f64::from(10 * i) + if i <= k { 1.0 } else { -2.0 });
    let mut all = base;
    for (stopper, k) in [("a", 2), ("b", 0), ("c", 1)] {
        all.extend(rows(stopper, &later_in(k)));
    }
    let p = |choose: f64| 2.0 * choose / 1024.0;
    let raw = [p(56.0), p(1.0), p(11.0)];
    let holm = [p(56.0), 3.0 * p(1.0), 2.0 * p(11.0)];
    for (at, answer) in answers(&all)[1..].iter().enumerate() {
        let sign = answer.comparison.unwrap().sign.unwrap();
        assert!((sign.p_value - raw[at]).abs() < 1e-12, "{sign:?}");
        assert!((sign.p_holm - holm[at]).abs() < 1e-12, "{sign:?}");
    }
    let text = report::text::render(&analysed(&all));
    assert!(text.contains("Holm") && text.contains("P(sooner)"), "{text}");
}

#[test]
fn no_common_horizon_no_restricted_mean_and_a_note_says_why() {
    use EndReason::{Budget, Exhausted, Goal, MaxTrials};
    let refused = |end: (EndReason, f64)| {
        let base = rows("none", &[(Goal, 3.0), (Goal, 5.0), (Budget, 10.0)]);
        let analysis = analysed(&[base, rows("etr1", &[(Goal, 3.0), (Goal, 5.0), end])].concat());
        let goal = &analysis.goals[0];
        assert_eq!(goal.horizon, None);
        let needs_none = |a: &Answer| {
            a.restricted_mean_s.is_none()
                && a.kaplan_meier_median_s.is_none()
                && a.comparison.is_none_or(|c| c.log_rank.is_none())
        };
        assert!(goal.answers.iter().all(needs_none));
        let text = report::text::render(&analysis);
        assert!(text.contains("\nMeans:\n") && !text.contains("mean to"), "{text}");
        let note = analysis.notes.iter().find(|n| n.what.contains("no restricted means"));
        note.unwrap().what.clone()
    };
    assert!(refused((Exhausted, 8.0)).contains("1 run tried every row and can never reach it"));
    assert!(refused((MaxTrials, 10.0)).contains("1 run was cut by --max-trials"));
    assert!(refused((Budget, 12.0)).contains("different budgets, from 10 to 12 seconds"));
}

#[test]
fn where_every_run_reached_the_goal_the_restricted_mean_is_the_mean() {
    let both = [rows("none", &goals(&[2.0, 4.0, 12.0])), rows("etr1", &goals(&[1.0, 2.0, 3.0]))];
    let analysis = analysed(&both.concat());
    let goal = &analysis.goals[0];
    assert_eq!(goal.horizon, Some(Horizon { seconds: 12.0, is_budget: false }));
    for (answer, mean, median) in [(&goal.answers[0], 6.0, 4.0), (&goal.answers[1], 2.0, 2.0)] {
        let restricted = answer.restricted_mean_s.unwrap();
        assert!((restricted.value - mean).abs() < 1e-12);
        assert_eq!(restricted.interval, answer.expected_running_time_s.interval);
        assert_eq!(answer.kaplan_meier_median_s, Some(Interval::exact(median)));
    }
    assert!(report::text::render(&analysis).contains("every run reached the goal"));
}

#[test]
fn a_budget_that_cut_most_runs_leaves_the_median_open_and_the_mean_known() {
    use EndReason::{Budget, Goal};
    let found = &answers(&rows("none", &[(Goal, 2.0), (Budget, 8.0), (Budget, 8.0)]))[0];
    assert_eq!(found.kaplan_meier_median_s, Some(Interval { low: 8.0, high: INF }));
    assert!((found.restricted_mean_s.unwrap().value - 6.0).abs() < 1e-12);
    // Some resamples have no success at all: their expected time is infinite.
    let expected = found.expected_running_time_s;
    assert_eq!((expected.value, expected.interval.unwrap().high), (18.0, INF));
    // Wilson's interval for 1 of 3.
    let share = found.reached_share_interval;
    assert!((share.low - 0.061_491_9).abs() < 1e-6 && (share.high - 0.792_340_4).abs() < 1e-6);
    // Reached later than the budget of others: cut there, as those were.
    let late = answers(&rows("none", &[(Goal, 9.0), (Budget, 8.0), (Goal, 2.0)]));
    assert!((late[0].restricted_mean_s.unwrap().value - 6.0).abs() < 1e-12);
}

#[test]
fn the_median_has_an_interval_that_censoring_widens() {
    let times: Vec<f64> = (1..=41).map(f64::from).collect();
    let found = &answers(&cut_at("none", &times, 20.5))[0];
    let interval = found.time_to_goal_s_median_interval.unwrap();
    assert!(interval.low > 10.0 && interval.low < 20.0, "{interval:?}");
    assert_eq!(interval.high, INF);
    assert_eq!(answers(&rows("none", &goals(&[3.0])))[0].time_to_goal_s_median_interval, None);
}

#[test]
fn what_was_selected_and_charged_is_said_and_null_where_nobody_knows() {
    let mut all = rows("none", &goals(&[10.0, 20.0, 30.0, 40.0]));
    all.extend(rows("etr1", &goals(&[10.0, 20.0, 30.0, 40.0])));
    for (at, row) in all.iter_mut().take(4).enumerate() {
        (row.selected_value, row.overhead_s) = (Some(0.9 + 0.01 * at as f64), at as f64);
        // One run has no test value: the others still count.
        row.selected_test = [Some(0.8), None, Some(0.7), Some(0.9)][at];
        row.snap_distance_median = Some(0.25);
    }
    let analysis = analysed(&all);
    let [known, unknown] = &analysis.goals[0].answers[..] else { panic!("two methods") };
    let (value, test) = (known.selected_value.unwrap(), known.selected_test.unwrap());
    assert!((value.median - 0.915).abs() < 1e-12 && (value.q25 - 0.9075).abs() < 1e-12);
    assert!((test.median - 0.8).abs() < 1e-12 && (test.q75 - 0.85).abs() < 1e-12);
    assert!((known.overhead_share - 0.06).abs() < 1e-12);
    assert_eq!(known.snap_distance_median, Some(0.25));
    assert_eq!((unknown.selected_value, unknown.selected_test), (None, None));
    assert_eq!((unknown.overhead_share, unknown.snap_distance_median), (0.0, None));
    let text = report::text::render(&analysis);
    println!("{text}");
    for wanted in ["0.9150", "0.8000", "0.7500..0.8500", "6.00 %", "its test"] {
        assert!(text.contains(wanted), "{wanted} is not in\n{text}");
    }
}

#[test]
fn settings_set_methods_apart_and_show_only_where_they_are_not_the_default() {
    let base = rows("none", &goals(&[10.0; 12]));
    let charged =
        base.iter().map(|r| RunRow { settings: "cost=flops restart".into(), ..r.clone() });
    let analysis = analysed(&base.iter().cloned().chain(charged).collect::<Vec<_>>());
    let names: Vec<String> = analysis.methods.iter().map(ToString::to_string).collect();
    assert!(!names[0].contains("settings"), "{names:?}");
    assert!(names[1].ends_with("settings=\"cost=flops restart\" table=digits"), "{names:?}");
    let text = report::text::render(&analysis);
    assert!(text.contains("│ settings") && text.contains("│ default"), "{text}");
    assert!(!report::text::render(&analysed(&base)).contains("settings"));
}

#[test]
fn rows_handed_on_block_by_block_are_the_same_runs_at_any_order() {
    // More rows than a block of a column has, two goals a run, as the engine hands them on.
    let run = |stopper: &str, repeat: u32| {
        let first = row(stopper, repeat, EndReason::Goal, f64::from(1 + repeat % 977));
        let second = RunRow { goal: "top:0.02".into(), goal_rows: 40, ..first.clone() };
        [first, second]
    };
    let all: Vec<RunRow> =
        ["none", "etr1"].iter().flat_map(|s| (0..20_000).flat_map(move |r| run(s, r))).collect();
    let mut builder = Runs::builder();
    all.chunks(1_001).for_each(|block| builder.push(block).unwrap());
    let blocks = builder.finish().unwrap();
    assert_eq!((blocks.len(), blocks.is_empty()), (80_000, false));
    let few = curvebook::answers::analysis::AnalyzeSettings {
        bootstrap_resamples: 20,
        ..Default::default()
    };
    let analyze = |runs: &Runs| curvebook::answers::analysis::analyze(runs, &few).unwrap();
    let whole = analyze(&blocks);
    assert_eq!((whole.goals.len(), whole.goals[1].goal_rows), (2, 40));
    assert_eq!(whole.goals[0].answers[1].speedup.unwrap().ratio, Interval::exact(1.0));
    // Shuffled, but for the first row of each method and goal, which name their order.
    let mut shuffled = all.clone();
    shuffled[40_002..].reverse();
    shuffled[2..40_000].reverse();
    assert_eq!(analyze(&Runs::from_rows(&shuffled).unwrap()), whole);
}
