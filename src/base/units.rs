//! Newtypes for what must never be mixed up: instants, epochs, rows and trials.

use std::fmt::{self, Display};
use std::ops::{Add, AddAssign};

/// `1 run`, `2 runs`.
pub fn plural<Count: Copy + Display + PartialEq + From<u8>>(count: Count, noun: &str) -> String {
    let ending = if count == Count::from(1) { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

/// Nanoseconds on the simulated clock, counted from the start of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SimTime(pub u64);

impl SimTime {
    /// The start of every run.
    pub const ZERO: Self = Self(0);

    /// The longest span one value may be made from: 100 years of seconds. It leaves room for
    /// thousands of such spans in 64 bits.
    pub const SECONDS_MAX: f64 = 3.2e9;

    /// Seconds to nanoseconds, rounded half to even once. `None` for NaN, negative or longer than
    /// [`Self::SECONDS_MAX`].
    pub fn from_seconds(seconds: f64) -> Option<Self> {
        // Not the same as `seconds < 0.0 || ...`: NaN must fail too.
        if !(0.0..=Self::SECONDS_MAX).contains(&seconds) {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "range checked above"
        )]
        Some(Self((seconds * 1e9).round_ties_even() as u64))
    }

    /// The sum, at most 584 years: where overheads and restarts pile up, a clock stands still
    /// rather than overflow.
    #[must_use]
    pub fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Nanoseconds as seconds, correctly rounded to f64.
    pub fn seconds(self) -> f64 {
        #[expect(
            clippy::cast_precision_loss,
            reason = "nanoseconds below 2^53 are 104 days; beyond, f64 rounds"
        )]
        let ns = self.0 as f64;
        ns / 1e9
    }
}

impl Add for SimTime {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.checked_add(other.0).expect("the simulated clock passed 584 years"))
    }
}

impl AddAssign for SimTime {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl fmt::Display for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.seconds())
    }
}

/// How many epochs have been executed, so also the 1-based number of the latest one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Epoch(pub u16);

impl Epoch {
    /// The position of this epoch in a curve. Epochs count from 1, slices from 0.
    pub fn index(self) -> usize {
        usize::from(self.0) - 1
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A row of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConfigId(pub u32);

impl ConfigId {
    /// The row's position in the table.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for ConfigId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A trial of a run, numbered in the order of their starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrialId(pub u32);

impl TrialId {
    /// The trial's position in the run.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for TrialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_the_singular() {
        assert_eq!([plural(1_u16, "run"), plural(2_usize, "run")], ["1 run", "2 runs"]);
        assert_eq!(plural(0_u32, "row"), "0 rows");
    }

    #[test]
    fn seconds_round_half_to_even_once() {
        assert_eq!(SimTime::from_seconds(1.5e-9), Some(SimTime(2)));
        assert_eq!(SimTime::from_seconds(2.5e-9), Some(SimTime(2)));
        assert_eq!(SimTime::from_seconds(3.000_000_001), Some(SimTime(3_000_000_001)));
    }

    #[test]
    fn senseless_seconds_are_refused() {
        for bad in [f64::NAN, -1e-9, f64::INFINITY, 4e9] {
            assert_eq!(SimTime::from_seconds(bad), None, "{bad}");
        }
        assert_eq!(SimTime::from_seconds(-0.0), Some(SimTime(0)));
    }
}
