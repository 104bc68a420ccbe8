//! The binary `doorstep`.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use server::command::Cli;
use server::command::doctor::Unwell;
use server::command::import::BadRows;
use server::doctor::Level;

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse().run(&mut std::io::stdout()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _unwritable = writeln!(std::io::stderr(), "doorstep: {error:#}");
            match error.downcast_ref::<Unwell>() {
                Some(unwell) if unwell.worst == Level::Bad => ExitCode::from(2),
                _ if error.is::<BadRows>() => ExitCode::from(2),
                _ => ExitCode::FAILURE,
            }
        }
    }
}
