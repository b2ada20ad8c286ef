//! What is told on the way, on stderr: lines, and on a terminal progress bars.

use std::io::{IsTerminal, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use app::Events;
use app::report::human::time;
use app::report::printable;
use indicatif::{ProgressBar, ProgressStyle};

use super::interrupt::Interrupt;
use super::output::one_line;

/// A bar over `length` of something; hidden where stderr is no terminal.
pub(super) fn bar(length: u64, template: &str) -> ProgressBar {
    if is_quiet() || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template(template).expect("the templates are constants");
    let bar = ProgressBar::new(length).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

/// Writes a line to stderr. A terminal that has gone away is no reason to stop.
pub(super) fn line_to_stderr(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Lines alone.
#[derive(Debug)]
pub(super) struct Words;

impl Events for Words {
    fn say(&self, line: &str) {
        if !is_quiet() {
            line_to_stderr(&one_line(&printable(line)));
        }
    }

    fn note(&self, text: &str) {
        self.say(&format!("note: {text}"));
    }

    fn warn(&self, text: &str) {
        line_to_stderr(&one_line(&printable(&format!("warning: {text}"))));
    }

    fn detail(&self, text: &str) {
        if VERBOSITY.load(Ordering::Relaxed) == VERBOSE {
            self.say(text);
        }
    }
}

/// How much is told: as usual, or one of these.
static VERBOSITY: AtomicU8 = AtomicU8::new(0);
const QUIET: u8 = 1;
const VERBOSE: u8 = 2;

/// Says how much is told, once, before anything is.
pub(super) fn set_verbosity(quiet: bool, verbose: bool) {
    let verbosity = if quiet { QUIET } else { u8::from(verbose) * VERBOSE };
    VERBOSITY.store(verbosity, Ordering::Relaxed);
}

fn is_quiet() -> bool {
    VERBOSITY.load(Ordering::Relaxed) == QUIET
}

/// One of them, and several.
const RUNS: [&str; 2] = ["run", "runs"];

/// Progress of runs, or of what else is done one by one.
#[derive(Debug)]
pub(super) struct Runs {
    /// One of them, and several.
    words: [&'static str; 2],
    bar: OnceLock<ProgressBar>,
    interrupt: Interrupt,
    steps: Steps,
}

/// A line now and then where no terminal shows a bar: a log must tell work from a standstill.
#[derive(Debug)]
struct Steps {
    began: Instant,
    all: AtomicU32,
    done: AtomicU32,
    /// Done before this call.
    before: AtomicU32,
    /// Lines that have been written.
    lines: AtomicU64,
}

/// Seconds from one line to the next.
const STEP_SECONDS: u64 = 30;

impl Steps {
    fn new() -> Self {
        let zero = || AtomicU32::new(0);
        let (all, done, before) = (zero(), zero(), zero());
        Self { began: Instant::now(), all, done, before, lines: AtomicU64::new(0) }
    }

    fn planned(&self, all: u32, done: u32) {
        self.all.store(all, Ordering::Relaxed);
        self.done.store(done, Ordering::Relaxed);
        self.before.store(done, Ordering::Relaxed);
    }

    /// The line that is due, if one is.
    fn step(&self, seconds: u64, words: [&str; 2]) -> Option<String> {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        let due = seconds / STEP_SECONDS;
        if due == 0 || self.lines.fetch_max(due, Ordering::Relaxed) >= due {
            return None;
        }
        let [all, before] = [&self.all, &self.before].map(|n| n.load(Ordering::Relaxed));
        let here = f64::from(done.saturating_sub(before).max(1));
        #[expect(clippy::cast_precision_loss, reason = "seconds for people")]
        let left = seconds as f64 / here * f64::from(all.saturating_sub(done));
        let word = words[usize::from(all != 1)];
        Some(format!("{done} of {all} {word} done, about {} left", time(left)))
    }
}

impl Runs {
    pub(super) fn new(interrupt: &Interrupt) -> Self {
        Self::of(RUNS, interrupt)
    }

    /// Of something else: one of them, and several.
    pub(super) fn of(words: [&'static str; 2], interrupt: &Interrupt) -> Self {
        let (bar, steps) = (OnceLock::new(), Steps::new());
        Self { words, bar, interrupt: interrupt.clone(), steps }
    }

    fn bar(&self) -> &ProgressBar {
        let template = || {
            let many = self.words[1];
            format!("{{bar:30}} {{pos}}/{{len}} {many}, {{per_sec}}, left {{eta}}")
        };
        self.bar.get_or_init(|| bar(0, &template()))
    }

    /// Prints a line, above the bar where there is one.
    fn line(&self, tell: impl Fn(&Words)) {
        match self.bar.get() {
            Some(bar) => bar.suspend(|| tell(&Words)),
            None => tell(&Words),
        }
    }
}

impl Events for Runs {
    fn work_begins(&self) {
        self.interrupt.arm();
    }

    fn say(&self, line: &str) {
        self.line(|words| words.say(line));
    }

    fn note(&self, text: &str) {
        self.line(|words| words.note(text));
    }

    fn warn(&self, text: &str) {
        self.line(|words| words.warn(text));
    }

    fn detail(&self, text: &str) {
        self.line(|words| words.detail(text));
    }

    fn runs_planned(&self, all: u32, done: u32) {
        self.steps.planned(all, done);
        self.bar().set_length(all.into());
        self.bar().inc(done.into());
    }

    fn run_done(&self) {
        self.bar().inc(1);
        let line = self.steps.step(self.steps.began.elapsed().as_secs(), self.words);
        if let Some(line) = line.filter(|_| !std::io::stderr().is_terminal()) {
            Words.say(&line);
        }
    }

    fn runs_ended(&self) {
        self.bar().finish_and_clear();
    }
}

/// Progress of a training: the bar counts floating-point operations, for epochs differ a
/// thousandfold between configurations.
#[derive(Debug)]
pub(super) struct Training {
    /// The bar and when it began: where the training proper did.
    begun: OnceLock<(ProgressBar, Instant)>,
    interrupt: Interrupt,
    epochs: AtomicU64,
    configs: AtomicU64,
    configs_planned: AtomicU64,
    /// FLOPs in units of 1,000, which 64 bits hold for every table there could be.
    kiloflops: AtomicU64,
    /// What divergences made needless: it counts towards the end, and in no rate.
    epochs_lost: AtomicU64,
    kiloflops_lost: AtomicU64,
}

impl Training {
    pub(super) fn new(interrupt: &Interrupt) -> Self {
        Self {
            begun: OnceLock::new(),
            interrupt: interrupt.clone(),
            epochs: AtomicU64::new(0),
            configs: AtomicU64::new(0),
            configs_planned: AtomicU64::new(0),
            kiloflops: AtomicU64::new(0),
            epochs_lost: AtomicU64::new(0),
            kiloflops_lost: AtomicU64::new(0),
        }
    }

    fn begun(&self) -> &(ProgressBar, Instant) {
        let template = "{bar:30} {percent:>3} %  {msg}  left {eta}";
        self.begun.get_or_init(|| (bar(1, template), Instant::now()))
    }

    fn bar(&self) -> &ProgressBar {
        &self.begun().0
    }

    /// Prints a line, above the bar where there is one.
    fn line(&self, tell: impl Fn(&Words)) {
        match self.begun.get() {
            Some((bar, _)) => bar.suspend(|| tell(&Words)),
            None => tell(&Words),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "rates for people")]
    fn message(&self) -> String {
        let seconds = self.begun().1.elapsed().as_secs_f64().max(1e-9);
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let rate = |count: u64| count as f64 / seconds;
        format!(
            "{}/{} configurations, {:.2}/s, {:.1} epochs/s, {:.1} GFLOP/s",
            load(&self.configs),
            load(&self.configs_planned),
            rate(load(&self.configs)),
            rate(load(&self.epochs).saturating_sub(load(&self.epochs_lost))),
            rate(load(&self.kiloflops).saturating_sub(load(&self.kiloflops_lost))) / 1e6,
        )
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "FLOP counts are positive and far below 2^73"
)]
fn kilo(flops: f64) -> u64 {
    (flops / 1e3) as u64
}

impl Events for Training {
    fn work_begins(&self) {
        self.interrupt.arm();
        self.begun();
    }

    fn say(&self, line: &str) {
        self.line(|words| words.say(line));
    }

    fn note(&self, text: &str) {
        self.line(|words| words.note(text));
    }

    fn warn(&self, text: &str) {
        self.line(|words| words.warn(text));
    }

    fn training_planned(&self, configs: usize, flops: f64) {
        self.configs_planned.store(configs as u64, Ordering::Relaxed);
        self.bar().set_length(kilo(flops));
    }

    fn epoch_done(&self, flops: f64) {
        self.epochs.fetch_add(1, Ordering::Relaxed);
        self.kiloflops.fetch_add(kilo(flops), Ordering::Relaxed);
        self.bar().inc(kilo(flops));
        self.bar().set_message(self.message());
    }

    fn config_done(&self, epochs_lost: u64, flops_per_epoch: f64) {
        self.configs.fetch_add(1, Ordering::Relaxed);
        self.epochs_lost.fetch_add(epochs_lost, Ordering::Relaxed);
        self.kiloflops_lost.fetch_add(epochs_lost * kilo(flops_per_epoch), Ordering::Relaxed);
    }

    fn training_ended(&self) {
        self.bar().finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_comes_every_half_minute_and_says_what_is_left() {
        let steps = Steps::new();
        steps.planned(10, 2);
        assert_eq!(steps.step(29, RUNS), None);
        assert_eq!(steps.step(30, RUNS).unwrap(), "4 of 10 runs done, about 90.0 s left");
        assert_eq!(steps.step(59, RUNS), None);
        assert_eq!(steps.step(95, RUNS).unwrap(), "6 of 10 runs done, about 95.0 s left");
        assert_eq!(steps.step(99, RUNS), None);
    }
}
