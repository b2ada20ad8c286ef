//! How soon the end of a curve shows.

use base::stats::spearman::spearman;
use base::units::Epoch;
use rayon::prelude::*;

use super::{Table, count_of, epoch, share};

/// The rows that are to be told from the rest: this share of all, the best by whole-curve value,
pub const ELITE_SHARE: f64 = 0.01;

/// and at least so many, where the table has them.
pub const ELITE_MIN: usize = 5;

/// The share of the rows that lead at an epoch, and by whole-curve value; at least as many as are
/// to be told.
pub const LEADERS_SHARE: f64 = 0.1;

/// The best are told from the rest where this share of them is among the leaders.
pub const TOLD_SHARE: f64 = 0.9;

/// What an epoch says of the end. A row leads at an epoch if fewer than [`LEADERS_SHARE`] of the
/// rows measured there are better there: ties lead together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EpochRanks {
    pub epoch: Epoch,
    /// Rows measured there.
    pub rows: usize,
    /// Spearman's correlation of the value at the epoch with the whole-curve value, midranks for
    /// ties, diverged rows behind all others. `None` under 3 rows, and where either side is all of
    /// one value.
    pub correlation: Option<f64>,
    /// The same among the top tenth by whole-curve value.
    pub correlation_top: Option<f64>,
    /// Of the best rows measured there, how large a share leads: recall. `None` where none was.
    pub elite_leads: Option<f64>,
    /// Of the rows that lead there, how large a share is of the top tenth by whole-curve value
    /// (ties with its last row included): precision. `None` where none was measured.
    pub leaders_stay: Option<f64>,
}

/// How soon the ends of curves show.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// How many rows are to be told from the rest.
    pub elite: usize,
    /// One an epoch.
    pub epochs: Vec<EpochRanks>,
    /// The first epoch from which on, at every epoch that says so, [`TOLD_SHARE`] of the best rows
    /// lead; `None` where they do not even at the last one.
    pub told_from: Option<Epoch>,
}

/// `None` where no row has a finite value.
pub(super) fn told(table: &Table<'_>) -> Option<Told> {
    let valued = table.order.iter().filter(|row| table.whole[**row].is_finite()).count();
    if valued == 0 {
        return None;
    }
    let elite = count_of(ELITE_SHARE, table.rows()).max(ELITE_MIN).min(valued);
    let top = count_of(LEADERS_SHARE, table.rows()).max(elite).min(valued);
    let border = table.whole[table.order[top - 1]];
    let epochs: Vec<EpochRanks> = (0..table.epochs())
        .into_par_iter()
        .map(|at| ranks(table, at, elite, (top, border)))
        .collect();
    let says = epochs.iter().filter(|ranks| ranks.elite_leads.is_some());
    let is_told = |ranks: &&EpochRanks| ranks.elite_leads.is_some_and(|led| led >= TOLD_SHARE);
    let told_from = says.rev().take_while(is_told).last().map(|ranks| ranks.epoch);
    Some(Told { elite, epochs, told_from })
}

fn ranks(table: &Table<'_>, at: usize, elite: usize, (top, border): (usize, f64)) -> EpochRanks {
    // The best by whole-curve value first.
    let seen: Vec<(usize, f64, f64)> = table
        .order
        .iter()
        .enumerate()
        .filter_map(|(place, row)| Some((place, table.at(*row, at).ranked()?, table.whole[*row])))
        .collect();
    let pairs: Vec<(f64, f64)> = seen.iter().map(|(_, score, whole)| (*score, *whole)).collect();
    let of_top = seen.partition_point(|(place, ..)| *place < top);
    let mut scores: Vec<f64> = pairs.iter().map(|(score, _)| *score).collect();
    scores.sort_by(|a, b| b.total_cmp(a));
    let of_elite = seen.partition_point(|(place, ..)| *place < elite);
    // The score of the last leader; those that have it lead, too.
    let last = count_of(LEADERS_SHARE, scores.len()).max(of_elite);
    let bar = scores.get(last.saturating_sub(1)).copied();
    let leads = |(_, score, _): &&(usize, f64, f64)| bar.is_some_and(|bar| *score >= bar);
    let elite_leads = seen[..of_elite].iter().filter(leads).count();
    let leaders = seen.iter().filter(leads).count();
    let stay = seen.iter().filter(leads).filter(|(.., whole)| *whole >= border).count();
    EpochRanks {
        epoch: epoch(at),
        rows: seen.len(),
        correlation: spearman(&pairs),
        correlation_top: spearman(&pairs[..of_top]),
        elite_leads: (of_elite > 0).then(|| share(elite_leads, of_elite)),
        leaders_stay: (leaders > 0).then(|| share(stay, leaders)),
    }
}
