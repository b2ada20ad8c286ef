//! Unfolding images for a convolution by matrix product, and folding gradients back.
//!
//! Activations are (image, row, column, channel). The unfolded matrix has one row an output
//! position and K = `kernel`^2 x channels columns in (kernel row, kernel column, channel) order, so
//! that each kernel row is one run of `kernel` x channels neighbours in the padded image.

/// Sizes of a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ConvShape {
    pub(super) channels: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) filters: usize,
    pub(super) kernel: usize,
    pub(super) stride: usize,
    /// Padding above and to the left; below and to the right stands what the output still needs.
    pub(super) before: [usize; 2],
    pub(super) out_height: usize,
    pub(super) out_width: usize,
}

impl ConvShape {
    /// Output positions an image.
    pub(super) fn positions(self) -> usize {
        self.out_height * self.out_width
    }

    /// Inputs of one output: K.
    pub(super) fn inner(self) -> usize {
        self.kernel * self.kernel * self.channels
    }

    /// Values of one input image.
    pub(super) fn image(self) -> usize {
        self.height * self.width * self.channels
    }

    /// Rows and columns that the windows cover, padding included. With a stride they may end
    /// before the image does.
    fn padded_height(self) -> usize {
        (self.out_height - 1) * self.stride + self.kernel
    }

    fn padded_width(self) -> usize {
        (self.out_width - 1) * self.stride + self.kernel
    }

    fn padded_image(self) -> usize {
        self.padded_height() * self.padded_width() * self.channels
    }

    /// Rows and columns of the image that lie under a window.
    fn covered(self) -> (usize, usize) {
        let rows = self.height.min(self.padded_height() - self.before[0]);
        (rows, self.width.min(self.padded_width() - self.before[1]))
    }

    /// How many images are unfolded at once: as many as keep the matrix in the cache, or enough
    /// rows to make the products worth their while, within the memory allowed. A function of the
    /// shape alone, so that sums never depend on company.
    pub(super) fn group(self) -> usize {
        let image = self.positions() * self.inner();
        let enough = ROWS_TARGET.div_ceil(self.positions()).min(COLUMNS_MAX / image);
        (COLUMNS_TARGET / image).max(enough).max(1)
    }

    /// Lengths that the scratch of `images` images needs: padded images and columns.
    pub(super) fn scratch(self, images: usize) -> (usize, usize) {
        let group = self.group().min(images);
        (group * self.padded_image(), group * self.positions() * self.inner())
    }
}

/// Values of the unfolded matrix to aim at: 512 KiB, half of a core's second cache.
const COLUMNS_TARGET: usize = 1 << 17;

/// Rows to aim at, cache or not: every group's weight gradient adds to the whole of the weights.
const ROWS_TARGET: usize = 1024;

/// Values of the unfolded matrix beyond which no more than one image is unfolded: 80 MiB.
const COLUMNS_MAX: usize = 20 << 20;

/// Buffers that all convolutions of a network share.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    padded: Vec<f32>,
    pub(super) columns: Vec<f32>,
}

impl Scratch {
    /// Grows the buffers to what `shape` needs for `images` images.
    pub(super) fn reserve(&mut self, shape: ConvShape, images: usize) {
        let (padded, columns) = shape.scratch(images);
        self.padded.resize(self.padded.len().max(padded), 0.0);
        self.columns.resize(self.columns.len().max(columns), 0.0);
    }

    /// Unfolds `input`: (images, height, width, channels) into (images x positions, K).
    pub(super) fn unfold(&mut self, shape: ConvShape, images: usize, input: &[f32]) {
        self.pad(shape, images, input);
        let (run, inner) = (shape.kernel * shape.channels, shape.inner());
        let (row_len, step) =
            (shape.padded_width() * shape.channels, shape.stride * shape.channels);
        let image_rows = self.columns.chunks_exact_mut(shape.out_width * inner);
        for (at, rows) in image_rows.take(images * shape.out_height).enumerate() {
            let (image, y) = (at / shape.out_height, at % shape.out_height * shape.stride);
            for ky in 0..shape.kernel {
                let start = image * shape.padded_image() + (y + ky) * row_len;
                let source = &self.padded[start..start + row_len];
                copy_runs(source, step, run, &mut rows[ky * run..], inner, shape.out_width);
            }
        }
    }

    fn pad(&mut self, shape: ConvShape, images: usize, input: &[f32]) {
        let row = shape.width * shape.channels;
        let padded_row = shape.padded_width() * shape.channels;
        let left = shape.before[1] * shape.channels;
        let (rows, columns) = shape.covered();
        let covered = columns * shape.channels;
        let padded_images = self.padded.chunks_exact_mut(shape.padded_image()).take(images);
        for (padded, image) in padded_images.zip(input.chunks_exact(shape.image())) {
            padded.fill(0.0);
            let targets = padded.chunks_exact_mut(padded_row).skip(shape.before[0]);
            for (target, source) in targets.zip(image.chunks_exact(row)).take(rows) {
                target[left..left + covered].copy_from_slice(&source[..covered]);
            }
        }
    }

    /// Adds the unfolded gradient up where its values came from, and writes the result without its
    /// padding to `gradient`: (images, height, width, channels). The inverse of `unfold`; pixels
    /// that no window covers get 0.
    pub(super) fn fold(&mut self, shape: ConvShape, images: usize, gradient: &mut [f32]) {
        let (run, inner) = (shape.kernel * shape.channels, shape.inner());
        let (row_len, step) =
            (shape.padded_width() * shape.channels, shape.stride * shape.channels);
        self.padded[..images * shape.padded_image()].fill(0.0);
        let image_rows = self.columns.chunks_exact(shape.out_width * inner);
        for (at, rows) in image_rows.take(images * shape.out_height).enumerate() {
            let (image, y) = (at / shape.out_height, at % shape.out_height * shape.stride);
            for ky in 0..shape.kernel {
                let start = image * shape.padded_image() + (y + ky) * row_len;
                let target = &mut self.padded[start..start + row_len];
                for (x, position) in rows.chunks_exact(inner).enumerate() {
                    let values = &position[ky * run..(ky + 1) * run];
                    let sums = &mut target[x * step..x * step + run];
                    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
                }
            }
        }
        let row = shape.width * shape.channels;
        let left = shape.before[1] * shape.channels;
        let (rows, columns) = shape.covered();
        let covered = columns * shape.channels;
        if (rows, columns) != (shape.height, shape.width) {
            gradient.fill(0.0);
        }
        let padded_images = self.padded.chunks_exact(shape.padded_image());
        for (padded, image) in padded_images.zip(gradient.chunks_exact_mut(shape.image())) {
            let sources = padded.chunks_exact(row_len).skip(shape.before[0]);
            for (target, source) in image.chunks_exact_mut(row).zip(sources).take(rows) {
                target[..covered].copy_from_slice(&source[left..left + covered]);
            }
        }
    }
}

/// Copies `count` runs of `run` values that start `step` apart to places `inner` apart. Short runs
/// have a length known when compiled: a call to copy costs more than the few values.
fn copy_runs(from: &[f32], step: usize, run: usize, to: &mut [f32], inner: usize, count: usize) {
    match run {
        2 => copy_fixed::<2>(from, step, to, inner, count),
        3 => copy_fixed::<3>(from, step, to, inner, count),
        4 => copy_fixed::<4>(from, step, to, inner, count),
        5 => copy_fixed::<5>(from, step, to, inner, count),
        6 => copy_fixed::<6>(from, step, to, inner, count),
        7 => copy_fixed::<7>(from, step, to, inner, count),
        8 => copy_fixed::<8>(from, step, to, inner, count),
        9 => copy_fixed::<9>(from, step, to, inner, count),
        10 => copy_fixed::<10>(from, step, to, inner, count),
        _ => {
            for x in 0..count {
                let source = &from[x * step..x * step + run];
                to[x * inner..x * inner + run].copy_from_slice(source);
            }
        }
    }
}

fn copy_fixed<const RUN: usize>(
    from: &[f32],
    step: usize,
    to: &mut [f32],
    inner: usize,
    count: usize,
) {
    for x in 0..count {
        let source = &from[x * step..x * step + RUN];
        to[x * inner..x * inner + RUN].copy_from_slice(source);
    }
}
