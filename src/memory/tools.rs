//! Running tools: this library's own here, the host's by asking it.

use super::exchange::Exchange;
use super::host::Host;
use super::{Clock, Memory, Ports, RecallRequest, RecollectedItem};
use crate::agent::{BuiltIn, Note, ToolCall, ToolOutput};
use crate::block::{self, BlockItem};
use crate::error::Result;
use crate::extract::Source;
use crate::fact::{Proposal, fold, is_erased};
use crate::model::{
    Action, Artifact, Confidence, Evidence, Fact, FactId, Origin, Role, SUBJECT_USER, SessionId,
    Surfaced, Tombstone, Turn,
};
use crate::recall::Level;
use crate::time::Timestamp;
use std::cell::RefCell;
use std::rc::Rc;

/// What Claude hears while recall does not go by all of the memory.
const STILL_READ: &str = "Older memories are still being read from the disk; looking again in a few seconds may find more.";

/// Where tools of one reply are run: what they may know of the conversation, and what they leave.
pub(super) struct Desk {
    pub session: Option<SessionId>,
    /// Large results since the last commit.
    pub artifacts: Vec<Rc<Artifact>>,
    /// What was said since the last commit.
    turns: Vec<Turn>,
    notes: RefCell<Vec<Fact>>,
    surfaced: RefCell<Vec<Surfaced>>,
}

impl Desk {
    pub fn of(exchange: &Exchange) -> Desk {
        Desk {
            session: Some(exchange.session),
            artifacts: exchange.artifacts.clone(),
            turns: exchange.turns.clone(),
            notes: RefCell::new(exchange.notes.clone()),
            surfaced: RefCell::default(),
        }
    }

    /// The facts noted, those from before among them, and the memories that were shown.
    pub fn into_kept(self) -> (Vec<Fact>, Vec<Surfaced>) {
        (self.notes.into_inner(), self.surfaced.into_inner())
    }
}

impl<P: Ports> Memory<P> {
    /// Runs one of this library's own tools for a loop that the host runs itself; `None` for another name. What can not be done
    /// is an output, too. `session` is the conversation, if the host records it here: quotes are looked for in it.
    pub async fn run_built_in<H: Host>(
        &self,
        call: &ToolCall,
        session: Option<SessionId>,
        host: &H,
    ) -> Option<ToolOutput> {
        let asked = BuiltIn::read(&call.name, &call.input)?;
        let desk = Desk {
            session,
            artifacts: Vec::new(),
            turns: Vec::new(),
            notes: RefCell::default(),
            surfaced: RefCell::default(),
        };
        let output = self.answer(asked, call, &desk, host).await;
        let (notes, _) = desk.into_kept();
        if notes.is_empty() {
            return Some(output);
        }
        Some(match self.put(Action::Remember, notes).await {
            Ok(()) => output,
            Err(error) => ToolOutput::error(error.to_string()),
        })
    }

    /// Runs a call of a reply, whosever tool it is. Its output may be too large for a prompt.
    pub(super) async fn run_tool<H: Host>(
        &self,
        call: &ToolCall,
        desk: &Desk,
        host: &H,
    ) -> ToolOutput {
        if let Some(instead) = host.before_tool(call).await {
            return instead;
        }
        match BuiltIn::read(&call.name, &call.input) {
            Some(asked) => self.answer(asked, call, desk, host).await,
            None => match host.run_tool(call).await {
                Some(output) => output,
                // The session began in a page that brought it.
                None => ToolOutput::error("This tool is not available here at present."),
            },
        }
    }

    async fn answer<H: Host>(
        &self,
        asked: std::result::Result<BuiltIn, String>,
        call: &ToolCall,
        desk: &Desk,
        host: &H,
    ) -> ToolOutput {
        let done = match asked {
            Err(wrong) => return ToolOutput::error(wrong),
            Ok(BuiltIn::Files) => {
                let _held = host.hold_files().await;
                let answer = self.run_file_command(&call.input).await;
                answer.map(|answer| ToolOutput {
                    is_error: answer.is_error,
                    ..ToolOutput::text(answer.text)
                })
            }
            Ok(BuiltIn::MarkStale { fact, reason }) => {
                let marked = self.mark_stale(fact, &reason, Origin::Assistant).await;
                marked.map(|_| ToolOutput::text("Marked. The person can see it and undo it."))
            }
            Ok(BuiltIn::Recall { query, limit }) => self.look_up(query, limit, desk).await,
            Ok(BuiltIn::Remember(note)) => self.note(note, desk).await,
            Ok(BuiltIn::ReadArtifact { id, from, length }) => {
                self.read_artifact(id, from, length, desk).await
            }
        };
        // An error's words name places and limits, never content.
        done.unwrap_or_else(|error| ToolOutput::error(error.to_string()))
    }

    async fn look_up(&self, query: String, limit: usize, desk: &Desk) -> Result<ToolOutput> {
        let request = RecallRequest {
            query,
            limit: Some(limit),
            // Claude judges what fits, as a person who searches does.
            level: Level::Loose,
            session: desk.session,
        };
        let found = self.recall(&request).await?;
        let lines: Vec<BlockItem> = found
            .items
            .iter()
            .filter_map(RecollectedItem::line)
            .collect();
        let Some(block) = block::found_block(&lines, desk.session, self.now(), block::FOUND_TOKENS)
        else {
            return Ok(ToolOutput::text(match found.partial {
                None => "Nothing in memory fits this.".into(),
                Some(_) => format!("Nothing fits this so far. {STILL_READ}"),
            }));
        };
        let shown = found.items.iter().map(|item| Surfaced {
            record: item.recalled.record,
            score: item.recalled.score,
        });
        let shown = shown.filter(|shown| block.included.contains(&shown.record));
        desk.surfaced.borrow_mut().extend(shown);
        Ok(ToolOutput::text(match found.partial {
            None => block.text,
            Some(_) => format!("{}\n{STILL_READ}", block.text),
        }))
    }

    /// Keeps what Claude wants kept, as Claude's note: its words never become the person's, whatever it says of them.
    async fn note(&self, note: Note, desk: &Desk) -> Result<ToolOutput> {
        self.ensure_open()?;
        let now = self.now();
        let (evidence, said_at) = match &note.quote {
            Some(quote) => match self.find_quote(quote, desk).await? {
                Some((evidence, said_at)) => (Some(evidence), said_at),
                None => {
                    return Ok(ToolOutput::error(
                        "Not kept: the quote does not stand in this conversation. Copy it exactly, or leave it null.",
                    ));
                }
            },
            // The message that led to it, and none of its words: what erases the message erases the note.
            None => {
                let evidence = desk.turns.first().map(|turn| Evidence {
                    turn: turn.id,
                    start: 0,
                    end: 0,
                    quote: String::new(),
                });
                (evidence, now)
            }
        };
        let subject = match note.subject.to_lowercase().as_str() {
            "user" | "speaker" | "the user" => SUBJECT_USER.into(),
            _ => note.subject,
        };
        let fact = Fact {
            v: Fact::VERSION,
            id: FactId::new(now.unix_ms, self.ports.clock().random()),
            fact_type: note.fact_type,
            subject,
            attribute: note.attribute,
            statement: note.statement,
            entities: Vec::new(),
            numbers: Vec::new(),
            evidence,
            origin: Origin::Assistant,
            confidence: Confidence::Medium,
            valid_from: now,
            recorded_at: now,
            supersedes: None,
            superseded_by: None,
            stale: None,
            proof_count: 1,
        };
        let state = self.state.borrow();
        if was_erased_since(&fact, said_at, state.tombstones.values()) {
            return Ok(ToolOutput::error("Not kept: the person had this erased."));
        }
        let says = |known: &Fact| {
            known.is_current()
                && fold(&known.subject) == fold(&fact.subject)
                && fold(&known.statement) == fold(&fact.statement)
        };
        let mut notes = desk.notes.borrow_mut();
        if let Some(known) = state
            .facts
            .values()
            .chain(notes.iter())
            .find(|known| says(known))
        {
            return Ok(ToolOutput::text(format!(
                "This is known already: fact {}.",
                known.id
            )));
        }
        let told = format!("Noted as fact {}.", fact.id);
        notes.push(fact);
        Ok(ToolOutput::text(told))
    }

    /// Where the words stand in what the person and Claude said in this conversation, the latest place first, and when they were
    /// said. What memory put before a message, and what tools said, is no part of it.
    async fn find_quote(&self, quote: &str, desk: &Desk) -> Result<Option<(Evidence, Timestamp)>> {
        let mut turns = match desk.session {
            Some(session) => self.turns(session).await?,
            None => Vec::new(),
        };
        turns.extend(desk.turns.iter().cloned());
        let said = turns
            .into_iter()
            .rev()
            .filter(|turn| turn.role != Role::Tool);
        for turn in said {
            let source = Source::new(turn.text());
            let Some(found) = source.find(quote) else {
                continue;
            };
            let span = source.utf16(&found);
            let evidence = Evidence {
                turn: turn.id,
                start: span.start,
                end: span.end,
                quote: source.text[found].into(),
            };
            return Ok(Some((evidence, turn.at)));
        }
        Ok(None)
    }
}

/// Whether the person had a fact erased that says the same or rests on the same words, after they were said.
fn was_erased_since<'a>(
    fact: &Fact,
    said_at: Timestamp,
    tombstones: impl IntoIterator<Item = &'a Tombstone>,
) -> bool {
    let Some(evidence) = &fact.evidence else {
        return false;
    };
    let proposal = Proposal {
        fact_type: fact.fact_type,
        subject: fact.subject.clone(),
        attribute: fact.attribute.clone(),
        statement: fact.statement.clone(),
        entities: Vec::new(),
        numbers: Vec::new(),
        evidence: evidence.clone(),
        said_at,
        origin: fact.origin,
        confidence: fact.confidence,
        valid_from: fact.valid_from,
        supersedes: None,
    };
    is_erased(&proposal, tombstones)
}
