//! The binary `doorstep`.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use server::command::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse().run(&mut std::io::stdout()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _unwritable = writeln!(std::io::stderr(), "doorstep: {error:#}");
            ExitCode::FAILURE
        }
    }
}
