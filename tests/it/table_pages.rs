//! Pages about tables: on whatever a table holds they draw what there is, and say what there is
//! not.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::command_line::{Ran, done, run};
use crate::table_common::write_table;

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn shipped() -> String {
    format!("{}/tables/digits-lenet", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_shipped_table_is_drawn_whole_and_the_same_twice() {
    let t = TempDir::new().unwrap();
    let table = shipped();
    done(t.path(), &format!("table plot {table} --out a.html --plots plots"));
    done(t.path(), &format!("table plot {table} --out b.html"));
    let html = text(&t.path().join("a.html"));
    assert_eq!(html, text(&t.path().join("b.html")));
    let plots = [
        "curves",
        "bands",
        "values",
        "costs",
        "tuning",
        "told",
        "near",
        "importance",
        "importance-best",
        "marginals",
        "pairs",
        "rule-1",
        "rule-2",
    ];
    for plot in plots {
        assert!(html.contains(&format!("id=\"{plot}\"")), "{plot}");
        assert!(t.path().join(format!("plots/{plot}.svg")).exists(), "{plot}");
    }
    assert!(html.len() < 3_000_000, "{} bytes", html.len());
    // Three groups of a hundred curves of thirty epochs, and a header.
    let csv = text(&t.path().join("plots/curves.csv"));
    assert_eq!(csv.lines().count(), 1 + 3 * 100 * 30);
    let bars = text(&t.path().join("plots/importance.csv"));
    assert!(bars.lines().nth(1).unwrap().starts_with("learning_rate,0.4"), "{bars}");
    // Another seed draws others.
    done(t.path(), &format!("table plot {table} --out c.html --seed 1"));
    assert!(text(&t.path().join("c.html")) != html);
}

#[test]
fn a_picture_of_curves_is_a_file_by_itself() {
    let t = TempDir::new().unwrap();
    write_table(&t.path().join("T"), 12, 16);
    done(t.path(), "table plot T --out curves.svg");
    done(t.path(), "table plot T --out curves.svg");
    let svg = text(&t.path().join("curves.svg"));
    assert!(svg.starts_with("<svg ") && svg.contains("<title>Learning curves of "));
    done(t.path(), "table plot T --out curves.png");
    let png = fs::read(t.path().join("curves.png")).unwrap();
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    for refused in [
        // Whose pixels they are does not show.
        "table plot T --out curves.png",
        "table plot T --out curves.gif",
        "table plot T --out curves",
        "table plot nowhere --out x.html",
        "table plot T --out nowhere/x.html",
        "table plot T --out x.html --cost val_loss_of_nobody",
    ] {
        let Ran { code, stderr, .. } = run(t.path(), refused);
        assert_eq!(code, Some(1), "{refused}: {stderr}");
    }
    done(t.path(), "table plot T --out curves.png --force");
    assert!(done(t.path(), "table plot T --out -").starts_with("<!DOCTYPE html>"));
}

#[test]
fn a_small_table_has_a_page_without_nan() {
    for rows in [1, 2, 7] {
        let t = TempDir::new().unwrap();
        write_table(&t.path().join("T"), rows, 16);
        done(t.path(), "table plot T --out page.html");
        let html = text(&t.path().join("page.html"));
        let body = html.split("<main>").nth(1).unwrap().split("</main>").next().unwrap();
        for word in ["NaN", "Infinity", "undefined"] {
            assert!(!body.contains(word), "{rows} rows: {word}");
        }
        assert!(body.contains("id=\"curves\""), "{rows} rows");
    }
}
