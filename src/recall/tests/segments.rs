//! A corpus that is put together from segments is the one that wrote them.

use super::properties::{Step, Stored, apply, bits, fact_of, step, text};
use super::vectors::{embed_all, stand_in_spec, stand_in_vector, stand_in_words};
use super::*;
use crate::embed::{Embedded, Words};
use crate::recall::{Draft, SegmentError, SegmentKey};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// What happens between two looks.
#[derive(Clone, Debug)]
enum Event {
    Change(Step),
    /// Someone with a name says it, or a tool.
    Said(i64, u32, String, Option<u8>),
    Embed,
    /// What changed goes to a new segment.
    Save,
    /// So many of the newest segments become one.
    Merge(usize),
    /// A new start: from the segments, then what changed since.
    Reopen,
}

fn event() -> impl Strategy<Value = Event> {
    let said = (1i64..4, 0u32..5, text(), prop::option::of(0u8..3));
    prop_oneof![
        8 => step().prop_map(Event::Change),
        2 => said.prop_map(|(session, index, text, name)| Event::Said(session, index, text, name)),
        2 => Just(Event::Embed),
        3 => Just(Event::Save),
        1 => (1usize..4).prop_map(Event::Merge),
        2 => Just(Event::Reopen),
    ]
}

/// A corpus, the records that it is of, and its segments.
struct World {
    spec: Option<EmbedderSpec>,
    corpus: Corpus,
    stored: Stored,
    /// With what each holds or replaces.
    segments: Vec<(Vec<u8>, BTreeSet<SegmentKey>)>,
    /// Since the last segment.
    changed: BTreeSet<SegmentKey>,
}

impl World {
    fn new(spec: Option<EmbedderSpec>) -> World {
        World {
            corpus: Corpus::new(spec.clone()),
            spec,
            stored: Stored::default(),
            segments: Vec::new(),
            changed: BTreeSet::new(),
        }
    }

    fn happen(&mut self, event: &Event) {
        match event {
            Event::Change(step) => {
                apply(step, &mut self.corpus, &mut self.stored);
                self.changed.extend(key_of(step));
            }
            Event::Said(session, index, text, name) => {
                let mut said = turn(*session, *index, text);
                match name {
                    None => said.role = Role::Tool,
                    Some(name) => said.speaker = Some(format!("Speaker {name}")),
                }
                self.corpus.add_turn(&said);
                self.changed.insert(SegmentKey::Turn(said.id));
                self.stored.turns.insert(said.id, said);
            }
            Event::Embed => embed_all(&mut self.corpus),
            Event::Save => {
                let keys = std::mem::take(&mut self.changed);
                let (settled, unsettled): (BTreeSet<_>, BTreeSet<_>) = keys
                    .into_iter()
                    .partition(|key| self.corpus.is_settled(*key));
                self.changed = unsettled;
                self.write(settled);
            }
            Event::Merge(n) => {
                let first = self.segments.len().saturating_sub(*n);
                let merged = self.segments.split_off(first);
                let keys = merged.into_iter().flat_map(|(_, keys)| keys);
                let keys: BTreeSet<SegmentKey> =
                    keys.filter(|key| !self.changed.contains(key)).collect();
                let (settled, unsettled): (BTreeSet<_>, BTreeSet<_>) = keys
                    .into_iter()
                    .partition(|key| self.corpus.is_settled(*key));
                self.changed.extend(unsettled);
                self.write(settled);
            }
            Event::Reopen => {
                self.corpus = Corpus::new(self.spec.clone());
                let bytes: Vec<&[u8]> = self.segments.iter().map(|(b, _)| &b[..]).collect();
                let restored = self.corpus.restore(&bytes).unwrap();
                for fact in &restored.facts {
                    if !self.changed.contains(&SegmentKey::Fact(fact.id)) {
                        assert_eq!(self.stored.facts.get(&fact.id), Some(fact));
                    }
                }
                for (id, ms) in &restored.turns {
                    if !self.changed.contains(&SegmentKey::Turn(*id)) {
                        assert_eq!(self.stored.turns.get(id).map(|t| t.at.unix_ms), Some(*ms));
                    }
                }
                for key in &self.changed {
                    match key {
                        SegmentKey::Turn(id) => match self.stored.turns.get(id) {
                            Some(turn) => drop(self.corpus.add_turn(turn)),
                            None => self.corpus.remove(RecordRef::Turn(*id)),
                        },
                        SegmentKey::Fact(id) => match self.stored.facts.get(id) {
                            Some(fact) => drop(self.corpus.add_fact(fact)),
                            None => self.corpus.remove(RecordRef::Fact(*id)),
                        },
                        SegmentKey::Session(_) => {}
                    }
                }
                for file in self.stored.files.values() {
                    self.corpus.add_file(file);
                }
            }
        }
    }

    fn write(&mut self, keys: BTreeSet<SegmentKey>) {
        let mut draft = Draft {
            replaced: keys.iter().copied().collect(),
            ..Draft::default()
        };
        for key in &keys {
            match key {
                SegmentKey::Session(_) => {}
                SegmentKey::Turn(id) => {
                    let turn = self.stored.turns.get(id);
                    draft.turns.extend(turn.map(|turn| (*id, turn.at.unix_ms)));
                }
                SegmentKey::Fact(id) => draft.facts.extend(self.stored.facts.get(id)),
            }
        }
        self.segments
            .push((self.corpus.write_segment(&draft), keys));
    }

    fn rebuilt(&self) -> Corpus {
        let mut rebuilt = Corpus::new(self.spec.clone());
        self.stored
            .turns
            .values()
            .for_each(|turn| drop(rebuilt.add_turn(turn)));
        self.stored
            .facts
            .values()
            .for_each(|fact| drop(rebuilt.add_fact(fact)));
        self.stored
            .files
            .values()
            .for_each(|file| drop(rebuilt.add_file(file)));
        rebuilt
    }
}

fn key_of(step: &Step) -> Option<SegmentKey> {
    match step {
        Step::Turn { session, index, .. } | Step::RemoveTurn { session, index } => {
            Some(SegmentKey::Turn(place(*session, *index)))
        }
        Step::Fact { .. } => fact_of(step).map(|fact| SegmentKey::Fact(fact.id)),
        Step::RemoveFact { number } => Some(SegmentKey::Fact(fact_id(*number))),
        Step::File { .. } | Step::RemoveFile { .. } => None,
    }
}

proptest! {
    #[test]
    fn segments_and_what_changed_since_equal_the_records(
        events in prop::collection::vec(event(), 0..60),
        question in text(),
        with_vectors in any::<bool>(),
    ) {
        let mut world = World::new(with_vectors.then(stand_in_spec));
        for event in &events {
            world.happen(event);
        }
        world.happen(&Event::Reopen);
        let mut rebuilt = world.rebuilt();
        prop_assert_eq!(world.corpus.differing(&rebuilt), BTreeSet::new());
        embed_all(&mut world.corpus);
        embed_all(&mut rebuilt);
        prop_assert_eq!(world.corpus.len(), rebuilt.len());
        prop_assert_eq!(world.corpus.n_vectors(), rebuilt.n_vectors());
        let vector = stand_in_vector(&question);
        let embedded = Embedded { vector: vector.clone(), words: Some(Words::Directions(stand_in_words(&question))) };
        let has_direction = vector.iter().any(|x| *x != 0.0);
        for level in [Level::Loose, Level::Strict] {
            for question in [question.clone(), format!("what did Speaker 1 say of {question}")] {
                let query = ask(&question).embedded((with_vectors && has_direction).then_some(&embedded));
                let query = Query { level, limit: 50, ..query };
                let (found, expected) = (world.corpus.recall(&query), rebuilt.recall(&query));
                prop_assert_eq!(bits(&found), bits(&expected));
                prop_assert_eq!(found, expected);
            }
        }
    }

    #[test]
    fn damage_is_an_error_and_no_panic(
        events in prop::collection::vec(event(), 1..30),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut world = World::new(Some(stand_in_spec()));
        for event in &events {
            world.happen(event);
        }
        embed_all(&mut world.corpus);
        world.happen(&Event::Save);
        let (intact, _) = world.segments.pop().unwrap();
        let read = |bytes: &[u8]| Corpus::new(Some(stand_in_spec())).restore(&[bytes]);
        prop_assert!(read(&intact).is_ok());
        let cut = cut.index(intact.len());
        prop_assert!(read(&intact[..cut]).is_err());
        let mut damaged = intact.clone();
        for (place, byte) in &changes {
            damaged[place.index(intact.len())] = *byte;
        }
        prop_assert_eq!(read(&damaged).is_ok(), damaged == intact);
        // With the checksum put right whatever is read can be asked.
        let checksum = crc32fast::hash(&damaged[9..]);
        damaged[..5].copy_from_slice(&intact[..5]);
        damaged[5..9].copy_from_slice(&checksum.to_le_bytes());
        let mut corpus = Corpus::new(Some(stand_in_spec()));
        if corpus.restore(&[&damaged]).is_ok() {
            corpus.recall(&ask("what did Speaker 1 say of the cat"));
            corpus.add_turn(&turn(1, 1, "and a dog"));
            corpus.remove(turn_ref(1, 1));
        }
    }
}

#[test]
fn what_is_no_segment_says_so() {
    let read = |bytes: &[u8]| Corpus::new(None).restore(&[bytes]);
    assert_eq!(read(b""), Err(SegmentError::NotASegment));
    assert_eq!(read(b"something else"), Err(SegmentError::NotASegment));
    let empty = Corpus::new(None).write_segment(&Draft::default());
    assert!(read(&empty).is_ok());
    let mut newer = empty.clone();
    newer[4] = 2;
    assert_eq!(read(&newer), Err(SegmentError::UnknownVersion(2)));
    let mut damaged = empty;
    *damaged.last_mut().unwrap() ^= 1;
    assert_eq!(read(&damaged), Err(SegmentError::Damaged));
}

#[test]
fn words_stand_behind_the_vectors_and_take_nothing_where_there_are_none() {
    let (said, unsaid) = (turn(1, 0, "We have a cat."), turn(1, 1, "cat"));
    let mut corpus = Corpus::new(Some(stand_in_spec()));
    let mut draft = Draft::default();
    for turn in [&said, &unsaid] {
        corpus.add_turn(turn);
        draft.turns.insert(turn.id, turn.at.unix_ms);
    }
    let pieces = corpus.missing_vectors();
    for piece in &pieces {
        let vector = stand_in_vector(&piece.text);
        corpus.add_vector(piece.owner, &vector).unwrap();
    }
    let without = corpus.write_segment(&draft);
    corpus.add_words_of("stand-in", pieces[0].owner, &[2, 0x1f, 0x88]);
    let with = corpus.write_segment(&draft);
    assert_eq!(with[9..], [&without[9..], &[3, 2, 0x1f, 0x88, 0]].concat());
    // A count of bytes that are no words.
    let mut wrong = with.clone();
    *wrong.last_mut().unwrap() = 2;
    wrong.extend([0, 7]);
    let checksum = crc32fast::hash(&wrong[9..]).to_le_bytes();
    wrong[5..9].copy_from_slice(&checksum);
    let read = Corpus::new(Some(stand_in_spec())).restore(&[&wrong]);
    assert_eq!(read, Err(SegmentError::Damaged));
}

#[test]
fn vectors_of_another_embedder_are_not_taken() {
    let corpus = Corpus::new(Some(stand_in_spec()));
    let segment = corpus.write_segment(&Draft::default());
    let read = Corpus::new(None).restore(&[&segment]);
    assert_eq!(read, Err(SegmentError::WrongDimensions));
}

#[test]
fn one_record_in_two_segments_is_damage_unless_the_later_replaces_it() {
    let said = turn(1, 0, "We have a cat.");
    let mut corpus = Corpus::new(None);
    corpus.add_turn(&said);
    let mut draft = Draft::default();
    draft.turns.insert(said.id, said.at.unix_ms);
    let first = corpus.write_segment(&draft);
    let read = |segments: &[&[u8]]| Corpus::new(None).restore(segments);
    assert_eq!(read(&[&first, &first]), Err(SegmentError::Damaged));
    draft.replaced.push(SegmentKey::Turn(said.id));
    let second = corpus.write_segment(&draft);
    assert_eq!(
        read(&[&first, &second]).unwrap().turns,
        [(said.id, said.at.unix_ms)]
    );
}
