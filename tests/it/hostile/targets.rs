//! The formats: what is written, what of it is damaged and how, and what then reads it.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use curvebook::answers::analysis::{AnalyzeSettings, Runs, analyze};
use curvebook::app::study::StudyDefinition;
use curvebook::app::{Silent, import};
use curvebook::base::rng::Stream;
use curvebook::base::space::sobol;
use curvebook::store::orders::read_orders;
use curvebook::store::table::{TableWriter, seal};
use curvebook::train::data;
use curvebook::train::model::{Definition, presets};
use flate2::Compression;
use flate2::write::GzEncoder;
use rand::RngExt;

use super::{mutate, seeds};
use crate::command_line::done;
use crate::imports::golden;
use crate::table_common::{check, header, info, load, trained, write_table};

type Mutate = fn(&mut Stream, &[u8]) -> Vec<u8>;

/// A format in a directory.
pub(super) struct Target {
    format: String,
    dir: PathBuf,
    /// Files that are damaged, with what may stand in them whole.
    seeds: Vec<(PathBuf, Vec<u8>)>,
    /// What stands beside the damaged file, and in its place before the next is damaged.
    whole: Vec<(PathBuf, Vec<u8>)>,
    /// The file that was damaged last.
    damaged: Option<PathBuf>,
    mutate: Mutate,
    /// Of the last input.
    number: u64,
}

impl Target {
    /// Writes the sound files of a format into a new directory.
    pub(super) fn new(format: &str, dir: &Path) -> Self {
        let _ = fs::remove_dir_all(dir);
        fs::create_dir(dir).unwrap();
        let mut target = Self {
            format: format.into(),
            dir: dir.to_path_buf(),
            seeds: Vec::new(),
            whole: Vec::new(),
            damaged: None,
            mutate: mutate::text,
            number: 0,
        };
        match format {
            "table.json" | "configs.parquet" | "curves.parquet" => target.table(),
            "runs.parquet" | "trace.parquet" => target.replay(),
            "orders.csv" | "faults" => {
                let text = "repeat,config_id\n0,3\n0,1\n0,0\n1,2\n1,1\n".repeat(8);
                target.seeds.push((dir.join(format), text.into_bytes()));
            }
            "space.toml" => target.texts(presets::names().filter_map(presets::text)),
            "study.toml" => {
                let root = Path::new(env!("CARGO_MANIFEST_DIR"));
                let path = root.join("src/app/study/presets/early-termination.toml");
                target.texts([&*fs::read_to_string(path).unwrap()].into_iter());
            }
            "import csv" | "import jsonl" | "import parquet" | "import optuna" | "import smac3"
            | "import hpbandster" | "import tensorboard" | "import wandb" | "import lcbench"
            | "import pd1" => target.import(),
            "idx" => target.idx(),
            "cifar" => target.cifar(),
            "parts" => target.parts(),
            other => panic!("no such format: {other}"),
        }
        target
    }

    fn texts<'a>(&mut self, texts: impl Iterator<Item = &'a str>) {
        let path = self.dir.join(&self.format);
        self.seeds = texts.map(|text| (path.clone(), text.as_bytes().to_vec())).collect();
    }

    /// A table without the hashes of its files, as other programs write them.
    fn table(&mut self) {
        write_table(&self.dir, 30, 30);
        let path = self.dir.join("table.json");
        let text = fs::read_to_string(&path).unwrap();
        let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
        json.as_object_mut().unwrap().remove("files");
        fs::write(&path, serde_json::to_string_pretty(&json).unwrap()).unwrap();
        load(&self.dir).unwrap();
        let path = self.dir.join(&self.format);
        if self.format == "table.json" {
            self.seeds = vec![(path.clone(), fs::read(path).unwrap())];
        } else {
            self.mutate = mutate::parquet;
            self.seeds =
                seeds::variants(&path).into_iter().map(|whole| (path.clone(), whole)).collect();
        }
    }

    fn replay(&mut self) {
        write_table(&self.dir.join("T"), 30, 30);
        let replay = "replay --table T --goal rank:1 --goal 2 --stopper etr1 --repeats 12";
        let files = "--no-analysis --out runs.parquet --trace trace.parquet";
        done(&self.dir, &format!("{replay} {files}"));
        let path = self.dir.join(&self.format);
        self.mutate = mutate::parquet;
        self.seeds =
            seeds::variants(&path).into_iter().map(|whole| (path.clone(), whole)).collect();
    }

    /// What other programs recorded.
    fn import(&mut self) {
        let name = match self.format.as_str() {
            "import csv" => "optuna_long.csv",
            "import jsonl" => "wandb_lists.jsonl",
            "import parquet" => "amltk.parquet",
            "import optuna" => "optuna_journal.log",
            "import smac3" => "smac3_runhistory.json",
            "import tensorboard" => "tensorboard/torch-a/events.out.tfevents.1700000000.host",
            "import wandb" => "wandb/run-run1.wandb",
            "import lcbench" => "lcbench.json",
            "import pd1" => "pd1.jsonl",
            _ => "hpbandster.jsonl",
        };
        let bytes = fs::read(golden(name)).unwrap();
        if name == "amltk.parquet" {
            self.mutate = mutate::parquet;
        }
        let file = Path::new(name).file_name().unwrap();
        self.seeds = vec![(self.dir.join(file), bytes)];
    }

    fn idx(&mut self) {
        let gz = |bytes: &[u8]| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        };
        for (set, count) in [("train", 12_u32), ("t10k", 5)] {
            let images = [&[0, 0, 8, 3][..], &count.to_be_bytes(), &[0, 0, 0, 28, 0, 0, 0, 28]];
            let images = [images.concat(), vec![7; count as usize * 784]].concat();
            let labels = [&[0, 0, 8, 1][..], &count.to_be_bytes()].concat();
            let labels = [labels, vec![3; count as usize]].concat();
            let name = |kind: &str| self.dir.join(format!("{set}-{kind}-ubyte"));
            let zipped = |kind: &str| self.dir.join(format!("{set}-{kind}-ubyte.gz"));
            let of_set = if set == "train" {
                [(name("images-idx3"), images), (zipped("labels-idx1"), gz(&labels))]
            } else {
                [(zipped("images-idx3"), gz(&images)), (name("labels-idx1"), labels)]
            };
            self.seeds.extend(of_set);
        }
        self.whole = self.seeds.clone();
        self.mutate = mutate::bytes;
    }

    fn cifar(&mut self) {
        let record = |label: u8| [vec![label], vec![label * 3; 3072]].concat();
        for name in data::info("cifar10").unwrap().files {
            let bytes: Vec<u8> = (0..3).flat_map(record).collect();
            self.seeds.push((self.dir.join(name), bytes));
        }
        self.whole = self.seeds.clone();
        self.mutate = mutate::bytes;
    }

    fn parts(&mut self) {
        let mut writer = TableWriter::create(&self.dir, header(30)).unwrap();
        for first in [0, 10] {
            writer.append((first..first + 10).map(trained).collect()).unwrap();
        }
        drop(writer);
        let of = |name: &str| {
            let path = self.dir.join("parts").join(name);
            (path.clone(), fs::read(path).unwrap())
        };
        let names = ["configs.parquet", "curves.parquet", "sums.json"];
        let in_parts =
            names.iter().flat_map(|n| [0, 1].map(|part| of(&format!("part-0000{part}/{n}"))));
        self.whole = in_parts.chain([of("header.json")]).collect();
        self.seeds = self.whole.clone();
    }

    /// Writes the next input, and returns its bytes.
    pub(super) fn input(&mut self, stream: &mut Stream, number: u64) -> usize {
        self.number = number;
        let write = |(path, bytes): &(PathBuf, Vec<u8>)| {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        };
        if self.format == "parts" {
            // Going on with a table changes it.
            fs::remove_dir_all(&self.dir).unwrap();
            self.whole.iter().for_each(write);
        } else if let Some(path) = &self.damaged {
            self.whole.iter().filter(|(of, _)| of == path).for_each(write);
        } else {
            self.whole.iter().for_each(write);
        }
        let (path, whole) = &self.seeds[stream.random_range(0..self.seeds.len())];
        let in_parquet = path.extension().is_some_and(|e| e == "parquet");
        let mutate = if in_parquet { mutate::parquet } else { self.mutate };
        let bytes = mutate(stream, whole);
        fs::write(path, &bytes).unwrap();
        if self.format == "parts" && in_parquet && stream.random_range(0..8) > 0 {
            // Somebody who also mends the sums.
            let part = path.parent().unwrap();
            let sums = ["configs.parquet", "curves.parquet"]
                .map(|name| (name, seal(&part.join(name)).unwrap()));
            let sums: std::collections::BTreeMap<_, _> = sums.into_iter().collect();
            fs::write(part.join("sums.json"), serde_json::to_string(&sums).unwrap()).unwrap();
        }
        self.damaged = Some(path.clone());
        bytes.len()
    }

    /// Reads it as the program does. What it says does not matter here, but that it says it.
    pub(super) fn read(&self) {
        let path = self.dir.join(&self.format);
        match &*self.format {
            "table.json" | "configs.parquet" | "curves.parquet" => {
                let _ = (load(&self.dir), check(&self.dir), info(&self.dir));
            }
            "runs.parquet" => {
                let _ = Runs::from_files(&[path])
                    .and_then(|runs| analyze(&runs, &AnalyzeSettings::default()));
            }
            "trace.parquet" | "orders.csv" => drop(read_orders(&path)),
            "space.toml" => {
                if let Ok(definition) = Definition::find(path.to_str().unwrap()) {
                    sobol::configuration(&definition.space, 1, 0);
                }
            }
            "study.toml" => drop(StudyDefinition::find(path.to_str().unwrap())),
            "faults" => match self.number {
                1 => panic!("as it must never be"),
                3 => std::process::abort(),
                5 => assert!(std::hint::black_box(vec![1_u8; 500 << 20])[7] == 1),
                _ => {}
            },
            format if format.starts_with("import ") => self.read_import(format),
            "idx" => drop(data::load("mnist", Some(&self.dir))),
            "cifar" => drop(data::load("cifar10", Some(&self.dir))),
            _ => {
                let resumed = TableWriter::resume(&self.dir, header(30));
                let _ = resumed.and_then(|mut writer| {
                    let missing: Vec<u32> = (0..30)
                        .filter(|&id| !writer.is_done(curvebook::base::units::ConfigId(id)))
                        .collect();
                    writer.append(missing.into_iter().map(trained).collect())?;
                    writer.finish()
                });
            }
        }
    }

    /// Imports what was damaged; a table that comes of it is sound.
    fn read_import(&self, format: &str) {
        let tool = format.trim_start_matches("import ");
        let given = match tool {
            "csv" => {
                r#"{"metric": "accuracy", "goal": "maximize", "id": "trial", "epoch": "step",
                "seconds": "clock", "cumulative_seconds": true}"#
            }
            "jsonl" => {
                r#"{"metric": "metric", "goal": "maximize", "id": "run", "seconds_each": 1}"#
            }
            "parquet" => {
                r#"{"metric": "metric:accuracy [0.0, 1.0] (maximize)", "id": "config",
                "goal": "maximize", "epoch": "budget", "rank_epochs": true,
                "seconds": "profile:trial:time:duration"}"#
            }
            "optuna" => r#"{"goal": "maximize"}"#,
            "tensorboard" => r#"{"metric": "validation/epoch_accuracy", "goal": "maximize"}"#,
            "wandb" => r#"{"metric": "val.acc", "goal": "maximize"}"#,
            "lcbench" => r#"{"task": "second"}"#,
            "pd1" => r#"{"task": "mnist_simple_cnn_relu_batch_size_256"}"#,
            _ => "{}",
        };
        let given = serde_json::from_str(given).unwrap();
        let out = self.dir.join("T");
        let _ = fs::remove_dir_all(&out);
        let settings = import::Settings::read(tool, &self.seeds[0].0, &out, None, given).unwrap();
        match import::run(&settings, &Silent) {
            Ok(_) => fs::remove_dir_all(&out).unwrap(),
            Err(error) => assert!(error.is_input() && !out.exists(), "{error}"),
        }
    }
}
