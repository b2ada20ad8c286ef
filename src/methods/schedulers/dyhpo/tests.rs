use serde_json::Value as Json;

use super::*;
use crate::interface::State::{self, Completed, Paused, Stopped};
use crate::kit::epochwise::driver::{Driver, odd_curves};

const GOLDEN: &str = include_str!("../../../../tests/golden/schedulers/dyhpo.json");

const PARAMETERS: Parameters = Parameters {
    units: 3,
    epochs: 8,
    refine: 2,
    refit: 1,
    step: 1,
    observed: Observed::Each,
    scale: 1.0,
};

const MAXIMISED: Values = Values { maximised: true, scale: 1.0 };

fn numbers(value: &Json) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

/// The predictions of `make_dyhpo.py`, and a record of trainings.
#[derive(Default)]
struct Scripted {
    /// Whether anew, and how many observations there were.
    trainings: Vec<(bool, usize)>,
    /// Trainings that fail, by number.
    fails: Vec<usize>,
}

impl Model for &mut Scripted {
    fn train(&mut self, curves: &Curves, anew: bool) -> bool {
        self.trainings
            .push((anew, curves.values().flatten().filter(|seen| seen.is_observed).count()));
        !self.fails.contains(&self.trainings.len())
    }

    fn ahead(&mut self, _: &Curves, asked: &[Ahead]) -> Vec<Prediction> {
        let trainings = f64::from(u32::try_from(self.trainings.len()).unwrap());
        let predict = |(row, epoch): &Ahead| {
            let (row, budget) = (f64::from(row.0), f64::from(epoch.0));
            Prediction {
                mean: 0.55 + 0.3 * libm::sin(12.9898 * row + 0.61 * trainings + 0.2 * budget),
                deviation: 0.08 + 0.07 * libm::cos(3.7 * row + 1.3 * trainings + 0.5 * budget),
            }
        };
        asked.iter().map(predict).collect()
    }
}

#[test]
fn decisions_and_trainings_are_those_of_the_authors() {
    let golden: Json = serde_json::from_str(GOLDEN).unwrap();
    for case in golden["runs"].as_array().unwrap() {
        let curves = case["curves"].as_array().unwrap().iter().map(numbers);
        let curves: Vec<Vec<Option<f64>>> =
            curves.map(|curve| curve.into_iter().map(Some).collect()).collect();
        // The first row is the sampler's: a seed under which it is theirs.
        let first = usize::try_from(case["first"].as_u64().unwrap()).unwrap();
        let mut seeds = (0..).map(|seed| Driver::new(&curves, 1, seed));
        let mut driver = seeds.find(|driver| driver.positions()[first] == 0).unwrap();
        let mut model = Scripted::default();
        driver.run(&mut Dyhpo::new(&PARAMETERS, MAXIMISED, &mut model), usize::MAX);
        let found = driver.segments.iter();
        let found: Vec<Vec<f64>> =
            found.map(|(row, epoch, _)| vec![f64::from(*row), f64::from(*epoch)]).collect();
        let expected: Vec<Vec<f64>> =
            case["decisions"].as_array().unwrap().iter().map(numbers).collect();
        assert_eq!(found, expected);
        let anew = case["anew"].as_array().unwrap().iter().map(|anew| anew.as_bool().unwrap());
        let counts = anew.zip(1..).collect::<Vec<_>>();
        assert_eq!(model.trainings, counts);
    }
}

#[test]
fn a_failed_training_is_followed_by_one_anew_and_some_may_be_left_out() {
    let curve = |row: u32| (1..=30).map(|e| Some(f64::from(row * e) / 240.0)).collect();
    let curves: Vec<Vec<Option<f64>>> = (0..8).map(curve).collect();
    let mut model = Scripted { fails: vec![12, 13], ..Scripted::default() };
    let parameters = Parameters { refit: 5, ..PARAMETERS };
    let mut driver = Driver::new(&curves, 1, 0);
    driver.run(&mut Dyhpo::new(&parameters, MAXIMISED, &mut model), usize::MAX);
    assert_eq!(driver.segments.len(), 240);
    let anew: Vec<bool> = model.trainings.iter().map(|training| training.0).collect();
    assert_eq!(anew[..15], [[true; 10].as_slice(), &[false, false, true, true, false]].concat());
    let counts: Vec<usize> = model.trainings.iter().map(|training| training.1).collect();
    // Anew at once, else after five.
    assert_eq!(counts[9..15], [10, 15, 20, 21, 22, 27]);
}

/// The only coordinate of a row.
#[expect(clippy::cast_precision_loss, reason = "rows are few")]
fn place(row: u32, of: u32) -> f32 {
    row as f32 / of as f32
}

fn deep(rows: u32, epochs: u16, parameters: &Parameters) -> Deep {
    let run = RunContext { seed: 1, repeat: 0, threads: 1 };
    let shape = Shape { width: 1, units: parameters.units };
    let places = (0..rows).map(|row| place(row, rows));
    Deep::new(places.collect(), shape, Epoch(epochs), parameters, &run)
}

fn odd_run(workers: usize) -> Vec<(u32, u16, State)> {
    let mut driver = Driver::new(&odd_curves(), workers, 3);
    let mut dyhpo = Dyhpo::new(&PARAMETERS, MAXIMISED, deep(7, 4, &PARAMETERS));
    driver.run(&mut dyhpo, usize::MAX);
    driver.segments
}

#[test]
fn every_row_has_its_turn_and_what_diverged_ends() {
    for workers in [1, 3, 16] {
        let segments = odd_run(workers);
        assert_eq!(segments, odd_run(workers));
        let of = |row: u32| -> Vec<(u16, State)> {
            segments.iter().filter(|s| s.0 == row).map(|s| (s.1, s.2)).collect()
        };
        assert_eq!(of(0), [(1, Stopped)], "{workers}");
        assert_eq!(of(1), [(1, Paused), (2, Stopped)]);
        assert_eq!(of(2), [(4, Completed)], "nothing was measured, nothing is decided");
        assert_eq!(of(3), [(2, Paused), (4, Completed)]);
        assert_eq!(of(4), [(1, Paused), (2, Paused), (3, Paused), (4, Completed)]);
        assert_eq!(of(5), [(1, Paused), (2, Paused), (3, Stopped)], "an infinity diverged");
        assert_eq!(of(6).len(), 4);
    }
}

#[test]
fn curves_reach_the_model_as_they_were_before() {
    let deep = deep(2, 4, &PARAMETERS);
    let seen = |epoch, value| Seen { epoch: Epoch(epoch), value, is_observed: true };
    let values = vec![seen(2, 0.5), seen(4, 0.75)];
    let curves = Curves::from([(ConfigId(1), values)]);
    let (seen, y) = deep.seen(&curves);
    let mut expected = Points::new(1, 4);
    expected.push(&[0.5], 0.5, &[]);
    // The third epoch was not measured.
    expected.push(&[0.5], 1.0, &[0.0, 0.5, 0.5]);
    assert_eq!((seen, y), (expected, vec![0.5, 0.75]));
    let mut ahead = Points::new(1, 4);
    deep.push(&mut ahead, (ConfigId(1), Epoch(4)), &curves[&ConfigId(1)][..1], 2);
    let mut expected = Points::new(1, 4);
    expected.push(&[0.5], 1.0, &[0.0, 0.5]);
    assert_eq!(ahead, expected);
}

#[test]
fn of_a_decision_the_last_epoch_alone_may_be_observed() {
    let curve = |row: u32| (1..=8).map(|e| Some(f64::from(row * e) / 240.0)).collect();
    let curves: Vec<Vec<Option<f64>>> = (0..4).map(curve).collect();
    let parameters = Parameters { step: 4, observed: Observed::Last, ..PARAMETERS };
    let mut model = Scripted::default();
    let mut driver = Driver::new(&curves, 1, 0);
    driver.run(&mut Dyhpo::new(&parameters, MAXIMISED, &mut model), usize::MAX);
    // One epoch of the sampler's, then four a decision, of which three end at the eighth.
    let counts: Vec<usize> = model.trainings.iter().map(|training| training.1).collect();
    assert_eq!(counts, (1..=counts.len()).collect::<Vec<_>>());
    // The curve before an observation stays whole.
    let deep = deep(2, 4, &parameters);
    let seen = |epoch, is_observed| Seen { epoch: Epoch(epoch), value: 0.25, is_observed };
    let curves = Curves::from([(ConfigId(1), vec![seen(1, false), seen(2, true)])]);
    let mut expected = Points::new(1, 4);
    expected.push(&[0.5], 0.5, &[0.25]);
    assert_eq!(deep.seen(&curves), (expected, vec![0.25]));
}

#[test]
fn errors_become_accuracies_and_improvements_count_from_the_best_at_the_epoch() {
    let minimised = Values { maximised: false, scale: 100.0 };
    assert_eq!([minimised.of(-25.0), MAXIMISED.of(0.75), MAXIMISED.of(1e300)], [0.75, 0.75, 1e6]);
    let mut model = Scripted::default();
    let mut dyhpo = Dyhpo::new(&PARAMETERS, MAXIMISED, &mut model);
    (dyhpo.best, dyhpo.best_at) = (0.9, BTreeMap::from([(Epoch(1), 0.4)]));
    assert_eq!([1, 2].map(|epoch| dyhpo.best_at(Epoch(epoch))), [0.4, 0.9]);
    assert_eq!(improvement(0.4, Prediction { mean: 0.6, deviation: 0.0 }), 0.0);
    let found = improvement(0.4, Prediction { mean: 0.6, deviation: 1e-3 });
    assert!((found - 0.2).abs() < 1e-12, "{found}");
}

#[test]
fn the_best_configurations_get_the_epochs() {
    // Accuracies that rise towards what a row's place says; a fifth of all epochs may run, and of
    // those the later half is judged.
    let end = |row: u32| 0.9 - 0.7 * (f64::from(row) / 40.0 - 0.4).abs();
    let curve = |row: u32| (1..=10).map(|e| Some(end(row) - 0.3 / f64::from(e))).collect();
    let curves: Vec<Vec<Option<f64>>> = (0..40).map(curve).collect();
    let parameters = Parameters { units: 16, epochs: 200, refine: 10, ..PARAMETERS };
    let mut driver = Driver::new(&curves, 1, 5);
    driver.run(&mut Dyhpo::new(&parameters, MAXIMISED, deep(40, 10, &parameters)), 80);
    let later = &driver.segments[40..];
    let mean = later.iter().map(|s| end(s.0)).sum::<f64>() / 40.0;
    let all = (0..40).map(end).sum::<f64>() / 40.0;
    assert!(mean > all + 0.1, "{mean} of {all}");
}
