//! Progress of downloads.

use std::sync::Mutex;
use std::time::Instant;

use app::Events;
use indicatif::ProgressBar;

use super::estimate::size;
use super::interrupt::Interrupt;
use super::progress::bar;

/// Progress of downloads: a bar for each file; elsewhere than on a terminal, a line when it ends.
#[derive(Debug)]
pub(super) struct Download {
    running: Mutex<Option<Running>>,
    interrupt: Interrupt,
}

/// The file that is coming.
#[derive(Debug)]
struct Running {
    bar: ProgressBar,
    file: String,
    url: String,
    start: Instant,
    from: u64,
    at: u64,
    bytes: u64,
}

impl Download {
    pub(super) fn new(interrupt: &Interrupt) -> Self {
        Self { running: Mutex::new(None), interrupt: interrupt.clone() }
    }

    fn with(&self, change: impl FnOnce(&mut Option<Running>)) {
        // A poisoned lock would mean that printing panicked: the transfer matters more.
        change(&mut self.running.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }
}

impl Events for Download {
    fn work_begins(&self) {
        self.interrupt.arm();
    }

    fn download_begins(&self, file: &str, url: &str, from: u64, bytes: u64) {
        let template = "{msg} {bar:25} \
                        {decimal_bytes}/{decimal_total_bytes}  {decimal_bytes_per_sec}  left {eta}";
        let bar = bar(bytes, template).with_message(file.to_string()).with_position(from);
        // Else the bytes of an earlier transfer would count as if they had come in an instant.
        bar.reset_eta();
        if from > 0 {
            self.say(&format!("{file}: going on at {} of {}", size(from), size(bytes)));
        }
        let (file, url, start) = (file.to_string(), url.to_string(), Instant::now());
        self.with(|running| {
            *running = Some(Running { bar, file, url, start, from, at: from, bytes });
        });
    }

    fn download_at(&self, bytes: u64) {
        self.with(|running| {
            if let Some(running) = running {
                running.at = bytes;
                running.bar.set_position(bytes);
            }
        });
    }

    fn download_ended(&self) {
        self.with(|running| {
            let Some(done) = running.take() else { return };
            done.bar.finish_and_clear();
            if done.at == done.bytes {
                let (came, seconds) = (size(done.at - done.from), done.start.elapsed());
                let (file, url) = (&done.file, &done.url);
                eprintln!("{file}: {came} from {url} in {:.1} s", seconds.as_secs_f64());
            }
        });
    }

    fn say(&self, line: &str) {
        self.with(|running| match running {
            Some(running) => running.bar.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        });
    }
}
