//! A grid of runs.
