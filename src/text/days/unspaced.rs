//! Chinese, Japanese and Korean expressions, which are not parted by spaces.

use super::lexicon::Unit;
use super::parse::Reader;
use super::span::{DaySpan, real_date};
use super::tokens::{Kind, Token};

/// Days from today.
const DAYS: &[(&str, i64)] = &[
    ("今天", 0),
    ("今日", 0),
    ("昨天", -1),
    ("昨日", -1),
    ("一昨日", -2),
    ("前天", -2),
    ("おととい", -2),
    ("明天", 1),
    ("明日", 1),
    ("きのう", -1),
    ("きょう", 0),
    ("오늘", 0),
    ("어제", -1),
    ("그저께", -2),
    ("내일", 1),
];

const PERIODS: &[(&str, Unit, i64)] = &[
    ("上周", Unit::Week, -1),
    ("上週", Unit::Week, -1),
    ("上星期", Unit::Week, -1),
    ("先週", Unit::Week, -1),
    ("지난주", Unit::Week, -1),
    ("这周", Unit::Week, 0),
    ("今週", Unit::Week, 0),
    ("上个月", Unit::Month, -1),
    ("上個月", Unit::Month, -1),
    ("上月", Unit::Month, -1),
    ("先月", Unit::Month, -1),
    ("지난달", Unit::Month, -1),
    ("这个月", Unit::Month, 0),
    ("今月", Unit::Month, 0),
    ("去年", Unit::Year, -1),
    ("昨年", Unit::Year, -1),
    ("작년", Unit::Year, -1),
    ("今年", Unit::Year, 0),
    ("올해", Unit::Year, 0),
];

const UNITS: &[(&str, Unit)] = &[
    ("年", Unit::Year),
    ("년", Unit::Year),
    ("个月", Unit::Month),
    ("個月", Unit::Month),
    ("ヶ月", Unit::Month),
    ("か月", Unit::Month),
    ("カ月", Unit::Month),
    ("개월", Unit::Month),
    ("달", Unit::Month),
    ("週間", Unit::Week),
    ("星期", Unit::Week),
    ("周", Unit::Week),
    ("週", Unit::Week),
    ("주", Unit::Week),
    ("天", Unit::Day),
    ("日", Unit::Day),
    ("일", Unit::Day),
];

const AGO: &[&str] = &["前", "以前", "之前", "전"];

/// Monday to Sunday.
const WEEKDAYS: &[[&str; 4]] = &[
    ["星期一", "周一", "月曜", "월요일"],
    ["星期二", "周二", "火曜", "화요일"],
    ["星期三", "周三", "水曜", "수요일"],
    ["星期四", "周四", "木曜", "목요일"],
    ["星期五", "周五", "金曜", "금요일"],
    ["星期六", "周六", "土曜", "토요일"],
    ["星期日", "周日", "日曜", "일요일"],
];

const DIGITS: &str = "一二三四五六七八九十";

pub(super) fn read(reader: &Reader, at: usize) -> Option<(DaySpan, usize)> {
    // Everything here holds such a character at once or after one number.
    let near = [at, at + 1].map(|at| reader.tokens.get(at));
    let is_unspaced = |token: &&Token| matches!(token.kind, Kind::Unspaced(_));
    near.iter().flatten().find(|token| is_unspaced(token))?;
    dated(reader, at)
        .or_else(|| ago(reader, at))
        .or_else(|| named(reader, at))
}

fn named(reader: &Reader, at: usize) -> Option<(DaySpan, usize)> {
    let days = DAYS.iter().find_map(|(name, days)| {
        Some((
            DaySpan::day(reader.today + days),
            follows(reader, at, name)?,
        ))
    });
    let periods = || {
        let mut named = PERIODS.iter();
        named.find_map(|(name, unit, which)| {
            Some((reader.whole(*unit, *which), follows(reader, at, name)?))
        })
    };
    let weekdays = || {
        (0..).zip(WEEKDAYS).find_map(|(day, names)| {
            let end = names.iter().find_map(|name| follows(reader, at, name))?;
            Some((reader.weekday(day, -1), end))
        })
    };
    days.or_else(periods).or_else(weekdays)
}

/// `2026年5月7日`, `5月7号`, `2026年`, `5월 7일`.
fn dated(reader: &Reader, at: usize) -> Option<(DaySpan, usize)> {
    let part = |at: usize, signs: &[&str]| {
        let number = number(reader, at)?;
        let end = signs
            .iter()
            .find_map(|sign| follows(reader, number.1, sign))?;
        Some((number.0, end))
    };
    let year = part(at, &["年", "년"]).filter(|(year, _)| (1900..2200).contains(year));
    let month_at = year.map_or(at, |(_, end)| end);
    let Some((month, end)) =
        part(month_at, &["月", "월"]).filter(|(month, _)| (1..=12).contains(month))
    else {
        return year.map(|(year, end)| (DaySpan::year(year), end));
    };
    let day = part(end, &["日", "号", "號", "일"]);
    Some(match (year, day) {
        (Some((year, _)), Some((day, end))) => (DaySpan::day(real_date(year, month, day)?), end),
        (None, Some((day, end))) => (DaySpan::day(reader.latest(month, day)?), end),
        (Some((year, _)), None) => (DaySpan::month(year, month), end),
        (None, None) => (reader.latest_month(month), end),
    })
}

/// `3天前`, `二週間前`, `3일 전`.
fn ago(reader: &Reader, at: usize) -> Option<(DaySpan, usize)> {
    let (n, unit_at) = number(reader, at)?;
    let mut units = UNITS.iter();
    units.find_map(|(name, unit)| {
        let end = follows(reader, unit_at, name)?;
        let end = AGO.iter().find_map(|ago| follows(reader, end, ago))?;
        (n < 1_000).then(|| (reader.back(*unit, n), end))
    })
}

/// A number in digits, or one to ten in Chinese ones.
fn number(reader: &Reader, at: usize) -> Option<(i64, usize)> {
    match reader.tokens.get(at)?.kind {
        Kind::Number { value, .. } => Some((value, at + 1)),
        Kind::Unspaced('两' | '兩') => Some((2, at + 1)),
        Kind::Unspaced(c) => {
            let place = DIGITS.chars().position(|digit| digit == c)?;
            Some((place as i64 + 1, at + 1))
        }
        _ => None,
    }
}

/// The token after `name`, if it stands at `at`.
fn follows(reader: &Reader, at: usize, name: &str) -> Option<usize> {
    let mut end = at;
    for c in name.chars() {
        if reader.tokens.get(end)?.kind != Kind::Unspaced(c) {
            return None;
        }
        end += 1;
    }
    Some(end)
}
