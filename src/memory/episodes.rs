//! The episodic layer: what was said, by session and by time.
//!
//! The store is the archive of all turns. Those of the last days are in memory as well (the hot window): they are what recall
//! and the page ask for most.

use super::{Memory, Ports};
use crate::error::{Error, Result};
use crate::model::{Kind, Record, Role, Session, SessionId, Turn, TurnId};
use crate::store::Store;
use std::collections::BTreeMap;

const DAY_MS: i64 = 86_400_000;

/// How a session stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    pub n_turns: u32,
    /// When its last turn was said, in milliseconds since 1970 UTC; 0 without turns.
    pub last_ms: i64,
    /// Its turns are still read, after a start from the records: those that were are counted.
    pub is_unread: bool,
}

/// Which turns; all that fit every field that is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TurnFilter {
    pub session: Option<SessionId>,
    /// Said at or after this moment, in milliseconds since 1970 UTC.
    pub from_ms: Option<i64>,
    /// Said before this moment.
    pub until_ms: Option<i64>,
    pub role: Option<Role>,
    /// With a call of the tool of this name. (A result names its call by an id only.)
    pub tool: Option<String>,
    /// Only turns after this one: the last one of the previous page.
    pub after: Option<TurnId>,
    /// At most so many; `None` for all.
    pub limit: Option<usize>,
}

/// Turns in the order of their sessions, and within a session as they were said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TurnPage {
    pub turns: Vec<Turn>,
    /// What [`TurnFilter::after`] is for the next page; `None` at the end.
    pub next: Option<TurnId>,
}

/// The turns of the last days.
#[derive(Default)]
pub(super) struct HotWindow {
    turns: BTreeMap<TurnId, Turn>,
    /// Turns said before this moment are not kept.
    from_ms: i64,
    /// None of them was said before this moment: it is asked at every commit, and looking at all of them took a millisecond
    /// for 40,000.
    none_before_ms: i64,
}

impl HotWindow {
    pub fn new(days: u32, now_ms: i64) -> HotWindow {
        HotWindow {
            turns: BTreeMap::new(),
            from_ms: now_ms - i64::from(days) * DAY_MS,
            none_before_ms: i64::MAX,
        }
    }

    pub fn take_in(&mut self, turn: &Turn) {
        let at_ms = turn.at.unix_ms;
        if at_ms >= self.from_ms {
            self.none_before_ms = self.none_before_ms.min(at_ms);
            self.turns.insert(turn.id, turn.clone());
        }
    }

    pub fn let_go(&mut self, id: TurnId) {
        self.turns.remove(&id);
    }

    /// Moves on to the present.
    pub fn advance(&mut self, days: u32, now_ms: i64) {
        self.from_ms = now_ms - i64::from(days) * DAY_MS;
        if self.none_before_ms >= self.from_ms {
            return;
        }
        self.turns.retain(|_, turn| turn.at.unix_ms >= self.from_ms);
        let moments = self.turns.values().map(|turn| turn.at.unix_ms);
        self.none_before_ms = moments.min().unwrap_or(i64::MAX);
    }
}

impl<P: Ports> Memory<P> {
    /// Sessions, newest first, and how far each goes.
    ///
    /// # Errors
    /// `Storage`, `Closed`.
    pub async fn sessions(&self) -> Result<Vec<(Session, Extent)>> {
        self.ensure_open()?;
        let mut sessions = Vec::new();
        for record in self.records(Kind::Session, "").await? {
            if let Record::Session(session) = record {
                let state = self.state.borrow();
                let extent = state.sessions.get(&session.id).copied();
                let extent = Extent {
                    is_unread: state.is_unread(session.id),
                    ..extent.unwrap_or_default()
                };
                sessions.push((session, extent));
            }
        }
        sessions.reverse();
        Ok(sessions)
    }

    /// The turns of a session, in order.
    ///
    /// # Errors
    /// `Storage`, `Closed`.
    pub async fn turns(&self, session: SessionId) -> Result<Vec<Turn>> {
        let filter = TurnFilter {
            session: Some(session),
            ..TurnFilter::default()
        };
        Ok(self.find_turns(&filter).await?.turns)
    }

    /// The turns that fit the filter. Sessions that can hold none of them are not read.
    ///
    /// # Errors
    /// `Storage`, `Closed`. A turn that can not be read is listed in the status and left out.
    pub async fn find_turns(&self, filter: &TurnFilter) -> Result<TurnPage> {
        self.ensure_open()?;
        let mut page = TurnPage::default();
        let limit = filter.limit.unwrap_or(usize::MAX);
        for session in self.sessions_that_may_hold(filter) {
            let records = self.records(Kind::Turn, &format!("{session}.")).await?;
            for record in records {
                let Record::Turn(turn) = record else { continue };
                if !filter.admits(&turn) {
                    continue;
                }
                if page.turns.len() == limit {
                    page.next = page.turns.last().map(|turn| turn.id);
                    return Ok(page);
                }
                page.turns.push(turn);
            }
        }
        Ok(page)
    }

    fn sessions_that_may_hold(&self, filter: &TurnFilter) -> Vec<SessionId> {
        let state = self.state.borrow();
        let may_hold = |id: &SessionId, extent: &Extent| {
            filter.session.is_none_or(|session| session == *id)
                && filter
                    .from_ms
                    .is_none_or(|from| extent.last_ms >= from || state.is_unread(*id))
                && filter.after.is_none_or(|after| *id >= after.session)
        };
        let sessions = state.sessions.iter();
        sessions
            .filter(|(id, extent)| may_hold(id, extent))
            .map(|(id, _)| *id)
            .collect()
    }

    /// One turn: from the hot window, or from the archive.
    ///
    /// # Errors
    /// `Corrupt` if it is there and can not be read; `Storage`, `Closed`.
    pub async fn turn(&self, id: TurnId) -> Result<Option<Turn>> {
        self.ensure_open()?;
        if let Some(turn) = self.state.borrow().hot.turns.get(&id) {
            return Ok(Some(turn.clone()));
        }
        let erasures = self.erasures();
        let name = id.to_string();
        let namespace = &self.config.namespace;
        match self.ports.store().get(namespace, Kind::Turn, &name).await? {
            Some(Record::Turn(turn)) => {
                // After a start from segments the window fills as it is asked.
                if self.erasures() == erasures {
                    self.state.borrow_mut().hot.take_in(&turn);
                }
                Ok(Some(turn))
            }
            Some(_) => Err(Error::Corrupt {
                what: format!("turn {id}"),
                message: "it is another record".into(),
            }),
            None => Ok(None),
        }
    }
}

impl TurnFilter {
    fn admits(&self, turn: &Turn) -> bool {
        let at = turn.at.unix_ms;
        self.from_ms.is_none_or(|from| at >= from)
            && self.until_ms.is_none_or(|until| at < until)
            && self.role.is_none_or(|role| turn.role == role)
            && self.after.is_none_or(|after| turn.id > after)
            && self
                .tool
                .as_deref()
                .is_none_or(|tool| turn.tools().any(|name| name == tool))
    }
}
