//! Memory for Claude chat UIs that stays on the user's device.
//!
//! The path of one message, and the module of each step:
//! [`recall`] → [`block`] → [`claude`] → [`memory`] records the turn → [`extract`] → [`store`] → [`index`].
//! `docs/architecture.md` is the map.

pub mod agent;
pub mod audit;
pub mod batch;
pub mod block;
pub mod circuit;
pub mod claude;
pub mod compact;
pub mod config;
pub mod embed;
pub mod erase;
pub mod error;
pub mod extract;
pub mod fact;
pub mod files;
pub mod hex;
pub mod index;
pub mod memory;
pub mod model;
mod real;
pub mod recall;
pub mod seal;
pub mod store;
pub mod text;
pub mod time;
pub mod transfer;
pub mod usage;
#[cfg(target_family = "wasm")]
pub mod web;

#[cfg(test)]
mod golden;
