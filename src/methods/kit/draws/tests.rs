use base::rng::Stream;
use serde_json::Value;

use super::*;

const GOLDEN: &str = include_str!("../../../../tests/golden/kit/draws.json");

/// Kolmogorov's 0.999 quantile: what sqrt(n) times the distance stays below at alpha = 0.001.
const KOLMOGOROV: f64 = 1.949_47;

const DRAWS: usize = 20_000;

fn stream(label: &str) -> Stream {
    Stream::new(11, 0, label)
}

/// Asserts that the draws have the distribution function, which is continuous.
#[track_caller]
fn assert_distributed(mut draws: Vec<f64>, below: impl Fn(f64) -> f64) {
    draws.sort_by(f64::total_cmp);
    let count = f64::from(u32::try_from(draws.len()).unwrap());
    let mut distance: f64 = 0.0;
    for (at, x) in (0_u32..).zip(&draws) {
        let (expected, at) = (below(*x), f64::from(at));
        distance = distance.max((expected - at / count).abs());
        distance = distance.max((expected - (at + 1.0) / count).abs());
    }
    let statistic = distance * count.sqrt();
    assert!(statistic < KOLMOGOROV, "{statistic}");
}

fn normal_below(x: f64) -> f64 {
    survival(-x)
}

#[test]
fn quantiles_are_scipys() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    for case in golden["normal_quantile"].as_array().unwrap() {
        let [p, z] = ["probability", "z"].map(|name| case[name].as_f64().unwrap());
        let found = normal_quantile(p);
        assert!((found - z).abs() <= 4e-15 * z.abs().max(1.0), "{p}: {found}, not {z}");
    }
    // The largest probability below 1 and what scipy says of it: JSON would be read a bit off.
    let last = normal_quantile(1.0 - f64::EPSILON / 2.0);
    assert!((last - 8.209_536_151_601_387).abs() < 4e-14, "{last}");
}

#[test]
fn normals_are_normal_and_each_takes_one_word() {
    let mut rng = stream("normal");
    let draws: Vec<f64> = (0..DRAWS).map(|_| normal(&mut rng)).collect();
    assert_distributed(draws, normal_below);
    let mut skipped = stream("normal");
    (0..DRAWS).for_each(|_| _ = skipped.random::<u64>());
    assert_eq!(normal(&mut rng).to_bits(), normal(&mut skipped).to_bits());
}

#[test]
fn the_test_of_distributions_tells_a_little_from_nothing() {
    let mut rng = stream("normal");
    let draws: Vec<f64> = (0..DRAWS).map(|_| normal(&mut rng) * 1.05).collect();
    let caught = std::panic::catch_unwind(|| assert_distributed(draws, normal_below));
    assert!(caught.is_err(), "5 % more deviation passes for a standard normal");
}

#[test]
fn truncated_normals_are_normal_within() {
    let inf = f64::INFINITY;
    for (low, high) in [(-1.0, 0.5), (0.3, 0.4), (2.0, inf), (-inf, -5.0), (6.0, 9.0), (-inf, inf)]
    {
        let mut rng = stream("truncated");
        let draws: Vec<f64> = (0..DRAWS).map(|_| truncated_normal(&mut rng, low, high)).collect();
        assert!(draws.iter().all(|x| (low..=high).contains(x) && x.is_finite()), "{low} {high}");
        // Above 0 by the upper tail, where it is exact.
        if low > 0.0 {
            let above = |x: f64| survival(x) - survival(high);
            assert_distributed(draws, |x| 1.0 - above(x) / above(low));
        } else {
            let below = |x: f64| survival(-x) - survival(-low);
            assert_distributed(draws, |x| below(x) / below(high));
        }
    }
}

#[test]
fn tails_beyond_every_probability_are_exponential() {
    for (low, high) in [(50.0, f64::INFINITY), (f64::NEG_INFINITY, -50.0), (50.0, 50.02)] {
        let mut rng = stream("tail");
        let draws: Vec<f64> = (0..DRAWS).map(|_| truncated_normal(&mut rng, low, high)).collect();
        assert!(draws.iter().all(|x| (low..=high).contains(x)));
        if high - low > 1.0 {
            // The first correction to the exponential is 1 / 50^2, below what the test can see.
            assert_distributed(draws, |x| {
                if low > 0.0 {
                    1.0 - libm::exp(50.0 * (50.0 - x))
                } else {
                    libm::exp(50.0 * (x + 50.0))
                }
            });
        }
    }
    let mut rng = stream("tail");
    assert_eq!(truncated_normal(&mut rng, 0.25, 0.25), 0.25);
    assert_eq!(truncated_normal(&mut rng, -60.0, -60.0), -60.0);
}

/// Asserts that counts are multinomial with these probabilities, by their chi-squared statistic:
/// at alpha = 0.001, by Wilson and Hilferty's approximation.
#[track_caller]
fn assert_frequencies(counts: &[u32], probabilities: &[f64]) {
    let total = f64::from(counts.iter().sum::<u32>());
    let mut statistic = 0.0;
    let mut freedom = -1.0;
    for (count, probability) in counts.iter().zip(probabilities) {
        if *probability == 0.0 {
            assert_eq!(*count, 0);
            continue;
        }
        let expected = probability * total;
        statistic += (f64::from(*count) - expected) * (f64::from(*count) - expected) / expected;
        freedom += 1.0;
    }
    let ninth = 2.0 / (9.0 * freedom);
    let root = 1.0 - ninth + 3.0902 * f64::sqrt(ninth);
    assert!(statistic < freedom * root * root * root, "{counts:?}: {statistic}");
}

#[test]
fn weighted_draws_follow_their_weights() {
    let weights = [0.0, 3.0, 1.0, 0.0, 0.5, 5.5, 0.0];
    let mut rng = stream("weighted");
    let mut counts = [0; 7];
    (0..DRAWS).for_each(|_| counts[weighted(&mut rng, &weights).unwrap()] += 1);
    assert_frequencies(&counts, &weights.map(|weight| weight / 10.0));
    assert_eq!(weighted(&mut rng, &[0.0, 0.0]), None);
    assert_eq!(weighted(&mut rng, &[]), None);
    assert_eq!(weighted(&mut rng, &[0.0, 1e-300, 0.0]), Some(1));
}

#[test]
#[should_panic(expected = "no weights")]
fn a_weight_is_a_number() {
    weighted(&mut stream("weighted"), &[1.0, f64::NAN]);
}

#[test]
fn permutations_and_subsets_are_uniform() {
    let mut rng = stream("permutation");
    let mut counts = [0; 24];
    for _ in 0..DRAWS {
        let order = permutation(&mut rng, 4);
        let rank = order.iter().enumerate().fold(0, |rank, (at, value)| {
            rank * (4 - at) + order[at + 1..].iter().filter(|later| *later < value).count()
        });
        counts[rank] += 1;
    }
    assert_frequencies(&counts, &[1.0 / 24.0; 24]);
    let mut pairs = [0; 20];
    for _ in 0..DRAWS {
        let [first, second] = subset(&mut rng, 2, 5)[..] else { panic!("two of five") };
        pairs[first * 4 + second - usize::from(second > first)] += 1;
    }
    assert_frequencies(&pairs, &[1.0 / 20.0; 20]);
    let mut indices = [0; 7];
    (0..DRAWS).for_each(|_| indices[index(&mut rng, 7)] += 1);
    assert_frequencies(&indices, &[1.0 / 7.0; 7]);
    assert!(subset(&mut rng, 0, 0).is_empty() && permutation(&mut rng, 0).is_empty());
}

/// A draw is part of what a seed means: it stays what it is.
#[test]
fn draws_stay_what_they_are() {
    let mut rng = stream("fixed");
    let found = [
        uniform_open(&mut rng).to_bits(),
        normal(&mut rng).to_bits(),
        truncated_normal(&mut rng, 1.0, 2.0).to_bits(),
        weighted(&mut rng, &[1.0, 2.0, 3.0, 4.0]).unwrap() as u64,
        index(&mut rng, 1_000_000) as u64,
        subset(&mut rng, 3, 100).iter().fold(0, |code, at| code * 100 + *at as u64),
    ];
    let expected =
        [0x3fd2_6315_9fe6_54fa, 0x3ff9_f405_8430_0a01, 0x3ff7_0ad6_5d69_3d67, 1, 62_105, 481_607];
    assert_eq!(found, expected);
}
