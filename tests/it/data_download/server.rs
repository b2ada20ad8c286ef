//! A server on the loopback interface that plays a script: one answer a connection. It waits for
//! nobody longer than a few seconds and ends with the test.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

/// Nothing here lasts longer.
const LIFE_MAX: Duration = Duration::from_secs(30);

/// One answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// Status line and headers, without the empty line.
    head: String,
    body: Vec<u8>,
    /// The byte of the body before which the connection ends.
    end: usize,
    /// Leaves the connection open and silent after the body.
    stalls: bool,
    /// Serves the range that was asked for, if one was.
    heeds_range: bool,
}

impl Answer {
    fn new(head: String, body: &[u8]) -> Self {
        Self { head, body: body.to_vec(), end: body.len(), stalls: false, heeds_range: false }
    }

    /// The whole file, whatever range was asked for.
    pub(crate) fn whole(body: &[u8]) -> Self {
        Self::new(format!("HTTP/1.1 200 OK\r\nContent-Length: {}", body.len()), body)
    }

    /// The file, or the range of it that was asked for.
    pub(crate) fn file(body: &[u8]) -> Self {
        Self { heeds_range: true, ..Self::whole(body) }
    }

    /// The last part of the file, whatever range was asked for.
    pub(crate) fn other_range(body: &[u8], from: usize) -> Self {
        Self::new(partial(body, from), &body[from..])
    }

    /// A status without a file.
    pub(crate) fn status(status: &str) -> Self {
        Self::new(format!("HTTP/1.1 {status}\r\nContent-Length: 0"), &[])
    }

    pub(crate) fn redirect(url: &str) -> Self {
        Self::new(format!("HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: {url}"), &[])
    }

    /// A body that no header announces: it ends with the connection.
    pub(crate) fn unannounced(body: &[u8]) -> Self {
        Self::new("HTTP/1.1 200 OK".to_string(), body)
    }

    pub(crate) fn with_header(mut self, header: &str) -> Self {
        self.head = format!("{}\r\n{header}", self.head);
        self
    }

    /// The connection ends before this byte of the file.
    pub(crate) fn cut(self, at: usize) -> Self {
        Self { end: at, ..self }
    }

    /// The connection falls silent before this byte of the file.
    pub(crate) fn stall(self, at: usize) -> Self {
        Self { stalls: true, end: at, ..self }
    }

    fn bytes(&self, request: &str) -> Vec<u8> {
        let range = request.lines().find_map(|line| line.strip_prefix("range: bytes="));
        let (head, from) = match range.filter(|_| self.heeds_range) {
            None => (self.head.clone(), 0),
            Some(range) => {
                let from: usize = range.trim_end_matches('-').parse().unwrap();
                (partial(&self.body, from), from)
            }
        };
        let body = &self.body[from..self.end];
        [format!("{head}\r\nConnection: close\r\n\r\n").as_bytes(), body].concat()
    }
}

/// The head of the last part of a file.
fn partial(body: &[u8], from: usize) -> String {
    let total = body.len();
    format!(
        "HTTP/1.1 206 Partial Content\r\nContent-Length: {}\r\n\
         Content-Range: bytes {from}-{}/{total}",
        total - from,
        total - 1
    )
}

/// The server, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Server {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves the answers in their order, and 500 when they are used up.
    pub(crate) fn start(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let ends = Arc::new(AtomicBool::new(false));
        let (log, end) = (Arc::clone(&requests), Arc::clone(&ends));
        let thread = std::thread::spawn(move || serve(&listener, answers, &log, &end));
        Self { url, requests, ends, thread: Some(thread) }
    }

    /// `http://127.0.0.1:PORT/path`
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.url)
    }

    /// The heads of all requests so far, in lower case.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

fn serve(listener: &TcpListener, answers: Vec<Answer>, log: &Mutex<Vec<String>>, end: &AtomicBool) {
    let until = Instant::now() + LIFE_MAX;
    let is_over = || end.load(Ordering::Relaxed) || Instant::now() > until;
    let mut answers = answers.into_iter();
    let mut silent = Vec::new();
    while !is_over() {
        let Ok((mut stream, _)) = listener.accept() else {
            sleep(Duration::from_millis(2));
            continue;
        };
        let Some(request) = read_head(&mut stream) else { continue };
        log.lock().unwrap().push(request.clone());
        let spent = Answer::status("500 The Script Is Over");
        let answer = answers.next().unwrap_or(spent);
        // A client that hangs up early is what some tests are about.
        let _ = stream.write_all(&answer.bytes(&request)).and_then(|()| stream.flush());
        if answer.stalls {
            silent.push(stream);
        }
    }
}

fn read_head(stream: &mut TcpStream) -> Option<String> {
    stream.set_nonblocking(false).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    stream.set_write_timeout(Some(Duration::from_secs(5))).ok()?;
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    Some(String::from_utf8(head).ok()?.to_lowercase())
}
