use base::rng::Stream;
use serde_json::Value;

use super::*;

const GOLDEN: &str = include_str!("../../../../tests/golden/rf-ei/forest.json");

/// Coordinates of every kind: fine, coarse, a flag, and a constant.
fn table(rows: usize, rng: &mut Stream) -> Arc<Ranks> {
    let mut column = |steps: f64| -> Vec<f64> {
        (0..rows).map(|_| (rng.random::<f64>() * steps).floor() / steps).collect()
    };
    Arc::new(Ranks::new(&[
        column(1e9),
        column(1e9),
        column(7.0),
        column(2.0),
        column(1.0),
        column(40.0),
    ]))
}

fn losses(rows: usize, rng: &mut Stream) -> Vec<f64> {
    // A third at chance, the others on a grid of counts: ties of targets are common.
    (0..rows)
        .map(
            |_| {
                if rng.random_bool(0.33) {
                    0.9
                } else {
                    (rng.random::<f64>() * 97.0).floor() / 97.0
                }
            },
        )
        .collect()
}

/// Asserts that a forest is what its samples grow from nothing, in every bit.
fn assert_as_from_scratch(forest: &Forest) {
    let columns = Arc::clone(&forest.columns);
    let mut fresh = Forest::grown(columns, forest.trees.len(), forest.growth, 1);
    fresh.rows.clone_from(&forest.rows);
    fresh.losses.clone_from(&forest.losses);
    fresh.scale_bits = i32::MIN;
    fresh.rescale();
    assert_eq!(fresh.targets, forest.targets);
    for (new, old) in fresh.trees.iter_mut().zip(&forest.trees) {
        new.tie_key = old.tie_key;
        new.sample = old.sample.clone();
    }
    fresh.refit();
    for (new, old) in fresh.trees.iter().zip(&forest.trees) {
        assert_eq!(new.written(), old.written(), "{} observations", forest.observations());
    }
    let moments = |f: &Forest| (0..f.rows()).map(|row| f.moments(row)).collect::<Vec<_>>();
    assert_eq!(moments(&fresh), moments(forest));
}

#[test]
fn mending_equals_growing_anew_after_every_observation() {
    for (case, trees) in [(0, 9), (1, 3), (2, 20)] {
        let mut rng = Stream::new(5, case, "test");
        let columns = table(500, &mut rng);
        let losses = losses(500, &mut rng);
        let (split_min, threads) = if case == 1 { (4, 1) } else { (2, 3) };
        let mut forest = Forest::shared(columns, trees, split_min, threads);
        let observation = |row: u32| Observation { row, target: losses[row as usize] };
        let first: Vec<_> = (0..2).map(observation).collect();
        forest.fit(&first, &mut rng);
        for row in 2..320 {
            forest.extend(observation(row), &mut rng);
            assert_as_from_scratch(&forest);
        }
    }
}

#[test]
fn the_moments_are_those_of_the_trees_walks() {
    let mut rng = Stream::new(6, 0, "test");
    let columns = table(300, &mut rng);
    let losses = losses(300, &mut rng);
    let mut forest = Forest::new(columns, 10, 2);
    let observation = |row: u32| Observation { row, target: losses[row as usize] };
    forest.fit(&[observation(3)], &mut rng);
    for row in 10..60 {
        forest.extend(observation(row), &mut rng);
    }
    let unit = libm::ldexp(1.0, -forest.scale_bits);
    for row in 0..300_u32 {
        let walks = forest.trees.iter().map(|tree| tree.walk(&forest.columns, row));
        #[expect(clippy::cast_precision_loss, reason = "below 2^45")]
        let values: Vec<f64> = walks.map(|value| value as f64 * unit).collect();
        let mean = values.iter().sum::<f64>() / 10.0;
        let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
        let found = forest.predict(row as usize);
        assert!((found.mean - mean).abs() < 1e-12);
        assert!((found.deviation - (squares / 9.0).sqrt()).abs() < 1e-12);
    }
}

#[test]
fn larger_losses_change_the_grid_and_revised_ones_the_trees() {
    let mut rng = Stream::new(7, 0, "test");
    let mut forest = Forest::new(table(50, &mut rng), 5, 2);
    forest.fit(
        &[Observation { row: 1, target: -0.5 }, Observation { row: 2, target: 0.0 }],
        &mut rng,
    );
    for (row, target) in [(3, 0.75), (4, -3e9), (5, 1e-12), (6, 1e300), (7, -1.0)] {
        forest.extend(Observation { row, target }, &mut rng);
        assert_as_from_scratch(&forest);
    }
    forest.revise(&[0.5, 0.25, 0.25, 0.5, 0.125, 0.5, 0.5]);
    assert_as_from_scratch(&forest);
    // A forest of one value predicts it, without a deviation, to the last bit.
    forest.revise(&[0.3; 7]);
    let found = forest.predict(40);
    assert!((found.mean - 0.3).abs() < 1e-13 && found.deviation == 0.0);
}

#[test]
fn several_observations_at_once_grow_the_samples_as_one_by_one_does() {
    let columns = table(60, &mut Stream::new(7, 1, "test"));
    let losses = losses(60, &mut Stream::new(7, 2, "test"));
    let observation = |row: u32| Observation { row, target: losses[row as usize] };
    let first: Vec<_> = (0..5).map(observation).collect();
    let [mut one_by_one, mut at_once] = [0, 1].map(|_| {
        let mut forest = Forest::grown(Arc::clone(&columns), 4, LOG_GROWTH, 1);
        forest.fit(&first, &mut Stream::new(7, 3, "test"));
        forest
    });
    let mut rng = Stream::new(7, 4, "test");
    (5..20).for_each(|row| one_by_one.extend(observation(row), &mut rng));
    let rows: Vec<u32> = (5..20).collect();
    at_once.extend_and_revise(&rows, &losses[..20], &mut Stream::new(7, 4, "test"));
    assert_as_from_scratch(&at_once);
    assert_as_from_scratch(&one_by_one);
    for (a, b) in one_by_one.trees.iter().zip(&at_once.trees) {
        assert_eq!(a.written(), b.written());
    }
    let halved: Vec<f64> = losses[..20].iter().map(|loss| loss / 2.0).collect();
    at_once.extend_and_revise(&[], &halved, &mut rng);
    assert_as_from_scratch(&at_once);
    assert_eq!(at_once.observations(), 20);
}

fn golden(case: &Value, name: &str) -> Vec<f64> {
    let numbers = case[name].as_array().expect("a list").iter();
    numbers.map(|x| x.as_f64().expect("a number")).collect()
}

/// The columns of a golden case, and its observations: its first rows.
fn golden_data(case: &Value) -> (Arc<Ranks>, Vec<Observation>) {
    let features: Vec<Vec<f64>> = case["features"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|column| {
            column.as_array().expect("a list").iter().map(|x| x.as_f64().expect("x")).collect()
        })
        .collect();
    let targets = golden(case, "targets");
    let observations = (0..).zip(targets).map(|(row, target)| Observation { row, target });
    (Arc::new(Ranks::new(&features)), observations.collect())
}

#[test]
fn a_tree_without_bootstrap_is_scikit_learns() {
    let all: Value = serde_json::from_str(GOLDEN).expect("the golden file is JSON");
    let cases = all["single_trees"].as_array().expect("a list");
    assert!(cases.len() >= 6);
    for case in cases {
        let (columns, observations) = golden_data(case);
        let split_min = usize::try_from(case["min_samples_split"].as_u64().expect("a count"));
        let mut rng = Stream::new(0, 0, "test");
        let mut forest = Forest::new(columns, 2, split_min.expect("small"));
        forest.fit(&observations, &mut rng);
        for tree in &mut forest.trees {
            tree.sample.draw_each_once(u32::try_from(observations.len()).expect("small"));
        }
        forest.refit();
        for (row, expected) in golden(case, "predictions").iter().enumerate() {
            let found = forest.predict(row);
            assert!((found.mean - expected).abs() < 1e-12, "row {row}: {found:?}, not {expected}");
            assert_eq!(found.deviation, 0.0);
        }
    }
}

const SMAC: &str = include_str!("../../../../tests/golden/smac/forest.json");

const LOG_GROWTH: Growth = Growth { split_min: 2, decrease_min: 1e-8, leaf: Leaf::LogMean };

#[test]
fn a_tree_with_logarithmic_leaves_is_smac3s() {
    let all: Value = serde_json::from_str(SMAC).expect("the golden file is JSON");
    for case in all["single_trees"].as_array().expect("a list") {
        let (columns, observations) = golden_data(case);
        let predict = |growth: Growth| -> Vec<f64> {
            let mut rng = Stream::new(0, 0, "test");
            let mut forest = Forest::grown(Arc::clone(&columns), 2, growth, 1);
            forest.fit(&observations, &mut rng);
            for tree in &mut forest.trees {
                tree.sample.draw_each_once(u32::try_from(observations.len()).expect("small"));
            }
            forest.refit();
            (0..columns.rows()).map(|row| forest.predict(row).mean).collect()
        };
        let expected = golden(case, "predictions");
        let far = |growth| {
            let found = predict(growth).into_iter().zip(&expected);
            found.filter(|(found, expected)| (found - *expected).abs() > 1e-12).count()
        };
        assert_eq!(far(LOG_GROWTH), 0);
        // The control: neither the leaves nor the least decrease could be left out.
        assert!(far(Growth { leaf: Leaf::Mean, ..LOG_GROWTH }) > 0);
        assert!(far(Growth { decrease_min: 0.0, ..LOG_GROWTH }) > 0);
    }
}

#[test]
fn forests_with_logarithmic_leaves_are_smac3s_within_the_error_of_two_thousand_trees() {
    let all: Value = serde_json::from_str(SMAC).expect("the golden file is JSON");
    for case in all["forests"].as_array().expect("a list") {
        let (columns, observations) = golden_data(case);
        let mut rng = Stream::new(9, 0, "test");
        let mut forest = Forest::grown(columns, 2_000, LOG_GROWTH, 1);
        forest.fit(&observations, &mut rng);
        let (mean, variance) = furthest(&forest, case, 2_000.0);
        println!("mean {mean:.2}, variance {variance:.2}");
        assert!(mean < 4.5 && variance < 4.5, "{mean} and {variance} standard errors");
    }
}

/// How many standard errors the moments of two forests of so many trees differ at most.
fn furthest(forest: &Forest, case: &Value, trees: f64) -> (f64, f64) {
    let (means, variances) = (golden(case, "means"), golden(case, "variances"));
    // The fourth moments give the error of a variance.
    let fourths = golden(case, "fourth_moments");
    let (mut mean_most, mut variance_most): (f64, f64) = (0.0, 0.0);
    for (row, mean) in means.iter().enumerate() {
        let found = forest.predict(row);
        let (variance, error) = (variances[row], (2.0 * variances[row] / trees).sqrt());
        let variance_error = (2.0 * (fourths[row] - variance * variance) / trees).sqrt();
        let difference = found.deviation * found.deviation - variance;
        mean_most = mean_most.max((found.mean - mean).abs() / error);
        variance_most = variance_most.max(difference.abs() / variance_error);
    }
    (mean_most, variance_most)
}

#[test]
fn mean_and_variance_are_scikit_learns_within_the_error_of_two_thousand_trees() {
    let all: Value = serde_json::from_str(GOLDEN).expect("the golden file is JSON");
    for case in all["forests"].as_array().expect("a list") {
        let (columns, observations) = golden_data(case);
        for is_nested in [false, true] {
            let mut rng = Stream::new(8, u64::from(is_nested), "test");
            let mut forest = Forest::new(Arc::clone(&columns), 2_000, 2);
            let first = if is_nested { 1 } else { observations.len() };
            forest.fit(&observations[..first], &mut rng);
            for observation in &observations[first..] {
                forest.extend(*observation, &mut rng);
            }
            let (mean_most, variance_most) = furthest(&forest, case, 2_000.0);
            // Of 400 correlated differences the largest is below 4.5 deviations.
            println!("nested {is_nested}: mean {mean_most:.2}, variance {variance_most:.2}");
            assert!(mean_most < 4.5, "mean: {mean_most} standard errors, nested {is_nested}");
            assert!(variance_most < 4.5, "variance: {variance_most}, nested {is_nested}");
        }
    }
}
