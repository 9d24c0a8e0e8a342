//! Every documented case: what is there, what is asked, what is answered, and what is there then.

use super::{LATER, NOW, command, contents, run, tree};
use crate::files::FileTree;
use serde_json::{Value, json};

type Files<'a> = &'a [(&'a str, &'a str)];

/// The answer to a command that is done.
#[track_caller]
fn done(files: Files, input: Value, told: &str, after: Files) {
    let mut tree = tree(files);
    let answer = run(&mut tree, &input);
    assert_eq!((&*answer.text, answer.is_error), (told, false), "{input}");
    assert_eq!(contents(&tree), after, "{input}");
}

/// The answer to a command that is refused; nothing changes.
#[track_caller]
fn refused(files: Files, input: Value, told: &str) {
    let mut tree = tree(files);
    let answer = run(&mut tree, &input);
    assert_eq!((&*answer.text, answer.is_error), (told, true), "{input}");
    let unprefixed = told.strip_prefix("Error: ").unwrap_or(told);
    assert_eq!(answer.unprefixed, unprefixed);
    assert_eq!(contents(&tree), files, "{input}");
}

const A: &str = "/memories/a.txt";

#[test]
fn c1_create() {
    let path = "/memories/test_file.txt";
    let create = command("create", path, &[("file_text", json!("Hi\n"))]);
    let told = "File created successfully at: /memories/test_file.txt";
    done(&[], create, told, &[(path, "Hi\n")]);
}

#[test]
fn c2_create_in_directories_that_were_not_there() {
    let path = "/memories/deep/nested/file.txt";
    let create = command("create", path, &[("file_text", json!("x"))]);
    let told = "File created successfully at: /memories/deep/nested/file.txt";
    done(&[], create, told, &[(path, "x")]);
    let told = "Here're the files and directories up to 2 levels deep in /memories, excluding hidden items and node_modules:\n\
                1B\t/memories\n1B\t/memories/deep/\n1B\t/memories/deep/nested/";
    let view = command("view", "/memories", &[]);
    done(&[(path, "x")], view, told, &[(path, "x")]);
}

#[test]
fn c3_create_what_is_there() {
    let create = |path| command("create", path, &[("file_text", json!("new"))]);
    let told = "Error: File /memories/a.txt already exists";
    refused(&[(A, "old")], create(A), told);
    let below = [("/memories/a.txt/b", "x")];
    refused(&below, create(A), told);
    let told = "Error: File /memories already exists";
    refused(&[], create("/memories"), told);
    let told = "Error: /memories/a.txt is a file, not a directory";
    refused(&[(A, "old")], create("/memories/a.txt/b/c"), told);
}

#[test]
fn v1_view_a_file() {
    let files = [(A, "Line 1\nLine 2\nLine 3")];
    let told = "Here's the content of /memories/a.txt with line numbers:\n     1\tLine 1\n     2\tLine 2\n     3\tLine 3";
    done(&files, command("view", A, &[]), told, &files);
    // A line break at the end begins no further line.
    let files = [(A, "Line 1\nLine 2\nLine 3\n")];
    done(&files, command("view", A, &[]), told, &files);
    done(
        &files,
        command("view", "/memories/a.txt/", &[]),
        told,
        &files,
    );
}

#[test]
fn v1_view_files_of_line_breaks() {
    let header = "Here's the content of /memories/a.txt with line numbers:";
    for (text, lines) in [
        ("", ""),
        ("\n", "\n     1\t"),
        ("\n\n", "\n     1\t\n     2\t"),
        ("a\n\n", "\n     1\ta\n     2\t"),
        ("a\r\nb\r\n", "\n     1\ta\r\n     2\tb\r"),
    ] {
        let files = [(A, text)];
        let view = command("view", A, &[]);
        done(&files, view, &format!("{header}{lines}"), &files);
    }
}

#[test]
fn v2_v8_view_a_range() {
    let files = [(A, "1\n2\n3\n4\n5\n")];
    let range = |range: Value| command("view", A, &[("view_range", range)]);
    let header = "Here's the content of /memories/a.txt with line numbers:";
    for (asked, lines) in [
        (json!([2, 4]), "\n     2\t2\n     3\t3\n     4\t4"),
        (json!([4, -1]), "\n     4\t4\n     5\t5"),
        (json!([2.0, 2.0]), "\n     2\t2"),
        (json!([5, 9]), "\n     5\t5"),
        (json!([6, 9]), ""),
        (json!([6, -1]), ""),
        (json!([0, 1]), "\n     1\t1"),
        (json!([-7, 1]), "\n     1\t1"),
        (
            Value::Null,
            "\n     1\t1\n     2\t2\n     3\t3\n     4\t4\n     5\t5",
        ),
    ] {
        done(&files, range(asked), &format!("{header}{lines}"), &files);
    }
    for (asked, shown) in [
        (json!([4, 2]), "[4,2]"),
        (json!([2, 0]), "[2,0]"),
        (json!([2, -2]), "[2,-2]"),
        (json!([1.5, 2]), "[1.5,2]"),
        (json!([1]), "[1]"),
        (json!([1, 2, 3]), "\"not two numbers\""),
        (json!(["1", "2"]), "\"not two numbers\""),
        (json!("1-2"), "\"not two numbers\""),
    ] {
        let told = format!(
            "Error: Invalid `view_range` parameter: {shown}. \
             It should be [first, last] with whole numbers from 1; -1 as last means to the end"
        );
        refused(&files, range(asked), &told);
    }
    let directory = command("view", "/memories", &[("view_range", json!([1, 2]))]);
    let told = "Here're the files and directories up to 2 levels deep in /memories, excluding hidden items and node_modules:\n\
                10B\t/memories\n10B\t/memories/a.txt";
    done(&files, directory, told, &files);
}

#[test]
fn v3_view_a_directory() {
    let files = [
        ("/memories/b.txt", &*"b".repeat(1536)),
        ("/memories/z/a.txt", &*"a".repeat(4096)),
    ];
    let told = "Here're the files and directories up to 2 levels deep in /memories, excluding hidden items and node_modules:\n\
                5.5K\t/memories\n1.5K\t/memories/b.txt\n4K\t/memories/z/\n4K\t/memories/z/a.txt";
    for path in ["/memories", "/memories/"] {
        done(&files, command("view", path, &[]), told, &files);
    }
    let told = "Here're the files and directories up to 2 levels deep in /memories/z, excluding hidden items and node_modules:\n\
                4K\t/memories/z\n4K\t/memories/z/a.txt";
    done(&files, command("view", "/memories/z", &[]), told, &files);
}

#[test]
fn v3_a_directory_is_sorted_by_names_depth_first() {
    let paths = ["a-b", "a/x", "a/z/1", "b", "B", "\u{1f600}", "\u{ff5e}"];
    let paths = paths.map(|name| format!("/memories/{name}"));
    let mut tree = FileTree::default();
    for path in &paths {
        run(
            &mut tree,
            &command("create", path, &[("file_text", json!(""))]),
        );
    }
    let listed = run(&mut tree, &command("view", "/memories", &[])).text;
    let rows: Vec<&str> = listed.lines().skip(2).collect();
    // By UTF-16 code units: the smiley's first one is lower than the tilde.
    let expected = [
        "B",
        "a/",
        "a/x",
        "a/z/",
        "a-b",
        "b",
        "\u{1f600}",
        "\u{ff5e}",
    ];
    assert_eq!(rows, expected.map(|name| format!("0B\t/memories/{name}")));
}

#[test]
fn v4_view_what_is_missing() {
    let told = "The path /memories/b does not exist. Please provide a valid path.";
    refused(&[(A, "x")], command("view", "/memories/b", &[]), told);
    let told = "The path /memories/a.txt/b does not exist. Please provide a valid path.";
    refused(&[(A, "x")], command("view", "/memories/a.txt/b", &[]), told);
}

#[test]
fn v5_view_a_million_lines() {
    let million = "\n".repeat(1_000_000);
    let told = "File /memories/a.txt exceeds maximum line limit of 999,999 lines.";
    refused(&[(A, &million)], command("view", A, &[]), told);
    let mut fewer = tree(&[(A, &million[1..])]);
    let view = command("view", A, &[("view_range", json!([999_998, -1]))]);
    let told = "Here's the content of /memories/a.txt with line numbers:\n999998\t\n999999\t";
    assert_eq!(run(&mut fewer, &view).text, told);
}

#[test]
fn v6_view_nothing() {
    let told = "Here're the files and directories up to 2 levels deep in /memories, excluding hidden items and node_modules:\n\
                0B\t/memories";
    done(&[], command("view", "/memories", &[]), told, &[]);
}

#[test]
fn v7_what_a_directory_does_not_list() {
    let files = [
        ("/memories/.hidden", "x"),
        ("/memories/a/.git/config", "x"),
        ("/memories/a/b/c.txt", "x"),
        ("/memories/node_modules/m/index.js", "x"),
    ];
    let told = "Here're the files and directories up to 2 levels deep in /memories, excluding hidden items and node_modules:\n\
                4B\t/memories\n2B\t/memories/a/\n1B\t/memories/a/b/";
    done(&files, command("view", "/memories", &[]), told, &files);
    // Who knows the name can read it.
    let told = "Here's the content of /memories/.hidden with line numbers:\n     1\tx";
    done(
        &files,
        command("view", "/memories/.hidden", &[]),
        told,
        &files,
    );
}

/// What `str_replace` makes of a text, and the snippet.
#[track_caller]
fn replaced(text: &str, old: &str, new: Option<&str>, after: &str, snippet: &str) {
    let mut input = command("str_replace", A, &[("old_str", json!(old))]);
    if let Some(new) = new {
        input["new_str"] = json!(new);
    }
    let told = format!(
        "The memory file has been edited. Here is the snippet showing the change (with line numbers):\n{snippet}"
    );
    done(&[(A, text)], input, &told, &[(A, after)]);
}

#[test]
fn s1_str_replace() {
    let text = "Line 1\nOld Text\nLine 3";
    let snippet = "     1\tLine 1\n     2\tNew Text\n     3\tLine 3";
    replaced(
        text,
        "Old",
        Some("New"),
        "Line 1\nNew Text\nLine 3",
        snippet,
    );
    let text = "1\n2\n3\n4\n5\n6\n7\n8\n";
    let snippet = "     3\t3\n     4\t4\n     5\tfive\n     6\t6\n     7\t7";
    replaced(
        text,
        "5",
        Some("five"),
        "1\n2\n3\n4\nfive\n6\n7\n8\n",
        snippet,
    );
    let snippet = "     3\t3\n     4\t4\n     5\ta\n     6\tb\n     7\tc\n     8\t6\n     9\t7";
    replaced(
        text,
        "5",
        Some("a\nb\nc"),
        "1\n2\n3\n4\na\nb\nc\n6\n7\n8\n",
        snippet,
    );
}

#[test]
fn s2_str_replace_without_a_match() {
    let input = |old: &str| {
        command(
            "str_replace",
            A,
            &[("old_str", json!(old)), ("new_str", json!("x"))],
        )
    };
    let told =
        "No replacement was performed, old_str `Nope` did not appear verbatim in /memories/a.txt.";
    refused(&[(A, "text")], input("Nope"), told);
    let told =
        "No replacement was performed, old_str `` did not appear verbatim in /memories/a.txt.";
    refused(&[(A, "text")], input(""), told);
}

#[test]
fn s3_s4_str_replace_with_several_matches() {
    for (text, old, lines) in [
        ("Hello\nMiddle\nHello", "Hello", "1, 3"),
        ("Hello Hello", "Hello", "1"),
        ("x\n\nx y x\n", "x", "1, 3"),
        ("a\nb\na\nb\n", "a\nb", "1, 3"),
    ] {
        let told = format!(
            "No replacement was performed. Multiple occurrences of old_str `{old}` in lines: {lines}. Please ensure it is unique"
        );
        let input = command(
            "str_replace",
            A,
            &[("old_str", json!(old)), ("new_str", json!("x"))],
        );
        refused(&[(A, text)], input, &told);
    }
}

#[test]
fn s5_str_replace_across_lines() {
    replaced(
        "a\nx\ny\nb",
        "x\ny",
        Some("z"),
        "a\nz\nb",
        "     1\ta\n     2\tz\n     3\tb",
    );
}

#[test]
fn s6_str_replace_without_a_new_text() {
    replaced("a\nx\nb", "x\n", None, "a\nb", "     1\ta\n     2\tb");
    replaced("x", "x", None, "", "");
    let null = command(
        "str_replace",
        A,
        &[("old_str", json!("x")), ("new_str", Value::Null)],
    );
    let mut tree = tree(&[(A, "xy")]);
    assert!(!run(&mut tree, &null).is_error);
    assert_eq!(contents(&tree), [(A, "y")]);
}

#[test]
fn s7_str_replace_takes_the_new_text_literally() {
    replaced(
        "a b",
        "b",
        Some("$& $1 \\1 $$"),
        "a $& $1 \\1 $$",
        "     1\ta $& $1 \\1 $$",
    );
}

#[test]
fn s8_str_replace_in_no_file() {
    let input = |path| {
        command(
            "str_replace",
            path,
            &[("old_str", json!("a")), ("new_str", json!("b"))],
        )
    };
    let files = [("/memories/d/a.txt", "a")];
    let told = "Error: The path /memories/b does not exist. Please provide a valid path.";
    refused(&files, input("/memories/b"), told);
    let told = "Error: The path /memories/d does not exist. Please provide a valid path.";
    refused(&files, input("/memories/d"), told);
}

fn insertion(path: &str, line: Value, text: &str) -> Value {
    let fields = [("insert_line", line), ("insert_text", json!(text))];
    command("insert", path, &fields)
}

#[test]
fn i1_insert() {
    for (text, line, inserted, after) in [
        ("Line 1\nLine 2", 1, "Middle", "Line 1\nMiddle\nLine 2"),
        ("Line 1\nLine 2", 0, "First\n", "First\nLine 1\nLine 2"),
        ("Line 1\nLine 2", 2, "Last\n", "Line 1\nLine 2\nLast"),
        ("Line 1\nLine 2\n", 2, "Last", "Line 1\nLine 2\nLast\n"),
        ("Line 1\n", 1, "Two\nThree\n", "Line 1\nTwo\nThree\n"),
        ("Line 1\n", 1, "Two\n\n", "Line 1\nTwo\n\n"),
        ("Line 1\n", 0, "", "\nLine 1\n"),
        ("", 0, "Only\n", "Only"),
        ("\n", 1, "Two", "\nTwo\n"),
    ] {
        let told = "The file /memories/a.txt has been edited.";
        let input = insertion(A, json!(line), inserted);
        done(&[(A, text)], input, told, &[(A, after)]);
    }
}

#[test]
fn i2_insert_where_there_is_no_line() {
    for text in ["Line 1\nLine 2", "Line 1\nLine 2\n"] {
        for line in [10, 3, -1, i64::MIN, i64::MAX] {
            let told = format!(
                "Error: Invalid `insert_line` parameter: {line}. It should be within the range of lines of the file: [0, 2]"
            );
            refused(&[(A, text)], insertion(A, json!(line), "x"), &told);
        }
    }
    let told = "Error: Invalid `insert_line` parameter: expected a whole number";
    for line in [json!(1.5), json!("1"), json!([1]), json!(1e300)] {
        refused(&[(A, "x")], insertion(A, line, "x"), told);
    }
}

#[test]
fn i3_insert_into_no_file() {
    let told = "Error: The path /memories/b does not exist";
    let files = [("/memories/d/a.txt", "a")];
    refused(&files, insertion("/memories/b", json!(0), "x"), told);
    let told = "Error: The path /memories/d does not exist";
    refused(&files, insertion("/memories/d", json!(0), "x"), told);
}

#[test]
fn d1_delete() {
    let files = [
        ("/memories/a", "1"),
        ("/memories/d/e/f", "2"),
        ("/memories/d/g", "3"),
        ("/memories/da", "4"),
    ];
    let told = "Successfully deleted /memories/a";
    done(
        &files,
        command("delete", "/memories/a", &[]),
        told,
        &files[1..],
    );
    let told = "Successfully deleted /memories/d";
    let left = [files[0], files[3]];
    done(&files, command("delete", "/memories/d/", &[]), told, &left);
}

#[test]
fn d2_delete_what_is_missing_or_must_stay() {
    let files = [("/memories/a", "1")];
    let told = "Error: The path /memories/b does not exist";
    refused(&files, command("delete", "/memories/b", &[]), told);
    let told = "Cannot delete the /memories directory itself";
    refused(&files, command("delete", "/memories", &[]), told);
    refused(&files, command("delete", "/memories/", &[]), told);
}

fn renaming(from: &str, to: &str) -> Value {
    json!({"command": "rename", "old_path": from, "new_path": to})
}

#[test]
fn r1_rename() {
    let files = [
        ("/memories/a", "1"),
        ("/memories/d/e/f", "2"),
        ("/memories/d/g", "3"),
    ];
    let told = "Successfully renamed /memories/a to /memories/b";
    let after = [("/memories/b", "1"), files[1], files[2]];
    done(&files, renaming("/memories/a", "/memories/b"), told, &after);
    let told = "Successfully renamed /memories/a to /memories/new/deep/a";
    let after = [files[1], files[2], ("/memories/new/deep/a", "1")];
    done(
        &files,
        renaming("/memories/a", "/memories/new/deep/a"),
        told,
        &after,
    );
    let told = "Successfully renamed /memories/d to /memories/x/y";
    let after = [
        files[0],
        ("/memories/x/y/e/f", "2"),
        ("/memories/x/y/g", "3"),
    ];
    done(
        &files,
        renaming("/memories/d/", "/memories/x/y"),
        told,
        &after,
    );
    let told = "Successfully renamed /memories/d/e to /memories/e";
    let after = [files[0], files[2], ("/memories/e/f", "2")];
    done(
        &files,
        renaming("/memories/d/e", "/memories/e"),
        told,
        &after,
    );
}

#[test]
fn r2_rename_refused() {
    let files = [("/memories/a", "1"), ("/memories/d/g", "3")];
    for (from, to, told) in [
        (
            "/memories/b",
            "/memories/c",
            "Error: The path /memories/b does not exist",
        ),
        (
            "/memories/a",
            "/memories/d/g",
            "Error: The destination /memories/d/g already exists",
        ),
        (
            "/memories/a",
            "/memories/d",
            "Error: The destination /memories/d already exists",
        ),
        (
            "/memories/a",
            "/memories/a",
            "Error: The destination /memories/a already exists",
        ),
        (
            "/memories/a",
            "/memories",
            "Error: The destination /memories already exists",
        ),
        (
            "/memories",
            "/memories/c",
            "Cannot rename the /memories directory itself",
        ),
        (
            "/memories/d",
            "/memories/a/d",
            "Error: /memories/a is a file, not a directory",
        ),
        (
            "/memories/d",
            "/memories/d/e",
            "Error: The destination /memories/d/e is inside the directory to be renamed",
        ),
    ] {
        refused(&files, renaming(from, to), told);
    }
}

#[test]
fn p1_paths_that_lead_elsewhere() {
    let escapes = |path: &str| format!("Path {path} would escape /memories directory");
    let outside = |path: &str| format!("Path must start with /memories, got: {path}");
    for (path, told) in [
        ("/invalid/path.txt", outside("/invalid/path.txt")),
        ("/memoriesX/a", outside("/memoriesX/a")),
        (
            "/memories/../../../etc/passwd",
            escapes("/memories/../../../etc/passwd"),
        ),
        ("/memories/%2e%2e/x", escapes("/memories/%2e%2e/x")),
        ("/memories/..\\x", escapes("/memories/..\\x")),
    ] {
        let files = [(A, "x")];
        refused(&files, command("view", path, &[]), &told);
        refused(
            &files,
            command("create", path, &[("file_text", json!("x"))]),
            &told,
        );
        refused(
            &files,
            command("str_replace", path, &[("old_str", json!("x"))]),
            &told,
        );
        refused(&files, insertion(path, json!(0), "x"), &told);
        refused(&files, command("delete", path, &[]), &told);
        refused(&files, renaming(path, "/memories/b"), &told);
        refused(&files, renaming(A, path), &told);
    }
}

#[test]
fn u1_what_is_no_command() {
    let files = [(A, "x")];
    for (input, told) in [
        (
            json!({"command": "undo_edit", "path": A}),
            "Error: Unknown command: undo_edit",
        ),
        (
            json!({"command": "VIEW", "path": A}),
            "Error: Unknown command: VIEW",
        ),
        (
            json!({"path": A}),
            "Error: Missing required parameter: command",
        ),
        (
            json!({"command": 7}),
            "Error: Invalid `command` parameter: expected text",
        ),
        (json!(null), "Error: Missing required parameter: command"),
        (json!("view"), "Error: Missing required parameter: command"),
        (json!([]), "Error: Missing required parameter: command"),
        (
            json!({"command": "view"}),
            "Error: Missing required parameter: path",
        ),
        (
            json!({"command": "view", "path": null}),
            "Error: Missing required parameter: path",
        ),
        (
            json!({"command": "view", "path": 1}),
            "Error: Invalid `path` parameter: expected text",
        ),
        (
            command("create", A, &[]),
            "Error: Missing required parameter: file_text",
        ),
        (
            command("str_replace", A, &[]),
            "Error: Missing required parameter: old_str",
        ),
        (
            command("insert", A, &[]),
            "Error: Missing required parameter: insert_line",
        ),
        (
            command("insert", A, &[("insert_line", json!(0))]),
            "Error: Missing required parameter: insert_text",
        ),
        (
            json!({"command": "delete"}),
            "Error: Missing required parameter: path",
        ),
        (
            json!({"command": "rename", "path": A}),
            "Error: Missing required parameter: old_path",
        ),
        (
            json!({"command": "rename", "old_path": A}),
            "Error: Missing required parameter: new_path",
        ),
    ] {
        refused(&files, input, told);
    }
}

#[test]
fn times_tell_when_a_text_was_written() {
    let mut tree = tree(&[(A, "x")]);
    run(&mut tree, &renaming(A, "/memories/b"));
    let file = tree.read("/memories/b").unwrap();
    assert_eq!((file.created, file.modified), (NOW, NOW));
    run(&mut tree, &insertion("/memories/b", json!(0), "y"));
    let file = tree.read("/memories/b").unwrap();
    assert_eq!((file.created, file.modified), (NOW, LATER));
}
