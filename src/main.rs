//! The `kenpos-idp` command.

use std::process::ExitCode;

use clap::Parser as _;
use kenpos_idp::cli::Cli;

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("kenpos-idp: {error:#}");
            ExitCode::FAILURE
        }
    }
}
