//! Shapes, parameters and FLOPs of networks.

use curvebook::model::{Network, Operation, Shape};
use curvebook::space::{Definition, Value, sobol};

fn lenet(kernel: i64, pools: [i64; 2]) -> Vec<Value> {
    let [p1, p2] = pools.map(Value::Int);
    let sizes = [Value::Int(4), Value::Int(6), Value::Int(20), Value::Int(kernel), p1, p2];
    let rates = [Value::Float(0.01), Value::Float(0.1), Value::Float(0.5)];
    sizes.into_iter().chain(rates).collect()
}

#[test]
fn mnist_lenet_by_hand() {
    let definition = Definition::preset("mnist-lenet").unwrap();
    let network = Network::build(&definition, &lenet(5, [2, 3])).unwrap();
    let outputs: Vec<Shape> = network.layers.iter().map(|layer| layer.output).collect();
    let shape = |channels, height, width| Shape { channels, height, width };
    let expected = [
        shape(4, 28, 28),
        shape(4, 14, 14),
        shape(6, 14, 14),
        shape(6, 4, 4),
        Shape::flat(20),
        Shape::flat(20),
        Shape::flat(10),
    ];
    assert_eq!(outputs, expected);
    assert_eq!(network.layers[6].name, "the last dense layer");
    let params = (25 * 4 + 4) + (25 * 4 * 6 + 6) + (96 * 20 + 20) + (20 * 10 + 10);
    assert_eq!(network.params(), params);
    // Multiply-adds x 2 x passes: the first layer has no input gradient.
    let first = 25 * 4 * 784 * 2 * 2;
    let others = (25 * 4 * 6 * 196 + 96 * 20 + 20 * 10) * 2 * 3;
    assert_eq!(network.flops_per_image(), f64::from(first + others));
    assert_eq!(network.flops_per_epoch(10), f64::from(first + others) * 10.0);
}

#[test]
fn same_padding_puts_the_odd_pixel_at_the_end() {
    let definition = Definition::preset("mnist-lenet").unwrap();
    for (kernel, expected) in [(2, 0), (3, 1), (4, 1), (5, 2), (10, 4)] {
        let network = Network::build(&definition, &lenet(kernel, [2, 2])).unwrap();
        let Operation::Conv { before, .. } = network.layers[0].operation else { panic!("conv") };
        assert_eq!(before, [expected; 2], "kernel {kernel}");
    }
}

#[test]
fn the_sizes_of_table_1_are_those_of_the_design() {
    // Over many sampled configurations: median 478 MFLOP an image, mean 1,124, 99 % 8,213.
    let definition = Definition::preset("mnist-lenet").unwrap();
    let flops = |index| {
        let values = sobol::configuration(&definition.space, index, 0);
        Network::build(&definition, &values).unwrap().flops_per_image()
    };
    let mut all: Vec<f64> = (0..4_096).map(flops).collect();
    all.sort_by(f64::total_cmp);
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    assert!((all[2_048] / 478e6 - 1.0).abs() < 0.05, "median {}", all[2_048]);
    assert!((mean / 1_124e6 - 1.0).abs() < 0.05, "mean {mean}");
}

#[test]
fn every_preset_builds_and_batchnorm_takes_over_the_activation() {
    let mut seen = false;
    for name in curvebook::space::presets::names() {
        let definition = Definition::preset(name).unwrap();
        for index in 0..64 {
            let values = sobol::configuration(&definition.space, index, 0);
            let network = Network::build(&definition, &values).unwrap();
            for pair in network.layers.windows(2) {
                if matches!(pair[1].operation, Operation::BatchNorm { .. }) {
                    let linear = curvebook::space::Activation::Linear;
                    assert!(matches!(pair[0].operation,
                        Operation::Conv { activation, .. } | Operation::Dense { activation }
                            if activation == linear));
                    seen = true;
                }
            }
        }
    }
    assert!(seen, "some configuration of cifar10-cnn normalises");
}

#[test]
fn a_pooling_larger_than_its_input_is_named_with_sizes() {
    let definition = Definition::preset("mnist-lenet").unwrap();
    let error = Network::build(&definition, &lenet(5, [2, 15])).unwrap_err().to_string();
    let expected = "model.layer[3].size = 15: pooling 15 x 15 leaves nothing of 14 x 14";
    assert!(error.contains(expected), "{error}");
}

#[test]
fn networks_no_machine_can_hold_are_refused_without_taking_memory() {
    let definition = Definition::preset("mnist-lenet").unwrap();
    let mut values = lenet(5, [2, 2]);
    values[0] = Value::Int(1 << 29);
    values[1] = Value::Int(1 << 29);
    let error = Network::build(&definition, &values).unwrap_err().to_string();
    assert!(error.contains("model.layer[0]") && error.contains("at most"), "{error}");
}
