//! The driver against a scripted endpoint, a store in memory, a clock that stands still and the real
//! embedding table. One binary, because each further one is linked again.

mod artifacts;
mod audit;
mod binding;
mod budget;
mod cache;
mod chat;
mod check;
mod circuits;
mod compat;
mod episodes;
mod erase;
mod evaluate;
mod faults;
mod files;
mod folder;
mod generations;
mod grants;
mod hooks;
mod kept;
mod languages;
mod limits;
mod locked;
mod long;
mod loops;
mod queue;
mod rebuild;
mod sizes;
mod tabs;
mod tidy;
mod tools;
mod transfer;
mod usage;
mod vectors;
mod world;
mod zip_made;
