//! Export to one file a day, which the next export continues.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::entry::Event;
use super::export::{timestamp, write_line};
use crate::error::{Result, err, fail};

/// How much of a file's end is read at a time, to find its last line.
const BLOCK: u64 = 64 * 1024;

/// The files of one export.
pub(super) struct Daily<'a> {
    folder: &'a Path,
    /// The file of the entry before: entries come in the order of time, unless the clock was set.
    open: Option<(String, Day)>,
    written: BTreeMap<PathBuf, u64>,
}

struct Day {
    path: PathBuf,
    out: BufWriter<File>,
    /// The last entry that the file has.
    last: i64,
}

impl<'a> Daily<'a> {
    pub(super) fn new(folder: &'a Path) -> Self {
        Daily { folder, open: None, written: BTreeMap::new() }
    }

    /// Adds the entry to the file of its day (UTC), unless that has it.
    pub(super) fn add(&mut self, event: &Event) -> Result<()> {
        let date: String = timestamp(event.at()).chars().take_while(|c| *c != 'T').collect();
        if self.open.as_ref().is_none_or(|(day, _)| *day != date) {
            self.close()?;
            let path = self.folder.join(format!("audit-{date}.jsonl"));
            self.open = Some((date, Day::open(path)?));
        }
        let Some((_, day)) = &mut self.open else { return Ok(()) };
        if event.seq() > day.last {
            write_line(&mut day.out, event)?;
            day.last = event.seq();
            *self.written.entry(day.path.clone()).or_default() += 1;
        }
        Ok(())
    }

    /// The files that lines were added to, and how many.
    pub(super) fn finish(mut self) -> Result<Vec<(PathBuf, u64)>> {
        self.close()?;
        Ok(self.written.into_iter().collect())
    }

    fn close(&mut self) -> Result<()> {
        let Some((_, mut day)) = self.open.take() else { return Ok(()) };
        // On disk: the entries may be dropped from the vault next.
        day.out.flush().and_then(|()| day.out.get_ref().sync_all()).map_err(|_| unwritable())
    }
}

impl Day {
    fn open(path: PathBuf) -> Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(|_| unwritable())?;
        let last = continued(&mut file)?;
        Ok(Day { path, out: BufWriter::new(file), last })
    }
}

/// The last entry of a file, 0 for none; the file is left at its end. A line that was torn by a crash is taken off.
fn continued(file: &mut File) -> Result<i64> {
    let mut at = file.seek(SeekFrom::End(0)).map_err(|_| unwritable())?;
    let mut tail = Vec::new();
    loop {
        let mut ends =
            tail.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at);
        let end = ends.next();
        let start = ends.next().map_or((at == 0).then_some(0), |line_feed| Some(line_feed + 1));
        if let (Some(end), Some(start)) = (end, start) {
            let length = at + end as u64 + 1;
            file.set_len(length)
                .and_then(|()| file.seek(SeekFrom::Start(length)))
                .map_err(|_| unwritable())?;
            return seq_of(tail.get(start..end).unwrap_or(&[]));
        }
        if at == 0 {
            // Not one whole line.
            if !tail.is_empty() && !tail.starts_with(b"{") {
                fail!(Refused, "a file of the folder is not an export of the audit trail");
            }
            file.set_len(0).and_then(|()| file.rewind()).map_err(|_| unwritable())?;
            return Ok(0);
        }
        let count = at.min(BLOCK);
        at -= count;
        let mut block = vec![0; count as usize];
        file.seek(SeekFrom::Start(at))
            .and_then(|_| file.read_exact(&mut block))
            .map_err(|_| unwritable())?;
        block.append(&mut tail);
        tail = block;
    }
}

fn seq_of(line: &[u8]) -> Result<i64> {
    let value: Option<serde_json::Value> = serde_json::from_slice(line).ok();
    match value.as_ref().and_then(|value| value.get("seq")).and_then(serde_json::Value::as_i64) {
        Some(seq) => Ok(seq),
        None => fail!(Refused, "a file of the folder is not an export of the audit trail"),
    }
}

fn unwritable() -> crate::error::Error {
    err!(Io, "a file of the export can't be read or written")
}
