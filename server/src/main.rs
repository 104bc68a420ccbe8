//! The binary `doorstep`.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use server::command::Cli;
use server::command::import::BadRows;

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse().run(&mut std::io::stdout()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _unwritable = writeln!(std::io::stderr(), "doorstep: {error:#}");
            if error.is::<BadRows>() { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}
