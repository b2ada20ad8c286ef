//! Fetching data sets, from a server on the loopback interface that misbehaves as told.

mod archives;
mod server;

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use curvebook::base::error::{Error, Result};
use curvebook::train::data::download::{
    self, Expected, Got, Kind, Manifest, Mirror, Remote, Settings, Watch,
};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

pub(crate) use server::{Answer, Server};

/// Says what happened, and asks to stop where it is told to.
#[derive(Debug, Default)]
struct Log {
    lines: Mutex<Vec<String>>,
    begun: Mutex<Vec<(u64, u64)>>,
    stop_at: Option<u64>,
    stop: AtomicBool,
}

impl Watch for Log {
    fn begin(&self, _: &str, _: &str, from: u64, bytes: u64) {
        self.begun.lock().unwrap().push((from, bytes));
    }

    fn at(&self, bytes: u64) {
        if self.stop_at.is_some_and(|at| bytes >= at) {
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    fn end(&self) {}

    fn note(&self, line: &str) {
        self.lines.lock().unwrap().push(line.to_string());
    }
}

/// Bytes without a pattern that a wrong offset would repeat.
fn content() -> Vec<u8> {
    let bytes = (0..300_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8);
    bytes.collect()
}

fn expected(name: &str, bytes: &[u8]) -> Expected {
    let sum = Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    });
    Expected::new(name, bytes.len() as u64, sum)
}

fn file(name: &str, bytes: &[u8], urls: &[String]) -> Remote {
    let kind = Kind::Plain { unpacked: None };
    Remote { file: expected(name, bytes), urls: urls.to_vec(), kind }
}

fn manifest(remotes: Vec<Remote>) -> Manifest {
    Manifest { name: "tiny".to_string(), remotes }
}

/// Waits of a millisecond; nothing of the machine's proxies.
fn settings() -> Settings {
    Settings {
        attempts: 3,
        first_wait: Duration::from_millis(1),
        connect_timeout: Duration::from_secs(5),
        read_timeout: Duration::from_millis(300),
        proxies: false,
        ..Settings::default()
    }
}

fn get(manifest: &Manifest, directory: &Path, settings: &Settings) -> Result<Vec<Got>> {
    let log = Log::default();
    download::get(manifest, directory, settings, &log, &log.stop)
}

/// Fetches `content` under the name `x` from one source.
fn get_x(directory: &Path, server: &Server) -> Result<Vec<Got>> {
    let manifest = manifest(vec![file("x", &content(), &[server.url("x")])]);
    get(&manifest, directory, &settings())
}

#[track_caller]
fn expect_x(directory: &Path) {
    assert!(fs::read(directory.join("x")).unwrap() == content());
    assert!(!directory.join("x.part").exists());
}

/// The `Range` and `If-Range` of each request.
fn ranges(server: &Server) -> Vec<(Option<String>, Option<String>)> {
    let header = |request: &String, name: &str| {
        let found = request.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        found.map(ToString::to_string)
    };
    let requests = server.requests();
    requests.iter().map(|r| (header(r, "range"), header(r, "if-range"))).collect()
}

fn range(from: u64) -> (Option<String>, Option<String>) {
    (Some(format!("bytes={from}-")), None)
}

const WHOLE: (Option<String>, Option<String>) = (None, None);

#[test]
fn a_file_is_fetched_once_and_then_left_alone() {
    let t = TempDir::new().unwrap();
    let directory = t.path().join("made/on/the/way");
    let server = Server::start(vec![Answer::file(&content())]);
    let got = get_x(&directory, &server).unwrap();
    assert_eq!(got.len(), 1);
    assert_eq!((got[0].file.as_str(), got[0].bytes), ("x", 300_000));
    assert_eq!(got[0].source, Some(server.url("x")));
    expect_x(&directory);
    let again = get_x(&directory, &server).unwrap();
    assert_eq!(again[0].source, None);
    assert_eq!(ranges(&server), [WHOLE]);
    let head = &server.requests()[0];
    assert!(head.starts_with("get /x http/1.1\r\n") && head.contains("user-agent: curvebook/"));
}

#[test]
fn a_broken_transfer_goes_on_where_it_stopped() {
    let t = TempDir::new().unwrap();
    let tagged = |answer: Answer| answer.with_header("ETag: \"v1\"");
    let server = Server::start(vec![
        tagged(Answer::whole(&content())).cut(100_001),
        tagged(Answer::file(&content())),
    ]);
    let manifest = manifest(vec![file("x", &content(), &[server.url("x")])]);
    let log = Log::default();
    download::get(&manifest, t.path(), &settings(), &log, &log.stop).unwrap();
    expect_x(t.path());
    let resumed = (Some("bytes=100001-".to_string()), Some("\"v1\"".to_string()));
    assert_eq!(ranges(&server), [WHOLE, resumed]);
    assert_eq!(*log.begun.lock().unwrap(), [(0, 300_000), (100_001, 300_000)]);
    let lines = log.lines.lock().unwrap().join("\n");
    assert!(lines.contains("100001 of 300000 bytes; trying again"), "{lines}");
}

#[test]
fn a_part_of_an_earlier_run_is_gone_on_with() {
    let t = TempDir::new().unwrap();
    for (left, wanted) in [(1, 1), (299_999, 299_999)] {
        fs::write(t.path().join("x.part"), &content()[..left]).unwrap();
        let server = Server::start(vec![Answer::file(&content())]);
        get_x(t.path(), &server).unwrap();
        expect_x(t.path());
        assert_eq!(ranges(&server), [range(wanted)]);
        fs::remove_file(t.path().join("x")).unwrap();
    }
    // Nothing was missing but the name.
    fs::write(t.path().join("x.part"), content()).unwrap();
    let server = Server::start(Vec::new());
    get_x(t.path(), &server).unwrap();
    expect_x(t.path());
    assert!(server.requests().is_empty());
}

#[test]
fn a_server_that_knows_no_ranges_starts_over() {
    let t = TempDir::new().unwrap();
    fs::write(t.path().join("x.part"), &content()[..1_000]).unwrap();
    let server = Server::start(vec![Answer::whole(&content())]);
    let manifest = manifest(vec![file("x", &content(), &[server.url("x")])]);
    let log = Log::default();
    download::get(&manifest, t.path(), &settings(), &log, &log.stop).unwrap();
    expect_x(t.path());
    assert_eq!(ranges(&server), [range(1_000)]);
    assert!(log.lines.lock().unwrap()[0].contains("starting over"));
}

#[test]
fn a_range_that_is_refused_starts_over() {
    let t = TempDir::new().unwrap();
    fs::write(t.path().join("x.part"), &content()[..1_000]).unwrap();
    let refusal = Answer::status("416 Range Not Satisfiable");
    let server = Server::start(vec![refusal, Answer::file(&content())]);
    get_x(t.path(), &server).unwrap();
    expect_x(t.path());
    assert_eq!(ranges(&server), [range(1_000), WHOLE]);
}

#[test]
fn a_part_that_does_not_belong_is_given_up() {
    let t = TempDir::new().unwrap();
    let garbage = vec![7; 1_000];
    for (part, requests) in [
        // Found out when the whole is there: once more, from the beginning.
        (garbage, vec![range(1_000), WHOLE]),
        // Full, or more than full, before anything is asked.
        (vec![7; 300_000], vec![WHOLE]),
        (vec![7; 300_001], vec![WHOLE]),
    ] {
        fs::write(t.path().join("x.part"), part).unwrap();
        let server = Server::start(vec![Answer::file(&content()), Answer::file(&content())]);
        get_x(t.path(), &server).unwrap();
        expect_x(t.path());
        assert_eq!(ranges(&server), requests);
        fs::remove_file(t.path().join("x")).unwrap();
    }
}

#[test]
fn sources_are_tried_in_their_order() {
    let t = TempDir::new().unwrap();
    let mut wrong = content();
    wrong[150_000] ^= 1;
    let long = [content(), vec![0; 10]].concat();
    for (first, why) in [
        (Answer::status("404 Not Found"), "404 Not Found"),
        (Answer::status("403 Forbidden"), "403 Forbidden"),
        (Answer::file(&wrong), "SHA-256"),
        (Answer::unannounced(&long), "more than the 300000 bytes"),
        (Answer::whole(&long), "300010 bytes"),
        (Answer::whole(b"<html>").with_header("Content-Type: text/html"), "6 bytes of text/html"),
        (Answer::redirect("http://127.0.0.1:1/elsewhere"), "no connection"),
    ] {
        let bad = Server::start(vec![first]);
        let good = Server::start(vec![Answer::file(&content())]);
        let urls = [bad.url("x"), good.url("x")];
        let manifest = manifest(vec![file("x", &content(), &urls)]);
        let log = Log::default();
        let got = download::get(&manifest, t.path(), &settings(), &log, &log.stop).unwrap();
        assert_eq!(got[0].source.as_ref(), Some(&urls[1]), "{why}");
        assert_eq!(bad.requests().len(), 1, "{why}");
        let lines = log.lines.lock().unwrap().join("\n");
        assert!(lines.contains(&urls[0]) && lines.contains(why), "{why}: {lines}");
        expect_x(t.path());
        fs::remove_file(t.path().join("x")).unwrap();
    }
}

/// A page that a hotel's network puts before every other must not cost what had arrived.
#[test]
fn an_answer_that_cannot_be_the_file_costs_no_part() {
    let t = TempDir::new().unwrap();
    fs::write(t.path().join("x.part"), &content()[..200_000]).unwrap();
    let login = Server::start(vec![Answer::whole(b"<html>please log in</html>")]);
    let good = Server::start(vec![Answer::file(&content())]);
    let urls = [login.url("x"), good.url("x")];
    get(&manifest(vec![file("x", &content(), &urls)]), t.path(), &settings()).unwrap();
    expect_x(t.path());
    assert_eq!((ranges(&login), ranges(&good)), (vec![range(200_000)], vec![range(200_000)]));
}

#[test]
fn what_no_source_gives_is_said_with_every_reason() {
    let t = TempDir::new().unwrap();
    let mut wrong = content();
    wrong[0] ^= 1;
    let server = Server::start(vec![Answer::status("404 Not Found"), Answer::file(&wrong)]);
    let urls = [server.url("a"), server.url("b"), "http://127.0.0.1:1/c".to_string()];
    let manifest = manifest(vec![file("x", &content(), &urls), file("y", b"y", &[])]);
    let error = get(&manifest, t.path(), &settings()).unwrap_err();
    let Error::Unavailable(fault) = error else { panic!("{error}") };
    assert_eq!(fault.file, t.path().join("x").display().to_string());
    assert_eq!((fault.field.as_str(), fault.value.as_str()), ("sources", "none of 3 gave it"));
    let (found, right) = (expected("x", &wrong).sha256, expected("x", &content()).sha256);
    for part in [&urls[0], "404 Not Found", &urls[1], &found, &right, &urls[2], "no connection"] {
        assert!(fault.rule.contains(part), "{part}: {}", fault.rule);
    }
    for part in ["--mirror", "URL/tiny/x", "put x, y into", &t.path().display().to_string()] {
        assert!(fault.remedy.contains(part), "{part}: {}", fault.remedy);
    }
    assert_eq!(fs::read_dir(t.path()).unwrap().count(), 0, "nothing wrong stays");
}

#[test]
fn a_host_that_nobody_knows_is_said() {
    let t = TempDir::new().unwrap();
    // `.invalid` is never a host (RFC 2606).
    let urls = ["http://curvebook.invalid/x".to_string()];
    let error = get(&manifest(vec![file("x", b"x", &urls)]), t.path(), &settings()).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("http://curvebook.invalid/x = not fetched: no connection"), "{text}");
    assert!(!text.contains("times"), "no second try: {text}");
    assert!(matches!(error, Error::Unavailable(_)), "{text}");
}

#[test]
fn failures_that_may_pass_are_tried_again_a_few_times() {
    let t = TempDir::new().unwrap();
    let busy = Answer::status("503 Service Unavailable");
    let server = Server::start(vec![busy.clone(), busy.clone(), Answer::file(&content())]);
    get_x(t.path(), &server).unwrap();
    expect_x(t.path());
    fs::remove_file(t.path().join("x")).unwrap();
    let server = Server::start(vec![busy; 5]);
    let text = get_x(t.path(), &server).unwrap_err().to_string();
    assert!(text.contains("503 Service Unavailable (3 times)"), "{text}");
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn a_server_that_falls_silent_is_left_and_asked_for_the_rest() {
    let t = TempDir::new().unwrap();
    let server =
        Server::start(vec![Answer::file(&content()).stall(70_000), Answer::file(&content())]);
    let log = Log::default();
    let manifest = manifest(vec![file("x", &content(), &[server.url("x")])]);
    download::get(&manifest, t.path(), &settings(), &log, &log.stop).unwrap();
    expect_x(t.path());
    assert_eq!(ranges(&server), [WHOLE, range(70_000)]);
    let lines = log.lines.lock().unwrap().join("\n");
    assert!(lines.contains("timeout") && lines.contains("70000 of 300000"), "{lines}");
}

#[test]
fn what_keeps_breaking_leaves_what_has_arrived() {
    let t = TempDir::new().unwrap();
    // Each connection brings 1,000 bytes.
    let server = Server::start(vec![
        Answer::whole(&content()).cut(1_000),
        Answer::file(&content()).cut(2_000),
        Answer::file(&content()).cut(3_000),
        Answer::file(&content()).cut(4_000),
    ]);
    let text = get_x(t.path(), &server).unwrap_err().to_string();
    assert!(text.contains("3000 of 300000 bytes (3 times)"), "{text}");
    assert!(fs::read(t.path().join("x.part")).unwrap() == content()[..3_000]);
    assert_eq!(ranges(&server), [WHOLE, range(1_000), range(2_000)]);
}

#[test]
fn another_range_than_the_one_asked_for_is_refused() {
    let t = TempDir::new().unwrap();
    fs::write(t.path().join("x.part"), &content()[..1_000]).unwrap();
    let other = Answer::other_range(&content(), 500);
    let server = Server::start(vec![other]);
    let text = get_x(t.path(), &server).unwrap_err().to_string();
    assert!(text.contains("another range"), "{text}");
    assert_eq!(fs::read(t.path().join("x.part")).unwrap().len(), 1_000);
}

#[test]
fn redirects_are_followed_with_the_range() {
    let t = TempDir::new().unwrap();
    fs::write(t.path().join("x.part"), &content()[..1_000]).unwrap();
    let target = Server::start(vec![Answer::file(&content())]);
    let server = Server::start(vec![Answer::redirect(&target.url("there"))]);
    get_x(t.path(), &server).unwrap();
    expect_x(t.path());
    assert_eq!(ranges(&target), [range(1_000)]);
    let loops: Vec<Answer> = (0..20).map(|_| Answer::redirect("/x")).collect();
    let server = Server::start(loops);
    fs::remove_file(t.path().join("x")).unwrap();
    let text = get_x(t.path(), &server).unwrap_err().to_string();
    assert!(text.contains("redirect"), "{text}");
}

#[test]
fn a_wrong_file_is_replaced_only_on_request() {
    let t = TempDir::new().unwrap();
    let x = t.path().join("x");
    let mut same_length = content();
    same_length[9] ^= 1;
    for (wrong, field) in [(b"mine".to_vec(), "length = 4 bytes"), (same_length, "SHA-256 = ")] {
        fs::write(&x, &wrong).unwrap();
        let server = Server::start(vec![Answer::file(&content())]);
        // The first file is not there: nothing is fetched before the second is looked at.
        let urls = [server.url("w")];
        let remotes = vec![file("w", b"w", &urls), file("x", &content(), &urls)];
        let error = get(&manifest(remotes), t.path(), &settings()).unwrap_err();
        assert!(matches!(error, Error::Input(_)), "{error}");
        let text = error.to_string();
        assert!(text.contains(field) && text.contains("--force"), "{text}");
        assert!(fs::read(&x).unwrap() == wrong && server.requests().is_empty());
        let force = Settings { force: true, ..settings() };
        let remotes = vec![file("x", &content(), &[server.url("x")])];
        get(&manifest(remotes), t.path(), &force).unwrap();
        expect_x(t.path());
    }
}

/// Reading prefers the unpacked file, so that one counts.
#[test]
fn an_unpacked_file_serves_and_is_checked() {
    let t = TempDir::new().unwrap();
    let server = Server::start(vec![Answer::file(&content())]);
    let mut remote = file("x.gz", &content(), &[server.url("x.gz")]);
    remote.kind = Kind::Plain { unpacked: Some(expected("x", b"unpacked")) };
    let manifest = manifest(vec![remote]);
    let (plain, packed) = (t.path().join("x"), t.path().join("x.gz"));
    fs::write(&plain, b"unpacked").unwrap();
    assert_eq!(get(&manifest, t.path(), &settings()).unwrap()[0].source, None);
    fs::write(&plain, b"unpackeD").unwrap();
    fs::write(&packed, content()).unwrap();
    let refused = get(&manifest, t.path(), &settings()).unwrap_err().to_string();
    assert!(refused.contains("/x: SHA-256"), "{refused}");
    assert!(server.requests().is_empty());
    get(&manifest, t.path(), &Settings { force: true, ..settings() }).unwrap();
    assert!(!plain.exists() && fs::read(&packed).unwrap() == content());
}

#[test]
fn an_interrupt_keeps_the_part() {
    let t = TempDir::new().unwrap();
    let server = Server::start(vec![Answer::file(&content()), Answer::file(&content())]);
    let manifest = manifest(vec![file("x", &content(), &[server.url("x")])]);
    let log = Log { stop_at: Some(1), ..Log::default() };
    let error = download::get(&manifest, t.path(), &settings(), &log, &log.stop).unwrap_err();
    assert!(matches!(error, Error::Interrupted { .. }), "{error}");
    let kept = fs::read(t.path().join("x.part")).unwrap();
    assert!(!kept.is_empty() && kept.len() < 300_000 && kept == content()[..kept.len()]);
    get(&manifest, t.path(), &settings()).unwrap();
    expect_x(t.path());
    assert_eq!(ranges(&server), [WHOLE, range(kept.len() as u64)]);
}

#[test]
fn a_mirror_replaces_every_source() {
    let t = TempDir::new().unwrap();
    let official = Server::start(vec![Answer::file(&content())]);
    let mirror = Server::start(vec![Answer::file(&content())]);
    let manifest = manifest(vec![file("x", &content(), &[official.url("x")])]);
    let base = Mirror::parse("--mirror", &mirror.url("some/base/")).unwrap();
    let settings = Settings { mirror: Some(base), ..settings() };
    get(&manifest, t.path(), &settings).unwrap();
    expect_x(t.path());
    assert!(official.requests().is_empty());
    assert!(mirror.requests()[0].starts_with("get /some/base/tiny/x http"));
}

#[test]
fn a_directory_that_cannot_be_is_refused() {
    let t = TempDir::new().unwrap();
    fs::write(t.path().join("file"), "x").unwrap();
    let server = Server::start(Vec::new());
    for place in ["file", "file/below"] {
        let error = get_x(&t.path().join(place), &server).unwrap_err();
        assert!(matches!(error, Error::Input(_)) && error.to_string().contains("--data-dir"));
    }
    assert!(server.requests().is_empty());
}
