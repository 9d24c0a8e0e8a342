//! Light English stemming: plurals, -ed, -ing, -ment, the silent e, and the common irregular forms.
//!
//! A stem is a key, not a word (`bake` and `baking` become `bak`). Heavier stemmers join words that a person tells apart
//! (`university`, `universe`), which costs precision in a small store.

/// The stem of a folded word; words that are not plain `a` to `z` stay as they are.
pub fn stem(word: &str) -> String {
    if !word.bytes().all(|b| b.is_ascii_lowercase()) {
        return arabic_article(word).to_owned();
    }
    let regular = irregular(word).unwrap_or(word);
    let mut stem = regular.to_owned();
    if stem.len() > 4 && (stem.ends_with("ies") || stem.ends_with("ied")) {
        stem.truncate(stem.len() - 3);
        stem.push('y');
    } else if stem.len() > 3
        && stem.ends_with('s')
        && !["ss", "us", "is"].iter().any(|end| stem.ends_with(end))
    {
        stem.pop();
    }
    if stem.len() > 5 && stem.ends_with("ing") {
        drop_verb_ending(&mut stem, 3);
    } else if stem.len() > 4 && stem.ends_with("ed") && !stem.ends_with("eed") {
        drop_verb_ending(&mut stem, 2);
    }
    // `deployment` meets `deploy`; shorter words (`moment`, `comment`) are whole.
    if stem.len() > 8 && stem.ends_with("ment") {
        stem.truncate(stem.len() - 4);
    }
    if stem.len() > 3 && stem.ends_with('e') {
        stem.pop();
    }
    stem
}

/// Removes the ending if a vowel is left before it (`string` keeps its ending), and a doubled consonant with it.
fn drop_verb_ending(stem: &mut String, ending: usize) {
    let rest = &stem[..stem.len() - ending];
    if !rest.contains(['a', 'e', 'i', 'o', 'u', 'y']) {
        return;
    }
    let doubled = ["bb", "dd", "gg", "mm", "nn", "pp", "rr", "tt"];
    let keep = rest.len() - usize::from(doubled.iter().any(|pair| rest.ends_with(pair)));
    stem.truncate(keep);
}

/// The Arabic article is written as part of the word.
fn arabic_article(word: &str) -> &str {
    let bare = word.strip_prefix("وال").or_else(|| word.strip_prefix("ال"));
    bare.filter(|rest| rest.chars().count() >= 3)
        .unwrap_or(word)
}

/// Forms that no ending gives away. Only verbs and nouns of everyday talk; a rare form finds itself anyway.
fn irregular(word: &str) -> Option<&'static str> {
    Some(match word {
        "children" => "child",
        "people" => "person",
        "men" => "man",
        "women" => "woman",
        "feet" => "foot",
        "teeth" => "tooth",
        "mice" => "mouse",
        "wives" => "wife",
        "lives" => "life",
        "knives" => "knife",
        "leaves" => "leave",
        "went" | "gone" | "goes" => "go",
        "bought" => "buy",
        "brought" => "bring",
        "thought" => "think",
        "taught" => "teach",
        "caught" => "catch",
        "made" => "make",
        "said" => "say",
        "told" => "tell",
        "sold" => "sell",
        "took" | "taken" => "take",
        "gave" | "given" => "give",
        "came" => "come",
        "became" => "become",
        "ran" => "run",
        "saw" | "seen" => "see",
        "met" => "meet",
        "kept" => "keep",
        "slept" => "sleep",
        "felt" => "feel",
        "held" => "hold",
        "built" => "build",
        "sent" => "send",
        "spent" => "spend",
        "lost" => "lose",
        "won" => "win",
        "paid" => "pay",
        "heard" => "hear",
        "read" => "read",
        "wrote" | "written" => "write",
        "drove" | "driven" => "drive",
        "rode" | "ridden" => "ride",
        "ate" | "eaten" => "eat",
        "drank" | "drunk" => "drink",
        "sang" | "sung" => "sing",
        "swam" | "swum" => "swim",
        "began" | "begun" => "begin",
        "broke" | "broken" => "break",
        "spoke" | "spoken" => "speak",
        "chose" | "chosen" => "choose",
        "flew" | "flown" => "fly",
        "grew" | "grown" => "grow",
        "knew" | "known" => "know",
        "drew" | "drawn" => "draw",
        "threw" | "thrown" => "throw",
        "wore" | "worn" => "wear",
        "fell" | "fallen" => "fall",
        "hidden" | "hid" => "hide",
        "forgot" | "forgotten" => "forget",
        "understood" => "understand",
        "stood" => "stand",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::stem;

    #[test]
    fn forms_of_a_word_meet() {
        for group in [
            &["bake", "baked", "bakes", "baking"][..],
            &["study", "studies", "studied", "studying"],
            &["plan", "plans", "planned", "planning"],
            &["box", "boxes"],
            &["class", "classes"],
            &["deploy", "deployed", "deployment", "deployments"],
            &["buy", "buys", "bought", "buying"],
            &["child", "children"],
            &["feel", "feeling", "feelings", "felt"],
            &["allergy", "allergies"],
            &["الكلب", "كلب"],
        ] {
            for word in group {
                assert_eq!(stem(word), stem(group[0]), "{word}");
            }
        }
    }

    #[test]
    fn other_words_stay_apart() {
        for (one, other) in [
            ("string", "stre"),
            ("need", "ne"),
            ("bus", "bu"),
            ("gas", "ga"),
            ("moment", "mo"),
            ("kid", "kind"),
            ("news", "us"),
        ] {
            assert_ne!(stem(one), stem(other));
        }
    }
}
