use proptest::prelude::*;

use super::{Lanes, Load, OVERHEAD, QUANTUM, Shares};

const BOUND: Load = Load { statements: 1000, bytes: 10_000_000 };

fn load(statements: usize, bytes: usize) -> Load {
    Load { statements, bytes }
}

fn pop<T>(lanes: &mut Lanes<u8, T>) -> Option<T> {
    lanes.pop_if(|_| true).map(|(_, item)| item)
}

proptest! {
    /// Whatever comes and goes: each lane keeps its order, nothing is lost, nothing comes twice, and nothing waits
    /// while something could be taken.
    #[test]
    fn lanes_keep_their_order_and_lose_nothing(steps in prop::collection::vec((0_u8..5, 1_usize..40, 0_usize..100_000, 0_usize..4), 1..200)) {
        let mut lanes = Lanes::new(BOUND);
        let mut next_in = [0_u32; 5];
        let mut next_out = [0_u32; 5];
        let take = |lanes: &mut Lanes<u8, (u8, u32)>, next_out: &mut [u32; 5]| {
            let taken = pop(lanes);
            if let Some((who, number)) = taken {
                assert_eq!(number, next_out[usize::from(who)]);
                next_out[usize::from(who)] += 1;
            }
            taken.is_some()
        };
        for (who, statements, bytes, taken) in steps {
            let at = usize::from(who);
            if lanes.push(&who, vec![(load(statements, bytes), (who, next_in[at]))]).is_ok() {
                next_in[at] += 1;
            }
            prop_assert!(lanes.held().fits(BOUND));
            for _ in 0..taken {
                let waiting = !lanes.is_empty();
                prop_assert_eq!(take(&mut lanes, &mut next_out), waiting);
            }
        }
        while take(&mut lanes, &mut next_out) {}
        prop_assert_eq!(next_in, next_out);
        prop_assert_eq!(lanes.held(), Load::default());
        prop_assert!(lanes.is_empty() && lanes.by_owner.is_empty() && lanes.shares.holders.is_empty());
    }

    /// Two who always have something waiting get the same, whatever the size of what they send.
    #[test]
    fn shares_are_equal_whatever_the_sizes(one in 1_usize..100_000, other in 1_usize..100_000) {
        let mut lanes = Lanes::new(load(usize::MAX, usize::MAX));
        let mut served = [0_usize; 2];
        for (who, bytes) in [(0_u8, one), (1, other)] {
            for _ in 0..4_000_000_usize.div_ceil(bytes + OVERHEAD) {
                lanes.push_anyway(&who, vec![(load(1, bytes), (who, bytes + OVERHEAD))]);
            }
        }
        while served.iter().all(|served| *served < 3_000_000) {
            let (who, cost) = pop(&mut lanes).unwrap();
            served[usize::from(who)] += cost;
        }
        let most = 2 * (QUANTUM + 100_000 + OVERHEAD);
        prop_assert!(served[0].abs_diff(served[1]) <= most, "{:?}", served);
    }
}

#[test]
fn who_floods_fills_half_and_leaves_room_for_all_who_come() {
    let mut shares = Shares::new(BOUND);
    let mut taken = Vec::new();
    for who in 0..6_u8 {
        let mut count = 0;
        while shares.take(&who, load(1, 1)) {
            count += 1;
        }
        taken.push(count);
    }
    assert_eq!(taken, [500, 250, 125, 63, 31, 16], "always half of what is left");
    // When the first gives back, the last comes to more.
    for _ in 0..500 {
        shares.give_back(&0, load(1, 1));
    }
    assert!(shares.take(&5, load(200, 1)));
    assert!(!shares.take(&1, load(200, 1)));
}

#[test]
fn what_alone_is_too_large_is_let_in_and_nothing_beside_it() {
    let mut lanes = Lanes::new(load(3, 100));
    assert!(lanes.push(&0_u8, vec![(load(50, 5000), "large")]).is_ok());
    assert_eq!(lanes.push(&1, vec![(load(1, 1), "small")]).unwrap_err(), [(load(1, 1), "small")]);
    assert_eq!(pop(&mut lanes), Some("large"));
    assert!(lanes.push(&1, vec![(load(1, 1), "small")]).is_ok());
}

#[test]
fn all_of_a_submission_waits_or_nothing_of_it() {
    let mut lanes = Lanes::new(load(4, 10_000));
    let three = || vec![(load(1, 1), 1), (load(1, 1), 2), (load(1, 1), 3)];
    assert!(lanes.push(&0_u8, three()).is_ok());
    assert!(lanes.push(&0, three()).is_err());
    assert_eq!(lanes.held().statements, 3);
    assert!(lanes.push(&1, Vec::new()).is_ok());
    let all: Vec<_> = std::iter::from_fn(|| pop(&mut lanes)).collect();
    assert_eq!(all, [1, 2, 3]);
}

#[test]
fn what_does_not_fit_a_batch_is_the_first_of_the_next() {
    let mut lanes = Lanes::new(BOUND);
    for number in 0..4 {
        lanes.push(&0_u8, vec![(load(100, 100), number)]).unwrap();
    }
    let mut batch = || {
        let mut sum = Load::default();
        let mut items = Vec::new();
        while let Some((load, item)) = lanes.pop_if(|load| sum.plus(load).statements <= 250) {
            sum = sum.plus(load);
            items.push(item);
        }
        items
    };
    assert_eq!([batch(), batch(), batch()], [vec![0, 1], vec![2, 3], vec![]]);
}

/// However much a flood sends, and in whatever pieces, another waits for a part of a batch, not for the flood.
#[test]
fn another_is_in_the_next_batch_however_long_the_flood() {
    for statements in [1, 128] {
        let mut lanes = Lanes::new(load(100_000, 1 << 30));
        let mut sent = 0;
        while lanes.push(&0_u8, vec![(load(statements, 1024 * statements), 0_u8)]).is_ok() {
            sent += statements;
        }
        assert!(sent.abs_diff(50_000) < statements, "the flood has its share: {sent}");
        for who in 1..=8 {
            lanes.push(&who, vec![(load(1, 1024), who)]).unwrap();
        }
        let mut sum = Load::default();
        let mut others = 0;
        while let Some((load, who)) =
            lanes.pop_if(|load| sum.plus(load).fits(Load { statements: 1024, bytes: 1 << 22 }))
        {
            sum = sum.plus(load);
            others += u8::from(who > 0);
        }
        assert_eq!(others, 8, "all of the others are in the first batch");
    }
}

#[test]
fn who_has_no_turn_now_holds_nobody_up_and_comes_later() {
    let mut lanes = Lanes::new(BOUND);
    for number in 0..6 {
        let who = number % 3;
        // More than the credit of a turn: lanes go round several times before an item is taken.
        lanes.push(&who, vec![(load(1, 3 * QUANTUM), number)]).unwrap();
    }
    let mut pop_of =
        |has_turn: &[u8]| lanes.pop_of(|who| has_turn.contains(who), |_| true).map(|(_, item)| item);
    assert_eq!(pop_of(&[]), None);
    assert_eq!([pop_of(&[2]), pop_of(&[2]), pop_of(&[2])], [Some(2), Some(5), None]);
    let mut rest: Vec<_> = std::iter::from_fn(|| pop_of(&[0, 1])).collect();
    assert!(rest.iter().position(|item| *item == 0) < rest.iter().position(|item| *item == 3), "{rest:?}");
    rest.sort_unstable();
    assert_eq!(rest, [0, 1, 3, 4]);
    assert_eq!(lanes.held(), Load::default());
}
