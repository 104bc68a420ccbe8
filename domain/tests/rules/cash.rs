//! B15: weak groups pay cash at home; receipts are reserved, and each day balances to the fen.

use std::collections::BTreeSet;

use domain::cash::{Balance, Doubt, HandIn, Taking, balances, contradicting, number, receipt};
use domain::household::Group;
use domain::id::{FactId, HouseholdId, JobId, VisitId};
use domain::job::JobKind;
use domain::measure::Fen;
use domain::pack::Pack;
use domain::visit::Fact;
use domain::visit::check::{RecordError, check};
use uuid::Uuid;

use crate::build::*;
use crate::door::*;

#[test]
fn b15_receipt_numbers_are_written_in_one_way_only() {
    assert_eq!(receipt(41), "00000041");
    assert_eq!(receipt(1_234_567_890), "1234567890");
    for text in [receipt(41), receipt(1_234_567_890)] {
        assert_eq!(number(&text).map(receipt), Some(text));
    }
    for made_up in ["41", "XJ000041", "0000000041", "+0000041", ""] {
        assert_eq!(number(made_up), None, "{made_up}");
    }
}

#[test]
fn b15_an_entitled_household_pays_cash_at_home() {
    assert_eq!(try_cash(&[Group::Elderly], 12_350, ""), Ok(()));
}

#[test]
fn b15_who_is_in_no_entitled_group_pays_cash_with_a_reason_only() {
    for groups in [&[][..], &[Group::SoldierFamily]] {
        assert_eq!(try_cash(groups, 12_350, " "), Err(RecordError::CashNeedsReason));
        assert_eq!(try_cash(groups, 12_350, "网络缴费停用"), Ok(()));
    }
}

#[test]
fn b15_a_pack_from_before_cash_rules_lets_everybody_pay() {
    let old = Pack { cash: None, ..pack() };
    let visit = visit(ANA, entered_facts());

    assert_eq!(check(&planned(JobKind::CashCollection), Some(&visit), &paid(1, ""), &old), Ok(()));
}

#[test]
fn b15_nothing_and_less_is_no_cash() {
    for amount in [0, -1] {
        assert_eq!(try_cash(&[Group::Elderly], amount, ""), Err(RecordError::NoAmount));
    }
}

#[test]
fn b15_an_amount_beyond_any_is_neither_recorded_nor_read() {
    assert_eq!(try_cash(&[Group::Elderly], Fen::MOST.0, ""), Ok(()));
    assert_eq!(try_cash(&[Group::Elderly], Fen::MOST.0 + 1, ""), Err(RecordError::TooMuch));

    let read = |amount: i64| {
        serde_json::from_value::<Fact>(serde_json::to_value(paid(amount, "")).unwrap()).is_ok()
    };
    assert!(read(1) && read(Fen::MOST.0));
    for amount in [0, -1, i64::MIN, Fen::MOST.0 + 1, i64::MAX] {
        assert!(!read(amount), "{amount}");
    }
}

#[test]
fn b15_a_day_balances_to_the_fen_and_a_void_receipt_counts_nothing() {
    let takings = [
        taking(1, "2026-11-24", 12_350),
        taking(2, "2026-11-24", 1),
        Taking { is_void: true, ..taking(3, "2026-11-24", 9_900) },
        taking(4, "2026-11-25", 500),
    ];
    let counted = |fen| HandIn { technician: ANA, day: day("2026-11-24"), counted: Fen(fen) };

    let found = balances(&takings, &[counted(12_000), counted(351)]);

    let first = &found[&(day("2026-11-24"), ANA)];
    assert_eq!(
        *first,
        Balance { taken: Fen(12_351), receipts: 2, void: 1, handed_in: Fen(12_351) }
    );
    assert_eq!(first.difference(), Fen(0));
    assert_eq!(found[&(day("2026-11-25"), ANA)].difference(), Fen(-500));
}

#[test]
fn b15_what_is_counted_without_a_receipt_is_a_difference_too() {
    let hand_in = HandIn { technician: BEN, day: day("2026-11-24"), counted: Fen(100) };

    let found = balances(&[], &[hand_in]);

    assert_eq!(found[&(day("2026-11-24"), BEN)].difference(), Fen(100));
}

#[test]
fn b15_two_receipts_of_a_household_within_the_span_are_of_one_bill() {
    let rules = pack().cash.unwrap();
    let first = taking(1, "2026-11-24", 12_350);
    let others = [
        Taking { technician: BEN, ..taking(2, "2026-12-01", 12_350) },
        taking(3, "2027-01-08", 12_350),
        Taking { household: HouseholdId(Uuid::from_u128(77)), ..taking(4, "2026-11-24", 12_350) },
        Taking { is_void: true, ..taking(5, "2026-11-24", 12_350) },
    ];

    let found = contradicting(&first, &others, Doubt::PaidTwice, &rules);

    assert_eq!(found, [&others[0]], "45 days are over on 8 January");
    let void = Taking { is_void: true, ..first };
    assert!(contradicting(&void, &others, Doubt::PaidTwice, &rules).is_empty());
}

#[test]
fn b15_a_number_on_two_receipts_is_noticed_also_when_one_is_void() {
    let rules = pack().cash.unwrap();
    let first = taking(1, "2026-11-24", 12_350);
    let again = Taking { receipt: receipt(1), is_void: true, ..taking(2, "2027-11-24", 700) };
    let others = [first.clone(), again.clone(), taking(3, "2026-11-24", 1)];

    assert_eq!(contradicting(&first, &others, Doubt::SameNumber, &rules), [&again]);
}

fn try_cash(groups: &[Group], amount: i64, reason: &str) -> Result<(), RecordError> {
    let mut job = planned(JobKind::CashCollection);
    job.briefing.household.groups = groups.iter().copied().collect::<BTreeSet<_>>();
    check(&job, Some(&visit(ANA, entered_facts())), &paid(amount, reason), &pack())
}

fn paid(amount: i64, reason: &str) -> Fact {
    Fact::CashTaken { amount: Fen(amount), receipt: receipt(1), reason: reason.to_owned() }
}

fn taking(seed: u64, on: &str, amount: i64) -> Taking {
    let id = Uuid::from_u128(u128::from(seed));
    Taking {
        fact: (JobId(id), VisitId(id), FactId(id)),
        technician: ANA,
        household: HouseholdId(Uuid::from_u128(1)),
        amount: Fen(amount),
        receipt: receipt(seed),
        day: day(on),
        is_void: false,
    }
}
