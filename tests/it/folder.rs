//! A `/memories` folder that comes as a zip file.

use crate::world::*;
use crate::zip_made::*;
use onhand::error::Error;
use onhand::files::{MAX_FILE_BYTES, MAX_FILES};
use onhand::memory::{Memory, RecallRequest};
use onhand::model::Kind;
use onhand::recall::Level;
use onhand::transfer::{Reason, Report, SourceFormat};

fn bring(memory: &Memory<TestPorts>, bytes: &[u8], dry_run: bool) -> Result<Report, Error> {
    pollster::block_on(async {
        let mut import = memory.begin_import(dry_run).await?;
        for piece in bytes.chunks(500) {
            memory.import(&mut import, piece).await?;
        }
        memory.finish_import(import).await
    })
}

fn import(memory: &Memory<TestPorts>, entries: &[Zipped]) -> Report {
    bring(memory, &zip(entries), false).unwrap()
}

/// Paths and texts.
fn files(memory: &Memory<TestPorts>) -> Vec<(String, String)> {
    let files = memory.files().unwrap().into_iter();
    files.map(|file| (file.path, file.text)).collect()
}

fn paths(memory: &Memory<TestPorts>) -> Vec<String> {
    files(memory).into_iter().map(|(path, _)| path).collect()
}

/// What was refused, by name, and why.
fn refused(report: &Report) -> Vec<(&str, Reason)> {
    let refused = report.refused.iter();
    refused
        .map(|one| (one.path.as_deref().unwrap(), one.reason))
        .collect()
}

fn directory(name: &str) -> Zipped {
    Zipped {
        mode: DIRECTORY,
        ..stored(name, b"")
    }
}

#[test]
fn a_folder_that_a_common_tool_packed_is_read_and_recalled() {
    // Made by Info-ZIP 3.0: `zip -ry memories.zip memories`, with a directory, a link and an empty file in it.
    let bytes = include_bytes!("../golden/memories.zip");
    let world = World::new();
    let memory = world.open();
    let looked = bring(&memory, bytes, true).unwrap();
    assert_eq!((looked.dry_run, memory.files().unwrap().len()), (true, 0));
    let report = bring(&memory, bytes, false).unwrap();
    assert_eq!(
        (report.format, report.seal, report.n_added()),
        (Some(SourceFormat::Folder), None, 3)
    );
    assert_eq!(report.added, looked.added);
    let tea = "Tea without milk, always.\nNever before noon.\n".repeat(20);
    assert_eq!(
        files(&memory),
        [
            ("/memories/boat/é-log.md".into(), "It leaks.\n".into()),
            ("/memories/empty.md".into(), String::new()),
            ("/memories/tea.md".into(), tea),
        ]
    );
    assert_eq!(refused(&report), [("memories/link.md", Reason::Link)]);
    let request = RecallRequest {
        query: "tea without milk".into(),
        limit: None,
        level: Level::Loose,
        session: None,
    };
    let found = pollster::block_on(memory.recall(&request)).unwrap();
    assert!(found.items[0].file.is_some());
}

#[test]
fn the_same_folder_twice_adds_nothing_and_changes_nothing() {
    let world = World::new();
    let memory = world.open();
    let entries = [
        directory("memories/"),
        deflated("memories/a.md", b"one"),
        stored("memories/b/c.md", b"two"),
    ];
    assert_eq!(import(&memory, &entries).n_added(), 2);
    world.clock.pass(DAY_MS);
    let before = memory.files().unwrap();
    let again = import(&memory, &entries);
    assert_eq!((again.n_added(), again.skipped), (0, 2));
    let changed = import(&memory, &[stored("memories/a.md", b"another")]);
    assert_eq!((changed.n_added(), changed.n_conflicts), (0, 1));
    assert_eq!(changed.conflicts[0].path.as_deref(), Some("/memories/a.md"));
    assert_eq!(memory.files().unwrap(), before);
}

#[test]
fn the_folder_may_be_named_or_be_all_there_is() {
    for (names, expected, n_refused) in [
        (
            &["a.md", "b/c.md"][..],
            &["/memories/a.md", "/memories/b/c.md"][..],
            0,
        ),
        (&["./a.md"], &["/memories/a.md"], 0),
        (&["./memories/a.md"], &["/memories/a.md"], 0),
        // What macOS puts beside the folder is not of it.
        (
            &["memories/a.md", "__MACOSX/memories/._a.md", ".DS_Store"],
            &["/memories/a.md"],
            2,
        ),
    ] {
        let world = World::new();
        let memory = world.open();
        let entries: Vec<Zipped> = names.iter().map(|name| deflated(name, b"x")).collect();
        let report = import(&memory, &entries);
        assert_eq!(paths(&memory), expected);
        assert_eq!(report.n_refused, n_refused, "{names:?}");
    }
}

#[test]
fn no_path_leads_out_of_the_folder() {
    let world = World::new();
    let memory = world.open();
    let names = [
        "/etc/passwd",
        "../up.md",
        "memories/../../up.md",
        "memories/a/../b.md",
        "memories/%2e%2e/%2e%2e/up.md",
        "memories\\a.md",
        "memories/a\\..\\b.md",
        "C:\\a.md",
        "memories//a.md",
        "memories/a\nb.md",
        "memories/a\0b.md",
        "other/a.md",
        "memories",
    ];
    let mut entries: Vec<Zipped> = names.iter().map(|name| stored(name, b"x")).collect();
    entries.push(stored("memories/good.md", b"x"));
    let report = import(&memory, &entries);
    assert_eq!(paths(&memory), ["/memories/good.md"]);
    let expected: Vec<(&str, Reason)> = names.iter().map(|name| (*name, Reason::BadFile)).collect();
    assert_eq!(refused(&report), expected);
    let lines: Vec<u64> = report.refused.iter().map(|one| one.line).collect();
    assert_eq!(lines, (1..=names.len() as u64).collect::<Vec<_>>());
}

#[test]
fn what_is_no_plain_text_file_is_named_and_left_out() {
    let world = World::new();
    let memory = world.open();
    let lying = Zipped {
        size: 1,
        ..deflated("lies-about-its-size", b"two")
    };
    let damaged = Zipped {
        checksum: 1,
        ..deflated("damaged", b"two")
    };
    let broken = Zipped {
        packed: vec![0xff; 9],
        ..deflated("broken", b"two")
    };
    let entries = [
        Zipped {
            mode: LINK,
            ..stored("link", b"/etc/passwd")
        },
        Zipped {
            flags: 1,
            ..stored("encrypted", b"x")
        },
        Zipped {
            method: 12,
            ..stored("bzip2", b"x")
        },
        lying,
        damaged,
        broken,
        stored("picture.png", &[0x89, b'P', 0xff, 0xfe]),
        Zipped {
            name: b"caf\xe9.md".into(),
            flags: 0,
            ..stored("", b"x")
        },
        stored("large", &vec![b'x'; MAX_FILE_BYTES + 1]),
        stored("good.md", b"words"),
        stored("nul.md", b"a\0b"),
    ];
    let report = import(&memory, &entries);
    assert_eq!(
        refused(&report),
        [
            ("link", Reason::Link),
            ("encrypted", Reason::Unsupported),
            ("bzip2", Reason::Unsupported),
            ("lies-about-its-size", Reason::Damaged),
            ("damaged", Reason::Damaged),
            ("broken", Reason::Damaged),
            ("picture.png", Reason::NotText),
            ("caf\u{fffd}.md", Reason::NotText),
            ("large", Reason::TooLong),
        ]
    );
    assert_eq!(paths(&memory), ["/memories/good.md", "/memories/nul.md"]);
}

#[test]
fn bombs_do_not_go_off() {
    let world = World::new();
    let memory = world.open();
    // A thousandth of what is in it, under a size that is right, and under one that is not.
    let bomb = deflated("bomb", &vec![b'0'; 100 << 20]);
    assert!(bomb.packed.len() < 1 << 20);
    let hidden = Zipped {
        name: b"hidden".into(),
        size: 5,
        ..bomb.clone()
    };
    let report = import(&memory, &[bomb, hidden]);
    assert_eq!(
        refused(&report),
        [("bomb", Reason::TooLong), ("hidden", Reason::TooLong)]
    );
    // Many names for the same bytes: the directory is small, and what it names is not.
    let text = vec![b'x'; MAX_FILE_BYTES];
    let mut entries = Vec::new();
    for i in 0..MAX_FILES + 100 {
        entries.push(deflated(&format!("{i:04}"), &text));
    }
    let report = import(&memory, &entries);
    assert_eq!(report.n_added() as usize, MAX_FILES);
    assert_eq!(report.n_refused, 100);
    let too_many: Vec<Zipped> = (0..5_000).map(|i| stored(&i.to_string(), b"")).collect();
    let error = bring(&memory, &zip(&too_many), false).unwrap_err();
    assert_eq!(error.code(), "invalid_input");
}

#[test]
fn files_in_each_others_way_and_twice_the_same_are_told_apart() {
    let world = World::new();
    let memory = world.open();
    let report = import(
        &memory,
        &[
            stored("a", b"one"),
            stored("a/b", b"below a file"),
            stored("c/d", b"two"),
            stored("c", b"a file and a directory"),
            stored("a", b"one"),
            stored("a", b"another"),
            // One letter in two spellings of Unicode.
            stored("\u{e9}", b"three"),
            stored("e\u{301}", b"three"),
        ],
    );
    assert_eq!(
        paths(&memory),
        ["/memories/a", "/memories/c/d", "/memories/\u{e9}"]
    );
    assert_eq!(
        refused(&report),
        [
            ("/memories/a/b", Reason::BadFile),
            ("/memories/c", Reason::BadFile)
        ]
    );
    assert_eq!((report.skipped, report.n_conflicts), (2, 1));
    assert_eq!(files(&memory)[0].1, "one");
}

#[test]
fn a_zip_file_that_is_none_is_refused_as_such() {
    let world = World::new();
    let memory = world.open();
    let whole = zip(&[stored("a.md", b"words")]);
    for end in 4..whole.len() {
        let error = bring(&memory, &whole[..end], false).unwrap_err();
        assert_eq!(error.code(), "damaged_file", "cut at {end}");
    }
    for empty in [zip(&[]), zip(&[directory("memories/")])] {
        let error = bring(&memory, &empty, false).unwrap_err();
        assert_eq!(error.code(), "invalid_input");
    }
    assert_eq!(world.n_stored(Kind::File), 0);
}
