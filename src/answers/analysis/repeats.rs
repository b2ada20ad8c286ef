//! How many repeats a comparison would need.

use base::stats::power::{Design, log_ratio_spread, log_spread, repeats_needed};

use super::groups::Group;
use super::pairs::Paired;

/// The probability with which a difference is to show.
pub(super) const POWER: f64 = 0.8;
/// The speed-up that everybody is asked for: a fifth faster.
pub(super) const FIFTH: f64 = 1.2;

/// Repeats in all, pairs or runs of each of the two, until a rank test at the level of the
/// intervals shows a difference with probability 0.8, were the logarithms of times normal (see
/// [`base::stats::power`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RepeatsNeeded {
    /// For the observed ratio of medians; `None` where that is 1, 0 or infinite.
    pub observed: Option<u64>,
    /// For a speed-up of 1.2.
    pub fifth_faster: u64,
}

/// `None` where a time is 0, infinite or known within bounds only, and for fewer than two runs.
pub(super) fn repeats(
    baseline: &Group,
    group: &Group,
    paired: Option<&Paired>,
    confidence: f64,
) -> Option<RepeatsNeeded> {
    if !(baseline.times.is_exact() && group.times.is_exact()) {
        return None;
    }
    let (design, spread) = match paired {
        Some(paired) => {
            let pairs: Vec<(f64, f64)> = paired.times().map(|(b, m)| (b.low, m.low)).collect();
            if pairs.iter().any(|(b, m)| b.is_infinite() || m.is_infinite()) {
                return None;
            }
            (Design::Paired, log_ratio_spread(&pairs)?)
        }
        None => (Design::Unpaired, log_spread(baseline.times.low(), group.times.low())?),
    };
    let needed = |ratio| repeats_needed(spread, ratio, design, confidence, POWER);
    let ratio = baseline.times.median().low / group.times.median().low;
    let is_ratio = ratio > 0.0 && ratio.is_finite();
    Some(RepeatsNeeded {
        observed: is_ratio.then(|| needed(ratio)).flatten().map(|n| n.rank_test),
        fifth_faster: needed(FIFTH).expect("1.2 is not 1").rank_test,
    })
}
