//! Reading request bodies: bounded in size and in time.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::Instant;

use super::catalog::codes;
use super::negotiate::MediaType;
use super::problem::Refusal;
use super::query::cut;

/// A media type that an address reads, with the one parameter value that it may carry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Readable {
    pub(super) essence: &'static str,
    pub(super) parameter: (&'static str, &'static str),
}

/// One statement (RFC 9052 section 2 names the parameter).
pub(super) const COSE: Readable =
    Readable { essence: "application/cose", parameter: ("cose-type", "cose-sign1") };
/// The JSON form of a statement. JSON is UTF-8, whether or not that is said.
pub(super) const JSON: Readable = Readable { essence: "application/json", parameter: ("charset", "utf-8") };
/// A CBOR sequence (RFC 8742).
pub(super) const CBOR_SEQ: Readable = Readable { essence: "application/cbor-seq", parameter: ("", "") };

/// Which of the media types in `readable` the body has.
pub(super) fn media_type(headers: &HeaderMap, readable: &[Readable]) -> Result<Readable, Refusal> {
    let expected = readable.iter().map(|one| one.essence).collect::<Vec<_>>().join(" or ");
    if let Some(encoding) = headers.get(header::CONTENT_ENCODING)
        && !encoding.as_bytes().eq_ignore_ascii_case(b"identity")
    {
        let found = cut(&String::from_utf8_lossy(encoding.as_bytes()));
        let detail = format!("the body has the Content-Encoding {found:?}, expected none");
        return Err(Refusal::new(&codes::UNSUPPORTED_ENCODING, detail));
    }
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        let detail = format!("the header Content-Type is missing, expected {expected}");
        return Err(Refusal::new(&codes::UNSUPPORTED_MEDIA_TYPE, detail));
    };
    let text = String::from_utf8_lossy(value.as_bytes());
    MediaType::parse(&text)
        .and_then(|found| {
            let fits = |one: &&Readable| {
                found.essence == one.essence && found.has_at_most(one.parameter.0, one.parameter.1)
            };
            readable.iter().find(fits).copied()
        })
        .ok_or_else(|| {
            let detail = format!("the header Content-Type is {:?}, expected {expected}", cut(&text));
            Refusal::new(&codes::UNSUPPORTED_MEDIA_TYPE, detail)
        })
}

/// Reads a body of at most `limit` bytes, for at most `patience`.
pub(super) async fn read(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
    patience: Duration,
) -> Result<Bytes, Refusal> {
    Reading::begin(headers, body, limit, patience)?.whole().await
}

/// A body that is being read.
#[derive(Debug)]
pub(super) struct Reading {
    body: Limited<Body>,
    limit: usize,
    patience: Duration,
    deadline: Instant,
    frames: Vec<Bytes>,
    /// How many bytes have come.
    length: usize,
    ended: bool,
}

impl Reading {
    /// Begins to read a body of at most `limit` bytes, for at most `patience`.
    pub(super) fn begin(
        headers: &HeaderMap,
        body: Body,
        limit: usize,
        patience: Duration,
    ) -> Result<Self, Refusal> {
        if let Some(announced) = announced_length(headers).filter(|announced| *announced > limit as u64) {
            let detail = format!("the body is announced with {announced} bytes, expected at most {limit}");
            return Err(Refusal::new(&codes::BODY_TOO_LARGE, detail));
        }
        let now = Instant::now();
        let deadline = now.checked_add(patience).unwrap_or(now);
        Ok(Self {
            body: Limited::new(body, limit),
            limit,
            patience,
            deadline,
            frames: Vec::new(),
            length: 0,
            ended: false,
        })
    }

    /// The first bytes: `count` of them, fewer where the body is shorter, or more. They stay part of the whole.
    pub(super) async fn first(&mut self, count: usize) -> Result<Bytes, Refusal> {
        while !self.ended && self.length < count {
            self.frame().await?;
        }
        let all = self.taken();
        self.frames.push(all.clone());
        Ok(all)
    }

    /// The whole body.
    pub(super) async fn whole(self) -> Result<Bytes, Refusal> {
        self.whole_within(|_| Ok(())).await
    }

    /// The whole body, as long as there is room for as much of it as has come.
    pub(super) async fn whole_within(
        mut self,
        mut room: impl FnMut(usize) -> Result<(), Refusal>,
    ) -> Result<Bytes, Refusal> {
        room(self.length)?;
        while !self.ended {
            self.frame().await?;
            room(self.length)?;
        }
        Ok(self.taken())
    }

    /// What has come, in one piece.
    fn taken(&mut self) -> Bytes {
        match core::mem::take(&mut self.frames).as_mut_slice() {
            [one] => core::mem::take(one),
            frames => frames.concat().into(),
        }
    }

    async fn frame(&mut self) -> Result<(), Refusal> {
        match tokio::time::timeout_at(self.deadline, self.body.frame()).await {
            Ok(None) => self.ended = true,
            Ok(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    self.length = self.length.saturating_add(data.len());
                    self.frames.push(data);
                }
            }
            Ok(Some(Err(error))) if error.is::<LengthLimitError>() => {
                let detail = format!("the body has more than {} bytes", self.limit);
                return Err(Refusal::new(&codes::BODY_TOO_LARGE, detail));
            }
            Ok(Some(Err(_))) => {
                return Err(Refusal::new(&codes::BODY_INCOMPLETE, "the body ended before it was complete"));
            }
            Err(_) => {
                let seconds = self.patience.as_secs_f32();
                let detail = format!("the body was not complete after {seconds} seconds");
                return Err(Refusal::new(&codes::BODY_TIMEOUT, detail));
            }
        }
        Ok(())
    }
}

/// What `Content-Length` says, if anything.
fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn code_of(value: &'static str) -> &'static str {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(value));
        match media_type(&headers, &[COSE, JSON]) {
            Ok(found) => found.essence,
            Err(refusal) => refusal.code(),
        }
    }

    #[test]
    fn only_the_media_types_of_the_address_are_read() {
        for value in ["application/cose", "Application/Cose; cose-type=\"cose-sign1\"", "application/cose;"] {
            assert_eq!(code_of(value), "application/cose", "{value}");
        }
        for value in ["application/json", "application/json; charset=UTF-8"] {
            assert_eq!(code_of(value), "application/json", "{value}");
        }
        for value in
            ["", "application/cbor", "application/json; charset=latin1", "application/cose; charset=utf-8"]
        {
            assert_eq!(code_of(value), "unsupported-media-type", "{value}");
        }
        let mut headers = HeaderMap::new();
        assert_eq!(media_type(&headers, &[COSE]).unwrap_err().code(), "unsupported-media-type");
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert_eq!(media_type(&headers, &[COSE]).unwrap_err().code(), "unsupported-content-encoding");
    }

    #[tokio::test]
    async fn a_body_is_cut_off_at_its_limit_whatever_it_announces() {
        let read = |announced: Option<&'static str>, bytes: &'static [u8]| async move {
            let mut headers = HeaderMap::new();
            if let Some(announced) = announced {
                headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static(announced));
            }
            read(&headers, Body::from(bytes), 4, Duration::from_secs(5))
                .await
                .map_err(|refusal| refusal.code())
        };
        assert_eq!(read(None, b"four").await, Ok(Bytes::from_static(b"four")));
        assert_eq!(read(None, b"fifth").await, Err("body-too-large"));
        assert_eq!(read(Some("5"), b"four").await, Err("body-too-large"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_not_waited_for() {
        let never = Body::new(Pending);
        let refused = read(&HeaderMap::new(), never, 4, Duration::from_secs(5)).await;
        assert_eq!(refused.unwrap_err().code(), "body-timeout");
    }

    struct Pending;

    impl axum::body::HttpBody for Pending {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
            std::task::Poll::Pending
        }
    }
}
