//! What trials come to: what ending them early saved and lost, and which is the best.

use curvebook::base::measured::{NOT_MEASURED, is_measured};
use curvebook::methods::interface::State;

use super::{Run, SeenTrial, meets, value};

impl Run<'_> {
    /// The scores of a trial, had it run to its end.
    fn to_its_end(&self, seen: &SeenTrial) -> Vec<f64> {
        let values = &self.table.rows[seen.config as usize].values;
        let fails = |y: &f64| self.rules.stop_on_nan && is_measured(*y) && !y.is_finite();
        let length = values.iter().position(fails).map_or(values.len(), |at| at + 1);
        let score = |y: &f64| if is_measured(*y) { self.sign() * y } else { NOT_MEASURED };
        values[..length].iter().map(score).collect()
    }

    pub(super) fn left_of(&self, seen: &SeenTrial) -> u64 {
        let to = self.to_its_end(seen).len();
        let cost_ns = &self.table.rows[seen.config as usize].cost_ns;
        cost_ns[usize::from(seen.executed)..to].iter().sum()
    }

    pub(super) fn goal_rows(&self) -> (u32, u32) {
        let meets = |curve: &[f64]| meets(value(self.rules.best, curve), self.goals[0]);
        let trials = self.trials.iter().map(|t| &t.seen);
        let met: Vec<_> = trials.filter(|t| meets(&self.to_its_end(t))).collect();
        let lost = |t: &&&SeenTrial| t.state == State::Stopped && !meets(&t.curve);
        (met.len() as u32, met.iter().filter(lost).count() as u32)
    }

    pub(super) fn selected(&self) -> Option<(u32, u16, f64, Option<f64>)> {
        let mut best: Option<(u32, u16, f64, Option<f64>)> = None;
        for trial in self.trials.iter().map(|t| &t.seen) {
            // A running trial counts with its whole epochs.
            let value = value(self.rules.best, &trial.curve);
            if value.is_nan() || best.is_some_and(|(_, _, known, _)| value <= known) {
                continue;
            }
            let first = trial.curve.iter().position(|y| *y == value).unwrap();
            let last = trial.curve.iter().rposition(|y| is_measured(*y)).unwrap();
            let at = if self.rules.best { first } else { last };
            let test = self.table.rows[trial.config as usize].test[at];
            let test = Some(test).filter(|t| !t.is_nan());
            best = Some((trial.config, u16::try_from(at + 1).unwrap(), value, test));
        }
        best
    }
}
