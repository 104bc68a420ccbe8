//! `cargo xtask serve`: Doorstep on SQLite with the demo hall, for whoever has only Rust.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};
use qrcode::render::unicode::Dense1x2;

use crate::hall::{enrolment_code, sign_in, somebody};
use crate::run::{doorstep, output, run};
use crate::web;

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
        let doorstep = doorstep(root)?;
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
        web::build(root)?;
        let mut serve = Command::new(&doorstep);
        serve.args(["serve", "--database", &database, "--listen", &address]);
        let mut server = serve.arg("--web").arg(web::built(root)).spawn()?;
        wait_until_ready(&address)?;
        print_guide(root, &address)?;
        offer_phones(root, &address)?;
        let status = server.wait()?;
        if status.success() { Ok(()) } else { bail!("the server ended with {status}") }
    }
}

/// The server listens a moment after it was started.
fn wait_until_ready(address: &str) -> anyhow::Result<()> {
    for _ in 0..200 {
        if std::net::TcpStream::connect(address).is_ok() {
            return Ok(());
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    bail!("nothing listens on {address}: see what the server said above")
}

/// Prints a link and its QR code that open the app enrolled as a demo technician; a line typed brings the next one.
#[expect(clippy::print_stdout, reason = "people open the link from their terminal")]
fn offer_phones(root: &Path, address: &str) -> anyhow::Result<()> {
    let technicians = people(root)?.into_iter().filter(|person| person.role == "技术员");
    let technicians: Vec<Person> = technicians.collect();
    let dispatcher = somebody(root, "调度员")?;
    let address = address.to_owned();
    print_phone(&address, &dispatcher, technicians.first())?;
    std::thread::spawn(move || {
        let typed = std::io::stdin().lines().map_while(Result::ok);
        for (_, technician) in typed.zip(technicians.iter().cycle().skip(1)) {
            if let Err(error) = print_phone(&address, &dispatcher, Some(technician)) {
                println!("no link: {error}");
            }
        }
    });
    Ok(())
}

#[expect(clippy::print_stdout, reason = "people open the link from their terminal")]
fn print_phone(
    address: &str,
    dispatcher: &(String, String),
    technician: Option<&Person>,
) -> anyhow::Result<()> {
    let Some(Person { login, password, name, .. }) = technician else { return Ok(()) };
    let token = sign_in(address, dispatcher)?;
    let code = enrolment_code(address, &token, login)?;
    let link = format!(
        "http://{address}/m/#enrol?login={login}&password={password}&code={code}&pin={DEMO_PIN}"
    );
    let drawn = qrcode::QrCode::new(&link)?;
    // Most terminals are dark, and a code is dark on light.
    let mut drawn = drawn.render::<Dense1x2>();
    let drawn = drawn.dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build();
    println!(
        "{drawn}\nThe app, enrolled as {name} ({login}) with the PIN {DEMO_PIN}, within ten minutes:\n  {link}\n\
         Enter prints one for the next technician.\n"
    );
    Ok(())
}

/// The PIN of phones that are opened by a demo link.
const DEMO_PIN: &str = "258036";

fn people(root: &Path) -> anyhow::Result<Vec<Person>> {
    let path = root.join("demo/hall/staff.csv");
    let mut reader = csv::Reader::from_path(&path).context("the demo's staff file")?;
    reader.deserialize().map(|person| Ok(person?)).collect()
}

#[expect(clippy::print_stdout, reason = "people read it in their terminal")]
fn print_guide(root: &Path, address: &str) -> anyhow::Result<()> {
    println!(
        "\nDoorstep · 上门 listens on http://{address}\nThe hall's desk: http://{address}/c/\n\nLog-ins of the demo hall (made-up people):"
    );
    let mut first_dispatcher = None;
    for Person { login, name, role, password } in people(root)? {
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
