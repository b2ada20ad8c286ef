//! An audit for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use app::audit::{Audit, Elsewhere, Rule, TrialName, Unit};
use app::plural;
use app::report::human::{number, time, value};

use crate::output;

/// What to do, how sure that is, and what each rule would have done; `full` tells every setting and
/// every trial.
pub(super) fn render(audit: &Audit, full: bool) -> String {
    let mut text = sentence(audit);
    if let Some(elsewhere) = &audit.elsewhere {
        let _ = write!(text, " {}", judged(audit, elsewhere));
    }
    let _ = write!(text, "\n\n{}", about(audit));
    let shown = if full { (0..audit.rules.len()).collect() } else { best_of_families(audit) };
    let _ = write!(text, "\n{}", grid(audit, &shown));
    let _ = write!(text, "\n{}", legend(audit, full, shown.len()));
    if full {
        if let Some(at) = audit.choice.or((audit.rules.len() == 1).then_some(0)) {
            let _ = write!(text, "\n\n{}", ended(audit, &audit.rules[at]));
        }
        for skipped in &audit.skipped {
            let _ = write!(text, "\nnot tried: {}", output::one_line(&skipped.why));
        }
    }
    text
}

fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 0.95 { "under 1 %".into() } else { format!("{percent:.0} %") }
}

fn cost(audit: &Audit, of: f64) -> String {
    match audit.unit {
        Unit::Seconds => time(of),
        Unit::Epochs => format!("{} epochs", number(of)),
    }
}

fn what_is_saved(audit: &Audit) -> &'static str {
    match audit.unit {
        Unit::Seconds => "the time",
        Unit::Epochs => "the epochs",
    }
}

fn winners(audit: &Audit) -> String {
    match audit.winners.len() {
        1 => "your best trial".to_string(),
        several => format!("your {several} best"),
    }
}

fn sentence(audit: &Audit) -> String {
    let Some(rule) = audit.choice.map(|at| &audit.rules[at]) else {
        let tried = match audit.rules.len() {
            1 => format!("`{}` would", audit.rules[0].asked),
            several => format!("none of {several} rules would"),
        };
        let not = if audit.rules.len() == 1 { " not" } else { "" };
        return format!(
            "On your {} {tried}{not} have saved anything worth it and kept {}: run trials to \
             their ends, or collect more of them.",
            plural(audit.trials, "trial"),
            winners(audit)
        );
    };
    let saved = rule.whole.saved;
    let on_halves = rule.halves.map(|halves| {
        let [low, _, high] = halves.saved.map(percent);
        let (lost, all) = (halves.lost_best, halves.halves);
        format!(
            "; on random halves of them it saves {low} to {high}, and loses the best of {lost} of \
             {all}"
        )
    });
    format!(
        "On your {}, `{}` would have ended {} early, saved {} of {} ({} of {}), and lost none of \
         {}{}.",
        plural(audit.trials, "trial"),
        rule.asked,
        rule.whole.ended,
        percent(saved),
        what_is_saved(audit),
        cost(audit, saved * audit.cost),
        cost(audit, audit.cost),
        winners(audit),
        on_halves.unwrap_or_default()
    )
}

fn judged(audit: &Audit, of: &Elsewhere) -> String {
    let [low, middle, high] = of.judged.saved.map(percent);
    let mut text = format!(
        "How far to trust a pick: made on one half alone and judged on the other, {} times, it \
         saved {middle} ({low} to {high}), and lost the best trial of {} of them and {} of the \
         winners.",
        of.judged.halves,
        of.judged.lost_best,
        percent(of.judged.winners_lost)
    );
    if of.none > 0 {
        let _ = write!(text, " In {} of them no rule was safe, and none was used.", of.none);
    }
    let most = of.chosen.iter().max_by_key(|(at, times)| (**times, std::cmp::Reverse(**at)));
    if let Some((at, times)) = most {
        let _ = write!(text, " Most often it was `{}` ({times}).", audit.rules[*at].asked);
    }
    text
}

fn trial(name: &TrialName) -> String {
    match &name.name {
        Some(source) => format!("{} ({})", name.config, output::one_line(source)),
        None => name.config.to_string(),
    }
}

fn about(audit: &Audit) -> String {
    let mut text = format!(
        "{}: {}, {} in all; the best {} is {} of trial {}, a winner has {} or better ({})",
        audit.table,
        plural(audit.trials, "trial"),
        cost(audit, audit.cost),
        audit.metric,
        value(audit.best),
        trial(&audit.best_trial),
        value(audit.threshold),
        plural(audit.winners.len(), "trial"),
    );
    if audit.truncated > 0 {
        let _ = write!(
            text,
            "\n{} had been broken off: they count as far as they ran",
            plural(audit.truncated, "trial")
        );
    }
    if audit.without_curve > 0 {
        let _ =
            write!(text, "\n{} without a curve are left out", plural(audit.without_curve, "trial"));
    }
    text
}

/// Of every rule the setting to take: one that is safe, loses the best of fewest halves and saves
/// most; else one that loses least.
fn best_of_families(audit: &Audit) -> Vec<usize> {
    let mut best: BTreeMap<&str, usize> = BTreeMap::new();
    let rank = |at: usize| {
        let rule = &audit.rules[at];
        let lost = rule.halves.map_or(0, |halves| halves.lost_best);
        let often = rule.halves.is_some_and(|halves| halves.lost_best * 20 > halves.halves);
        let safe = rule.whole.is_safe() && !often;
        // Of safe ones the most saving, of others the least harmful.
        let harm = if safe { (0, 0) } else { (rule.whole.winners_lost, lost) };
        // Shares, which are not negative, are in the order of their bits.
        (!safe, harm, std::cmp::Reverse(rule.whole.saved.to_bits()), at)
    };
    for (at, rule) in audit.rules.iter().enumerate() {
        let text = rule.asked.as_str();
        let family = text.split_once(':').map_or(text, |(family, _)| family);
        let held = best.entry(family).or_insert(at);
        if rank(at) < rank(*held) {
            *held = at;
        }
    }
    let mut shown: Vec<usize> = best.into_values().collect();
    shown.sort_unstable_by_key(|at| rank(*at));
    shown
}

fn grid(audit: &Audit, shown: &[usize]) -> String {
    let row = |at: &usize| {
        let rule = &audit.rules[*at];
        let of_halves = rule.halves.map(|halves| {
            let [low, _, high] = halves.saved.map(percent);
            let lost = format!("{} of {}", halves.lost_best, halves.halves);
            (format!("{low} to {high}"), lost)
        });
        let (spread, lost) = of_halves.unwrap_or_default();
        let best = match rule.whole.regret {
            Some(0.0) => "kept".to_string(),
            Some(regret) => format!("worse by {}", number(regret)),
            None => "lost".to_string(),
        };
        let mark = if audit.choice == Some(*at) { "* " } else { "" };
        [
            format!("{mark}{}", rule.asked),
            rule.whole.ended.to_string(),
            percent(rule.whole.saved),
            format!("{} of {}", rule.whole.winners_lost, rule.whole.winners),
            best,
            spread,
            lost,
        ]
    };
    let header =
        ["rule", "ended", "saved", "winners lost", "best", "saved on halves", "best lost on"];
    output::table(header, shown.iter().map(row))
}

fn legend(audit: &Audit, full: bool, shown: usize) -> String {
    let mut text = String::new();
    if audit.choice.is_some() {
        text.push_str("*: the rule of choice. ");
    }
    text.push_str(
        "ended: trials ended before their last epoch. saved: of what all trials cost. winners \
         lost: ended before they had shown it. best: how much worse the best value seen is. on \
         halves: what the rule does to random halves of the trials, 95 of 100.",
    );
    if !full && shown < audit.rules.len() {
        let _ = write!(
            text,
            "\nOf each rule the best of its settings; --full tells all {}.",
            audit.rules.len()
        );
    }
    text
}

fn ended(audit: &Audit, rule: &Rule) -> String {
    let rows = rule.ended.iter().map(|(name, end)| {
        let lost = if end.is_lost_winner { "a winner" } else { "" };
        let [ran, of] = [end.epochs, end.of].map(|epochs| epochs.0.to_string());
        [trial(name), ran, of, cost(audit, end.saved), lost.to_string()]
    });
    let header = ["trial", "ended after", "of epochs", "saved", "lost"];
    format!("What `{}` would have ended:\n{}", rule.asked, output::table(header, rows))
}
