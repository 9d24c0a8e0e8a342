//! The shape of the answer.

use crate::model::FactType;
use serde_json::{Value, json};

/// The JSON schema of the answer, for `output_config.format.schema`.
///
/// It uses only what Claude's structured outputs support: no lengths, no ranges, no counts; those
/// are checked by [`read`](super::read). It is the same for everyone, because the API caches it.
pub fn schema() -> Value {
    let types = FactType::ALL.map(FactType::name);
    let text = json!({"type": "string"});
    let texts = json!({"type": "array", "items": text});
    let properties = json!({
        "type": {"type": "string", "enum": types},
        "subject": text,
        "attribute": text,
        "statement": text,
        "entities": texts,
        "numbers": texts,
        "turn": {"type": "integer"},
        "quote": text,
        "confidence": {"type": "string", "enum": ["low", "medium", "high"]},
        "valid_from": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
        "supersedes": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    });
    let names: Vec<&String> = properties
        .as_object()
        .into_iter()
        .flatten()
        .map(|p| p.0)
        .collect();
    let required = json!(names);
    let fact = json!({
        "type": "object",
        "additionalProperties": false,
        "required": required,
        "properties": properties,
    });
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["facts"],
        "properties": {"facts": {"type": "array", "items": fact}},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the API's documentation lists; every other keyword is answered with 400.
    const KEYWORDS: [&str; 8] = [
        "type",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "enum",
        "anyOf",
        "format",
    ];

    fn check(schema: &Value) {
        let object = schema.as_object().expect("a schema is an object");
        for (keyword, value) in object {
            assert!(KEYWORDS.contains(&keyword.as_str()), "{keyword}");
            match keyword.as_str() {
                "items" => check(value),
                "anyOf" => value.as_array().unwrap().iter().for_each(check),
                "properties" => value.as_object().unwrap().values().for_each(check),
                _ => {}
            }
        }
        if schema["type"] == "object" {
            assert_eq!(schema["additionalProperties"], false);
            let names: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
            assert_eq!(schema["required"], json!(names));
        }
    }

    #[test]
    fn only_supported_keywords_and_everything_required() {
        check(&schema());
    }

    #[test]
    fn all_types_and_confidences_are_offered() {
        let schema = schema();
        let fact = &schema["properties"]["facts"]["items"]["properties"];
        let names = ["preference", "decision", "constraint", "goal", "entity"];
        assert_eq!(fact["type"]["enum"], json!(names));
        assert_eq!(fact["confidence"]["enum"], json!(["low", "medium", "high"]));
        assert_eq!(fact.as_object().unwrap().len(), 11);
    }
}
