//! What must not compile fails for the reason that stands beside it. rustdoc itself compares the
//! numbers of errors on nightly compilers alone, and on others takes a missing import for success.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// The code of a doctest that must not compile, with the number of the error that it must give.
struct Attempt {
    code: String,
    error: String,
}

/// The attempts in the comments of a file.
fn attempts(source: &str) -> Vec<Attempt> {
    let mut found = Vec::new();
    for block in source.split("/// ```compile_fail,").skip(1) {
        let (error, rest) = block.split_once('\n').expect("code follows");
        let (code, _) = rest.split_once("/// ```").expect("the block ends");
        let line = |line: &str| {
            let line = line.trim_start().trim_start_matches("///").trim_start_matches(' ');
            // A hidden line.
            line.trim_start_matches("# ").to_string()
        };
        let code = code.lines().map(line).collect::<Vec<_>>().join("\n");
        found.push(Attempt { code, error: error.to_string() });
    }
    found
}

/// When a file was written last.
fn written(path: &Path) -> SystemTime {
    fs::metadata(path).unwrap().modified().unwrap()
}

/// The sources of what methods see.
fn interface() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/methods/interface")
}

/// Every build of the methods' room beside this test that is younger than the interface's sources,
/// the newest first: an older one would hide that something has come within reach since.
fn builds() -> Vec<PathBuf> {
    let sources = fs::read_dir(interface()).unwrap().map(|entry| written(&entry.unwrap().path()));
    let edited = sources.max().expect("the interface has sources");
    let directory = std::env::current_exe().unwrap().parent().unwrap().to_path_buf();
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let is_build = |path: &PathBuf| {
        let file = path.file_name().unwrap().to_string_lossy();
        let is_named = file.starts_with("libcurvebook_methods-") && file.ends_with(".rlib");
        is_named && written(path) >= edited
    };
    let mut builds: Vec<PathBuf> = entries.filter(is_build).collect();
    builds.sort_by_key(|path| written(path));
    builds.reverse();
    builds
}

/// The numbers of the errors that compiling gives.
fn errors(code: &str, methods: &Path) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("attempt.rs");
    fs::write(&file, code).unwrap();
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_string());
    let mut command = Command::new(rustc);
    command.args(["--edition=2024", "--crate-type=lib", "--emit=metadata", "--cap-lints=allow"]);
    command.arg("--extern").arg(format!("curvebook_methods={}", methods.display()));
    command.arg("-L").arg(format!("dependency={}", methods.parent().unwrap().display()));
    command.arg("--out-dir").arg(dir.path()).arg(&file);
    let output = command.output().expect("the compiler starts");
    let said = String::from_utf8(output.stderr).unwrap();
    let numbers = said.split("error[").skip(1).map(|rest| rest[..5].to_string());
    let numbers: Vec<String> = numbers.collect();
    assert_eq!(output.status.success(), numbers.is_empty(), "{said}");
    numbers
}

#[test]
fn what_must_not_compile_fails_for_its_reason() {
    let builds = builds();
    assert!(!builds.is_empty(), "this test stands beside the crate that it is linked to");
    let mut tried = 0;
    for file in ["view.rs", "parameters.rs"] {
        let source = fs::read_to_string(interface().join(file)).unwrap();
        for Attempt { code, error } in attempts(&source) {
            // Another checkout may build here too; the newest is nearly always the one.
            let fails = |build: &PathBuf| errors(&code, build) == [error.as_str()];
            assert!(builds.iter().any(fails), "{file}: not {error} alone:\n{code}");
            tried += 1;
        }
    }
    assert!(tried >= 9, "{tried}");
    let fine = "extern crate curvebook_methods as methods;\n\
                pub fn f(view: &methods::interface::View<'_>) -> usize { view.trials().len() }";
    assert!(builds.iter().any(|build| errors(fine, build).is_empty()));
}
