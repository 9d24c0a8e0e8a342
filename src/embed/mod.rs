//! The default embedder: text to a unit vector, on the device, in microseconds.
//!
//! [`StaticTable`] holds one 4-bit vector per word piece.
//! A text's vector is the direction of the sum of its pieces' vectors; there is no network to run.
//! The table was fitted so that this sum imitates the sentence vectors of all-MiniLM-L6-v2 (`pkg/model/PROVENANCE.md`), and
//! `docs/format-embedding-table.md` describes its file.
//! [`WordPiece`] cuts text into the pieces, as BERT's uncased tokenizer does.
//!
//! ```
//! use onhand::embed::StaticTable;
//!
//! let file = std::fs::read("pkg/model/static-128-int4.bin")?;
//! let table = StaticTable::from_bytes(&file)?;
//! let vector = table.embed("My flight to Lisbon is on Friday.").expect("the text has known words");
//! assert_eq!(vector.len(), table.dimensions());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Transformer`] takes milliseconds instead, and weights of its own, and understands more.
//!
//! When not to use the table: word order and negation are invisible to a sum, and outside English it knows little more than shared
//! names and letters.
//! Split texts of more than about a hundred words before embedding them: the sum of many topics resembles none of them.

mod calibration;
mod error;
mod spellings;
mod table;
#[cfg(all(test, not(target_family = "wasm")))]
mod tests;
mod transformer;
mod unicode_ranges;
mod unigram;
mod wordpiece;

pub use calibration::{Calibration, TEXTS as CALIBRATION_TEXTS, sample};
pub use error::TableError;
pub use table::StaticTable;
pub use transformer::{Kind, Transformer, WeightsError};
pub use wordpiece::WordPiece;
