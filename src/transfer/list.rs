//! Lists of memories as people paste them out of ChatGPT and Claude.
//!
//! ChatGPT shows one saved memory a line. Claude groups its memory under headings, and when asked for a list gives
//! entries behind dates, as `[2026-03-01] - Prefers tea`. Both may carry bullets and Markdown.

use super::{Content, Entry, Reason, SourceFormat};
use crate::model::FactType;
use crate::time::Date;
use unicode_segmentation::UnicodeSegmentation;

/// A longer line is cut into its sentences; a sentence this long is refused. A fact is one sentence.
pub const MAX_STATEMENT_CHARS: usize = 500;
/// What a statement is filed under if nothing says it.
const ATTRIBUTE: &str = "imported memory";
/// A heading is short; what is longer is a sentence in bold.
const MAX_HEADING_CHARS: usize = 80;

/// A sentence that another product remembered about the person.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    pub text: String,
    /// The heading or category that it stood under.
    pub attribute: String,
    pub fact_type: FactType,
    /// The day it was noted, where that is said; milliseconds since 1970-01-01T00:00:00Z.
    pub since_ms: Option<i64>,
}

impl Statement {
    /// Tidies the text; `None` if there are no words in it.
    pub(super) fn new(
        text: &str,
        heading: Option<&str>,
        since_ms: Option<i64>,
    ) -> Option<Statement> {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let attribute = heading.filter(|heading| !heading.trim().is_empty());
        let attribute = attribute.unwrap_or(ATTRIBUTE).trim().to_lowercase();
        text.chars().any(char::is_alphanumeric).then(|| Statement {
            fact_type: type_of(&attribute, &text),
            text,
            attribute,
            since_ms,
        })
    }

    /// The statements of one entry: one, or one for each sentence of a long one.
    pub(super) fn entries(self, line: u64) -> impl Iterator<Item = Entry> {
        let is_long = |text: &str| text.chars().nth(MAX_STATEMENT_CHARS).is_some();
        let texts = match is_long(&self.text) {
            false => vec![self.text.clone()],
            true => self.text.unicode_sentences().map(String::from).collect(),
        };
        texts.into_iter().map(move |text| {
            let content = match is_long(&text) {
                true => Err(Reason::TooLong),
                false => Ok(Content::Statement(Statement {
                    text: text.trim().into(),
                    ..self.clone()
                })),
            };
            Entry {
                line,
                path: None,
                content,
            }
        })
    }
}

/// Adds the statements of a list to `entries`; says whose list it looks like.
pub(super) fn read(text: &str, entries: &mut Vec<Entry>) -> SourceFormat {
    let mut format = SourceFormat::ChatGpt;
    let mut heading: Option<String> = None;
    for (line, text) in (1..).zip(text.lines()) {
        let bare = text.trim();
        // A fence around a list that was copied as code.
        if bare.is_empty() || bare.starts_with("```") {
            continue;
        }
        if let Some(found) = heading_of(bare) {
            heading = Some(found);
            format = SourceFormat::Claude;
            continue;
        }
        let (since_ms, statement) = dated(without_bullet(bare));
        if since_ms.is_some() {
            format = SourceFormat::Claude;
        }
        let plain = statement.replace("**", "");
        match Statement::new(&plain, heading.as_deref(), since_ms) {
            Some(statement) => entries.extend(statement.entries(line)),
            None => entries.push(Entry {
                line,
                path: None,
                content: Err(Reason::Empty),
            }),
        }
    }
    format
}

/// `# Heading`, `**Heading**`, and `**Heading:**`.
fn heading_of(line: &str) -> Option<String> {
    let marked = line
        .strip_prefix('#')
        .map(|rest| rest.trim_start_matches('#'));
    let bold = line.strip_prefix("**").and_then(|rest| {
        let rest = rest.trim_end_matches(':');
        rest.strip_suffix("**")
    });
    let heading = marked.or(bold.filter(|bold| !bold.contains("**")))?;
    let heading = heading.trim().trim_end_matches(':').replace("**", "");
    (!heading.is_empty() && heading.chars().nth(MAX_HEADING_CHARS).is_none()).then_some(heading)
}

/// Without `-`, `*`, `•`, `1.` or `1)`.
fn without_bullet(line: &str) -> &str {
    let rest = line.trim_start_matches(['-', '*', '•', '–', '‣', '◦', '·']);
    // A minus sign belongs to its number, and two stars to bold words.
    if rest.len() < line.len() && rest.starts_with(char::is_whitespace) {
        return rest.trim_start();
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let numbered = line[digits..].strip_prefix(['.', ')']);
    match numbered.filter(|rest| digits > 0 && rest.starts_with(char::is_whitespace)) {
        Some(rest) => rest.trim_start(),
        None => line,
    }
}

/// Splits `[2026-03-01] - words`, `2026-03-01: words` and the like.
fn dated(line: &str) -> (Option<i64>, &str) {
    let (inner, rest) = match line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((inner, rest)) => (inner.trim(), Some(rest)),
        None => (line, None),
    };
    let Some(day) = inner.get(..10).and_then(day) else {
        // `[unknown] - words` is as undated as no bracket.
        return match rest {
            Some(rest) if rest.trim_start().starts_with(['-', '–', ':']) => (None, after(rest)),
            _ => (None, line),
        };
    };
    match rest {
        Some(rest) => (Some(day), after(rest)),
        None => match line[10..].trim_start().starts_with(['-', '–', ':', '—']) {
            true => (Some(day), after(&line[10..])),
            false => (None, line),
        },
    }
}

fn after(rest: &str) -> &str {
    rest.trim_start()
        .trim_start_matches(['-', '–', ':', '—'])
        .trim_start()
}

/// A day as `2026-03-01`, in milliseconds since 1970-01-01T00:00:00Z.
pub(super) fn day(text: &str) -> Option<i64> {
    let mut parts = text.split('-');
    let mut next = |len: usize| {
        let part = parts.next().filter(|part| part.len() == len)?;
        part.bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| part.parse::<i32>().ok())?
    };
    let (year, month, day) = (next(4)?, next(2)?, next(2)?);
    let date = Date {
        year,
        month: month as u8,
        day: day as u8,
    };
    // A 31st of April is none.
    let days = date.days();
    (Date::from_days(days) == date).then_some(days * 86_400_000)
}

/// What kind of fact a sentence is, by the heading it stands under and by plain words of it. A guess that decides nothing
/// but the label.
fn type_of(attribute: &str, text: &str) -> FactType {
    let text = text.to_lowercase();
    let has = |words: &[&str]| {
        words
            .iter()
            .any(|word| attribute.contains(word) || text.contains(word))
    };
    if has(&["allerg", "must not", "never ", "can't ", "cannot "]) {
        FactType::Constraint
    } else if has(&[
        "prefer",
        "likes ",
        "loves ",
        "dislike",
        "favorite",
        "favourite",
        "enjoys ",
    ]) {
        FactType::Preference
    } else if has(&["goal", "wants to", "plans to", "aims to", "is planning"]) {
        FactType::Goal
    } else if has(&["decided", "decision", "has chosen", "switched to"]) {
        FactType::Decision
    } else {
        FactType::Entity
    }
}
