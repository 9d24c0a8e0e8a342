//! Memory files are recalled like turns, piece by piece.

use super::vectors::{embed_all, stand_in_spec, stand_in_vector};
use super::*;
use crate::model::{File, FileId};

const DEPLOY: &str = "/memories/deploy.md";

fn file(path: &str, text: &str, day: i64) -> File {
    File::new(path, text, Timestamp::utc(day * DAY_MS))
}

fn file_ref(path: &str) -> RecordRef {
    RecordRef::File(FileId::of(path))
}

fn corpus_with(files: &[File]) -> Corpus {
    let turns = [
        turn(1, 0, "We have a cat called Tom."),
        turn(1, 1, "What a fine name for a cat."),
    ];
    let mut corpus = corpus_of(&turns, &[]);
    for file in files {
        corpus.add_file(file);
    }
    corpus
}

#[test]
fn a_file_is_found_by_its_words_and_by_its_path() {
    let corpus = corpus_with(&[
        file(DEPLOY, "Push to staging, wait for the smoke test.", 2),
        file("/memories/people/ines.md", "Plays the cello.", 2),
    ]);
    let found = corpus.recall(&ask("Is there a smoke test on staging?"));
    assert_eq!(records(&found), [file_ref(DEPLOY)]);
    let item = &found.items[0];
    assert_eq!((item.source, &item.beside), (None, &vec![]));
    assert!(item.lanes.iter().any(|hit| hit.lane == Lane::Keyword));
    let found = corpus.recall(&ask("What does Ines play?"));
    assert_eq!(records(&found), [file_ref("/memories/people/ines.md")]);
    assert_eq!(
        records(&corpus.recall(&ask("Tom the cat")))[0],
        turn_ref(1, 0)
    );
}

#[test]
fn the_piece_that_matches_is_named() {
    let filler = "Nothing of note happened on this day, as on the days before it. ".repeat(40);
    let text = format!("{filler}\n\nThe alarm code of the boat house is 4471.\n\n{filler}");
    let corpus = corpus_with(&[file("/memories/log.md", &text, 2)]);
    let found = corpus.recall(&ask("What is the alarm code of the boat house?"));
    let piece = found.items[0].piece.clone().unwrap();
    let piece = &text[piece.start as usize..piece.end as usize];
    assert!(piece.contains("4471"), "{piece}");
    assert!(piece.len() < text.len() / 2);
}

#[test]
fn what_a_file_no_longer_says_is_not_found() {
    let mut corpus = corpus_with(&[file(DEPLOY, "Push to staging.", 2)]);
    corpus.add_file(&file(DEPLOY, "Ask Ines.", 3));
    assert_eq!(records(&corpus.recall(&ask("staging"))), []);
    assert_eq!(records(&corpus.recall(&ask("Ines"))), [file_ref(DEPLOY)]);
    corpus.add_file(&file(DEPLOY, "", 4));
    assert_eq!(records(&corpus.recall(&ask("Ines"))), []);
    corpus.add_file(&file(DEPLOY, "Ask Tom.", 5));
    corpus.remove(file_ref(DEPLOY));
    assert_eq!(records(&corpus.recall(&ask("deploy"))), []);
    assert_eq!(corpus.len(), 2);
}

#[test]
fn the_order_in_which_files_come_does_not_matter() {
    let files = [
        file(DEPLOY, "Push to staging, then to production.", 2),
        file(
            "/memories/boat.md",
            "The boat lies at berth 7 on staging days.",
            3,
        ),
    ];
    let one = corpus_with(&files);
    let mut other = corpus_with(&[file(DEPLOY, "Something else.", 1)]);
    other.add_file(&files[1]);
    other.add_file(&files[0]);
    let question = ask("staging or production?");
    assert_eq!(one.recall(&question), other.recall(&question));
}

#[test]
fn a_file_that_is_in_the_prompt_already_is_not_returned() {
    let corpus = corpus_with(&[file(DEPLOY, "Push to staging.", 2)]);
    let exclude = HashSet::from([file_ref(DEPLOY)]);
    let query = Query {
        exclude: &exclude,
        ..ask("staging")
    };
    assert_eq!(records(&corpus.recall(&query)), []);
}

#[test]
fn filters_hold_for_files() {
    let corpus = corpus_with(&[file(DEPLOY, "Push to staging.", 10)]);
    let at = |day: i64| Some(Timestamp::utc(day * DAY_MS));
    let passes = |filter: Filter| {
        let query = Query {
            filter: &filter,
            ..ask("staging")
        };
        records(&corpus.recall(&query)) == [file_ref(DEPLOY)]
    };
    let none = || Filter::NONE;
    assert!(passes(none()));
    assert!(passes(Filter {
        since: at(10),
        ..none()
    }));
    assert!(!passes(Filter {
        since: at(11),
        ..none()
    }));
    assert!(passes(Filter {
        until: at(11),
        ..none()
    }));
    assert!(!passes(Filter {
        until: at(10),
        ..none()
    }));
    assert!(!passes(Filter {
        known_on: at(9),
        ..none()
    }));
    assert!(passes(Filter {
        origins: vec![Origin::Assistant],
        ..none()
    }));
    assert!(!passes(Filter {
        origins: vec![Origin::User],
        ..none()
    }));
    assert!(!passes(Filter {
        types: vec![FactType::Goal],
        ..none()
    }));
    assert!(!passes(Filter {
        sessions: vec![session(1)],
        ..none()
    }));
}

#[test]
fn a_file_wants_vectors_and_is_found_by_them() {
    let mut corpus = Corpus::new(Some(stand_in_spec()));
    corpus.add_file(&file(DEPLOY, "Push to the server.", 2));
    let wanted = corpus.missing_vectors();
    let texts: Vec<&str> = wanted.iter().map(|piece| piece.text.as_str()).collect();
    let expected = ["Push to the server."];
    assert_eq!(texts, expected, "the path is for the words only");
    embed_all(&mut corpus);
    assert!(corpus.missing_vectors().is_empty());
    // No word in common, and one of the same meaning.
    let vector = stand_in_vector("aws");
    let query = Query {
        vector: Some(&vector),
        ..ask("aws")
    };
    let found = corpus.recall(&query);
    assert_eq!(records(&found), [file_ref(DEPLOY)]);
    assert_eq!(found.items[0].lanes[0].lane, Lane::Dense);
    corpus.add_file(&file(DEPLOY, "Ask Ines.", 3));
    assert_eq!(
        corpus.missing_vectors().len(),
        1,
        "another text is another vector"
    );
    assert_eq!(records(&corpus.recall(&query)), []);
}
