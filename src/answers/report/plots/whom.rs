//! The methods of an analysis as plots show them: what they are called, and in which colours.

use super::super::human;
use super::paint::{Paint, SERIES};
use crate::analysis::{Analysis, Answer, Labels};

/// Dashes of lines by their colour's number, in tenths of a pixel.
const DASHES: [Option<&str>; SERIES] = [
    None,
    Some("70 30"),
    Some("20 25"),
    Some("90 30 20 30"),
    Some("45 20"),
    Some("120 30"),
    Some("20 20 20 60"),
];

/// Methods that differ in their table alone are one here, with one number, name and colour.
#[derive(Debug, Clone)]
pub(in crate::report) struct Whom {
    pub(in crate::report) labels: Labels,
    /// The number of each method of the analysis.
    numbers: Vec<usize>,
    /// By number.
    pub(in crate::report) names: Vec<String>,
    pub(in crate::report) paints: Vec<Paint>,
}

impl Whom {
    /// The baseline is in ink; those that are soonest over all goals have colours of their own.
    pub(in crate::report) fn of(analysis: &Analysis) -> Self {
        let labels = Labels::of(&analysis.methods);
        let (mut names, mut numbers) = (Vec::<String>::new(), Vec::new());
        for name in &labels.names {
            let known = names.iter().position(|other| other == name);
            numbers.push(known.unwrap_or_else(|| {
                names.push(name.clone());
                names.len() - 1
            }));
        }
        let mut whom = Self { labels, numbers, paints: vec![Paint::Rest; names.len()], names };
        let mut next = 0;
        for number in whom.soonest_first(analysis) {
            let is_baseline = |a: &Answer| a.is_baseline && whom.numbers[a.method] == number;
            if analysis.goals.iter().any(|goal| goal.answers.iter().any(is_baseline)) {
                whom.paints[number] = Paint::Ink;
            } else if next < SERIES {
                whom.paints[number] = Paint::Series(next);
                next += 1;
            }
        }
        whom
    }

    /// By the mean over goals of a method's rank among the medians.
    #[expect(clippy::cast_precision_loss, reason = "ranks of methods")]
    fn soonest_first(&self, analysis: &Analysis) -> Vec<usize> {
        let mut ranks = vec![(0.0, 0); self.names.len()];
        for goal in &analysis.goals {
            let mut order: Vec<&Answer> = goal.answers.iter().collect();
            let key = |a: &Answer| (a.time_to_goal_s.median.low, a.time_to_goal_s.median.high);
            order.sort_by(|a, b| {
                let ((a_low, a_high), (b_low, b_high)) = (key(a), key(b));
                a_low.total_cmp(&b_low).then(a_high.total_cmp(&b_high))
            });
            for (rank, answer) in order.into_iter().enumerate() {
                let (sum, count) = &mut ranks[self.numbers[answer.method]];
                *sum += rank as f64;
                *count += 1;
            }
        }
        let mean = |number: &usize| {
            let (sum, count) = ranks[*number];
            if count == 0 { f64::INFINITY } else { sum / f64::from(count) }
        };
        let mut numbers: Vec<usize> = (0..self.names.len()).collect();
        numbers.sort_by(|a, b| mean(a).total_cmp(&mean(b)));
        numbers
    }

    /// The number of a method of the analysis.
    pub(in crate::report) fn number(&self, method: usize) -> usize {
        self.numbers[method]
    }

    pub(super) fn name(&self, method: usize) -> &str {
        &self.names[self.numbers[method]]
    }

    pub(super) fn paint(&self, method: usize) -> Paint {
        self.paints[self.numbers[method]]
    }

    /// The dash of a method's line.
    pub(super) fn dash(&self, method: usize) -> Option<&'static str> {
        match self.paint(method) {
            Paint::Series(at) => DASHES[at],
            _ => None,
        }
    }

    /// How wide its line is, in pixels.
    pub(super) fn width(&self, method: usize) -> f64 {
        if self.paint(method) == Paint::Rest { 1.0 } else { 2.0 }
    }

    /// Methods as lines are drawn: those without a colour of their own lie below the others.
    pub(super) fn order<T>(&self, mut of: Vec<(usize, T)>) -> Vec<(usize, T)> {
        of.sort_by_key(|(method, _)| self.paint(*method) != Paint::Rest);
        of
    }
}

/// `median 45.7 s [22.0 s, 89.4 s]` of one answer.
pub(super) fn times(answer: &Answer) -> String {
    let [low, median, high] =
        [answer.time_to_goal_s.q25, answer.time_to_goal_s.median, answer.time_to_goal_s.q75]
            .map(|quantile| human::bounded(quantile, human::time));
    format!("median {median}, quartiles {low} and {high}")
}
