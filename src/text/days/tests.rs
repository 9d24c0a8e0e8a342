//! Said on Wednesday, 2026-11-18, unless a test says otherwise.

use super::*;
use crate::time::Date;

const TODAY: Date = Date {
    year: 2026,
    month: 11,
    day: 18,
};

/// The spans of a text as `first..last`, or one day.
fn days(text: &str, today: Date) -> Vec<String> {
    let show = |day: i32| Date::from_days(i64::from(day)).to_string();
    let one = |spoken: SpokenDays| match spoken.days {
        span if span.first == span.last => show(span.first),
        span => format!("{}..{}", show(span.first), show(span.last)),
    };
    spoken_days(text, today).into_iter().map(one).collect()
}

#[track_caller]
fn check(rows: &[(&str, &str)]) {
    for (text, expected) in rows {
        let expected: Vec<&str> = expected.split(' ').filter(|day| !day.is_empty()).collect();
        assert_eq!(days(text, TODAY), expected, "{text}");
    }
}

#[test]
fn dates_with_everything_said() {
    check(&[
        ("on 2022-05-07", "2022-05-07"),
        ("May 7, 2022", "2022-05-07"),
        ("7 May 2022", "2022-05-07"),
        ("the 7th of May, 2022", "2022-05-07"),
        ("May 2nd 2022 and June 3rd 2023", "2022-05-02 2023-06-03"),
        ("7.5.2022", "2022-05-07"),
        ("31/12/2022", "2022-12-31"),
        // Day and month can not be told apart: both, and what is between.
        ("5/7/2022", "2022-05-07..2022-07-05"),
        ("in May 2022", "2022-05-01..2022-05-31"),
        ("in 2022", "2022-01-01..2022-12-31"),
    ]);
}

#[test]
fn without_a_year_the_latest_one() {
    check(&[
        ("What happened on May 7?", "2026-05-07"),
        ("on December 24", "2025-12-24"),
        ("in March", "2026-03-01..2026-03-31"),
        ("in December", "2025-12-01..2025-12-31"),
        ("in November", "2026-11-01..2026-11-30"),
        ("last March", "2026-03-01..2026-03-31"),
        ("last November", "2025-11-01..2025-11-30"),
        ("next January", "2027-01-01..2027-01-31"),
    ]);
}

#[test]
fn counted_from_today() {
    check(&[
        ("yesterday", "2026-11-17"),
        ("Are you free tomorrow?", "2026-11-19"),
        ("two days ago", "2026-11-16"),
        ("10 days ago", "2026-11-08"),
        ("two weeks ago", "2026-11-01..2026-11-07"),
        ("a week ago", "2026-11-08..2026-11-14"),
        ("3 months ago", "2026-08-01..2026-08-31"),
        ("a year ago", "2025-01-01..2025-12-31"),
        ("a few days ago", "2026-11-13..2026-11-16"),
        ("a couple of days ago", "2026-11-15..2026-11-16"),
        ("last week", "2026-11-09..2026-11-15"),
        ("this month", "2026-11-01..2026-11-30"),
        ("last month", "2026-10-01..2026-10-31"),
        ("last year", "2025-01-01..2025-12-31"),
        ("last weekend", "2026-11-13..2026-11-15"),
        ("in the last two weeks", "2026-11-01..2026-11-18"),
        ("over the past 3 months", "2026-08-01..2026-11-18"),
    ]);
}

#[test]
fn weekdays() {
    check(&[
        ("on Tuesday", "2026-11-17"),
        ("on Wednesday", "2026-11-11"),
        ("last Friday", "2026-11-13"),
        ("this Friday", "2026-11-20"),
        ("next Monday", "2026-11-23"),
        ("next Wednesday", "2026-11-25"),
    ]);
}

#[test]
fn ranges() {
    check(&[
        ("since March", "2026-03-01..2026-11-18"),
        (
            "between August 11 and August 15 2023",
            "2023-08-15..2026-08-11",
        ),
        (
            "between 11 August 2023 and 15 August 2023",
            "2023-08-11..2023-08-15",
        ),
        ("from May to July", "2026-05-01..2026-07-31"),
        ("after May 7", "2026-05-08..2026-11-18"),
        ("the second week of November", "2026-11-08..2026-11-14"),
        ("first week of June 2023", "2023-06-01..2023-06-07"),
    ]);
    let before = spoken_days("before May 2022", TODAY);
    assert_eq!(
        i64::from(before[0].days.last),
        Date {
            year: 2022,
            month: 4,
            day: 30
        }
        .days()
    );
    assert!(before[0].days.n_days() > 100_000);
}

#[test]
fn words_that_only_look_like_time() {
    check(&[
        ("You may march on", ""),
        ("April said so", ""),
        ("2 weeks of holiday", ""),
        ("the last cookie", ""),
        ("I ate 1500 grams", ""),
        ("room 2026b is 12 m long", "2026-01-01..2026-12-31"),
        ("version 1.2.3", ""),
        ("February 30, 2022", "2022-01-01..2022-12-31"),
        ("", ""),
    ]);
}

#[test]
fn other_languages() {
    check(&[
        ("am 7. Mai 2022", "2022-05-07"),
        ("vor drei Tagen", "2026-11-15"),
        ("letzte Woche", "2026-11-09..2026-11-15"),
        ("im März", "2026-03-01..2026-03-31"),
        ("gestern", "2026-11-17"),
        ("am Dienstag", "2026-11-17"),
        ("le 7 mai 2022", "2022-05-07"),
        ("il y a 3 jours", "2026-11-15"),
        ("la semaine dernière", "2026-11-09..2026-11-15"),
        ("el 7 de mayo de 2022", "2022-05-07"),
        ("hace 3 días", "2026-11-15"),
        ("el mes pasado", "2026-10-01..2026-10-31"),
        ("no mês passado", "2026-10-01..2026-10-31"),
        ("la settimana scorsa", "2026-11-09..2026-11-15"),
        ("tre giorni fa", "2026-11-15"),
        ("vorige week", "2026-11-09..2026-11-15"),
        ("7 мая 2022", "2022-05-07"),
        ("в марте", "2026-03-01..2026-03-31"),
        ("3 дня назад", "2026-11-15"),
        ("на прошлой неделе", "2026-11-09..2026-11-15"),
        ("7 Mayıs 2022", "2022-05-07"),
        ("3 gün önce", "2026-11-15"),
        ("geçen hafta", "2026-11-09..2026-11-15"),
        ("7 مايو 2022", "2022-05-07"),
        ("قبل 3 أيام", "2026-11-15"),
        ("الأسبوع الماضي", "2026-11-09..2026-11-15"),
        ("7 मई 2022", "2022-05-07"),
        ("3 दिन पहले", "2026-11-15"),
        ("पिछले हफ्ते", "2026-11-09..2026-11-15"),
        ("2022年5月7日", "2022-05-07"),
        ("5月7号我去了北京", "2026-05-07"),
        ("三天前", "2026-11-15"),
        ("上周", "2026-11-09..2026-11-15"),
        ("昨日、東京に", "2026-11-17"),
        ("先月", "2026-10-01..2026-10-31"),
        ("2022년 5월 7일", "2022-05-07"),
        ("지난주", "2026-11-09..2026-11-15"),
        ("3일 전", "2026-11-15"),
    ]);
}

#[test]
fn the_place_is_where_the_words_are() {
    let text = "Où étais-je le 7 mai 2022 ?";
    let [found] = &spoken_days(text, TODAY)[..] else {
        panic!("one date");
    };
    assert!(text[found.bytes.clone()].ends_with("7 mai 2022"));
}

#[test]
fn every_text_is_read_without_a_panic() {
    let words = [
        "last", "7", "May", "2022", "of", "ago", "a", "few", "weeks", "since", "年", "5", "月",
        "-", "th", "٣", "to", "Friday",
    ];
    // Every triple; a date can stand at the very end of what is looked at.
    for a in words {
        for b in words {
            for c in words {
                for today in [
                    TODAY,
                    Date {
                        year: 1,
                        month: 1,
                        day: 1,
                    },
                    Date {
                        year: 9999,
                        month: 12,
                        day: 31,
                    },
                ] {
                    for spoken in spoken_days(&format!("{a} {b}{c}"), today) {
                        assert!(spoken.days.first <= spoken.days.last);
                    }
                }
            }
        }
    }
}
