//! Reading another project of the same person, where the settings grant it.
//!
//! A namespace is a wall: no call of a memory reads across it. A grant opens a door in it, in one direction: the other
//! project is opened as a memory of its own over a store that refuses every write, and [`Granted`] asks it only what
//! reads. What a chat sends to Claude is never taken from there.

use super::{
    Embedder, Extent, Memory, Ports, RecallRequest, Recollected, RecollectedItem, TurnFilter,
    TurnPage,
};
use crate::batch::{Batch, Commit};
use crate::config::{Config, EmbedderChoice};
use crate::error::{Error, Result};

use crate::model::{
    AuditEntry, AuditHead, Fact, FactId, File, Kind, Namespace, Record, Session, Turn, TurnId,
};
use crate::store::{Persistence, Range, Scan, Store};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The projects that a memory reads beside its own. Each is opened when it is first asked for.
pub struct Grants<P: Ports> {
    open: RefCell<BTreeMap<String, Rc<Granted<P>>>>,
}

/// A memory that recall found, and the project it is of.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    pub project: String,
    pub item: RecollectedItem,
}

impl<P: Ports> Default for Grants<P> {
    fn default() -> Grants<P> {
        Grants {
            open: RefCell::default(),
        }
    }
}

impl<P: Ports + Clone> Grants<P> {
    /// Another project of `memory`'s user, for reading.
    ///
    /// # Errors
    /// `NotGranted`; `Locked`, `Storage`.
    pub async fn of(&self, memory: &Memory<P>, project: &str) -> Result<Rc<Granted<P>>> {
        memory.ensure_open()?;
        if !memory.config.grants.iter().any(|grant| grant == project) {
            return Err(Error::NotGranted {
                project: project.into(),
            });
        }
        let known = self.open.borrow().get(project).cloned();
        let granted = match known {
            Some(granted) => granted,
            None => {
                let granted = Rc::new(Granted::open(memory, project).await?);
                let mut open = self.open.borrow_mut();
                open.insert(project.into(), granted.clone());
                granted
            }
        };
        granted.catch_up().await?;
        Ok(granted)
    }

    /// What fits the query in `memory` and in the named projects, best first.
    ///
    /// # Errors
    /// `NotGranted` if any of them is not: nothing is recalled then. As [`Memory::recall`].
    pub async fn recall(
        &self,
        memory: &Memory<P>,
        request: &RecallRequest,
        projects: &[String],
    ) -> Result<Vec<Found>> {
        let own = &memory.config.namespace.project;
        let mut others: Vec<&String> = projects.iter().filter(|project| *project != own).collect();
        others.sort();
        others.dedup();
        let mut granted = Vec::new();
        for project in others {
            granted.push(self.of(memory, project).await?);
        }
        let mut found: Vec<Found> = of_project(own, memory.recall(request).await?).collect();
        for granted in granted {
            found.extend(of_project(
                granted.project(),
                granted.recall(request).await?,
            ));
        }
        // Scores are made of the same parts in every project. Stable: on a tie the own memory comes first.
        found.sort_by(|a, b| b.item.recalled.score.total_cmp(&a.item.recalled.score));
        found.truncate(request.limit.unwrap_or(memory.config.recall_limit));
        Ok(found)
    }

    /// Lets go of what was read, as for a memory that is locked.
    pub fn forget(&self) {
        self.open.borrow_mut().clear();
    }
}

fn of_project(project: &str, recollected: Recollected) -> impl Iterator<Item = Found> {
    let items = recollected.items.into_iter();
    items.map(move |item| Found {
        project: project.into(),
        item,
    })
}

/// Another project, to be read and nothing else.
pub struct Granted<P: Ports> {
    memory: Memory<Reading<P>>,
}

impl<P: Ports + Clone> Granted<P> {
    async fn open(reader: &Memory<P>, project: &str) -> Result<Granted<P>> {
        let own = reader.own.borrow().clone();
        let id = own.as_ref().and_then(|own| own.model()).map(|own| own.id);
        let embedder = match id {
            Some(id) => EmbedderChoice::Own { id: Some(id) },
            None => reader.config.embedder.clone(),
        };
        let config = Config {
            namespace: Namespace {
                project: project.into(),
                ..reader.config.namespace.clone()
            },
            embedder,
            // A grant is not handed on.
            grants: Vec::new(),
            ..reader.config.clone()
        };
        let memory = Memory::open(config, Reading(ReadOnly(reader.ports.clone()))).await?;
        memory.own.replace(own);
        Ok(Granted { memory })
    }

    /// Reads what was committed since, by whomever.
    async fn catch_up(&self) -> Result<()> {
        match self.memory.catch_up().await {
            // It has met what its own tabs have still to clear away, and does not show it.
            Err(Error::NotGranted { .. }) => {}
            caught_up => drop(caught_up?),
        }
        self.memory.ensure_open()
    }

    pub fn project(&self) -> &str {
        &self.memory.config.namespace.project
    }

    /// # Errors
    /// As [`Memory::recall`].
    pub async fn recall(&self, request: &RecallRequest) -> Result<Recollected> {
        self.memory.recall(request).await
    }

    pub fn facts(&self) -> Vec<Fact> {
        self.memory.facts()
    }

    /// # Errors
    /// `NotFound`.
    pub fn fact_history(&self, id: FactId) -> Result<Vec<Fact>> {
        self.memory.fact_history(id)
    }

    /// # Errors
    /// As [`Memory::sessions`].
    pub async fn sessions(&self) -> Result<Vec<(Session, Extent)>> {
        self.memory.sessions().await
    }

    /// # Errors
    /// As [`Memory::find_turns`].
    pub async fn find_turns(&self, filter: &TurnFilter) -> Result<TurnPage> {
        self.memory.find_turns(filter).await
    }

    /// # Errors
    /// As [`Memory::turn`].
    pub async fn turn(&self, id: TurnId) -> Result<Option<Turn>> {
        self.memory.turn(id).await
    }

    /// # Errors
    /// As [`Memory::files`].
    pub fn files(&self) -> Result<Vec<File>> {
        self.memory.files()
    }
}

/// The ports of a memory that is read only.
pub struct Reading<P: Ports>(ReadOnly<P>);

impl<P: Ports> Ports for Reading<P> {
    type Store = ReadOnly<P>;
    type Transport = P::Transport;
    type Clock = P::Clock;
    type Embedder = P::Embedder;

    fn store(&self) -> &ReadOnly<P> {
        &self.0
    }
    fn transport(&self) -> &P::Transport {
        self.0.0.transport()
    }
    fn clock(&self) -> &P::Clock {
        self.0.0.clock()
    }
    fn embedder(&self) -> &P::Embedder {
        self.0.0.embedder()
    }
}

/// The store of these ports, without writing: whatever a memory wants to keep, vectors too, is refused.
pub struct ReadOnly<P: Ports>(P);

impl<P: Ports> Store for ReadOnly<P> {
    fn persistence(&self) -> Persistence {
        self.0.store().persistence()
    }
    async fn apply(&self, batch: &Batch) -> Result<u64> {
        Err(Error::NotGranted {
            project: batch.namespace.project.clone(),
        })
    }
    async fn get(&self, namespace: &Namespace, kind: Kind, name: &str) -> Result<Option<Record>> {
        self.0.store().get(namespace, kind, name).await
    }
    async fn scan(&self, namespace: &Namespace, kind: Kind, range: &Range) -> Result<Scan> {
        self.0.store().scan(namespace, kind, range).await
    }
    async fn names(&self, namespace: &Namespace, kind: Kind) -> Result<Vec<String>> {
        self.0.store().names(namespace, kind).await
    }
    async fn count(&self, namespace: &Namespace, kind: Kind) -> Result<u64> {
        self.0.store().count(namespace, kind).await
    }
    async fn namespaces(&self) -> Result<Vec<Namespace>> {
        self.0.store().namespaces().await
    }
    async fn last_commit(&self) -> Result<u64> {
        self.0.store().last_commit().await
    }
    async fn commits_after(
        &self,
        namespace: &Namespace,
        number: u64,
    ) -> Result<Option<Vec<(u64, Commit)>>> {
        self.0.store().commits_after(namespace, number).await
    }
    async fn audit_after(
        &self,
        namespace: &Namespace,
        number: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Option<AuditEntry>)>> {
        self.0.store().audit_after(namespace, number, limit).await
    }
    async fn audit_head(&self, namespace: &Namespace) -> Result<AuditHead> {
        self.0.store().audit_head(namespace).await
    }
}
