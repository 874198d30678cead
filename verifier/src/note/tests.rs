//! Published notes, and what must not pass for one.

use super::*;

const PETER_SECRET: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const ENOCH: &str = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
const TEXT: &str =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const PETER_LINE: &str = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
const ENOCH_LINE: &str = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";

fn key(vkey: &str) -> VerifierKey {
    vkey.parse().unwrap()
}

fn note(lines: &[&str]) -> SignedNote {
    SignedNote::parse(format!("{TEXT}\n{}", lines.concat()).as_bytes()).unwrap()
}

#[test]
fn published_notes_verify() {
    let foo = key("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
    let text = "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
    let parsed = SignedNote::parse(text.as_bytes()).unwrap();
    assert_eq!(parsed.verify(&[foo]).unwrap().len(), 1);
    assert_eq!(parsed.to_string(), text);

    let both = note(&[PETER_LINE, ENOCH_LINE]);
    assert_eq!(both.verify(&[key(PETER), key(ENOCH)]).unwrap().len(), 2);
    assert_eq!(both.verify(&[key(ENOCH)]).unwrap().len(), 1);
}

#[test]
fn signing_reproduces_a_published_note() {
    let signer = NoteSigner::parse(PETER_SECRET).unwrap();
    assert_eq!(signer.verifier(), &key(PETER));
    assert_eq!(*signer.to_secret_text(), PETER_SECRET);
    assert_eq!(SignedNote::sign(TEXT.to_owned(), &signer), note(&[PETER_LINE]));
    assert!(!format!("{signer:?}").contains("AYEKFA"));
}

#[test]
fn a_false_line_of_a_known_key_spoils_the_note_and_one_of_an_unknown_key_does_not() {
    let forged = PETER_LINE.replace("x08go/ZJ", "x08go/ZK");
    let spoiled = note(&[ENOCH_LINE, &forged]);
    assert!(matches!(
        spoiled.verify(&[key(PETER), key(ENOCH)]),
        Err(UntrustedNote::BadSignature { name, .. }) if name.as_str() == "PeterNeumann"
    ));
    assert_eq!(spoiled.verify(&[key(ENOCH)]).unwrap().len(), 1);
    assert_eq!(note(&[PETER_LINE]).verify(&[key(ENOCH)]), Err(UntrustedNote::NoKnownKey));
    // A repeated line counts once, and a false repetition spoils it.
    assert_eq!(note(&[PETER_LINE, PETER_LINE]).verify(&[key(PETER)]).unwrap().len(), 1);
    assert!(note(&[PETER_LINE, &forged]).verify(&[key(PETER)]).is_err());
}

#[test]
fn every_change_of_a_byte_is_refused() {
    let good = note(&[PETER_LINE]).to_string().into_bytes();
    for at in 0..good.len() {
        let mut changed = good.clone();
        changed[at] ^= 1;
        let verdict = SignedNote::parse(&changed).ok().map(|note| note.verify(&[key(PETER)]));
        assert!(!matches!(verdict, Some(Ok(_))), "byte {at}");
    }
}

#[test]
fn what_is_not_a_note() {
    let line = PETER_LINE;
    let cases: [(String, NoteError); 12] = [
        (String::new(), NoteError::NoBlankLine),
        (TEXT.to_owned(), NoteError::NoBlankLine),
        (format!("{TEXT}{line}"), NoteError::NoBlankLine),
        (format!("{TEXT}\n"), NoteError::NoSignatures),
        (format!("{TEXT}\n{}", line.trim_end()), NoteError::NoSignatures),
        (format!("a\u{1}\n\n{line}"), NoteError::ControlCharacter { at: 1, byte: 1 }),
        (format!("a\r\n\n{line}"), NoteError::ControlCharacter { at: 1, byte: 13 }),
        (format!("{TEXT}\n{line}stray\n"), NoteError::SignatureLine(2)),
        (format!("{TEXT}\n{}", line.replace("PeterN", "Peter N")), NoteError::SignatureLine(1)),
        (format!("{TEXT}\n{}", line.replace("nAM=", "nAN=")), NoteError::SignatureLine(1)),
        (format!("{TEXT}\n— a AAAAAA==\n"), NoteError::SignatureLine(1)),
        (format!("{TEXT}\n{}", line.repeat(MAX_SIGNATURES + 1)), NoteError::TooManySignatures),
    ];
    for (text, error) in cases {
        assert_eq!(SignedNote::parse(text.as_bytes()), Err(error), "{text:?}");
    }
    assert_eq!(SignedNote::parse(b"a\xff\n\n"), Err(NoteError::NotUtf8(1)));
    assert_eq!(
        SignedNote::parse(&vec![b'a'; MAX_NOTE_BYTES + 1]),
        Err(NoteError::TooLarge(MAX_NOTE_BYTES + 1))
    );
    assert!(SignedNote::parse(format!("{TEXT}\n{}", line.repeat(MAX_SIGNATURES)).as_bytes()).is_ok());
}

#[test]
fn keys_have_one_spelling() {
    let refused = |vkey: &str| vkey.parse::<VerifierKey>().unwrap_err();
    assert!(matches!(
        refused("PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY=="),
        KeyError::Length { .. } | KeyError::Form
    ));
    assert!(matches!(
        refused("PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"),
        KeyError::Type(0x65)
    ));
    for at in 0..PETER.len() {
        let mut changed = PETER.as_bytes().to_vec();
        changed[at] ^= 1;
        if let Ok(text) = String::from_utf8(changed) {
            assert!(text.parse::<VerifierKey>().is_err(), "byte {at}: {text}");
        }
    }
    assert_eq!(key(PETER).to_string(), PETER);
    assert_eq!(KeyName::new(""), Err(KeyError::Name));
    assert_eq!(KeyName::new("a\u{a0}b"), Err(KeyError::Name));
    assert!(matches!(NoteSigner::parse(PETER), Err(KeyError::PrivateForm)));
}

/// The crate `signed_note` reads what is written here, and the other way round.
#[test]
fn another_implementation_agrees() {
    use signed_note::{Note, StandardVerifier, VerifierList};

    let known = VerifierList::new(vec![Box::new(StandardVerifier::new(PETER).unwrap())]);
    let good = note(&[PETER_LINE, ENOCH_LINE]).to_string();
    let theirs = Note::from_bytes(good.as_bytes()).unwrap();
    let (verified, unverified) = theirs.verify(&known).unwrap();
    assert_eq!((verified.len(), unverified.len()), (1, 1));
    assert_eq!(theirs.to_bytes(), good.as_bytes());
    let forged = Note::from_bytes(good.replace("answer", "amswer").as_bytes()).unwrap();
    assert!(forged.verify(&known).is_err());
}
