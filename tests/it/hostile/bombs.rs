//! Little that unpacks to much: no further than what the file says first.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use curvebook::store::orders::read_orders;
use curvebook::train::data;
use flate2::write::GzEncoder;
use parquet::arrow::ArrowWriter;
use parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
use parquet::file::properties::{WriterProperties, WriterVersion};

use super::thrift::{self, zigzag};

const ROWS: usize = 1 << 20;

/// A recorded order of zeros: a page of 8 MiB for each column.
fn order(codec: Compression, version: WriterVersion) -> Vec<u8> {
    let zeros = || -> ArrayRef { Arc::new(Int64Array::from(vec![0; ROWS])) };
    let columns = [("repeat", zeros(), false), ("config_id", zeros(), false)];
    let rows = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let properties = WriterProperties::builder()
        .set_compression(codec)
        .set_writer_version(version)
        .set_dictionary_enabled(false)
        .set_encoding(parquet::basic::Encoding::PLAIN)
        .set_data_page_size_limit(1 << 26)
        .set_data_page_row_count_limit(ROWS)
        .set_write_batch_size(ROWS)
        .build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, rows.schema(), Some(properties)).unwrap();
    writer.write(&rows).unwrap();
    writer.close().unwrap();
    bytes
}

/// The file with another page in its last column, whose header says that it unpacks to `says`
/// bytes.
fn with_page(whole: &[u8], says: i64, page: Option<&[u8]>) -> Vec<u8> {
    let at = super::mutate::footer_at(whole);
    let (data, footer) = (&whole[..at], &whole[at..whole.len() - 8]);
    let (numbers, _) = thrift::numbers(footer, 0);
    let of = |field: i64| numbers.iter().find(|n| n.path == [4, 0, 1, 1, 3, field]).unwrap();
    let (size, first) = (of(7), of(9));
    let start = thrift::unzigzag(first.value) as usize;
    let end = start + thrift::unzigzag(size.value) as usize;
    let (header, page_at) = thrift::numbers(data, start);
    let page = page.unwrap_or(&data[page_at..end]);
    let field = |wanted: i64| header.iter().find(|n| n.path == [wanted]).unwrap().clone();
    let edits = vec![(field(2), zigzag(says)), (field(3), zigzag(page.len() as i64))];
    let new = thrift::replaced(&data[..page_at], edits);
    let length = new.len() - start + page.len();
    let footer = thrift::replaced(footer, vec![(size.clone(), zigzag(length as i64))]);
    super::mutate::with_footer(&[&new, page, &data[end..]].concat(), &footer)
}

fn read(bytes: &[u8]) -> Result<usize, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("order.parquet");
    fs::write(&path, bytes).unwrap();
    read_orders(&path).map(|orders| orders[0].len()).map_err(|e| e.to_string())
}

#[test]
fn pages_that_unpack_to_more_than_they_say_are_refused() {
    let codecs = [
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::BROTLI(BrotliLevel::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
        Compression::ZSTD(ZstdLevel::default()),
    ];
    let honest = 8 * ROWS as i64;
    for codec in codecs {
        for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
            let whole = order(codec, version);
            assert_eq!(read(&whole), Ok(ROWS), "{codec:?}");
            assert_eq!(read(&with_page(&whole, honest, None)), Ok(ROWS), "{codec:?}");
            for says in [0, 1000, honest - 1] {
                let told = read(&with_page(&whole, says, None)).unwrap_err();
                let looked_before = matches!(codec, Compression::GZIP(_) | Compression::BROTLI(_));
                let rule = format!("column config_id: a page that unpacks to more than its {says}");
                assert!(!looked_before || told.contains(&rule), "{codec:?}, {says}: {told}");
            }
        }
    }
    // LZ4 in frames, which old files of its codec hold.
    let mut frames = lz4_flex::frame::FrameEncoder::new(Vec::new());
    frames.write_all(&vec![0; 8 * ROWS]).unwrap();
    let frames = frames.finish().unwrap();
    let whole = order(Compression::LZ4, WriterVersion::PARQUET_1_0);
    assert_eq!(read(&with_page(&whole, honest, Some(&frames))), Ok(ROWS));
    let told = read(&with_page(&whole, 1000, Some(&frames))).unwrap_err();
    assert!(told.contains("unpacks to more than its 1000"), "{told}");
    // Brotli's large window is none of the format: it would take a gibibyte for a few bytes.
    let whole = order(Compression::BROTLI(BrotliLevel::default()), WriterVersion::PARQUET_1_0);
    let window = with_page(&whole, honest, Some(&[0x11, 30, 0, 0, 0, 0]));
    assert!(read(&window).unwrap_err().contains("unpacks to more"));
}

/// Behind what the header promises, two gigabytes, and then what is no gzip: whoever read on would
/// come to that, and say so.
#[test]
fn images_are_unpacked_only_as_far_as_their_header_says() {
    let gz = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let idx = |sizes: &[u32], bytes: usize| {
        let sizes: Vec<u8> = sizes.iter().flat_map(|n| n.to_be_bytes()).collect();
        [&[0, 0, 8, (sizes.len() / 4) as u8][..], &sizes, &vec![0; bytes]].concat()
    };
    let (images, labels) = (idx(&[5, 28, 28], 5 * 784), idx(&[5], 5));
    let behind = [gz(&vec![0; 1 << 26]).repeat(32), b"no gzip at all".to_vec()].concat();
    for bomb in ["images-idx3", "labels-idx1"] {
        let dir = tempfile::tempdir().unwrap();
        for (kind, bytes) in [("images-idx3", &images), ("labels-idx1", &labels)] {
            let write = |set: &str, behind: &[u8]| {
                let path = dir.path().join(format!("{set}-{kind}-ubyte.gz"));
                fs::write(path, [&gz(bytes), behind].concat()).unwrap();
            };
            write("train", if kind == bomb { &behind } else { &[] });
            write("t10k", &[]);
        }
        let told = data::load("mnist", Some(dir.path() as &Path)).unwrap_err().to_string();
        assert!(told.contains(bomb) && told.contains("more bytes"), "{told}");
    }
}
