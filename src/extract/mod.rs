//! From stored turns to proposed facts: what Claude is asked, and how far its answer is believed.
//!
//! [`input`] writes the one message of the request, beside [`RULES`] as its system text and
//! [`schema`] as the shape of the answer. [`read`] checks the answer against the turns themselves:
//! a fact without the user's own words under it is refused. What passes is a
//! [`Proposal`](crate::fact::Proposal), for [`resolve`](crate::fact::resolve).
//!
//! Nothing here sends, stores or logs; another extractor only has to make proposals of its own.

mod answer;
mod day;
mod prompt;
mod quote;
mod schema;

pub use answer::{
    AnswerError, Field, MAX_ANSWER_BYTES, MAX_FACTS, Reading, Refusal, RefusalReason, read,
};
pub use prompt::{
    ExtractionInput, MAX_KNOWN_FACTS, MAX_KNOWN_STATEMENT_CHARS, MAX_TURN_CHARS, RULES, input,
};
pub(crate) use quote::Source;
pub use schema::schema;

#[cfg(test)]
mod tests;
