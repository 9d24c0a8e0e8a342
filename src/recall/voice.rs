//! Who speaks, and whom a question means by it.

use crate::model::{Role, Turn};
use crate::text::fold;
use std::collections::{BTreeSet, HashMap};
use unicode_segmentation::UnicodeSegmentation;

/// Who spoke a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Voice {
    User,
    Assistant,
    /// Someone with a name, by number.
    Named(u16),
}

/// The people of a chat between several people, by their names.
#[derive(Default)]
pub(crate) struct Voices {
    numbers: HashMap<Box<str>, u16>,
    people: Vec<Person>,
}

struct Person {
    /// The words of the name, folded.
    words: Vec<String>,
    n_turns: u32,
}

/// What a question says about who spoke.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Meant {
    /// The one person that the question names.
    pub voice: Option<Voice>,
    /// The question without the names of those who speak: what is looked for in their words. People rarely say their own name.
    pub words: String,
}

impl Voices {
    /// The voice of a turn that is added.
    pub fn enter(&mut self, turn: &Turn) -> Voice {
        let Some(name) = &turn.speaker else {
            return match turn.role {
                Role::User => Voice::User,
                Role::Assistant | Role::Tool => Voice::Assistant,
            };
        };
        let next = self.people.len().min(usize::from(u16::MAX)) as u16;
        let number = *self.numbers.entry(name.as_str().into()).or_insert(next);
        if usize::from(number) == self.people.len() {
            let words = name.unicode_words().map(fold).collect();
            self.people.push(Person { words, n_turns: 0 });
        }
        self.people[usize::from(number)].n_turns += 1;
        Voice::Named(number)
    }

    /// A turn of this voice is gone.
    pub fn leave(&mut self, voice: Voice) {
        if let Voice::Named(number) = voice {
            self.people[usize::from(number)].n_turns -= 1;
        }
    }

    /// Reads a question.
    pub fn meant(&self, text: &str) -> Meant {
        let present = (0..).zip(&self.people).filter(|(_, p)| p.n_turns > 0);
        let present: Vec<(u16, &Person)> = present.collect();
        if present.is_empty() {
            return Meant {
                voice: None,
                words: text.to_owned(),
            };
        }
        let mut named = BTreeSet::new();
        let mut words = String::with_capacity(text.len());
        for part in text.split_word_bounds() {
            let bare = part.trim_end_matches("'s").trim_end_matches("’s");
            let folded = fold(bare);
            let owners: Vec<u16> = present
                .iter()
                .filter(|(_, person)| person.words.contains(&folded))
                .map(|(number, _)| *number)
                .collect();
            if owners.is_empty() {
                words.push_str(part);
            }
            named.extend(owners);
        }
        let voice = match named.len() {
            1 => named.first().copied().map(Voice::Named),
            _ => None,
        };
        Meant { voice, words }
    }
}
