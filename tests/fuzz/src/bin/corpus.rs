//! Writes the seeds of every target into its corpus; what explorers found there stays.

use std::fs;

use fuzz::{TARGETS, corpus_folder};

fn main() -> std::io::Result<()> {
    for target in TARGETS {
        let folder = corpus_folder(target.name);
        fs::create_dir_all(&folder)?;
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with("seed-") {
                fs::remove_file(entry.path())?;
            }
        }
        for (name, bytes) in (target.seeds)() {
            fs::write(folder.join(format!("seed-{name}")), bytes)?;
        }
    }
    Ok(())
}
