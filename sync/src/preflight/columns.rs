//! The columns of a change's operations, measured run by run.

use super::PreflightError;
use super::input::Input;
use crate::limits::{COUNTER_MAX, Limits};

/// What the columns are measured against.
pub(super) struct Bounds<'a> {
    pub(super) limits: &'a Limits,
    /// How many actors the change lists, its own included.
    pub(super) actors: u64,
}

/// How the rows of a column are written.
#[derive(Clone, Copy)]
enum Kind {
    /// Runs of indexes into the change's actors.
    Actor,
    /// Runs of operation counters.
    Counter,
    /// Runs of differences between operation counters.
    Delta,
    /// Runs of map keys.
    Text,
    /// Lengths of alternating runs of false and true.
    Flag,
    /// Runs of actions.
    Action,
    /// Runs of value lengths, with the type in the low four bits.
    ValueLength,
    /// The values themselves, without rows.
    Value,
    /// Runs of how many predecessors each operation has.
    PredCount,
}

const ACTION: u64 = 0x42;
const VALUE_LENGTH: u64 = 0x56;
const VALUE: u64 = 0x57;
const PRED_COUNT: u64 = 0x70;

/// Every column that a change of this project has; marks and whatever is invented later are not.
const COLUMNS: [(u64, Kind); 12] = [
    (0x01, Kind::Actor),   // the object's actor
    (0x02, Kind::Counter), // the object's counter
    (0x11, Kind::Actor),   // the list element's actor
    (0x13, Kind::Delta),   // the list element's counter
    (0x15, Kind::Text),    // the map key
    (0x34, Kind::Flag),    // whether it inserts
    (ACTION, Kind::Action),
    (VALUE_LENGTH, Kind::ValueLength),
    (VALUE, Kind::Value),
    (PRED_COUNT, Kind::PredCount),
    (0x71, Kind::Actor), // the predecessor's actor
    (0x73, Kind::Delta), // the predecessor's counter
];

/// Reads the columns up to the end of the chunk and returns the number of operations.
pub(super) fn measure(input: &mut Input<'_>, bounds: &Bounds<'_>) -> Result<u64, PreflightError> {
    let count = input.count(bounds.limits.columns, "columns")?;
    let mut listed = Vec::with_capacity(count);
    let mut last = None;
    for _ in 0..count {
        let spec = input.unsigned()?;
        let kind = COLUMNS.iter().find(|(known, _)| *known == spec).map(|(_, kind)| *kind);
        let Some(kind) = kind.filter(|_| last < Some(spec)) else {
            return Err(PreflightError::BadColumn(spec));
        };
        last = Some(spec);
        listed.push((spec, kind, input.count(bounds.limits.chunk_bytes, "column bytes")?));
    }
    let mut measured = Vec::with_capacity(count);
    for (spec, kind, len) in listed {
        measured.push((spec, Column::measure(kind, input.take(len)?, bounds)?));
    }
    if !input.is_empty() {
        return Err(PreflightError::WrongLength);
    }
    agree(&measured)
}

/// Checks that every column tells the same number of operations, predecessors and value bytes.
fn agree(measured: &[(u64, Column)]) -> Result<u64, PreflightError> {
    let find = |wanted| measured.iter().find(|(spec, _)| *spec == wanted).map(|(_, column)| column);
    let ops = find(ACTION).map_or(0, |column| column.rows);
    let preds = find(PRED_COUNT).map_or(0, |column| column.total);
    let values = find(VALUE_LENGTH).map_or(0, |column| column.total);
    for (spec, column) in measured {
        let expected = match *spec {
            VALUE => values,
            0x71 | 0x73 => preds,
            _ => ops,
        };
        if column.rows != expected {
            return Err(PreflightError::UnevenColumns(*spec));
        }
    }
    if values > 0 && find(VALUE).is_none() {
        return Err(PreflightError::UnevenColumns(VALUE));
    }
    Ok(ops)
}

/// What a column says once its runs are added up.
#[derive(Default)]
struct Column {
    /// How many rows; for the values themselves how many bytes.
    rows: u64,
    /// The sum of what its rows stand for: predecessors, value bytes, key bytes, or a counter.
    total: u64,
}

impl Column {
    fn measure(kind: Kind, bytes: &[u8], bounds: &Bounds<'_>) -> Result<Self, PreflightError> {
        let mut column = Self::default();
        let mut input = Input::new(bytes);
        match kind {
            Kind::Value => column.rows = bytes.len() as u64,
            Kind::Flag => {
                while !input.is_empty() {
                    let run = input.unsigned()?;
                    column.add_rows(run, bounds)?;
                }
            }
            Kind::Actor
            | Kind::Counter
            | Kind::Delta
            | Kind::Text
            | Kind::Action
            | Kind::ValueLength
            | Kind::PredCount => {
                while !input.is_empty() {
                    column.run(kind, &mut input, bounds)?;
                }
            }
        }
        Ok(column)
    }

    /// Reads one run: a repeated row, rows one by one, or rows without a value.
    fn run(
        &mut self,
        kind: Kind,
        input: &mut Input<'_>,
        bounds: &Bounds<'_>,
    ) -> Result<(), PreflightError> {
        let run = input.signed()?;
        if run == 0 {
            let empty = input.unsigned()?;
            return self.add_rows(empty, bounds);
        }
        self.add_rows(run.unsigned_abs(), bounds)?;
        if run > 0 {
            return self.row(kind, run.unsigned_abs(), input, bounds);
        }
        for _ in 0..run.unsigned_abs() {
            self.row(kind, 1, input, bounds)?;
        }
        Ok(())
    }

    /// Reads one row that stands `times` times.
    fn row(
        &mut self,
        kind: Kind,
        times: u64,
        input: &mut Input<'_>,
        bounds: &Bounds<'_>,
    ) -> Result<(), PreflightError> {
        let limits = bounds.limits;
        match kind {
            Kind::Delta => {
                let step = input.signed()?.checked_mul(times.cast_signed());
                let moved = step.and_then(|step| self.total.checked_add_signed(step));
                self.total =
                    moved.filter(|at| *at <= COUNTER_MAX).ok_or(PreflightError::Counter)?;
            }
            Kind::Text => {
                let len = input.count(limits.key_bytes, "key bytes")?;
                input.take(len)?;
                self.add(times * len as u64, limits.keys_bytes, "key bytes")?;
            }
            Kind::Actor if input.unsigned()? >= bounds.actors => {
                return Err(PreflightError::BadActors);
            }
            Kind::Counter if input.unsigned()? > COUNTER_MAX => {
                return Err(PreflightError::Counter);
            }
            Kind::Action if input.unsigned()? > 7 => return Err(PreflightError::BadColumn(ACTION)),
            Kind::ValueLength => {
                let len = input.unsigned()? >> 4;
                if len > limits.value_bytes {
                    return Err(PreflightError::TooMany("value bytes"));
                }
                self.add(times * len, limits.chunk_bytes as u64, "value bytes")?;
            }
            Kind::PredCount => {
                let preds = input.unsigned()?;
                if preds > limits.preds {
                    return Err(PreflightError::TooMany("predecessors"));
                }
                self.add(times * preds, limits.preds, "predecessors")?;
            }
            Kind::Actor | Kind::Counter | Kind::Action | Kind::Flag | Kind::Value => {}
        }
        Ok(())
    }

    fn add_rows(&mut self, rows: u64, bounds: &Bounds<'_>) -> Result<(), PreflightError> {
        // Rows are operations or their predecessors, and neither may be more than the larger.
        let limit = bounds.limits.ops.max(bounds.limits.preds);
        self.rows = self.rows.saturating_add(rows);
        if self.rows > limit { Err(PreflightError::TooMany("operations")) } else { Ok(()) }
    }

    fn add(&mut self, more: u64, limit: u64, what: &'static str) -> Result<(), PreflightError> {
        self.total = self.total.saturating_add(more);
        if self.total > limit { Err(PreflightError::TooMany(what)) } else { Ok(()) }
    }
}
