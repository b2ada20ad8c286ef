//! What every answer does with frames, in few words, and always in the order of rows.

use polars::prelude::{
    Column, DataFrame, DataFrameJoinOps, Float64Chunked, JoinArgs, JoinType, MaintainOrderJoin,
    PolarsResult, UInt32Chunked, UInt64Chunked, UniqueKeepStrategy,
};

/// Each combination of some columns once, in the order of first appearance; these columns alone.
pub(super) fn distinct(frame: &DataFrame, by: &[&str]) -> PolarsResult<DataFrame> {
    frame.select(by.iter().copied())?.unique_stable(None, UniqueKeepStrategy::First, None)
}

/// All rows of the left frame, each beside the row of the right one with the same `by`.
pub(super) fn join_in_order(
    left: &DataFrame,
    right: &DataFrame,
    by: &[&str],
) -> PolarsResult<DataFrame> {
    join(left, right, by, JoinType::Left)
}

/// The rows of the left frame, in its order, that have a row in the right one with the same `by`.
pub(super) fn join_both(
    left: &DataFrame,
    right: &DataFrame,
    by: &[&str],
) -> PolarsResult<DataFrame> {
    join(left, right, by, JoinType::Inner)
}

fn join(
    left: &DataFrame,
    right: &DataFrame,
    by: &[&str],
    how: JoinType,
) -> PolarsResult<DataFrame> {
    let args = JoinArgs { maintain_order: MaintainOrderJoin::Left, ..JoinArgs::new(how) };
    let mut joined = left.join(right, by.iter().copied(), by.iter().copied(), args, None)?;
    // As many pieces as polars has threads.
    joined.rechunk_mut();
    Ok(joined)
}

/// A column that is there.
pub(super) fn column<'a>(frame: &'a DataFrame, name: &str) -> &'a Column {
    frame.column(name).expect("a column that the frame was made with")
}

/// A column of counts that is there.
pub(super) fn counts<'a>(frame: &'a DataFrame, name: &str) -> &'a UInt32Chunked {
    column(frame, name).u32().expect("a column of counts")
}

/// A column of counts beyond 2^32 that is there.
pub(super) fn large_counts<'a>(frame: &'a DataFrame, name: &str) -> &'a UInt64Chunked {
    column(frame, name).u64().expect("a column of large counts")
}

/// A column of numbers that is there.
pub(super) fn numbers<'a>(frame: &'a DataFrame, name: &str) -> &'a Float64Chunked {
    column(frame, name).f64().expect("a column of numbers")
}

/// Numbers that stand in one piece, none missing.
pub(super) fn slice(numbers: &Float64Chunked) -> &[f64] {
    numbers.cont_slice().expect("numbers in one piece, none missing")
}
