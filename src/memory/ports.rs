//! What the driver needs from the outside, as small traits: a browser implements them in `web`,
//! tests implement them in a few lines.

use super::cancel::Cancel;
use crate::embed::{self, Calibration, Embedded};
use crate::error::Result;
use crate::store::Store;
use crate::time::Timestamp;
use std::borrow::Cow;

/// The four things around the core, named once.
pub trait Ports {
    type Store: Store;
    type Transport: Transport;
    type Clock: Clock;
    type Embedder: Embedder;

    fn store(&self) -> &Self::Store;
    fn transport(&self) -> &Self::Transport;
    fn clock(&self) -> &Self::Clock;
    /// The built-in one; a chosen one is brought later by `Memory::adopt`.
    fn embedder(&self) -> &Self::Embedder;
}

/// Ports that several owners share.
impl<P: Ports> Ports for std::rc::Rc<P> {
    type Store = P::Store;
    type Transport = P::Transport;
    type Clock = P::Clock;
    type Embedder = P::Embedder;

    fn store(&self) -> &P::Store {
        (**self).store()
    }
    fn transport(&self) -> &P::Transport {
        (**self).transport()
    }
    fn clock(&self) -> &P::Clock {
        (**self).clock()
    }
    fn embedder(&self) -> &P::Embedder {
        (**self).embedder()
    }
}

/// Time and chance.
#[allow(async_fn_in_trait, reason = "one driver awaits, on one thread")]
pub trait Clock {
    /// The present moment on the person's clock.
    fn now(&self) -> Timestamp;
    /// Fresh random bits, unpredictable enough that ids of two tabs never meet.
    fn random(&self) -> u128;
    async fn sleep(&self, ms: u32);
}

/// What an embedder says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct EmbedderModel {
    /// Stored with its vectors: another model has another id.
    pub id: String,
    /// `None` is found out by its first answer.
    pub dimensions: Option<usize>,
    /// `None` is measured on first use.
    pub calibration: Option<Calibration>,
}

/// How an embedder's work is put between other work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Thousands of texts in the time that a message may wait: vectors are made with the record.
    Instant,
    /// So many texts at a time, in the background.
    Texts(usize),
}

/// Turns text into vectors.
#[allow(async_fn_in_trait, reason = "one driver awaits, on one thread")]
pub trait Embedder {
    /// `None` while there is no model, and recall goes on by keywords.
    fn model(&self) -> Option<EmbedderModel>;

    fn pace(&self) -> Pace;

    /// What it makes of each text, in order; `None` for a text without any known word. The driver checks what it gets.
    ///
    /// # Errors
    /// `EmbedderFailed`, `EmbedderUnavailable`.
    async fn embed(&self, texts: &[&str], kind: embed::Kind) -> Result<Vec<Option<Embedded>>>;
}

/// How the endpoint is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
}

/// A request as plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    pub method: Method,
    /// Below the endpoint, with a leading slash, and with its query.
    pub path: Cow<'static, str>,
    pub headers: Vec<(String, String)>,
    /// JSON; empty in a GET, which sends none.
    pub body: String,
}

impl HttpRequest {
    pub fn get(path: impl Into<Cow<'static, str>>, headers: Vec<(String, String)>) -> HttpRequest {
        HttpRequest {
            method: Method::Get,
            path: path.into(),
            headers,
            body: String::new(),
        }
    }

    pub fn post(path: &'static str, headers: Vec<(String, String)>, body: String) -> HttpRequest {
        HttpRequest {
            method: Method::Post,
            path: path.into(),
            headers,
            body,
        }
    }
}

/// An answer whose body is still to be read.
pub struct HttpResponse<B> {
    pub status: u16,
    /// Lower-case names.
    pub headers: Vec<(String, String)>,
    pub body: B,
}

/// The bytes of an answer, as they arrive.
#[allow(async_fn_in_trait, reason = "one driver awaits, on one thread")]
pub trait Body {
    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// `Network` if the connection broke, `Cancelled`.
    async fn chunk(&mut self) -> Result<Option<Vec<u8>>>;
}

/// Sends requests to the one endpoint.
#[allow(async_fn_in_trait, reason = "one driver awaits, on one thread")]
pub trait Transport {
    type Body: Body;

    /// Settles when the status is known. Dropping the answer's body, or `cancel`, ends the request.
    ///
    /// # Errors
    /// `Network` if nothing answered, `Cancelled`.
    async fn send(
        &self,
        request: &HttpRequest,
        cancel: &Cancel,
    ) -> Result<HttpResponse<Self::Body>>;
}
