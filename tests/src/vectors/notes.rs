//! Keys and signed notes.

use countersign_verifier::note::{MAX_NOTE_BYTES, MAX_SIGNATURES};
use serde_json::{Value, json};

use super::keys::{head, log, note_signer, witness};
use super::trees::Tree;
use super::{Case, File};

pub(super) fn vkeys() -> File {
    let (log, witness) = (log().verifier().to_string(), witness(102).verifier().to_string());
    let input = |vkey: &str| json!({ "vkey": vkey });
    let accepted = |vkey: &str, kind: u8| {
        let name = vkey.split('+').next().unwrap_or_default();
        Case::good(format!("a key of type {kind}"), input(vkey), json!({"name": name, "type": kind}))
    };
    let w3 = include_str!("../../vectors/c2sp/w3.vkey").trim_end();
    let mut cases = vec![accepted(&log, 1), accepted(&witness, 4), accepted(w3, 6)];
    let with = |part: usize, new: &str| {
        let mut parts: Vec<&str> = log.splitn(3, '+').collect();
        parts[part] = new;
        parts.join("+")
    };
    let typed = |kind: u8, material: &[u8]| super::base64(&[&[kind], material].concat());
    for (name, vkey) in [
        ("empty", String::new()),
        ("no key", log.rsplit_once('+').map(|(start, _)| start.to_owned()).unwrap_or_default()),
        ("no name", with(0, "")),
        ("a name with a space", with(0, "log example")),
        ("a name with a no-break space", with(0, "log\u{a0}example")),
        ("another name", with(0, "log.example/other")),
        ("another key id", with(1, "00000000")),
        ("a key id in capital letters", with(1, &log.split('+').nth(1).unwrap_or_default().to_uppercase())),
        ("a key id of seven digits", with(1, "0000000")),
        ("a key that is not base64", with(2, "AQ")),
        ("a key of type 2", with(2, &typed(2, &[1; 32]))),
        ("a key of 31 bytes", with(2, &typed(1, &[1; 31]))),
        ("a key of no bytes", with(2, "")),
        ("white space after it", format!("{log}\n")),
        ("a point of small order", small_order_key()),
    ] {
        cases.push(Case::bad(name, input(&vkey), json!({"refused": true})));
    }
    File { name: "vkeys", about: "Is this a key to verify notes by?", cases }
}

/// A vkey whose key id fits and whose key is the identity.
fn small_order_key() -> String {
    use sha2::Digest as _;
    let mut key = [0; 33];
    key[..2].copy_from_slice(&[1, 1]);
    let digest = sha2::Sha256::digest([&b"weak.example\n"[..], &key].concat());
    format!("weak.example+{}+{}", hex::encode(&digest[..4]), super::base64(&key))
}

const TEXT: &str = "A text of two lines,\n\nand a blank one between them.\n";

pub(super) fn notes() -> File {
    let signers = [note_signer("first.example", 11), note_signer("second.example", 12)];
    let keys: Vec<String> = signers.iter().map(|signer| signer.verifier().to_string()).collect();
    // A note of this library is a signed checkpoint; its lines are taken from there, over the same text.
    let checkpoint = head(3, Tree::new().root(3));
    let signed: Vec<String> = signers.iter().map(|signer| checkpoint.sign(signer).to_string()).collect();
    let text = checkpoint.to_string();
    let lines: Vec<String> = signed
        .iter()
        .map(|note| note.rsplit_once("\n\n").map(|(_, line)| line.to_owned()).unwrap_or_default())
        .collect();
    let (first, second) = (lines[0].as_str(), lines[1].as_str());
    let broken = first.replacen("example ", "example !", 1);
    let note = |lines: &[&str]| format!("{text}\n{}", lines.concat());
    let input = |note: &[u8], keys: &[String]| json!({"note": super::bytes(note), "keys": keys});
    let says = |form: bool, signed_by: Option<&[&str]>| json!({"form": form, "signed_by": signed_by});
    let only = |at: usize| vec![keys[at].clone()];
    let flipped = {
        let mut line = first.as_bytes().to_vec();
        let at = line.len() - 10;
        line[at] = if line[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(line).expect("ASCII")
    };
    let both: &[&str] = &["first.example", "second.example"];
    let good: Vec<(&str, String, Vec<String>, &[&str])> = vec![
        ("one line, one key", note(&[first]), only(0), &both[..1]),
        ("two lines, two keys", note(&[first, second]), keys.clone(), both),
        ("two lines, one key", note(&[first, second]), only(1), &both[1..]),
        ("a line twice counts once", note(&[first, first]), only(0), &both[..1]),
        ("a false line of an unknown key is ignored", note(&[&flipped, second]), only(1), &both[1..]),
        ("as many lines as there may be", note(&[&first.repeat(MAX_SIGNATURES)]), only(0), &both[..1]),
    ];
    let mut cases: Vec<Case> = good
        .iter()
        .map(|(name, note, keys, by)| Case::good(*name, input(note.as_bytes(), keys), says(true, Some(by))))
        .collect();
    let untrusted: Vec<(&str, String, Vec<String>)> = vec![
        ("no known key", note(&[first]), only(1)),
        ("no keys at all", note(&[first]), Vec::new()),
        ("a false line of a known key", note(&[&flipped]), only(0)),
        ("a false line of a known key beside a sound one", note(&[second, &flipped]), keys.clone()),
        ("a false repetition of a sound line", note(&[first, &flipped]), only(0)),
        ("another text", note(&[first]).replacen('3', "4", 1), only(0)),
        ("the name of another key", note(&[&first.replace("first", "second")]), keys.clone()),
        ("a text with a blank line, signed by nobody", format!("{TEXT}\n{first}"), only(0)),
        ("a cosigner's key", note(&[first]), vec![witness(102).verifier().to_string()]),
    ];
    cases.extend(
        untrusted
            .iter()
            .map(|(name, note, keys)| Case::bad(*name, input(note.as_bytes(), keys), says(true, None))),
    );
    let malformed: Vec<(&str, Vec<u8>)> = vec![
        ("no bytes", Vec::new()),
        ("no signature line", format!("{text}\n").into_bytes()),
        ("no blank line", format!("{text}{first}").into_bytes()),
        ("no line feed at the end", note(&[first]).trim_end().as_bytes().to_vec()),
        ("a carriage return", note(&[first]).replacen('\n', "\r\n", 1).into_bytes()),
        ("a control character", note(&[first]).replacen('3', "\u{1}", 1).into_bytes()),
        ("not UTF-8", [b"\xff\n", note(&[first]).as_bytes()].concat()),
        ("a stray line", note(&[first, "stray\n"]).into_bytes()),
        ("a hyphen for the em dash", note(&[&first.replace('\u{2014}', "-")]).into_bytes()),
        ("a name with a space", note(&[&first.replace("first.", "first ")]).into_bytes()),
        ("a name with a plus sign", note(&[&first.replace("first.", "first+")]).into_bytes()),
        ("two spaces", note(&[&first.replace("example ", "example  ")]).into_bytes()),
        ("base64 without padding", note(&[&first.replace('=', "")]).into_bytes()),
        ("no signature after the key id", format!("{text}\n\u{2014} a AAAAAA==\n").into_bytes()),
        ("a line that is not base64", note(&[&broken]).into_bytes()),
        ("a line too many", note(&[&first.repeat(MAX_SIGNATURES + 1)]).into_bytes()),
    ];
    cases.extend(
        malformed.iter().map(|(name, note)| Case::bad(*name, input(note, &only(0)), says(false, None))),
    );
    assert!(note(&[first]).len() < MAX_NOTE_BYTES, "the sound notes are small");
    let about = "Is this a signed note, and which of the keys signed it?";
    File { name: "notes", about, cases }
}

/// The verdict about a note, for what is said of it elsewhere.
pub(super) fn verdict(holds: bool) -> Value {
    json!(if holds { "pass" } else { "fail" })
}
