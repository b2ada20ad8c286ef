//! Several tables in one grid: how each method did over all of them.

use base::units::plural;

use super::grid::Grid;
use super::human;
use crate::analysis::{Analysis, Answer, GoalAnswers, Labels};

/// A grid with a row a method, whatever its table, and the labels of its rows.
#[derive(Debug)]
pub(super) struct Summary {
    pub heading: String,
    pub grid: Grid,
    pub labels: Vec<String>,
}

/// What a method did on every table and goal that it ran on.
#[derive(Debug, Default)]
struct Row<'a> {
    label: String,
    answers: Vec<(&'a GoalAnswers, &'a Answer)>,
}

/// `None` where there is one table alone.
pub(super) fn summary(analysis: &Analysis, labels: &Labels) -> Option<Summary> {
    let mut tables: Vec<&str> = analysis.goals.iter().map(|g| g.table.as_str()).collect();
    tables.sort_unstable();
    tables.dedup();
    if tables.len() < 2 {
        return None;
    }
    let mut rows: Vec<(usize, Row<'_>)> = Vec::new();
    for goal in &analysis.goals {
        for answer in &goal.answers {
            let method = &analysis.methods[answer.method];
            let known = rows.iter().position(|(m, _)| analysis.methods[*m].same_but_table(method));
            let at = known.unwrap_or_else(|| {
                let label = labels.names[answer.method].clone();
                rows.push((answer.method, Row { label, answers: Vec::new() }));
                rows.len() - 1
            });
            rows[at].1.answers.push((goal, answer));
        }
    }
    let rows: Vec<Row<'_>> = rows.into_iter().map(|(_, row)| row).collect();
    let cells = |cell: &dyn Fn(&Row<'_>) -> String| rows.iter().map(cell).collect();
    let share = |row: &Row<'_>, is_so: &dyn Fn(&GoalAnswers, &Answer) -> bool| {
        let count = row.answers.iter().filter(|(goal, answer)| is_so(goal, answer)).count();
        format!("{count}/{}", row.answers.len())
    };
    let interval = |a: &Answer| a.speedup.and_then(|s| s.interval);
    let of_others = |row: &Row<'_>, text: String| {
        if row.answers.iter().any(|(_, a)| a.speedup.is_some()) { text } else { String::new() }
    };
    let mut grid = Grid::default();
    grid.push("soonest", cells(&|row| share(row, &is_soonest)));
    let sooner = |row: &Row<'_>| share(row, &|_, a| interval(a).is_some_and(|i| i.low > 1.0));
    grid.push_if_any("surely sooner", cells(&|row| of_others(row, sooner(row))));
    let later = |row: &Row<'_>| share(row, &|_, a| interval(a).is_some_and(|i| i.high < 1.0));
    grid.push_if_any("surely later", cells(&|row| of_others(row, later(row))));
    grid.push("speed-up", cells(&|row| mean_speedup(row)));
    grid.push_if_any("killed", cells(&|row| killed(row)));
    let tables = plural(tables.len(), "table");
    let heading = format!(
        "Over {tables} and {} in all, speed-ups as their geometric mean:",
        plural(analysis.goals.len(), "goal")
    );
    Some(Summary { heading, labels: rows.iter().map(|row| row.label.clone()).collect(), grid })
}

/// Whether no other method of the goal has a smaller median.
fn is_soonest(goal: &GoalAnswers, answer: &Answer) -> bool {
    let own = answer.time_to_goal_s.median;
    own.low.is_finite() && goal.answers.iter().all(|a| own.high <= a.time_to_goal_s.median.low)
}

/// The geometric mean; `-` where a speed-up is not known or not a finite number.
fn mean_speedup(row: &Row<'_>) -> String {
    if row.answers.iter().all(|(_, a)| a.is_baseline) {
        return "baseline".to_string();
    }
    let known = |a: &Answer| a.speedup.and_then(|s| s.ratio.value());
    let logs: Option<Vec<f64>> = row
        .answers
        .iter()
        .map(|(_, a)| known(a).filter(|r| *r > 0.0 && r.is_finite()).map(libm::log))
        .collect();
    #[expect(clippy::cast_precision_loss, reason = "a few goals")]
    let mean = logs.map(|logs| libm::exp(logs.iter().sum::<f64>() / logs.len() as f64));
    mean.map_or("-".to_string(), |mean| format!("{}x", human::number(mean)))
}

fn killed(row: &Row<'_>) -> String {
    let known: Option<Vec<(u64, u64)>> = row
        .answers
        .iter()
        .filter(|(_, a)| a.ended.stopped > 0)
        .map(|(_, a)| a.ended.killed())
        .collect();
    let sum = |known: &[(u64, u64)]| known.iter().fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    let known = known.filter(|known| !known.is_empty()).map(|known| sum(&known));
    known.map_or(String::new(), |(killed, met)| format!("{killed}/{met}"))
}
