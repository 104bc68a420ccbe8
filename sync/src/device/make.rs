//! What a technician does, as a record to be stored.

use domain::id::{JobId, MessageId};
use domain::job::Message;
use domain::stamp::BootId;

use super::{Device, Made, Record};
use crate::document::{EditError, NewFact, Pen, fact_change, message_change};

/// Why nothing was made.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// The job is not on this phone, or left it.
    #[error("job {0} is not on this phone")]
    NoJob(JobId),
    /// The document does not take it.
    #[error(transparent)]
    Edit(Box<EditError>),
}

impl From<EditError> for MakeError {
    fn from(error: EditError) -> Self {
        Self::Edit(Box::new(error))
    }
}

impl Device {
    /// Makes a fact. The record has to be stored and replayed before the next one is made.
    ///
    /// The pen's actor is drawn afresh at each start of the app and for each tab.
    pub fn make_fact(
        &self,
        pen: &Pen,
        boot: BootId,
        job: JobId,
        fact: &NewFact<'_>,
    ) -> Result<Record, MakeError> {
        let mut doc = self.writable(job)?;
        let bytes = fact_change(&mut doc, pen, fact)?;
        Ok(Record::Made(Made { job, boot, id: fact.id.0, bytes }))
    }

    /// Makes a message. The record has to be stored and replayed before the next one is made.
    pub fn make_message(
        &self,
        pen: &Pen,
        boot: BootId,
        job: JobId,
        message: (MessageId, &Message),
    ) -> Result<Record, MakeError> {
        let mut doc = self.writable(job)?;
        let (id, message) = message;
        let bytes = message_change(&mut doc, pen, id, message)?;
        Ok(Record::Made(Made { job, boot, id: id.0, bytes }))
    }

    fn writable(&self, job: JobId) -> Result<automerge::Automerge, MakeError> {
        let replica = self.replicas.get(&job).filter(|replica| !self.has_left(replica));
        replica.map(super::Replica::doc).ok_or(MakeError::NoJob(job))
    }
}
