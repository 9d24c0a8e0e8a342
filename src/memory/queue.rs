//! The queue as it is held: no answer waits for it, so it is read after what recall needs.

use super::open::PAGE;
use super::{Memory, Ports, State};
use crate::error::Result;
use crate::model::{Job, JobId, JobState, Kind, Record};
use crate::store::{Range, Scan};
use std::collections::{BTreeMap, BTreeSet};

/// The jobs, oldest first.
#[derive(Default)]
pub(super) struct Queue {
    jobs: BTreeMap<JobId, Job>,
    /// While the stored ones are still to be read: those that changed or went since, whose stored copy may be older.
    unread: Option<BTreeSet<JobId>>,
}

impl Queue {
    /// One of which nothing was read yet.
    pub fn unread() -> Queue {
        Queue {
            unread: Some(BTreeSet::new()),
            ..Queue::default()
        }
    }

    pub fn is_read(&self) -> bool {
        self.unread.is_none()
    }

    pub fn put(&mut self, job: Job) {
        if let Some(touched) = &mut self.unread {
            touched.insert(job.id);
        }
        self.jobs.insert(job.id, job);
    }

    pub fn remove(&mut self, id: JobId) {
        if let Some(touched) = &mut self.unread {
            touched.insert(id);
        }
        self.jobs.remove(&id);
    }

    pub fn get(&self, id: JobId) -> Option<&Job> {
        self.jobs.get(&id)
    }

    /// Oldest first.
    pub fn jobs(&self) -> impl Iterator<Item = &Job> {
        self.jobs.values()
    }

    /// Takes in what is stored; says whether it was still to be read.
    fn take_stored(&mut self, stored: Vec<Record>) -> bool {
        let Some(touched) = self.unread.take() else {
            return false;
        };
        for record in stored {
            if let Record::Job(job) = record
                && !touched.contains(&job.id)
            {
                self.jobs.insert(job.id, job);
            }
        }
        true
    }
}

impl<P: Ports> Memory<P> {
    /// Reads the queue if it is not read yet: after [`Memory::open_within`] found the kept index, it knows of those jobs only that
    /// changed since. Whoever asks for jobs, or how many there are, calls it first.
    ///
    /// # Errors
    /// `Storage`, `Locked`.
    pub async fn read_queue(&self) -> Result<()> {
        if self.state.borrow().queue.is_read() {
            return Ok(());
        }
        let range = Range {
            limit: Some(PAGE),
            ..Range::default()
        };
        let found = self.all_pages(Kind::Job, range).await;
        let Scan {
            records,
            unreadable,
            ..
        } = self.heed_lock(found)?;
        let mut state = self.state.borrow_mut();
        // Meanwhile another call may have read it.
        if state.queue.take_stored(records) {
            state.note_unreadable(Kind::Job, unreadable);
        }
        Ok(())
    }
}

impl State {
    pub(super) fn n_jobs(&self, dead: bool) -> usize {
        let jobs = self.queue.jobs();
        jobs.filter(|job| (job.state == JobState::Dead) == dead)
            .count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{JobWork, SessionId};

    fn job(n: u128, attempts: u32) -> Job {
        Job {
            v: Job::VERSION,
            id: JobId::new(0, n),
            work: JobWork::Extract {
                session: SessionId::new(0, 0),
                first: 0,
                last: 1,
            },
            state: JobState::Dead,
            attempts,
            last_error: None,
        }
    }

    #[test]
    fn what_changed_wins_over_what_is_read_later() {
        let mut queue = Queue::unread();
        queue.put(job(1, 7));
        queue.remove(job(2, 0).id);
        assert!(!queue.is_read());
        let stored = || [1, 2, 3].map(|n| Record::Job(job(n, 0))).to_vec();
        assert!(queue.take_stored(stored()));
        let held = || [job(1, 7), job(3, 0)].to_vec();
        assert_eq!(queue.jobs().cloned().collect::<Vec<_>>(), held());
        assert!(queue.is_read() && !queue.take_stored(stored()));
        assert_eq!(queue.jobs().cloned().collect::<Vec<_>>(), held());
    }
}
