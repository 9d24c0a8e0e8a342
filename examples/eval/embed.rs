//! The embedders that a run can choose from, through the same code as the product.

use onhand::embed::{Embedded, Kind, StaticTable, Transformer, Words};
use onhand::recall::EmbedderSpec;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::error::Error;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

/// A model that turns text into vectors, whichever it is.
pub trait Embed {
    fn spec(&self) -> EmbedderSpec;
    /// A vector, perhaps with words; `None` for a text without any known word.
    fn embed(&self, text: &str, kind: Kind) -> Option<Embedded>;
}

/// The embedder of that name; `None` for recall by words alone.
pub fn named(name: &str, out: &Path) -> Result<Option<Box<dyn Embed>>, Box<dyn Error>> {
    let read = |file: &str| -> Result<Vec<u8>, Box<dyn Error>> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()).into())
    };
    let transformer = |file: &str| -> Result<Option<Box<dyn Embed>>, Box<dyn Error>> {
        let model = Transformer::from_bytes(read(file)?)?;
        Ok(Some(Box::new(Kept::open(model, out)?)))
    };
    match name {
        "none" => Ok(None),
        "default" => {
            let table = StaticTable::from_bytes(&read("pkg/model/static-128-int4.bin")?)?;
            Ok(Some(Box::new(table)))
        }
        "quality" => transformer("pkg/weights/minilm/weights.bin"),
        "multilingual" => transformer("pkg/weights/e5-small/weights.bin"),
        // Understands nothing; of the embedders with words the one that is always there.
        "tiny" => transformer("tests/golden/tiny-8-bit.bin"),
        _ => Err(format!("unknown embedder {name}: default, quality, multilingual or none").into()),
    }
}

impl Embed for StaticTable {
    fn spec(&self) -> EmbedderSpec {
        EmbedderSpec {
            id: self.id().into(),
            dimensions: self.dimensions(),
            mean: self.calibration().mean,
            sd: self.calibration().sd,
        }
    }

    fn embed(&self, text: &str, _: Kind) -> Option<Embedded> {
        self.embed_with_words(text)
    }
}

/// A transformer whose vectors are kept in a file, since it takes a minute to make those of a folder.
struct Kept {
    model: Transformer,
    /// By hash of kind and text.
    known: RefCell<HashMap<u64, Option<Embedded>>>,
    file: PathBuf,
    is_changed: Cell<bool>,
}

impl Kept {
    /// The file's name has the model's id: another model has another file.
    fn open(model: Transformer, folder: &Path) -> Result<Kept, Box<dyn Error>> {
        let file = folder.join(format!("vectors-{}.bin", model.id()));
        let bytes = if file.exists() {
            std::fs::read(&file)?
        } else {
            Vec::new()
        };
        let mut known = HashMap::new();
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let mut take = |n| rest.split_off(..n).ok_or("the file of vectors is cut off");
            let hash = u64::from_le_bytes(take(8)?.try_into()?);
            let vector: Vec<f32> = take(4 * model.dimensions())?
                .chunks_exact(4)
                .map(|bytes| f32::from_le_bytes(bytes.try_into().expect("four bytes")))
                .collect();
            let n_words = u32::from_le_bytes(take(4)?.try_into()?) as usize;
            let words = Some(take(n_words)?.to_vec()).filter(|words| !words.is_empty());
            let words = words.map(Words::Directions);
            let is_direction = vector.iter().any(|x| *x != 0.0);
            known.insert(hash, is_direction.then_some(Embedded { vector, words }));
        }
        Ok(Kept {
            model,
            known: RefCell::new(known),
            file,
            is_changed: Cell::new(false),
        })
    }
}

impl Embed for Kept {
    fn spec(&self) -> EmbedderSpec {
        EmbedderSpec {
            id: self.model.id().into(),
            dimensions: self.model.dimensions(),
            mean: self.model.calibration().mean,
            sd: self.model.calibration().sd,
        }
    }

    fn embed(&self, text: &str, kind: Kind) -> Option<Embedded> {
        let mut hasher = DefaultHasher::new();
        (matches!(kind, Kind::Query), text).hash(&mut hasher);
        let mut known = self.known.borrow_mut();
        let embedded = known.entry(hasher.finish()).or_insert_with(|| {
            self.is_changed.set(true);
            self.model.embed_with_words(text, kind)
        });
        embedded.clone()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if !self.is_changed.get() {
            return;
        }
        let nowhere = Embedded::from(vec![0.0; self.model.dimensions()]);
        let mut bytes = Vec::new();
        for (hash, embedded) in &*self.known.borrow() {
            let embedded = embedded.as_ref().unwrap_or(&nowhere);
            bytes.extend(hash.to_le_bytes());
            bytes.extend(embedded.vector.iter().flat_map(|x| x.to_le_bytes()));
            let words = embedded
                .words
                .as_ref()
                .map(Words::to_bytes)
                .unwrap_or_default();
            bytes.extend((words.len() as u32).to_le_bytes());
            bytes.extend(words);
        }
        // Without the file the next run only takes longer.
        if let Err(error) = std::fs::write(&self.file, bytes) {
            eprintln!("{}: {error}", self.file.display());
        }
    }
}
