//! PostgreSQL servers of our own for tests: started in a temporary folder, copied, promoted and killed.
//!
//! Needs the server's own programs (Debian: `apt-get install postgresql`) and no running PostgreSQL. They refuse to run
//! as root, so root runs them as the user `postgres`.

mod database;
mod programs;
#[cfg(test)]
mod tests;

use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

pub use self::database::{copy_database, fresh_database};
pub use self::programs::Programs;

/// Why there is no cluster.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The programs are not on this machine.
    #[error("PostgreSQL's programs are missing: install them (Debian: apt-get install postgresql)")]
    NotInstalled,
    /// They refuse to run as root, and there is nobody else to run them as.
    #[error("PostgreSQL refuses to run as root, and there is no user `postgres`")]
    NoUser,
    /// The system refused something.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// One of the programs failed.
    #[error("{program} failed: {said}")]
    Failed {
        /// Which one.
        program: &'static str,
        /// What it said.
        said: String,
    },
}

type Result<T, E = ClusterError> = std::result::Result<T, E>;

/// A PostgreSQL server that ends with this value.
#[derive(Debug)]
pub struct Cluster {
    programs: Programs,
    folder: tempfile::TempDir,
    port: u16,
    child: Option<Child>,
}

impl Cluster {
    /// Makes and starts an empty cluster with these settings, written as `name = value`.
    pub fn start(settings: &[&str]) -> Result<Self> {
        let programs = Programs::find()?;
        let folder = programs.folder()?;
        let data = folder.path().join("data");
        let made = programs
            .command("initdb")
            .args(["--auth=trust", "--username=doorstep", "--encoding=UTF8", "--locale=C"])
            .args(["--no-sync", "--data-checksums", "-D"])
            .arg(&data)
            .output();
        check("initdb", made)?;
        let mut cluster = Self { programs, folder, port: free_port()?, child: None };
        cluster.configure(settings)?;
        cluster.run()?;
        Ok(cluster)
    }

    /// Makes and starts a standby that follows this server under a name of its own.
    pub fn standby(&self, name: &str, settings: &[&str]) -> Result<Self> {
        let folder = self.programs.folder()?;
        let source =
            format!("host=127.0.0.1 port={} user=doorstep application_name={name}", self.port);
        let copied = self
            .programs
            .command("pg_basebackup")
            .args(["--write-recovery-conf", "--create-slot", "--checkpoint=fast", "--no-sync"])
            .args(["--slot", name, "--dbname", &source, "-D"])
            .arg(folder.path().join("data"))
            .output();
        check("pg_basebackup", copied)?;
        let programs = self.programs.clone();
        let mut cluster = Self { programs, folder, port: free_port()?, child: None };
        // The copy brings the primary's own settings, and a node that is promoted must not wait for itself.
        cluster.configure(&[&["synchronous_standby_names = ''"], settings].concat())?;
        cluster.run()?;
        Ok(cluster)
    }

    /// The URL of one of its databases.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://doorstep@127.0.0.1:{}/{database}", self.port)
    }

    /// Where it listens, as `host:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Runs one statement and gives the rows as text.
    pub fn sql(&self, database: &str, statement: &str) -> Result<String> {
        let said = self
            .programs
            .command("psql")
            .args(["--no-psqlrc", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"])
            .args(["--dbname", &self.url(database), "--command", statement])
            .output();
        check("psql", said)
    }

    /// Changes a setting of the running server.
    pub fn set(&self, setting: &str) -> Result<()> {
        self.sql("postgres", &format!("alter system set {setting}"))?;
        self.sql("postgres", "select pg_reload_conf()").map(drop)
    }

    /// Speaks TLS from now on, with this certificate and its key, both as PEM.
    pub fn secure(&self, certificate: &str, key: &str) -> Result<()> {
        let data = self.folder.path().join("data");
        for (name, text) in [("server.crt", certificate), ("server.key", key)] {
            self.programs.keep_secret(&data.join(name), text)?;
        }
        self.set("ssl = on")
    }

    /// Makes a standby the primary; returns when it takes writes.
    pub fn promote(&self) -> Result<()> {
        self.control(&["promote", "--wait"])
    }

    /// Ends it as a power cut would: every process at once, nothing flushed or said.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let all = family(child.id());
            for process in all {
                signal(process, "-KILL");
            }
            drop(child.wait());
        }
    }

    /// Stops every process of it in mid-breath: connections stay open, and nobody answers.
    pub fn freeze(&self) {
        let parent = self.child.iter().map(Child::id);
        for process in parent.flat_map(family) {
            signal(process, "-STOP");
        }
    }

    /// Stops it in good order; its data stay for another [`Cluster::run`].
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            signal(child.id(), "-INT");
            drop(child.wait());
        }
    }

    /// Starts it, at first or again after it was killed or stopped; returns when it takes connections.
    pub fn run(&mut self) -> Result<()> {
        let log = std::fs::File::create(self.folder.path().join("log"));
        let log = log.map_err(system("the server's log"))?;
        let mut child = self
            .programs
            .command("postgres")
            .arg("-D")
            .arg(self.folder.path().join("data"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(system("start postgres"))?;
        let port = self.port.to_string();
        loop {
            let ready = self
                .programs
                .command("pg_isready")
                .args(["--quiet", "--timeout=10", "--host=127.0.0.1", "--port", &port])
                .status();
            if ready.is_ok_and(|status| status.success()) {
                self.child = Some(child);
                return Ok(());
            }
            if child.try_wait().map_err(system("wait for postgres"))?.is_some() {
                return Err(ClusterError::Failed { program: "postgres", said: self.log() });
            }
        }
    }

    /// What the server wrote to its log since it was started last.
    pub fn log(&self) -> String {
        let mut text = String::new();
        let file = std::fs::File::open(self.folder.path().join("log"));
        drop(file.and_then(|mut file| file.read_to_string(&mut text)));
        text
    }

    fn configure(&self, settings: &[&str]) -> Result<()> {
        let port = format!("port = {}", self.port);
        let always = [
            "listen_addresses = '127.0.0.1'",
            "unix_socket_directories = ''",
            "max_connections = 300",
            // A killed server would leave its segments in /dev/shm.
            "dynamic_shared_memory_type = mmap",
            &port,
        ];
        let all = always.iter().chain(settings).map(|setting| format!("{setting}\n"));
        let path = self.folder.path().join("data").join("postgresql.auto.conf");
        let mut text = std::fs::read_to_string(&path).map_err(system("the settings"))?;
        text.extend(all);
        std::fs::write(&path, text).map_err(system("the settings"))
    }

    fn control(&self, arguments: &[&str]) -> Result<()> {
        let data = self.folder.path().join("data");
        let said = self.programs.command("pg_ctl").args(arguments).arg("-D").arg(data).output();
        check("pg_ctl", said).map(drop)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.kill();
    }
}

fn system(what: &'static str) -> impl FnOnce(std::io::Error) -> ClusterError {
    move |source| ClusterError::System { what, source }
}

fn check(program: &'static str, ended: std::io::Result<Output>) -> Result<String> {
    let output = ended.map_err(system(program))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(ClusterError::Failed { program, said })
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(system("a free port"))?;
    Ok(listener.local_addr().map_err(system("a free port"))?.port())
}

/// A process and those that it started, as Linux tells them; the parent first, so that it starts no others.
fn family(parent: u32) -> Vec<u32> {
    let path = PathBuf::from(format!("/proc/{parent}/task/{parent}/children"));
    let listed = read(&path);
    let children = listed.split_whitespace().filter_map(|id| id.parse().ok());
    std::iter::once(parent).chain(children).collect()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn signal(process: u32, how: &str) {
    let process = process.to_string();
    drop(Command::new("kill").args([how, &process]).stderr(Stdio::null()).status());
}
