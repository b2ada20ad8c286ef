//! The band that the best completed trials make, and which of them pays best.

use std::collections::VecDeque;

use base::units::Epoch;

use crate::interface::falls_below;

/// How many contenders are tried: steps of about a third.
const COUNTS: [u32; 14] = [2, 3, 4, 5, 6, 8, 10, 13, 17, 22, 29, 38, 49, 64];

/// Bars below which a trial is stopped.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Band {
    /// By epoch; `None` where nothing is stopped.
    bars: Vec<Option<f64>>,
    /// How far the bars lie below what the contenders had.
    pub margin: f64,
    /// How many contenders made it.
    pub contenders: u32,
}

/// A completed trial that is among the best: its value, and its scores by epoch.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Contender {
    pub value: f64,
    pub scores: Vec<Option<f64>>,
}

/// A trial that has ended: its scores by epoch as far as it ran, what an epoch of it cost, and
/// where it would have been complete.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Run {
    pub scores: Vec<Option<f64>>,
    pub epoch_cost: f64,
    pub epochs: Epoch,
}

impl Band {
    /// The bar after an epoch, if there is one.
    pub(super) fn bar(&self, epoch: Epoch) -> Option<f64> {
        self.bars.get(epoch.index()).copied().flatten()
    }

    /// The share of the runs' whole cost that it would have saved.
    fn saved_share(&self, runs: &VecDeque<Run>) -> f64 {
        let (mut saved, mut whole) = (0.0, 0.0);
        for run in runs {
            let epochs = f64::from(run.epochs.0);
            whole += run.epoch_cost * epochs;
            let short_of_the_last = usize::from(run.epochs.0).saturating_sub(1);
            let judged = run.scores.iter().zip(&self.bars).take(short_of_the_last);
            let is_below = |(score, bar): (&Option<f64>, &Option<f64>)| match (score, bar) {
                (Some(score), Some(bar)) => falls_below(*score, *bar),
                _ => false,
            };
            let mut stops = (1_u16..).zip(judged).filter(|(_, pair)| is_below(*pair));
            if let Some((stop, _)) = stops.next() {
                saved += run.epoch_cost * (epochs - f64::from(stop));
            }
        }
        if whole > 0.0 { saved / whole } else { 0.0 }
    }
}

/// The least and the second least score at an epoch, of those that were measured.
#[derive(Clone, Copy)]
struct Least {
    first: Option<f64>,
    second: Option<f64>,
}

impl Least {
    fn take(&mut self, score: f64) {
        match (self.first, self.second) {
            (Some(first), _) if score < first => {
                *self = Self { first: Some(score), second: Some(first) };
            }
            (None, _) => self.first = Some(score),
            (_, Some(second)) if score >= second => {}
            _ => self.second = Some(score),
        }
    }

    /// How far the least one lies below all others.
    fn deficit(self) -> f64 {
        match (self.first, self.second) {
            // Two that are worse than everything are not below each other.
            (Some(first), Some(second)) if second > first => second - first,
            _ => 0.0,
        }
    }
}

/// The band with the least bound on the time to a trial that is worth running, of the first 2, 3, 4
/// and so on of the contenders, which stand in order of their values; `None` where none is below
/// that of stopping nothing. No margin is less than `margin_before`.
pub(super) fn choose(
    contenders: &[Contender],
    runs: &VecDeque<Run>,
    epochs: Epoch,
    margin_before: f64,
) -> Option<Band> {
    let mut least = vec![Least { first: None, second: None }; usize::from(epochs.0)];
    let mut taken = 0;
    let mut best: Option<(f64, Band)> = None;
    for count in COUNTS {
        if count as usize > contenders.len() {
            break;
        }
        for contender in &contenders[taken..count as usize] {
            for (least, score) in least.iter_mut().zip(&contender.scores) {
                if let Some(score) = *score {
                    least.take(score);
                }
            }
        }
        taken = count as usize;
        let deficits = least.iter().map(|least| least.deficit());
        let margin = deficits.fold(margin_before, f64::max);
        let bar = |least: &Least| {
            let bar = least.first.filter(|_| least.second.is_some())? - margin;
            (bar > f64::NEG_INFINITY).then_some(bar)
        };
        let bars = least.iter().map(bar).collect();
        let band = Band { bars, margin, contenders: count };
        // One trial in twenty is never stopped, neither those worth running nor the others.
        let saved = band.saved_share(runs) * (1.0 - super::EXEMPT);
        let lost = (1.0 - super::EXEMPT) / f64::from(count + 1);
        let bound = (1.0 - saved) / (1.0 - lost);
        if saved > lost && best.as_ref().is_none_or(|(least, _)| bound < *least) {
            best = Some((bound, band));
        }
    }
    best.map(|(_, band)| band)
}
