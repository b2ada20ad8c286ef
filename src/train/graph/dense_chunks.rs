//! How the sum over a dense layer's inputs is cut.
//!
//! A long sum is a chain that a GPU cannot share out among its threads, and there are few of them:
//! one an image and unit. So the inputs are cut in chunks, each with a sum of its own, and these
//! are added in order, `((p_0 + p_1) + p_2) + ...`; the first one begins with the bias. The cuts
//! depend on the shape of the input alone, never on the batch, the device or its tiles, since they
//! decide where results are rounded.

use std::ops::Range;

use crate::model::Shape;

/// Inputs of a chunk at most.
pub(crate) const CHUNK: usize = 512;

/// Some inputs of a dense layer that stand side by side: a part of a row of the image, or whole
/// rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// The first row, and how many.
    pub(crate) row: usize,
    pub(crate) rows: usize,
    /// The first value of each row, and how many.
    pub(crate) first: usize,
    pub(crate) run: usize,
}

impl Chunk {
    /// The inputs in the order (row, column, channel), in which a chunk has no gap.
    pub(crate) fn inputs(self, shape: Shape) -> Range<usize> {
        let start = self.row * shape.width * shape.channels + self.first;
        start..start + self.rows * self.run
    }
}

/// Cuts an input of this shape. A row of more than [`CHUNK`] values is cut on its own, as evenly as
/// can be and the longer pieces first; of shorter rows as many as a chunk holds go together.
pub(crate) fn dense_chunks(shape: Shape) -> impl ExactSizeIterator<Item = Chunk> {
    let row_len = shape.width * shape.channels;
    let (pieces, at_once) = (row_len.div_ceil(CHUNK), (CHUNK / row_len).max(1));
    let begin = move |piece: usize| piece * (row_len / pieces) + piece.min(row_len % pieces);
    (0..shape.height.div_ceil(at_once) * pieces).map(move |at| {
        let (row, piece) = (at / pieces * at_once, at % pieces);
        let first = begin(piece);
        let rows = at_once.min(shape.height - row);
        Chunk { row, rows, first, run: begin(piece + 1) - first }
    })
}

/// Sums of chunks behind the first one, of all units: what a layer of these shapes has to hold.
pub(crate) fn further_sums(input: Shape, output: Shape) -> usize {
    (dense_chunks(input).len() - 1) * output.channels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape([height, width, channels]: [usize; 3]) -> Shape {
        Shape { channels, height, width }
    }

    /// (row, rows, first, run) of each chunk.
    fn cut(sizes: [usize; 3]) -> Vec<[usize; 4]> {
        dense_chunks(shape(sizes)).map(|c| [c.row, c.rows, c.first, c.run]).collect()
    }

    #[test]
    fn vectors_are_cut_evenly_and_the_longer_pieces_come_first() {
        assert_eq!(cut([1, 1, 1]), [[0, 1, 0, 1]]);
        assert_eq!(cut([1, 1, 511]), [[0, 1, 0, 511]]);
        assert_eq!(cut([1, 1, 512]), [[0, 1, 0, 512]]);
        assert_eq!(cut([1, 1, 513]), [[0, 1, 0, 257], [0, 1, 257, 256]]);
        assert_eq!(cut([1, 1, 1_025]), [[0, 1, 0, 342], [0, 1, 342, 342], [0, 1, 684, 341]]);
    }

    #[test]
    fn long_rows_are_cut_on_their_own_and_short_ones_go_together() {
        let found = cut([7, 7, 280]);
        assert_eq!(found.len(), 28);
        assert_eq!(found[..2], [[0, 1, 0, 490], [0, 1, 490, 490]]);
        assert_eq!(found[27], [6, 1, 1_470, 490]);
        assert_eq!(cut([2, 8, 64]), [[0, 1, 0, 512], [1, 1, 0, 512]]);
        assert_eq!(
            cut([2, 3, 171]),
            [[0, 1, 0, 257], [0, 1, 257, 256]]
                .into_iter()
                .chain([[1, 1, 0, 257], [1, 1, 257, 256]])
                .collect::<Vec<_>>()
        );
        assert_eq!(cut([3, 1, 300]), [[0, 1, 0, 300], [1, 1, 0, 300], [2, 1, 0, 300]]);
        assert_eq!(cut([8, 8, 20]), [[0, 3, 0, 160], [3, 3, 0, 160], [6, 2, 0, 160]]);
        assert_eq!(cut([8, 8, 8]), [[0, 8, 0, 64]]);
    }

    #[test]
    fn chunks_follow_each_other_and_none_is_too_long() {
        for height in [1, 2, 5, 7] {
            for row_len in [1, 7, 64, 171, 256, 257, 511, 512, 513, 600, 1_024, 1_960, 5_000] {
                let shape = shape([height, 1, row_len]);
                let mut next = 0;
                for chunk in dense_chunks(shape) {
                    let inputs = chunk.inputs(shape);
                    assert!(inputs.start == next && (1..=CHUNK).contains(&inputs.len()));
                    assert!(chunk.rows == 1 || chunk.run == row_len, "{chunk:?}");
                    next = inputs.end;
                }
                assert_eq!(next, height * row_len);
                let is_one = dense_chunks(shape).len() == 1;
                assert_eq!(is_one, height * row_len <= CHUNK, "{shape:?}");
                let sums = further_sums(shape, Shape::flat(3));
                assert_eq!(sums, 3 * (dense_chunks(shape).len() - 1));
            }
        }
    }
}
