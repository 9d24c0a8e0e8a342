//! Which paths there are.
//!
//! Paths are names in the store and nothing else: none is ever given to a file system or a server. They are held to
//! rules all the same, because whoever exports them may do just that.

use super::{MAX_NAME_CHARACTERS, MAX_PATH_CHARACTERS, Refusal};
use std::fmt;
use unicode_normalization::UnicodeNormalization;

/// The directory of all files; it is always there.
pub const ROOT: &str = "/memories";

/// A path that passed the rules: [`ROOT`], or a path below it without a slash at its end.
///
/// ```
/// use onhand::files::MemoryPath;
///
/// assert_eq!(MemoryPath::new("/memories/a/").unwrap().as_str(), "/memories/a");
/// assert!(MemoryPath::new("/memories/%2e%2e/etc/passwd").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MemoryPath(String);

impl MemoryPath {
    /// Brings a path into its normal form, which is Unicode's NFC.
    ///
    /// # Errors
    /// A path that is not in `/memories`, also when a careless reader decodes `%2e` once more; `\`, which some systems
    /// take for `/`; control characters and breaks of lines, which could pass for another line of a listing; empty
    /// names; what is too long.
    pub fn new(path: &str) -> Result<MemoryPath, Refusal> {
        let path: String = path.nfc().collect();
        // First, so that no answer repeats a path of any length.
        if path.chars().count() > MAX_PATH_CHARACTERS {
            return Err(Refusal::PathTooLong);
        }
        check(&path, &path)?;
        check(&path, &percent_decoded(&path))?;
        let names = path.split('/');
        if names
            .into_iter()
            .any(|name| name.chars().count() > MAX_NAME_CHARACTERS)
        {
            return Err(Refusal::NameTooLong);
        }
        let path = path.strip_suffix('/').unwrap_or(&path);
        Ok(MemoryPath(path.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_root(&self) -> bool {
        self.0 == ROOT
    }

    /// What the paths of everything below begin with.
    pub fn prefix(&self) -> String {
        format!("{}/", self.0)
    }

    /// The directories that a file here is in, without the root.
    pub fn parents(&self) -> impl Iterator<Item = &str> {
        let below = &self.0[ROOT.len()..];
        let slashes = below.match_indices('/').skip(1);
        slashes.map(|(at, _)| &self.0[..ROOT.len() + at])
    }
}

impl fmt::Display for MemoryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The rules, for a path as it is and as a careless reader may take it.
fn check(path: &str, taken_as: &str) -> Result<(), Refusal> {
    let breaks_lines = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    if taken_as.contains(breaks_lines) {
        return Err(Refusal::BadPath {
            reason: "it holds a control character",
        });
    }
    let Some(below) = taken_as.strip_prefix(ROOT) else {
        return Err(Refusal::OutsideRoot { path: path.into() });
    };
    if !below.is_empty() && !below.starts_with('/') {
        return Err(Refusal::OutsideRoot { path: path.into() });
    }
    if below.contains('\\') || below.split('/').any(|name| matches!(name, "." | "..")) {
        return Err(Refusal::Escapes { path: path.into() });
    }
    if below.contains("//") {
        return Err(Refusal::BadPath {
            reason: "it holds an empty name",
        });
    }
    Ok(())
}

/// One round of percent-decoding; what is no text then has U+FFFD in its place.
fn percent_decoded(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let pair = (bytes[at] == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .and_then(|pair| Some((digit(pair[0])?, digit(pair[1])?)));
        match pair {
            Some((high, low)) => {
                decoded.push(high << 4 | low);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}
