//! `table check`: everything that contract 2 asks of a table, and every place where it is broken.

use std::fs;
use std::path::Path;

use arrow::array::{Array, AsArray, ListArray};
use arrow::datatypes::{DataType, Int64Type};
use base::error::{Error, Fault, Result, fault};
use base::measured::is_diverged;
use base::units::ConfigId;
use schemars::JsonSchema;
use serde::Serialize;

use super::doubts::Doubt;
use super::findings::Findings;
use super::layout::Layout;
use super::parquet_file::{Kind, ParquetFile};
use super::reader::{LoadOptions, Table};
use super::record::Status;
use super::{CONFIGS_FILE, CURVES_FILE, MANIFEST_FILE, growth};
use crate::columns::{Absence, Role};

/// More findings than these help nobody.
const FINDINGS_MAX: usize = 100;

/// What a check came to.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckReport {
    /// Empty for a sound table.
    pub findings: Vec<Fault>,
    /// Whether the check stopped early because there were too many.
    pub stopped: bool,
    /// Signs that its numbers are not what a replay takes them for; none of an unsound table.
    pub doubts: Vec<Doubt>,
    /// Counts of what was checked, where the files could be read at all.
    pub checked: Option<CheckedExtent>,
}

/// How much was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CheckedExtent {
    /// Rows of `configs.parquet`.
    pub configs: usize,
    /// Rows of `curves.parquet`.
    pub recorded_epochs: usize,
    /// Whether the Parquet files were compared with hashes in `table.json`.
    pub sealed: bool,
}

impl CheckReport {
    /// Whether nothing was found.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Checks a table or a shard. What is wrong with it is in the report; `known` says what columns of
/// some names must hold to, and `cost` which column is the cost of an epoch (`seconds` if `None`).
///
/// # Errors
///
/// Something wrong with the machine.
pub fn check(dir: &Path, known: &Layout, cost: Option<&str>) -> Result<CheckReport> {
    let mut findings = Findings::up_to(FINDINGS_MAX);
    let (mut checked, mut doubts) = (None, Vec::new());
    let outcome = check_all(dir, known, cost, &mut findings, &mut checked, &mut doubts);
    let stop = match outcome {
        Ok(()) => None,
        Err(Error::Input(fault)) => Some(*fault),
        Err(other) => return Err(other),
    };
    let mut faults = findings.into_faults();
    faults.extend(stop);
    Ok(CheckReport { stopped: faults.len() >= FINDINGS_MAX, findings: faults, doubts, checked })
}

fn check_all(
    dir: &Path,
    known: &Layout,
    cost: Option<&str>,
    findings: &mut Findings,
    checked: &mut Option<CheckedExtent>,
    doubts: &mut Vec<Doubt>,
) -> Result<()> {
    let dir = &growth::home(dir);
    check_leftovers(dir, findings)?;
    let cost_column = cost.map(str::to_string);
    let options = LoadOptions { cost_column, allow_shard: true, ..LoadOptions::default() };
    let table = Table::load_with(dir, &options, findings)?;
    *checked = Some(CheckedExtent {
        configs: table.rows(),
        recorded_epochs: table.recorded_epochs(),
        sealed: !table.manifest.files.is_empty(),
    });
    // Beyond this, checks assume that ids and rows are where they should be.
    if !findings.is_empty() {
        return Ok(());
    }
    *doubts = table.doubts(known.maker);
    check_status(dir, &table, findings)?;
    check_curve_columns(dir, &table, known, findings)?;
    check_config_columns(dir, &table, known, findings)
}

/// A finished table has neither parts nor half-written files beside it, unless it grows.
fn check_leftovers(dir: &Path, findings: &mut Findings) -> Result<()> {
    let Ok(entries) = fs::read_dir(dir) else { return Ok(()) };
    let names = entries.filter_map(|e| Some(e.ok()?.file_name().to_string_lossy().into_owned()));
    let grows = growth::is_under_way(dir);
    let is_left =
        |name: &String| (name == super::PARTS_DIR && !grows) || name.ends_with(".partial");
    let mut left: Vec<String> = names.filter(is_left).collect();
    left.sort();
    for name in left {
        let rule = "a finished table has no parts and no half-written files beside it";
        let remedy = "finish it with `--resume`, which also takes them away";
        findings.add(fault(dir.display(), name, "is there", rule, remedy))?;
    }
    Ok(())
}

/// The words of `status` agree with the values of the curves.
fn check_status(dir: &Path, table: &Table, findings: &mut Findings) -> Result<()> {
    let file = dir.join(CONFIGS_FILE);
    for (id, &status) in table.manifest.ids().zip(&table.status) {
        let Some(curve) = table.first_curve(ConfigId(id)) else { continue };
        // A gap is neither: what was not measured says nothing of how training went.
        let first_nan = curve.values.iter().position(|v| is_diverged(*v));
        let field = format!("column status (config_id {id})");
        let later_number = first_nan.map(|at| curve.values[at..].iter().any(|v| v.is_finite()));
        let rule = match (status, first_nan) {
            (Status::Ok, Some(at)) => {
                format!("every measured value of a curve is finite, but epoch {} is NaN", at + 1)
            }
            (Status::Diverged, None) => "a diverged curve ends in NaN, but all are finite".into(),
            (Status::Diverged, Some(_)) if later_number == Some(true) => {
                "a diverged curve is NaN to its end, but later values are finite".into()
            }
            _ => continue,
        };
        let remedy = "correct the status, or the curve";
        findings.add(fault(file.display(), field, status.word(), rule, remedy))?;
    }
    Ok(())
}

/// Columns of known names hold what those say, where the table is of the maker that knows them:
/// another program may use a name for a metric of its own.
fn check_curve_columns(
    dir: &Path,
    table: &Table,
    known: &Layout,
    findings: &mut Findings,
) -> Result<()> {
    if known.maker.is_some_and(|field| table.manifest.provenance_field(field).is_none()) {
        return Ok(());
    }
    let file = ParquetFile::open(&dir.join(CURVES_FILE))?;
    for column in known.curves.iter().filter(|column| file.has(&column.name)) {
        if let Some(high) = column.high {
            check_column(&file, &column.name, high, findings)?;
        }
    }
    Ok(())
}

fn check_config_columns(
    dir: &Path,
    table: &Table,
    known: &Layout,
    findings: &mut Findings,
) -> Result<()> {
    let file = ParquetFile::open(&dir.join(CONFIGS_FILE))?;
    for column in known.configs.iter().filter(|column| file.has(&column.name)) {
        if let Some(high) = column.high {
            check_column(&file, &column.name, high, findings)?;
        }
        if let Some(Absence { field, value, rule }) = column.absence
            && table.manifest.provenance_field(field).is_some_and(|found| found == value)
        {
            let remedy = format!("correct the {field} in {MANIFEST_FILE}, or remove the column");
            let field = format!("column {}", column.name);
            findings.add(fault(file.shown(), field, "is there", rule, remedy))?;
        }
        if column.role == Role::Confusion {
            check_confusion(&file, &column.name, findings)?;
        }
    }
    Ok(())
}

fn check_column(
    file: &ParquetFile,
    column: &str,
    high: f64,
    findings: &mut Findings,
) -> Result<()> {
    if findings.keep(file.require(column, Kind::Numbers))?.is_none() {
        return Ok(());
    }
    file.scan(&[column], |first_row, batch| {
        let numbers = file.floats(batch, column)?;
        for (row, number) in (first_row..).zip(numbers.iter()) {
            // Null and NaN are allowed: not measured, diverged.
            if number.is_some_and(|v| v < 0.0 || v > high) {
                let range = if high == 1.0 { "between 0 and 1" } else { "0 or more" };
                let rule = format!("must be {range}, null or NaN");
                let field = format!("column {column}, row {row}");
                let found = number.unwrap_or(f64::NAN);
                findings.add(fault(file.shown(), field, found, rule, "correct the value"))?;
            }
        }
        Ok(())
    })
}

/// Every confusion matrix is square, counts from 0 up, and counts the same number of images.
fn check_confusion(file: &ParquetFile, column: &str, findings: &mut Findings) -> Result<()> {
    let Ok(field) = file.schema().field_with_name(column) else { return Ok(()) };
    let whole = |kind: &DataType| matches!(kind, DataType::List(of) if of.data_type().is_integer());
    if !whole(field.data_type()) {
        let (field, found) = (format!("column {column}"), field.data_type());
        let rule = "must be a column of lists of whole numbers";
        return findings.add(fault(file.shown(), field, found, rule, "write it in such a type"));
    }
    let mut images = None;
    file.scan(&[column], |first_row, batch| {
        let lists: &ListArray = batch.column_by_name(column).expect("projected").as_list();
        for (row, list) in (first_row..).zip(lists.iter()) {
            let Some(list) = list else { continue };
            if let Err((found, rule)) = judge_confusion(&list, &mut images) {
                let field = format!("column {column}, row {row}");
                let remedy = "correct the matrix, or write null";
                findings.add(fault(file.shown(), field, found, rule, remedy))?;
            }
        }
        Ok(())
    })
}

fn judge_confusion(
    list: &dyn Array,
    images: &mut Option<i64>,
) -> std::result::Result<(), (String, String)> {
    let counts = arrow::compute::cast(list, &DataType::Int64)
        .map_err(|e| ("a matrix".to_string(), format!("must hold whole numbers ({e})")))?;
    let counts = counts.as_primitive::<Int64Type>();
    let side = (0..=counts.len()).find(|side| side * side >= counts.len()).unwrap_or(0);
    if side * side != counts.len() {
        return Err((format!("{} cells", counts.len()), "must be a square".into()));
    }
    if let Some(bad) = counts.iter().find(|c| c.is_none_or(|c| c < 0)) {
        let found = bad.map_or("null".to_string(), |c| c.to_string());
        return Err((found, "must count images from 0 up".into()));
    }
    let sum = counts.values().iter().fold(0_i64, |sum, &c| sum.saturating_add(c));
    // Nothing was validated where training diverged at once; some tables say so by zeros.
    if sum == 0 {
        return Ok(());
    }
    let first = *images.get_or_insert(sum);
    if first != sum {
        let rule = format!("counts as many images as the first matrix, {first}");
        return Err((format!("{sum} images"), rule));
    }
    Ok(())
}
