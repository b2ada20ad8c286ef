//! Exact stopping epochs of the rules that compare trials with trials, worked out by hand: what
//! stops, what goes on at the very edge, NaN, what was not measured, ties, and first trials. Each
//! table is checked as it stands and, with 1 - y for y and every value a multiple of 1/64, as a
//! metric to minimise. One worker runs the curves one after another.

use curvebook::base::measured::is_measured;
use curvebook::methods::interface::State;

use crate::replay_common::{accuracy, loss};
use crate::stoppers::{End, NAN, NULL, check, full, stop};

/// As a metric to maximise, and mirrored as one to minimise.
#[track_caller]
fn both(rule: &str, chance: Option<f64>, cases: &[(&[f64], End)]) {
    check(&accuracy(chance), rule, cases);
    let mirror = |y: &f64| if is_measured(*y) { 1.0 - y } else { NULL };
    let curves: Vec<Vec<f64>> =
        cases.iter().map(|(curve, _)| curve.iter().map(mirror).collect()).collect();
    let cases: Vec<(&[f64], End)> =
        curves.iter().zip(cases).map(|(curve, (_, end))| (&curve[..], *end)).collect();
    check(&loss(chance.map(|chance| 1.0 - chance)), rule, &cases);
}

const GUESS: Option<f64> = Some(0.125);

#[test]
fn vizier_holds_the_best_so_far_against_the_median_of_averages() {
    both(
        "median:least=2",
        GUESS,
        &[
            // Averages .25, .375, .5, .5625; then .5 throughout.
            (&[0.25, 0.5, 0.75, 0.75], full(4)),
            (&[0.5, 0.5, 0.5, 0.5], full(4)),
            // Medians .375, .4375, .5: at the edge three times.
            (&[0.375, 0.4375, 0.5, 0.0], full(4)),
            // Medians of three: .375, then .40625. A best of the past holds.
            (&[0.25, 0.5, 0.5, 0.5], stop(1)),
            // What was stopped at 1 counts there: the median of .25, .25, .375, .5 is .3125.
            (&[0.3125, 0.3125, 0.9, 0.9], stop(2)),
            // NaN is chance, .125, below .3125; there are .25, .25, .3125, .375, .5.
            (&[NAN, 0.9, 0.9, 0.9], stop(1)),
            // Not measured at 1 and 2; at 3 the averages are .5, .5, .4375.
            (&[NULL, NULL, 0.25, 0.9], stop(3)),
            (&[NULL, NULL, 0.5, NULL], full(4)),
        ],
    );
    // A crashed trial has no average to compare with: it takes five others.
    let half: (&[f64], End) = (&[0.5, 0.5, 0.5], full(3));
    let low: (&[f64], End) = (&[0.25, 0.25, 0.25], full(3));
    let crash: (&[f64], End) = (&[0.5, 0.5], (2, State::Failed));
    both("median", GUESS, &[half, half, half, half, crash, low]);
    both("median", GUESS, &[half, half, half, half, half, (low.0, stop(1))]);
    both("median:startup=6", GUESS, &[half, half, half, half, half, low, (low.0, stop(1))]);
    both("median:warmup=1", GUESS, &[half, half, half, half, half, (low.0, stop(2))]);
    both("median:warmup=2", GUESS, &[half, half, half, half, half, low]);
    // Without a chance level NaN is worst of all, in averages too.
    let diverges: (&[f64], End) = (&[0.5, NAN, NAN], full(3));
    both(
        "median:least=1",
        None,
        &[half, (&[0.5, NAN, NAN], full(3)), (&[0.25, 0.9, 0.9], stop(1))],
    );
    both("median:least=1", None, &[diverges, (&[0.5, 0.0, 0.0], full(3)), (&[NAN; 3], stop(1))]);
    // Averages are of what was measured: .5 at 2, as at 1, and none at 1 for who begins at 2.
    let gaps: (&[f64], End) = (&[NULL, 0.5, NULL], full(3));
    both("median:least=1", GUESS, &[gaps, (&[0.25, 0.5, 0.0], full(3))]);
    both("median:least=1", GUESS, &[gaps, (&[0.25, 0.25, 0.9], stop(2))]);
}

#[test]
fn optuna_holds_the_best_so_far_against_scores_at_the_epoch() {
    let rule = "median:variant=optuna,startup=2";
    both(
        rule,
        GUESS,
        &[
            (&[0.25, 0.5, 0.75, 0.75], full(4)),
            // One has completed: too few.
            (&[0.0, 0.25, 0.25, 0.25], full(4)),
            // Medians .125, .375, .5: at the edge, by the best of the past.
            (&[0.375, 0.375, 0.5, 0.0], full(4)),
            // Of three: .25, .375, .5.
            (&[0.25, 0.25, 0.5, 0.5], stop(2)),
            // What was stopped does not count: still .25 at 1.
            (&[0.25, 0.375, 0.375, 0.9], stop(3)),
            // Nothing but NaN; a NaN beside a number is left out.
            (&[NAN, 0.9, 0.9, 0.9], stop(1)),
            (&[0.5, NAN, NAN, NAN], full(4)),
            (&[NULL, 0.25, 0.9, 0.9], stop(2)),
        ],
    );
    // At least two that were measured there; NaN is, and is no score.
    let diverged: (&[f64], End) = (&[0.5, NAN, 0.5], full(3));
    let half: (&[f64], End) = (&[NULL, 0.5, 0.5], full(3));
    let low: &[f64] = &[0.25, 0.25, 0.9];
    both("median:variant=optuna,startup=2,least=2", None, &[diverged, half, (low, stop(2))]);
    both("median:variant=optuna,startup=2,least=1", None, &[diverged, half, (low, stop(1))]);
    let nothing: (&[f64], End) = (&[NAN, NAN, NAN], full(3));
    // It completed without a value, and so failed, as Optuna sees it.
    both("median:variant=optuna,startup=2", None, &[nothing, half, (low, full(3))]);
    let half: (&[f64], End) = (&[0.5; 3], full(3));
    let four = [half; 4];
    let five = [half; 5];
    both("median:variant=optuna", None, &[&four[..], &[(low, full(3))]].concat());
    both("median:variant=optuna", None, &[&five[..], &[(low, stop(1))]].concat());
}

#[test]
fn an_interval_has_one_check_at_its_first_measured_epoch() {
    // After one epoch, intervals of 2: epochs 2 and 3, 4 and 5.
    let rule = "median:variant=optuna,startup=1,warmup=1,interval=2";
    let bar: (&[f64], End) = (&[0.0, 0.0, 0.5, 0.5, 0.5, 0.5], full(6));
    let low: &[f64] = &[0.0, 0.0, 0.25, 0.25, 0.25, 0.25];
    both(rule, None, &[bar, (low, stop(4))]);
    both(rule, None, &[bar, (&[0.0, NULL, 0.25, 0.25, 0.25, 0.25], stop(3))]);
    both(rule, None, &[bar, (&[0.0, NULL, NULL, 0.25, 0.25, 0.25], stop(4))]);
    both(rule, None, &[bar, (&[0.0, 0.0, 0.25, NULL, 0.25, 0.25], stop(5))]);
    both("median:variant=optuna,startup=1,warmup=1", None, &[bar, (low, stop(3))]);
}

#[test]
fn the_percentile_is_of_what_goes_on() {
    let five = [0.125, 0.25, 0.375, 0.5, 0.625].map(|y| [y, 0.0, 0.0]);
    let with = |rule: &str, y: f64, end: End| {
        let mut cases: Vec<(&[f64], End)> = five.iter().map(|y| (&y[..], full(3))).collect();
        let probe = [y, 0.5, 0.5];
        cases.push((&probe, end));
        both(rule, GUESS, &cases);
    };
    // The best quarter goes on: what is not below .5. With 75 % not below .25, with 12.5 % .5625.
    with("percentile", 0.5, full(3));
    with("percentile", 0.484_375, stop(1));
    with("percentile:percentile=75", 0.25, full(3));
    with("percentile:percentile=75", 0.234_375, stop(1));
    with("percentile:percentile=12.5", 0.562_5, full(3));
    with("percentile:percentile=12.5", 0.546_875, stop(1));
    with("percentile:percentile=0", 0.625, full(3));
    with("percentile:percentile=0", 0.609_375, stop(1));
    with("percentile:percentile=100", 0.125, full(3));
    with("percentile:percentile=100", 0.109_375, stop(1));
    // Too few have completed, or at the epoch.
    with("percentile:startup=6", 0.0, full(3));
    with("percentile:least=6", 0.0, full(3));
}

#[test]
fn ray_averages_after_the_grace_period() {
    let half: (&[f64], End) = (&[0.0, 0.5, 0.5, 0.5], full(4));
    let rule = "median:variant=ray,least=1,warmup=1";
    both(rule, GUESS, &[half, (&[0.0, 0.5, 0.0, 0.0], full(4))]);
    both(rule, GUESS, &[half, (&[0.0, 0.4375, 0.9, 0.9], stop(2))]);
    // Its own best is over all epochs.
    both(rule, GUESS, &[half, (&[0.5, 0.0, 0.0, 0.0], full(4))]);
    // From 1 on the averages are 0, .25, .333.
    let all = "median:variant=ray,least=1";
    both(all, GUESS, &[half, (&[0.0, 0.25, 0.25, 0.9], stop(3))]);
    // A NaN in an average leaves it out. First in the trial's own it has no best; later it does.
    both(all, GUESS, &[(&[0.5, NAN, 0.5], full(3)), (&[0.5, 0.0, 0.0], full(3))]);
    both(all, GUESS, &[(&[0.5, NAN, 0.5], full(3)), (&[0.25, 0.9, 0.9], stop(1))]);
    both(all, GUESS, &[half, (&[NAN, 0.9, 0.9, 0.9], stop(1))]);
    both(all, GUESS, &[half, (&[0.0, NAN, 0.9, 0.9], stop(2))]);
    both("median:variant=ray", GUESS, &[half, half, (&[NAN, 0.0, 0.0, 0.0], full(4))]);
    // Where it did not report it has the average of before, as it has reported later.
    let gap: (&[f64], End) = (&[0.5, NULL, 0.75, NULL], full(4));
    both(all, GUESS, &[gap, (&[0.5, 0.0, 0.5, 0.5], stop(3))]);
    both(all, GUESS, &[gap, (&[NULL, 0.25, 0.9, 0.9], stop(2))]);
    both(all, GUESS, &[gap, (&[NULL, NULL, NULL, 0.0], full(4))]);
}

/// Averages of the first: .25, .375. The second is stopped at 2, where its scores .3125 and .25
/// give .28125, and .27083 with the last of them twice: medians .328125 and .32292.
#[test]
fn ray_counts_the_result_that_stopped_a_trial_twice() {
    let first: (&[f64], End) = (&[0.25, 0.5, 0.5], full(3));
    let alone = "median:variant=ray,least=1";
    let second: (&[f64], End) = (&[0.3125, 0.25, 0.9], stop(2));
    both(alone, GUESS, &[first, second, (&[0.326, 0.0, 0.9], full(3))]);
    both(alone, GUESS, &[first, second, (&[0.3225, 0.0, 0.9], stop(2))]);
}

#[test]
fn nni_takes_the_lower_of_the_middle_two_and_counts_reports() {
    let quarter: (&[f64], End) = (&[0.25; 3], full(3));
    let half: (&[f64], End) = (&[0.5; 3], full(3));
    let rule = "median:variant=nni";
    both(rule, GUESS, &[half, (&[0.25, 0.9, 0.9], stop(1))]);
    both(rule, GUESS, &[quarter, half, (&[0.25, 0.0, 0.0], full(3))]);
    both(rule, GUESS, &[quarter, half, (&[0.234_375, 0.9, 0.9], stop(1))]);
    // The first report of each is compared, at 3 and at 1; NaN is chance.
    let late: (&[f64], End) = (&[NULL, NULL, 0.5], full(3));
    both(rule, GUESS, &[late, (&[0.25, 0.9, 0.9], stop(1))]);
    both(rule, GUESS, &[late, (&[NULL, 0.25, 0.9], stop(2))]);
    both(rule, GUESS, &[late, (&[0.5, 0.0, 0.0], full(3))]);
    both(rule, GUESS, &[(&[NAN; 3], full(3)), (&[0.125, 0.0, 0.0], full(3))]);
    both(rule, GUESS, &[(&[NAN; 3], full(3)), (&[0.109_375, 0.9, 0.9], stop(1))]);
    // What was stopped does not count, and a crash neither.
    let stopped: (&[f64], End) = (&[0.25, 0.9, 0.9], stop(1));
    both(rule, GUESS, &[half, stopped, stopped, stopped]);
    both(rule, GUESS, &[half, (&[0.5], (1, State::Failed)), stopped]);
    let longer: (&[f64], End) = (&[0.5; 4], full(4));
    both("median:variant=nni,warmup=1", GUESS, &[longer, (&[0.25, NULL, 0.25, 0.9], stop(3))]);
}

#[test]
fn syne_tune_ranks_averages_its_own_included() {
    both(
        "median:variant=synetune,least=2",
        GUESS,
        &[
            (&[0.5, 0.5, 0.5], full(3)),
            // One of two is better: .5 is not above .5.
            (&[0.25, 0.25, 0.25], full(3)),
            // Three of four; it counts from then on.
            (&[0.375, 0.375, 0.375], full(3)),
            (&[0.125, 0.9, 0.9], stop(1)),
            // Ties are not better: two of five, then three of four by the average .125.
            (&[0.25, 0.0, 0.9], stop(2)),
            // NaN is worst, not chance: five of six.
            (&[NAN, 0.9, 0.9], stop(1)),
            (&[NULL, 0.125, 0.9], stop(2)),
        ],
    );
    // It takes five at the epoch, itself with them, and epochs after the grace time.
    let falling = [0.75, 0.625, 0.5, 0.375].map(|y| [y; 3]);
    let mut cases: Vec<(&[f64], End)> = falling.iter().map(|y| (&y[..], full(3))).collect();
    cases.push((&[0.25, 0.9, 0.9], stop(1)));
    both("median:variant=synetune", GUESS, &cases);
    cases[4] = (&[0.25, 0.25, 0.9], stop(2));
    both("median:variant=synetune,warmup=1", GUESS, &cases);
    cases[4].1 = full(3);
    both("median:variant=synetune,least=6", GUESS, &cases);
    // Two of five are better, .4: with the cutoff at .25 it goes.
    cases[4] = (&[0.5, 0.9, 0.9], full(3));
    both("median:variant=synetune", GUESS, &cases);
    cases[4].1 = stop(1);
    both("median:variant=synetune,least=5,cutoff=0.25", GUESS, &cases);
}

#[test]
fn sagemaker_takes_the_score_of_the_epoch_itself() {
    let rising: (&[f64], End) = (&[0.25, 0.75, 0.5, 0.5], full(4));
    let rule = "median:variant=sagemaker";
    // Averages .25, .5, .5, .5.
    both(rule, GUESS, &[rising, (&[0.25, 0.5, 0.5, 0.0], full(4))]);
    both(rule, GUESS, &[rising, (&[0.75, 0.484_375, 0.9, 0.9], stop(2))]);
    both("median:least=1", GUESS, &[rising, (&[0.75, 0.484_375, 0.9, 0.9], full(4))]);
    both(rule, GUESS, &[rising, (&[0.75, NAN, 0.9, 0.9], stop(2))]);
    both(rule, GUESS, &[rising, (&[0.75, NULL, 0.25, 0.9], stop(3))]);
    // A stopped trial counts where it has come to: medians .25, then of .25 and .5.
    let stopped: (&[f64], End) = (&[0.25, 0.25, 0.9, 0.9], stop(2));
    both(rule, GUESS, &[rising, stopped, (&[0.25, 0.375, 0.5, 0.0], full(4))]);
    both(rule, GUESS, &[rising, stopped, (&[0.25, 0.359_375, 0.9, 0.9], stop(2))]);
}

#[test]
fn thresholds_and_intervals_are_in_the_metrics_own_unit() {
    for metric in [accuracy(GUESS), loss(GUESS)] {
        check(
            &metric,
            "threshold:lower=0.25,upper=0.75",
            &[
                (&[0.25, 0.75, 0.5], full(3)),
                (&[0.5, 0.2, 0.5], stop(2)),
                (&[0.76, 0.5, 0.5], stop(1)),
                (&[0.25 - 0.9e-7, 0.75 + 0.9e-7, 0.5], full(3)),
                (&[0.25 - 1.1e-7, 0.5, 0.5], stop(1)),
                (&[0.5, 0.75 + 1.1e-7, 0.5], stop(2)),
                (&[NULL, NULL, 0.0], full(3)),
                (&[NULL, NAN, 0.5], stop(2)),
            ],
        );
        check(&metric, "threshold", &[(&[-9.0, 9.0, 0.0], full(3)), (&[0.5, NAN, 0.5], stop(2))]);
        let paced = "threshold:upper=0.75,warmup=1,interval=2";
        check(&metric, paced, &[(&[1.0, 0.5, 1.0, 1.0, 0.5], stop(4)), (&[-9.0; 5], full(5))]);
        check(
            &metric,
            "interval:low=0.25,high=0.75",
            &[
                (&[0.25, 0.75, 0.0], full(3)),
                (&[0.2, 0.3, 0.5], stop(2)),
                (&[0.74, 0.0, 0.0], stop(1)),
                (&[0.25 + 0.9e-7, 0.75 - 0.9e-7, 0.0], full(3)),
                (&[0.25 + 1.1e-7, 0.0, 0.0], stop(1)),
                (&[NULL, NULL, 0.5], full(3)),
                // Chance, .125, lies below.
                (&[NAN, NAN, 0.5], full(3)),
            ],
        );
        check(&metric, "interval", &[(&[0.3, 0.2, 0.1, 0.1], stop(3)), (&[0.0; 4], full(4))]);
        check(&metric, "interval", &[(&[0.5, NAN, 0.5], stop(2))]);
        check(&metric, "interval:warmup=2", &[(&[0.1, 0.1, 0.1, 0.5], stop(3))]);
    }
    check(&accuracy(None), "interval", &[(&[0.5, NAN, 0.5], full(3))]);
}

#[test]
fn patience_holds_late_reports_against_all_before() {
    let alone = "patient:patience=1";
    both(
        alone,
        GUESS,
        &[
            // .5 is not below .5; at 4 the last two are .25.
            (&[0.5, 0.5, 0.25, 0.25, 0.9], stop(4)),
            (&[0.5, 0.25, 0.5, 0.25, 0.5], full(5)),
            (&[0.25, 0.375, 0.5, 0.625, 0.75], full(5)),
            (&[0.5, 0.25, 0.25, 0.9, 0.9], stop(3)),
            // Reports are counted, not epochs.
            (&[0.5, NULL, 0.25, NULL, 0.25], full(5)),
            (&[0.5, NULL, 0.25, 0.25, 0.25], stop(4)),
            // NaN is a report and no score: nothing but NaN compares with nothing.
            (&[0.5, NAN, NAN, 0.25, 0.25], stop(4)),
            (&[0.5, NAN, NAN, NAN, NAN], full(5)),
            (&[NAN, 0.5, 0.25, 0.25, 0.25], stop(4)),
        ],
    );
    let lenient = "patient:patience=1,min_delta=0.25";
    both(lenient, GUESS, &[(&[0.5, 0.25, 0.25, 0.25], full(4))]);
    both(lenient, GUESS, &[(&[0.5, 0.234_375, 0.234_375, 0.9], stop(3))]);
    both("patient:patience=0", GUESS, &[(&[0.25, 0.5, 0.484_375, 0.9], stop(3))]);
    // The wrapped rule's word alone is not enough, nor is being stuck.
    let wrapped = "patient:patience=1,rule=(median:variant=optuna,startup=1)";
    let half: (&[f64], End) = (&[0.5; 5], full(5));
    both(
        wrapped,
        GUESS,
        &[
            half,
            (&[0.375, 0.25, 0.25, 0.9, 0.9], stop(3)),
            (&[0.75, 0.5, 0.5, 0.5, 0.5], full(5)),
            (&[0.25, 0.25, 0.25, 0.25, 0.25], full(5)),
        ],
    );
}

#[test]
fn wilcoxon_tests_the_differences_to_the_best() {
    let best: &[f64] = &[0.25, 0.5, 0.625, 0.6875, 0.71875, 0.75];
    let lower = |by: &[f64]| -> Vec<f64> { best.iter().zip(by).map(|(y, by)| y - by).collect() };
    let all = lower(&[0.015_625, 0.031_25, 0.046_875, 0.062_5, 0.078_125, 0.1]);
    // 1 in 2^n: .125 with three, .0625 with four; ties make no difference.
    both("wilcoxon", GUESS, &[(best, full(6)), (&all, stop(4))]);
    both("wilcoxon", GUESS, &[(best, full(6)), (&lower(&[0.125; 6]), stop(4))]);
    both("wilcoxon:p=0.2", GUESS, &[(best, full(6)), (&all, stop(3))]);
    both("wilcoxon:p=0.125", GUESS, &[(best, full(6)), (&all, stop(4))]);
    both("wilcoxon:p=0.3,steps=0", GUESS, &[(best, full(6)), (&all, stop(2))]);
    both("wilcoxon:p=0.3,steps=5", GUESS, &[(best, full(6)), (&all, stop(5))]);
    // One better epoch, the smallest difference: 2 of 16, then 2 of 32.
    let one = lower(&[-0.015_625, 0.031_25, 0.046_875, 0.062_5, 0.078_125, 0.1]);
    both("wilcoxon", GUESS, &[(best, full(6)), (&one, stop(5))]);
    // Equal curves: all zeros. And nothing to compare with before a completion.
    both("wilcoxon", GUESS, &[(best, full(6)), (best, full(6))]);
    both("wilcoxon", GUESS, &[(&all, full(6)), (&lower(&[0.125; 6]), stop(4))]);
    // Gaps leave pairs out and hold no check; NaN on either side stops nothing.
    let gap = [&[NULL][..], &all[1..4], &[NULL, 0.0]].concat();
    both("wilcoxon", GUESS, &[(best, full(6)), (&gap, full(6))]);
    let gap = [&[NULL][..], &all[1..]].concat();
    both("wilcoxon", GUESS, &[(best, full(6)), (&gap, stop(5))]);
    let nan = [&[NAN][..], &all[1..]].concat();
    both("wilcoxon", GUESS, &[(best, full(6)), (&nan, full(6))]);
    let diverged = [&[NAN][..], &best[1..]].concat();
    both("wilcoxon", GUESS, &[(&diverged, full(6)), (&all, full(6))]);
    // Its mean so far, .625, is no worse than the .5 of the best, which fell back.
    let peak: &[f64] = &[0.75, 0.75, 0.75, 0.75, 0.25, 0.25, 0.25, 0.25];
    both("wilcoxon", GUESS, &[(peak, full(8)), (&[0.625; 8], full(8))]);
    both("wilcoxon", GUESS, &[(peak, full(8)), (&[0.484_375; 8], stop(4))]);
}

#[test]
fn tercet_checks_at_half_and_near_the_end() {
    let rule = "tercet:beta=0.25";
    // Eight epochs: at 4 against the 25th percentile of the means of 1 to 4, its own included; at
    // 6 against the 75th of the means of 4 to 6.
    let first: &[f64] = &[0.25, 0.25, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5];
    let second: &[f64] = &[0.5; 8];
    // Alone: .5 against its own mean .375, and .5 against .5.
    both(rule, GUESS, &[(first, full(8)), (second, full(8))]);
    // Means .375, .5 and its own. At .25 throughout it pulls the percentile to .3125.
    both(rule, GUESS, &[(first, full(8)), (second, full(8)), (&[0.25; 8], stop(4))]);
    // Its mean is .3125 with .34375 for the percentile: .34375 goes on at 4 and not at 6.
    let edge: &[f64] = &[0.296_875, 0.296_875, 0.3125, 0.343_75, 0.343_75, 0.343_75, 0.9, 0.9];
    both(rule, GUESS, &[(first, full(8)), (second, full(8)), (edge, stop(6))]);
    let below: &[f64] = &[0.3125, 0.3125, 0.296_875, 0.328_125, 0.9, 0.9, 0.9, 0.9];
    both(rule, GUESS, &[(first, full(8)), (second, full(8)), (below, stop(4))]);
    // At 6 the means are .5, .5 and its own .5: the edge.
    let late: &[f64] = &[0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.0, 0.0];
    both(rule, GUESS, &[(first, full(8)), (second, full(8)), (late, full(8))]);
    let late: &[f64] = &[0.5, 0.5, 0.5, 0.5, 0.5, 0.484_375, 0.9, 0.9];
    both(rule, GUESS, &[(first, full(8)), (second, full(8)), (late, stop(6))]);
    // NaN is chance, or worst; nobody saw what was not measured, and the late check is held.
    let nan: &[f64] = &[0.5, 0.5, 0.5, NAN, 0.9, 0.9, 0.9, 0.9];
    both(rule, GUESS, &[(first, full(8)), (nan, stop(4))]);
    both(rule, None, &[(first, full(8)), (nan, stop(4))]);
    both(rule, None, &[(nan, full(8))]);
    let gap: &[f64] = &[0.0, 0.0, 0.0, NULL, 0.0, 0.0, 0.9, 0.9];
    both(rule, GUESS, &[(first, full(8)), (gap, stop(6))]);
    // A falling curve is below its own mean.
    both(rule, GUESS, &[(&[0.5, 0.5, 0.5, 0.25, 0.9, 0.9, 0.9, 0.9], stop(4))]);
    // Floors: of 5 epochs 2 and 3; of 2 there is the early check alone.
    let falls: &[f64] = &[0.5, 0.25, 0.9, 0.9, 0.9];
    both(rule, GUESS, &[(falls, stop(2))]);
    both(rule, GUESS, &[(&[0.5, 0.5, 0.25, 0.9, 0.9], stop(3))]);
    both(rule, GUESS, &[(&[0.5, 0.5], full(2)), (&[0.25, 0.9], stop(1))]);
    both("tercet:beta=0.5", GUESS, &[(&[0.5, 0.5, 0.25, 0.0], full(4))]);
}

#[test]
fn wandb_lets_the_best_share_of_a_band_go_on() {
    // Bands 1, 2 and 4. The threshold is the second best of two or three, the third of four.
    let rule = "wandb-hyperband:min_iter=1,eta=2";
    both(
        rule,
        GUESS,
        &[
            (&[0.5, 0.5, 0.5, 0.5, 0.5], full(5)),
            // Second of two.
            (&[0.25, 0.25, 0.0, 0.25, 0.5], full(5)),
            // The second of three, .375, is its own; at 2 it is below .25.
            (&[0.375, 0.234_375, 0.9, 0.9, 0.9], stop(2)),
            // The third of four at 1 is .25.
            (&[0.234_375, 0.9, 0.9, 0.9, 0.9], stop(1)),
            (&[0.375, 0.25, 0.5, 0.25, 0.5], full(5)),
            // NaN and what was not measured are no reports: its first is at 3; fourth of six, .25.
            (&[NAN, NULL, 0.234_375, 0.9, 0.9], stop(3)),
            (&[NAN; 5], full(5)),
        ],
    );
    let two: (&[f64], End) = (&[0.5, 0.5, 0.5, 0.5], full(4));
    let high: (&[f64], End) = (&[0.75, 0.25, 0.25, 0.25], full(4));
    // Strict or not: the score at the band, or the best so far.
    let not = "wandb-hyperband:min_iter=2,eta=2,strict=no";
    let strict = "wandb-hyperband:min_iter=2,eta=2";
    both(not, GUESS, &[two, two, high]);
    both(strict, GUESS, &[two, two, (high.0, stop(2))]);
    // Between bands nothing is looked at.
    both(strict, GUESS, &[two, two, (&[0.5, 0.5, 0.0, 0.5], full(4))]);
    // Counted from 0, bands are one later.
    both("wandb-hyperband:min_iter=1,eta=2,first_step=0", GUESS, &[two, two, (high.0, stop(2))]);
    both("wandb-hyperband:max_iter=5,s=1,eta=2", GUESS, &[two, two, (high.0, stop(2))]);
}
