use crate::files::{FileTree, MAX_NAME_CHARACTERS, MAX_PATH_CHARACTERS, MemoryPath};
use serde_json::json;

#[test]
fn paths_that_are_allowed() {
    for (path, normal) in [
        ("/memories", "/memories"),
        ("/memories/", "/memories"),
        ("/memories/a.txt", "/memories/a.txt"),
        ("/memories/a/b/", "/memories/a/b"),
        ("/memories/...", "/memories/..."),
        ("/memories/..a", "/memories/..a"),
        ("/memories/100%", "/memories/100%"),
        ("/memories/100%zz", "/memories/100%zz"),
        ("/memories/a%20b", "/memories/a%20b"),
        ("/memories/a b", "/memories/a b"),
        // Two rounds of decoding: nobody decodes twice by mistake.
        ("/memories/%252e%252e", "/memories/%252e%252e"),
        (
            "/memories/re\u{301}sume\u{301}.md",
            "/memories/r\u{e9}sum\u{e9}.md",
        ),
        ("/memories/日本語/メモ.md", "/memories/日本語/メモ.md"),
        ("/memories/~/.ssh", "/memories/~/.ssh"),
    ] {
        let found = MemoryPath::new(path).unwrap_or_else(|refusal| panic!("{path}: {refusal}"));
        assert_eq!(found.as_str(), normal, "{path}");
    }
}

#[test]
fn paths_that_are_refused() {
    for path in [
        "",
        "/",
        "memories/a",
        "/Memories/a",
        " /memories/a",
        "/memories2",
        "//memories/a",
        "/memories//a",
        "/memories/a//",
        "/memories//",
        "/memories/.",
        "/memories/..",
        "/memories/./a",
        "/memories/a/..",
        "/memories/a/../..",
        "/memories/%2e",
        "/memories/%2E%2e/a",
        "/memories/.%2e/a",
        "/memories/a%2f..%2f..%2fb",
        "/memories/a%2f/b",
        "/memories/a%5cb",
        "/memories/a\\b",
        "/memories/a\0",
        "/memories/a%00",
        "/memories/a%0ab",
        "/memories/a\nb",
        "/memories/a\tb",
        "/memories/a\u{7f}",
        "/memories/a\u{85}",
        "/memories/a\u{2028}b",
        "/memories%2fa",
        "%2fmemories/a",
        "file:///memories/a",
    ] {
        assert!(MemoryPath::new(path).is_err(), "{path:?}");
    }
}

#[test]
fn lengths_count_characters_of_the_normal_form() {
    let name = "ä".repeat(MAX_NAME_CHARACTERS);
    assert!(MemoryPath::new(&format!("/memories/{name}")).is_ok());
    assert!(MemoryPath::new(&format!("/memories/a\u{308}{}", &name[2..])).is_ok());
    assert!(MemoryPath::new(&format!("/memories/{name}ä")).is_err());
    let fill = MAX_PATH_CHARACTERS - "/memories/".len() - MAX_NAME_CHARACTERS - 1;
    let longest = format!("/memories/{name}/{}", "b".repeat(fill));
    assert_eq!(longest.chars().count(), MAX_PATH_CHARACTERS);
    assert!(MemoryPath::new(&longest).is_ok());
    assert!(MemoryPath::new(&format!("{longest}b")).is_err());
}

#[test]
fn canonically_equal_paths_are_one_file() {
    let mut tree = FileTree::default();
    let mut create = |path: &str| {
        let input = json!({"command": "create", "path": path, "file_text": ""});
        super::run(&mut tree, &input).is_error
    };
    assert!(!create("/memories/caf\u{e9}"));
    assert!(create("/memories/cafe\u{301}"));
    assert_eq!(tree.files().len(), 1);
}

#[test]
fn the_directories_on_the_way() {
    let parents = |path| Vec::from_iter(MemoryPath::new(path).unwrap().parents().map(String::from));
    assert_eq!(parents("/memories"), [""; 0]);
    assert_eq!(parents("/memories/a"), [""; 0]);
    assert_eq!(parents("/memories/a/b/c"), ["/memories/a", "/memories/a/b"]);
}
