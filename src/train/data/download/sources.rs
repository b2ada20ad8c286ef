//! What there is to fetch, from where, and what it must hash to.
//!
//! Sums: MNIST's and Fashion-MNIST's of the files as their authors published them; CIFAR-10's as
//! other projects state them too (the archive's, and those of the files in it).

use super::Mirror;

/// A file as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Its name, in a data directory or in an archive; parts of a path stand between slashes.
    pub name: String,
    pub bytes: u64,
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: String,
}

impl Expected {
    /// A file of this name, length and SHA-256.
    pub fn new(name: impl Into<String>, bytes: u64, sha256: impl Into<String>) -> Self {
        Self { name: name.into(), bytes, sha256: sha256.into() }
    }
}

/// One file on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    pub file: Expected,
    /// Where it is, in the order of trial.
    pub urls: Vec<String>,
    pub kind: Kind,
}

/// What becomes of a fetched file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// It is kept. Where the same data lies there unpacked, that is read instead.
    Plain { unpacked: Option<Expected> },
    /// A gzipped tar archive: these files are taken out, under the last part of their names, and
    /// nothing else is.
    Archive { files: Vec<Expected> },
}

/// A file that must be in the data directory at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Output {
    /// What is put there.
    pub(super) file: Expected,
    /// What serves, in the order in which reading looks for it.
    pub(super) spellings: Vec<Expected>,
}

impl Remote {
    pub(super) fn outputs(&self) -> Vec<Output> {
        match &self.kind {
            Kind::Plain { unpacked } => {
                let spellings = unpacked.iter().chain([&self.file]).cloned().collect();
                vec![Output { file: self.file.clone(), spellings }]
            }
            Kind::Archive { files } => files
                .iter()
                .map(|inner| {
                    let file = Expected { name: last_part(&inner.name), ..inner.clone() };
                    Output { spellings: vec![file.clone(), inner.clone()], file }
                })
                .collect(),
        }
    }
}

pub(super) fn last_part(name: &str) -> String {
    name.rsplit('/').next().unwrap_or(name).to_string()
}

/// All files of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The data set's name.
    pub name: String,
    pub remotes: Vec<Remote>,
}

impl Manifest {
    /// The files of the data set `name`; nothing for what is built in.
    pub fn of(name: &str) -> Option<Self> {
        let remotes = match name {
            "mnist" => idx(MNIST_BASES, &MNIST),
            "fashion-mnist" => idx(FASHION_BASES, &FASHION),
            "cifar10" => vec![cifar10()],
            _ => return None,
        };
        Some(Self { name: name.to_string(), remotes })
    }

    /// Where a file is looked for, in the order of trial.
    pub fn urls(&self, remote: &Remote, mirror: Option<&Mirror>) -> Vec<String> {
        match mirror {
            Some(mirror) => vec![mirror.url(&self.name, &remote.file.name)],
            None => remote.urls.clone(),
        }
    }
}

/// The original site of MNIST answers no longer; these two are what `PyTorch` and `TensorFlow` use.
const MNIST_BASES: &[&str] = &[
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
];

/// The authors' own bucket, which has no HTTPS, and their repository.
const FASHION_BASES: &[&str] = &[
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
];

/// The author's page, and what `MindSpore`'s examples use.
const CIFAR10_URLS: &[&str] = &[
    "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    "https://mindspore-website.obs.cn-north-4.myhuaweicloud.com/notebook/datasets/\
     cifar-10-binary.tar.gz",
];

/// Name; bytes and SHA-256 packed, then unpacked.
type IdxFile = (&'static str, u64, &'static str, u64, &'static str);

const MNIST: [IdxFile; 4] = [
    (
        "train-images-idx3-ubyte",
        9_912_422,
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        47_040_016,
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    (
        "train-labels-idx1-ubyte",
        28_881,
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        60_008,
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    (
        "t10k-images-idx3-ubyte",
        1_648_877,
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        7_840_016,
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    (
        "t10k-labels-idx1-ubyte",
        4_542,
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        10_008,
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
];

const FASHION: [IdxFile; 4] = [
    (
        "train-images-idx3-ubyte",
        26_421_880,
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        47_040_016,
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    ),
    (
        "train-labels-idx1-ubyte",
        29_515,
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        60_008,
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    ),
    (
        "t10k-images-idx3-ubyte",
        4_422_102,
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        7_840_016,
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    ),
    (
        "t10k-labels-idx1-ubyte",
        5_148,
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        10_008,
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
];

/// Of CIFAR-10's archive.
const CIFAR10_SHA256: &str = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd";
const CIFAR10_BYTES: u64 = 170_052_171;

/// Of the files in it, 30,730,000 bytes each.
const CIFAR10_FILES: [(&str, &str); 6] = [
    ("data_batch_1.bin", "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"),
    ("data_batch_2.bin", "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"),
    ("data_batch_3.bin", "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"),
    ("data_batch_4.bin", "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"),
    ("data_batch_5.bin", "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"),
    ("test_batch.bin", "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"),
];

fn idx(bases: &[&str], files: &[IdxFile]) -> Vec<Remote> {
    let remote = |&(name, packed, packed_sha256, unpacked, unpacked_sha256): &IdxFile| Remote {
        file: Expected::new(format!("{name}.gz"), packed, packed_sha256),
        urls: bases.iter().map(|base| format!("{base}{name}.gz")).collect(),
        kind: Kind::Plain { unpacked: Some(Expected::new(name, unpacked, unpacked_sha256)) },
    };
    files.iter().map(remote).collect()
}

fn cifar10() -> Remote {
    let inner = |&(name, sha256): &(&str, &str)| {
        Expected::new(format!("cifar-10-batches-bin/{name}"), 30_730_000, sha256)
    };
    Remote {
        file: Expected::new("cifar-10-binary.tar.gz", CIFAR10_BYTES, CIFAR10_SHA256),
        urls: CIFAR10_URLS.iter().map(ToString::to_string).collect(),
        kind: Kind::Archive { files: CIFAR10_FILES.iter().map(inner).collect() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data;

    /// What is fetched is what reading looks for, and no checksum can have been mistyped in length.
    #[test]
    fn manifests_and_readers_agree() {
        for set in data::list() {
            let Some(manifest) = Manifest::of(set.name) else {
                assert!(set.files.is_empty(), "{} cannot be fetched", set.name);
                continue;
            };
            let outputs: Vec<Output> = manifest.remotes.iter().flat_map(Remote::outputs).collect();
            let names = |expected: &[Expected]| -> Vec<String> {
                expected.iter().map(|file| file.name.clone()).collect()
            };
            let fetched: Vec<_> = outputs.iter().map(|output| names(&output.spellings)).collect();
            let read: Vec<_> = set.files.iter().map(|file| set.spellings(file)).collect();
            assert_eq!(fetched, read);
            for file in outputs.iter().flat_map(|output| &output.spellings) {
                let sum = &file.sha256;
                assert!(sum.len() == 64 && sum.bytes().all(|b| b"0123456789abcdef".contains(&b)));
            }
            for remote in &manifest.remotes {
                assert!(
                    remote.urls.len() >= 2
                        && remote.urls.iter().all(|u| u.ends_with(&remote.file.name))
                );
            }
        }
    }
}
