//! Rate of training: `cargo bench --bench training -- [SPACE [DATA_DIR [CONFIGS [EPOCHS]]]]
//! [--threads N]`, by default `digits-lenet`, which is built in, and its first 8 configurations.
//!
//! Without EPOCHS, steps are timed: of each configuration one to warm up, then at least two and at
//! least half a second of them, each whole (forward, loss, backward, optimizer) on a full batch of
//! training images, by CPU time of one thread. The rate of all is that of an epoch of each:
//! operations of all epochs / seconds of all epochs, so that a configuration weighs by its work.
//! Beside it stands the core's rate at a product of two 1,024 x 1,024 matrices by `matrixmultiply`,
//! the fastest pass before and after. `--threads N` trains each configuration in N threads at once
//! too, and compares the rates by wall time. `benches/peers/train_pytorch.py` does the same.
//!
//! With EPOCHS, whole epochs are trained as `curvebook train` does it, N configurations at once:
//! shows whether late epochs are slower than the first.
//!
//! Both print the most memory that the process ever took, and a hash of losses, which must not
//! change with the speed (other kernels may round otherwise). Without `--bench`, as `cargo test`
//! runs it, a short run only shows that it works.

#![expect(clippy::cast_precision_loss, reason = "small counts")]

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Barrier;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use cpu_time::ThreadTime;
use curvebook::base::error::Result;
use curvebook::base::rng::Key;
use curvebook::base::space::sobol;
use curvebook::base::units::ConfigId;
use curvebook::train::cpu::Net;
use curvebook::train::data::{self, Dataset, Split};
use curvebook::train::graph::Streams;
use curvebook::train::model::{Definition, Network, Recipe};
use curvebook::train::record::TrainedConfig;
use curvebook::train::{Device, Progress, Sink, TrainSettings, train};

/// Timed steps last at least so long ...
const TIMED_MIN: Duration = Duration::from_millis(500);
/// ... and are at least so many.
const STEPS_MIN: usize = 2;
/// Batches that the steps go through in turn.
const BATCHES_MAX: usize = 8;
/// Rows and columns of the matrices that the core's rate is measured with.
const SGEMM_SIZE: usize = 1_024;

struct Arguments {
    definition: Definition,
    dataset: Dataset,
    configs: u32,
    /// None: steps are timed.
    epochs: Option<u16>,
    threads: usize,
    timed_min: Duration,
}

impl Arguments {
    fn read() -> Result<Self> {
        let (mut positions, mut threads, mut is_bench) = (Vec::new(), 1, false);
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            match word.as_str() {
                "--bench" => is_bench = true,
                "--threads" => threads = words.next().and_then(|n| n.parse().ok()).unwrap_or(2),
                _ => positions.push(word),
            }
        }
        if !is_bench {
            // What `cargo test` passes on is meant for the tests.
            positions.clear();
        }
        let position = |at: usize| positions.get(at).map(String::as_str).filter(|p| !p.is_empty());
        let definition = Definition::find(position(0).unwrap_or("digits-lenet"))?;
        let dataset = data::load(&definition.dataset, position(1).map(PathBuf::from).as_deref())?;
        let configs = if is_bench { 8 } else { 1 };
        Ok(Self {
            definition,
            dataset,
            configs: position(2).and_then(|n| n.parse().ok()).unwrap_or(configs),
            epochs: position(3).and_then(|n| n.parse().ok()),
            threads,
            timed_min: if is_bench { TIMED_MIN } else { Duration::ZERO },
        })
    }
}

/// One configuration and the batches that it trains on.
struct Case {
    config: ConfigId,
    network: Network,
    recipe: Recipe,
    batches: Vec<(Vec<f32>, Vec<u8>)>,
}

impl Case {
    fn new(definition: &Definition, index: u32, split: &Split<'_>) -> Result<Self> {
        let values = sobol::configuration(&definition.space, index, 0);
        let network = Network::build(definition, &values)?;
        let recipe = Recipe::resolve(definition, &values)?;
        let batches = batches(split, recipe.batch_size);
        assert!(!batches.is_empty(), "{} images fill no batch", split.train.len());
        Ok(Self { config: ConfigId(index), network, recipe, batches })
    }

    fn step_flops(&self) -> f64 {
        self.network.flops_per_image() * self.recipe.batch_size as f64
    }

    /// Warms up, waits for the others, and takes steps until `is_done` (steps, since) says so.
    /// What came of the first ones goes to `losses`.
    fn steps(&self, others: &Barrier, is_done: impl Fn(usize, &Instant) -> bool) -> Timed {
        let streams = Streams::new(0, self.config, 0);
        let mut net = Net::new(&self.network, &self.recipe);
        net.initialise(&streams);
        let mut losses = Vec::new();
        let mut step = |at: usize| {
            let (pixels, labels) = &self.batches[at % self.batches.len()];
            net.load(pixels, labels);
            let report = net.step(labels.len(), &streams);
            if at <= STEPS_MIN {
                losses.push(report.loss_sum.to_bits());
            }
        };
        step(0);
        others.wait();
        let (wall, cpu, mut steps) = (Instant::now(), ThreadTime::now(), 0);
        while !is_done(steps, &wall) {
            steps += 1;
            step(steps);
        }
        let cpu_seconds = cpu.elapsed().as_secs_f64();
        Timed { steps, cpu_seconds, wall_seconds: wall.elapsed().as_secs_f64(), losses }
    }
}

/// Timed steps.
struct Timed {
    steps: usize,
    cpu_seconds: f64,
    wall_seconds: f64,
    losses: Vec<u64>,
}

/// The first full batches of the training images, standardised: (image, row, column, channel).
fn batches(split: &Split<'_>, batch_size: usize) -> Vec<(Vec<f32>, Vec<u8>)> {
    let standardised = split.standardised();
    let [channels, height, width] = split.shape;
    let plane = height * width;
    let pixel = |image: &[u8], at: usize| {
        let (place, channel) = (at / channels, at % channels);
        standardised[channel][usize::from(image[channel * plane + place])]
    };
    let all = split
        .train
        .images
        .chunks_exact(channels * plane)
        .map(|image| (0..channels * plane).map(|at| pixel(image, at)).collect::<Vec<f32>>());
    let images: Vec<Vec<f32>> = all.take(BATCHES_MAX * batch_size).collect();
    images
        .chunks_exact(batch_size)
        .zip(split.train.labels.chunks_exact(batch_size))
        .map(|(images, labels)| (images.concat(), labels.to_vec()))
        .collect()
}

/// Operations, and what they took.
#[derive(Default)]
struct Sums {
    flops: f64,
    cpu_seconds: f64,
    wall_seconds: f64,
    /// At N configurations at once, an epoch of one.
    shared_seconds: f64,
}

fn time_steps(arguments: &Arguments) -> Result<String> {
    let Arguments { definition, dataset, threads, timed_min, .. } = arguments;
    let training = &definition.training;
    let split = Split::new(dataset, training.train_size, training.val_size, 0)?;
    let (mut sums, mut text) = (Sums::default(), String::new());
    let mut core = sgemm_rate(*timed_min);
    for index in 0..arguments.configs {
        let case = Case::new(definition, index, &split)?;
        let epoch_steps = split.train.len() as f64 / case.recipe.batch_size as f64;
        let is_done =
            |steps: usize, since: &Instant| steps >= STEPS_MIN && since.elapsed() >= *timed_min;
        let one = case.steps(&Barrier::new(1), is_done);
        let step_seconds = one.cpu_seconds / one.steps as f64;
        print!(
            "{index:>5} {:>9} params {:>9.3} MFLOP/image {:>10.3} ms/step {:>6.1} GFLOP/s",
            case.network.params(),
            case.network.flops_per_image() / 1e6,
            step_seconds * 1e3,
            case.step_flops() / step_seconds / 1e9
        );
        sums.flops += case.step_flops() * epoch_steps;
        sums.cpu_seconds += step_seconds * epoch_steps;
        sums.wall_seconds += one.wall_seconds / one.steps as f64 * epoch_steps;
        if *threads > 1 {
            let shared = at_once(&case, *threads, one.steps);
            sums.shared_seconds += shared * epoch_steps;
            print!("  {threads} at once {:>6.1}", case.step_flops() / shared / 1e9);
        }
        println!();
        write!(text, "{:?}", one.losses).expect("writing to a string cannot fail");
    }
    core = core.max(sgemm_rate(*timed_min));
    let rate = sums.flops / sums.cpu_seconds / 1e9;
    println!("all: {rate:.1} GFLOP/s, {:.3} s an epoch of each", sums.cpu_seconds);
    println!("sgemm of {SGEMM_SIZE}: {core:.1} GFLOP/s, of which training {:.2}", rate / core);
    if *threads > 1 {
        let (one, all) = (sums.flops / sums.wall_seconds, sums.flops / sums.shared_seconds);
        let (one, all) = (one / 1e9, all / 1e9);
        let gain = all / one;
        println!(
            "by wall time: {one:.1} GFLOP/s one at a time, {all:.1} {threads} at once: {gain:.2} x"
        );
    }
    Ok(text)
}

/// Wall seconds of a step, on average over those of all `threads`, which take `steps` each: the
/// slowest thread ends the time.
fn at_once(case: &Case, threads: usize, steps: usize) -> f64 {
    let ready = Barrier::new(threads);
    let slowest_seconds = std::thread::scope(|scope| {
        let run = || case.steps(&ready, |done, _| done >= steps);
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        let seconds = all.into_iter().map(|t| t.join().expect("no step panics").wall_seconds);
        seconds.fold(0.0, f64::max)
    });
    slowest_seconds / (threads * steps) as f64
}

/// The core's rate at products of two square matrices, in GFLOP/s: the fastest pass.
fn sgemm_rate(timed_min: Duration) -> f64 {
    let size = SGEMM_SIZE;
    let stride = isize::try_from(size).expect("small");
    let (a, b) = (vec![1.0_f32; size * size], vec![0.5_f32; size * size]);
    let mut c = vec![0.0_f32; size * size];
    let (start, mut fastest) = (Instant::now(), f64::INFINITY);
    loop {
        let clock = ThreadTime::now();
        let (a, b, product) = (a.as_ptr(), b.as_ptr(), c.as_mut_ptr());
        #[expect(unsafe_code, reason = "matrixmultiply takes pointers")]
        // SAFETY: all three hold size x size elements, row-major; the product overlaps no other.
        unsafe {
            matrixmultiply::sgemm(
                size, size, size, 1.0, a, stride, 1, b, stride, 1, 0.0, product, stride, 1,
            );
        }
        fastest = fastest.min(clock.elapsed().as_secs_f64());
        if start.elapsed() >= timed_min {
            assert_eq!(std::hint::black_box(&c)[0], 0.5 * size as f32);
            return 2.0 * (size * size * size) as f64 / fastest / 1e9;
        }
    }
}

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

fn train_epochs(arguments: &Arguments, epochs: u16) -> Result<String> {
    let training = &arguments.definition.training;
    let settings = TrainSettings {
        definition: arguments.definition.clone(),
        configs: 0..arguments.configs,
        epochs,
        train_size: training.train_size,
        val_size: training.val_size,
        test_size: training.test_size,
        seed: 0,
        sobol_seed: 0,
        threads: arguments.threads,
        repeats: 1,
        folds: None,
    };
    let mut memory = Memory::default();
    let start = Instant::now();
    train(
        &settings,
        &arguments.dataset,
        &Device::Cpu,
        &mut memory,
        &Silent,
        &AtomicBool::new(false),
    )?;
    // They come as they are finished.
    memory.0.sort_by_key(|trained| trained.config.config_id);
    let wall_seconds = start.elapsed().as_secs_f64();
    let (mut seconds, mut flops, mut text) = (0.0, 0.0, String::new());
    let (mut first_seconds, mut last_seconds) = (0.0, 0.0);
    for TrainedConfig { config, epochs } in &memory.0 {
        let train_seconds: f64 = epochs.iter().map(|e| e.seconds - e.eval_seconds).sum();
        let count = epochs.len() as f64;
        let (first, last) = (&epochs[0], &epochs[epochs.len() - 1]);
        println!(
            "{:>5} {:>9} params {:>9.3} MFLOP/image {:>9.4} s/epoch {:>6.1} GFLOP/s  val {:.4}  \
             first {:.4} s last {:.4} s",
            config.config_id.0,
            config.params,
            config.flops_per_epoch / settings.train_size as f64 / 1e6,
            epochs.iter().map(|e| e.seconds).sum::<f64>() / count,
            config.flops_per_epoch * count / train_seconds / 1e9,
            last.val_accuracy,
            first.seconds,
            last.seconds,
        );
        seconds += train_seconds;
        flops += config.flops_per_epoch * count;
        first_seconds += first.seconds;
        last_seconds += last.seconds;
        let losses = epochs.iter().map(|e| e.val_loss.to_bits()).collect::<Vec<_>>();
        write!(text, "{losses:?}").expect("writing to a string cannot fail");
    }
    println!("all: {:.1} GFLOP/s in training, {wall_seconds:.1} s in all", flops / seconds / 1e9);
    let ratio = last_seconds / first_seconds;
    println!("first epochs {first_seconds:.3} s, last {last_seconds:.3} s: {ratio:.3} x");
    Ok(text)
}

/// The most memory that the process ever took, where the system says it.
fn print_memory() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok());
    if let Some(kibibytes) = kibibytes {
        let kibibytes: f64 = kibibytes;
        println!("memory at most {:.0} MiB, images included", kibibytes / 1_024.0);
    }
}

fn main() -> Result<()> {
    let arguments = Arguments::read()?;
    let text = match arguments.epochs {
        None => time_steps(&arguments)?,
        Some(epochs) => train_epochs(&arguments, epochs)?,
    };
    print_memory();
    println!("hash {:08x?}", Key::new(0, 0, &text).0);
    Ok(())
}
