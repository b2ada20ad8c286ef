use base::rng::Stream;
use base::units::{Epoch, SimTime};
use serde_json::Value;

use super::fitted::standardised;
use super::*;
use crate::interface::{Past, RowOrder, RunContext, State, Trial};
use crate::kit::rehearsal;
use crate::surrogates::gaussian_process::likelihood::most_probable;
use crate::surrogates::gaussian_process::pool::distances;
use crate::surrogates::gaussian_process::{Distance, Hyperparameters, Shape};

const GOLDEN: &str = include_str!("../../../../tests/golden/samplers/gp.json");

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn ids(value: &Value) -> Vec<u32> {
    let ids = value.as_array().unwrap().iter();
    ids.map(|x| u32::try_from(x.as_u64().unwrap()).unwrap()).collect()
}

/// The table of `make_gp_golden.py`: its rows, their scores, and the histories.
fn golden() -> (Arc<Inputs>, Vec<f64>, Vec<Value>) {
    let all: Value = serde_json::from_str(GOLDEN).unwrap();
    let mut rows = Inputs::new(&distances([false, false, false, true]));
    all["rows"].as_array().unwrap().iter().for_each(|row| rows.push(&numbers(row)));
    (Arc::new(rows), numbers(&all["scores"]), all["histories"].as_array().unwrap().clone())
}

fn sampler(rows: &Arc<Inputs>, fit: Fit, criterion: Criterion, startup: usize) -> Gp {
    let run = RunContext { seed: 1, repeat: 0, threads: 1 };
    Gp {
        rows: Arc::clone(rows),
        criterion,
        fit,
        startup,
        observations_max: 1000,
        threads: 1,
        streams: Streams::new(&run, "gp"),
        history: History::new(),
        fitted: Fitted::new(),
        drawn: Drawn::new(),
    }
}

fn trial(row: u32, reported: f64, state: State) -> Trial {
    Trial { state, ..rehearsal::trial(ConfigId(row), reported) }
}

/// What a sampler proposes once these rows have reported and those are still running.
fn proposal(
    gp: &mut Gp,
    rows: u32,
    told: impl IntoIterator<Item = (u32, f64)>,
    pending: &[u32],
) -> u32 {
    let mut order = RowOrder::empty();
    order.begin(rows, 3, 0);
    let mut trials: Vec<Trial> =
        told.into_iter().map(|(row, score)| trial(row, score, State::Completed)).collect();
    let count = u32::try_from(trials.len()).unwrap();
    trials.extend(pending.iter().map(|row| trial(*row, f64::NAN, State::Running)));
    for trial in &trials {
        order.take(trial.config);
    }
    let starts = vec![0; trials.len()];
    let view = View {
        now: SimTime(0),
        workers: 1,
        epochs: Epoch(1),
        chance: None,
        gain_offset: 0.0,
        goal: None,
        budget: None,
        trials_max: None,
        past: Past::new(&order, &trials, &[], &[], &starts),
    };
    (0..count).for_each(|trial| gp.tell(&view, TrialId(trial)));
    let next = TrialId(u32::try_from(trials.len()).unwrap());
    match gp.propose(&view, &Ask { trial: next, until: Epoch(1), bracket: 0 }) {
        Proposal::Row(row) => row.0,
        Proposal::Point(point) => panic!("{point:?}"),
    }
}

#[test]
fn the_most_probable_parameters_are_optunas() {
    let (rows, scores, histories) = golden();
    let mut most: f64 = 0.0;
    for history in histories.iter().step_by(3) {
        let known = ids(&history["known"]);
        let losses: Vec<f64> = known.iter().map(|row| -scores[*row as usize]).collect();
        let unit = Hyperparameters::unit(4);
        let (inputs, losses) = (rows.select(&known), standardised(&losses));
        let found = most_probable(Shape::Matern52, &inputs, &losses, &unit, 1e-6);
        let expected = numbers(&history["parameters"]);
        let found = found.weights.iter().chain([&found.scale, &found.noise]);
        for (found, expected) in found.zip(&expected) {
            most = most.max((libm::log(*found) - libm::log(*expected)).abs());
        }
    }
    println!("largest difference of a logarithm: {most:e}");
    assert!(most < 1e-3, "{most:e}");
}

#[test]
fn the_next_rows_are_those_of_optuna() {
    let (rows, scores, histories) = golden();
    let wrong = |criterion| -> Vec<&Value> {
        let is_wrong = |history: &&Value| {
            let known = ids(&history["known"]);
            let told = known.iter().map(|row| (*row, scores[*row as usize]));
            let mut gp = sampler(&rows, Fit::Map, criterion, 10);
            let found = proposal(&mut gp, 160, told, &ids(&history["pending"]));
            Some(u64::from(found)) != history["row"].as_u64()
        };
        histories.iter().filter(is_wrong).collect()
    };
    let found = wrong(Criterion::ExpectedImprovement);
    // Two climbs that end at slopes of up to 1e-2 have not quite the same parameters, which may
    // part two rows of nearly the same expected improvement.
    assert!(found.iter().all(|history| history["gap"].as_f64().unwrap() < 0.02), "{found:?}");
    assert!(found.len() <= 2, "{} of 50 others", found.len());
    // The control: a confidence bound in the place of expected improvement.
    let control = wrong(Criterion::LowerBound { beta: 2.0 });
    println!("{} others, altered {}", found.len(), control.len());
    assert!(control.len() > 10, "{}", control.len());
}

#[test]
fn the_first_rows_are_random_until_enough_has_been_observed() {
    let rows = golden().0;
    let mut order = RowOrder::empty();
    order.begin(160, 3, 0);
    let told = |count: u32, nan: u32| {
        (0..count).map(move |row| (row, if row < nan { f64::NAN } else { f64::from(row) / 100.0 }))
    };
    let first = |count: u32| order.free().find(|row| row.0 >= count).unwrap().0;
    for (fit, startup) in [(Fit::Map, 10), (Fit::Slice, 2), (Fit::Fixed, 12)] {
        let count = u32::try_from(startup).unwrap();
        let new = || sampler(&rows, fit, Criterion::ExpectedImprovement, startup);
        assert_eq!(proposal(&mut new(), 160, told(count - 1, 0), &[]), first(count - 1));
        // One that reports nothing does not count.
        assert_eq!(proposal(&mut new(), 160, told(count, 1), &[]), first(count));
        assert_eq!(proposal(&mut new(), 160, [], &[]), first(0));
    }
}

#[test]
fn odd_reports_are_survived_and_the_last_row_is_found() {
    let rows = golden().0;
    let reports: [fn(u32) -> f64; 5] = [
        |_| 0.5,
        |row| if row % 2 == 0 { f64::NAN } else { 0.1 },
        |row| f64::from(row) * 1e300,
        |row| f64::from(row) * 1e-300,
        |row| if row == 3 { 1e12 } else { 0.25 },
    ];
    for criterion in [
        Criterion::ExpectedImprovement,
        Criterion::ProbabilityOfImprovement,
        Criterion::LowerBound { beta: 2.6 },
    ] {
        for fit in [Fit::Map, Fit::Slice, Fit::Fixed] {
            for report in reports {
                let told = (0..24).map(|row| (row, report(row)));
                let mut gp = sampler(&rows, fit, criterion, 2);
                let found = proposal(&mut gp, 160, told, &[30, 31, 32]);
                assert!(found >= 24 && !(30..33).contains(&found));
            }
            let told = (0..25).filter(|row| *row != 7).map(|row| (row, f64::from(row)));
            let few = Arc::new(rows.select(&(0..25).collect::<Vec<u32>>()));
            let mut gp = sampler(&few, fit, criterion, 2);
            assert_eq!(proposal(&mut gp, 25, told, &[]), 7, "the only row of 25 that is left");
        }
    }
}

#[test]
fn a_model_of_few_takes_the_best_and_the_newest() {
    let rows = golden().0;
    let mut gp = sampler(&rows, Fit::Fixed, Criterion::ExpectedImprovement, 2);
    gp.observations_max = 5;
    let scores = [0.9, 0.1, 0.8, 0.2, 0.3, 0.25, 0.05];
    proposal(&mut gp, 160, (0..).zip(scores), &[]);
    let taken: Vec<u32> = gp.taken().iter().map(|telling| telling.row.0).collect();
    assert_eq!(taken, [0, 2, 4, 5, 6]);
}

/// The chain of Spearmint's parameters against the moments that a quadrature of the posterior has:
/// one lengthscale, with mean, scale and noise held in a fine grid.
#[test]
fn drawn_parameters_have_the_moments_of_their_posterior() {
    let mut inputs = Inputs::new(&[Distance::Difference]);
    let losses = [0.3, 0.1, 0.45, 0.6, 0.35];
    for x in [0.05, 0.3, 0.55, 0.7, 0.95] {
        inputs.push(&[x]);
    }
    let range = (0.1, 0.6);
    // Grids of cells, each weighed by the density at its middle: noise and scale on logarithms.
    let (mut total, mut sums) = (0.0, [0.0; 3]);
    let mut place = drawn::Place::first(1, &losses);
    for length in 0..30 {
        place.lengths[0] = 2.0 * (f64::from(length) + 0.5) / 30.0;
        for mean in 0..12 {
            place.mean = 0.1 + 0.5 * (f64::from(mean) + 0.5) / 12.0;
            for scale in 0..40 {
                place.scale = libm::exp(-8.0 + 13.0 * (f64::from(scale) + 0.5) / 40.0);
                for noise in 0..40 {
                    place.noise = libm::exp(-16.0 + 22.0 * (f64::from(noise) + 0.5) / 40.0);
                    let density = place.log_density(&inputs, &losses, range);
                    let mass = libm::exp(density) * place.scale * place.noise;
                    total += mass;
                    let moments = [place.lengths[0], place.mean, libm::log(place.scale)];
                    sums.iter_mut().zip(moments).for_each(|(sum, m)| *sum += mass * m);
                }
            }
        }
    }
    let mut rng = Stream::new(4, 0, "test");
    let mut place = drawn::Place::first(1, &losses);
    let batches: Vec<[f64; 3]> = (0..30)
        .map(|_| {
            let mut batch = [0.0; 3];
            for _ in 0..1_000 {
                place.step(&inputs, &losses, &mut rng);
                let moments = [place.lengths[0], place.mean, libm::log(place.scale)];
                batch.iter_mut().zip(moments).for_each(|(sum, m)| *sum += m / 1_000.0);
            }
            batch
        })
        .collect();
    for (at, sum) in sums.iter().enumerate() {
        let expected = sum / total;
        let mean = batches.iter().map(|batch| batch[at]).sum::<f64>() / 30.0;
        let squares = batches.iter().map(|batch| (batch[at] - mean) * (batch[at] - mean));
        let error = (squares.sum::<f64>() / (30.0 * 29.0)).sqrt();
        println!("moment {at}: {mean} beside {expected}, error {error}");
        assert!((mean - expected).abs() < 4.0 * error, "{at}: {mean} {expected} {error}");
    }
}
