//! What runs will take, said while it can still be changed.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use answers::report::human::time;
use base::units::plural;

/// The first runs say little: they load caches and fill the threads.
const SEEN: Duration = Duration::from_secs(3);

/// What takes less than this needs no word.
const LONG_SECONDS: f64 = 60.0;

/// Sees runs end, and says once what the rest will take, if that is long.
#[derive(Debug)]
pub(crate) struct Forecast {
    began: Instant,
    runs: u32,
    threads: usize,
    done: AtomicU32,
    is_said: AtomicBool,
}

impl Forecast {
    /// So many runs are to be done from now on, so many at once.
    pub(crate) fn begin(runs: u32, threads: usize) -> Self {
        let (done, is_said) = (AtomicU32::new(0), AtomicBool::new(false));
        Self { began: Instant::now(), runs, threads, done, is_said }
    }

    /// A run has ended. The sentence, where it is time for it.
    pub(crate) fn run_done(&self) -> Option<String> {
        self.after(self.began.elapsed())
    }

    fn after(&self, elapsed: Duration) -> Option<String> {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if elapsed < SEEN || self.is_said.swap(true, Ordering::Relaxed) {
            return None;
        }
        let left = self.runs.saturating_sub(done);
        // Those that are under way are half done, on average.
        let others = u32::try_from(self.threads.saturating_sub(1)).unwrap_or(0).min(left);
        let half = f64::from(others) / 2.0;
        let seconds = elapsed.as_secs_f64() / (f64::from(done) + half) * (f64::from(left) - half);
        (seconds >= LONG_SECONDS).then(|| {
            format!(
                "about {} for {} more: every run goes on to its hardest goal, unless a limit of \
                 trials (max-trials) or of simulated time (budget-seconds) ends it; fewer repeats \
                 or an easier goal take less, too",
                time(seconds),
                plural(left, "run")
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_once_and_only_of_what_takes_long() {
        let seconds = Duration::from_secs;
        let long = Forecast::begin(101, 1);
        assert_eq!(long.after(seconds(2)), None, "too early to tell");
        let said = long.after(seconds(4)).unwrap();
        assert!(said.starts_with("about 3.30 min for 99 runs more"), "{said}");
        assert_eq!(long.after(seconds(400)), None, "it was said");
        let short = Forecast::begin(11, 1);
        assert_eq!(short.after(seconds(5)), None, "the rest takes 50 s");
        let wide = Forecast::begin(101, 3);
        let said = wide.after(seconds(4)).unwrap();
        assert!(said.starts_with("about 3.30 min for 100 runs more"), "{said}");
    }
}
