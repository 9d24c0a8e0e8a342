//! What Claude's Messages API says and understands, without sending anything.
//!
//! A [`ChatRequest`](request::ChatRequest) becomes the body of `POST /v1/messages`; the bytes of the answer go
//! through an [`SseDecoder`](sse::SseDecoder) into a [`ReplyBuilder`](reply::ReplyBuilder), which gives
//! [`Delta`](reply::Delta)s for the page and at the end one [`Reply`](reply::Reply). An answer with an error
//! status becomes an [`Error`](crate::error::Error) by [`failure`](failure::failure), and
//! [`wait_ms`](retry::wait_ms) says whether to try again. [`ModelTable`](listing::ModelTable) knows where models differ:
//! [`model`](models::model) by a table of this library, and over it what the API lists.
//!
//! Nothing here reads a clock, draws a random number or touches the network: the driver does.

mod breakpoints;
pub mod context;
pub mod failure;
pub mod listing;
pub mod message;
pub mod models;
pub mod reply;
pub mod request;
pub mod retry;
pub mod size;
pub mod sse;

#[cfg(test)]
mod tests;
