//! Channels side by side: `output[row, first + c] = source[row, c]`, `first` counting the channels
//! of the sources before. Values are copied: exact, no tolerance.

/// Writes `source`: (rows, `channels`) to its columns of `output`: (rows, `all`).
pub(crate) fn concat_forward<T: Copy>(
    source: &[T],
    channels: usize,
    first: usize,
    all: usize,
    output: &mut [T],
) {
    for (source, output) in source.chunks_exact(channels).zip(output.chunks_exact_mut(all)) {
        output[first..first + channels].copy_from_slice(source);
    }
}

/// Overwrites `d_source`: (rows, `channels`) with its columns of `d_output`: (rows, `all`).
pub(crate) fn concat_backward<T: Copy>(
    d_output: &[T],
    all: usize,
    first: usize,
    channels: usize,
    d_source: &mut [T],
) {
    for (d_source, d_output) in d_source.chunks_exact_mut(channels).zip(d_output.chunks_exact(all))
    {
        d_source.copy_from_slice(&d_output[first..first + channels]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let (a, b) = ([1.0, 2.0, 3.0, 4.0], [5.0, 6.0]);
        let mut joined = [f32::NAN; 6];
        concat_forward(&a, 2, 0, 3, &mut joined);
        concat_forward(&b, 1, 2, 3, &mut joined);
        assert_eq!(joined, [1.0, 2.0, 5.0, 3.0, 4.0, 6.0]);
        let (mut back_a, mut back_b) = ([f32::NAN; 4], [f32::NAN; 2]);
        concat_backward(&joined, 3, 0, 2, &mut back_a);
        concat_backward(&joined, 3, 2, 1, &mut back_b);
        assert_eq!((back_a, back_b), (a, b));
    }
}
