//! Answers that are kept while the load goes on, and judged when it is over: judging takes time of the same processors
//! that the log works on.

use std::sync::Mutex;
use std::sync::PoisonError;

use bytes::Bytes;
use countersign_verifier::merkle::{LeafHash, LeafIndex};
use hyper::StatusCode;

use super::Prepared;
use super::answers::{Heads, Item, Said, Wrong};
use super::protocol::Form;
use super::tally::{Tally, add};

/// How many bytes of answers are kept in one run. Further ones are judged as they come, and the report says how many.
pub(super) const AT_MOST_BYTES: usize = 2 * 1024 * 1024 * 1024;
/// How many answers a thread judges before it asks for more.
const STEP: usize = 256;

/// An answer that nobody has read yet.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    /// The number of its first statement.
    pub(super) first: u64,
    /// How many statements it answers.
    pub(super) count: u64,
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

impl Kept {
    /// Takes the answer into the tally. The error is an answer that is false on its face.
    pub(super) fn judge(
        &self,
        form: Form,
        prepared: &Prepared,
        tally: &mut Tally,
    ) -> Result<(), (u64, Wrong)> {
        let status = self.status.as_u16();
        let numbers = self.first..self.first.saturating_add(self.count);
        if !self.status.is_success() {
            let code = problem_code(&self.body);
            for number in numbers {
                refuse(tally, form, number, code.clone(), status);
            }
            return Ok(());
        }
        let pending = self.status == StatusCode::ACCEPTED;
        let wrong = |number| move |wrong| (number, wrong);
        // A number that was never sent has no bytes, and no answer is about none.
        let sent = |number| LeafHash::of(&prepared.statement(number).unwrap_or_default());
        match form {
            Form::Number => {
                let index = index(&self.body).map_err(wrong(self.first))?;
                note(tally, form, self.first, status, Said::There(index));
            }
            Form::Single => {
                let item = Item::single(&self.body).map_err(wrong(self.first))?;
                let said = item.check(sent(self.first), pending, &mut tally.heads);
                note(tally, form, self.first, status, said.map_err(wrong(self.first))?);
            }
            Form::Batch => {
                let count = usize::try_from(self.count).unwrap_or(usize::MAX);
                let items = Item::batch(&self.body, count).map_err(wrong(self.first))?;
                for (item, number) in items.into_iter().zip(numbers) {
                    let said = item.check(sent(number), pending, &mut tally.heads).map_err(wrong(number))?;
                    note(tally, form, number, status, said);
                }
            }
        }
        Ok(())
    }
}

/// Judges every answer that a tally kept, on all cores.
pub(super) fn judge(form: Form, prepared: &Prepared, tally: &mut Tally) {
    let kept = core::mem::take(&mut tally.kept);
    let chunks = Mutex::new(kept.chunks(STEP));
    let work = || {
        let mut part = Tally::default();
        loop {
            let chunk = chunks.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some(chunk) = chunk else { return part };
            for answer in chunk {
                if let Err(wrong) = answer.judge(form, prepared, &mut part) {
                    part.wrong.get_or_insert(wrong);
                }
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let parts = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect::<Vec<_>>()
    });
    for part in parts {
        match part {
            Ok(part) => tally.merge(part),
            Err(_) => add(&mut tally.silences, "judging an answer ended in a panic".to_owned(), 1),
        }
    }
}

/// The index in an answer that is nothing but that.
pub(super) fn index(body: &[u8]) -> Result<LeafIndex, Wrong> {
    let digits =
        core::str::from_utf8(body).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let index = digits.and_then(|digits| digits.parse().ok()).and_then(LeafIndex::new);
    index.ok_or_else(|| Wrong::NotAnIndex(String::from_utf8_lossy(body).chars().take(80).collect()))
}

fn note(tally: &mut Tally, form: Form, number: u64, status: u16, said: Said) {
    match said {
        Said::There(index) => {
            add(&mut tally.statuses, status, 1);
            tally.acknowledged.insert(number, index.get());
        }
        Said::Refused(code, status) => refuse(tally, form, number, code, status),
    }
}

fn refuse(tally: &mut Tally, form: Form, number: u64, code: String, status: u16) {
    // A server that failed does not know itself what became of the statement, nor does a log that stopped while it was
    // being written; and other logs promise nothing about what they refuse. All other refusals say that it is not in.
    let unknown = status == 500 || code == "log-stopped" || form == Form::Number;
    add(&mut tally.statuses, status, 1);
    add(&mut tally.codes, code, 1);
    if !unknown {
        tally.refused.insert(number);
    }
}

fn problem_code(body: &[u8]) -> String {
    let item =
        Item::single(body).and_then(|item| item.check(LeafHash::of(b""), false, &mut Heads::default()));
    match item {
        Ok(Said::Refused(code, _)) => code,
        _ => "no problem document".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statements::Issuer;

    fn prepared() -> Prepared {
        let issuer = Issuer::generate("hammer".parse().unwrap()).unwrap();
        Prepared::sign(&issuer, 4, 1, 700, &|_| ()).unwrap()
    }

    fn kept(first: u64, status: u16, body: &str) -> Kept {
        Kept { first, count: 1, status: StatusCode::from_u16(status).unwrap(), body: body.to_owned().into() }
    }

    #[test]
    fn numbers_are_indexes_and_nothing_else_is() {
        assert_eq!(index(b"17").unwrap().get(), 17);
        for body in [&b""[..], b"+1", b"-1", b" 1", b"1\n", b"x", b"18446744073709551615", b"\xff"] {
            assert!(matches!(index(body), Err(Wrong::NotAnIndex(_))), "{body:?}");
        }
    }

    #[test]
    fn what_was_kept_is_judged_like_what_comes() {
        let prepared = prepared();
        let answers = vec![kept(0, 200, "5"), kept(1, 500, "failed"), kept(2, 503, "full")];
        let mut tally = Tally { kept: answers, ..Tally::default() };
        judge(Form::Number, &prepared, &mut tally);
        assert_eq!(tally.acknowledged, [(0, 5)].into());
        assert_eq!(tally.statuses, [(200, 1), (500, 1), (503, 1)].into());
        assert!(tally.refused.is_empty() && tally.wrong.is_none() && tally.kept.is_empty());

        tally.kept = vec![kept(1, 503, "full"), kept(2, 500, "failed"), kept(3, 201, "{}")];
        judge(Form::Single, &prepared, &mut tally);
        assert_eq!(tally.refused, [1].into());
        assert!(matches!(tally.wrong, Some((3, Wrong::Incomplete(_)))));
    }
}
