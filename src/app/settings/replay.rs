//! The settings of `replay` and of studies.

use super::{Kind, Range, Setting, THREADS, Word};

const fn word(word: &'static str) -> Word {
    Word { word, help: "" }
}

const COUNT_MAX: u64 = u32::MAX as u64;

/// In the order of the help. What is not of the call may stand in a study file.
pub const REPLAY: &[Setting] = &[
    Setting::new("tables", Kind::Paths, "The table's directory")
        .option_is("table")
        .required("a list of table directories"),
    Setting::new(
        "samplers",
        Kind::Texts,
        "Proposes the next configuration (`curvebook methods`). May be given several times, as may \
         --stopper, --scheduler and --goal: the grid of them runs",
    )
    .option_is("sampler")
    .value_name("SAMPLERS")
    .default("random"),
    Setting::new(
        "stoppers",
        Kind::Texts,
        "A rule that ends trials early, such as etr1:tau=1,epsilon=0.05",
    )
    .option_is("stopper")
    .value_name("STOPPERS")
    .default("none"),
    Setting::new("schedulers", Kind::Texts, "Decides which trial runs next and for how long")
        .option_is("scheduler")
        .value_name("SCHEDULERS")
        .default("fifo"),
    Setting::new(
        "methods",
        Kind::Texts,
        "Methods that run together, as answers label them, \"rf-ei + asha + etr1\", beside the \
         grid of --sampler, --scheduler and --stopper, or alone where none of these is given",
    )
    .option_is("method")
    .value_name("METHODS"),
    Setting::new(
        "preset",
        Kind::Text,
        "Sampler, scheduler, stopper and report together, as a program that people know has them \
         (`curvebook methods` lists them); what it expands to is said",
    )
    .value_name("NAME"),
    Setting::new(
        "goals",
        Kind::Texts,
        "When a run is over: a value of the metric (0.992 or 99.2%), or the value that the best \
         share of the table (top:0.005 or top:0.5%) or so many of its rows (rank:50) reach",
    )
    .option_is("goal")
    .value_name("GOALS")
    .required("a list of goals such as top:0.005"),
    Setting::new(
        "repeats",
        Kind::count(COUNT_MAX, "an empty grid has no runs", "give at least one"),
        "Repeats of each experiment, each with its own random numbers",
    )
    .noun_is("count")
    .default("50"),
    Setting::new(
        "workers",
        Kind::count(COUNT_MAX, "must be 1 or more", "give 1 or more"),
        "Trials that run at once",
    )
    .default("1"),
    Setting::new(
        "value",
        Kind::Word(&[word("best"), word("final")]),
        "What a trial's value is: its best executed epoch or its last",
    )
    .default("best"),
    Setting::new(
        "report",
        Kind::Text,
        "What a stopped trial tells the sampler: best, last, predicted, ignore, worst or ranked",
    )
    .default("best"),
    Setting::new(
        "on_nan",
        Kind::Word(&[word("continue"), word("stop")]),
        "What a NaN epoch does to its trial",
    )
    .default("continue"),
    Setting::new(
        "budget_seconds",
        Kind::Seconds,
        "Simulated seconds after which trials are cut; 90s, 1.5m, 2h and 1d too",
    )
    .noun_is("seconds"),
    Setting::new(
        "max_trials",
        Kind::count(COUNT_MAX, "a run needs a trial", "allow at least one, or leave it out"),
        "How many trials may start in a run; those that run then still finish",
    )
    .noun_is("trials"),
    Setting::new(
        "end",
        Kind::Text,
        "When a run is over though no goal is met (`curvebook methods`): stagnation:trials=30 or \
         plateau. Such a run counts as cut short, not as one that failed",
    )
    .value_name("ENDING")
    .default("never"),
    Setting::new(
        "seed",
        Kind::whole(0, u64::MAX),
        "Master seed: the same seed gives the same runs, whatever the machine",
    )
    .default("0"),
    Setting::new(
        "cost",
        Kind::Text,
        "The column of curves.parquet that an epoch is charged, instead of its seconds",
    )
    .value_name("COLUMN"),
    Setting::new(
        "curve_repeat",
        Kind::TextOrWhole,
        "Which recorded training of a configuration is replayed: its number, or `draw` for one \
         drawn for each (seed, repeat, configuration), the same for every method",
    )
    .value_name("R|draw")
    .default("0"),
    Setting::new(
        "rows",
        Kind::Text,
        "Replay a block of the table: the configurations from id A to before B, as a table of its \
         own. Disjoint blocks of Sobol points test a claim again",
    )
    .value_name("A..B"),
    Setting::new(
        "where",
        Kind::Text,
        "Replay the configurations alone of which this holds: comparisons (< <= > >= = !=) of \
         hyperparameters and other columns of configs.parquet, joined by `and`, such as \
         \"params <= 50000 and activation = relu\". Nothing holds of a null",
    )
    .value_name("CONDITION"),
    Setting::new(
        "metric",
        Kind::Text,
        "The column of curves.parquet to be made better instead of the table's metric: val_loss, \
         val_f1_macro. Of a column that is not the trainer's say which way, reward:maximize. \
         Columns on test images are never shown to a method",
    )
    .value_name("COLUMN"),
    Setting::new(
        "objective",
        Kind::Text,
        "What is to be made better instead, as arithmetic (+ - * / ( ) log10 ln sqrt) over columns \
         of the curves and of the configurations: \"val_accuracy - 0.01*log10(params)\". It is \
         maximised unless :minimize follows",
    )
    .value_name("EXPRESSION"),
    Setting::new(
        "restart",
        Kind::Flag,
        "Resumed trials run their earlier epochs again, at their cost",
    ),
    Setting::new(
        "trial_overhead",
        Kind::Seconds,
        "Simulated seconds added to each start and resume of a trial",
    )
    .noun_is("seconds")
    .value_name("SECONDS")
    .default("0"),
    Setting::new(
        "resume_cost",
        Kind::Seconds,
        "Simulated seconds that each resume of a paused trial takes, for its checkpoint",
    )
    .noun_is("seconds")
    .value_name("SECONDS")
    .default("0"),
    Setting::new(
        "charge_setup",
        Kind::Flag,
        "Charge a start what the table recorded before its first epoch (`setup_seconds`)",
    ),
    Setting::new(
        "overhead",
        Kind::Text,
        "What choosing a new trial is charged: none, fixed:SECONDS, or measured (the real time it \
         takes here, which no two runs agree on)",
    )
    .default("none"),
    Setting::new(
        "warm_start.trials",
        Kind::count(
            COUNT_MAX,
            "a warm start begins with a trial",
            "give at least one, or leave the warm start out",
        ),
        "Begin every run with so many trials of another sampler, charged like all others; the \
         methods proper then start with what these learned",
    )
    .value_name("N"),
    Setting::new("warm_start.sampler", Kind::Text, "The sampler of the warm start")
        .value_name("SAMPLER")
        .default("random"),
    Setting::new("warm_start.stopper", Kind::Text, "The stopper of the warm start")
        .value_name("STOPPER")
        .default("none"),
    Setting::new(
        "warm_start.epochs",
        Kind::Whole(Range {
            low: 1,
            high: u16::MAX as u64,
            rule: None,
            remedy: Some("leave it out for whole curves"),
        }),
        "Trials of the warm start pause here, and a scheduler that pauses may resume them",
    )
    .value_name("E"),
    Setting::new(
        "threads",
        Kind::Whole(THREADS),
        "Runs at once; one a core where this says nothing. Results do not depend on it",
    )
    .of_the_call(),
    Setting::new(
        "out",
        Kind::Path,
        "Write one row a run and goal to this Parquet file; - is standard output",
    )
    .of_the_call(),
    Setting::new(
        "trace",
        Kind::Path,
        "Write one row a segment of a trial to this Parquet file; - is standard output",
    )
    .of_the_call(),
    Setting::new(
        "force",
        Kind::Flag,
        "Let --out and --trace replace files that curvebook did not write; inputs never are",
    )
    .of_the_call(),
    Setting::new(
        "no_analysis",
        Kind::Flag,
        "Print no answers: for millions of runs, which then take no more memory than a few",
    )
    .of_the_call(),
    Setting::new(
        "baseline",
        Kind::Text,
        "The method to compare with: its label, its canonical text, or parts that fit one method \
         alone",
    ),
];
