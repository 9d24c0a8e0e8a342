//! The vector index by itself, as JavaScript holds it. `pkg/src/vector-index.ts` is its face and describes each call.

use crate::index::{
    Choice, Hit, IndexConfig, IndexError, IndexStats, LoadError, Metric, Mode, Part, Precision,
    SealProgress, Search, VectorIndex,
};
use js_sys::{Array, Function, Uint8Array};
use std::cell::RefCell;
use std::ops::ControlFlow;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(start)]
fn start() {
    // The index holds no text, so a panic's message can not quote any.
    console_error_panic_hook::set_once();
}

#[wasm_bindgen]
pub struct RawIndex(VectorIndex);

/// What an index holds.
#[wasm_bindgen(getter_with_clone)]
pub struct RawStats {
    pub vectors: usize,
    pub gaps: usize,
    pub sealed: usize,
    pub bytes: usize,
    pub lost_graph: bool,
    pub choice: Option<RawChoice>,
}

#[wasm_bindgen(getter_with_clone)]
#[derive(Clone)]
pub struct RawChoice {
    pub walks: bool,
    pub reason: String,
    /// Recall, then warm scan, warm graph, cold scan and cold graph in milliseconds; empty where nothing was measured.
    pub measured: Vec<f64>,
}

#[wasm_bindgen]
impl RawIndex {
    #[wasm_bindgen(constructor)]
    pub fn new(
        dimensions: usize,
        mode: &str,
        metric: &str,
        compact: bool,
    ) -> Result<RawIndex, JsValue> {
        let config = IndexConfig {
            dimensions,
            mode: mode_of(mode)?,
            metric: match metric {
                "cosine" => Metric::Cosine,
                "dot" => Metric::Dot,
                "euclidean" => Metric::Euclidean,
                _ => return Err(invalid("metric", "cosine, dot or euclidean")),
            },
            precision: match compact {
                true => Precision::Compact,
                false => Precision::Full,
            },
        };
        VectorIndex::try_new(config).map(RawIndex).map_err(refused)
    }

    pub fn load(bytes: &[u8]) -> Result<RawIndex, JsValue> {
        VectorIndex::load(bytes).map(RawIndex).map_err(unreadable)
    }

    /// `keys` and `parts` (of `Uint8Array`) side by side.
    pub fn from_parts(keys: Vec<String>, parts: Array) -> Result<RawIndex, JsValue> {
        let bytes = parts.iter().map(|part| Uint8Array::new(&part).to_vec());
        let part = |(key, bytes)| Part {
            key,
            bytes: Some(bytes),
        };
        let parts: Vec<Part> = keys.into_iter().zip(bytes).map(part).collect();
        VectorIndex::from_parts(&parts)
            .map(RawIndex)
            .map_err(unreadable)
    }

    /// All vectors or none.
    pub fn add(&mut self, ids: &[u32], vectors: &[f32], labels: &[u32]) -> Result<(), JsValue> {
        let dimensions = self.0.config().dimensions;
        if vectors.len() != ids.len() * dimensions {
            return Err(refused(IndexError::WrongDimensions {
                expected: ids.len() * dimensions,
                found: vectors.len(),
            }));
        }
        for (n, (&id, vector)) in ids.iter().zip(vectors.chunks_exact(dimensions)).enumerate() {
            if let Err(error) = self.0.add_labelled(id, vector, labels) {
                self.remove(&ids[..n]);
                return Err(refused(error));
            }
        }
        Ok(())
    }

    /// How many of them were there.
    pub fn remove(&mut self, ids: &[u32]) -> usize {
        ids.iter().filter(|&&id| self.0.remove(id)).count()
    }

    /// For each query, row after row: the number of hits, their ids, and the bits of their scores. `labels` holds lists, each
    /// led by its length.
    pub fn search(
        &self,
        queries: &[f32],
        k: usize,
        among: Option<Vec<u32>>,
        labels: &[u32],
        exact: bool,
    ) -> Result<Vec<u32>, JsValue> {
        let labels = lists(labels);
        let search = Search {
            k,
            among: among.as_deref(),
            labels: &labels,
            exact,
        };
        let dimensions = self.0.config().dimensions;
        if queries.is_empty() || !queries.len().is_multiple_of(dimensions) {
            return Err(refused(IndexError::WrongDimensions {
                expected: dimensions,
                found: queries.len(),
            }));
        }
        let mut found = Vec::new();
        for query in queries.chunks_exact(dimensions) {
            let hits: Vec<Hit> = self.0.find(query, &search).map_err(refused)?;
            found.push(hits.len() as u32);
            found.extend(hits.iter().map(|hit| hit.id));
            found.extend(hits.iter().map(|hit| hit.score.to_bits()));
        }
        Ok(found)
    }

    pub fn contains(&self, id: u32) -> bool {
        self.0.contains(id)
    }

    #[wasm_bindgen(getter)]
    pub fn size(&self) -> usize {
        self.0.len()
    }

    #[wasm_bindgen(getter)]
    pub fn dimensions(&self) -> usize {
        self.0.config().dimensions
    }

    #[wasm_bindgen(getter)]
    pub fn mode(&self) -> String {
        let name = match self.0.config().mode {
            Mode::Scan => "scan",
            Mode::Hnsw => "hnsw",
            Mode::Auto => "auto",
        };
        name.into()
    }

    pub fn stats(&self) -> RawStats {
        let stats: IndexStats = self.0.stats();
        RawStats {
            vectors: stats.n_vectors,
            gaps: stats.n_gaps,
            sealed: stats.n_sealed,
            bytes: stats.bytes,
            lost_graph: stats.has_lost_graph,
            choice: stats.choice.map(raw_choice),
        }
    }

    pub fn compact(&mut self) {
        self.0.compact();
    }

    /// `tell(done, total)` hears how far the building is.
    pub fn seal(&mut self, tell: Function) -> usize {
        thread_local! {
            // The core's callback may not borrow from JavaScript's heap: natively it runs on another thread.
            static TELL: RefCell<Option<Function>> = const { RefCell::new(None) };
        }
        TELL.set(Some(tell));
        let n_sealed = self.0.seal_with(&mut |SealProgress { done, total }| {
            TELL.with_borrow(|tell| {
                if let Some(tell) = tell {
                    let _ = tell.call2(&JsValue::UNDEFINED, &done.into(), &total.into());
                }
            });
            ControlFlow::Continue(())
        });
        TELL.set(None);
        n_sealed.unwrap_or(0)
    }

    pub fn graph(&self) -> Option<Vec<u8>> {
        self.0.graph()
    }

    pub fn adopt_graph(&mut self, graph: &[u8]) -> Result<usize, JsValue> {
        self.0.adopt_graph(graph).map_err(unreadable)
    }

    /// `now()` tells the time in milliseconds.
    pub fn choose(&mut self, now: &Function) -> RawChoice {
        let mut now = || {
            let time = now.call0(&JsValue::UNDEFINED);
            time.ok().and_then(|time| time.as_f64()).unwrap_or(0.0)
        };
        raw_choice(self.0.choose(&mut now))
    }

    pub fn save(&mut self) -> Vec<u8> {
        self.0.save()
    }

    /// Pairs of a key and a `Uint8Array`, or of a key and null.
    pub fn take_changes(&mut self) -> Array {
        let changes = Array::new();
        for part in self.0.take_changes() {
            let bytes = match part.bytes {
                Some(bytes) => Uint8Array::from(bytes.as_slice()).into(),
                None => JsValue::NULL,
            };
            changes.push(&Array::of2(&part.key.into(), &bytes));
        }
        changes
    }
}

fn mode_of(name: &str) -> Result<Mode, JsValue> {
    match name {
        "scan" => Ok(Mode::Scan),
        "hnsw" => Ok(Mode::Hnsw),
        "auto" => Ok(Mode::Auto),
        _ => Err(invalid("mode", "scan, hnsw or auto")),
    }
}

fn lists(flat: &[u32]) -> Vec<Vec<u32>> {
    let mut rest = flat;
    let mut lists = Vec::new();
    while let Some((&length, after)) = rest.split_first() {
        let (list, after) = after.split_at((length as usize).min(after.len()));
        lists.push(list.to_vec());
        rest = after;
    }
    lists
}

fn raw_choice(choice: Choice) -> RawChoice {
    let measured = choice.measured.map(|m| {
        vec![
            m.recall.into(),
            m.warm_scan_ms,
            m.warm_graph_ms,
            m.cold_scan_ms,
            m.cold_graph_ms,
        ]
    });
    RawChoice {
        walks: choice.walks,
        reason: choice.reason.code().into(),
        measured: measured.unwrap_or_default(),
    }
}

// Errors cross as a pair: code and message.

fn thrown(code: &str, message: &str) -> JsValue {
    Array::of2(&code.into(), &message.into()).into()
}

fn invalid(what: &str, expected: &str) -> JsValue {
    thrown("invalid_input", &format!("{what} must be {expected}."))
}

fn refused(error: IndexError) -> JsValue {
    thrown(error.code(), &error.to_string())
}

fn unreadable(error: LoadError) -> JsValue {
    thrown(error.code(), &error.to_string())
}
