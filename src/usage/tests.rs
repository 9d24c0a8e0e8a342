use super::*;
use crate::model::UsageId;
use crate::time::Timestamp;
use proptest::prelude::*;

const HOUR_MS: i64 = 3_600_000;

fn usage(model: &str, session: u128, at: Timestamp, input: u64) -> Usage {
    Usage {
        v: Usage::VERSION,
        id: UsageId::new(at.unix_ms, u128::from(input)),
        purpose: Purpose::Chat,
        session: SessionId::new(1_000, session),
        model: model.into(),
        request_id: None,
        tokens: Tokens {
            input,
            cache_read: 3 * input,
            cache_write_1h: Some(0),
            ..Tokens::default()
        },
        at,
        first_text_ms: None,
    }
}

#[test]
fn a_day_is_a_day_on_the_persons_clock() {
    let late = Timestamp {
        unix_ms: 23 * HOUR_MS,
        offset_min: 120,
    };
    let all = [
        usage("claude-sonnet-5-5", 1, late, 1),
        usage("claude-sonnet-5-5", 1, Timestamp::utc(23 * HOUR_MS), 2),
    ];
    let days: Vec<_> = totals(&all, By::Day)
        .into_iter()
        .map(|total| (total.key, total.tokens.input))
        .collect();
    assert_eq!(days, [("1970-01-01".into(), 2), ("1970-01-02".into(), 1)]);
}

#[test]
fn a_price_that_is_not_known_is_said_and_not_guessed() {
    let at = Timestamp::utc(0);
    let all = [
        usage("claude-sonnet-5-5", 1, at, 1_000_000),
        usage("claude-next-9", 1, at, 1_000_000),
    ];
    let total = &totals(&all, By::Session)[0];
    assert_eq!((total.n_requests, total.n_unpriced), (2, 1));
    assert!((total.cost_usd.unwrap() - 2.3).abs() < 1e-9, "{total:?}");
    assert_eq!(total.tokens.cache_share(), Some(0.75));

    let by_model = totals(&all, By::Model);
    let unknown = &by_model[0];
    assert_eq!(
        (unknown.key.as_str(), unknown.cost_usd, unknown.n_unpriced),
        ("claude-next-9", None, 1)
    );
    assert!(totals(&[], By::Purpose).is_empty());
    assert_eq!(Tokens::default().cache_share(), None);
}

#[test]
fn the_wait_for_text_is_the_median_of_what_was_streamed() {
    let at = Timestamp::utc(0);
    let all = [None, Some(900), Some(100), Some(200)].map(|first_text_ms| Usage {
        first_text_ms,
        ..usage("claude-sonnet-5-5", 1, at, 1)
    });
    assert_eq!(totals(&all, By::Purpose)[0].first_text_ms, Some(200));
    assert_eq!(totals(&all[..1], By::Purpose)[0].first_text_ms, None);
}

#[test]
fn a_request_is_counted_once_and_until_midnight() {
    // Three dollars at eleven in the evening, Lisbon time.
    let at = Timestamp {
        unix_ms: 23 * HOUR_MS,
        offset_min: 0,
    };
    let paid = usage("claude-sonnet-5-5", 1, at, 1_000_000);
    let mut spending = Spending::default();
    spending.note(&paid);
    let mut again = spending.clone();
    again.note(&paid);
    again.merge(spending);
    let later = |hours| Timestamp::utc(at.unix_ms + hours * HOUR_MS);
    assert!((again.today_usd(at) - 2.3).abs() < 1e-9);
    assert_eq!(again.today_usd(later(1)), 0.0);
    again.forget_before(at);
    assert!(again.today_usd(at) > 0.0);
    again.forget_before(later(1));
    assert_eq!(again.today_usd(at), 0.0);
}

#[test]
fn the_day_when_summer_time_ends_is_one_day() {
    // 2026-10-25 in Berlin: at 03:00 the clock goes back from +02:00 to +01:00.
    let midnight_ms = 1_792_879_200_000;
    let first = Timestamp {
        unix_ms: midnight_ms,
        offset_min: 120,
    };
    let last = Timestamp {
        unix_ms: midnight_ms + 25 * HOUR_MS - 1,
        offset_min: 60,
    };
    assert_eq!(first.to_minute(), "2026-10-25 00:00");
    assert_eq!(last.to_minute(), "2026-10-25 23:59");
    let mut spending = Spending::default();
    spending.note(&usage("claude-sonnet-5-5", 1, first, 1_000_000));
    assert!(spending.today_usd(last) > 0.0);
    assert_eq!(last.until_midnight_ms(), 1);
}

proptest! {
    #[test]
    fn what_was_spent_today_is_that_days_total(
        requests in prop::collection::vec((0..60_i64, 0..10_000_u64), 0..40), now in 0..60_i64
    ) {
        let all: Vec<Usage> = requests.iter().enumerate().map(|(i, &(hour, input))| Usage {
            id: UsageId::new(hour * HOUR_MS, i as u128),
            ..usage("claude-sonnet-5-5", 1, Timestamp::utc(hour * HOUR_MS), input)
        }).collect();
        let now = Timestamp::utc(now * HOUR_MS);
        let mut spending = Spending::default();
        for usage in &all {
            spending.note(usage);
        }
        let today = now.date().to_string();
        let total = totals(&all, By::Day).into_iter().find(|total| total.key == today);
        let expected = total.and_then(|total| total.cost_usd).unwrap_or_default();
        prop_assert!((spending.today_usd(now) - expected).abs() < 1e-9);
        spending.forget_before(now);
        prop_assert!((spending.today_usd(now) - expected).abs() < 1e-9);
    }

    #[test]
    fn nothing_is_counted_twice_or_left_out(
        requests in prop::collection::vec((0..3_u128, 0..200_i64, 0..4_usize, 0..10_000_u64), 0..40)
    ) {
        let models = ["claude-sonnet-5-5", "claude-haiku-5-5", "claude-opus-5-5", "claude-next-9"];
        let all: Vec<Usage> = requests.iter().map(|&(session, hour, model, input)| {
            usage(models[model], session, Timestamp::utc(hour * HOUR_MS), input)
        }).collect();
        let cost: f64 = all.iter().filter_map(cost_of).sum();
        let input: u64 = all.iter().map(|usage| usage.tokens.input).sum();
        for by in [By::Session, By::Day, By::Model, By::Purpose] {
            let totals = totals(&all, by);
            prop_assert!(totals.windows(2).all(|pair| pair[0].key < pair[1].key));
            prop_assert_eq!(totals.iter().map(|total| total.n_requests).sum::<usize>(), all.len());
            prop_assert_eq!(totals.iter().map(|total| total.tokens.input).sum::<u64>(), input);
            let summed: f64 = totals.iter().filter_map(|total| total.cost_usd).sum();
            prop_assert!((summed - cost).abs() < 1e-9);
        }
    }
}
