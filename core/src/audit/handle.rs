//! The public handle of the trail.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::append::{append_for, last_event, link_of};
use super::chain;
use super::checkpoint::Checkpoint;
use super::daily::Daily;
use super::entry::{Entry, Event};
use super::export::{ExportOptions, unwritten, write_line};
use super::keys::Keys;
use super::newest::newest;
use super::read::entries;
use super::retain::{Base, retain};
use super::verify::{AuditReport, verify};
use super::watch::Watch;
use crate::error::{Error, Result, err};
use crate::metrics::Counter;
use crate::secret::Gathered;
use crate::table::ReadSession;
use crate::table::engine::Engine;
use crate::table::session::Session;

/// The audit trail of a vault. A tenant's handle appends entries of that tenant only, and reads only those.
#[derive(Clone)]
pub struct Audit {
    engine: Arc<Engine>,
    tenant: Option<Arc<str>>,
}

impl Audit {
    pub(crate) fn new(engine: &Arc<Engine>, tenant: Option<Arc<str>>) -> Self {
        Audit { engine: Arc::clone(engine), tenant }
    }

    /// Appends an entry in a transaction of its own; its place in the chain. To record a change, append in the
    /// transaction of that change: [`crate::Transaction::audit`].
    pub fn append(&self, entry: &Entry) -> Result<i64> {
        let tenant = self.tenant.as_deref().or(entry.tenant.as_deref());
        Session::run(&self.engine, |session| append_for(session, entry, tenant))
    }

    /// As [`Audit::append`], for what may be lost: a failure is counted, not returned.
    pub fn append_best_effort(&self, entry: &Entry) {
        if self.append(entry).is_err() {
            self.engine.counters.add(Counter::AuditLost, 1);
        }
    }

    /// How many entries of best effort this process has lost through this vault's handle and its clones.
    pub fn lost(&self) -> u64 {
        self.engine.counters.get(Counter::AuditLost)
    }

    /// The last entries, the newest last. Read backwards from the end: the cost is that of the entries given, and for a
    /// tenant's handle also of those of others between them.
    ///
    /// # Errors
    /// `authentication_failed` where one of them is not what was written: [`Audit::verify`] says which.
    pub fn tail(&self, count: usize) -> Result<Vec<Event>> {
        let session = ReadSession::begin(&self.engine)?;
        let all = ExportOptions::default();
        let wanted = |event: &Event| self.has(event, &all);
        self.engine.counters.checked(newest(&session.conn, &session.state, count, wanted))
    }

    /// Every entry that the options name, in the order of the chain. Memory is bounded.
    pub fn each(
        &self,
        options: &ExportOptions,
        mut take: impl FnMut(&Event) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let session = ReadSession::begin(&self.engine)?;
        let mut from = Some(i64::MIN);
        while let Some(at) = from {
            let (events, last) = entries(&session.conn, &session.state, at, &mut None)?;
            for event in events {
                if self.has(&event, options) && take(&event)?.is_break() {
                    return Ok(());
                }
            }
            from = last.and_then(|last| last.checked_add(1));
        }
        Ok(())
    }

    /// The next entries behind the place `after` in the chain, 0 for the first: a batch of those that the options name,
    /// and the place to go on from; `None` at the end. For callers that can't pass their work to [`Audit::each`].
    pub fn page(&self, after: i64, options: &ExportOptions) -> Result<(Vec<Event>, Option<i64>)> {
        let session = ReadSession::begin(&self.engine)?;
        let Some(from) = after.checked_add(1) else { return Ok((Vec::new(), None)) };
        let (events, last) = entries(&session.conn, &session.state, from, &mut None)?;
        let events = events.into_iter();
        Ok((events.filter(|event| self.has(event, options)).collect(), last))
    }

    /// Writes entries as JSON Lines; how many. Every line has `seq`, `at` (milliseconds), `ts` (RFC 3339), `event`, and
    /// what of `actor`, `tenant`, `subject`, `trace_id`, `correlation_id`, `payload` it was given. They are gathered and written
    /// in blocks of up to 64 KiB, and `out` is flushed at the end.
    pub fn export(&self, out: &mut dyn Write, options: &ExportOptions) -> Result<u64> {
        let (mut count, mut out) = (0, Gathered::new(out));
        let written = self.each(options, |event| {
            count += 1;
            write_line(&mut out, event)?;
            Ok(ControlFlow::Continue(()))
        });
        // The entries before one that does not open are written, too.
        let flushed = out.flush().map_err(|_| unwritten());
        written.and(flushed).map(|()| count)
    }

    /// Writes entries as JSON Lines to one file a day (UTC) in the folder, `audit-2026-11-22.jsonl`; the files that
    /// lines were added to, and how many. A file that is there is continued behind its last entry, so that an export now
    /// and then adds what is new, and what was dropped from the vault stays; a line that a crash has torn is replaced.
    /// New files are readable by their owner alone. One folder is for one vault or tenant.
    ///
    /// # Errors
    /// `not_found` without the folder; `refused` where a file of that name is something else; `authentication_failed`
    /// where the last line of a file, which holds the link of the chain, is not what the trail has in its place, or the
    /// trail ends before it: an older vault was put back, or it is another vault's folder.
    pub fn export_daily(
        &self,
        folder: impl AsRef<Path>,
        options: &ExportOptions,
    ) -> Result<Vec<(PathBuf, u64)>> {
        let mut daily = Daily::new(folder.as_ref(), options);
        self.each(options, |event| {
            daily.add(event)?;
            Ok(ControlFlow::Continue(()))
        })?;
        daily.finish()
    }

    /// Walks the whole chain, and compares it with a checkpoint that was kept outside.
    ///
    /// # Errors
    /// `rolled_back` where the checkpoint is under an audit key that the file does not have yet; `authentication_failed` for
    /// another vault's, or an altered one; `invalid_input` for a text that is none.
    pub fn verify(&self, checkpoint: Option<&str>) -> Result<AuditReport> {
        self.verify_with_progress(checkpoint, |_| ())
    }

    /// As [`Audit::verify`], with the number of entries walked so far.
    pub fn verify_with_progress(
        &self,
        checkpoint: Option<&str>,
        mut progress: impl FnMut(u64),
    ) -> Result<AuditReport> {
        let report = self.verify_while(checkpoint, |entries| {
            progress(entries);
            true
        });
        report?.ok_or_else(early)
    }

    /// As [`Audit::verify`], until `go_on`, which gets the number of entries walked so far, says no: none then.
    pub fn verify_while(
        &self,
        checkpoint: Option<&str>,
        mut go_on: impl FnMut(u64) -> bool,
    ) -> Result<Option<AuditReport>> {
        self.walk(checkpoint, false, &mut go_on)
    }

    /// Walks only what came after the checkpoint.
    pub fn verify_since(&self, checkpoint: &str) -> Result<AuditReport> {
        self.walk(Some(checkpoint), true, &mut |_| true)?.ok_or_else(early)
    }

    /// How far the chain goes now, to be kept outside the file.
    pub fn checkpoint(&self) -> Result<Checkpoint> {
        let session = ReadSession::begin(&self.engine)?;
        let (conn, state) = (&session.conn, &session.state);
        let keys = Keys::active(conn, state)?;
        let (seq, link) = match last_event(conn, state)? {
            Some(event) => (event.seq(), link_of(&event)?),
            None => match Base::read(conn, state)? {
                Some(base) => (base.through, base.link),
                None => (0, chain::genesis(&keys.chain, state.ring.vault())),
            },
        };
        let now = self.engine.clock_ms();
        Ok(Checkpoint::make(&keys, state.ring.vault(), seq, now, link))
    }

    /// Reads a checkpoint that was kept outside: how far the chain went, and when.
    ///
    /// # Errors
    /// As of [`Audit::verify`].
    pub fn read_checkpoint(&self, text: &str) -> Result<Checkpoint> {
        let session = ReadSession::begin(&self.engine)?;
        let (conn, state) = (&session.conn, &session.state);
        Checkpoint::read(state.ring.vault(), text, |id| Keys::of(conn, state, id))
    }

    /// Drops entries up to and including `through`, at most 10,000 in one call; the last one dropped. The trail records
    /// it, with the checkpoint that closes what was dropped, and goes on from there. Export them before.
    ///
    /// # Errors
    /// `authentication_failed` where what is to be dropped, or an entry shortly behind it, does not verify: nothing is
    /// dropped then. `not_found` where the trail does not reach that far.
    pub fn retain_after(&self, through: i64) -> Result<i64> {
        Session::run(&self.engine, |session| retain(session, through))
    }

    fn walk(
        &self,
        checkpoint: Option<&str>,
        since: bool,
        go_on: &mut dyn FnMut(u64) -> bool,
    ) -> Result<Option<AuditReport>> {
        let session = ReadSession::begin(&self.engine)?;
        let (conn, state) = (&session.conn, &session.state);
        let read =
            |text| Checkpoint::read(state.ring.vault(), text, |id| Keys::of(conn, state, id));
        let checkpoint = checkpoint.map(read).transpose()?;
        let report =
            self.engine.counters.checked(verify(conn, state, checkpoint.as_ref(), since, go_on))?;
        if !since && report.as_ref().is_some_and(AuditReport::is_sound) {
            self.engine.attached::<Watch>()?.is_sound();
        }
        Ok(report)
    }

    fn has(&self, event: &Event, options: &ExportOptions) -> bool {
        self.tenant.as_deref().is_none_or(|tenant| event.tenant() == Some(tenant))
            && options.has(event)
    }
}

fn early() -> Error {
    err!(Internal, "a check that ended early")
}
