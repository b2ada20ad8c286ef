//! Tables of a GPU: one column more, and which tiles were chosen.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array};
use arrow::datatypes::Float64Type;
use curvebook::store::table::{CostCorrelation, Header, TableWriter, merge};
use curvebook::train::provenance::Shard;
use curvebook::train::record::{TrainedConfig, layout};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value as Json, json};

use crate::table_common::{
    Columns, check, header, info, load, load_fault, made, table_files, trained, write_columns,
    write_table,
};

const SHARE: &str = "fused_share_seconds";
const TILES: &str = "product 8x16/64, correlation 16x8/32";

fn gpu_header(configs: u32) -> Header {
    let mut header = header(configs);
    header.layout = layout("gpu");
    made(&mut header, |provenance| {
        provenance["backend"] = json!("gpu");
        provenance["tiles"] = json!(TILES);
    });
    header
}

/// A share that differs from one configuration to the next; of every eleventh there is none.
fn share(id: u32) -> Option<f64> {
    (id % 11 != 3).then(|| f64::from(id * 37 % 101) * 0.01)
}

fn on_gpu(id: u32) -> TrainedConfig {
    let mut trained = trained(id);
    trained.config.fused_share_seconds = share(id);
    trained
}

fn write(dir: &Path, header: Header, cohort: usize) {
    let first = header.first_config.unwrap_or(0);
    let ids: Vec<u32> = (first..first + header.configs).collect();
    let mut writer = TableWriter::create(dir, header).unwrap();
    for ids in ids.chunks(cohort) {
        writer.append(ids.iter().copied().map(on_gpu).collect()).unwrap();
    }
    writer.finish().unwrap();
}

/// Every column of `configs.parquet`.
fn config_columns(dir: &Path) -> Vec<(String, ArrayRef)> {
    let file = File::open(dir.join("configs.parquet")).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let batch = reader.with_batch_size(1 << 20).build().unwrap().next().unwrap().unwrap();
    let names = batch.schema().fields().iter().map(|f| f.name().clone()).collect::<Vec<_>>();
    names.into_iter().zip(batch.columns().iter().cloned()).collect()
}

fn table_json(dir: &Path) -> Json {
    serde_json::from_str(&fs::read_to_string(dir.join("table.json")).unwrap()).unwrap()
}

#[test]
fn a_gpu_table_has_one_column_more_and_a_cpu_table_none() {
    let t = tempfile::tempdir().unwrap();
    let (gpu, cpu) = (t.path().join("gpu"), t.path().join("cpu"));
    write(&gpu, gpu_header(40), 7);
    write_table(&cpu, 40, 7);
    let mut columns = config_columns(&gpu);
    let at = columns.iter().position(|(name, _)| name == SHARE).unwrap();
    let (_, shares) = columns.remove(at);
    let shares: Vec<Option<f64>> = shares.as_primitive::<Float64Type>().iter().collect();
    assert_eq!(shares, (0..40).map(share).collect::<Vec<_>>());
    let of_cpu = config_columns(&cpu);
    assert_eq!(columns, of_cpu, "all else is as on the CPU");
    for dir in [&gpu, &cpu] {
        assert_eq!(check(dir).unwrap().findings, []);
        assert_eq!(load(dir).unwrap().rows(), 40);
    }
    assert_eq!(table_json(&gpu)["provenance"]["tiles"], TILES);
    assert!(table_json(&cpu)["provenance"].get("tiles").is_none());
    // The curves do not know what they were trained on.
    let curves = |dir: &Path| fs::read(dir.join("curves.parquet")).unwrap();
    assert!(curves(&gpu) == curves(&cpu));
}

#[test]
fn a_gpu_training_resumes_with_other_tiles_into_the_same_bytes() {
    let t = tempfile::tempdir().unwrap();
    let (undisturbed, killed) = (t.path().join("undisturbed"), t.path().join("killed"));
    write(&undisturbed, gpu_header(300), 50);
    let mut writer = TableWriter::create(&killed, gpu_header(300)).unwrap();
    writer.append((100..200).map(on_gpu).collect()).unwrap();
    drop(writer);
    let without_tiles = || {
        let mut later = gpu_header(300);
        made(&mut later, |provenance| drop(provenance.as_object_mut().unwrap().remove("tiles")));
        later
    };
    let mut other = gpu_header(300);
    made(&mut other, |provenance| provenance["tiles"] = json!("product 4x4/64"));
    for later in [other, without_tiles()] {
        assert_eq!(TableWriter::resume(&killed, later).unwrap().done_count(), 100);
    }
    // On the CPU it does not go on.
    let refused = TableWriter::resume(&killed, header(300)).unwrap_err().to_string();
    assert!(refused.contains(r#"provenance.backend = "cpu""#), "{refused}");
    assert!(!refused.contains("tiles"), "{refused}");
    let mut writer = TableWriter::resume(&killed, without_tiles()).unwrap();
    writer.append((0..100).chain(200..300).map(on_gpu).collect()).unwrap();
    writer.finish().unwrap();
    for (a, b) in table_files(&undisturbed).iter().zip(table_files(&killed)) {
        assert!(fs::read(a).unwrap() == fs::read(&b).unwrap(), "{} differs", b.display());
    }
}

#[test]
fn gpu_shards_give_the_bytes_of_the_whole_and_their_tiles_are_noted() {
    let t = tempfile::tempdir().unwrap();
    let path = |name: &str| t.path().join(name);
    let piece = |index: u32, tiles: &str| {
        let shard = Shard { index, count: 2, configs: 300 };
        let mut header = gpu_header(150);
        header.first_config = Some(shard.ids().start);
        made(&mut header, |provenance| {
            provenance["shard"] = json!(shard);
            provenance["tiles"] = json!(tiles);
        });
        header
    };
    write(&path("whole"), gpu_header(300), 64);
    write(&path("a"), piece(0, TILES), 64);
    write(&path("b"), piece(1, TILES), 31);
    write(&path("other"), piece(1, "product 4x4/64"), 31);
    let merged = merge(&[path("b"), path("a")], &path("same")).unwrap();
    assert_eq!(merged.differing.len(), 0);
    for (a, b) in table_files(&path("whole")).iter().zip(table_files(&path("same"))) {
        assert!(fs::read(a).unwrap() == fs::read(&b).unwrap(), "{} differs", b.display());
    }
    let merged = merge(&[path("a"), path("other")], &path("mixed")).unwrap();
    assert_eq!(merged.differing, ["provenance.tiles"]);
    let provenance = &table_json(&path("mixed"))["provenance"];
    assert_eq!(provenance["tiles"], TILES);
    assert_eq!(provenance["shards"][1]["tiles"], "product 4x4/64");
    assert_eq!(check(&path("mixed")).unwrap().findings, []);
}

/// Writes `configs.parquet` anew with other shares, and unseals the table.
fn with_shares(dir: &Path, shares: Float64Array) {
    let mut columns = config_columns(dir);
    columns.retain(|(name, _)| name != SHARE);
    let columns = columns.into_iter().map(|(name, column)| (&*name.leak(), column));
    let mut columns: Columns = columns.collect();
    columns.push((SHARE, Arc::new(shares)));
    write_columns(&dir.join("configs.parquet"), columns);
    let mut json = table_json(dir);
    json.as_object_mut().unwrap().remove("files");
    fs::write(dir.join("table.json"), json.to_string()).unwrap();
}

#[test]
fn shares_that_cannot_be_are_found() {
    let t = tempfile::tempdir().unwrap();
    let (gpu, cpu) = (t.path().join("gpu"), t.path().join("cpu"));
    write(&gpu, gpu_header(3), 3);
    write_table(&cpu, 3, 3);
    let found = |dir: &Path| {
        let findings = check(dir).unwrap().findings;
        findings.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    with_shares(&gpu, Float64Array::from(vec![Some(0.5), None, Some(f64::NAN)]));
    assert_eq!(found(&gpu), Vec::<String>::new());
    with_shares(&gpu, Float64Array::from(vec![0.5, -0.5, 0.5]));
    let text = found(&gpu).join("\n");
    assert!(text.contains("column fused_share_seconds, row 1 = -0.5"), "{text}");
    with_shares(&cpu, Float64Array::from(vec![0.5; 3]));
    let text = found(&cpu).join("\n");
    assert!(text.contains("column fused_share_seconds = is there: a CPU's table"), "{text}");
    // It is no fault that a replay stumbles over.
    load(&cpu).unwrap();
}

#[test]
fn a_part_of_a_gpu_training_without_shares_is_foreign() {
    let t = tempfile::tempdir().unwrap();
    let (gpu, cpu) = (t.path().join("gpu"), t.path().join("cpu"));
    for (dir, header, trained) in [
        (&gpu, gpu_header(4), on_gpu as fn(u32) -> TrainedConfig),
        (&cpu, header(4), trained as fn(u32) -> TrainedConfig),
    ] {
        let mut writer = TableWriter::create(dir, header).unwrap();
        writer.append((0..4).map(trained).collect()).unwrap();
    }
    let part = "parts/part-00000/configs.parquet";
    fs::copy(cpu.join(part), gpu.join(part)).unwrap();
    let resumed = TableWriter::resume(&gpu, gpu_header(4)).map(|_| ());
    let text = resumed.unwrap_err().to_string();
    assert!(text.contains("other bytes than were written"), "{text}");
    assert!(load_fault(&gpu).remedy.contains("--resume"));
}

#[test]
#[should_panic(expected = "fused_share_seconds of configuration 0 is Some(0.0)")]
fn a_share_on_the_cpu_is_a_bug() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = TableWriter::create(dir.path(), header(1)).unwrap();
    let _ = writer.append(vec![on_gpu(0)]);
}

/// What `table info` says of configurations with these operations and shares. Their seconds grow
/// with their ids; number 6 failed before its first epoch and has none.
fn correlations(mut header: Header, costs: &[(f64, Option<f64>)]) -> Vec<CostCorrelation> {
    let dir = tempfile::tempdir().unwrap();
    header.configs = costs.len() as u32;
    let mut writer = TableWriter::create(dir.path(), header).unwrap();
    let cohort = (0..).zip(costs).map(|(id, &(flops, share))| {
        let mut trained = trained(id);
        (trained.config.flops_per_epoch, trained.config.fused_share_seconds) = (flops, share);
        trained
    });
    writer.append(cohort.collect()).unwrap();
    writer.finish().unwrap();
    info(dir.path()).unwrap().cost_correlations
}

fn found(a: &str, b: &str, spearman: f64, configs: usize) -> CostCorrelation {
    CostCorrelation { a: a.into(), b: b.into(), spearman: Some(spearman), configs }
}

#[test]
fn info_says_how_far_costs_agree_on_the_order() {
    let flops = "flops_per_epoch";
    // Ranks of the first six: 1 2 3 4 5 6 by seconds, 1 3 2 4 5 6 by operations, and where there
    // is a share, of the other three against 3 1 2: 1 - 6 x 2 / (n (n^2 - 1)) and so on.
    let costs = [
        (10.0, Some(0.3)),
        (30.0, None),
        (20.0, Some(0.1)),
        (40.0, Some(0.2)),
        (50.0, None),
        (60.0, None),
        (70.0, Some(0.4)),
    ];
    let gpu = correlations(gpu_header(7), &costs);
    let known = [
        found("seconds", flops, 1.0 - 12.0 / 210.0, 6),
        found("seconds", SHARE, -0.5, 3),
        found(flops, SHARE, 0.4, 4),
    ];
    assert_eq!(gpu.len(), known.len());
    for (found, known) in gpu.iter().zip(known) {
        let distance = found.spearman.unwrap() - known.spearman.unwrap();
        assert!(distance.abs() < 1e-12, "{found:?}, not {known:?}");
        assert_eq!(CostCorrelation { spearman: known.spearman, ..found.clone() }, known);
    }
    let cpu = correlations(header(7), &costs.map(|(flops, _)| (flops, None)));
    assert_eq!(cpu, gpu[..1]);
}

#[test]
fn nothing_is_said_of_an_order_that_is_none() {
    let none = |a: &str, b: &str, configs| CostCorrelation {
        a: a.into(),
        b: b.into(),
        spearman: None,
        configs,
    };
    let flops = "flops_per_epoch";
    // Equal operations, and shares of two alone.
    let equal = correlations(gpu_header(3), &[(5.0, Some(1.0)), (5.0, None), (5.0, Some(2.0))]);
    let known = [none("seconds", flops, 3), none("seconds", SHARE, 2), none(flops, SHARE, 2)];
    assert_eq!(equal, known);
    assert_eq!(correlations(header(2), &[(1.0, None), (2.0, None)]), [none("seconds", flops, 2)]);
    let nan = correlations(header(4), &[1.0, f64::NAN, 2.0, 3.0].map(|flops| (flops, None)));
    assert_eq!(nan, [found("seconds", flops, 1.0, 3)]);
}

#[test]
fn the_shipped_table_has_the_correlation_that_scipy_finds() {
    // scipy 1.17.1: spearmanr of both columns, read by pandas.
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tables/digits-lenet");
    let info = info(&dir).unwrap();
    let [correlation] = &info.cost_correlations[..] else { panic!("{:?}", info.cost_correlations) };
    assert_eq!((&*correlation.a, &*correlation.b), ("seconds", "flops_per_epoch"));
    let rank = correlation.spearman.unwrap();
    assert!((rank - 0.930_098_829_407_726).abs() < 1e-12 && correlation.configs == 2_000, "{rank}");
}
