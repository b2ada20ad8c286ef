//! The data cards in tables/README.md: one a preset, with commands that the program understands.

use std::fs;
use std::path::Path;

use curvebook::train::model::{Definition, presets};
use tempfile::TempDir;

use crate::command_line::{done, run};

#[test]
fn every_preset_has_a_card_whose_commands_train_it() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tables/README.md");
    let cards = fs::read_to_string(file).unwrap();
    let t = TempDir::new().unwrap();
    for preset in presets::names() {
        let card = cards.split("\n## ").find(|card| card.lines().next() == Some(preset));
        let card = card.unwrap_or_else(|| panic!("tables/README.md has no card of {preset}"));
        let commands: Vec<&str> =
            card.lines().filter_map(|line| line.strip_prefix("curvebook ")).collect();
        let dataset = Definition::preset(preset).unwrap().dataset;
        let trainings = commands.iter().filter(|command| command.starts_with("train "));
        // On the CPU, so that a machine with a GPU, or one that must have it, tells the same.
        for command in trainings.clone() {
            assert!(command.contains(&format!("--space {preset} ")), "{command}");
            if dataset == "digits" {
                done(t.path(), &format!("{command} --plan --device cpu"));
                continue;
            }
            // Everything is understood; only the images are missing, as the card knows.
            let ran = run(t.path(), &format!("{command} --device cpu"));
            let get = format!("data get {dataset}");
            assert!(ran.stderr.contains(&format!("curvebook {get}")), "{command}: {}", ran.stderr);
            assert!(commands.contains(&&get[..]), "{preset}: {get}");
        }
        assert_eq!(trainings.count(), 2, "{preset}: the whole table, and a look");
    }
}
