//! What `GET /v1/models` says of models, laid over the table of this library.
//!
//! The API names limits and capabilities, and no price. What it says wins; where it says nothing, or nothing that is understood,
//! the table holds. So a model that the table does not know yet can be used to its limits, and no answer, however strange, leaves
//! less than the table alone.

use super::models::{Compaction, MODELS, ModelInfo, family, model};
use crate::time::Timestamp;
use serde_json::{Value, json};

/// Where the list is, below the endpoint; a page holds as many models as the API gives at once.
pub const PATH: &str = "/v1/models?limit=1000";

/// More models than this are not taken in.
pub const MAX_MODELS: usize = 1_000;

/// The smallest number of tokens that is believed to be a limit: with less no message could be answered.
const LEAST_LIMIT: u64 = 1_000;

/// Longer texts are no names.
const MAX_NAME_CHARS: usize = 128;

/// One page of the list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The entries as they came.
    pub data: Vec<Value>,
    /// The path of the next page.
    pub next: Option<String>,
}

impl Page {
    /// Out of an answer; `None` if it is no such page.
    pub fn read(mut answer: Value) -> Option<Page> {
        let Some(Value::Array(data)) = answer.get_mut("data").map(Value::take) else {
            return None;
        };
        let next = match answer["has_more"].as_bool() {
            Some(true) => {
                let last = answer["last_id"].as_str().filter(|id| is_id(id))?;
                Some(format!("{PATH}&after_id={last}"))
            }
            _ => None,
        };
        Some(Page { data, next })
    }
}

/// What the API says of one model; `None` where it says nothing that is understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    pub display_name: Option<String>,
    /// In the API's words, such as `active`.
    pub lifecycle: Option<String>,
    pub context_tokens: Option<u32>,
    pub max_output_tokens: Option<u32>,
    pub structured_outputs: Option<bool>,
    pub clears_tool_uses: Option<bool>,
    pub clears_thinking: Option<bool>,
    /// By itself, at a threshold.
    pub compacts: Option<bool>,
    pub effort: Option<bool>,
    pub adaptive: Option<bool>,
    pub enabled: Option<bool>,
    pub disabled: Option<bool>,
    pub between_tools: Option<bool>,
}

impl Listed {
    /// The id and what is said of it; `None` for an entry without a usable id.
    fn read(entry: &Value) -> Option<(String, Listed)> {
        let id = entry["id"].as_str().filter(|id| is_id(id))?;
        let text = |name: &str| {
            let text = entry[name].as_str()?;
            let is_name = !text.is_empty() && text.chars().count() <= MAX_NAME_CHARS;
            is_name.then(|| text.to_owned())
        };
        let limit = |name: &str| {
            let tokens = entry[name].as_u64().filter(|n| *n >= LEAST_LIMIT)?;
            u32::try_from(tokens).ok()
        };
        let capabilities = &entry["capabilities"];
        let supported = |capability: &Value| capability["supported"].as_bool();
        let context = |name: &str| supported(&capabilities["context_management"][name]);
        let thinking = |name: &str| supported(&capabilities["thinking"]["types"][name]);
        let listed = Listed {
            display_name: text("display_name"),
            lifecycle: text("lifecycle"),
            context_tokens: limit("max_input_tokens"),
            max_output_tokens: limit("max_tokens"),
            structured_outputs: supported(&capabilities["structured_outputs"]),
            clears_tool_uses: context("clear_tool_uses_20250919"),
            clears_thinking: context("clear_thinking_20251015"),
            compacts: context("compact_20260112"),
            effort: supported(&capabilities["effort"]),
            adaptive: thinking("adaptive"),
            enabled: thinking("enabled"),
            disabled: thinking("disabled"),
            between_tools: thinking("between_tools"),
        };
        Some((id.to_owned(), listed))
    }

    /// Whether it says which kinds of thinking there are.
    pub fn names_thinking(&self) -> bool {
        let types = [
            self.adaptive,
            self.enabled,
            self.disabled,
            self.between_tools,
        ];
        types.iter().any(Option::is_some)
    }

    /// The table's entry with what is said here in its place.
    fn over(&self, mut info: ModelInfo) -> ModelInfo {
        let set = |value: &mut bool, said: Option<bool>| *value = said.unwrap_or(*value);
        info.context_tokens = self.context_tokens.unwrap_or(info.context_tokens);
        let max_output_tokens = self.max_output_tokens.unwrap_or(info.max_output_tokens);
        info.max_output_tokens = max_output_tokens.min(info.context_tokens);
        set(&mut info.structured_outputs, self.structured_outputs);
        set(&mut info.clears_tool_uses, self.clears_tool_uses);
        set(&mut info.clears_thinking, self.clears_thinking);
        set(&mut info.effort, self.effort);
        set(&mut info.thinking.adaptive, self.adaptive);
        set(&mut info.thinking.enabled, self.enabled);
        set(&mut info.thinking.disabled, self.disabled);
        set(&mut info.thinking.between_tools, self.between_tools);
        info.compaction = match (self.compacts, info.compaction) {
            (Some(true), _) => Compaction::OnDemandAndThreshold,
            (Some(false), Compaction::OnDemandAndThreshold) => Compaction::OnDemand,
            (_, compaction) => compaction,
        };
        info
    }
}

/// One model as it is used: the table's values with the API's over them.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub id: String,
    /// What is gone by. Prices are always the table's; `id` in it is empty for a model that the table does not know.
    pub info: ModelInfo,
    /// What of it the API said; `None` for a model that it did not list.
    pub listed: Option<Listed>,
}

/// All models: the table of this library, and what the API listed last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelTable {
    /// By id, in the API's order.
    listed: Vec<(String, Listed)>,
    refreshed: Option<Timestamp>,
}

impl ModelTable {
    /// Of what the API listed at this moment; `None` if nothing of it is a model.
    pub fn of(data: &[Value], at: Timestamp) -> Option<ModelTable> {
        let mut listed: Vec<(String, Listed)> = Vec::new();
        for (id, said) in data.iter().take(MAX_MODELS).filter_map(Listed::read) {
            match listed.iter_mut().find(|(known, _)| *known == id) {
                Some((_, earlier)) => *earlier = said,
                None => listed.push((id, said)),
            }
        }
        (!listed.is_empty()).then_some(ModelTable {
            listed,
            refreshed: Some(at),
        })
    }

    /// When the API was asked; `None` for the table of this library alone.
    pub fn refreshed(&self) -> Option<Timestamp> {
        self.refreshed
    }

    /// What is known of a model, with or without the date at the end of its id; of one that nobody knows what every model accepts.
    pub fn model(&self, id: &str) -> ModelInfo {
        let info = *model(id);
        self.listed(id).map_or(info, |listed| listed.over(info))
    }

    /// The models of the table, then those that only the API knows.
    pub fn all(&self) -> Vec<Model> {
        let is_new = |id: &&str| model(id).id.is_empty();
        let new = self.listed.iter().map(|(id, _)| id.as_str()).filter(is_new);
        let ids = MODELS.iter().map(|model| model.id).chain(new);
        ids.map(|id| Model {
            id: id.into(),
            info: self.model(id),
            listed: self.listed(id).cloned(),
        })
        .collect()
    }

    /// The entry of just this id; else of the model without its date, or of its newest date.
    fn listed(&self, id: &str) -> Option<&Listed> {
        let name = family(id);
        let of = |wanted: &str| self.listed.iter().find(|(id, _)| id == wanted);
        let dated = || {
            let same = self.listed.iter().filter(|(id, _)| family(id) == name);
            same.max_by_key(|(id, _)| id.as_str())
        };
        let found = of(id).or_else(|| of(name)).or_else(dated);
        found.map(|(_, listed)| listed)
    }
}

/// The list as bytes (`docs/format.md`, "The bytes of segments"): the CRC-32 of the JSON, the low byte first; the JSON. In it are the
/// API's entries as they came, so that a later version reads more out of them.
pub fn to_bytes(data: Vec<Value>, at: Timestamp) -> Vec<u8> {
    let at = json!({"unix_ms": at.unix_ms, "offset_min": at.offset_min});
    let json = json!({"at": at, "data": data}).to_string();
    [
        &crc32fast::hash(json.as_bytes()).to_le_bytes(),
        json.as_bytes(),
    ]
    .concat()
}

/// The table of these bytes; `None` for bytes that are no list, or were one.
pub fn from_bytes(bytes: &[u8]) -> Option<ModelTable> {
    let (checksum, json) = bytes.split_first_chunk()?;
    let is_intact = crc32fast::hash(json) == u32::from_le_bytes(*checksum);
    // By way of a value: whoever reads records from JSON shares that code, which is large.
    let json: Value = serde_json::from_slice(json).ok().filter(|_| is_intact)?;
    let at = Timestamp {
        unix_ms: json["at"]["unix_ms"].as_i64()?,
        offset_min: json["at"]["offset_min"].as_i64()?.try_into().ok()?,
    };
    ModelTable::of(json["data"].as_array()?, at)
}

/// Whether it may stand in a path and be shown.
fn is_id(id: &str) -> bool {
    let is_sign = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    (1..=MAX_NAME_CHARS).contains(&id.len()) && id.chars().all(is_sign)
}
