//! Paths of Claude's memory tool, against what a file system makes of them.

use super::Target;
use super::random::Random;
use onhand::files::{FileTree, MemoryPath, ROOT};
use onhand::time::Timestamp;
use serde_json::json;
use std::path::{Component, Path};

pub struct MemoryPaths {
    n_allowed: u64,
    n_refused: u64,
}

/// What attacks are made of. Bytes that are no text come in between.
const PARTS: &[&str] = &[
    "/memories",
    "/memories/",
    "/",
    "//",
    "\\",
    ".",
    "..",
    "...",
    "../",
    "./",
    "a",
    "notes.md",
    "%2e",
    "%2E",
    "%2f",
    "%5c",
    "%00",
    "%252e",
    "%c0%af",
    "%",
    "\0",
    "\n",
    "\t",
    " ",
    "~",
    ":",
    "C:",
    "\u{2028}",
    "\u{ff0e}",
    "\u{ff0f}",
    "\u{2215}",
    "e\u{301}",
    "\u{202e}",
    "\u{feff}",
    "etc/passwd",
    "Memories",
    "X",
];

impl Target for MemoryPaths {
    const NAME: &'static str = "memory_paths";
    const KEPT: &'static [&'static [u8]] = &[];

    fn new() -> MemoryPaths {
        MemoryPaths {
            n_allowed: 0,
            n_refused: 0,
        }
    }

    fn input(&self, random: &mut Random) -> Vec<u8> {
        let mut input = Vec::new();
        if random.below(8) > 0 {
            input.extend(b"/memories/");
        }
        for _ in 0..random.below(8) {
            match random.below(12) {
                0 => input.push(random.next() as u8),
                1 => input.extend(b"n".repeat(random.below(200))),
                _ => input.extend(PARTS[random.below(PARTS.len())].as_bytes()),
            }
        }
        input
    }

    fn run(&mut self, input: &[u8]) {
        let path = String::from_utf8_lossy(input);
        let tree = FileTree::default();
        let create = json!({"command": "create", "path": path, "file_text": "x"});
        let step = tree.run(&create, Timestamp::utc(0));
        let Ok(normal) = MemoryPath::new(&path) else {
            self.n_refused += 1;
            assert!(step.answer.is_error && step.ops.is_empty());
            return;
        };
        self.n_allowed += 1;
        assert_eq!(step.answer.is_error, normal.is_root());
        let normal = normal.as_str();
        assert_eq!(
            MemoryPath::new(normal)
                .map(|path| path.to_string())
                .as_deref(),
            Ok(normal)
        );
        // As it is, decoded once, with the other system's separators, and both.
        let decoded = decoded(normal);
        for taken_as in [
            normal,
            &decoded,
            &normal.replace('\\', "/"),
            &decoded.replace('\\', "/"),
        ] {
            assert!(stays_below_root(taken_as), "{taken_as:?}");
        }
    }

    fn summary(&self) -> String {
        format!(
            r#""allowed":{},"refused":{}"#,
            self.n_allowed, self.n_refused
        )
    }
}

/// Walks the path as a file system does, at no moment above the root.
fn stays_below_root(path: &str) -> bool {
    if path.chars().any(char::is_control) || !(path == ROOT || path.starts_with("/memories/")) {
        return false;
    }
    let mut depth = 0;
    for part in Path::new(&path[ROOT.len()..].trim_start_matches('/')).components() {
        match part {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            _ => depth -= 1,
        }
        if depth < 0 {
            return false;
        }
    }
    !path.split('/').any(|name| name == "..")
}

/// Percent-decoding, written another way: by splitting.
fn decoded(path: &str) -> String {
    let mut parts = path.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let pair = part
            .get(..2)
            .filter(|pair| pair.bytes().all(|b| b.is_ascii_hexdigit()));
        match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend(&part.as_bytes()[2..]);
            }
            None => {
                bytes.push(b'%');
                bytes.extend(part.as_bytes());
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
