//! Requests over a session, and replies from streams.

mod listing;
mod reply;
mod request;
mod summary;
