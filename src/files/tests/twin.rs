//! The naive twin: a flat list of paths and lines, with every rule written another way.

use super::{command, contents, run};
use crate::files::FileTree;
use serde_json::{Value, json};

/// What the twin says of a command: done, with the words that a view shows, or refused.
#[derive(Debug, PartialEq)]
enum Verdict {
    Done,
    Shown(Vec<String>),
    Refused,
}

#[derive(Default)]
struct Twin {
    files: Vec<(String, String)>,
}

impl Twin {
    fn find(&self, path: &str) -> Option<usize> {
        self.files.iter().position(|(at, _)| at == path)
    }

    fn is_in(path: &str, directory: &str) -> bool {
        let (path, directory): (Vec<&str>, Vec<&str>) =
            (path.split('/').collect(), directory.split('/').collect());
        path.len() > directory.len() && path[..directory.len()] == directory[..]
    }

    fn is_directory(&self, path: &str) -> bool {
        path == "/memories" || self.files.iter().any(|(at, _)| Twin::is_in(at, path))
    }

    fn can_hold(&self, path: &str) -> bool {
        self.find(path).is_none()
            && !self.is_directory(path)
            && self.files.iter().all(|(at, _)| !Twin::is_in(path, at))
    }

    fn run(&mut self, input: &Value) -> Verdict {
        let text = |name: &str| input[name].as_str().unwrap_or_default().to_string();
        let path = text("path");
        match input["command"].as_str().unwrap() {
            "view" => match self.find(&path) {
                Some(i) => {
                    let mut rows = Vec::new();
                    for (i, line) in self.files[i].1.split_inclusive('\n').enumerate() {
                        let line = line.trim_end_matches('\n');
                        rows.push(format!(
                            "{}{}\t{line}",
                            " ".repeat(6 - (i + 1).to_string().len()),
                            i + 1
                        ));
                    }
                    Verdict::Shown(rows)
                }
                None if self.is_directory(&path) => {
                    let mut rows = vec![path.clone()];
                    for (at, _) in &self.files {
                        if Twin::is_in(at, &path) {
                            let below = at[path.len() + 1..].split('/').collect::<Vec<_>>();
                            for depth in 1..=below.len().min(2) {
                                let slash = if depth < below.len() { "/" } else { "" };
                                rows.push(format!("{path}/{}{slash}", below[..depth].join("/")));
                            }
                        }
                    }
                    rows.sort();
                    rows.dedup();
                    Verdict::Shown(rows)
                }
                None => Verdict::Refused,
            },
            "create" if self.can_hold(&path) => {
                self.files.push((path, text("file_text")));
                Verdict::Done
            }
            "str_replace" => {
                let (old, new) = (text("old_str"), text("new_str"));
                match self.find(&path) {
                    Some(i) if !old.is_empty() && self.files[i].1.split(&old).count() == 2 => {
                        self.files[i].1 =
                            self.files[i].1.split(&old).collect::<Vec<_>>().join(&new);
                        Verdict::Done
                    }
                    _ => Verdict::Refused,
                }
            }
            "insert" => {
                let Some(i) = self.find(&path) else {
                    return Verdict::Refused;
                };
                let before = self.files[i].1.clone();
                let mut lines: Vec<String> = before
                    .split_inclusive('\n')
                    .map(|line| line.trim_end_matches('\n').into())
                    .collect();
                let at = input["insert_line"].as_i64().unwrap();
                if at < 0 || at > lines.len() as i64 {
                    return Verdict::Refused;
                }
                let inserted = text("insert_text");
                let inserted = if inserted.ends_with('\n') {
                    inserted[..inserted.len() - 1].to_string()
                } else {
                    inserted
                };
                lines.insert(at as usize, inserted);
                let mut after = String::new();
                for (i, line) in lines.iter().enumerate() {
                    after += line;
                    if i + 1 < lines.len() || before.ends_with('\n') {
                        after += "\n";
                    }
                }
                self.files[i].1 = after;
                Verdict::Done
            }
            "delete" if path != "/memories" => {
                let before = self.files.len();
                self.files
                    .retain(|(at, _)| *at != path && !Twin::is_in(at, &path));
                if self.files.len() < before {
                    Verdict::Done
                } else {
                    Verdict::Refused
                }
            }
            "rename" => {
                let (from, to) = (text("old_path"), text("new_path"));
                let there = self.find(&from).is_some() || self.is_directory(&from);
                if from == "/memories" || !there || !self.can_hold(&to) || Twin::is_in(&to, &from) {
                    return Verdict::Refused;
                }
                for (at, _) in &mut self.files {
                    if *at == from || Twin::is_in(at, &from) {
                        *at = format!("{to}{}", &at[from.len()..]);
                    }
                }
                Verdict::Done
            }
            _ => Verdict::Refused,
        }
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    fn of<'a>(&mut self, some: &[&'a str]) -> &'a str {
        some[self.below(some.len())]
    }

    /// Few names, so that files and directories get in each other's way.
    fn path(&mut self) -> String {
        let mut path = String::from("/memories");
        for _ in 0..self.below(4) {
            path += "/";
            path += self.of(&["a", "b", "ab", "ä"]);
        }
        path
    }

    fn text(&mut self) -> String {
        let words = ["x", "y", "xy", "\n", "\n", "\n\n", " ", "$&", "ä", "\r\n"];
        (0..self.below(7)).map(|_| self.of(&words)).collect()
    }

    fn command(&mut self) -> Value {
        let path = self.path();
        match self.below(7) {
            0 => command("view", &path, &[]),
            1 | 2 => command("create", &path, &[("file_text", json!(self.text()))]),
            3 => {
                let mut input = command("str_replace", &path, &[("old_str", json!(self.text()))]);
                if self.below(4) > 0 {
                    input["new_str"] = json!(self.text());
                }
                input
            }
            4 => {
                let line = self.below(6) as i64 - 1;
                let fields = [
                    ("insert_line", json!(line)),
                    ("insert_text", json!(self.text())),
                ];
                command("insert", &path, &fields)
            }
            5 => command("delete", &path, &[]),
            _ => json!({"command": "rename", "old_path": path, "new_path": self.path()}),
        }
    }
}

#[test]
fn ten_thousand_sequences_of_commands_do_what_the_twin_does() {
    let (mut n_done, mut n_refused) = (0, 0);
    for seed in 0..10_000 {
        let mut dice = Dice(seed);
        let (mut tree, mut twin) = (FileTree::default(), Twin::default());
        for step in 0..4 + dice.below(28) {
            let input = dice.command();
            let context = format!("seed {seed}, step {step}: {input}");
            let answer = run(&mut tree, &input);
            let verdict = twin.run(&input);
            match &verdict {
                Verdict::Refused => n_refused += 1,
                _ => n_done += 1,
            }
            assert_eq!(
                answer.is_error,
                verdict == Verdict::Refused,
                "{context}\n{}",
                answer.text
            );
            if let Verdict::Shown(rows) = verdict {
                let mut shown: Vec<&str> = answer.text.split('\n').skip(1).collect();
                if answer.text.starts_with("Here're") {
                    shown = shown
                        .iter()
                        .map(|row| row.split_once('\t').unwrap().1)
                        .collect();
                    shown.sort();
                }
                assert_eq!(shown, rows, "{context}");
            }
            let mut files = twin.files.clone();
            files.sort();
            let files: Vec<(&str, &str)> = files
                .iter()
                .map(|(path, text)| (path.as_str(), text.as_str()))
                .collect();
            assert_eq!(contents(&tree), files, "{context}");
        }
    }
    // Both happen often, or the commands are too tame or too wild to show anything.
    assert!(
        n_done > 30_000 && n_refused > 30_000,
        "{n_done} done, {n_refused} refused"
    );
}
