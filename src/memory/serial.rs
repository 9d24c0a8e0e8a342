//! Doing things one after another.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Poll, Waker};

/// Lets one holder in at a time, in the order in which they asked.
///
/// Within one engine only: other tabs have engines of their own, and their pages take turns by a Web Serial.
#[derive(Default)]
pub(super) struct Serial {
    next: Cell<u64>,
    /// The holder, then those who wait.
    line: RefCell<VecDeque<(u64, Option<Waker>)>>,
}

/// A place in the line; leaving it, in whatever way, lets the next one in.
pub(super) struct Held<'a> {
    lock: &'a Serial,
    number: u64,
}

impl Serial {
    pub async fn hold(&self) -> Held<'_> {
        let number = self.next.get();
        self.next.set(number + 1);
        self.line.borrow_mut().push_back((number, None));
        // Made before waiting, so that whoever stops waiting leaves the line too.
        let held = Held { lock: self, number };
        poll_fn(|context| {
            let mut line = self.line.borrow_mut();
            if line.front().is_some_and(|(first, _)| *first == number) {
                return Poll::Ready(());
            }
            if let Some((_, waker)) = line.iter_mut().find(|(waiting, _)| *waiting == number) {
                *waker = Some(context.waker().clone());
            }
            Poll::Pending
        })
        .await;
        held
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let mut line = self.lock.line.borrow_mut();
        line.retain(|(number, _)| *number != self.number);
        let next = line.front_mut().and_then(|(_, waker)| waker.take());
        drop(line);
        if let Some(waker) = next {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::{Pin, pin};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Wake};

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn poll<F: Future>(future: Pin<&mut F>, count: &Arc<Count>) -> Poll<F::Output> {
        let waker = count.clone().into();
        future.poll(&mut Context::from_waker(&waker))
    }

    #[test]
    fn they_come_in_as_they_asked_and_one_at_a_time() {
        let lock = Serial::default();
        let count = Arc::new(Count::default());
        let (mut one, mut two, mut three) =
            (pin!(lock.hold()), pin!(lock.hold()), pin!(lock.hold()));
        let Poll::Ready(first) = poll(one.as_mut(), &count) else {
            panic!("a free lock was not given");
        };
        assert!(poll(two.as_mut(), &count).is_pending());
        assert!(poll(three.as_mut(), &count).is_pending());
        drop(first);
        assert_eq!(
            count.0.load(Ordering::Relaxed),
            1,
            "only the next one is woken"
        );
        assert!(poll(three.as_mut(), &count).is_pending());
        let Poll::Ready(second) = poll(two.as_mut(), &count) else {
            panic!("the next one did not get it");
        };
        drop(second);
        assert!(poll(three.as_mut(), &count).is_ready());
    }

    #[test]
    fn who_stops_waiting_holds_nobody_up() {
        let lock = Serial::default();
        let count = Arc::new(Count::default());
        let mut one = pin!(lock.hold());
        let Poll::Ready(first) = poll(one.as_mut(), &count) else {
            panic!("a free lock was not given");
        };
        let mut three = {
            let mut two = Box::pin(lock.hold());
            assert!(poll(two.as_mut(), &count).is_pending());
            let mut three = Box::pin(lock.hold());
            assert!(poll(three.as_mut(), &count).is_pending());
            three
        };
        drop(first);
        assert!(poll(three.as_mut(), &count).is_ready());
    }
}
