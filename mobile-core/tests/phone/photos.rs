//! Pictures through crashes, a full disk and a network that breaks: on the phone or at the hall, at every moment.

use std::collections::BTreeMap;
use std::io::Cursor;

use domain::id::JobId;
use domain::visit::Subject;
use image::{ImageFormat, RgbImage};
use mobile_core::link::LinkError;
use mobile_core::log::StoreError;
use mobile_core::log::disk::Disk as _;
use mobile_core::log::memory::{Landing, MemoryDisk, MemoryLog, Stop};
use mobile_core::phone::{KeepPhotoError, PhotoStop, Wipe, WipeError};
use mobile_core::photo::{Part, PhotoLink, PhotoLinkError, Progress};
use pollster::block_on;

use crate::jobs::jobs;
use crate::world::{ENROLMENT, TestPhone, World};

const STOPS: [Stop; 3] =
    [Stop::Kill, Stop::PowerLoss { unflushed_bytes: 0 }, Stop::PowerLoss { unflushed_bytes: 1000 }];
const LANDINGS: [Landing; 3] = [Landing::Before, Landing::Torn(100), Landing::After];

#[test]
fn s1_a_picture_called_kept_is_whole_after_a_crash_in_any_write() {
    let (world, disk, phone, job) = at_the_door();
    drop(phone);
    let backup = disk.backup();
    let picture = picture(1, 60);
    let ops = {
        let disk = restored(&backup);
        let (mut phone, _) = world.open(open(&disk), 3);
        let before = disk.ops();
        block_on(phone.keep_photo(job, &picture)).unwrap();
        disk.ops() - before
    };
    assert!(ops >= 6, "{ops}");
    for op in 1..=ops + 2 {
        for landing in LANDINGS {
            for stop in STOPS {
                let disk = restored(&backup);
                let (mut phone, _) = world.open(open(&disk), 3);
                disk.crash_at(disk.ops() + op, landing);
                let kept = block_on(phone.keep_photo(job, &picture));
                let _tapped = kept
                    .clone()
                    .ok()
                    .map(|hash| block_on(phone.take_photo(job, hash, Subject::Other)));
                drop(phone);
                disk.restart(stop);

                let (mut phone, _) = world.open(open(&disk), 4);
                let case = (op, landing, stop);
                if let Ok(hash) = &kept {
                    let waiting = phone.waiting_photos();
                    assert_eq!(waiting.len(), 1, "{case:?}");
                    assert_eq!(&waiting[0].hash, hash);
                    let held = block_on(phone.photo(hash)).unwrap();
                    assert_eq!(held.as_deref(), Some(&picture[..]), "{case:?}");
                }
                assert_eq!(block_on(phone.lost_photos()).unwrap(), [], "{case:?}");
                let mut hall = PhotoHall::default();
                let report = block_on(phone.send_photos(&mut hall));
                assert_eq!(report.stopped, None);
                assert_eq!(phone.waiting_photos(), []);
                assert_eq!(photo_files(&disk), 0, "{case:?}");
                assert!(kept.is_err() || hall.whole.len() == 1);
            }
        }
    }
}

#[test]
fn f24_an_upload_cut_anywhere_goes_on_and_no_picture_is_ever_nowhere() {
    let (world, disk, mut phone, job) = at_the_door();
    let pictures = [picture(2, 400), picture(3, 50)];
    assert!(pictures[0].len() > 400 << 10, "more than one part");
    for picture in &pictures {
        let hash = block_on(phone.keep_photo(job, picture)).unwrap();
        block_on(phone.take_photo(job, hash, Subject::Other)).unwrap();
    }
    drop(phone);
    let backup = disk.backup();
    let (mut longest, mut restarts) = (0, 0);
    for calls in 0..8 {
        for op in 1..9 {
            for (landing, stop) in [
                (Landing::Before, Stop::Kill),
                (Landing::After, Stop::Kill),
                (Landing::Torn(9), Stop::PowerLoss { unflushed_bytes: 0 }),
            ] {
                let disk = restored(&backup);
                let mut hall = PhotoHall { fails_after: Some(calls), ..PhotoHall::default() };
                let (mut phone, _) = world.open(open(&disk), 5);
                disk.crash_at(disk.ops() + op, landing);
                let first = block_on(phone.send_photos(&mut hall));
                drop(phone);
                disk.restart(stop);
                restarts += 1;

                let (mut phone, _) = world.open(open(&disk), 6);
                for picture in &pictures {
                    let on_phone = phone.waiting_photos().iter().any(|waiting| {
                        phone_photo(&disk, &waiting.hash).as_deref() == Some(picture)
                    });
                    let at_hall = hall.whole.values().any(|whole| whole == picture);
                    assert!(on_phone || at_hall, "{calls} {op} {landing:?}");
                }
                hall.fails_after = None;
                let sent_before = hall.taken_bytes;
                let report = block_on(phone.send_photos(&mut hall));
                assert_eq!((report.stopped, report.left), (None, 0), "{first:?}");
                assert_eq!(report.lost, []);
                assert_eq!(hall.whole.len(), 2);
                assert_eq!(photo_files(&disk), 0);
                longest = longest.max(sent_before);
                let all: usize = pictures.iter().map(Vec::len).sum();
                assert!(
                    hall.taken_bytes <= all + (256 << 10),
                    "parts that arrived are not sent again"
                );
            }
        }
    }
    assert!(longest > 0 && restarts > 100, "{restarts}");
}

#[test]
fn f4_a_picture_whose_bytes_are_gone_is_told_unless_the_hall_has_it() {
    let (_world, disk, mut phone, job) = at_the_door();
    let hash = block_on(phone.keep_photo(job, &picture(4, 40))).unwrap();
    let other = block_on(phone.keep_photo(job, &picture(5, 40))).unwrap();
    disk.clone().remove(&format!("photo-{hash}")).unwrap();
    disk.clone().write_at(&format!("photo-{other}"), 30, b"rot").unwrap();

    let lost = block_on(phone.lost_photos()).unwrap();
    assert_eq!(lost.len(), 2, "gone and rotten: {lost:?}");
    let mut hall = PhotoHall::default();
    hall.whole.insert(other.clone(), Vec::new());
    let report = block_on(phone.send_photos(&mut hall));
    assert_eq!(report.lost, [(job, hash)]);
    assert_eq!((report.held, phone.waiting_photos().len()), (1, 1));
}

#[test]
fn l5_a_full_phone_gets_its_room_back_by_handing_pictures_in() {
    let (_world, disk, mut phone, job) = at_the_door();
    let hash = block_on(phone.keep_photo(job, &picture(6, 40))).unwrap();
    disk.fill_up(1);
    let refused = block_on(phone.keep_photo(job, &picture(7, 40)));
    assert_eq!(refused, Err(KeepPhotoError::Store(StoreError::Full)));
    assert_eq!(phone.waiting_photos().len(), 1);
    disk.fill_up(1);

    let mut hall = PhotoHall::default();
    let report = block_on(phone.send_photos(&mut hall));

    assert_eq!((report.held, report.stopped), (1, None));
    assert!(hall.whole.contains_key(&hash));
    assert_eq!(photo_files(&disk), 0);
}

#[test]
fn a_picture_that_the_hall_refuses_stays_and_holds_nothing_up() {
    let (world, disk, mut phone, job) = at_the_door();
    let bad = block_on(phone.keep_photo(job, &picture(8, 40))).unwrap();
    block_on(phone.keep_photo(job, &picture(9, 40))).unwrap();
    let mut hall = PhotoHall { refuses: Some(bad.clone()), ..PhotoHall::default() };

    let report = block_on(phone.send_photos(&mut hall));

    assert_eq!((report.held, report.left), (1, 0));
    assert_eq!(report.refused, [(job, bad.clone(), "no".to_owned())]);
    block_on(phone.compact()).unwrap();
    drop(phone);
    let (mut phone, _) = world.open(open(&disk), 9);
    assert_eq!(phone.waiting_photos()[0].refused.as_deref(), Some("no"));
    assert!(block_on(phone.photo(&bad)).unwrap().is_some());
    let wiped = block_on(phone.wipe(Wipe::AfterRescue));
    assert_eq!((wiped, photo_files(&disk)), (Ok(()), 0));
}

#[test]
fn nobody_logs_out_while_a_picture_is_on_this_phone_only() {
    let (world, _disk, mut phone, job) = at_the_door();
    world.sync(&mut phone);
    block_on(phone.keep_photo(job, &picture(10, 40))).unwrap();

    let wiped = block_on(phone.wipe(Wipe::IfNothingIsOnlyHere));
    assert_eq!(wiped, Err(WipeError::PhotosOnlyHere { count: 1 }));
    block_on(phone.send_photos(&mut PhotoHall::default()));
    assert_eq!(block_on(phone.wipe(Wipe::IfNothingIsOnlyHere)), Ok(()));
}

#[test]
fn check_39_the_phone_strips_what_the_hall_would_refuse() {
    let (_world, _disk, mut phone, job) = at_the_door();
    let original = picture(11, 40);
    let tagged = [&original[..], b"GPS after the end"].concat();

    let hash = block_on(phone.keep_photo(job, &tagged)).unwrap();

    assert_eq!(block_on(phone.photo(&hash)).unwrap().unwrap(), original);
    let refused = block_on(phone.keep_photo(job, b"no picture")).unwrap_err();
    assert_eq!(refused.sentence().key, "phone.photo_format");
}

fn at_the_door() -> (World, MemoryDisk, TestPhone<MemoryLog>, JobId) {
    let world = World::new(&jobs());
    let disk = MemoryDisk::new();
    let (mut phone, _) = world.open(open(&disk), 1);
    block_on(phone.enrol(ENROLMENT)).expect("enrolled");
    world.sync(&mut phone);
    let job = jobs()[0].id;
    block_on(phone.arrive(job, None)).expect("saved");
    (world, disk, phone, job)
}

fn picture(seed: u32, side: u32) -> Vec<u8> {
    let mut state = seed;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    let pixels = RgbImage::from_fn(side, side, |_, _| image::Rgb([noise(), noise(), noise()]));
    let mut bytes = Cursor::new(Vec::new());
    pixels.write_to(&mut bytes, ImageFormat::Png).expect("a picture");
    bytes.into_inner()
}

fn photo_files(disk: &MemoryDisk) -> usize {
    let names = disk.clone().list().expect("the disk is on");
    names.iter().filter(|name| name.starts_with("photo-")).count()
}

fn phone_photo(disk: &MemoryDisk, hash: &str) -> Option<Vec<u8>> {
    disk.clone().read(&format!("photo-{hash}")).expect("the disk is on")
}

fn restored(backup: &mobile_core::log::memory::Backup) -> MemoryDisk {
    let disk = MemoryDisk::new();
    disk.restore(backup);
    disk
}

#[track_caller]
fn open(disk: &MemoryDisk) -> MemoryLog {
    MemoryLog::open(disk.clone()).expect("nobody else has it open")
}

/// The hall's side of uploads, and a network that breaks: the last request arrives, its reply does not.
#[derive(Default)]
struct PhotoHall {
    parts: BTreeMap<String, Vec<u8>>,
    whole: BTreeMap<String, Vec<u8>>,
    refuses: Option<String>,
    fails_after: Option<u32>,
    taken_bytes: usize,
}

impl PhotoHall {
    fn answer(&mut self, hash: &str) -> Result<Progress, PhotoLinkError> {
        if self.fails_after == Some(0) {
            return Err(LinkError::Offline("cut".to_owned()).into());
        }
        self.fails_after = self.fails_after.map(|left| left - 1);
        let offset = self.parts.get(hash).map_or(0, Vec::len);
        Ok(Progress { offset, held: self.whole.contains_key(hash) })
    }
}

impl PhotoLink for PhotoHall {
    async fn photo_progress(
        &mut self,
        _job: JobId,
        hash: &str,
    ) -> Result<Progress, PhotoLinkError> {
        self.answer(hash)
    }

    async fn send_photo_part(
        &mut self,
        _job: JobId,
        hash: &str,
        part: Part<'_>,
    ) -> Result<Progress, PhotoLinkError> {
        if self.refuses.as_deref() == Some(hash) {
            return Err(PhotoLinkError::Refused("no".to_owned()));
        }
        let parts = self.parts.entry(hash.to_owned()).or_default();
        if parts.len() == part.offset {
            parts.extend_from_slice(part.bytes);
            self.taken_bytes += part.bytes.len();
            if parts.len() == part.length {
                let whole = parts.clone();
                self.whole.insert(hash.to_owned(), whole);
            }
        }
        self.answer(hash)
    }
}

#[test]
fn pictures_wait_when_the_way_breaks_and_the_report_says_why() {
    let (_world, _disk, mut phone, job) = at_the_door();
    block_on(phone.keep_photo(job, &picture(12, 40))).unwrap();
    let mut hall = PhotoHall { fails_after: Some(0), ..PhotoHall::default() };

    let report = block_on(phone.send_photos(&mut hall));

    let offline = LinkError::Offline("cut".to_owned());
    assert_eq!((report.left, report.stopped), (1, Some(PhotoStop::Link(offline))));
}
