use std::sync::mpsc;
use std::thread;

use countersign_verifier::ed25519::PublicKey;
use countersign_verifier::statement::{Claims, Draft, Kind, Subject, UnixSeconds, VerifiedStatement};
use ed25519_dalek::SigningKey;
use serde_json::json;

use super::*;
use crate::log::Atomicity;

fn statement(number: u8) -> VerifiedStatement {
    statement_of("ann", number)
}

fn statement_of(issuer: &str, number: u8) -> VerifiedStatement {
    let key = SigningKey::from_bytes(&[3; 32]);
    let claims = Claims {
        issuer: issuer.parse().unwrap(),
        subject: Subject::Execution("run/1".parse().unwrap()),
        validity: None,
        issued_at: UnixSeconds::new(1_790_000_000).unwrap(),
        id: [number; 16],
    };
    let entity = json!({"type": "t", "id": "i"});
    let payload = json!({"subject": entity, "action": {"name": "run"}, "resource": entity});
    let draft =
        Draft::from_json(&PublicKey::from(&key), Kind::Intent, claims, payload.as_object().unwrap()).unwrap();
    draft.sign(&key).unwrap()
}

fn queue(statements: usize) -> Arc<Queue> {
    Arc::new(Queue::new(QueueBounds { statements, bytes: usize::MAX }))
}

/// Lets a statement come that was announced, and says where its answer will be.
fn come(queue: &Queue, announced: Announced, number: u8) -> mpsc::Receiver<Answer> {
    let (told, answer) = mpsc::channel();
    let submission = Submission::one(statement(number), announced, move |answer| told.send(answer).unwrap());
    let _ = queue.push(submission);
    answer
}

/// How many statements the sequencer takes at once, each time it takes some.
fn sequencer(queue: &Arc<Queue>) -> mpsc::Receiver<usize> {
    let queue = Arc::clone(queue);
    let (took, taken) = mpsc::channel();
    thread::spawn(move || {
        while let Some(work) = queue.take() {
            took.send(work.groups.len()).unwrap();
        }
    });
    taken
}

#[test]
fn what_comes_alone_waits_for_nothing() {
    let queue = queue(100);
    let taken = sequencer(&queue);
    for number in 0..3 {
        let announced = queue.announce();
        come(&queue, announced, number);
        assert_eq!(taken.recv(), Ok(1));
    }
    queue.push(Submission::new(vec![statement(9)], Atomicity::Each)).unwrap();
    assert_eq!(taken.recv(), Ok(1));
}

#[test]
fn what_is_announced_shares_the_batch_if_it_comes_in_time() {
    let queue = queue(100);
    let announced: Vec<_> = (0..3).map(|_| queue.announce()).collect();
    for (number, announced) in (0..).zip(announced) {
        come(&queue, announced, number);
    }
    assert_eq!(sequencer(&queue).recv(), Ok(3));
}

#[test]
fn what_is_announced_and_never_comes_holds_nothing_up() {
    let queue = queue(100);
    let (first, late) = (queue.announce(), queue.announce());
    come(&queue, first, 0);
    let taken = sequencer(&queue);
    // `late` is still being checked, and may be for hours.
    assert_eq!(taken.recv(), Ok(1));
    let third = queue.announce();
    come(&queue, third, 1);
    drop(late);
    assert_eq!(taken.recv(), Ok(1));
}

#[test]
fn enough_for_a_batch_waits_for_no_more() {
    let queue = queue(1000);
    let late = queue.announce();
    let announced: Vec<_> = (0..WORTHWHILE).map(|_| queue.announce()).collect();
    for announced in announced {
        come(&queue, announced, 0);
    }
    assert!(queue.is_worthwhile(&queue.lock()));
    assert_eq!(sequencer(&queue).recv(), Ok(WORTHWHILE));
    drop(late);
}

#[test]
fn who_is_refused_is_told() {
    let queue = queue(1);
    let (first, second) = (queue.announce(), queue.announce());
    let kept = come(&queue, first, 0);
    let refused = come(&queue, second, 1);
    assert_eq!(refused.recv(), Ok(Err(SubmitError::QueueFull)));
    queue.close();
    let late = queue.announce();
    assert_eq!(come(&queue, late, 2).recv(), Ok(Err(SubmitError::ShuttingDown)));
    // What was taken is still worked off, and dropped without a word only with the work.
    let work = queue.take().unwrap();
    assert_eq!(work.groups.len(), 1);
    drop(work);
    assert_eq!(kept.recv(), Err(mpsc::RecvError));
    assert!(queue.take().is_none());
    assert_eq!(queue.announced.load(Ordering::Relaxed), 0);
}

#[test]
fn who_is_alone_fills_a_batch_and_who_is_not_leaves_it_short() {
    let many = || (0..=255).cycle().take(MAX_BATCH.statements + 1).map(statement).collect::<Vec<_>>();
    let taken = |queue: &Queue| {
        let mut work = queue.take().unwrap();
        work.groups.iter_mut().map(|group| group.take_statements().len()).sum::<usize>()
    };
    let alone = queue(usize::MAX);
    alone.push(Submission::new(many(), Atomicity::Each)).unwrap();
    assert_eq!(alone.share_of_one(), usize::MAX);
    assert_eq!(taken(&alone), MAX_BATCH.statements);

    let beside = queue(usize::MAX);
    beside.push(Submission::new(vec![statement_of("bob", 0)], Atomicity::Each)).unwrap();
    beside.push(Submission::new(many(), Atomicity::Each)).unwrap();
    assert!(beside.share_of_one() < 100, "{}", beside.share_of_one());
    let first = taken(&beside);
    assert!((2..200).contains(&first), "{first}");
    // Nothing is lost by that.
    let mut all = first;
    while all < MAX_BATCH.statements + 2 {
        all += taken(&beside);
    }
    assert_eq!(beside.depth(), Load::default());
}
