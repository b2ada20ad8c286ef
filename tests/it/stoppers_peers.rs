//! The rules against the code that they come from, decision by decision: on 1,000 random
//! experiments with NaN, gaps, ties, crashes and early ends, one to three workers, both directions
//! (`tests/golden/stoppers`, with a script a peer).

use curvebook::base::measured::NOT_MEASURED;
use curvebook::base::space::{Direction, Metric, Value};
use curvebook::base::units::Epoch;
use curvebook::methods::interface::State;
use curvebook::replay::{Pool, RecordedCurve, RecordedRow, Settings};
use serde_json::Value as Json;

use crate::replay_common::{InOrder, fifo, line_space, replay_with, stopper};

const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// An experiment of `histories.json`.
struct Study {
    pool: Pool,
    workers: u32,
}

fn digit(symbol: char) -> usize {
    DIGITS.find(symbol).unwrap_or_else(|| panic!("{symbol} is no digit"))
}

/// `-` is 0; what a golden says of the epoch after which a trial was stopped, or is complete.
fn epoch_symbol(epoch: u16) -> char {
    if epoch == 0 { '-' } else { DIGITS.chars().nth(usize::from(epoch) - 1).unwrap() }
}

fn study(json: &Json, scales: &Json) -> Study {
    let text = |name: &str| json[name].as_str().unwrap();
    let scale = scales[text("scale")].as_array().unwrap();
    let value = |level: usize| scale[level].as_f64().unwrap();
    let decode = |symbol: char| match symbol {
        '.' => NOT_MEASURED,
        '!' => f64::NAN,
        symbol => value(digit(symbol)),
    };
    let curves = json["curves"].as_array().unwrap().iter();
    let values: Vec<Vec<f64>> =
        curves.map(|curve| curve.as_str().unwrap().chars().map(decode).collect()).collect();
    let costs = text("costs").chars().map(|cost| u64::from(cost.to_digit(10).unwrap()));
    let costs: Vec<Vec<u64>> =
        costs.zip(&values).map(|(cost, curve)| vec![cost; curve.len()]).collect();
    let rows = values.iter().zip(&costs).zip(text("last").chars());
    let rows = rows.map(|((values, cost_ns), last)| RecordedRow {
        curves: vec![RecordedCurve { values, cost_ns, ..RecordedCurve::default() }],
        setup_ns: 0,
        last_epoch: (last != '-').then(|| Epoch(digit(last) as u16 + 1)),
    });
    let goal = if json["minimise"] == true { Direction::Minimize } else { Direction::Maximize };
    let chance = json["chance"].as_u64().map(|level| value(level as usize));
    let metric = Metric { name: "y".into(), goal, chance };
    let epochs = Epoch(json["epochs"].as_u64().unwrap() as u16);
    let count = values.len() as f64;
    let configs: Vec<Vec<Value>> =
        (0..values.len()).map(|row| vec![Value::Float((row as f64 + 0.5) / count)]).collect();
    let pool = Pool::with_rows("golden", &metric, &line_space(), epochs, &configs, rows).unwrap();
    Study { pool, workers: json["workers"].as_u64().unwrap() as u32 }
}

fn studies() -> Vec<Study> {
    let all: Json =
        serde_json::from_str(include_str!("../golden/stoppers/histories.json")).unwrap();
    let list = all["studies"].as_array().unwrap().iter();
    list.map(|json| study(json, &all["scales"])).collect()
}

/// The epochs after which a rule stops the trials, as a golden has them.
fn ends(study: &Study, rule: &str) -> String {
    let Study { pool, workers } = study;
    let settings = Settings { workers: *workers, ..Settings::default() };
    let goal = pool.value_of(1e9).to_string();
    let outcome = replay_with(pool, &settings, &[&goal], InOrder(0), fifo(), stopper(pool, rule));
    let mut symbols = vec![' '; pool.rows() as usize];
    for segment in &outcome.segments {
        let stopped = segment.end_state == State::Stopped;
        symbols[segment.config.index()] = epoch_symbol(if stopped { segment.epochs.0 } else { 0 });
    }
    symbols.into_iter().collect()
}

/// Every decision of every result of a golden file.
#[track_caller]
fn check(golden: &str, rules: usize) {
    let studies = studies();
    let golden: Json = serde_json::from_str(golden).unwrap();
    let results = golden["results"].as_array().unwrap();
    assert_eq!(results.len(), rules);
    for result in results {
        let rule = result["rule"].as_str().unwrap();
        let every = result["every"].as_u64().unwrap() as usize;
        let wanted = result["ends"].as_array().unwrap();
        assert_eq!(wanted.len(), studies.len().div_ceil(every), "{rule}");
        let (mut stopped, mut went_on) = (0, 0);
        for (at, (study, wanted)) in studies.iter().step_by(every).zip(wanted).enumerate() {
            let (found, wanted) = (ends(study, rule), wanted.as_str().unwrap());
            assert_eq!(found, wanted, "{rule}: experiment {}", at * every);
            let others = wanted.matches('-').count();
            (stopped, went_on) = (stopped + wanted.len() - others, went_on + others);
        }
        assert!(stopped > 300 && went_on > 800, "{rule}: {stopped} and {went_on} decide little");
    }
}

#[test]
fn optunas_pruners_decide_the_same() {
    check(include_str!("../golden/stoppers/optuna.json"), 14);
}

#[test]
fn syne_tunes_median_rule_decides_the_same() {
    check(include_str!("../golden/stoppers/syne_tune.json"), 3);
}

#[test]
fn rays_median_rule_decides_the_same() {
    check(include_str!("../golden/stoppers/ray.json"), 3);
}

#[test]
fn nnis_median_assessor_decides_the_same() {
    check(include_str!("../golden/stoppers/nni.json"), 2);
}

#[test]
fn wandbs_band_rule_decides_the_same() {
    check(include_str!("../golden/stoppers/wandb.json"), 5);
}

/// Of Vizier and of AWS's rule there is a text alone, DEEP-BO's source was read: both written out.
#[test]
fn rules_without_code_decide_as_their_text_says() {
    check(include_str!("../golden/stoppers/texts.json"), 7);
}

/// Our own rule is held against its own text, written out a second time.
#[test]
fn adaptive_decides_as_its_text_says() {
    check(include_str!("../golden/stoppers/adaptive.json"), 1);
}
