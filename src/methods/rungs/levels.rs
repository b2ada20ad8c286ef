//! Where rungs lie between the fewest and the most epochs of a trial.

use base::error::{Result, fault};
use base::units::Epoch;

use crate::interface::Context;

/// The parameters that all rung methods share, checked against a table: `eta`, `min`, `max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// How many times as far each rung lies as the one below it, at least 2.
    pub eta: u16,
    /// The first rung of the method's most eager bracket.
    pub min: Epoch,
    /// Where trials end.
    pub max: Epoch,
}

impl Span {
    /// Checks the parameters of `method`; a `max` of 0 is the table's last epoch.
    ///
    /// # Errors
    ///
    /// An epoch that the table does not have, or a `max` below `min`.
    pub(crate) fn read(
        method: &str,
        [eta, min, max]: [u16; 3],
        context: &Context<'_>,
    ) -> Result<Self> {
        assert!(eta >= 2 && min >= 1, "the ranges of the parameters say so");
        let (table, epochs) = (context.table, context.epochs);
        for (name, epoch) in [("min", min), ("max", max)] {
            if epoch > epochs.0 {
                let rule = format!("table `{table}` has epochs 1 to {epochs}");
                let remedy =
                    if name == "max" { "leave it out for all of them" } else { "lower it" };
                return Err(fault("--scheduler", format!("{method}:{name}"), epoch, rule, remedy));
            }
        }
        let last = if max == 0 { epochs.0 } else { max };
        if min > last {
            let rule =
                format!("the first rung cannot come after the last epoch of a trial, {last}");
            let remedy = "lower min or raise max";
            return Err(fault("--scheduler", format!("{method}:min"), min, rule, remedy));
        }
        Ok(Self { eta, min: Epoch(min), max: Epoch(last) })
    }

    /// The largest `s` with `min eta^s <= max`: `s_max` of Hyperband. By multiplying: the logarithm
    /// of 243 to the base 3 is 4.999... in floating point, which loses a rung.
    pub(crate) fn halvings(self) -> u32 {
        let mut level = u64::from(self.min.0);
        let mut count = 0;
        while level * u64::from(self.eta) <= u64::from(self.max.0) {
            level *= u64::from(self.eta);
            count += 1;
        }
        count
    }

    /// The smallest `s` with `min eta^s >= max`.
    pub(crate) fn halvings_rounded_up(self) -> u32 {
        let whole = self.halvings();
        whole + u32::from(u64::from(self.min.0) * self.power(whole) < u64::from(self.max.0))
    }

    /// `eta^exponent`. As a factor between two epochs, or one more, it stays below 2^32.
    pub(crate) fn power(self, exponent: u32) -> u64 {
        u64::from(self.eta).pow(exponent)
    }

    /// The rungs of the asynchronous methods: `min eta^k` for `k = skipped, skipped + 1, ...`, as
    /// long as they lie below `max`, where a trial ends without a decision.
    pub(crate) fn rising(self, skipped: u32) -> Vec<Epoch> {
        let level = |k| u64::from(self.min.0) * self.power(k);
        let below = (skipped..).map(level).take_while(|level| *level < u64::from(self.max.0));
        below.map(|level| Epoch(u16::try_from(level).expect("below an epoch"))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(eta: u16, min: u16, max: u16) -> Span {
        Span { eta, min: Epoch(min), max: Epoch(max) }
    }

    #[test]
    fn halvings_are_counted_in_whole_numbers() {
        let counts = [(3, 1, 1, 0, 0), (3, 1, 2, 0, 1), (3, 1, 27, 3, 3), (3, 1, 80, 3, 4)];
        let more = [(3, 1, 81, 4, 4), (3, 1, 243, 5, 5), (3, 2, 54, 3, 3), (4, 1, 50, 2, 3)];
        for (eta, min, max, down, up) in counts.into_iter().chain(more) {
            let span = span(eta, min, max);
            assert_eq!((span.halvings(), span.halvings_rounded_up()), (down, up), "{span:?}");
        }
        // All powers, whatever their logarithms round to.
        for eta in 2..=255_u16 {
            let mut power = eta;
            for exponent in 1.. {
                assert_eq!(span(eta, 1, power).halvings(), exponent, "{eta}^{exponent}");
                assert_eq!(span(eta, 1, power - 1).halvings(), exponent - 1);
                let Some(next) = power.checked_mul(eta) else { break };
                power = next;
            }
        }
        assert_eq!(span(65_535, 1, 65_535).halvings(), 1);
        assert_eq!(span(2, 1, 65_535).halvings_rounded_up(), 16);
    }

    #[test]
    fn rungs_rise_from_the_first_and_end_below_the_last_epoch() {
        let epochs = |span: Span, skipped| -> Vec<u16> {
            span.rising(skipped).into_iter().map(|epoch| epoch.0).collect()
        };
        assert_eq!(epochs(span(3, 1, 81), 0), [1, 3, 9, 27]);
        assert_eq!(epochs(span(3, 1, 82), 0), [1, 3, 9, 27, 81]);
        assert_eq!(epochs(span(3, 1, 81), 2), [9, 27]);
        assert_eq!(epochs(span(3, 2, 50), 0), [2, 6, 18]);
        assert!(epochs(span(4, 5, 5), 0).is_empty());
        assert_eq!(epochs(span(2, 1, 65_535), 0).len(), 16);
    }
}
