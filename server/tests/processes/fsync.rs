//! R2: what is acknowledged was made durable first, as the system's own calls show.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use cluster::Cluster;

use crate::world::{Carrier, Database, Server};

/// How many facts are handed in, one by one.
const FACTS: usize = 20;

/// The calls that are looked at.
const CALLS: &str = "trace=fsync,fdatasync,recvfrom,read,write,writev,sendto";

#[tokio::test]
async fn s2_each_acknowledgement_leaves_after_a_flush_of_the_log() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite://{}", folder.path().join("hall.db").display());
    let database = Database { url, hosts: String::new() };
    database.fill();
    let server = Server::start(&database);
    let mut carrier = Carrier::enrol(&server, "jiang.hai").await;
    let traces = [trace(folder.path(), &[server.pid()])];
    hand_in(&mut carrier, &server).await;
    drop(server);
    look(folder.path(), traces, "hall.db-wal");
}

#[tokio::test]
async fn s2_each_acknowledgement_leaves_after_a_flush_of_postgres_log() {
    // It starts a server of its own; the variable says that this machine has the programs.
    if std::env::var_os("DOORSTEP_TEST_POSTGRES").is_none() {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let cluster = Cluster::start(&[]).expect("a server that waits for its disk");
    cluster.sql("postgres", "create database hall").expect("a database");
    let database = Database { url: cluster.url("hall"), hosts: String::new() };
    database.fill();
    let first = Server::start(&database);
    let mut carrier = Carrier::enrol(&first, "jiang.hai").await;
    drop(first);
    let pids = "select split_part(pg_read_file('postmaster.pid'), e'\\n', 1) \
                union select pid::text from pg_stat_activity where backend_type = 'walwriter'";
    let pids = cluster.sql("postgres", pids).expect("the processes of the server");
    let pids: Vec<u32> = pids.split_whitespace().filter_map(|pid| pid.parse().ok()).collect();
    // Its backends are born after this, and followed.
    let disk = trace(&folder.path().join("disk"), &pids);
    let server = Server::start(&database);
    let net = trace(&folder.path().join("net"), &[server.pid()]);
    hand_in(&mut carrier, &server).await;
    drop((server, cluster));
    look(folder.path(), [disk, net], "pg_wal");
}

/// Records facts and hands each in before the next.
async fn hand_in(carrier: &mut Carrier, server: &Server) {
    for number in 0..FACTS {
        let job = carrier.job;
        carrier.phone.note(job, format!("第 {number} 次")).await.expect("the note is saved");
        carrier.sync(&server.base).await;
        assert_eq!(carrier.phone.sync_state().only_here, 0, "it is acknowledged");
    }
}

/// Follows processes and whatever they start; returns once they are followed.
fn trace(to: &Path, pids: &[u32]) -> Child {
    fs::create_dir_all(to).expect("a folder for traces");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-y", "-ttt", "-T", "-s", "64", "-e", CALLS, "-o"]).arg(to.join("trace"));
    strace.args(pids.iter().flat_map(|pid| ["-p".to_owned(), pid.to_string()]));
    let mut child = strace
        .stderr(Stdio::piped())
        .spawn()
        .expect("strace is there: install it (Debian: apt-get install strace)");
    let said = BufReader::new(child.stderr.take().expect("piped"));
    let (attached, attaching) = std::sync::mpsc::channel();
    // It tells of each thread and process that it follows, and dies of a pipe that nobody reads.
    std::thread::spawn(move || {
        for line in said.lines().map_while(Result::ok).filter(|line| line.contains("attached")) {
            let _nobody_waits_any_more = attached.send(line);
        }
    });
    for _ in pids {
        attaching.recv().expect("strace may follow processes of this machine");
    }
    child
}

/// What the calls show: a request that came, a flush of the log that is done, a reply that left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Seen {
    Asked,
    Flushed,
    Answered,
}

/// Reads the traces as one, and asks of each sync whether a flush came between its request and its reply.
fn look<const N: usize>(folder: &Path, traces: [Child; N], log: &str) {
    for mut strace in traces {
        strace.wait().expect("strace ends with what it follows");
    }
    let mut seen: Vec<(f64, Seen)> = Vec::new();
    for place in [folder.to_owned(), folder.join("disk"), folder.join("net")] {
        let Ok(trace) = fs::read_to_string(place.join("trace")) else { continue };
        seen.extend(read(&trace, log));
    }
    seen.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut answers, mut is_asked, mut is_flushed) = (0, false, false);
    for (_, what) in seen {
        match what {
            Seen::Asked => (is_asked, is_flushed) = (true, false),
            Seen::Flushed => is_flushed = true,
            Seen::Answered if is_asked => {
                assert!(is_flushed, "reply {answers} left before the log was flushed");
                (answers, is_asked) = (answers + 1, false);
            }
            Seen::Answered => {}
        }
    }
    assert!(answers >= FACTS, "each sync is in the traces: {answers}");
}

/// The calls of a trace that matter, each with its time; a call that was interrupted counts when it is done.
fn read(trace: &str, log: &str) -> Vec<(f64, Seen)> {
    let mut flushing: Vec<&str> = Vec::new();
    let mut seen = Vec::new();
    for line in trace.lines() {
        let mut words = line.split_whitespace();
        let (Some(pid), Some(at)) = (words.next(), words.next()) else { continue };
        let Ok(at) = at.parse::<f64>() else { continue };
        let is_flush = line.contains("fsync(") || line.contains("fdatasync(");
        if is_flush && line.contains(log) {
            if line.contains("<unfinished") {
                flushing.push(pid);
            } else if line.contains("= 0 <") {
                seen.push((at + lasted(line), Seen::Flushed));
            }
        } else if line.contains("sync resumed") && line.contains("= 0 <") {
            let known = flushing.iter().position(|it| *it == pid);
            if let Some(known) = known {
                flushing.swap_remove(known);
                seen.push((at, Seen::Flushed));
            }
        } else if line.contains("\"POST /api/sync") {
            seen.push((at, Seen::Asked));
        } else if line.contains("\"HTTP/1.1 200") {
            seen.push((at, Seen::Answered));
        }
    }
    seen
}

/// How long a call took, in seconds, as its line ends with it.
fn lasted(line: &str) -> f64 {
    let last = line.rsplit_once('<').and_then(|(_, end)| end.strip_suffix('>'));
    last.and_then(|it| it.parse().ok()).expect("strace was asked for it")
}
