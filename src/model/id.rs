//! Names of things.

use crate::error::{Error, Result};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};
use ulid::Ulid;

macro_rules! ulid_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        ///
        /// A ULID: 26 letters and digits that sort by the time of creation.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Ulid);

        impl $name {
            /// A new id from the present time and 80 random bits (the low ones of `random`).
            pub fn new(unix_ms: i64, random: u128) -> $name {
                $name(Ulid::from_parts(unix_ms.max(0) as u64, random))
            }

            /// The id as a number, for bytes that are not text.
            pub fn bits(self) -> u128 {
                self.0.0
            }

            /// The id of these [`bits`]($name::bits).
            pub fn from_bits(bits: u128) -> $name {
                $name(Ulid(bits))
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut text = [0; ulid::ULID_LEN];
                f.write_str(self.0.array_to_str(&mut text))
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
        impl FromStr for $name {
            type Err = Error;
            fn from_str(text: &str) -> Result<$name> {
                Ulid::from_string(text).map($name).map_err(|_| Error::InvalidInput {
                    field: $what,
                    reason: "expected 26 letters and digits".into(),
                })
            }
        }
        text_serde!($name);
    };
}

macro_rules! text_serde {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> std::result::Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> std::result::Result<$name, D::Error> {
                String::deserialize(d)?
                    .parse()
                    .map_err(serde::de::Error::custom)
            }
        }
    };
}

ulid_id!(
    /// One conversation.
    SessionId,
    "session"
);
ulid_id!(
    /// One version of a fact.
    FactId,
    "fact"
);
ulid_id!(
    /// One entry of the queue.
    JobId,
    "job"
);
ulid_id!(
    /// One request's counters.
    UsageId,
    "usage"
);
ulid_id!(
    /// One thumb up or down.
    JudgementId,
    "judgement"
);
ulid_id!(
    /// One large text.
    ArtifactId,
    "artifact"
);

/// A turn by its place: the session and the position in it, from 0.
///
/// Written `SESSION.00000007`, so that names sort as the conversation went.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TurnId {
    pub session: SessionId,
    pub index: u32,
}

impl fmt::Display for TurnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:08}", self.session, self.index)
    }
}
impl fmt::Debug for TurnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TurnId({self})")
    }
}
impl FromStr for TurnId {
    type Err = Error;
    fn from_str(text: &str) -> Result<TurnId> {
        let bad = || Error::InvalidInput {
            field: "turn",
            reason: "expected a session id, a dot and a position".into(),
        };
        let (session, index) = text.split_once('.').ok_or_else(bad)?;
        Ok(TurnId {
            session: session.parse()?,
            index: index.parse().map_err(|_| bad())?,
        })
    }
}
text_serde!(TurnId);

/// Whose memory, and which part of it: nothing is ever read across this border.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Namespace {
    pub user: String,
    pub project: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_read_back() {
        let early = SessionId::new(1_000, u128::MAX);
        let late = SessionId::new(1_001, 0);
        assert!(early < late && early.to_string() < late.to_string());
        assert_eq!(early.to_string().parse::<SessionId>(), Ok(early));
        assert!("nonsense".parse::<SessionId>().is_err());
    }

    #[test]
    fn turn_names_sort_as_the_conversation_went() {
        let session = SessionId::new(1_000, 1);
        let (second, tenth) = (TurnId { session, index: 2 }, TurnId { session, index: 10 });
        assert!(second.to_string() < tenth.to_string());
        assert_eq!(tenth.to_string().parse::<TurnId>(), Ok(tenth));
        assert!(format!("{session}").parse::<TurnId>().is_err());
    }
}
