//! Stable partitions in place. Both loops write to both sides and advance one of them, because
//! which side it is cannot be predicted.

use super::split::{Entry, observation_of};
use crate::kit::encoding::Codes;

/// Brings the entries whose observation goes left to the front, both sides in their old order.
pub(super) fn divide_entries(entries: &mut [Entry], goes_left: &[bool], spare: &mut [Entry]) {
    let spare = &mut spare[..entries.len()];
    let (mut left, mut right) = (0, 0);
    for at in 0..entries.len() {
        let entry = entries[at];
        entries[left] = entry;
        spare[right] = entry;
        let is_left = goes_left[observation_of(entry) as usize];
        left += usize::from(is_left);
        right += usize::from(!is_left);
    }
    entries[left..].copy_from_slice(&spare[..right]);
}

/// Brings the entries of one side to the front, in their old order; what follows is void.
pub(super) fn keep_entries(entries: &mut [Entry], goes_left: &[bool], side: bool) {
    let mut kept = 0;
    for at in 0..entries.len() {
        let entry = entries[at];
        entries[kept] = entry;
        kept += usize::from(goes_left[observation_of(entry) as usize] == side);
    }
}

/// Brings the rows with codes up to `cut` to the front, both sides in their old order; returns how
/// many those are.
pub(super) fn divide_rows(rows: &mut [u32], codes: &Codes, cut: u32, spare: &mut [u32]) -> usize {
    match codes {
        Codes::Narrow(codes) => divide(rows, spare, |row| u32::from(codes[row as usize]) <= cut),
        Codes::Wide(codes) => divide(rows, spare, |row| codes[row as usize] <= cut),
    }
}

#[inline]
fn divide(rows: &mut [u32], spare: &mut [u32], goes_left: impl Fn(u32) -> bool) -> usize {
    let spare = &mut spare[..rows.len()];
    let (mut left, mut right) = (0, 0);
    for at in 0..rows.len() {
        let row = rows[at];
        rows[left] = row;
        spare[right] = row;
        let is_left = goes_left(row);
        left += usize::from(is_left);
        right += usize::from(!is_left);
    }
    rows[left..].copy_from_slice(&spare[..right]);
    left
}

#[cfg(test)]
mod tests {
    use super::super::split::entry;
    use super::*;

    #[test]
    fn sides_keep_their_order() {
        for codes in [Codes::Narrow(vec![5, 1, 9, 5, 0]), Codes::Wide(vec![5, 1, 9, 5, 0])] {
            let mut rows = [4, 2, 0, 3, 1];
            assert_eq!(divide_rows(&mut rows, &codes, 4, &mut [0; 5]), 2);
            assert_eq!(rows, [4, 1, 2, 0, 3]);
        }

        let all = [entry(1, 2), entry(2, 0), entry(2, 1), entry(7, 3)];
        let goes_left = [false, true, true, false];
        let mut entries = all;
        divide_entries(&mut entries, &goes_left, &mut [0; 9]);
        assert_eq!(entries, [all[0], all[2], all[1], all[3]]);
        let mut entries = all;
        keep_entries(&mut entries, &goes_left, false);
        assert_eq!(entries[..2], [all[1], all[3]]);
    }
}
