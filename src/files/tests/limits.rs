use super::{NOW, command, run, tree};
use crate::files::{
    FileTree, MAX_FILE_BYTES, MAX_FILES, MAX_TREE_BYTES, MAX_VIEW_CHARACTERS, MemoryPath, view,
};
use crate::model::File;
use serde_json::json;

fn create(path: &str, text: &str) -> serde_json::Value {
    command("create", path, &[("file_text", json!(text))])
}

#[test]
fn sizes_are_shown_as_by_du() {
    for (bytes, shown) in [
        (0, "0B"),
        (1, "1B"),
        (1023, "1023B"),
        (1024, "1K"),
        (1025, "1.0K"),
        (1280, "1.3K"),
        (1536, "1.5K"),
        (4096, "4K"),
        (1024 * 1024 - 1, "1024.0K"),
        (1024 * 1024, "1M"),
        (16 * 1024 * 1024 + 1, "16.0M"),
        (3 << 30, "3G"),
    ] {
        assert_eq!(view::size(bytes), shown);
    }
}

#[test]
fn a_file_may_be_so_large_and_no_larger() {
    let full = "a".repeat(MAX_FILE_BYTES);
    let mut tree = FileTree::default();
    assert!(run(&mut tree, &create("/memories/over", &format!("{full}a"))).is_error);
    assert!(!run(&mut tree, &create("/memories/a", &full)).is_error);
    let insert = [("insert_line", json!(0)), ("insert_text", json!(""))];
    let told = run(&mut tree, &command("insert", "/memories/a", &insert)).text;
    assert_eq!(
        told,
        "Error: The file would be larger than 64 KiB. Split it, or keep less in it"
    );
    // Bytes count, not characters.
    assert!(
        run(
            &mut tree,
            &create("/memories/b", &"ä".repeat(MAX_FILE_BYTES / 2 + 1))
        )
        .is_error
    );
}

#[test]
fn a_file_that_is_too_large_already_can_be_made_smaller() {
    let text = "a\n".repeat(MAX_FILE_BYTES);
    let mut tree = tree(&[("/memories/a", &format!("{text}b"))]);
    let shrink = [("old_str", json!("a\nb")), ("new_str", json!(""))];
    assert!(!run(&mut tree, &command("str_replace", "/memories/a", &shrink)).is_error);
}

#[test]
fn so_many_files_and_no_more() {
    let mut tree = FileTree::default();
    for i in 0..MAX_FILES {
        assert!(!run(&mut tree, &create(&format!("/memories/{i}"), "")).is_error);
    }
    let told = run(&mut tree, &create("/memories/one-more", "")).text;
    assert_eq!(
        told,
        "Error: There would be more than 256 files. Delete or join some"
    );
    run(&mut tree, &command("delete", "/memories/7", &[]));
    assert!(!run(&mut tree, &create("/memories/one-more", "")).is_error);
}

#[test]
fn all_files_together_have_a_limit() {
    let half = "a".repeat(MAX_TREE_BYTES / 2);
    let mut tree = tree(&[("/memories/a", &half), ("/memories/b", &half[2..])]);
    let told = run(&mut tree, &create("/memories/c", "abc")).text;
    let expected =
        "Error: All files together would be larger than 16 MiB. Delete what is no longer needed";
    assert_eq!(told, expected);
    assert!(!run(&mut tree, &create("/memories/c", "ab")).is_error);
}

#[test]
fn a_directory_is_not_renamed_to_where_its_files_have_no_room() {
    let long = "n".repeat(120);
    let path = format!("/memories/a/{long}");
    let mut tree = tree(&[("/memories/a/b", ""), (&path, "")]);
    let to = format!("/memories/{long}/deep");
    let rename = json!({"command": "rename", "old_path": "/memories/a", "new_path": to});
    assert!(!run(&mut tree, &rename).is_error);
    let deeper = format!("/memories/x/{long}/y");
    let rename =
        json!({"command": "rename", "old_path": to, "new_path": format!("{deeper}/zzzzz")});
    let told = run(&mut tree, &rename).text;
    assert_eq!(told, "Error: The path is longer than 256 characters");
}

#[test]
fn a_long_view_is_cut_at_a_line_and_tells_where_to_read_on() {
    let line = "0123456789 zehn Wörter später\n";
    let text = line.repeat(2_000);
    let mut tree = tree(&[("/memories/a", &text)]);
    let (mut first, mut seen, mut n_views) = (1, 0, 0);
    loop {
        let range = [("view_range", json!([first, -1]))];
        let shown = run(&mut tree, &command("view", "/memories/a", &range)).text;
        assert!(shown.chars().count() <= MAX_VIEW_CHARACTERS);
        n_views += 1;
        let rows = shown.lines().skip(1).filter(|row| !row.starts_with('['));
        for row in rows {
            seen += 1;
            assert_eq!(row, format!("{seen:>6}\t{}", line.trim_end()));
        }
        match shown.lines().last().and_then(|row| {
            row.strip_prefix("[The file has 2000 lines. To read on, view with view_range [")
        }) {
            Some(rest) => first = rest.split(',').next().unwrap().parse().unwrap(),
            None => break,
        }
        assert_eq!(first, seen + 1);
    }
    assert_eq!(seen, 2_000);
    assert!(n_views > 3);
}

#[test]
fn a_view_that_just_fits_is_whole() {
    let header = "Here's the content of /memories/a with line numbers:\n".len();
    for (length, is_whole) in [(0, true), (1, false)] {
        let text = "b".repeat(MAX_VIEW_CHARACTERS - header - 7 + length);
        let mut tree = tree(&[("/memories/a", &text)]);
        let shown = run(&mut tree, &command("view", "/memories/a", &[])).text;
        assert!(shown.chars().count() <= MAX_VIEW_CHARACTERS);
        assert_eq!(shown.ends_with(&format!("\t{text}")), is_whole);
    }
}

#[test]
fn a_line_that_is_too_long_is_cut_and_the_next_one_named() {
    let long = "ä".repeat(20_000);
    let mut tree = tree(&[("/memories/a", &format!("first\n{long}\nlast"))]);
    let mut view = |first: usize| {
        let range = [("view_range", json!([first, -1]))];
        run(&mut tree, &command("view", "/memories/a", &range)).text
    };
    assert!(view(1).ends_with(
        "\n     1\tfirst\n[The file has 3 lines. To read on, view with view_range [2, -1].]"
    ));
    let shown = view(2);
    assert!(shown.chars().count() <= MAX_VIEW_CHARACTERS);
    assert!(shown.ends_with(
        "ä\n[Line 2 is cut, it has 20000 characters. To read on, view with view_range [3, -1].]"
    ));
    assert!(view(3).ends_with("\n     3\tlast"));
}

#[test]
fn a_long_listing_is_cut() {
    let mut tree = FileTree::default();
    for i in 0..MAX_FILES {
        let path = format!("/memories/{i}-{}", "x".repeat(100));
        tree.put(&File::new(&path, "", NOW));
    }
    let shown = run(&mut tree, &command("view", "/memories", &[])).text;
    assert!(shown.chars().count() <= MAX_VIEW_CHARACTERS);
    assert!(
        shown.ends_with("\n[There is more. View a directory of this list to see what is in it.]")
    );
}

#[test]
fn the_persons_pen_overwrites_and_keeps_the_first_day() {
    let mut tree = tree(&[("/memories/a", "old")]);
    let path = MemoryPath::new("/memories/a").unwrap();
    for op in tree.write(&path, "new", super::LATER).unwrap() {
        tree.apply(&op);
    }
    let file = tree.read("/memories/a").unwrap();
    assert_eq!(
        (&*file.text, file.created, file.modified),
        ("new", NOW, super::LATER)
    );
    let root = MemoryPath::new("/memories").unwrap();
    assert!(tree.write(&root, "x", NOW).is_err());
    let below = MemoryPath::new("/memories/a/b").unwrap();
    assert!(tree.write(&below, "x", NOW).is_err());
}
