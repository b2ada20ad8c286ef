use base::stats::holm::holm;
use serde_json::Value as Json;

use super::*;
use crate::interface::RunContext;
use crate::kit::fixed_histories::{History, bins_of, histories, space, two_samples};

const GOLDEN: &str = include_str!("../../../../tests/golden/samplers/bohb-hpbandster.json");

fn settings() -> Parameters {
    Parameters {
        min_points: 0,
        top: 15,
        samples: 64,
        random_fraction: 0.0,
        bandwidth_factor: 3.0,
        min_bandwidth: 1e-3,
    }
}

fn streams() -> Streams {
    Streams::new(&RunContext { seed: 4, repeat: 0, threads: 1 }, "bohb-kde")
}

/// The densities of a history; running trials are not told.
fn densities(history: &History, settings: Parameters) -> Densities {
    let shared = Arc::new(Shared::new(&space(), &history.points, settings));
    let mut densities = Densities::new(&shared);
    for (at, trial) in (0..).zip(&history.trials) {
        let vector = shared.vector(history.points.row(trial.config));
        let (budget, loss) = match trial.state {
            State::Running => continue,
            State::Failed => (Epoch(9), f64::INFINITY),
            _ => (
                trial.executed,
                if trial.reported.is_nan() { f64::INFINITY } else { -trial.reported },
            ),
        };
        let mut rng = streams().decision("missing", at);
        densities.learn(TrialId(at), vector, budget, loss, &mut rng);
    }
    densities
}

/// The least of Holm's p-values over all coordinates and histories, and how many.
fn least(settings: &Parameters) -> (f64, usize) {
    let golden: Vec<Json> = serde_json::from_str(GOLDEN).unwrap();
    let mut p_values = Vec::new();
    for (history, theirs) in histories().iter().zip(&golden).step_by(3) {
        let densities = densities(history, settings.clone());
        let Some((budget, _)) = &densities.model else {
            assert!(theirs.is_null(), "HpBandSter has a model");
            continue;
        };
        let known = &densities.results[budget];
        let theirs: Vec<Vec<u32>> = serde_json::from_value(theirs.clone()).unwrap();
        let points = (0..500).map(|draw| {
            // What is missing is drawn anew with each fit.
            let mut rng = streams().decision("draws", draw);
            let sides = densities.shared.fit(known, &mut rng).expect("it had a model");
            let vector = densities.shared.propose(&sides, &mut rng).expect("numbers to compare");
            densities.shared.point(&vector)
        });
        let ours = bins_of(points, &theirs);
        p_values.extend(ours.iter().zip(&theirs).filter_map(|(a, b)| two_samples(a, b)));
    }
    (holm(&p_values).into_iter().fold(1.0, f64::min), p_values.len())
}

#[test]
fn next_proposals_are_hpbandsters() {
    let (found, count) = least(&settings());
    assert!(found > 0.01 && count > 30, "p {found:e} of {count}");
    for altered in [
        Parameters { top: 40, ..settings() },
        Parameters { bandwidth_factor: 1.0, ..settings() },
        Parameters { samples: 4, ..settings() },
    ] {
        let (found, _) = least(&altered);
        assert!(found < 0.01, "{altered:?} goes unnoticed: p {found}");
    }
}

#[test]
fn results_of_smaller_budgets_are_not_kept_once_there_is_a_model() {
    let points = Arc::new(Points { width: 7, coordinates: Vec::new() });
    let shared = Arc::new(Shared::new(&space(), &points, settings()));
    let mut densities = Densities::new(&shared);
    let mut rng = streams().main();
    let mut learn = |densities: &mut Densities, trial: u32, budget: u16, loss: f64| {
        let mut vector: Vec<f64> = (0..7).map(|_| rng.random()).collect();
        vector[5] = 1.0;
        densities.learn(TrialId(trial), vector, Epoch(budget), loss, &mut rng);
        densities.model.as_ref().map(|(budget, _)| budget.0)
    };
    // Both sides need more results than there are parameters: 2 x 8.
    for trial in 0..15 {
        assert_eq!(learn(&mut densities, trial, 3, f64::from(trial)), None);
    }
    assert_eq!(learn(&mut densities, 15, 3, 0.5), Some(3));
    for trial in 16..31 {
        assert_eq!(learn(&mut densities, trial, 9, f64::INFINITY), Some(3), "no model of 9 yet");
    }
    // The same trial again is the same result.
    assert_eq!(learn(&mut densities, 30, 9, 0.1), Some(3));
    assert_eq!(densities.results[&Epoch(9)].losses.len(), 15);
    assert_eq!(learn(&mut densities, 31, 9, 0.0), Some(9));
    assert_eq!(learn(&mut densities, 32, 3, 0.0), Some(9));
    assert_eq!(densities.results[&Epoch(3)].losses.len(), 16);
}

#[test]
fn a_space_of_single_values_never_has_a_model() {
    let parameter =
        |name: &str, domain| base::space::Parameter { name: name.into(), domain, condition: None };
    let parameters = vec![
        parameter("one", Domain::Int { low: 3, high: 3, log: false }),
        parameter("word", Domain::Categorical { choices: vec!["a".to_string()] }),
    ];
    let space = Space::new("test", "parameter", "odd".into(), parameters).unwrap();
    let points = Arc::new(Points { width: 2, coordinates: vec![0.5; 2] });
    let mut densities = Densities::new(&Arc::new(Shared::new(&space, &points, settings())));
    for trial in 0..40 {
        let mut rng = streams().main();
        let vector = densities.shared.vector(&[0.5, 0.5]);
        densities.learn(TrialId(trial), vector, Epoch(9), 0.0, &mut rng);
    }
    assert!(densities.model.is_none());
}
