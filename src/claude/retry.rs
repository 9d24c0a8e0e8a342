//! Whether and when to send the same request again, as Anthropic's SDKs do it.

use crate::error::Error;

/// How often a request is sent again after the first time.
pub const MAX_RETRIES: u32 = 2;

/// The longest wait that a server can ask for. Someone is looking at the page: beyond it they are told, with the
/// time the server named, instead of being kept waiting. Trying earlier than asked would only fail again.
pub const MAX_ASKED_WAIT_MS: u32 = 60_000;

/// The first wait when the server names none; it doubles with each retry.
const FIRST_WAIT_MS: u32 = 500;
const MAX_WAIT_MS: u32 = 8_000;

/// How long to wait before the next retry; `None` to give up.
///
/// `attempt` counts the retries already made, from 0. `random` is any number; up to a quarter of the wait is taken
/// off by it, so that many clients do not come back at once.
///
/// Ask only while nothing of the answer was shown: a stream that broke can not be resumed, and a second answer
/// must not follow half of a first one.
pub fn wait_ms(attempt: u32, error: &Error, random: u128) -> Option<u32> {
    let asked = match error {
        Error::Api(api) if api.retryable => api.retry_after_ms,
        Error::Network { .. } => None,
        _ => return None,
    };
    if attempt >= MAX_RETRIES {
        return None;
    }
    match asked {
        Some(asked) => (asked <= MAX_ASKED_WAIT_MS).then_some(asked),
        None => {
            let wait = FIRST_WAIT_MS
                .saturating_mul(2_u32.saturating_pow(attempt))
                .min(MAX_WAIT_MS);
            let share = (random & 0xffff) as u32;
            Some(wait - (wait / 4) * share / 0xffff)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ApiError;

    fn api(retryable: bool, retry_after_ms: Option<u32>) -> Error {
        Error::Api(ApiError {
            status: 429,
            kind: "rate_limit_error".into(),
            message: String::new(),
            error_code: None,
            request_id: None,
            retry_after_ms,
            retryable,
        })
    }

    #[test]
    fn waits_double_and_end() {
        let error = api(true, None);
        let waits = [0, 1, 2, 3].map(|attempt| wait_ms(attempt, &error, 0));
        assert_eq!(waits, [Some(500), Some(1000), None, None]);
    }

    #[test]
    fn chance_takes_off_up_to_a_quarter() {
        let error = api(true, None);
        assert_eq!(wait_ms(0, &error, u128::MAX), Some(375));
        for random in (0..1 << 16).step_by(97) {
            let wait = wait_ms(1, &error, random).unwrap();
            assert!((750..=1000).contains(&wait), "{wait}");
        }
    }

    #[test]
    fn the_servers_wait_counts_up_to_a_minute() {
        assert_eq!(wait_ms(0, &api(true, Some(1_234)), 7), Some(1_234));
        assert_eq!(wait_ms(0, &api(true, Some(60_000)), 7), Some(60_000));
        assert_eq!(wait_ms(0, &api(true, Some(60_001)), 7), None);
        assert_eq!(wait_ms(2, &api(true, Some(1)), 7), None);
    }

    #[test]
    fn only_what_may_succeed_is_tried_again() {
        let unreachable = Error::Network {
            message: String::new(),
        };
        assert!(wait_ms(0, &unreachable, 0).is_some());
        let refused = Error::Refused { category: None };
        for error in [
            api(false, Some(1)),
            Error::Cancelled,
            Error::StreamCut,
            refused,
        ] {
            assert_eq!(wait_ms(0, &error, 0), None, "{error:?}");
        }
    }
}
