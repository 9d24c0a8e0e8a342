//! Exporting: the namespace's records as lines, a page at a time.

use super::{Clock, Memory, Ports};
use crate::error::Result;
use crate::model::{JobWork, Kind, Record, SessionId};
use crate::store::{Range, Store};
use crate::transfer::{self, FORMAT, Header, Sealer, VERSION, Writer};
use std::collections::{BTreeMap, HashSet, VecDeque};

/// Records of one page: so few that a page takes a few milliseconds, whatever thread the engine runs on.
const PAGE: usize = 100;

/// An export under way. It holds one page and the hash, never the store.
pub struct Export {
    writer: Writer,
    sealing: Option<Sealing>,
    header: Option<Header>,
    kinds: VecDeque<Kind>,
    after: Option<String>,
    /// The sessions of the file: what was said in others began after the export did.
    sessions: HashSet<SessionId>,
    total: u64,
}

/// What an export with a passphrase is sealed with.
struct Sealing {
    /// Until it is written.
    header: Vec<u8>,
    sealer: Sealer,
}

/// A piece of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportPage {
    /// Whole lines, unless the export is sealed; then perhaps nothing.
    pub bytes: Vec<u8>,
    /// Records written so far.
    pub done: u64,
    /// Records there were at the beginning.
    pub total: u64,
}

impl<P: Ports> Memory<P> {
    /// Begins an export; [`Memory::export_page`] gives its lines.
    ///
    /// # Errors
    /// `Storage`, `Closed`.
    pub async fn begin_export(&self) -> Result<Export> {
        self.ensure_open()?;
        let namespace = &self.config.namespace;
        let mut counts = BTreeMap::new();
        for kind in transfer::kinds() {
            let n = self.ports.store().count(namespace, kind).await?;
            counts.insert(kind.name().into(), n);
        }
        Ok(Export {
            total: counts.values().sum(),
            header: Some(Header {
                format: FORMAT.into(),
                version: VERSION,
                written: self.now(),
                by: concat!("onhand ", env!("CARGO_PKG_VERSION")).into(),
                user: namespace.user.clone(),
                project: namespace.project.clone(),
                counts,
            }),
            writer: Writer::default(),
            sealing: None,
            kinds: transfer::kinds().collect(),
            after: None,
            sessions: HashSet::new(),
        })
    }

    /// Begins an export that only this passphrase opens.
    ///
    /// # Errors
    /// `InvalidInput` for a passphrase that is too short; as [`Memory::begin_export`].
    pub async fn begin_sealed_export(&self, passphrase: &str) -> Result<Export> {
        let random = || self.ports.clock().random();
        let (sealer, header) = Sealer::new(passphrase, &random)?;
        Ok(Export {
            sealing: Some(Sealing { header, sealer }),
            ..self.begin_export().await?
        })
    }

    /// The next lines; `None` after the last.
    ///
    /// # Errors
    /// `Storage`, `Closed`. The same page can be asked for again then.
    pub async fn export_page(&self, export: &mut Export) -> Result<Option<ExportPage>> {
        self.ensure_open()?;
        let Some(&kind) = export.kinds.front() else {
            return Ok(None);
        };
        let range = Range {
            after: export.after.clone(),
            limit: Some(PAGE),
            ..Range::default()
        };
        let scan = self
            .ports
            .store()
            .scan(&self.config.namespace, kind, &range)
            .await?;
        let mut text = match export.header.take() {
            Some(header) => export.writer.header(&header),
            None => String::new(),
        };
        for name in &scan.unreadable {
            export.writer.unreadable(kind, name);
            // What was said in a session whose own record is damaged can still be read.
            if let (Kind::Session, Ok(id)) = (kind, name.parse()) {
                export.sessions.insert(id);
            }
        }
        for record in &scan.records {
            if let Record::Session(session) = record {
                export.sessions.insert(session.id);
            }
            if session_of(record).is_none_or(|session| export.sessions.contains(&session)) {
                text.push_str(&export.writer.record(record));
            }
        }
        export.after = scan.next;
        if export.after.is_none() {
            export.kinds.pop_front();
        }
        let done = export.writer.n_records();
        let is_over = export.kinds.is_empty();
        if is_over {
            text.push_str(&std::mem::take(&mut export.writer).end());
        }
        let random = || self.ports.clock().random();
        let bytes = match &mut export.sealing {
            None => text.into_bytes(),
            Some(Sealing { header, sealer }) => {
                let mut bytes = std::mem::take(header);
                bytes.extend(sealer.push(text.as_bytes(), &random));
                bytes
            }
        };
        let end = export.sealing.take_if(|_| is_over);
        let end = end.map(|sealing| sealing.sealer.finish(&random));
        Ok(Some(ExportPage {
            bytes: [bytes, end.unwrap_or_default()].concat(),
            done,
            total: export.total,
        }))
    }
}

/// The session without which a record means nothing.
fn session_of(record: &Record) -> Option<SessionId> {
    match record {
        Record::Turn(turn) => Some(turn.id.session),
        Record::Injection(injection) => Some(injection.turn.session),
        Record::Job(job) => {
            let JobWork::Extract { session, .. } = job.work;
            Some(session)
        }
        Record::Fact(fact) => fact.evidence.as_ref().map(|evidence| evidence.turn.session),
        Record::Session(_)
        | Record::Vector(_)
        | Record::Usage(_)
        | Record::Generation(_)
        | Record::File(_)
        | Record::Judgement(_)
        | Record::Tombstone(_)
        | Record::Segment(_) => None,
        Record::Artifact(artifact) => artifact.turn.map(|turn| turn.session),
    }
}
