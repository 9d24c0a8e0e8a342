//! Reading an enum by the field that names its variant: `{type: "turn", id: "…"}`.
//!
//! serde's own `tag` first copies the whole object into a generic tree and has code for reading every type out of such a tree, a
//! twentieth of the engine. A JavaScript object can be asked for the tag at once.

use js_sys::Reflect;
use serde::de::value::StringDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, EnumAccess, IntoDeserializer, VariantAccess};
use serde::de::{Deserializer, Error as _, Visitor};
use serde_wasm_bindgen::Error;
use wasm_bindgen::JsValue;

/// Reads a value of an enum whose variants have named fields, or hold one struct, or nothing.
///
/// # Errors
/// If `tag` is no field of it with the name of a variant, or the other fields do not fit.
pub fn from_tagged<T: DeserializeOwned>(value: JsValue, tag: &str) -> Result<T, Error> {
    let name = Reflect::get(&value, &tag.into()).ok();
    let name = name.and_then(|name| name.as_string());
    let name = name.ok_or_else(|| Error::custom(format!("missing field `{tag}`")))?;
    T::deserialize(Tagged { name, value })
}

/// For `deserialize_with` on a field whose own tag is `type`.
///
/// # Errors
/// As [`from_tagged`].
pub fn by_type<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<T, D::Error> {
    nested(from, "type")
}

/// For `deserialize_with` on a field whose own tag is `do`.
///
/// # Errors
/// As [`from_tagged`].
pub fn by_do<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<T, D::Error> {
    nested(from, "do")
}

fn nested<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    from: D,
    tag: &str,
) -> Result<T, D::Error> {
    let value: JsValue = serde_wasm_bindgen::preserve::deserialize(from)?;
    from_tagged(value, tag).map_err(D::Error::custom)
}

struct Tagged {
    name: String,
    value: JsValue,
}

impl<'de> Deserializer<'de> for Tagged {
    type Error = Error;

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(self)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        Err(Error::custom("only an enum is named by a tag"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl<'de> EnumAccess<'de> for Tagged {
    type Error = Error;
    type Variant = Fields;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Fields), Error> {
        let name: StringDeserializer<Error> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, Fields(self.value)))
    }
}

struct Fields(JsValue);

impl<'de> VariantAccess<'de> for Fields {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        serde_wasm_bindgen::Deserializer::from(self.0).deserialize_struct("", fields, visitor)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(serde_wasm_bindgen::Deserializer::from(self.0))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, _visitor: V) -> Result<V::Value, Error> {
        Err(Error::custom("expected a variant with named fields"))
    }
}
