//! Which line is whose, below a plot of lines.

use plotters::element::PathElement;
use plotters::style::text_anchor::{HPos, VPos};

use super::paint::Paint;
use super::stage::{Group, SCALE, Stage, TEXT, fitted, stroke, text, text_width};
use super::whom::Whom;

const LINE: f64 = 20.0;
const SAMPLE: f64 = 26.0;
const GAP: f64 = 22.0;
const NAME_MAX: f64 = 300.0;

/// Where each name stands, and how many lines there are. Methods in the common colour share one
/// entry, the last.
fn places(
    whom: &Whom,
    methods: &[usize],
    width: u32,
) -> (Vec<(Option<usize>, String, [f64; 2])>, f64) {
    let mut entries: Vec<(Option<usize>, String)> = Vec::new();
    let mut others = 0;
    for &method in methods {
        if whom.paint(method) == Paint::Rest {
            others += 1;
        } else {
            entries.push((Some(method), fitted(whom.name(method), TEXT, NAME_MAX)));
        }
    }
    if others > 0 {
        entries.push((None, format!("{others} others")));
    }
    let (mut x, mut y, mut placed) = (56.0, 0.0, Vec::new());
    for (method, name) in entries {
        let wide = SAMPLE + 6.0 + text_width(&name, TEXT);
        if x + wide > f64::from(width) - 8.0 && x > 56.0 {
            x = 56.0;
            y += LINE;
        }
        placed.push((method, name, [x, y]));
        x += wide + GAP;
    }
    (placed, y + LINE)
}

/// The height that the legend takes, in pixels.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "pixels of a page")]
pub(super) fn legend_height(whom: &Whom, methods: &[usize], width: u32) -> u32 {
    places(whom, methods, width).1 as u32 + 8
}

/// Draws it at the bottom of the stage, `height` pixels high.
pub(super) fn legend(stage: &mut Stage, whom: &Whom, methods: &[usize], height: u32) {
    let top = f64::from(stage.height - height) + 4.0;
    for (method, name, [x, y]) in places(whom, methods, stage.width).0 {
        let middle = top + y + LINE / 2.0;
        let line = |ends: [f64; 2]| {
            #[expect(clippy::cast_possible_truncation, reason = "pixels of a page")]
            let at = |pixel: f64| (pixel * f64::from(SCALE)).round() as i32;
            ends.map(|end| (at(end), at(middle))).to_vec()
        };
        let (paint, dash, width) = match method {
            Some(method) => (whom.paint(method), whom.dash(method), whom.width(method)),
            None => (Paint::Rest, None, 1.0),
        };
        let group = Group { method: method.map(|m| whom.number(m)), dash, ..Group::default() };
        stage.layer(&group, |area| {
            let sample = PathElement::new(line([x, x + SAMPLE]), stroke(paint, width));
            area.draw(&sample).expect("a string takes what is drawn");
            let at = [x + SAMPLE + 6.0, middle];
            text(area, &name, at, TEXT, Paint::Ink, [HPos::Left], VPos::Center);
        });
    }
}
