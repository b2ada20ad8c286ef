use serde_json::Value as Json;

use super::network::Work;
use super::*;
use crate::surrogates::adam::Adam;

const GOLDEN: &str = include_str!("../../../../tests/golden/schedulers/dpl.json");

fn number(value: &Json) -> f64 {
    value.as_f64().unwrap()
}

fn index(value: &Json) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

fn list(value: &Json) -> impl Iterator<Item = &Json> {
    value.as_array().unwrap().iter()
}

#[expect(clippy::cast_possible_truncation, reason = "as torch is given them")]
fn single(x: f64) -> f32 {
    x as f32
}

/// The weights of `make_dpl.py`.
fn weights(shape: Shape) -> Vec<f32> {
    let mut weights = Vec::new();
    for (inputs, outputs) in
        [(shape.inputs, shape.units), (shape.units, shape.units), (shape.units, 3)]
    {
        let bound = 1.0 / f64::from(u32::try_from(inputs).unwrap()).sqrt();
        for _ in 0..(inputs + 1) * outputs {
            let at = weights.len();
            let at = f64::from(u32::try_from(at * at % 10_007).unwrap());
            weights.push(single(libm::sin(at) * bound));
        }
    }
    weights
}

#[test]
fn predictions_and_steps_are_those_of_torch() {
    let golden: Json = serde_json::from_str(GOLDEN).unwrap();
    for case in list(&golden["networks"]) {
        let shape = Shape { inputs: index(&case["inputs"]), units: index(&case["units"]) };
        let rows: Vec<f32> =
            list(&case["rows"]).flat_map(list).map(|x| single(number(x))).collect();
        let epochs = number(&case["epochs"]);
        let observations: Vec<Observation> = list(&case["observations"])
            .map(|o| Observation {
                row: index(&o[0]),
                log_budget: single(libm::log(number(&o[1]) / epochs)),
                loss: single(number(&o[2])),
            })
            .collect();
        let mut network = Network::of(shape, weights(shape));
        let mut adam = Adam::new(shape.parameters(), RATE);
        let mut work = Work::default();
        let batches: Vec<&Json> = list(&case["batches"]).collect();
        let (mut steps, mut worst) = (0, 0.0_f64);
        for prediction in list(&case["predictions"]) {
            while steps < index(&prediction[0]) {
                let batch = list(batches[steps]).map(|at| observations[index(at)]);
                network.step(&rows, batch, &mut adam, &mut work);
                steps += 1;
            }
            for (found, expected) in network.at_end(&rows).iter().zip(list(&prediction[1])) {
                worst = worst.max((f64::from(*found) - number(expected)).abs());
            }
        }
        assert_eq!(steps, 14);
        // Seen: 3.5e-6, of the order of the sums; a step moves a weight by 1e-3.
        assert!(worst < 1e-5, "{shape:?}: {worst:e}");
    }
}

/// Thirty configurations whose laws depend on where they lie.
fn problem() -> (Vec<f32>, Vec<Observation>, Vec<f64>) {
    let mut stream = Stream::new(3, 0, "problem");
    let mut draw = || crate::kit::draws::uniform_open(&mut stream);
    let (mut rows, mut observations, mut ends) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..30 {
        let (x, y) = (draw(), draw());
        rows.extend([single(x), single(y)]);
        let loss = |budget: f64| 0.1 + 0.5 * x * x + 0.05 * libm::pow(budget, -0.5 - 0.5 * y);
        ends.push(loss(1.0));
        let seen = if row < 22 { 1 + row % 8 } else { 0 };
        for epoch in 1..=seen {
            let budget = f64::from(u32::try_from(epoch).unwrap()) / 20.0;
            let log_budget = single(libm::log(budget));
            observations.push(Observation { row, log_budget, loss: single(loss(budget)) });
        }
    }
    (rows, observations, ends)
}

fn trained(threads: usize) -> (Vec<Prediction>, Vec<f64>) {
    let (rows, observations, ends) = problem();
    let stream = |label: &str, at: usize| Stream::new(1, 0, &format!("{label}/{at}"));
    let shape = Shape { inputs: 2, units: 32 };
    let mut laws = PowerLaws::new(shape, (0..3).map(|at| stream("weights", at)).collect());
    laws.train(&rows, &observations, true, threads, |at, is_new| {
        assert!(is_new);
        Fit { epochs: 400, newest: &[], batches: stream("batches", at) }
    });
    (laws.at_end(&rows, threads), ends)
}

#[test]
fn laws_are_learnt_and_carry_over_to_configurations_that_were_not_seen() {
    let (predictions, ends) = trained(1);
    let error = |(p, end): (&Prediction, &f64)| (p.mean - end).abs();
    let errors: Vec<f64> = predictions.iter().zip(&ends).map(error).collect();
    let mean = |errors: &[f64]| {
        errors.iter().sum::<f64>() / f64::from(u32::try_from(errors.len()).unwrap())
    };
    // The losses at the end spread over half a unit.
    assert!(mean(&errors[..22]) < 0.06 && mean(&errors[22..]) < 0.09, "{errors:?}");
    assert!(predictions.iter().all(|p| p.deviation > 0.0));
    assert_eq!(trained(2).0, predictions, "threads do not show");
}

#[test]
fn a_network_that_diverged_is_left_out_and_drawn_anew() {
    let (rows, observations, _) = problem();
    let stream = |at: usize| Stream::new(1, 0, &format!("weights/{at}"));
    let shape = Shape { inputs: 2, units: 4 };
    let mut laws = PowerLaws::new(shape, (0..2).map(stream).collect());
    laws.networks[0] = Network::of(shape, vec![f32::NAN; shape.parameters()]);
    let alone: Vec<f64> = laws.networks[1].at_end(&rows).iter().map(|p| f64::from(*p)).collect();
    let found = laws.at_end(&rows, 1);
    assert!(found.iter().zip(&alone).all(|(p, mean)| (p.mean, p.deviation) == (*mean, 0.0)));
    let anew = std::sync::Mutex::new(Vec::new());
    laws.train(&rows, &observations, false, 1, |at, is_new| {
        anew.lock().unwrap().push((at, is_new));
        Fit { epochs: 1, newest: &[3], batches: stream(at) }
    });
    assert_eq!(anew.into_inner().unwrap(), [(0, true), (1, false)]);
    assert!(laws.networks.iter().all(Network::is_finite));
    laws.networks.truncate(0);
    assert!(laws.at_end(&rows, 1)[0].mean.is_nan());
}

/// A model's numbers are part of what a run is: they stay what they are.
#[test]
fn bits_stay_what_they_are() {
    let (predictions, _) = trained(1);
    let bits = |h: u64, p: &Prediction| h.rotate_left(5) ^ p.mean.to_bits() ^ p.deviation.to_bits();
    assert_eq!(predictions.iter().fold(0, bits), 0xc34a_bd29_7233_1f88);
}
