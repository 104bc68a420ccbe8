//! Pictures a technician takes: kept before a fact names them, handed in part by part, let go when the hall has them.

use domain::catalogue::Sentence;
use domain::id::JobId;
use domain::job::Job;
use domain::photo::{self, PhotoError};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::Phone;
use crate::clock::{Clock, Rng};
use crate::entry::{Entry, PhotoName};
use crate::link::LinkError;
use crate::log::{LogStore, StoreError};
use crate::photo::{BlobStore, PART_BYTES, Part, PhotoLink, PhotoLinkError, Progress};

/// How often the hall may say that it is elsewhere in one picture.
const RETRIES: u32 = 3;

/// A picture that the hall does not have yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WaitingPhoto {
    /// The job it was taken in.
    pub job: JobId,
    /// Its name: SHA-256 in hexadecimal.
    pub hash: String,
    /// Its length.
    pub size_bytes: u64,
    /// Why the hall will not take it; `None` while it may.
    pub refused: Option<String>,
}

/// A picture in the phone's memory; the log says the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeptPhoto {
    pub(super) job: JobId,
    pub(super) size_bytes: u64,
    pub(super) refused: Option<String>,
}

/// Why a picture was not kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeepPhotoError {
    /// Nobody signed in on this phone yet.
    #[error("the phone is not enrolled")]
    NotEnrolled,
    /// The job is not on this phone.
    #[error("job {0} is not on this phone")]
    NoSuchJob(JobId),
    /// The hall would refuse it.
    #[error(transparent)]
    Photo(#[from] PhotoError),
    /// The store refused: not kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl KeepPhotoError {
    /// What to tell the technician.
    pub fn sentence(&self) -> Sentence {
        Sentence::new(match self {
            Self::NotEnrolled => "phone.not_enrolled",
            Self::NoSuchJob(_) => "phone.no_such_job",
            Self::Photo(PhotoError::TooLong { .. } | PhotoError::TooManyPixels { .. }) => {
                "phone.photo_too_large"
            }
            Self::Photo(PhotoError::UnknownFormat) => "phone.photo_format",
            Self::Photo(
                PhotoError::Damaged(_)
                | PhotoError::Position
                | PhotoError::Metadata(_)
                | PhotoError::Trailing { .. },
            ) => "phone.photo_damaged",
            Self::Store(StoreError::Full) => "phone.full",
            Self::Store(StoreError::Emptied) => "phone.emptied",
            Self::Store(StoreError::InUse) => "phone.in_use",
            Self::Store(StoreError::Stuck | StoreError::Broken(_)) => "phone.stuck",
        })
    }
}

/// What became of the pictures in one meeting with the hall.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PhotoReport {
    /// Pictures that the hall has now.
    pub held: usize,
    /// Bytes that travelled.
    pub sent_bytes: u64,
    /// Pictures whose bytes are gone from this phone and that the hall does not have.
    pub lost: Vec<(JobId, String)>,
    /// Pictures that the hall will not take, with its reason.
    pub refused: Vec<(JobId, String, String)>,
    /// Pictures still to be handed in.
    pub left: usize,
    /// Why it ended before all were handed in.
    pub stopped: Option<PhotoStop>,
}

/// Why pictures were left for the next time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhotoStop {
    /// The way to the hall broke.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The phone's store broke.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What one picture came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carried {
    /// The hall has it.
    Held,
    /// Its bytes are gone from this phone, and the hall does not have it.
    Lost,
    /// The hall will not take it, in its own words.
    Refused(String),
    /// It cannot be had now; others may.
    Later,
}

impl<S: LogStore, C: Clock, R: Rng> Phone<S, C, R> {
    /// The pictures that the hall does not have yet, those that it refuses included.
    pub fn waiting_photos(&self) -> Vec<WaitingPhoto> {
        let waiting = self.photos.iter().map(|(name, kept)| WaitingPhoto {
            job: kept.job,
            hash: name.to_string(),
            size_bytes: kept.size_bytes,
            refused: kept.refused.clone(),
        });
        waiting.collect()
    }

    pub(super) fn replay_photo(&mut self, entry: Entry) {
        match entry {
            Entry::PhotoKept { name, job, size_bytes } => {
                self.photos.insert(name, KeptPhoto { job, size_bytes, refused: None });
            }
            Entry::PhotoHeld { name } => {
                self.photos.remove(&name);
            }
            Entry::PhotoRefused { name, reason } => {
                if let Some(kept) = self.photos.get_mut(&name) {
                    kept.refused = Some(reason);
                }
            }
            Entry::Sync(_)
            | Entry::Seen { .. }
            | Entry::Left { .. }
            | Entry::Reminded { .. }
            | Entry::Unreadable(_) => {}
        }
    }

    /// The entries from which the same pictures replay.
    pub(super) fn photo_entries(&self) -> Vec<Entry> {
        let kept = self.photos.iter().flat_map(|(name, kept)| {
            let (job, size_bytes) = (kept.job, kept.size_bytes);
            let refused = kept.refused.clone();
            let refused = refused.map(|reason| Entry::PhotoRefused { name: *name, reason });
            std::iter::once(Entry::PhotoKept { name: *name, job, size_bytes }).chain(refused)
        });
        kept.collect()
    }
}

impl<S: LogStore + BlobStore, C: Clock, R: Rng> Phone<S, C, R> {
    /// Keeps a picture for a job and tells the hash by which a fact is to name it.
    ///
    /// `Ok` means that the picture is on the disk, flushed, without position, comments or anything else that is no
    /// picture.
    pub async fn keep_photo(&mut self, job: JobId, bytes: &[u8]) -> Result<String, KeepPhotoError> {
        if self.device.enrolment().is_none() {
            return Err(KeepPhotoError::NotEnrolled);
        }
        self.held(job).map_err(|_| KeepPhotoError::NoSuchJob(job))?;
        let bytes = photo::strip(bytes)?;
        photo::inspect(&bytes)?;
        let name = PhotoName(Sha256::digest(&bytes).into());
        self.log.store_mut().keep_blob(&name.to_string(), &bytes).await?;
        if !self.photos.contains_key(&name) {
            let size_bytes = bytes.len() as u64;
            self.keep(vec![Entry::PhotoKept { name, job, size_bytes }]).await?;
        }
        Ok(name.to_string())
    }

    /// Reads a picture that is still on this phone.
    pub async fn photo(&mut self, hash: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.log.store_mut().read_blob(hash).await
    }

    /// Finds pictures whose bytes are gone or damaged; the hall may have them all the same.
    pub async fn lost_photos(&mut self) -> Result<Vec<(JobId, String)>, StoreError> {
        let mut lost = Vec::new();
        for (name, job) in self.queue() {
            if self.whole_photo(name).await?.is_none() {
                lost.push((job, name.to_string()));
            }
        }
        Ok(lost)
    }

    /// Hands pictures in until none is left or the way breaks; the next time goes on where this one stopped.
    pub async fn send_photos(&mut self, link: &mut impl PhotoLink) -> PhotoReport {
        let mut report = PhotoReport::default();
        if let Err(error) = self.tidy_blobs().await {
            report.stopped = Some(error.into());
            report.left = self.queue().len();
            return report;
        }
        for (job, hash) in self.photo_queue() {
            match self.send_photo(link, job, &hash, &mut report.sent_bytes).await {
                Ok(Carried::Held) => report.held += 1,
                Ok(Carried::Lost) => report.lost.push((job, hash)),
                Ok(Carried::Refused(reason)) => report.refused.push((job, hash, reason)),
                Ok(Carried::Later) => {}
                Err(stop) => {
                    report.stopped = Some(stop);
                    break;
                }
            }
        }
        report.left = self.queue().len();
        report
    }

    async fn send_photo(
        &mut self,
        link: &mut impl PhotoLink,
        job: JobId,
        hash: &str,
        sent_bytes: &mut u64,
    ) -> Result<Carried, PhotoStop> {
        let bytes = self.photo_to_carry(hash).await?;
        let carried = carry(link, (job, hash), bytes.as_deref(), sent_bytes).await?;
        self.photo_carried(hash, &carried).await?;
        Ok(carried)
    }

    /// The pictures still to be handed in, in the order in which they go.
    pub fn photo_queue(&self) -> Vec<(JobId, String)> {
        self.queue().into_iter().map(|(name, job)| (job, name.to_string())).collect()
    }

    fn queue(&self) -> Vec<(PhotoName, JobId)> {
        let open = self.photos.iter().filter(|(_, kept)| kept.refused.is_none());
        open.map(|(name, kept)| (*name, kept.job)).collect()
    }

    /// Reads a picture that is to be handed in, when it still is what its name says.
    pub async fn photo_to_carry(&mut self, hash: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match PhotoName::parse(hash) {
            Some(name) => self.whole_photo(name).await,
            None => Ok(None),
        }
    }

    /// Notes what became of a picture that was carried.
    pub async fn photo_carried(&mut self, hash: &str, carried: &Carried) -> Result<(), StoreError> {
        let Some(name) = PhotoName::parse(hash).filter(|it| self.photos.contains_key(it)) else {
            return Ok(());
        };
        match carried {
            Carried::Held => self.let_go(name).await,
            Carried::Refused(reason) => {
                self.keep(vec![Entry::PhotoRefused { name, reason: reason.clone() }]).await
            }
            Carried::Lost | Carried::Later => Ok(()),
        }
    }

    /// Reads a picture and makes sure that it still is what its name says.
    async fn whole_photo(&mut self, name: PhotoName) -> Result<Option<Vec<u8>>, StoreError> {
        let bytes = self.log.store_mut().read_blob(&name.to_string()).await?;
        Ok(bytes.filter(|bytes| <[u8; 32]>::from(Sha256::digest(bytes)) == name.0))
    }

    /// Notes that the hall has a picture, and only then removes it here.
    async fn let_go(&mut self, name: PhotoName) -> Result<(), StoreError> {
        match self.keep(vec![Entry::PhotoHeld { name }]).await {
            // With the phone full, the picture itself is the room that the note needs: the hall has it.
            Err(StoreError::Full) => {
                self.log.store_mut().remove_blob(&name.to_string()).await?;
                self.keep(vec![Entry::PhotoHeld { name }]).await
            }
            Err(error) => Err(error),
            Ok(()) => self.log.store_mut().remove_blob(&name.to_string()).await,
        }
    }

    /// Looks through pictures that the log does not speak of: one that a fact names is taken up again, any other was
    /// left by a crash before it was called kept, or after the hall had it.
    pub async fn tidy_blobs(&mut self) -> Result<(), StoreError> {
        let names = self.log.store_mut().blob_names().await?;
        let is_known =
            |name: &str| PhotoName::parse(name).is_some_and(|it| self.photos.contains_key(&it));
        let strays: Vec<String> = names.into_iter().filter(|name| !is_known(name)).collect();
        if strays.is_empty() {
            return Ok(());
        }
        // In a damaged log the missing record may have been the one that called a picture kept.
        let may_remove = self.log.asides().await?.is_empty();
        for stray in strays {
            let taken_in = self.jobs().find(|job| names_photo(job, &stray)).map(|job| job.id);
            let bytes = self.log.store_mut().read_blob(&stray).await?.unwrap_or_default();
            match (taken_in, PhotoName::parse(&stray)) {
                (Some(job), Some(name)) => {
                    let size_bytes = bytes.len() as u64;
                    self.keep(vec![Entry::PhotoKept { name, job, size_bytes }]).await?;
                }
                _ if may_remove => self.log.store_mut().remove_blob(&stray).await?,
                _ => {}
            }
        }
        Ok(())
    }
}

fn names_photo(job: &Job, name: &str) -> bool {
    let facts = job.visits.values().flat_map(|visit| visit.facts.values());
    let mut named = facts.filter_map(|recorded| recorded.fact.photo());
    named.any(|hash| hash == name)
}

/// Carries one picture as far as the hall lets it; `bytes` are `None` when they are gone from the phone.
pub async fn carry(
    link: &mut impl PhotoLink,
    (job, hash): (JobId, &str),
    bytes: Option<&[u8]>,
    sent_bytes: &mut u64,
) -> Result<Carried, LinkError> {
    match carry_whole(link, (job, hash), bytes, sent_bytes).await {
        Ok(carried) => Ok(carried),
        Err(PhotoLinkError::Refused(reason)) => Ok(Carried::Refused(reason)),
        // This one cannot be had now; the others may.
        Err(PhotoLinkError::Link(LinkError::Refused(_)) | PhotoLinkError::Elsewhere) => {
            Ok(Carried::Later)
        }
        Err(PhotoLinkError::Link(error)) => Err(error),
    }
}

async fn carry_whole(
    link: &mut impl PhotoLink,
    (job, hash): (JobId, &str),
    bytes: Option<&[u8]>,
    sent_bytes: &mut u64,
) -> Result<Carried, PhotoLinkError> {
    for _ in 0..RETRIES {
        let progress = link.photo_progress(job, hash).await?;
        let Some(bytes) = bytes else {
            return Ok(if progress.held { Carried::Held } else { Carried::Lost });
        };
        match carry_on(link, (job, hash), bytes, progress, sent_bytes).await {
            Err(PhotoLinkError::Elsewhere) => {}
            Ok(()) => return Ok(Carried::Held),
            Err(error) => return Err(error),
        }
    }
    Ok(Carried::Later)
}

async fn carry_on(
    link: &mut impl PhotoLink,
    (job, hash): (JobId, &str),
    bytes: &[u8],
    mut progress: Progress,
    sent_bytes: &mut u64,
) -> Result<(), PhotoLinkError> {
    while !progress.held {
        let rest = bytes.get(progress.offset..).ok_or(PhotoLinkError::Elsewhere)?;
        let piece = &rest[..rest.len().min(PART_BYTES)];
        let part = Part { offset: progress.offset, length: bytes.len(), bytes: piece };
        let next = link.send_photo_part(job, hash, part).await?;
        *sent_bytes += piece.len() as u64;
        if !next.held && next.offset <= progress.offset {
            return Err(PhotoLinkError::Elsewhere);
        }
        progress = next;
    }
    Ok(())
}
