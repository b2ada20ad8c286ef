//! What people expect of a program beside its work: completions, manual pages, examples.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::command_line::{done, refused};

#[test]
fn every_shell_completes_every_command() {
    let dir = TempDir::new().unwrap();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = done(dir.path(), &format!("completions {shell}"));
        for word in ["replay", "audit", "warm-start-sampler", "extrapolate"] {
            assert!(script.contains(word), "{shell} does not know {word}");
        }
    }
}

#[test]
fn every_command_has_a_manual_page_and_other_files_stay() {
    let dir = TempDir::new().unwrap();
    let said = done(dir.path(), "man --out pages");
    let pages = dir.path().join("pages");
    let names: Vec<String> = fs::read_dir(&pages)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(said.contains(&format!("{} pages", names.len())), "{said}");
    // What the help lists, the pages are about.
    let help = done(dir.path(), "--help");
    let listed = help.split_once("Commands:\n").unwrap().1.split_once("\n\n").unwrap().0;
    let commands: Vec<(&str, &str)> =
        listed.lines().filter_map(|line| line.trim().split_once("  ")).collect();
    assert!(commands.len() > 12, "{listed}");
    for (command, about) in commands.into_iter().filter(|(command, _)| *command != "help") {
        let page = fs::read_to_string(pages.join(format!("curvebook-{command}.1"))).unwrap();
        // A page has hyphens and apostrophes of its own.
        let first: String = about.trim().chars().take_while(|c| c.is_alphabetic()).collect();
        assert!(page.contains(&format!("curvebook\\-{command} \\- {first}")), "{page}");
    }
    assert!(help.contains("replay       Replay experiments against a table"), "{help}");
    // A page is written anew; a file of somebody else stops it all.
    let replay = pages.join("curvebook-replay.1");
    fs::write(&replay, ".TH curvebook-replay 1\nan older edition").unwrap();
    done(dir.path(), "man --out pages");
    assert!(!fs::read_to_string(&replay).unwrap().contains("an older edition"));
    fs::write(&replay, "my own notes").unwrap();
    let place = Path::new("pages").join("curvebook-replay.1").display().to_string();
    let parts = ["man", "--out", &place, "no manual page of curvebook", "another directory"];
    refused(dir.path(), "man --out pages", parts);
    assert_eq!(fs::read_to_string(&replay).unwrap(), "my own notes");
}

#[test]
fn the_example_trains_and_is_studied() {
    let dir = TempDir::new().unwrap();
    let said = done(dir.path(), "example mine");
    assert!(said.contains("curvebook study mine/study.toml --out mine/results"), "{said}");
    let parts = ["example", "file", "space.toml", "nothing is overwritten", "another directory"];
    refused(dir.path(), "example mine", parts);
    fs::remove_file(dir.path().join("mine/space.toml")).unwrap();
    let parts = ["example", "file", "study.toml", "nothing is overwritten", "another directory"];
    refused(dir.path(), "example mine", parts);
    done(dir.path(), "example fresh");
    let train = "train --space fresh/space.toml --configs 8 --epochs 2 --train-size 64 --val-size \
                 32 --test-size 32 --device cpu --out fresh/table";
    done(dir.path(), train);
    let answer = done(dir.path(), "study fresh/study.toml --out fresh/results");
    assert!(answer.contains("tpe + hyperband"), "{answer}");
    assert!(dir.path().join("fresh/results/report.html").exists());
}
