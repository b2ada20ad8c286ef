//! Whole networks on the device against the CPU's, from the same seeds.

use std::sync::atomic::AtomicBool;

use super::cohort::Cohort;
use super::elements::count;
use super::images::Images;
use super::kernels::{Kernels, Variant};
use super::layout::Extents;
use super::program::Pass;
use super::resident::{Resident, parameters, sizes};
use super::twin;
use crate::data::{self, Split};
use crate::model::{Network, Recipe};
use crate::space::{Definition, sobol};
use crate::table::record::TrainedConfig;
use crate::trainer::cpu::Net;
use crate::trainer::streams::Streams;
use crate::trainer::{Job, Progress, Watch};
use crate::units::ConfigId;

struct Silent;

impl Progress for Silent {
    fn epoch_done(&self, _: f64) {}
    fn config_done(&self, _: &TrainedConfig) {}
}

#[test]
fn first_look() {
    let Some(gpu) = twin::gpu() else { return };
    let definition = Definition::preset("digits-lenet").unwrap();
    let dataset = data::load("digits", None).unwrap();
    let split = Split::new(&dataset, 1000, 397, 400).unwrap();
    let kernels = Kernels::new(Variant::usual(gpu.description()));
    for index in 0..4 {
        let values = sobol::configuration(&definition.space, index, 0);
        let network = Network::build(&definition, &values).unwrap();
        let recipe = Recipe::resolve(&definition, &values).unwrap();
        let job = Job {
            config: ConfigId(index),
            repeat: 0,
            seed: 0,
            epochs: 2,
            network: &network,
            recipe: &recipe,
            split: &split,
        };
        let images = Images::upload(&gpu, &split).unwrap();
        let mut cohort = Cohort::new(&gpu, &kernels, images, sizes(&job), 100).unwrap();
        assert!(cohort.place(job));
        let flag = AtomicBool::new(false);
        let watch = Watch { progress: &Silent, stop: &flag, abort: &flag };
        let losses = cohort.first_steps(1, &watch).unwrap();
        let resident = &cohort.residents()[0];
        let found = parameters(&network, &resident.layout, &cohort.weights(0).unwrap());
        let streams = Streams::new(0, ConfigId(index), 0);
        let mut net = Net::new(&network, &recipe);
        net.initialise(&streams);
        let mut order = vec![0; split.train.len()];
        streams.order(1, &mut order);
        let batch = &order[..recipe.batch_size];
        let table = split.standardised();
        let image = |&i: &u32| {
            split.train.images[i as usize * 64..][..64]
                .iter()
                .map(|p| table[0][usize::from(*p)])
                .collect::<Vec<f32>>()
        };
        let pixels: Vec<f32> = batch.iter().flat_map(image).collect();
        let labels: Vec<u8> = batch.iter().map(|&i| split.train.labels[i as usize]).collect();
        net.load(&pixels, &labels);
        let first: Vec<_> = (0..found.len()).map(|i| net.parameters(i)).collect();
        let report = net.step(batch.len(), &streams);
        println!("{index} loss {losses:?} {:?} {:?}", report.loss_sum, recipe);
        for (i, (w, b)) in found.iter().enumerate() {
            let (cw, cb) = net.parameters(i);
            let diff = |a: &[f32], b: &[f32]| {
                a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
            };
            println!(
                "  {i} {:?}: weights {} (moved {}) biases {} (moved {})",
                w.len(),
                diff(w, &cw),
                diff(&first[i].0, &cw),
                diff(b, &cb),
                diff(&first[i].1, &cb)
            );
            println!("     {:?} {:?}", &w[..4.min(w.len())], &cw[..4.min(w.len())]);
            println!("     {:?} {:?}", &b[..4.min(b.len())], &cb[..4.min(b.len())]);
        }
    }
    let _ = (count(1), Extents::default(), Pass::Train, Streams::new(0, ConfigId(0), 0));
    let _: Option<(Net, Resident<'_>)> = None;
}
