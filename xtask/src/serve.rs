//! `cargo xtask serve`: Doorstep on SQLite with the demo hall, for whoever has only Rust.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::run::{cargo, output, run};

/// Starts the demo.
#[derive(clap::Args)]
pub(crate) struct Serve {
    /// Throws the demo's database away and begins anew.
    #[arg(long)]
    fresh: bool,
    /// Where to listen.
    #[arg(long, default_value_t = 8080)]
    port: u16,
}

/// One line of the demo's staff file.
#[derive(serde::Deserialize)]
struct Person {
    #[serde(rename = "登录名")]
    login: String,
    #[serde(rename = "姓名")]
    name: String,
    #[serde(rename = "岗位")]
    role: String,
    #[serde(rename = "初始密码")]
    password: String,
}

impl Serve {
    /// Builds, loads, prints and serves until it is stopped.
    #[expect(
        clippy::print_stdout,
        reason = "people read the address and log-ins in their terminal"
    )]
    pub(crate) fn run(&self, root: &Path) -> anyhow::Result<()> {
        let address = format!("127.0.0.1:{}", self.port);
        if std::net::TcpListener::bind(&address).is_err() {
            bail!("{address} is taken: stop what listens there, or say --port <another>");
        }
        println!("building doorstep (some minutes the first time) …");
        cargo(root, &["build", "--package", "server", "--bin", "doorstep"])?;
        let doorstep = root.join("target/debug/doorstep");
        let folder = root.join("target/demo-hall");
        if self.fresh && folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let file = folder.join("hall.db");
        let database = format!("sqlite://{}", file.display());
        if !file.exists() {
            let today = output("date", &["-u", "-d", "+8 hours", "+%F"])?;
            let hall = root.join("demo/hall");
            let mut import = Command::new(&doorstep);
            import.arg("import").arg(&hall).args(["--database", &database]);
            if !today.is_empty() {
                import.args(["--day", &today]);
            }
            run(&mut import)?;
        }
        print_guide(root, &address)?;
        run(Command::new(&doorstep).args(["serve", "--database", &database, "--listen", &address]))
    }
}

#[expect(clippy::print_stdout, reason = "people read it in their terminal")]
fn print_guide(root: &Path, address: &str) -> anyhow::Result<()> {
    let path = root.join("demo/hall/staff.csv");
    let mut reader = csv::Reader::from_path(&path).context("the demo's staff file")?;
    println!(
        "\nDoorstep · 上门 listens on http://{address}\n\nLog-ins of the demo hall (made-up people):"
    );
    let mut first_dispatcher = None;
    for person in reader.deserialize() {
        let Person { login, name, role, password } = person?;
        println!("  {role}\t{login:<16}\t{password:<28}\t{name}");
        if role == "调度员" && first_dispatcher.is_none() {
            first_dispatcher = Some((login, password));
        }
    }
    let (login, password) =
        first_dispatcher.context("the staff file has no dispatcher (调度员)")?;
    println!(
        "\nTry in a second terminal:\n  \
         DOORSTEP_PASSWORD={password} cargo run --bin doorstep -- watch --server http://{address} --login {login}\n  \
         curl -s http://{address}/api/session -H 'content-type: application/json' \
         -d '{{\"login\":\"{login}\",\"password\":\"{password}\"}}'\n  \
         cargo run --bin doorstep -- day --fresh      # a whole day with ten phones, played and checked\n\
         Stop with Ctrl-C; `cargo xtask serve --fresh` begins anew.\n"
    );
    Ok(())
}
