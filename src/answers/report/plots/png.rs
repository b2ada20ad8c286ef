//! Plots in pixels.

use std::sync::{Arc, OnceLock};

use base::error::{Result, internal};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::fontdb::Database;
use resvg::usvg::{Options, Tree};

use super::plot::Plot;

/// Inter, cut down to the signs that plots use: a picture is the same whatever fonts a machine has.
const FONT: &[u8] = include_bytes!("../fonts/Inter-Regular-subset.otf");

fn fonts() -> Arc<Database> {
    static FONTS: OnceLock<Arc<Database>> = OnceLock::new();
    let load = || {
        let mut fonts = Database::new();
        fonts.load_font_data(FONT.to_vec());
        fonts.set_sans_serif_family("Inter");
        Arc::new(fonts)
    };
    Arc::clone(FONTS.get_or_init(load))
}

impl Plot {
    /// The plot as PNG, `zoom` times its size.
    ///
    /// # Errors
    /// None that is foreseen: what cannot be drawn is a bug.
    pub fn png(&self, zoom: f32) -> Result<Vec<u8>> {
        let failed =
            |e: &dyn std::fmt::Display| internal("drawing a plot in pixels", e.to_string());
        let options = Options { fontdb: fonts(), ..Options::default() };
        let tree = Tree::from_str(&self.svg(), &options).map_err(|e| failed(&e))?;
        let size = tree.size().to_int_size().scale_by(zoom).ok_or_else(|| failed(&"no size"))?;
        let mut pixels =
            Pixmap::new(size.width(), size.height()).ok_or_else(|| failed(&"no size"))?;
        resvg::render(&tree, Transform::from_scale(zoom, zoom), &mut pixels.as_mut());
        pixels.encode_png().map_err(|e| failed(&e))
    }
}

#[cfg(test)]
mod tests {
    use plotters::element::Rectangle;
    use plotters::style::text_anchor::{HPos, VPos};

    use super::super::axis::Axis;
    use super::super::paint::Paint;
    use super::super::plot::Data;
    use super::super::stage::{Group, Panel, Stage, fill, text};
    use super::*;

    #[test]
    fn pixels_are_those_that_were_drawn() {
        let mut stage = Stage::new(200, 100);
        let panel = Panel {
            left: 100,
            top: 0,
            right: 0,
            bottom: 0,
            x: Axis::linear(0.0, 10.0, ""),
            y: Axis::linear(0.0, 10.0, ""),
        };
        // The lower half of the panel, which is the right half of the stage.
        panel.draw(&mut stage, &Group::default(), |chart| {
            let bar = Rectangle::new([(0.0, 0.0), (10.0, 5.0)], fill(Paint::Good, 1.0));
            chart.plotting_area().draw(&bar).unwrap();
        });
        stage.layer(&Group::default(), |area| {
            text(area, "MMMM", [10.0, 50.0], 20.0, Paint::Bad, [HPos::Left], VPos::Center);
        });
        let plot = Plot {
            name: "a".into(),
            title: String::new(),
            caption: String::new(),
            alternative: String::new(),
            width: 200,
            height: 100,
            rows: None,
            data: Data::Rows { columns: Vec::new(), rows: Vec::new() },
            body: stage.body(),
        };
        let png = plot.png(2.0).unwrap();
        assert_eq!(png, plot.png(2.0).unwrap(), "the same bytes twice");
        let pixels = Pixmap::decode_png(&png).unwrap();
        // Twice the size, with room for a title of 26 pixels above.
        assert_eq!((pixels.width(), pixels.height()), (400, 252));
        let at = |x: u32, y: u32| {
            let pixel = pixels.pixel(2 * x, 2 * (y + 26)).unwrap().demultiply();
            (pixel.red(), pixel.green(), pixel.blue())
        };
        let (paper, good) = ((255, 255, 255), (0x00, 0x72, 0x4f));
        assert_eq!((at(150, 75), at(150, 25), at(50, 90)), (good, paper, paper));
        // The font is there: some pixels of the words are all of their colour.
        let bad = (0xb3, 0x43, 0x0a);
        let inked = (10..80).flat_map(|x| (35..65).map(move |y| (x, y)));
        let inked = inked.filter(|(x, y)| at(*x, *y) == bad).count();
        assert!(inked > 40, "{inked} pixels of ink");
    }
}
