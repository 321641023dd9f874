//! Export to one file a day, which the next export continues.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::entry::Event;
use super::export::{ExportOptions, json_line, timestamp};
use crate::error::{Error, Result, err};
use crate::secret::{Gathered, WipedText};

/// How much of a file's end is read at a time, to find its last line.
const BLOCK: u64 = 64 * 1024;

/// The files of one export. The last line of each has the link of the chain up to it: a trail that differs from what was
/// exported before is refused.
pub(super) struct Daily<'a> {
    folder: &'a Path,
    options: &'a ExportOptions,
    /// The file of the entry before: entries come in the order of time, unless the clock was set.
    open: Option<Day>,
    /// Files whose last entry the trail has still to show, since it has shown earlier ones of them.
    awaited: Vec<(String, i64)>,
    written: BTreeMap<PathBuf, u64>,
}

/// The file of a day.
struct Day {
    name: String,
    path: PathBuf,
    out: Gathered<File>,
    last: Last,
    grown: bool,
}

/// The last entry of a file.
#[derive(Default)]
struct Last {
    seq: i64,
    at: i64,
    tenant: Option<String>,
    line: Option<WipedText>,
}

impl<'a> Daily<'a> {
    pub(super) fn new(folder: &'a Path, options: &'a ExportOptions) -> Self {
        Daily { folder, options, open: None, awaited: Vec::new(), written: BTreeMap::new() }
    }

    /// Adds the entry to the file of its day (UTC), unless that has it.
    pub(super) fn add(&mut self, event: &Event) -> Result<()> {
        let date: String = timestamp(event.at()).chars().take_while(|c| *c != 'T').collect();
        let name = format!("audit-{date}.jsonl");
        if self.open.as_ref().is_none_or(|day| day.name != name) {
            self.close()?;
            self.open = Some(Day::open(self.folder, name)?);
        }
        let Some(day) = &mut self.open else { return Ok(()) };
        let awaited = self.awaited.iter().position(|(name, _)| *name == day.name);
        match event.seq().cmp(&day.last.seq) {
            Ordering::Less => {
                let Last { at, tenant, .. } = &day.last;
                if awaited.is_none() && self.options.names(*at, tenant.as_deref()) {
                    self.awaited.push((day.name.clone(), day.last.seq));
                }
            }
            Ordering::Equal => {
                if day.last.line.as_deref() != Some(&*json_line(event)) {
                    return Err(another_trail(&day.name, day.last.seq));
                }
                awaited.map(|place| self.awaited.swap_remove(place));
            }
            Ordering::Greater if awaited.is_some() => {
                return Err(another_trail(&day.name, day.last.seq));
            }
            Ordering::Greater => {
                let line = json_line(event);
                day.out.write_all(line.as_bytes()).map_err(|_| unwritable(&day.name))?;
                day.last.seq = event.seq();
                day.last.line = Some(line);
                day.grown = true;
                *self.written.entry(day.path.clone()).or_default() += 1;
            }
        }
        Ok(())
    }

    /// The files that lines were added to, and how many.
    pub(super) fn finish(mut self) -> Result<Vec<(PathBuf, u64)>> {
        self.close()?;
        match self.awaited.first() {
            Some((name, seq)) => Err(another_trail(name, *seq)),
            None => Ok(self.written.into_iter().collect()),
        }
    }

    fn close(&mut self) -> Result<()> {
        let Some(mut day) = self.open.take().filter(|day| day.grown) else { return Ok(()) };
        // On disk, the name too: the entries may be dropped from the vault next.
        let synced = day.out.flush().and_then(|()| day.out.inner().sync_all());
        #[cfg(unix)]
        let synced = synced.and_then(|()| File::open(self.folder)?.sync_all());
        synced.map_err(|_| unwritable(&day.name))
    }
}

impl Day {
    fn open(folder: &Path, name: String) -> Result<Self> {
        let path = folder.join(&name);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => err!(NotFound, "the folder of the export does not exist"),
            _ => unwritable(&name),
        })?;
        let last = continued(&mut file, &name)?;
        Ok(Day { name, path, out: Gathered::new(file), last, grown: false })
    }
}

/// The last entry of a file; the file is left at its end. A line that was torn by a crash is taken off.
fn continued(file: &mut File, name: &str) -> Result<Last> {
    let mut at = file.seek(SeekFrom::End(0)).map_err(|_| unwritable(name))?;
    let mut tail = Zeroizing::new(Vec::new());
    let (last, length) = loop {
        let mut ends =
            tail.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at);
        let end = ends.next();
        let start = ends.next().map_or((at == 0).then_some(0), |line_feed| Some(line_feed + 1));
        if let (Some(end), Some(start)) = (end, start) {
            let last = tail.get(start..=end).and_then(Last::read);
            break (last.ok_or_else(|| foreign(name))?, at + end as u64 + 1);
        }
        if at == 0 {
            // Not one whole line.
            if !tail.is_empty() && !tail.starts_with(b"{") {
                return Err(foreign(name));
            }
            break (Last::default(), 0);
        }
        let count = at.min(BLOCK);
        at -= count;
        let mut block = Zeroizing::new(Vec::with_capacity(count as usize + tail.len()));
        block.resize(count as usize, 0);
        file.seek(SeekFrom::Start(at))
            .and_then(|_| file.read_exact(&mut block))
            .map_err(|_| unwritable(name))?;
        block.extend_from_slice(&tail);
        tail = block;
    };
    file.set_len(length)
        .and_then(|()| file.seek(SeekFrom::Start(length)))
        .map_err(|_| unwritable(name))?;
    Ok(last)
}

impl Last {
    /// Of a line with its line feed; `None` where it is no line of an export.
    fn read(line: &[u8]) -> Option<Self> {
        let line = std::str::from_utf8(line).ok()?;
        let entry: BTreeMap<&str, &RawValue> = serde_json::from_str(line).ok()?;
        let integer = |name| serde_json::from_str(entry.get(name)?.get()).ok();
        let tenant = entry.get("tenant").and_then(|name| serde_json::from_str(name.get()).ok());
        let (seq, at) = (integer("seq")?, integer("at")?);
        Some(Last { seq, at, tenant, line: Some(WipedText::new(line)) })
    }
}

/// For fuzzing: a line is read as what its JSON says.
#[cfg(any(test, fuzzing))]
pub(crate) fn survives(line: &[u8]) {
    if let Some(last) = Last::read(line) {
        assert_eq!(last.line.as_deref().map(str::as_bytes), Some(line));
        let entry: Option<serde_json::Value> = serde_json::from_slice(line).ok();
        let seq = entry.and_then(|entry| entry.get("seq").and_then(serde_json::Value::as_i64));
        assert_eq!(seq, Some(last.seq));
    }
}

fn foreign(name: &str) -> Error {
    err!(Refused, "{name} is there, and is no export of an audit trail")
}

fn unwritable(name: &str) -> Error {
    err!(Io, "{name} can't be read or written")
}

fn another_trail(name: &str, seq: i64) -> Error {
    err!(
        AuthenticationFailed,
        "the trail's entry {seq} is not the one in {name}, or is gone: an older vault was put back, or the folder has \
         the trail of another vault"
    )
}
