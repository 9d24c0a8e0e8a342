//! Whether a text can hold the kind of thing that a question asks for: a name, or a number.
//!
//! "Which band did we see?" is not answered by "It was so loud!", however well the words agree. Names are told by their capital
//! letters, so this knows nothing about scripts without them, and says little in German, which writes all nouns so.

use super::fold;
use unicode_segmentation::UnicodeSegmentation;

/// A text with more names than this is no better an answer.
const ENOUGH_NAMES: u8 = 2;

/// What a text could be the answer to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnswerForm {
    n_names: u8,
    has_number: bool,
}

/// What kind of thing a question asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Somebody, or something that has a name.
    pub name: bool,
    /// How many, how long, how old.
    pub number: bool,
}

impl AnswerForm {
    /// What a text holds.
    pub fn of(text: &str) -> AnswerForm {
        let mut n_names = 0;
        let mut begins = true;
        for word in text.split_whitespace() {
            let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
            n_names += u8::from(!begins && is_name(bare));
            if n_names == ENOUGH_NAMES {
                break;
            }
            let end = word.trim_end_matches(['"', '”', '’', '\'', ')', ']']);
            begins = bare.is_empty() || end.ends_with(['.', '!', '?', ':', '…']);
        }
        let has_number = text.contains(char::is_numeric)
            || text.unicode_words().any(|word| is_in(NUMBERS, &fold(word)));
        AnswerForm {
            n_names,
            has_number,
        }
    }

    /// As a number below 8.
    pub(crate) fn bits(self) -> u8 {
        self.n_names << 1 | u8::from(self.has_number)
    }

    /// The form of these [`bits`](AnswerForm::bits); those above the third are passed over.
    pub(crate) fn from_bits(bits: u8) -> AnswerForm {
        AnswerForm {
            n_names: (bits >> 1 & 3).min(ENOUGH_NAMES),
            has_number: bits & 1 == 1,
        }
    }

    /// From 0 to 1: how well this has the form that is wanted. A number is half as telling as two names, since "one" is also
    /// said of nothing in particular.
    pub fn fit(self, wanted: Wanted) -> f32 {
        let names = f32::from(self.n_names) / f32::from(ENOUGH_NAMES);
        let by_name = if wanted.name { names } else { 0.0 };
        let by_number = if wanted.number && self.has_number {
            0.5
        } else {
            0.0
        };
        f32::max(by_name, by_number)
    }
}

impl Wanted {
    /// What a question asks for.
    pub fn of(question: &str) -> Wanted {
        let folded = fold(question);
        let words: Vec<&str> = folded.unicode_words().collect();
        let begins = |list| words.first().is_some_and(|word| is_in(list, word));
        let asks_which = words.iter().enumerate().any(|(place, word)| {
            let mut after = words[place + 1..].iter().take(3);
            is_in(WHICH, word) && after.any(|word| is_in(NAMED, word.trim_end_matches('s')))
        });
        Wanted {
            name: begins(WHO) || words.iter().any(|word| is_in(CALLED, word)) || asks_which,
            number: words.iter().any(|word| is_in(HOW_MANY, word))
                || words
                    .windows(2)
                    .any(|pair| is_in(HOW, pair[0]) && is_in(MUCH, pair[1])),
        }
    }
}

/// A capital letter where no sentence begins. "I" is no name, nor is any single letter.
fn is_name(word: &str) -> bool {
    let mut characters = word.chars();
    characters.next().is_some_and(char::is_uppercase)
        && characters.next().is_some_and(char::is_alphabetic)
}

fn is_in(list: &str, word: &str) -> bool {
    list.split(' ').any(|one| one == word)
}

/// Who and where, at the beginning of a question; folded.
const WHO: &str = "who whose which where wer wen wem wo wohin woher welche welcher welches qui ou quel quelle quien quienes donde \
quem onde chi dove waar кто где куда kim nerede";

/// Words that ask for a name or a place wherever they stand.
const CALLED: &str = "where name named called title heisst heissen hiess appelle nomme llama chama chiama heet зовут";

const WHICH: &str = "what which was welche welcher welches quel quelle que qual quale";

/// What usually has a name of its own, without the ending of the plural.
const NAMED: &str = "book movie film city country state band game song show serie artist author company brand restaurant place \
breed composer musician team school shop store club app site website doctor friend colleague street hotel airline model car \
dog cat pet language buch stadt land firma livre ville pays libro ciudad pai cidade citta";

const HOW_MANY: &str = "wieviel wieviele combien cuanto cuantos cuanta cuantas quanto quantos quanta quantas quanti quante hoeveel сколько";

const HOW: &str = "how wie hoe";

const MUCH: &str = "many much long old often far big tall viel viele lange alt oft weit gross hoch vaak lang oud ver";

const NUMBERS: &str = "one two three four five six seven eight nine ten dozen couple once twice first second third half \
zwei drei vier funf sechs sieben acht neun zehn deux trois quatre cinq dos tres cuatro cinco";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_texts_hold() {
        for (text, n_names, has_number) in [
            ("", 0, false),
            ("Great to hear. That is lovely!", 0, false),
            ("I am sure I said so.", 0, false),
            ("We saw \"Dune\" in Oslo with Ana.", 2, false),
            ("She said: \"Fine.\" Then we left for Rome.", 1, false),
            ("We have two cats.", 0, true),
            ("It took 5 hours.", 0, true),
            ("мы были в Москве", 1, false),
            ("٣ أيام", 0, true),
        ] {
            let expected = AnswerForm {
                n_names,
                has_number,
            };
            assert_eq!(AnswerForm::of(text), expected, "{text}");
        }
    }

    #[test]
    fn what_questions_want() {
        for (question, name, number) in [
            ("Who came to dinner?", true, false),
            ("Do you know where we met?", true, false),
            ("What is my cat called?", true, false),
            ("Which of the two?", true, false),
            ("What kind of movies do I like?", true, false),
            ("What did I say about work?", false, false),
            ("How many cats do I have?", false, true),
            ("Wie lange wohne ich hier?", false, true),
            ("Où est mon livre ?", true, false),
            ("How do I feel?", false, false),
            ("", false, false),
        ] {
            assert_eq!(Wanted::of(question), Wanted { name, number }, "{question}");
        }
    }

    #[test]
    fn the_form_fits_what_is_wanted_only() {
        let (name, number) = (Wanted::of("Who?"), Wanted::of("How many?"));
        let form = |text| AnswerForm::of(text);
        assert_eq!(form("with Ana and Ben").fit(name), 1.0);
        assert_eq!(form("with Ana").fit(name), 0.5);
        assert_eq!(form("with Ana").fit(number), 0.0);
        assert_eq!(form("with two others").fit(number), 0.5);
        assert_eq!(form("with Ana and Ben, 5").fit(Wanted::default()), 0.0);
    }
}
