//! Studies: grids of runs that are written down.

mod definition;

pub use definition::StudyDefinition;
