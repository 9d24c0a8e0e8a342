//! The queue: extraction jobs, tried until they succeed or are given up visibly.

use super::wire::{header, read_all};
use super::{Cancel, Clock, HttpRequest, Memory, Ports, RecallRequest};
use crate::batch::{Durability, Op};
use crate::claude::reply::Reply;
use crate::claude::request::{self, ExtractRequest};
use crate::claude::size::Size;
use crate::error::{Error, Result};
use crate::extract;
use crate::fact::{is_erased, resolve};
use crate::model::{
    Action, AuditSurfaced, Fact, FactId, Job, JobId, JobState, JobWork, Kind, Purpose, Record,
    RecordRef, Role, SessionId, Turn, Usage, UsageId,
};
use crate::recall::Level;
use std::collections::BTreeSet;

/// After the n-th failure a job waits 5 s times 2ⁿ, at most an hour.
const FIRST_WAIT_MS: i64 = 5_000;
const LONGEST_WAIT_MS: i64 = 3_600_000;
/// A job whose answers can not be read this many times is given up: the same turns would fail again.
/// A job that can not reach the endpoint is never given up.
const MAX_ATTEMPTS: u32 = 6;
/// Room for the facts of one exchange as JSON.
const MAX_OUTPUT_TOKENS: u32 = 2_048;

/// What a round of the queue did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkReport {
    pub ran: usize,
    /// Facts that were new or changed.
    pub facts: usize,
}

/// The queue as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueReport {
    pub waiting: usize,
    pub dead: usize,
    /// Milliseconds until the next job is due; `None` if none waits.
    pub next_in_ms: Option<i64>,
}

impl<P: Ports> Memory<P> {
    /// Runs the jobs that are due. Only one tab may call it at a time.
    ///
    /// A failing job never fails the call: it stays queued with the reason.
    ///
    /// # Errors
    /// `Storage` if the queue itself can not be written, `Closed`.
    pub async fn work(&self, cancel: &Cancel) -> Result<WorkReport> {
        self.ensure_open()?;
        // A change is told by what is known already.
        self.whole().await?;
        self.read_queue().await?;
        self.index_missing().await;
        let mut report = WorkReport::default();
        while self.queue_rests_ms() == 0
            && let Some(job) = self.next_due()
        {
            report.ran += 1;
            let run = self.through_extraction(self.run(&job, cancel));
            match run.await {
                Ok(n_facts) => report.facts += n_facts,
                // It was not tried: the job is as it was, and the queue waits.
                Err(Error::Cancelled | Error::BudgetReached { .. } | Error::CircuitOpen { .. }) => {
                    return Ok(report);
                }
                // Erased meanwhile, with what it was to read.
                Err(_) if self.state.borrow().queue.get(job.id).is_none() => {}
                Err(error) => self.postpone(job, &error).await?,
            }
        }
        Ok(report)
    }

    /// As far as it is read: see [`Memory::read_queue`].
    pub fn queue(&self) -> QueueReport {
        let rests_ms = self.queue_rests_ms();
        let state = self.state.borrow();
        let now = self.now().unix_ms;
        let due = state.queue.jobs().filter_map(|job| match job.state {
            JobState::Waiting { until_ms } => Some((until_ms - now).max(0)),
            JobState::Dead => None,
        });
        QueueReport {
            waiting: state.n_jobs(false),
            dead: state.n_jobs(true),
            next_in_ms: due.min().map(|due_ms| due_ms.max(rests_ms)),
        }
    }

    /// The jobs of the queue, oldest first, as far as it is read: see [`Memory::read_queue`].
    pub fn jobs(&self) -> Vec<Job> {
        self.state.borrow().queue.jobs().cloned().collect()
    }

    /// Makes every job due now, also the ones that were given up.
    ///
    /// # Errors
    /// `Storage`, `Closed`.
    pub async fn retry_jobs(&self) -> Result<()> {
        self.ensure_open()?;
        self.read_queue().await?;
        self.close_extraction();
        let mut batch = self.batch(Durability::Relaxed, Action::Change);
        for job in self.jobs() {
            let state = JobState::Waiting {
                until_ms: self.now().unix_ms,
            };
            batch.ops.push(Op::Put(Record::Job(Job {
                state,
                attempts: 0,
                ..job
            })));
        }
        if !batch.ops.is_empty() {
            self.commit(&batch).await?;
        }
        Ok(())
    }

    /// How long no job is tried, whichever is due: today's budget is spent, or one after another failed.
    fn queue_rests_ms(&self) -> i64 {
        let until_midnight_ms = match self.budget_left() {
            Err(Error::BudgetReached { retry_after_ms, .. }) => i64::from(retry_after_ms),
            _ => 0,
        };
        until_midnight_ms.max(self.extraction_rests_ms())
    }

    fn next_due(&self) -> Option<Job> {
        // What another preset left to be read waits for it.
        if !self.config.preset.keeps_facts() {
            return None;
        }
        let now = self.now().unix_ms;
        let state = self.state.borrow();
        let is_due =
            |job: &&Job| matches!(job.state, JobState::Waiting { until_ms } if until_ms <= now);
        state.queue.jobs().find(is_due).cloned()
    }

    async fn postpone(&self, job: Job, error: &Error) -> Result<()> {
        let attempts = job.attempts + 1;
        let unreadable = matches!(error, Error::MalformedStream { .. } | Error::Refused { .. });
        let state = if unreadable && attempts >= MAX_ATTEMPTS {
            JobState::Dead
        } else {
            let wait = FIRST_WAIT_MS
                .saturating_mul(1 << attempts.min(20))
                .min(LONGEST_WAIT_MS);
            JobState::Waiting {
                until_ms: self.now().unix_ms + wait,
            }
        };
        let last_error = Some(error.code().to_string());
        let mut batch = self.batch(Durability::Relaxed, Action::Change);
        batch.ops.push(Op::Put(Record::Job(Job {
            state,
            attempts,
            last_error,
            ..job
        })));
        self.commit(&batch).await?;
        Ok(())
    }

    /// Does one job and removes it, in the transaction that writes what it found.
    async fn run(&self, job: &Job, cancel: &Cancel) -> Result<usize> {
        let JobWork::Extract {
            session,
            first,
            last,
        } = job.work;
        let erasures = self.erasures();
        let turns = self.turns_between(session, first, last).await?;
        let mut batch = self.batch(Durability::Strict, Action::Extract);
        batch.ops.push(Op::Delete {
            kind: Kind::Job,
            name: job.id.to_string(),
        });
        let mut n_facts = 0;
        let mut paid = Vec::new();
        if turns
            .iter()
            .any(|turn| turn.role == Role::User && !turn.text().trim().is_empty())
        {
            let known = self.known_facts(&turns).await?;
            if let Some(stamp) = &mut batch.audit {
                stamp.surfaced = shown(job.id, &known);
            }
            let (facts, usage) = self.extract(session, &turns, &known, cancel).await?;
            n_facts = facts.len();
            batch.ops.extend(facts);
            paid.push(usage.clone());
            batch.ops.push(Op::Insert(Record::Usage(usage)));
        }
        // What was read may be gone, here or by another tab. If the job is still there, it is run again.
        self.catch_up().await?;
        if self.erasures() != erasures {
            self.keep_paid(paid).await;
            return Ok(0);
        }
        self.commit(&batch).await?;
        self.index_missing().await;
        Ok(n_facts)
    }

    /// Asks the extraction model, checks its answer against the turns, and resolves it with what is known.
    async fn extract(
        &self,
        session: SessionId,
        turns: &[Turn],
        known: &[Fact],
        cancel: &Cancel,
    ) -> Result<(Vec<Op>, Usage)> {
        let known: Vec<&Fact> = known.iter().collect();
        let turns: Vec<&Turn> = turns.iter().collect();
        let input = extract::input(&turns, &known);
        let request = ExtractRequest {
            model: &self.config.extraction_model,
            info: &self.model(&self.config.extraction_model),
            max_tokens: MAX_OUTPUT_TOKENS,
            instructions: extract::RULES,
            input: &input.text,
            schema: &extract::schema(),
        };
        let request = HttpRequest::post("/v1/messages", request::headers(), request.body());
        let at = self.now();
        let mut response = self
            .send_billed(
                &self.config.extraction_model,
                &request,
                cancel,
                |_, _, _| {},
            )
            .await?;
        let request_id = header(&response, "request-id");
        let body = read_all(&mut response.body, cancel).await?;
        let reply = Reply::from_json(&String::from_utf8_lossy(&body), request_id)?;
        let now = self.now();
        let usage = Usage {
            v: Usage::VERSION,
            id: UsageId::new(now.unix_ms, self.ports.clock().random()),
            purpose: Purpose::Extract,
            session,
            model: self.config.extraction_model.clone(),
            request_id: reply.request_id.clone(),
            tokens: reply.tokens.clone(),
            at,
            first_text_ms: None,
        };
        self.note_spent(&usage);
        let size = Size::of(&[extract::RULES, &input.text], &[extract::schema()], []);
        self.learn_size(&usage.model, size, &usage.tokens);
        let reading = match reply.stop_reason.is_cut() {
            true => Err("the answer was cut at its limit".into()),
            false => extract::read(&reply.text(), &input, &turns).map_err(|e| e.to_string()),
        };
        let mut reading = match reading {
            Ok(reading) => reading,
            Err(message) => {
                self.keep_paid(vec![usage]).await;
                return Err(Error::MalformedStream { message });
            }
        };

        {
            let state = self.state.borrow();
            let proposals = &mut reading.proposals;
            proposals.retain(|proposal| !is_erased(proposal, state.tombstones.values()));
        }
        let all: Vec<Fact> = self.state.borrow().facts.values().cloned().collect();
        let all: Vec<&Fact> = all.iter().collect();
        // Facts of one answer are named in the order in which they were said.
        let mut random = self.ports.clock().random();
        let new_id = || {
            random = random.wrapping_add(1);
            FactId::new(now.unix_ms, random)
        };
        let ops = resolve(reading.proposals, &all, now, new_id);
        Ok((ops, usage))
    }

    async fn turns_between(&self, session: SessionId, first: u32, last: u32) -> Result<Vec<Turn>> {
        let mut turns = self.turns(session).await?;
        turns.retain(|turn| (first..=last).contains(&turn.id.index));
        Ok(turns)
    }

    /// What the model should know to recognise a change: the facts that are near to the turns' words,
    /// then the newest ones, current versions only.
    async fn known_facts(&self, turns: &[Turn]) -> Result<Vec<Fact>> {
        let said = turns.iter().filter(|turn| turn.role == Role::User);
        let query = said.map(Turn::text).collect::<Vec<_>>().join("\n");
        let near = self
            .recall(&RecallRequest {
                query,
                limit: Some(extract::MAX_KNOWN_FACTS / 2),
                level: Level::Loose,
                session: None,
            })
            .await?;
        let near = near
            .items
            .iter()
            .filter_map(|item| match item.recalled.record {
                RecordRef::Fact(id) => Some(id),
                RecordRef::Turn(_) | RecordRef::File(_) => None,
            });
        let state = self.state.borrow();
        let mut seen = BTreeSet::new();
        let newest = state.facts.keys().rev().copied();
        Ok(near
            .chain(newest)
            .filter(|id| seen.insert(*id))
            .filter_map(|id| state.facts.get(&id))
            .filter(|fact| fact.is_current())
            .take(extract::MAX_KNOWN_FACTS)
            .cloned()
            .collect())
    }
}

/// The known facts that a job's request carries, as the audit notes them.
fn shown(job: JobId, known: &[Fact]) -> Vec<AuditSurfaced> {
    let shown = known.iter().map(|fact| AuditSurfaced {
        request: format!("job:{job}"),
        record: RecordRef::Fact(fact.id),
        score: None,
    });
    shown.collect()
}
