//! Content negotiation (RFC 9110 section 12.5.1) and media types.

use axum::http::{HeaderMap, header};

/// Chooses among the media types that an answer exists in.
///
/// The offer with the highest quality wins; of equals, the one that the client named most precisely; of those, the
/// one offered first. Without `Accept` that is simply the first. `None` when the client accepts none of them.
pub(super) fn choose(headers: &HeaderMap, offers: &[&'static str]) -> Option<&'static str> {
    let values: Vec<&str> =
        headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    if !headers.contains_key(header::ACCEPT) {
        return offers.first().copied();
    }
    let ranges: Vec<Range<'_>> =
        values.iter().flat_map(|value| split(value, b',')).filter_map(Range::parse).collect();
    let mut best: Option<(Rank, &'static str)> = None;
    for offer in offers {
        let Some(rank) = rank(&ranges, offer) else { continue };
        if best.is_none_or(|(chosen, _)| rank > chosen) {
            best = Some((rank, offer));
        }
    }
    best.map(|(_, offer)| offer)
}

/// How much a client wants an offer: quality in thousandths, then how precisely it was named.
type Rank = (u16, u8);

fn rank(ranges: &[Range<'_>], offer: &str) -> Option<Rank> {
    let most_precise =
        ranges.iter().filter_map(|range| Some((range.precision(offer)?, range.quality))).max()?;
    let (precision, quality) = most_precise;
    (quality > 0).then_some((quality, precision))
}

/// One media range of an `Accept` header. Parameters other than the quality are not compared: no answer exists in
/// two forms that differ in them only.
struct Range<'a> {
    essence: std::borrow::Cow<'a, str>,
    quality: u16,
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = split(text, b';');
        let essence = lowercase(parts.next()?.trim());
        if !is_essence(&essence) {
            return None;
        }
        let mut quality = 1000;
        for parameter in parts {
            if let Some((name, value)) = parameter.split_once('=')
                && name.trim().eq_ignore_ascii_case("q")
            {
                quality = thousandths(value.trim())?;
            }
        }
        Some(Self { essence, quality })
    }

    fn precision(&self, offer: &str) -> Option<u8> {
        if self.essence == offer {
            return Some(2);
        }
        if self.essence == "*/*" {
            return Some(0);
        }
        let family = self.essence.strip_suffix("/*")?;
        (offer.split_once('/')?.0 == family).then_some(1)
    }
}

/// A quality value: 0 or 1 with at most three decimals.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let decimals: u16 = format!("{decimals:0<3}").parse().ok()?;
    match whole {
        "0" => Some(decimals),
        "1" if decimals == 0 => Some(1000),
        _ => None,
    }
}

/// A media type as `Content-Type` names it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MediaType<'a> {
    pub(super) essence: std::borrow::Cow<'a, str>,
    parameters: Vec<(std::borrow::Cow<'a, str>, &'a str)>,
}

impl<'a> MediaType<'a> {
    /// Reads a media type. Parameter values may be quoted; escapes inside of quotes occur in none that is known here.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = split(text, b';');
        let essence = lowercase(parts.next()?.trim());
        if !is_essence(&essence) {
            return None;
        }
        let mut parameters = Vec::new();
        for parameter in parts.filter(|parameter| !parameter.trim().is_empty()) {
            let (name, value) = parameter.split_once('=')?;
            let value = value.trim();
            let value = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
            parameters.push((lowercase(name.trim()), value));
        }
        Some(Self { essence, parameters })
    }

    /// Whether its only parameter, if it has any, is `name` with this value.
    pub(super) fn has_at_most(&self, name: &str, value: &str) -> bool {
        self.parameters.iter().all(|(found, is)| found == name && is.eq_ignore_ascii_case(value))
    }
}

/// Whether it is a type and a subtype.
fn is_essence(text: &str) -> bool {
    text.split_once('/').is_some_and(|(of, sub)| !of.is_empty() && !sub.is_empty() && !sub.contains('/'))
}

fn lowercase(text: &str) -> std::borrow::Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        text.to_ascii_lowercase().into()
    } else {
        text.into()
    }
}

/// Splits at a delimiter that is not inside of a quoted string.
fn split(text: &str, delimiter: u8) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |character: char| {
        quoted ^= character == '"';
        !quoted && u32::from(character) == u32::from(delimiter)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    const OFFERS: &[&str] = &["application/json", "text/plain"];

    fn chosen(accept: &[&'static str]) -> Option<&'static str> {
        let mut headers = HeaderMap::new();
        for value in accept {
            headers.append(header::ACCEPT, HeaderValue::from_static(value));
        }
        choose(&headers, OFFERS)
    }

    #[test]
    fn the_client_chooses_by_quality_then_precision_then_the_order_of_the_offers() {
        let (json, text) = (Some("application/json"), Some("text/plain"));
        for (accept, expected) in [
            (&[][..], json),
            (&["*/*"], json),
            (&["text/plain"], text),
            (&["text/*"], text),
            (&["TEXT/Plain"], text),
            (&["text/plain; charset=utf-8"], text),
            (&["text/plain, application/json"], json),
            (&["text/plain, */*"], text),
            (&["text/plain;q=0.5, */*;q=0.4"], text),
            (&["text/plain;q=0.3, */*;q=0.4"], json),
            (&["application/json;q=0, */*"], text),
            (&["application/cose, application/json;q=0.1"], json),
            (&["application/cose"], None),
            (&["application/cose", "text/plain"], text),
            (&["application/json;q=0"], None),
            (&["*/*;q=0"], None),
            (&["text/plain;q=1.5"], None),
            (&["text/plain;q=0.1234"], None),
            (&["nonsense"], None),
            (&[""], None),
            (&["a/b;x=\",text/plain,\""], None),
        ] {
            assert_eq!(chosen(accept), expected, "{accept:?}");
        }
    }

    #[test]
    fn media_types_are_read_with_their_parameters() {
        let plain = MediaType::parse("Application/COSE").unwrap();
        assert_eq!(plain.essence, "application/cose");
        assert!(plain.has_at_most("cose-type", "cose-sign1"));
        for (text, fits) in [
            ("application/cose; cose-type=\"cose-sign1\"", true),
            ("application/cose;cose-type=COSE-Sign1", true),
            ("application/cose; cose-type=\"cose-encrypt\"", false),
            ("application/cose; charset=utf-8", false),
        ] {
            let media_type = MediaType::parse(text).unwrap();
            assert_eq!(media_type.has_at_most("cose-type", "cose-sign1"), fits, "{text}");
        }
        for text in
            ["", "application", "application/", "/cose", "a/b/c", "a//b", "/a/b", "application/cose; x"]
        {
            assert_eq!(MediaType::parse(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_header_breaks_the_choice(accept in prop::collection::vec(header_value(), 0..4)) {
            let mut headers = HeaderMap::new();
            for value in &accept {
                headers.append(header::ACCEPT, value.clone());
            }
            let choice = choose(&headers, OFFERS);
            prop_assert!(choice.is_none_or(|choice| OFFERS.contains(&choice)));
            prop_assert!(!accept.is_empty() || choice == Some(OFFERS[0]));
            // Nothing is given that is refused by name.
            headers.append(header::ACCEPT, HeaderValue::from_static("application/json;q=0, text/plain;q=0"));
            let named = |choice: &&str| {
                let values = accept.iter().filter_map(|value| value.to_str().ok());
                values.map(str::to_ascii_lowercase).any(|value| value.contains(*choice))
            };
            let choice = choose(&headers, OFFERS);
            prop_assert!(choice.as_ref().is_none_or(named), "{choice:?}");
        }

        #[test]
        fn no_text_breaks_a_media_type(text in "[ -~]{0,40}") {
            if let Some(found) = MediaType::parse(&text) {
                prop_assert_eq!(found.essence.to_lowercase(), found.essence.clone());
                prop_assert_eq!(found.essence.matches('/').count(), 1, "{}", found.essence);
            }
        }
    }

    /// Anything that may stand in a header, most of it near to what is read there.
    fn header_value() -> impl Strategy<Value = HeaderValue> {
        let near = "(application|text|\\*)/(json|plain|\\*)( ?; ?(q|x) ?= ?[01]?\\.?[0-9]{0,4}|,|;|\"){0,4}";
        let any = prop::collection::vec(any::<u8>(), 0..40);
        prop_oneof![near.prop_map(String::into_bytes), any,]
            .prop_filter_map("no header may have it", |bytes| HeaderValue::from_bytes(&bytes).ok())
    }
}
