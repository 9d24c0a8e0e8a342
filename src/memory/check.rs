//! Looking a memory through: whether all that is stored can be read and fits together, and whether what is held in
//! memory is what a new start would read. Nothing is changed by it.

use super::kept::Found;
use super::open::Everything;
use super::{Memory, Ports, State, expand};
use crate::error::Result;
use crate::model::{
    Fact, JobWork, Kind, Record, RecordRef, Segment, SessionId, StoredVector, TurnId, VectorOwner,
};
use crate::store::{COMMITS_KEPT, Store};
use std::collections::{BTreeMap, BTreeSet};

/// How often the look is repeated because commits, from here or another tab, came in between.
const MAX_LOOKS: u32 = 5;

/// What a look through the memory found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// How many records of each kind there are, readable or not; kinds without any are left out.
    pub records: BTreeMap<Kind, usize>,
    /// The commit that the report is of.
    pub commit: u64,
    /// What is not in order; empty where all is.
    pub findings: Vec<Finding>,
}

impl CheckReport {
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Something that is not in order. It names records and no content.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub problem: Problem,
    /// The record that is concerned, as `kind:name`; of the log of commits, the number.
    pub record: String,
}

/// What is not in order with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Problem {
    /// It is there and can not be read.
    Unreadable,
    /// A turn of a session that is not there.
    SessionMissing,
    /// A turn that is not there and was not erased, while a later one of its session is.
    TurnMissing,
    /// A fact whose earlier or later version is not there.
    VersionMissing,
    /// A job that is to read a turn that is not there and was not erased.
    JobWithoutTurn,
    /// The ledger's entry for a turn that is not there.
    InjectionWithoutTurn,
    /// The large result of a turn that is not there.
    ArtifactWithoutTurn,
    /// A vector of a record, or of a piece of one, that is not there.
    VectorWithoutOwner,
    /// A vector that no vector of its embedder can look like.
    VectorMisshapen,
    /// A commit that the log should have and has not, or can not be read.
    CommitMissing,
    /// What is held in memory is not what a new start would read.
    IndexDiffers,
    /// Of what is kept for the next start something is damaged or missing; it reads the records.
    KeptIndexDamaged,
    /// What is kept for the next start is not what the records give.
    KeptIndexDiffers,
}

impl Problem {
    pub const ALL: [Problem; 13] = [
        Problem::Unreadable,
        Problem::SessionMissing,
        Problem::TurnMissing,
        Problem::VersionMissing,
        Problem::JobWithoutTurn,
        Problem::InjectionWithoutTurn,
        Problem::ArtifactWithoutTurn,
        Problem::VectorWithoutOwner,
        Problem::VectorMisshapen,
        Problem::CommitMissing,
        Problem::IndexDiffers,
        Problem::KeptIndexDamaged,
        Problem::KeptIndexDiffers,
    ];

    /// A stable name, the same in Rust and in the package.
    pub fn name(self) -> &'static str {
        match self {
            Problem::Unreadable => "unreadable",
            Problem::SessionMissing => "session_missing",
            Problem::TurnMissing => "turn_missing",
            Problem::VersionMissing => "version_missing",
            Problem::JobWithoutTurn => "job_without_turn",
            Problem::InjectionWithoutTurn => "injection_without_turn",
            Problem::ArtifactWithoutTurn => "artifact_without_turn",
            Problem::VectorWithoutOwner => "vector_without_owner",
            Problem::VectorMisshapen => "vector_misshapen",
            Problem::CommitMissing => "commit_missing",
            Problem::IndexDiffers => "index_differs",
            Problem::KeptIndexDamaged => "kept_index_damaged",
            Problem::KeptIndexDiffers => "kept_index_differs",
        }
    }
}

impl<P: Ports> Memory<P> {
    /// Looks through all that is stored of this memory, and compares it with what is held in memory.
    ///
    /// It reads everything twice, and what is kept of the index, and holds the index three times meanwhile. Where something is written at the same time, half of
    /// what was read is older than the other half; then it looks again, and tells what it found each time.
    ///
    /// # Errors
    /// `Storage`, `Closed`.
    pub async fn check(&self) -> Result<CheckReport> {
        self.ensure_open()?;
        self.whole().await?;
        self.read_queue().await?;
        let mut found_each_time: Option<BTreeSet<Finding>> = None;
        let mut n_looks = 0;
        loop {
            n_looks += 1;
            self.catch_up().await?;
            let mut look = Look::default();
            self.look(&mut look).await?;
            let Everything { state: fresh, seen } = self.read_all().await?;
            let kept = self.read_kept().await?;
            let (commits_missing, last) = self.commits_missing().await?;
            let held = self.state.borrow();
            look.judge(&fresh);
            for number in commits_missing {
                look.report(Problem::CommitMissing, number.to_string());
            }
            look.compare(Problem::IndexDiffers, &held, &fresh);
            let mut undisturbed =
                seen == self.seen_commit.get() && last == seen && look.commit == seen;
            match &kept {
                Found::Everything(kept) => {
                    look.compare(Problem::KeptIndexDiffers, &kept.state, &fresh);
                    undisturbed &= kept.seen == seen;
                }
                Found::Unusable(_, Some(why)) if why.is_damage() => {
                    let list = format!("segment:{}", Segment::MANIFEST);
                    look.report(Problem::KeptIndexDamaged, list);
                }
                Found::Unusable(..) => {}
            }
            let found = match (undisturbed, found_each_time.take()) {
                (false, Some(before)) => before.intersection(&look.findings).cloned().collect(),
                _ => look.findings,
            };
            if undisturbed || found.is_empty() || n_looks == MAX_LOOKS {
                return Ok(CheckReport {
                    records: look.records,
                    commit: last,
                    findings: found.into_iter().collect(),
                });
            }
            found_each_time = Some(found);
        }
    }

    /// Reads every record once.
    async fn look(&self, look: &mut Look) -> Result<()> {
        look.commit = self.ports.store().last_commit().await?;
        for kind in Kind::ALL {
            let mut n_records = 0;
            let unreadable = self.each_record(kind, "", |record| {
                n_records += 1;
                look.take(record);
            });
            for name in unreadable.await? {
                n_records += 1;
                look.miss(kind, &name);
            }
            if n_records > 0 {
                look.records.insert(kind, n_records);
            }
        }
        Ok(())
    }

    /// The numbers that the log lacks, and the last commit's.
    async fn commits_missing(&self) -> Result<(Vec<u64>, u64)> {
        let store = self.ports.store();
        let last = store.last_commit().await?;
        // The log keeps the newest ones without a gap.
        let before = last.saturating_sub(COMMITS_KEPT);
        let Some(commits) = store.commits_after(&self.config.namespace, before).await? else {
            return Ok((vec![before + 1], last));
        };
        let found: BTreeSet<u64> = commits.iter().map(|(number, _)| *number).collect();
        let missing = (before + 1..=last).filter(|number| !found.contains(number));
        Ok((missing.collect(), last))
    }
}

/// What was read, as far as it is needed to judge it.
#[derive(Default)]
struct Look {
    records: BTreeMap<Kind, usize>,
    commit: u64,
    sessions: BTreeSet<SessionId>,
    /// Turns that are there, readable or not.
    turns: BTreeSet<TurnId>,
    facts: Vec<Fact>,
    /// Facts that are there and can not be read.
    lost_facts: BTreeSet<String>,
    /// Memory files that are there, readable or not.
    files: BTreeSet<String>,
    jobs: Vec<(String, JobWork)>,
    injections: Vec<TurnId>,
    /// Those that belong to a turn.
    artifacts: Vec<(String, TurnId)>,
    vectors: Vec<StoredVector>,
    /// Components of each embedder's vectors, where a record tells.
    dimensions: BTreeMap<String, usize>,
    findings: BTreeSet<Finding>,
}

impl Look {
    fn report(&mut self, problem: Problem, record: String) {
        self.findings.insert(Finding { problem, record });
    }

    fn take(&mut self, record: Record) {
        match record {
            Record::Session(session) => {
                self.sessions.insert(session.id);
            }
            Record::Turn(turn) => {
                self.turns.insert(turn.id);
            }
            Record::Fact(fact) => self.facts.push(fact),
            Record::File(file) => {
                self.files.insert(file.id.to_string());
            }
            Record::Job(job) => self.jobs.push((job.id.to_string(), job.work)),
            Record::Injection(injection) => self.injections.push(injection.turn),
            Record::Vector(vector) => self.vectors.push(vector),
            Record::Generation(generation) => {
                let dimensions = generation.dimensions as usize;
                self.dimensions.insert(generation.embedder, dimensions);
            }
            Record::Artifact(artifact) => {
                let turn = artifact.turn.map(|turn| (artifact.id.to_string(), turn));
                self.artifacts.extend(turn);
            }
            Record::Usage(_) | Record::Judgement(_) | Record::Tombstone(_) | Record::Segment(_) => {
            }
        }
    }

    /// An unreadable record is there: it is reported by itself, and what points at it is in order.
    fn miss(&mut self, kind: Kind, name: &str) {
        self.report(Problem::Unreadable, format!("{}:{name}", kind.name()));
        match kind {
            Kind::Session => self.sessions.extend(name.parse::<SessionId>()),
            Kind::Turn => self.turns.extend(name.parse::<TurnId>()),
            Kind::Fact => {
                self.lost_facts.insert(name.into());
            }
            Kind::File => {
                self.files.insert(name.into());
            }
            _ => {}
        }
    }

    /// Whether what was read fits together.
    fn judge(&mut self, fresh: &State) {
        let mut found = Vec::new();
        let mut report = |problem, record: String| found.push(Finding { problem, record });
        let mut last_of: BTreeMap<SessionId, u32> = BTreeMap::new();
        for turn in &self.turns {
            last_of.insert(turn.session, turn.index);
        }
        for (&session, &last) in &last_of {
            if !self.sessions.contains(&session) {
                report(Problem::SessionMissing, format!("session:{session}"));
            }
            for index in 0..last {
                let turn = TurnId { session, index };
                if !self.turns.contains(&turn) && !fresh.has_erased(RecordRef::Turn(turn)) {
                    report(Problem::TurnMissing, format!("turn:{turn}"));
                }
            }
        }
        let facts: BTreeSet<String> = self.facts.iter().map(|fact| fact.id.to_string()).collect();
        let has_fact = |id: &String| facts.contains(id) || self.lost_facts.contains(id);
        for fact in &self.facts {
            for version in [fact.supersedes, fact.superseded_by].into_iter().flatten() {
                if !has_fact(&version.to_string()) {
                    report(Problem::VersionMissing, format!("fact:{version}"));
                }
            }
        }
        for (
            job,
            JobWork::Extract {
                session,
                first,
                last,
            },
        ) in &self.jobs
        {
            let mut turns = (*first..=*last).map(|index| TurnId {
                session: *session,
                index,
            });
            let is_known =
                |turn| self.turns.contains(&turn) || fresh.has_erased(RecordRef::Turn(turn));
            if first > last || !turns.all(is_known) {
                report(Problem::JobWithoutTurn, format!("job:{job}"));
            }
        }
        for turn in &self.injections {
            if !self.turns.contains(turn) {
                report(Problem::InjectionWithoutTurn, format!("injection:{turn}"));
            }
        }
        for (artifact, turn) in &self.artifacts {
            if !self.turns.contains(turn) {
                report(Problem::ArtifactWithoutTurn, format!("artifact:{artifact}"));
            }
        }
        let mut dimensions = self.dimensions.clone();
        for spec in [fresh.corpus.embedder(), fresh.corpus.next_embedder()] {
            dimensions.extend(spec.map(|spec| (spec.id.clone(), spec.dimensions)));
        }
        for vector in &self.vectors {
            // Of an embedder that nothing is known about, the first vector tells.
            let expected = *dimensions
                .entry(vector.embedder.clone())
                .or_insert(vector.components.len());
            if vector.components.len() != expected || vector.components.iter().all(|&x| x == 0) {
                report(Problem::VectorMisshapen, name_of(vector));
            }
            if !self.has_owner(vector.owner, fresh, &has_fact) {
                report(Problem::VectorWithoutOwner, name_of(vector));
            }
        }
        self.findings.extend(found);
    }

    fn has_owner(
        &self,
        owner: VectorOwner,
        fresh: &State,
        has_fact: &impl Fn(&String) -> bool,
    ) -> bool {
        let is_there = match owner.record {
            RecordRef::Turn(id) => self.turns.contains(&id),
            RecordRef::Fact(id) => has_fact(&id.to_string()),
            RecordRef::File(id) => self.files.contains(&id.to_string()),
        };
        let first = VectorOwner { piece: 0, ..owner };
        // How many pieces an unreadable record has, nobody knows.
        is_there && (fresh.corpus.has_piece(owner) || !fresh.corpus.has_piece(first))
    }

    /// Whether what is held is what was read.
    fn compare(&mut self, problem: Problem, held: &State, fresh: &State) {
        let differing = held.corpus.differing(&fresh.corpus).into_iter();
        let corpus: Vec<String> = differing.map(|record| record.to_string()).collect();
        let facts = held.facts.keys().chain(fresh.facts.keys());
        let differing: Vec<_> = facts
            .filter(|id| held.facts.get(id) != fresh.facts.get(id))
            .map(|id| format!("fact:{id}"))
            .collect();
        let sessions = held.sessions.keys().chain(fresh.sessions.keys());
        let differing = differing.into_iter().chain(
            sessions
                .filter(|id| held.sessions.get(id) != fresh.sessions.get(id))
                .map(|id| format!("session:{id}")),
        );
        // The kept index holds none; where it was put together for a comparison, they are not read.
        let jobs = held.queue.jobs().chain(fresh.queue.jobs());
        let jobs = jobs.filter(|_| held.queue.is_read());
        let differing = differing.chain(
            jobs.filter(|job| held.queue.get(job.id) != fresh.queue.get(job.id))
                .map(|job| format!("job:{}", job.id)),
        );
        let files = held.files.files().chain(fresh.files.files());
        let differing = differing.chain(
            files
                .filter(|file| held.files.get(file.id) != fresh.files.get(file.id))
                .map(|file| format!("file:{}", file.id)),
        );
        let differing: Vec<String> = differing.collect();
        // More vectors than are stored are no difference: the disk may have refused them, and they are made again.
        let vectors = self.vectors.iter().filter(|vector| {
            let components = expand(&vector.components);
            let misshapen = Finding {
                problem: Problem::VectorMisshapen,
                record: name_of(vector),
            };
            !self.findings.contains(&misshapen)
                && !held.corpus.goes_by(
                    &vector.embedder,
                    vector.owner,
                    &components,
                    vector.words.as_deref(),
                )
        });
        let vectors: Vec<String> = vectors.map(name_of).collect();
        for record in corpus.into_iter().chain(differing).chain(vectors) {
            // What is kept of a record outlives its damage, which is reported by itself.
            let is_damaged = fresh.unreadable.contains(&record);
            if !(problem == Problem::KeptIndexDiffers && is_damaged) {
                self.report(problem, record);
            }
        }
    }
}

fn name_of(vector: &StoredVector) -> String {
    format!("vector:{}@{}", vector.owner, vector.embedder)
}
