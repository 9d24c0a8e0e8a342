//! The graph as bytes: the serde form of `instant_distance::Hnsw`, with only the links that exist.
//!
//! instant-distance keeps its fields to itself, so serde is the way in and out. General formats would write all 64 places
//! for links of each point (about 300 bytes), most of them empty, and would read back links that lead nowhere, on which a search
//! panics. This reader knows the one shape that it reads and checks each link. `docs/format-index.md` describes the bytes.

use instant_distance::Hnsw;
use serde::de::value::Error;
use serde::de::{self, DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde::ser::{self, Impossible, Serialize, Serializer};
use serde::{Deserialize, forward_to_deserialize_any};

use super::{EF_SEARCH, Handle};

/// An empty place for a link.
const NO_LINK: u32 = u32::MAX;

/// Layers above the lowest: each is at most 0.29 times the next, so 32-bit row numbers never need more than 18.
const MAX_LAYERS: usize = 32;

pub(super) fn write(graph: &Hnsw<Handle>) -> Vec<u8> {
    let mut writer = Writer {
        bytes: Vec::new(),
        node: None,
    };
    match graph.serialize(&mut writer) {
        Ok(()) => writer.bytes,
        Err(error) => unreachable!("the pinned instant-distance has one form: {error}"),
    }
}

/// The graph at the start of `bytes`, and the bytes after it. Links lead to points that exist; handles are not checked.
pub(super) fn read(bytes: &[u8]) -> Result<(Hnsw<Handle>, &[u8]), Error> {
    let mut reader = Reader {
        rest: bytes,
        part: Part::Points,
        n_points: 0,
    };
    let graph = Hnsw::deserialize(&mut reader)?;
    Ok((graph, reader.rest))
}

struct Writer {
    bytes: Vec<u8>,
    /// Within a node: where its number of links stands.
    node: Option<usize>,
}

impl Writer {
    fn put(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }
}

fn unknown_form<T>() -> Result<T, Error> {
    Err(ser::Error::custom("not a part of a graph"))
}

impl Serializer for &mut Writer {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeStruct = Self;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Impossible<(), Error>;
    type SerializeStructVariant = Impossible<(), Error>;

    fn serialize_u32(self, value: u32) -> Result<(), Error> {
        match self.node {
            Some(_) if value == NO_LINK => {}
            Some(count) => {
                self.put(value);
                self.bytes[count] += 1;
            }
            None => self.put(value),
        }
        Ok(())
    }

    /// `ef_search`, which belongs to the reader.
    fn serialize_u64(self, _: u64) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self, Error> {
        match len.and_then(|len| u32::try_from(len).ok()) {
            Some(len) => self.put(len),
            None => return unknown_form(),
        }
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, Error> {
        self.node = Some(self.bytes.len());
        self.bytes.push(0);
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Error> {
        Ok(self)
    }

    fn serialize_bool(self, _: bool) -> Result<(), Error> {
        unknown_form()
    }
    fn serialize_i8(self, _: i8) -> Result<(), Error> {
        unknown_form()
    }
    fn serialize_i16(self, _: i16) -> Result<(), Error> {
        unknown_form()
    }
    fn serialize_i32(self, _: i32) -> Result<(), Error> {
        unknown_form()
    }
    fn serialize_i64(self, _: i64) -> Result<(), Error> {
        unknown_form()
    }
    fn serialize_u8(self, _: u8) -> Result<(), Error> {
        unknown_form()
    }
    fn serialize_u16(self, _: u16) -> Result<(), Error> {
        unknown_form()
    }
    fn serialize_f32(self, _: f32) -> Result<(), Error> {
        unknown_form()
    }
    fn serialize_f64(self, _: f64) -> Result<(), Error> {
        unknown_form()
    }
    fn serialize_char(self, _: char) -> Result<(), Error> {
        unknown_form()
    }
    fn serialize_str(self, _: &str) -> Result<(), Error> {
        unknown_form()
    }
    fn serialize_bytes(self, _: &[u8]) -> Result<(), Error> {
        unknown_form()
    }
    fn serialize_none(self) -> Result<(), Error> {
        unknown_form()
    }
    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<(), Error> {
        unknown_form()
    }
    fn serialize_unit(self) -> Result<(), Error> {
        unknown_form()
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        unknown_form()
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<(), Error> {
        unknown_form()
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Error> {
        unknown_form()
    }
    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Error> {
        unknown_form()
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        unknown_form()
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Error> {
        unknown_form()
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        unknown_form()
    }
}

impl ser::SerializeSeq for &mut Writer {
    type Ok = ();
    type Error = Error;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(&mut **self)
    }
    fn end(self) -> Result<(), Error> {
        Ok(())
    }
}

impl ser::SerializeTuple for &mut Writer {
    type Ok = ();
    type Error = Error;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(&mut **self)
    }
    fn end(self) -> Result<(), Error> {
        self.node = None;
        Ok(())
    }
}

impl ser::SerializeStruct for &mut Writer {
    type Ok = ();
    type Error = Error;
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(&mut **self)
    }
    fn end(self) -> Result<(), Error> {
        Ok(())
    }
}

/// Which sequence comes next.
enum Part {
    Points,
    Zero,
    Layers,
    Layer,
}

struct Reader<'a> {
    rest: &'a [u8],
    part: Part,
    /// Points of the layer being read; links lead to these.
    n_points: u32,
}

fn broken<T>(what: &'static str) -> Result<T, Error> {
    Err(de::Error::custom(what))
}

impl Reader<'_> {
    fn byte(&mut self) -> Result<u8, Error> {
        match self.rest.split_first() {
            Some((&byte, rest)) => {
                self.rest = rest;
                Ok(byte)
            }
            None => broken("the bytes end early"),
        }
    }

    fn number(&mut self) -> Result<u32, Error> {
        match self.rest.split_first_chunk() {
            Some((&bytes, rest)) => {
                self.rest = rest;
                Ok(u32::from_le_bytes(bytes))
            }
            None => broken("the bytes end early"),
        }
    }

    /// Length of the sequence that comes next. It also holds for what is in memory: nothing is reserved for more elements
    /// than there are bytes.
    fn length(&mut self) -> Result<usize, Error> {
        let length = self.number()?;
        if length as usize > self.rest.len() {
            return broken("a sequence longer than the bytes");
        }
        match self.part {
            Part::Points => {
                self.part = Part::Zero;
                self.n_points = length;
            }
            Part::Zero => {
                self.part = Part::Layers;
                if length != self.n_points {
                    return broken("nodes and points differ in number");
                }
            }
            Part::Layers => {
                self.part = Part::Layer;
                if length as usize > MAX_LAYERS {
                    return broken("too many layers");
                }
            }
            // From the lowest up. A search goes down from point 0, so each layer holds it and all points of those above.
            Part::Layer => {
                if length == 0 || length > self.n_points {
                    return broken("a layer larger than the one below");
                }
                self.n_points = length;
            }
        }
        Ok(length as usize)
    }
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        broken("not a part of a graph")
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_u32(self.number()?)
    }

    /// `ef_search`.
    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_u64(EF_SEARCH as u64)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_seq(Elements {
            left: fields.len(),
            reader: self,
        })
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(Elements {
            left: self.length()?,
            reader: self,
        })
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        places: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        let links = usize::from(self.byte()?);
        if links > places {
            return broken("more links than places");
        }
        visitor.visit_seq(Links {
            links,
            left: places,
            reader: self,
        })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        tuple_struct map enum identifier ignored_any
    }
}

struct Elements<'r, 'de> {
    left: usize,
    reader: &'r mut Reader<'de>,
}

impl<'de> SeqAccess<'de> for Elements<'_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(&mut *self.reader).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

/// A node: the links that were written, then empty places.
struct Links<'r, 'de> {
    links: usize,
    left: usize,
    reader: &'r mut Reader<'de>,
}

impl<'de> SeqAccess<'de> for Links<'_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let link = if self.links == 0 {
            NO_LINK
        } else {
            self.links -= 1;
            let link = self.reader.number()?;
            if link >= self.reader.n_points {
                return broken("a link that leads nowhere");
            }
            link
        };
        seed.deserialize(Link(link)).map(Some)
    }
}

struct Link(u32);

impl<'de> Deserializer<'de> for Link {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_u32(self.0)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
