//! `curvebook table prior`: priors made from a table, and the sampler that reads them.

use std::fs;

use serde_json::Value as Json;
use tempfile::TempDir;

use crate::command_line::{done, refused, run, with_table};

fn prior(t: &TempDir, kind: &str) -> Json {
    let text = done(t.path(), &format!("table prior T --kind {kind} --format json"));
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_best_the_middle_and_the_worst_are_found_by_rank() {
    let t = with_table();
    let json = done(t.path(), "table info T --format json");
    let info: Json = serde_json::from_str(&json).unwrap();
    let of = |kind: &str| prior(&t, kind)["value"].as_f64();
    assert_eq!(of("good"), info["best_value"].as_f64());
    assert_eq!(prior(&t, "good")["config_id"], info["best_config"]);
    let (good, medium, bad) = (of("good").unwrap(), of("medium").unwrap(), of("bad"));
    assert!(good > medium && bad.is_none_or(|bad| bad < medium), "{good} {medium} {bad:?}");
    assert_eq!(prior(&t, "good")["config_id"], prior(&t, "off-centre")["config_id"]);
    assert_ne!(prior(&t, "good")["centers"], prior(&t, "off-centre")["centers"]);
}

#[test]
fn the_sampler_reads_what_is_printed() {
    let t = with_table();
    for kind in ["good", "medium", "bad", "off-centre"] {
        let text = done(t.path(), &format!("table prior T --kind {kind} --confidence 0.9"));
        assert_eq!(text, done(t.path(), &format!("table prior T --kind {kind} --confidence 0.9")));
        fs::write(t.path().join("p.toml"), &text).unwrap();
        let replay = "replay --table T --sampler prior:file=p.toml,mix=none --goal rank:1 \
                      --repeats 3";
        done(t.path(), replay);
        assert!(text.contains("confidence = 0.9"), "{text}");
    }
}

#[test]
fn what_no_prior_can_be_is_refused() {
    let t = with_table();
    let parts = ["--kind", "kind", "god", "must be good, medium, bad or off-centre", "`good`"];
    refused(t.path(), "table prior T --kind god", parts);
    let parts = ["--confidence", "confidence", "1", "0 to 0.999", "high"];
    refused(t.path(), "table prior T --kind bad --confidence 1", parts);
    assert_eq!(run(t.path(), "table prior nowhere --kind bad").code, Some(1));
}
