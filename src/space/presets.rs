//! The spaces that ship with the binary.
