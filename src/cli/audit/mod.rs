//! `curvebook audit`.

mod text;

use std::path::{Path, PathBuf};

use app::audit::{
    Audit, HALVES, Halves, Rule, Settings, Source, TrialName, Unit, WINNERS, run as audit,
};
use app::error::fault;
use clap::Args;

use super::documents::{
    AuditChoice, AuditDocument, AuditEnded, AuditHalves, AuditRule, AuditTrial,
};
use super::import::Mapped;
use super::interrupt::Interrupt;
use super::{Format, output, progress};

/// Say what stopping rules would have done to trials that you have run.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  curvebook audit my-table
  curvebook audit optuna journal.log --goal maximize
  curvebook audit jsonl history.jsonl --metric val_acc --goal maximize --id run --epoch _step
  curvebook audit my-table --stopper median:variant=optuna,warmup=5 --stopper etr1:tau=3 --full
  curvebook audit my-table --winners 0.1 --halves 1000 --format json

It takes a table, or what another program recorded, with the options of `table import`. The trials
are replayed in their order, one after another, under the usual rules in some settings each: which
of them a rule would have ended, what that would have saved, and which of the best it would have
lost. A rule picked by such figures flatters itself. So the trials are split in two random halves,
again and again, the best rule of one half is judged on the other, and both are told. Trials that
were broken off count as far as they ran: what would have become of them nobody knows.")]
pub(super) struct Arguments {
    /// The directory of a table; or a format that `table import` reads, followed by its source.
    #[arg(value_name = "TABLE|FORMAT")]
    of: PathBuf,
    /// The file or directory that another program wrote.
    source: Option<PathBuf>,
    /// A rule to try instead of the usual ones; may be given several times.
    #[arg(long = "stopper", value_name = "RULE")]
    stoppers: Vec<String>,
    /// A scheduler to try; may be given several times.
    #[arg(long = "scheduler", value_name = "SCHEDULER")]
    schedulers: Vec<String>,
    /// The share of trials that count as winners, above 0 and at most 1.
    #[arg(long, default_value_t = WINNERS, value_name = "SHARE")]
    winners: f64,
    /// How often the trials are split in two; 0 leaves out how sure the choice is.
    #[arg(long, default_value_t = HALVES, value_name = "N")]
    halves: u32,
    /// The seed of the splits and of rules that draw.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Runs at once; one a core where this says nothing.
    #[arg(long)]
    threads: Option<usize>,
    /// Every setting of every rule, and the trials that the rule of choice would have ended.
    #[arg(long)]
    full: bool,
    #[command(flatten)]
    mapping: Mapped,
}

impl Arguments {
    fn source(&self) -> anyhow::Result<Source> {
        let of = self.of.to_string_lossy();
        match &self.source {
            Some(source) => {
                let settings = self.mapping.settings(&of, source, Path::new(""))?;
                Ok(Source::Recorded(Box::new(settings)))
            }
            None if self.mapping.is_given() => {
                let rule = "a table says itself what is what";
                let remedy = "leave the options of an import out, or name a format before the file";
                Err(fault("command line", "TABLE", of, rule, remedy).into())
            }
            None => Ok(Source::Table(self.of.clone())),
        }
    }
}

pub(super) fn run(arguments: &Arguments, format: Format) -> anyhow::Result<()> {
    let settings = Settings {
        stoppers: arguments.stoppers.clone(),
        schedulers: arguments.schedulers.clone(),
        winners: arguments.winners,
        halves: arguments.halves,
        seed: arguments.seed,
        ..Settings::of(arguments.source()?)
    };
    let settings = settings.with_threads(arguments.threads)?;
    let interrupt = Interrupt::default();
    let audit = audit(&settings, &progress::Runs::new(&interrupt), interrupt.flag())?;
    match format {
        Format::Json => output::print_json(&document(&audit)),
        Format::Text => output::print(&text::render(&audit, arguments.full)),
    }
}

fn trial(name: &TrialName) -> AuditTrial<'_> {
    AuditTrial { config_id: name.config, source_id: name.name.as_deref() }
}

fn document(audit: &Audit) -> AuditDocument<'_> {
    let choice = audit.choice.map(|at| AuditChoice {
        scheduler: &audit.rules[at].scheduler,
        stopper: &audit.rules[at].stopper,
    });
    AuditDocument {
        format: "curvebook-audit",
        version: 1,
        table: &audit.table,
        metric: &audit.metric,
        direction: match audit.direction {
            app::audit::Direction::Maximize => "maximize",
            app::audit::Direction::Minimize => "minimize",
        },
        trials: audit.trials,
        trials_without_curve: audit.without_curve,
        trials_truncated: audit.truncated,
        unit: match audit.unit {
            Unit::Seconds => "seconds",
            Unit::Epochs => "epochs",
        },
        cost: audit.cost,
        best: audit.best,
        best_trial: trial(&audit.best_trial),
        threshold: audit.threshold,
        winners: audit.winners.iter().map(trial).collect(),
        choice,
        elsewhere: audit.elsewhere.as_ref().map(|of| halves(&of.judged, Some(of.none))),
        rules: audit.rules.iter().map(rule).collect(),
        skipped: audit.skipped.iter().map(|of| (of.rule.as_str(), of.why.as_str())).collect(),
    }
}

fn rule(rule: &Rule) -> AuditRule<'_> {
    let ended = rule.ended.iter().map(|(name, end)| AuditEnded {
        trial: trial(name),
        epochs: end.epochs.0,
        of_epochs: end.of.0,
        saved: end.saved,
        lost_winner: end.is_lost_winner,
    });
    AuditRule {
        scheduler: &rule.scheduler,
        stopper: &rule.stopper,
        saved: rule.whole.saved,
        winners: rule.whole.winners,
        winners_lost: rule.whole.winners_lost,
        best_lost: rule.whole.lost_best(),
        regret: rule.whole.regret,
        halves: rule.halves.as_ref().map(|of| halves(of, None)),
        ended: ended.collect(),
    }
}

fn halves(of: &Halves, without_rule: Option<usize>) -> AuditHalves {
    let [saved_low, saved_median, saved_high] = of.saved;
    AuditHalves {
        halves: of.halves,
        saved_low,
        saved_median,
        saved_high,
        best_lost: of.lost_best,
        winners_lost: of.winners_lost,
        without_rule,
    }
}
