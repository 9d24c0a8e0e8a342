//! The table of models, brought up to date by what Claude's API lists.
//!
//! Asking is nobody's turn to wait: whoever runs the engine calls [`Memory::refresh_models`] once a message was answered, and
//! beside everything else. What came is kept with the derived data, so that the next start need not ask again on the same day.

use super::wire::read_all;
use super::{Cancel, HttpRequest, Memory, Ports};
use crate::batch::{Durability, Op};
use crate::claude::listing::{self, Model, ModelTable, Page};
use crate::claude::models::ModelInfo;
use crate::claude::request::get_headers;
use crate::error::{Error, Result};
use crate::model::{Action, Kind, Record, Segment};
use crate::store::Store;
use crate::time::Timestamp;
use serde_json::Value;
use std::cell::{Cell, RefCell};

/// The API is asked once in this time, whatever came of it: models come and change seldom.
const REFRESHED_FOR_MS: u64 = 86_400_000;

/// Of a thousand models each. An endpoint that has always one more is not followed for ever.
const MAX_PAGES: usize = 4;

/// What is known of models, and how that came about.
#[derive(Default)]
pub(super) struct Models {
    table: RefCell<ModelTable>,
    /// When the API was asked last, since the memory was opened.
    asked: Cell<Option<Timestamp>>,
    /// Why nothing came of that.
    trouble: RefCell<Option<Error>>,
}

/// How up to date the table of models is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelsStatus {
    /// When the API listed what is over the table of this library; `None` for that table alone.
    pub refreshed: Option<Timestamp>,
    /// Why the last try came to nothing; the table is as it was then.
    pub trouble: Option<Error>,
}

impl<P: Ports> Memory<P> {
    /// All models that are known, by this library's table and by what the API listed.
    pub fn models(&self) -> Vec<Model> {
        self.models.table.borrow().all()
    }

    pub fn models_status(&self) -> ModelsStatus {
        ModelsStatus {
            refreshed: self.models.table.borrow().refreshed(),
            trouble: self.models.trouble.borrow().clone(),
        }
    }

    /// What requests to a model go by.
    pub(super) fn model(&self, id: &str) -> ModelInfo {
        self.models.table.borrow().model(id)
    }

    /// Asks Claude's API which models there are, if that was not done within a day; says whether it asked. The request holds nothing
    /// of the memory, and is sent once.
    ///
    /// A failure leaves the table as it is and shows in the status.
    pub async fn refresh_models(&self, cancel: &Cancel) -> bool {
        let now = self.now();
        if !self.config.refreshes_models || self.closed.get() || !self.is_refresh_due(now) {
            return false;
        }
        self.models.asked.set(Some(now));
        let erasures = self.erasures();
        let listed = self.list_models(cancel).await.and_then(|data| {
            let table = ModelTable::of(&data, now).ok_or_else(no_list)?;
            Ok((data, table))
        });
        match listed {
            Ok((data, table)) => {
                self.models.table.replace(table);
                self.models.trouble.replace(None);
                // Where it can not be kept, the next start asks again. After an erasure nothing is written that nobody asked for.
                if self.erasures() == erasures {
                    let _ = self.keep_models(data, now).await;
                }
            }
            Err(error) => {
                self.models.trouble.replace(Some(error));
            }
        }
        true
    }

    /// A clock that was put back counts as another day.
    fn is_refresh_due(&self, now: Timestamp) -> bool {
        let refreshed = self.models.table.borrow().refreshed();
        let is_recent =
            |at: Timestamp| at <= now && now.unix_ms.abs_diff(at.unix_ms) < REFRESHED_FOR_MS;
        let mut last = [refreshed, self.models.asked.get()].into_iter().flatten();
        !last.any(is_recent)
    }

    /// The entries of all pages, as they came.
    async fn list_models(&self, cancel: &Cancel) -> Result<Vec<Value>> {
        let mut all = Vec::new();
        let mut path = Some(listing::PATH.to_string());
        for _ in 0..MAX_PAGES {
            let Some(next) = path else { break };
            let request = HttpRequest::get(next, get_headers());
            let mut response = self.send_once(&request, cancel).await?;
            let body = read_all(&mut response.body, cancel).await?;
            let answer: Value = serde_json::from_slice(&body).map_err(|_| no_list())?;
            let page = Page::read(answer).ok_or_else(no_list)?;
            all.extend(page.data);
            all.truncate(listing::MAX_MODELS);
            path = page.next.filter(|_| all.len() < listing::MAX_MODELS);
        }
        Ok(all)
    }

    /// Writes the list for the next start, unless nothing is kept at all.
    async fn keep_models(&self, data: Vec<Value>, at: Timestamp) -> Result<()> {
        if !self.config.preset.keeps_turns() {
            return Ok(());
        }
        self.ensure_open()?;
        let mut batch = self.batch(Durability::Relaxed, Action::Change);
        batch.ops.push(Op::Put(Record::Segment(Segment {
            v: Segment::VERSION,
            name: Segment::MODELS.into(),
            seen: self.seen_commit.get(),
            bytes: listing::to_bytes(data, at),
        })));
        self.commit(&batch).await?;
        Ok(())
    }

    /// Reads the list that this or another tab has kept. Where it can not be read, the table is as it was.
    pub(super) async fn read_models(&self) {
        let namespace = &self.config.namespace;
        let store = self.ports.store();
        let kept = store.get(namespace, Kind::Segment, Segment::MODELS).await;
        if let Ok(Some(Record::Segment(kept))) = kept {
            self.take_models(&kept);
        }
    }

    /// Takes over a kept list that is newer than what is known.
    pub(super) fn take_models(&self, kept: &Segment) {
        let Some(table) = listing::from_bytes(&kept.bytes) else {
            return;
        };
        let mut held = self.models.table.borrow_mut();
        if table.refreshed() > held.refreshed() && self.config.refreshes_models {
            *held = table;
        }
    }
}

fn no_list() -> Error {
    Error::MalformedStream {
        message: "the answer is no list of models".into(),
    }
}
