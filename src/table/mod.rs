//! Lookup tables: schema, manifest, write, read, check.

pub mod record;
