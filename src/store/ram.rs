//! A store in memory: for a browser without a database, for hosts that want nothing kept, and for tests.

use super::log::{NamespaceLog, is_complete};
use super::{Persistence, Range, Scan, Store, format::Unreadable};
use crate::audit;
use crate::batch::{Batch, Commit, Op, overtaken};
use crate::error::{Error, Result};
use crate::model::{AuditEntry, AuditHead, Kind, Namespace, Record};
use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// Keeps records until it is dropped.
#[derive(Default)]
pub struct RamStore {
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    n_commits: u64,
    /// By number.
    commits: BTreeMap<u64, Commit>,
    logs: BTreeMap<Namespace, NamespaceLog>,
    /// `None` for a record that is there and can not be read.
    records: BTreeMap<(Namespace, Kind), BTreeMap<Name, Option<Record>>>,
    /// Each namespace's chain; the entry at `i` has the number `i` + 1.
    audits: BTreeMap<Namespace, Vec<AuditEntry>>,
}

/// Sorts as IndexedDB sorts strings: above U+FFFF that is another order than Rust's.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Name(String);

impl Ord for Name {
    fn cmp(&self, other: &Name) -> Ordering {
        self.0.encode_utf16().cmp(other.0.encode_utf16())
    }
}
impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Name) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl RamStore {
    pub fn new() -> RamStore {
        RamStore::default()
    }

    /// Puts a record without a commit, as no program does: so that a test can see who notices.
    pub fn put_behind(&self, namespace: &Namespace, record: Record) {
        let mut state = self.state.borrow_mut();
        let names = state.records.entry((namespace.clone(), record.kind()));
        names.or_default().insert(Name(record.name()), Some(record));
    }

    /// Damages a record that is there, so that a test can see what becomes of its readers.
    pub fn make_unreadable(&self, namespace: &Namespace, kind: Kind, name: &str) {
        let mut state = self.state.borrow_mut();
        let names = state.records.get_mut(&(namespace.clone(), kind));
        if let Some(slot) = names.and_then(|names| names.get_mut(&Name(name.into()))) {
            *slot = None;
        }
    }
}

impl State {
    fn contains(&self, namespace: &Namespace, kind: Kind, name: &Name) -> bool {
        let names = self.records.get(&(namespace.clone(), kind));
        names.is_some_and(|names| names.contains_key(name))
    }

    fn audit(&mut self, batch: &Batch) {
        let content = audit::content(batch);
        if content.is_none() && batch.erased_audit.is_empty() {
            return;
        }
        let chain = self.audits.entry(batch.namespace.clone()).or_default();
        for entry in chain.iter_mut() {
            if batch.erased_audit.contains(&entry.number) {
                entry.content = None;
            }
        }
        if let Some(content) = content {
            let head = chain.last().map(audit::head_of).unwrap_or_default();
            chain.push(audit::next(head, content));
        }
    }
}

impl Store for RamStore {
    fn persistence(&self) -> Persistence {
        Persistence::Memory
    }

    async fn apply(&self, batch: &Batch) -> Result<u64> {
        let mut state = self.state.borrow_mut();
        if let Some(number) = batch.only_after
            && number != state.n_commits
        {
            return Err(overtaken(number));
        }
        // What each record will be, `None` for gone: decided for the whole batch before anything changes.
        let mut staged: BTreeMap<(Kind, Name), Option<&Record>> = BTreeMap::new();
        for op in &batch.ops {
            match op {
                Op::Insert(record) => {
                    let (kind, name) = (record.kind(), Name(record.name()));
                    let place = (kind, name.clone());
                    let exists = match staged.get(&place) {
                        Some(record) => record.is_some(),
                        None => state.contains(&batch.namespace, kind, &name),
                    };
                    if exists {
                        return Err(Error::Conflict { id: name.0 });
                    }
                    staged.insert(place, Some(record));
                }
                Op::Put(record) => {
                    staged.insert((record.kind(), Name(record.name())), Some(record));
                }
                Op::Delete { kind, name } => {
                    staged.insert((*kind, Name(name.clone())), None);
                }
            }
        }
        for ((kind, name), record) in staged {
            let place = (batch.namespace.clone(), kind);
            let names = state.records.entry(place).or_default();
            match record {
                Some(record) => names.insert(name, Some(record.clone())),
                None => names.remove(&name),
            };
        }
        state.audit(batch);
        state.n_commits += 1;
        let number = state.n_commits;
        state.commits.insert(number, Commit::of(batch));
        let log = state.logs.entry(batch.namespace.clone());
        let log = log.or_insert_with(|| NamespaceLog::beginning_with(number));
        if let Some(gone) = log.add(number) {
            state.commits.remove(&gone);
        }
        Ok(number)
    }

    async fn names(&self, namespace: &Namespace, kind: Kind) -> Result<Vec<String>> {
        let state = self.state.borrow();
        let names = state.records.get(&(namespace.clone(), kind));
        let names = names.into_iter().flat_map(|names| names.keys());
        Ok(names.map(|name| name.0.clone()).collect())
    }

    async fn count(&self, namespace: &Namespace, kind: Kind) -> Result<u64> {
        let state = self.state.borrow();
        let names = state.records.get(&(namespace.clone(), kind));
        Ok(names.map_or(0, |names| names.len() as u64))
    }

    async fn namespaces(&self) -> Result<Vec<Namespace>> {
        let state = self.state.borrow();
        let used = state.records.iter().filter(|(_, names)| !names.is_empty());
        let used: BTreeSet<&Namespace> = used.map(|((namespace, _), _)| namespace).collect();
        Ok(used.into_iter().cloned().collect())
    }

    async fn last_commit(&self) -> Result<u64> {
        Ok(self.state.borrow().n_commits)
    }

    async fn commits_after(
        &self,
        namespace: &Namespace,
        number: u64,
    ) -> Result<Option<Vec<(u64, Commit)>>> {
        let state = self.state.borrow();
        let later = state.commits.range(number.saturating_add(1)..);
        let later: Vec<(u64, Commit)> = later.map(|(n, commit)| (*n, commit.clone())).collect();
        let found: Vec<u64> = later.iter().map(|(n, _)| *n).collect();
        let log = state.logs.get(namespace);
        Ok(is_complete(log, number, state.n_commits, &found).then_some(later))
    }

    async fn get(&self, namespace: &Namespace, kind: Kind, name: &str) -> Result<Option<Record>> {
        let state = self.state.borrow();
        let names = state.records.get(&(namespace.clone(), kind));
        match names.and_then(|names| names.get(&Name(name.into()))) {
            None => Ok(None),
            Some(Some(record)) => Ok(Some(record.clone())),
            Some(None) => Err(Unreadable::WrongShape.error(kind, name)),
        }
    }

    async fn scan(&self, namespace: &Namespace, kind: Kind, range: &Range) -> Result<Scan> {
        let state = self.state.borrow();
        let mut scan = Scan::default();
        let limit = range.limit.unwrap_or(usize::MAX);
        let Some(names) = state.records.get(&(namespace.clone(), kind)) else {
            return Ok(scan);
        };
        let prefix = Name(range.prefix.clone());
        let first = match &range.after {
            Some(after) if Name(after.clone()) >= prefix => Bound::Excluded(Name(after.clone())),
            _ => Bound::Included(prefix),
        };
        let before = range.before.clone().map(Name);
        let mut found = names
            .range((first, Bound::Unbounded))
            .take_while(|(name, _)| name.0.starts_with(&range.prefix))
            .take_while(|(name, _)| before.as_ref().is_none_or(|before| *name < before));
        let mut last = None;
        for (name, slot) in found.by_ref().take(limit) {
            match slot {
                Some(record) => scan.records.push(record.clone()),
                None => scan.unreadable.push(name.0.clone()),
            }
            last = Some(name.0.clone());
        }
        scan.next = found.next().and(last);
        Ok(scan)
    }

    async fn audit_after(
        &self,
        namespace: &Namespace,
        number: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Option<AuditEntry>)>> {
        let state = self.state.borrow();
        let chain = state.audits.get(namespace).into_iter().flatten();
        let later = chain.filter(|entry| entry.number > number).take(limit);
        Ok(later
            .map(|entry| (entry.number, Some(entry.clone())))
            .collect())
    }

    async fn audit_head(&self, namespace: &Namespace) -> Result<AuditHead> {
        let state = self.state.borrow();
        let last = state.audits.get(namespace).and_then(|chain| chain.last());
        Ok(last.map(audit::head_of).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::conformance::{Subject, run_all};

    struct Ram;

    impl Subject for Ram {
        type Store = RamStore;

        async fn open(&self, _name: &str) -> RamStore {
            RamStore::new()
        }
        async fn damage(&self, store: &RamStore, namespace: &Namespace, kind: Kind, name: &str) {
            store.make_unreadable(namespace, kind, name);
        }
    }

    #[test]
    fn it_passes_the_tests_of_every_store() {
        pollster::block_on(run_all(&Ram, |name| println!("{name}")));
    }

    #[test]
    fn names_sort_by_utf_16_code_units() {
        let mut names = ["\u{ffff}", "\u{10000}", "", "b", "a\u{e000}", "a\u{1f600}"]
            .map(|name| Name(name.into()));
        names.sort();
        let names = names.map(|name| name.0);
        assert_eq!(
            names,
            ["", "a\u{1f600}", "a\u{e000}", "b", "\u{10000}", "\u{ffff}"]
        );
    }
}
