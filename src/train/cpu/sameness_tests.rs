//! Whole networks train to the same bits under every instruction set, and whatever stands in the
//! places of blank images.

use base::space::sobol;
use base::units::ConfigId;

use super::Net;
use super::lanes::Level;
use crate::graph::Streams;
use crate::model::{Definition, Network, Recipe};

/// Parameters and losses of a few steps on full and ragged batches.
fn trained(space: &str, config: u32, level: Level) -> Vec<u64> {
    let definition = Definition::preset(space).unwrap();
    let values = sobol::configuration(&definition.space, config, 0);
    let network = Network::build(&definition, &values).unwrap();
    let recipe = Recipe { batch_size: 18, ..Recipe::resolve(&definition, &values).unwrap() };
    let streams = Streams::new(3, ConfigId(config), 0);
    let mut net = Net::at_level(&network, &recipe, level);
    net.initialise(&streams);
    let mut bits = Vec::new();
    for images in [18, 17, 1, 16] {
        let mut pixels = vec![0.0; images * network.input.len()];
        Streams::new(images as u64, ConfigId(1), 0).he_normal(0, 2, &mut pixels);
        let labels: Vec<u8> = (0..images).map(|image| u8::try_from(image % 10).unwrap()).collect();
        net.load(&pixels, &labels);
        bits.push(net.step(images, &streams).loss_sum.to_bits());
        bits.push(net.evaluate(images, |_, _| ()).to_bits());
    }
    let layers = network.layers.iter().filter(|layer| layer.params() > 0).count();
    for layer in 0..layers {
        let (weights, biases) = net.parameters(layer);
        bits.extend(weights.into_iter().chain(biases).map(|x| u64::from(x.to_bits())));
    }
    bits
}

#[test]
fn every_instruction_set_trains_to_the_same_bits() {
    for (space, config) in [("digits-lenet", 3), ("digits-lenet", 8), ("cifar10-cnn-lite", 1)] {
        let [portable, others @ ..] = &Level::all()[..] else { unreachable!("one at least") };
        let expected = trained(space, config, *portable);
        for level in others {
            assert!(trained(space, config, *level) == expected, "{space} {config} {level:?}");
        }
    }
}
