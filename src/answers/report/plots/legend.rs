//! What is what, below a plot.

use plotters::element::{PathElement, Rectangle};
use plotters::style::text_anchor::{HPos, VPos};

use super::axis::Axis;
use super::paint::Paint;
use super::stage::{
    Group, Panel, SCALE, Stage, TEXT, WIDTH, fill, fitted, stroke, text, text_width,
};
use super::whom::Whom;

const LINE: f64 = 20.0;
const SAMPLE: f64 = 26.0;
const GAP: f64 = 22.0;
const LEFT: f64 = 56.0;
const NAME_MAX: f64 = 300.0;

/// How a thing looks in its plot.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sample {
    /// A line of so many pixels, with its dash.
    Line(Paint, f64, Option<&'static str>),
    /// A surface through which so much is seen.
    Surface(Paint, f64),
}

/// A thing and its name.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// The number of a method that a page's filter hides.
    pub(super) method: Option<usize>,
    pub(super) name: String,
    pub(super) sample: Sample,
}

/// Entries of methods, which share the last one where they share their colour.
pub(super) fn of_methods(whom: &Whom, methods: &[usize]) -> Vec<Entry> {
    let is_rest = |method: &&usize| whom.paint(**method) == Paint::Rest;
    let entry = |method: &usize| Entry {
        method: Some(whom.number(*method)),
        name: whom.name(*method).to_string(),
        sample: Sample::Line(whom.paint(*method), whom.width(*method), whom.dash(*method)),
    };
    let mut entries: Vec<Entry> = methods.iter().filter(|m| !is_rest(m)).map(entry).collect();
    let others = methods.iter().filter(is_rest).count();
    if others > 0 {
        let name = if others == 1 { "1 other".to_string() } else { format!("{others} others") };
        entries.push(Entry { method: None, name, sample: Sample::Line(Paint::Rest, 1.0, None) });
    }
    entries
}

/// Where the left end of each entry stands, and how high all lines are together.
fn places(entries: &[Entry], width: u32) -> (Vec<[f64; 2]>, f64) {
    let (mut x, mut y, mut placed) = (LEFT, 0.0, Vec::new());
    for entry in entries {
        let wide = SAMPLE + 6.0 + text_width(&fitted(&entry.name, TEXT, NAME_MAX), TEXT);
        if x + wide > f64::from(width) - 8.0 && x > LEFT {
            x = LEFT;
            y += LINE;
        }
        placed.push([x, y]);
        x += wide + GAP;
    }
    (placed, y + LINE)
}

/// The height that the legend takes, in pixels.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "pixels of a page")]
pub(super) fn legend_height(entries: &[Entry], width: u32) -> u32 {
    places(entries, width).1 as u32 + 8
}

/// A stage with one panel, its axes drawn, `height` pixels with their words, and the legend below.
pub(super) fn panel_with_legend(
    entries: &[Entry],
    height: u32,
    [x, y]: [Axis; 2],
) -> (Stage, Panel) {
    let below = legend_height(entries, WIDTH);
    let mut stage = Stage::new(WIDTH, height + below);
    let panel = Panel { left: 60, top: 26, right: 20, bottom: 44 + below, x, y };
    panel.axes(&mut stage, false);
    legend(&mut stage, entries, height);
    (stage, panel)
}

/// Draws it, from so many pixels below the top.
pub(super) fn legend(stage: &mut Stage, entries: &[Entry], top: u32) {
    let places = places(entries, stage.width).0;
    for (entry, [x, y]) in entries.iter().zip(places) {
        let middle = f64::from(top) + y + LINE / 2.0;
        #[expect(clippy::cast_possible_truncation, reason = "pixels of a page")]
        let at = |[x, y]: [f64; 2]| {
            let scaled = |pixel: f64| (pixel * f64::from(SCALE)).round() as i32;
            (scaled(x), scaled(y))
        };
        let dash = match entry.sample {
            Sample::Line(_, _, dash) => dash,
            Sample::Surface(..) => None,
        };
        let group = Group { method: entry.method, dash, ..Group::default() };
        stage.layer(&group, |area| {
            let drawn = match entry.sample {
                Sample::Line(paint, width, _) => {
                    let line = [[x, middle], [x + SAMPLE, middle]].map(at).to_vec();
                    area.draw(&PathElement::new(line, stroke(paint, width)))
                }
                Sample::Surface(paint, opacity) => {
                    let corners = [[x + 8.0, middle - 6.0], [x + SAMPLE, middle + 6.0]].map(at);
                    area.draw(&Rectangle::new(corners, fill(paint, opacity)))
                }
            };
            drawn.expect("a string takes what is drawn");
            let at = [x + SAMPLE + 6.0, middle];
            let name = fitted(&entry.name, TEXT, NAME_MAX);
            text(area, &name, at, TEXT, Paint::Ink, [HPos::Left], VPos::Center);
        });
    }
}
