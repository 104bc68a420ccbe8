//! The HTTP API against a real database and real requests; `check_<n>` shows a line of the security checklist.
//!
//! Each test has a database of its own: a file, or with `DOORSTEP_TEST_POSTGRES` a PostgreSQL one.

mod administration;
mod audit;
mod binary;
mod board;
mod buckets;
mod cases;
mod counter;
mod enrolment;
mod exports;
mod feed;
mod figure_lists;
mod figures;
mod hall;
mod history;
mod imports;
mod ledger;
mod live;
mod near;
mod nodes;
mod observed;
mod once;
mod openapi;
mod operations;
mod packs;
mod pages;
mod passwords;
mod photo_backups;
mod photos;
mod plan;
mod refusals;
mod registers;
mod reminders;
mod reports;
mod restore;
mod roles;
mod s3;
mod sessions;
mod storage;
mod times;
mod told;
mod versions;
mod webhooks;
mod work;
