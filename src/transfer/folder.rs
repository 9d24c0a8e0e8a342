//! A `/memories` folder as a zip file, as users of Claude's memory tool keep it.
//!
//! Nothing is ever written to a file system, so a path can do no harm here; it is held to the rules of
//! [`MemoryPath`] all the same. What an entry claims of itself is not believed: its size and checksum are compared with
//! what comes out, and nothing longer than a memory file is inflated.

use super::intake::not_understood;
use super::{Content, Entry, Reason};
use crate::error::{Error, Result};
use crate::files::{MAX_FILE_BYTES, MAX_TREE_BYTES, MemoryPath};
use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_with_limit};
use rawzip::{CompressionMethod, ZipArchive, ZipFileHeaderRecord, ZipSliceArchive};

/// A zip file is read as a whole. All that a memory may hold, without compression, is half of this.
pub const MAX_ZIP_BYTES: usize = 2 * MAX_TREE_BYTES;
/// A memory holds 256 files; some more are looked at so that each can be named.
const MAX_ENTRIES: usize = 4_096;
/// The folder's own name, where the zip file holds it and not only what is in it.
const FOLDER: &[u8] = b"memories/";

/// Whether these bytes begin a zip file; the second form is an empty one.
pub(super) fn is_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06")
}

/// Adds the files to `entries`, numbered by their positions from 1. Directories are passed over.
pub(super) fn read(bytes: &[u8], entries: &mut Vec<Entry>) -> Result<()> {
    let unreadable = |_| Error::DamagedFile {
        reason: "its list of files can not be read",
    };
    let archive = ZipArchive::from_slice(bytes).map_err(unreadable)?;
    let mut headers = Vec::new();
    let mut found = archive.entries();
    while let Some(header) = found.next_entry().map_err(unreadable)? {
        if headers.len() == MAX_ENTRIES {
            return Err(not_understood("it holds too many files"));
        }
        headers.push(header);
    }
    let names_folder = headers
        .iter()
        .any(|header| name_of(header).starts_with(FOLDER));
    let mut n_bytes = 0;
    for (line, header) in (1..).zip(&headers) {
        if header.is_dir() {
            continue;
        }
        let name = name_of(header);
        let content = path_of(name, names_folder).and_then(|path| {
            let text = text_of(&archive, header)?;
            n_bytes += text.len();
            // Entries may overlap, so that a small file holds more than fits in memory.
            match n_bytes > MAX_TREE_BYTES {
                true => Err(Reason::TooLong),
                false => Ok(Content::File { path, text }),
            }
        });
        entries.push(Entry {
            line,
            path: Some(String::from_utf8_lossy(name).into()),
            content,
        });
    }
    match entries.is_empty() {
        true => Err(not_understood("there is nothing in it")),
        false => Ok(()),
    }
}

fn name_of<'a>(header: &ZipFileHeaderRecord<'a>) -> &'a [u8] {
    let name = header.file_path().as_bytes();
    name.strip_prefix(b"./").unwrap_or(name)
}

/// Where an entry goes. `names_folder` says that the zip file holds the folder; what is beside it is not of it then.
fn path_of(name: &[u8], names_folder: bool) -> std::result::Result<MemoryPath, Reason> {
    let name = std::str::from_utf8(name).map_err(|_| Reason::NotText)?;
    if name.starts_with('/') || (names_folder && !name.as_bytes().starts_with(FOLDER)) {
        return Err(Reason::BadFile);
    }
    let path = match names_folder {
        true => format!("/{name}"),
        false => format!("/memories/{name}"),
    };
    MemoryPath::new(&path).map_err(|_| Reason::BadFile)
}

fn text_of(
    archive: &ZipSliceArchive<&[u8]>,
    header: &ZipFileHeaderRecord,
) -> std::result::Result<String, Reason> {
    if header.mode().is_symlink() {
        return Err(Reason::Link);
    }
    let flags = header.flags();
    if flags.is_encrypted() || flags.has_strong_encryption() || flags.is_masked() {
        return Err(Reason::Unsupported);
    }
    let entry = archive.get_entry(header.wayfinder());
    let packed = entry.map_err(|_| Reason::Damaged)?.data();
    let bytes =
        match header.compression_method() {
            CompressionMethod::STORE if packed.len() > MAX_FILE_BYTES => Err(Reason::TooLong),
            CompressionMethod::STORE => Ok(packed.to_vec()),
            CompressionMethod::DEFLATE => decompress_to_vec_with_limit(packed, MAX_FILE_BYTES)
                .map_err(|error| match error.status {
                    TINFLStatus::HasMoreOutput => Reason::TooLong,
                    _ => Reason::Damaged,
                }),
            _ => Err(Reason::Unsupported),
        }?;
    let is_as_claimed = bytes.len() as u64 == header.uncompressed_size_hint()
        && crc32fast::hash(&bytes) == header.crc32();
    if !is_as_claimed {
        return Err(Reason::Damaged);
    }
    String::from_utf8(bytes).map_err(|_| Reason::NotText)
}
