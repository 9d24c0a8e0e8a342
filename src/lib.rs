//! Memory for Claude chat UIs that stays on the user's device.
//!
//! The path of one message, and the module of each step:
//! [`recall`] → [`block`] → [`claude`] → [`memory`] records the turn → [`extract`] → [`store`] → [`index`].
//! `docs/architecture.md` is the map.

#[cfg(feature = "engine")]
pub mod agent;
#[cfg(feature = "engine")]
pub mod audit;
#[cfg(feature = "engine")]
pub mod batch;
#[cfg(feature = "engine")]
pub mod block;
#[cfg(feature = "engine")]
pub mod circuit;
#[cfg(feature = "engine")]
pub mod claude;
#[cfg(feature = "engine")]
pub mod compact;
#[cfg(feature = "engine")]
pub mod config;
#[cfg(feature = "engine")]
pub mod embed;
#[cfg(feature = "engine")]
pub mod erase;
#[cfg(feature = "engine")]
pub mod error;
#[cfg(feature = "engine")]
pub mod extract;
#[cfg(feature = "engine")]
pub mod fact;
#[cfg(feature = "engine")]
pub mod files;
#[cfg(feature = "engine")]
pub mod hex;
pub mod index;
#[cfg(feature = "engine")]
pub mod memory;
#[cfg(feature = "engine")]
pub mod model;
#[cfg(feature = "engine")]
mod real;
#[cfg(feature = "engine")]
pub mod recall;
#[cfg(feature = "engine")]
pub mod seal;
#[cfg(feature = "engine")]
pub mod store;
#[cfg(feature = "engine")]
pub mod text;
#[cfg(feature = "engine")]
pub mod time;
#[cfg(feature = "engine")]
pub mod transfer;
#[cfg(feature = "engine")]
pub mod usage;
#[cfg(target_family = "wasm")]
pub mod web;

#[cfg(test)]
mod golden;
