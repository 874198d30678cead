//! Strict JSON: what RFC 8785 (JCS) can carry without loss, in its one canonical form.

use core::cell::{Cell, RefCell};
use core::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Value};

use super::names::MAX_INTEGER;
use super::pointer::{Path, Pointer};
use crate::strict::first_difference;

/// How deep arrays and objects may be nested.
pub const MAX_DEPTH: usize = 16;

/// Why bytes are not strict JSON in canonical form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Not JSON in UTF-8.
    #[error("line {line} column {column} is not JSON: expected one object in UTF-8")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// The column, from 1; 0 at the start of a line.
        column: usize,
    },
    /// JSON, but not an object.
    #[error("expected an object, found another JSON value")]
    NotAnObject,
    /// A member name occurs twice in one object.
    #[error("{pointer} occurs twice: expected each member once")]
    Duplicate {
        /// The second occurrence.
        pointer: Pointer,
    },
    /// A number is not an integer within `±(2^53 - 1)`.
    #[error("the number at {pointer} is not an integer from -(2^53-1) to 2^53-1")]
    Number {
        /// The number.
        pointer: Pointer,
    },
    /// Nested too deep.
    #[error("{pointer} is nested deeper than {limit} levels")]
    TooDeep {
        /// The first array or object that lies too deep.
        pointer: Pointer,
        /// How many levels there may be.
        limit: usize,
    },
    /// The same value has another, canonical form.
    #[error("not in RFC 8785 canonical form: byte {at} is the first to differ")]
    NotCanonical {
        /// The first byte, from 0, that differs from the canonical form.
        at: usize,
    },
    /// The value has no canonical form. A value read by this module always has one.
    #[error("the value has no RFC 8785 form")]
    NoCanonicalForm,
}

impl JsonError {
    /// The stable problem code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } | Self::NotAnObject | Self::NoCanonicalForm => "json-malformed",
            Self::Duplicate { .. } => "json-duplicate-member",
            Self::Number { .. } => "json-number",
            Self::TooDeep { .. } => "json-too-deep",
            Self::NotCanonical { .. } => "json-not-canonical",
        }
    }

    /// Where in the document, if at a place that has a name.
    pub const fn pointer(&self) -> Option<&Pointer> {
        match self {
            Self::Duplicate { pointer } | Self::Number { pointer } | Self::TooDeep { pointer, .. } => {
                Some(pointer)
            }
            Self::Syntax { .. } | Self::NotAnObject | Self::NotCanonical { .. } | Self::NoCanonicalForm => {
                None
            }
        }
    }
}

/// Reads a payload in any JSON formatting, as strictly as statements need it: one object, no duplicate names, no
/// number but exact integers, at most [`MAX_DEPTH`] levels. Whether it is the payload of any kind, it does not say.
pub fn read_payload(bytes: &[u8]) -> Result<Map<String, Value>, JsonError> {
    read_object(bytes, MAX_DEPTH)
}

/// Reads any JSON value as strictly as [`read_payload`] reads an object, the whole being one of the levels.
pub fn read_value(bytes: &[u8]) -> Result<Value, JsonError> {
    read_any(bytes, MAX_DEPTH).map(|(value, _)| value)
}

/// Reads an object in any formatting: no duplicate names, no number but exact integers, at most `limit` levels.
pub(super) fn read_object(bytes: &[u8], limit: usize) -> Result<Map<String, Value>, JsonError> {
    read(bytes, limit).map(|(members, _)| members)
}

/// Reads an object that stands in its canonical form, at most [`MAX_DEPTH`] levels deep.
pub(super) fn read_canonical_object(bytes: &[u8]) -> Result<Map<String, Value>, JsonError> {
    let (members, is_sorted) = read(bytes, MAX_DEPTH)?;
    // Of texts and exact integers, compact JSON with its names in order is the canonical form, and far cheaper to
    // write. Whatever differs from it is for the JCS library to judge.
    if is_sorted && serde_json::to_vec(&members).is_ok_and(|compact| compact == bytes) {
        return Ok(members);
    }
    match first_difference(&canonical(&members)?, bytes) {
        None => Ok(members),
        Some(at) => Err(JsonError::NotCanonical { at }),
    }
}

/// The object, and whether the names of each of its objects stood in canonical order.
fn read(bytes: &[u8], limit: usize) -> Result<(Map<String, Value>, bool), JsonError> {
    match read_any(bytes, limit)? {
        (Value::Object(members), is_sorted) => Ok((members, is_sorted)),
        _ => Err(JsonError::NotAnObject),
    }
}

fn read_any(bytes: &[u8], limit: usize) -> Result<(Value, bool), JsonError> {
    let findings = Findings { fault: RefCell::new(None), is_sorted: Cell::new(true) };
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { path: Path::Root, limit, left: limit, findings: &findings }
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value));
    match (value, findings.fault.into_inner()) {
        (_, Some(fault)) => Err(fault),
        (Ok(value), None) => Ok((value, findings.is_sorted.get())),
        (Err(error), None) => Err(JsonError::Syntax { line: error.line(), column: error.column() }),
    }
}

/// The RFC 8785 form.
pub(super) fn canonical(members: &Map<String, Value>) -> Result<Vec<u8>, JsonError> {
    serde_json_canonicalizer::to_vec(members).map_err(|_| JsonError::NoCanonicalForm)
}

/// What a reader finds on its way.
struct Findings {
    /// What is wrong beyond syntax: it goes here because the errors of a deserializer are texts.
    fault: RefCell<Option<JsonError>>,
    /// Whether all names stood in canonical order so far, that of their UTF-16 code units.
    is_sorted: Cell<bool>,
}

/// Reads one value at a known place.
#[derive(Clone, Copy)]
struct Strict<'a> {
    path: Path<'a>,
    limit: usize,
    left: usize,
    findings: &'a Findings,
}

impl Strict<'_> {
    fn refuse<E: serde::de::Error>(&self, fault: JsonError) -> E {
        *self.findings.fault.borrow_mut() = Some(fault);
        E::custom("refused")
    }

    /// How many levels are left inside an array or object at this place.
    fn descend<E: serde::de::Error>(&self) -> Result<usize, E> {
        self.left.checked_sub(1).ok_or_else(|| {
            self.refuse(JsonError::TooDeep { pointer: self.path.pointer(), limit: self.limit })
        })
    }

    fn not_an_integer<E: serde::de::Error>(&self) -> E {
        self.refuse(JsonError::Number { pointer: self.path.pointer() })
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
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

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        if value <= MAX_INTEGER { Ok(Value::Number(value.into())) } else { Err(self.not_an_integer()) }
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        if value.unsigned_abs() <= MAX_INTEGER {
            Ok(Value::Number(value.into()))
        } else {
            Err(self.not_an_integer())
        }
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Value, E> {
        Err(self.not_an_integer())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let left = self.descend()?;
        let mut array = Vec::new();
        loop {
            let path = Path::Item(&self.path, array.len());
            let seed = Strict { path, left, ..self };
            match items.next_element_seed(seed)? {
                Some(item) => array.push(item),
                None => return Ok(Value::Array(array)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let left = self.descend()?;
        let mut object = Map::new();
        let mut last = String::new();
        while let Some(name) = members.next_key::<String>()? {
            let path = Path::Member(&self.path, &name);
            let value = members.next_value_seed(Strict { path, left, ..self })?;
            if !object.is_empty() && !last.encode_utf16().lt(name.encode_utf16()) {
                self.findings.is_sorted.set(false);
            }
            last.clone_from(&name);
            match object.entry(name) {
                Entry::Vacant(entry) => drop(entry.insert(value)),
                Entry::Occupied(entry) => {
                    let pointer = Path::Member(&self.path, entry.key()).pointer();
                    return Err(self.refuse(JsonError::Duplicate { pointer }));
                }
            }
        }
        Ok(Value::Object(object))
    }
}
