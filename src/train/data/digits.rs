//! The built-in 8x8 digits: `digits.bin.gz`, made by `make_digits.py` beside this file.
//!
//! "Optical Recognition of Handwritten Digits", test set, E. Alpaydin and C. Kaynak, UCI Machine
//! Learning Repository (CC BY 4.0), in scikit-learn's order and encoding (BSD-3): pixels 0 to 16.

use std::io::Read;

use base::error::{Result, internal};

use super::Dataset;

/// Images in the file.
pub(super) const IMAGES: usize = 1_797;

const PACKED: &[u8] = include_bytes!("digits.bin.gz");
const SIDE: usize = 8;

/// Unpacks the images, then the labels.
pub(super) fn load() -> Result<Dataset> {
    let mut bytes = Vec::with_capacity(IMAGES * (SIDE * SIDE + 1));
    flate2::read::GzDecoder::new(PACKED)
        .read_to_end(&mut bytes)
        .map_err(|e| internal("unpacking the built-in digits", e))?;
    let labels = bytes.split_off(IMAGES * SIDE * SIDE);
    assert_eq!(labels.len(), IMAGES, "the built-in digits hold one label an image");
    Ok(Dataset {
        name: "digits".to_string(),
        channels: 1,
        height: SIDE,
        width: SIDE,
        classes: 10,
        train_images: bytes,
        train_labels: labels,
        test_images: Vec::new(),
        test_labels: Vec::new(),
        single_file: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digits_are_those_of_scikit_learn() {
        let digits = load().unwrap();
        // load_digits().data.sum(), .target.sum() and the first image's first two rows.
        assert_eq!(digits.train_images.iter().map(|&p| u64::from(p)).sum::<u64>(), 561_718);
        assert_eq!(digits.train_labels.iter().map(|&l| u64::from(l)).sum::<u64>(), 8_070);
        assert_eq!(
            &digits.train_images[..16],
            &[0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0]
        );
        assert_eq!(&digits.train_labels[..5], &[0, 1, 2, 3, 4]);
        assert!(digits.train_images.iter().all(|&p| p <= 16));
    }
}
