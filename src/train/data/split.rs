//! Which images train, validate and test, and the statistics that standardise them.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "sums of bytes stay far below 2^53; standardised pixels are f32 by design"
)]

use base::error::{Result, fault};
use sha2::{Digest, Sha256};

use super::Dataset;

/// Images with their labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    /// (image, channel, row, column), row-major.
    pub images: &'a [u8],
    pub labels: &'a [u8],
}

impl Part<'_> {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether the part holds no image.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }
}

/// The three parts of a data set.
#[derive(Debug, Clone)]
pub struct Split<'a> {
    pub train: Part<'a>,
    pub validation: Part<'a>,
    pub test: Part<'a>,
    /// The data set's channels, height and width.
    pub shape: [usize; 3],
    /// Mean of each channel over the training images.
    pub mean: Vec<f64>,
    /// Population deviation of each channel over the training images; 1 where it is 0.
    pub deviation: Vec<f64>,
}

impl<'a> Split<'a> {
    /// Of the training file the first `train_size` images train and the last `val_size` validate,
    /// of the test file the first `test_size` test; a single file is cut in that order.
    ///
    /// `test_size` may be 0: then nothing is tested. Errors: sizes of 0, or beyond the data.
    pub fn new(
        dataset: &'a Dataset,
        train_size: usize,
        val_size: usize,
        test_size: usize,
    ) -> Result<Self> {
        let image_len = dataset.image_len();
        let in_train = dataset.train_labels.len();
        let (needed_of_train, in_test) = if dataset.single_file {
            (train_size.saturating_add(val_size).saturating_add(test_size), usize::MAX)
        } else {
            (train_size.saturating_add(val_size), dataset.test_labels.len())
        };
        let refuse = |field: &str, value: usize, rule: String| {
            let remedy = "ask for fewer images with --train-size, --val-size and --test-size";
            Err(fault(format!("data set {}", dataset.name), field, value, rule, remedy))
        };
        if train_size == 0 || val_size == 0 {
            let field = if train_size == 0 { "--train-size" } else { "--val-size" };
            return refuse(field, 0, "at least one image must train and one validate".to_string());
        }
        if needed_of_train > in_train {
            let field = if dataset.single_file {
                format!("train + validation + test ({train_size} + {val_size} + {test_size})")
            } else {
                format!("train + validation ({train_size} + {val_size})")
            };
            return refuse(&field, needed_of_train, format!("the file holds {in_train} images"));
        }
        if test_size > in_test {
            let rule = format!("the test file holds {in_test} images");
            return refuse("--test-size", test_size, rule);
        }
        let part = |images: &'a [u8], labels: &'a [u8], first: usize, count: usize| Part {
            images: &images[first * image_len..(first + count) * image_len],
            labels: &labels[first..first + count],
        };
        let (images, labels) = (&dataset.train_images, &dataset.train_labels);
        let train = part(images, labels, 0, train_size);
        let (validation, test) = if dataset.single_file {
            let test = part(images, labels, train_size + val_size, test_size);
            (part(images, labels, train_size, val_size), test)
        } else {
            let test = part(&dataset.test_images, &dataset.test_labels, 0, test_size);
            (part(images, labels, in_train - val_size, val_size), test)
        };
        let shape = [dataset.channels, dataset.height, dataset.width];
        Ok(Self::of_parts(train, validation, test, shape))
    }

    /// A split of these parts, standardised by the training images.
    pub(super) fn of_parts(
        train: Part<'a>,
        validation: Part<'a>,
        test: Part<'a>,
        shape: [usize; 3],
    ) -> Self {
        let (mean, deviation) = moments(&train, shape);
        Self { train, validation, test, shape, mean, deviation }
    }

    /// SHA-256, in hexadecimal, over the shape and every byte of the three parts: what provenance
    /// says was trained on.
    pub fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        for size in self.shape {
            hash.update((size as u64).to_le_bytes());
        }
        for part in [&self.train, &self.validation, &self.test] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.images);
            hash.update(part.labels);
        }
        hash.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
            for nibble in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(nibble), 16).expect("a nibble is below 16"));
            }
            text
        })
    }

    /// The standardised value of every byte, for each channel: (pixel - mean) / deviation, worked
    /// out in f64 and rounded once.
    pub fn standardised(&self) -> Vec<[f32; 256]> {
        let channels = self.mean.iter().zip(&self.deviation);
        channels
            .map(|(mean, deviation)| {
                std::array::from_fn(|pixel| ((pixel as f64 - mean) / deviation) as f32)
            })
            .collect()
    }
}

/// Mean and population deviation of each channel. Sums are whole numbers, so their order plays no
/// part.
fn moments(part: &Part<'_>, [channels, height, width]: [usize; 3]) -> (Vec<f64>, Vec<f64>) {
    let plane = height * width;
    let mut sums = vec![(0_u64, 0_u64); channels];
    for (at, pixels) in part.images.chunks_exact(plane).enumerate() {
        let (sum, squares) = &mut sums[at % channels];
        *sum += pixels.iter().map(|&p| u64::from(p)).sum::<u64>();
        *squares += pixels.iter().map(|&p| u64::from(p) * u64::from(p)).sum::<u64>();
    }
    let count = (part.len() * plane) as f64;
    sums.into_iter()
        .map(|(sum, squares)| {
            let mean = sum as f64 / count;
            let variance = (squares as f64 / count - mean * mean).max(0.0);
            let constant = squares as f64 * count == sum as f64 * sum as f64;
            (mean, if constant || variance == 0.0 { 1.0 } else { variance.sqrt() })
        })
        .unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dataset(train: usize, test: usize, single_file: bool) -> Dataset {
        let images = |count: usize, first: u8| -> Vec<u8> {
            (0..count).flat_map(|i| [first + i as u8, 7, first, 7]).collect()
        };
        Dataset {
            name: "small".to_string(),
            channels: 2,
            height: 1,
            width: 2,
            classes: 10,
            train_images: images(train, 10),
            train_labels: (0..train).map(|i| (i % 10) as u8).collect(),
            test_images: images(test, 90),
            test_labels: (0..test).map(|i| (i % 10) as u8).collect(),
            single_file,
        }
    }

    #[test]
    fn two_files_split_first_last_first() {
        let data = dataset(6, 4, false);
        let split = Split::new(&data, 3, 2, 1).unwrap();
        assert_eq!(split.train.labels, [0, 1, 2]);
        assert_eq!(split.validation.labels, [4, 5]);
        assert_eq!(split.validation.images[0], 14);
        assert_eq!((split.test.labels, split.test.images[0]), (&[0][..], 90));
    }

    #[test]
    fn one_file_splits_in_order() {
        let data = dataset(6, 0, true);
        let split = Split::new(&data, 3, 2, 1).unwrap();
        assert_eq!(split.validation.labels, [3, 4]);
        assert_eq!(split.test.labels, [5]);
        assert!(Split::new(&data, 3, 2, 2).is_err());
    }

    #[test]
    fn sizes_beyond_the_data_name_both_numbers() {
        let data = dataset(6, 4, false);
        let overlap = Split::new(&data, 5, 2, 1).unwrap_err().to_string();
        assert!(overlap.contains('7') && overlap.contains("holds 6 images"), "{overlap}");
        let test = Split::new(&data, 3, 2, 5).unwrap_err().to_string();
        assert!(test.contains("= 5") && test.contains("holds 4 images"), "{test}");
        assert!(Split::new(&data, 0, 2, 1).is_err() && Split::new(&data, 1, 0, 1).is_err());
        assert!(Split::new(&data, usize::MAX, usize::MAX, 1).is_err());
    }

    #[test]
    fn only_training_images_standardise_and_a_flat_channel_divides_by_one() {
        let data = dataset(6, 4, false);
        let split = Split::new(&data, 2, 2, 1).unwrap();
        // The first channel holds 10, 7, 11, 7; the second 10, 7, 10, 7.
        assert_eq!(split.mean, [8.75, 8.5]);
        assert!((split.deviation[0] - 3.1875_f64.sqrt()).abs() < 1e-12);
        assert_eq!(split.deviation[1], 1.5);
        assert_eq!(split.standardised()[1][10], 1.0);
        let mut flat = data.clone();
        flat.train_images.fill(3);
        let split = Split::new(&flat, 2, 2, 1).unwrap();
        assert_eq!((split.deviation, split.mean), (vec![1.0, 1.0], vec![3.0, 3.0]));
    }

    #[test]
    fn the_hash_sees_every_part() {
        let data = dataset(6, 4, false);
        let base = Split::new(&data, 3, 2, 1).unwrap().sha256();
        assert_eq!(base.len(), 64);
        let mut other = data.clone();
        other.test_images[0] ^= 1;
        assert_ne!(base, Split::new(&other, 3, 2, 1).unwrap().sha256());
        let mut unused = data.clone();
        unused.test_images[15] ^= 1;
        assert_eq!(base, Split::new(&unused, 3, 2, 1).unwrap().sha256());
    }
}
