//! A method whose every answer is a hash of everything that it may see: one bit of difference in
//! what it is shown, and it does something else.

use curvebook::base::measured::is_measured;
use curvebook::base::rng::threefry2x32;
use curvebook::base::units::{ConfigId, Epoch, TrialId};
use curvebook::methods::interface::{
    Ask, Fate, Fresh, Looks, Origin, Proposal, State, Verdict, Work,
};

use super::mind::{Mind, Seen};

/// When it was asked what, and the digest of what it saw.
pub(crate) type Call = (u64, &'static str, u64);

#[derive(Debug, Clone)]
pub(crate) struct Oracle {
    pub seed: u32,
    /// Trials that may have started by the end of its phase.
    pub starts_max: usize,
    pub stopper: Option<Looks>,
    /// Whether it sees how far running trials have come.
    pub looks_at_running: bool,
    /// Whether it sometimes waits with work at hand.
    pub idles: bool,
    /// Coordinates of a point.
    pub width: usize,
    pub calls: Vec<Call>,
}

/// Numbers drawn from one digest.
struct Dice([u32; 2], u32);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.1 += 1;
        threefry2x32(self.0, [self.1, 0])[0] as usize % n
    }

    fn epoch(&mut self, after: u16, last: u16) -> Epoch {
        Epoch(after + 1 + self.below(usize::from(last - after)) as u16)
    }
}

/// Folds words into one.
struct Digest(u64);

impl Digest {
    fn word(&mut self, word: u64) {
        let key = [self.0 as u32, (self.0 >> 32) as u32];
        let [low, high] = threefry2x32(key, [word as u32, (word >> 32) as u32]);
        self.0 = u64::from(low) | u64::from(high) << 32;
    }

    fn number(&mut self, x: f64) {
        self.word(match x {
            _ if !is_measured(x) => u64::MAX - 1,
            _ if x.is_nan() => u64::MAX,
            _ => (x + 0.0).to_bits(),
        });
    }

    fn optional(&mut self, x: Option<f64>) {
        self.word(u64::from(x.is_some()));
        self.number(x.unwrap_or(0.0));
    }
}

impl Oracle {
    fn dice(&mut self, kind: &'static str, seen: &Seen, asked: Option<TrialId>) -> Dice {
        let digest = self.digest(kind, seen, asked);
        self.calls.push((seen.now, kind, digest));
        Dice([digest as u32 ^ self.seed, (digest >> 32) as u32], 0)
    }

    fn digest(&self, kind: &str, seen: &Seen, asked: Option<TrialId>) -> u64 {
        let mut d = Digest(u64::from(kind.as_bytes()[0]) << 8 | kind.len() as u64);
        d.word(asked.map_or(0, |id| u64::from(id.0) + 1));
        for word in [seen.now, u64::from(seen.workers), u64::from(seen.epochs)] {
            d.word(word);
        }
        d.optional(seen.chance);
        d.number(seen.gain_offset);
        d.optional(seen.goal);
        d.word(seen.budget.map_or(0, |b| b + 1));
        d.word(seen.trials_max.map_or(0, |m| u64::from(m) + 1));
        for list in [&seen.free, &seen.ended] {
            d.word(list.len() as u64);
            for id in list {
                d.word(u64::from(*id));
            }
        }
        for (id, trial) in (0..).map(TrialId).zip(&seen.trials) {
            d.word(u64::from(trial.config) << 32 | u64::from(trial.bracket));
            d.word(u64::from(trial.until) << 8 | trial.state as u64);
            d.word(u64::from(trial.last_epoch));
            d.word(trial.cost_ns);
            d.number(trial.reported);
            d.optional(trial.snap_distance);
            trial.point.iter().flatten().for_each(|x| d.number(*x));
            let stands_still = trial.state == State::Running && asked != Some(id);
            if self.looks_at_running || !stands_still {
                d.word(u64::from(trial.executed));
                d.number(trial.value);
                trial.curve.iter().for_each(|y| d.number(*y));
            }
        }
        d.0
    }

    fn proposal(&self, dice: &mut Dice, seen: &Seen) -> Proposal {
        if dice.below(2) == 0 {
            return Proposal::Row(ConfigId(seen.free[dice.below(seen.free.len())]));
        }
        // Eighths lie in the middle between rows, where ties are.
        Proposal::Point((0..self.width).map(|_| dice.below(9) as f64 / 8.0).collect())
    }
}

impl Mind for Oracle {
    fn ready(&mut self, seen: &Seen) -> Fresh {
        let mut dice = self.dice("ready", seen, None);
        match dice.below(40) {
            0..5 if self.idles && seen.in_state(State::Running).count() > 0 => Fresh::Wait,
            5 if self.idles => Fresh::Exhausted,
            _ => Fresh::Ready,
        }
    }

    fn propose(&mut self, seen: &Seen, ask: &Ask) -> Proposal {
        assert_eq!(ask.trial.index(), seen.trials.len());
        let mut dice = self.dice("propose", seen, None);
        self.proposal(&mut dice, seen)
    }

    fn started(&mut self, seen: &Seen, trial: TrialId, origin: Origin) {
        let kind = match origin {
            Origin::Sampler => "started by the sampler",
            Origin::Scheduler => "started by the scheduler",
            Origin::EarlierPhase => "started in an earlier phase",
        };
        self.dice(kind, seen, Some(trial));
    }

    fn tell(&mut self, seen: &Seen, trial: TrialId) {
        self.dice("tell", seen, Some(trial));
    }

    fn next(&mut self, seen: &Seen, fresh: Fresh) -> Work {
        let mut dice = self.dice("next", seen, None);
        let paused: Vec<u32> = seen.in_state(State::Paused).collect();
        let may_start = !seen.free.is_empty() && seen.trials.len() < self.starts_max;
        let fate = dice.below(20);
        let work = if self.idles && fate == 0 {
            Work::Wait
        } else if may_start && (paused.is_empty() || fate < 7) {
            let own = (fresh != Fresh::Ready || dice.below(4) == 0)
                .then(|| self.proposal(&mut dice, seen));
            Work::New { until: dice.epoch(0, seen.epochs), bracket: dice.below(3) as u32, own }
        } else if paused.is_empty() {
            Work::Wait
        } else {
            let trial = TrialId(paused[dice.below(paused.len())]);
            let executed = seen.trial(trial).executed;
            match fate {
                7..11 => Work::Drop(trial),
                _ => Work::Resume { trial, until: dice.epoch(executed, seen.epochs) },
            }
        };
        if work == Work::Wait {
            // A worker without any row left for it is not asked at all.
            self.calls.pop();
        }
        work
    }

    fn at_until(&mut self, seen: &Seen, trial: TrialId) -> Fate {
        let mut dice = self.dice("at_until", seen, Some(trial));
        let executed = seen.trial(trial).executed;
        match dice.below(6) {
            0 => Fate::Stop,
            1 | 2 => Fate::Go { until: dice.epoch(executed, seen.epochs) },
            _ => Fate::Pause,
        }
    }

    fn ended(&mut self, seen: &Seen, trial: TrialId) {
        self.dice("ended", seen, Some(trial));
    }

    fn at_epoch(&mut self, seen: &Seen, trial: TrialId, epoch: Epoch) -> Verdict {
        assert_eq!(seen.trial(trial).executed, epoch.0);
        let mut dice = self.dice("at_epoch", seen, Some(trial));
        if dice.below(8) > 0 {
            return Verdict::Go;
        }
        let predicted = [None, Some(f64::NAN), Some(0.25), Some(-3.0)][dice.below(4)];
        Verdict::Stop { predicted }
    }

    fn looks(&self) -> Option<Looks> {
        self.stopper.clone()
    }

    fn looks_at_running(&self) -> bool {
        self.looks_at_running
    }

    fn is_over(&mut self, seen: &Seen) -> bool {
        // Most runs shall come to their ends.
        self.dice("is_over", seen, None).below(40) == 0 && self.seed.is_multiple_of(4)
    }
}
