use super::*;
use crate::error::{Error, Result};
use crate::model::{FactType, Record};
use crate::store::conformance::sample;
use crate::time::Timestamp;
use proptest::prelude::*;

fn header() -> Header {
    Header {
        format: FORMAT.into(),
        version: VERSION,
        written: Timestamp::utc(0),
        by: "a test".into(),
        user: "ada".into(),
        project: "thesis".into(),
        counts: Default::default(),
    }
}

fn written(records: &[Record]) -> String {
    let mut writer = Writer::default();
    let mut text = writer.header(&header());
    for record in records {
        text.push_str(&writer.record(record));
    }
    text + &writer.end()
}

fn samples() -> Vec<Record> {
    kinds()
        .flat_map(|kind| (0..3).map(move |i| sample(kind, i)))
        .collect()
}

type Brought = (Vec<Entry>, SourceFormat, Option<Seal>);

/// What comes of bytes that arrive in pieces of this size.
fn brought(bytes: &[u8], size: usize) -> Result<Brought> {
    let mut intake = Intake::new();
    let mut entries = Vec::new();
    for piece in bytes.chunks(size.max(1)) {
        intake.push(piece, &mut entries)?;
    }
    let (format, seal) = intake.finish(&mut entries)?;
    Ok((entries, format, seal))
}

fn records(entries: Vec<Entry>) -> Vec<Record> {
    let record = |entry: Entry| match entry.content {
        Ok(Content::Record(record)) => *record,
        other => panic!("line {}: {other:?}", entry.line),
    };
    entries.into_iter().map(record).collect()
}

fn refused(entries: &[Entry]) -> Vec<(u64, Reason)> {
    let reason = |entry: &Entry| entry.content.as_ref().err().map(|r| (entry.line, *r));
    entries.iter().filter_map(reason).collect()
}

#[test]
fn what_is_written_is_read_back_however_it_is_cut() {
    let records_written = samples();
    let text = written(&records_written);
    for size in [1, 7, 1_000, text.len()] {
        let (entries, format, seal) = brought(text.as_bytes(), size).unwrap();
        assert_eq!((format, seal), (SourceFormat::Export, Some(Seal::Whole)));
        assert_eq!(records(entries), records_written, "pieces of {size}");
    }
}

#[test]
fn a_turn_is_readable_and_keeps_its_blocks_to_the_byte() {
    let Record::Turn(mut turn) = sample(crate::model::Kind::Turn, 1) else {
        unreachable!()
    };
    let text = r#"[{"type":"x","2":"two","1":"one","n":[9007199254740993,0.1,1e-7]}]"#;
    turn.content = serde_json::from_str(text).unwrap();
    let file = written(&[Record::Turn(turn.clone())]);
    assert!(file.contains(text), "not as text within text:\n{file}");
    let (entries, ..) = brought(file.as_bytes(), 64).unwrap();
    let [Record::Turn(read)] = &records(entries)[..] else {
        panic!("no turn");
    };
    assert_eq!(serde_json::to_string(&read.content).unwrap(), text);
}

#[test]
fn bad_lines_are_listed_and_the_others_live() {
    let good = samples();
    let mut lines: Vec<Vec<u8>> = written(&good)
        .lines()
        .map(|line| line.as_bytes().to_vec())
        .collect();
    lines.insert(1, b"no json".to_vec());
    lines.insert(2, vec![0xff, 0xfe]);
    lines.insert(3, br#"{"kind":"vector","record":{"v":1}}"#.to_vec());
    lines.insert(4, br#"{"kind":"secret","record":{"v":1}}"#.to_vec());
    lines.insert(
        5,
        br#"{"kind":"fact","record":{"v":1,"statement":"x"}}"#.to_vec(),
    );
    lines.insert(6, br#"{"kind":"fact","record":{"v":9}}"#.to_vec());
    lines.insert(7, b"".to_vec());
    lines.insert(8, br#"{"record":{"v":1}}"#.to_vec());
    let last = lines.len() as u64 + 1;
    lines.push(br#"{"kind":"fact","record":{"v":1}}"#.to_vec());
    let (entries, _, seal) = brought(&lines.join(&b"\n"[..]), 50).unwrap();
    assert_eq!(
        refused(&entries),
        [
            (2, Reason::NotJson),
            (3, Reason::NotText),
            (4, Reason::UnknownKind),
            (5, Reason::UnknownKind),
            (6, Reason::WrongShape),
            (7, Reason::UnknownVersion),
            (9, Reason::WrongShape),
            (last, Reason::AfterEnd),
        ]
    );
    assert_eq!(seal, Some(Seal::Altered));
    assert_eq!(entries.len() - 8, good.len());
}

#[test]
fn a_file_without_its_end_is_cut_and_an_edited_one_altered() {
    let text = written(&samples());
    let (all, end) = text.trim_end().rsplit_once('\n').unwrap();
    assert!(end.starts_with(r#"{"end":"onhand-export""#));
    let (entries, _, seal) = brought(all.as_bytes(), 99).unwrap();
    assert_eq!((refused(&entries), seal), (vec![], Some(Seal::Cut)));
    let edited = text.replace("provider 1", "provider 2");
    let (_, _, seal) = brought(edited.as_bytes(), 99).unwrap();
    assert_eq!(seal, Some(Seal::Altered));
    // An editor that turns the line ends changes no record.
    let (entries, ..) = brought(text.replace('\n', "\r\n").as_bytes(), 99).unwrap();
    assert_eq!(records(entries), samples());
}

#[test]
fn a_newer_version_and_what_is_no_export_are_refused_as_such() {
    let newer = written(&[]).replace("\"version\":1", "\"version\":2");
    let error = brought(newer.as_bytes(), 10).unwrap_err();
    assert_eq!(
        error,
        Error::NewerFormat {
            version: 2,
            known: 1
        }
    );
    for strange in [
        &b""[..],
        b"  \n \n",
        b"{\"a\":1}",
        b"[1,2]",
        b"[]",
        b"{\"kind\":\"fact\",\"record\":{}}\n{}",
        b"\xff\xfe\x00",
        b"\0\0",
    ] {
        let error = brought(strange, 3).unwrap_err();
        assert_eq!(error.code(), "invalid_input", "{strange:?}");
    }
}

#[test]
fn a_zip_file_that_ends_early_is_damaged() {
    let error = brought(b"PK\x03\x04 a zip", 3).unwrap_err();
    assert_eq!(error.code(), "damaged_file");
}

fn statements(text: &str) -> (SourceFormat, Vec<Statement>) {
    let (entries, format, seal) = brought(text.as_bytes(), 11).unwrap();
    assert_eq!(seal, None);
    let statement = |entry: Entry| match entry.content {
        Ok(Content::Statement(statement)) => statement,
        other => panic!("line {}: {other:?}", entry.line),
    };
    (format, entries.into_iter().map(statement).collect())
}

/// What statements say, and what they are filed under.
fn said(found: &[Statement]) -> Vec<(&str, &str)> {
    found
        .iter()
        .map(|one| (&*one.text, &*one.attribute))
        .collect()
}

#[test]
fn the_list_of_chatgpt_is_one_statement_a_line() {
    let text = "\u{feff}Prefers tea over coffee.\n\n- Has a daughter called Ada.\n* Is allergic to peanuts\n  2) -5 degrees is fine\n**Bold** claims are dull\n";
    let (format, found) = statements(text);
    assert_eq!(format, SourceFormat::ChatGpt);
    let other = "imported memory";
    assert_eq!(
        said(&found),
        [
            ("Prefers tea over coffee.", other),
            ("Has a daughter called Ada.", other),
            ("Is allergic to peanuts", other),
            ("-5 degrees is fine", other),
            ("Bold claims are dull", other),
        ]
    );
    let types: Vec<FactType> = found.iter().map(|one| one.fact_type).collect();
    assert_eq!(
        types[..3],
        [FactType::Preference, FactType::Entity, FactType::Constraint]
    );
}

#[test]
fn the_memory_of_claude_has_headings_or_dates() {
    let text = "**Work context**\n\nAda runs a boat yard.\n\n## Personal goals:\n- Wants to sail to Iceland\n```\n[2026-03-01] - Uses GCP\n[unknown] - Likes rain\n2026-02-28: Sold the car\n```\n[2026-02-30] odd";
    let (format, found) = statements(text);
    assert_eq!(format, SourceFormat::Claude);
    assert_eq!(
        said(&found),
        [
            ("Ada runs a boat yard.", "work context"),
            ("Wants to sail to Iceland", "personal goals"),
            ("Uses GCP", "personal goals"),
            ("Likes rain", "personal goals"),
            ("Sold the car", "personal goals"),
            ("[2026-02-30] odd", "personal goals"),
        ]
    );
    let march = 1_772_323_200_000;
    let since: Vec<Option<i64>> = found.iter().map(|one| one.since_ms).collect();
    assert_eq!(since[2..5], [Some(march), None, Some(march - 86_400_000)]);
}

#[test]
fn a_long_line_becomes_sentences_and_an_endless_one_is_refused() {
    let sentence = "Ada keeps a log of every single voyage that she made. ";
    let endless = "x".repeat(MAX_STATEMENT_CHARS + 1);
    let text = format!("{}\n{endless}\n - \n", sentence.repeat(12));
    let (entries, ..) = brought(text.as_bytes(), 1_000).unwrap();
    assert_eq!(entries.len(), 14);
    assert_eq!(
        refused(&entries),
        [(2, Reason::TooLong), (3, Reason::Empty)]
    );
}

#[test]
fn mem0_gives_lists_and_results() {
    let memory = r#"{"id":"1","memory":"Loves  hiking","categories":["hobbies"],"created_at":"2026-03-01T10:00:00Z"}"#;
    for text in [
        format!("[{memory}]"),
        format!("{{\"results\":[{memory}]}}"),
        format!("{{\n\"memories\":\n[{memory}]}}"),
    ] {
        let (format, found) = statements(&text);
        assert_eq!(format, SourceFormat::Mem0);
        assert_eq!(said(&found), [("Loves hiking", "hobbies")]);
        assert_eq!(found[0].since_ms, Some(1_772_323_200_000));
    }
    let odd = format!("[{memory},{{\"memory\":\"\"}},7,{{\"memory\":null}}]");
    let (entries, ..) = brought(odd.as_bytes(), 9).unwrap();
    assert_eq!(
        refused(&entries),
        [
            (2, Reason::Empty),
            (3, Reason::WrongShape),
            (4, Reason::WrongShape)
        ]
    );
}

#[test]
fn every_kind_is_decided_about() {
    let names: Vec<&str> = kinds().map(|kind| kind.name()).collect();
    let document = include_str!("../../docs/format-export.md");
    for name in names {
        assert!(document.contains(&format!("`{name}`")), "{name}");
    }
    for reason in Reason::ALL {
        let name = format!("| `{}` |", reason.name());
        assert!(document.contains(&name), "{name}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..400), size in 1..50_usize) {
        let _ = brought(&bytes, size);
    }

    #[test]
    fn a_damaged_export_never_passes_for_a_whole_one(at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let text = written(&samples());
        let end = text.trim_end().rfind('\n').unwrap();
        let mut bytes = text.clone().into_bytes();
        let at = at.index(end);
        prop_assume!(bytes[at] != to);
        bytes[at] = to;
        if let Ok((_, SourceFormat::Export, seal)) = brought(&bytes, 100) {
            prop_assert_ne!(seal, Some(Seal::Whole));
        }
    }

    #[test]
    fn any_list_gives_lines_that_exist(text in "[ a-zA-Z\\-*#\\[\\]0-9:.\n]{0,200}") {
        if let Ok((entries, ..)) = brought(text.as_bytes(), 17) {
            let n_lines = text.lines().count() as u64;
            for entry in entries {
                prop_assert!((1..=n_lines).contains(&entry.line));
            }
        }
    }
}
