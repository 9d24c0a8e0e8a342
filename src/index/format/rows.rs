//! A part of the rows.

use super::bytes::Reader;
use crate::index::Precision;
use crate::index::arena::{Arena, PART_ROWS};
use crate::index::row::Components;

/// So many gaps more than rows may be saved: small indexes whose rows were nearly all removed.
pub(super) const FREE_GAPS: usize = 1_024;

pub(super) fn write(arena: &Arena, part: u32) -> Vec<u8> {
    let first = part * PART_ROWS as u32;
    let end = (first + PART_ROWS as u32).min(arena.rows() as u32);
    let live: Vec<u32> = (first..end)
        .filter(|&row| arena.live().contains(row))
        .collect();
    let bits = live
        .iter()
        .fold(0u64, |bits, row| bits | 1 << (row - first));
    let mut bytes = bits.to_le_bytes().to_vec();
    for &row in &live {
        bytes.extend(arena.id(row).to_le_bytes());
    }
    if arena.config().metric.needs_lengths() {
        for &row in &live {
            bytes.extend(arena.length(row).to_le_bytes());
        }
    }
    for &row in &live {
        let labels = arena.labels().of(row);
        bytes.extend((labels.len() as u32).to_le_bytes());
        for label in labels {
            bytes.extend(label.to_le_bytes());
        }
    }
    for &row in &live {
        match arena.components(row) {
            Components::Full(row) => row.iter().for_each(|x| bytes.extend(x.to_le_bytes())),
            Components::Compact(row) => bytes.extend(row.iter().map(|&x| x as u8)),
        }
    }
    bytes
}

/// Appends `n_rows` rows; `None` if the bytes are not such rows.
pub(super) fn read(bytes: &[u8], n_rows: usize, arena: &mut Arena) -> Option<()> {
    let mut reader = Reader(bytes);
    let (low, high) = (reader.number()?, reader.number()?);
    let bits = u64::from(high) << 32 | u64::from(low);
    if n_rows < PART_ROWS && bits >> n_rows != 0 {
        return None;
    }
    let n_live = bits.count_ones() as usize;
    let ids = Reader(reader.take(4 * n_live)?);
    let lengths = match arena.config().metric.needs_lengths() {
        true => Some(Reader(reader.take(4 * n_live)?)),
        false => None,
    };
    let (mut ids, mut lengths) = (ids, lengths);
    let mut labels = Vec::with_capacity(n_live);
    for _ in 0..n_live {
        let n_labels = reader.number()? as usize;
        labels.push(Reader(reader.take(n_labels.checked_mul(4)?)?));
    }
    let mut labels = labels.into_iter();
    for at in 0..n_rows {
        if bits >> at & 1 == 0 {
            arena.push_gap();
            continue;
        }
        let id = ids.number()?;
        let length = match &mut lengths {
            Some(lengths) => f32::from_bits(lengths.number()?),
            None => 1.0,
        };
        let components = components(&mut reader, arena)?;
        let is_length = length.is_normal() && length > 0.0;
        if arena.row_of(id).is_some() || !is_length || !components.is_sound() {
            return None;
        }
        let row = arena.push(id, &components, length);
        let mut labels = labels.next()?;
        // Ascending, as written: no label twice.
        let mut last = None;
        while let Some(label) = labels.number() {
            if last.is_some_and(|last| last >= label) {
                return None;
            }
            last = Some(label);
            arena.labels_mut().insert(label, row);
        }
    }
    reader.0.is_empty().then_some(())
}

fn components(reader: &mut Reader, arena: &Arena) -> Option<Components> {
    let n = arena.dimensions();
    Some(match arena.config().precision {
        Precision::Full => {
            let (pairs, _) = reader.take(2 * n)?.as_chunks();
            Components::Full(pairs.iter().map(|&pair| i16::from_le_bytes(pair)).collect())
        }
        Precision::Compact => {
            Components::Compact(reader.take(n)?.iter().map(|&byte| byte as i8).collect())
        }
    })
}
