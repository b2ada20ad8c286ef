//! Coordinates of the unit cube as genes: what methods that breed configurations have in common.
//!
//! A genome has one gene a parameter, its coordinate; a parameter that plays no part in the
//! configuration has none, which is NaN here. Crossing and mixing pass that on as it is (arithmetic
//! with NaN is NaN), and [`Genes::fill`] draws a fresh gene wherever one is missing: if the child
//! lacks the parameter as well, the gene is never looked at.
//!
//! A table's rows lie seldom where a method pointed at. Methods that breed *rows* take the genome
//! of the row that a trial ran ([`Genes::of_row`]), never of the point that was proposed.

use std::sync::Arc;

use base::rng::Stream;
use base::space::{Domain, Numbers, Parameter, Space, Value};
use base::units::{ConfigId, TrialId};

use crate::interface::{Context, Points, View};
use crate::kit::draws::{index, uniform_open};
use crate::kit::encoding::activity;

/// Draws of one gene that may repeat its value before it is left as it is (Syne Tune's limit).
const DRAWS_MAX: usize = 1_000;

/// The genomes of a table.
#[derive(Debug, Clone)]
pub struct Genes {
    space: Space,
    points: Arc<Points>,
    rows: u32,
    /// Whether rows differ in the parameter.
    is_open: Vec<bool>,
    has_conditions: bool,
}

impl Genes {
    /// Those of the context's table.
    pub fn new(context: &Context<'_>) -> Self {
        let points = Arc::clone(context.points);
        let differs = |at: usize| {
            let first = points.row(ConfigId(0))[at];
            (1..context.rows).any(|row| points.row(ConfigId(row))[at] != first)
        };
        Self {
            space: context.space.clone(),
            is_open: (0..points.width).map(differs).collect(),
            has_conditions: context.space.parameters.iter().any(|p| p.condition.is_some()),
            rows: context.rows,
            points,
        }
    }

    /// The parameters.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// Genes of a genome.
    pub fn width(&self) -> usize {
        self.points.width
    }

    /// Rows of the table.
    pub fn rows(&self) -> u32 {
        self.rows
    }

    /// Parameters in which the table's rows differ.
    pub fn open(&self) -> Vec<usize> {
        (0..self.width()).filter(|at| self.is_open[*at]).collect()
    }

    /// Where a row lies.
    pub fn point(&self, row: ConfigId) -> &[f64] {
        self.points.row(row)
    }

    /// The genome of a row.
    pub fn of_row(&self, row: ConfigId) -> Vec<f64> {
        let point = self.point(row);
        if !self.has_conditions {
            return point.to_vec();
        }
        let active = activity(&self.space, point);
        point.iter().zip(active).map(|(u, active)| if active { *u } else { f64::NAN }).collect()
    }

    /// A uniform genome: a draw a gene, in their order.
    pub fn uniform(&self, stream: &mut Stream) -> Vec<f64> {
        (0..self.width()).map(|_| uniform_open(stream)).collect()
    }

    /// Draws the genes that are missing, and gives back the point.
    pub fn fill(&self, mut genome: Vec<f64>, stream: &mut Stream) -> Vec<f64> {
        for gene in genome.iter_mut().filter(|gene| gene.is_nan()) {
            *gene = uniform_open(stream);
        }
        genome
    }

    /// Changes one gene, uniform among those that are there and of which rows differ, to a uniform
    /// one with another value (after at most a thousand draws). Where there is no such gene, all
    /// are drawn anew.
    pub fn mutate_one(&self, genome: &mut Vec<f64>, stream: &mut Stream) {
        let there = |at: &usize| self.is_open[*at] && !genome[*at].is_nan();
        let candidates: Vec<usize> = (0..self.width()).filter(there).collect();
        if candidates.is_empty() {
            *genome = self.uniform(stream);
            return;
        }
        let at = candidates[index(stream, candidates.len())];
        let parameter = &self.space.parameters[at];
        let old = parameter.from_unit(genome[at]);
        for _ in 0..DRAWS_MAX {
            genome[at] = uniform_open(stream);
            if parameter.from_unit(genome[at]) != old {
                return;
            }
        }
    }
}

/// The next value, up or down, of a parameter whose values can be counted and have an order.
pub fn neighbour(parameter: &Parameter, own: Value, up: bool) -> Option<Value> {
    let next = |at: usize| if up { at.checked_add(1) } else { at.checked_sub(1) };
    match (&parameter.domain, own) {
        (Domain::Int { .. }, Value::Int(value)) => {
            let next = Value::Int(if up { value + 1 } else { value - 1 });
            Some(next).filter(|next| parameter.contains(*next))
        }
        (Domain::Ordinal { values: Numbers::Int(values) }, Value::Int(value)) => {
            let at = values.iter().position(|v| *v == value)?;
            values.get(next(at)?).copied().map(Value::Int)
        }
        (Domain::Ordinal { values: Numbers::Float(values) }, Value::Float(value)) => {
            let at = values.iter().position(|v| *v == value)?;
            values.get(next(at)?).copied().map(Value::Float)
        }
        _ => None,
    }
}

/// A score in the order in which NaN is the worst.
#[inline]
pub fn ordered(score: f64) -> f64 {
    if score.is_nan() { f64::NEG_INFINITY } else { score }
}

/// A trial with what it reported last.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Member {
    pub trial: TrialId,
    pub row: ConfigId,
    /// Never NaN: what reported nothing is minus infinity, and so the worst.
    pub score: f64,
}

impl Member {
    /// A trial that has just been told.
    pub fn of(view: &View<'_>, trial: TrialId) -> Self {
        let told = view.trial(trial);
        Self { trial, row: told.config, score: ordered(told.reported) }
    }
}

/// The best of some members, the first of equals.
pub fn best_of<'a>(members: impl IntoIterator<Item = &'a Member>) -> Option<&'a Member> {
    members.into_iter().reduce(|best, other| if other.score > best.score { other } else { best })
}

/// Sorts the best first; equals stay in their order.
pub fn best_first(members: &mut [Member]) {
    members.sort_by(|a, b| b.score.total_cmp(&a.score));
}

/// Which trials have been told before.
#[derive(Debug, Clone, Default)]
pub struct Seen(Vec<bool>);

impl Seen {
    /// Whether this is the first word of a trial; notes it.
    pub fn is_first(&mut self, trial: TrialId) -> bool {
        if self.0.len() <= trial.index() {
            self.0.resize(trial.index() + 1, false);
        }
        !std::mem::replace(&mut self.0[trial.index()], true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samplers::harness::Room;

    #[test]
    fn a_parameter_without_part_has_no_gene_and_gets_one_where_it_plays() {
        let room = Room::mixed(40, 1);
        let genes = Genes::new(&room.context());
        let mut stream = Stream::new(1, 0, "genes");
        let at = room.space.position("momentum").unwrap();
        for row in (0..40).map(ConfigId) {
            let genome = genes.of_row(row);
            let plays = room.space.from_unit(genes.point(row))[at] != Value::Inactive;
            assert_eq!(genome[at].is_nan(), !plays);
            let filled = genes.fill(genome.clone(), &mut stream);
            assert!(filled.iter().all(|gene| (0.0..=1.0).contains(gene)));
            assert!(genome.iter().zip(&filled).all(|(a, b)| a.is_nan() || a == b));
        }
        assert!(!genes.open().contains(&room.space.position("fixed").unwrap()));
    }

    #[test]
    fn a_mutation_changes_the_value_of_one_gene_alone() {
        let room = Room::mixed(40, 1);
        let genes = Genes::new(&room.context());
        let mut stream = Stream::new(2, 0, "genes");
        let mut counts = vec![0; genes.width()];
        for turn in 0..4_000 {
            let parent = genes.of_row(ConfigId(turn % 40));
            let mut child = parent.clone();
            genes.mutate_one(&mut child, &mut stream);
            let changed: Vec<usize> = (0..genes.width())
                .filter(|at| !parent[*at].is_nan() && parent[*at] != child[*at])
                .collect();
            assert_eq!(changed.len(), 1, "{parent:?} {child:?}");
            let parameter = &room.space.parameters[changed[0]];
            let values = [&parent, &child].map(|genome| parameter.from_unit(genome[changed[0]]));
            assert_ne!(values[0], values[1]);
            counts[changed[0]] += 1;
        }
        assert_eq!(counts[room.space.position("fixed").unwrap()], 0);
        assert!(counts.iter().filter(|count| **count > 300).count() >= 5, "{counts:?}");
    }

    #[test]
    fn what_reported_nothing_is_the_worst_and_equals_keep_their_order() {
        let member = |trial, score| Member {
            trial: TrialId(trial),
            row: ConfigId(trial),
            score: ordered(score),
        };
        let mut members = [member(0, f64::NAN), member(1, 0.5), member(2, 0.7), member(3, 0.7)];
        assert_eq!(best_of(&members).unwrap().trial, TrialId(2));
        best_first(&mut members);
        assert_eq!(members.map(|m| m.trial.0), [2, 3, 1, 0]);
        assert!(best_of([]).is_none());
        let mut seen = Seen::default();
        assert_eq!([3, 0, 3, 0].map(|t| seen.is_first(TrialId(t))), [true, true, false, false]);
    }
}
