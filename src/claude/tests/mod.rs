//! Requests over a session, and replies from streams.

mod reply;
mod request;
mod summary;
