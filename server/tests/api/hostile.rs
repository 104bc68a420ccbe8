//! What hostile people do: ask for what is others', write what is others', send what nobody should send.

mod asking;
mod bodies;
mod description;
mod fields;
mod forged;
mod found;
mod lengths;
mod mutations;
mod pair;
mod sources;
mod storm;
mod sweep;
