//! From rows of runs to answers in text and JSON.

use curvebook::answers::analysis::{Analysis, AnalyzeSettings, Answer, Runs, analyze};
use curvebook::answers::report;
use curvebook::base::stats::Interval;
use curvebook::replay::EndReason;
use curvebook::store::runs::RunRow;

const INF: f64 = f64::INFINITY;

/// A run of `stopper` that ended at `end_s` for `end`.
pub(crate) fn row(stopper: &str, repeat: u32, end: EndReason, end_s: f64) -> RunRow {
    let reached = end == EndReason::Goal;
    let trials = 10 + repeat;
    RunRow {
        run: repeat,
        table: "digits".into(),
        sampler: "random".into(),
        scheduler: "fifo".into(),
        stopper: stopper.into(),
        report: "best".into(),
        value: "best".into(),
        workers: 1,
        goal: "top:0.005".into(),
        goal_value: 0.98,
        goal_rows: 10,
        repeat,
        seed: 0,
        reached,
        time_to_goal_s: reached.then_some(end_s),
        time_to_goal_epoch_s: reached.then_some(end_s * 0.5),
        trials_to_goal: reached.then_some(trials),
        epochs_to_goal: reached.then_some(u64::from(trials) * 3),
        end_s,
        trials,
        epochs: u64::from(trials) * 3,
        stopped_trials: 5,
        end_reason: end.word().to_string(),
        table_share: 0.02,
        ..RunRow::default()
    }
}

pub(crate) fn rows(stopper: &str, runs: &[(EndReason, f64)]) -> Vec<RunRow> {
    (0..).zip(runs).map(|(repeat, &(end, end_s))| row(stopper, repeat, end, end_s)).collect()
}

pub(crate) fn goals(times: &[f64]) -> Vec<(EndReason, f64)> {
    times.iter().map(|&t| (EndReason::Goal, t)).collect()
}

pub(crate) fn analysed(rows: &[RunRow]) -> Analysis {
    analyze(&Runs::from_rows(rows).unwrap(), &AnalyzeSettings::default()).unwrap()
}

pub(crate) fn mixed_rows(stopper: &str) -> Vec<RunRow> {
    use EndReason::{Budget, Exhausted, Goal};
    rows(stopper, &[(Goal, 3.0), (Budget, 9.0), (Exhausted, 8.0), (Goal, 4.0)])
}

fn refused(rows: &[RunRow]) -> String {
    let runs = Runs::from_rows(rows);
    runs.and_then(|r| analyze(&r, &AnalyzeSettings::default())).unwrap_err().to_string()
}

pub(crate) fn answers(rows: &[RunRow]) -> Vec<Answer> {
    analysed(rows).goals.remove(0).answers
}

fn quartiles(answer: &Answer) -> [(f64, f64); 3] {
    let q = answer.time_to_goal_s;
    [q.q25, q.median, q.q75].map(|i: Interval| (i.low, i.high))
}

#[test]
fn quartiles_keep_infinity_and_bounds() {
    use EndReason::{Budget, Exhausted, Goal, MaxTrials};
    let never = [(Goal, 1.0), (Goal, 2.0), (Goal, 3.0), (Exhausted, 50.0), (Exhausted, 60.0)];
    let found = &answers(&rows("none", &never))[0];
    assert_eq!(quartiles(found), [(2.0, 2.0), (3.0, 3.0), (INF, INF)]);
    assert_eq!((found.runs, found.reached, found.censored), (5, 3, 0));
    // 1 + 2 + 3 + 50 + 60 over 3 successes: not 2, the mean over the successes.
    assert!((found.expected_running_time_s.value - 116.0 / 3.0).abs() < 1e-12);

    let cut = [(Goal, 1.0), (Goal, 2.0), (Goal, 3.0), (Budget, 9.0), (MaxTrials, 7.0)];
    let found = &answers(&rows("none", &cut))[0];
    assert_eq!(quartiles(found), [(2.0, 2.0), (3.0, 3.0), (7.0, INF)]);
    assert_eq!(found.censored, 2);

    // A run cut early may have reached sooner than the others: the median is between.
    let early = [(Goal, 10.0), (Goal, 20.0), (MaxTrials, 5.0)];
    let found = &answers(&rows("none", &early))[0];
    assert_eq!(quartiles(found)[1], (10.0, 20.0));
    assert_eq!((found.trials_to_goal_median.low, found.trials_to_goal_median.high), (11.0, 11.0));
    assert_eq!(found.time_to_goal_epoch_s_median, Interval { low: 5.0, high: 10.0 });

    let all_never = [(Exhausted, 5.0), (Exhausted, 6.0)];
    let analysis = analysed(&rows("none", &all_never));
    let found = &analysis.goals[0].answers[0];
    assert_eq!(quartiles(found), [(INF, INF); 3]);
    assert_eq!((found.expected_running_time_s.value, found.trials_to_goal_median.low), (INF, INF));
    assert!(analysis.notes.iter().any(|n| n.what.contains("no run of any method reached it")));
    let text = report::text::render(&analysis);
    assert!(text.contains("never") && text.contains("0/2"), "{text}");
}

#[test]
fn speed_ups_in_every_case_of_infinity() {
    use EndReason::{Budget, Exhausted};
    let base = rows("none", &goals(&[10.0, 12.0, 14.0, 16.0]));
    let of = |other: Vec<RunRow>, base: &[RunRow]| {
        let both = [base.to_vec(), other].concat();
        answers(&both)[1].speedup.expect("not the baseline")
    };
    let fast = of(rows("etr1", &goals(&[5.0, 6.0, 7.0, 8.0])), &base);
    assert_eq!(fast.ratio, Interval::exact(2.0));
    // Each pair's ratio is exactly 2, so is every paired resample's.
    assert_eq!(fast.interval, Some(Interval::exact(2.0)));
    assert!(fast.paired);

    let never = vec![(Exhausted, 99.0); 4];
    let slow = of(rows("etr1", &never), &base);
    assert_eq!((slow.ratio, slow.interval), (Interval::exact(0.0), Some(Interval::exact(0.0))));
    let against_never = of(rows("etr1", &goals(&[1.0, 2.0, 3.0, 4.0])), &rows("none", &never));
    assert_eq!(against_never.ratio, Interval::exact(INF));
    let both_never = of(rows("etr1", &never), &rows("none", &never));
    let nothing = Interval { low: 0.0, high: INF };
    assert_eq!((both_never.ratio, both_never.interval), (nothing, Some(nothing)));

    let cut = of(rows("etr1", &[(Budget, 26.0); 4]), &base);
    assert_eq!(cut.ratio, Interval { low: 0.0, high: 0.5 });
    assert_eq!(cut.interval.unwrap().low, 0.0);
    let cut_base = of(rows("etr1", &goals(&[5.0; 4])), &rows("none", &[(Budget, 20.0); 4]));
    assert_eq!(cut_base.ratio, Interval { low: 4.0, high: INF });
}

#[test]
fn pairs_need_the_same_repeats_and_seeds() {
    let base = rows("none", &goals(&[10.0, 40.0, 20.0, 80.0, 15.0]));
    let double: Vec<f64> = base.iter().map(|r| r.end_s / 2.0).collect();
    let mut other = rows("etr1", &goals(&double));
    let paired = answers(&[base.clone(), other.clone()].concat())[1].speedup.unwrap();
    assert_eq!((paired.interval, paired.paired), (Some(Interval::exact(2.0)), true));
    // The order of rows does not matter: runs pair by name.
    other.reverse();
    let shuffled = answers(&[base.clone(), other.clone()].concat())[1].speedup.unwrap();
    assert_eq!(shuffled, paired);

    for r in &mut other {
        r.seed = 1;
    }
    let analysis = analysed(&[base, other].concat());
    let unpaired = analysis.goals[0].answers[1].speedup.unwrap();
    assert_eq!((unpaired.ratio, unpaired.paired), (paired.ratio, false));
    let interval = unpaired.interval.unwrap();
    assert!(interval.low < 1.0 && interval.high > 3.0, "{interval:?}");
    assert!(analysis.notes.iter().any(|n| n.what.contains("do not pair")));
}

#[test]
fn the_same_seed_gives_the_same_answer_at_any_number_of_threads() {
    let mut all = Vec::new();
    for (shift, stopper) in (0..).zip(["none", "etr1", "etr2"]) {
        let times: Vec<f64> =
            (0..40).map(|i| f64::from(1 + (i * 7919 + shift * shift * 31) % 97)).collect();
        all.extend(rows(stopper, &goals(&times)));
    }
    let runs = Runs::from_rows(&all).unwrap();
    let with = |threads: usize, seed: u64| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let settings = AnalyzeSettings { seed, bootstrap_resamples: 33, ..Default::default() };
        pool.install(|| analyze(&runs, &settings).unwrap())
    };
    assert_eq!(with(1, 0), with(2, 0));
    assert_ne!(with(1, 0).goals, with(1, 5).goals);
}

#[test]
fn one_run_has_no_interval() {
    let both = [rows("none", &goals(&[10.0])), rows("etr1", &goals(&[4.0]))].concat();
    let analysis = analysed(&both);
    let speedup = analysis.goals[0].answers[1].speedup.unwrap();
    assert_eq!((speedup.ratio, speedup.interval), (Interval::exact(2.5), None));
    assert!(analysis.notes.iter().any(|n| n.what.contains("one run only")));
}

#[test]
fn baselines_are_chosen_by_name_and_hold_on_every_table() {
    let mut all =
        [rows("none", &goals(&[10.0; 12])), rows("etr1:tau=1", &goals(&[5.0; 12]))].concat();
    let other_table: Vec<RunRow> =
        all.iter().map(|r| RunRow { table: "mnist".into(), ..r.clone() }).collect();
    all.extend(other_table);
    let runs = Runs::from_rows(&all).unwrap();
    let settings = AnalyzeSettings { baseline: Some("etr1".into()), ..Default::default() };
    let analysis = analyze(&runs, &settings).unwrap();
    assert_eq!(analysis.goals.len(), 2);
    for goal in &analysis.goals {
        assert!(goal.answers[1].is_baseline && goal.answers[1].speedup.is_none());
        assert_eq!(goal.answers[0].speedup.unwrap().ratio, Interval::exact(0.5));
    }
    let wrong = AnalyzeSettings { baseline: Some("asha".into()), ..Default::default() };
    let message = analyze(&runs, &wrong).unwrap_err().to_string();
    assert!(message.starts_with("command line: --baseline = asha:"), "{message}");
}

#[test]
fn a_table_without_the_baseline_gets_no_speed_up_and_a_note() {
    let mut all = rows("none", &goals(&[10.0; 12]));
    let elsewhere = rows("etr1", &goals(&[5.0; 12]));
    all.extend(elsewhere.into_iter().map(|r| RunRow { table: "mnist".into(), ..r }));
    let analysis = analysed(&all);
    assert!(!analysis.goals[1].answers[0].is_baseline);
    assert_eq!(analysis.goals[1].answers[0].speedup, None);
    assert!(analysis.notes.iter().any(|n| n.what.contains("has no runs here")));
}

#[test]
fn notes_tell_of_small_goals_large_shares_and_mixed_thresholds() {
    let clean = analysed(&rows("none", &goals(&[10.0; 12])));
    assert_eq!(clean.notes, []);
    let change = |of: &dyn Fn(&mut RunRow)| {
        let mut all = rows("none", &goals(&[10.0; 12]));
        all.iter_mut().for_each(of);
        analysed(&all).notes.into_iter().map(|n| n.what).collect::<Vec<_>>().join("\n")
    };
    let small = change(&|r| r.goal_rows = 4);
    assert_eq!(small, "goal top:0.005 on digits: met by only 4 of the table's rows");
    assert_eq!(change(&|r| r.goal_rows = 5), "");
    let share = change(&|r| r.table_share = 0.34);
    assert!(share.contains("1 of 1 method used more than 10 %") && share.contains("up to 34 %"));
    assert_eq!(change(&|r| r.table_share = 0.1), "");
    let mixed = change(&|r| r.goal_value = if r.repeat == 3 { 0.97 } else { 0.98 });
    assert!(mixed.contains("different thresholds"));
}

#[test]
fn rows_that_contradict_themselves_are_refused() {
    let with = |of: &dyn Fn(&mut RunRow)| {
        let mut all = rows("none", &goals(&[10.0, 11.0]));
        of(&mut all[1]);
        refused(&all)
    };
    let cases: [(&str, String); 13] = [
        ("column end_s, row 1 = NaN", with(&|r| r.end_s = f64::NAN)),
        ("column time_to_goal_s, row 1 = -3", with(&|r| r.time_to_goal_s = Some(-3.0))),
        ("column time_to_goal_s, row 1 = null", with(&|r| r.time_to_goal_s = None)),
        ("column trials_to_goal, row 1 = null", with(&|r| r.trials_to_goal = None)),
        ("column end_reason, row 1 = goal with reached = false", with(&|r| r.reached = false)),
        ("column table_share, row 1 = 1.5", with(&|r| r.table_share = 1.5)),
        ("column stopped_trials, row 1 = 99 of 11 trials", with(&|r| r.stopped_trials = 99)),
        ("column trials_to_goal, row 1 = 99 of 11", with(&|r| r.trials_to_goal = Some(99))),
        ("column epochs_to_goal, row 1 = ", with(&|r| r.epochs_to_goal = Some(1 << 40))),
        ("column time_to_goal_s, row 1 = 99 after 11", with(&|r| r.time_to_goal_s = Some(99.0))),
        ("column goal_rows_met, row 1 = 99 of 11", with(&|r| r.goal_rows_met = Some(99))),
        ("column goal_rows_stopped, row 1 = 3 of", with(&|r| r.goal_rows_stopped = Some(3))),
        ("repeat 0, seed 0, goal top:0.005", with(&|r| r.repeat = 0)),
    ];
    for (wanted, found) in cases {
        assert!(found.contains(wanted), "{found}");
    }
    assert!(refused(&[]).contains("at least one run is needed"));
    let runs = Runs::from_rows(&rows("none", &goals(&[1.0]))).unwrap();
    for (confidence, bootstrap_resamples) in [(1.0, 10), (f64::NAN, 10), (0.9, 0)] {
        let settings = AnalyzeSettings { confidence, bootstrap_resamples, ..Default::default() };
        assert!(analyze(&runs, &settings).is_err());
    }
}

#[test]
fn the_text_is_as_wide_as_a_page_and_says_what_matters() {
    let times = |scale: f64| -> Vec<(EndReason, f64)> {
        let budget_s = 15_000.0;
        let end = |t: f64| {
            if t <= budget_s { (EndReason::Goal, t) } else { (EndReason::Budget, budget_s) }
        };
        (0..50).map(|i| end(scale * f64::from(1 + (i * 37) % 50))).collect()
    };
    let mut all = rows("none", &times(400.0));
    all.extend(rows("etr1:tau=1,epsilon=0.05", &times(170.0)));
    let long = "etr2:p=0.9,q=0.75,gap=ratio,delta=0.05,empty=first,reference=final";
    all.extend(rows(long, &times(200.0)));
    let second = all.iter().map(|r| RunRow { goal: "top:0.02".into(), goal_rows: 4, ..r.clone() });
    all.extend(second.collect::<Vec<_>>());
    let text = report::text::render(&analysed(&all));
    println!("{text}");
    let narrow = |text: &str| text.lines().all(|line| line.chars().count() <= 118);
    assert!(narrow(&text));
    assert!(!text.contains('\u{1b}'), "no colour");
    for wanted in [
        "Goal top:0.005 on digits: 0.98, which 10 rows meet",
        "all with: sampler random, scheduler fifo, report best, value best, workers 1",
        "etr2 = etr2:p=0.9",
        "│ none ",
        "37/50",
        "baseline",
        "> 4.15 h",
        "2.35x",
        "met by only 4",
        "Against none, pair by pair",
        "Wilcoxon p ┆",
        "all runs share a budget of 4.17 h",
        "mean to 4.17 h",
    ] {
        assert!(text.contains(wanted), "{wanted} is not in\n{text}");
    }

    // Runs cut at different times leave ranges everywhere: the least needed columns give way.
    for (end_s, row) in (7_u32..).zip(&mut all).filter(|(end_s, _)| end_s % 9 == 8) {
        *row = RunRow {
            goal: row.goal.clone(),
            ..self::row(&row.stopper, row.repeat, EndReason::MaxTrials, f64::from(end_s))
        };
    }
    let text = report::text::render(&analysed(&all));
    println!("{text}");
    assert!(narrow(&text) && text.contains("speed-up") && text.contains(".."), "{text}");
}

#[test]
fn a_hundred_thousand_rows_take_about_a_second() {
    let mut all = Vec::new();
    for method in 0..20_u32 {
        let times: Vec<f64> =
            (0..5_000_u32).map(|i| f64::from((i * 7919 + method * 31) % 9973)).collect();
        all.extend(rows(&format!("etr1:tau={method}"), &goals(&times)));
    }
    let start = std::time::Instant::now();
    let runs = Runs::from_rows(&all).unwrap();
    let held = start.elapsed();
    let analysis = analyze(&runs, &AnalyzeSettings::default()).unwrap();
    println!("100,000 rows: held in {held:?}, analysed by {:?}", start.elapsed());
    assert_eq!(analysis.goals[0].answers.len(), 20);
    // Generous: the machine may be busy. A quadratic step would take minutes.
    assert!(start.elapsed().as_secs() < 30);
}
