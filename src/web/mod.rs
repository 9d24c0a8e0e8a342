//! What only a browser has. Nothing here decides anything; it carries the core's decisions out.
//!
//! One crate, two modules for the browser: the engine, and the vector index by itself. A build has the exports of one.

#[cfg(feature = "engine")]
mod artifacts;
#[cfg(feature = "engine")]
mod audit;
#[cfg(feature = "engine")]
mod browser;
#[cfg(feature = "engine")]
mod chat;
#[cfg(feature = "engine")]
mod chat_view;
#[cfg(feature = "engine")]
mod check_view;
#[cfg(feature = "engine")]
mod clock;
#[cfg(feature = "engine")]
mod embed;
#[cfg(feature = "engine")]
mod embedder;
#[cfg(feature = "engine")]
mod encryption;
#[cfg(feature = "engine")]
mod engine;
#[cfg(feature = "engine")]
mod evaluation_view;
#[cfg(feature = "engine")]
mod files;
#[cfg(feature = "engine")]
mod granted;
#[cfg(feature = "engine")]
mod host;
#[cfg(feature = "engine")]
pub mod idb;
#[cfg(feature = "engine")]
mod long;
#[cfg(feature = "engine")]
mod models;
#[cfg(feature = "engine")]
mod options;
#[cfg(feature = "engine")]
mod panic;
#[cfg(feature = "engine")]
mod rebuild_view;
#[cfg(feature = "engine")]
mod request;
#[cfg(feature = "engine")]
mod status_view;
#[cfg(feature = "engine")]
mod tagged;
#[cfg(feature = "engine")]
mod transfer;
#[cfg(feature = "engine")]
mod transport;
#[cfg(feature = "engine")]
mod usage;
#[cfg(feature = "vector-index")]
mod vector_index;
#[cfg(feature = "engine")]
mod views;

#[cfg(feature = "engine")]
pub use embed::TextEmbedder;
#[cfg(feature = "engine")]
pub use engine::Engine;
