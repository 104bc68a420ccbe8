//! The hall: sync endpoint, REST, live stream, identity, reports.

pub mod db;
