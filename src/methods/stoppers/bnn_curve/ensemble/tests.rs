//! The parts against `pybnn` (`tests/golden/learned/make_bnn_curve.py`) and finite differences, and
//! what they make of recorded curves.

use base::rng::Stream;
use base::stats::normal::survival;
use serde_json::Value;

use super::*;

fn golden() -> Value {
    let golden = include_str!("../../../../../tests/golden/learned/bnn_curve.json");
    serde_json::from_str(golden).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

/// A fixed sequence without a generator, as `make_bnn_curve.py` has it.
fn number(at: usize) -> f64 {
    let at = f64::from(u32::try_from(at).unwrap());
    libm::sin(1.0 + 0.7 * at + 0.013 * at * at)
}

#[test]
fn the_layer_of_curves_is_that_of_pybnn() {
    for (case, wanted) in golden()["layer"].as_array().unwrap().iter().enumerate() {
        let raw: Vec<f64> = (0..RAW).map(|at| 2.0 * number(40 * case + at)).collect();
        let mut slopes = [0.0; RAW];
        let (shape, time) = (Shape::new(&raw), wanted["time"].as_f64().unwrap());
        let value = shape.at(time, &mut slopes);
        // Its offset of 1e-5 stays in the value at the end.
        let off = (value - wanted["value"].as_f64().unwrap()).abs();
        assert!(off < 1e-5, "{off} at {time}");
        for (found, wanted) in slopes.iter().zip(numbers(&wanted["slopes"])) {
            assert!((found - wanted).abs() < 1e-5, "{found}, not {wanted}, at {time}");
        }
        let terms = shape.row(time).into_iter().zip(shape.coefficients()).map(|(x, c)| x * c);
        assert!((terms.sum::<f64>() - value).abs() < 1e-14, "linear in its coefficients");
    }
    // At the end nothing is left but the value there.
    let raw: Vec<f64> = (0..RAW).map(|at| 3.0 * number(at)).collect();
    let end = 1.0 / (1.0 + libm::exp(-raw[RAW - 1]));
    assert!((Shape::new(&raw).at(1.0, &mut [0.0; RAW]) - end).abs() < 1e-15);
}

#[test]
fn the_gradient_is_the_limit_of_differences() {
    let points = |end: f64| {
        (1..=10_u32).map(move |at| {
            let time = f64::from(at) / 10.0;
            (time, end * time.sqrt())
        })
    };
    let curves = [
        Curve { inputs: vec![-1.0, 0.5], points: points(0.8).collect() },
        Curve { inputs: vec![1.0, 0.5], points: points(0.4).take(6).collect() },
    ];
    let batch = [(&curves[0], vec![0, 3, 9]), (&curves[1], vec![5, 1])];
    let layer = |inputs, outputs, activation| Dense { inputs, outputs, activation };
    let layers = [layer(2, 8, Activation::Tanh), layer(8, RAW, Activation::Identity)];
    let network = Network::new(&layers, &mut Stream::new(1, 0, "bnn-curve"));
    let (log_variance, share) = (-4.0, 3.0);
    let gradient = gradient(&network, log_variance, &batch, share);
    let negative = |parameters: &[f64]| -> f64 {
        let (log_variance, weights) = parameters.split_last().unwrap();
        let network = Network::with_parameters(&layers, weights.to_vec());
        let mut sum: f64 = weights.iter().map(|w| 0.5 * w * w).sum();
        for (curve, places) in &batch {
            let shape = shape(&network, &curve.inputs);
            for (time, score) in places.iter().map(|at| curve.points[*at]) {
                let error = shape.at(time, &mut [0.0; RAW]) - score;
                sum += share * 0.5 * (error * error * libm::exp(-log_variance) + log_variance);
            }
        }
        sum
    };
    let mut parameters = network.parameters().to_vec();
    parameters.push(log_variance);
    for at in 0..parameters.len() {
        let moved = |step: f64| {
            let mut moved = parameters.clone();
            moved[at] += step;
            negative(&moved)
        };
        let difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
        let off = (gradient[at] - difference).abs() / difference.abs().max(1.0);
        assert!(off < 1e-6, "{at}: {} and {difference}", gradient[at]);
    }
}

/// Recorded curves: the correct of 397 images, scaled, and where their configurations lie.
struct Recorded {
    coordinates: Vec<Vec<f64>>,
    scores: Vec<Vec<f64>>,
}

impl Recorded {
    fn new() -> Self {
        let recorded = include_str!("../../../../../tests/golden/curves/curves.json");
        let recorded: Value = serde_json::from_str(recorded).unwrap();
        let curves = recorded["curves"].as_array().unwrap();
        let score = |correct: f64| 0.1 + 0.8 * correct / 397.0;
        let scores = curves.iter().map(|c| numbers(&c["correct"]).into_iter().map(score).collect());
        let coordinates = golden()["coordinates"].as_array().unwrap().iter().map(numbers).collect();
        Self { coordinates, scores: scores.collect() }
    }

    fn beginning(&self, at: usize, length: usize) -> Curve {
        let inputs = self.coordinates[at].iter().map(|u| (u - 0.5) * 12.0_f64.sqrt()).collect();
        let points = (1..=30_u32).zip(&self.scores[at]).take(length);
        let points = points.map(|(epoch, score)| (f64::from(epoch) / 30.0, *score));
        Curve { inputs, points: points.collect() }
    }

    /// The share of the variance of last scores that is explained, and how many lie in the middle
    /// 50 and 90 per cent of what was predicted.
    fn judged(&self, ensemble: &Ensemble, of: &[usize], length: usize) -> (f64, [usize; 2]) {
        let count = f64::from(u32::try_from(of.len()).unwrap());
        let average = of.iter().map(|at| self.scores[*at][29]).sum::<f64>() / count;
        let (mut left, mut all, mut inside) = (0.0, 0.0, [0; 2]);
        for at in of {
            let last = self.scores[*at][29];
            let predicted = ensemble.predict(&self.beginning(*at, length), 1.0).unwrap();
            let networks = f64::from(u32::try_from(predicted.len()).unwrap());
            let mean = predicted.iter().map(|(mean, _)| mean).sum::<f64>() / networks;
            let above = predicted.iter().map(|(mean, var)| survival((last - mean) / var.sqrt()));
            let above = above.sum::<f64>() / networks;
            left += (mean - last) * (mean - last);
            all += (last - average) * (last - average);
            inside[0] += usize::from((above - 0.5).abs() < 0.25);
            inside[1] += usize::from((above - 0.5).abs() < 0.45);
        }
        (1.0 - left / all, inside)
    }
}

#[test]
fn last_scores_are_explained_as_well_as_by_lcnet() {
    let (recorded, golden) = (Recorded::new(), golden());
    let learned: Vec<Curve> =
        (0..100).filter(|at| at % 5 < 3).map(|at| recorded.beginning(at, 30)).collect();
    let new: Vec<usize> = (0..100).filter(|at| at % 5 >= 3).collect();
    let of_lcnet: Vec<usize> = (0..100).filter(|at| at % 5 == 3).collect();
    for seed in 1..=3 {
        let mut rng = Stream::new(seed, 0, "bnn-curve/ensemble");
        let ensemble = Ensemble::fit(&learned, 10, 1000, &mut rng).unwrap();
        for (length, least) in [(6, 0.84), (9, 0.88), (15, 0.95)] {
            let (explained, [half, most]) = recorded.judged(&ensemble, &new, length);
            assert!(explained > least, "{seed}: {explained} at {length}");
            // Of 40: the middle halves are somewhat wide.
            assert!((20..=33).contains(&half), "{seed}: {half} of 40 at {length}");
            assert!((34..=39).contains(&most), "{seed}: {most} of 40 at {length}");
        }
        for case in golden["learned"].as_array().unwrap() {
            let length = usize::try_from(case["length"].as_u64().unwrap()).unwrap();
            let theirs = case["explained"].as_f64().unwrap();
            let (ours, _) = recorded.judged(&ensemble, &of_lcnet, length);
            assert!(ours > theirs - 0.03, "{seed}: {ours}, not {theirs}, at {length}");
        }
        // The configuration alone says little: what explains is the own beginning.
        let (alone, _) = recorded.judged(&ensemble, &new, 0);
        assert!(alone < 0.5, "{seed}: {alone} without a beginning");
    }
}

#[test]
fn an_ensemble_depends_on_its_curves_and_numbers_alone() {
    let recorded = Recorded::new();
    let curves: Vec<Curve> = (0..8).map(|at| recorded.beginning(at, 30)).collect();
    let fit = |seed, curves: &[Curve]| {
        Ensemble::fit(curves, 2, 10, &mut Stream::new(seed, 0, "bnn-curve/ensemble")).unwrap()
    };
    let (ensemble, own) = (fit(1, &curves), recorded.beginning(20, 5));
    let found = ensemble.predict(&own, 1.0).unwrap();
    assert_eq!(found, fit(1, &curves).predict(&own, 1.0).unwrap());
    assert_ne!(found, fit(2, &curves).predict(&own, 1.0).unwrap());
    assert_ne!(found, fit(1, &curves[1..]).predict(&own, 1.0).unwrap());
    // One curve is in every sample: nothing is left out.
    let mut rng = Stream::new(1, 0, "bnn-curve/ensemble");
    assert_eq!(Ensemble::fit(&curves[..1], 2, 10, &mut rng), None);
    let nan = Curve { points: vec![(0.5, f64::NAN)], ..own };
    assert_eq!(ensemble.predict(&nan, 1.0), None);
}
