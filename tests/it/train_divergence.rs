//! What `train` and `merge` write, `table check` accepts: random spaces whose learning rates make
//! trainings diverge, some in their first epoch.

use std::fs;

use arrow::array::AsArray;
use curvebook::base::rng::Stream;
use rand::RngExt;
use tempfile::TempDir;

use crate::command_line::done;
use crate::command_line_chain::columns;

/// A space of one or two layers; every learning rate is beyond reason at its upper end.
fn random_space(stream: &mut Stream) -> String {
    let mut one_of = |words: &[&str]| words[stream.random_range(0..words.len())].to_string();
    let conv = "[[model.layer]]\nkind = \"conv\"\nfilters = \"$width\"\nkernel = 3\nstride = 1\n\
                padding = \"same\"\nactivation = \"relu\"\n";
    let dense = format!(
        "[[model.layer]]\nkind = \"dense\"\nunits = \"$width\"\nactivation = \"{}\"\n",
        one_of(&["relu", "elu", "tanh"])
    );
    let batchnorm = "[[model.layer]]\nkind = \"batchnorm\"\n".to_string();
    let layers = match one_of(&["conv", "dense", "both", "batchnorm"]).as_str() {
        "conv" => conv.to_string(),
        "dense" => dense,
        "both" => format!("{conv}{dense}"),
        _ => format!("{conv}{batchnorm}"),
    };
    let optimizer = one_of(&["adam", "sgd", "rmsprop", "adagrad"]);
    format!(
        "name = \"random\"\nsummary = \"diverges\"\ndataset = \"digits\"\n\
         [[parameter]]\nname = \"rate\"\ntype = \"float\"\nlow = 1e-3\nhigh = 1e6\nlog = true\n\
         [[parameter]]\nname = \"width\"\ntype = \"int\"\nlow = 1\nhigh = 3\n\
         [model]\ninput = [1, 8, 8]\nclasses = 10\n{layers}\
         [training]\noptimizer = \"{optimizer}\"\nlearning_rate = \"$rate\"\nbatch_size = 8\n\
         l2 = 1.0\nl2_scope = \"all\"\nepochs = 3\ntrain_size = 64\nval_size = 30\ntest_size = 30\n"
    )
}

#[test]
fn a_check_accepts_what_training_and_merging_wrote() {
    let (mut diverged, mut at_once) = (0, 0);
    for seed in 0..12 {
        let mut stream = Stream::new(seed, 0, "divergence");
        let t = TempDir::new().unwrap();
        let space = random_space(&mut stream);
        fs::write(t.path().join("s.toml"), &space).unwrap();
        let train = format!("train --space s.toml --configs 8 --device cpu --sobol-seed {seed}");
        for shard in 0..2 {
            done(t.path(), &format!("{train} --shard {shard}/2 --out {shard}"));
            done(t.path(), &format!("table check {shard}"));
        }
        done(t.path(), "table merge 0 1 --out T");
        done(t.path(), "table check T");
        done(t.path(), "table info T");
        let configs = columns(&t.path().join("T/configs.parquet"), |c| c == "status");
        let statuses = configs.column(0).as_string::<i32>();
        diverged += statuses.iter().filter(|status| *status == Some("diverged")).count();
        let matrices = columns(&t.path().join("T/configs.parquet"), |c| c == "val_confusion");
        at_once += matrices.column(0).null_count();
    }
    assert!(diverged > 8 && at_once > 3, "{diverged} {at_once}");
}
