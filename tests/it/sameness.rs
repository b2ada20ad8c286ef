//! The same bytes out at any thread count and in any process; compared methods are paired.

use std::path::{Path, PathBuf};
use std::process::Command;

use curvebook::app::pools::TableOptions;
use curvebook::app::runs::RunRecord;
use curvebook::replay::{Pool, Settings};

use crate::replay_common::{grid, run_grid, write_files};
use crate::table_common::write_table;

const ROWS: u32 = 60;

/// The bytes of `runs.parquet` and `trace.parquet`, made in this process.
fn by_library(pool: &Pool, seed: u64, threads: usize, dir: &Path) -> [Vec<u8>; 2] {
    let settings = Settings { workers: 2, seed, ..Settings::default() };
    let goals = ["rank:2", "top:0.1"];
    let grid = grid("random", &["none", "etr1", "etr2"], &goals, 40, &settings);
    let paths = files(dir, &format!("library-{threads}-{seed}"));
    write_files(&grid, pool, threads, &paths[0], &paths[1]);
    paths.map(|path| std::fs::read(path).unwrap())
}

fn files(dir: &Path, name: &str) -> [PathBuf; 2] {
    ["runs", "trace"].map(|file| dir.join(format!("{name}-{file}.parquet")))
}

/// The same grid by the binary: the two files, and what it printed.
fn by_process(table: &Path, threads: &str, dir: &Path, name: &str) -> ([Vec<u8>; 2], Vec<u8>) {
    let paths = files(dir, name);
    let output = Command::new(env!("CARGO_BIN_EXE_curvebook"))
        .args(["replay", "--stopper", "none", "--stopper", "etr1", "--stopper", "etr2"])
        .args(["--goal", "rank:2", "--goal", "top:0.1", "--repeats", "40", "--workers", "2"])
        .args(["--threads", threads, "--format", "json", "--table"])
        .arg(table)
        .arg("--out")
        .arg(&paths[0])
        .arg("--trace")
        .arg(&paths[1])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (paths.map(|path| std::fs::read(path).unwrap()), output.stdout)
}

#[test]
fn the_same_bytes_at_every_thread_count_and_in_every_process() {
    let dir = tempfile::tempdir().unwrap();
    let table = dir.path().join("table");
    write_table(&table, ROWS, 16);
    let pool = TableOptions::default().load(&table).unwrap();
    let here = by_library(&pool, 0, 1, dir.path());
    assert!(here == by_library(&pool, 0, 2, dir.path()), "threads change the bytes");
    assert!(here == by_library(&pool, 0, 5, dir.path()), "threads change the bytes");
    let other_seed = by_library(&pool, 1, 1, dir.path());
    assert!(here[0] != other_seed[0] && here[1] != other_seed[1], "the seed changes nothing");

    let first = by_process(&table, "1", dir.path(), "first");
    let second = by_process(&table, "2", dir.path(), "second");
    assert!(!first.1.is_empty() && first.1 == second.1, "processes print different answers");
    assert!(first.0 == second.0, "processes write different bytes");
    assert!(first.0 == here, "the binary writes other bytes than the library");
}

fn visited(run: &RunRecord) -> Vec<u32> {
    run.segments.iter().map(|s| s.config.0).collect()
}

#[test]
fn methods_visit_the_same_rows_in_the_same_order_in_each_repeat() {
    let dir = tempfile::tempdir().unwrap();
    write_table(dir.path(), ROWS, 16);
    let pool = TableOptions::default().load(dir.path()).unwrap();
    for workers in [1, 3] {
        let settings = Settings { workers, ..Settings::default() };
        // Out of reach: every run visits every row.
        let grid = grid("random", &["none", "etr1:epsilon=0.4"], &["2"], 10, &settings);
        let runs = run_grid(&grid, &pool, 2).unwrap();
        let (none, etr1) = runs.split_at(10);
        assert!(etr1.iter().any(|run| run.rows[0].stopped_trials > 0));
        for (none, etr1) in none.iter().zip(etr1) {
            assert_eq!((none.repeat, visited(none)), (etr1.repeat, visited(etr1)));
            assert_eq!(none.segments.len(), ROWS as usize);
        }
        assert_ne!(visited(&none[0]), visited(&none[1]), "repeats differ");
    }
}
