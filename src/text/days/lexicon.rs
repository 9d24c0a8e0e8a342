//! The words for days, weeks, months and years.
//!
//! Folded, as the parser sees them. Each list is one role; a row is one place in it (a month, a weekday), its forms in the
//! languages of the module side by side. Names of months and weekdays carry most of the meaning and are complete; grammar
//! words are the common ones. Where a form means something else in another language (`hier`, `on`) it is left out.

use crate::text::fold;
use std::collections::HashMap;
use std::sync::LazyLock;

/// What a word contributes to an expression of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// 1 to 12.
    Month(u8),
    /// 0 is Monday.
    Weekday(u8),
    Unit(Unit),
    /// Days from today.
    Day(i64),
    /// The one before, this one, the one after: -1, 0, 1.
    Which(i64),
    Ago,
    Number(i64),
    /// "a few", "a couple": two and at most so many.
    Few(i64),
    Since,
    Until,
    After,
    Between,
    And,
    /// What stands before a date or inside it: "in", "of", "the".
    Cue,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Day,
    Weekend,
    Week,
    Month,
    Year,
}

/// The roles of a folded word; a word with several (`second`, `mars`) has the one that comes first here.
pub(super) fn word(token: &str) -> Option<Word> {
    if let Some(word) = WORDS.get(token) {
        return Some(*word);
    }
    // Endings of Russian, Turkish and Arabic names: `январе`, `mayista`.
    let mut stem = token;
    for _ in 0..2 {
        let last = stem.char_indices().next_back()?;
        stem = &stem[..last.0];
        if stem.chars().count() < 4 {
            return None;
        }
        match WORDS.get(stem) {
            Some(word @ (Word::Month(_) | Word::Weekday(_)))
                if !stem.is_ascii() || is_turkish(stem) =>
            {
                return Some(*word);
            }
            Some(word @ (Word::Which(_) | Word::Unit(_))) if !stem.is_ascii() => {
                return Some(*word);
            }
            _ => {}
        }
    }
    None
}

fn is_turkish(stem: &str) -> bool {
    MONTHS
        .iter()
        .chain(WEEKDAYS)
        .any(|row| row.split(' ').nth(TURKISH) == Some(stem))
}

/// The column of Turkish in [`MONTHS`] and [`WEEKDAYS`].
const TURKISH: usize = 4;

/// English, its short form, German, French, Turkish, Spanish, Portuguese, Italian, Dutch, Russian, Polish, Arabic, Hindi.
const MONTHS: &[&str] = &[
    "january jan januar janvier ocak enero janeiro gennaio januari январ stycznia يناير जनवरी",
    "february feb februar fevrier subat febrero fevereiro febbraio februari феврал lutego فبراير फरवरी",
    "march mar marz mars mart marzo marco maart март marca مارس मार्च",
    "april apr april avril nisan abril abril aprile апрел kwietnia ابريل अप्रैल",
    "may may mai mayis mayis mayo maio maggio mei ма мая мае май maja مايو मई",
    "june jun juni juin haziran junio junho giugno июн czerwca يونيو जून",
    "july jul juli juillet temmuz julio julho luglio июл lipca يوليو जुलाई",
    "august aug august aout agustos agosto augustus август sierpnia اغسطس अगस्त",
    "september sep september septembre eylul septiembre setembro settembre sept сентябр wrzesnia سبتمبر सितंबर सितम्बर",
    "october oct oktober octobre ekim octubre outubro ottobre октябр pazdziernika اكتوبر अक्टूबर अक्तूबर",
    "november nov november novembre kasim noviembre novembro ноябр listopada نوفمبر नवंबर नवम्बर",
    "december dec dezember decembre aralik diciembre dezembro dicembre декабр grudnia ديسمبر दिसंबर दिसम्बर",
];

/// English, English plural, German, French, Turkish, Spanish, Portuguese, Italian, Dutch, Russian, Polish, Arabic, Hindi.
const WEEKDAYS: &[&str] = &[
    "monday mondays montag lundi pazartesi lunes lunedi maandag понедельник poniedzialek الاثنين सोमवार",
    "tuesday tuesdays dienstag mardi sali martes martedi dinsdag вторник wtorek الثلاثاء मंगलवार",
    "wednesday wednesdays mittwoch mercredi carsamba miercoles mercoledi woensdag среда среду sroda srode الاربعاء बुधवार",
    "thursday thursdays donnerstag jeudi persembe jueves giovedi donderdag четверг czwartek الخميس गुरुवार",
    "friday fridays freitag vendredi cuma viernes venerdi vrijdag пятница пятницу piatek الجمعه शुक्रवार",
    "saturday saturdays samstag samedi cumartesi sabado sabato zaterdag суббота субботу sobota sobote السبت शनिवार",
    "sunday sundays sonntag dimanche pazar domingo domenica zondag воскресенье niedziela niedziele الاحد रविवार",
];

const UNITS: &[(Unit, &str)] = &[
    (Unit::Weekend, "weekend weekends wochenende"),
    (
        Unit::Day,
        "day days tag tage tagen jour jours gun dia dias giorno giorni dag dagen день дня дней dni dzien يوم ايام दिन दिनों",
    ),
    (
        Unit::Week,
        "week weeks woche wochen semaine semaines hafta semana semanas settimana settimane weken недел tydzien tygodni \
         tygodnie اسبوع اسابيع الاسبوع हफ्ते सप्ताह",
    ),
    (
        Unit::Month,
        "month months monat monate monaten mois ay mes meses mese mesi maand maanden месяц miesiac miesiecy miesiace شهر \
         اشهر الشهر महीने",
    ),
    (
        Unit::Year,
        "year years jahr jahre jahren ans annee annees yil ano anos anno anni jaar год года году лет rok lat lata roku سنه \
         سنوات عام العام साल वर्ष",
    ),
];

const DAYS: &[(i64, &str)] = &[
    (
        0,
        "today tonight heute aujourd hoy hoje oggi vandaag сегодня bugun dzisiaj اليوم आज",
    ),
    (
        -1,
        "yesterday gestern ayer ontem ieri gisteren вчера dun wczoraj امس कल",
    ),
    (-2, "vorgestern anteayer anteontem позавчера परसों"),
    (
        1,
        "tomorrow morgen manana amanha demain domani завтра yarin jutro غدا",
    ),
];

const WHICH: &[(i64, &str)] = &[
    (
        -1,
        "last past previous letzte letzten letzter letztes letztem vorige vorigen vergangene vergangenen dernier derniere \
         derniers passe passee pasado pasada ultimo ultima ultimos ultimas passado passada scorso scorsa scorsi vorige \
         afgelopen прошл последн gecen zeszly zeszlym zeszlego ostatni الماضي الماضيه पिछले पिछली पिछला",
    ),
    (
        0,
        "this current diese diesen dieser dieses diesem cette este esta estos questo questa deze dit эт bu tym tego هذا هذه इस",
    ),
    (
        1,
        "next coming upcoming nachste nachsten nachster nachstes prochain prochaine proximo proxima prossimo prossima volgende \
         следующ gelecek przyszly przyszlym القادم القادمه अगले अगली",
    ),
];

const NUMBERS: &[(i64, &str)] = &[
    (
        1,
        "a an one ein eine einem einer un une una um uma een один одну bir एक",
    ),
    (2, "two zwei deux dos duas dois due twee два две iki दो"),
    (3, "three drei trois tres tre drie три uc तीन"),
    (4, "four vier quatre cuatro quattro четыре dort चार"),
    (5, "five funf cinq cinco cinque vijf пять bes"),
    (6, "six sechs seis sei zes шесть alti"),
    (7, "seven sieben sept siete sete sette zeven семь yedi"),
    (8, "eight acht huit ocho oito otto"),
    (9, "nine neun neuf nueve nove negen"),
    (10, "ten zehn dix diez dez dieci tien"),
    (12, "twelve"),
];

const OTHERS: &[(Word, &str)] = &[
    (Word::Few(3), "couple"),
    (
        Word::Few(5),
        "few several einige paar quelques unos algunos alguns qualche несколько birkac",
    ),
    (
        Word::Ago,
        "ago earlier vor hace atras fa geleden назад once wczesniej temu قبل منذ पहले",
    ),
    (Word::Since, "since seit desde depuis dal sinds от beri"),
    (
        Word::Until,
        "until till before bis vor hasta avant jusqu tot до przed",
    ),
    (
        Word::After,
        "after nach apres despues depois dopo na после sonra",
    ),
    (Word::Between, "between zwischen entre tra между miedzy"),
    (
        Word::Cue,
        "in on at of the early late mid end beginning during by from im am dem den des ende anfang mitte en el la los del le \
         de di nel em no na i v в во fin debut inicio",
    ),
    (Word::And, "and to und bis et y e ed en и i"),
];

static WORDS: LazyLock<HashMap<String, Word>> = LazyLock::new(|| {
    let mut words = HashMap::new();
    let mut put = |forms: &str, word: Word| {
        for form in forms.split(' ').filter(|form| !form.is_empty()) {
            words.entry(fold(form)).or_insert(word);
        }
    };
    (1..)
        .zip(MONTHS)
        .for_each(|(month, forms)| put(forms, Word::Month(month)));
    (0..)
        .zip(WEEKDAYS)
        .for_each(|(day, forms)| put(forms, Word::Weekday(day)));
    UNITS
        .iter()
        .for_each(|(unit, forms)| put(forms, Word::Unit(*unit)));
    DAYS.iter()
        .for_each(|(days, forms)| put(forms, Word::Day(*days)));
    WHICH
        .iter()
        .for_each(|(which, forms)| put(forms, Word::Which(*which)));
    OTHERS.iter().for_each(|(word, forms)| put(forms, *word));
    NUMBERS
        .iter()
        .for_each(|(number, forms)| put(forms, Word::Number(*number)));
    words
});
