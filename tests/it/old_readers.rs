//! What the files must be for readers of years ago; `tests/readers/check.py` asks these themselves.

use std::fs::File;
use std::path::Path;

use parquet::basic::{ColumnOrder, Encoding, Type};
use parquet::column::page::Page;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use tempfile::TempDir;

use crate::command_line::done;
use crate::table_common::write_table;

/// Each of them is read by pyarrow 11, polars 1.0, `DuckDB` 0.9.0 and fastparquet 2024.11.
const ENCODINGS: [Encoding; 4] =
    [Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY, Encoding::DELTA_BINARY_PACKED];

fn is_float(column: &ColumnChunkMetaData) -> bool {
    matches!(column.column_type(), Type::FLOAT | Type::DOUBLE)
}

/// Looks at every footer and every page of a file; returns how many of its columns are floats.
fn look(path: &Path) -> usize {
    let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
    let about = reader.metadata();
    let floats = about.row_group(0).columns().iter().filter(|c| is_float(c)).count();
    for (number, group) in about.row_groups().iter().enumerate() {
        for (at, column) in group.columns().iter().enumerate() {
            let name = format!("{}: {}", path.display(), column.column_path());
            let order = about.file_metadata().column_order(at);
            assert!(matches!(order, ColumnOrder::TYPE_DEFINED_ORDER(_)), "{name}: {order:?}");
            assert_eq!(column.statistics().is_none(), is_float(column), "{name}");
            assert_eq!(column.column_index_offset(), None, "{name}");
            assert_eq!(column.offset_index_offset(), None, "{name}");
            let mut pages =
                reader.get_row_group(number).unwrap().get_column_page_reader(at).unwrap();
            while let Some(page) = pages.get_next_page().unwrap() {
                assert!(ENCODINGS.contains(&page.encoding()), "{name}: {:?}", page.encoding());
                assert!(!matches!(page, Page::DataPageV2 { .. }), "{name}");
                assert!(page.statistics().is_none(), "{name}");
            }
        }
    }
    floats
}

#[test]
fn floats_have_no_statistics_and_footers_name_what_every_reader_knows() {
    let t = TempDir::new().unwrap();
    // Every fifth configuration diverges: its metric is NaN.
    write_table(&t.path().join("T"), 30, 8);
    let line = "replay --table T --goal rank:1 --goal 2 --stopper etr1 --repeats 3 --no-analysis";
    done(t.path(), &format!("{line} --out runs.parquet --trace trace.parquet"));
    assert!(look(&t.path().join("T/configs.parquet")) >= 4);
    assert!(look(&t.path().join("T/curves.parquet")) >= 10);
    assert!(look(&t.path().join("runs.parquet")) >= 10);
    assert_eq!(look(&t.path().join("trace.parquet")), 3);
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("tables/digits-lenet");
    look(&shipped.join("configs.parquet"));
    look(&shipped.join("curves.parquet"));
}
