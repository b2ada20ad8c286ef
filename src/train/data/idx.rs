//! IDX files, the format of MNIST: a big-endian header (two zero bytes, type, number of
//! dimensions, one u32 a dimension), then the bytes, row-major.

use std::io::{BufReader, Read};
use std::path::Path;

use base::error::{Result, fault, io};
use flate2::read::MultiGzDecoder;
use store::inputs;

use super::{Dataset, DatasetInfo, check_labels, find};

/// Type code of unsigned bytes.
const UNSIGNED_BYTE: u8 = 0x08;

/// No deflate stream unpacks to more than this many times its size (zlib's documentation).
const DEFLATE_RATIO_MAX: u64 = 1032;

const REMEDY: &str = "fetch the file again, or name another directory with --data-dir";

/// Reads the four files of an MNIST-like data set.
pub(super) fn load(info: &DatasetInfo, directory: &Path) -> Result<Dataset> {
    let [channels, height, width] = info.shape;
    let (train, test) = ([info.files[0], info.files[1]], [info.files[2], info.files[3]]);
    let (train_images, train_labels) = pair(info, directory, train, info.train_images)?;
    let (test_images, test_labels) = pair(info, directory, test, info.test_images)?;
    Ok(Dataset {
        name: info.name.to_string(),
        channels,
        height,
        width,
        classes: info.classes,
        train_images,
        train_labels,
        test_images,
        test_labels,
        single_file: false,
    })
}

/// Images and their labels: at most as many as the `complete` set has.
fn pair(
    info: &DatasetInfo,
    directory: &Path,
    [images, labels]: [&str; 2],
    complete: usize,
) -> Result<(Vec<u8>, Vec<u8>)> {
    let images_path = find(info, directory, images)?;
    let labels_path = find(info, directory, labels)?;
    // Both headers before anything is unpacked: what the set is decides how far that goes.
    let (images, labels) = (Idx::open(&images_path, 3)?, Idx::open(&labels_path, 1)?);
    let [_, height, width] = info.shape;
    let size = &images.sizes[1..];
    if *size != [height as u64, width as u64] {
        return Err(fault(
            images_path.display(),
            "header, image size",
            format!("{} x {}", size[0], size[1]),
            format!("{} has images of {height} x {width}", info.name),
            "name the directory of the right data set with --data-dir",
        ));
    }
    let (count, labelled) = (images.sizes[0], labels.sizes[0]);
    if count != labelled || count == 0 {
        return Err(fault(
            labels_path.display(),
            "header, number of labels",
            labelled,
            format!("{} holds {count} images: one label each", images_path.display()),
            REMEDY,
        ));
    }
    if count > complete as u64 {
        return Err(fault(
            images_path.display(),
            "header, number of images",
            count,
            format!("{} has {complete} images in this file", info.name),
            REMEDY,
        ));
    }
    let (pixels, bytes) = (images.body(&images_path)?, labels.body(&labels_path)?);
    check_labels(&labels_path, &bytes, info.classes)?;
    Ok((pixels, bytes))
}

/// A file whose header has been read.
struct Idx {
    /// One a dimension.
    sizes: Vec<u64>,
    /// Bytes after the header.
    data: u64,
    source: Box<dyn Read>,
}

impl Idx {
    /// Reads the header and checks it against the file's length: no memory is taken for what a
    /// file only promises.
    fn open(path: &Path, dimensions: usize) -> Result<Self> {
        let file = inputs::open(path).map_err(|e| io(path, "opening", e))?;
        let len = file.metadata().map_err(|e| io(path, "reading the length", e))?.len();
        if path.extension().is_some_and(|extension| extension == "gz") {
            let unpacked_max = len.saturating_mul(DEFLATE_RATIO_MAX);
            let source = MultiGzDecoder::new(BufReader::new(file));
            return Self::read(path, Box::new(source), dimensions, |total| total <= unpacked_max);
        }
        Self::read(path, Box::new(BufReader::new(file)), dimensions, |total| total == len)
    }

    fn read(
        path: &Path,
        mut source: Box<dyn Read>,
        dimensions: usize,
        possible: impl Fn(u64) -> bool,
    ) -> Result<Self> {
        let wrong = |field: &str, value: String, rule: String| {
            Err(fault(path.display(), field, value, rule, REMEDY))
        };
        let mut header = vec![0; 4 + 4 * dimensions];
        if let Err(e) = source.read_exact(&mut header) {
            let rule = format!("an IDX header has {} bytes", header.len());
            return wrong("header", format!("unreadable ({e})"), rule);
        }
        if header[..3] != [0, 0, UNSIGNED_BYTE] || usize::from(header[3]) != dimensions {
            let rule =
                format!("must be [0, 0, 8, {dimensions}]: bytes in {dimensions} dimension(s)");
            return wrong("header, magic number", format!("{:?}", &header[..4]), rule);
        }
        let words = header[4..].chunks_exact(4);
        let sizes: Vec<u64> =
            words.map(|w| u32::from_be_bytes([w[0], w[1], w[2], w[3]]).into()).collect();
        let data = sizes.iter().try_fold(1_u64, |product, &n| product.checked_mul(n));
        let total = data.and_then(|data| data.checked_add(header.len() as u64));
        let (Some(data), Some(total)) = (data, total) else {
            return wrong("header, sizes", format!("{sizes:?}"), "overflow 64 bits".to_string());
        };
        if !possible(total) {
            let rule = format!("promise {total} bytes, which the file does not hold");
            return wrong("header, sizes", format!("{sizes:?}"), rule);
        }
        Ok(Self { sizes, data, source })
    }

    /// The bytes after the header: what it promises, and not one byte further.
    fn body(self, path: &Path) -> Result<Vec<u8>> {
        let Self { data, source, .. } = self;
        let wrong =
            |value: String, rule: String| Err(fault(path.display(), "data", value, rule, REMEDY));
        let mut bytes = Vec::new();
        if let Err(e) = source.take(data + 1).read_to_end(&mut bytes) {
            return wrong(format!("unreadable ({e})"), format!("{data} bytes are promised"));
        }
        if bytes.len() as u64 != data {
            let more = bytes.len() as u64 > data;
            let found = if more { "more".into() } else { bytes.len().to_string() };
            return wrong(format!("{found} bytes"), format!("the header promises {data}"));
        }
        Ok(bytes)
    }
}
