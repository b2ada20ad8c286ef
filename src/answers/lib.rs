//! From runs and tables to answers, and from answers to reports.

pub mod analysis;
pub mod anytime;
pub mod headroom;
pub mod report;
pub mod robustness;
pub mod table;
pub mod traced;
