//! The histories of `make_tpe_golden.py`, and how proposals from them are compared: for the tests
//! of samplers that are held against a peer from fixed histories.

use std::sync::Arc;

use base::space::{Condition, Domain, Literal, Parameter, Space, Value};
use base::units::{ConfigId, Epoch, SimTime, TrialId};
use serde_json::Value as Json;

use super::encoding::activity;
use crate::interface::{EpochScore, Past, Points, RowOrder, State, Trial, View};

const HISTORIES: &str = include_str!("../../../tests/golden/samplers/tpe-histories.json");

/// The space of `make_tpe_golden.py`.
pub(crate) fn space() -> Space {
    let parameter = |name: &str, domain| Parameter { name: name.into(), domain, condition: None };
    let float = |low, high, log| Domain::Float { low, high, log };
    let int = |low, high, log| Domain::Int { low, high, log };
    let choices = ["0", "1", "2"].map(String::from).to_vec();
    let condition =
        Condition::In { name: "choice".into(), values: vec![Literal::Text("1".to_string())] };
    let parameters = vec![
        parameter("real", float(0.0, 1.0, false)),
        parameter("log", float(1e-4, 0.5, true)),
        parameter("few", int(2, 10, false)),
        parameter("many", int(1, 350, false)),
        parameter("int_log", int(1, 350, true)),
        parameter("choice", Domain::Categorical { choices }),
        Parameter { condition: Some(condition), ..parameter("momentum", float(0.0, 1.0, false)) },
    ];
    Space::new("test", "parameter", "tpe".into(), parameters).unwrap()
}

/// A run up to some instant: trial `i` runs row `i`.
pub(crate) struct History {
    pub(crate) points: Arc<Points>,
    pub(crate) trials: Vec<Trial>,
    scores: Vec<EpochScore>,
    starts: Vec<usize>,
}

impl History {
    fn read(json: &Json) -> Self {
        let (space, mut history) = (space(), Self::new(7));
        for trial in json.as_array().unwrap() {
            let values = trial[4].as_array().unwrap();
            let coordinates = space.parameters.iter().zip(values).map(|(parameter, value)| {
                let Some(stored) = value.as_u64() else { return 0.5 };
                let whole = u32::try_from(stored).unwrap();
                let native = match &parameter.domain {
                    Domain::Float { .. } => return f64::from(whole) / 1000.0,
                    Domain::Categorical { .. } => Value::Choice(whole as usize),
                    _ => Value::Int(i64::from(whole)),
                };
                parameter.to_unit(native)
            });
            let step = u16::try_from(trial[2].as_u64().unwrap()).unwrap();
            let score = trial[1].as_f64().unwrap_or(f64::NAN);
            let (state, executed) = match trial[0].as_str().unwrap() {
                "complete" => (State::Completed, 9),
                "running" => (State::Running, 0),
                "failed" => (State::Failed, 2),
                _ => (State::Stopped, step),
            };
            let last = if trial[3].as_bool().unwrap() {
                EpochScore::measured(score)
            } else {
                EpochScore::NOT_MEASURED
            };
            let reported = if state == State::Failed { f64::NAN } else { score };
            history.push(&coordinates.collect::<Vec<_>>(), state, executed, last, reported);
        }
        history
    }

    pub(crate) fn new(width: usize) -> Self {
        let points = Arc::new(Points { width, coordinates: Vec::new() });
        Self { points, trials: Vec::new(), scores: Vec::new(), starts: Vec::new() }
    }

    pub(crate) fn push(
        &mut self,
        at: &[f64],
        state: State,
        executed: u16,
        last: EpochScore,
        reported: f64,
    ) {
        Arc::get_mut(&mut self.points).unwrap().coordinates.extend_from_slice(at);
        self.starts.push(self.scores.len());
        let mut curve = vec![EpochScore::NOT_MEASURED; 9];
        if executed > 0 {
            curve[usize::from(executed) - 1] = last;
        }
        self.scores.extend(curve);
        self.trials.push(Trial {
            config: ConfigId(u32::try_from(self.trials.len()).unwrap()),
            curve_repeat: 0,
            bracket: 0,
            state,
            executed: Epoch(executed),
            until: Epoch(9),
            last_epoch: Epoch(9),
            value: reported,
            reported,
            point: None,
            snap_distance: None,
            segment_start: SimTime(0),
            charged: SimTime(0),
        });
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = TrialId> + use<> {
        (0..u32::try_from(self.trials.len()).unwrap()).map(TrialId)
    }

    pub(crate) fn view<'a>(&'a self, order: &'a RowOrder) -> View<'a> {
        View {
            now: SimTime(0),
            workers: 1,
            epochs: Epoch(9),
            chance: None,
            gain_offset: 0.0,
            goal: None,
            budget: None,
            trials_max: None,
            past: Past::new(order, &self.trials, &[], &self.scores, &self.starts),
        }
    }
}

pub(crate) fn histories() -> Vec<History> {
    let all: Vec<Json> = serde_json::from_str(HISTORIES).unwrap();
    all.iter().map(History::read).collect()
}

/// Which of `bins` equal bins.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "few bins"
)]
fn bin(u: f64, bins: usize) -> usize {
    ((u * bins as f64) as usize).min(bins - 1)
}

/// The probability that a chi-squared variable exceeds `x`, by the series of the lower incomplete
/// gamma function, or by its continued fraction where that is the shorter.
fn chi_squared_tail(x: f64, degrees: f64) -> f64 {
    let (a, x) = (degrees / 2.0, x / 2.0);
    if x <= 0.0 {
        return 1.0;
    }
    let scale = libm::exp(a * libm::log(x) - x - libm::lgamma(a));
    if x < a + 1.0 {
        let (mut term, mut sum) = (1.0 / a, 1.0 / a);
        let mut n = a;
        while term > 1e-16 * sum {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        return 1.0 - scale * sum;
    }
    let fraction = (1..200)
        .rev()
        .map(f64::from)
        .fold(0.0, |below, n| n * (n - a) / (x + 2.0 * n + 1.0 - a - below));
    scale / (x + 1.0 - a - fraction)
}

#[test]
fn chi_squared_tails_are_scipys() {
    // scipy 1.17.1: chi2.sf(x, degrees).
    let cases = [
        (3.0, 1.0, 0.083_264_516_663_550_42),
        (19.0, 19.0, 0.456_836_125_591_962_24),
        (60.0, 19.0, 3.869_826_300_664_181e-6),
        (1.0, 8.0, 0.998_248_377_443_709_2),
    ];
    for (x, degrees, expected) in cases {
        assert!((chi_squared_tail(x, degrees) / expected - 1.0).abs() < 1e-9, "{x} {degrees}");
    }
}

/// The p-value of two samples in the same bins; bins with fewer than 10 of both are one bin. `None`
/// where a single bin is left.
pub(crate) fn two_samples(ours: &[u32], theirs: &[u32]) -> Option<f64> {
    let (mut cells, mut rest) = (Vec::new(), (0.0, 0.0));
    for (a, b) in ours.iter().zip(theirs).map(|(a, b)| (f64::from(*a), f64::from(*b))) {
        if a + b < 10.0 {
            rest = (rest.0 + a, rest.1 + b);
        } else {
            cells.push((a, b));
        }
    }
    if rest.0 + rest.1 >= 10.0 {
        cells.push(rest);
    }
    let totals = cells.iter().fold((0.0, 0.0), |sum, cell| (sum.0 + cell.0, sum.1 + cell.1));
    if cells.len() < 2 || totals.0 == 0.0 || totals.1 == 0.0 {
        return None;
    }
    let ratio = libm::sqrt(totals.1 / totals.0);
    let terms = cells.iter().map(|(a, b)| {
        let off = a * ratio - b / ratio;
        off * off / (a + b)
    });
    let degrees = f64::from(u32::try_from(cells.len() - 1).unwrap());
    Some(chi_squared_tail(terms.sum(), degrees))
}

/// Some points as counts in the bins of a golden file; parameters that play no part are not
/// counted.
pub(crate) fn bins_of(points: impl Iterator<Item = Vec<f64>>, like: &[Vec<u32>]) -> Vec<Vec<u32>> {
    let mut found: Vec<Vec<u32>> = like.iter().map(|bins| vec![0; bins.len()]).collect();
    let space = space();
    for point in points {
        let active = activity(&space, &point);
        for ((found, u), _) in found.iter_mut().zip(&point).zip(active).filter(|(_, a)| *a) {
            let bins = found.len();
            found[bin(*u, bins)] += 1;
        }
    }
    found
}
