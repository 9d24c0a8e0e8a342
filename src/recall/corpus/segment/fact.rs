//! A fact as it is, with what recall keeps of it.

use super::write::write_days;
use super::{Reader, SegmentError, Writer};
use crate::model::{
    Confidence, Evidence, Fact, FactId, FactType, Origin, SessionId, Stale, TurnId,
};
use crate::recall::corpus::FactEntry;
use crate::recall::decay::FactTimes;
use crate::recall::postings::DocNumber;
use crate::text::{AnswerForm, DaySpan};
use crate::time::Timestamp;

/// In the order of their numbers: only to be added to.
const ORIGINS: [Origin; 5] = [
    Origin::User,
    Origin::Assistant,
    Origin::Tool,
    Origin::Import,
    Origin::Manual,
];
const CONFIDENCES: [Confidence; 3] = [Confidence::Low, Confidence::Medium, Confidence::High];

/// A name that connects facts, beside those that only find this one.
const IS_LINK: u8 = 1;

fn place_of<T: PartialEq>(all: &[T], one: &T) -> u8 {
    let place = all.iter().position(|other| other == one);
    place.expect("every variant is listed") as u8
}

fn at_place<T: Copy>(all: &[T], place: u8) -> Result<T, SegmentError> {
    all.get(usize::from(place))
        .copied()
        .ok_or(SegmentError::Damaged)
}

/// `length` is the number of its terms.
pub(super) fn write(fact: &Fact, entry: &FactEntry, length: u32, out: &mut Writer) {
    out.bytes(&fact.id.bits().to_le_bytes());
    out.byte(place_of(&FactType::ALL, &fact.fact_type));
    out.byte(place_of(&ORIGINS, &fact.origin));
    out.byte(place_of(&CONFIDENCES, &fact.confidence));
    for text in [&fact.subject, &fact.attribute, &fact.statement] {
        out.text(text);
    }
    for list in [&fact.entities, &fact.numbers] {
        out.count(list.len());
        list.iter().for_each(|text| out.text(text));
    }
    out.byte(u8::from(fact.evidence.is_some()));
    if let Some(evidence) = &fact.evidence {
        out.bytes(&evidence.turn.session.bits().to_le_bytes());
        for number in [evidence.turn.index, evidence.start, evidence.end] {
            out.number(number.into());
        }
        out.text(&evidence.quote);
    }
    write_time(fact.valid_from, out);
    write_time(fact.recorded_at, out);
    for link in [fact.supersedes, fact.superseded_by] {
        out.byte(u8::from(link.is_some()));
        if let Some(link) = link {
            out.bytes(&link.bits().to_le_bytes());
        }
    }
    out.byte(u8::from(fact.stale.is_some()));
    if let Some(stale) = &fact.stale {
        out.text(&stale.reason);
        out.byte(place_of(&ORIGINS, &stale.by));
        write_time(stale.at, out);
    }
    out.number(fact.proof_count.into());

    out.number(length.into());
    out.byte(entry.form.bits());
    write_days(&entry.days, out);
    out.count(entry.names.len());
    for name in &entry.names {
        out.byte(if entry.links.contains(name) {
            IS_LINK
        } else {
            0
        });
        out.text(name);
    }
    out.count(entry.subject.len());
    entry.subject.iter().for_each(|term| out.text(term));
    out.bytes(&entry.wording.to_le_bytes());
    out.bytes(&entry.text_hash.to_le_bytes());
}

/// A fact, what recall keeps of it as the document `doc`, and the number of its terms. Not inlined, so that a browser soon runs
/// better code for it.
#[inline(never)]
pub(super) fn read(
    from: &mut Reader,
    doc: DocNumber,
) -> Result<(Fact, FactEntry, u32), SegmentError> {
    let id = read_fact_id(from)?;
    let fact_type = at_place(&FactType::ALL, from.byte()?)?;
    let origin = at_place(&ORIGINS, from.byte()?)?;
    let confidence = at_place(&CONFIDENCES, from.byte()?)?;
    let mut text = |from: &mut Reader| Ok(from.text()?.to_owned());
    let (subject, attribute, statement) = (text(from)?, text(from)?, text(from)?);
    let (entities, numbers) = (from.list(&mut text)?, from.list(&mut text)?);
    let evidence = optional(from, |from| {
        Ok(Evidence {
            turn: TurnId {
                session: SessionId::from_bits(u128::from_le_bytes(from.array()?)),
                index: from.small()?,
            },
            start: from.small()?,
            end: from.small()?,
            quote: text(from)?,
        })
    })?;
    let (valid_from, recorded_at) = (read_time(from)?, read_time(from)?);
    let supersedes = optional(from, read_fact_id)?;
    let superseded_by = optional(from, read_fact_id)?;
    let stale = optional(from, |from| {
        Ok(Stale {
            reason: text(from)?,
            by: at_place(&ORIGINS, from.byte()?)?,
            at: read_time(from)?,
        })
    })?;
    let fact = Fact {
        v: Fact::VERSION,
        id,
        fact_type,
        subject,
        attribute,
        statement,
        entities,
        numbers,
        evidence,
        origin,
        confidence,
        valid_from,
        recorded_at,
        supersedes,
        superseded_by,
        stale,
        proof_count: from.small()?,
    };

    let length = from.small()?;
    let form = AnswerForm::from_bits(from.byte()?);
    let days = read_days(from)?;
    if days.is_empty() {
        return Err(SegmentError::Damaged);
    }
    let names: Vec<(bool, Box<str>)> =
        from.list(|from| Ok((from.byte()? & IS_LINK != 0, from.text()?.into())))?;
    let links = names.iter().filter(|(is_link, _)| *is_link);
    let entry = FactEntry {
        doc,
        times: FactTimes::of(&fact),
        fact_type,
        origin,
        confidence,
        days,
        form,
        links: links.map(|(_, name)| name.clone()).collect(),
        names: names.into_iter().map(|(_, name)| name).collect(),
        evidence: fact.evidence.as_ref().map(|e| (e.turn, e.start..e.end)),
        subject: from.list(&mut text)?.into(),
        wording: u64::from_le_bytes(from.array()?),
        text_hash: u64::from_le_bytes(from.array()?),
        supersedes,
        superseded_by,
    };
    Ok((fact, entry, length))
}

pub(super) fn read_days(from: &mut Reader) -> Result<Box<[DaySpan]>, SegmentError> {
    let days = from.list(|from| {
        let (first, n_more) = (from.signed()?, from.small()?);
        Ok(DaySpan::between(first, first.saturating_add(n_more.into())))
    })?;
    Ok(days.into())
}

fn optional<'a, T>(
    from: &mut Reader<'a>,
    read: impl FnOnce(&mut Reader<'a>) -> Result<T, SegmentError>,
) -> Result<Option<T>, SegmentError> {
    match from.byte()? {
        0 => Ok(None),
        1 => read(from).map(Some),
        _ => Err(SegmentError::Damaged),
    }
}

fn read_fact_id(from: &mut Reader) -> Result<FactId, SegmentError> {
    Ok(FactId::from_bits(u128::from_le_bytes(from.array()?)))
}

fn write_time(at: Timestamp, out: &mut Writer) {
    out.signed(at.unix_ms);
    out.signed(at.offset_min.into());
}

fn read_time(from: &mut Reader) -> Result<Timestamp, SegmentError> {
    Ok(Timestamp {
        unix_ms: from.signed()?,
        offset_min: read_offset(from)?,
    })
}

pub(super) fn read_offset(from: &mut Reader) -> Result<i16, SegmentError> {
    i16::try_from(from.signed()?).map_err(|_| SegmentError::Damaged)
}
