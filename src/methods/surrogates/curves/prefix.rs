//! The beginning of a curve, as a model takes it.

use std::fmt::Write as _;

/// How many epochs must lie above the first for the curve to have left its plateau.
const AHEAD: usize = 5;
/// By how much.
const RISE: f64 = 0.05;

/// What is known of a curve, and up to where it shall be extrapolated.
#[derive(Debug, Clone, PartialEq)]
pub struct Prefix {
    x: Vec<f64>,
    y: Vec<f64>,
    horizon: f64,
}

impl Prefix {
    /// The values of some epochs, in rising order, of a curve that ends at the epoch `horizon`,
    /// without the plateau that it may begin with (pylearningcurvepredictor, `cut_beginning`): it
    /// begins with the first epoch from which on five in a row lie more than 0.05 above the first
    /// value of all, if that is at least six before the end. What begins later begins with epoch 1
    /// again, and the horizon stays where it was, as there.
    pub fn new(epochs: impl IntoIterator<Item = (u16, f64)>, horizon: u16) -> Self {
        let (x, y): (Vec<u16>, Vec<f64>) = epochs.into_iter().unzip();
        let from = plateau(&y);
        let moved = if from == 0 { 0 } else { x[from] - 1 };
        Self {
            x: x[from..].iter().map(|x| f64::from(x - moved)).collect(),
            y: y[from..].to_vec(),
            horizon: f64::from(horizon),
        }
    }

    /// Its epochs, from 1.
    pub fn x(&self) -> &[f64] {
        &self.x
    }

    /// The values there.
    pub fn y(&self) -> &[f64] {
        &self.y
    }

    /// The epoch to extrapolate to.
    pub fn horizon(&self) -> f64 {
        self.horizon
    }

    /// Names the streams of what is drawn for it: equal prefixes have the same, others do not.
    pub(super) fn label(&self, purpose: &str) -> String {
        let mut label = format!("curve/{purpose}/{}", self.horizon);
        for (x, y) in self.x.iter().zip(&self.y) {
            write!(label, "/{x}:{:x}", y.to_bits()).expect("a string takes all");
        }
        label
    }
}

/// How many values are cut off.
fn plateau(y: &[f64]) -> usize {
    let has_left =
        |from: &usize| y[*from..*from + AHEAD].iter().all(|y_ahead| y_ahead - y[0] > RISE);
    (0..y.len().saturating_sub(AHEAD)).find(has_left).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(y: &[f64]) -> Prefix {
        Prefix::new((1..).zip(y.iter().copied()), 30)
    }

    #[test]
    fn a_plateau_is_cut_off_where_six_epochs_are_left() {
        let rising = [0.1, 0.12, 0.3, 0.4, 0.5, 0.55, 0.56, 0.57];
        let cut = prefix(&rising);
        assert_eq!((cut.x(), cut.y()), (&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0][..], &rising[2..]));
        assert_eq!(cut.horizon(), 30.0);
        // Five that lie above it and nothing after them are too few.
        assert_eq!(prefix(&rising[..7]).y(), &rising[..7]);
        // One of the five not above it, and one exactly 0.05 above 0.
        assert_eq!(prefix(&[0.1, 0.3, 0.3, 0.15, 0.3, 0.3, 0.3, 0.3]).y().len(), 8);
        assert_eq!(prefix(&[0.0, 0.05, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3]).y().len(), 6);
        assert_eq!(prefix(&[]).x(), &[] as &[f64]);
    }

    #[test]
    fn gaps_stay_gaps() {
        let epochs = [2, 3, 5, 6, 8, 9, 10, 12].into_iter();
        let flat = Prefix::new(epochs.clone().map(|x| (x, 0.5)), 12);
        assert_eq!(flat.x(), [2.0, 3.0, 5.0, 6.0, 8.0, 9.0, 10.0, 12.0]);
        let rising = Prefix::new(epochs.map(|x| (x, if x < 5 { 0.1 } else { 0.5 })), 12);
        assert_eq!(rising.x(), [1.0, 2.0, 4.0, 5.0, 6.0, 8.0]);
    }

    #[test]
    fn names_are_of_all_that_it_is() {
        let one = prefix(&[0.1, 0.2]).label("moves");
        assert_eq!(one, prefix(&[0.1, 0.2]).label("moves"));
        let shifted = Prefix::new([(1, 0.1), (3, 0.2)], 30).label("moves");
        let longer = Prefix::new([(1, 0.1), (2, 0.2)], 31).label("moves");
        let others = [prefix(&[0.1, 0.3]).label("moves"), prefix(&[0.1, 0.2]).label("start")];
        assert!(others.iter().chain([&shifted, &longer]).all(|other| *other != one));
    }
}
