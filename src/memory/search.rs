//! Recall and the working-memory block.

use super::together::together;
use super::{Memory, Ports, Rebuilding};
use crate::block::{self, Block, BlockItem, Place};
use crate::error::{Error, Result};
use crate::model::{Fact, File, RecordRef, SessionId, Surfaced, Turn};
use crate::recall::{GraphTask, Level, Query, Recalled};
use crate::time::Timestamp;
use std::collections::HashSet;

/// What to look for.
#[derive(Clone, Debug, PartialEq)]
pub struct RecallRequest {
    pub query: String,
    /// `None` for the configured limit.
    pub limit: Option<usize>,
    pub level: Level,
    /// The running session: its own turns are in the prompt already and are not recalled.
    pub session: Option<SessionId>,
}

/// A recalled record together with what it says.
#[derive(Clone, Debug, PartialEq)]
pub struct RecollectedItem {
    pub recalled: Recalled,
    pub fact: Option<Fact>,
    /// Superseded versions of the fact, newest first.
    pub older: Vec<Fact>,
    pub turn: Option<Turn>,
    pub file: Option<File>,
    /// The part of the turn or file that matched.
    pub excerpt: Option<String>,
}

/// What recall found, best first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recollected {
    pub items: Vec<RecollectedItem>,
    pub candidates: usize,
    /// How much of the memory it goes by, while records are still read after a start without the kept index.
    pub partial: Option<Rebuilding>,
}

/// The block that a message would carry.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BlockPreview {
    /// `None` if nothing relevant is known.
    pub block: Option<Block>,
    /// Where it stands. With [`Place::System`] configured it is the other place for a model without such messages, and for a
    /// block with anything that nobody in the conversation said.
    pub place: Place,
    /// The items that the block holds, best first.
    pub items: Vec<RecollectedItem>,
    /// As of [`Recollected`].
    pub partial: Option<Rebuilding>,
}

impl BlockPreview {
    pub(super) fn surfaced(&self) -> Vec<Surfaced> {
        let score = |item: &RecollectedItem| Surfaced {
            record: item.recalled.record,
            score: item.recalled.score,
        };
        self.items.iter().map(score).collect()
    }
}

impl<P: Ports> Memory<P> {
    /// The memories that fit the query, best first; nothing if nothing fits.
    ///
    /// # Errors
    /// `Storage`, `Closed`.
    pub async fn recall(&self, request: &RecallRequest) -> Result<Recollected> {
        self.recall_except(request, &HashSet::new()).await
    }

    /// The block that a message with this text would carry now.
    ///
    /// # Errors
    /// `Storage`, `Closed`.
    pub async fn block(&self, query: &str, session: Option<SessionId>) -> Result<BlockPreview> {
        let surfaced = session
            .and_then(|id| {
                self.state
                    .borrow()
                    .live
                    .get(&id)
                    .map(|live| live.surfaced.clone())
            })
            .unwrap_or_default();
        self.block_except(query, session, &surfaced, self.now())
            .await
    }

    /// The vector index, to have its graph built elsewhere, if one is wanted and lags far behind; searches scan meanwhile.
    pub fn graph_task(&self) -> Option<GraphTask> {
        self.state.borrow_mut().corpus.graph_task()
    }

    /// Takes the graph of a [`GraphTask`], or hears that there is none; says whether it is in use now.
    pub fn take_graph(&self, serial: u32, graph: Option<&[u8]>) -> bool {
        let mut state = self.state.borrow_mut();
        state.corpus.take_graph(serial, graph)
    }

    pub(super) fn now(&self) -> Timestamp {
        super::Clock::now(self.ports.clock())
    }

    pub(super) async fn block_except(
        &self,
        query: &str,
        session: Option<SessionId>,
        exclude: &HashSet<RecordRef>,
        now: Timestamp,
    ) -> Result<BlockPreview> {
        let request = RecallRequest {
            query: query.into(),
            limit: None,
            level: Level::Normal,
            session,
        };
        let recollected = self.recall_except(&request, exclude).await?;
        let lines: Vec<BlockItem> = recollected
            .items
            .iter()
            .filter_map(RecollectedItem::line)
            .collect();
        let calibration = self.calibration_of(session);
        let room = calibration.room(self.config.block_tokens);
        let mut block = block::recall_block(&lines, session, now, room);
        if let Some(block) = &mut block {
            block.tokens = calibration.tokens(block.tokens.into()) as u32;
        }
        let included: HashSet<RecordRef> = block
            .iter()
            .flat_map(|block| block.included.iter().copied())
            .collect();
        let Recollected {
            mut items, partial, ..
        } = recollected;
        items.retain(|item| included.contains(&item.recalled.record));
        let place = self.place_of(session, &items);
        Ok(BlockPreview {
            block,
            place,
            items,
            partial,
        })
    }

    fn place_of(&self, session: Option<SessionId>, items: &[RecollectedItem]) -> Place {
        let state = self.state.borrow();
        let live = session.and_then(|id| state.live.get(&id));
        let id = live.map_or(&self.config.model, |live| &live.session.model);
        let mut lines = items.iter().filter_map(RecollectedItem::line);
        match self.config.recall_place {
            Place::System if self.model(id).clear_at && lines.all(|line| line.is_spoken()) => {
                Place::System
            }
            _ => Place::User,
        }
    }

    async fn recall_except(
        &self,
        request: &RecallRequest,
        exclude: &HashSet<RecordRef>,
    ) -> Result<Recollected> {
        self.ensure_open()?;
        let preset = self.config.preset;
        if !preset.keeps_turns() {
            return Ok(Recollected::default());
        }
        let layered;
        let exclude = match preset.keeps_facts() {
            true => exclude,
            false => {
                layered = self.facts_and_files(exclude);
                &layered
            }
        };
        let embedded = self.embedded_query(&request.query).await;
        let sent_from = self.sent_from(request.session);
        let partial = self.rebuilding();
        let recollection = self.state.borrow().corpus.recall(&Query {
            limit: request.limit.unwrap_or(self.config.recall_limit),
            level: request.level,
            exclude,
            not_session: request.session,
            not_session_from: sent_from,
            ..Query::new(&request.query, self.now()).embedded(embedded.as_ref())
        });
        let read = together(recollection.items.into_iter().map(|item| self.read(item))).await;
        let items = read.into_iter().filter_map(Result::transpose);
        Ok(Recollected {
            items: items.collect::<Result<_>>()?,
            candidates: recollection.candidates,
            partial,
        })
    }

    /// The position of the first turn of a session that its requests still hold.
    fn sent_from(&self, session: Option<SessionId>) -> u32 {
        let state = self.state.borrow();
        let live = session.and_then(|id| state.live.get(&id));
        live.and_then(|live| live.session.compacted.as_ref())
            .map_or(0, |compacted| compacted.from)
    }

    /// These records, and everything that is not a turn.
    fn facts_and_files(&self, records: &HashSet<RecordRef>) -> HashSet<RecordRef> {
        let state = self.state.borrow();
        let facts = state.facts.keys().copied().map(RecordRef::Fact);
        let files = state.files.files().map(|file| RecordRef::File(file.id));
        facts.chain(files).chain(records.iter().copied()).collect()
    }

    async fn read(&self, recalled: Recalled) -> Result<Option<RecollectedItem>> {
        let mut item = RecollectedItem {
            fact: None,
            older: Vec::new(),
            turn: None,
            file: None,
            excerpt: None,
            recalled,
        };
        match item.recalled.record {
            RecordRef::Fact(id) => {
                let state = self.state.borrow();
                item.fact = state.facts.get(&id).cloned();
                let older = item.recalled.older.iter();
                item.older = older
                    .filter_map(|id| state.facts.get(id).cloned())
                    .collect();
            }
            RecordRef::File(id) => {
                item.file = self.state.borrow().files.get(id).cloned();
                let part = |file: &File| excerpt(&file.text, item.recalled.piece.clone());
                item.excerpt = item.file.as_ref().map(part);
            }
            RecordRef::Turn(id) => {
                match self.turn(id).await {
                    Ok(Some(turn)) => {
                        item.excerpt = Some(excerpt(&turn.text(), item.recalled.piece.clone()));
                        item.turn = Some(turn);
                    }
                    // A turn that can not be read is listed in the status; recall goes on without it.
                    Ok(_) | Err(Error::Corrupt { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        let is_there = item.fact.is_some() || item.turn.is_some() || item.file.is_some();
        Ok(is_there.then_some(item))
    }
}

impl RecollectedItem {
    pub(super) fn line(&self) -> Option<BlockItem<'_>> {
        let excerpt = self.excerpt.as_deref().unwrap_or_default();
        match (&self.fact, &self.turn, &self.file) {
            (Some(fact), ..) => Some(BlockItem::Fact {
                fact,
                older: self.older.iter().collect(),
            }),
            (None, Some(turn), _) => Some(BlockItem::Turn { turn, excerpt }),
            (None, None, Some(file)) => Some(BlockItem::File { file, excerpt }),
            (None, None, None) => None,
        }
    }
}

/// A text between two UTF-16 offsets; all of it without offsets.
fn excerpt(text: &str, piece: Option<std::ops::Range<u32>>) -> String {
    let Some(piece) = piece else {
        return text.into();
    };
    let mut at = 0;
    text.chars()
        .filter(|c| {
            let inside = piece.contains(&at);
            at += c.len_utf16() as u32;
            inside
        })
        .collect()
}
