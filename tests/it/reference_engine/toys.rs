//! Toy methods, one a capability of the interface.
