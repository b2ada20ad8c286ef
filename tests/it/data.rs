//! Data files, sound and broken.

use std::fs;
use std::io::Write;
use std::path::Path;

use curvebook::base::error::Error;
use curvebook::train::data::{self, Split};
use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

const TRAIN_IMAGES: &str = "train-images-idx3-ubyte";
const TRAIN_LABELS: &str = "train-labels-idx1-ubyte";
const TEST_IMAGES: &str = "t10k-images-idx3-ubyte";
const TEST_LABELS: &str = "t10k-labels-idx1-ubyte";

fn idx(sizes: &[u32], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, u8::try_from(sizes.len()).unwrap()];
    bytes.extend(sizes.iter().flat_map(|n| n.to_be_bytes()));
    bytes.extend_from_slice(data);
    bytes
}

fn images(count: u32) -> Vec<u8> {
    let pixels: Vec<u8> = (0..count * 784).map(|i| (i % 251) as u8).collect();
    idx(&[count, 28, 28], &pixels)
}

fn labels(count: u32) -> Vec<u8> {
    let labels: Vec<u8> = (0..count).map(|i| (i % 10) as u8).collect();
    idx(&[count], &labels)
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A directory with a sound small MNIST, some of it gzipped.
fn mnist() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(directory.path().join(name), bytes).unwrap();
    write(TRAIN_IMAGES, &images(12));
    write(&format!("{TRAIN_LABELS}.gz"), &gz(&labels(12)));
    write(&format!("{TEST_IMAGES}.gz"), &gz(&images(5)));
    write(TEST_LABELS, &labels(5));
    directory
}

/// The message of a load that the user's files make fail.
fn refusal(name: &str, directory: &Path) -> String {
    match data::load(name, Some(directory)) {
        Err(Error::Input(fault)) => fault.to_string(),
        other => panic!("expected a fault, found {other:?}"),
    }
}

#[test]
fn idx_files_load_plain_and_gzipped() {
    let directory = mnist();
    let data = data::load("mnist", Some(directory.path())).unwrap();
    assert_eq!((data.train_labels.len(), data.test_labels.len()), (12, 5));
    assert_eq!(data.train_images[783..786], [30, 31, 32]);
    assert_eq!(data.train_images.len(), 12 * 784);
    let split = Split::new(&data, 8, 4, 5).unwrap();
    assert_eq!(split.validation.labels, [8, 9, 0, 1]);
    assert_eq!(data::load("fashion-mnist", Some(directory.path())).unwrap().name, "fashion-mnist");
}

#[test]
fn missing_files_are_named() {
    let directory = mnist();
    fs::remove_file(directory.path().join(TEST_LABELS)).unwrap();
    let text = refusal("mnist", directory.path());
    assert!(text.contains(TEST_LABELS) && text.contains("--data-dir"), "{text}");
}

#[test]
fn broken_idx_files_are_refused() {
    let cut = |mut bytes: Vec<u8>| {
        bytes.pop();
        bytes
    };
    let grown = |mut bytes: Vec<u8>| {
        bytes.push(0);
        bytes
    };
    let mut label_ten = labels(12);
    label_ten[10] = 10;
    let huge = idx(&[u32::MAX, 28, 28], &[0; 100]);
    let beyond_64_bits = idx(&[u32::MAX, u32::MAX, u32::MAX], &[0; 100]);
    let mut floats = images(12);
    floats[2] = 0x0d;
    for (name, bytes, part) in [
        (TRAIN_IMAGES, cut(images(12)), "promise 9424 bytes"),
        (TRAIN_IMAGES, grown(images(12)), "promise 9424 bytes"),
        (TRAIN_IMAGES, huge, "which the file does not hold"),
        (TRAIN_IMAGES, beyond_64_bits, "overflow"),
        (TRAIN_IMAGES, floats, "magic number"),
        (TRAIN_IMAGES, labels(12), "magic number"),
        (TRAIN_IMAGES, vec![0, 0, 8], "header"),
        (TRAIN_IMAGES, Vec::new(), "header"),
        (TRAIN_IMAGES, b"<!DOCTYPE html> not found, but long enough".to_vec(), "magic"),
        (TRAIN_IMAGES, idx(&[12, 14, 56], &[0; 12 * 784]), "28 x 28"),
        (TRAIN_IMAGES, images(11), "one label each"),
        (TEST_LABELS, labels(6), "one label each"),
        (TEST_LABELS, idx(&[5], &[0, 1, 2, 3, 10]), "labels are below 10"),
    ] {
        let directory = mnist();
        fs::write(directory.path().join(name), &bytes).unwrap();
        let text = refusal("mnist", directory.path());
        assert!(text.contains(part) && text.contains(name), "{part}: {text}");
    }
}

#[test]
fn broken_gzip_files_are_refused() {
    let whole = gz(&images(5));
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0xff;
    // Ten megabytes behind a header that promises five images: unpacked no further than that.
    let bomb = [images(5), vec![0; 10_000_000]].concat();
    for (bytes, part) in [
        (whole[..whole.len() - 20].to_vec(), "t10k"),
        (flipped, "t10k"),
        (gz(&bomb), "more bytes"),
        (gz(&images(5)[..1_000]), "promises 3920"),
        (gz(&idx(&[u32::MAX, 28, 28], &[0; 100])), "which the file does not hold"),
        (b"not gzip at all".to_vec(), "header"),
    ] {
        let directory = mnist();
        fs::write(directory.path().join(format!("{TEST_IMAGES}.gz")), &bytes).unwrap();
        let text = refusal("mnist", directory.path());
        assert!(text.contains(part), "{part}: {text}");
    }
}

fn cifar(directory: &Path, records: usize) {
    let record = |label: u8| [vec![label], vec![label * 3; 1024], vec![7; 2048]].concat();
    for name in data::info("cifar10").unwrap().files {
        let bytes: Vec<u8> = (0..records).flat_map(|i| record((i % 10) as u8)).collect();
        fs::write(directory.join(name), bytes).unwrap();
    }
}

#[test]
fn cifar_files_load_from_either_directory() {
    let directory = tempfile::tempdir().unwrap();
    let inner = directory.path().join("cifar-10-batches-bin");
    fs::create_dir(&inner).unwrap();
    cifar(&inner, 3);
    let data = data::load("cifar10", Some(directory.path())).unwrap();
    assert_eq!((data.train_labels.len(), data.test_labels.len()), (15, 3));
    assert_eq!(data.train_images[3_072..3_074], [3, 3], "the second image's red plane");
    assert_eq!(data, data::load("cifar10", Some(&inner)).unwrap());
}

#[test]
fn broken_cifar_files_are_refused() {
    for (bytes, part) in [
        (vec![0; 3_072], "3073 bytes"),
        (Vec::new(), "3073 bytes"),
        (vec![0; 3_073 * 10_001], "10000 records"),
        ([vec![10], vec![0; 3_072]].concat(), "labels are below 10"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        cifar(directory.path(), 2);
        fs::write(directory.path().join("data_batch_4.bin"), &bytes).unwrap();
        let text = refusal("cifar10", directory.path());
        assert!(text.contains(part) && text.contains("data_batch_4.bin"), "{text}");
    }
}
