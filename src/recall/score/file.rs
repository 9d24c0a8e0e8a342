//! The score of a memory file: the words and the meaning of its best piece, and its days.

use super::{Ranking, Scored, Signals};
use crate::model::{FileId, RecordRef};

impl Ranking<'_> {
    /// The best piece of a file, and which one it is.
    pub(super) fn file(&self, id: FileId) -> (usize, Signals) {
        self.best_piece(RecordRef::File(id))
    }

    pub(super) fn file_passes(&self, id: FileId) -> bool {
        let file = &self.corpus.files[&id];
        self.passes(self.file(id).1, self.days_bonus(&file.days[..1]))
    }

    pub(super) fn file_parts(&self, id: FileId, own: Signals) -> Scored {
        let weights = self.query.weights;
        let file = &self.corpus.files[&id];
        let parts = [
            ("coverage", weights.coverage * own.coverage),
            ("meaning", weights.meaning * own.meaning()),
        ];
        let common = self.common_parts(RecordRef::File(id), &file.days, file.at);
        (parts.into_iter().chain(common).collect(), Vec::new())
    }
}
