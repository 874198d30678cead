//! Reading a body within bounds.

use axum::body::Body;
use axum::http::{HeaderMap, header};
use countersign_verifier::witnessing::MAX_REQUEST_BYTES;
use http_body_util::BodyExt as _;

use super::catalog;
use super::problem::Problem;

/// How much of a body that is too large is read and thrown away, so that the client gets to read the answer.
const DRAINED: usize = 4 * 1024 * 1024;

/// Reads a body of at most [`MAX_REQUEST_BYTES`].
pub(super) async fn read(headers: &HeaderMap, mut body: Body) -> Result<Vec<u8>, Problem> {
    let announced =
        headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let too_large = announced.is_some_and(|length| length > MAX_REQUEST_BYTES as u64);
    if too_large && headers.contains_key(header::EXPECT) {
        // The client waits for leave to send, and does not get it.
        return Err(refuse());
    }
    let mut bytes = Vec::new();
    let mut length = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Problem::new(&catalog::MALFORMED, "the body breaks off"))?;
        let Ok(data) = frame.into_data() else { continue };
        length = length.saturating_add(data.len());
        if length > DRAINED {
            break;
        }
        if length <= MAX_REQUEST_BYTES {
            bytes.extend_from_slice(&data);
        }
    }
    if length > MAX_REQUEST_BYTES { Err(refuse()) } else { Ok(bytes) }
}

fn refuse() -> Problem {
    Problem::new(&catalog::TOO_LARGE, format!("expected a body of at most {MAX_REQUEST_BYTES} bytes"))
}
