//! What Claude is shown.

use super::{MAX_LINES, MAX_VIEW_CHARACTERS, MemoryPath, Refusal, ViewRange};
use crate::model::File;
use std::collections::BTreeMap;

/// Room for the line that says where a view was cut.
const NOTE_CHARACTERS: usize = 160;
/// How deep a directory is listed.
const LEVELS: usize = 2;

/// The lines of a text. A line break at the end ends the last line and begins no other.
pub fn lines(text: &str) -> Vec<&str> {
    match text.strip_suffix('\n').unwrap_or(text) {
        "" if text.is_empty() => Vec::new(),
        text => text.split('\n').collect(),
    }
}

/// The lines with their numbers, of which `first` is the first.
pub fn numbered(lines: &[&str], first: usize) -> impl Iterator<Item = String> {
    let lines = (first..).zip(lines);
    lines.map(|(number, line)| format!("{number:>6}\t{line}"))
}

/// A file's lines, as many as a view can hold.
pub fn file(path: &MemoryPath, text: &str, range: Option<ViewRange>) -> Result<String, Refusal> {
    let all = lines(text);
    if all.len() > MAX_LINES {
        return Err(Refusal::TooManyLines {
            path: path.to_string(),
        });
    }
    let first = range.map_or(1, |range| range.first);
    let last = range.and_then(|range| range.last).unwrap_or(all.len());
    let chosen = all.get(first - 1..last.min(all.len())).unwrap_or_default();
    let header = format!("Here's the content of {path} with line numbers:");
    Ok(cut(header, numbered(chosen, first), |n_shown, cut_line| {
        let next = first + n_shown;
        let why = match cut_line {
            Some(length) => format!("Line {} is cut, it has {length} characters.", next - 1),
            None => format!("The file has {} lines.", all.len()),
        };
        format!("[{why} To read on, view with view_range [{next}, -1].]")
    }))
}

/// The files and directories in a directory.
pub fn directory<'a>(path: &MemoryPath, files: impl Iterator<Item = &'a File>) -> String {
    let mut listing = Directory::default();
    let prefix = path.prefix();
    for file in files {
        if let Some(below) = file.path.strip_prefix(&prefix) {
            listing.add(below, file.text.len(), LEVELS);
        }
    }
    let header = format!(
        "Here're the files and directories up to 2 levels deep in {path}, excluding hidden items and node_modules:"
    );
    let mut rows = vec![format!("{}\t{path}", size(listing.bytes))];
    listing.list(&prefix, &mut rows);
    cut(header, rows.into_iter(), |_, _| {
        "[There is more. View a directory of this list to see what is in it.]".into()
    })
}

#[derive(Default)]
struct Directory {
    bytes: usize,
    /// By name as UTF-16, in which JavaScript sorts; with the entries of what is a directory.
    entries: BTreeMap<(Vec<u16>, bool), (String, Directory)>,
}

impl Directory {
    /// What is hidden is not listed, and counts in the size of the directory.
    fn add(&mut self, below: &str, bytes: usize, levels: usize) {
        self.bytes += bytes;
        let (name, rest) = match below.split_once('/') {
            Some((name, rest)) => (name, Some(rest)),
            None => (below, None),
        };
        if levels == 0 || name.starts_with('.') || name == "node_modules" {
            return;
        }
        let key = (name.encode_utf16().collect(), rest.is_some());
        let entry = self.entries.entry(key);
        let (_, entry) = entry.or_insert_with(|| (name.into(), Directory::default()));
        match rest {
            Some(rest) => entry.add(rest, bytes, levels - 1),
            None => entry.bytes = bytes,
        }
    }

    fn list(&self, prefix: &str, rows: &mut Vec<String>) {
        for ((_, is_directory), (name, entry)) in &self.entries {
            let slash = if *is_directory { "/" } else { "" };
            rows.push(format!("{}\t{prefix}{name}{slash}", size(entry.bytes)));
            entry.list(&format!("{prefix}{name}/"), rows);
        }
    }
}

/// A size as `du -h` shows it: powers of 1,024, and one decimal unless it is whole.
pub fn size(bytes: usize) -> String {
    let bytes = bytes as u64;
    let (mut unit, mut name) = (1, "B");
    for next in ["K", "M", "G"] {
        if bytes / unit >= 1024 {
            (unit, name) = (unit * 1024, next);
        }
    }
    match bytes % unit {
        0 => format!("{}{name}", bytes / unit),
        _ => {
            let tenths = (bytes * 10 + unit / 2) / unit;
            format!("{}.{}{name}", tenths / 10, tenths % 10)
        }
    }
}

/// The rows that fit below the header, and a note if not all do. The note is told how many rows are shown, and the length of
/// the last one if even a single row was too long.
fn cut(
    header: String,
    rows: impl Iterator<Item = String>,
    note: impl Fn(usize, Option<usize>) -> String,
) -> String {
    let mut shown = header;
    let mut n_characters = shown.chars().count();
    let limit = MAX_VIEW_CHARACTERS - NOTE_CHARACTERS;
    let (mut within, mut n_within, mut first_length) = (shown.len(), 0, None);
    for row in rows {
        shown.push('\n');
        shown.push_str(&row);
        n_characters += 1 + row.chars().count();
        let text = row.split_once('\t').map_or(&*row, |(_, text)| text);
        first_length.get_or_insert_with(|| text.chars().count());
        if n_characters <= limit {
            within = shown.len();
            n_within += 1;
        } else if n_characters > MAX_VIEW_CHARACTERS {
            if n_within > 0 {
                shown.truncate(within);
                return format!("{shown}\n{}", note(n_within, None));
            }
            let rest: String = shown.chars().take(limit).collect();
            return format!("{rest}\n{}", note(1, first_length));
        }
    }
    shown
}
