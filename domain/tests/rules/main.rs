//! The rules of the trade, one table a rule, each test named by the rule it keeps.
mod build;
mod callout;
mod cases;
mod cash;
mod counter;
mod door;
mod hazards;
mod hoses;
mod ladder;
mod ledger;
mod promises;
mod punctuality;
mod readings;
mod reminders;
mod status;
mod visits;
