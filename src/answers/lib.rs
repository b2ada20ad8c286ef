//! From runs and tables to answers, and from answers to reports.

pub mod analysis;
pub mod report;
pub mod table;
