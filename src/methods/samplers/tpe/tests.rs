use base::space::{Domain, Parameter, Space};
use base::stats::holm::holm;
use base::units::ConfigId;

use super::*;
use crate::interface::{EpochScore, RowOrder, RunContext, State};
use crate::kit::encoding::{activity, settled};
use crate::kit::fixed_histories::{History, bins_of, histories, space, two_samples};
use crate::kit::rows::first_argmax;
use crate::surrogates::parzen::{Parzen, Scale};

const OPTUNA_4: &str = include_str!("../../../../tests/golden/samplers/tpe-optuna4.json");
const OPTUNA_5: &str = include_str!("../../../../tests/golden/samplers/tpe-optuna5.json");
const HYPEROPT: &str = include_str!("../../../../tests/golden/samplers/tpe-hyperopt.json");

/// Proposals a history, ours and theirs.
const PROPOSALS: u32 = 500;

/// The model of a history.
fn model_of(history: &History, shared: &Arc<Shared>) -> Model {
    let order = RowOrder::empty();
    let view = history.view(&order);
    let mut model = Model::new(shared);
    for trial in history.ids() {
        model.start(trial, view.trial(trial).config);
    }
    for trial in history.ids().filter(|trial| view.trial(*trial).state != State::Running) {
        model.tell(&view, trial);
    }
    model
}

/// Our proposals as counts in the bins of the file.
fn counts(history: &History, whose: (Peer, usize), theirs: &[Vec<u32>]) -> Vec<Vec<u32>> {
    let mut shared = Shared::new(&space(), &history.points, whose.0);
    shared.candidates = whose.1;
    let mut model = model_of(history, &Arc::new(shared));
    assert!(model.learn(), "a history long enough");
    let streams = Streams::new(&RunContext { seed: 8, repeat: 0, threads: 1 }, "tpe");
    let points =
        (0..PROPOSALS).map(|draw| model.propose(&mut streams.decision("candidates", draw)));
    bins_of(points, theirs)
}

/// The least of Holm's p-values over all coordinates and histories of a file, and how many.
fn least(golden: &str, every: usize, whose: (Peer, usize)) -> (f64, usize) {
    let theirs: Vec<Vec<Vec<u32>>> = serde_json::from_str(golden).unwrap();
    let mut p_values = Vec::new();
    for (history, theirs) in histories().into_iter().zip(theirs).step_by(every) {
        let ours = counts(&history, whose, &theirs);
        p_values.extend(ours.iter().zip(&theirs).filter_map(|(a, b)| two_samples(a, b)));
    }
    let least = holm(&p_values).into_iter().fold(1.0, f64::min);
    (least, p_values.len())
}

/// Holds a variant to a file, and shows that one of the constants altered is noticed.
fn check(peer: Peer, golden: &str, others: &[(&str, Peer, usize)]) {
    let (found, count) = least(golden, 1, (peer, 24));
    assert!(found > 0.01 && count > 90, "{peer:?}: p {found:e} of {count}");
    for (what, peer, candidates) in others {
        let (found, _) = least(golden, 5, (*peer, *candidates));
        assert!(found < 0.01, "{what} goes unnoticed: p {found}");
    }
}

#[test]
fn next_proposals_are_optuna_4s() {
    let others = [
        ("12 candidates", Peer::Optuna4, 12),
        ("Optuna 5's", Peer::Optuna5, 24),
        ("hyperopt's", Peer::Hyperopt, 24),
    ];
    check(Peer::Optuna4, OPTUNA_4, &others);
}

#[test]
fn next_proposals_are_optuna_5s() {
    let others = [("12 candidates", Peer::Optuna5, 12), ("Optuna 4's", Peer::Optuna4, 24)];
    check(Peer::Optuna5, OPTUNA_5, &others);
}

#[test]
fn next_proposals_are_hyperopts() {
    let others = [("12 candidates", Peer::Hyperopt, 12), ("Optuna 4's", Peer::Optuna4, 24)];
    check(Peer::Hyperopt, HYPEROPT, &others);
}

#[test]
fn the_pools_row_is_that_of_the_definition() {
    let rng = &mut Streams::new(&RunContext { seed: 3, repeat: 0, threads: 1 }, "test").main();
    let space = space();
    let scales: Vec<Scale> = space.parameters.iter().map(Scale::of).collect();
    for (at, mut history) in histories().into_iter().enumerate().take(12) {
        // 200 free rows after those of the trials.
        let known = history.trials.len();
        let more = (0..200).flat_map(|_| {
            let point: Vec<f64> = (0..7).map(|_| rand::RngExt::random(rng)).collect();
            settled(&space, &point)
        });
        let more: Vec<f64> = more.collect();
        Arc::get_mut(&mut history.points).unwrap().coordinates.extend(more);
        let peer = [Peer::Optuna4, Peer::Hyperopt][at % 2];
        let shared = Arc::new(Shared::new(&space, &history.points, peer));
        let mut model = model_of(&history, &shared);
        assert!(model.learn());
        let count = u32::try_from(known + 200).unwrap();
        let found = pool::Rows::new(&shared, count).scores(&shared, &mut model);

        let active = |row: u32| activity(&space, history.points.row(ConfigId(row)));
        let side = |trials: &[u32], at: usize| -> Parzen {
            let with = trials.iter().filter(|t| active(**t)[at]);
            let observed: Vec<f64> = with.map(|t| history.points.row(ConfigId(*t))[at]).collect();
            match peer {
                Peer::Hyperopt => Parzen::hyperopt(scales[at], &observed),
                _ => Parzen::optuna(&[scales[at]], &[observed]),
            }
        };
        let (below, above) = model.sides();
        let mut expected = vec![0.0; count as usize];
        for at in 0..7 {
            let (l, g) = (side(&below, at), side(&above, at));
            for (row, score) in (0..).zip(&mut expected).filter(|(row, _)| active(*row)[at]) {
                let u = history.points.row(ConfigId(row))[at];
                *score += l.log_density(&[u]) - g.log_density(&[u]);
            }
        }
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-9, "{peer:?}: {found}, not {expected}");
        }
        let best = |scores: &[f64]| first_argmax(scores[known..].to_vec());
        assert_eq!(best(&found), best(&expected));
    }
}

#[test]
fn odd_spaces_and_histories_have_proposals() {
    let parameter = |name: &str, domain| Parameter { name: name.into(), domain, condition: None };
    let parameters = vec![
        parameter("one", Domain::Int { low: 3, high: 3, log: false }),
        parameter("fixed", Domain::Float { low: 0.5, high: 0.5, log: false }),
        parameter("word", Domain::Categorical { choices: vec!["a".to_string()] }),
        parameter("x", Domain::Float { low: 0.0, high: 1.0, log: false }),
    ];
    let space = Space::new("test", "parameter", "odd".into(), parameters).unwrap();
    for peer in [Peer::Optuna4, Peer::Optuna5, Peer::Hyperopt] {
        // Nothing but NaN, nothing but equal scores at equal places, nothing measured at all.
        for (state, score) in [
            (State::Stopped, EpochScore::measured(f64::NAN)),
            (State::Completed, EpochScore::measured(0.5)),
            (State::Stopped, EpochScore::NOT_MEASURED),
        ] {
            let mut history = History::new(4);
            for _ in 0..30 {
                let reported = score.number().unwrap_or(f64::NAN);
                history.push(&[0.5, 0.5, 0.5, 1.0], state, 9, score, reported);
            }
            let shared = Arc::new(Shared::new(&space, &history.points, peer));
            let mut model = model_of(&history, &shared);
            assert!(model.learn(), "{peer:?} {state:?} {score:?}");
            let streams = Streams::new(&RunContext { seed: 1, repeat: 0, threads: 1 }, "tpe");
            let point = model.propose(&mut streams.decision("candidates", 30));
            assert_eq!(point[..3], [0.5; 3]);
            assert!((0.0..=1.0).contains(&point[3]));
            assert_eq!(point, model.clone().propose(&mut streams.decision("candidates", 30)));
        }
    }
    // Below the number of trials that it starts with there is no density.
    let shared = Arc::new(Shared::new(&space, &History::new(4).points, Peer::Optuna4));
    assert!(!Model::new(&shared).learn());
}
