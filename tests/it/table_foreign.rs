//! Tables of other programs load as they are.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, DictionaryArray, Float32Array, Float64Array, Int8Array, Int16Array, Int64Array,
    LargeStringArray, UInt64Array,
};
use arrow::datatypes::Int32Type;
use curvebook::base::measured::is_measured;
use curvebook::base::space::{Direction, Value};
use curvebook::base::units::ConfigId;
use curvebook::store::table::Status;

use crate::table_common::{check, info, load, write_foreign};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/foreign").join(name)
}

#[test]
fn a_loss_in_32_bits_from_pandas() {
    let dir = golden("pandas-loss-f32");
    let table = load(&dir).unwrap();
    assert_eq!(table.manifest.metric.goal, Direction::Minimize);
    assert_eq!(table.manifest.metric.chance, None);
    // 0.1 and 0.7 in 32 bits lie just outside of 0.1..0.7 in 64: they are its ends.
    assert_eq!(
        table.configs[4],
        [Value::Int(1), Value::Choice(0), Value::Int(2), Value::Float(f64::from(0.1_f32))]
    );
    assert_eq!(
        table.configs[3],
        [Value::Int(2), Value::Choice(1), Value::Inactive, Value::Float(f64::from(0.2_f32))]
    );
    assert_eq!(table.configs[0][3], Value::Float(f64::from(0.7_f32)));
    let statuses = [Status::Ok, Status::Ok, Status::Diverged, Status::Ok, Status::Ok];
    assert_eq!(table.status, statuses);
    let curve = table.curve(ConfigId(1), 0).unwrap();
    let wanted = [2.0_f32 / 2.0, 2.0 / 3.0, 2.0 / 4.0, 2.0 / 5.0].map(f64::from);
    assert_eq!(curve.values, wanted);
    assert_eq!(curve.cost_ns, [1_500_000_000; 4]);
    let diverged = table.curve(ConfigId(2), 0).unwrap().values;
    assert!(diverged[1].is_finite() && diverged[2].is_nan() && diverged[3].is_nan());
    assert_eq!(check(&dir).unwrap().findings, []);
    assert_eq!(info(&dir).unwrap().best_value, Some(f64::from(0.25_f32)));
}

#[test]
fn an_error_rate_with_repeats_from_polars() {
    let dir = golden("polars-error");
    let table = load(&dir).unwrap();
    assert_eq!(table.configs[1], [Value::Int(8), Value::Choice(1)]);
    assert_eq!(table.curve(ConfigId(0), 1).unwrap().values, [1.0 / 3.0]);
    assert_eq!(table.curve(ConfigId(1), 1), None);
    assert_eq!(table.curve(ConfigId(1), 0).unwrap().values.len(), 2);
    // Null is not a number that anybody reached, and no divergence.
    assert!(!is_measured(table.curve(ConfigId(2), 0).unwrap().values[2]));
    assert_eq!(table.status, [Status::Ok, Status::Truncated, Status::Ok]);
    assert_eq!(check(&dir).unwrap().findings, []);
}

#[test]
fn decimals_from_duckdb() {
    let dir = golden("duckdb-accuracy");
    let table = load(&dir).unwrap();
    assert_eq!(table.configs, [[Value::Float(0.25)], [Value::Float(0.75)]]);
    let curve = table.curve(ConfigId(1), 0).unwrap();
    assert_eq!((curve.values, curve.cost_ns), (&[0.75, 0.875][..], &[3_000_000_000; 2][..]));
    assert_eq!(check(&dir).unwrap().findings, []);
}

/// The types that Arrow programs choose: small and large ints, large and dictionary-encoded words,
/// 32-bit floats; an infinite loss counts as diverged.
#[test]
fn arrow_types_of_every_width() {
    let dir = tempfile::tempdir().unwrap();
    let words: DictionaryArray<Int32Type> = ["a", "b"].into_iter().collect();
    let json = r#"{ "format": "curvebook-table", "version": 1, "name": "w", "epochs": 2,
        "repeats": 1, "configs": 2, "metric": { "name": "val_loss", "goal": "minimize" },
        "space": { "name": "s", "parameters": [
            { "name": "p", "type": "categorical", "choices": ["a", "b"] },
            { "name": "q", "type": "categorical", "choices": ["1", "2"] },
            { "name": "r", "type": "categorical", "choices": ["x"], "unknown": true } ] } }"#;
    let configs: Vec<(&str, ArrayRef)> = vec![
        ("config_id", Arc::new(Int8Array::from(vec![0, 1]))),
        ("p", Arc::new(words)),
        ("q", Arc::new(Int64Array::from(vec![2, 1]))),
        ("r", Arc::new(LargeStringArray::from(vec!["x", "x"]))),
    ];
    let loss = vec![1.0, f32::INFINITY, 0.5, 0.25];
    let curves: Vec<(&str, ArrayRef)> = vec![
        ("config_id", Arc::new(UInt64Array::from(vec![0, 0, 1, 1]))),
        ("repeat", Arc::new(Int8Array::from(vec![0; 4]))),
        ("epoch", Arc::new(Int16Array::from(vec![1, 2, 1, 2]))),
        ("val_loss", Arc::new(Float32Array::from(loss))),
        ("test_loss", Arc::new(Float64Array::from(vec![Some(2.0), None, Some(3.0), Some(4.0)]))),
        ("seconds", Arc::new(Int64Array::from(vec![1, 2, 3, 4]))),
    ];
    write_foreign(dir.path(), json, configs, curves);
    let table = load(dir.path()).unwrap();
    assert_eq!(table.configs[0], [Value::Choice(0), Value::Choice(1), Value::Choice(0)]);
    assert_eq!(table.status, [Status::Diverged, Status::Ok]);
    assert_eq!(table.curve(ConfigId(1), 0).unwrap().values, [0.5, 0.25]);
    assert_eq!(table.test_values(ConfigId(1), 0), Some(&[3.0, 4.0][..]));
}
