//! What a question says, read once.

use super::Query;
use super::corpus::Corpus;
use super::voice::Meant;
use crate::text::{DaySpan, Wanted, fold, spoken_days, terms};
use std::collections::BTreeSet;

/// A question as the lanes and the score see it.
pub(super) struct Question {
    /// Whom it names, and its words without that name.
    pub meant: Meant,
    /// The terms of those words, in order.
    pub terms: Vec<String>,
    pub distinct: BTreeSet<String>,
    /// The days it speaks of.
    pub days: Vec<DaySpan>,
    /// It asks when something was.
    pub asks_when: bool,
    /// The kind of thing it asks for.
    pub wanted: Wanted,
    /// It says nothing but past days: "what did we talk about on Tuesday?"
    pub asks_for_days: bool,
    /// What has to be found to the letter, each as its terms: numbers that are no dates, and what stands in quotation marks.
    pub exact: Vec<Vec<String>>,
}

/// Up to so many days from a named day still fit: people tell of a day on the days after it.
const NEAR_DAYS: i32 = 3;

/// A range as long as this names no single day any more.
const NAMED_DAYS: i32 = 7;

impl Question {
    pub fn read(corpus: &Corpus, query: &Query) -> Question {
        let meant = corpus.voices.meant(query.text);
        let today = query.now.date();
        let spoken = spoken_days(&meant.words, today);
        let mut undated = meant.words.clone();
        for expression in spoken.iter().rev() {
            undated.replace_range(expression.bytes.clone(), " ");
        }
        let undated_terms = terms(&undated);
        let is_number = |term: &&String| term.starts_with(|c: char| c.is_ascii_digit());
        let numbers = undated_terms
            .iter()
            .filter(is_number)
            .map(|term| vec![term.clone()]);
        let mut exact: Vec<Vec<String>> = numbers.collect();
        exact.extend(
            quoted(&meant.words)
                .map(terms)
                .filter(|terms| !terms.is_empty()),
        );
        let days: Vec<DaySpan> = spoken.into_iter().map(|spoken| spoken.days).collect();
        let is_past = days.iter().all(|days| i64::from(days.last) < today.days());
        let terms = terms(&meant.words);
        Question {
            asks_for_days: !days.is_empty() && is_past && undated_terms.len() <= 2,
            asks_when: asks_when(query.text),
            wanted: Wanted::of(query.text),
            distinct: terms.iter().cloned().collect(),
            terms,
            days,
            exact,
            meant,
        }
    }

    /// How well days fit those of the question: 1 if one is among them, less if one is close to a named day.
    pub fn time_fit(&self, days: impl Iterator<Item = DaySpan> + Clone) -> f32 {
        let fit = |asked: &DaySpan| {
            let distance = days.clone().map(|day| asked.distance(day)).min();
            match distance {
                Some(0) => 1.0,
                Some(near @ 1..=NEAR_DAYS) if asked.n_days() <= NAMED_DAYS => {
                    1.0 - near as f32 / (NEAR_DAYS + 1) as f32
                }
                _ => 0.0,
            }
        };
        self.days.iter().map(fit).fold(0.0, f32::max)
    }
}

/// What stands between quotation marks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    const MARKS: &[(char, char)] = &[
        ('"', '"'),
        ('“', '”'),
        ('„', '“'),
        ('«', '»'),
        ('「', '」'),
        ('『', '』'),
    ];
    MARKS.iter().filter_map(|(open, close)| {
        let rest = text.split_once(*open)?.1;
        rest.split_once(*close).map(|(inside, _)| inside)
    })
}

/// "When", "since when", "how long", "in which year".
fn asks_when(text: &str) -> bool {
    const WHEN: &str = "when wann quand cuando quando wanneer когда zaman kiedy متي कब 언제";
    const UNSPACED: [&str; 4] = ["什么时候", "何时", "いつ", "何年"];
    const WHICH: &str = "what which how welchem welches quelle quel que qual";
    const TIME: &str =
        "year month day date time week long jahr monat tag annee mois jour ano mes dia";
    let folded = fold(text);
    let words: Vec<&str> = folded.split(|c: char| !c.is_alphanumeric()).collect();
    let is_in = |list: &str, word: &str| list.split(' ').any(|one| one == word);
    words.iter().any(|word| is_in(WHEN, word))
        || words
            .windows(2)
            .any(|pair| is_in(WHICH, pair[0]) && is_in(TIME, pair[1]))
        || UNSPACED.iter().any(|phrase| folded.contains(phrase))
}
