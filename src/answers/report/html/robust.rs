//! The comparison under other settings in a page.

use maud::{Markup, html};

use super::super::human;
use super::super::plots::{Paint, Whom, verdict};
use super::super::printable;
use super::super::sentence::{goal_words, named};
use crate::analysis::{Answer, GoalAnswers, Speedup};
use crate::robustness::{MethodSpeedup, Robustness};

/// In how many settings what the sentence of a goal says holds; nothing where it says nothing.
pub(super) fn holds(goal: &GoalAnswers, robustness: &Robustness) -> Option<String> {
    let others: Vec<(&Answer, Speedup)> =
        goal.answers.iter().filter_map(|a| Some((a, a.speedup?))).collect();
    let (best, speedup) = named(&others)?;
    let tally = robustness.tally(&goal.table, &goal.goal, MethodSpeedup::of(best.method, speedup));
    if tally.settings == 0 || speedup.ratio.low <= 1.0 {
        return None;
    }
    let percent = |count: usize| {
        #[expect(clippy::cast_precision_loss, reason = "settings are few")]
        let share = 100.0 * count as f64 / tally.settings as f64;
        format!("{share:.0} %")
    };
    Some(format!(
        "It is sooner in {} of {} other settings ({}), surely so in {}; surely later in {}.",
        tally.sooner,
        tally.settings,
        percent(tally.sooner),
        tally.surely_sooner,
        tally.surely_later
    ))
}

/// The speed-up of every method in every setting.
pub(super) fn table(goal: &GoalAnswers, robustness: &Robustness, whom: &Whom) -> Markup {
    let told = |setting: &&crate::robustness::Setting| {
        setting.goals.iter().any(|g| g.table == goal.table && g.goal == goal.goal)
    };
    let settings: Vec<_> = robustness.settings.iter().filter(told).collect();
    if settings.is_empty() {
        return html! {};
    }
    let words = goal_words(&goal.goal);
    let compared = goal.answers.iter().filter_map(|a| Some((a, a.speedup?)));
    html! {
        div.card {
            h4 { "To " (printable(&words)) " on " (printable(&goal.table)) }
            div.wide tabindex="0" role="region" aria-label={ "Speed-ups by setting, " (words) } {
                table.settings {
                    thead { tr {
                        th scope="col" { "times as fast as the baseline" }
                        th scope="col" { "as it was" }
                        @for setting in &settings { th scope="col" { (printable(&setting.name)) } }
                        th scope="col" { "sooner in" }
                    } }
                    tbody {
                        @for (answer, speedup) in compared {
                            @let number = whom.number(answer.method);
                            @let was = MethodSpeedup::of(answer.method, speedup);
                            @let tally = robustness.tally(&goal.table, &goal.goal, was);
                            tr data-m=(number) {
                                th scope="row" { (printable(&whom.names[number])) }
                                (cell(was))
                                @for setting in &settings {
                                    @match found(setting, goal, answer.method) {
                                        Some(now) if now == was => td.base { "=" },
                                        Some(now) => (cell(now)),
                                        None => td { "-" },
                                    }
                                }
                                td { (tally.sooner) "/" (tally.settings) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn found(
    setting: &crate::robustness::Setting,
    goal: &GoalAnswers,
    method: usize,
) -> Option<MethodSpeedup> {
    let of = setting.goals.iter().find(|g| g.table == goal.table && g.goal == goal.goal)?;
    of.speedups.iter().find(|s| s.method == method).copied()
}

/// A speed-up that is sure is in colour.
fn cell(speedup: MethodSpeedup) -> Markup {
    let class = match verdict(speedup.interval) {
        Paint::Good => "good",
        Paint::Bad => "bad",
        _ => "",
    };
    let title = speedup.interval.map(human::range);
    html! { td class=(class) title=[title] { (human::ratio(speedup.ratio)) } }
}
