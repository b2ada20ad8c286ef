//! Small box plots in text, for terminals.

use base::stats::Interval;

use super::human;
use crate::analysis::{Answer, GoalAnswers};

/// The fewest and the most characters of a box plot.
const WIDTH_MIN: usize = 20;
const WIDTH_MAX: usize = 60;

/// A column of box plots, its heading the range: the quartiles of each method from `▐` to `▌`, its
/// median `█`, over times by their logarithms. An arrow at the end of a box: that quartile is not
/// known, or never reached. `None` where there is no room in `width`, or no time to show.
pub(super) fn boxes(goal: &GoalAnswers, width: usize) -> Option<(String, Vec<String>)> {
    if width < WIDTH_MIN {
        return None;
    }
    let columns = width.min(WIDTH_MAX);
    let ends = goal.answers.iter().flat_map(|a| {
        let times = a.time_to_goal_s;
        [times.q25, times.median, times.q75].into_iter().flat_map(|q| [q.low, q.high])
    });
    let shown: Vec<f64> = ends.filter(|end| *end > 0.0 && end.is_finite()).collect();
    let low = shown.iter().copied().reduce(f64::min)?;
    let high = shown.iter().copied().reduce(f64::max)?;
    let place = Places { low, high: high.max(low * 1.01), columns };
    let cells = goal.answers.iter().map(|answer| cell(answer, &place)).collect();
    let heading = format!("{} .. {}", human::time(low), human::time(high));
    Some((heading, cells))
}

/// Where times lie among the characters.
struct Places {
    low: f64,
    high: f64,
    columns: usize,
}

impl Places {
    fn of(&self, time: f64) -> usize {
        let share =
            libm::log(time.clamp(self.low, self.high) / self.low) / libm::log(self.high / self.low);
        let last = self.columns - 1;
        #[expect(clippy::cast_precision_loss, reason = "characters of a line")]
        let at = (share * last as f64).round();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in 0..last")]
        let at = at as usize;
        at.min(last)
    }
}

fn cell(answer: &Answer, place: &Places) -> String {
    let times = answer.time_to_goal_s;
    let Interval { low: from, .. } = times.q25;
    if from.is_infinite() {
        return String::new();
    }
    let to = times.q75.high;
    let (first, last) = (place.of(from), place.of(to));
    let mut cell: Vec<char> = vec![' '; place.columns];
    for spot in &mut cell[first..=last] {
        *spot = '\u{2591}';
    }
    cell[first] = '\u{2590}';
    cell[last] = if to.is_finite() { '\u{258c}' } else { '\u{2192}' };
    if times.median.low.is_finite() {
        cell[place.of(times.median.low)] = '\u{2588}';
    }
    cell.into_iter().collect::<String>().trim_end().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{AnalyzeSettings, Runs, analyze};

    #[test]
    fn boxes_lie_between_the_quartiles() {
        let row = |stopper: &str, repeat: u32, time: Option<f64>| store::runs::RunRow {
            table: "t".into(),
            sampler: "random".into(),
            scheduler: "fifo".into(),
            stopper: stopper.into(),
            report: "best".into(),
            value: "best".into(),
            workers: 1,
            goal: "rank:1".into(),
            goal_rows: 1,
            repeat,
            reached: time.is_some(),
            time_to_goal_s: time,
            time_to_goal_epoch_s: time,
            trials_to_goal: time.map(|_| 1),
            epochs_to_goal: time.map(|_| 1),
            end_s: time.unwrap_or(1_000.0),
            trials: 1,
            epochs: 1,
            end_reason: if time.is_some() { "goal" } else { "exhausted" }.into(),
            ..store::runs::RunRow::default()
        };
        let mut rows = Vec::new();
        for (repeat, time) in (0..).zip([1.0, 10.0, 100.0, 100.0, 1_000.0]) {
            rows.push(row("none", repeat, Some(time)));
            rows.push(row("etr1", repeat, (repeat < 3).then_some(time)));
            rows.push(row("never", repeat, None));
        }
        for (run, row) in (0..).zip(&mut rows) {
            row.run = run;
        }
        let runs = Runs::from_rows(&rows).unwrap();
        let analysis = analyze(&runs, &AnalyzeSettings::default()).unwrap();
        let (heading, cells) = boxes(&analysis.goals[0], 21).unwrap();
        assert_eq!(heading, "10.0 s .. 100 s");
        assert_eq!(cells[0], format!("\u{2590}{}\u{2588}", "\u{2591}".repeat(19)));
        assert!(cells[1].starts_with('\u{2590}') && cells[1].ends_with('\u{2588}'));
        assert_eq!(cells[2], "");
        assert!(boxes(&analysis.goals[0], 19).is_none());
    }
}
