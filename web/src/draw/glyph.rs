//! One shape a kind of statement. Shapes tell kinds apart; colours are kept for verdicts.

use countersign_verifier::statement::Kind;

macro_rules! glyph {
    ($shape:literal) => {
        concat!("<svg class=\"glyph\" viewBox=\"0 0 16 16\" aria-hidden=\"true\">", $shape, "</svg>")
    };
}

/// The shape of a kind, as markup. It says nothing to a screen reader: the word stands beside it.
pub(crate) const fn glyph(kind: Option<Kind>) -> &'static str {
    match kind {
        // A double circle: the beginning of everything.
        Some(Kind::Genesis) => {
            glyph!("<circle cx=\"8\" cy=\"8\" r=\"6\"/><circle cx=\"8\" cy=\"8\" r=\"2.5\"/>")
        }
        // A key.
        Some(Kind::Issuer) => glyph!("<circle cx=\"5\" cy=\"8\" r=\"3\"/><path d=\"M8 8h6M12 8v3\"/>"),
        // A page with lines.
        Some(Kind::Policy) => glyph!("<path d=\"M3.5 2h9v12h-9zM6 6h4M6 9h4\"/>"),
        // An open circle: a question.
        Some(Kind::Intent) => glyph!("<circle cx=\"8\" cy=\"8\" r=\"5.5\"/>"),
        // A diamond: a fork in the road.
        Some(Kind::Decision) => glyph!("<path d=\"M8 1.8 14.2 8 8 14.2 1.8 8z\"/>"),
        // A seal.
        Some(Kind::Authorization) => glyph!("<path d=\"M8 1.5 13.6 4.8v6.4L8 14.5 2.4 11.2V4.8z\"/>"),
        // A magnifying glass.
        Some(Kind::Verification) => {
            glyph!("<circle cx=\"7\" cy=\"7\" r=\"4.5\"/><path d=\"m10.4 10.4 4 4\"/>")
        }
        // A filled circle: done.
        Some(Kind::Outcome) => glyph!("<circle class=\"full\" cx=\"8\" cy=\"8\" r=\"5.5\"/>"),
        // An octagon, as stop signs have it.
        Some(Kind::Enforcement) => {
            glyph!("<path d=\"M5.4 1.8h5.2l3.6 3.6v5.2l-3.6 3.6H5.4l-3.6-3.6V5.4z\"/><path d=\"M5 8h6\"/>")
        }
        // A double bar: the end.
        Some(Kind::Close) => glyph!("<path d=\"M5.5 2.5v11M10.5 2.5v11\"/>"),
        None => glyph!("<path d=\"M3 3h10v10H3zM3 3l10 10\"/>"),
    }
}
