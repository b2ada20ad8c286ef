//! How the values of a parameter lie on its coordinate.

use base::space::{Domain, Parameter};

/// How the values of a parameter lie on its coordinate in 0..1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scale {
    /// Every number is a value.
    Real,
    /// Equal bins: whole numbers, and ordered lists of numbers.
    Even { count: f64 },
    /// Whole numbers on the logarithm: `v` has the bin from `ln(v - 1/2)` to `ln(v + 1/2)`.
    Logarithmic { low: f64, high: f64 },
    /// Choices without an order, in equal bins.
    Choices { count: usize },
}

impl Scale {
    /// That of a parameter.
    #[expect(clippy::cast_precision_loss, reason = "ranges of ints stay below 2^53")]
    pub fn of(parameter: &Parameter) -> Self {
        match &parameter.domain {
            Domain::Float { .. } => Self::Real,
            Domain::Int { low, high, log: false } => Self::Even { count: (high - low + 1) as f64 },
            Domain::Int { low, high, log: true } => {
                Self::Logarithmic { low: *low as f64, high: *high as f64 }
            }
            Domain::Ordinal { values } => Self::Even { count: values.len() as f64 },
            Domain::Categorical { choices } => Self::Choices { count: choices.len() },
        }
    }

    /// The ends of the bin of a coordinate; `None` where every number is a value.
    pub(super) fn bin(self, u: f64) -> Option<(f64, f64)> {
        match self {
            Self::Real => None,
            Self::Even { count } => {
                let at = place(u, count);
                Some((at / count, (at + 1.0) / count))
            }
            Self::Logarithmic { low, high } => {
                let value = nearest(u, low, high);
                Some((edge(value - 0.5, low, high), edge(value + 0.5, low, high)))
            }
            Self::Choices { .. } => unreachable!("choices have no kernels of numbers"),
        }
    }

    /// The coordinate of the value that a coordinate stands for.
    pub(super) fn settled(self, u: f64) -> f64 {
        match self {
            Self::Real => u,
            Self::Even { count } => (place(u, count) + 0.5) / count,
            Self::Logarithmic { low, high } => edge(nearest(u, low, high), low, high),
            Self::Choices { .. } => self.middle_of_choice(self.choice(u)),
        }
    }

    /// The choice of a coordinate.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place among some choices"
    )]
    pub(super) fn choice(self, u: f64) -> usize {
        let Self::Choices { count } = self else { unreachable!("numbers are no choices") };
        place(u, count as f64) as usize
    }

    /// The coordinate of a choice.
    #[expect(clippy::cast_precision_loss, reason = "a place among some choices")]
    pub(super) fn middle_of_choice(self, choice: usize) -> f64 {
        let Self::Choices { count } = self else { unreachable!("numbers are no choices") };
        (choice as f64 + 0.5) / count as f64
    }
}

/// Which of `count` equal bins a coordinate falls into.
fn place(u: f64, count: f64) -> f64 {
    assert!(!u.is_nan(), "a coordinate is a number");
    (u * count).floor().clamp(0.0, count - 1.0)
}

/// The whole number of a coordinate on the logarithm.
fn nearest(u: f64, low: f64, high: f64) -> f64 {
    assert!(!u.is_nan(), "a coordinate is a number");
    let (first, last) = (libm::log(low - 0.5), libm::log(high + 0.5));
    libm::rint(libm::exp(first + (last - first) * u)).clamp(low, high)
}

/// The coordinate of a number on that logarithm.
fn edge(value: f64, low: f64, high: f64) -> f64 {
    let (first, last) = (libm::log(low - 0.5), libm::log(high + 0.5));
    (libm::log(value) - first) / (last - first)
}

#[cfg(test)]
mod tests {
    use base::space::Value;

    use super::*;

    #[test]
    fn coordinates_settle_where_a_table_has_their_values() {
        let domains = [
            Domain::Int { low: 2, high: 10, log: false },
            Domain::Int { low: 1, high: 350, log: true },
            Domain::Categorical { choices: ["a", "b", "c"].map(String::from).to_vec() },
        ];
        for domain in domains {
            let parameter = Parameter { name: "x".into(), domain, condition: None };
            let scale = Scale::of(&parameter);
            for step in 0..=1000 {
                let u = f64::from(step) / 1000.0;
                let value: Value = parameter.from_unit(u);
                let expected = parameter.to_unit(value);
                assert!((scale.settled(u) - expected).abs() < 1e-14, "{value:?}");
                if matches!(value, Value::Int(_)) {
                    let (low, high) = scale.bin(u).expect("whole numbers have bins");
                    assert!(low <= u + 1e-14 && u - 1e-14 <= high, "{low} {u} {high}");
                }
            }
        }
    }
}
