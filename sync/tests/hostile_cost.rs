//! What hostile bytes may cost: one test, alone in its process, so that what it measures is its own.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

#[path = "hostile/bytes.rs"]
mod bytes;
#[path = "hostile/door.rs"]
mod door;

use std::fs;

use automerge::Change;
use bytes::{Chunk, hostile};
use domain::visit::Fact;
use door::Door;
use sync::authority::Authority;
use sync::document::{apply, load};
use sync::limits::Limits;
use sync::preflight::inspect;

/// What S17 allows for one request.
const CPU_MS: u64 = 50;
/// A sixteenth of what S17 allows, so that 16 such changes may come in one request.
const MEMORY_KIB: u64 = 4 * 1024;

#[test]
fn s17_refusing_costs_next_to_nothing() {
    let mut door = Door::new();
    let neighbour = door.fact(0x3000, &Fact::GasSwitched { on: true });
    let all = hostile(&mut door);

    for (_, name, bytes) in &all {
        let (cpu_ms, memory_kib) = cost(|| inspect(bytes, &Limits::default()).unwrap_err());
        assert!(cpu_ms < CPU_MS, "{name}: {cpu_ms} ms");
        assert!(memory_kib < MEMORY_KIB, "{name}: {memory_kib} KiB");
    }

    let (cpu_ms, memory_kib) = cost(|| {
        let before = load(None, &door.changes).unwrap();
        let change = inspect(&neighbour, &Limits::default()).unwrap().change;
        Authority::new(&before).unwrap().admit(&change, &door.writer).unwrap();
        apply(&before, &[change]).unwrap()
    });
    assert!(cpu_ms < CPU_MS, "the neighbour: {cpu_ms} ms");
    assert!(memory_kib < MEMORY_KIB, "the neighbour: {memory_kib} KiB");

    // A bomb ten thousand times smaller, shown to Automerge directly: the meter does see it.
    let small = Chunk::nulls(200_000).bytes();
    let (cpu_ms, memory_kib) = cost(|| Change::from_bytes(small.clone()).unwrap().decode());
    assert!(cpu_ms > 5, "the meter shows {cpu_ms} ms");
    assert!(memory_kib > 4 * MEMORY_KIB, "the meter shows {memory_kib} KiB");
}

/// Runs `work` and measures the thread's time on a processor and the growth of resident memory.
fn cost<T>(work: impl FnOnce() -> T) -> (u64, u64) {
    fs::write("/proc/self/clear_refs", "5").expect("the kernel resets the peak");
    let (cpu, memory) = (cpu_ns(), peak_kib());
    let done = work();
    let spent = (cpu_ns() - cpu) / 1_000_000;
    let grown = peak_kib().saturating_sub(memory);
    drop(done);
    (spent, grown)
}

fn cpu_ns() -> u64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split_whitespace().next().unwrap().parse().unwrap()
}

fn peak_kib() -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse().unwrap()
}
