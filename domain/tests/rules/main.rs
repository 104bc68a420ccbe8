//! The rules of the trade, one table a rule, each test named by the rule it keeps.
mod build;
mod door;
mod hoses;
mod punctuality;
mod readings;
mod status;
mod visits;
