//! What an executed epoch recorded.

use std::fmt;

use base::measured::{self, NOT_MEASURED};

/// What an executed epoch recorded: a score; or that training had diverged (NaN or an infinity in
/// the table); or nothing, where the table has null. An epoch that was not measured is no value: it
/// stops nothing, meets no goal and is passed over. That cannot be forgotten, since there is no
/// way to a number but through [`EpochScore::number`] and the methods of [`super::View`], which
/// answer `None` there.
#[derive(Clone, Copy, PartialEq)]
#[repr(transparent)]
pub struct EpochScore(f64);

impl EpochScore {
    /// An epoch that was not measured.
    pub const NOT_MEASURED: Self = Self(NOT_MEASURED);

    /// What was measured: a score, or a number that is not finite where training had diverged.
    #[inline]
    pub const fn measured(score: f64) -> Self {
        // A NaN that came in as the reserved one was measured all the same.
        if measured::is_measured(score) { Self(score) } else { Self(f64::NAN) }
    }

    /// The finite score; `None` where training had diverged, and where nothing was measured.
    #[inline]
    pub const fn number(self) -> Option<f64> {
        if self.0.is_finite() { Some(self.0) } else { None }
    }

    /// Whether anything was measured, if only that training had diverged.
    #[inline]
    pub const fn is_measured(self) -> bool {
        measured::is_measured(self.0)
    }

    /// Whether training had diverged.
    #[inline]
    pub const fn is_diverged(self) -> bool {
        measured::is_diverged(self.0)
    }
}

/// True of an equal number; never of NaN.
impl PartialEq<f64> for EpochScore {
    fn eq(&self, other: &f64) -> bool {
        self.0 == *other
    }
}

impl fmt::Debug for EpochScore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_measured() { self.0.fmt(f) } else { f.write_str("null") }
    }
}
