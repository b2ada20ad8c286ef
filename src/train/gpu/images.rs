//! A data set on the device.

use base::error::{Result, fault};

use super::device::{Buffer, Gpu};
use super::kernels::tensor::count;
use super::program::DataPlace;
use crate::data::{Part, Split};

/// The images of a split as bytes, and their labels.
#[derive(Debug)]
pub(super) struct Images {
    pub(super) place: DataPlace,
    /// Standardised values of bytes, labels.
    pub(super) dataset: Buffer,
    /// All images, the first ones in the first buffer.
    pub(super) bytes: [Buffer; 2],
}

impl Images {
    /// Errors: more images than two buffers hold.
    pub(super) fn upload(gpu: &Gpu, split: &Split<'_>) -> Result<Self> {
        let parts = [split.train, split.validation, split.test];
        let image_len: usize = split.shape.iter().product();
        let all: usize = parts.iter().map(Part::len).sum();
        let most = usize::try_from(gpu.binding_bytes()).unwrap_or(usize::MAX) / image_len;
        if all > 2 * most {
            let rule =
                format!("two buffers of {} hold {} images", gpu.description().name, 2 * most);
            let remedy = "ask for fewer images with --train-size, --val-size and --test-size, or \
                          train with --device cpu";
            return Err(fault("data set", "images", all, rule, remedy));
        }
        let in_first = all.min(most);
        let bytes: Vec<u8> = parts.iter().flat_map(|part| part.images.iter().copied()).collect();
        let (first, second) = bytes.split_at(in_first * image_len);
        let words = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            // A buffer must not be empty, and holds whole words.
            bytes.resize(bytes.len().next_multiple_of(4).max(4), 0);
            bytes
        };
        let standardised = split.standardised();
        let values = standardised.iter().flatten().map(|value| value.to_bits());
        let labels = parts.iter().flat_map(|part| part.labels.iter().map(|&label| label.into()));
        let dataset: Vec<u32> = values.chain(labels).collect();
        let validation = split.train.len();
        let place = DataPlace {
            in_first: count(in_first),
            first: [0, count(validation), count(validation + split.validation.len())],
            labels: count(256 * standardised.len()),
            dataset_bytes: 4 * dataset.len() as u64,
        };
        Ok(Self {
            place,
            dataset: gpu.upload("labels", &dataset)?,
            bytes: [
                gpu.upload("images", &words(first))?,
                gpu.upload("more images", &words(second))?,
            ],
        })
    }
}
