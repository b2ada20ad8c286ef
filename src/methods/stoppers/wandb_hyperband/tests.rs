//! The band rule against W&B's own engine on 116 recorded runs, all of which reach a band before
//! the first of them is judged (`tests/golden/stoppers/make_wandb.py`).

use serde_json::Value;

use super::*;

fn parameters(min_iter: u16, max_iter: u16, s: u16, eta: f64, first_step: u16) -> Parameters {
    let (strict, check) = (Strict::Yes, When::Band);
    Parameters { min_iter, max_iter, s, eta, strict, check, first_step }
}

#[test]
fn bands_by_hand() {
    let first = |p: Parameters| p.bands()[..3].to_vec();
    assert_eq!(first(parameters(30, 0, 3, 1.5, 1)), [30, 45, 67]);
    assert_eq!(first(parameters(30, 0, 3, 1.5, 0)), [31, 46, 68]);
    assert_eq!(first(parameters(3, 0, 3, 3.0, 1)), [3, 9, 27]);
    assert_eq!(first(parameters(3, 81, 3, 3.0, 1)), [3, 9, 27]);
    assert_eq!(parameters(3, 18, 2, 3.0, 1).bands(), [2, 6]);
    // 1, 1.5, 2.25: one band, not two, at 1.
    assert_eq!(first(parameters(1, 0, 3, 1.5, 1)), [1, 2, 3]);
    assert_eq!(parameters(3, 5, 9, 2.0, 1).bands(), [1, 2]);
    assert_eq!(parameters(3, 2, 9, 3.0, 1).bands(), [] as [u16; 0]);
}

/// Of each run at each band of `first_step`: the score there and the best so far.
fn seen(golden: &Value, run: usize, band: usize, first_step: u16) -> (f64, f64) {
    let at = 2 * band + usize::from(1 - first_step);
    let pair = &golden["runs"][run][at];
    (pair[0].as_f64().expect("survivors are long enough"), pair[1].as_f64().unwrap())
}

/// Thresholds, and who is stopped, band by band among those that are left.
fn rounds(golden: &Value, strict: Strict, first_step: u16) -> Vec<(f64, Vec<usize>)> {
    let runs = golden["runs"].as_array().unwrap().len();
    let mut bands = Bands::new([30, 45, 67].into(), 1.5);
    let mut alive: Vec<usize> = (0..runs).collect();
    let mut rounds = Vec::new();
    for band in 0..3 {
        for &run in &alive {
            let (at_band, best) = seen(golden, run, band, first_step);
            let read = bands.of(TrialId(u32::try_from(run).unwrap()));
            (read.best, read.reached) = (best, Some((band, at_band)));
            bands.scores[band].insert(at_band);
        }
        let threshold = bands.threshold(band);
        let is_worse = |run: &usize| bands.is_worse(TrialId(u32::try_from(*run).unwrap()), strict);
        let (stopped, left): (Vec<usize>, Vec<usize>) = alive.into_iter().partition(is_worse);
        rounds.push((threshold, stopped));
        alive = left;
    }
    rounds
}

#[test]
fn it_stops_what_wandb_stops_of_116_recorded_runs() {
    let golden = include_str!("../../../../tests/golden/stoppers/wandb_runs.json");
    let golden: Value = serde_json::from_str(golden).unwrap();
    let counts = |rounds: &[(f64, Vec<usize>)]| -> Vec<usize> {
        rounds.iter().map(|(_, stopped)| stopped.len()).collect()
    };
    for result in golden["results"].as_array().unwrap() {
        let is_strict = result["strict"].as_bool().unwrap();
        let strict = if is_strict { Strict::Yes } else { Strict::No };
        let found = rounds(&golden, strict, 1);
        let wanted: Vec<(f64, Vec<usize>)> = (0..3)
            .map(|at| {
                let round = &result["rounds"][at];
                let stopped = round["stopped"].as_array().unwrap().iter();
                let stopped = stopped.map(|run| usize::try_from(run.as_u64().unwrap()).unwrap());
                (round["threshold"].as_f64().unwrap(), stopped.collect())
            })
            .collect();
        assert_eq!(found, wanted, "strict: {is_strict}");
        let counted: [usize; 3] = if is_strict { [38, 25, 17] } else { [15, 10, 5] };
        assert_eq!(counts(&found), counted);
        // The same numbers with steps counted from 0, as the recorded test has them.
        assert_eq!(counts(&rounds(&golden, strict, 0)), counted);
    }
    let thresholds = rounds(&golden, Strict::Yes, 0).into_iter().map(|(threshold, _)| threshold);
    assert_eq!(thresholds.collect::<Vec<_>>(), [0.323_212, 0.350_818, 0.357_071]);
}
