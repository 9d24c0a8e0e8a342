//! Server-sent events, decoded as the bytes arrive.
//!
//! The rules are those of the HTML standard's event streams, with two differences that Claude's API allows:
//! events without a name are dropped, and bytes that are not UTF-8 are an error instead of a replacement
//! character, because a reply has to be sent back exactly as it came.

use crate::error::{Error, Result};
use std::mem;

/// The largest event that is read: a reply of 128,000 tokens in one piece is below 1 MB.
pub const MAX_EVENT_BYTES: usize = 8 << 20;

/// One event of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SseEvent {
    /// The name after `event:`; never empty.
    pub event: String,
    /// The text after `data:`; several lines are joined by a line feed.
    pub data: String,
}

/// Turns chunks of bytes, cut anywhere, into events.
///
/// An event is complete at its empty line. One that is unfinished when the bytes end is dropped, as the standard
/// says, so there is nothing to call at the end.
#[derive(Debug, Default)]
pub struct SseDecoder {
    /// The bytes of the line that has not ended yet.
    line: Vec<u8>,
    /// The last byte was a carriage return: a line feed that follows belongs to it.
    after_cr: bool,
    /// The first line was read, so that a byte order mark can no longer come.
    started: bool,
    event: String,
    data: String,
    /// Tells an empty `data:` line from none.
    has_data: bool,
}

impl SseDecoder {
    pub fn new() -> SseDecoder {
        SseDecoder::default()
    }

    /// The events that `bytes` complete.
    ///
    /// # Errors
    /// [`Error::MalformedStream`] for bytes that are not UTF-8 and for an event above [`MAX_EVENT_BYTES`]. The
    /// stream can not be read any further then.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<SseEvent>> {
        let mut events = Vec::new();
        let mut rest = bytes;
        if self.after_cr
            && let Some((&first, after)) = rest.split_first()
        {
            self.after_cr = false;
            if first == b'\n' {
                rest = after;
            }
        }
        while let Some(at) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            self.grow_line(&rest[..at])?;
            events.extend(self.end_line()?);
            let n_end = match &rest[at..] {
                [b'\r', b'\n', ..] => 2,
                [b'\r'] => {
                    self.after_cr = true;
                    1
                }
                _ => 1,
            };
            rest = &rest[at + n_end..];
        }
        self.grow_line(rest)?;
        Ok(events)
    }

    fn grow_line(&mut self, bytes: &[u8]) -> Result<()> {
        if self.line.len() + self.data.len() + bytes.len() > MAX_EVENT_BYTES {
            return Err(malformed("an event is too large"));
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn end_line(&mut self) -> Result<Option<SseEvent>> {
        let bytes = mem::take(&mut self.line);
        let line = str::from_utf8(&bytes).map_err(|_| malformed("a line is not UTF-8"))?;
        let line = if mem::replace(&mut self.started, true) {
            line
        } else {
            line.strip_prefix('\u{feff}').unwrap_or(line)
        };
        if line.is_empty() {
            return Ok(self.end_event());
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => self.event = value.to_string(),
            "data" => {
                if mem::replace(&mut self.has_data, true) {
                    self.data.push('\n');
                }
                self.data.push_str(value);
            }
            // Comments (an empty name), `id` and `retry`: the API's streams can not be resumed.
            _ => {}
        }
        Ok(None)
    }

    fn end_event(&mut self) -> Option<SseEvent> {
        let event = mem::take(&mut self.event);
        let data = mem::take(&mut self.data);
        let has_data = mem::take(&mut self.has_data);
        (has_data && !event.is_empty()).then_some(SseEvent { event, data })
    }
}

fn malformed(message: &str) -> Error {
    Error::MalformedStream {
        message: message.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    fn check(stream: &str, expected: &[(&str, &str)]) {
        let expected: Vec<SseEvent> = expected
            .iter()
            .map(|(event, data)| SseEvent {
                event: event.to_string(),
                data: data.to_string(),
            })
            .collect();
        let whole = SseDecoder::new().push(stream.as_bytes());
        assert_eq!(whole.as_ref(), Ok(&expected), "{stream:?}");
        let mut decoder = SseDecoder::new();
        let single = stream.as_bytes().chunks(1).map(|byte| decoder.push(byte));
        let single: Result<Vec<_>> = single.collect();
        assert_eq!(
            single.map(|events| events.concat()),
            Ok(expected),
            "{stream:?}"
        );
    }

    #[test]
    fn lines_end_in_three_ways() {
        for end in ["\n", "\r", "\r\n"] {
            let stream = "event: a|data: 1||event: b|data: 2||".replace('|', end);
            check(&stream, &[("a", "1"), ("b", "2")]);
        }
        check(
            "event: a\r\ndata: 1\r\r\nevent: b\ndata:\n\n",
            &[("a", "1"), ("b", "")],
        );
    }

    #[test]
    fn data_lines_join_and_lose_one_space() {
        check(
            "event:a\ndata:  1\ndata\ndata:2: 3\n\n",
            &[("a", " 1\n\n2: 3")],
        );
    }

    #[test]
    fn comments_other_fields_and_nameless_events_are_dropped() {
        check(": hello\nid: 1\nretry: 5\nnonsense\ndata: x\n\n", &[]);
        check("event: a\n\nevent: b\n: c\ndata: 1\n\n", &[("b", "1")]);
    }

    #[test]
    fn a_byte_order_mark_is_dropped_only_at_the_start() {
        check("\u{feff}event: a\ndata: 1\n\n", &[("a", "1")]);
        check(
            "event: a\ndata: 1\n\n\u{feff}event: b\ndata: 2\n\n",
            &[("a", "1")],
        );
    }

    #[test]
    fn an_unfinished_event_is_dropped() {
        check("event: a\ndata: 1\n\nevent: b\ndata: 2\n", &[("a", "1")]);
        check("event: a\ndata: ü", &[]);
    }

    #[test]
    fn an_event_has_a_largest_size_in_one_line_or_in_many() {
        let fits = vec![b'x'; MAX_EVENT_BYTES];
        let mut decoder = SseDecoder::new();
        assert_eq!(decoder.push(&fits), Ok(vec![]));
        let code = |error: Error| error.code();
        assert_eq!(decoder.push(b"x").map_err(code), Err("malformed_stream"));

        let line = format!("data: {}\n", "x".repeat(1 << 20));
        let mut decoder = SseDecoder::new();
        let n_read = (0..20).take_while(|_| decoder.push(line.as_bytes()).is_ok());
        assert_eq!(n_read.count(), 7);
    }

    #[test]
    fn bytes_that_are_no_text_are_an_error() {
        let answer = SseDecoder::new().push(b"event: a\ndata: \xff\n\n");
        assert_eq!(answer.unwrap_err().code(), "malformed_stream");
    }

    /// The obvious parser: needs the whole stream, looks at one line at a time.
    fn naive(stream: &[u8]) -> Option<Vec<SseEvent>> {
        let mut lines: Vec<Vec<u8>> = vec![vec![]];
        for (i, &byte) in stream.iter().enumerate() {
            match byte {
                b'\n' if i > 0 && stream[i - 1] == b'\r' => {}
                b'\n' | b'\r' => lines.push(vec![]),
                _ => lines.last_mut().unwrap().push(byte),
            }
        }
        lines.pop();
        let (mut events, mut name, mut data) = (vec![], String::new(), vec![]);
        for (i, line) in lines.into_iter().enumerate() {
            let mut line = String::from_utf8(line).ok()?;
            if i == 0 && line.starts_with('\u{feff}') {
                line.remove(0);
            }
            if line.is_empty() {
                if !name.is_empty() && !data.is_empty() {
                    events.push(SseEvent {
                        event: name,
                        data: data.join("\n"),
                    });
                }
                (name, data) = (String::new(), vec![]);
                continue;
            }
            let colon = line.find(':');
            let field = &line[..colon.unwrap_or(line.len())];
            let mut value = colon.map_or("", |colon| &line[colon + 1..]);
            if value.starts_with(' ') {
                value = &value[1..];
            }
            match field {
                "event" => name = value.to_string(),
                "data" => data.push(value.to_string()),
                _ => {}
            }
        }
        Some(events)
    }

    fn pieces() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            8 => prop::sample::select(vec![
                "event", "data", ":", ": ", " ", "\n", "\r", "\r\n", "\n\n", "\r\n\r\n", "\u{feff}", "é", "私", "🦀",
                "event: ping\n", "data: {}\n", "x",
            ]).prop_map(|text| text.as_bytes().to_vec()),
            1 => vec(any::<u8>(), 0..4),
        ];
        vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn any_split_of_any_stream_gives_what_the_naive_parser_sees(
            stream in pieces(),
            cuts in vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
            cuts.extend([0, stream.len()]);
            cuts.sort_unstable();
            let mut decoder = SseDecoder::new();
            let chunks = cuts.windows(2).map(|ends| decoder.push(&stream[ends[0]..ends[1]]));
            let events: Result<Vec<_>> = chunks.collect();
            prop_assert_eq!(events.map(|events| events.concat()).ok(), naive(&stream));
        }
    }
}
