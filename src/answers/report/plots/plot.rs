//! A finished plot: its drawing, its words, and the data that it was drawn from.

use serde::{Serialize, Serializer};

use super::super::{csv, printable};
use super::axis::Axis;
use super::paint::{Colours, Paint, resolve};
use super::stage::{Panel, SCALE, Stage};

/// A plot, as it stands in a page or in a file of its own.
#[derive(Debug, Clone)]
pub struct Plot {
    /// Its name in files and in a page: lower case, digits and hyphens.
    pub name: String,
    pub title: String,
    /// How to read it.
    pub caption: String,
    /// What it shows, for those who cannot see it.
    pub alternative: String,
    /// Pixels.
    pub width: u32,
    pub height: u32,
    /// The height of a row, in pixels, and where the first begins, where it is made of rows.
    pub(in crate::report) rows: Option<[u32; 2]>,
    /// Its elements, in marks for colours.
    pub(super) body: String,
    pub data: Data,
}

/// What a plot was drawn from.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Data {
    Rows { columns: Vec<String>, rows: Vec<Vec<Cell>> },
    Lines(Lines),
}

/// A cell of a plot's data.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Text(String),
    Number(f64),
    /// What did not happen or does not apply.
    Nothing,
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        if number.is_nan() { Self::Nothing } else { Self::Number(number) }
    }
}

impl From<usize> for Cell {
    #[expect(clippy::cast_precision_loss, reason = "counts of runs are below 2^53")]
    fn from(count: usize) -> Self {
        Self::Number(count as f64)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_string())
    }
}

/// JSON has no infinity: it is a text there.
impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(&printable(text)),
            Self::Number(number) if number.is_finite() => serializer.serialize_f64(*number),
            Self::Number(number) => serializer.serialize_str(infinity(*number)),
            Self::Nothing => serializer.serialize_none(),
        }
    }
}

fn infinity(number: f64) -> &'static str {
    if number > 0.0 { "inf" } else { "-inf" }
}

/// Lines over one axis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Lines {
    /// The name of what lies along the x axis, with its unit.
    pub x: String,
    /// The names of what is told at each x; the first is the line itself.
    pub y: Vec<String>,
    pub(super) frame: Frame,
    pub lines: Vec<Line>,
}

/// A line: numbers of six digits at ascending x.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// The number of its method.
    pub m: usize,
    pub name: String,
    pub x: Vec<f64>,
    /// As many lists as [`Lines::y`] has names. NaN, which becomes null, is no number there.
    pub y: Vec<Vec<f64>>,
}

/// Where the axes of lines lie, for a pointer over them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Frame {
    /// Left, top, right and bottom, in pixels.
    edges: [u32; 4],
    /// The ends of each axis: logarithms to base 10 where it is logarithmic.
    x: [f64; 2],
    y: [f64; 2],
    x_is_log: bool,
    y_is_log: bool,
    /// Whether a number holds until the next one.
    steps: bool,
    /// How numbers of x and y are written: `time`, `share`, `value` or `number`.
    x_words: &'static str,
    y_words: &'static str,
}

impl Frame {
    pub(super) fn new(
        stage: &Stage,
        panel: &Panel,
        steps: bool,
        [x_words, y_words]: [&'static str; 2],
    ) -> Self {
        let is_log = Axis::is_log;
        Self {
            edges: panel.edges(stage),
            x: panel.x.ends(),
            y: panel.y.ends(),
            x_is_log: is_log(&panel.x),
            y_is_log: is_log(&panel.y),
            steps,
            x_words,
            y_words,
        }
    }
}

/// A number of six digits: no more can be seen, and more would be most of a page.
pub(super) fn six_digits(number: f64) -> f64 {
    if number.is_finite() { format!("{number:.5e}").parse().unwrap_or(number) } else { number }
}

impl Plot {
    /// A drawing of its own, with its title and a white ground.
    pub fn svg(&self) -> String {
        let (width, height) = (self.width, self.height + TITLE);
        let (full_width, full_height) = (width * SCALE, height * SCALE);
        let title = maud::html! { (printable(&self.title)) }.into_string();
        let about = maud::html! { (printable(&self.alternative)) }.into_string();
        let [paper, ink] = [Paint::Paper, Paint::Ink].map(Paint::literal);
        let body = format!(
            "<title>{title}</title>\n<desc>{about}</desc>\n\
             <rect width=\"{full_width}\" height=\"{full_height}\" fill=\"{paper}\"/>\n\
             <text x=\"40\" y=\"180\" font-family=\"Inter, system-ui, sans-serif\" \
             font-size=\"140\" fill=\"{ink}\">{title}</text>\n\
             <g transform=\"translate(0 {})\">\n{}</g>\n",
            TITLE * SCALE,
            self.body
        );
        let body = resolve(&without_notes(&body), Colours::Literal);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {full_width} {full_height}\">\n{body}</svg>\n"
        )
    }

    /// Its elements as a page holds them, colours by their names in the style sheet.
    pub(in crate::report) fn elements(&self) -> String {
        // The page says which font, and nothing is seen of what is opaque.
        let body = self.body.replace(" font-family=\"Inter, system-ui, sans-serif\"", "");
        resolve(&body.replace(" opacity=\"1\"", ""), Colours::Variables)
    }

    /// What it was drawn from, as CSV with a header.
    pub fn csv(&self) -> String {
        let mut out = String::new();
        let mut line = |cells: Vec<String>| {
            let cells: Vec<String> =
                cells.iter().map(|cell| printable(cell).into_owned()).collect();
            out.push_str(&csv::line(&cells));
        };
        match &self.data {
            Data::Rows { columns, rows } => {
                line(columns.clone());
                for row in rows {
                    line(row.iter().map(Cell::csv).collect());
                }
            }
            Data::Lines(Lines { x, y, lines, .. }) => {
                let names = ["method", x].into_iter().chain(y.iter().map(String::as_str));
                line(names.map(str::to_string).collect());
                for l in lines {
                    for (at, x) in l.x.iter().enumerate() {
                        let numbers = std::iter::once(*x).chain(l.y.iter().map(|y| y[at]));
                        let numbers = numbers.map(|number| Cell::from(number).csv());
                        line(std::iter::once(l.name.clone()).chain(numbers).collect());
                    }
                }
            }
        }
        out
    }
}

/// The height of the title of a drawing of its own.
const TITLE: u32 = 26;

impl Cell {
    fn csv(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) if number.is_infinite() => infinity(*number).to_string(),
            Self::Number(number) => number.to_string(),
            Self::Nothing => String::new(),
        }
    }
}

/// The drawing without what is there for a page alone.
fn without_notes(svg: &str) -> String {
    let mut out = String::with_capacity(svg.len());
    for line in svg.split_inclusive('\n') {
        let notes = line.starts_with("<g ") && line.contains(" data-");
        match (notes, line.split_once(" stroke-dasharray=")) {
            (true, Some((_, dash))) => {
                out.push_str("<g stroke-dasharray=");
                out.push_str(dash);
            }
            (true, None) => out.push_str("<g>\n"),
            (false, _) => out.push_str(line),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot() -> Plot {
        let columns = vec!["method".to_string(), "a, b".to_string()];
        let rows = vec![
            vec![Cell::from("say \"x\""), Cell::from(0.5)],
            vec!["<b>".into(), f64::INFINITY.into()],
            vec!["c".into(), f64::NAN.into()],
        ];
        Plot {
            name: "a".into(),
            title: "T <i>".into(),
            caption: String::new(),
            alternative: "x & y".into(),
            width: 10,
            height: 20,
            rows: None,
            body: "<g data-m=\"1\" data-tip=\"t\" stroke-dasharray=\"4 2\">\n<a fill=\"#010001\" \
                   font-family=\"Inter, system-ui, sans-serif\"/>\n</g>\n<g data-row=\"2\">\n</g>\n"
                .into(),
            data: Data::Rows { columns, rows },
        }
    }

    #[test]
    fn a_drawing_of_its_own_has_colours_and_a_page_has_names() {
        let svg = plot().svg();
        assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"10\""));
        assert!(svg.contains("<title>T &lt;i&gt;</title>\n<desc>x &amp; y</desc>"));
        assert!(svg.contains("<g stroke-dasharray=\"4 2\">\n<a fill=\"#59636e\""), "{svg}");
        assert!(!svg.contains("data-") && !svg.contains("#0100"));
        let elements = plot().elements();
        assert!(
            elements.contains("<a fill=\"var(--muted)\"/>") && elements.contains("data-m=\"1\"")
        );
    }

    #[test]
    fn data_are_csv_and_json() {
        let csv = plot().csv();
        assert_eq!(csv, "method,\"a, b\"\n\"say \"\"x\"\"\",0.5\n<b>,inf\nc,\n");
        let json = serde_json::to_string(&plot().data).unwrap();
        assert_eq!(
            json,
            r#"{"columns":["method","a, b"],"rows":[["say \"x\"",0.5],["<b>","inf"],["c",null]]}"#
        );
        assert_eq!(six_digits(0.123_456_789), 0.123_457);
        assert_eq!(six_digits(f64::INFINITY), f64::INFINITY);
    }
}
