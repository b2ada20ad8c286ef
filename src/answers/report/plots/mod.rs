//! Plots of answers: drawn from results alone, by plotters, as SVG; a page colours them, hides
//! their parts and tells their numbers.
//!
//! A plot is a file here. `stage` holds what is drawn and in which groups, `axis` where numbers
//! lie, `paint` the colours, `whom` what methods are called and which colour they have.

mod axis;
mod legend;
mod paint;
mod plot;
mod png;
mod reached;
mod speedups;
mod stage;
mod time_to_goal;
mod whom;

pub use plot::{Cell, Data, Line, Lines, Plot};

pub(super) use paint::Paint;
pub(super) use reached::reached;
pub(super) use speedups::{speedups, verdict};
pub(super) use stage::clean;
pub(super) use time_to_goal::time_to_goal;
pub(super) use whom::Whom;
