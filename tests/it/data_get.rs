//! `data get` and `data list` as a user runs them.

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::command_line::{Ran, done, program, run};
use crate::data_download::{Answer, Server};

const FIRST: &str = "train-images-idx3-ubyte.gz";
const FIRST_BYTES: usize = 9_912_422;

/// Runs the program with a mirror in its environment.
fn run_with(t: &TempDir, variables: &[(&str, &str)], arguments: &str) -> Ran {
    let mut command = program(t.path());
    command.args(arguments.split_whitespace()).envs(variables.iter().copied());
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

#[test]
fn the_mirror_is_that_of_the_option_else_of_the_variable() {
    let t = TempDir::new().unwrap();
    let (option, variable) = (Server::start(Vec::new()), Server::start(Vec::new()));
    let missing = || vec![Answer::status("404 Not Found")];
    for arguments in ["data get mnist", "data get mnist --mirror"] {
        let (option, variable) = (Server::start(missing()), Server::start(missing()));
        let is_given = arguments.ends_with("--mirror");
        let flag = if is_given { option.url("base") } else { String::new() };
        let arguments = format!("{arguments} {flag}");
        let ran = run_with(&t, &[("CURVEBOOK_MIRROR", &variable.url("base/"))], &arguments);
        let (asked, unasked) = if is_given { (&option, &variable) } else { (&variable, &option) };
        assert_eq!(ran.code, Some(2), "{}", ran.stderr);
        assert!(asked.requests()[0].starts_with(&format!("get /base/mnist/{FIRST} http")));
        assert!(asked.requests().len() == 1 && unasked.requests().is_empty());
        let url = asked.url(&format!("base/mnist/{FIRST}"));
        for part in [url.as_str(), "404 Not Found", "--mirror", "by hand", "data/mnist"] {
            assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
        }
        assert!(ran.stdout.is_empty());
    }
    let listed = run_with(&t, &[("CURVEBOOK_MIRROR", &variable.url("base"))], "data list");
    assert!(listed.stdout.contains(&variable.url("base/cifar10/")), "{}", listed.stdout);
    assert!(option.requests().is_empty() && variable.requests().is_empty());
}

#[test]
fn a_proxy_of_the_environment_is_asked() {
    let t = TempDir::new().unwrap();
    let proxy = Server::start(vec![Answer::status("403 Forbidden")]);
    let arguments = "data get mnist --mirror http://mirror.invalid";
    let ran = run_with(&t, &[("HTTP_PROXY", &proxy.url(""))], arguments);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    let head = &proxy.requests()[0];
    assert!(head.lines().next().unwrap().contains("mirror.invalid"), "{head}");
    let url = proxy.url("");
    let around = [("HTTP_PROXY", url.as_str()), ("NO_PROXY", "127.0.0.1")];
    let ran = run_with(&t, &around, "data get mnist --mirror http://127.0.0.1:1");
    assert!(ran.code == Some(2) && proxy.requests().len() == 1, "{}", ran.stderr);
}

#[test]
fn what_is_built_in_needs_nothing_and_what_is_unknown_is_refused() {
    let t = TempDir::new().unwrap();
    assert!(done(t.path(), "data get digits").contains("built in, nothing to fetch"));
    let json = done(t.path(), "data get digits --format json");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json[0]["files"].as_array().unwrap().len(), 0);
    for (arguments, parts) in [
        ("minst", ["NAME = minst", "no known data set", "did you mean `mnist`?"]),
        ("imagenet", ["NAME = imagenet", "no known data set", "mnist"]),
        ("all --data-dir d", ["--data-dir = d", "same names", "CURVEBOOK_DATA"]),
        ("mnist --mirror ftp://x", ["--mirror: URL = ftp://x", "http://", "mnist/"]),
    ] {
        let ran = run(t.path(), &format!("data get {arguments}"));
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{}", ran.stderr);
        assert!(parts.iter().all(|part| ran.stderr.contains(part)), "{}", ran.stderr);
    }
    assert_eq!(fs::read_dir(t.path()).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn ctrl_c_and_kill_leave_what_has_arrived_and_the_next_run_goes_on() {
    let t = TempDir::new().unwrap();
    let part = t.path().join("data/mnist").join(format!("{FIRST}.part"));
    let mut left = 0;
    for (signal, code) in [("-INT", Some(2)), ("-KILL", None)] {
        // Wrong bytes, for the right ones are nobody's to copy: the sum is never reached.
        let body = vec![1; FIRST_BYTES];
        let trickle = Answer::file(&body).stall(left + 200_000);
        let server = Server::start(vec![trickle]);
        let mut command = program(t.path());
        command.args(["data", "get", "mnist", "--mirror", &server.url("")]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let length = || fs::metadata(&part).map_or(0, |m| m.len() as usize);
        let began = Instant::now();
        while length() < left + 200_000 {
            assert!(began.elapsed() < Duration::from_secs(20), "nothing arrives");
            sleep(Duration::from_millis(5));
        }
        let range = format!("range: bytes={left}-");
        assert_eq!(server.requests()[0].contains(&range), left > 0);
        let mut kill = Command::new("kill");
        assert!(kill.args([signal, &child.id().to_string()]).status().unwrap().success());
        // A read that waits is not broken off by the first Ctrl-C but by the server's end.
        drop(server);
        let status = child.wait().unwrap();
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(status.code(), code, "{said}");
        assert!(code.is_none() || said.contains("the same command goes on"), "{said}");
        left = length();
        assert!(left >= 200_000);
    }
}

#[test]
fn the_list_says_what_is_where() {
    let t = TempDir::new().unwrap();
    let there = t.path().join("data/fashion-mnist");
    fs::create_dir_all(&there).unwrap();
    let names = ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"];
    for name in &names[..3] {
        fs::write(there.join(format!("{name}-ubyte.gz")), [0; 400]).unwrap();
    }
    let state = |arguments: &str| {
        let json = done(t.path(), &format!("data list --format json {arguments}"));
        let sets: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
        let of = |name: &str| sets.iter().find(|set| set["name"] == name).unwrap().clone();
        (of("fashion-mnist"), of("mnist"))
    };
    fs::create_dir(t.path().join("data/mnist")).unwrap();
    fs::write(t.path().join("data/mnist").join(format!("{FIRST}.part")), [0; 500]).unwrap();
    let (fashion, mnist) = state("");
    assert_eq!((&fashion["state"], &mnist["state"]), (&"partial".into(), &"absent".into()));
    assert_eq!(
        (&fashion["bytes_unfinished"], &mnist["bytes_unfinished"]),
        (&0.into(), &500.into())
    );
    assert_eq!(fashion["missing"][0], "t10k-labels-idx1-ubyte");
    assert_eq!(fashion["bytes_on_disk"], 1_200);
    assert_eq!(fashion["directory"], there.display().to_string());
    assert_eq!(mnist["downloads"][0]["bytes"], FIRST_BYTES);
    fs::write(there.join("t10k-labels-idx1-ubyte"), [0; 34]).unwrap();
    let (fashion, _) = state("");
    assert_eq!((&fashion["state"], &fashion["bytes_on_disk"]), (&"complete".into(), &1_234.into()));
    // A named directory is looked at for each of them.
    let (fashion, mnist) = state("--data-dir data/fashion-mnist");
    assert_eq!((&fashion["state"], &mnist["state"]), (&"complete".into(), &"complete".into()));
    let text = done(t.path(), "data list");
    for part in
        ["complete, 1.23 kB", "500 bytes begun", "built in", "cs.toronto.edu", "data_batch_1.bin"]
    {
        assert!(text.contains(part), "{part}\n{text}");
    }
}
