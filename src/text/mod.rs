//! What can be said about a text without knowing what it means.
//!
//! [`terms`] is the one pipeline from text to what is matched; what is stored and what is asked both go through it,
//! so that a rule added here can not hold for one side only.
//! [`pieces`] cuts a long text where its sentences end, for one vector per piece.

mod answers;
pub mod calibration;
mod days;
mod fold;
mod kin;
mod number;
mod pieces;
mod stem;
mod stop;
mod terms;
pub mod tokens;

pub use answers::{AnswerForm, Wanted};
pub use days::{DaySpan, SpokenDays, spoken_days};
pub use fold::fold;
pub use kin::{KIN_WEIGHT, are_kin, kin_prefix};
pub use pieces::{PIECE_TOKENS, PieceSpan, pieces};
pub use stop::is_stop_word;
use terms::is_unspaced;
pub use terms::{is_pair, terms};
