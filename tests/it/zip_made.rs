//! Zip files made by hand, right and wrong.

use miniz_oxide::deflate::compress_to_vec;

/// An entry as its headers describe it, whether that is true or not.
#[derive(Clone)]
pub struct Zipped {
    pub name: Vec<u8>,
    pub method: u16,
    pub flags: u16,
    /// As Unix has it; type and permissions.
    pub mode: u32,
    pub packed: Vec<u8>,
    pub checksum: u32,
    pub size: u32,
}

pub const FILE: u32 = 0o100_644;
pub const DIRECTORY: u32 = 0o040_755;
pub const LINK: u32 = 0o120_777;

/// A file as `zip` packs it.
pub fn deflated(name: &str, text: &[u8]) -> Zipped {
    Zipped {
        method: 8,
        packed: compress_to_vec(text, 6),
        ..stored(name, text)
    }
}

pub fn stored(name: &str, text: &[u8]) -> Zipped {
    Zipped {
        name: name.into(),
        method: 0,
        flags: 1 << 11,
        mode: FILE,
        packed: text.into(),
        checksum: crc32fast::hash(text),
        size: text.len() as u32,
    }
}

/// Local headers with what is packed, the central directory, and its end.
pub fn zip(entries: &[Zipped]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let offset = file.len() as u32;
        let mut common = Vec::new();
        common.extend(20_u16.to_le_bytes());
        common.extend(entry.flags.to_le_bytes());
        common.extend(entry.method.to_le_bytes());
        // 1980-01-01, midnight.
        common.extend([0, 0, 0x21, 0]);
        common.extend(entry.checksum.to_le_bytes());
        common.extend((entry.packed.len() as u32).to_le_bytes());
        common.extend(entry.size.to_le_bytes());
        common.extend((entry.name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        file.extend(b"PK\x03\x04");
        file.extend(&common);
        file.extend(&entry.name);
        file.extend(&entry.packed);
        directory.extend(b"PK\x01\x02");
        // Made on Unix.
        directory.extend([20, 3]);
        directory.extend(&common);
        directory.extend([0; 6]);
        directory.extend((entry.mode << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(&entry.name);
    }
    let n = (entries.len() as u16).to_le_bytes();
    let (size, offset) = (directory.len() as u32, file.len() as u32);
    file.extend(directory);
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend([n, n].concat());
    file.extend(size.to_le_bytes());
    file.extend(offset.to_le_bytes());
    file.extend([0, 0]);
    file
}
