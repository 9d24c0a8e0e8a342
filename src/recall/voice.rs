//! Who speaks, and whom a question means by it.

use crate::model::{Role, Turn};
use crate::text::fold;
use std::collections::HashMap;
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
    name: Box<str>,
    /// The words of the name, folded.
    words: Vec<String>,
    n_turns: u32,
}

/// What a question says about who spoke.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Meant {
    /// The person whose words the question wants: the one that it names, or the first of several. What "Ann said of Ben" was said by Ann;
    /// with "Ann and Ben" it may have been either, and nobody is meant.
    pub named: Option<Voice>,
    /// In a chat of two without names: who it must have been, by "I" and "you".
    pub implied: Option<Voice>,
    /// The question without the names of those who speak: what is looked for in their words. People rarely say their own name.
    pub words: String,
}

impl Voices {
    /// The voice of a turn that is added.
    pub fn enter(&mut self, turn: &Turn) -> Voice {
        match &turn.speaker {
            Some(name) => self.enter_named(name),
            None => match turn.role {
                Role::User => Voice::User,
                Role::Assistant | Role::Tool => Voice::Assistant,
            },
        }
    }

    /// The voice of a turn that is added, by the speaker's name.
    pub fn enter_named(&mut self, name: &str) -> Voice {
        let next = self.people.len().min(usize::from(u16::MAX)) as u16;
        let number = *self.numbers.entry(name.into()).or_insert(next);
        if usize::from(number) == self.people.len() {
            self.people.push(Person {
                name: name.into(),
                words: name.unicode_words().map(fold).collect(),
                n_turns: 0,
            });
        }
        self.people[usize::from(number)].n_turns += 1;
        Voice::Named(number)
    }

    /// Whether a turn is spoken by this voice.
    pub fn is_of(&self, voice: Voice, turn: &Turn) -> bool {
        match voice {
            Voice::Named(_) => self.name_of(voice) == turn.speaker.as_deref(),
            Voice::User => turn.speaker.is_none() && turn.role == Role::User,
            Voice::Assistant => turn.speaker.is_none() && turn.role != Role::User,
        }
    }

    /// The name of a voice that has one.
    pub fn name_of(&self, voice: Voice) -> Option<&str> {
        match voice {
            Voice::Named(number) => Some(&self.people[usize::from(number)].name),
            Voice::User | Voice::Assistant => None,
        }
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
                named: None,
                implied: implied(text),
                words: text.to_owned(),
            };
        }
        let mut named: Vec<u16> = Vec::new();
        let mut are_joined = false;
        // The words since the last name.
        let mut between: Vec<String> = Vec::new();
        let mut words = String::with_capacity(text.len());
        for part in text.split_word_bounds() {
            let bare = part.trim_end_matches("'s").trim_end_matches("’s");
            let folded = fold(bare);
            let owners = present
                .iter()
                .filter(|(_, person)| person.words.contains(&folded));
            let owners: Vec<u16> = owners.map(|(number, _)| *number).collect();
            if owners.is_empty() {
                words.push_str(part);
                if folded.contains(|c: char| c.is_alphanumeric() || c == '&') {
                    between.push(folded);
                }
                continue;
            }
            let n_before = named.len();
            for owner in owners {
                if !named.contains(&owner) {
                    named.push(owner);
                }
            }
            if n_before < 2 && named.len() > 1 {
                // A name of two people joins them, too.
                are_joined = n_before == 0 || is_joining(&between);
            }
            between.clear();
        }
        Meant {
            named: match named[..] {
                [one] => Some(Voice::Named(one)),
                [first, ..] if !are_joined => Some(Voice::Named(first)),
                _ => None,
            },
            implied: None,
            words,
        }
    }
}

/// Whether what stands between two names makes one subject of them.
fn is_joining(between: &[String]) -> bool {
    const JOINING: &str =
        "and or & with und oder mit et ou avec y o con e i и или с en of met ve veya ile";
    match between {
        [] => true,
        [one] => JOINING.split(' ').any(|word| word == one),
        _ => false,
    }
}

/// "What did you recommend?" asks for Claude's words, "what is my cat called?" for the user's own.
fn implied(text: &str) -> Option<Voice> {
    let folded = fold(text);
    let has = |list: &str| {
        folded
            .unicode_words()
            .any(|word| list.split(' ').any(|one| one == word))
    };
    if has(YOU) && has(ADVISED) {
        Some(Voice::Assistant)
    } else if has(I) || folded.contains(['我', '私', '僕', '俺']) {
        Some(Voice::User)
    } else {
        None
    }
}

/// "I" and "my" in the languages that have a word for them; folded.
const I: &str = "i my me mine ich mein meine meinen meinem meiner mir mich je mon ma mes moi yo mi mis eu meu minha meus minhas mio \
mia miei mie io ik mijn я мой моя мое мои мне меня моей моего ben benim moj moja moje انا मैं मेरा मेरी मेरे मुझे 나는 내 제";

const YOU: &str = "you your du dir dein tu ton te tus voce seu je jij ты твой вы ваш sen senin";

const ADVISED: &str = "recommend recommended recommendation suggest suggested suggestion advise advised advice said told mention \
mentioned answer answered explain explained empfohlen vorgeschlagen gesagt recommande propose dit recomendaste dijiste \
sugeriste recomendou sugeriu посоветовал предложил сказал";
