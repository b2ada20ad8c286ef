//! The `[training]` settings: defaults, parameters, faults, and what they do to whole trainings.

use curvebook::base::error::{Error, Fault};
use curvebook::base::space::Value;
use curvebook::train::TrainSettings;
use curvebook::train::model::{Definition, RateSchedule, Recipe, Scope, UpdateRule};
use curvebook::train::record::{EpochRecord, Status, TrainedConfig};

use crate::trainer_common::trained_on_digits;

/// A space that searches everything about the training.
const SEARCHED: &str = r#"
name = "searched"
dataset = "digits"
[[parameter]]
name = "optimizer"
type = "categorical"
choices = ["adam", "sgd", "rmsprop", "adagrad"]
[[parameter]]
name = "schedule"
type = "categorical"
choices = ["constant", "step", "exponential", "cosine"]
[[parameter]]
name = "momentum"
type = "float"
low = 0.5
high = 0.99
condition = { name = "optimizer", in = ["sgd"] }
[[parameter]]
name = "nesterov"
type = "categorical"
choices = ["false", "true"]
condition = { name = "optimizer", in = ["sgd"] }
[[parameter]]
name = "epsilon"
type = "float"
low = 1e-7
high = 1e-3
log = true
condition = { name = "optimizer", in = ["adam"] }
[[parameter]]
name = "drop"
type = "int"
low = 1
high = 9
condition = { name = "schedule", in = ["step"] }
[[parameter]]
name = "gamma"
type = "float"
low = 0.8
high = 0.99
condition = { name = "schedule", in = ["exponential"] }
[model]
input = [1, 8, 8]
classes = 10
[training]
optimizer = "$optimizer"
schedule = "$schedule"
learning_rate = 0.01
momentum = "$momentum"
nesterov = "$nesterov"
epsilon = "$epsilon"
step_epochs = "$drop"
exponential_gamma = "$gamma"
batch_size = 32
epochs = 12
train_size = 500
val_size = 200
test_size = 100
"#;

#[test]
fn defaults_are_pytorchs_and_conditional_parameters_fall_back_to_them() {
    let definition = Definition::parse("s.toml", SEARCHED).unwrap();
    let off = Value::Inactive;
    let recipe = |optimizer, schedule, rest: [Value; 5]| {
        let chosen = [Value::Choice(optimizer), Value::Choice(schedule)];
        let values: Vec<Value> = chosen.into_iter().chain(rest).collect();
        Recipe::resolve(&definition, &values)
    };
    let resolved = |optimizer, schedule, rest| {
        let recipe = recipe(optimizer, schedule, rest).unwrap();
        (recipe.optimizer, recipe.schedule)
    };
    let (float, choice, int) = (Value::Float, Value::Choice, Value::Int);
    assert_eq!(
        resolved(0, 0, [off, off, float(1e-5), off, off]),
        (UpdateRule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-5 }, RateSchedule::Constant)
    );
    assert_eq!(
        resolved(1, 1, [float(0.75), choice(1), off, int(4), off]),
        (
            UpdateRule::Sgd { momentum: 0.75, nesterov: true },
            RateSchedule::Step { epochs: 4, gamma: 0.1 }
        )
    );
    assert_eq!(
        resolved(2, 2, [off, off, off, off, float(0.9)]),
        (
            UpdateRule::RmsProp { rho: 0.99, epsilon: 1e-8, momentum: 0.0 },
            RateSchedule::Exponential { gamma: 0.9 }
        )
    );
    assert_eq!(
        resolved(3, 3, [off; 5]),
        (
            UpdateRule::AdaGrad {
                epsilon: 1e-10,
                learning_rate_decay: 0.0,
                initial_accumulator: 0.0
            },
            RateSchedule::Cosine { epochs: 12, min: 0.0 }
        )
    );
    // What the condition of a needed parameter forgets is named.
    let error = recipe(0, 2, [off; 5]).unwrap_err().to_string();
    assert!(error.contains("training.exponential_gamma = $gamma: is inactive"), "{error}");
}

/// The fault of a space of literals with these lines in `[training]`.
fn refused(lines: &str, parameter: &str) -> Fault {
    let text = format!(
        "name = \"s\"\ndataset = \"digits\"\n\
         [[parameter]]\nname = \"p\"\n{parameter}\n[model]\ninput = [1, 8, 8]\nclasses = 10\n\
         [training]\nlearning_rate = 0.01\n{lines}\nepochs = 5\ntrain_size = 1\nval_size = 1\n\
         test_size = 1\n"
    );
    match Definition::parse("s.toml", &text) {
        Err(Error::Input(fault)) => *fault,
        other => panic!("{lines}: {other:?}"),
    }
}

#[test]
fn each_fault_of_the_training_settings_is_named() {
    let unit = "type = \"float\"\nlow = 0.0\nhigh = 1.0";
    let words = "type = \"categorical\"\nchoices = [\"adam\", \"sgd\"]";
    let step = "type = \"categorical\"\nchoices = [\"constant\", \"step\"]";
    let sgd = "optimizer = \"sgd\"\n";
    for (lines, parameter, [field, value, rule, remedy]) in [
        ("optimizer = \"sdg\"", unit, ["optimizer", "sdg", "no such word", "`sgd`"]),
        ("schedule = \"cosin\"", unit, ["schedule", "cosin", "no such word", "`cosine`"]),
        ("momentum = 0.9", unit, ["momentum", "0.9", "with optimizer adam", "sgd or rmsprop"]),
        ("optimizer = \"$p\"\nrho = 0.9", words, ["rho", "0.9", "adam, sgd", "rmsprop"]),
        ("optimizer = \"sgd\"\nepsilon = 1e-3", unit, ["epsilon", "0.001", "sgd", "adagrad"]),
        ("step_gamma = 0.5", unit, ["step_gamma", "0.5", "schedule constant", "step"]),
        ("schedule = \"step\"", unit, ["step_epochs", "missing", "must stand", "add"]),
        ("schedule = \"$p\"", step, ["step_epochs", "missing", "must stand", "add"]),
        ("schedule = \"step\"\nstep_epochs = 0", unit, ["step_epochs", "0", "1 to 65535", ""]),
        ("schedule = \"exponential\"", unit, ["exponential_gamma", "missing", "factor", "add"]),
        (
            "schedule = \"exponential\"\nexponential_gamma = -0.5",
            unit,
            ["exponential_gamma", "-0.5", "0 to 1000", "range"],
        ),
        ("schedule = \"cosine\"\ncosine_min = 0.02", unit, ["cosine_min", "0.02", "0.01", ""]),
        ("schedule = \"cosine\"\ncosine_epochs = 2.5", unit, ["cosine_epochs", "2.5", "", ""]),
        (&format!("{sgd}nesterov = true"), unit, ["nesterov", "true", "momentum", "add"]),
        (&format!("{sgd}nesterov = 1"), unit, ["nesterov", "1", "true or false", ""]),
        (&format!("{sgd}nesterov = \"$p\""), words, ["nesterov", "$p", "false, true", ""]),
        (&format!("{sgd}momentum = 1"), unit, ["momentum", "1", "must be 0 to", "choose"]),
        (&format!("{sgd}momentum = \"$p\""), unit, ["momentum", "$p", "a number 0 to", "range"]),
        ("optimizer = \"adagrad\"\nepsilon = 2", unit, ["epsilon", "2", "must be 0 to 1", ""]),
        ("l2_scope = \"al\"", unit, ["l2_scope", "al", "no such scope", "`all`"]),
    ] {
        let fault = refused(lines, parameter);
        assert_eq!((fault.file.as_str(), fault.field), ("s.toml", format!("training.{field}")));
        assert!(fault.value.contains(value), "{lines}: {}", fault.value);
        assert!(fault.rule.contains(rule), "{lines}: {}", fault.rule);
        assert!(fault.remedy.contains(remedy), "{lines}: {}", fault.remedy);
    }
}

/// The curves of the first configurations of `SEARCHED`, or of its network with these lines in
/// `[training]`, on the built-in digits.
fn trained(lines: Option<&str>, configs: u32, epochs: u16, threads: usize) -> Vec<TrainedConfig> {
    let text = lines.map_or(SEARCHED.to_string(), |lines| {
        let after = SEARCHED.split_once("epochs = 12").unwrap().1;
        format!(
            "name = \"s\"\ndataset = \"digits\"\n[[parameter]]\nname = \"batch\"\n\
             type = \"int\"\nvalues = [128]\n[model]\ninput = [1, 8, 8]\nclasses = 10\n\
             [training]\n{lines}\nbatch_size = \"$batch\"\nepochs = 12{after}"
        )
    });
    let definition = Definition::parse("s.toml", &text).unwrap();
    let settings = TrainSettings {
        configs: 0..configs,
        epochs,
        train_size: definition.training.train_size,
        val_size: definition.training.val_size,
        test_size: 0,
        seed: 1,
        sobol_seed: 0,
        threads,
        repeats: 1,
        folds: None,
        definition,
    };
    trained_on_digits(&settings)
}

#[test]
fn whole_trainings_learn_with_each_optimizer_and_do_not_depend_on_threads() {
    let one = trained(None, 16, 12, 1);
    let optimizer = |trained: &TrainedConfig| trained.config.values[0];
    // A tenth would be chance; AdaGrad, whose steps shrink, has come least far by then.
    for choice in 0..4 {
        let of_choice = one.iter().filter(|trained| optimizer(trained) == Value::Choice(choice));
        let best = of_choice.map(|trained| trained.epochs[11].val_accuracy).fold(0.0, f64::max);
        assert!(best > 0.6, "choice {choice} reaches {best}");
    }
    let bits = |all: &[TrainedConfig]| -> Vec<(u64, u64)> {
        let of = |e: &EpochRecord| (e.val_loss.to_bits(), e.train_loss.to_bits());
        all.iter().flat_map(|trained| trained.epochs.iter().map(of)).collect()
    };
    assert_eq!(bits(&one), bits(&trained(None, 16, 12, 2)));
}

#[test]
fn schedules_act_from_epoch_to_epoch() {
    let losses = |lines: &str| -> Vec<f64> {
        let lines = format!("optimizer = \"sgd\"\nlearning_rate = 0.01\n{lines}");
        trained(Some(&lines), 1, 5, 1)[0].epochs.iter().map(|e| e.val_loss).collect()
    };
    let constant = losses("");
    // A rate of 0 from the third epoch on: what was learnt stays, to the bit.
    let frozen = losses("schedule = \"step\"\nstep_epochs = 2\nstep_gamma = 0.0");
    assert_eq!(frozen[..2], constant[..2]);
    assert_eq!(frozen[2..], [frozen[1]; 3]);
    assert!(constant[2] < constant[1]);
    // A factor of 1 is the constant schedule.
    assert_eq!(losses("schedule = \"exponential\"\nexponential_gamma = 1.0"), constant);
    // The cosine's length is the space's number of epochs, so fewer trained are a prefix.
    let cosine = losses("schedule = \"cosine\"");
    assert_eq!(cosine, losses("schedule = \"cosine\"\ncosine_epochs = 12"));
    assert!(cosine[0] == constant[0] && cosine[1] != constant[1]);
}

#[test]
fn each_optimizer_marks_divergence() {
    // The learning rate leaves f32 in the twelfth epoch at the latest.
    let rising = "schedule = \"exponential\"\nexponential_gamma = 1e3\nlearning_rate = 1e6";
    for optimizer in ["adam", "sgd", "rmsprop", "adagrad"] {
        let lines = format!("optimizer = \"{optimizer}\"\n{rising}");
        let trained = &trained(Some(&lines), 1, 12, 1)[0];
        assert_eq!(trained.config.status, Status::Diverged, "{optimizer}");
        assert!(trained.epochs[11].val_loss.is_nan() && trained.epochs[11].seconds > 0.0);
    }
}

#[test]
fn presets_use_adam_without_a_schedule() {
    for name in curvebook::train::model::presets::names() {
        let definition = Definition::preset(name).unwrap();
        let values = curvebook::base::space::sobol::configuration(&definition.space, 0, 0);
        let recipe = Recipe::resolve(&definition, &values).unwrap();
        let adam = UpdateRule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
        let as_contracted = (adam, RateSchedule::Constant, Scope::Dense);
        assert_eq!((recipe.optimizer, recipe.schedule, recipe.l2_scope), as_contracted, "{name}");
    }
}
