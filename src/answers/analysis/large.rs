//! The bootstrap of large groups, of more than [`RUNS_MAX`] runs, without a resample drawn whole:
//! drawing 2,000 of a million runs takes twenty seconds and says no more.
//!
//! - Medians: the percentile bootstrap's own law, exactly (`order_bootstrap`): what small groups
//!   tend to as resamples grow without end.
//! - Speed-ups: as many resamples as small groups have, of the two medians together; only values
//!   more than five standard deviations from a median are moved (`joint_quantiles`).
//! - Expected running times and restricted means: from the moments of the sample, with an error of
//!   their tail probabilities of the order of 1 / runs (`large_mean`); drawn after all where too
//!   few runs reached the goal for that.
//! - P(sooner): the counts of wins, ties and unknown pairs of a resample are multinomial, and drawn
//!   as such: exactly the law of small groups.
//! - Interquartile means: from the moments of their influence, `(w - mean w) / (1 - 2 / 4)` with
//!   `w` the time drawn in to the quartiles, with an error of the order of 1 / sqrt(runs) of their
//!   width (Stigler, "The asymptotic distribution of the trimmed mean", 1973). None where the upper
//!   quartile is infinite.

use base::rng::Stream;
use base::stats::bootstrap::{Plan, percentiles};
use base::stats::joint_quantiles::JointQuantiles;
use base::stats::{Interval, binomial, large_mean, order_bootstrap};

use super::bounded::Bounded;
use super::groups::Group;
use super::pairs::Scores;
use super::resample::{Bootstrap, Drawn, Sample, draw_whole};

/// The largest group whose resamples are drawn whole.
pub(super) const RUNS_MAX: usize = 2_000;

/// What the bootstrap says of one group.
pub(super) fn bootstrap(sample: &Sample<'_>, plan: Plan, seed: u64) -> Bootstrap {
    let times = &sample.group.times;
    let of = |values: &[f64]| {
        order_bootstrap::quantile_interval(values, 0.5, plan.confidence).expect("there are runs")
    };
    let (low, high) =
        rayon::join(|| of(times.low()), || (!times.is_exact()).then(|| of(times.high())));
    let median_s = Interval { low: low.low, high: high.unwrap_or(low).high };
    // Expected and restricted times, and what has to be drawn where moments do not say them.
    let charged = sample.charged();
    let all = || vec![1.0; charged.len()];
    let numbers = |reached: &Vec<u8>| reached.iter().map(|r| f64::from(*r)).collect();
    let reached: Vec<f64> = sample.reached.as_ref().map_or_else(all, numbers);
    let expected_s = large_mean::ratio_interval(charged, &reached, plan.confidence);
    let restricted_s = match (&sample.restricted_s, sample.has_horizon) {
        (_, false) => None,
        (Some(times), _) => Some(large_mean::mean_interval(times, plan.confidence)),
        // Every run reached the goal: the mean is the expected time.
        (None, _) => Some(expected_s),
    };
    let is_open = expected_s.is_none() || restricted_s.is_some_and(|i| i.is_none());
    let drawn = is_open.then(|| draw_whole(sample, plan, seed));
    let drawn = drawn.as_ref();
    Bootstrap {
        medians_s: Vec::new(),
        median_s: Some(median_s),
        expected_s: expected_s.or_else(|| drawn.and_then(|d| d.expected_s)),
        restricted_s: restricted_s.and_then(|i| i.or_else(|| drawn.and_then(|d| d.restricted_s))),
        improvement: sample.scores.map(|scores| improvement(scores, plan, seed)),
        interquartile_mean_s: sample
            .interquartile_mean_s
            .and_then(|mean| interquartile_mean(times, mean, plan.confidence)),
    }
}

/// The share of pairs in which the method is sooner, from counts of how pairs came out.
#[expect(clippy::cast_precision_loss, reason = "counts of runs are below 2^53")]
fn improvement(scores: &Scores, plan: Plan, seed: u64) -> Interval {
    let n = scores.low.len();
    let high = scores.high.as_ref().unwrap_or(&scores.low);
    let count = |wanted: (u8, u8)| {
        scores.low.iter().zip(high).filter(|(l, h)| (**l, **h) == wanted).count()
    };
    let (wins, ties, unknown) = (count((2, 2)), count((1, 1)), count((0, 2)));
    let mut rng = Stream::new(seed, 0, "analysis bootstrap");
    let share =
        |part: usize, whole: usize| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    let drawn = (0..plan.resamples).map(|_| {
        let won = binomial::draw(&mut rng, n, share(wins, n));
        let tied = binomial::draw(&mut rng, n - won, share(ties, n - wins));
        let left = n - won - tied;
        let open = binomial::draw(&mut rng, left, share(unknown, n - wins - ties));
        let points = won as f64 + tied as f64 / 2.0;
        Interval { low: points / n as f64, high: (points + open as f64) / n as f64 }
    });
    percentiles(drawn, plan.confidence)
}

/// `None` where a quartile is infinite: too many runs never reach the goal for its moments.
fn interquartile_mean(times: &Bounded, mean: f64, confidence: f64) -> Option<Interval> {
    let [low, high] = times.quantiles([0.25, 0.75]).map(|quartile| quartile.high);
    if high.is_infinite() {
        return None;
    }
    let drawn_in: Vec<f64> = times.high().iter().map(|time| time.clamp(low, high)).collect();
    let interval = large_mean::mean_interval(&drawn_in, confidence)?;
    #[expect(clippy::cast_precision_loss, reason = "counts of runs are below 2^53")]
    let middle = drawn_in.iter().sum::<f64>() / drawn_in.len() as f64;
    let end = |end: f64| mean + (end - middle) * 2.0;
    Some(Interval { low: end(interval.low), high: end(interval.high) })
}

/// The medians of a baseline and of a method in as many resamples, pairs drawn together where the
/// runs pair.
pub(super) fn medians(
    (baseline, base_drawn): Drawn<'_>,
    (group, drawn): Drawn<'_>,
    paired: bool,
    plan: Plan,
    seed: u64,
) -> (Vec<Interval>, Vec<Interval>) {
    let paired_label = "analysis bootstrap";
    if paired {
        let mut both = drawn_medians(&[&baseline.times, &group.times], plan, seed, paired_label);
        let method = both.pop().expect("two samples");
        return (both.pop().expect("two samples"), method);
    }
    let of = |group: &Group, drawn: &Bootstrap, label: &str| {
        if group.len() > RUNS_MAX {
            drawn_medians(&[&group.times], plan, seed, label).remove(0)
        } else {
            drawn.medians_s.clone()
        }
    };
    rayon::join(
        || of(baseline, base_drawn, paired_label),
        || of(group, drawn, "analysis bootstrap unpaired"),
    )
}

/// The medians of some groups in resamples that they share.
fn drawn_medians(times: &[&Bounded], plan: Plan, seed: u64, label: &str) -> Vec<Vec<Interval>> {
    let mut samples: Vec<&[f64]> = Vec::new();
    // Where the low and the high bounds of each stand among the samples.
    let places: Vec<(usize, usize)> = times
        .iter()
        .map(|times| {
            samples.push(times.low());
            let low = samples.len() - 1;
            if !times.is_exact() {
                samples.push(times.high());
            }
            (low, samples.len() - 1)
        })
        .collect();
    let joint = JointQuantiles::new(&samples, 0.5);
    let drawn = joint.draw(&mut Stream::new(seed, 0, label), plan.resamples);
    let bounds = |(low, high): (usize, usize)| {
        let both = drawn[low].iter().zip(&drawn[high]);
        both.map(|(low, high)| Interval { low: *low, high: *high }).collect()
    };
    places.into_iter().map(bounds).collect()
}

#[cfg(test)]
mod tests {
    use base::stats::Interval;
    use replay::EndReason;
    use store::runs::RunRow;

    use super::super::horizon::horizon;
    use super::super::pairs::Paired;
    use super::super::{Runs, groups};
    use super::*;

    /// `n` runs of exponential times with some that are cut or never reach the goal.
    fn rows(stopper: &str, n: u32, scale: f64, ends: [u32; 2]) -> Vec<RunRow> {
        (0..n)
            .map(|repeat| {
                let place = u64::from(repeat) * 2_654_435_761 % u64::from(n);
                let share = (f64::from(u32::try_from(place).unwrap()) + 0.5) / f64::from(n);
                let share = (share + f64::from(repeat % 7) / 29.0).fract();
                let time = -scale * libm::log1p(-share);
                let end = match repeat % 100 {
                    r if r < ends[0] => EndReason::Budget,
                    r if r < ends[0] + ends[1] => EndReason::Exhausted,
                    _ => EndReason::Goal,
                };
                let reached = end == EndReason::Goal;
                RunRow {
                    table: "t".into(),
                    sampler: "random".into(),
                    scheduler: "fifo".into(),
                    stopper: stopper.into(),
                    report: "best".into(),
                    value: "best".into(),
                    workers: 1,
                    goal: "rank:9".into(),
                    goal_rows: 9,
                    repeat,
                    reached,
                    time_to_goal_s: reached.then_some(time),
                    time_to_goal_epoch_s: reached.then_some(time),
                    trials_to_goal: reached.then_some(1),
                    epochs_to_goal: reached.then_some(1),
                    end_s: if reached { time } else { 1.5 * scale },
                    trials: 1,
                    epochs: 1,
                    end_reason: end.word().into(),
                    ..RunRow::default()
                }
            })
            .collect()
    }

    #[track_caller]
    fn assert_near(found: Option<Interval>, drawn: Option<Interval>) {
        let (Some(found), Some(drawn)) = (found, drawn) else {
            assert_eq!(found, drawn);
            return;
        };
        let width = drawn.high - drawn.low;
        for (found, drawn) in [(found.low, drawn.low), (found.high, drawn.high)] {
            // An end of 1,000 resamples has itself an error of some 4 % of the width.
            assert!(found == drawn || (found - drawn).abs() < 0.15 * width, "{found} {drawn}");
        }
    }

    #[test]
    fn what_is_not_drawn_is_what_drawing_finds() {
        let plan = Plan { resamples: 1_000, confidence: 0.95 };
        let n = 2_100;
        for ends in [[0, 0], [20, 0], [10, 10]] {
            let all = [rows("none", n, 100.0, ends), rows("etr1", n, 60.0, [ends[1], ends[0]])];
            let runs = Runs::from_rows(&all.concat()).unwrap();
            let goal = groups::of_goal(&runs, 0);
            let [base, method] = &goal.groups[..] else { panic!("two methods") };
            let scores = Paired::new(base, method).unwrap().scores();
            let horizon = horizon(&[base, method]).ok();
            for (group, scores) in [(base, None), (method, Some(&scores))] {
                let sample = Sample::new(group, scores, horizon);
                let (found, drawn) = (bootstrap(&sample, plan, 1), draw_whole(&sample, plan, 2));
                assert_near(found.median_s, drawn.median_s);
                assert_near(found.expected_s, drawn.expected_s);
                assert_near(found.restricted_s, drawn.restricted_s);
                assert_near(found.improvement, drawn.improvement);
                if found.interquartile_mean_s.is_some() {
                    assert_near(found.interquartile_mean_s, drawn.interquartile_mean_s);
                }
            }
            // Medians in resamples of pairs, as drawing pairs whole gives them.
            let none = Bootstrap::default();
            let medians = medians((base, &none), (method, &none), true, plan, 3);
            let ends =
                |drawn: &[Interval]| Some(percentiles(drawn.iter().copied(), plan.confidence));
            for (group, medians) in [(base, &medians.0), (method, &medians.1)] {
                let drawn = draw_whole(&Sample::new(group, None, horizon), plan, 4);
                assert_near(ends(medians), drawn.median_s);
            }
        }
    }

    #[test]
    fn too_few_that_reached_the_goal_are_drawn_after_all() {
        // 21 of 2,100 reach it: moments say nothing of a ratio with so few below.
        let runs = Runs::from_rows(&rows("none", 2_100, 10.0, [0, 99])).unwrap();
        let goal = groups::of_goal(&runs, 0);
        let sample = Sample::new(&goal.groups[0], None, None);
        let plan = Plan { resamples: 100, confidence: 0.95 };
        let charged = sample.charged();
        let reached: Vec<f64> =
            sample.reached.as_ref().unwrap().iter().map(|r| f64::from(*r)).collect();
        assert_eq!(large_mean::ratio_interval(charged, &reached, 0.95), None);
        let (found, drawn) = (bootstrap(&sample, plan, 1), draw_whole(&sample, plan, 1));
        assert!(found.expected_s.is_some() && found.expected_s == drawn.expected_s);
        assert_eq!(found.interquartile_mean_s, None);
    }
}
