use serde_json::Value as Json;

use super::*;

const GOLDEN: &str = include_str!("../../../../tests/golden/schedulers/dyhpo.json");

fn number(value: &Json) -> f64 {
    value.as_f64().unwrap()
}

fn index(value: &Json) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

fn list(value: &Json) -> impl Iterator<Item = &Json> {
    value.as_array().unwrap().iter()
}

#[expect(clippy::cast_possible_truncation, reason = "the network's precision")]
fn single(x: f64) -> f32 {
    x as f32
}

fn singles(values: &Json) -> Vec<f32> {
    list(values).map(|x| single(number(x))).collect()
}

/// Where `make_dyhpo.py` begins.
fn model(shape: Shape) -> DeepKernel {
    let joined = shape.units + 4;
    let layer = |inputs: usize, outputs: usize| (inputs, (inputs + 1) * outputs);
    let mut model = DeepKernel::new(shape, &mut Stream::new(0, 0, ""));
    let mut from = 0;
    let mut numbers = |(inputs, count): (usize, usize)| -> Vec<f32> {
        let bound = 1.0 / f64::from(u32::try_from(inputs).unwrap()).sqrt();
        let numbers = from..from + count;
        from += count;
        let sine = |at: usize| libm::sin(f64::from(u32::try_from(at * at % 10_007).unwrap()));
        numbers.map(|at| single(sine(at) * bound)).collect()
    };
    let first = numbers(layer(shape.width + 1, shape.units));
    let curve = numbers(layer(3, 4));
    let second = numbers(layer(joined, 2 * shape.units));
    let norm = [vec![1.0; shape.units], vec![0.0; shape.units]].concat();
    model.parameters = [first, norm, curve, second, vec![0.0; 4]].concat();
    assert_eq!(model.parameters.len(), shape.parameters() + 4);
    model
}

struct Case {
    shape: Shape,
    seen: Points,
    values: Vec<f64>,
    asked: Points,
}

fn case(json: &Json) -> Case {
    let shape = Shape { width: index(&json["width"]), units: index(&json["units"]) };
    let epochs = index(&json["epochs"]);
    let whole = |count: usize| f64::from(u32::try_from(count).unwrap());
    let budget = |epoch: usize| single(whole(epoch) / whole(epochs));
    let mut seen = Points::new(shape.width, epochs);
    let (mut asked, mut values) = (seen.clone(), Vec::new());
    for (row, curve) in list(&json["rows"]).zip(list(&json["curves"])) {
        let (row, before) = (singles(row), singles(curve));
        for (at, y) in list(curve).enumerate() {
            seen.push(&row, budget(at + 1), &before[..at]);
            values.push(number(y));
        }
        asked.push(&row, budget(before.len() + 1), &before);
    }
    Case { shape, seen, values, asked }
}

#[test]
fn predictions_and_steps_are_those_of_torch_and_gpytorch() {
    let golden: Json = serde_json::from_str(GOLDEN).unwrap();
    for json in list(&golden["models"]) {
        let Case { shape, seen, values, asked } = case(json);
        let mut model = model(shape);
        let mut adam = Adam::new(model.parameters.len(), RATE);
        let mut pass = Pass::default();
        let (mut steps, mut worst) = (0, [0.0_f64; 2]);
        for expected in list(&json["predictions"]) {
            while steps < index(&expected[0]) {
                assert!(model.step(&seen, &values, &mut adam, &mut pass));
                steps += 1;
            }
            let found = model.predict(&seen, &values, &asked);
            for ((found, mean), deviation) in
                found.iter().zip(list(&expected[1])).zip(list(&expected[2]))
            {
                worst[0] = worst[0].max((found.mean - number(mean)).abs());
                worst[1] = worst[1].max((found.deviation - number(deviation)).abs());
            }
        }
        assert_eq!(steps, 15);
        // Seen: 3.8e-5, of f32 against f64; a step moves a weight by 1e-3.
        assert!(worst.iter().all(|w| *w < 1e-4), "{shape:?}: {worst:?}");
    }
}

/// What `train` minimises.
fn loss(model: &DeepKernel, Case { shape, seen, values, .. }: &Case) -> f64 {
    let (network, hyper) = model.parameters.split_at(shape.parameters());
    let mut pass = Pass::default();
    let mut running = Running::new(*shape);
    forward(*shape, network, seen, &mut pass, Norm::Batch(&mut running));
    Process::read(hyper).loss(&pass.features, values)
}

#[test]
fn gradients_are_central_differences() {
    let golden: Json = serde_json::from_str(GOLDEN).unwrap();
    let case = case(&golden["models"][0]);
    let model = model(case.shape);
    let (network, hyper) = model.parameters.split_at(case.shape.parameters());
    let mut pass = Pass::default();
    let mut running = Running::new(case.shape);
    forward(case.shape, network, &case.seen, &mut pass, Norm::Batch(&mut running));
    let (by_features, by_hyper) =
        Process::read(hyper).gradients(&pass.features, &case.values).unwrap();
    let mut gradients = vec![0.0; network.len()];
    backward(case.shape, network, &case.seen, &pass, by_features, &mut gradients);
    gradients.extend(by_hyper);
    let most = gradients.iter().fold(0.0_f32, |most, g| most.max(g.abs()));
    for (at, found) in gradients.iter().enumerate() {
        let shifted = |by: f32| {
            let mut other = model.clone();
            other.parameters[at] += by;
            loss(&other, &case)
        };
        let expected = (shifted(5e-4) - shifted(-5e-4)) / 1e-3;
        // f32 features leave 1e-7 of a loss of about 1, which the step multiplies by a thousand.
        let allowed = 5e-3 * f64::from(most);
        assert!((f64::from(*found) - expected).abs() < allowed, "{at}: {found} {expected}");
    }
}

#[test]
fn training_explains_what_was_seen_and_tells_good_from_bad() {
    let epochs = 10;
    let mut seen = Points::new(1, epochs);
    let (mut asked, mut values) = (seen.clone(), Vec::new());
    let place = |row: u8| f32::from(row) / 20.0;
    let y = |row: u8, epoch: u8| f64::from(0.8 - 0.6 * place(row) - 0.2 / f32::from(epoch));
    for row in (0..20).step_by(2) {
        let curve: Vec<f32> = (1..=4).map(|epoch| single(y(row, epoch))).collect();
        for epoch in 1..=4_u8 {
            seen.push(&[place(row)], f32::from(epoch) / 10.0, &curve[..usize::from(epoch) - 1]);
            values.push(y(row, epoch));
        }
    }
    for row in (1..20).step_by(2) {
        asked.push(&[place(row)], 0.1, &[]);
    }
    let shape = Shape { width: 1, units: 16 };
    let mut model = DeepKernel::new(shape, &mut Stream::new(1, 0, "test"));
    let before = model.predict(&seen, &values, &asked);
    assert!(model.train(&seen, &values, 300));
    let after = model.predict(&seen, &values, &asked);
    assert!(after.iter().zip(&before).all(|(after, before)| after.deviation < before.deviation));
    assert!(after[0].mean > after[9].mean + 0.2, "{after:?}");
    for (prediction, row) in after.iter().zip((1..20).step_by(2)) {
        assert!((prediction.mean - y(row, 1)).abs() < 0.2, "{row}: {prediction:?}");
    }
}

#[test]
fn what_cannot_be_trained_stays_as_it_is() {
    let shape = Shape { width: 1, units: 2 };
    let mut points = Points::new(1, 1);
    let mut model = DeepKernel::new(shape, &mut Stream::new(1, 0, "test"));
    points.push(&[0.5], 1.0, &[]);
    let before = model.clone();
    assert!(model.train(&points, &[0.3], 5), "one point trains nothing");
    assert_eq!(model, before);
    points.push(&[0.25], 1.0, &[]);
    assert!(!model.train(&points, &[0.3, f64::NAN], 5));
    assert_eq!(model, before);
    let found = model.predict(&points, &[0.3, f64::NAN], &points);
    assert!(found.iter().all(|p| p.mean.is_nan()));
    // The same point twice is no trouble, noise tells its values apart.
    points.push(&[0.25], 1.0, &[]);
    assert!(model.train(&points, &[0.3, 0.4, 0.5], 20));
    assert!(model.predict(&points, &[0.3, 0.4, 0.5], &points)[0].mean.is_finite());
}

/// A model's numbers are part of what a run is: they stay what they are.
#[test]
fn bits_stay_what_they_are() {
    let golden: Json = serde_json::from_str(GOLDEN).unwrap();
    let Case { shape, seen, values, asked } = case(&golden["models"][1]);
    let mut model = DeepKernel::new(shape, &mut Stream::new(1, 0, "bits"));
    assert!(model.train(&seen, &values, 30));
    let bits = |h: u64, p: &Prediction| h.rotate_left(5) ^ p.mean.to_bits() ^ p.deviation.to_bits();
    let found = model.predict(&seen, &values, &asked).iter().fold(0, bits);
    assert_eq!(found, 0xd3f3_1373_9d36_7f53);
}
