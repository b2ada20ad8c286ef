//! Time and rate of training, one thread: `cargo bench --bench training -- [SPACE [DATA_DIR
//! [CONFIGS [EPOCHS]]]]`. Without arguments a small run on the built-in digits.
//!
//! Prints a line a configuration and a hash of all results, which must not change with the speed.

#![expect(clippy::cast_precision_loss, reason = "small counts")]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use curvebook::data;
use curvebook::error::Result;
use curvebook::rng::Key;
use curvebook::space::Definition;
use curvebook::table::record::TrainedConfig;
use curvebook::trainer::{Progress, Sink, TrainSettings, train};
use curvebook::units::ConfigId;

#[derive(Default)]
struct Memory(Vec<TrainedConfig>);

impl Sink for Memory {
    fn is_done(&self, _: ConfigId) -> bool {
        false
    }

    fn append(&mut self, cohort: Vec<TrainedConfig>) -> Result<()> {
        self.0.extend(cohort);
        Ok(())
    }
}

struct Silent;

impl Progress for Silent {
    fn epoch_done(&self, _: f64) {}
    fn config_done(&self, _: &TrainedConfig) {}
}

fn main() -> Result<()> {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let argument = |at: usize| arguments.get(at).map(String::as_str);
    let number = |at, default| argument(at).and_then(|a| a.parse().ok()).unwrap_or(default);
    let definition = Definition::find(argument(0).unwrap_or("digits-lenet"))?;
    let dataset = data::load(&definition.dataset, argument(1).map(Path::new))?;
    let training = definition.training.clone();
    let settings = TrainSettings {
        definition,
        configs: 0..number(2, 8),
        epochs: u16::try_from(number(3, 2)).unwrap_or(u16::MAX),
        train_size: training.train_size,
        val_size: training.val_size,
        test_size: training.test_size,
        seed: 0,
        sobol_seed: 0,
        threads: 1,
        repeats: 1,
        folds: None,
    };
    let mut memory = Memory::default();
    let start = Instant::now();
    train(&settings, &dataset, &mut memory, &Silent, &AtomicBool::new(false))?;
    // They come as they are finished.
    memory.0.sort_by_key(|trained| trained.config.config_id);
    let wall_seconds = start.elapsed().as_secs_f64();
    let (mut seconds, mut flops, mut text) = (0.0, 0.0, String::new());
    for TrainedConfig { config, epochs } in &memory.0 {
        let train_seconds: f64 = epochs.iter().map(|e| e.seconds - e.eval_seconds).sum();
        let epoch_count = f64::from(settings.epochs);
        let last = epochs.last().expect("at least one epoch");
        println!(
            "{:>5} {:>9} params {:>8.2} MFLOP/image {:>9.4} s/epoch {:>6.1} GFLOP/s  val {:.4}  \
             first {:.4} s last {:.4} s",
            config.config_id.0,
            config.params,
            config.flops_per_epoch / settings.train_size as f64 / 1e6,
            epochs.iter().map(|e| e.seconds).sum::<f64>() / epoch_count,
            config.flops_per_epoch * epoch_count / train_seconds / 1e9,
            last.val_accuracy,
            epochs[0].seconds,
            last.seconds,
        );
        seconds += train_seconds;
        flops += config.flops_per_epoch * epoch_count;
        let losses = epochs.iter().map(|e| e.val_loss.to_bits()).collect::<Vec<_>>();
        write!(text, "{losses:?}").expect("writing to a string cannot fail");
    }
    println!("all: {:.1} GFLOP/s in training, {wall_seconds:.1} s in all", flops / seconds / 1e9);
    println!("hash {:08x?}", Key::new(0, 0, &text).0);
    Ok(())
}
