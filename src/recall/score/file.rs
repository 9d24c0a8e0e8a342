//! The score of a memory file: the words and the meaning of its best piece, and its days.

use super::{Parts, Ranking, Signals};
use crate::model::FileId;

impl Ranking<'_> {
    /// The best piece of a file, and which one it is.
    pub(super) fn file(&self, id: FileId) -> (usize, Signals) {
        self.best_of(self.corpus.files[&id].docs.clone())
    }

    pub(super) fn file_passes(&self, id: FileId) -> bool {
        let file = &self.corpus.files[&id];
        let day = file.days.first().copied();
        self.passes(self.file(id).1, self.days_bonus(day))
    }

    pub(super) fn file_parts(&self, id: FileId) -> Parts {
        let weights = self.query.weights;
        let file = &self.corpus.files[&id];
        let own = self.file(id).1;
        let parts = [
            ("coverage", weights.coverage * own.coverage),
            ("meaning", weights.meaning * own.meaning()),
        ];
        let days = file.days.iter().copied();
        let common = self.common_parts(file.docs.clone(), days, file.form, file.at);
        Parts::of(parts.into_iter().chain(common))
    }
}
