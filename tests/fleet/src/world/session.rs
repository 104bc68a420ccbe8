//! Sessions of phones with the hall.

use automerge::ChangeHash;
use domain::stamp::Timestamp;
use mobile_core::log::memory::Stop;
use mobile_core::phone::{SyncEnd, SyncReport};
use pollster::block_on;
use sync::authority::Writer;
use sync::device::Standing;
use sync::hall::Hall;

use super::{Broken, Done, World, broken};
use crate::check;
use crate::event::Fate;
use crate::hall::{Meanwhile, Way};
use crate::phone::Running;

impl World {
    /// One session of a phone with the hall.
    pub fn sync(&mut self, at: usize, fate: Fate) -> Done {
        if self.phones[at].running.is_none() {
            self.restart(at, Stop::Kill)?;
        }
        let before = self.held(at);
        let report = self.meet(at, fate)?;
        if self.phones[at].disk.memory.is_off() {
            return self.restart(at, Stop::Kill);
        }
        check::purged(self, at, &before)?;
        self.note_acks(at);
        check::acks(self)?;
        check::scope(self, at)?;
        check::on_phone(self, at)?;
        let is_complete = report.end == SyncEnd::Complete;
        if fate == Fate::Good && (report.unkept.is_some() || is_complete) {
            check::handed_in(self, &before, at)?;
        }
        let is_stuck = matches!(&report.end, SyncEnd::Stopped(error) if error.to_string().contains("opened again"));
        if is_stuck {
            return self.restart(at, Stop::Kill);
        }
        // What was committed while the session went on comes with the next one.
        if is_complete && !matches!(fate, Fate::Between(_)) {
            check::complete(self, at)?;
        }
        Ok(format!("{} rounds, {}", self.last_rounds, ending(&report.end)))
    }

    /// Lets a phone and the hall talk; in the middle another node may serve another phone.
    fn meet(&mut self, at: usize, fate: Fate) -> Result<SyncReport, Broken> {
        let Some(mut phone) = self.phones[at].running.take() else {
            return Err(broken("S1", format!("phone {at} does not run")));
        };
        let other = if let Fate::Between(other) = fate { Some(self.which(other)) } else { None };
        let other = other.filter(|other| *other != at);
        let mut served = other.and_then(|other| self.phones[other].running.take());
        let oracle = &self.oracle;
        let cash_of =
            |hash: ChangeHash| oracle.hashes.get(&hash).map_or(0, |id| oracle.recorded[id].cash);
        let (writer, now) = (other.map(|other| self.phones[other].writer), self.now);
        let between = served.as_mut().zip(writer).map(|(other, writer)| -> Meanwhile<'_> {
            Box::new(move |hall| serve(hall, other, writer, now))
        });
        let mut way = Way {
            writer: self.phones[at].writer,
            hall: &mut self.hall,
            fate,
            bug: self.bug,
            now,
            rounds: 0,
            counted_again: &mut self.counted_again,
            cash_of: &cash_of,
            broke: None,
            between,
            nodes: &self.nodes,
        };
        let report = block_on(phone.sync(&mut way));
        self.last_rounds = way.rounds;
        let broke = way.broke.take();
        drop(way);
        self.phones[at].running = Some(phone);
        if let (Some(other), Some(phone)) = (other, served) {
            self.phones[other].running = Some(phone);
            self.was_served(other)?;
        }
        broke.map_or(Ok(report), |what| Err(broken("S17", what)))
    }

    fn was_served(&mut self, at: usize) -> Result<(), Broken> {
        if self.phones[at].disk.memory.is_off() {
            self.restart(at, Stop::Kill)?;
        }
        self.note_acks(at);
        Ok(())
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
