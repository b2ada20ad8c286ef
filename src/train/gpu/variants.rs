//! Which variant of the kernels suits an adapter: found by timing them, once an adapter.
//!
//! Variants differ in how many results a thread holds in registers and in the threads of a
//! workgroup. None changes the order of any sum: the bits are the same under all.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use base::error::{Result, internal};
use base::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::adapter::Adapter;
use super::backend::room;
use super::cohort::Cohort;
use super::device::Gpu;
use super::images::Images;
use super::kernels::{
    Kernel, Kernels, Variant, correlation, maxpool_backward, maxpool_forward, optimizer_step,
    product,
};
use super::measure::{Case, Noise};
use super::shaders;
use crate::Job;
use crate::data::place;
use crate::model::Definition;

/// Places, filters in fours, threads: from large to small, none with a barrier.
const PRODUCTS: [[u32; 3]; 7] =
    [[8, 4, 64], [4, 4, 64], [6, 2, 64], [4, 2, 64], [4, 2, 128], [2, 2, 64], [2, 1, 64]];
/// Offsets in fours, filters, threads.
const CORRELATIONS: [[u32; 3]; 6] =
    [[4, 8, 32], [2, 8, 64], [2, 4, 64], [2, 4, 32], [1, 4, 64], [1, 2, 64]];
/// Values a task of the other kernels.
const ELEMENTS: [u32; 4] = [64, 16, 8, 4];
/// What is timed: so many configurations of this space, a step of which is typical.
const SPACE: &str = "mnist-lenet-lite";
const CONFIGS_ON_A_GPU: u32 = 32;
const CONFIGS_IN_SOFTWARE: u32 = 2;
/// What a timed submission lasts at least.
const TIMED_MIN: Duration = Duration::from_millis(10);
/// How often all variants are timed.
const ROUNDS: u32 = 3;
/// How much faster than the usual variant another must be.
const CLEARLY: f64 = 1.15;
/// Another way of choosing makes old choices void.
const VERSION: u32 = 1;

/// An adapter, with the variant of the kernels that suits it.
#[derive(Debug)]
pub struct Chosen {
    pub adapter: Adapter,
    pub variant: Variant,
    /// What products and correlations reach together, roughly.
    pub flops_per_second: f64,
}

/// A choice as it is kept in the user's cache directory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Kept {
    version: u32,
    /// The adapter with its driver, and the shaders: of others the choice may not hold.
    adapter: String,
    shaders: String,
    product: [u32; 3],
    correlation: [u32; 3],
    elements: u32,
    flops_per_second: f64,
}

impl Chosen {
    /// Takes the variant that was found before, or finds it: some seconds, once an adapter, driver
    /// and version of the shaders. A cache that cannot be read or written only costs these again.
    /// Errors: the adapter fails.
    pub fn new(adapter: Adapter) -> Result<Self> {
        let line = adapter.description().line();
        let file = file(&line);
        let kept = match file.as_deref().and_then(|file| fs::read(file).ok()) {
            Some(bytes) => serde_json::from_slice(&bytes).ok().filter(|kept| fits(kept, &line)),
            None => None,
        };
        if let Some(kept) = kept {
            return Ok(kept.chosen(adapter));
        }
        let gpu = Gpu::open(&adapter)?;
        let (variant, flops_per_second) = find(&gpu)?;
        let kept = Kept::new(line, variant, flops_per_second);
        if let Some(file) = file {
            keep(&file, &kept);
        }
        Ok(kept.chosen(adapter))
    }
}

impl Kept {
    fn new(adapter: String, variant: Variant, flops_per_second: f64) -> Self {
        let Variant { product, correlation, elements } = variant;
        Self {
            version: VERSION,
            adapter,
            shaders: shaders_hash(),
            product: [product.places, product.filters_4, product.threads],
            correlation: [correlation.offsets_4, correlation.filters, correlation.threads],
            elements,
            flops_per_second,
        }
    }

    fn chosen(&self, adapter: Adapter) -> Chosen {
        let [places, filters_4, threads] = self.product;
        let product = product::Tile { places, filters_4, threads };
        let [offsets_4, filters, threads] = self.correlation;
        let correlation = correlation::Tile { offsets_4, filters, threads };
        let variant = Variant { product, correlation, elements: self.elements };
        Chosen { adapter, variant, flops_per_second: self.flops_per_second }
    }
}

/// Whether a kept choice is one for this adapter, and one that could have been made.
fn fits(kept: &Kept, adapter: &str) -> bool {
    (kept.version, kept.adapter.as_str()) == (VERSION, adapter)
        && kept.shaders == shaders_hash()
        && PRODUCTS.contains(&kept.product)
        && CORRELATIONS.contains(&kept.correlation)
        && ELEMENTS.contains(&kept.elements)
        && kept.flops_per_second > 0.0
}

fn shaders_hash() -> String {
    hex(&shaders::hash())
}

/// The file of an adapter's choice; none where no home directory is known.
fn file(adapter: &str) -> Option<PathBuf> {
    let name = hex(&Sha256::digest(adapter.as_bytes())[..8]);
    Some(place::cache()?.join(format!("kernels-{name}.json")))
}

/// Writes a choice; without one the next training finds it again.
fn keep(file: &std::path::Path, kept: &Kept) {
    let Some(directory) = file.parent() else { return };
    let Ok(text) = serde_json::to_vec_pretty(kept) else { return };
    // Whole or not at all, should several trainings begin at once.
    let unfinished = file.with_extension(format!("{}.partial", std::process::id()));
    let written = fs::create_dir_all(directory).and_then(|()| fs::write(&unfinished, text));
    if written.and_then(|()| fs::rename(&unfinished, file)).is_err() {
        let _ = fs::remove_file(&unfinished);
    }
}

/// Times every variant, and what the best reach together.
fn find(gpu: &Gpu) -> Result<(Variant, f64)> {
    let usual = Variant::usual(gpu.description());
    let count =
        if gpu.description().is_software() { CONFIGS_IN_SOFTWARE } else { CONFIGS_ON_A_GPU };
    let definition = Definition::preset(SPACE)?;
    let cases: Vec<Case> =
        (0..count).map(|index| Case::sobol(&definition, index)).collect::<Result<_>>()?;
    let images = cases.iter().map(|case| case.recipe.batch_size).max().unwrap_or(1);
    let noise = Noise::new(definition.input, definition.classes, images);
    let split = noise.split();
    let jobs: Vec<Job<'_>> = cases
        .iter()
        .map(|case| Job {
            config: case.config,
            repeat: 0,
            seed: 0,
            epochs: 1,
            network: &case.network,
            recipe: &case.recipe,
            split: &split,
        })
        .collect();
    // As many as the buffers hold: an adapter that binds little still has a fastest variant.
    let (sizes, steps) = room(jobs.iter(), gpu, jobs.len());
    let kernels = Kernels::new(usual);
    let mut cohort = Cohort::new(gpu, &kernels, Images::upload(gpu, &split)?, sizes, steps)?;
    let placed = jobs.iter().take_while(|job| cohort.place(**job)).count();
    assert!(placed > 0, "the largest one has room");
    let products = PRODUCTS.map(|[places, filters_4, threads]| Variant {
        product: product::Tile { places, filters_4, threads },
        ..usual
    });
    let (product, product_rate) = best(&cohort, usual, &products, &[&product::PRODUCT])?;
    let correlations = CORRELATIONS.map(|[offsets_4, filters, threads]| Variant {
        correlation: correlation::Tile { offsets_4, filters, threads },
        ..product
    });
    let expected = Variant { correlation: usual.correlation, ..product };
    let (both, correlation_rate) =
        best(&cohort, expected, &correlations, &[&correlation::CORRELATION])?;
    let elements = ELEMENTS.map(|elements| Variant { elements, ..both });
    let others = [&maxpool_forward::KERNEL, &maxpool_backward::KERNEL, &optimizer_step::KERNEL];
    let expected = Variant { elements: usual.elements, ..both };
    let (variant, _) = best(&cohort, expected, &elements, &others)?;
    // Two thirds of the operations are products', forward and backward.
    Ok((variant, 3.0 / (2.0 / product_rate + 1.0 / correlation_rate)))
}

/// The fastest of some variants at some kernels, and its rate: of several rounds of them all, since
/// others may use the machine for a while. The usual one stays unless another is clearly faster.
/// One that the adapter cannot run is none.
fn best(
    cohort: &Cohort<'_, '_>,
    usual: Variant,
    variants: &[Variant],
    which: &[&Kernel],
) -> Result<(Variant, f64)> {
    let kernels: Vec<Kernels> = variants.iter().map(|variant| Kernels::new(*variant)).collect();
    let mut rates = vec![0.0_f64; variants.len()];
    let mut failure = None;
    for _ in 0..ROUNDS {
        for (kernels, best) in kernels.iter().zip(&mut rates) {
            match cohort.rate(kernels, which, TIMED_MIN) {
                Ok(rate) => *best = best.max(rate),
                Err(e) => failure = Some(e),
            }
        }
    }
    let worth = |at: usize| if variants[at] == usual { rates[at] * CLEARLY } else { rates[at] };
    let fastest = (0..variants.len()).max_by(|&a, &b| worth(a).total_cmp(&worth(b)));
    match (fastest.filter(|at| rates[*at] > 0.0), failure) {
        (Some(at), _) => Ok((variants[at], rates[at])),
        (None, Some(e)) => Err(e),
        (None, None) => Err(internal("timing the kernels", "there is no variant")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::kernels::twin;
    use super::*;

    fn kept() -> Kept {
        let product = product::Tile { places: 4, filters_4: 2, threads: 64 };
        let correlation = correlation::Tile { offsets_4: 2, filters: 4, threads: 32 };
        Kept::new("Toy".into(), Variant { product, correlation, elements: 16 }, 1e9)
    }

    #[test]
    fn a_choice_holds_for_its_adapter_shaders_and_version_alone() {
        assert!(fits(&kept(), "Toy") && !fits(&kept(), "Other"));
        let wrong: [fn(&mut Kept); 5] = [
            |kept| kept.version += 1,
            |kept| kept.shaders.push('0'),
            |kept| kept.product[0] = 1_000_000,
            |kept| kept.elements = 0,
            |kept| kept.flops_per_second = f64::NAN,
        ];
        for change in wrong {
            let mut kept = kept();
            change(&mut kept);
            assert!(!fits(&kept, "Toy"), "{kept:?}");
        }
    }

    #[test]
    fn a_choice_is_kept_whole_and_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("deep/kernels.json");
        keep(&file, &kept());
        let read: Kept = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        assert_eq!(read, kept());
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1, "nothing else");
        // Where nothing can be written nothing happens.
        keep(std::path::Path::new("/dev/null/kernels.json"), &kept());
    }

    #[test]
    fn the_fastest_variant_is_one_of_those_tried() {
        let Some(gpu) = twin::gpu() else { return };
        let (variant, rate) = find(&gpu).unwrap();
        let kept = Kept::new("Toy".into(), variant, rate);
        assert!(fits(&kept, "Toy"), "{kept:?}");
        println!("{variant:?}, {:.1} GFLOP/s", rate / 1e9);
    }
}
