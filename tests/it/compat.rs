//! Every record of every released format reads. `tests/e2e/compat.test.mjs` opens the same stores in a browser.

use onhand::model::Kind;
use onhand::store::format;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/compat")
}

/// The object store of a kind: its name is part of the format.
fn store_of(kind: Kind) -> String {
    match kind {
        Kind::Usage => "usage".into(),
        kind => format!("{}s", kind.name()),
    }
}

/// A stored value as the record's own serializer would have written it.
fn plain(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(fields) => {
            if let Some(number) = fields.get("$bigint") {
                let number: i64 = number.as_str().unwrap().parse().unwrap();
                return json!(number);
            }
            if let Some(bytes) = fields.get("$bytes") {
                return json!(from_base64(bytes.as_str().unwrap()));
            }
            let fields = fields
                .iter()
                .map(|(key, value)| (key.clone(), plain(value)));
            Value::Object(fields.collect())
        }
        value => value.clone(),
    }
}

fn from_base64(text: &str) -> Vec<u8> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut bits, mut n_bits) = (0_u32, 0);
    for letter in text.bytes().filter(|letter| *letter != b'=') {
        let six = LETTERS.iter().position(|known| *known == letter).unwrap();
        bits = bits << 6 | six as u32;
        n_bits += 6;
        if n_bits >= 8 {
            n_bits -= 8;
            bytes.push((bits >> n_bits) as u8);
        }
    }
    bytes
}

#[test]
fn every_record_of_every_released_format_reads() {
    let mut versions = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path().join("store.json");
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        versions += 1;
        let database: Value = serde_json::from_str(&text).unwrap();
        for kind in Kind::ALL {
            // A kind that came later has no object store in an older format.
            let Some(records) = database["stores"].get(store_of(kind)) else {
                continue;
            };
            let records = records.as_array().unwrap();
            assert!(!records.is_empty(), "{path:?} has no {}", kind.name());
            for record in records {
                let name = record[0][2].as_str().unwrap();
                let value = plain(&record[1]);
                let v = value["v"].as_u64().unwrap();
                let read = format::read(kind, v, name, &value);
                assert!(read.is_ok(), "{path:?} {} {name}: {read:?}", kind.name());
            }
        }
    }
    assert!(versions > 0, "there is no store to read");
}
