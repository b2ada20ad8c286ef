use serde_json::Value as Json;

use super::*;
use crate::interface::State::{self, Completed, Paused, Stopped};
use crate::kit::epochwise::driver::{Driver, odd_curves};

const GOLDEN: &str = include_str!("../../../../tests/golden/schedulers/dpl.json");

const PARAMETERS: Parameters =
    Parameters { networks: 2, units: 4, epochs: 6, refine: 2, refit: 1, step: 1, scale: 1.0 };

fn golden() -> Json {
    serde_json::from_str(GOLDEN).unwrap()
}

fn numbers(value: &Json) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

/// The predictions of `make_dpl.py`, and a record of trainings.
#[derive(Default)]
struct Scripted {
    /// Whether anew, how many observations there were, and which were the newest.
    trainings: Vec<(bool, usize, Vec<usize>)>,
}

impl Model for &mut Scripted {
    fn train(&mut self, observed: &[Observed], anew: bool, newest: &[usize]) {
        self.trainings.push((anew, observed.len(), newest.to_vec()));
    }

    fn at_end(&self, row: ConfigId) -> Prediction {
        let (row, trainings) = (f64::from(row.0), self.trainings.len());
        let trainings = f64::from(u32::try_from(trainings).unwrap());
        Prediction {
            mean: 0.45 + 0.3 * libm::sin(12.9898 * row + 0.61 * trainings),
            deviation: 0.08 + 0.07 * libm::cos(3.7 * row + 1.3 * trainings),
        }
    }
}

const MINIMISED: Losses = Losses { maximised: false, scale: 1.0 };

#[test]
fn improvements_are_those_of_the_authors() {
    for case in golden()["improvements"].as_array().unwrap() {
        let [best, mean, deviation, expected] = numbers(case)[..] else { panic!("{case}") };
        let found = improvement(best, Prediction { mean, deviation });
        assert!((found - expected).abs() <= 1e-14, "{case}: {found}");
    }
}

#[test]
fn decisions_and_trainings_are_those_of_the_authors() {
    for case in golden()["runs"].as_array().unwrap() {
        let curves: Vec<Vec<f64>> =
            case["curves"].as_array().unwrap().iter().map(numbers).collect();
        let scores = |curve: &Vec<f64>| curve.iter().map(|loss| Some(-loss)).collect();
        let scores: Vec<Vec<Option<f64>>> = curves.iter().map(scores).collect();
        // The first row is the sampler's: a seed under which it is theirs.
        let first = u32::try_from(case["first"].as_u64().unwrap()).unwrap();
        let seeds = (0..).map(|seed| Driver::new(&scores, 1, seed));
        let mut driver = seeds.into_iter().find(|d| d.positions()[first as usize] == 0).unwrap();
        let step = u16::try_from(case["step"].as_u64().unwrap()).unwrap();
        let mut model = Scripted::default();
        let parameters = Parameters { step, ..PARAMETERS };
        let mut dpl = Dpl::new(&parameters, MINIMISED, &mut model);
        driver.run(&mut dpl, usize::MAX);
        let found: Vec<Vec<f64>> = driver
            .segments
            .iter()
            .map(|(row, epoch, _)| vec![f64::from(*row), f64::from(*epoch)])
            .collect();
        let expected: Vec<Vec<f64>> =
            case["decisions"].as_array().unwrap().iter().map(numbers).collect();
        assert_eq!(found, expected);
        // They train after the very last epoch, too, where nothing is left to decide; so do we,
        // when asked for work that is not there.
        let anew: Vec<bool> =
            case["anew"].as_array().unwrap().iter().map(|anew| anew.as_bool().unwrap()).collect();
        let trainings = &model.trainings;
        assert_eq!(trainings.iter().map(|t| t.0).collect::<Vec<_>>(), anew);
        let mut observed = 0;
        for ((_, count, newest), (row, epoch, _)) in trainings.iter().zip(&driver.segments) {
            assert!(*count > observed && *newest == [count - 1], "{row} {epoch}");
            observed = *count;
        }
        assert_eq!(observed, curves.len() * curves[0].len());
    }
}

#[test]
fn a_model_may_be_trained_less_often() {
    let curve = |row: u32| (1..=10).map(|e| Some(-f64::from(row % 3) / f64::from(e))).collect();
    let curves: Vec<Vec<Option<f64>>> = (0..8).map(curve).collect();
    let mut model = Scripted::default();
    let parameters = Parameters { refit: 5, ..PARAMETERS };
    let mut driver = Driver::new(&curves, 1, 0);
    driver.run(&mut Dpl::new(&parameters, MINIMISED, &mut model), usize::MAX);
    assert_eq!(driver.segments.len(), 80);
    let refined: Vec<_> = model.trainings.iter().filter(|training| !training.0).collect();
    assert!(refined.iter().all(|(_, _, newest)| newest.len() == 5), "{refined:?}");
    assert!(refined.len() > 8);
}

/// The only coordinate of a row.
#[expect(clippy::cast_precision_loss, reason = "rows are few")]
fn place(row: u32, of: u32) -> f32 {
    row as f32 / of as f32
}

fn ensemble(rows: u32, parameters: &Parameters, threads: usize) -> Ensemble {
    let run = RunContext { seed: 1, repeat: 0, threads };
    let rows: Vec<f32> = (0..rows).map(|row| place(row, 8)).collect();
    Ensemble::new(rows.into(), Shape { inputs: 1, units: parameters.units }, parameters, &run)
}

fn odd_run(workers: usize, threads: usize) -> Vec<(u32, u16, State)> {
    let curves = odd_curves();
    let mut driver = Driver::new(&curves, workers, 3);
    let losses = Losses { maximised: true, scale: 1.0 };
    let mut dpl = Dpl::new(&PARAMETERS, losses, ensemble(7, &PARAMETERS, threads));
    driver.run(&mut dpl, usize::MAX);
    assert!(dpl.model.laws.at_end(&dpl.model.rows, 1).iter().all(|p| p.mean.is_finite()));
    driver.segments
}

#[test]
fn every_row_has_its_turn_and_what_diverged_ends() {
    for workers in [1, 3, 16] {
        let segments = odd_run(workers, 1);
        assert_eq!(segments, odd_run(workers, 2), "threads do not show");
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
fn without_a_number_rows_are_the_samplers_and_no_further_trial_starts_where_none_may() {
    let mut driver = Driver::new(&vec![vec![Some(f64::NAN); 3]; 5], 2, 0);
    let mut model = Scripted::default();
    driver.run(&mut Dpl::new(&PARAMETERS, MINIMISED, &mut model), usize::MAX);
    assert_eq!(driver.segments.len(), 5);
    assert!(model.trainings.is_empty());

    let mut driver = Driver::new(&vec![vec![Some(0.5); 3]; 5], 2, 0);
    driver.trials_max = 2;
    let mut model = Scripted::default();
    driver.run(&mut Dpl::new(&PARAMETERS, MINIMISED, &mut model), usize::MAX);
    assert_eq!(driver.segments.len(), 2 * 3, "those that run do so to the end");
}

#[test]
fn the_best_configurations_get_the_epochs() {
    // Accuracies that rise towards what a row's place says; a tenth of all epochs may run, and
    // of those the later half is judged.
    let end = |row: u32| 0.9 - 0.7 * (f64::from(row) / 60.0 - 0.4).abs();
    let curve = |row: u32| (1..=20).map(|e| Some(end(row) - 0.3 / f64::from(e))).collect();
    let curves: Vec<Vec<Option<f64>>> = (0..60).map(curve).collect();
    let parameters = Parameters { networks: 3, units: 16, epochs: 120, refine: 10, ..PARAMETERS };
    let run = RunContext { seed: 5, repeat: 0, threads: 1 };
    let rows: Vec<f32> = (0..60).map(|row| place(row, 60)).collect();
    let shape = Shape { inputs: 1, units: parameters.units };
    let model = Ensemble::new(rows.into(), shape, &parameters, &run);
    let losses = Losses { maximised: true, scale: 1.0 };
    let mut driver = Driver::new(&curves, 1, 5);
    driver.run(&mut Dpl::new(&parameters, losses, model), 120);
    let later = &driver.segments[60..];
    let mean = later.iter().map(|s| end(s.0)).sum::<f64>() / 60.0;
    let all = (0..60).map(end).sum::<f64>() / 60.0;
    assert!(mean > all + 0.1, "{mean} of {all}");
}
