//! How a prompt shows an artifact: a reference with its beginning, and a range of it on demand.
//!
//! Both are text that stays in the prompt as it was sent; nothing here is computed again later.

use crate::model::Artifact;
use std::fmt::Write;

/// Texts above this are set aside: some 6,000 tokens, which every later request of the session would carry.
/// Chosen, not measured.
pub const MAX_INLINE_BYTES: usize = 20_000;
/// The largest text that is kept: even one of control characters, which JSON spells with six bytes each, fits a line of an import.
pub const MAX_ARTIFACT_BYTES: usize = 4 << 20;
/// How many characters of the beginning stand in the prompt: enough to tell what it is.
const PREVIEW_CHARS: usize = 1_000;
/// The longest range of one call. With four bytes to a character it stays below the limit of a result.
pub const MAX_RANGE_CHARS: u64 = 10_000;

/// What stands in a prompt in the place of an artifact.
pub fn reference(artifact: &Artifact) -> String {
    let mut text = format!(
        "[artifact {}, “{}”: {} characters in all, kept on the person's device. The first {PREVIEW_CHARS} follow; read others with read_artifact.]\n",
        artifact.id,
        one_line(&artifact.name),
        artifact.text.chars().count(),
    );
    text.extend(artifact.text.chars().take(PREVIEW_CHARS));
    text
}

/// The characters from this one on, at most `MAX_RANGE_CHARS`, below a line that says which they are.
pub fn range(artifact: &Artifact, from: u64, length: u64) -> String {
    let whole = artifact.text.chars().count() as u64;
    let from = from.min(whole);
    let until = from.saturating_add(length.min(MAX_RANGE_CHARS)).min(whole);
    let mut text = String::new();
    let _ = writeln!(text, "[characters {from} to {until} of {whole}]");
    let range = artifact.text.chars().skip(from as usize);
    text.extend(range.take((until - from) as usize));
    text
}

/// A name that can not close the reference around it.
fn one_line(name: &str) -> String {
    let plain = |c: char| match c {
        c if c.is_control() => ' ',
        '[' => '(',
        ']' => ')',
        c => c,
    };
    name.chars().take(200).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ArtifactId;
    use crate::time::Timestamp;

    fn artifact(name: &str, text: &str) -> Artifact {
        Artifact {
            v: Artifact::VERSION,
            id: ArtifactId::new(1, 1),
            turn: None,
            name: name.into(),
            text: text.into(),
            at: Timestamp::utc(0),
        }
    }

    #[test]
    fn a_reference_names_it_and_shows_its_beginning() {
        let long = artifact("log\n] done [x", &"é".repeat(30_000));
        let text = reference(&long);
        let (head, beginning) = text.split_once('\n').unwrap();
        assert_eq!(
            head,
            format!(
                "[artifact {}, “log ) done (x”: 30000 characters in all, kept on the person's device. The first 1000 follow; read others with read_artifact.]",
                long.id
            )
        );
        assert_eq!(beginning, "é".repeat(1_000));
    }

    #[test]
    fn ranges_put_together_are_the_whole() {
        let text: String = (0..25_000).map(|i| ['a', 'é', '漢', '👩'][i % 4]).collect();
        let whole = artifact("x", &text);
        let mut read = String::new();
        for from in (0..25_000).step_by(7_000) {
            let part = range(&whole, from, 7_000);
            let (head, part) = part.split_once('\n').unwrap();
            let until = (from + 7_000).min(25_000);
            assert_eq!(head, format!("[characters {from} to {until} of 25000]"));
            read.push_str(part);
        }
        assert_eq!(read, text);
    }

    #[test]
    fn a_range_is_bounded_and_may_lie_beyond_the_end() {
        let whole = artifact("x", &"👩".repeat(40_000));
        let most = range(&whole, 5, u64::MAX);
        assert!(most.starts_with("[characters 5 to 10005 of 40000]\n"));
        assert!(most.len() < super::super::call::MAX_RESULT_BYTES);
        let beyond = range(&whole, u64::MAX, u64::MAX);
        assert_eq!(beyond, "[characters 40000 to 40000 of 40000]\n");
    }
}
