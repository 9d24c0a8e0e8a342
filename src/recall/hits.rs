//! Which lanes found which records.

use super::corpus::Corpus;
use super::lane::{Found, Lane, LaneHit};
use super::relations::KnownOn;
use crate::model::{FactId, RecordRef};

/// The records that lanes found, in order, each with its best place in each lane. An old version stands for the newest one.
///
/// A list, since hundreds of records are found for the few whose lanes are told.
#[derive(Default)]
pub(super) struct Hits(Vec<(RecordRef, LaneHit)>);

impl Hits {
    pub fn of(corpus: &Corpus, lanes: &[(Lane, Found)], on: KnownOn) -> Hits {
        let mut hits = Vec::with_capacity(lanes.iter().map(|(_, found)| found.len()).sum());
        for (lane, found) in lanes {
            for (rank, (doc, score)) in (1..).zip(found) {
                let record = match corpus.owner(*doc).map(|owner| owner.record) {
                    Some(RecordRef::Fact(id)) => RecordRef::Fact(corpus.newest(id, on)),
                    Some(record) => record,
                    None => continue,
                };
                let hit = LaneHit {
                    lane: *lane,
                    rank,
                    score: *score,
                };
                hits.push((record, hit));
            }
        }
        // Stable: a record's lanes stay in order, and in each its best place comes first.
        hits.sort_by_key(|(record, _)| *record);
        hits.dedup_by_key(|(record, hit)| (*record, hit.lane));
        Hits(hits)
    }

    /// Adds that facts were led to, each with a score.
    pub fn add_linked(&mut self, linked: impl IntoIterator<Item = (FactId, f32)>) {
        for (fact, score) in linked {
            let record = RecordRef::Fact(fact);
            let after = self.0.partition_point(|(other, _)| *other <= record);
            let hit = LaneHit {
                lane: Lane::Entity,
                rank: self.lanes_of(record).len() as u32 + 1,
                score,
            };
            self.0.insert(after, (record, hit));
        }
    }

    /// The records, each once, with the lanes that found it.
    pub fn records(&self) -> impl Iterator<Item = (RecordRef, &[(RecordRef, LaneHit)])> {
        let of_one = self.0.chunk_by(|(a, _), (b, _)| a == b);
        of_one.map(|hits| (hits[0].0, hits))
    }

    /// The lanes that found a record.
    pub fn lanes_of(&self, record: RecordRef) -> Vec<LaneHit> {
        let first = self.0.partition_point(|(other, _)| *other < record);
        let hits = self.0[first..].iter();
        let hits = hits.take_while(|(other, _)| *other == record);
        hits.map(|(_, hit)| *hit).collect()
    }
}
