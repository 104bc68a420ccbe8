//! The demo hall served for a check: loaded anew, on a port of its own.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};

use crate::run::{doorstep, run};

/// Log-in and password of the first person with a role in the demo's staff file.
pub(crate) fn somebody(root: &Path, role: &str) -> anyhow::Result<(String, String)> {
    let mut reader = csv::Reader::from_path(root.join("demo/hall/staff.csv"))?;
    for row in reader.records() {
        let row = row?;
        if row.get(2) == Some(role) {
            return Ok((row[0].to_owned(), row[3].to_owned()));
        }
    }
    bail!("the staff file has nobody who is {role}")
}

/// A server on the demo hall, stopped with this value.
pub(crate) struct DemoHall {
    process: Child,
    /// Host and port.
    pub(crate) address: String,
}

impl DemoHall {
    /// Loads the demo hall anew into a folder of the target directory and serves it.
    pub(crate) fn open(root: &Path, name: &str) -> anyhow::Result<Self> {
        let doorstep = doorstep(root)?;
        let folder = root.join("target").join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let database = format!("sqlite://{}", folder.join("hall.db").display());
        let mut import = Command::new(&doorstep);
        import.arg("import").arg(root.join("demo/hall")).args(["--database", &database]);
        run(import.stdout(Stdio::null()))?;
        let mut serve = Command::new(&doorstep);
        serve.args(["serve", "--listen", "127.0.0.1:0", "--database", &database]);
        // What is tried here is the description; how guessing is slowed and passwords are asked again has tests of its own.
        serve.env("DOORSTEP_LOGIN_TRIES_PER_ACCOUNT", "1000000");
        serve.env("DOORSTEP_LOGIN_TRIES_PER_ADDRESS", "1000000");
        serve.env("DOORSTEP_PASSWORD_AGAIN_S", "3600");
        serve.env("DOORSTEP_LOG", "warn").current_dir(&folder).stdout(Stdio::piped());
        let mut process = serve.spawn().context("the server does not start")?;
        let mut line = String::new();
        let stdout = process.stdout.take().context("the server's first line")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim().rsplit("http://").next().unwrap_or_default().to_owned();
        Ok(Self { process, address })
    }

    /// Signs somebody in; returns the token.
    pub(crate) fn sign_in(&self, person: &(String, String)) -> anyhow::Result<String> {
        sign_in(&self.address, person)
    }

    /// Enrols a phone for a technician, as a dispatcher allows it.
    pub(crate) fn enrol(
        &self,
        (login, password): &(String, String),
        dispatcher: &str,
    ) -> anyhow::Result<String> {
        let code = enrolment_code(&self.address, dispatcher, login)?;
        let body = format!(
            "{{\"login\":\"{login}\",\"password\":\"{password}\",\"code\":\"{code}\",\"name\":\"x\"}}"
        );
        field(&send(&self.address, "POST /api/devices", "", &body)?, "token")
    }
}

/// Signs somebody in; returns the token.
pub(crate) fn sign_in(host: &str, (login, password): &(String, String)) -> anyhow::Result<String> {
    let body = format!("{{\"login\":\"{login}\",\"password\":\"{password}\"}}");
    field(&send(host, "POST /api/session", "", &body)?, "token")
}

/// Makes a one-time code for a technician, as a dispatcher allows it.
pub(crate) fn enrolment_code(host: &str, dispatcher: &str, login: &str) -> anyhow::Result<String> {
    let found = send(host, &format!("GET /api/users?text={login}"), dispatcher, "")?;
    let path = format!("POST /api/users/{}/enrolment-code", field(&found, "id")?);
    field(&send(host, &path, dispatcher, "")?, "code")
}

/// Sends one request over a connection of its own; returns the reply as it came.
pub(crate) fn send(host: &str, what: &str, token: &str, body: &str) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(host)?;
    let length = body.len();
    write!(
        stream,
        "{what} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}",
    )?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    Ok(reply)
}

/// The first text with a name in a reply.
fn field(reply: &str, name: &str) -> anyhow::Result<String> {
    let text = reply.split(&format!("\"{name}\":\"")).nth(1).and_then(|it| it.split('"').next());
    text.map(str::to_owned).with_context(|| format!("no {name} in {reply}"))
}

impl Drop for DemoHall {
    fn drop(&mut self) {
        let _already_gone = self.process.kill();
        let _already_waited_for = self.process.wait();
    }
}
