//! Cancelling work that awaits.

use crate::error::{Error, Result};
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

/// A switch that is thrown once; clones share it.
#[derive(Clone, Default)]
pub struct Cancel(Rc<Switch>);

#[derive(Default)]
struct Switch {
    thrown: Cell<bool>,
    wakers: RefCell<Vec<Waker>>,
}

impl Cancel {
    pub fn cancel(&self) {
        self.0.thrown.set(true);
        for waker in self.0.wakers.take() {
            waker.wake();
        }
    }

    pub fn is_cancelled(&self) -> bool {
        self.0.thrown.get()
    }

    /// Awaits `work`, or ends with `Cancelled` as soon as the switch is thrown; `work` is dropped then.
    pub async fn race<T>(&self, work: impl Future<Output = T>) -> Result<T> {
        let mut work = pin!(work);
        poll_fn(|context| {
            if !self.is_cancelled()
                && let Poll::Ready(value) = work.as_mut().poll(context)
            {
                return Poll::Ready(Ok(value));
            }
            // Asked again, because the work itself may have thrown the switch.
            if self.is_cancelled() {
                return Poll::Ready(Err(Error::Cancelled));
            }
            let mut wakers = self.0.wakers.borrow_mut();
            if !wakers.iter().any(|waker| waker.will_wake(context.waker())) {
                wakers.push(context.waker().clone());
            }
            Poll::Pending
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};

    #[test]
    fn work_that_finishes_gives_its_value() {
        assert_eq!(pollster::block_on(Cancel::default().race(ready(7))), Ok(7));
    }

    #[test]
    fn work_can_throw_the_switch_itself() {
        let cancel = Cancel::default();
        let thrower = cancel.clone();
        let work = async move {
            thrower.cancel();
            pending::<()>().await
        };
        assert_eq!(pollster::block_on(cancel.race(work)), Err(Error::Cancelled));
    }

    #[test]
    fn the_switch_ends_work_that_waits() {
        let cancel = Cancel::default();
        let both = async {
            let waiting = pin!(cancel.race(pending::<()>()));
            let throwing = pin!(async { cancel.clone().cancel() });
            let (mut waiting, mut throwing) = (waiting, throwing);
            let mut thrown = false;
            poll_fn(|context| {
                if let Poll::Ready(end) = waiting.as_mut().poll(context) {
                    return Poll::Ready(end);
                }
                if !thrown {
                    thrown = throwing.as_mut().poll(context).is_ready();
                }
                Poll::Pending
            })
            .await
        };
        assert_eq!(pollster::block_on(both), Err(Error::Cancelled));
    }
}
