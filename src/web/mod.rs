//! What only a browser has. Nothing here decides anything; it carries the core's decisions out.

mod clock;
mod embedder;
mod engine;
pub mod idb;
mod panic;
mod transport;
mod views;

pub use engine::Engine;
