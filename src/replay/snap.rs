//! From a proposed point to the nearest free row.
//!
//! The squared distance adds, over the parameters, the squared difference of numeric coordinates
//! and 1 where choices differ. Parameters that play no part on both sides add nothing.

use base::space::{Domain, Value};
use base::units::ConfigId;
use methods::interface::RowOrder;

use super::pool::Pool;

/// The free row nearest to `point` in the unit cube, with its distance; ties go to the first in
/// the repeat's order. `None` where no row is free.
///
/// Every free row is visited, but its coordinates only until it is farther than the nearest so far.
pub(super) fn nearest(pool: &Pool, order: &RowOrder, point: &[f64]) -> Option<(ConfigId, f64)> {
    let parameters = &pool.space().parameters;
    let is_choice: Vec<bool> =
        parameters.iter().map(|p| matches!(p.domain, Domain::Categorical { .. })).collect();
    // A choice becomes the middle of its bin and an inactive parameter the middle of its range:
    // that is exactly where they lie for the rows that have them.
    let point: Vec<f64> = pool
        .space()
        .from_unit(point)
        .into_iter()
        .zip(parameters)
        .zip(point)
        .map(|((value, parameter), &u)| match (value, &parameter.domain) {
            (Value::Inactive, _) | (_, Domain::Categorical { .. }) => parameter.to_unit(value),
            (_, Domain::Int { .. } | Domain::Float { .. } | Domain::Ordinal { .. }) => u,
        })
        .collect();
    let mut nearest: Option<(ConfigId, f64)> = None;
    let mut least = f64::INFINITY;
    'rows: for row in order.free() {
        let mut squared = 0.0;
        for ((a, b), is_choice) in pool.points().row(row).iter().zip(&point).zip(&is_choice) {
            squared += if *is_choice { f64::from(u8::from(a != b)) } else { (a - b) * (a - b) };
            if squared >= least {
                continue 'rows;
            }
        }
        least = squared;
        nearest = Some((row, squared));
    }
    nearest.map(|(row, squared)| (row, squared.sqrt()))
}
