//! Finding and blackening words.

use crate::extract::Source;
use serde_json::Value;

/// What stands for an erased letter. As many UTF-16 code units as before, so that the offsets of other evidence still hold.
pub const BLACK: char = '█';

/// Fewer bytes of letters and digits are no sentence of their own: a fact that rests on “yes” must not blacken every “yes”.
/// Twelve are two or three English words, or four letters of a script without spaces.
const MIN_BYTES: usize = 12;

/// Sentences that are to be found nowhere any more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words(Vec<String>);

impl Words {
    /// Takes a sentence, unless it is too short to be one.
    pub fn add(&mut self, sentence: &str) {
        let sentence = sentence.trim().trim_end_matches(['.', '!', '?', '。']);
        let letters = sentence.chars().filter(|c| c.is_alphanumeric());
        if letters.map(char::len_utf8).sum::<usize>() >= MIN_BYTES
            && !self.0.iter().any(|known| known == sentence)
        {
            self.0.push(sentence.into());
        }
    }

    /// The text with each of the sentences blackened, whatever its typography; `None` if there is none in it.
    pub fn blacken(&self, text: &str) -> Option<String> {
        let mut source = Source::new(text.into());
        let mut is_changed = false;
        for sentence in &self.0 {
            while let Some(found) = source.find(sentence) {
                let mut text = source.text;
                let black = blackened(&text[found.clone()]);
                text.replace_range(found, &black);
                source = Source::new(text);
                is_changed = true;
            }
        }
        is_changed.then_some(source.text)
    }

    /// Blackens every text within the value; says whether there was anything.
    pub fn blacken_within(&self, value: &mut Value) -> bool {
        match value {
            Value::String(text) => match self.blacken(text) {
                Some(black) => {
                    *text = black;
                    true
                }
                None => false,
            },
            Value::Array(items) => {
                let changed = items.iter_mut().map(|item| self.blacken_within(item));
                changed.fold(false, |any, one| any | one)
            }
            Value::Object(fields) => {
                let changed = fields.values_mut().map(|field| self.blacken_within(field));
                changed.fold(false, |any, one| any | one)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }

    /// Blackens a text in place; says whether there was anything.
    pub fn blacken_text(&self, text: &mut String) -> bool {
        let black = self.blacken(text);
        let is_changed = black.is_some();
        if let Some(black) = black {
            *text = black;
        }
        is_changed
    }
}

/// As many black signs as the text has UTF-16 code units. Line feeds stay, so that a text keeps its form.
pub(super) fn blackened(text: &str) -> String {
    let signs = text.chars().flat_map(|c| {
        let sign = if c == '\n' { '\n' } else { BLACK };
        std::iter::repeat_n(sign, c.len_utf16())
    });
    signs.collect()
}
