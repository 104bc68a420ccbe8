//! Sessions of phones with the hall.

use automerge::ChangeHash;
use domain::stamp::Timestamp;
use mobile_core::log::memory::Stop;
use mobile_core::phone::SyncEnd;
use pollster::block_on;
use sync::authority::Writer;
use sync::device::Standing;
use sync::hall::Hall;

use super::{Done, World, broken};
use crate::check;
use crate::event::Fate;
use crate::hall::Way;
use crate::phone::Running;

impl World {
    /// One session of a phone with the hall.
    pub fn sync(&mut self, at: usize, fate: Fate) -> Done {
        if self.phones[at].running.is_none() {
            self.restart(at, Stop::Kill)?;
        }
        let before = self.held(at);
        let Some(mut phone) = self.phones[at].running.take() else {
            return Err(broken("S1", format!("phone {at} does not run")));
        };
        let other = match fate {
            Fate::Between(other) => Some(self.which(other)).filter(|other| *other != at),
            _ => None,
        };
        let mut served = other.and_then(|other| self.phones[other].running.take());
        let oracle = &self.oracle;
        let cash_of =
            |hash: ChangeHash| oracle.hashes.get(&hash).map_or(0, |id| oracle.recorded[id].cash);
        let mut way = Way {
            writer: self.phones[at].writer,
            hall: &mut self.hall,
            fate,
            bug: self.bug,
            now: self.now,
            rounds: 0,
            counted_again: &mut self.counted_again,
            cash_of: &cash_of,
            broke: None,
            between: None,
            nodes: &self.nodes,
        };
        let (writer, now) = (other.map(|other| self.phones[other].writer), self.now);
        if let (Some(other), Some(writer)) = (served.as_mut(), writer) {
            way.between = Some(Box::new(move |hall| serve(hall, other, writer, now)));
        }
        let report = block_on(phone.sync(&mut way));
        let (rounds, broke) = (way.rounds, way.broke.take());
        drop(way);
        self.phones[at].running = Some(phone);
        if let (Some(other), Some(phone)) = (other, served) {
            self.phones[other].running = Some(phone);
            if self.phones[other].disk.memory.is_off() {
                self.restart(other, Stop::Kill)?;
            }
            self.note_acks(other);
        }
        self.last_rounds = rounds;
        if let Some(what) = broke {
            return Err(broken("S17", what));
        }
        if self.phones[at].disk.memory.is_off() {
            return self.restart(at, Stop::Kill);
        }
        check::purged(self, at, &before)?;
        self.note_acks(at);
        check::acks(self)?;
        check::scope(self, at)?;
        check::on_phone(self, at)?;
        if fate == Fate::Good && (report.unkept || report.end == SyncEnd::Complete) {
            check::handed_in(self, &before, at)?;
        }
        let is_stuck = matches!(&report.end, SyncEnd::Stopped(error) if error.to_string().contains("opened again"));
        if is_stuck {
            return self.restart(at, Stop::Kill);
        }
        // What was committed while the session went on comes with the next one.
        let has_all = report.end == SyncEnd::Complete && !matches!(fate, Fate::Between(_));
        if has_all && !report.unkept {
            check::complete(self, at)?;
        }
        Ok(format!("{rounds} rounds, {}", ending(&report.end)))
    }

    fn note_acks(&mut self, at: usize) {
        let Some(phone) = self.phones[at].running.as_ref() else { return };
        for own in phone.device().own() {
            if let Standing::Acked(epoch, _) = own.standing
                && let Some(recorded) = self.oracle.recorded.get_mut(&own.id)
            {
                recorded.acked = Some(*epoch);
            }
        }
    }
}

/// Another node serves another phone.
fn serve(hall: &mut Hall, phone: &mut Running, writer: Writer, now: Timestamp) {
    let mut way = Way {
        hall,
        writer,
        fate: Fate::Good,
        bug: None,
        now,
        rounds: 0,
        counted_again: &mut 0,
        cash_of: &|_| 0,
        broke: None,
        between: None,
        nodes: &[0],
    };
    block_on(phone.sync(&mut way));
}

fn ending(end: &SyncEnd) -> String {
    match end {
        SyncEnd::Complete => "all said".to_owned(),
        SyncEnd::MoreLeft => "more is left".to_owned(),
        SyncEnd::Stopped(error) => format!("stopped: {error}"),
    }
}
