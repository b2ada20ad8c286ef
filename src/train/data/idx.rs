//! IDX files, the format of MNIST: a big-endian header (two zero bytes, type, number of
//! dimensions, one u32 a dimension), then the bytes, row-major.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use base::error::{Result, fault, io};
use flate2::read::MultiGzDecoder;

use super::{Dataset, DatasetInfo, check_labels, find};

/// Type code of unsigned bytes.
const UNSIGNED_BYTE: u8 = 0x08;

/// No deflate stream unpacks to more than this many times its size (zlib's documentation).
const DEFLATE_RATIO_MAX: u64 = 1032;

const REMEDY: &str = "fetch the file again, or name another directory with --data-dir";

/// Reads the four files of an MNIST-like data set.
pub(super) fn load(info: &DatasetInfo, directory: &Path) -> Result<Dataset> {
    let [channels, height, width] = info.shape;
    let (train_images, train_labels) = pair(info, directory, info.files[0], info.files[1])?;
    let (test_images, test_labels) = pair(info, directory, info.files[2], info.files[3])?;
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

/// Images and their labels.
fn pair(
    info: &DatasetInfo,
    directory: &Path,
    images: &str,
    labels: &str,
) -> Result<(Vec<u8>, Vec<u8>)> {
    let images_path = find(info, directory, images)?;
    let labels_path = find(info, directory, labels)?;
    let (dimensions, pixels) = read(&images_path, 3)?;
    let [_, height, width] = info.shape;
    if dimensions[1..] != [height, width] {
        return Err(fault(
            images_path.display(),
            "header, image size",
            format!("{} x {}", dimensions[1], dimensions[2]),
            format!("{} has images of {height} x {width}", info.name),
            "name the directory of the right data set with --data-dir",
        ));
    }
    let (count, bytes) = read(&labels_path, 1)?;
    if count[0] != dimensions[0] || count[0] == 0 {
        return Err(fault(
            labels_path.display(),
            "header, number of labels",
            count[0],
            format!("{} holds {} images: one label each", images_path.display(), dimensions[0]),
            REMEDY,
        ));
    }
    check_labels(&labels_path, &bytes, info.classes)?;
    Ok((pixels, bytes))
}

/// The dimensions and the bytes of one file. The header is checked against the file's length
/// before any memory is taken; a compressed file is unpacked to what its header promises and not
/// one byte further.
fn read(path: &Path, dimensions: usize) -> Result<(Vec<usize>, Vec<u8>)> {
    let file = File::open(path).map_err(|e| io(path, "opening", e))?;
    let len = file.metadata().map_err(|e| io(path, "reading the length", e))?.len();
    if path.extension().is_some_and(|extension| extension == "gz") {
        let unpacked_max = len.saturating_mul(DEFLATE_RATIO_MAX);
        let source = MultiGzDecoder::new(BufReader::new(file));
        return body(path, source, dimensions, |promised| promised <= unpacked_max);
    }
    body(path, BufReader::new(file), dimensions, |promised| promised == len)
}

fn body(
    path: &Path,
    mut source: impl Read,
    dimensions: usize,
    possible: impl Fn(u64) -> bool,
) -> Result<(Vec<usize>, Vec<u8>)> {
    let wrong = |field: &str, value: String, rule: String| {
        Err(fault(path.display(), field, value, rule, REMEDY))
    };
    let mut header = vec![0; 4 + 4 * dimensions];
    if let Err(e) = source.read_exact(&mut header) {
        let rule = format!("an IDX header has {} bytes", header.len());
        return wrong("header", format!("unreadable ({e})"), rule);
    }
    if header[..3] != [0, 0, UNSIGNED_BYTE] || usize::from(header[3]) != dimensions {
        let rule = format!("must be [0, 0, 8, {dimensions}]: bytes in {dimensions} dimension(s)");
        return wrong("header, magic number", format!("{:?}", &header[..4]), rule);
    }
    let words = header[4..].chunks_exact(4);
    let sizes: Vec<u32> = words.map(|w| u32::from_be_bytes([w[0], w[1], w[2], w[3]])).collect();
    let data = sizes.iter().try_fold(1_u64, |product, &n| product.checked_mul(u64::from(n)));
    let total = data.and_then(|data| data.checked_add(header.len() as u64));
    let (Some(data), Some(total)) = (data, total) else {
        return wrong("header, sizes", format!("{sizes:?}"), "overflow 64 bits".to_string());
    };
    if !possible(total) {
        let rule = format!("promise {total} bytes, which the file does not hold");
        return wrong("header, sizes", format!("{sizes:?}"), rule);
    }
    let mut bytes = Vec::new();
    if let Err(e) = source.take(data + 1).read_to_end(&mut bytes) {
        return wrong("data", format!("unreadable ({e})"), format!("{data} bytes are promised"));
    }
    if bytes.len() as u64 != data {
        let found = if bytes.len() as u64 > data { "more".into() } else { bytes.len().to_string() };
        return wrong("data", format!("{found} bytes"), format!("the header promises {data}"));
    }
    Ok((sizes.into_iter().map(|n| n as usize).collect(), bytes))
}
