//! Which configurations of a table the rows of a pool are.

use std::sync::Arc;

use base::units::ConfigId;

/// The table's id of each row of a pool. A pool counts its rows from 0, and so do methods, whatever
/// part of a table it holds; files name configurations by the table's ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowIds(Option<Arc<[u32]>>);

impl RowIds {
    /// Those of some of a table's rows.
    ///
    /// # Panics
    /// Where the ids do not ascend.
    #[must_use]
    pub fn some(ids: &[u32]) -> Self {
        assert!(ids.is_sorted_by(|a, b| a < b), "a table's rows keep their order");
        let is_beginning = (0..).zip(ids).all(|(row, id)| row == *id);
        Self((!is_beginning).then(|| ids.into()))
    }

    /// The table's id of a row.
    ///
    /// # Panics
    /// Where there is no such row.
    pub fn id_of(&self, row: ConfigId) -> ConfigId {
        self.0.as_ref().map_or(row, |ids| ConfigId(ids[row.index()]))
    }

    /// The row that a configuration is; `None` where it may be no row. Where rows are the first of
    /// a table, the number is the same, and nothing is known of how many there are.
    pub fn row_of(&self, id: ConfigId) -> Option<ConfigId> {
        let Some(ids) = &self.0 else { return Some(id) };
        let at = ids.binary_search(&id.0).ok()?;
        Some(ConfigId(u32::try_from(at).expect("rows are 32 bits")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_ids_are_each_others() {
        let some = RowIds::some(&[3, 5, 6]);
        for (row, id) in [(0, 3), (1, 5), (2, 6)] {
            assert_eq!(some.id_of(ConfigId(row)), ConfigId(id));
            assert_eq!(some.row_of(ConfigId(id)), Some(ConfigId(row)));
        }
        for stranger in [0, 4, 7] {
            assert_eq!(some.row_of(ConfigId(stranger)), None);
        }
        assert_eq!(RowIds::some(&[0, 1, 2]), RowIds::default());
        assert_eq!(RowIds::default().id_of(ConfigId(7)), ConfigId(7));
    }
}
