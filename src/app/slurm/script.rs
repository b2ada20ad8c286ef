//! The two scripts of an array.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::Path;

use base::error::{Result, fault};

use super::{Places, Settings, Work};

/// What the scripts are made of.
pub(super) struct Script<'a> {
    pub settings: &'a Settings,
    pub program: &'a Path,
    /// Where relative paths of the command begin.
    pub here: &'a Path,
    pub places: &'a Places<'a>,
}

impl Script<'_> {
    /// The job of all tasks.
    pub(super) fn array(&self, work: &str, command: &[std::ffi::OsString]) -> Result<String> {
        let Settings { tasks, cpus, sbatch, .. } = self.settings;
        let logs = directive(&self.places.logs().join("%a.txt"))?;
        let mut text = format!(
            "#!/bin/sh\n\
             #SBATCH --job-name=curvebook-{work}\n\
             #SBATCH --array=0-{}\n\
             #SBATCH --cpus-per-task={cpus}\n\
             #SBATCH --output={logs}\n\
             #SBATCH --open-mode=append\n\
             #SBATCH --requeue\n",
            tasks - 1
        );
        for option in sbatch {
            let _ = writeln!(text, "#SBATCH {option}");
        }
        let _ = write!(
            text,
            "# The number of the task comes from Slurm, from an indexed job of Kubernetes, or\n\
             # as an argument: seq 0 {} | parallel sh array.sh\n\
             set -eu\n\
             task=${{1:-${{SLURM_ARRAY_TASK_ID:-${{JOB_COMPLETION_INDEX:?the number of the task is \
             missing}}}}}}\n\
             cpus=${{SLURM_CPUS_PER_TASK:-{cpus}}}\n\
             cd {}\n",
            tasks - 1,
            quoted(self.here.as_os_str())?
        );
        let parts = quoted(self.places.parts().as_os_str())?;
        let program = self.call()?;
        match &self.settings.work {
            Work::Train(given) => {
                let command: Vec<String> =
                    command.iter().map(|part| quoted(part)).collect::<Result<_>>()?;
                let threads = if given.has("threads") { "" } else { " --threads \"$cpus\"" };
                let _ = writeln!(
                    text,
                    "exec {program} train {} --shard \"$task/{tasks}\" --out {parts}/\"$task\" \
                     --resume{threads}",
                    command.join(" ")
                );
            }
            Work::Study(_) => {
                let studies = quoted(self.places.studies().as_os_str())?;
                let _ = writeln!(
                    text,
                    "exec {program} study {studies}/\"$task.toml\" --out {parts}/\"$task\" \
                     --threads \"$cpus\""
                );
            }
        }
        Ok(text)
    }

    /// The job that makes one result of theirs.
    pub(super) fn end(&self, work: &str) -> Result<String> {
        let log = directive(&self.places.logs().join("end.txt"))?;
        let mut text = format!(
            "#!/bin/sh\n\
             #SBATCH --job-name=curvebook-{work}-end\n\
             #SBATCH --output={log}\n\
             #SBATCH --open-mode=append\n"
        );
        // Arrays and their resources are the tasks' own; where jobs may run holds for both.
        let is_shared = |option: &&String| {
            ["--partition", "-p", "--account", "-A", "--qos", "-q", "--clusters", "-M"]
                .iter()
                .any(|name| option.starts_with(name))
        };
        for option in self.settings.sbatch.iter().filter(is_shared) {
            let _ = writeln!(text, "#SBATCH {option}");
        }
        text.push_str("set -eu\n");
        let dir = quoted(self.places.0.as_os_str())?;
        let program = self.call()?;
        let _ = writeln!(text, "cd {dir}");
        let all = |file: &str| {
            let parts = (0..self.settings.tasks).map(|task| format!("parts/{task}{file}"));
            parts.collect::<Vec<_>>().join(" \\\n  ")
        };
        if work == "train" {
            let _ = writeln!(
                text,
                "if [ -e table/table.json ]; then exit 0; fi\n\
                 exec {program} table merge --out table \\\n  {}",
                all("")
            );
        } else {
            let runs = all("/runs.parquet");
            let _ = writeln!(
                text,
                "{program} analyze \\\n  {runs} > answer.txt\n\
                 exec {program} report --pooled --out report.html \\\n  {runs}"
            );
        }
        Ok(text)
    }

    /// This program, or the one that the environment names.
    fn call(&self) -> Result<String> {
        Ok(format!("\"${{CURVEBOOK:-{}}}\"", double_quoted(self.program.as_os_str())?))
    }
}

fn text_of(text: &OsStr) -> Result<&str> {
    text.to_str().filter(|text| !text.contains(['\n', '\r', '\0'])).ok_or_else(|| {
        let rule = "must be text of one line, to stand in a script";
        fault("slurm", "path", text.to_string_lossy(), rule, "name another place")
    })
}

/// As one word of a shell.
fn quoted(text: &OsStr) -> Result<String> {
    let text = text_of(text)?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,@%".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return Ok(text.to_string());
    }
    Ok(format!("'{}'", text.replace('\'', "'\\''")))
}

/// As a part of what stands in double quotes, within braces.
fn double_quoted(text: &OsStr) -> Result<String> {
    let mut escaped = String::new();
    for c in text_of(text)?.chars() {
        if "\"$`\\}".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    Ok(escaped)
}

/// As the value of a directive, where Slurm knows neither quotes nor blanks.
fn directive(path: &Path) -> Result<String> {
    let text = text_of(path.as_os_str())?;
    if text.contains(char::is_whitespace) {
        let rule = "Slurm's directives take no blanks";
        return Err(fault("slurm", "--out", text, rule, "name a directory without them"));
    }
    Ok(text.replace('\\', "\\\\"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_out_of_a_shell_as_they_went_in() {
        let words =
            ["plain-1.5=x", "", "two words", "it's", "$HOME `id` \"q\" \\ }", "a'b'c", "ä€"];
        for word in words {
            let quoted = quoted(OsStr::new(word)).unwrap();
            let inner = double_quoted(OsStr::new(word)).unwrap();
            let script =
                format!("printf '%s\\n' {quoted}; printf '%s\\n' \"${{NOBODY:-{inner}}}\"");
            let ran = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            let expected = format!("{word}\n{word}\n");
            assert_eq!(String::from_utf8(ran.stdout).unwrap(), expected, "{script}");
        }
        assert!(quoted(OsStr::new("two\nlines")).is_err());
    }

    #[test]
    fn directives_take_no_blanks() {
        assert_eq!(directive(Path::new("/data/a")).unwrap(), "/data/a");
        let refused = directive(Path::new("/my data/a")).unwrap_err().to_string();
        assert!(refused.contains("take no blanks"), "{refused}");
    }
}
