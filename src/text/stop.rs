//! Words that say nothing about the subject.
//!
//! English in full, and the commonest words of a few more languages. A word of another language that is also an English word
//! with a meaning (`die`, `war`, `son`, `pour`, `come`) is left out: common words weigh little in BM25 anyway.

use super::fold;
use std::{collections::HashSet, sync::LazyLock};

/// Whether a folded word, without its apostrophes, is a stop word.
pub fn is_stop_word(word: &str) -> bool {
    STOP_WORDS.contains(word)
}

/// Chinese characters that are grammar when they stand alone.
pub fn is_stop_character(c: char) -> bool {
    "的了是我你他她它们在有和与吗呢吧啊不也就都这那一个为什么何".contains(c)
}

/// Pairs of Japanese letters that are grammar wherever they stand.
pub fn is_stop_pair(a: char, b: char) -> bool {
    const PAIRS: &str = "です ます ませ をし しま うな まし した して すか たか てい いま いる いた あり りま ある には では から まで とい どの どこ どう いつ \
                         なに 何で 何を を何 に何 は何 何か さん んで でい とき もの こと いて んな この その あの うな なり ました はど をど にど";
    PAIRS.split(' ').any(|pair| {
        let mut chars = pair.chars();
        chars.next() == Some(a) && chars.next() == Some(b)
    })
}

/// Folded, as the pipeline sees words.
static STOP_WORDS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    LISTS
        .iter()
        .flat_map(|list| list.split(' '))
        .map(fold)
        .collect()
});

/// Without apostrophes.
const LISTS: &[&str] = &[
    // English: articles, pronouns, prepositions, conjunctions, auxiliaries.
    "a an the this that these those i me my mine myself you your yours yourself he him his himself she her hers herself \
     it its itself we us our ours ourselves they them their theirs themselves who whom whose which what where when why how \
     there here of in on at to for from by with about into onto over under after before between through during against \
     without within upon off out up down as than then so if or and but nor not no yes because while until though although \
     is am are was were be been being do does did doing done have has had having can could will would shall should may \
     might must ought let lets get gets got getting",
    // English: fillers, and what is left of contractions when the apostrophe is gone.
    "im ive id ill youre youve youd youll hes shes theyre theyve theyd theyll weve wed were its thats theres heres whats \
     wheres whos hows dont doesnt didnt isnt arent wasnt werent hasnt havent hadnt cant couldnt wont wouldnt shouldnt \
     mustnt aint also just very too really any some all both each every either neither other another such same own only \
     more most much many few less least again ever even still now well oh ok okay yeah please",
    // German
    "der das den dem des ein eine einen einem einer eines und oder aber ist sind bin bist wird werden wurde ich du er sie \
     wir ihr mich dich mir dir uns euch mein meine meinen meinem meiner dein deine nicht kein keine mit auf fur von zu zum \
     zur im ins am aus bei nach uber wie wo wer wann warum welche welcher welches auch noch nur wenn dass hat habe haben \
     hatte unser unsere unserem unseren unserer dieser diese dieses gibt habe hast was fur",
    // French
    "le la les un une du de et ou est sont dans que qui quoi sur avec je tu il elle nous vous ils elles mon ma mes ton ta \
     tes sa ses ce cette ces ne pas au aux en qu ai as avons avez ont suis es sommes etes nos notre votre vos leur leurs quel quelle quels quelles comment quand chez appelle appellent avez ai",
    // Spanish, Portuguese, Italian
    "el los las unos unas y con por para mi mis su sus se lo del al pero esta este donde cuando quien cual os uma umas em \
     com meu minha meus minhas seu sua da na nas dos ao nao gli uno di che non per mio mia miei sono sei siamo della del \
     dello nella nuestro nuestra nuestros nuestras tenemos tengo hay nosso nossa nossos nossas temos tenho ho hai ha quale quali cosa \
     dove abbiamo nostro nostra nostri nostre gli fatto cui como fiz onde alle dal alguna alguno algun alguma algum qual quais qualche llaman llama \
     chiama chiamano chamam chama",
    // Dutch
    "het een van ik niet op te dat voor met mijn zijn er ook maar naar wat waar hoe jij je wij ons onze hebben heb heeft welk welke bij uit deze mij heet heten",
    // Polish
    "i w z u o na nie sie co czy mam ma maja jak jaki jaka jakie jakiego gdzie kiedy kto moj moja moje moimi nasz nasza nasze nasi oraz dla przez",
    // Turkish
    "bir ve bu ne mi icin ile hangi nasil nerede benim bizim olarak cok var adi",
    // Russian
    "и в во не на я что с со он она оно мы вы они по это как мои моя мое у к ко но а из за то от до для о об где когда кто \
     же бы ли мне меня тебя мой твой наш ваш наша наше наши нашу нас нам есть какой какая какое какие какую мои моим моих зовут",
    // Arabic
    "في من علي الي عن هذا هذه ان ما هو هي انا انت نحن هل لا كان اي ماذا متي اين كيف لدينا عندي مع بعد بدون التي الذي",
    // Hindi
    "का की के है हैं हूँ था थी थे में से को ने पर और क्या कौन कब कहाँ कैसे कोई यह वह मैं मैंने मुझे मेरा मेरी मेरे हम हमारा हमारी हमारे एक सा सी लिए",
    // Korean
    "우리 우리가 저는 나는 제가 내가 저한테 뭐예요 뭐 어떤 어디에 어디 언제 어떻게 있어요 있나요 했죠 했어요 됐어요 이라는 라는 무엇",
];

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_normalization::char::is_combining_mark;

    #[test]
    fn the_lists_hold_single_words() {
        for word in STOP_WORDS.iter() {
            assert!(
                !word.is_empty()
                    && word
                        .chars()
                        .all(|c| c.is_alphabetic() || is_combining_mark(c)),
                "{word:?}"
            );
        }
        for word in ["the", "твои", "fur", "علي"] {
            assert!(is_stop_word(word), "{word}");
        }
    }

    #[test]
    fn words_with_a_meaning_are_kept() {
        for word in [
            "die", "war", "son", "pour", "come", "kid", "may2", "man", "no1",
        ] {
            assert!(!is_stop_word(word), "{word}");
        }
    }
}
