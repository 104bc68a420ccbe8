//! `cargo xtask test`: every check in order, each with its time.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::Context as _;

use cluster::Cluster;

use crate::run::{cargo, doorstep, run, succeeds};
use crate::{advisories, contract, demo, fleet, javascript, wasm, web};

/// Runs every check, or those named.
#[derive(clap::Args)]
pub(crate) struct Check {
    /// The steps to run; all when none is named.
    #[arg(value_enum)]
    steps: Vec<Step>,
    /// Leaves out what takes minutes: WebAssembly, documentation, the API's description, the app in a browser, JavaScript, licences, the whole day and PostgreSQL.
    #[arg(long, conflicts_with = "steps")]
    quick: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Step {
    /// Formatting.
    Fmt,
    /// Lints, warnings denied.
    Clippy,
    /// The browser's rooms build and lint for WebAssembly.
    Wasm,
    /// Documentation, warnings denied.
    Doc,
    /// Tests, doctests included.
    Tests,
    /// Fleets of phones under seeds, with everything that fails.
    Fleet,
    /// The API does as its description says.
    Contract,
    /// The technician's app in a real browser.
    Web,
    /// The JavaScript library opens what the hall gives out.
    Javascript,
    /// Licences, bans, sources and known weaknesses of dependencies.
    Deny,
    /// The server's tests and a whole day on PostgreSQL.
    Postgres,
    /// The demo hall is what its generator writes.
    Demo,
    /// A whole day over real HTTP.
    Day,
}

const ALL: [Step; 13] = [
    Step::Fmt,
    Step::Clippy,
    Step::Wasm,
    Step::Doc,
    Step::Tests,
    Step::Fleet,
    Step::Contract,
    Step::Web,
    Step::Javascript,
    Step::Deny,
    Step::Demo,
    Step::Day,
    Step::Postgres,
];

const QUICK: [Step; 4] = [Step::Fmt, Step::Clippy, Step::Tests, Step::Demo];

impl Check {
    /// Runs the steps; stops at the first that fails.
    #[expect(clippy::print_stdout, reason = "people follow the steps in their terminal")]
    #[expect(clippy::disallowed_methods, reason = "how long a step took is told to people only")]
    pub(crate) fn run(&self, root: &Path) -> anyhow::Result<()> {
        let steps = match (self.steps.as_slice(), self.quick) {
            ([], true) => &QUICK[..],
            ([], false) => &ALL[..],
            (named, _) => named,
        };
        let mut times = Vec::new();
        for step in steps {
            println!("\n=== {step:?}: {}", step.says());
            let began = Instant::now();
            step.run(root).with_context(|| step.advice())?;
            times.push(format!("{step:?} {} s", began.elapsed().as_secs()));
        }
        println!("\nall checks hold: {}", times.join(", "));
        Ok(())
    }
}

impl Step {
    fn says(self) -> &'static str {
        match self {
            Self::Fmt => "formatting",
            Self::Clippy => "lints",
            Self::Wasm => "the browser's rooms for WebAssembly",
            Self::Doc => "documentation",
            Self::Tests => "tests",
            Self::Fleet => "fleets of phones under seeds",
            Self::Contract => "the API against its description",
            Self::Web => "the technician's app in a browser",
            Self::Javascript => "documents in JavaScript",
            Self::Deny => "licences, bans, sources and known weaknesses",
            Self::Postgres => "the server's tests and a whole day on PostgreSQL",
            Self::Demo => "the demo hall",
            Self::Day => "a whole day over real HTTP",
        }
    }

    fn advice(self) -> &'static str {
        match self {
            Self::Fmt => "run `cargo fmt --all`",
            Self::Clippy | Self::Wasm => "mend what the lint names",
            Self::Doc => "mend the documentation that it names",
            Self::Tests => "a test fails: run it alone with `cargo test <its name>`",
            Self::Fleet => "a seed breaks a promise: see it with the command that it prints",
            Self::Contract => {
                "make the API and its description agree: schemathesis shows each request as curl"
            }
            Self::Web => {
                "a journey fails: run it alone with `cargo xtask web && cd web && npm run journeys`"
            }
            Self::Javascript => "a job's document must open with the library @automerge/automerge",
            Self::Deny => "see deny.toml: allow with a reason, or leave the dependency out",
            Self::Postgres => "only PostgreSQL fails: run `cargo xtask test postgres` again",
            Self::Demo => "run `cargo xtask demo` and look at what changed",
            Self::Day => "run `cargo run --bin doorstep -- day --fresh` and read what did not hold",
        }
    }

    fn run(self, root: &Path) -> anyhow::Result<()> {
        match self {
            Self::Fmt => cargo(root, &["fmt", "--all", "--check"]),
            Self::Clippy => {
                cargo(root, &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])
            }
            Self::Wasm => wasm::check(root),
            Self::Doc => run(Command::new("cargo")
                .current_dir(root)
                .args(["doc", "--workspace", "--no-deps", "--document-private-items"])
                .env("RUSTDOCFLAGS", "-D warnings")),
            Self::Tests => tests(root),
            Self::Fleet => fleet::check(root),
            Self::Contract => contract::check(root),
            Self::Web => web::check(root),
            Self::Javascript => javascript::check(root),
            Self::Deny => deny(root),
            Self::Postgres => postgres(root),
            Self::Demo => demo::run(root, true),
            Self::Day => {
                run(Command::new(doorstep(root)?).current_dir(root).args(["day", "--fresh"]))
            }
        }
    }
}

fn tests(root: &Path) -> anyhow::Result<()> {
    if succeeds("cargo", &["nextest", "--version"]) {
        cargo(root, &["nextest", "run", "--workspace"])?;
        return cargo(root, &["test", "--workspace", "--doc"]);
    }
    cargo(root, &["test", "--workspace"])
}

/// Runs on a server of its own; what the tests write there need not survive, so its disk is not waited for.
fn postgres(root: &Path) -> anyhow::Result<()> {
    let server = Cluster::start(&["fsync = off"])?;
    server.sql("postgres", "create database statements")?;
    server.sql("postgres", "create database day")?;
    let has_nextest = succeeds("cargo", &["nextest", "--version"]);
    let command: &[&str] = if has_nextest { &["nextest", "run"] } else { &["test"] };
    let which = ["--lib", "--test", "api", "--test", "differential", "--test", "processes"];
    let mut tests = Command::new("cargo");
    // The whole workspace, so that what stands built is used; its other rooms' own tests take seconds.
    tests.current_dir(root).args(command).arg("--workspace").args(which);
    run(tests.env("DOORSTEP_TEST_POSTGRES", server.url("statements")))?;
    let mut day = Command::new(doorstep(root)?);
    day.current_dir(root).args(["day", "--fresh", "--database", &server.url("day")]);
    run(&mut day)
}

fn deny(root: &Path) -> anyhow::Result<()> {
    if !succeeds("cargo", &["deny", "--version"]) {
        // Unoptimised: it looks at a list for seconds, and takes minutes less to build.
        cargo(root, &["install", "--locked", "--debug", "cargo-deny"])?;
    }
    cargo(root, &["deny", "check", "licenses", "bans", "sources"])?;
    advisories::check(root)
}
