//! Importing: what a person brings is merged with what is here. Nothing that is here is changed.

use super::{Clock, Memory, Ports};
use crate::batch::{Durability, Op};
use crate::error::{Error, Result};
use crate::fact::{self, fold};
use crate::files::FileTree;
use crate::model::{
    Action, Confidence, Evidence, Fact, FactId, File, JobWork, Kind, Origin, Record, SUBJECT_USER,
    Session, SessionId, TurnId,
};
use crate::store::Store;
use crate::time::Timestamp;
use crate::transfer::{self, Content, Entry, Intake, Reason, Report, Statement};
use std::collections::HashSet;

/// Records of one commit. Each is strict: what the report counts as added is on the disk.
const BATCH: usize = 200;

/// An import under way.
pub struct Import {
    intake: Intake,
    report: Report,
    /// Records to be added, with their lines.
    pending: Vec<(u64, Record)>,
    /// Sessions that came with this import: of what belongs to them nothing can be here.
    fresh_sessions: HashSet<SessionId>,
    /// Turns that came with it: they are not read for facts unless their job comes, too.
    fresh_turns: HashSet<TurnId>,
    /// Memory files as they are, with those that came: what comes next has to fit among them. Filled for the first one.
    files: Option<FileTree>,
    /// What facts say, folded; filled for the first statement of a list.
    said: Option<HashSet<(String, String)>>,
}

impl Import {
    /// With the passphrase of an export that is sealed.
    pub fn with_passphrase(mut self, passphrase: Option<String>) -> Import {
        self.intake = self.intake.with_passphrase(passphrase);
        self
    }
}

impl<P: Ports> Memory<P> {
    /// Begins an import. With `dry_run` nothing is written, and the report says what would be.
    ///
    /// # Errors
    /// `Storage`, `Closed`.
    pub async fn begin_import(&self, dry_run: bool) -> Result<Import> {
        self.catch_up().await?;
        Ok(Import {
            intake: Intake::new(),
            report: Report {
                dry_run,
                ..Report::default()
            },
            pending: Vec::new(),
            fresh_sessions: HashSet::new(),
            fresh_turns: HashSet::new(),
            files: None,
            said: None,
        })
    }

    /// Takes the next bytes, wherever they are cut, and writes the records they complete, in batches. An import that is
    /// dropped leaves what was written so far, which is consistent; the same file brought again adds the rest.
    ///
    /// # Errors
    /// `InvalidInput` for what is not understood, `NewerFormat`, `QuotaExceeded`, `Storage`, `Closed`; of a sealed export
    /// also `PassphraseNeeded` and `WrongKey`, before anything is written, and `DamagedFile`.
    pub async fn import(&self, import: &mut Import, bytes: &[u8]) -> Result<()> {
        self.ensure_open()?;
        let mut entries = Vec::new();
        import.intake.push(bytes, &mut entries)?;
        self.take(import, entries).await
    }

    /// Ends the import: the rest is written, and the report is complete.
    ///
    /// # Errors
    /// As [`Memory::import`].
    pub async fn finish_import(&self, mut import: Import) -> Result<Report> {
        self.ensure_open()?;
        let mut entries = Vec::new();
        let (format, seal) = import.intake.finish(&mut entries)?;
        self.take(&mut import, entries).await?;
        self.add_pending(&mut import).await?;
        import.report.format = Some(format);
        import.report.seal = seal;
        Ok(import.report)
    }

    async fn take(&self, import: &mut Import, entries: Vec<Entry>) -> Result<()> {
        for entry in entries {
            let Entry {
                line,
                path,
                content,
            } = entry;
            let record = match content {
                Ok(Content::Record(record)) => *record,
                Ok(Content::File { path, text }) => {
                    Record::File(File::new(path.as_str(), &text, self.now()))
                }
                Ok(Content::Statement(statement)) => match self.fact_of(import, statement) {
                    Ok(Some(fact)) => Record::Fact(fact),
                    Ok(None) => {
                        import.report.skipped += 1;
                        continue;
                    }
                    Err(reason) => {
                        import.report.refuse(line, reason, None);
                        continue;
                    }
                },
                Err(reason) => {
                    import.report.refuse(line, reason, path);
                    continue;
                }
            };
            let last = import.pending.last().map(|(_, record)| record.kind());
            // What a record rests on is looked up in the store, so it has to be there.
            if import.pending.len() == BATCH || last.is_some_and(|last| last != record.kind()) {
                self.add_pending(import).await?;
            }
            self.place(import, line, record).await?;
        }
        Ok(())
    }

    /// Decides about one record: it is added, skipped, a conflict or refused.
    async fn place(&self, import: &mut Import, line: u64, mut record: Record) -> Result<()> {
        if let Some(reason) = self.refusal(import, &record).await? {
            let path = transfer::path_of(&record);
            import.report.refuse(line, reason, path);
            return Ok(());
        }
        if let Record::Session(session) = &mut record {
            self.end_if_it_shows_erased(session);
        }
        match self.known(import, &record).await? {
            Known::No => {}
            Known::Same => {
                import.report.skipped += 1;
                return Ok(());
            }
            Known::Other => {
                import.report.conflict(line, &record);
                return Ok(());
            }
        }
        match &record {
            Record::Session(session) => {
                import.fresh_sessions.insert(session.id);
            }
            Record::Turn(turn) => {
                import.fresh_turns.insert(turn.id);
            }
            Record::File(file) => {
                if let Some(files) = &mut import.files {
                    files.put(file);
                }
            }
            _ => {}
        }
        import.pending.push((line, record));
        Ok(())
    }

    /// Why a record can not be taken, if so.
    async fn refusal(&self, import: &mut Import, record: &Record) -> Result<Option<Reason>> {
        if self.holds_erased(record) {
            return Ok(Some(Reason::Erased));
        }
        Ok(match record {
            Record::Turn(turn) => self.has_no_session(import, turn.id.session),
            Record::Injection(injection) => self.has_no_session(import, injection.turn.session),
            Record::Fact(fact) => match &fact.evidence {
                Some(evidence) => self.has_no_evidence(import, evidence).await?,
                None => None,
            },
            Record::File(file) => {
                let files = import.files.get_or_insert_with(|| {
                    let state = self.state.borrow();
                    state.files.clone()
                });
                (!files.admits(file)).then_some(Reason::BadFile)
            }
            Record::Artifact(artifact) => {
                let session = artifact.turn.map(|turn| turn.session);
                session.and_then(|session| self.has_no_session(import, session))
            }
            Record::Session(_)
            | Record::Job(_)
            | Record::Usage(_)
            | Record::Vector(_)
            | Record::Generation(_)
            | Record::Judgement(_)
            | Record::Tombstone(_)
            | Record::Segment(_) => None,
        })
    }

    /// What was said in a session can come back without the erased memory that its prompt showed.
    fn end_if_it_shows_erased(&self, session: &mut Session) {
        let state = self.state.borrow();
        if session
            .surfaced
            .iter()
            .any(|shown| state.has_erased(*shown))
        {
            session.snapshot = String::new();
            session.surfaced = Vec::new();
            session.ended.get_or_insert(self.now());
        }
    }

    fn has_no_session(&self, import: &Import, id: SessionId) -> Option<Reason> {
        let is_here = self.state.borrow().sessions.contains_key(&id);
        (!is_here && !import.fresh_sessions.contains(&id)).then_some(Reason::NoSession)
    }

    /// A fact's quote must stand in its turn, whoever wrote the file.
    async fn has_no_evidence(
        &self,
        import: &Import,
        evidence: &Evidence,
    ) -> Result<Option<Reason>> {
        if import.report.dry_run && import.fresh_turns.contains(&evidence.turn) {
            // It is not stored, and holding all that a file says would take its size in memory.
            return Ok(None);
        }
        let name = evidence.turn.to_string();
        let namespace = &self.config.namespace;
        let found = self.ports.store().get(namespace, Kind::Turn, &name).await;
        let text = match found {
            Ok(Some(Record::Turn(turn))) => turn.text(),
            Ok(_) | Err(Error::Corrupt { .. }) => return Ok(Some(Reason::NoEvidence)),
            Err(error) => return Err(error),
        };
        let units: Vec<u16> = text.encode_utf16().collect();
        let span = evidence.start as usize..evidence.end as usize;
        let holds = units
            .get(span)
            .is_some_and(|span| evidence.quote.encode_utf16().eq(span.iter().copied()));
        Ok((!holds).then_some(Reason::NoEvidence))
    }

    /// Whether the record is here.
    async fn known(&self, import: &mut Import, record: &Record) -> Result<Known> {
        {
            let state = self.state.borrow();
            let same = |same: bool| if same { Known::Same } else { Known::Other };
            match record {
                Record::Tombstone(stone) => {
                    let name = record.name();
                    if let Some(here) = state.tombstones.get(&name) {
                        // Erased in two places: when, and under which salt, makes no difference.
                        return Ok(same(here.kind == stone.kind));
                    }
                    let is_here = match (stone.kind, &stone.name) {
                        (Kind::Fact, id) => {
                            id.parse().is_ok_and(|id| state.facts.contains_key(&id))
                        }
                        (Kind::Session, id) => {
                            id.parse().is_ok_and(|id| state.sessions.contains_key(&id))
                        }
                        _ => false,
                    };
                    if is_here {
                        return Ok(Known::Other);
                    }
                }
                Record::Job(job) => {
                    // Of turns that were here before, the facts were read or are queued already.
                    let JobWork::Extract {
                        session,
                        first,
                        last,
                    } = job.work;
                    let mut turns = import.fresh_turns.iter();
                    if !turns
                        .any(|turn| turn.session == session && (first..=last).contains(&turn.index))
                    {
                        return Ok(Known::Same);
                    }
                }
                Record::Turn(turn) if import.fresh_turns.contains(&turn.id) => {}
                Record::Turn(turn) if import.fresh_sessions.contains(&turn.id.session) => {
                    return Ok(Known::No);
                }
                _ => {}
            }
        }
        let (kind, name) = (record.kind(), record.name());
        // The same line may come twice.
        let twin = import
            .pending
            .iter()
            .find(|(_, one)| one.kind() == kind && one.name() == name);
        if let Some((_, twin)) = twin {
            return Ok(if is_same(twin, record) {
                Known::Same
            } else {
                Known::Other
            });
        }
        let namespace = &self.config.namespace;
        match self.ports.store().get(namespace, kind, &name).await {
            Ok(None) => Ok(Known::No),
            Ok(Some(here)) if is_same(&here, record) => Ok(Known::Same),
            Ok(Some(_)) | Err(Error::Corrupt { .. }) => Ok(Known::Other),
            Err(error) => Err(error),
        }
    }

    /// Writes what was decided to be added, in one batch.
    async fn add_pending(&self, import: &mut Import) -> Result<()> {
        let pending = std::mem::take(&mut import.pending);
        if pending.is_empty() {
            return Ok(());
        }
        if !import.report.dry_run {
            let mut batch = self.batch(Durability::Strict, Action::Import);
            let records = pending.iter().map(|(_, record)| record.clone());
            batch.ops = records.map(Op::Insert).collect();
            match self.commit(&batch).await {
                Ok(_) => {}
                Err(Error::Conflict { .. }) => return self.add_one_by_one(import, pending).await,
                Err(error) => return Err(error),
            }
            self.forget_live(&pending);
            self.index_missing().await;
        }
        for (_, record) in &pending {
            *import.report.added.entry(record.kind()).or_default() += 1;
        }
        Ok(())
    }

    /// A session that got turns is read from the store again with its next message.
    fn forget_live(&self, added: &[(u64, Record)]) {
        let live = &mut self.state.borrow_mut().live;
        for (_, record) in added {
            if let Record::Turn(turn) = record
                && live.get(&turn.id.session).is_some_and(|live| !live.busy)
            {
                live.remove(&turn.id.session);
            }
        }
    }

    /// Another tab wrote one of the records meanwhile.
    async fn add_one_by_one(&self, import: &mut Import, pending: Vec<(u64, Record)>) -> Result<()> {
        for (line, record) in pending {
            let mut batch = self.batch(Durability::Strict, Action::Import);
            batch.ops = vec![Op::Insert(record.clone())];
            match self.commit(&batch).await {
                Ok(_) => *import.report.added.entry(record.kind()).or_default() += 1,
                Err(Error::Conflict { .. }) => import.report.conflict(line, &record),
                Err(error) => return Err(error),
            }
        }
        self.catch_up().await?;
        self.index_missing().await;
        Ok(())
    }

    /// A fact of a sentence that another product remembered; `None` if the same is known.
    fn fact_of(
        &self,
        import: &mut Import,
        statement: Statement,
    ) -> std::result::Result<Option<Fact>, Reason> {
        let state = self.state.borrow();
        if fact::was_erased(SUBJECT_USER, &statement.text, state.tombstones.values()) {
            return Err(Reason::Erased);
        }
        let said = import.said.get_or_insert_with(|| {
            let facts = state.facts.values();
            facts
                .map(|fact| (fold(&fact.subject), fold(&fact.statement)))
                .collect()
        });
        if !said.insert((fold(SUBJECT_USER), fold(&statement.text))) {
            return Ok(None);
        }
        let now = self.now();
        let since = statement.since_ms.map(Timestamp::utc);
        Ok(Some(Fact {
            v: Fact::VERSION,
            id: FactId::new(now.unix_ms, self.ports.clock().random()),
            fact_type: statement.fact_type,
            subject: SUBJECT_USER.into(),
            attribute: statement.attribute,
            statement: statement.text,
            entities: Vec::new(),
            numbers: Vec::new(),
            evidence: None,
            origin: Origin::Import,
            confidence: Confidence::Medium,
            valid_from: since
                .filter(|since| since.unix_ms <= now.unix_ms)
                .unwrap_or(now),
            recorded_at: now,
            supersedes: None,
            superseded_by: None,
            stale: None,
            proof_count: 1,
        }))
    }
}

/// Of a file the words count: when they were written is another matter on another machine.
fn is_same(here: &Record, record: &Record) -> bool {
    match (here, record) {
        (Record::File(here), Record::File(file)) => {
            here.path == file.path && here.text == file.text
        }
        _ => here == record,
    }
}

/// What is here under a record's name.
enum Known {
    No,
    Same,
    Other,
}
