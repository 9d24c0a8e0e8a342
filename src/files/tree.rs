//! The files of one namespace, and what each command makes of them.

use super::{
    Command, MAX_FILE_BYTES, MAX_FILES, MAX_TREE_BYTES, MemoryPath, Refusal, ViewRange, edit, view,
};
use crate::batch::Op;
use crate::model::{File, FileId, Kind, Record};
use crate::time::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;

/// What Claude is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub text: String,
    /// Nothing was done, and the text says why.
    pub is_error: bool,
    /// The text without the prefix `Error: `, for tool runners that put it there themselves.
    pub unprefixed: String,
}

/// A command carried out on paper: what to tell, once the ops are written.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub answer: Answer,
    /// Empty if nothing changes.
    pub ops: Vec<Op>,
}

/// All files of one namespace, by path. A directory is what lies before a slash in the path of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FileTree {
    files: BTreeMap<String, File>,
}

type Done = Result<(String, Vec<Op>), Refusal>;

impl FileTree {
    /// All files, by path.
    pub fn files(&self) -> impl ExactSizeIterator<Item = &File> {
        self.files.values()
    }

    /// The file at a path.
    ///
    /// # Errors
    /// What the path breaks, or that there is no file.
    pub fn read(&self, path: &str) -> Result<&File, Refusal> {
        let path = MemoryPath::new(path)?;
        let missing = || Refusal::NothingToView {
            path: path.to_string(),
        };
        self.files.get(path.as_str()).ok_or_else(missing)
    }

    /// The file with an id.
    pub fn get(&self, id: FileId) -> Option<&File> {
        self.files.values().find(|file| file.id == id)
    }

    /// Brings the tree up to a change that was written; of other kinds it knows nothing.
    pub fn apply(&mut self, op: &Op) {
        match op {
            Op::Insert(Record::File(file)) | Op::Put(Record::File(file)) => self.put(file),
            Op::Delete {
                kind: Kind::File,
                name,
            } => {
                if let Ok(id) = name.parse() {
                    self.remove(id);
                }
            }
            _ => {}
        }
    }

    pub fn put(&mut self, file: &File) {
        self.files.insert(file.path.clone(), file.clone());
    }

    pub fn remove(&mut self, id: FileId) {
        self.files.retain(|_, file| file.id != id);
    }

    /// What the tool's input asks for: the answer, and the changes that make it true. The tree stays as it is until they
    /// are applied.
    pub fn run(&self, input: &Value, now: Timestamp) -> Step {
        match Command::read(input).and_then(|command| self.carry_out(&command, now)) {
            Ok((text, ops)) => Step {
                answer: Answer {
                    unprefixed: text.clone(),
                    text,
                    is_error: false,
                },
                ops,
            },
            Err(refusal) => Step {
                answer: Answer {
                    text: refusal.to_string(),
                    is_error: true,
                    unprefixed: refusal.unprefixed(),
                },
                ops: Vec::new(),
            },
        }
    }

    /// What a command tells and changes.
    ///
    /// # Errors
    /// Why it can not be done.
    pub fn carry_out(&self, command: &Command, now: Timestamp) -> Done {
        match command {
            Command::View { path, range } => Ok((self.view(path, *range)?, Vec::new())),
            Command::Create { path, text } => self.create(path, text, now),
            Command::StrReplace { path, old, new } => self.replace(path, old, new, now),
            Command::Insert { path, line, text } => self.insert(path, *line, text, now),
            Command::Delete { path } => self.delete(path),
            Command::Rename { from, to } => self.rename(from, to),
        }
    }

    /// The changes that give a path this text, whether there was a file or not: a person's own pen.
    ///
    /// # Errors
    /// A path that is a directory or below a file; a limit.
    pub fn write(&self, path: &MemoryPath, text: &str, now: Timestamp) -> Result<Vec<Op>, Refusal> {
        match self.files.get(path.as_str()) {
            Some(file) => Ok(vec![self.rewritten(file, text.into(), now)?]),
            None => Ok(self.create(path, text, now)?.1),
        }
    }

    /// Whether a file that comes from elsewhere may stand here.
    pub fn admits(&self, file: &File) -> bool {
        let Ok(path) = MemoryPath::new(&file.path) else {
            return false;
        };
        let is_normal = path.as_str() == file.path && file.id == FileId::of(&file.path);
        let is_here = self.files.contains_key(path.as_str());
        is_normal && (is_here || self.create(&path, &file.text, file.created).is_ok())
    }

    fn view(&self, path: &MemoryPath, range: Option<ViewRange>) -> Result<String, Refusal> {
        if let Some(file) = self.files.get(path.as_str()) {
            return view::file(path, &file.text, range);
        }
        if !self.is_directory(path) {
            return Err(Refusal::NothingToView {
                path: path.to_string(),
            });
        }
        // A range means lines, of which a directory has none; both reference implementations pass over it.
        Ok(view::directory(path, self.files_in(path)))
    }

    /// Unlike what the model is told of the tool, an existing file is not overwritten: both reference implementations
    /// refuse, and what was noted earlier is not lost by an oversight.
    fn create(&self, path: &MemoryPath, text: &str, now: Timestamp) -> Done {
        if self.exists(path) {
            return Err(Refusal::Exists {
                path: path.to_string(),
            });
        }
        self.clear_way(path)?;
        if self.files.len() >= MAX_FILES {
            return Err(Refusal::TooManyFiles);
        }
        self.make_room(0, text)?;
        let file = File::new(path.as_str(), text, now);
        Ok((
            format!("File created successfully at: {path}"),
            vec![Op::Insert(Record::File(file))],
        ))
    }

    fn replace(&self, path: &MemoryPath, old: &str, new: &str, now: Timestamp) -> Done {
        let missing = || Refusal::NothingToEdit {
            path: path.to_string(),
        };
        let file = self.files.get(path.as_str()).ok_or_else(missing)?;
        let (text, snippet) = edit::replace(path, &file.text, old, new)?;
        let told = format!(
            "The memory file has been edited. Here is the snippet showing the change (with line numbers):\n{snippet}"
        );
        Ok((told, vec![self.rewritten(file, text, now)?]))
    }

    fn insert(&self, path: &MemoryPath, line: i64, text: &str, now: Timestamp) -> Done {
        let missing = || Refusal::NothingToInsertInto {
            path: path.to_string(),
        };
        let file = self.files.get(path.as_str()).ok_or_else(missing)?;
        let text = edit::insert(&file.text, line, text)?;
        let told = format!("The file {path} has been edited.");
        Ok((told, vec![self.rewritten(file, text, now)?]))
    }

    fn delete(&self, path: &MemoryPath) -> Done {
        if path.is_root() {
            return Err(Refusal::RootNotDeleted);
        }
        if !self.exists(path) {
            return Err(Refusal::NothingToDelete {
                path: path.to_string(),
            });
        }
        let gone = self.at_and_below(path).map(deletion).collect();
        Ok((format!("Successfully deleted {path}"), gone))
    }

    fn rename(&self, from: &MemoryPath, to: &MemoryPath) -> Done {
        if from.is_root() {
            return Err(Refusal::RootNotRenamed);
        }
        if !self.exists(from) {
            return Err(Refusal::NothingToRename {
                path: from.to_string(),
            });
        }
        if self.exists(to) {
            return Err(Refusal::DestinationExists {
                path: to.to_string(),
            });
        }
        if to.as_str().starts_with(&from.prefix()) {
            return Err(Refusal::DestinationInside {
                path: to.to_string(),
            });
        }
        self.clear_way(to)?;
        let mut ops = Vec::new();
        for file in self.at_and_below(from) {
            let below = &file.path[from.as_str().len()..];
            // What was short enough may be too long in its new place.
            let path = MemoryPath::new(&format!("{to}{below}"))?;
            ops.push(deletion(file));
            ops.push(Op::Insert(Record::File(File {
                id: FileId::of(path.as_str()),
                path: path.to_string(),
                ..file.clone()
            })));
        }
        Ok((format!("Successfully renamed {from} to {to}"), ops))
    }

    fn rewritten(&self, file: &File, text: String, now: Timestamp) -> Result<Op, Refusal> {
        self.make_room(file.text.len(), &text)?;
        Ok(Op::Put(Record::File(File {
            text,
            modified: now,
            ..file.clone()
        })))
    }

    /// Whether a text fits in place of one with so many bytes.
    fn make_room(&self, replaced_bytes: usize, text: &str) -> Result<(), Refusal> {
        // What is too large already, from wherever it came, may be made smaller.
        if text.len() > MAX_FILE_BYTES.max(replaced_bytes) {
            return Err(Refusal::FileTooLarge);
        }
        let all: usize = self.files.values().map(|file| file.text.len()).sum();
        if text.len() > replaced_bytes && all - replaced_bytes + text.len() > MAX_TREE_BYTES {
            return Err(Refusal::TreeFull);
        }
        Ok(())
    }

    /// Whether a file could be here: none of the directories it is in may be a file.
    fn clear_way(&self, path: &MemoryPath) -> Result<(), Refusal> {
        match path
            .parents()
            .find(|parent| self.files.contains_key(*parent))
        {
            Some(parent) => Err(Refusal::FileInTheWay {
                path: parent.into(),
            }),
            None => Ok(()),
        }
    }

    fn exists(&self, path: &MemoryPath) -> bool {
        self.files.contains_key(path.as_str()) || self.is_directory(path)
    }

    fn is_directory(&self, path: &MemoryPath) -> bool {
        path.is_root() || self.files_in(path).next().is_some()
    }

    /// The files in a directory and in those below it.
    fn files_in(&self, path: &MemoryPath) -> impl Iterator<Item = &File> {
        let prefix = path.prefix();
        let from = self.files.range(prefix.clone()..).map(|(_, file)| file);
        from.take_while(move |file| file.path.starts_with(&prefix))
    }

    fn at_and_below(&self, path: &MemoryPath) -> impl Iterator<Item = &File> {
        let at = self.files.get(path.as_str());
        at.into_iter().chain(self.files_in(path))
    }
}

fn deletion(file: &File) -> Op {
    Op::Delete {
        kind: Kind::File,
        name: file.id.to_string(),
    }
}
