//! Cash at home as sheets: what days come to, and every receipt (B15).

use std::collections::BTreeMap;

use chrono::{FixedOffset, Offset as _, Utc};
use domain::catalogue::{self, Language};
use domain::id::UserId;
use domain::measure::Fen;

use super::{Sheet, Value};
use crate::cash::Book;
use crate::db::halls::HallRow;

/// Lists what each day of each technician comes to.
pub fn cash_balances(book: &Book, names: &BTreeMap<UserId, String>, language: Language) -> Sheet {
    let say = |key: &str| catalogue::text(language, key, &[]);
    let headers = [
        "export.column.day",
        "export.column.technician",
        "cash.taken",
        "cash.receipts",
        "cash.void",
        "cash.handed_in",
        "cash.difference",
    ];
    let rows = book.balances.iter().map(|((day, user), it)| {
        vec![
            Value::Day(*day),
            Value::text(names.get(user).cloned().unwrap_or_default()),
            Value::Money(it.taken),
            Value::Whole(i64::from(it.receipts)),
            Value::Whole(i64::from(it.void)),
            Value::Money(it.handed_in),
            Value::Money(it.difference()),
        ]
    });
    Sheet { title: say("cash.title"), headers: headers.map(say).to_vec(), rows: rows.collect() }
}

/// Lists every receipt, void ones too.
pub fn cash_receipts(
    book: &Book,
    names: &BTreeMap<UserId, String>,
    hall: &HallRow,
    language: Language,
) -> Sheet {
    let say = |key: &str| catalogue::text(language, key, &[]);
    let minutes = i32::try_from(hall.utc_offset_minutes).unwrap_or(0);
    let offset = FixedOffset::east_opt(minutes * 60).unwrap_or_else(|| Utc.fix());
    let headers = [
        "cash.receipt",
        "cash.taken_at",
        "export.column.technician",
        "export.column.account",
        "cash.amount",
        "export.column.status",
        "cash.reason",
    ];
    let rows = book.taken.iter().map(|row| {
        vec![
            Value::text(row.receipt.clone()),
            Value::instant(Some(row.taken_at), offset),
            Value::text(names.get(&UserId(row.technician_id)).cloned().unwrap_or_default()),
            Value::text(row.account.clone()),
            Value::Money(Fen(row.amount)),
            Value::text(say(if row.withdrawn { "cash.is_void" } else { "cash.stands" })),
            Value::text(row.reason.clone()),
        ]
    });
    Sheet {
        title: say("cash.receipts_title"),
        headers: headers.map(say).to_vec(),
        rows: rows.collect(),
    }
}
