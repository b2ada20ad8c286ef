//! Shapes, parameters and FLOPs of networks.

use curvebook::base::space::{Value, sobol};
use curvebook::train::model::{Definition, Network, Operation, Shape, Source};

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
    for name in curvebook::train::model::presets::names() {
        let definition = Definition::preset(name).unwrap();
        for index in 0..64 {
            let values = sobol::configuration(&definition.space, index, 0);
            let network = Network::build(&definition, &values).unwrap();
            for pair in network.layers.windows(2) {
                if matches!(pair[1].operation, Operation::BatchNorm { .. }) {
                    let linear = curvebook::train::model::Activation::Linear;
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

/// A space of layers written as inline tables, with a parameter `depth` of 0 to 3.
fn small(layers: &str) -> Definition {
    let text = format!(
        "name = \"t\"\ndataset = \"digits\"\n[[parameter]]\nname = \"depth\"\ntype = \"int\"\n\
         low = 0\nhigh = 1024\n[model]\ninput = [2, 8, 6]\nclasses = 4\nlayer = [{layers}]\n\
         [training]\nlearning_rate = 0.1\nl2 = \"$depth\"\n\
         epochs = 1\ntrain_size = 1\nval_size = 1\n\
         test_size = 1\n"
    );
    Definition::parse("t.toml", &text).unwrap()
}

fn build(layers: &str, depth: u32) -> Result<Network, String> {
    Network::build(&small(layers), &[Value::Int(depth.into())]).map_err(|error| error.to_string())
}

#[test]
fn groups_repeat_as_often_as_the_configuration_says() {
    let layers = "{ kind = 'repeat', times = '$depth', layer = [ \
                  { kind = 'conv', filters = 3, kernel = 3, name = 'a' }, \
                  { kind = 'add', from = ['a', 'a'] } ] }";
    for depth in [0_u32, 1, 3] {
        let network = build(layers, depth).unwrap();
        assert_eq!(network.layers.len() as u32, 2 * depth + 1);
        let conv = |inputs: u32| 9 * inputs * 3 + 3;
        let convs = (0..depth).map(|round| conv(if round == 0 { 2 } else { 3 })).sum::<u32>();
        let last = if depth == 0 { 96 } else { 144 } * 4 + 4;
        assert_eq!(network.params() as u32, convs + last);
    }
    let network = build(layers, 2).unwrap();
    assert_eq!(network.layers[2].name, "model.layer[0].layer[0], round 2");
    assert_eq!(network.layers[2].sources, [Source::Layer(1)]);
    assert_eq!(network.layers[3].sources, [Source::Layer(2), Source::Layer(2)]);
    // The first layer alone has no input gradient.
    let flops: Vec<f64> = network.layers.iter().map(|layer| layer.flops).collect();
    assert_eq!(flops[0], f64::from(9 * 2 * 3 * 48 * 2 * 2));
    assert_eq!(flops[2], f64::from(9 * 3 * 3 * 48 * 2 * 3));
}

#[test]
fn impossible_networks_are_refused_with_layer_and_sizes() {
    let deep = "{ kind = 'repeat', times = '$depth', layer = [ { kind = 'repeat', \
                times = 1024, layer = [ { kind = 'dropout', rate = 0.1 } ] } ] }";
    let conv = |settings: &str| format!("{{ kind = 'conv', {settings} }}");
    for (layers, parts) in [
        (
            conv("filters = 1, kernel = 7, padding = 'valid'"),
            ["model.layer[0].kernel = 7", "leaves nothing of 8 x 6"],
        ),
        (
            "{ kind = 'maxpool', size = 9, stride = 1 }".to_string(),
            ["model.layer[0].size = 9", "pooling 9 x 9 leaves nothing of 8 x 6"],
        ),
        (
            format!(
                "{}, {{ kind = 'add', from = ['input', 'a'] }}",
                conv("filters = 3, kernel = 1, stride = 2, name = 'a'")
            ),
            ["model.layer[1].from = 2 x 8 x 6, 3 x 4 x 3", "add sums equal shapes"],
        ),
        (
            "{ kind = 'maxpool', size = 2, name = 'a' }, \
             { kind = 'concat', from = ['a', 'input'] }"
                .to_string(),
            ["model.layer[1].from = 2 x 4 x 3, 2 x 8 x 6", "equal height and width"],
        ),
        (
            format!(
                "{}, {{ kind = 'dense', units = 2, from = 'input' }}",
                conv("filters = 3, kernel = 1")
            ),
            ["model.layer[0] = 3 x 8 x 6", "no later layer reads its output"],
        ),
        (deep.to_string(), ["model.layer[0].layer[0].layer[0]", "at most 4096 layers"]),
        (
            conv("filters = 1, kernel = 20000"),
            ["model.layer[0].kernel = 20000", "8 x 6 windows of 20000 x 20000 x 2"],
        ),
    ] {
        let message = build(&layers, 1_000).unwrap_err();
        for part in parts {
            assert!(message.contains(part), "{layers}: {message}");
        }
    }
}

#[test]
fn strides_and_padding_by_hand() {
    let outputs = |layer: &str| {
        let network = build(layer, 0).unwrap();
        let Shape { channels, height, width } = network.layers[0].output;
        [channels, height, width]
    };
    assert_eq!(outputs("{ kind = 'conv', filters = 3, kernel = 3, stride = 3 }"), [3, 3, 2]);
    assert_eq!(
        outputs("{ kind = 'conv', filters = 3, kernel = 3, stride = 2, padding = 'valid' }"),
        [3, 3, 2]
    );
    assert_eq!(outputs("{ kind = 'maxpool', size = 3, stride = 2 }"), [2, 3, 2]);
    assert_eq!(outputs("{ kind = 'maxpool', size = 3 }"), [2, 2, 2]);
    assert_eq!(outputs("{ kind = 'avgpool', size = 3, stride = 2, padding = 'same' }"), [2, 4, 3]);
    assert_eq!(outputs("{ kind = 'avgpool', size = 'global' }"), [2, 1, 1]);
}

#[test]
fn a_layer_that_only_a_normalisation_reads_has_no_bias() {
    let conv = "{ kind = 'conv', filters = 3, kernel = 1, activation = 'relu' }";
    let network = build(&format!("{conv}, {{ kind = 'batchnorm' }}"), 0).unwrap();
    assert_eq!((network.layers[0].biases, network.layers[1].biases), (0, 6));
    let own = "{ kind = 'batchnorm', activation = 'tanh' }";
    let network = build(&format!("{conv}, {own}"), 0).unwrap();
    assert_eq!(network.layers[0].biases, 3, "its activation comes first");
    let network = build(&format!("{}, {own}", conv.replace("relu", "linear")), 0).unwrap();
    assert_eq!(network.layers[0].biases, 0);
}
