//! The app without a terminal: settings in, an outcome out, and what is told on the way.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use curvebook::app::settings::Given;
use curvebook::app::{Events, GO_ON, Silent, replay, study, train};
use curvebook::base::error::Error;
use tempfile::TempDir;

use crate::table_common::write_table;

/// Keeps what it is told, and may ask for an end after so many runs.
#[derive(Debug, Default)]
struct Recorder {
    told: Mutex<Vec<String>>,
    stop: AtomicBool,
    stops_at_first: bool,
}

impl Recorder {
    fn tell(&self, text: String) {
        self.told.lock().unwrap().push(text);
    }

    fn told(&self) -> Vec<String> {
        self.told.lock().unwrap().clone()
    }

    fn count(&self, text: &str) -> usize {
        self.told().iter().filter(|told| *told == text).count()
    }
}

impl Events for Recorder {
    fn work_begins(&self) {
        self.tell("begins".into());
    }

    fn say(&self, line: &str) {
        self.tell(format!("say {line}"));
    }

    fn warn(&self, text: &str) {
        self.tell(format!("warn {text}"));
    }

    fn runs_planned(&self, all: u32, done: u32) {
        self.tell(format!("planned {all} {done}"));
    }

    fn run_done(&self) {
        self.tell("run".into());
        self.stop.fetch_or(self.stops_at_first, Ordering::Relaxed);
    }

    fn runs_ended(&self) {
        self.tell("ended".into());
    }

    fn training_planned(&self, configs: usize, flops: f64) {
        assert!(flops > 0.0);
        self.tell(format!("training {configs}"));
    }

    fn epoch_done(&self, flops: f64) {
        assert!(flops > 0.0);
        self.tell("epoch".into());
    }

    fn config_done(&self, epochs_lost: u64, flops_per_epoch: f64) {
        assert!(flops_per_epoch > 0.0);
        self.tell(format!("config {epochs_lost}"));
    }

    fn training_ended(&self) {
        self.tell("training ended".into());
    }
}

fn with_table() -> TempDir {
    let t = TempDir::new().unwrap();
    write_table(&t.path().join("T"), 40, 16);
    t
}

/// A replay of the table `T`, in one thread.
fn asked(directory: &Path) -> Given {
    let table = directory.join("T");
    replay::keywords().set("table", table.to_str().unwrap()).set("threads", 1)
}

#[test]
fn a_replay_tells_its_runs_and_returns_its_answers() {
    let t = with_table();
    let given = asked(t.path()).set("goals", ["rank:1", "2"]).set("repeats", 5);
    let settings = replay::Settings::read(&given.set("stoppers", ["none", "etr1"])).unwrap();
    let told = Recorder::default();
    let outcome = replay::run(&settings, &told, &GO_ON).unwrap();
    outcome.whole().unwrap();
    assert_eq!((outcome.ended.done, outcome.ended.all), (10, 10));
    let analysis = outcome.analysis.unwrap();
    assert_eq!((analysis.methods.len(), analysis.goals.len()), (2, 2));
    let order = ["begins", "warn", "planned 10 0", "run", "ended"];
    let mut rest = told.told().into_iter();
    for wanted in order {
        assert!(rest.any(|told| told.starts_with(wanted)), "{wanted}: {:?}", told.told());
    }
    assert_eq!(told.count("run"), 10);
    let warned = told.told().into_iter().find(|told| told.starts_with("warn")).unwrap();
    assert!(warned.contains("goal 2 on small"), "{warned}");
}

#[test]
fn a_replay_that_is_stopped_says_so_in_its_outcome() {
    let t = with_table();
    let settings = asked(t.path()).set("goal", "rank:1").set("repeats", 100_000);
    let settings = replay::Settings::read(&settings).unwrap();
    let told = Recorder { stops_at_first: true, ..Recorder::default() };
    let outcome = replay::run(&settings, &told, &told.stop).unwrap();
    assert!(outcome.ended.done > 0 && outcome.ended.done < outcome.ended.all);
    assert!(outcome.analysis.is_some(), "what is done is answered for");
    let stopped = outcome.whole().unwrap_err();
    assert!(matches!(&stopped, Error::Interrupted { .. }) && !stopped.is_input(), "{stopped}");
}

#[test]
fn a_study_goes_on_from_what_was_stopped() {
    let t = with_table();
    let file = t.path().join("s.toml");
    std::fs::write(&file, "name = \"s\"\ntables = [\"T\"]\ngoals = [\"rank:1\"]\nrepeats = 600\n")
        .unwrap();
    let out = t.path().join("out");
    let find = |out: &Path| {
        study::Settings::find(file.to_str().unwrap(), out.to_path_buf(), Some(1)).unwrap()
    };
    let whole = study::run(&find(&t.path().join("whole")), &Silent, &GO_ON).unwrap();
    // What is finished when the flag is seen is kept, whole parts and the beginning of one.
    let told = Recorder::default();
    let first_part = || told.count("run") >= 256;
    std::thread::scope(|threads| {
        let stopper = threads.spawn(|| {
            while !first_part() {
                std::thread::yield_now();
            }
            told.stop.store(true, Ordering::Relaxed);
        });
        let ended = study::run(&find(&out), &told, &told.stop);
        assert!(stopper.join().is_ok());
        // On a busy machine all may be done before the flag is seen.
        assert!(matches!(ended, Err(Error::Interrupted { .. }) | Ok(_)), "{ended:?}");
    });
    if !out.join("runs.parquet").exists() {
        let again = Recorder::default();
        assert_eq!(study::run(&find(&out), &again, &GO_ON).unwrap(), whole);
        let planned = again.told().into_iter().find(|told| told.starts_with("planned 600 "));
        let kept: usize = planned.unwrap()["planned 600 ".len()..].parse().unwrap();
        assert!((1..600).contains(&kept), "{kept}");
        assert!(
            again.told().iter().any(|t| t.ends_with(&format!(" {kept} runs are there already")))
        );
        assert_eq!(again.count("run"), 600 - kept, "nothing runs twice");
    }
}

#[test]
fn a_training_tells_its_epochs_and_keeps_what_is_finished() {
    let t = TempDir::new().unwrap();
    let out = t.path().join("T");
    let given = train::keywords().set("space", "digits-lenet").set("device", "cpu");
    let given = given.set("out", out.to_str().unwrap()).set("threads", 1).set("configs", 3);
    let given = given.set("epochs", 2).set("train_size", 40).set("val_size", 20);
    let settings = train::Settings::read(&given.clone().set("test_size", 20)).unwrap();
    let told = Recorder::default();
    let outcome = train::run(&settings, &told, &GO_ON).unwrap();
    assert_eq!((outcome.summary.trained, outcome.summary.skipped), (3, 0));
    assert!(outcome.table == out && out.join("table.json").exists());
    assert_eq!(told.told()[..2], ["say training on the CPU, 1 thread", "begins"]);
    assert_eq!((told.count("training 3"), told.count("epoch")), (1, 6));
    assert_eq!((told.count("config 0"), told.count("training ended")), (3, 1));
    let stopped = given.clone().set("out", t.path().join("U").to_str().unwrap());
    let settings = train::Settings::read(&stopped).unwrap();
    let unfinished = train::run(&settings, &Silent, &AtomicBool::new(true)).unwrap_err();
    assert!(matches!(&unfinished, Error::Unfinished { .. }), "{unfinished:?}");
    assert!(unfinished.to_string().ends_with("U is not finished") && !unfinished.is_input());
    let wrong = train::Settings::read(&given.set("shard", "2/2")).unwrap_err();
    assert!(wrong.is_input() && wrong.to_string().starts_with("shard: shard = 2/2: "), "{wrong}");
}
