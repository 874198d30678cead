//! Changing a JSON value in one place.

use serde_json::Value;

/// The value with another one at `pointer`: put there, or taken out when there is none.
pub(super) fn changed(value: &Value, pointer: &str, new: Option<Value>) -> Value {
    let mut whole = value.clone();
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer to a member");
    match (whole.pointer_mut(parent).expect("the parent is there"), new) {
        (Value::Array(items), Some(new)) => {
            let at: usize = name.parse().expect("the position of an item");
            *items.get_mut(at).expect("the item is there") = new;
        }
        (Value::Object(members), Some(new)) => drop(members.insert(name.to_owned(), new)),
        (Value::Object(members), None) => drop(members.remove(name).expect("the member is there")),
        (other, _) => panic!("{pointer} is not below an array or object: {other}"),
    }
    whole
}
