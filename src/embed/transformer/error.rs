//! Why a weight file was refused.

use std::fmt;

/// Why the bytes of a weight file were refused. In every case the remedy is the file that belongs to this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WeightsError {
    /// The file does not begin with the format's mark: it is another file, or a newer format.
    Magic,
    /// The file is not as long as its header says, both in bytes: a download was cut off, or two files were joined.
    Length { expected: u64, found: u64 },
    /// The checksum at the end does not fit the bytes before it.
    Checksum { expected: u32, found: u32 },
    /// A number or a text in the header is outside what the format allows; the text names it.
    Header(&'static str),
    /// The tokenizer cannot be used; the text says why.
    Tokenizer(&'static str),
}

impl fmt::Display for WeightsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Magic => f.write_str(
                "not a weight file of format 1; use the weights package that belongs to this version",
            ),
            Self::Length { expected, found } => {
                write!(
                    f,
                    "the weight file has {found} bytes instead of {expected}; fetch it again"
                )
            }
            Self::Checksum { expected, found } => {
                write!(
                    f,
                    "the weight file is damaged (checksum {found:08x} instead of {expected:08x}); fetch it again"
                )
            }
            Self::Header(what) => write!(f, "the weight file's header is not valid: {what}"),
            Self::Tokenizer(what) => {
                write!(f, "the weight file's tokenizer is not valid: {what}")
            }
        }
    }
}

impl std::error::Error for WeightsError {}
