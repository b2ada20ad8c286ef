//! Decision by decision what Optuna and Syne Tune decide, on recorded histories with ties, NaN and
//! gaps: `tests/golden/schedulers` holds the scripts and what came out of them.

use std::fmt::Write;
use std::path::Path;

use curvebook::base::measured::NOT_MEASURED;
use curvebook::base::units::SimTime;
use curvebook::methods::interface::{RunContext, Scheduler, State, resolve};
use curvebook::methods::schedulers;
use curvebook::replay::{Outcome, Pool, Settings};
use serde::Deserialize;

use crate::replay_common::{Curve, InOrder, accuracy, context, loss, pool, replay_with};

const CODES: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz*+";
const COSTS: [u64; 5] = [2, 3, 5, 4, 7];

/// A case as `simulate.py` describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    scheduler: String,
    workers: u32,
    budget_ns: Option<u64>,
    minimise: bool,
    curves: Vec<String>,
    segments: String,
}

impl Case {
    fn value(&self, code: char) -> f64 {
        let score = match code {
            '_' => return NOT_MEASURED,
            '!' => return f64::NAN,
            code => CODES.find(code).unwrap() as f64 / 64.0,
        };
        if self.minimise { 1.0 - score } else { score }
    }

    fn pool(&self) -> Pool {
        let curve = |(row, codes): (usize, &String)| -> Curve {
            let values: Vec<f64> = codes.chars().map(|code| self.value(code)).collect();
            let costs = vec![COSTS[row % 5]; values.len()];
            (values, costs)
        };
        let curves: Vec<Curve> = self.curves.iter().enumerate().map(curve).collect();
        let guess = 8.0 / 64.0;
        let metric = if self.minimise { loss(Some(1.0 - guess)) } else { accuracy(Some(guess)) };
        pool(&metric, self.curves[0].len() as u16, &curves)
    }

    fn replay(&self) -> Outcome {
        let pool = self.pool();
        let budget = self.budget_ns.map(SimTime);
        let settings = Settings { workers: self.workers, budget, ..Settings::default() };
        let scheduler = scheduler(&pool, &self.scheduler);
        let never = if self.minimise { "-7" } else { "7" };
        replay_with(&pool, &settings, &[never], InOrder::default(), scheduler, None)
    }
}

fn scheduler(pool: &Pool, text: &str) -> Box<dyn Scheduler> {
    let method = resolve("--scheduler", text, schedulers::REGISTRY).unwrap();
    method.build(&context(pool)).unwrap()(&RunContext { seed: 0, repeat: 0, threads: 1 })
}

/// As `simulate.py` writes them.
fn segments(outcome: &Outcome) -> String {
    let mut text = String::new();
    for s in &outcome.segments {
        let space = if text.is_empty() { "" } else { " " };
        let end = match s.end_state {
            State::Completed => 'c',
            State::Stopped => 's',
            State::Paused => 'p',
            State::Cut => 'x',
            other => panic!("{other:?}"),
        };
        let (trial, worker, start, until) = (s.trial, s.worker, s.start.0, s.end.0);
        let (first, last) = (s.epoch_first, s.epochs);
        write!(text, "{space}{trial}.{worker}.{start}.{until}.{first}.{last}{end}").unwrap();
    }
    text
}

fn cases(file: &str) -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/schedulers").join(file);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Replays every case of a file; how many decisions were compared, by how they ended.
fn check(file: &str) -> [usize; 4] {
    let mut counts = [0; 4];
    for (at, case) in cases(file).iter().enumerate() {
        let found = segments(&case.replay());
        let pairs = found.split(' ').zip(case.segments.split(' ')).enumerate();
        for (segment, (found, wanted)) in pairs {
            let place = format!("{file} {at}: {}: segment {segment}", case.scheduler);
            assert_eq!(found, wanted, "{place}");
        }
        assert_eq!(found.len(), case.segments.len(), "{file} {at}: {}", case.scheduler);
        for (count, end) in counts.iter_mut().zip(["c", "s", "p", "x"]) {
            *count += found.matches(end).count();
        }
    }
    counts
}

/// A comparison that anything passes shows nothing.
#[test]
fn another_cutoff_or_another_rounding_decides_otherwise() {
    let cases = cases("syne-tune-0.14.json");
    for (word, other) in [
        ("cutoff=quantile", "cutoff=rank"),
        ("cutoff=quantile", "cutoff=floor"),
        ("arithmetic=kerastuner", "arithmetic=formula"),
        ("free=begin", "free=wait"),
        ("pasha:", "asha:"),
    ] {
        let changed = cases.iter().filter(|case| case.scheduler.contains(word));
        let changed: Vec<_> = changed
            .filter(|case| word != "cutoff=quantile" || case.scheduler.starts_with("asha"))
            .map(|case| Case { scheduler: case.scheduler.replace(word, other), ..case.clone() })
            .collect();
        let differ = changed.iter().filter(|case| segments(&case.replay()) != case.segments);
        let (all, differ) = (changed.len(), differ.count());
        assert!(differ >= 2 && 2 * differ > all, "{other}: {differ} of {all}");
    }
}

#[test]
fn optunas_pruners_decide_alike() {
    let [completed, stopped, ..] = check("optuna.json");
    assert!(completed > 50 && stopped > 350, "{completed} {stopped}");
}

#[test]
fn syne_tune_of_0_16_decides_alike() {
    let [completed, stopped, ..] = check("syne-tune-0.16.json");
    assert!(completed > 40 && stopped > 150, "{completed} {stopped}");
}

#[test]
fn syne_tune_of_0_14_decides_alike() {
    let [completed, stopped, paused, cut] = check("syne-tune-0.14.json");
    assert!(completed > 60 && stopped > 140 && paused > 700, "{completed} {stopped} {paused}");
    assert!(cut > 5, "{cut}");
}
