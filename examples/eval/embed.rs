//! The embedders that a run can choose from, through the same code as the product.

use onhand::embed::{Kind, StaticTable, Transformer};
use onhand::recall::EmbedderSpec;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::error::Error;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

/// A model that turns text into vectors, whichever it is.
pub trait Embed {
    fn spec(&self) -> EmbedderSpec;
    /// A vector; `None` for a text without any known word.
    fn embed(&self, text: &str, kind: Kind) -> Option<Vec<f32>>;
}

/// The embedder of that name; `None` for recall by words alone.
pub fn named(name: &str, out: &Path) -> Result<Option<Box<dyn Embed>>, Box<dyn Error>> {
    let in_package = |file: &str| -> Result<Vec<u8>, Box<dyn Error>> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("pkg").join(file);
        std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()).into())
    };
    let transformer = |file: &str| -> Result<Option<Box<dyn Embed>>, Box<dyn Error>> {
        let model = Transformer::from_bytes(in_package(file)?)?;
        Ok(Some(Box::new(Kept::open(model, out)?)))
    };
    match name {
        "none" => Ok(None),
        "default" => {
            let table = StaticTable::from_bytes(&in_package("model/static-128-int4.bin")?)?;
            Ok(Some(Box::new(table)))
        }
        "quality" => transformer("weights/minilm/weights.bin"),
        "multilingual" => transformer("weights/e5-small/weights.bin"),
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

    fn embed(&self, text: &str, _: Kind) -> Option<Vec<f32>> {
        StaticTable::embed(self, text)
    }
}

/// A transformer whose vectors are kept in a file, since it takes a minute to make those of a folder.
struct Kept {
    model: Transformer,
    /// By hash of kind and text.
    known: RefCell<HashMap<u64, Option<Vec<f32>>>>,
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
        for entry in bytes.chunks_exact(8 + 4 * model.dimensions()) {
            let (hash, numbers) = entry.split_at(8);
            let numbers = numbers.chunks_exact(4);
            let vector: Vec<f32> = numbers
                .map(|bytes| f32::from_le_bytes(bytes.try_into().expect("four bytes")))
                .collect();
            let is_direction = vector.iter().any(|x| *x != 0.0);
            known.insert(
                u64::from_le_bytes(hash.try_into().expect("eight bytes")),
                is_direction.then_some(vector),
            );
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

    fn embed(&self, text: &str, kind: Kind) -> Option<Vec<f32>> {
        let mut hasher = DefaultHasher::new();
        (matches!(kind, Kind::Query), text).hash(&mut hasher);
        let mut known = self.known.borrow_mut();
        let vector = known.entry(hasher.finish()).or_insert_with(|| {
            self.is_changed.set(true);
            self.model.embed(text, kind)
        });
        vector.clone()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if !self.is_changed.get() {
            return;
        }
        let nowhere = vec![0.0; self.model.dimensions()];
        let mut bytes = Vec::new();
        for (hash, vector) in &*self.known.borrow() {
            bytes.extend(hash.to_le_bytes());
            let numbers = vector.as_ref().unwrap_or(&nowhere).iter();
            bytes.extend(numbers.flat_map(|x| x.to_le_bytes()));
        }
        // Without the file the next run only takes longer.
        if let Err(error) = std::fs::write(&self.file, bytes) {
            eprintln!("{}: {error}", self.file.display());
        }
    }
}
