//! An export with one file a day.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sealite::ErrorKind;
use serde_json::Value;

use crate::failure::{Failure, Result};
use crate::secret_file::sync_folder;

/// Takes the lines of an export, and appends each to the file of its day, where it is not there yet. So an export that
/// runs again, or after older entries were dropped, loses nothing and doubles nothing. The last line of a file holds the
/// link of the chain up to it: a trail that differs from what was exported before is refused.
pub(super) struct Daily<'a> {
    folder: &'a Path,
    /// What has come of a line so far.
    line: Vec<u8>,
    day: Option<Day>,
    /// Files whose last entry the trail has still to show, as it has shown earlier ones of them.
    awaited: Vec<(String, i64)>,
    done: Done,
    failed: Option<Failure>,
}

/// What was written.
#[derive(Default)]
pub(super) struct Done {
    pub(super) written: u64,
    /// The names of the files that have grown.
    pub(super) files: Vec<String>,
}

/// The file of a day, open.
struct Day {
    name: String,
    path: PathBuf,
    file: BufWriter<File>,
    /// The last entry in it.
    last: i64,
    /// Its line.
    line: Vec<u8>,
    grown: bool,
}

impl<'a> Daily<'a> {
    pub(super) fn new(folder: &'a Path) -> Self {
        Daily {
            folder,
            line: Vec::new(),
            day: None,
            awaited: Vec::new(),
            done: Done::default(),
            failed: None,
        }
    }

    /// Ends the export; what came of it.
    pub(super) fn finish(mut self, exported: sealite::Result<u64>) -> Result<Done> {
        if let Some(failure) = self.failed.take() {
            return Err(failure);
        }
        // What was written is sound also where the export ended early: the next one goes on from there.
        self.close()?;
        exported?;
        match self.awaited.first() {
            Some((name, seq)) => Err(another_trail(name, *seq)),
            None => Ok(self.done),
        }
    }

    fn take(&mut self) -> Result<()> {
        let (seq, day) = place(&self.line)
            .ok_or_else(|| Failure::new(ErrorKind::Internal, "an export's line has no place"))?;
        let name = format!("audit-{day}.jsonl");
        if self.day.as_ref().is_none_or(|day| day.name != name) {
            self.close()?;
            self.day = Some(Day::open(self.folder, name)?);
        }
        if let Some(day) = &mut self.day {
            let awaited = self.awaited.iter().position(|(name, _)| *name == day.name);
            if seq < day.last && awaited.is_none() {
                self.awaited.push((day.name.clone(), day.last));
            }
            if seq == day.last {
                if self.line != day.line {
                    return Err(another_trail(&day.name, seq));
                }
                awaited.map(|place| self.awaited.swap_remove(place));
            }
            if seq <= day.last {
                self.line.clear();
                return Ok(());
            }
            if awaited.is_some() {
                return Err(another_trail(&day.name, day.last));
            }
            day.file.write_all(&self.line).map_err(|error| unwritten(&day.path, &error))?;
            day.last = seq;
            day.line = std::mem::take(&mut self.line);
            day.grown = true;
            self.done.written += 1;
        }
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        let Some(mut day) = self.day.take() else { return Ok(()) };
        if !day.grown {
            return Ok(());
        }
        let synced = day.file.flush().and_then(|()| day.file.get_ref().sync_all());
        synced
            .and_then(|()| sync_folder(&day.path))
            .map_err(|error| unwritten(&day.path, &error))?;
        // Where the clock was set back a day comes twice.
        if !self.done.files.contains(&day.name) {
            self.done.files.push(day.name);
        }
        Ok(())
    }
}

impl Write for Daily<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let count = end.map_or(bytes.len(), |end| end + 1);
        self.line.extend(bytes.iter().take(count));
        if end.is_some()
            && let Err(failure) = self.take()
        {
            self.failed = Some(failure);
            return Err(io::Error::other("see Daily::finish"));
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Day {
    /// Opens the file at its end, for its owner alone where it is new. What a crash has left of a last line is cut off.
    fn open(folder: &Path, name: String) -> Result<Self> {
        let path = folder.join(&name);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path);
        let mut file = file.map_err(|error| {
            Failure::io(format_args!("{} can't be opened", path.display()), &error)
        })?;
        let (line, end) = last_line(&file).map_err(|error| unwritten(&path, &error))?;
        let last = if line.is_empty() { Some(0) } else { place(&line).map(|(seq, _)| seq) };
        let Some(last) = last else {
            return Err(Failure::new(
                ErrorKind::Refused,
                format!("{} is there, and is no export of an audit trail", path.display()),
            ));
        };
        let placed = file.set_len(end).and_then(|()| file.seek(SeekFrom::Start(end)));
        placed.map_err(|error| unwritten(&path, &error))?;
        Ok(Day { name, path, file: BufWriter::new(file), last, line, grown: false })
    }
}

/// The last whole line of a file, empty where there is none, and where it ends.
fn last_line(file: &File) -> io::Result<(Vec<u8>, u64)> {
    let mut lines = BufReader::new(file);
    let (mut line, mut last, mut end) = (Vec::new(), Vec::new(), 0);
    while lines.by_ref().read_until(b'\n', &mut line)? > 0 {
        if line.last() == Some(&b'\n') {
            end += line.len() as u64;
            std::mem::swap(&mut line, &mut last);
        }
        line.clear();
    }
    Ok((last, end))
}

/// The number and the day of an entry.
fn place(line: &[u8]) -> Option<(i64, String)> {
    let entry: Value = serde_json::from_slice(line).ok()?;
    let day = entry.get("ts")?.as_str()?.split_once('T')?.0;
    Some((entry.get("seq")?.as_i64()?, day.to_owned()))
}

fn unwritten(path: &Path, error: &io::Error) -> Failure {
    Failure::io(format_args!("{} can't be written", path.display()), error)
}

fn another_trail(name: &str, seq: i64) -> Failure {
    Failure::new(
        ErrorKind::AuthenticationFailed,
        format!(
            "the trail's entry {seq} is not the one in {name}, or is gone: an older vault was put back, or the folder \
             has the trail of another vault"
        ),
    )
}
