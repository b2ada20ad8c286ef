//! Optuna's Hyperband: brackets of stopping rungs, drawn for each trial by a hash of its number.
//!
//! `HyperbandPruner(min_resource=min, max_resource=max, reduction_factor=eta)` of Optuna 4.9. There
//! are `s_max + 1` brackets; the bracket `b` lacks the lowest `b` rungs `min eta^k` and has the
//! share `ceil((s_max + 1) eta^s / (s + 1))`, `s = s_max - b`, of all trials: trial `i` belongs to
//! the bracket in which `crc32("NAME_i")` modulo the sum of shares falls. Within a bracket it is
//! `asha:type=stopping,cutoff=optuna`, of which the treatment of NaN, nulls and ties is.
//!
//! `NAME` is the study's name, random in Optuna; here it is `curvebook-SEED-REPEAT`, so that each
//! repeat draws other brackets. Optuna counts brackets by a floating-point logarithm, which loses
//! one at `max = 243`; here they are counted in whole numbers. Its `max_resource="auto"`, under
//! which nothing is pruned before a trial has completed, is not offered: the table's last epoch is
//! known. Trials end at `max`, where Optuna's end where their training does.

use std::sync::Arc;

use base::error::Result;
use base::units::TrialId;

use crate::interface::{Arguments, Comparison, Context, Entry, SchedulerFactory, parameters};
use crate::rungs::asynchronous::{Asynchronous, BracketOf, Kind};
use crate::rungs::{Cutoff, Span};

parameters! {
    struct Parameters {
        /// How many times as far each rung lies as the one below it (Optuna: reduction factor).
        eta: u16 in 2..=65535 = 3,
        /// The epoch of the lowest rung (Optuna: its least resource).
        min: u16 in 1..=65535 = 1,
        /// Where trials end (Optuna: its largest resource); 0: at the table's last epoch.
        max: u16 in 0..=65535 = 0,
    }
}

pub(super) const ENTRY: Entry<SchedulerFactory> = Entry {
    name: "optuna-hyperband",
    summary: "Stopping rungs that begin later in each bracket; a hash draws a trial's bracket.",
    citation: "Optuna's HyperbandPruner (4.9), after Li et al., Hyperband, JMLR 18, 2018",
    parameters: Parameters::SPECS,
    compared: &[Comparison {
        with: "Optuna 4.9.0",
        what: super::EVERY_SEGMENT,
        result: "all equal",
    }],
    traits: &[],
    build,
};

fn build(arguments: &Arguments, context: &Context<'_>) -> Result<SchedulerFactory> {
    let Parameters { eta, min, max } = Parameters::read(arguments)?;
    let span = Span::read("optuna-hyperband", [eta, min, max], context)?;
    Ok(Box::new(move |run| {
        let name = format!("curvebook-{}-{}", run.seed, run.repeat);
        let shares = shares(span);
        let brackets = u32::try_from(shares.len()).expect("at most 16");
        let bracket_of: BracketOf = Arc::new(move |trial| bracket(&name, trial, &shares));
        let kind = (Kind::Stopping, Cutoff::Optuna);
        Box::new(Asynchronous::new(span, kind, brackets, bracket_of))
    }))
}

/// Of the trials, by bracket.
fn shares(span: Span) -> Vec<u64> {
    let most = span.halvings();
    let share = |s| (u64::from(most + 1) * span.power(s)).div_ceil(u64::from(s + 1));
    (0..=most).rev().map(share).collect()
}

fn bracket(name: &str, trial: TrialId, shares: &[u64]) -> u32 {
    let hash = u64::from(crc32(format!("{name}_{trial}").as_bytes()));
    let mut place = hash % shares.iter().sum::<u64>();
    for (bracket, share) in (0..).zip(shares) {
        if place < *share {
            return bracket;
        }
        place -= share;
    }
    unreachable!("a remainder is less than the sum")
}

/// The checksum of zip and PNG: polynomial `0xEDB88320`, lowest bit first.
fn crc32(bytes: &[u8]) -> u32 {
    let mut state = u32::MAX;
    for byte in bytes {
        state ^= u32::from(*byte);
        for _ in 0..8 {
            let is_odd = state & 1 == 1;
            state = (state >> 1) ^ if is_odd { 0xEDB8_8320 } else { 0 };
        }
    }
    !state
}

#[cfg(test)]
mod tests {
    use base::units::Epoch;

    use super::*;

    #[test]
    fn the_checksum_is_the_one_of_zip() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn shares_are_hyperbands_numbers_of_trials() {
        let shares = |max| shares(Span { eta: 3, min: Epoch(1), max: Epoch(max) });
        assert_eq!(shares(81), [81, 34, 15, 8, 5]);
        assert_eq!(shares(27), [27, 12, 6, 4]);
        assert_eq!(shares(243), [243, 98, 41, 18, 9, 6]);
        assert_eq!(shares(1), [1]);
    }

    #[test]
    fn trials_fall_into_brackets_by_their_shares() {
        let shares = [81, 34, 15, 8, 5];
        let mut counts = [0_u32; 5];
        for trial in 0..14_300 {
            counts[bracket("curvebook-0-0", TrialId(trial), &shares) as usize] += 1;
        }
        for (count, share) in counts.into_iter().zip(shares) {
            // Five deviations of a binomial count.
            let wanted = 100 * u32::try_from(share).unwrap();
            let slack = 5.0 * f64::from(wanted).sqrt();
            assert!(f64::from(count.abs_diff(wanted)) < slack, "{counts:?}");
        }
        let other = (0..100).map(|trial| bracket("curvebook-0-1", TrialId(trial), &shares));
        let first = (0..100).map(|trial| bracket("curvebook-0-0", TrialId(trial), &shares));
        assert!(other.ne(first), "each repeat draws other brackets");
    }
}
