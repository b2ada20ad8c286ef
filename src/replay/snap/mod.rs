//! From a proposed point to the nearest free row.
//!
//! The squared distance adds, over the parameters, the squared difference of numeric coordinates
//! and 1 where choices differ. Parameters that play no part on both sides add nothing. Of rows as
//! near as each other, to the last bit, the first in the repeat's order is taken.
//!
//! The rows of a pool stand in a [tree of boxes](methods::kit::row_tree), made when the first point
//! is proposed; a run keeps for each box how many of its rows are free.

use base::space::{Domain, Space, Value};
use base::units::ConfigId;
use methods::interface::RowOrder;
use methods::kit::row_tree::FreeCounts;

use super::pool::Pool;

/// The free row nearest to `point` in the unit cube, with its distance; ties go to the first in
/// the repeat's order. `None` where no row is free.
pub(super) fn nearest(
    pool: &Pool,
    order: &RowOrder,
    free: &mut FreeCounts,
    point: &[f64],
) -> Option<(ConfigId, f64)> {
    let tree = pool.tree();
    free.prepare(tree, order);
    let found = tree.nearest(&target(pool.space(), point), order, free);
    found.map(|(row, squared)| (row, squared.sqrt()))
}

/// Where the configuration at a point lies. A choice becomes the middle of its bin and an inactive
/// parameter the middle of its range: that is exactly where they lie for the rows that have them.
fn target(space: &Space, point: &[f64]) -> Vec<f64> {
    let values = space.from_unit(point).into_iter().zip(&space.parameters).zip(point);
    let coordinates = values.map(|((value, parameter), &u)| match (value, &parameter.domain) {
        (Value::Inactive, _) | (_, Domain::Categorical { .. }) => parameter.to_unit(value),
        (_, Domain::Int { .. } | Domain::Float { .. } | Domain::Ordinal { .. }) => u,
    });
    coordinates.collect()
}

#[cfg(test)]
mod tests;
