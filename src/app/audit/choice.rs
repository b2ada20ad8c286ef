//! Which rule to take, and how sure that is.

use std::collections::BTreeMap;

use base::stats::quantile::quantile;

use super::played::{Outcome, Played};

/// A rule that loses the best value in more than this share of halves is not taken.
const LOST_MAX: f64 = 0.05;
/// What a rule has to save to be worth it: a hundredth.
const SAVED_MIN: f64 = 0.01;

/// What a rule does to random halves of the trials.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Halves {
    /// Halves: two a split.
    pub halves: usize,
    /// The quantiles 0.025, 0.5 and 0.975 of the shares saved.
    pub saved: [f64; 3],
    /// Halves whose best value was lost.
    pub lost_best: usize,
    /// The mean share of a half's winners that were lost.
    pub winners_lost: f64,
}

/// What a choice made on one half comes to on the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Elsewhere {
    /// On the other halves, one a choice: a choice on each half of each split.
    pub judged: Halves,
    /// Choices that fell on no rule, since none was safe and worth it.
    pub none: usize,
    /// How often a rule, by its number, was chosen.
    pub chosen: BTreeMap<usize, usize>,
}

/// The rule to take, and what such choices come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    pub whole: Option<usize>,
    pub elsewhere: Option<Elsewhere>,
}

/// What a rule does to halves; `None` where there are none.
pub(super) fn halves(parts: &[Played]) -> Option<Halves> {
    let saved: Vec<f64> = parts.iter().map(|part| part.saved).collect();
    (!parts.is_empty()).then(|| Halves {
        halves: parts.len(),
        saved: spread(&saved),
        lost_best: parts.iter().filter(|part| part.lost_best()).count(),
        winners_lost: share_lost(parts.iter()),
    })
}

/// Chooses among rules: of those that lose no winner, and the best value in no more than a
/// twentieth of the halves, the one that saves most; of equals the first.
pub(super) fn choose(rules: &[Outcome]) -> Choice {
    let whole = most_saving(rules.iter().map(|rule| {
        let halves = halves(&rule.parts);
        #[expect(clippy::cast_precision_loss, reason = "halves are few")]
        let rarely = halves.is_none_or(|h| h.lost_best as f64 <= LOST_MAX * h.halves as f64);
        (rule.whole, rarely)
    }));
    let parts = rules.first().map_or(0, |rule| rule.parts.len());
    let (mut judged, mut none, mut chosen) = (Vec::new(), 0, BTreeMap::new());
    for here in 0..parts {
        // Halves of a split stand beside each other.
        let there = here ^ 1;
        if let Some(rule) = most_saving(rules.iter().map(|rule| (rule.parts[here], true))) {
            *chosen.entry(rule).or_insert(0) += 1;
            judged.push(rules[rule].parts[there]);
        } else {
            none += 1;
            // Without a rule everything runs to its end.
            let untouched =
                Played { ended: 0, saved: 0.0, winners_lost: 0, ..rules[0].parts[there] };
            judged.push(Played { regret: Some(0.0), ..untouched });
        }
    }
    let elsewhere = halves(&judged).map(|judged| Elsewhere { judged, none, chosen });
    Choice { whole, elsewhere }
}

/// Of those that are safe and may be taken, the number of the one that saves most, if that is worth
/// it.
fn most_saving(rules: impl Iterator<Item = (Played, bool)>) -> Option<usize> {
    let safe = rules.enumerate().filter(|(_, (played, may))| *may && played.is_safe());
    let most = safe.map(|(at, (played, _))| (at, played.saved));
    let most = most.reduce(|best, next| if next.1 > best.1 { next } else { best });
    most.filter(|(_, saved)| *saved >= SAVED_MIN).map(|(at, _)| at)
}

fn spread(saved: &[f64]) -> [f64; 3] {
    [0.025, 0.5, 0.975].map(|p| quantile(saved, p))
}

/// The mean over those that have winners at all; 0 where none has.
#[expect(clippy::cast_precision_loss, reason = "trials are far below 2^53")]
fn share_lost<'a>(parts: impl Iterator<Item = &'a Played>) -> f64 {
    let shares: Vec<f64> = parts
        .filter(|part| part.winners > 0)
        .map(|part| part.winners_lost as f64 / part.winners as f64)
        .collect();
    if shares.is_empty() { 0.0 } else { shares.iter().sum::<f64>() / shares.len() as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn played(saved: f64, winners_lost: usize, regret: f64) -> Played {
        Played { trials: 10, ended: 3, saved, winners: 2, winners_lost, regret: Some(regret) }
    }

    fn rule(whole: Played, parts: &[Played]) -> Outcome {
        Outcome { whole, ended: Vec::new(), parts: parts.to_vec() }
    }

    #[test]
    fn the_safe_rule_that_saves_most_is_taken() {
        let rules = [
            rule(played(0.2, 0, 0.0), &[]),
            rule(played(0.5, 0, 0.0), &[]),
            rule(played(0.5, 0, 0.0), &[]),
            rule(played(0.7, 1, 0.0), &[]),
            rule(played(0.9, 0, 0.1), &[]),
        ];
        assert_eq!(choose(&rules), Choice { whole: Some(1), elsewhere: None });
        assert_eq!(choose(&rules[3..]).whole, None, "neither is safe");
        assert_eq!(choose(&[rule(played(0.005, 0, 0.0), &[])]).whole, None, "not worth it");
        assert_eq!(choose(&[]).whole, None);
    }

    #[test]
    fn a_rule_that_loses_the_best_of_many_halves_is_not_taken() {
        let parts = |lost: usize| -> Vec<Played> {
            (0..40).map(|at| played(0.5, 0, if at < lost { 0.1 } else { 0.0 })).collect()
        };
        let rules = [rule(played(0.5, 0, 0.0), &parts(3)), rule(played(0.1, 0, 0.0), &parts(2))];
        assert_eq!(choose(&rules).whole, Some(1));
    }

    #[test]
    fn a_choice_is_judged_on_the_other_half() {
        // The first rule shines on first halves and loses everything on second ones.
        let rules = [
            rule(played(0.5, 0, 0.0), &[played(0.9, 0, 0.0), played(0.8, 2, 0.3)]),
            rule(played(0.4, 0, 0.0), &[played(0.4, 0, 0.0), played(0.3, 0, 0.0)]),
        ];
        let elsewhere = choose(&rules).elsewhere.unwrap();
        // On the first half rule 0 is taken, and judged by (0.8, 2 of 2, lost); on the second
        // rule 1, and judged by 0.4.
        assert_eq!(elsewhere.chosen, BTreeMap::from([(0, 1), (1, 1)]));
        let judged = elsewhere.judged;
        assert_eq!((judged.halves, judged.lost_best, elsewhere.none), (2, 1, 0));
        assert!((judged.winners_lost - 0.5).abs() < 1e-12);
        assert!((judged.saved[1] - 0.6).abs() < 1e-12);
        // Where nothing is safe nothing is taken, saved or lost.
        let harmful = [rule(played(0.5, 1, 0.0), &[played(0.9, 1, 0.0), played(0.8, 2, 0.3)])];
        let elsewhere = choose(&harmful).elsewhere.unwrap();
        let judged = elsewhere.judged;
        assert_eq!((elsewhere.none, judged.lost_best, judged.saved), (2, 0, [0.0; 3]));
    }
}
