//! From a proposed point to the nearest free row.

use super::pool::Pool;
use crate::method::RowOrder;
use crate::units::ConfigId;

/// The free row nearest to `point` in the unit cube, with its distance; ties go to the first in
/// the repeat's order. `None` where no row is free.
pub(super) fn nearest(pool: &Pool, order: &RowOrder, point: &[f64]) -> Option<(ConfigId, f64)> {
    let mut nearest: Option<(ConfigId, f64)> = None;
    for row in order.free() {
        let squared = pool.distance_squared(row, point);
        if nearest.is_none_or(|(_, least)| squared < least) {
            nearest = Some((row, squared));
        }
    }
    nearest.map(|(row, squared)| (row, squared.sqrt()))
}
