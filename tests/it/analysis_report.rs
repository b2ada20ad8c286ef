//! What reports say of runs, in words and in every format.

use curvebook::answers::analysis::Analysis;
use curvebook::answers::report::{self, Shown, Sort, sorted};
use curvebook::replay::EndReason;
use curvebook::store::runs::RunRow;

use crate::analysis::{analysed, goals, row, rows};

const ETR1: &str = "etr1:tau=1,epsilon=0.05";
const ETR1_LATE: &str = "etr1:tau=9,epsilon=0.05";

/// Runs that all reached the goal, with what a rule did in each of them.
fn ruled(stopper: &str, times: &[f64], [stopped, met, killed]: [u32; 3]) -> Vec<RunRow> {
    let mut all = rows(stopper, &goals(times));
    for row in &mut all {
        row.stopped_trials = stopped;
        row.saved_s = Some(2.0 * f64::from(stopped));
        (row.goal_rows_met, row.goal_rows_stopped) = (Some(met), Some(killed));
    }
    all
}

fn none() -> Vec<RunRow> {
    ruled("none", &[10.0; 12], [0, 1, 0])
}

fn first_line(analysis: &Analysis) -> String {
    let text = report::text::render_as(analysis, Shown { width: 400, full: false, plot: false });
    text.lines().next().unwrap().to_string()
}

fn said(other: Vec<RunRow>) -> String {
    first_line(&analysed(&[none(), other].concat()))
}

#[test]
fn the_sentence_says_who_is_sooner_and_what_it_kills() {
    let sooner = "On digits, etr1 reaches top 0.5 % 2.00 x sooner than going without a rule \
                  (95 %: 2.00 to 2.00), and kills";
    let fast = [5.0; 12];
    assert_eq!(said(ruled(ETR1, &fast, [3, 2, 0])), format!("{sooner} no goal row."));
    let kills = format!("{sooner} 12 of the 24 goal rows that it meets.");
    assert_eq!(said(ruled(ETR1, &fast, [3, 2, 1])), kills);
    // A rule that ended nothing, and runs of older files, say nothing of kills.
    assert!(said(ruled(ETR1, &fast, [0, 1, 0])).ends_with("2.00 to 2.00)."));
    assert!(said(rows(ETR1, &goals(&fast))).ends_with("2.00 to 2.00)."));

    let slower = said(ruled(ETR1, &[20.0; 12], [3, 2, 1]));
    let wanted = "On digits, no method reaches top 0.5 % sooner than going without a rule, in \
                  10.0 s; the next, etr1, has 0.500 x its speed (95 %: 0.500 to 0.500).";
    assert_eq!(slower, wanted);
    let mut mixed = [1.0; 12];
    mixed[..5].fill(90.0);
    assert!(said(ruled(ETR1, &mixed, [3, 2, 0])).contains("no method surely reaches"));

    let never = rows(ETR1, &[(EndReason::Exhausted, 99.0); 12]);
    let wanted = "On digits, going without a rule reaches top 0.5 % in 10.0 s, no other method \
                  in half of its runs.";
    assert_eq!(said(never.clone()), wanted);
    let baseline_never = [rows("none", &[(EndReason::Exhausted, 99.0); 12]), none()].concat();
    let baseline_never: Vec<RunRow> = baseline_never
        .into_iter()
        .enumerate()
        .map(|(at, r)| if at < 12 { r } else { RunRow { stopper: ETR1.into(), ..r } })
        .collect();
    let wanted = "On digits, etr1 reaches top 0.5 % in 10.0 s; going without a rule reaches it \
                  in 0 of 12 runs.";
    assert_eq!(first_line(&analysed(&baseline_never)), wanted);
    let nobody = [rows("none", &[(EndReason::Exhausted, 99.0); 12]), never].concat();
    let analysis = analysed(&nobody);
    assert_eq!(first_line(&analysis), "On digits, no run of any method reaches top 0.5 %.");
    // Never against never is no speed of 0, and not unknown.
    let text = report::text::render(&analysis);
    assert!(text.contains("both never") && !text.contains("0x") && !text.contains('?'), "{text}");

    let alone = first_line(&analysed(&none()));
    let wanted = "On digits, random reaches top 0.5 % in 10.0 s (median of 12 runs; 95 %: 10.0 s \
                  to 10.0 s).";
    assert_eq!(alone, wanted);
}

#[test]
fn medians_of_no_time_have_no_ratio_and_the_table_says_why() {
    let all = [rows("none", &goals(&[0.0; 12])), rows(ETR1, &goals(&[0.0; 12]))].concat();
    let text = report::text::render(&analysed(&all));
    assert!(text.contains("both at once") && !text.contains("too little is known"), "{text}");
}

#[test]
fn what_a_rule_did_stands_in_every_format() {
    let all = [none(), ruled(ETR1, &[5.0; 12], [3, 2, 1])].concat();
    let analysis = analysed(&all);
    // 10 + repeat trials a run: 186 in all.
    let text = report::text::render(&analysis);
    for cell in ["12/24", "36/186", "72.0 s"] {
        assert!(text.contains(&format!(" {cell} ")), "{cell} is not in\n{text}");
    }
    let json: serde_json::Value = serde_json::from_str(&report::json::render(&analysis)).unwrap();
    let method = &json["goals"][0]["methods"][1];
    let found = ["trials", "stopped_trials", "saved_s", "goal_rows_met", "goal_rows_stopped"]
        .map(|name| method[name].as_f64().unwrap());
    assert_eq!(found, [186.0, 36.0, 72.0, 24.0, 12.0]);
    assert_eq!(method["label"], "etr1");
    assert!(json["goals"][0]["sentence"].as_str().unwrap().contains("2.00 x sooner"));

    let csv = report::csv::render(&analysis);
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[2].contains("\"etr1:tau=1,epsilon=0.05\""), "{csv}");
    assert!(lines[2].ends_with(",186,36,72.0,24,12"), "{csv}");
    assert!(lines[0].ends_with(",trials,stopped_trials,saved_s,goal_rows_met,goal_rows_stopped"));

    let latex = report::latex::render(&analysis);
    assert!(latex.contains("\\item On digits, etr1 reaches"), "{latex}");
    assert!(latex.contains("\netr1 & 12/12 & ") && latex.contains("\n\\midrule\n"), "{latex}");
    // A column for the label, and one for each of the others.
    let columns = latex.split("\\begin{tabular}{l").nth(1).and_then(|t| t.find('}')).unwrap();
    let row = latex.lines().find(|line| line.starts_with("etr1 &")).unwrap();
    assert!(row.matches(" & ").count() == columns && row.ends_with(" \\\\"), "{row}");
    let opened = |what: &str| latex.matches(what).count();
    for block in ["itemize", "table", "tabular"] {
        let (begin, end) = (format!("\\begin{{{block}}}"), format!("\\end{{{block}}}"));
        assert!(opened(&begin) == opened(&end) && opened(&end) > 0, "{block} in {latex}");
    }
    let markdown = report::markdown::render(&analysis);
    assert!(markdown.starts_with("- On digits, etr1 reaches"), "{markdown}");
    assert!(markdown.contains("| etr1 | 12/12 |") && markdown.contains("|---|--:|"), "{markdown}");
    // Older files do not know: nothing is claimed.
    let older = [rows("none", &goals(&[10.0; 12])), rows(ETR1, &goals(&[5.0; 12]))].concat();
    let older = analysed(&older);
    assert_eq!(older.goals[0].answers[1].ended.goal_rows_met, None);
    assert!(!report::text::render(&older).contains("killed"));
}

#[test]
fn notes_name_rules_that_end_nothing_or_everything() {
    let idle = analysed(&[none(), ruled(ETR1, &[10.0; 12], [0, 1, 0])].concat());
    let notes: Vec<&str> = idle.notes.iter().map(|n| n.what.as_str()).collect();
    assert_eq!(notes, ["goal top:0.005 on digits: `etr1:tau=1,epsilon=0.05` ended no trial"]);
    let mut all = ruled(ETR1, &[10.0; 12], [0, 1, 0]);
    for row in &mut all {
        row.stopped_trials = row.trials;
    }
    let every = analysed(&[none(), all].concat());
    assert!(every.notes[0].what.ends_with("ended every trial"), "{:?}", every.notes);
}

#[test]
fn the_note_on_pairs_left_out_is_true_under_one_budget() {
    use EndReason::{Budget, Exhausted, Goal};
    let ends = |end| [(Goal, 3.0), (Goal, 5.0), (Budget, 10.0), end];
    let both = |end| {
        let base = rows("none", &ends((Budget, 10.0)));
        let analysis = analysed(&[base, rows(ETR1, &ends(end))].concat());
        let note = analysis.notes.iter().find(|n| n.what.contains("leave out")).cloned();
        note.map(|n| format!("{}; {}", n.what, n.remedy))
    };
    let note = both((Exhausted, 8.0)).unwrap();
    assert!(note.contains("up to 2 of 4 pairs: the budget of 10 s cut one run"), "{note}");
    assert!(!note.contains("different times") && !note.contains("one --budget-seconds"), "{note}");
    assert!(both((Budget, 12.0)).unwrap().contains("cut at different times"));
    assert_eq!(both((Budget, 10.0)), None);
}

#[test]
fn labels_are_the_same_at_any_width_and_no_line_is_wider() {
    let times = |scale: f64| (0..12).map(|i| scale * f64::from(1 + (i * 37) % 12)).collect();
    let runs = |stopper: &str, scale| ruled(stopper, Vec::as_slice(&times(scale)), [3, 2, 1]);
    let all = [none(), runs(ETR1, 1.0), runs(ETR1_LATE, 2.0)].concat();
    let analysis = analysed(&all);
    for width in [72, 80, 118, 200] {
        for full in [false, true] {
            let text = report::text::render_as(&analysis, Shown { width, full, plot: false });
            let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= width, "{widest} > {width}\n{text}");
            for label in ["│ etr1 tau=1 ", "│ etr1 tau=9 ", "etr1 tau=9 = etr1:tau=9,epsilon=0.05"]
            {
                assert!(text.contains(label), "{label} is not in\n{text}");
            }
            assert!(text.contains("speed-up"), "{text}");
        }
    }
}

#[test]
fn methods_are_sorted_and_many_fit_on_a_screen() {
    let mut all = none();
    for tau in 0..40 {
        let killed = u32::from(tau % 2 == 0);
        let times = [f64::from(100 - tau); 12];
        all.extend(ruled(&format!("etr1:tau={tau:02},epsilon=0.05"), &times, [3, 2, killed]));
    }
    let analysis = analysed(&all);
    let first = |by| {
        let analysis = sorted(analysis.clone(), by);
        analysis.methods[analysis.goals[0].answers[0].method].stopper.clone()
    };
    assert_eq!(first(Sort::Given), "none");
    assert_eq!(first(Sort::Time), "none");
    assert_eq!(first(Sort::Name), "etr1:tau=00,epsilon=0.05");
    let by_killed = sorted(analysis.clone(), Sort::Killed);
    let last = by_killed.goals[0].answers.last().unwrap().ended.killed();
    assert_eq!(last, Some((12, 24)));

    let screen = report::text::render_as(&analysis, Shown::default());
    assert!(screen.lines().count() < 45, "{screen}");
    assert!(screen.contains("the soonest of 41: --full shows all") && screen.contains("baseline"));
    let full = report::text::render(&analysis);
    assert!(full.contains("etr1 tau=00") && full.lines().count() > 120);
}

#[test]
fn several_tables_end_in_one_summary() {
    let mut all = [none(), ruled(ETR1, &[5.0; 12], [3, 2, 1])].concat();
    let elsewhere: Vec<RunRow> =
        all.iter().map(|r| RunRow { table: "mnist".into(), ..r.clone() }).collect();
    assert!(!report::text::render(&analysed(&all)).contains("Over "));
    all.extend(elsewhere);
    // On the other table the rule is eight times as fast.
    for row in all.iter_mut().filter(|r| r.table == "mnist" && r.stopper == ETR1) {
        *row =
            RunRow { table: "mnist".into(), ..self::row(ETR1, row.repeat, EndReason::Goal, 1.25) };
        row.saved_s = Some(1.0);
        (row.goal_rows_met, row.goal_rows_stopped) = (Some(3), Some(0));
    }
    let text = report::text::render_as(&analysed(&all), Shown::default());
    let summary = text.split_once("Over 2 tables and 2 goals in all").expect(&text).1;
    let line = summary.lines().find(|line| line.starts_with("│ etr1 ")).unwrap();
    let cells: Vec<&str> = line.split(['│', '┆']).map(str::trim).collect();
    // Soonest on both, surely sooner on both, the root of 2 x 8, 12 + 0 of 24 + 36.
    assert_eq!(cells[1..7], ["etr1", "2/2", "2/2", "0/2", "4.00x", "12/60"], "{text}");
    assert!(text.contains("On digits, etr1") && text.contains("On mnist, etr1"), "{text}");
}

#[test]
fn runs_of_two_tables_with_one_name_are_not_pooled() {
    use curvebook::answers::analysis::Runs;
    let hashed = |stopper: &str, hash: &str| -> Vec<RunRow> {
        let of = |r: RunRow| RunRow { table_hash: hash.into(), ..r };
        rows(stopper, &goals(&[5.0; 3])).into_iter().map(of).collect()
    };
    let both = |a: &str, b: &str| Runs::from_rows(&[hashed("none", a), hashed(ETR1, b)].concat());
    let refused = both("aaaabbbbcccc", "ddddeeeeffff").unwrap_err().to_string();
    assert!(refused.contains("column table = digits: two tables have this name, aaaabbbb..."));
    // Older files do not say which table it was.
    for (a, b) in [("aaaa", "aaaa"), ("", "aaaa"), ("aaaa", ""), ("", "")] {
        assert_eq!(both(a, b).unwrap().len(), 6);
    }
}
