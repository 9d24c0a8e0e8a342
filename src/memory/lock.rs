//! A store that is encrypted and has no key at hand: memory stands aside, and the chat goes on.

use super::episodes::HotWindow;
use super::{Memory, Ports, State};
use crate::error::{Error, Result};

impl<P: Ports> Memory<P> {
    /// Whether the store is encrypted and its key is not at hand. Calls fail with `Locked` then,
    /// except that messages are sent and answered without memory.
    pub fn is_locked(&self) -> bool {
        self.locked.get()
    }

    /// Forgets what was read from the store, except the sessions that are spoken in: their words
    /// are on the page too, and their chats go on. What they owe the disk is written once there is a key again.
    pub fn lock(&self) {
        self.locked.set(true);
        self.own_generation.replace(None);
        let mut held = self.state.borrow_mut();
        let live = std::mem::take(&mut held.live);
        *held = State::new((None, None), self.config.index_mode, HotWindow::default());
        held.live = live;
    }

    /// Reads everything, now that the store has its key.
    ///
    /// # Errors
    /// `Locked` if it has none, `Storage`.
    pub async fn unlocked(&self) -> Result<()> {
        self.ensure_not_closed()?;
        let loaded = self.read_in().await;
        if matches!(loaded, Err(Error::Locked)) {
            // Some of it may have been read.
            self.lock();
        }
        loaded?;
        self.locked.set(false);
        Ok(())
    }

    /// Another tab may have encrypted the store, which shows in any answer.
    pub(super) fn heed_lock<T>(&self, answer: Result<T>) -> Result<T> {
        if matches!(answer, Err(Error::Locked)) && !self.locked.get() {
            self.lock();
        }
        answer
    }
}
