//! Methods whose parameters are methods: how they are written, what they inherit, and that they do
//! what they wrap.

use curvebook::base::error::{Error, Fault};
use curvebook::methods::interface::{
    Arguments, Context, Entry, Looks, Method, Sampler, SamplerFactory, StopperFactory, Trait,
    describe, parameters, resolve,
};
use curvebook::methods::{samplers, stoppers};
use curvebook::replay::{Report, Settings, WarmStart};

use crate::replay_common::{accuracy, context, grid, loss, run_grid, unit_cost_pool};
use crate::toy_methods::{SAMPLERS, STOPPERS};

fn rule(text: &str) -> Method<StopperFactory> {
    resolve("--stopper", text, STOPPERS).unwrap_or_else(|e| panic!("{e}"))
}

fn fault(text: &str) -> Fault {
    match resolve("--stopper", text, STOPPERS) {
        Err(Error::Input(fault)) => *fault,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn methods_stand_within_methods_to_any_depth() {
    let one = "patient:rule=(etr1:tau=3,epsilon=0.05),patience=2";
    for (written, canonical) in [
        ("patient:rule=none", "patient:rule=(none),patience=2"),
        ("patient:rule=(none)", "patient:rule=(none),patience=2"),
        ("patient:patience=7,rule=( none )", "patient:rule=(none),patience=7"),
        ("patient:rule=(etr1:tau=3)", one),
        ("patient: rule = (etr1: tau = 3 , epsilon=5e-2) , patience = 2", one),
        ("patient:rule=(patient:rule=(etr1:tau=3),patience=4),patience=5", {
            "patient:rule=(patient:rule=(etr1:tau=3,epsilon=0.05),patience=4),patience=5"
        }),
        ("patient:rule=(patient:rule=none)", {
            "patient:rule=(patient:rule=(none),patience=2),patience=2"
        }),
    ] {
        let method = rule(written);
        assert_eq!(method.canonical, canonical, "{written}");
        let again = rule(canonical);
        assert_eq!((&again.canonical[..], &again.arguments), (canonical, &method.arguments));
    }
    let mut deep = "none".to_string();
    for _ in 0..100 {
        deep = format!("patient:rule=({deep}),patience=1");
    }
    assert_eq!(rule(&deep).canonical, deep);
    let deeper = fault(&format!("patient:rule=({deep})"));
    assert!(deeper.rule.contains("at most 100 deep"), "{deeper}");
}

#[test]
fn what_is_wrong_within_a_method_is_named_with_its_place() {
    // Text, field, value, and parts of the rule and the remedy.
    let cases = [
        ("patient", "patient:rule", "missing", "must be given", "patient:rule="),
        ("patient:rule=", "patient:rule", "", "must be a stopper", "write rule=(NAME)"),
        ("patient:rule=()", "patient:rule", "()", "must be a stopper", "write rule=(NAME)"),
        ("patient:rule=( ),patience=3", "patient:rule", "( )", "must be a stopper", "rule=(NAME)"),
        ("patient:rule=(etr1:tau=2", "patient:rule", "(etr1:tau=2", "is not closed", "rule=(NAME)"),
        ("patient:rule=((none)", "patient:rule", "((none)", "is not closed", "rule=(NAME)"),
        ("patient:rule=(none))", "patient:rule", "(none))", "nothing but a comma", "rule=(NAME)"),
        ("patient:rule=none)", "patient:rule", "none)", "around the whole", "rule=(NAME)"),
        ("patient:rule=(none)x", "patient:rule", "(none)x", "nothing but a comma", "rule=(NAME)"),
        ("patient:rule=etr1(tau=2)", "patient:rule", "etr1(tau=2)", "around the whole", "("),
        ("patient:rule=etr1:tau=2", "patient:rule", "etr1:tau=2", "parentheses", "(etr1:tau=2)"),
        ("patient:rule=(etr3)", "patient:rule", "etr3", "no such stopper", "did you mean `etr1`?"),
        // A sampler is not a rule, and neither is a number.
        ("patient:rule=(random)", "patient:rule", "random", "no such stopper", "one of: none"),
        ("patient:rule=3", "patient:rule", "3", "no such stopper", "one of: none"),
        ("patient:rule=(etr1:tua=2)", "patient:rule:etr1:tua", "2", "no such parameter", "tau"),
        ("patient:rule=(etr1:tau=0)", "patient:rule:etr1:tau", "0", "1 to 65535", "default is 1"),
        ("patient:rule=(none),rule=(none)", "patient:rule", "(none)", "twice", "remove one"),
        ("patient:rule=(none),(none)", "patient", "(none)", "name=value", "add `=`"),
        ("etr1:tau=(2)", "etr1:tau", "(2)", "a whole number 1 to 65535", "the default is 1"),
    ];
    for (text, field, value, rule, remedy) in cases {
        let fault = fault(text);
        assert_eq!(fault.file, "--stopper", "{text}");
        assert_eq!((&fault.field[..], &fault.value[..]), (field, value), "{text}: {fault}");
        assert!(fault.rule.contains(rule), "{text}: {fault}");
        assert!(fault.remedy.contains(remedy), "{text}: {fault}");
    }
    let nested = fault("patient:rule=(patient:rule=(etr1:epsilon=x))");
    assert_eq!(nested.field, "patient:rule:patient:rule:etr1:epsilon");
    // At the top nothing has changed.
    let top = resolve("--stopper", "etr3", stoppers::REGISTRY).unwrap_err().to_string();
    let rule = "--stopper: name = etr3: no such method; see `curvebook methods`; did you mean";
    assert!(top.starts_with(rule), "{top}");
}

#[test]
fn parentheses_mean_nothing_in_the_name_of_a_file() {
    for file in ["order (1).csv", "(order).csv", "a(b", "a)b", "(x"] {
        let text = format!("recorded:file={file}");
        let method = resolve("--sampler", &text, samplers::REGISTRY).unwrap();
        assert_eq!(method.canonical, text);
    }
}

#[test]
fn a_form_learns_of_which_registry_a_parameter_is() {
    let described = describe(STOPPERS);
    let patient = described.as_array().unwrap().iter().find(|m| m["name"] == "patient").unwrap();
    let rule = &patient["parameters"][0];
    assert_eq!((&rule["type"], &rule["registry"]), (&"method".into(), &"stoppers".into()));
    assert_eq!((&rule["required"], rule["default"].is_null()), (&true.into(), true));
    assert_eq!(rule["rule"], "a stopper, in parentheses if it has parameters");
    assert!(patient["parameters"][1].get("registry").is_none());
    let described = describe(SAMPLERS);
    let through = described.as_array().unwrap().iter().find(|m| m["name"] == "through").unwrap();
    assert_eq!(through["parameters"][0]["default"], "random");
}

#[test]
fn what_a_part_needs_the_whole_needs() {
    let traits = |text: &str| {
        let method = rule(text);
        let all = [Trait::GoalAware, Trait::NeedsChance, Trait::Predicts, Trait::NeverStops];
        all.map(|it| method.has(it))
    };
    assert_eq!(traits("none"), [false, false, false, true]);
    // That a part stops nothing does not say so of the whole.
    assert_eq!(traits("patient:rule=(none)"), [false; 4]);
    assert_eq!(traits("patient:rule=(etr1)"), [false, true, false, false]);
    assert_eq!(traits("patient:rule=(foresees)"), [false, false, true, false]);
    let told = [true, true, false, false];
    assert_eq!(traits("patient:rule=(despairs)"), told);
    assert_eq!(traits("patient:rule=(patient:rule=(patient:rule=(despairs)))"), told);
    let sampler = |text| resolve("--sampler", text, SAMPLERS).unwrap();
    assert!(sampler("through:sampler=(rf-ei:trees=3)").has(Trait::LearnsValues));
    assert!(!sampler("through").has(Trait::LearnsValues));
    assert!(sampler("aims").has(Trait::LearnsRanks));
    assert!(!sampler("through:sampler=aims").has(Trait::LearnsRanks));
    assert!(sampler("through:sampler=aims").has(Trait::GoalAware));
}

#[test]
fn the_grid_and_its_refusals_go_by_the_parts() {
    let pool = unit_cost_pool(&accuracy(Some(0.1)), 4, &[&[0.1, 0.2, 0.3, 0.4][..]; 6]);
    let goals = ["2", "3"];
    let with = |text: &str, report| {
        let settings = Settings { report, ..Settings::default() };
        let mut grid = grid("random", &["none"], &goals, 2, &settings);
        grid.stoppers = vec![rule(text)];
        grid
    };
    // Told the goal, it runs once a goal.
    assert_eq!(with("patient:rule=(despairs)", Report::Best).runs().unwrap(), 4);
    assert_eq!(with("patient:rule=(etr1)", Report::Best).runs().unwrap(), 2);
    let runs = run_grid(&with("patient:rule=(despairs)", Report::Best), &pool, 1).unwrap();
    assert!(runs.iter().all(|run| run.rows.len() == 1));
    assert_eq!(runs[0].rows[0].stopper, "patient:rule=(despairs),patience=2");
    // What predicts may report predictions, and what does not may not.
    with("patient:rule=(foresees)", Report::Predicted).check().unwrap();
    let refused = with("patient:rule=(etr1)", Report::Predicted).check().unwrap_err().to_string();
    assert!(refused.contains("predicts no final value"), "{refused}");
    // What fits values may not be told ranks, not even in a warm start.
    let mut ranked = with("none", Report::Ranked);
    ranked.samplers = vec![resolve("--sampler", "through:sampler=rf-ei", SAMPLERS).unwrap()];
    let refused = ranked.check().unwrap_err().to_string();
    assert!(refused.contains("fits the values that it is told"), "{refused}");
    let mut warm = with("none", Report::Ranked);
    warm.settings.warm_start = Some(WarmStart {
        trials: 1,
        sampler: ranked.samplers[0].clone(),
        stopper: rule("none"),
        epochs: None,
    });
    assert!(warm.check().unwrap_err().to_string().contains("fits the values"));
    // A part's own refusal of a table is the whole's.
    let pool = unit_cost_pool(&loss(None), 2, &[&[0.5, 0.5]]);
    let refused = rule("patient:rule=(etr2)").build(&context(&pool)).err().unwrap().to_string();
    assert!(refused.starts_with("small: metric.chance = missing: "), "{refused}");
}

#[test]
fn a_wrapped_sampler_does_what_it_does_by_itself() {
    let curves: Vec<[f64; 3]> = (0..12).map(|i| [0.1, 0.2, f64::from(i * 7 % 12) / 12.0]).collect();
    let curves: Vec<&[f64]> = curves.iter().map(|curve| &curve[..]).collect();
    let pool = unit_cost_pool(&accuracy(Some(0.1)), 3, &curves);
    let segments = |sampler: &str| {
        let settings = Settings { workers: 2, ..Settings::default() };
        let mut grid = grid("random", &["etr1"], &["0.9"], 3, &settings);
        grid.samplers = vec![resolve("--sampler", sampler, SAMPLERS).unwrap()];
        let runs = run_grid(&grid, &pool, 1).unwrap();
        runs.into_iter().map(|run| format!("{:?}", run.segments)).collect::<Vec<_>>()
    };
    for (sampler, wrapped) in [
        ("random", "through"),
        ("sobol", "through:sampler=sobol"),
        ("rf-ei:trees=5", "through:sampler=(through:sampler=(rf-ei:trees=5))"),
    ] {
        assert_eq!(segments(sampler), segments(wrapped), "{wrapped}");
    }
    assert_ne!(segments("random"), segments("through:sampler=sobol"));
}

#[test]
fn a_wrapped_rule_is_asked_when_it_looks_and_stops_later() {
    let low: &[f64] = &[0.1; 8];
    let pool = unit_cost_pool(&accuracy(Some(0.1)), 8, &[low, low]);
    let epochs = |text: &str| {
        let mut grid = grid("random", &["none"], &["2"], 1, &Settings::default());
        grid.stoppers = vec![rule(text)];
        let runs = run_grid(&grid, &pool, 1).unwrap();
        runs[0].segments.iter().map(|s| s.epochs.0).collect::<Vec<_>>()
    };
    // `thirds` looks at 2, 5 and 8, where there is nothing left to stop; `some` at 1, 3 and 4.
    assert_eq!(epochs("thirds"), [2, 2]);
    assert_eq!(epochs("patient:rule=(thirds)"), [5, 5]);
    assert_eq!(epochs("patient:rule=(thirds),patience=3"), [8, 8]);
    assert_eq!(epochs("patient:rule=(some),patience=3"), [4, 4]);
    assert_eq!(epochs("patient:rule=(patient:rule=(foresees)),patience=3"), [4, 4]);
    assert_eq!(epochs("patient:rule=(none)"), [8, 8]);
    let built = rule("patient:rule=(thirds)").build(&context(&pool)).unwrap();
    let run = curvebook::methods::interface::RunContext { seed: 0, repeat: 0, threads: 1 };
    let first = curvebook::base::units::Epoch(2);
    assert_eq!(built(&run).unwrap().looks(), Looks::From { first, step: 3 });
}

parameters! {
    #[derive(PartialEq)]
    struct Everything {
        /// A small number, from -3.
        small: i32 in -3..=3 = -1,
        /// Any count from one.
        count: u64 in 1..,
        /// A number, with its
        /// comment on two lines.
        share: f64 in -0.5..=0.5 = 1e-3,
        /// A positive number.
        positive: f64 in 0.0..,
        /// Any number.
        number: f64 = -2.5,
        /// One of three words.
        word: Word { One = "one", Two = "two-2", Three = "3" } = "two-2",
        /// One of two that must be given.
        must: Must { This = "this", That = "that" },
        /// A file.
        file: PathBuf,
        /// A sampler.
        sampler: Method<SamplerFactory> in crate::toy_methods::SAMPLERS = "random",
        /// A scheduler.
        scheduler: Method<SchedulerFactory> in crate::toy_methods::SCHEDULERS = "fifo",
        /// The last one, without a comma.
        byte: u8 in 0..=255 = 255
    }
}

static EVERYTHING: &[Entry<SamplerFactory>] = &[Entry {
    name: "everything",
    summary: "Has every kind of parameter.",
    citation: "a toy",
    parameters: Everything::SPECS,
    compared: &[],
    traits: &[],
    build: |arguments: &Arguments, context: &Context<'_>| {
        Everything::read(arguments)?.sampler.build(context)
    },
}];

#[test]
fn every_kind_of_parameter_is_declared_once_and_read_into_its_type() {
    let required = "count=9,positive=4,must=that,file=a b.csv";
    let method = resolve("--sampler", &format!("everything:{required}"), EVERYTHING).unwrap();
    assert_eq!(
        method.canonical,
        "everything:small=-1,count=9,share=0.001,positive=4,number=-2.5,word=two-2,must=that,\
         file=a b.csv,sampler=(random),scheduler=(fifo),byte=255"
    );
    let read = Everything::read(&method.arguments).unwrap();
    assert_eq!((read.small, read.count, read.byte), (-1, 9, 255));
    assert_eq!((read.share, read.positive, read.number), (0.001, 4.0, -2.5));
    assert_eq!((read.word, read.must), (Word::Two, Must::That));
    assert_eq!(read.file.to_str(), Some("a b.csv"));
    assert_eq!((&read.sampler.canonical[..], &read.scheduler.canonical[..]), ("random", "fifo"));
    let written = format!("everything:{required},word=3,small=3,scheduler=(rungs:rung=2)");
    let other = resolve("--sampler", &written, EVERYTHING).unwrap();
    let other = Everything::read(&other.arguments).unwrap();
    assert_eq!((other.word, other.small, other.must), (Word::Three, 3, Must::That));
    assert_eq!(other.scheduler.canonical, "rungs:rung=2");
    assert!(other != read && (Word::One, Must::This) != (other.word, other.must));

    let rules: Vec<String> = Everything::SPECS.iter().map(|spec| spec.kind.rule()).collect();
    assert_eq!(
        rules[..5],
        [
            "a whole number -3 to 3",
            "a whole number from 1",
            "a number -0.5 to 0.5",
            "a number from 0",
            "a finite number",
        ]
    );
    assert_eq!(Everything::SPECS[2].summary, "A number, with its comment on two lines.");
    let described = describe(EVERYTHING);
    let parameters = described[0]["parameters"].as_array().unwrap();
    let defaults: Vec<String> = parameters.iter().map(|p| p["default"].to_string()).collect();
    assert_eq!(defaults.join(" "), {
        r#"-1 null 0.001 null -2.5 "two-2" null null "random" "fifo" 255"#
    });
    // Arguments of another method are a fault of the program, and no panic.
    let none = resolve("--sampler", "random", SAMPLERS).unwrap();
    let message = Everything::read(&none.arguments).unwrap_err().to_string();
    assert!(message.contains("`small` is none of its registry entry"), "{message}");
    let pool = unit_cost_pool(&accuracy(None), 1, &[&[0.5]]);
    let built: Box<dyn Sampler> =
        method.build(&context(&pool)).unwrap()(&curvebook::methods::interface::RunContext {
            seed: 0,
            repeat: 0,
            threads: 1,
        });
    assert!(!built.looks_at_running());
}
