//! The order in which a backward pass reads a layer's weights. Nothing is computed: exact.
//!
//! The gradient of a convolution's input is a convolution of the output's gradient, with a kernel
//! that runs backward and has filters and channels exchanged. Under a stride, inputs with one
//! remainder see only the kernel's places with that remainder.

/// A kernel's places whose row and column have given remainders under the stride. A dense layer is
/// a kernel of one place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Transposed {
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) remainder: [usize; 2],
    pub(crate) channels: usize,
    pub(crate) filters: usize,
}

impl Transposed {
    /// That of a dense layer.
    #[inline(always)]
    pub(super) fn dense(inputs: usize, units: usize) -> Self {
        Self { kernel: 1, stride: 1, remainder: [0, 0], channels: inputs, filters: units }
    }

    /// Rows or columns of such places.
    #[inline(always)]
    pub(crate) fn taps(self, direction: usize) -> usize {
        (self.kernel - self.remainder[direction]).div_ceil(self.stride)
    }

    /// Where in the layer's weights: (kernel, kernel, channels, filters) the one stands that tap
    /// (`row`, `column`) has between `filter` and `channel`.
    #[inline(always)]
    pub(crate) fn at(self, [row, column]: [usize; 2], filter: usize, channel: usize) -> usize {
        let y = self.remainder[0] + self.stride * (self.taps(0) - 1 - row);
        let x = self.remainder[1] + self.stride * (self.taps(1) - 1 - column);
        ((y * self.kernel + x) * self.channels + channel) * self.filters + filter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_phases_of_a_stride_share_the_kernel_among_them() {
        let (kernel, stride, channels, filters) = (5, 2, 3, 4);
        let mut seen = vec![0; kernel * kernel * channels * filters];
        for remainder in [[0, 0], [0, 1], [1, 0], [1, 1]] {
            let phase = Transposed { kernel, stride, remainder, channels, filters };
            for (row, column) in
                (0..phase.taps(0)).flat_map(|row| (0..phase.taps(1)).map(move |c| (row, c)))
            {
                for (filter, channel) in (0..4).flat_map(|f| (0..3).map(move |c| (f, c))) {
                    seen[phase.at([row, column], filter, channel)] += 1;
                }
            }
        }
        assert!(seen.iter().all(|times| *times == 1));
        let phase = Transposed { kernel, stride, remainder: [1, 0], channels, filters };
        // Rows 1 and 3, columns 0, 2 and 4, from the end on.
        assert_eq!([phase.taps(0), phase.taps(1)], [2, 3]);
        assert_eq!(phase.at([0, 1], 2, 1), ((3 * 5 + 2) * 3 + 1) * 4 + 2);
        assert_eq!(Transposed::dense(7, 3).at([0, 0], 2, 6), 20);
    }
}
