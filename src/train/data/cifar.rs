//! CIFAR-10's binary files: records of one label byte and 3,072 pixel bytes, channel by channel.

use std::io::Read;
use std::path::Path;

use base::error::{Result, fault, io};
use store::inputs;

use super::{Dataset, DatasetInfo, check_labels, find};

/// Five training files and one test file.
pub(super) const FILES: &[&str] = &[
    "data_batch_1.bin",
    "data_batch_2.bin",
    "data_batch_3.bin",
    "data_batch_4.bin",
    "data_batch_5.bin",
    "test_batch.bin",
];

/// The directory inside the original archive.
pub(super) const ARCHIVE_DIRECTORY: &str = "cifar-10-batches-bin";

/// Records of each original file.
const RECORDS_MAX: u64 = 10_000;

/// Reads the six files, from the directory itself or from the archive's directory in it.
pub(super) fn load(info: &DatasetInfo, directory: &Path) -> Result<Dataset> {
    let [channels, height, width] = info.shape;
    let mut dataset = Dataset {
        name: info.name.to_string(),
        channels,
        height,
        width,
        classes: info.classes,
        train_images: Vec::new(),
        train_labels: Vec::new(),
        test_images: Vec::new(),
        test_labels: Vec::new(),
        single_file: false,
    };
    let (test, train) = info.files.split_last().expect("six files are listed");
    for name in train {
        let (images, labels) = (&mut dataset.train_images, &mut dataset.train_labels);
        read(info, directory, name, images, labels)?;
    }
    read(info, directory, test, &mut dataset.test_images, &mut dataset.test_labels)?;
    Ok(dataset)
}

/// Appends the records of one file.
fn read(
    info: &DatasetInfo,
    directory: &Path,
    name: &str,
    images: &mut Vec<u8>,
    labels: &mut Vec<u8>,
) -> Result<()> {
    let path = find(info, directory, name)?;
    let file = inputs::open(&path).map_err(|e| io(&path, "opening", e))?;
    let len = file.metadata().map_err(|e| io(&path, "reading the length", e))?.len();
    let image_len = info.shape.iter().product::<usize>();
    let record_len = image_len as u64 + 1;
    if len == 0 || !len.is_multiple_of(record_len) || len > RECORDS_MAX * record_len {
        return Err(fault(
            path.display(),
            "length",
            format!("{len} bytes"),
            format!("must be 1 to {RECORDS_MAX} records of {record_len} bytes"),
            "fetch the file again: it is cut short or is not the binary version",
        ));
    }
    let mut bytes = Vec::new();
    let mut limited = file.take(len);
    limited.read_to_end(&mut bytes).map_err(|e| io(&path, "reading", e))?;
    let first = labels.len();
    for record in bytes.chunks_exact(image_len + 1) {
        labels.push(record[0]);
        images.extend_from_slice(&record[1..]);
    }
    check_labels(&path, &labels[first..], info.classes)
}
