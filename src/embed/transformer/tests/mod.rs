//! The network against the reference, and against files that are not weights.

pub(super) mod random;
