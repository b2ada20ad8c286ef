//! Where a pooling's window lies in the image.

use std::ops::Range;

use crate::model::{Shape, Window};

/// The part of one window that lies inside the image: never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pane {
    /// Rows and columns of the window, counted from its first.
    pub(super) rows: Range<usize>,
    pub(super) columns: Range<usize>,
    /// First row of the image in the batch, and the window's place in the padded image.
    image_row: usize,
    corner: [usize; 2],
    from: Shape,
    before: [usize; 2],
}

impl Pane {
    /// The window of output position `at`, counted over all images.
    pub(super) fn of(from: Shape, to: Shape, window: Window, at: usize) -> Self {
        let (rest, x) = (at / to.width, at % to.width);
        let (image, y) = (rest / to.height, rest % to.height);
        let corner = [y * window.stride, x * window.stride];
        let [above, left] = window.before;
        let inside = |corner: usize, before: usize, size: usize, window: usize| {
            before.saturating_sub(corner)..window.min(size + before - corner)
        };
        Self {
            rows: inside(corner[0], above, from.height, window.height),
            columns: inside(corner[1], left, from.width, window.width),
            image_row: image * from.height,
            corner,
            from,
            before: window.before,
        }
    }

    /// The offset of every pixel's first channel, with its place in the window, row-major.
    pub(super) fn pixels(&self, window: Window) -> impl Iterator<Item = (usize, f32)> {
        self.rows.clone().flat_map(move |row| {
            self.columns.clone().map(move |column| {
                #[expect(clippy::cast_precision_loss, reason = "windows stay below 2^24 pixels")]
                let place = (row * window.width + column) as f32;
                (self.offset(row, column), place)
            })
        })
    }

    /// Offset in the batch of the first channel at a row and column of the window.
    pub(super) fn offset(&self, row: usize, column: usize) -> usize {
        let y = self.image_row + self.corner[0] + row - self.before[0];
        let x = self.corner[1] + column - self.before[1];
        (y * self.from.width + x) * self.from.channels
    }
}

/// Whether neighbouring windows share pixels.
pub(super) fn overlaps(window: Window) -> bool {
    window.stride < window.height.max(window.width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_clipped_at_the_borders() {
        let from = Shape { channels: 2, height: 3, width: 4 };
        let to = Shape { channels: 2, height: 3, width: 4 };
        let window = Window { height: 3, width: 3, stride: 1, before: [1, 1] };
        let first = Pane::of(from, to, window, 12);
        assert_eq!((first.rows.clone(), first.columns.clone()), (1..3, 1..3));
        assert_eq!(first.offset(1, 1), 24, "the second image's first pixel");
        let last = Pane::of(from, to, window, 23);
        assert_eq!((last.rows.clone(), last.columns.clone()), (0..2, 0..2));
        assert_eq!(last.offset(1, 1), 46, "its last one");
    }
}
