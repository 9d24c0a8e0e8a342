//! Files that a person brings, damaged: whatever they hold is answered, in whatever pieces it arrives, and the lines that
//! are named exist.

use super::Target;
use super::random::Random;
use super::zip_made::{DIRECTORY, FILE, LINK, Zipped, deflated, stored, zip};
use onhand::files::{MAX_FILE_BYTES, MemoryPath};
use onhand::model::Kind;
use onhand::store::conformance::sample;
use onhand::time::Timestamp;
use onhand::transfer::{Content, FORMAT, Header, Intake, SourceFormat, VERSION, Writer, kinds};

pub struct ImportBytes {
    seeds: Vec<Vec<u8>>,
    n_exports: u64,
    n_lists: u64,
    n_records: u64,
    n_statements: u64,
    n_files: u64,
}

/// Pieces that mean something to one reader or another.
const TOKENS: [&str; 18] = [
    "\n",
    "\r\n",
    "{\"kind\":\"fact\",\"record\":",
    "{\"end\":\"onhand-export\"",
    "\"version\":18446744073709551615",
    "[2026-03-01] - ",
    "[2026-99-99] ",
    "# ",
    "**",
    "- ",
    "null",
    "[[[[[[[[",
    "{\"memory\":",
    "1e999",
    "-0",
    "\u{feff}",
    "\\ud800",
    "é中😀",
];

impl Target for ImportBytes {
    const NAME: &'static str = "import_bytes";
    const KEPT: &'static [&'static [u8]] = &[
        b"",
        b"PK\x03\x04",
        b"\xef\xbb\xbf{\"format\":\"onhand-export\",\"version\":1}",
        b"[2026-0\xc3\xa9-01] x",
    ];

    fn new() -> ImportBytes {
        let mut writer = Writer::default();
        let mut export = writer.header(&Header {
            format: FORMAT.into(),
            version: VERSION,
            written: Timestamp::utc(0),
            by: String::new(),
            user: "me".into(),
            project: "default".into(),
            counts: Default::default(),
        });
        for kind in kinds() {
            for i in 0..2 {
                export.push_str(&writer.record(&sample(kind, i)));
            }
        }
        export.push_str(&writer.end());
        let vector = serde_json::to_string(&sample(Kind::Vector, 0)).unwrap();
        let seeds = [
            export,
            format!("{{\"kind\":\"vector\",\"record\":{vector}}}\n"),
            "- Prefers tea\n* Has a dog\n1. Likes rain\n\nPlain".into(),
            "**Work**\n\nRuns a yard.\n## Goals\n[2026-03-01] - Sail\n2026-03-02: Rest".into(),
            r#"{"results":[{"memory":"Likes tea","categories":["food"],"created_at":"2026-03-01"}]}"#.into(),
            r#"[{"memory":"a b"},{"text":"c d","metadata":{"category":"x"}}]"#.into(),
        ];
        ImportBytes {
            seeds: seeds.map(String::into_bytes).into(),
            n_exports: 0,
            n_lists: 0,
            n_records: 0,
            n_statements: 0,
            n_files: 0,
        }
    }

    fn input(&self, random: &mut Random) -> Vec<u8> {
        let mut bytes = match random.below(self.seeds.len() + 2) {
            n if n < self.seeds.len() => self.seeds[n].clone(),
            _ => folder(random),
        };
        for _ in 0..random.below(6) {
            let (at, end) = (random.below(bytes.len() + 1), random.below(bytes.len() + 1));
            let (at, end) = (at.min(end), at.max(end));
            match random.below(6) {
                0 => bytes.truncate(at),
                1 => drop(bytes.drain(at..end.min(at + 40))),
                2 => {
                    let token = TOKENS[random.below(TOKENS.len())];
                    bytes.splice(at..at, token.bytes());
                }
                3 => {
                    let copied = bytes[at..end.min(at + 200)].to_vec();
                    bytes.splice(at..at, copied);
                }
                _ if at < bytes.len() => bytes[at] = random.next() as u8,
                _ => bytes.push(random.next() as u8),
            }
        }
        // How it is cut: the reader's first byte.
        bytes.insert(0, random.next() as u8);
        bytes
    }

    fn run(&mut self, input: &[u8]) {
        let (cut, bytes) = match input.split_first() {
            Some((cut, bytes)) => (usize::from(*cut) + 1, bytes),
            None => (1, input),
        };
        let whole = read(bytes, bytes.len().max(1));
        assert_eq!(read(bytes, cut), whole, "pieces of {cut}");
        let Some((format, entries)) = whole else {
            return;
        };
        match format {
            SourceFormat::Export => self.n_exports += 1,
            _ => self.n_lists += 1,
        }
        let n_lines = bytes.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
        for entry in entries {
            assert!(entry.line >= 1);
            match entry.content {
                Ok(Content::Record(record)) => {
                    assert!(entry.line <= n_lines);
                    self.n_records += 1;
                    // What was read can be written, and is the same then.
                    let line = Writer::default().record(&record);
                    assert!(line.contains(record.kind().name()));
                }
                Ok(Content::Statement(statement)) => {
                    self.n_statements += 1;
                    assert!(statement.text.chars().any(char::is_alphanumeric));
                }
                Ok(Content::File { path, text }) => {
                    self.n_files += 1;
                    assert!(text.len() <= MAX_FILE_BYTES);
                    assert_eq!(MemoryPath::new(path.as_str()), Ok(path));
                }
                Err(_) => {}
            }
        }
    }

    fn summary(&self) -> String {
        format!(
            r#""exports":{},"lists":{},"records":{},"statements":{},"files":{}"#,
            self.n_exports, self.n_lists, self.n_records, self.n_statements, self.n_files
        )
    }
}

/// A zip file whose headers say what they like.
fn folder(random: &mut Random) -> Vec<u8> {
    const NAMES: [&str; 8] = [
        "memories/",
        "memories/a.md",
        "memories/b/c.md",
        "a",
        "a/b",
        "/etc/passwd",
        "memories/../x",
        "./memories/\u{e9}",
    ];
    let n = random.below(6);
    let entries: Vec<Zipped> = (0..n)
        .map(|_| {
            let name = NAMES[random.below(NAMES.len())];
            let text = vec![b'0' + random.below(3) as u8; random.below(200)];
            let mut entry = match random.below(2) {
                0 => stored(name, &text),
                _ => deflated(name, &text),
            };
            match random.below(10) {
                0 => entry.flags = random.next() as u16,
                1 => entry.method = random.below(16) as u16,
                2 => entry.mode = [FILE, LINK, DIRECTORY, 0][random.below(4)],
                3 => entry.size = random.next() as u32,
                4 => entry.checksum = random.next() as u32,
                5 => entry.packed.truncate(random.below(20)),
                _ => {}
            }
            entry
        })
        .collect();
    zip(&entries)
}

type Read = Option<(SourceFormat, Vec<onhand::transfer::Entry>)>;

fn read(bytes: &[u8], size: usize) -> Read {
    let mut intake = Intake::new();
    let mut entries = Vec::new();
    for piece in bytes.chunks(size) {
        intake.push(piece, &mut entries).ok()?;
    }
    let (format, _) = intake.finish(&mut entries).ok()?;
    Some((format, entries))
}
