//! Changing a text.

use super::view::{lines, numbered};
use super::{MemoryPath, Refusal};

/// Lines shown before and after a change.
const AROUND: usize = 2;

/// The text with `old`, which must be there once, replaced by `new`; and the changed lines with those around them.
///
/// Occurrences are counted in the text, not in its lines: `old` may hold line breaks, and two on one line are two.
/// An empty `old` is nowhere.
pub fn replace(
    path: &MemoryPath,
    text: &str,
    old: &str,
    new: &str,
) -> Result<(String, String), Refusal> {
    let found: Vec<usize> = match old {
        "" => Vec::new(),
        old => text.match_indices(old).map(|(at, _)| at).collect(),
    };
    let line_of = |at: usize| text[..at].matches('\n').count() + 1;
    let at = match found[..] {
        [] => {
            return Err(Refusal::NoMatch {
                path: path.to_string(),
                old_str: old.into(),
            });
        }
        [at] => at,
        _ => {
            let mut lines: Vec<usize> = found.into_iter().map(line_of).collect();
            lines.dedup();
            return Err(Refusal::ManyMatches {
                old_str: old.into(),
                lines,
            });
        }
    };
    let edited = [&text[..at], new, &text[at + old.len()..]].concat();
    let first = line_of(at);
    let last = first + new.matches('\n').count();
    let all = lines(&edited);
    let from = first.saturating_sub(AROUND + 1).min(all.len());
    let to = (last + AROUND).min(all.len());
    let snippet = numbered(&all[from..to], from + 1).collect::<Vec<_>>();
    Ok((edited, snippet.join("\n")))
}

/// The text with another one after `line` lines. Whether the text ends in a line break stays as it is.
pub fn insert(text: &str, line: i64, inserted: &str) -> Result<String, Refusal> {
    let mut all = lines(text);
    let place = usize::try_from(line).ok().filter(|at| *at <= all.len());
    let Some(place) = place else {
        return Err(Refusal::WrongInsertLine {
            insert_line: line,
            n_lines: all.len(),
        });
    };
    all.insert(place, inserted.strip_suffix('\n').unwrap_or(inserted));
    let mut edited = all.join("\n");
    if text.ends_with('\n') {
        edited.push('\n');
    }
    Ok(edited)
}
