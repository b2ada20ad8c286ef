//! Whether a page unpacks to more than its header says, before a library believes it: under gzip,
//! Brotli and LZ4 the library takes as much memory as comes out.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use flate2::read::MultiGzDecoder;
use parquet::basic::Compression;

/// Bytes that a decoder of Brotli reads at a time.
const BUFFER_BYTES: usize = 4096;

/// Whether the `packed` bytes from `at` make more than `most` bytes, or ask for more memory than
/// their format allows. What is no such stream ends where it is none: that is for the library to
/// say.
pub(super) fn is_more(
    mut file: &File,
    at: u64,
    packed: u64,
    codec: Compression,
    most: u64,
) -> io::Result<bool> {
    if !matches!(codec, Compression::GZIP(_) | Compression::BROTLI(_) | Compression::LZ4) {
        // The others unpack into as much memory as the header says.
        return Ok(false);
    }
    file.seek(SeekFrom::Start(at))?;
    let mut packed = BufReader::new(file.take(packed));
    let count = |unpacked: &mut dyn Read| {
        let mut limited = unpacked.take(most.saturating_add(1));
        let (mut found, mut buffer) = (0_u64, [0; BUFFER_BYTES]);
        while let Ok(read @ 1..) = limited.read(&mut buffer) {
            found += read as u64;
        }
        found > most
    };
    Ok(match codec {
        Compression::GZIP(_) => count(&mut MultiGzDecoder::new(packed)),
        Compression::BROTLI(_) => {
            let mut first = [0];
            let read = packed.read(&mut first)?;
            // A window of up to 1 GiB, which is none of the format (RFC 7932, 9.1).
            if read == 1 && first[0] & 0x7f == 0x11 {
                return Ok(true);
            }
            let whole = first[..read].chain(packed);
            count(&mut brotli::Decompressor::new(whole, BUFFER_BYTES))
        }
        // Of the kinds of LZ4, only that in frames is unpacked without a bound.
        _ => count(&mut lz4_flex::frame::FrameDecoder::new(packed)),
    })
}
