//! Integration tests, one binary.

#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]

mod data;
mod model;
mod trainer;
