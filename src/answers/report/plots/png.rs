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
