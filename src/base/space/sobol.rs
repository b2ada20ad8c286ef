//! Sobol configurations: point `i` of the Owen-scrambled sequence is configuration `i`.
//!
//! Points come from the crate `sobol_burley` (Burley, "Practical hash-based Owen scrambling",
//! JCGT 2020): 32-bit floats in `[0, 1)`. The same seed and index give the same point for ever.

use super::parameter::{Space, Value};
use crate::error::{Result, fault};

/// Points of one sequence: beyond these the crate silently repeats itself.
pub const POINTS_MAX: u32 = 1 << 16;

/// Dimensions of the sequence.
pub const DIMENSIONS_MAX: usize = 256;

/// Refuses index ranges and spaces that the sequence cannot serve. `configs` counts from index 0.
pub fn check(space: &Space, configs: u32) -> Result<()> {
    if configs > POINTS_MAX {
        return Err(fault(
            "--configs",
            "configs",
            configs,
            format!("the Sobol sequence has {POINTS_MAX} points and repeats itself beyond"),
            "ask for fewer configurations, or make a second table under another --sobol-seed",
        ));
    }
    if space.parameters.len() > DIMENSIONS_MAX {
        return Err(fault(
            &space.name,
            "parameter",
            format!("{} parameters", space.parameters.len()),
            format!("the Sobol sequence has {DIMENSIONS_MAX} dimensions"),
            "fix some of the parameters to literals",
        ));
    }
    Ok(())
}

/// Point `index` of the unit cube, one coordinate a parameter.
pub fn point(space: &Space, index: u32, seed: u32) -> Vec<f64> {
    assert!(index < POINTS_MAX, "index {index} was not checked");
    (0..)
        .zip(&space.parameters)
        .map(|(dimension, _)| f64::from(sobol_burley::sample(index, dimension, seed)))
        .collect()
}

/// Configuration `index`.
pub fn configuration(space: &Space, index: u32, seed: u32) -> Vec<Value> {
    space.from_unit(&point(space, index, seed))
}
