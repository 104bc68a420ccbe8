//! What a hall's operator waits for: registers loaded, projections derived anew, backups.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Parser as _;
use server::command::Cli;

use super::figures::{now, print};
use super::stage::{HALL, Stage};

/// Households of a big city's register.
const HOUSEHOLDS: u32 = 100_000;

/// Jobs of some years.
const JOBS: usize = 100_000;

/// Jobs that are written in one transaction.
const STEP: usize = 1_000;

/// Loads a register as a hall exports it, twice; beside it the same files read by the CSV library alone.
pub(crate) fn import(stage: &Stage, folder: &Path) -> anyhow::Result<()> {
    let files = register(folder)?;
    let began = now();
    let mut rows = 0_u32;
    for file in &files {
        let mut reader = csv::Reader::from_path(folder.join(file))?;
        rows += u32::try_from(reader.records().count())?;
    }
    let bare = began.elapsed();
    print("register files, rows", rows, "");
    print("  read by the CSV library alone", tell(bare), "");
    let mut arguments = vec!["import"];
    arguments.extend(files);
    arguments.extend(["--database", stage.database(), "--hall", HALL]);
    for what in ["import of the register", "  the same again: nothing changes"] {
        let (took, peak) = doorstep(&arguments, folder)?;
        print(what, tell(took), "");
        print("  rows a second", format!("{:.0}", f64::from(rows) / took.as_secs_f64()), "/s");
        print(
            "  against reading alone",
            format!("{:.0}", took.as_secs_f64() / bare.as_secs_f64()),
            "×",
        );
        print("  memory at its peak", peak, "KiB");
    }
    Ok(())
}

/// Derives all projections anew and backs up a hall of some years; beside the backup a plain copy of the database's file.
pub(crate) async fn keep(stage: &Stage, folder: &Path) -> anyhow::Result<()> {
    let keeper = stage.hire("keeper").await?;
    let began = now();
    for _ in 0..JOBS / STEP {
        stage.jobs_for(&keeper, STEP).await?;
    }
    let jobs = f64::from(u32::try_from(JOBS)?);
    let rate = |took: Duration| format!("{:.0}", jobs / took.as_secs_f64());
    print(&format!("{JOBS} jobs written"), rate(began.elapsed()), "jobs/s");
    let file = Path::new(stage.database().trim_start_matches("sqlite://"));
    let began = now();
    fs::copy(file, folder.join("copy.db"))?;
    fs::File::open(folder.join("copy.db"))?.sync_all()?;
    let copied = began.elapsed();
    print("  a plain copy of the file", tell(copied), "");
    print("  its size", fs::metadata(file)?.len() / 1_024, "KiB");
    let to = folder.join("backups");
    let to = to.to_str().context("a folder of plain letters")?;
    let (took, peak) = doorstep(&["backup", "--to", to, "--database", stage.database()], folder)?;
    print("backup, read back", tell(took), "");
    print(
        "  against the plain copy",
        format!("{:.1}", took.as_secs_f64() / copied.as_secs_f64()),
        "×",
    );
    print("  memory at its peak", peak, "KiB");
    let (took, peak) = doorstep(&["rebuild", "--database", stage.database()], folder)?;
    print("rebuild of every projection", rate(took), "jobs/s");
    print("  memory at its peak", peak, "KiB");
    Ok(())
}

/// Runs a command of the server and tells the most memory that it held.
#[expect(clippy::print_stdout, reason = "the parent process reads the figure")]
pub(crate) async fn command(arguments: &[String]) -> anyhow::Result<()> {
    Cli::try_parse_from(arguments)?.run(&mut std::io::sink()).await?;
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    println!("{}", line.context("the system does not tell VmHWM")?.trim().trim_end_matches(" kB"));
    Ok(())
}

/// Runs a command of the server in a process of its own; returns how long it took and its memory's peak in KiB.
fn doorstep(arguments: &[&str], folder: &Path) -> anyhow::Result<(Duration, u64)> {
    let began = now();
    let mut command = Command::new(std::env::current_exe()?);
    let done = command.current_dir(folder).arg("doorstep").args(arguments).output()?;
    let said = String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "doorstep {arguments:?} failed: {said}");
    Ok((began.elapsed(), String::from_utf8(done.stdout)?.trim().parse()?))
}

/// Writes a register as another program would export it; returns the files' names.
fn register(folder: &Path) -> anyhow::Result<[&'static str; 3]> {
    let mut homes = "用户编号,用户名称,用气地址,联系电话\n".to_owned();
    let mut meters = "用户编号,表钢号,型号规格\n".to_owned();
    let mut readings = "表钢号,抄表日期,本次读数\n".to_owned();
    for number in 0..HOUSEHOLDS {
        let (account, serial) = (31_000_000 + number, 260_000_000 + number);
        let (door, block) = (number % 30 + 101, number / 30);
        writeln!(
            homes,
            "{account},李一{number},芜湖市镜湖区黄山路{block}号{door}室,0553{:07}",
            2_000_000 + number
        )?;
        writeln!(meters, "{account},{serial},G2.5")?;
        writeln!(readings, "{serial},2026/9/1,{}.5", number % 900)?;
        writeln!(readings, "{serial},2026/11/1,{}.25", number % 900 + 40)?;
    }
    let files = ["用户.csv", "表具.csv", "抄表.csv"];
    for (file, text) in files.into_iter().zip([homes, meters, readings]) {
        fs::write(folder.join(file), text)?;
    }
    Ok(files)
}

fn tell(took: Duration) -> String {
    format!("{:.2} s", took.as_secs_f64())
}
