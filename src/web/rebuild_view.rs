//! How much of the memory recall goes by, for the page.

use crate::memory::Rebuilding;
use serde::Serialize;

#[derive(Serialize)]
pub struct RebuildingView {
    done: f64,
    total: f64,
}

impl From<Rebuilding> for RebuildingView {
    fn from(rebuilding: Rebuilding) -> RebuildingView {
        RebuildingView {
            done: rebuilding.done as f64,
            total: rebuilding.total as f64,
        }
    }
}
