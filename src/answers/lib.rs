//! From runs to answers, and from answers to reports.

pub mod analysis;
pub mod report;
