//! What is kept between two starts and can be had again: parts of the index, and the list of models.

use serde::{Deserialize, Serialize};

/// Derived data: what recall needs of some records, ready to be used, or the list of such parts. It can be made again from the
/// records, and whoever does not understand it reads those. One of another name holds what Claude's API lists of models, and
/// nothing of anyone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    pub v: u8,
    /// [`Segment::MANIFEST`], [`Segment::MODELS`], or an id that is given once.
    pub name: String,
    /// The number of the last commit whose changes are in it, so far as they concern its records; of the list, so far as they
    /// concern any.
    pub seen: u64,
    #[serde(with = "super::bytes")]
    pub bytes: Vec<u8>,
}

impl Segment {
    pub const VERSION: u8 = 1;

    /// The name of the list of the segments that count.
    pub const MANIFEST: &str = "manifest";

    /// The name of the list of models.
    pub const MODELS: &str = "models";

    /// Whether it is part of the kept index.
    pub fn is_of_index(&self) -> bool {
        self.name != Segment::MODELS
    }
}
