//! Recording turns: one strict batch with the turns and the job that will read them.

use super::{Clock, LiveSession, Memory, Ports};
use crate::agent::toolset;
use crate::batch::{Batch, Durability, Op};
use crate::block::{self, Place};
use crate::claude::message::messages_of;
use crate::claude::request::system_text;
use crate::compact;
use crate::error::{Error, Result};
use crate::model::{
    Action, Injection, Job, JobId, JobState, JobWork, Kind, Record, Role, Session, SessionId, Turn,
    TurnId, TurnScoped,
};
use serde_json::{Value, json};
use std::collections::HashMap;

/// A turn that the host brings: what was said, without ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpokenTurn {
    pub role: Role,
    pub text: String,
}

/// What a new session is fixed to.
pub(super) struct Opening<'a> {
    pub model: &'a str,
    /// The host's own; empty for the configured ones.
    pub instructions: &'a str,
    /// All definitions, as they are sent.
    pub tools: Vec<Value>,
}

impl<P: Ports> Memory<P> {
    /// Records turns of a conversation that the host runs itself, and queues their extraction.
    /// Without a session a new one is started.
    ///
    /// # Errors
    /// `InvalidInput` for an empty list or text, `Conflict` if another tab wrote to the session,
    /// `QuotaExceeded`, `Storage`, `Closed`: nothing was recorded then.
    pub async fn remember(
        &self,
        session: Option<SessionId>,
        turns: &[SpokenTurn],
    ) -> Result<(SessionId, Vec<TurnId>)> {
        self.ensure_open()?;
        if !self.config.preset.keeps_turns() {
            return Err(Error::InvalidInput {
                field: "preset",
                reason: "`stateless` keeps nothing".into(),
            });
        }
        if turns.is_empty() || turns.iter().any(|turn| turn.text.trim().is_empty()) {
            return Err(Error::InvalidInput {
                field: "turns",
                reason: "expected at least one turn, each with text".into(),
            });
        }
        let opening = Opening {
            model: &self.config.model,
            instructions: "",
            tools: toolset(self.config.preset.tools(false), &[])?,
        };
        let id = self.enter(session, opening).await?;
        let _leave = Leave { memory: self, id };
        let now = self.now();
        let first = self.with_live(id, |live| live.next_index)?;
        let turns: Vec<Turn> = (first..)
            .zip(turns)
            .map(|(index, spoken)| Turn {
                v: Turn::VERSION,
                id: TurnId { session: id, index },
                role: spoken.role,
                speaker: None,
                content: vec![json!({"type": "text", "text": spoken.text})],
                at: now,
            })
            .collect();
        let mut batch = self.record_batch(id, &turns, Action::Remember)?;
        if self.config.preset.keeps_facts() {
            let job = self.extraction(id, first, turns.len() as u32);
            batch.ops.push(Op::Insert(Record::Job(job)));
        }
        self.commit_session(id, &batch).await?;
        self.with_live(id, |live| {
            live.history
                .extend(turns.iter().flat_map(|turn| messages_of(turn, None)));
            live.next_index += turns.len() as u32;
        })?;
        // The turns are saved; vectors are derived and are made later if this fails.
        self.index_missing().await;
        Ok((id, turns.iter().map(|turn| turn.id).collect()))
    }

    /// Makes a session ready to be spoken in and marks it busy: from memory, from the store, or new.
    ///
    /// A name that is not stored yet starts a session under that name, so that a first message
    /// can be sent again after a failure without becoming a second session. A session that has ended takes no more
    /// turns: a new one is started in its place, as its id tells.
    pub(super) async fn enter(
        &self,
        session: Option<SessionId>,
        opening: Opening<'_>,
    ) -> Result<SessionId> {
        let clock = self.ports.clock();
        let new_id = || SessionId::new(clock.now().unix_ms, clock.random());
        let mut id = session.unwrap_or_else(new_id);
        let known = self.state.borrow().live.contains_key(&id);
        if !known {
            if self.state.borrow().is_erased(id) {
                id = new_id();
            }
            // A new session is not looked for: it can begin where nothing can be read.
            let restored = match session {
                Some(_) => self.restore(id).await?,
                None => None,
            };
            let live = match restored {
                Some(live) if live.session.ended.is_some() => {
                    id = new_id();
                    self.start(id, opening).await
                }
                Some(live) => live,
                None => self.start(id, opening).await,
            };
            self.state.borrow_mut().live.entry(id).or_insert(live);
        }
        self.with_live(id, |live| match live.busy {
            true => Err(Error::InvalidInput {
                field: "session",
                reason: "its last message is still being answered; wait or cancel it".into(),
            }),
            false => {
                live.busy = true;
                Ok(id)
            }
        })?
    }

    pub(super) fn with_live<T>(
        &self,
        id: SessionId,
        act: impl FnOnce(&mut LiveSession) -> T,
    ) -> Result<T> {
        let mut state = self.state.borrow_mut();
        let live = state.live.get_mut(&id);
        // It was entered, so an erasure took it away meanwhile.
        live.map(act).ok_or_else(|| Error::SessionEnded {
            session: id.to_string(),
        })
    }

    /// A stored session, with its messages put together again byte for byte.
    pub(super) async fn restore(&self, id: SessionId) -> Result<Option<LiveSession>> {
        let mut sessions = self.records(Kind::Session, &id.to_string()).await?;
        let Some(Record::Session(session)) = sessions.pop() else {
            return Ok(None);
        };
        let (turns, injections) = self.spoken(id).await?;
        let mut live = LiveSession::of(session, &turns, &injections);
        self.size_up(&mut live, &turns).await?;
        Ok(Some(live))
    }

    /// All turns of a session in order, and what was put before their words.
    pub(super) async fn spoken(
        &self,
        id: SessionId,
    ) -> Result<(Vec<Turn>, HashMap<TurnId, Injection>)> {
        let prefix = format!("{id}.");
        let injections = self.records(Kind::Injection, &prefix).await?.into_iter();
        let injections = injections.filter_map(|record| match record {
            Record::Injection(injection) => Some((injection.turn, injection)),
            _ => None,
        });
        let injections = injections.collect();
        let turns = self.records(Kind::Turn, &prefix).await?.into_iter();
        let turns = turns.filter_map(|record| match record {
            Record::Turn(turn) => Some(turn),
            _ => None,
        });
        Ok((turns.collect(), injections))
    }

    /// A new session: its snapshot is taken now and stays as it is.
    ///
    /// Where the store can not be read the session begins without a snapshot. The failure shows when the message is
    /// recalled for or recorded, and the chat goes on.
    async fn start(&self, id: SessionId, opening: Opening<'_>) -> LiveSession {
        let started = self.now();
        let last_turns = match self.config.preset.keeps_turns() {
            true => self.last_turns(id).await,
            false => Ok(Vec::new()),
        };
        let last_turns = self.heed_lock(last_turns).unwrap_or_default();
        let last_turns: Vec<&Turn> = last_turns.iter().collect();
        // What was learnt of the model's tokenizer up to now; the snapshot stays as it is, whatever is learnt later.
        let calibration = self.calibration(opening.model);
        let room = calibration.room(self.config.snapshot_tokens);
        let snapshot = block::snapshot(&last_turns, started, room);
        let (snapshot, surfaced) = snapshot
            .map(|block| (block.text, block.included))
            .unwrap_or_default();
        let instructions = match opening.instructions {
            "" => &self.config.instructions,
            own => own,
        };
        let session = Session {
            v: Session::VERSION,
            id,
            started,
            model: opening.model.into(),
            system: system_text(instructions),
            tools: opening.tools,
            snapshot,
            surfaced,
            ended: None,
            drops_thinking: false,
            compacted: None,
        };
        let mut live = LiveSession::new(session.clone());
        // Written with the first turns: a session without turns is not worth keeping.
        live.unsaved.push(Op::Insert(Record::Session(session)));
        live
    }

    /// The last turns of the latest other session that has any.
    async fn last_turns(&self, except: SessionId) -> Result<Vec<Turn>> {
        let earlier: Vec<SessionId> = self
            .state
            .borrow()
            .sessions
            .keys()
            .rev()
            .filter(|id| **id != except)
            .copied()
            .collect();
        for session in earlier {
            let records = self.records(Kind::Turn, &format!("{session}.")).await?;
            let mut turns: Vec<Turn> = records
                .into_iter()
                .filter_map(|record| match record {
                    Record::Turn(turn) if turn.role != Role::Tool => Some(turn),
                    _ => None,
                })
                .collect();
            if !turns.is_empty() {
                return Ok(turns.split_off(turns.len().saturating_sub(block::SNAPSHOT_TURNS)));
            }
        }
        Ok(Vec::new())
    }

    /// A strict batch with what the session still owes the disk, and new turns.
    pub(super) fn record_batch(
        &self,
        id: SessionId,
        turns: &[Turn],
        action: Action,
    ) -> Result<Batch> {
        let mut batch = self.batch(Durability::Strict, action);
        batch.ops = self.with_live(id, |live| live.unsaved.clone())?;
        batch.ops.extend(
            turns
                .iter()
                .map(|turn| Op::Insert(Record::Turn(turn.clone()))),
        );
        Ok(batch)
    }

    /// Commits a session's batch. A session that another tab has written to is read again next time.
    pub(super) async fn commit_session(&self, id: SessionId, batch: &Batch) -> Result<()> {
        match self.commit(batch).await {
            Ok(_) => self.with_live(id, |live| live.unsaved.clear()),
            Err(error) => {
                if matches!(error, Error::Conflict { .. }) {
                    self.state.borrow_mut().live.remove(&id);
                }
                Err(error)
            }
        }
    }

    pub(super) fn extraction(&self, session: SessionId, first: u32, n_turns: u32) -> Job {
        let now = self.now();
        Job {
            v: Job::VERSION,
            id: JobId::new(now.unix_ms, self.ports.clock().random()),
            work: JobWork::Extract {
                session,
                first,
                last: first + n_turns - 1,
            },
            state: JobState::Waiting {
                until_ms: now.unix_ms,
            },
            attempts: 0,
            last_error: None,
        }
    }

    /// The ledger's entry for what a message carried.
    pub(super) fn injection(turn: TurnId, preview: &super::BlockPreview) -> Option<Injection> {
        let text = preview.block.as_ref()?.text.clone();
        let surfaced = preview.surfaced();
        let empty = Injection {
            v: Injection::VERSION,
            turn,
            text: String::new(),
            surfaced: Vec::new(),
            turn_scoped: None,
        };
        Some(match preview.place {
            Place::User => Injection {
                text,
                surfaced,
                ..empty
            },
            Place::System => Injection {
                turn_scoped: Some(TurnScoped { text, surfaced }),
                ..empty
            },
        })
    }
}

impl LiveSession {
    /// Without any turns yet.
    fn new(session: Session) -> LiveSession {
        LiveSession::of(session, &[], &HashMap::new())
    }

    /// With all its turns, in order.
    pub(super) fn of(
        session: Session,
        turns: &[Turn],
        injections: &HashMap<TurnId, Injection>,
    ) -> LiveSession {
        let from = session.compacted.as_ref().map_or(0, |left| left.from);
        let sent = injections.values().filter(|shown| shown.turn.index >= from);
        let shown = sent.flat_map(|injection| &injection.surfaced);
        let shown = shown.map(|surfaced| surfaced.record);
        let surfaced = session.surfaced.iter().copied().chain(shown).collect();
        let history = compact::messages(turns, injections, session.compacted.as_ref());
        let mut live = LiveSession {
            surfaced,
            next_index: turns.last().map_or(0, |turn| turn.id.index + 1),
            prompt_tokens: 0,
            history,
            session,
            busy: false,
            unsaved: Vec::new(),
        };
        live.prompt_tokens = live.size(&live.history).tokens;
        live
    }
}

/// Marks the session free again when a call ends, however it ends.
pub(super) struct Leave<'a, P: Ports> {
    pub memory: &'a Memory<P>,
    pub id: SessionId,
}

impl<P: Ports> Drop for Leave<'_, P> {
    fn drop(&mut self) {
        let _ = self.memory.with_live(self.id, |live| live.busy = false);
    }
}
