//! Images: the built-in 8x8 digits, IDX files (MNIST and its like) and CIFAR-10's binary files.
//!
//! A [`Dataset`] is what the files hold, as bytes; a [`Split`] is which of its images train,
//! validate and test, with the statistics that standardise them. [`place`] says where files lie,
//! `download` fetches them.

mod cifar;
mod digits;
#[cfg(feature = "download")]
pub mod download;
mod folds;
mod idx;
pub mod place;
mod split;

use std::path::{Path, PathBuf};

pub use folds::Folds;
pub use split::{Part, Split};

use base::error::{Result, fault, suggest};

/// A labelled set of images, as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// The name that spaces use.
    pub name: String,
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    /// Labels are below this.
    pub classes: usize,
    /// The training file: (image, channel, row, column), row-major.
    pub train_images: Vec<u8>,
    pub train_labels: Vec<u8>,
    /// The test file, in the same layout. Empty where one file serves all parts.
    pub test_images: Vec<u8>,
    pub test_labels: Vec<u8>,
    /// One file holds everything: its images train, validate and test in that order.
    pub single_file: bool,
}

impl Dataset {
    /// Bytes an image.
    pub fn image_len(&self) -> usize {
        self.channels * self.height * self.width
    }
}

/// What is known about a data set before it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatasetInfo {
    /// The name that spaces use.
    pub name: &'static str,
    /// One sentence, with source and licence.
    pub summary: &'static str,
    /// Channels, height, width.
    pub shape: [usize; 3],
    pub classes: usize,
    /// Images in the complete training and test files.
    pub train_images: usize,
    pub test_images: usize,
    /// Files expected in the data directory; IDX files may also be gzipped (`.gz`).
    pub files: &'static [&'static str],
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    BuiltIn,
    Idx,
    Cifar,
}

const IDX_FILES: &[&str] = &[
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

const DATASETS: &[DatasetInfo] = &[
    DatasetInfo {
        name: "digits",
        summary: "8x8 handwritten digits, built in: UCI Optical Recognition of Handwritten \
                  Digits, test set, E. Alpaydin and C. Kaynak, CC BY 4.0, via scikit-learn (BSD-3)",
        shape: [1, 8, 8],
        classes: 10,
        train_images: digits::IMAGES,
        test_images: 0,
        files: &[],
        format: Format::BuiltIn,
    },
    DatasetInfo {
        name: "mnist",
        summary: "28x28 handwritten digits, Y. LeCun, C. Cortes and C. Burges, CC BY-SA 3.0",
        shape: [1, 28, 28],
        classes: 10,
        train_images: 60_000,
        test_images: 10_000,
        files: IDX_FILES,
        format: Format::Idx,
    },
    DatasetInfo {
        name: "fashion-mnist",
        summary: "28x28 pictures of clothing, Zalando SE, MIT licence",
        shape: [1, 28, 28],
        classes: 10,
        train_images: 60_000,
        test_images: 10_000,
        files: IDX_FILES,
        format: Format::Idx,
    },
    DatasetInfo {
        name: "cifar10",
        summary: "32x32 colour pictures of ten kinds, A. Krizhevsky, binary version",
        shape: [3, 32, 32],
        classes: 10,
        train_images: 50_000,
        test_images: 10_000,
        files: cifar::FILES,
        format: Format::Cifar,
    },
];

/// Every data set that can be trained on.
pub fn list() -> &'static [DatasetInfo] {
    DATASETS
}

/// What is known about the data set `name`.
pub fn info(name: &str) -> Result<&'static DatasetInfo> {
    DATASETS.iter().find(|known| known.name == name).ok_or_else(|| {
        fault(
            "space",
            "dataset",
            name,
            "is not a known data set",
            suggest(name, DATASETS.iter().map(|known| known.name)),
        )
    })
}

/// Reads the data set `name` from `data_dir` (not needed for the built-in digits);
/// [`place::directory`] knows the one that nobody names.
///
/// Errors: an unknown name, missing files, and files whose header, length or labels are not what
/// the format promises.
pub fn load(name: &str, data_dir: Option<&Path>) -> Result<Dataset> {
    let info = info(name)?;
    match info.format {
        Format::BuiltIn => digits::load(),
        Format::Idx => idx::load(info, directory(info, data_dir)?),
        Format::Cifar => cifar::load(info, directory(info, data_dir)?),
    }
}

fn directory<'a>(info: &DatasetInfo, data_dir: Option<&'a Path>) -> Result<&'a Path> {
    let files = info.files.join(", ");
    let directory = data_dir.ok_or_else(|| {
        let rule = format!("{} is read from files", info.name);
        let remedy = format!("name the directory that holds {files}");
        fault("command line", "--data-dir", "missing", rule, remedy)
    })?;
    if directory.is_dir() {
        return Ok(directory);
    }
    let found = if directory.exists() { "not a directory" } else { "missing" };
    Err(fault(
        directory.display(),
        "--data-dir",
        found,
        format!("{} is read from the files {files}", info.name),
        format!("{} fetches them; or name the directory that holds them", info.command(directory)),
    ))
}

impl DatasetInfo {
    /// The command that fetches the files into a directory.
    fn command(&self, directory: &Path) -> String {
        let name = self.name;
        if place::directory(name, None).is_ok_and(|usual| usual.as_deref() == Some(directory)) {
            return format!("`curvebook data get {name}`");
        }
        format!("`curvebook data get {name} --data-dir {}`", directory.display())
    }
}

/// The file that is read for `file`.
fn find(info: &DatasetInfo, directory: &Path, file: &str) -> Result<PathBuf> {
    // Of two spellings, users of CIFAR-10 need not know the second: what the archive makes.
    let spelling = if info.format == Format::Idx { " (plain or .gz)" } else { "" };
    info.find(directory, file).ok_or_else(|| {
        fault(
            directory.display(),
            file,
            "missing",
            format!("{} is made of {}{spelling}", info.name, info.files.join(", ")),
            format!(
                "put the files there ({} fetches them), or name their directory with --data-dir",
                info.command(directory)
            ),
        )
    })
}

/// Refuses a file whose labels are not below `classes`.
fn check_labels(path: &Path, labels: &[u8], classes: usize) -> Result<()> {
    match labels.iter().position(|&label| usize::from(label) >= classes) {
        None => Ok(()),
        Some(at) => Err(fault(
            path.display(),
            format!("label {at}"),
            labels[at],
            format!("labels are below {classes}"),
            "fetch the file again: it is damaged or belongs to another data set",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_names_and_missing_directories_say_what_to_do() {
        let unknown = load("minst", None).unwrap_err().to_string();
        assert!(unknown.contains("did you mean `mnist`?"), "{unknown}");
        let missing = load("mnist", None).unwrap_err().to_string();
        assert!(missing.contains("--data-dir"), "{missing}");
        assert!(missing.contains("train-images-idx3-ubyte"), "{missing}");
        let nowhere = load("cifar10", Some(Path::new("no-such-directory"))).unwrap_err();
        assert!(nowhere.to_string().contains("data_batch_1.bin"), "{nowhere}");
    }
}
