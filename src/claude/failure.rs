//! Error answers, and what they mean for whoever asked.

use crate::error::{ApiError, CompactionFault, Error};
use serde_json::Value;

/// The error that an answer with an error status stands for.
///
/// `headers` may be in any letter case. A body that is not the API's JSON, such as a network's own page for a
/// request that is too large, is not shown: the status says enough.
pub fn failure(status: u16, headers: &[(String, String)], body: &[u8]) -> Error {
    let body = serde_json::from_slice(body).unwrap_or(Value::Null);
    let mut error = read(&body, status);
    error.request_id = header(headers, "request-id")
        .map(String::from)
        .or(error.request_id);
    error.retry_after_ms = retry_after_ms(headers);
    match header(headers, "x-should-retry") {
        Some("true") => error.retryable = true,
        Some("false") => error.retryable = false,
        _ => {}
    }
    Error::Api(error)
}

/// The same error by its own name, if it is about the API's compaction.
///
/// Some documents put `block_` into all of its codes, and the API's own libraries into some.
pub fn compaction_failure(error: Error) -> Error {
    let Error::Api(api) = &error else {
        return error;
    };
    let code = api.error_code.as_deref().unwrap_or_default();
    let Some(code) = code.strip_prefix("compaction_") else {
        return error;
    };
    let is_meant = |fault: &CompactionFault| {
        let name = fault.name();
        code == name || code.strip_prefix("block_") == Some(name)
    };
    let fault = CompactionFault::ALL.into_iter().find(is_meant);
    fault.map_or(error.clone(), |fault| Error::CompactionFailed {
        fault,
        message: api.message.clone(),
    })
}

/// The error in a body that came with status 200: an `error` event inside a stream.
pub(super) fn failure_in_stream(body: &Value, request_id: Option<&str>) -> Error {
    let kind = body["error"]["type"].as_str().unwrap_or_default();
    let mut error = read(body, status_of(kind));
    error.request_id = error.request_id.or(request_id.map(String::from));
    Error::Api(error)
}

/// Errors that stay until someone raises a limit or a new period begins, whatever their status says.
const SPENT: [&str; 3] = [
    "enforced_spend_limit_reached",
    "contract_spend_limit_reached",
    // The edge worker's own budget per user.
    "proxy_budget_exceeded",
];

fn read(body: &Value, status: u16) -> ApiError {
    let error = &body["error"];
    let text = |value: &Value| value.as_str().map(String::from);
    let error_code = text(&error["details"]["error_code"]);
    let is_spent = error_code
        .as_deref()
        .is_some_and(|code| SPENT.contains(&code));
    ApiError {
        status,
        kind: text(&error["type"]).unwrap_or_else(|| kind_of(status).into()),
        message: text(&error["message"])
            .unwrap_or_else(|| "The server answered with an error.".into()),
        request_id: text(&body["request_id"]),
        retry_after_ms: None,
        retryable: matches!(status, 408 | 409 | 429 | 500..) && !is_spent,
        error_code,
    }
}

/// Status and `error.type` of the documented errors.
const KINDS: [(u16, &str); 11] = [
    (400, "invalid_request_error"),
    (401, "authentication_error"),
    (402, "billing_error"),
    (403, "permission_error"),
    (404, "not_found_error"),
    (409, "conflict_error"),
    (413, "request_too_large"),
    (429, "rate_limit_error"),
    (500, "api_error"),
    (504, "timeout_error"),
    (529, "overloaded_error"),
];

fn status_of(kind: &str) -> u16 {
    let known = KINDS.iter().find(|(_, name)| *name == kind);
    known.map_or(500, |(status, _)| *status)
}

/// Stands in for a type that the body does not give.
fn kind_of(status: u16) -> &'static str {
    let known = KINDS.iter().find(|(of, _)| *of == status);
    known.map_or(
        if status < 500 {
            "invalid_request_error"
        } else {
            "api_error"
        },
        |(_, name)| name,
    )
}

/// The wait that the server asks for. `retry-after` as a date is passed over: the API sends seconds, and there
/// is no clock here to subtract.
fn retry_after_ms(headers: &[(String, String)]) -> Option<u32> {
    let number = |name| header(headers, name)?.trim().parse::<f64>().ok();
    let ms = number("retry-after-ms").or_else(|| Some(number("retry-after")? * 1000.0))?;
    // Rounded up: coming back a moment early is coming back in vain. The cast saturates.
    (ms.is_finite() && ms >= 0.0).then(|| ms.ceil() as u32)
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn api(status: u16, headers: &[(&str, &str)], body: &str) -> ApiError {
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect();
        match failure(status, &headers, body.as_bytes()) {
            Error::Api(error) => error,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_field_of_the_answer_is_read() {
        let body = r#"{"type":"error","error":{"type":"rate_limit_error","message":"Slow down","details":{"error_code":"ramp_limit_exceeded"}},"request_id":"req_body"}"#;
        let expected = ApiError {
            status: 429,
            kind: "rate_limit_error".into(),
            message: "Slow down".into(),
            error_code: Some("ramp_limit_exceeded".into()),
            request_id: Some("req_head".into()),
            retry_after_ms: Some(3_000),
            retryable: true,
        };
        let headers = [("Request-Id", "req_head"), ("Retry-After", "3")];
        assert_eq!(api(429, &headers, body), expected);
        assert_eq!(api(429, &[], body).request_id.as_deref(), Some("req_body"));
    }

    #[test]
    fn a_page_from_the_network_is_read_by_its_status() {
        let error = api(413, &[], "<html>Request Entity Too Large</html>");
        assert_eq!(
            (error.kind.as_str(), error.retryable),
            ("request_too_large", false)
        );
        assert!(!error.message.contains('<'));
        assert_eq!(api(502, &[], "").kind, "api_error");
        assert_eq!(api(418, &[], "[]").kind, "invalid_request_error");
    }

    #[test]
    fn the_table_of_what_may_succeed_later() {
        let retryable = [408, 409, 429, 500, 502, 504, 529];
        for status in [400, 401, 402, 403, 404, 413, 422].iter().chain(&retryable) {
            assert_eq!(
                api(*status, &[], "{}").retryable,
                retryable.contains(status),
                "{status}"
            );
        }
    }

    #[test]
    fn a_spent_budget_is_not_tried_again() {
        for code in SPENT {
            let body = format!(
                r#"{{"error":{{"type":"rate_limit_error","message":"","details":{{"error_code":"{code}"}}}}}}"#
            );
            assert!(!api(429, &[], &body).retryable, "{code}");
        }
    }

    #[test]
    fn failures_of_compaction_have_names_of_their_own() {
        let read = |code: &str| {
            let body = format!(
                r#"{{"error":{{"type":"invalid_request_error","message":"m","details":{{"error_code":"{code}"}}}}}}"#
            );
            compaction_failure(failure(400, &[], body.as_bytes()))
        };
        let fault = |code: &str| match read(code) {
            Error::CompactionFailed { fault, message } => {
                assert_eq!(message, "m");
                Some(fault)
            }
            Error::Api(_) => None,
            other => panic!("{other:?}"),
        };
        for known in CompactionFault::ALL {
            let name = known.name();
            assert_eq!(fault(&format!("compaction_{name}")), Some(known));
        }
        let mismatch = Some(CompactionFault::ContentMismatch);
        assert_eq!(fault("compaction_block_content_mismatch"), mismatch);
        assert_eq!(fault("compaction_of_tomorrow"), None);
        assert_eq!(fault("tool_name_conflict"), None);
        assert!(read("compaction_unavailable").is_retryable());
        assert!(!read("compaction_block_misplaced").is_retryable());
    }

    #[test]
    fn the_server_has_the_last_word_on_retries() {
        assert!(!api(529, &[("x-should-retry", "false")], "").retryable);
        assert!(api(400, &[("X-Should-Retry", "true")], "").retryable);
        assert!(!api(400, &[("x-should-retry", "perhaps")], "").retryable);
    }

    #[test]
    fn waits_are_read_in_milliseconds_and_seconds() {
        let wait = |headers: &[(&str, &str)]| api(429, headers, "").retry_after_ms;
        let both = [("retry-after", "9"), ("retry-after-ms", "120.5")];
        assert_eq!(wait(&both), Some(121));
        assert_eq!(wait(&[("retry-after", "0.25")]), Some(250));
        assert_eq!(wait(&[("retry-after", "1e99")]), Some(u32::MAX));
        for nothing in ["-1", "NaN", "inf", "", "Fri, 20 Nov 2026 09:00:00 GMT"] {
            assert_eq!(wait(&[("retry-after", nothing)]), None, "{nothing}");
        }
    }

    proptest! {
        #[test]
        fn any_answer_is_an_error_and_never_a_panic(
            status: u16,
            name in "retry-after|retry-after-ms|request-id|x-should-retry",
            value: String,
            body: Vec<u8>,
        ) {
            let error = failure(status, &[(name, value)], &body);
            prop_assert_eq!(error.code(), "api");
        }
    }
}
