//! Exact stopping epochs of the rules: every worked example, ties, NaN, and both directions.

use curvebook::base::measured::NOT_MEASURED;
use curvebook::base::rng::Stream;
use curvebook::base::space::Metric;
use curvebook::base::units::Epoch;
use curvebook::methods::interface::{Looks, State};
use curvebook::replay::{Settings, ValueMode};
use rand::RngExt;

use crate::replay_common::{
    Curve, InOrder, accuracy, fifo, grid, loss, pool, replay_with, run_grid, stopper,
    unit_cost_pool,
};

pub(crate) const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;
/// Not measured.
pub(crate) const NULL: f64 = NOT_MEASURED;

/// How a trial ends, after how many epochs.
pub(crate) type End = (u16, State);

pub(crate) fn stop(epoch: u16) -> End {
    (epoch, State::Stopped)
}

pub(crate) fn full(epochs: u16) -> End {
    (epochs, State::Completed)
}

/// Ends of the trials when one worker runs the curves one after another; `epochs` is a full curve.
fn ends_in(
    mode: ValueMode,
    metric: &Metric,
    epochs: u16,
    rule: &str,
    curves: &[&[f64]],
) -> Vec<End> {
    let pool = unit_cost_pool(metric, epochs, curves);
    let settings = Settings { value: mode, ..Settings::default() };
    // Out of reach in either direction.
    let goal = pool.value_of(1e9).to_string();
    let rule = stopper(&pool, rule);
    let outcome = replay_with(&pool, &settings, &[&goal], InOrder(0), fifo(), rule);
    assert_eq!(outcome.segments.len(), curves.len());
    let mut now = 0;
    let ends = outcome.segments.iter().map(|s| {
        // Exactly the epochs that ran are charged.
        assert_eq!((s.start.0, s.end.0), (now, now + u64::from(s.epochs.0)), "{s:?}");
        now = s.end.0;
        (s.epochs.0, s.end_state)
    });
    ends.collect()
}

#[track_caller]
pub(crate) fn check(metric: &Metric, rule: &str, cases: &[(&[f64], End)]) {
    check_of(u16::try_from(cases[0].0.len()).unwrap(), metric, rule, cases);
}

#[track_caller]
fn check_of(epochs: u16, metric: &Metric, rule: &str, cases: &[(&[f64], End)]) {
    let curves: Vec<&[f64]> = cases.iter().map(|(curve, _)| *curve).collect();
    let wanted: Vec<End> = cases.iter().map(|(_, end)| *end).collect();
    assert_eq!(ends_in(ValueMode::Best, metric, epochs, rule, &curves), wanted, "{rule}");
}

#[test]
fn etr1_looks_at_tau_alone() {
    check(
        &accuracy(Some(0.1)),
        "etr1:tau=3,epsilon=0.05",
        &[
            (&[0.10, 0.12, 0.149, 0.90], stop(3)),
            (&[0.10, 0.12, 0.151, 0.90], full(4)),
            (&[0.40, 0.30, 0.10, 0.90], stop(3)),
            (&[0.00, 0.00, 0.20, 0.00], full(4)),
            // 0.1 + 0.05 is 0.15000000000000002: exactly 0.15 goes on, and so does its f32.
            (&[0.10, 0.10, 0.15, 0.90], full(4)),
            (&[0.10, 0.10, 0.15 - 0.9e-7, 0.90], full(4)),
            (&[0.10, 0.10, 0.15 - 1.1e-7, 0.90], stop(3)),
            // NaN and infinities are chance at tau, and nothing elsewhere.
            (&[0.90, 0.90, NAN, 0.90], stop(3)),
            (&[0.90, 0.90, INF, 0.90], stop(3)),
            (&[NAN, NAN, 0.90, NAN], full(4)),
            // Nobody saw what was not measured.
            (&[0.10, 0.10, NULL, 0.10], full(4)),
            (&[NULL, NULL, 0.10, NULL], stop(3)),
            // A row that was cut at tau has nothing left to stop, one cut before it never meets it.
            (&[0.10, 0.10, 0.10], (3, State::Failed)),
            (&[0.10, 0.10], (2, State::Failed)),
        ],
    );
    check(&accuracy(Some(0.1)), "etr1", &[(&[0.14, 0.9], stop(1)), (&[0.16, 0.1], full(2))]);
    // 0.7 in f32 is 0.699999988: it widens below its decimal.
    let widened = f64::from(0.7_f32);
    assert!(widened < 0.7);
    check(&accuracy(Some(0.1)), "etr1:tau=1,epsilon=0.6", &[(&[widened, 0.9], full(2))]);
}

/// The best is what was measured of it: its last number .8 is the reference, .6 of it stands at
/// epoch 4, the bar there is .54. Gaps move epochs and change no decision.
#[test]
fn etr2_passes_over_what_was_not_measured() {
    let metric = accuracy(Some(0.1));
    let best: &[f64] = &[0.1, 0.3, 0.5, 0.6, 0.8, NULL];
    let cases: [(&[f64], End); 4] = [
        (best, full(6)),
        (&[0.1, 0.28, 0.45, 0.50, 0.55, 0.6], stop(4)),
        (&[0.1, 0.28, 0.45, NULL, 0.50, 0.6], full(6)),
        (&[NULL, NULL, NULL, 0.53, NULL, NULL], stop(4)),
    ];
    check(&metric, "etr2", &cases);
    let four: [&[f64]; 2] = [&[0.1, 0.5, 0.6, 0.8], &[0.1, 0.30, 0.4, 0.5]];
    check(&metric, "etr2", &[(four[0], full(4)), (four[1], stop(3))]);
    let sparse = four.map(|curve| -> Vec<f64> {
        curve.iter().flat_map(|y| [NULL, NULL, NULL, NULL, *y]).collect()
    });
    check(&metric, "etr2", &[(&sparse[0], full(20)), (&sparse[1], stop(15))]);
    // Above the share from its first number on: "epoch 1" is the first that was measured.
    check(&metric, "etr2", &[(&[NULL, 0.9, 0.9], full(3)), (&[NULL, 0.5, 0.9], stop(2))]);
    check(&metric, "etr2", &[(&[NULL; 3], full(3)), (&[0.0; 3], full(3))]);
}

#[test]
fn etr1_never_fires_where_it_cannot() {
    let hopeless: (&[f64], End) = (&[0.0, 0.0, 0.0], full(3));
    for rule in ["etr1:tau=1,epsilon=-0.1", "etr1:tau=3,epsilon=0.9", "etr1:tau=9,epsilon=0.9"] {
        check(&accuracy(Some(0.1)), rule, &[hopeless]);
    }
    check(&accuracy(Some(0.1)), "etr1:tau=2,epsilon=0.9", &[(&[0.0, 0.0, 0.0], stop(2))]);
}

#[test]
fn etr1_of_a_loss_stops_above_chance_less_epsilon() {
    check(
        &loss(Some(2.3)),
        "etr1:tau=2,epsilon=0.05",
        &[
            (&[0.1, 2.251, 0.1], stop(2)),
            (&[9.9, 2.249, 9.9], full(3)),
            (&[9.9, 2.25, 9.9], full(3)),
            (&[9.9, 2.3, 9.9], stop(2)),
            (&[0.1, NAN, 0.1], stop(2)),
            (&[0.1, INF, 0.1], stop(2)),
        ],
    );
    // 0.9 - 0.05 = 0.85 of an error rate, 85 of 100 images.
    check(
        &loss(Some(0.9)),
        "etr1:tau=1,epsilon=0.05",
        &[(&[0.85, 0.1], full(2)), (&[0.86, 0.1], stop(1)), (&[f64::from(0.85_f32), 0.1], full(2))],
    );
}

/// The best of the worked examples: bar 0.60, tau = 3, 0.55 there.
const BEST: &[f64] = &[0.10, 0.30, 0.55, 0.62, 0.70, 0.80];

#[test]
fn etr2_by_ratio_and_by_difference() {
    let metric = accuracy(Some(0.1));
    let low: &[f64] = &[0.1, 0.2, 0.49, 0.5, 0.5, 0.5];
    let high: &[f64] = &[0.0, 0.0, 0.51, 0.0, 0.0, 0.0];
    // 0.9 x 0.55 is 0.49500000000000005: exactly 0.495 goes on.
    let equal: &[f64] = &[0.1, 0.2, 0.495, 0.5, 0.5, 0.5];
    let diverged: &[f64] = &[0.7, 0.7, NAN, 0.7, 0.7, 0.7];
    check(
        &metric,
        "etr2:p=0.9",
        &[(BEST, full(6)), (low, stop(3)), (high, full(6)), (equal, full(6)), (diverged, stop(3))],
    );
    let near: &[f64] = &[0.1, 0.2, 0.53, 0.5, 0.5, 0.5];
    check(
        &metric,
        "etr2:gap=absolute,delta=0.02",
        &[(BEST, full(6)), (low, stop(3)), (high, stop(3)), (near, full(6))],
    );
    // Before anything has completed nothing stops: rows that were cut do not count.
    check_of(6, &metric, "etr2", &[(&BEST[..5], (5, State::Failed)), (low, full(6))]);
}

#[test]
fn etr2_takes_the_last_epoch_below_its_share() {
    let metric = accuracy(Some(0.1));
    // A dip: tau = 4, where the best has 0.20.
    check(
        &metric,
        "etr2:p=0.9",
        &[
            (&[0.10, 0.50, 0.70, 0.20, 0.75, 0.80], full(6)),
            (&[0.70, 0.70, 0.70, 0.17, 0.70, 0.70], stop(4)),
            (&[0.00, 0.00, 0.00, 0.19, 0.00, 0.00], full(6)),
        ],
    );
    // 0.75 x 0.8 is 0.6000000000000001: exactly 0.60 counts, and within the slack of it too.
    for edge in [0.6, 0.6 + 0.9e-7] {
        check(
            &metric,
            "etr2:p=0.9",
            &[
                (&[0.10, 0.30, 0.55, edge, 0.70, 0.80], full(6)),
                (&[0.70, 0.70, 0.00, 0.53, 0.70, 0.70], stop(4)),
            ],
        );
    }
    // tau is the last epoch: the rule has nothing to look at.
    check(&metric, "etr2:q=1", &[(BEST, full(6)), (&[0.0; 6], full(6))]);
}

#[test]
fn etr2_without_an_epoch_below_its_share() {
    let metric = accuracy(Some(0.1));
    let best: (&[f64], End) = (&[0.95, 0.98, 0.99], full(3));
    let low: &[f64] = &[0.85, 0.9, 0.9];
    let high: &[f64] = &[0.86, 0.0, 0.0];
    check(&metric, "etr2:p=0.9,empty=first", &[best, (low, stop(1)), (high, full(3))]);
    check(&metric, "etr2:p=0.9,empty=off", &[best, (low, full(3)), (high, full(3))]);
}

#[test]
fn etr2_at_the_ends_of_p() {
    let metric = accuracy(Some(0.1));
    let nothing: &[f64] = &[0.0; 6];
    let better: &[f64] = &[1.0; 6];
    check(&metric, "etr2:p=0", &[(BEST, full(6)), (nothing, full(6))]);
    check(&metric, "etr2:p=1e9", &[(BEST, full(6)), (nothing, stop(3)), (better, stop(3))]);
    check(&metric, "etr2:p=1e9", &[(nothing, full(6)), (nothing, full(6)), (BEST, full(6))]);
}

#[test]
fn etr2_refers_to_the_last_epoch_or_to_the_best_one() {
    let metric = accuracy(Some(0.1));
    // By the last epoch 0.65: tau = 2 with 0.30. By the best, 0.80: tau = 3 with 0.55.
    let best: (&[f64], End) = (&[0.10, 0.30, 0.55, 0.62, 0.80, 0.65], full(6));
    let early: &[f64] = &[0.1, 0.26, 0.50, 0.5, 0.5, 0.5];
    let late: &[f64] = &[0.1, 0.28, 0.40, 0.5, 0.5, 0.5];
    check(&metric, "etr2:reference=final", &[best, (early, stop(2)), (late, full(6))]);
    check(&metric, "etr2:reference=max", &[best, (early, full(6)), (late, stop(3))]);
}

#[test]
fn etr2_takes_the_best_of_the_completed() {
    let metric = accuracy(Some(0.1));
    let other: &[f64] = &[0.10, 0.60, 0.61, 0.65, 0.70, 0.80];
    let above: &[f64] = &[0.10, 0.60, 0.61, 0.65, 0.70, 0.81];
    let probe: &[f64] = &[0.10, 0.50, 0.50, 0.50, 0.50, 0.50];
    // The older stays at a tie; a better one replaces it at once (tau = 2, bar 0.54).
    check(&metric, "etr2", &[(BEST, full(6)), (other, full(6)), (probe, full(6))]);
    check(&metric, "etr2", &[(BEST, full(6)), (above, full(6)), (probe, stop(2))]);
    // A stopped trial is never the best, however high it was.
    let burst: &[f64] = &[0.99, 0.99, 0.10, 0.99, 0.99, 0.99];
    check(&metric, "etr2", &[(BEST, full(6)), (burst, stop(3)), (probe, full(6))]);
    // Best by the value mode: 0.95 once, or 0.80 at the end.
    let peak: &[f64] = &[0.10, 0.95, 0.95, 0.95, 0.70, 0.70];
    let curves = [BEST, peak, &[0.08, 0.60, 0.60, 0.60, 0.60, 0.60]];
    let ends = |mode| ends_in(mode, &metric, 6, "etr2", &curves)[2];
    assert_eq!((ends(ValueMode::Best), ends(ValueMode::Final)), (stop(1), full(6)));
    // NaN within the best counts as chance: tau = 3 with 0.1; at its end tau = 1 with 0.05.
    check(
        &metric,
        "etr2",
        &[
            (&[0.10, 0.30, NAN, 0.62, 0.70, 0.80], full(6)),
            (&[0.70, 0.70, 0.08, 0.70, 0.70, 0.70], stop(3)),
            (&[0.00, 0.00, 0.10, 0.00, 0.00, 0.00], full(6)),
        ],
    );
    check(
        &metric,
        "etr2",
        &[(&[0.05, 0.30, 0.55, NAN], full(4)), (&[0.04, 0.5, 0.5, 0.5], stop(1))],
    );
}

#[test]
fn etr2_of_a_loss_works_on_what_was_gained_over_chance() {
    let metric = loss(Some(2.3));
    // Gains 0.1, 0.3, 0.55, 0.62, 0.7, 0.8: as the worked example.
    let best: (&[f64], End) = (&[2.2, 2.0, 1.75, 1.68, 1.6, 1.5], full(6));
    let low: &[f64] = &[1.6, 1.6, 1.81, 1.6, 1.6, 1.6];
    let high: &[f64] = &[9.0, 9.0, 1.79, 9.0, 9.0, 9.0];
    let diverged: &[f64] = &[1.6, 1.6, NAN, 1.6, 1.6, 1.6];
    check(&metric, "etr2:p=0.9", &[best, (low, stop(3)), (high, full(6)), (diverged, stop(3))]);
    check(&metric, "etr2:gap=absolute,delta=0.02", &[best, (low, stop(3)), (high, stop(3))]);
    // A best that gained nothing bounds nothing.
    for nothing in [2.3, 2.4] {
        for rule in ["etr2", "etr2:gap=absolute,delta=0", "etr2:p=1e9"] {
            check(&metric, rule, &[(&[2.5, 2.5, nothing], full(3)), (&[9.0, 9.0, 9.0], full(3))]);
        }
    }
}

#[test]
fn etr2_by_ratio_never_fires_where_the_best_had_gained_nothing() {
    // Gains 0.1, -0.7, 0.8: tau = 2, and 0.9 of -0.7 is *above* it. By difference there is a bar.
    let best: (&[f64], End) = (&[2.2, 3.0, 1.5], full(3));
    let (same, worse): (&[f64], &[f64]) = (&[2.2, 3.0, 1.6], &[2.2, 9.0, 1.6]);
    let metric = loss(Some(2.3));
    for rule in ["etr2", "etr2:p=0", "etr2:p=0.5", "etr2:p=1e9"] {
        check(&metric, rule, &[best, (same, full(3)), (worse, full(3))]);
    }
    check(&metric, "etr2:gap=absolute", &[best, (same, full(3)), (worse, stop(2))]);
    // A gain of exactly nothing, and a score below zero that is maximised.
    for at_tau in [0.0, -0.5] {
        let best: (&[f64], End) = (&[0.1, at_tau, 0.8], full(3));
        let low: &[f64] = &[0.1, -2.0, 0.8];
        check(&accuracy(Some(0.1)), "etr2", &[best, (low, full(3))]);
        check(&accuracy(Some(0.1)), "etr2:gap=absolute", &[best, (low, stop(2))]);
    }
}

#[test]
fn rules_look_no_oftener_than_they_must() {
    let pool = unit_cost_pool(&accuracy(Some(0.1)), 4, &[&[0.1; 4]]);
    let looks = |rule| stopper(&pool, rule).map(|rule| rule.looks());
    assert_eq!(looks("none"), None);
    assert_eq!(looks("etr1"), Some(Looks::only(Epoch(1))));
    assert_eq!(looks("etr1:tau=3"), Some(Looks::only(Epoch(3))));
    assert_eq!(looks("etr2"), Some(Looks::EveryEpoch));
}

#[test]
fn rules_refuse_a_table_without_a_chance_level() {
    for metric in [accuracy(None), loss(None)] {
        let pool = unit_cost_pool(&metric, 2, &[&[0.5, 0.5]]);
        for rule in ["etr1", "etr2"] {
            let refused = grid("random", &[rule], &["0.5"], 1, &Settings::default());
            let message = run_grid(&refused, &pool, 1).unwrap_err().to_string();
            assert!(message.starts_with("small: metric.chance = missing: "), "{message}");
            assert!(message.contains(&format!("`{rule}`")), "{message}");
        }
        let plain = grid("random", &["none"], &["0.5"], 1, &Settings::default());
        assert!(run_grid(&plain, &pool, 1).is_ok());
    }
}

#[test]
fn a_rule_never_makes_the_same_trials_dearer() {
    let mut stream = Stream::new(3, 0, "curves");
    let mut curve = || -> Curve {
        let top: f64 = stream.random_range(0.1..1.0);
        let values = (1..=8).map(|e| top * f64::from(e) / 8.0 + stream.random_range(0.0..0.05));
        let values = values.collect();
        (values, (0..8).map(|_| stream.random_range(0..1_000_000_000)).collect())
    };
    let curves: Vec<Curve> = (0..60).map(|_| curve()).collect();
    let pool = pool(&accuracy(Some(0.1)), 8, &curves);
    let charged = |rule| -> Vec<u64> {
        let rule = stopper(&pool, rule);
        let outcome = replay_with(&pool, &Settings::default(), &["2"], InOrder(0), fifo(), rule);
        outcome.segments.iter().map(|s| s.end.0).collect()
    };
    let without = charged("none");
    let rules = [
        "etr1",
        "etr1:tau=4,epsilon=0.3",
        "etr2",
        "etr2:gap=absolute",
        "etr2:p=1.5",
        "median",
        "median:variant=optuna",
        "median:variant=ray",
        "median:variant=nni",
        "median:variant=synetune",
        "median:variant=sagemaker",
        "percentile",
        "threshold:lower=0.2,warmup=3",
        "patient:patience=0",
        "patient:rule=(median),patience=0",
        "wilcoxon",
        "interval",
        "tercet",
        "wandb-hyperband:min_iter=2",
        "wandb-hyperband:min_iter=2,strict=no,check=report",
    ];
    for rule in rules {
        let with = charged(rule);
        assert_eq!(with.len(), without.len());
        assert!(with.iter().zip(&without).all(|(with, without)| with <= without), "{rule}");
        assert!(with.last() < without.last(), "{rule} never fired");
    }
}
