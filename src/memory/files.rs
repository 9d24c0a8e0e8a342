//! The files of Claude's memory tool: commands one after another, each on disk before it is answered.

use super::{Memory, Ports};
use crate::batch::{Durability, Op};
use crate::error::{Error, Result};
use crate::files::{Answer, Command, FileTree, MemoryPath, Refusal};
use crate::model::{Action, File, Kind};
use crate::store::{Range, Store};
use crate::time::Timestamp;
use serde_json::Value;

/// How often a command is tried again when another tab was faster. Each time it is carried out on what that tab left.
const ATTEMPTS: usize = 5;

impl<P: Ports> Memory<P> {
    /// Carries out one call of Claude's memory tool, whose input this is. Calls wait for each other: those of one turn are
    /// answered as if they had been made one by one. What is answered as done is on disk.
    ///
    /// What Claude asked wrongly is an answer too.
    ///
    /// # Errors
    /// `Conflict` if other tabs were faster again and again, `QuotaExceeded`, `Storage`, `Closed`: nothing was changed then.
    pub async fn run_file_command(&self, input: &Value) -> Result<Answer> {
        self.change_files(|files, now| {
            let step = files.run(input, now);
            Ok((step.answer, step.ops))
        })
        .await
    }

    /// All memory files, by path.
    ///
    /// # Errors
    /// `Closed`.
    pub fn files(&self) -> Result<Vec<File>> {
        self.ensure_open()?;
        Ok(self.state.borrow().files.files().cloned().collect())
    }

    /// # Errors
    /// `NotFound`, `InvalidInput` for a path that is not allowed, `Closed`.
    pub fn read_file(&self, path: &str) -> Result<File> {
        self.ensure_open()?;
        let state = self.state.borrow();
        Ok(state
            .files
            .read(path)
            .map_err(|refusal| error(path, refusal))?
            .clone())
    }

    /// Writes a file, whether it was there or not: the person's own pen.
    ///
    /// # Errors
    /// `InvalidInput` for a path or a text that is not allowed; as [`Memory::run_file_command`].
    pub async fn write_file(&self, path: &str, text: &str) -> Result<File> {
        self.change_files(|files, now| {
            let normal = MemoryPath::new(path).map_err(|refusal| error(path, refusal))?;
            let ops = files.write(&normal, text, now);
            Ok((normal, ops.map_err(|refusal| error(path, refusal))?))
        })
        .await
        .and_then(|normal| self.read_file(normal.as_str()))
    }

    /// Deletes a file, or a directory with all that is in it.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` for a path that is not allowed; as [`Memory::run_file_command`].
    pub async fn remove_file(&self, path: &str) -> Result<()> {
        self.command(path, || {
            Ok(Command::Delete {
                path: MemoryPath::new(path)?,
            })
        })
        .await
    }

    /// Gives a file or a directory another path, which must be free.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` for a path that is not allowed or taken; as [`Memory::run_file_command`].
    pub async fn rename_file(&self, from: &str, to: &str) -> Result<()> {
        self.command(from, || {
            Ok(Command::Rename {
                from: MemoryPath::new(from)?,
                to: MemoryPath::new(to)?,
            })
        })
        .await
    }

    async fn command(
        &self,
        path: &str,
        command: impl Fn() -> std::result::Result<Command, Refusal>,
    ) -> Result<()> {
        self.change_files(|files, now| {
            let done = command().and_then(|command| files.carry_out(&command, now));
            let (_, ops) = done.map_err(|refusal| error(path, refusal))?;
            Ok(((), ops))
        })
        .await
    }

    /// Plans a change on the newest files and writes it; plans anew if another tab wrote in between.
    async fn change_files<T>(
        &self,
        plan: impl Fn(&FileTree, Timestamp) -> Result<(T, Vec<Op>)>,
    ) -> Result<T> {
        self.ensure_open()?;
        let _turn = self.file_turns.hold().await;
        let mut attempt = 1;
        loop {
            self.catch_up().await?;
            let (told, ops) = plan(&self.state.borrow().files, self.now())?;
            if ops.is_empty() {
                return Ok(told);
            }
            let mut batch = self.batch(Durability::Strict, Action::Change);
            batch.ops = self.vectors_gone(&ops).await?;
            batch.ops.extend(ops);
            match self.commit(&batch).await {
                Err(Error::Conflict { .. }) if attempt < ATTEMPTS => attempt += 1,
                committed => {
                    committed?;
                    // Derived data: what is not made now is made later.
                    self.index_missing().await;
                    return Ok(told);
                }
            }
        }
    }

    /// The deletions of the vectors that stand for what the changed files said before. A text that changes under its name
    /// would else be found by what it no longer says.
    async fn vectors_gone(&self, ops: &[Op]) -> Result<Vec<Op>> {
        let mut gone = Vec::new();
        let changed = ops.iter().filter(|op| op.kind() == Kind::File);
        for file in changed.map(Op::name) {
            let range = Range {
                prefix: format!("file:{file}#"),
                ..Range::default()
            };
            let namespace = &self.config.namespace;
            let vectors = self
                .ports
                .store()
                .scan(namespace, Kind::Vector, &range)
                .await?;
            let names = vectors.records.iter().map(|vector| vector.name());
            gone.extend(names.chain(vectors.unreadable).map(|name| Op::Delete {
                kind: Kind::Vector,
                name,
            }));
        }
        Ok(gone)
    }
}

/// A refusal as an error of a page's own call.
fn error(path: &str, refusal: Refusal) -> Error {
    if refusal.is_missing() {
        return Error::NotFound {
            what: format!("memory file {path}"),
        };
    }
    let field = match refusal {
        Refusal::FileTooLarge | Refusal::TreeFull => "text",
        _ => "path",
    };
    Error::InvalidInput {
        field,
        reason: refusal.unprefixed(),
    }
}
