//! Plots of answers: drawn from results alone, by plotters, as SVG; a page colours them, hides
//! their parts and tells their numbers.
//!
//! A plot is a file here. `stage` holds what is drawn and in which groups, `axis` where numbers
//! lie, `paint` the colours, `whom` what methods are called and which colour they have.

mod anytime;
mod axis;
mod headroom;
mod legend;
mod paint;
mod plot;
mod png;
mod profiles;
mod reached;
mod speedups;
mod spent;
mod stage;
pub mod table;
mod time_to_goal;
mod timeline;
mod whom;

pub use plot::{Cell, Data, Line, Lines, Plot};

pub(super) use anytime::{anytime, file_part};
pub(super) use headroom::headroom;
pub(super) use paint::{COLOURS, Paint};
pub(super) use profiles::profiles;
pub(super) use reached::reached;
pub(super) use speedups::{speedups, verdict};
pub(super) use spent::spent;
pub(super) use time_to_goal::time_to_goal;
pub(super) use timeline::timeline;
pub(super) use whom::Whom;
