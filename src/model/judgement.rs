//! What a person says of a recalled record.

use super::{JudgementId, RecordRef};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The person's word on whether a record was right to come up for a query: a thumb up or down.
///
/// Of one query and one record the newest word counts. The query is somebody's words, so it is as private as a turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    pub v: u8,
    pub id: JudgementId,
    /// As it was asked.
    pub query: String,
    pub record: RecordRef,
    pub good: bool,
    /// When it was said. An evaluation asks the query as of then: that is what its "last week" is counted from.
    pub at: Timestamp,
}

impl Judgement {
    pub const VERSION: u8 = 1;
}
