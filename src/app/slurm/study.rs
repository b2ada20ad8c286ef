//! A study cut into ranges of seeds.

use base::error::{Result, fault, internal};

use crate::study::StudyDefinition;

/// The study of every task: the same methods, tables and goals, a share of the repeats, and a seed
/// of its own, counted on from the study's.
///
/// # Errors
/// More tasks than repeats; seeds past the last there is.
pub(super) fn of_tasks(study: &StudyDefinition, tasks: u32) -> Result<Vec<String>> {
    let grid = &study.experiments.grid;
    let (repeats, seed) = (grid.repeats, grid.settings.seed);
    if tasks > repeats {
        let rule = format!("the study has {repeats} repeats, and a task replays at least one");
        return Err(fault("slurm", "--tasks", tasks, rule, "give fewer tasks, or more repeats"));
    }
    if seed.checked_add(u64::from(tasks)).is_none_or(|seed| seed > i64::MAX.unsigned_abs()) {
        let rule = "every task has a seed of its own, counted on from the study's";
        return Err(fault("slurm", "seed", seed, rule, "give the study a smaller seed"));
    }
    let mut table: toml::Table =
        study.text.parse().map_err(|e| internal("reading a study that was read", e))?;
    // Each task has a directory of its own, and tables stand where they are.
    let absolute = |dir: &std::path::PathBuf| -> Result<toml::Value> {
        let dir = std::path::absolute(dir).map_err(|e| base::error::io(dir, "finding", e))?;
        Ok(toml::Value::String(dir.to_string_lossy().into_owned()))
    };
    let tables = study.experiments.tables.iter().map(absolute).collect::<Result<Vec<_>>>()?;
    table.insert("tables".to_string(), toml::Value::Array(tables));
    // Other settings are compared once, where all runs are together.
    table.remove("robustness");
    let task = |task: u32| {
        let repeats = repeats / tasks + u32::from(task < repeats % tasks);
        let seed = i64::try_from(seed + u64::from(task)).expect("checked above");
        let mut table = table.clone();
        table.insert("repeats".to_string(), toml::Value::Integer(i64::from(repeats)));
        table.insert("seed".to_string(), toml::Value::Integer(seed));
        toml::to_string(&table).map_err(|e| internal("writing a study", e))
    };
    (0..tasks).map(task).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn tasks_share_the_repeats_and_count_their_seeds() {
        let text = "name = \"s\"\ntables = [\"T\"]\ngoals = [\"rank:1\"]\nrepeats = 8\nseed = 5\n\
                    robustness = true\n";
        let study = StudyDefinition::parse("s.toml", text, Path::new("/data")).unwrap();
        let tasks = of_tasks(&study, 3).unwrap();
        let of = |text: &String| {
            let study = StudyDefinition::parse("t.toml", text, Path::new("/elsewhere")).unwrap();
            assert_eq!(study.experiments.tables, [Path::new("/data/T")]);
            assert!(!study.robustness);
            let grid = study.experiments.grid;
            (grid.repeats, grid.settings.seed)
        };
        assert_eq!(tasks.iter().map(of).collect::<Vec<_>>(), [(3, 5), (3, 6), (2, 7)]);
        assert!(of_tasks(&study, 9).unwrap_err().to_string().contains("8 repeats"));
    }
}
