//! The index against a plain list of what was put in.

use countersign_verifier::merkle::LeafHash;
use countersign_verifier::statement::Kind;
use proptest::prelude::*;

use super::gist::RowClaims;
use super::*;

const GISTS: [Gist; 5] = [
    Gist::Intent,
    Gist::Authorization,
    Gist::Close,
    Gist::Outcome(countersign_verifier::statement::OutcomeStatus::Failed),
    Gist::Unreadable,
];

fn row(number: usize, gist: usize, subject: u8, issuer: u8) -> Row {
    let gist = GISTS[gist];
    let claims = (gist != Gist::Unreadable).then(|| RowClaims {
        issuer: format!("Issuer-{issuer}"),
        subject: format!("run/{subject}"),
        is_execution: true,
        issued_at: u64::try_from(number).unwrap(),
    });
    Row { leaf: LeafHash::of(&number.to_be_bytes()), gist, claims, registers: None }
}

proptest! {
    #[test]
    fn lists_are_what_a_filter_over_all_entries_gives(
        entries in prop::collection::vec((0_usize..5, 0_u8..4, 0_u8..3), 0..60),
        before in 0_u64..70,
        limit in 1_usize..10,
        kind in prop::option::of(0_usize..3),
        issuer in prop::option::of(0_u8..4),
        text in prop::option::of("(run/[0-4]|UER-1)"),
    ) {
        let rows: Vec<Row> = entries.iter().enumerate().map(|(n, (g, s, i))| row(n, *g, *s, *i)).collect();
        let mut index = Index::default();
        for row in &rows {
            index.append(row);
        }
        let kind = kind.map(|at| [Kind::Intent, Kind::Outcome, Kind::Policy][at]);
        let issuer = issuer.map(|number| format!("Issuer-{number}"));
        let filter = Filter { kind, issuer: issuer.clone(), text: text.clone() };
        let fits = |row: &Row| {
            kind.is_none_or(|kind| row.gist.kind() == Some(kind))
                && issuer.as_ref().is_none_or(|name| row.claims.as_ref().is_some_and(|c| c.issuer == *name))
                && text.as_ref().is_none_or(|text| row.claims.as_ref().is_some_and(|c| {
                    [&c.subject, &c.issuer].iter().any(|n| n.to_lowercase().contains(&text.to_lowercase()))
                }))
        };
        let mut expected: Vec<u64> = (0_u64..).zip(&rows).filter(|(n, row)| *n < before && fits(row)).map(|(n, _)| n).collect();
        expected.reverse();
        // Walk all pages.
        let (mut found, mut at) = (Vec::new(), before);
        loop {
            let slice = index.list(at, &filter, limit);
            prop_assert!(slice.items.len() <= limit);
            found.extend(slice.items.iter().map(|line| line.index));
            match slice.next {
                Some(next) => { prop_assert!(next < at); at = next }
                None => break,
            }
        }
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn executions_are_their_entries_in_order(
        entries in prop::collection::vec((0_usize..5, 0_u8..4), 0..60), limit in 1_usize..4,
    ) {
        let mut index = Index::default();
        let rows: Vec<Row> = entries.iter().enumerate().map(|(n, (g, s))| row(n, *g, *s, 0)).collect();
        for row in &rows {
            index.append(row);
        }
        let of = |id: &str| -> Vec<u64> {
            (0_u64..).zip(&rows).filter(|(_, r)| r.claims.as_ref().is_some_and(|c| c.subject == id)).map(|(n, _)| n).collect()
        };
        for number in 0..4 {
            let id = format!("run/{number}");
            let expected = of(&id);
            let found = index.execution_entries(&id, usize::MAX);
            prop_assert_eq!(found.map(|(entries, _)| entries), (!expected.is_empty()).then_some(expected));
        }
        let (mut seen, mut at) = (Vec::new(), u64::MAX);
        loop {
            let slice = index.list_executions(at, None, limit);
            seen.extend(slice.items.iter().map(|e| (e.first, e.last, e.entries)));
            match slice.next { Some(next) => at = next, None => break }
        }
        prop_assert!(seen.is_sorted_by(|a, b| a.0 > b.0));
        prop_assert_eq!(seen.len(), usize::try_from(index.execution_count()).unwrap());
        for (first, last, entries) in seen {
            let id = index.line(first).unwrap().subject.unwrap();
            let all = of(&id);
            prop_assert_eq!((all[0], all[all.len() - 1], all.len()), (first, last, usize::try_from(entries).unwrap()));
        }
    }

    #[test]
    fn every_entry_is_found_by_its_id(count in 0_usize..200) {
        let mut index = Index::default();
        (0..count).for_each(|number| index.append(&row(number, 0, 0, 0)));
        for number in 0..count {
            let id = LeafHash::of(&number.to_be_bytes());
            prop_assert!(index.candidates(id).contains(&u64::try_from(number).unwrap()));
        }
        prop_assert!(index.candidates(LeafHash::of(b"absent")).is_empty());
    }
}

#[test]
fn a_search_that_would_take_too_long_says_how_far_it_got() {
    let mut index = Index::default();
    let total = SCAN + 10;
    for number in 0..total {
        index.append(&row(usize::try_from(number).unwrap(), 0, 0, 0));
    }
    let filter = Filter { kind: Some(Kind::Close), ..Filter::default() };
    let slice = index.list(u64::MAX, &filter, 5);
    assert_eq!((slice.items.len(), slice.next, slice.searched_from), (0, Some(10), 10));
    assert_eq!(index.list(10, &filter, 5).next, None);
    // Comparing names takes longer, so fewer are compared at once, and all of them in the end.
    let filter = Filter { text: Some("run/7".to_owned()), ..Filter::default() };
    let slice = index.list(u64::MAX, &filter, 5);
    assert_eq!((slice.items.len(), slice.searched_from), (0, total - SCAN_NAMES));
    let (mut at, mut steps) = (u64::MAX, 0);
    while let Some(next) = index.list(at, &filter, 5).next {
        (at, steps) = (next, steps + 1);
    }
    assert_eq!(steps, total.div_ceil(SCAN_NAMES) - 1);
}
