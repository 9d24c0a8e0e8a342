//! How long to wait for a browser that may never answer.

use gloo_timers::future::TimeoutFuture;
use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use wasm_bindgen_futures::spawn_local;

/// How long the store waits, in milliseconds. None of it is measured: a person waits no longer
/// for a page, and a transaction may stand in line behind other tabs'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    pub open_ms: u32,
    /// For opening again what was lost while in use: whoever called waits for more than the opening, and a later call
    /// tries again, where the first opening decides for the whole visit. Below the two seconds in which every fault shows.
    pub reopen_ms: u32,
    /// After opening again failed, every call in this time fails for the same reason at once: one message makes several
    /// calls, and must not wait for each of them in turn.
    pub rest_ms: u32,
    pub transaction_ms: u32,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            open_ms: 10_000,
            reopen_ms: 1_800,
            rest_ms: 1_000,
            transaction_ms: 30_000,
        }
    }
}

/// The longest single wait. A page that was frozen finds its timers expired and its events
/// still waiting; with many short waits it loses one of them, not all its patience.
const TICK_MS: u32 = 500;

/// The result of the work, or `None` when the time is up. Work that comes to an end later goes to `late`:
/// it is never dropped half-way, since the browser will still call it back.
pub async fn settle<T: 'static>(
    limit_ms: u32,
    work: impl Future<Output = T> + 'static,
    late: impl FnOnce(T) + 'static,
) -> Option<T> {
    let mut work = Box::pin(work);
    let result = {
        let mut timer = pin!(wait(limit_ms));
        std::future::poll_fn(|context| {
            if let Poll::Ready(value) = work.as_mut().poll(context) {
                return Poll::Ready(Some(value));
            }
            timer.as_mut().poll(context).map(|()| None)
        })
        .await
    };
    if result.is_none() {
        spawn_local(async move { late(work.await) });
    }
    result
}

async fn wait(limit_ms: u32) {
    let mut left_ms = limit_ms;
    while left_ms > 0 {
        let tick_ms = left_ms.min(TICK_MS);
        TimeoutFuture::new(tick_ms).await;
        left_ms -= tick_ms;
    }
}
