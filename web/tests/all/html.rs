//! A reader of HTML that is only as good as it has to be: it finds tags, attributes and what is out of place.

/// A start tag.
#[derive(Debug, Clone)]
pub(crate) struct Tag {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
}

impl Tag {
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(of, _)| of == name).map(|(_, value)| value.as_str())
    }
}

const VOID: [&str; 10] = ["meta", "link", "input", "br", "hr", "img", "path", "circle", "rect", "!doctype"];

/// All start tags of a page, which has to be balanced.
pub(crate) fn tags(page: &str) -> Vec<Tag> {
    let mut found = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let end = end_of_tag(rest);
        let inside = &rest[..end];
        rest = &rest[end + 1..];
        if let Some(name) = inside.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "</{name}> closes something else in {page}");
            continue;
        }
        let inside = inside.trim_end_matches('/');
        let (name, attributes) = inside.split_once(char::is_whitespace).unwrap_or((inside, ""));
        let name = name.to_lowercase();
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '!'), "<{name}> is no tag");
        if !VOID.contains(&name.as_str()) {
            open.push(name.clone());
        }
        found.push(Tag { name, attributes: read_attributes(attributes) });
    }
    assert!(open.is_empty(), "{open:?} never closed");
    found
}

fn end_of_tag(text: &str) -> usize {
    let mut quoted = false;
    for (at, character) in text.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '>' if !quoted => return at,
            _ => {}
        }
    }
    panic!("a tag never ends: {}", &text[..text.len().min(80)]);
}

fn read_attributes(mut text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    loop {
        text = text.trim_start();
        if text.is_empty() {
            return found;
        }
        let end = text.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(text.len());
        let name = text[..end].to_lowercase();
        text = &text[end..];
        let mut value = String::new();
        if let Some(quoted) = text.strip_prefix("=\"") {
            let end = quoted.find('"').unwrap();
            value = unescape(&quoted[..end]);
            text = &quoted[end + 1..];
        } else {
            assert!(!text.starts_with('='), "the value of {name} is not quoted");
        }
        found.push((name, value));
    }
}

/// What the references to characters, as the templates write them, stand for.
pub(crate) fn unescape(text: &str) -> String {
    text.replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#38;", "&")
        .replace("&amp;", "&")
}
