//! The way to the hall and back, with what networks, servers and careless hands do to it.

use std::collections::BTreeSet;

use automerge::ChangeHash;
use chrono::TimeDelta;
use domain::stamp::Timestamp;
use mobile_core::link::{Link, LinkError};
use sync::authority::Writer;
use sync::chunk::chunk_hash;
use sync::hall::Hall;
use sync::message::{Judged, Position, Reply, Request, Verdict};

use crate::bug::Bug;
use crate::event::Fate;
use crate::newer::is_newer;

/// What another node does to the hall meanwhile.
pub type Meanwhile<'a> = Box<dyn FnOnce(&mut Hall) + 'a>;

/// One phone's way to the hall during one session.
pub struct Way<'a> {
    /// The hall.
    pub hall: &'a mut Hall,
    /// Whose phone.
    pub writer: Writer,
    /// What becomes of it.
    pub fate: Fate,
    /// A bug that was planted.
    pub bug: Option<Bug>,
    /// The true time.
    pub now: Timestamp,
    /// How many rounds were answered.
    pub rounds: u32,
    /// Cash that the hall's till counted although it had counted it before, in fen.
    pub counted_again: &'a mut i64,
    /// How much cash a change takes.
    pub cash_of: &'a dyn Fn(ChangeHash) -> i64,
    /// What broke inside the hall, if anything.
    pub broke: Option<String>,
    /// What another node does to the hall in the middle of the first exchange.
    pub between: Option<Meanwhile<'a>>,
    /// How far the nodes' clocks are off, in seconds; round after round goes to the next of them.
    pub nodes: &'a [i64],
}

impl Link for Way<'_> {
    async fn exchange(&mut self, request: Vec<u8>) -> Result<Vec<u8>, LinkError> {
        if self.fate == Fate::OneRound && self.rounds > 0 {
            return Err(LinkError::Offline("out of reach".to_owned()));
        }
        match self.fate {
            Fate::RequestLost => return Err(LinkError::Offline("no route".to_owned())),
            Fate::Busy => return Err(LinkError::Busy { retry_after_ms: Some(5_000) }),
            Fate::SignedOut => return Err(LinkError::NotAccepted),
            Fate::Portal => return Ok(b"<html><body>Welcome to our Wi-Fi</body></html>".to_vec()),
            Fate::HallDies => return self.die(&request),
            Fate::Good
            | Fate::ReplyLost
            | Fate::ReplyCut(_)
            | Fate::Twice
            | Fate::OneRound
            | Fate::Between(_) => {}
        }
        let mut reply = self.answer(&request)?;
        if self.fate == Fate::Twice {
            reply = self.answer(&request)?;
        }
        self.rounds += 1;
        match self.fate {
            Fate::ReplyLost => Err(LinkError::Offline("reset".to_owned())),
            Fate::ReplyCut(at) => {
                reply.truncate(usize::from(at).min(reply.len() - 1));
                Ok(reply)
            }
            Fate::Good
            | Fate::RequestLost
            | Fate::Portal
            | Fate::Busy
            | Fate::SignedOut
            | Fate::Twice
            | Fate::HallDies
            | Fate::OneRound
            | Fate::Between(_) => Ok(reply),
        }
    }
}

impl Way<'_> {
    /// The clock of the node that answers.
    fn node_now(&self) -> Timestamp {
        let node = self.rounds as usize % self.nodes.len();
        self.now + TimeDelta::seconds(self.nodes[node])
    }

    /// Lets another node serve another phone in the middle of an exchange.
    ///
    /// Who hands nothing in takes no turn at writing: the end of the feed was read before, the rest is read after.
    /// Who hands something in holds the hall's row from the beginning, so the other comes first.
    fn serve_another(&mut self, request: &[u8]) -> Option<Position> {
        let between = self.between.take()?;
        let asked = Request::decode(request).ok()?;
        let end = self.hall.position();
        between(self.hall);
        (asked.changes.is_empty() && asked.anchors.is_empty()).then_some(end)
    }

    /// The hall dies before it commits: nobody hears of what it was about to do.
    fn die(&mut self, request: &[u8]) -> Result<Vec<u8>, LinkError> {
        let mut lost = self.hall.clone();
        let reply = lost.exchange(self.writer, request, self.node_now());
        match reply {
            Ok(reply) if self.bug == Some(Bug::AckBeforeCommit) => Ok(reply),
            _ => Err(LinkError::Offline("connection reset".to_owned())),
        }
    }

    fn answer(&mut self, request: &[u8]) -> Result<Vec<u8>, LinkError> {
        if self.bug == Some(Bug::OlderTurnedAway) && self.brings_to_newer(request) {
            return Err(LinkError::Refused(426));
        }
        let before = self.bug.map(|_| self.hall.clone());
        let read_first = self.serve_another(request);
        let answered = self.hall.exchange(self.writer, request, self.node_now());
        let reply = match answered {
            Ok(reply) => reply,
            Err(error) => {
                self.broke = Some(format!("the hall does not understand a phone: {error}"));
                return Err(LinkError::Refused(400));
            }
        };
        let Ok(mut read) = Reply::decode(&reply) else {
            self.broke = Some("the hall's own reply cannot be read".to_owned());
            return Err(LinkError::NotTheHall);
        };
        if let Some(position) = read_first {
            read.cursor.position = read.cursor.position.min(position);
        }
        if self.bug == Some(Bug::CashCountedTwice) {
            self.count_again(&read);
        }
        match (self.bug, before) {
            (Some(bug), Some(before)) => Ok(self.spoil(bug, before, request, read)),
            _ => Ok(read.encode()),
        }
    }

    /// Whether a request has changes for a document of a newer shape.
    fn brings_to_newer(&self, request: &[u8]) -> bool {
        let asked = Request::decode(request).ok();
        let mut offered = asked.into_iter().flat_map(|it| it.changes);
        offered.any(|it| self.hall.job(it.job).is_ok_and(|job| is_newer(&job)))
    }

    /// A careless till: what a phone offers again counts again.
    fn count_again(&mut self, reply: &Reply) {
        for judged in &reply.verdicts {
            if matches!(judged.verdict, Verdict::Duplicate { .. }) {
                *self.counted_again += (self.cash_of)(judged.hash);
            }
        }
    }

    /// What a planted bug makes of the exchange.
    fn spoil(&mut self, bug: Bug, before: Hall, request: &[u8], mut reply: Reply) -> Vec<u8> {
        match bug {
            Bug::SequenceCursor => reply.cursor.position += 1,
            Bug::CursorBeforeGrant => {
                reply.documents.pop();
            }
            Bug::PurgeAtAck => {
                self.hall.mark_safe();
                reply.safe = self.hall.position();
            }
            Bug::DroppedMissingDependency => self.drop_waiting(before, request, &mut reply),
            Bug::QuarantineDropped => {
                let apart = |it: &Judged| matches!(it.verdict, Verdict::Quarantined { .. });
                if !reply.verdicts.is_empty() && reply.verdicts.iter().all(apart) {
                    *self.hall = before;
                }
            }
            Bug::AckBeforeCommit
            | Bug::ActorReuse
            | Bug::NoEpochBump
            | Bug::AuthorityByRoleOnly
            | Bug::RelaxedStorage
            | Bug::CashCountedTwice
            | Bug::SavedThoughRefused
            | Bug::CutTooMuch
            | Bug::StoredStatus
            | Bug::HazardClearedByConcurrency
            | Bug::PlanByNodeClock
            | Bug::JudgedByPhoneClock
            | Bug::OlderTurnedAway
            | Bug::SnapshotOfWhatIsKnown
            | Bug::WipedUnasked
            | Bug::StoreNotErased
            | Bug::SaidBelieved => {}
        }
        reply.encode()
    }

    /// Answers what waits as taken, and forgets it.
    fn drop_waiting(&mut self, before: Hall, request: &[u8], reply: &mut Reply) {
        let waiting: BTreeSet<ChangeHash> = reply
            .verdicts
            .iter()
            .filter(|it| it.verdict == Verdict::Waiting)
            .map(|it| it.hash)
            .collect();
        if waiting.is_empty() {
            return;
        }
        let Ok(mut asked) = Request::decode(request) else { return };
        asked.changes.retain(|offered| !waiting.contains(&chunk_hash(&offered.bytes)));
        *self.hall = before;
        let again = self.hall.exchange(self.writer, &asked.encode(), self.node_now());
        if let Some(again) = again.ok().and_then(|bytes| Reply::decode(&bytes).ok()) {
            let seal = again.verdicts.iter().find_map(|it| match &it.verdict {
                Verdict::Acked { seal, .. } | Verdict::Duplicate { seal, .. } => Some(*seal),
                Verdict::Waiting | Verdict::Quarantined { .. } => None,
            });
            let position = again.cursor.position;
            *reply = again;
            let Some(seal) = seal else { return };
            let taken = |hash| Judged { hash, verdict: Verdict::Acked { position, seal } };
            reply.verdicts.extend(waiting.into_iter().map(taken));
        }
    }
}
