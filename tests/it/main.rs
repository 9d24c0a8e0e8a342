//! The driver against a scripted endpoint, a store in memory, a clock that stands still and the real
//! embedding table. One binary, because each further one is linked again.

mod chat;
mod check;
mod compat;
mod episodes;
mod faults;
mod generations;
mod languages;
mod queue;
mod tabs;
mod tidy;
mod vectors;
mod world;
