//! Analyses made readable: text for people, JSON for programs. A format is a file.

mod grid;
mod grids;
pub mod human;
pub mod json;
mod labels;
pub mod text;
