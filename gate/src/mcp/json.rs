//! JSON that means the same to everybody who reads it: one value, no member twice.

use core::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Why a text is not such a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum JsonError {
    /// Not JSON in UTF-8, or nested deeper than 128 levels.
    #[error("it is not JSON from column {0} on")]
    Syntax(usize),
    /// A name occurs twice in one object, so that two readers may see two things.
    #[error("a member occurs twice in one object, the second time at column {0}")]
    Twice(usize),
}

/// Reads a value.
pub(super) fn read(text: &[u8]) -> Result<Value, JsonError> {
    match serde_json::from_slice(text) {
        Ok(Unambiguous(value)) => Ok(value),
        Err(error) if error.is_data() => Err(JsonError::Twice(error.column())),
        Err(error) => Err(JsonError::Syntax(error.column())),
    }
}

/// A name as readers have it that do not tell capital letters from small ones.
pub(super) fn folded(name: &str) -> String {
    // Both ways, for letters that have more than one small form.
    name.to_uppercase().to_lowercase()
}

struct Unambiguous(Value);

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut read = Vec::new();
        while let Some(Unambiguous(element)) = elements.next_element()? {
            read.push(element);
        }
        Ok(Value::Array(read))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut read = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if read.contains_key(&name) {
                return Err(A::Error::custom("twice"));
            }
            let Unambiguous(value) = members.next_value()?;
            read.insert(name, value);
        }
        Ok(Value::Object(read))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_value_is_read_and_nothing_else() {
        assert_eq!(
            read(br#" {"a":[1,-2,0.5,1e3,null,true,"\u0062"]} "#),
            Ok(json!({"a":[1,-2,0.5,1e3,null,true,"b"]}))
        );
        for text in [
            &b""[..],
            b"{",
            b"{} {}",
            b"{}x",
            b"\xef\xbb\xbf{}",
            b"\"\xff\"",
            b"{\"a\":1e999}",
            b"[\x0b1]",
            br#""\ud800""#,
        ] {
            assert!(matches!(read(text), Err(JsonError::Syntax(_))), "{}", String::from_utf8_lossy(text));
        }
        let deep = [&b"[".repeat(200)[..], &b"]".repeat(200)].concat();
        assert!(matches!(read(&deep), Err(JsonError::Syntax(_))));
    }

    #[test]
    fn a_member_that_occurs_twice_is_found_at_any_depth_and_in_any_spelling() {
        for text in [r#"{"a":1,"a":1}"#, r#"{"a":1,"\u0061":2}"#, r#"[{"b":{"c":1,"d":{},"c":1}}]"#] {
            assert!(matches!(read(text.as_bytes()), Err(JsonError::Twice(_))), "{text}");
        }
        assert!(read(br#"{"a":{"a":{"a":1}},"A":1}"#).is_ok());
    }

    #[test]
    fn folding_knows_letters_with_several_small_forms() {
        for alike in ["PARAMS", "Params", "param\u{17f}", "para\u{4d}s"] {
            assert_eq!(folded(alike), folded("params"), "{alike}");
        }
        assert_eq!(folded("\u{212a}ey"), folded("key"));
    }
}
