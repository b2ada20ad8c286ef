use base::stats::holm::holm;

use super::*;
use crate::harness::{Room, Session, check_everywhere};
use crate::interface::{Origin, RunContext, State};
use crate::kit::fixed_histories::{self, bins_of, histories, two_samples};

const GOLDEN: &str = include_str!("../../../../tests/golden/samplers/cqr-syne-tune.json");
/// With scikit-learn's sums as they round.
const ROUNDING: &str =
    include_str!("../../../../tests/golden/samplers/cqr-syne-tune-rounding.json");
/// Those of `make_cqr_golden.py`.
const HISTORIES: [usize; 3] = [9, 2, 8];
const DRAWS: u32 = 300;

/// The p-values of all coordinates after each history, against some golden files.
fn compared(altered: impl Fn(&mut Shared), goldens: &[&str]) -> Vec<Vec<Vec<f64>>> {
    let read = |text: &&str| serde_json::from_str::<Vec<Vec<Vec<u32>>>>(text).unwrap();
    let goldens: Vec<_> = goldens.iter().map(read).collect();
    let mut found = vec![Vec::new(); goldens.len()];
    let all = histories();
    for (place, at) in HISTORIES.iter().enumerate() {
        let history = &all[*at];
        let space = fixed_histories::space();
        let mut shared = Shared {
            space,
            points: Arc::clone(&history.points),
            rules: Rules::SYNE_TUNE,
            start: 5,
            candidates: 2000,
        };
        let told = history.trials.iter().filter(|trial| trial.reported.is_finite());
        let told: Vec<_> = told.filter(|trial| trial.state != State::Running).collect();
        let points: Vec<&[f64]> = told.iter().map(|t| history.points.row(t.config)).collect();
        let losses: Vec<f64> = told.iter().map(|trial| -trial.reported).collect();
        altered(&mut shared);
        let streams = Streams::new(&RunContext { seed: 3, repeat: 0, threads: 1 }, "cqr");
        let drawn: Vec<Vec<f64>> = (0..DRAWS)
            .map(|draw| {
                let fitted = Fitted::new(&shared, &points, &losses, &streams, draw, 1);
                let point = fitted.propose(&mut streams.decision("quantiles", draw));
                settled(&shared.space, point)
            })
            .collect();
        for (golden, found) in goldens.iter().zip(&mut found) {
            let theirs = &golden[place];
            let ours = bins_of(drawn.iter().cloned(), theirs);
            let tests = ours.iter().zip(theirs).filter_map(|(a, b)| two_samples(a, b));
            found.push(tests.collect::<Vec<f64>>());
        }
    }
    found
}

/// The least of Holm's p-values, and how many there are.
fn least(p_values: &[Vec<f64>]) -> (f64, usize) {
    let all = holm(&p_values.concat());
    (all.iter().copied().fold(1.0, f64::min), all.len())
}

#[test]
fn next_proposals_are_syne_tunes() {
    let both = compared(|_| {}, &[GOLDEN, ROUNDING]);
    let (found, count) = least(&both[0]);
    println!("p {found:e} of {count}; as it rounds {:e}", least(&both[1]).0);
    assert!(found > 0.01 && count > 15, "p {found:e} of {count}");
    // Rounding shows after 19 results alone.
    assert!(least(&both[1]).0 < 0.01 && least(&both[1][1..]).0 > 0.01, "{:?}", both[1]);
    let few_candidates = least(&compared(|shared| shared.candidates = 20, &[GOLDEN])[0]).0;
    let few_trees = least(&compared(|shared| shared.rules.trees = 10, &[GOLDEN])[0]).0;
    println!("few candidates {few_candidates:e}, few trees {few_trees:e}");
    assert!(few_candidates < 0.01 && few_trees < 0.01, "{few_candidates:e} {few_trees:e}");
}

#[test]
fn every_row_runs_once_whatever_is_reported() {
    check_everywhere("cqr:trees=2,candidates=10,start=3");
}

#[test]
fn models_begin_with_the_fifth_observation_and_corrections_with_the_33rd() {
    let room = Room::mixed(60, 1);
    let mut session = Session::new(&room, room.sampler("cqr:trees=2", 0), 1);
    for told in 0..8 {
        let found = session.propose();
        assert_eq!(matches!(found, Proposal::Point(_)), told >= 5, "{told}: {found:?}");
        let trial = session.begin(found, Origin::Sampler);
        session.tell(trial, f64::from(told), State::Completed);
    }
    let streams = Streams::new(&RunContext { seed: 3, repeat: 0, threads: 1 }, "cqr");
    let rules = Rules { trees: 3, ..Rules::SYNE_TUNE };
    for (count, is_corrected) in [(32_u8, false), (33, true)] {
        let numbers: Vec<f64> = (0..count).map(|x| f64::from(x % 7)).collect();
        let feature = (0..count).map(f32::from).collect();
        let model = Model::fit(vec![feature], &numbers, &rules, &streams, 0, 1);
        assert_eq!(model.is_corrected(), is_corrected, "{count}");
    }
}

#[test]
fn threads_change_nothing() {
    let space = fixed_histories::space();
    let history = &histories()[8];
    let points: Vec<&[f64]> =
        (0..40).map(|row| history.points.row(base::units::ConfigId(row))).collect();
    let losses: Vec<f64> = points.iter().map(|point| point.iter().sum()).collect();
    let shared = Shared {
        space,
        points: Arc::clone(&history.points),
        rules: Rules { trees: 20, ..Rules::SYNE_TUNE },
        start: 5,
        candidates: 10,
    };
    let streams = Streams::new(&RunContext { seed: 3, repeat: 0, threads: 1 }, "cqr");
    let fit = |threads| Fitted::new(&shared, &points, &losses, &streams, 0, threads);
    assert_eq!(fit(1).model, fit(4).model);
}
