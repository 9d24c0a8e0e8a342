//! Erasing, and looking again whether it is gone.

use super::{Clock, Memory, Ports, State};
use crate::batch::{Durability, Op};
use crate::erase::{Fate, MAX_LISTED, Receipt, Scope, Target, order};
use crate::error::{Error, Result};
use crate::fact::{self, fold};
use crate::model::{
    Action, AuditEntry, Fact, JobWork, Kind, Namespace, Record, RecordRef, Role, SessionId,
    Tombstone, Turn, TurnId,
};
use crate::store::{Range, Store};
use std::collections::BTreeSet;

/// Records looked at between two waits, so that nothing is held up for long.
const PAGE: usize = 200;
/// Records deleted in one batch, where all of them go.
const CLEARED: usize = 1_000;
/// The first round erases and the last one finds nothing. More are needed only if something is written meanwhile.
const MAX_ROUNDS: usize = 4;

/// What a round found.
#[derive(Default)]
struct Round {
    ops: Vec<Op>,
    scanned: u64,
    unreadable: Vec<String>,
    mentions: BTreeSet<TurnId>,
}

impl<P: Ports> Memory<P> {
    /// Erases what `target` names, with everything that holds its words, and looks again whether it is gone.
    ///
    /// One thing is erased in one commit, all or nothing of it; a whole memory in several, and a call that was interrupted
    /// can be made again. What is erased is known by hashes afterwards and is not read out of older turns again.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput` for an empty subject, `Storage`, `Closed`.
    pub async fn erase(&self, target: &Target) -> Result<Receipt> {
        self.catch_up().await?;
        match target {
            Target::Project => {
                let own = [self.config.namespace.clone()];
                self.erase_namespaces(&own).await
            }
            Target::All => {
                let all = self.ports.store().namespaces().await?;
                self.erase_namespaces(&all).await
            }
            _ => {
                self.whole().await?;
                let scope = self.scope_of(target).await?;
                self.erase_scope(scope).await
            }
        }
    }

    async fn scope_of(&self, target: &Target) -> Result<Scope> {
        let mut scope = Scope::new(self.now());
        match target {
            Target::Fact(id) => {
                for version in self.fact_history(*id)? {
                    scope.add_fact(&version);
                }
            }
            Target::Subject(subject) => {
                let folded = fold(subject);
                if folded.is_empty() {
                    return Err(Error::InvalidInput {
                        field: "subject",
                        reason: "it is empty".into(),
                    });
                }
                let state = self.state.borrow();
                let about = state.facts.values();
                let about: Vec<&Fact> =
                    about.filter(|fact| fold(&fact.subject) == folded).collect();
                if about.is_empty() {
                    return Err(not_found("fact about this subject".into()));
                }
                about.into_iter().for_each(|fact| scope.add_fact(fact));
            }
            Target::Turn(id) => {
                let turns = self.turns(id.session).await?;
                let exchange = exchange_of(*id, &turns);
                let is_damaged = self.is_damaged(Kind::Turn, &id.to_string());
                if exchange.is_empty() && !is_damaged {
                    return Err(not_found(format!("turn {id}")));
                }
                if exchange.len() == turns.len() && !is_damaged {
                    scope.add_session(id.session);
                } else {
                    scope.add_turn(*id);
                    exchange.into_iter().for_each(|turn| scope.add_turn(turn));
                }
            }
            Target::Session(id) => {
                if !self.state.borrow().sessions.contains_key(id)
                    && !self.is_damaged(Kind::Session, &id.to_string())
                {
                    return Err(not_found(format!("session {id}")));
                }
                scope.add_session(*id);
            }
            Target::Project | Target::All => unreachable!("they have no scope"),
        }
        scope.add_facts_of_turns(self.state.borrow().facts.values());
        Ok(scope)
    }

    fn is_damaged(&self, kind: Kind, name: &str) -> bool {
        let record = format!("{}:{name}", kind.name());
        self.state.borrow().unreadable.contains(&record)
    }

    async fn erase_scope(&self, mut scope: Scope) -> Result<Receipt> {
        let mut receipt = Receipt::default();
        for _ in 0..MAX_ROUNDS {
            let round = self.round(&mut scope).await?;
            receipt.scanned = round.scanned;
            receipt.unreadable = round.unreadable;
            receipt.left = round.ops.len() as u64;
            receipt.n_mentions = round.mentions.len() as u64;
            receipt.mentions = round.mentions.into_iter().take(MAX_LISTED).collect();
            if round.ops.is_empty() {
                break;
            }
            let mut batch = self.batch(Durability::Strict, Action::Erase);
            batch.ops = round.ops;
            batch.erased_audit = self.audit_of_erased(&batch.ops).await?;
            let commit = self.commit(&batch).await?;
            scope.was_erased_by(commit);
            for op in &batch.ops {
                let counts = match op {
                    Op::Put(Record::Tombstone(_)) => {
                        receipt.tombstones += 1;
                        continue;
                    }
                    Op::Delete { .. } => &mut receipt.erased,
                    Op::Insert(_) | Op::Put(_) => &mut receipt.changed,
                };
                *counts.entry(op.kind()).or_default() += 1;
            }
            self.state.borrow_mut().end_live(&mut scope);
        }
        receipt.ended = scope.ended().collect();
        self.index_missing().await;
        Ok(receipt)
    }

    /// Looks at every record of the namespace as it is stored.
    async fn round(&self, scope: &mut Scope) -> Result<Round> {
        let mut round = Round::default();
        let names = names_of(scope);
        for kind in order() {
            let mut range = Range {
                limit: Some(PAGE),
                ..Range::default()
            };
            loop {
                let store = self.ports.store();
                let scan = store.scan(&self.config.namespace, kind, &range).await?;
                round.scanned += (scan.records.len() + scan.unreadable.len()) as u64;
                for name in scan.unreadable {
                    match scope.is_name_erased(kind, &name) {
                        true => round.ops.push(Op::Delete { kind, name }),
                        false => round.unreadable.push(format!("{}:{name}", kind.name())),
                    }
                }
                for record in &scan.records {
                    match scope.fate(record) {
                        Fate::Keep => {
                            if let Record::Turn(turn) = record
                                && mentions(turn, &names)
                            {
                                round.mentions.insert(turn.id);
                            }
                        }
                        Fate::Change(changed) => round.ops.push(Op::Put(changed)),
                        Fate::Delete => {
                            let stone = self.tombstone(scope, record);
                            let stone = stone.map(|stone| Op::Put(Record::Tombstone(stone)));
                            round.ops.extend(stone);
                            let name = record.name();
                            round.ops.push(Op::Delete { kind, name });
                        }
                    }
                }
                match scan.next {
                    Some(next) => range.after = Some(next),
                    None => break,
                }
            }
        }
        Ok(round)
    }

    /// What stays of a record that goes, so that it does not come back.
    fn tombstone(&self, scope: &Scope, record: &Record) -> Option<Tombstone> {
        let salt = format!("{:032x}", self.ports.clock().random());
        let marks = match record {
            Record::Fact(fact) => fact::marks(fact, &salt),
            Record::Turn(turn) if scope.is_session_erased(turn.id.session) => return None,
            Record::Turn(_) | Record::Session(_) => Vec::new(),
            // They are known by the records they belong to.
            Record::Vector(_)
            | Record::Job(_)
            | Record::Injection(_)
            | Record::Usage(_)
            | Record::Generation(_)
            | Record::File(_)
            | Record::Judgement(_)
            | Record::Artifact(_)
            | Record::Tombstone(_)
            | Record::Segment(_) => return None,
        };
        Some(Tombstone {
            v: Tombstone::VERSION,
            kind: record.kind(),
            name: record.name(),
            at: self.now(),
            salt,
            marks,
        })
    }

    /// Erases everything of these namespaces. No tombstone is left: nothing is there that they could keep from being
    /// read again, and a backup can be brought back.
    async fn erase_namespaces(&self, namespaces: &[Namespace]) -> Result<Receipt> {
        let mut receipt = Receipt::default();
        for _ in 0..MAX_ROUNDS {
            receipt.scanned = 0;
            receipt.left = 0;
            for namespace in namespaces {
                for kind in Kind::ALL {
                    let n = self.clear(namespace, kind).await?;
                    receipt.left += n;
                    receipt.scanned += n;
                    if n > 0 {
                        *receipt.erased.entry(kind).or_default() += n;
                    }
                }
            }
            if receipt.left == 0 {
                break;
            }
        }
        for namespace in namespaces {
            self.clear_audit(namespace).await?;
        }
        // What is held in memory is read again from what is left: nothing.
        self.own_generation.take();
        self.state.borrow_mut().live.clear();
        self.load().await?;
        Ok(receipt)
    }

    /// Deletes all records of a kind, readable or not; gives their number.
    async fn clear(&self, namespace: &Namespace, kind: Kind) -> Result<u64> {
        let mut n = 0;
        let page = Range {
            limit: Some(CLEARED),
            ..Range::default()
        };
        loop {
            let scan = self.ports.store().scan(namespace, kind, &page).await?;
            let names = scan.records.iter().map(Record::name);
            let names: Vec<String> = names.chain(scan.unreadable).collect();
            if names.is_empty() {
                return Ok(n);
            }
            n += names.len() as u64;
            let mut batch = self.batch_in(namespace, Durability::Strict, Action::Erase);
            let delete = |name| Op::Delete { kind, name };
            batch.ops = names.into_iter().map(delete).collect();
            match *namespace == self.config.namespace {
                true => self.commit(&batch).await?,
                false => self.ports.store().apply(&batch).await?,
            };
        }
    }

    /// Numbers of the audit's entries that tell of what these ops erase or blacken: their content goes, too.
    async fn audit_of_erased(&self, ops: &[Op]) -> Result<Vec<u64>> {
        let is_stone = |op: &&Op| op.kind() == Kind::Tombstone;
        let touched = ops.iter().filter(|op| !is_stone(op));
        let touched: Vec<(Kind, String)> = touched.map(|op| (op.kind(), op.name())).collect();
        self.audit_concerning(&touched).await
    }

    /// Erases the content of all entries of a namespace's audit; its chain of hashes stays.
    async fn clear_audit(&self, namespace: &Namespace) -> Result<()> {
        let mut after = 0;
        loop {
            let store = self.ports.store();
            let page = store.audit_after(namespace, after, CLEARED).await?;
            let Some((last, _)) = page.last() else {
                return Ok(());
            };
            after = *last;
            let has_content =
                |entry: &Option<AuditEntry>| entry.as_ref().is_some_and(|e| e.content.is_some());
            let full = page.iter().filter(|(_, entry)| has_content(entry));
            let mut batch = self.batch_in(namespace, Durability::Strict, Action::Erase);
            batch.audit = None;
            batch.erased_audit = full.map(|(number, _)| *number).collect();
            if batch.erased_audit.is_empty() {
                continue;
            }
            match *namespace == self.config.namespace {
                true => self.commit(&batch).await?,
                false => self.ports.store().apply(&batch).await?,
            };
        }
    }

    /// Whether the record is something erased, or belongs to it. A file may bring such a record, or a tab that had not heard of
    /// the erasure.
    pub(super) fn holds_erased(&self, record: &Record) -> bool {
        let state = self.state.borrow();
        let has = |kind, name: String| state.has_tombstone(kind, &name);
        let has_turn = |turn: TurnId| state.has_erased(RecordRef::Turn(turn));
        match record {
            Record::Session(session) => has(Kind::Session, session.id.to_string()),
            Record::Turn(turn) => has_turn(turn.id),
            Record::Injection(injection) => {
                let mut shown = injection.surfaced.iter();
                has_turn(injection.turn) || shown.any(|shown| state.has_erased(shown.record))
            }
            Record::Fact(fact) => {
                let evidence = fact.evidence.as_ref();
                state.has_erased(RecordRef::Fact(fact.id))
                    || evidence.is_some_and(|evidence| has_turn(evidence.turn))
            }
            Record::Job(job) => {
                let JobWork::Extract { session, .. } = job.work;
                has(Kind::Session, session.to_string())
            }
            Record::Usage(usage) => has(Kind::Session, usage.session.to_string()),
            Record::Vector(vector) => state.has_erased(vector.owner.record),
            Record::Judgement(judgement) => state.has_erased(judgement.record),
            Record::Artifact(artifact) => artifact.turn.is_some_and(has_turn),
            Record::Generation(_) | Record::File(_) | Record::Tombstone(_) | Record::Segment(_) => {
                false
            }
        }
    }

    /// Grows with each erasure, here or in another tab.
    pub(super) fn erasures(&self) -> u64 {
        self.state.borrow().erasures
    }
}

impl State {
    /// Lets go of sessions that began before the erasure and are not stored yet, if their snapshot shows what is gone.
    fn end_live(&mut self, scope: &mut Scope) {
        let mut quotes = |live: &super::LiveSession| {
            let session = Record::Session(live.session.clone());
            scope.fate(&session) != Fate::Keep
        };
        self.live.retain(|_, live| !quotes(live));
    }

    /// Whether a session can not be gone on with.
    pub(super) fn is_erased(&self, session: SessionId) -> bool {
        self.has_tombstone(Kind::Session, &session.to_string())
    }

    /// Whether a turn or fact was erased, alone or with its session.
    pub(super) fn has_erased(&self, record: RecordRef) -> bool {
        match record {
            RecordRef::Turn(turn) => {
                self.is_erased(turn.session) || self.has_tombstone(Kind::Turn, &turn.to_string())
            }
            RecordRef::Fact(fact) => self.has_tombstone(Kind::Fact, &fact.to_string()),
            RecordRef::File(_) => false,
        }
    }

    pub(super) fn has_tombstone(&self, kind: Kind, name: &str) -> bool {
        let name = Tombstone::name_of(kind, name);
        self.tombstones.contains_key(&name)
    }
}

/// A turn, and if a user said it, the answer.
fn exchange_of(id: TurnId, turns: &[Turn]) -> Vec<TurnId> {
    let Some(at) = turns.iter().position(|turn| turn.id == id) else {
        return Vec::new();
    };
    let answers = turns[at + 1..].iter();
    let answers =
        answers.take_while(|turn| turns[at].role == Role::User && turn.role != Role::User);
    let ids = std::iter::once(id).chain(answers.map(|turn| turn.id));
    ids.collect()
}

/// The names and numbers of the erased facts, in lower case.
fn names_of(scope: &Scope) -> BTreeSet<String> {
    let names = scope
        .facts()
        .flat_map(|fact| fact.entities.iter().chain(&fact.numbers));
    let names = names.map(|name| name.trim().to_lowercase());
    // Of one or two letters there is something in every turn.
    names.filter(|name| name.chars().count() > 2).collect()
}

fn mentions(turn: &Turn, names: &BTreeSet<String>) -> bool {
    if names.is_empty() {
        return false;
    }
    let text = turn.text().to_lowercase();
    names.iter().any(|name| text.contains(name))
}

fn not_found(what: String) -> Error {
    Error::NotFound { what }
}
