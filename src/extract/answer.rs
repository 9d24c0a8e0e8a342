//! What Claude answered, and how much of it holds.

use super::prompt::{ExtractionInput, SPEAKER};
use super::{day, quote::Source};
use crate::error::Error;
use crate::fact::{Proposal, fold};
use crate::model::{
    Confidence, Evidence, FactId, FactType, Origin, Role, SUBJECT_USER, Turn, TurnId,
};
use crate::time::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

/// How long an answer may be, in bytes; several times what the request's `max_tokens` allow.
pub const MAX_ANSWER_BYTES: usize = 256 * 1024;
/// How many facts of one answer are read. A few turns rarely hold five; a list of hundreds is a failure.
pub const MAX_FACTS: usize = 32;

// Lengths in characters. They fit a sentence and a name with room to spare and keep a block of many facts affordable.
const MAX_NAME_CHARS: usize = 120;
const MAX_STATEMENT_CHARS: usize = 500;
const MAX_QUOTE_CHARS: usize = 1_000;
const MAX_NUMBER_CHARS: usize = 60;
const MAX_ITEMS: usize = 16;
/// A quote of one letter stands in almost every turn and proves nothing.
const MIN_QUOTE_LETTERS: usize = 2;

/// What an answer holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    pub proposals: Vec<Proposal>,
    pub refused: Vec<Refusal>,
}

/// A fact that was not believed. It names no content, so it can be logged and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Position in the answer, from 0.
    pub index: usize,
    pub reason: RefusalReason,
}

/// Why a fact was not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefusalReason {
    /// Not an object with exactly the fields of the schema and their types.
    Malformed,
    /// The type is none of the five.
    UnknownType,
    /// The confidence is none of the three.
    UnknownConfidence,
    Empty(Field),
    TooShort(Field),
    TooLong(Field),
    TooMany(Field),
    /// No user's turn that was read holds the quote.
    QuoteNotFound,
    /// The quote stands in more than one user's turn, and in none that was named.
    QuoteAmbiguous,
    /// The quote is the assistant's.
    NotUserWords,
}

/// A part of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Facts,
    Subject,
    Attribute,
    Statement,
    Entities,
    Numbers,
    Quote,
}

/// The answer as a whole can not be read; asking again may help.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnswerError {
    /// Longer than [`MAX_ANSWER_BYTES`].
    TooLong { bytes: usize },
    /// Not JSON, or cut off.
    NotJson { line: usize, column: usize },
    /// JSON, but not an object with a list of facts and nothing else.
    WrongShape,
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AnswerError::TooLong { bytes } => {
                write!(f, "the list of facts is too long: {bytes} bytes")
            }
            AnswerError::NotJson { line, column } => {
                write!(
                    f,
                    "the list of facts is no whole JSON: line {line}, column {column}"
                )
            }
            AnswerError::WrongShape => write!(f, "the list of facts has another shape"),
        }
    }
}

impl std::error::Error for AnswerError {}

impl From<AnswerError> for Error {
    fn from(error: AnswerError) -> Error {
        Error::MalformedStream {
            message: error.to_string(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    facts: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnsweredFact {
    #[serde(rename = "type")]
    fact_type: String,
    subject: String,
    attribute: String,
    statement: String,
    entities: Vec<String>,
    numbers: Vec<String>,
    turn: i64,
    quote: String,
    confidence: String,
    #[serde(deserialize_with = "present")]
    valid_from: Option<String>,
    #[serde(deserialize_with = "present")]
    supersedes: Option<String>,
}

/// A field that may be null but not absent.
fn present<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    Option::deserialize(d)
}

/// Reads an answer to `input` and checks each fact against `turns`, the turns the input was made of.
///
/// The evidence of a proposal is the turn's own text, from `start` to `end`. If the turn that a fact names does
/// not hold its quote, and exactly one other user's turn does, that one is meant. Only user's turns
/// are evidence. Numbers that the turn does not hold as written are left out of `numbers`.
///
/// # Errors
/// [`AnswerError`] if the answer as a whole is not JSON of the right shape. A single bad fact is
/// refused with a reason, and the others live.
pub fn read(
    answer: &str,
    input: &ExtractionInput,
    turns: &[&Turn],
) -> Result<Reading, AnswerError> {
    if answer.len() > MAX_ANSWER_BYTES {
        return Err(AnswerError::TooLong {
            bytes: answer.len(),
        });
    }
    let answer: Value =
        serde_json::from_str(unfenced(answer)).map_err(|error| AnswerError::NotJson {
            line: error.line(),
            column: error.column(),
        })?;
    let answer = Answer::deserialize(answer).map_err(|_| AnswerError::WrongShape)?;

    let sources = Sources::new(input, turns);
    let mut reading = Reading::default();
    for (index, fact) in answer.facts.into_iter().enumerate() {
        let proposal = if index < MAX_FACTS {
            propose(fact, input, &sources)
        } else {
            Err(RefusalReason::TooMany(Field::Facts))
        };
        match proposal {
            Ok(proposal) => reading.proposals.push(proposal),
            Err(reason) => reading.refused.push(Refusal { index, reason }),
        }
    }
    Ok(reading)
}

/// The JSON of an answer that was put into a code fence: models that keep to no schema do so in spite of what they are told.
fn unfenced(answer: &str) -> &str {
    let fenced = answer.trim().strip_prefix("```");
    let inside = fenced.and_then(|text| text.strip_suffix("```"));
    inside.map_or(answer, |text| text.strip_prefix("json").unwrap_or(text))
}

fn propose(
    fact: Value,
    input: &ExtractionInput,
    sources: &Sources,
) -> Result<Proposal, RefusalReason> {
    let fact = AnsweredFact::deserialize(fact).map_err(|_| RefusalReason::Malformed)?;
    let fact_type = FactType::ALL
        .into_iter()
        .find(|one| is_named(&fact.fact_type, one.name()))
        .ok_or(RefusalReason::UnknownType)?;
    let confidence = confidence(&fact.confidence).ok_or(RefusalReason::UnknownConfidence)?;
    let subject = subject(line(&fact.subject, MAX_NAME_CHARS, Field::Subject)?);
    let attribute = line(&fact.attribute, MAX_NAME_CHARS, Field::Attribute)?;
    let statement = line(&fact.statement, MAX_STATEMENT_CHARS, Field::Statement)?;
    let entities = lines(&fact.entities, MAX_NAME_CHARS, Field::Entities)?;
    let mut numbers = lines(&fact.numbers, MAX_NUMBER_CHARS, Field::Numbers)?;
    check_quote(&fact.quote)?;

    let (spoken, bytes) = sources.evidence(fact.turn, &fact.quote)?;
    numbers.retain(|number| spoken.source.find(number).is_some());
    let units = spoken.source.utf16(&bytes);
    let valid_from = fact
        .valid_from
        .and_then(|text| day::earlier_day(&text, spoken.at));
    Ok(Proposal {
        fact_type,
        subject,
        attribute,
        statement,
        entities,
        numbers,
        evidence: Evidence {
            turn: spoken.id,
            start: units.start,
            end: units.end,
            quote: spoken.source.text[bytes].to_owned(),
        },
        said_at: spoken.at,
        origin: Origin::User,
        confidence,
        valid_from: valid_from.unwrap_or(spoken.at),
        supersedes: fact.supersedes.and_then(|id| known_fact(&id, input)),
    })
}

/// An id that was not shown replaces nothing; the fact itself rests on its own evidence.
fn known_fact(id: &str, input: &ExtractionInput) -> Option<FactId> {
    input.known.get(id.trim()).copied()
}

fn is_named(answered: &str, name: &str) -> bool {
    answered.trim().eq_ignore_ascii_case(name)
}

fn confidence(answered: &str) -> Option<Confidence> {
    [
        ("low", Confidence::Low),
        ("medium", Confidence::Medium),
        ("high", Confidence::High),
    ]
    .into_iter()
    .find_map(|(name, confidence)| is_named(answered, name).then_some(confidence))
}

/// Whoever speaks in a user's turn is the user, however the answer calls them.
fn subject(answered: String) -> String {
    match fold(&answered).as_str() {
        SPEAKER | SUBJECT_USER | "the speaker" | "the user" | "i" | "me" | "myself" => {
            SUBJECT_USER.to_owned()
        }
        _ => answered,
    }
}

/// The text as one line.
fn line(text: &str, max_chars: usize, field: Field) -> Result<String, RefusalReason> {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let line = words.join(" ");
    if line.chars().nth(max_chars).is_some() {
        return Err(RefusalReason::TooLong(field));
    }
    if !line.chars().any(char::is_alphanumeric) {
        return Err(RefusalReason::Empty(field));
    }
    Ok(line)
}

/// Each text once, without the empty ones.
fn lines(texts: &[String], max_chars: usize, field: Field) -> Result<Vec<String>, RefusalReason> {
    if texts.len() > MAX_ITEMS {
        return Err(RefusalReason::TooMany(field));
    }
    let mut seen = BTreeSet::new();
    let mut lines = Vec::new();
    for text in texts {
        match line(text, max_chars, field) {
            Ok(line) if seen.insert(line.clone()) => lines.push(line),
            Ok(_) | Err(RefusalReason::Empty(_)) => {}
            Err(reason) => return Err(reason),
        }
    }
    Ok(lines)
}

fn check_quote(quote: &str) -> Result<(), RefusalReason> {
    let field = Field::Quote;
    match quote
        .chars()
        .filter(|c| c.is_alphanumeric())
        .take(MIN_QUOTE_LETTERS)
        .count()
    {
        _ if quote.chars().nth(MAX_QUOTE_CHARS).is_some() => Err(RefusalReason::TooLong(field)),
        0 => Err(RefusalReason::Empty(field)),
        n if n < MIN_QUOTE_LETTERS => Err(RefusalReason::TooShort(field)),
        _ => Ok(()),
    }
}

/// The turns that were shown.
struct Sources {
    spoken: Vec<Spoken>,
}

struct Spoken {
    n: u32,
    id: TurnId,
    at: Timestamp,
    is_user: bool,
    source: Source,
}

impl Sources {
    fn new(input: &ExtractionInput, turns: &[&Turn]) -> Sources {
        let spoken = input.turns.iter().filter_map(|(n, id)| {
            let turn = turns.iter().find(|turn| turn.id == *id)?;
            Some(Spoken {
                n: *n,
                id: *id,
                at: turn.at,
                is_user: turn.role == Role::User,
                source: Source::new(turn.text()),
            })
        });
        Sources {
            spoken: spoken.collect(),
        }
    }

    /// The user's turn that holds the quote, and where.
    fn evidence(&self, named: i64, quote: &str) -> Result<(&Spoken, Range<usize>), RefusalReason> {
        let holding = |spoken: &'_ Spoken| spoken.source.find(quote);
        let named = self
            .spoken
            .iter()
            .find(|spoken| i64::from(spoken.n) == named);
        if let Some(spoken) = named
            && let Some(bytes) = holding(spoken)
        {
            // The named turn proves who said it, also if a user's turn has the same words.
            return match spoken.is_user {
                true => Ok((spoken, bytes)),
                false => Err(RefusalReason::NotUserWords),
            };
        }
        let (user, other): (Vec<&Spoken>, Vec<&Spoken>) =
            self.spoken.iter().partition(|spoken| spoken.is_user);
        let mut found = user
            .into_iter()
            .filter_map(|spoken| Some((spoken, holding(spoken)?)));
        match (found.next(), found.next()) {
            (Some(only), None) => Ok(only),
            (Some(_), Some(_)) => Err(RefusalReason::QuoteAmbiguous),
            (None, _) if other.into_iter().any(|spoken| holding(spoken).is_some()) => {
                Err(RefusalReason::NotUserWords)
            }
            (None, _) => Err(RefusalReason::QuoteNotFound),
        }
    }
}
