//! Trainings on the CPU give to the last bit what they gave when `tests/golden/training_bits.json`
//! was made, under every instruction set.
//!
//! These bits are in every table. Where a change of them is meant, say why in the change, train the
//! shipped table afresh, and make the file anew:
//!
//! ```sh
//! CURVEBOOK_WRITE_GOLDEN=1 cargo test --release --test it training_bits
//! ```

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use curvebook::base::space::sobol;
use curvebook::train::TrainSettings;
use curvebook::train::model::{Definition, Network, Operation, Recipe, UpdateRule};

use crate::trainer_common::trained_on_digits;

/// Spaces with the Sobol points that are trained.
const TRAININGS: [(&str, &[u32]); 5] = [
    ("digits-lenet", &[0, 1, 2, 3, 5, 8]),
    ("tests/spaces/mixed.toml", &[0, 1, 2, 3, 4, 5, 6, 7]),
    ("tests/spaces/resnet.toml", &[0, 1, 2]),
    ("tests/spaces/vgg.toml", &[0, 1]),
    ("tests/spaces/inception.toml", &[0, 1]),
];
const EPOCHS: u16 = 2;

/// Rows of images so long that a dense layer sums each in parts, then vectors likewise.
const LONG_ROWS: &str = "
name = 'long-rows'
dataset = 'digits'
parameter = [{ name = 'filters', type = 'int', low = 65, high = 130 }]
[model]
input = [1, 8, 8]
classes = 10
layer = [
    { kind = 'conv', filters = '$filters', kernel = 2, activation = 'leaky_relu' },
    { kind = 'dense', units = 515, activation = 'tanh' },
    { kind = 'dense', units = 7, activation = 'elu' },
]
[training]
learning_rate = 0.001
epochs = 1
train_size = 200
val_size = 100
test_size = 50
";

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn definition(space: &str) -> Definition {
    match space {
        "long-rows" => Definition::parse("long-rows.toml", LONG_ROWS).unwrap(),
        _ if space.contains('/') => Definition::find(file(space).to_str().unwrap()).unwrap(),
        preset => Definition::preset(preset).unwrap(),
    }
}

/// A line of the golden file for each epoch of a configuration.
fn lines(space: &str, config: u32) -> Vec<String> {
    let definition = definition(space);
    let training = &definition.training;
    let settings = TrainSettings {
        configs: config..config + 1,
        epochs: EPOCHS,
        train_size: training.train_size,
        val_size: training.val_size,
        test_size: training.test_size,
        seed: 0,
        sobol_seed: 0,
        threads: 1,
        repeats: 1,
        folds: None,
        definition,
    };
    let trained = trained_on_digits(&settings);
    let line = |epoch: &curvebook::train::record::EpochRecord| {
        let numbers = [epoch.train_loss, epoch.val_loss, epoch.val_accuracy];
        assert!(numbers.iter().all(|x| x.is_finite()), "{space} {config} diverges");
        // As `{:?}` writes them, every bit of a number is in its digits.
        let [train_loss, val_loss, val_accuracy] = numbers;
        format!(
            "{{ \"space\": \"{space}\", \"config\": {config}, \"epoch\": {}, \"train_loss\": \
             {train_loss:?}, \"val_loss\": {val_loss:?}, \"val_accuracy\": {val_accuracy:?} }}",
            epoch.epoch
        )
    };
    trained[0].epochs.iter().map(line).collect()
}

fn all() -> impl Iterator<Item = (&'static str, u32)> {
    let listed = TRAININGS.into_iter();
    let listed =
        listed.flat_map(|(space, configs)| configs.iter().map(move |&config| (space, config)));
    listed.chain([("long-rows", 0), ("long-rows", 3)])
}

#[test]
fn trainings_give_the_bits_that_they_gave() {
    let found: Vec<String> = all().flat_map(|(space, config)| lines(space, config)).collect();
    let golden = file("tests/golden/training_bits.json");
    if std::env::var_os("CURVEBOOK_WRITE_GOLDEN").is_some() {
        let mut text = String::from("[\n");
        for (at, line) in found.iter().enumerate() {
            let comma = if at + 1 < found.len() { "," } else { "" };
            writeln!(text, "{line}{comma}").unwrap();
        }
        std::fs::write(&golden, text + "]\n").unwrap();
        return;
    }
    let text = std::fs::read_to_string(golden).unwrap();
    let expected: Vec<&str> =
        text.lines().filter(|line| line.len() > 1).map(|line| line.trim_end_matches(',')).collect();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found, expected);
    }
}

/// Every operation and optimizer is among them, and every way in which a dense layer's sum is cut.
#[test]
fn the_trainings_leave_nothing_out() {
    let mut seen = BTreeSet::new();
    for (space, config) in all() {
        let definition = definition(space);
        let values = sobol::configuration(&definition.space, config, 0);
        for layer in Network::build(&definition, &values).unwrap().layers {
            let (input, row_len) = (layer.input, layer.input.width * layer.input.channels);
            seen.insert(match layer.operation {
                Operation::Conv { .. } => "convolution",
                Operation::Dense { .. } if input.len() <= 512 => "dense",
                Operation::Dense { .. } if input.height == 1 => "dense, a long vector",
                Operation::Dense { .. } if row_len < 512 => "dense, many rows",
                Operation::Dense { .. } => "dense, long rows",
                Operation::MaxPool { .. } => "max-pooling",
                Operation::AvgPool { .. } => "average pooling",
                Operation::Dropout { .. } => "dropout",
                Operation::BatchNorm { .. } => "batch normalisation",
                Operation::Add { .. } => "add",
                Operation::Concat => "concat",
            });
        }
        seen.insert(match Recipe::resolve(&definition, &values).unwrap().optimizer {
            UpdateRule::Adam { .. } => "Adam",
            UpdateRule::Sgd { .. } => "SGD",
            UpdateRule::RmsProp { .. } => "RMSprop",
            UpdateRule::AdaGrad { .. } => "Adagrad",
        });
    }
    assert_eq!(seen.len(), 15, "{seen:?}");
}
