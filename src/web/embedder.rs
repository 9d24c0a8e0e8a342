//! The default embedder behind the driver's interface.

use crate::embed::StaticTable;
use crate::error::Result;
use crate::memory::Embedder;
use crate::recall::EmbedderSpec;

/// The static table, or nothing while it could not be loaded.
pub struct TableEmbedder(pub Option<StaticTable>);

impl Embedder for TableEmbedder {
    fn spec(&self) -> Option<EmbedderSpec> {
        self.0.as_ref().map(|table| EmbedderSpec {
            id: table.id().into(),
            dimensions: table.dimensions(),
            mean: table.calibration().mean,
            sd: table.calibration().sd,
        })
    }

    async fn embed(&self, texts: &[&str]) -> Result<Vec<Option<Vec<f32>>>> {
        let embed = |text: &&str| self.0.as_ref().and_then(|table| table.embed(text));
        Ok(texts.iter().map(embed).collect())
    }
}
