//! Rates of training on the GPU: `cargo bench --bench train_gpu [-- WORD] [--json FILE]`, on the
//! adapter that `curvebook train --device gpu` would take, and that the first line names.
//!
//! A line is some Sobol points of a space, trained for some steps with all of them together or one
//! after another: seconds of one step of each of them, floating-point operations a second (a
//! multiplication and an addition are two; forward, backward, optimizer, padding counts), images a
//! second, how often memory was filled to hold them, and a hash of all weights afterwards, which is
//! the same together and one after another. By the clock on the wall, the best of three rounds, in
//! turns; see `train::gpu::measure`. Images are noise of the right shape. Lines that begin with
//! `product` are a dense layer of 4,096 units on 4,096 inputs and images, the best of three
//! submissions by the device's clock, for each size of tiles.
//!
//! WORD picks the lines that have it in them, but for the hash. On a software adapter steps are
//! few, the largest lines are left out, and nothing is a GPU's result. `--json` writes everything
//! to a file. Without `--bench`, as `cargo test` runs it, two small networks only show that it
//! works; without an adapter it says so. `benches/train_gpu.sh` runs this, another program
//! beside it, and keeps the results.

use std::path::PathBuf;

use curvebook::base::error::{Result, fault, io};
use curvebook::train::gpu::measure::{Case, Company, Effort, Measured, Noise, Stopwatch};
use curvebook::train::gpu::probe::rate;
use curvebook::train::gpu::product::{LANES, PRODUCT, ProductJob, Tile};
use curvebook::train::gpu::{Adapter, Chosen, Compiled, Gpu, Wanted};
use curvebook::train::model::Definition;
use serde_json::{Value, json};

/// Sobol points of a space.
struct Points {
    space: &'static str,
    first: u32,
    count: u32,
    /// Whether one after another, too.
    is_compared: bool,
    /// Whether a software adapter is up to it.
    is_small: bool,
}

impl Points {
    const fn new(space: &'static str, first: u32, count: u32) -> Self {
        Self { space, first, count, is_compared: count > 1, is_small: true }
    }

    const fn large(self) -> Self {
        Self { is_small: false, ..self }
    }

    const fn together(self) -> Self {
        Self { is_compared: false, ..self }
    }

    fn name(&self) -> String {
        match self.count {
            1 => format!("{}, point {}", self.space, self.first),
            _ => format!("{}, points {}..{}", self.space, self.first, self.first + self.count),
        }
    }
}

const POINTS: [Points; 6] = [
    Points::new("digits-lenet", 0, 8),
    Points::new("mnist-lenet-lite", 1, 1),
    Points::new("mnist-lenet-lite", 0, 64),
    // As many as the other program is given.
    Points::new("mnist-lenet-lite", 0, 32).large(),
    Points::new("mnist-lenet-lite", 0, 256).large().together(),
    Points::new("mnist-lenet", 0, 32).large(),
];

/// What `cargo test` runs.
const TINY: [Points; 1] = [Points::new("digits-lenet", 3, 2)];

/// Sides of the large product, and what else to cut it into than the adapter's own tiles: places,
/// filters in fours, threads a workgroup.
const PRODUCT_SIDE: u32 = 4_096;
const PRODUCT_TILES: [[u32; 3]; 10] = [
    [4, 1, 64],
    [4, 2, 64],
    [4, 2, 256],
    [8, 2, 64],
    [8, 2, 128],
    [4, 4, 64],
    [4, 4, 256],
    [8, 4, 64],
    [8, 4, 128],
    [8, 4, 256],
];

/// Operations of a round, about: seconds of a slow GPU, or of a processor that plays one.
const ROUND_FLOPS: f64 = 2e13;
const SOFTWARE_ROUND_FLOPS: f64 = 1e10;
const STEPS_MAX: f64 = 50.0;
const ROUNDS: u32 = 3;

struct Arguments {
    is_bench: bool,
    wanted: String,
    json: Option<PathBuf>,
}

impl Arguments {
    fn read() -> Result<Self> {
        let mut arguments = Self { is_bench: false, wanted: String::new(), json: None };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            match word.as_str() {
                "--bench" => arguments.is_bench = true,
                "--json" => {
                    let Some(file) = words.next() else {
                        let rule = "must be followed by a file's name";
                        return Err(fault("command line", "--json", "", rule, "name a file"));
                    };
                    arguments.json = Some(file.into());
                }
                // What `cargo test` passes on is meant for the tests.
                word if word.starts_with("--") => {}
                word => arguments.wanted = word.to_string(),
            }
        }
        if !arguments.is_bench {
            arguments.wanted.clear();
        }
        Ok(arguments)
    }
}

struct Bench<'g> {
    gpu: &'g Gpu,
    stopwatch: Stopwatch<'g>,
    arguments: &'g Arguments,
    is_software: bool,
    rows: Vec<Value>,
    /// Lines that should have left the same weights and did not.
    unlike: Vec<String>,
}

impl Bench<'_> {
    fn points(&mut self, points: &Points) -> Result<()> {
        let definition = Definition::preset(points.space)?;
        let range = points.first..points.first + points.count;
        let cases: Vec<Case> =
            range.map(|index| Case::sobol(&definition, index)).collect::<Result<_>>()?;
        let effort = self.effort(&cases);
        let batch = cases.iter().map(|case| case.recipe.batch_size).max().unwrap_or(1);
        let images = batch * effort.steps as usize;
        let noise = Noise::new(definition.input, definition.classes, images);
        let split = noise.split();
        let ways: &[(Company, &str)] = match (points.count, points.is_compared) {
            (1, _) => &[(Company::Alone, "alone")],
            (_, false) => &[(Company::Together, "together")],
            (_, true) => &[(Company::Together, "together"), (Company::Alone, "one after another")],
        };
        let named = ways.iter().map(|(company, how)| {
            let name = format!("{}, {how}", points.name());
            name.contains(&self.arguments.wanted).then_some((*company, name))
        });
        let (companies, names): (Vec<Company>, Vec<String>) = named.flatten().unzip();
        if companies.is_empty() {
            return Ok(());
        }
        let found = self.stopwatch.measure(&cases, &split, effort, &companies)?;
        for (name, measured) in names.iter().zip(&found) {
            self.line(name, &cases, effort, measured);
        }
        if let [together, alone] = &found[..] {
            self.compare(&points.name(), together, alone);
        }
        Ok(())
    }

    /// The same whatever the company: other steps would leave other weights.
    fn effort(&self, cases: &[Case]) -> Effort {
        if !self.arguments.is_bench {
            return Effort { warm_steps: 1, steps: 1, rounds: 1 };
        }
        let flops: f64 = cases.iter().map(Case::step_flops).sum();
        let round = if self.is_software { SOFTWARE_ROUND_FLOPS } else { ROUND_FLOPS };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 1 and 50"
        )]
        let steps = (round / flops).clamp(1.0, STEPS_MAX) as u32;
        Effort { warm_steps: steps.div_ceil(2), steps, rounds: ROUNDS }
    }

    fn line(&mut self, name: &str, cases: &[Case], effort: Effort, measured: &Measured) {
        let Measured { seconds, flops, images, cohorts, weights_sha256 } = measured;
        #[expect(clippy::cast_precision_loss, reason = "some batches")]
        let images_per_second = *images as f64 / seconds;
        println!(
            "{name:<50} {:>10.3} ms a step of each {:>9.2} GFLOP/s {images_per_second:>9.0} \
             images/s  {cohorts} {}, weights {weights_sha256}",
            seconds * 1e3,
            measured.rate() / 1e9,
            if *cohorts == 1 { "cohort" } else { "cohorts" },
        );
        self.rows.push(json!({
            "name": name,
            "configurations": cases.len(),
            "steps": effort.steps,
            "rounds": effort.rounds,
            "step_of_each_seconds": seconds,
            "step_of_each_flops": flops,
            "step_of_each_images": images,
            "gflops_per_second": measured.rate() / 1e9,
            "images_per_second": images_per_second,
            "cohorts": cohorts,
            "weights_sha256": weights_sha256,
        }));
    }

    fn compare(&mut self, name: &str, together: &Measured, alone: &Measured) {
        let is_same = together.weights_sha256 == alone.weights_sha256;
        let ratio = together.seconds / alone.seconds;
        println!(
            "{:<50} {ratio:>10.3} of the time one after another, {} weights",
            format!("{name}, together"),
            if is_same { "the same" } else { "OTHER" }
        );
        self.rows.push(json!({
            "name": format!("{name}, together / one after another"),
            "time_ratio": ratio,
            "same_weights": is_same,
        }));
        if !is_same {
            self.unlike.push(name.to_string());
        }
    }

    fn products(&mut self, own: Tile) -> Result<()> {
        let own = [own.places, own.filters_4, own.threads];
        let others = PRODUCT_TILES.into_iter().filter(|tile| *tile != own);
        let mut tiles: Vec<[u32; 3]> = [own].into_iter().chain(others).collect();
        let side = PRODUCT_SIDE as usize;
        let line = |[places, filters_4, threads]: [u32; 3]| {
            format!(
                "product {side}^3, {places} places x {filters_4} x 4 filters, {threads} threads"
            )
        };
        tiles.retain(|tile| line(*tile).contains(&self.arguments.wanted));
        if tiles.is_empty() {
            return Ok(());
        }
        let lanes = LANES as usize;
        let numbers: Vec<f32> =
            (0..4_093_u16).cycle().map(|at| f32::from(at) / 4_093.0).take(side * side).collect();
        let values = self.gpu.allocate("values", 2 * (side * side * size_of::<f32>()) as u64)?;
        self.gpu.write(&values, 0, &numbers);
        let weights = self.gpu.upload("weights", &numbers)?;
        let (buffers, groups) = ([&values, &weights], side / lanes);
        for tile in tiles {
            let [places, filters_4, threads] = tile;
            let kernel = Compiled::new(self.gpu, &PRODUCT, Tile { places, filters_4, threads })?;
            let jobs = kernel.plan(self.gpu, &[product(groups)], &buffers)?;
            let dispatch = || kernel.dispatch(&jobs, &buffers);
            self.gpu.run(&[dispatch()])?;
            let gflops = rate(self.gpu, jobs.flops, dispatch)?;
            let name = line(tile);
            let note = if tile == own { "  the variant's tiles" } else { "" };
            println!("{name:<66} {:>9.3} TFLOP/s{note}", gflops / 1e3);
            self.rows.push(json!({ "name": name, "gflops_per_second": gflops }));
        }
        Ok(())
    }
}

/// All sides alike.
fn product(groups: usize) -> ProductJob {
    let groups = u32::try_from(groups).expect("small");
    ProductJob {
        x: 0,
        out: groups * PRODUCT_SIDE,
        weights: 0,
        bias: None,
        taps: 1,
        run: PRODUCT_SIDE,
        tap_step: 0,
        filters: PRODUCT_SIDE,
        places: [groups, 1, 1],
        x_steps: [PRODUCT_SIDE, 0, 0],
        out_steps: [PRODUCT_SIDE, 0, 0],
        out_filter: 1,
        rectify: false,
    }
}

fn run(arguments: &Arguments, chosen: &Chosen) -> Result<()> {
    let adapter = chosen.adapter.description();
    println!("{}", adapter.line());
    println!("{:?}", chosen.variant);
    let is_software = adapter.is_software();
    if is_software {
        println!("software adapter: no GPU's result");
    }
    let gpu = Gpu::open(&chosen.adapter)?;
    let stopwatch = Stopwatch::new(&gpu, chosen.variant);
    let (rows, unlike) = (Vec::new(), Vec::new());
    let mut bench = Bench { gpu: &gpu, stopwatch, arguments, is_software, rows, unlike };
    if arguments.is_bench {
        for points in POINTS.iter().filter(|points| points.is_small || !is_software) {
            bench.points(points)?;
        }
        if !is_software {
            bench.products(chosen.variant.product)?;
        }
    } else {
        TINY.iter().try_for_each(|points| bench.points(points))?;
    }
    if let Some(file) = &arguments.json {
        let all = json!({
            "adapter": adapter.name,
            "kind": adapter.kind.name(),
            "backend": adapter.backend,
            "driver": adapter.driver,
            "is_software": is_software,
            "variant": format!("{:?}", chosen.variant),
            "curvebook": env!("CARGO_PKG_VERSION"),
            "rows": bench.rows,
        });
        let text = format!("{all:#}\n");
        std::fs::write(file, text).map_err(|e| io(file, "writing", e))?;
    }
    assert!(bench.unlike.is_empty(), "other weights one after another: {:?}", bench.unlike);
    Ok(())
}

fn main() -> Result<()> {
    let arguments = Arguments::read()?;
    match Adapter::choose(Wanted::Gpu) {
        Ok(Some(adapter)) => run(&arguments, &Chosen::new(adapter)?),
        Err(e) if arguments.is_bench || curvebook::train::gpu::adapter::is_required() => Err(e),
        _ => {
            println!("skipped: this machine has no adapter");
            Ok(())
        }
    }
}
