//! One table of a backup as a file: a CBOR sequence with one array a row.

use std::fs::File;
use std::io::{self, BufWriter, Read as _, Write as _};
use std::path::Path;

use minicbor::data::Type;
use minicbor::{Decoder, Encoder};
use sync::chunk::chunk_hash;

use super::manifest::Part;
use super::{BackupError, file};
use crate::db::tables::{Cell, Cells};

/// Bytes read at once; a longer row makes the buffer grow.
const BUFFER: usize = 1 << 20;

/// Writes a table row by row and hashes what is written.
pub(super) struct PartWriter {
    out: BufWriter<File>,
    hasher: blake3::Hasher,
    row: Vec<u8>,
    rows: u64,
    bytes: u64,
}

/// Makes a new file that only its owner reads.
pub(super) fn create_private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

impl PartWriter {
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let out = BufWriter::with_capacity(BUFFER, create_private(path)?);
        Ok(Self { out, hasher: blake3::Hasher::new(), row: Vec::new(), rows: 0, bytes: 0 })
    }

    pub(super) fn write(&mut self, cells: &Cells) -> io::Result<()> {
        self.row.clear();
        encode(cells, &mut self.row);
        self.hasher.update(&self.row);
        self.rows += 1;
        self.bytes += self.row.len() as u64;
        self.out.write_all(&self.row)
    }

    /// Makes the file durable; tells its rows, its bytes and its hash.
    pub(super) fn finish(self) -> io::Result<(u64, u64, String)> {
        let out = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        out.sync_all()?;
        Ok((self.rows, self.bytes, self.hasher.finalize().to_hex().to_string()))
    }
}

fn encode(cells: &Cells, row: &mut Vec<u8>) {
    let mut encoder = Encoder::new(row);
    let mut put = || {
        encoder.array(cells.0.len() as u64)?;
        for cell in &cells.0 {
            match cell {
                Cell::Null => encoder.null()?,
                Cell::Integer(value) => encoder.i64(*value)?,
                Cell::Real(value) => encoder.f64(*value)?,
                Cell::Text(value) => encoder.str(value)?,
                Cell::Bytes(value) => encoder.bytes(value)?,
            };
        }
        Ok::<_, minicbor::encode::Error<_>>(())
    };
    put().expect("memory takes all bytes");
}

fn decode_row(bytes: &[u8]) -> Result<(Cells, usize), minicbor::decode::Error> {
    let mut decoder = Decoder::new(bytes);
    let length = decoder.array()?.unwrap_or(0);
    let mut cells = Vec::new();
    for _ in 0..length {
        let kind = decoder.datatype()?;
        cells.push(if kind == Type::Null {
            decoder.null()?;
            Cell::Null
        } else if kind == Type::F64 {
            Cell::Real(decoder.f64()?)
        } else if kind == Type::String {
            Cell::Text(decoder.str()?.to_owned())
        } else if kind == Type::Bytes {
            Cell::Bytes(decoder.bytes()?.to_vec())
        } else {
            Cell::Integer(decoder.i64()?)
        });
    }
    Ok((Cells(cells), decoder.position()))
}

/// Reads the rows of a table again, one after the other.
pub(super) struct PartReader {
    file: File,
    buffer: Vec<u8>,
    at: usize,
    hasher: blake3::Hasher,
    bytes: u64,
    is_over: bool,
}

impl PartReader {
    pub(super) fn open(folder: &Path, part: &Part) -> Result<Self, BackupError> {
        let path = folder.join(format!("{}.cbor", part.table));
        let file = File::open(&path).map_err(file(&path))?;
        let hasher = blake3::Hasher::new();
        Ok(Self { file, buffer: Vec::new(), at: 0, hasher, bytes: 0, is_over: false })
    }

    /// The next row; `None` after the last.
    pub(super) fn next(&mut self, part: &Part) -> Result<Option<Cells>, BackupError> {
        let damaged = |why: String| BackupError::Damaged(format!("the table {} {why}", part.table));
        loop {
            let rest = &self.buffer[self.at..];
            if !rest.is_empty() {
                match decode_row(rest) {
                    Ok((cells, _)) if cells.0.len() != part.columns.len() => {
                        return Err(damaged("has a row of another width".to_owned()));
                    }
                    Ok((cells, length)) => {
                        self.at += length;
                        return Ok(Some(cells));
                    }
                    Err(error) if error.is_end_of_input() && !self.is_over => {}
                    Err(error) => return Err(damaged(format!("cannot be read: {error}"))),
                }
            } else if self.is_over {
                return Ok(None);
            }
            self.fill().map_err(|error| damaged(format!("cannot be read: {error}")))?;
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.at);
        self.at = 0;
        let before = self.buffer.len();
        let room = BUFFER.max(before);
        self.buffer.reserve(room);
        let read = (&self.file).take(room as u64).read_to_end(&mut self.buffer)?;
        self.hasher.update(&self.buffer[before..]);
        self.bytes += read as u64;
        self.is_over = read == 0;
        Ok(())
    }

    fn hash(&self) -> String {
        self.hasher.finalize().to_hex().to_string()
    }
}

/// Reads one table back.
pub(super) fn check(folder: &Path, part: &Part) -> Result<(), BackupError> {
    let mut reader = PartReader::open(folder, part)?;
    let column = |name: &str| part.columns.iter().position(|column| column == name);
    let named = match (part.table.as_str(), column("hash"), column("bytes")) {
        ("change", Some(hash), Some(bytes)) => Some((hash, bytes)),
        _ => None,
    };
    let erased = column("erased_at");
    let mut rows = 0;
    while let Some(row) = reader.next(part)? {
        rows += 1;
        if let Some((hash, bytes)) = named
            && let (Cell::Bytes(hash), Cell::Bytes(bytes)) = (&row.0[hash], &row.0[bytes])
            && !(bytes.is_empty() && erased.is_some_and(|at| row.0[at] != Cell::Null))
            && chunk_hash(bytes).0[..] != hash[..]
        {
            return Err(BackupError::Damaged(format!("change {rows} is not what its name says")));
        }
    }
    if (rows, reader.bytes) != (part.rows, part.bytes) || reader.hash() != part.blake3 {
        let what = format!("the table {} is not what the manifest says", part.table);
        return Err(BackupError::Damaged(what));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Cells> {
        let row = |number: i64| {
            let long = Cell::Bytes(vec![7; usize::try_from(number).unwrap() * 40_000]);
            let text = Cell::Text(format!("第 {number} 行"));
            Cells(vec![Cell::Integer(-number), Cell::Null, Cell::Real(0.5), text, long])
        };
        (0..60).map(row).collect()
    }

    fn written(folder: &Path) -> Part {
        let mut writer = PartWriter::create(&folder.join("t.cbor")).unwrap();
        for row in rows() {
            writer.write(&row).unwrap();
        }
        let (rows, bytes, blake3) = writer.finish().unwrap();
        let columns = ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec();
        Part { table: "t".to_owned(), columns, rows, bytes, blake3 }
    }

    #[test]
    fn rows_longer_than_the_buffer_are_read_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let part = written(folder.path());

        let mut reader = PartReader::open(folder.path(), &part).unwrap();
        let mut read = Vec::new();
        while let Some(row) = reader.next(&part).unwrap() {
            read.push(row);
        }

        assert_eq!(read, rows());
        check(folder.path(), &part).unwrap();
    }

    #[test]
    fn s22_each_bent_byte_and_each_cut_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let part = written(folder.path());
        let path = folder.path().join("t.cbor");
        let whole = std::fs::read(&path).unwrap();

        for at in (0..whole.len()).step_by(whole.len() / 50) {
            let mut bent = whole.clone();
            bent[at] ^= 1;
            std::fs::write(&path, bent).unwrap();
            assert!(check(folder.path(), &part).is_err(), "byte {at} bent");
            std::fs::write(&path, &whole[..at]).unwrap();
            assert!(check(folder.path(), &part).is_err(), "cut at {at}");
        }
        std::fs::write(&path, &whole).unwrap();
        check(folder.path(), &part).unwrap();
    }
}
