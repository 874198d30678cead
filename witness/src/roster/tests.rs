use super::*;
use crate::testing::{cosigner, log};
use countersign_verifier::checkpoint::Origin;
use countersign_verifier::note::{KeyName, NoteSigner};

fn vkey(name: &str, seed: u8) -> VerifierKey {
    NoteSigner::from_seed(KeyName::new(name).unwrap(), false, &[seed; 32]).verifier().clone()
}

fn entry(key: VerifierKey) -> Entry {
    let origin = Origin::new(key.name().as_str()).unwrap();
    Entry { key, origin, per_day: None, contact: None }
}

struct Fixture {
    folder: tempfile::TempDir,
    own: VerifierKey,
}

impl Fixture {
    fn new() -> Self {
        let fixture = Self { folder: tempfile::tempdir().unwrap(), own: cosigner().key().clone() };
        create(&fixture.path()).unwrap();
        fixture
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("logs")
    }

    fn add(&self, entries: Vec<Entry>, from_list: bool) -> Result<Added, RosterError> {
        add(&self.path(), &self.own, entries, from_list)
    }
}

#[test]
fn a_list_is_read_as_the_witness_network_writes_it() {
    let (a, b) = (vkey("log.example/a", 1), vkey("key.example/b", 2));
    let text = format!(
        "# logs of our friends\nlogs/v0\n\nvkey {a}\nqpd 8640\ncontact a@log.example\n\n\
         # its name is not its key's\nvkey {b}\norigin log of b\nqpd 1\ncontact nobody in particular\n"
    );
    let entries = parse_list(&text).unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!((entries[0].origin.as_str(), entries[0].per_day.unwrap().get()), ("log.example/a", 8640));
    assert_eq!(
        (entries[1].origin.as_str(), entries[1].contact.as_deref()),
        ("log of b", Some("nobody in particular"))
    );
    assert_eq!(parse_list("logs/v0\n").unwrap(), []);
}

#[test]
fn a_list_that_is_none_is_refused_as_a_whole() {
    let a = vkey("log.example/a", 1);
    for (text, line) in [
        (String::new(), 1),
        (format!("vkey {a}\nqpd 1\ncontact x\n"), 1),
        ("logs/v1\n".to_owned(), 1),
        (format!("logs/v0\nvkey {a}\ncontact x\n"), 3),
        (format!("logs/v0\nvkey {a}\nqpd 1\n"), 3),
        (format!("logs/v0\nvkey {a}\nqpd 0\ncontact x\n"), 3),
        (format!("logs/v0\nvkey {a}\nqpd +1\ncontact x\n"), 3),
        (format!("logs/v0\nvkey {a}\nqpd 2147483648\ncontact x\n"), 3),
        (format!("logs/v0\nvkey {a}\nqpd 1\norigin late\ncontact x\n"), 4),
        (format!("logs/v0\nvkey {a}x\nqpd 1\ncontact x\n"), 2),
        (format!("logs/v0\nvkey {a}\norigin {}\nqpd 1\ncontact x\n", "o".repeat(256)), 3),
        ("logs/v0\nhello\n".to_owned(), 2),
    ] {
        let error = parse_list(&text).expect_err(&text);
        assert_eq!(error.line, line, "{text}: {error}");
    }
}

#[test]
fn logs_are_added_once_and_found_again() {
    let fixture = Fixture::new();
    let roster = Roster::open(&fixture.path(), &fixture.own).unwrap();
    assert!(roster.logs().is_empty());
    let key = vkey("log.example/a", 1);
    assert_eq!(fixture.add(vec![entry(key.clone())], false).unwrap().logs.len(), 1);
    assert_eq!(fixture.add(vec![entry(key.clone())], false).unwrap().known, 1);
    let origin = Origin::new("log.example/a").unwrap();
    assert_eq!(roster.logs().get(&origin).unwrap().keys, [key], "without being told");
    assert!(roster.fault().is_none());
}

#[test]
fn an_operator_can_add_a_second_key_and_a_list_cannot() {
    let fixture = Fixture::new();
    let (old, new) = (vkey("log.example/a", 1), vkey("log.example/a", 3));
    fixture.add(vec![entry(old.clone())], false).unwrap();
    let per_day = std::num::NonZeroU32::new(7);
    let listed = Entry { per_day, ..entry(new.clone()) };
    let added = fixture.add(vec![listed], true).unwrap();
    assert_eq!((added.logs.len(), added.keys.len(), added.known), (0, 0, 1));
    assert_eq!(fixture.add(vec![entry(new.clone())], false).unwrap().keys.len(), 1);
    let roster = Roster::open(&fixture.path(), &fixture.own).unwrap();
    let logs = roster.logs();
    let log = logs.get(&Origin::new("log.example/a").unwrap()).unwrap();
    assert_eq!(log.keys, [old, new]);
    assert_eq!(log.per_day, None);
}

#[test]
fn a_list_with_two_entries_of_one_origin_adds_the_first() {
    let fixture = Fixture::new();
    let (first, second) = (vkey("log.example/a", 1), vkey("log.example/a", 3));
    let added = fixture.add(vec![entry(first.clone()), entry(second)], true).unwrap();
    assert_eq!((added.logs, added.known), (vec![entry(first)], 1));
}

#[test]
fn a_witness_does_not_watch_itself_nor_what_it_cannot_check() {
    let fixture = Fixture::new();
    let own_key =
        NoteSigner::from_seed(KeyName::new("log.example/a").unwrap(), false, &[2; 32]).verifier().clone();
    assert_eq!(own_key.material(), fixture.own.material());
    let refused = |key: VerifierKey| match fixture.add(vec![entry(key)], false) {
        Err(RosterError::NotAdded { source, .. }) => source,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(own_key.clone()), NotAdded::OwnKey);
    assert!(matches!(refused(vkey("w.example", 5)), NotAdded::OwnName(_)));
    let cosigner = NoteSigner::from_seed(KeyName::new("log.example/b").unwrap(), true, &[6; 32]);
    assert_eq!(refused(cosigner.verifier().clone()), NotAdded::KeyKind(0x04));
    // In a list they are left out, and the rest is added.
    let added = fixture.add(vec![entry(own_key), entry(vkey("log.example/c", 1))], true).unwrap();
    assert_eq!((added.refused.len(), added.logs.len()), (1, 1));
}

#[test]
fn what_was_watched_stays_watched_when_the_file_is_damaged_or_shortened() {
    let fixture = Fixture::new();
    fixture.add(vec![entry(vkey("log.example/a", 1)), entry(vkey("log.example/a", 3))], false).unwrap();
    let roster = Roster::open(&fixture.path(), &fixture.own).unwrap();
    let before = roster.logs();
    let whole = std::fs::read_to_string(fixture.path()).unwrap();
    let shortened = entry::print_file(&[entry(vkey("log.example/a", 3))]);
    for (text, told) in [("nonsense", "expected"), ("", "expected"), (&shortened, "vanished")] {
        std::fs::write(fixture.path(), text).unwrap();
        assert_eq!(roster.logs().len(), before.len());
        let origin = Origin::new("log.example/a").unwrap();
        assert_eq!(roster.logs().get(&origin).unwrap().keys.len(), 2, "{text}");
        assert!(roster.fault().unwrap().contains(told), "{text}");
    }
    std::fs::remove_file(fixture.path()).unwrap();
    assert_eq!(roster.logs().len(), 1);
    assert!(roster.fault().is_some());
    std::fs::write(fixture.path(), whole).unwrap();
    assert!(roster.fault().is_none());
    assert_eq!(log("log.example/a").verifier(), &vkey("log.example/a", 1));
}
