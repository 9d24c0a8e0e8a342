//! The circuit breakers around what a chat can do without.

use super::{Memory, Ports};
use crate::circuit::{Circuit, CircuitStatus, EXTRACTION, RECALL};
use crate::error::{Error, Result};
use std::cell::RefCell;
use std::future::Future;

/// The circuits of one memory. They begin closed with each opening.
pub(super) struct Circuits {
    recall: RefCell<Circuit>,
    extraction: RefCell<Circuit>,
}

impl Default for Circuits {
    fn default() -> Circuits {
        Circuits {
            recall: RefCell::new(Circuit::new(RECALL)),
            extraction: RefCell::new(Circuit::new(EXTRACTION)),
        }
    }
}

/// How they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CircuitsStatus {
    /// Around what a message brings back from memory: the query's vector, the search, and reading what was found.
    pub recall: CircuitStatus,
    /// Around reading facts out of what was said.
    pub extraction: CircuitStatus,
}

impl<P: Ports> Memory<P> {
    pub(super) fn circuits_status(&self) -> CircuitsStatus {
        let now_ms = self.now().unix_ms;
        CircuitsStatus {
            recall: self.circuits.recall.borrow().status(now_ms),
            extraction: self.circuits.extraction.borrow().status(now_ms),
        }
    }

    /// Does the work, unless recall's circuit is open.
    ///
    /// # Errors
    /// `CircuitOpen`, or the work's own.
    pub(super) async fn through_recall<T>(
        &self,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        through("recall", &self.circuits.recall, || self.now().unix_ms, work).await
    }

    /// Does the work, unless extraction's circuit is open.
    ///
    /// # Errors
    /// `CircuitOpen`, or the work's own.
    pub(super) async fn through_extraction<T>(
        &self,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let now_ms = || self.now().unix_ms;
        through("extraction", &self.circuits.extraction, now_ms, work).await
    }

    /// How long extraction's circuit admits nothing.
    pub(super) fn extraction_rests_ms(&self) -> i64 {
        let circuit = self.circuits.extraction.borrow();
        circuit.retry_in_ms(self.now().unix_ms)
    }

    /// Somebody asked for a try now.
    pub(super) fn close_extraction(&self) {
        self.circuits.extraction.borrow_mut().succeeded();
    }
}

async fn through<T>(
    name: &'static str,
    circuit: &RefCell<Circuit>,
    now_ms: impl Fn() -> i64,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    if !circuit.borrow_mut().admits(now_ms()) {
        let left_ms = circuit.borrow().retry_in_ms(now_ms());
        return Err(Error::CircuitOpen {
            circuit: name,
            retry_after_ms: left_ms.clamp(0, i64::from(u32::MAX)) as u32,
        });
    }
    let done = work.await;
    match done.as_ref().map_err(says) {
        Ok(_) | Err(Says::Works) => circuit.borrow_mut().succeeded(),
        Err(Says::Fails) => circuit.borrow_mut().failed(now_ms()),
        Err(Says::Nothing) => {}
    }
    done
}

/// What an error tells of the service behind a circuit.
enum Says {
    Fails,
    /// It answered; what it said is of no use for this one piece of work.
    Works,
    /// It was not asked.
    Nothing,
}

fn says(error: &Error) -> Says {
    match error {
        Error::MalformedStream { .. } | Error::Refused { .. } | Error::Corrupt { .. } => {
            Says::Works
        }
        Error::Cancelled
        | Error::Locked
        | Error::Closed
        | Error::BudgetReached { .. }
        | Error::SessionEnded { .. }
        | Error::Conflict { .. }
        | Error::NotFound { .. }
        | Error::InvalidInput { .. } => Says::Nothing,
        _ => Says::Fails,
    }
}
