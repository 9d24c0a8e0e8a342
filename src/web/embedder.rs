//! The embedders of a browser behind the driver's interface.

use crate::embed::{Embedded, Kind, StaticTable, Transformer};
use crate::error::{EmbedderFault, Error, Result};
use crate::memory::{Embedder, EmbedderModel, Pace};
use js_sys::{Array, Float32Array, Function, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// Texts that a host's own embedder is given at a time: enough for one request to fill, few enough that progress shows.
const CALLBACK_TEXTS: usize = 16;

pub enum BrowserEmbedder {
    /// No model: not chosen, or not to be had.
    Nothing,
    /// The table in the package.
    Table(StaticTable),
    /// A transformer from a weights package.
    Weights(Box<Transformer>),
    /// The host's own.
    Callback(Callback),
}

/// A function of the page that turns texts into vectors.
pub struct Callback {
    pub id: String,
    pub dimensions: Option<usize>,
    /// Takes an array of texts and `"query"` or `"passage"`; gives a promise of an array of Float32Arrays. It rejects with
    /// `{fault, message}`.
    pub ask: Function,
}

impl BrowserEmbedder {
    /// # Errors
    /// `EmbedderUnavailable` if the bytes are no table.
    pub fn table(bytes: &Uint8Array) -> Result<BrowserEmbedder> {
        let table = StaticTable::from_bytes(&bytes.to_vec());
        table
            .map(BrowserEmbedder::Table)
            .map_err(|error| Error::EmbedderUnavailable {
                message: error.to_string(),
            })
    }

    /// # Errors
    /// `EmbedderFailed` if the bytes are no weights.
    pub fn weights(bytes: &Uint8Array) -> Result<BrowserEmbedder> {
        let weights = Transformer::from_bytes(bytes.to_vec());
        weights
            .map(|weights| BrowserEmbedder::Weights(Box::new(weights)))
            .map_err(|error| Error::EmbedderFailed {
                fault: EmbedderFault::Unreadable,
                message: error.to_string(),
            })
    }

    /// What it makes of one text; nothing without a known word.
    pub fn one(&self, text: &str, kind: Kind) -> Option<Embedded> {
        match self {
            BrowserEmbedder::Table(table) => table.embed_with_words(text),
            BrowserEmbedder::Weights(weights) => weights.embed_with_words(text, kind),
            BrowserEmbedder::Nothing | BrowserEmbedder::Callback(_) => None,
        }
    }
}

impl Embedder for BrowserEmbedder {
    fn model(&self) -> Option<EmbedderModel> {
        let (id, dimensions, calibration) = match self {
            BrowserEmbedder::Nothing => return None,
            BrowserEmbedder::Table(table) => (table.id(), table.dimensions(), table.calibration()),
            BrowserEmbedder::Weights(weights) => {
                (weights.id(), weights.dimensions(), weights.calibration())
            }
            BrowserEmbedder::Callback(callback) => {
                return Some(EmbedderModel {
                    id: callback.id.clone(),
                    dimensions: callback.dimensions,
                    calibration: None,
                });
            }
        };
        Some(EmbedderModel {
            id: id.into(),
            dimensions: Some(dimensions),
            calibration: Some(calibration),
        })
    }

    fn pace(&self) -> Pace {
        match self {
            BrowserEmbedder::Nothing | BrowserEmbedder::Table(_) => Pace::Instant,
            // One text may take longer than a step should.
            BrowserEmbedder::Weights(_) => Pace::Texts(1),
            BrowserEmbedder::Callback(_) => Pace::Texts(CALLBACK_TEXTS),
        }
    }

    async fn embed(&self, texts: &[&str], kind: Kind) -> Result<Vec<Option<Embedded>>> {
        match self {
            BrowserEmbedder::Callback(callback) => callback.embed(texts, kind).await,
            _ => Ok(texts.iter().map(|text| self.one(text, kind)).collect()),
        }
    }
}

impl Callback {
    async fn embed(&self, texts: &[&str], kind: Kind) -> Result<Vec<Option<Embedded>>> {
        let texts: Array = texts.iter().map(|text| JsValue::from_str(text)).collect();
        let kind = match kind {
            Kind::Query => "query",
            Kind::Passage => "passage",
        };
        let answer = self.ask.call2(&JsValue::UNDEFINED, &texts, &kind.into());
        let answer = answer.map_err(|error| failure(&error))?;
        let vectors = JsFuture::from(Promise::resolve(&answer)).await;
        let vectors = vectors.map_err(|error| failure(&error))?;
        let strange = || Error::EmbedderFailed {
            fault: EmbedderFault::WrongCount,
            message: "its answer is not an array of Float32Arrays".into(),
        };
        let vectors: Array = vectors.dyn_into().map_err(|_| strange())?;
        let vectors = vectors.iter().map(|vector| {
            let vector: Float32Array = vector.dyn_into().map_err(|_| strange())?;
            Ok(Some(vector.to_vec().into()))
        });
        vectors.collect()
    }
}

/// What the page's side of the callback rejected with.
fn failure(error: &JsValue) -> Error {
    let text = |name: &str| {
        let value = Reflect::get(error, &name.into()).ok();
        value.and_then(|value| value.as_string())
    };
    let fault = text("fault").and_then(|fault| EmbedderFault::from_name(&fault));
    Error::EmbedderFailed {
        fault: fault.unwrap_or(EmbedderFault::Threw),
        message: text("message").unwrap_or_else(|| "it threw".into()),
    }
}
