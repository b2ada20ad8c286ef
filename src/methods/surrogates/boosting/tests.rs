use rand::RngExt;
use serde_json::Value as Json;

use super::*;

const GOLDEN: &str = include_str!("../../../../tests/golden/samplers/cqr-boosting.json");

fn rng() -> Stream {
    Stream::new(1, 0, "test")
}

#[expect(clippy::cast_possible_truncation, reason = "as scikit-learn takes them")]
fn rows(json: &Json) -> Vec<Vec<f32>> {
    let row =
        |row: &Json| row.as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect();
    json.as_array().unwrap().iter().map(row).collect()
}

fn numbers(json: &Json) -> Vec<f64> {
    json.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn inputs(rows: &[Vec<f32>]) -> Inputs {
    Inputs::new((0..rows[0].len()).map(|at| rows.iter().map(|row| row[at]).collect()).collect())
}

#[test]
fn predictions_are_scikit_learns() {
    let cases: Vec<Json> = serde_json::from_str(GOLDEN).unwrap();
    let mut all = 0;
    for case in &cases {
        let (inputs, targets) = (inputs(&rows(&case["inputs"])), numbers(&case["targets"]));
        let stages = usize::try_from(case["stages"].as_u64().unwrap()).unwrap();
        let alpha = case["alpha"].as_f64().unwrap();
        let far = |alpha: f64, stages: usize| {
            let model = Boosted::fit(&inputs, &targets, alpha, stages, &mut rng());
            let probes = rows(&case["probes"]);
            let found = probes.iter().map(|probe| model.predict(probe));
            let both = found.zip(numbers(&case["predictions"]));
            both.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
        };
        assert!(far(alpha, stages) < 1e-12, "{alpha} {stages}: {}", far(alpha, stages));
        assert!(far(alpha + 0.02, stages) > 1e-6, "another quantile goes unnoticed");
        assert!(far(alpha, stages + 1) > 1e-6, "another stage goes unnoticed");
        all += stages;
    }
    assert!(cases.len() == 15 && all > 100, "{all} stages of {} cases", cases.len());
}

#[test]
fn equal_inputs_and_equal_targets_make_one_leaf() {
    let same = Inputs::new(vec![vec![1.0; 4], vec![2.0, 2.0, 2.0, 2.0 + 1e-7]]);
    let targets = [1.0, 2.0, 3.0, 4.0];
    let model = Boosted::fit(&same, &targets, 0.5, 3, &mut rng());
    // From 2.5: the second of four residuals is -0.5, of which a tenth is added; then it is -0.45.
    let expected = 2.5 - 0.05 - 0.045 - 0.0405;
    for probe in [[0.0, 0.0], [9.0, 9.0]] {
        assert!((model.predict(&probe) - expected).abs() < 1e-12);
    }
    let differing = Inputs::new(vec![vec![1.0, 2.0, 3.0]]);
    let model = Boosted::fit(&differing, &[0.5; 3], 0.83, 10, &mut rng());
    assert_eq!(model.predict(&[2.0]), 0.5);
    let one = Inputs::new(vec![vec![1.0]]);
    assert_eq!(Boosted::fit(&one, &[0.25], 0.17, 10, &mut rng()).predict(&[7.0]), 0.25);
}

#[test]
fn features_that_divide_equally_well_are_drawn_alike() {
    // Three times the same feature: each is the root's in a third of all trees.
    let feature = vec![1.0, 2.0, 3.0, 4.0];
    let inputs = Inputs::new(vec![feature.clone(), feature.clone(), feature]);
    let mut rng = rng();
    let mut counts = [0_u32; 3];
    for _ in 0..1_200 {
        let model = Boosted::fit(&inputs, &[0.0, 0.0, 1.0, 1.0], 0.5, 1, &mut rng);
        // Beyond the middle in one feature alone the prediction is the right leaf's.
        let low = model.predict(&[0.0; 3]);
        for (at, count) in counts.iter_mut().enumerate() {
            let mut probe = [0.0_f32; 3];
            probe[at] = 9.0;
            *count += u32::from(model.predict(&probe) > low);
        }
    }
    assert!(counts.iter().all(|count| (340..460).contains(count)), "{counts:?}");
}

#[test]
fn it_follows_the_quantiles_of_noise_that_grows() {
    // The target is x times a uniform number: its alpha-quantile is alpha x.
    let mut rng = rng();
    let x: Vec<f32> = (0..600).map(|_| rng.random()).collect();
    let targets: Vec<f64> = x.iter().map(|x| f64::from(*x) * rng.random::<f64>()).collect();
    let inputs = Inputs::new(vec![x]);
    for alpha in [0.17, 0.5, 0.83] {
        let model = Boosted::fit(&inputs, &targets, alpha, 100, &mut rng);
        for at in [0.3_f32, 0.6, 0.9] {
            let around = (-5_i16..=5).map(|step| model.predict(&[at + f32::from(step) * 0.01]));
            let mean = around.sum::<f64>() / 11.0;
            let expected = alpha * f64::from(at);
            assert!((mean - expected).abs() < 0.12, "{alpha} {at}: {mean}, not {expected}");
        }
    }
}
