//! One file over HTTP: source by source, going on where a transfer broke off.

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use base::error::{Error, Result};
use ureq::http::{Response, header};
use ureq::{Agent, Body};

use super::local::Part;
use super::sources::Expected;
use super::{Settings, Watch};

/// Read at once.
const CHUNK_BYTES: usize = 1 << 16;

/// A connection that brought so much before it broke was a good one: failures count anew.
const PROGRESS_BYTES: u64 = 1 << 20;

/// No wait between two tries is longer.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// Why a file did not come.
enum Trouble {
    /// It may come from here yet.
    Again(String),
    /// It will not come from here.
    Elsewhere(String),
    /// It cannot be kept, or is not wanted any more.
    End(Error),
}

type Attempt<T> = std::result::Result<T, Trouble>;

/// What came of a file.
pub(super) enum Fetched {
    /// All bytes are there and right.
    Whole {
        /// Where they came from; nothing where an earlier transfer had left them all.
        url: Option<String>,
    },
    /// Every URL, with the reason why it did not give them.
    Nowhere(Vec<(String, String)>),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::End(error)
    }
}

/// Fetches files.
pub(super) struct Transfer<'a> {
    agent: Agent,
    settings: &'a Settings,
    watch: &'a dyn Watch,
    stop: &'a AtomicBool,
}

impl<'a> Transfer<'a> {
    pub(super) fn new(settings: &'a Settings, watch: &'a dyn Watch, stop: &'a AtomicBool) -> Self {
        let mut config = Agent::config_builder()
            .user_agent(concat!("curvebook/", env!("CARGO_PKG_VERSION")))
            // Bytes as they lie on the server: the sums are of those.
            .accept_encoding("identity")
            .http_status_as_error(false)
            .timeout_resolve(Some(settings.connect_timeout))
            .timeout_connect(Some(settings.connect_timeout))
            .timeout_per_read(Some(settings.read_timeout))
            .timeout_per_write(Some(settings.read_timeout));
        if !settings.proxies {
            config = config.proxy(None);
        }
        Self { agent: config.build().new_agent(), settings, watch, stop }
    }

    /// Fills `part` with the right bytes, from the first source that gives them.
    pub(super) fn fetch(
        &self,
        expected: &Expected,
        urls: &[String],
        part: &mut Part,
    ) -> Result<Fetched> {
        if part.bytes == expected.bytes && part.sha256()? == expected.sha256 {
            return Ok(Fetched::Whole { url: None });
        }
        if part.bytes >= expected.bytes {
            part.clear()?;
        }
        let mut failures = Vec::new();
        for url in urls {
            match self.try_source(expected, url, part) {
                Ok(()) => return Ok(Fetched::Whole { url: Some(url.clone()) }),
                Err(Trouble::End(error)) => return Err(error),
                Err(Trouble::Again(why) | Trouble::Elsewhere(why)) => {
                    // The last one is said by the error.
                    if failures.len() + 1 < urls.len() {
                        self.watch.note(&format!("{}: {url}: {why}", expected.name));
                    }
                    failures.push((url.clone(), why));
                }
            }
        }
        Ok(Fetched::Nowhere(failures))
    }

    fn try_source(&self, expected: &Expected, url: &str, part: &mut Part) -> Attempt<()> {
        let mut source = Source { url, entity: None, has_answered: false, is_pure: false };
        let mut failures = 0;
        loop {
            let before = part.bytes;
            match self.pull(expected, &mut source, part) {
                Ok(()) => {
                    let found = part.sha256()?;
                    if found == expected.sha256 {
                        return Ok(());
                    }
                    part.clear()?;
                    if source.is_pure {
                        let wanted = &expected.sha256;
                        let why = format!("has SHA-256 {found} instead of {wanted}");
                        return Err(Trouble::Elsewhere(why));
                    }
                    let why = "what an earlier transfer left does not belong to it: starting over";
                    self.watch.note(&format!("{}: {why}", expected.name));
                }
                Err(Trouble::Again(why)) => {
                    let is_good = part.bytes.saturating_sub(before) >= PROGRESS_BYTES;
                    failures = if is_good { 1 } else { failures + 1 };
                    if failures >= self.settings.attempts {
                        return Err(Trouble::Elsewhere(format!("{why} ({failures} times)")));
                    }
                    self.pause(failures, expected, &why)?;
                }
                Err(trouble) => return Err(trouble),
            }
        }
    }

    /// Asks for what is missing, once, and appends it as it comes.
    fn pull(&self, expected: &Expected, source: &mut Source, part: &mut Part) -> Attempt<()> {
        let mut response = self.ask(source, part.bytes)?;
        if response.status() == 416 && part.bytes > 0 {
            // Nothing is there from that byte on: the file there is shorter, the part is not its.
            part.clear()?;
            response = self.ask(source, 0)?;
        }
        let from = begin(&response, expected, part.bytes)?;
        if from == 0 {
            if part.bytes > 0 {
                let why = "this server sends no parts of files: starting over";
                self.watch.note(&format!("{}: {why}", expected.name));
            }
            part.clear()?;
            source.is_pure = true;
        }
        source.entity = entity(&response);
        self.watch.begin(&expected.name, source.url, part.bytes, expected.bytes);
        let taken = self.take(expected, response.body_mut(), part);
        self.watch.end();
        taken
    }

    fn ask(&self, source: &mut Source, from: u64) -> Attempt<Response<Body>> {
        self.check_stop()?;
        let mut request = self.agent.get(source.url);
        if from > 0 {
            request = request.header(header::RANGE, format!("bytes={from}-"));
            if let Some(entity) = &source.entity {
                request = request.header(header::IF_RANGE, entity);
            }
        }
        let response = request.call().map_err(|e| source.trouble(&e))?;
        source.has_answered = true;
        Ok(response)
    }

    fn take(&self, expected: &Expected, body: &mut Body, part: &mut Part) -> Attempt<()> {
        let mut reader = body.as_reader();
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            self.check_stop()?;
            let why = match reader.read(&mut chunk) {
                Ok(0) => "the transfer ended".to_string(),
                Ok(count) if part.bytes + count as u64 > expected.bytes => {
                    part.clear()?;
                    let why = format!("sends more than the {} bytes it must have", expected.bytes);
                    return Err(Trouble::Elsewhere(why));
                }
                Ok(count) => {
                    part.append(&chunk[..count])?;
                    self.watch.at(part.bytes);
                    continue;
                }
                Err(e) => format!("the transfer broke off ({e})"),
            };
            // However it ended: the sum says whether these bytes are the right ones.
            if part.bytes == expected.bytes {
                return Ok(());
            }
            return Err(Trouble::Again(format!(
                "{why} after {} of {} bytes",
                part.bytes, expected.bytes
            )));
        }
    }

    fn check_stop(&self) -> Result<()> {
        if !self.stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        let kept = "what has arrived is kept; the same command goes on from there".to_string();
        Err(Error::Interrupted { kept })
    }

    /// Waits before another try, longer each time.
    fn pause(&self, failures: u32, expected: &Expected, why: &str) -> Result<()> {
        let factor = 2_u32.saturating_pow(failures - 1);
        let wait = self.settings.first_wait.saturating_mul(factor).min(WAIT_MAX);
        let seconds = wait.as_secs_f64();
        self.watch.note(&format!("{}: {why}; trying again in {seconds:.0} s", expected.name));
        let until = Instant::now() + wait;
        while Instant::now() < until {
            self.check_stop()?;
            sleep(Duration::from_millis(50).min(until - Instant::now()));
        }
        Ok(())
    }
}

/// What is known of a source after its first answers.
struct Source<'a> {
    url: &'a str,
    /// Its name for the file's bytes, if they are to change meanwhile.
    entity: Option<String>,
    has_answered: bool,
    /// All bytes come from here: if not, a wrong sum is no proof against the source.
    is_pure: bool,
}

impl Source<'_> {
    fn trouble(&self, e: &ureq::Error) -> Trouble {
        use std::io::ErrorKind::{
            BrokenPipe, ConnectionAborted, ConnectionReset, TimedOut, UnexpectedEof,
        };
        let broken = [BrokenPipe, ConnectionAborted, ConnectionReset, TimedOut, UnexpectedEof];
        let (why, may_pass) = match e {
            ureq::Error::Io(e) if broken.contains(&e.kind()) => (format!("no answer ({e})"), true),
            ureq::Error::Timeout(ureq::Timeout::Resolve | ureq::Timeout::Connect) => {
                (format!("no connection ({e})"), false)
            }
            ureq::Error::Timeout(_) => (format!("no answer ({e})"), true),
            // An unknown host, a refused connection, no network.
            ureq::Error::Io(e) => (format!("no connection ({e})"), false),
            ureq::Error::HostNotFound => ("no connection (unknown host)".to_string(), false),
            _ => return Trouble::Elsewhere(e.to_string()),
        };
        // A server that has answered before is only out of reach for now.
        if may_pass || self.has_answered { Trouble::Again(why) } else { Trouble::Elsewhere(why) }
    }
}

/// The byte that an answer begins at, or why it is not the file.
fn begin(response: &Response<Body>, expected: &Expected, asked: u64) -> Attempt<u64> {
    let status = response.status();
    let from = match status.as_u16() {
        200 => 0,
        206 if range_start(response) == Some(asked) => asked,
        206 => return Err(Trouble::Elsewhere("answers with another range".to_string())),
        408 | 429 | 500..=599 => return Err(Trouble::Again(format!("the server says {status}"))),
        _ => return Err(Trouble::Elsewhere(format!("the server says {status}"))),
    };
    // Before a byte of the part is given up: a page that asks for a password must not cost it.
    match response.body().content_length() {
        Some(length) if from + length != expected.bytes => {
            let kind = response.body().mime_type().unwrap_or("unknown type");
            let wanted = expected.bytes;
            let why = format!("has {} bytes of {kind} instead of {wanted}", from + length);
            Err(Trouble::Elsewhere(why))
        }
        _ => Ok(from),
    }
}

/// `17` of `Content-Range: bytes 17-99/100`.
fn range_start(response: &Response<Body>) -> Option<u64> {
    let range = response.headers().get(header::CONTENT_RANGE)?.to_str().ok()?;
    range.trim().strip_prefix("bytes")?.trim_start().split('-').next()?.trim().parse().ok()
}

/// The strong entity tag of an answer; a weak one promises nothing about bytes.
fn entity(response: &Response<Body>) -> Option<String> {
    let tag = response.headers().get(header::ETAG)?.to_str().ok()?;
    tag.starts_with('"').then(|| tag.to_string())
}
