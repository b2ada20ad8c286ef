//! Where plots are drawn: layers of SVG that plotters writes, in groups that a page can hide,
//! recolour and explain.

use std::fmt::Write as _;

use plotters::coord::Shift;
use plotters::coord::combinators::{BindKeyPoints, WithKeyPoints};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::{
    Cartesian2d, ChartBuilder, ChartContext, DrawingArea, IntoDrawingArea, IntoFont,
    LabelAreaPosition, SVGBackend, ShapeStyle, TextStyle,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontFamily, FontStyle};

use super::super::printable;
use super::axis::Axis;
use super::paint::Paint;

/// plotters puts everything on whole pixels, so a drawing is ten times as large as it is shown.
pub(super) const SCALE: u32 = 10;
/// Fonts in the order of preference; a picture in pixels has the first.
const FONTS: &str = "Inter, system-ui, sans-serif";
/// plotters counts a font's height with its line spacing.
const LINE: f64 = 1.24;
/// How wide every plot is, in pixels.
pub(super) const WIDTH: u32 = 760;
/// Size of usual text, in pixels.
pub(super) const TEXT: f64 = 12.0;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Ticked = WithKeyPoints<RangedCoordf64>;
pub(super) type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Ticked, Ticked>>;

/// What a group of elements belongs to.
#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    /// The number of a method: a page's filter hides its groups.
    pub(super) method: Option<usize>,
    /// A row of a plot made of rows, from 0: these move up where a filter hides some.
    pub(super) row: Option<usize>,
    /// What a pointer reads, line by line.
    pub(super) tip: String,
    pub(super) dash: Option<&'static str>,
}

/// A drawing in the making.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) width: u32,
    pub(super) height: u32,
    body: String,
}

impl Stage {
    /// An empty one, so many pixels large.
    pub(super) fn new(width: u32, height: u32) -> Self {
        Self { width, height, body: String::new() }
    }

    /// Draws a group of elements, over those that are there.
    pub(super) fn layer(&mut self, group: &Group, draw: impl FnOnce(&Area<'_>)) {
        let mut svg = String::new();
        {
            let size = (self.width * SCALE, self.height * SCALE);
            let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
            draw(&area);
            area.present().expect("a string takes what is drawn");
        }
        // Between the tags of the document stand the elements.
        let elements = svg.split_once(">\n").map_or("", |(_, rest)| rest);
        let elements = elements.trim_end().trim_end_matches("</svg>");
        if elements.is_empty() {
            return;
        }
        self.body.push_str("<g");
        for (name, number) in [("data-m", group.method), ("data-row", group.row)] {
            if let Some(number) = number {
                let _ = write!(self.body, " {name}=\"{number}\"");
            }
        }
        if !group.tip.is_empty() {
            let tip = maud::html! { (printable(&group.tip)) }.into_string();
            let _ = write!(self.body, " data-tip=\"{}\"", tip.replace('\n', "&#10;"));
        }
        if let Some(dash) = group.dash {
            let _ = write!(self.body, " stroke-dasharray=\"{dash}\"");
        }
        self.body.push_str(">\n");
        self.body.push_str(elements);
        self.body.push_str("</g>\n");
    }

    /// The elements, in marks.
    pub(super) fn body(self) -> String {
        self.body
    }
}

/// A rectangle of a stage with two axes.
#[derive(Debug, Clone)]
pub(super) struct Panel {
    /// What lies left of it, above, right and below, in pixels.
    pub(super) left: u32,
    pub(super) top: u32,
    pub(super) right: u32,
    pub(super) bottom: u32,
    pub(super) x: Axis,
    pub(super) y: Axis,
}

impl Panel {
    /// Its left, top, right and bottom edge on a stage, in pixels.
    pub(super) fn edges(&self, stage: &Stage) -> [u32; 4] {
        [self.left, self.top, stage.width - self.right, stage.height - self.bottom]
    }

    fn chart<'a, 'b>(&self, area: &'a Area<'b>) -> Chart<'a, 'b> {
        let axis = |axis: &Axis| {
            let [low, high] = axis.ends();
            let ticks = axis.ticks().into_iter().map(|(at, _)| at).collect();
            (low..high).with_key_points(ticks)
        };
        ChartBuilder::on(area)
            .set_label_area_size(LabelAreaPosition::Left, self.left * SCALE)
            .set_label_area_size(LabelAreaPosition::Bottom, self.bottom * SCALE)
            .margin_top(self.top * SCALE)
            .margin_right(self.right * SCALE)
            .build_cartesian_2d(axis(&self.x), axis(&self.y))
            .expect("a string takes what is drawn")
    }

    /// Draws a group of elements in its coordinates.
    pub(super) fn draw(
        &self,
        stage: &mut Stage,
        group: &Group,
        draw: impl FnOnce(&mut Chart<'_, '_>),
    ) {
        stage.layer(group, |area| draw(&mut self.chart(area)));
    }

    /// Draws lines at the ticks, what these are called, and the titles; of the x axis above the
    /// panel where `is_x_above`.
    pub(super) fn axes(&self, stage: &mut Stage, is_x_above: bool) {
        let [left, top, right, bottom] = self.edges(stage).map(f64::from);
        stage.layer(&Group::default(), |area| {
            let chart = self.chart(area);
            let [[x_low, x_high], [y_low, y_high]] = [self.x.ends(), self.y.ends()];
            let grid = stroke(Paint::Grid, 1.0);
            let mut lines = Vec::new();
            for (at, words) in self.x.ticks() {
                let pixel = left + (right - left) * (at - x_low) / (x_high - x_low);
                lines.push([(at, y_low), (at, y_high)]);
                let (y, v) =
                    if is_x_above { (top - 6.0, VPos::Bottom) } else { (bottom + 6.0, VPos::Top) };
                text(area, &words, [pixel, y], TEXT - 1.0, Paint::Muted, [HPos::Center], v);
            }
            for (at, words) in self.y.ticks() {
                let pixel = bottom + (top - bottom) * (at - y_low) / (y_high - y_low);
                lines.push([(x_low, at), (x_high, at)]);
                let at = [left - 8.0, pixel];
                text(area, &words, at, TEXT - 1.0, Paint::Muted, [HPos::Right], VPos::Center);
            }
            for line in lines {
                let line = plotters::element::PathElement::new(line.to_vec(), grid);
                chart.plotting_area().draw(&line).expect("a string takes what is drawn");
            }
            let middle = f64::midpoint(left, right);
            let (at, across) = if is_x_above {
                ([left, 4.0], HPos::Left)
            } else {
                ([middle, bottom + 24.0], HPos::Center)
            };
            text(area, &self.x.title, at, TEXT - 1.0, Paint::Muted, [across], VPos::Top);
            let at = [4.0, 4.0];
            text(area, &self.y.title, at, TEXT - 1.0, Paint::Muted, [HPos::Left], VPos::Top);
        });
    }
}

/// A line so many pixels wide.
pub(super) fn stroke(paint: Paint, pixels: f64) -> ShapeStyle {
    ShapeStyle { color: paint.mark().to_rgba(), filled: false, stroke_width: scaled(pixels) }
}

/// A surface through which so much is seen: 0 is glass.
pub(super) fn fill(paint: Paint, opacity: f64) -> ShapeStyle {
    ShapeStyle { color: paint.mark().mix(opacity), filled: true, stroke_width: 0 }
}

/// Pixels as a drawing counts them.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "pixels of a page")]
pub(super) fn scaled(pixels: f64) -> u32 {
    (pixels * f64::from(SCALE)).round() as u32
}

/// Writes a line of text at pixels of the stage.
pub(super) fn text(
    area: &Area<'_>,
    words: &str,
    at: [f64; 2],
    size: f64,
    paint: Paint,
    [across]: [HPos; 1],
    down: VPos,
) {
    if words.is_empty() {
        return;
    }
    let font = (FontFamily::Name(FONTS), size * LINE * f64::from(SCALE), FontStyle::Normal);
    let mark = paint.mark();
    let style = TextStyle::from(font.into_font()).color(&mark).pos(Pos::new(across, down));
    #[expect(clippy::cast_possible_truncation, reason = "pixels of a page")]
    let at = at.map(|pixel| (pixel * f64::from(SCALE)).round() as i32);
    area.draw_text(&printable(words), &style, (at[0], at[1]))
        .expect("a string takes what is drawn");
}

/// About how wide a line of usual text is, in pixels: somewhat too wide rather than too narrow.
pub(super) fn text_width(words: &str, size: f64) -> f64 {
    let width = |c: char| match c {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 0.3,
        ' ' | 'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '-' | '/' => 0.4,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '+' | '=' => 0.9,
        c if c.is_ascii_uppercase() => 0.72,
        c if c.is_ascii() => 0.63,
        _ => 1.0,
    };
    words.chars().map(width).sum::<f64>() * size
}

/// The text, cut to so many pixels with an ellipsis.
pub(super) fn fitted(words: &str, size: f64, pixels: f64) -> String {
    if text_width(words, size) <= pixels {
        return words.to_string();
    }
    let mut kept = String::new();
    for c in words.chars() {
        if text_width(&kept, size) + 1.6 * size > pixels {
            break;
        }
        kept.push(c);
    }
    kept.push('\u{2026}');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_says_what_it_is_and_escapes_what_it_says() {
        let mut stage = Stage::new(100, 50);
        let tip = "a \"b\" <c>\n\u{1b}d".to_string();
        let group = Group { method: Some(3), row: Some(1), tip, dash: Some("4 2") };
        stage.layer(&group, |area| {
            text(area, "<x> & y", [10.0, 20.0], TEXT, Paint::Ink, [HPos::Left], VPos::Top);
        });
        stage.layer(&group, |_| {});
        let body = stage.body();
        assert!(body.starts_with(
            "<g data-m=\"3\" data-row=\"1\" data-tip=\"a &quot;b&quot; &lt;c&gt;&#10;\\u001bd\" \
             stroke-dasharray=\"4 2\">\n<text x=\"100\" y=\"200\""
        ), "{body}");
        assert!(body.contains("&lt;x&gt; &amp; y"));
        assert_eq!((body.matches("<g").count(), body.matches("</g>").count()), (1, 1));
    }

    #[test]
    fn long_words_are_cut() {
        assert_eq!(fitted("short", TEXT, 100.0), "short");
        let cut = fitted(&"long ".repeat(20), TEXT, 100.0);
        assert!(cut.ends_with('\u{2026}') && text_width(&cut, TEXT) <= 110.0, "{cut}");
    }
}
