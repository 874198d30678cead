//! What a witness must answer to each case that others are known to get wrong (C2SP tlog-witness).

use countersign_verifier::checkpoint::Origin;
use countersign_verifier::merkle::{NodeHash, RootHash};
use countersign_verifier::note::{SignedNote, VerifierKey};
use reqwest::Method;

use super::support::{Answer, FixedClock, Log, Served, VECTOR_TIME, line, named_line, request};

const ORIGIN: &str = "log.example/probe";

fn log() -> Log {
    Log::new(ORIGIN, 1, 300)
}

fn stranger() -> Log {
    Log::new("stranger.example/log", 9, 8)
}

fn hash(byte: u8) -> NodeHash {
    NodeHash::from_bytes([byte; 32])
}

fn root(byte: u8) -> RootHash {
    RootHash::from_bytes([byte; 32])
}

/// The bytes of the signature in the only line of a note.
fn signature(note: &str) -> Vec<u8> {
    SignedNote::parse(note.as_bytes()).unwrap().signatures()[0].signature().to_vec()
}

/// Refusals must be of the right kind, and must not leak a cosignature.
#[track_caller]
fn expect(id: &str, answer: &Answer, want: u16) {
    assert_eq!(answer.status, want, "{id}: {}", answer.body);
    match want {
        200 => {}
        409 => assert_eq!(answer.header("content-type"), "text/x.tlog.size", "{id}"),
        _ => {
            let _ = answer.problem();
        }
    }
    assert_eq!(answer.body.contains("\u{2014} w1.example "), want == 200, "{id}");
}

/// Cases A1 to A31: a log of which nothing was cosigned.
#[tokio::test]
async fn before_anything_is_cosigned() {
    let log = log();
    let served = Served::start(FixedClock::at(VECTOR_TIME), &[&log]).await;
    let good = |old: &str| format!("old {old}\n\n{}", log.head(5));
    let text = |size: &str| format!("{ORIGIN}\n{size}\n{}\n", log.root(5).to_base64());
    let unsigned = text("5");
    let zeros = line(log.key(), &[0; 64]);
    let short_root = format!("{ORIGIN}\n5\n{}==\n", "A".repeat(42));
    let note_of_short_root = log.sign(&short_root);
    let other_name = named_line("other.example/name", log.key(), &signature(&log.head(5)));
    let proof_line = |line: &str| format!("old 3\n{line}\n\n{}", log.head(5));
    for (id, body, want) in [
        ("A1 unknown origin", request(0, &[], &stranger().head(5)), 404),
        (
            "A2 unknown key only",
            request(0, &[], &format!("{unsigned}\n{}", line(stranger().key(), &[7; 64]))),
            403,
        ),
        ("A3 trusted key id, bad signature", request(0, &[], &format!("{unsigned}\n{zeros}")), 403),
        ("A4 old 5 when never cosigned", good("5"), 409),
        ("A5 size 0, wrong root", request(0, &[], &log.head_with(0, root(7))), 422),
        ("A6 size 0 with a proof", request(0, &[hash(1)], &log.head(0)), 422),
        ("A7 old 0, size 1, a proof", request(0, &[hash(1)], &log.head(1)), 422),
        ("A8 empty body", String::new(), 400),
        ("A9 no blank line", format!("old 0\n{ORIGIN}\n"), 400),
        ("A10 no old", format!("\n\n{}", log.head(5)), 400),
        ("A10 no old line at all", format!("{}\n\n{}", hash(1).to_base64(), log.head(5)), 400),
        ("A11 old -1", good("-1"), 400),
        ("A12 old +0", good("+0"), 400),
        ("A13 old 00", good("00"), 400),
        ("A14 old 0 and a space", good("0 "), 400),
        ("A15 old 0x0", good("0x0"), 400),
        ("A16 old 2^64", good("18446744073709551616"), 400),
        ("A17 old 2^63", good("9223372036854775808"), 400),
        ("A18 CRLF", good("0").replace('\n', "\r\n"), 400),
        ("A18 CRLF in the first line only", good("0\r"), 400),
        ("A19 proof line that is no base64", proof_line("not base64!"), 400),
        ("A20 hash of 31 bytes", proof_line("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="), 400),
        ("A20 hash of 33 bytes", proof_line("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), 400),
        ("A21 64 hashes", request(3, &[hash(1); 64], &log.head(5)), 400),
        ("A22 size in words, signed", request(0, &[], &log.sign(&text("five"))), 400),
        ("A23 size 01, signed", request(0, &[], &log.sign(&text("01"))), 400),
        ("A24 root of 31 bytes, signed", request(0, &[], &note_of_short_root), 400),
        ("A25 no signatures", request(0, &[], &format!("{unsigned}\n")), 400),
        ("A26 no final line feed", request(0, &[], log.head(5).trim_end()), 400),
        ("A30 known key id, other name", request(0, &[], &format!("{unsigned}\n{other_name}")), 403),
        ("two lines only, signed", request(0, &[], &log.sign(&format!("{ORIGIN}\n5\n"))), 400),
        ("size above 2^63-1, signed", request(0, &[], &log.sign(&text("9223372036854775808"))), 400),
        ("not UTF-8 in spirit: a control character", good("0").replace("log.example", "log\texample"), 400),
    ] {
        expect(id, &served.client.add(body).await, want);
    }
    let answer = served.client.add(good("5")).await;
    assert_eq!(answer.body, "0\n", "A4 says that nothing was cosigned");
    expect("A27 GET", &served.client.get("/add-checkpoint").await, 405);
    expect("A28 1 MiB of a", &served.client.add("a".repeat(1 << 20)).await, 413);
    expect("A29 wrong path", &served.client.send(Method::POST, "/add-checkpoints", good("0")).await, 404);
    expect("A31 monitoring", &served.client.monitor(log.origin()).await, 404);
    // None of all this changed anything.
    served.client.add(log.request(0, 5)).await.cosignature(&log.head(5), &served.key);
    served.stop().await;
}

/// Cases B1 to B25: the life of a log.
#[tokio::test]
async fn from_head_to_head() {
    let log = log();
    let clock = FixedClock::at(VECTOR_TIME);
    let served = Served::start(clock.clone(), &[&log]).await;
    let ok = async |id: &str, old: u64, new: u64| {
        let answer = served.client.add(log.request(old, new)).await;
        expect(id, &answer, 200);
        answer.cosignature(&log.head(new), &served.key)
    };
    let refused = async |id: &str, body: String, want: u16| {
        let before = served.client.monitor(log.origin()).await.body;
        let answer = served.client.add(body).await;
        expect(id, &answer, want);
        assert_eq!(served.client.monitor(log.origin()).await.body, before, "{id} changed something");
        answer
    };
    ok("B1 first: size 0", 0, 0).await;
    refused("B2 size 0 again, other root", request(0, &[], &log.head_with(0, root(8))), 422).await;
    ok("B3 0 to 3", 0, 3).await;
    clock.put(VECTOR_TIME + 10);
    assert_eq!(ok("B4 the same again", 3, 3).await.get(), VECTOR_TIME + 10, "a refresh has the new time");
    refused("B5 same size, other root", request(3, &[], &log.head_with(3, root(8))), 422).await;
    refused("B6 same size, a hash", request(3, &[hash(1)], &log.head(3)), 422).await;
    assert_eq!(refused("B7 old 0 after growth", log.request(0, 5), 409).await.body, "3\n");
    assert_eq!(refused("B8 old 2", log.request(2, 5), 409).await.body, "3\n");
    assert_eq!(refused("B9 old 4", log.request(4, 5), 409).await.body, "3\n");
    refused("B10 old above new", request(5, &[], &log.head(3)), 400).await;
    refused("B11 no proof", request(3, &[], &log.head(5)), 422).await;
    let proof = log.proof(3, 5);
    let mut wrong = proof.clone();
    wrong[0] = hash(1);
    refused("B12 wrong proof", request(3, &wrong, &log.head(5)), 422).await;
    let surplus = [proof.clone(), vec![hash(1)]].concat();
    refused("B13 proof too long", request(3, &surplus, &log.head(5)), 422).await;
    refused("B14 proof too short", request(3, &proof[..proof.len() - 1], &log.head(5)), 422).await;
    refused("B15 right proof, other root", request(3, &proof, &log.head_with(5, root(8))), 422).await;
    ok("B16 3 to 5", 3, 5).await;
    assert_eq!(refused("B17 back to 3", log.request(0, 3), 409).await.body, "5\n");
    let with = |head: &str, lines: &str| format!("{head}{lines}");
    let strangers = line(stranger().key(), &[1; 64]) + &line(stranger().key(), &[2; 72]);
    let answer = served.client.add(request(5, &[], &with(&log.head(5), &strangers))).await;
    expect("B18 unknown lines beside", &answer, 200);
    let again = line(log.key(), &[0; 64]);
    refused("B19 the same key again, corrupt", request(5, &[], &with(&log.head(5), &again)), 403).await;
    let many = line(stranger().key(), &[1; 64]).repeat(100);
    refused("B20 101 lines", request(5, &[], &with(&log.head(5), &many)), 400).await;
    let extended = format!("{ORIGIN}\n5\n{}\nan extension\n", log.root(5).to_base64());
    refused("B21 extension line", request(5, &[], &log.sign(&extended)), 400).await;
    ok("B22 far", 5, 300).await;
    let trick = log.sign(&format!("{ORIGIN} \n300\n{}\n", log.root(300).to_base64()));
    refused("B23 origin and a space", request(300, &[], &trick), 404).await;
    for _ in 0..3 {
        assert_eq!(refused("B24 asking for the size", log.request(0, 300), 409).await.body, "300\n");
    }
    let monitored = served.client.monitor(log.origin()).await;
    assert_eq!(monitored.status, 200, "B25");
    assert!(monitored.body.starts_with(&log.head(300)), "the head and the line of the log, as they were");
    served.stop().await;
}

/// Cases C1 to C4: other lines under the note, false ones among them.
#[tokio::test]
async fn lines_of_others_do_no_harm() {
    let log = log();
    let served = Served::start(FixedClock::at(VECTOR_TIME), &[&log]).await;
    let in_our_name = line(&served.key, &[0; 72]);
    let answer = served.client.add(request(0, &[], &(log.head(3) + &in_our_name))).await;
    expect("C1 a false line in the witness's own name", &answer, 200);
    answer.cosignature(&log.head(3), &served.key);
    let monitored = served.client.monitor(log.origin()).await.body;
    assert_eq!(monitored, log.head(3) + &answer.body, "only what was verified is kept");
    expect("C2 and on it goes", &served.client.add(log.request(3, 4)).await, 200);

    let lines = |count: u8, length: usize| -> String {
        (0..count)
            .map(|number| {
                line(Log::new(&format!("pq{number}.example"), number, 0).key(), &vec![number; length])
            })
            .collect()
    };
    let answer = served.client.add(request(4, &log.proof(4, 5), &(log.head(5) + &lines(15, 64)))).await;
    expect("C3 16 lines", &answer, 200);
    let body = request(5, &log.proof(5, 6), &(log.head(6) + &lines(16, 4_900)));
    assert!(body.len() > 98_000, "{}", body.len());
    expect("C4 16 lines of post-quantum size", &served.client.add(body).await, 200);
    served.stop().await;
}

/// Case D1: 32 requests at once, with 16 different sizes.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_at_once_exactly_one_size_wins() {
    let log = log();
    let served = Served::start(FixedClock::at(VECTOR_TIME), &[&log]).await;
    served.client.add(log.request(0, 3)).await.cosignature(&log.head(3), &served.key);
    let mut stands_at = 3;
    for round in 0..10 {
        let sizes = (1..=16).flat_map(|more| [stands_at + more; 2]);
        let asked: Vec<_> = sizes
            .map(|size| {
                let (client, body) = (served.client.clone(), log.request(stands_at, size));
                (size, tokio::spawn(async move { client.add(body).await }))
            })
            .collect();
        let mut won = Vec::new();
        let mut told = Vec::new();
        for (size, answer) in asked {
            let answer = answer.await.unwrap();
            if answer.status == 200 {
                answer.cosignature(&log.head(size), &served.key);
                won.push(size);
            } else {
                expect("D1", &answer, 409);
                told.push(answer.body);
            }
        }
        assert_eq!(won.len(), 1, "round {round}: {won:?}");
        assert!(told.iter().all(|size| *size == format!("{}\n", won[0])), "round {round}: {told:?}");
        stands_at = won[0];
    }
    served.stop().await;
}

/// A log that changes keys: both sign for a while, either is enough.
#[tokio::test]
async fn a_log_may_have_several_keys() {
    let (old, new) = (log(), Log::new(ORIGIN, 5, 300));
    let served = Served::start(FixedClock::at(VECTOR_TIME), &[&old, &new]).await;
    expect("the old key", &served.client.add(old.request(0, 3)).await, 200);
    expect("the new key", &served.client.add(new.request(3, 5)).await, 200);
    let both = old.head(8) + &line(new.key(), &signature(&new.head(8)));
    let answer = served.client.add(request(5, &old.proof(5, 8), &both)).await;
    expect("both", &answer, 200);
    assert_eq!(served.client.monitor(old.origin()).await.body, both + &answer.body, "both were verified");
    let one_is_false = old.head(9) + &line(new.key(), &signature(&new.head(8)));
    expect("one is false", &served.client.add(request(8, &old.proof(8, 9), &one_is_false)).await, 403);
    served.stop().await;
}

/// What a log signed that contradicts what was cosigned is kept, so that anybody can check it.
#[tokio::test]
async fn a_fork_leaves_evidence() {
    let log = log();
    let fork = Log::forked(ORIGIN, 1, 8, 2);
    let served = Served::start(FixedClock::at(VECTOR_TIME), &[&log]).await;
    let cosigned = served.client.add(log.request(0, 3)).await;
    assert_eq!(served.client.add(fork.request(3, 3)).await.problem(), "other-root");
    // Its own proof tells of which other tree it is; one that leads nowhere tells nothing.
    assert_eq!(served.client.add(fork.request(3, 5)).await.problem(), "inconsistent");
    let astray = request(3, &log.proof(3, 6), &fork.head(6));
    assert_eq!(served.client.add(astray.clone()).await.problem(), "inconsistent");
    assert_eq!(served.client.add(request(0, &[], &log.head_with(0, root(9)))).await.problem(), "empty-root");
    let of_log = served.folder.evidence().join(log.origin().hash());
    let kept = |sort: &str, size: u64, root: RootHash| of_log.join(format!("{sort}-{size}-{root}"));
    let read =
        |path: std::path::PathBuf, end: &str| std::fs::read_to_string(path.with_extension(end)).unwrap();
    let case = kept("fork", 3, fork.root(3));
    assert_eq!(read(case.clone(), "request"), fork.request(3, 3));
    assert_eq!(read(case, "cosigned"), log.head(3) + &cosigned.body);
    assert_eq!(read(kept("fork", 5, fork.root(5)), "request"), fork.request(3, 5));
    assert_eq!(read(kept("inconsistent", 6, fork.root(6)), "request"), astray);
    assert!(read(kept("fork", 0, root(9)), "request").starts_with("old 0\n"));
    // Strangers can put nothing there: these are not signed by the log.
    let before = std::fs::read_dir(&of_log).unwrap().count();
    let forged = SignedNote::parse(fork.head(4).as_bytes()).unwrap().text().to_owned();
    let forged = format!("{forged}\n{}", line(log.key(), &[0; 64]));
    assert_eq!(served.client.add(request(3, &[], &forged)).await.problem(), "untrusted-checkpoint");
    assert_eq!(std::fs::read_dir(&of_log).unwrap().count(), before);
    served.stop().await;
}

/// The key of the witness is the same on the page as in the policies of those who trust it.
#[tokio::test]
async fn the_page_shows_what_the_witness_knows() {
    let log = log();
    let served = Served::start(FixedClock::at(VECTOR_TIME), &[&log]).await;
    served.client.add(log.request(0, 3)).await;
    let page = served.client.get("/").await;
    let key: &VerifierKey = &served.key;
    // Plus signs may be escaped in markup.
    let plain = page.body.replace("&#43;", "+");
    assert!(plain.contains(&key.to_string()) && plain.contains(ORIGIN), "{plain}");
    assert!(plain.contains(&format!("/{}/checkpoint", Origin::new(ORIGIN).unwrap().hash())));
    served.stop().await;
}
