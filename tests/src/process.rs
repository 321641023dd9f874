//! Tests that need processes of their own: each runs in a re-executed test binary that is killed when it takes too
//! long, so that a deadlock is a failure. Further processes play named roles, and talk in lines over pipes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc)]

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

const ROLE: &str = "SEALITE_TEST_ROLE";
const LIMIT: &str = "SEALITE_TEST_LIMIT";
const ARGUMENT: &str = "SEALITE_TEST_ARGUMENT";
/// What a process has to say stands behind this mark: the test harness writes to the same pipe.
const MARK: &str = "> ";
/// The role of the process that runs the test.
pub const LEAD: &str = "lead";

/// A test in processes of its own.
pub struct Stage {
    test: &'static str,
    role: String,
    limit: Duration,
}

/// Runs `play` in a process of its own in the role [`LEAD`], and again in each process that the play starts. The test
/// fails where the lead fails, or has not ended after `seconds`.
pub fn staged(test: &'static str, seconds: u64, play: impl FnOnce(&Stage)) {
    if let Ok(role) = std::env::var(ROLE) {
        let limit = std::env::var(LIMIT).unwrap().parse().unwrap();
        // A process whose parent was killed ends by itself.
        // SAFETY: alarm() takes a number and has no other preconditions.
        unsafe { libc::alarm(limit) };
        return play(&Stage { test, role, limit: Duration::from_secs(limit.into()) });
    }
    let stage = Stage { test, role: String::new(), limit: Duration::from_secs(seconds) };
    let mut lead = stage.process(LEAD, "");
    lead.succeed();
    // What was measured on the way is worth showing.
    for line in &lead.lines {
        let _ = writeln!(std::io::stderr(), "{test}: {line}");
    }
}

impl Stage {
    /// The role of this process.
    pub fn role(&self) -> &str {
        &self.role
    }

    /// The argument that [`Stage::process`] was given, as a path.
    pub fn path(&self) -> PathBuf {
        PathBuf::from(std::env::var_os(ARGUMENT).unwrap())
    }

    /// Starts a process in a role.
    pub fn process(&self, role: &str, argument: impl AsRef<OsStr>) -> Process {
        self.process_by(|_| (), role, argument)
    }

    /// Starts a process in a role, after a last change to how it is started.
    pub fn process_by(
        &self,
        change: impl FnOnce(&mut Command),
        role: &str,
        argument: impl AsRef<OsStr>,
    ) -> Process {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args([self.test, "--exact", "--nocapture", "--test-threads=2"])
            .env(ROLE, role)
            .env(LIMIT, self.limit.as_secs().to_string())
            .env(ARGUMENT, argument)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        change(&mut command);
        let mut child = command.spawn().expect("the test binary starts again");
        let (sender, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if let Some(said) = line.strip_prefix(MARK) {
                    let _ = sender.send(said.to_owned());
                }
            }
        });
        let stdin = child.stdin.take();
        Process { child, stdin, lines, role: role.to_owned(), limit: self.limit }
    }
}

/// A process that a test has started. Killed when dropped.
pub struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    role: String,
    limit: Duration,
}

impl Process {
    /// Sends a line.
    pub fn say(&mut self, line: &str) {
        writeln!(self.stdin.as_mut().unwrap(), "{line}").expect("the process listens");
    }

    /// The next line that the process tells.
    pub fn hear(&mut self) -> String {
        match self.lines.recv_timeout(self.limit) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => panic!("{} says nothing", self.role),
            Err(RecvTimeoutError::Disconnected) => panic!("{} has ended", self.role),
        }
    }

    /// The next line, where one comes within that time.
    pub fn hear_within(&mut self, patience: Duration) -> Option<String> {
        self.lines.recv_timeout(patience).ok()
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Every line that is still to come, up to the end of the process.
    pub fn rest(&mut self) -> Vec<String> {
        self.stdin = None;
        self.lines.iter().collect()
    }

    /// Kills the process (`SIGKILL`).
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for the end.
    pub fn end(&mut self) -> ExitStatus {
        self.stdin = None;
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < self.limit, "{} has not ended in time", self.role);
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits for the end, which must be a success.
    pub fn succeed(&mut self) {
        let status = self.end();
        assert_ne!(status.signal(), Some(libc::SIGALRM), "{} has hung", self.role);
        assert!(status.success(), "{} has failed: {status}", self.role);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Tells the process that started this one a line.
pub fn tell(line: impl std::fmt::Display) {
    let mut out = std::io::stdout().lock();
    // The harness may stand in the middle of a line.
    writeln!(out, "\n{MARK}{line}").unwrap();
    out.flush().unwrap();
}

/// The next line from the process that started this one; `None` when it says no more.
pub fn listen() -> Option<String> {
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line).unwrap();
    (read > 0).then(|| line.trim_end().to_owned())
}

/// A forked child.
#[must_use]
pub struct Fork(libc::pid_t);

/// Forks. The child does `work`, and succeeds where that does not panic; it never returns from here.
pub fn fork(work: impl FnOnce()) -> Fork {
    // SAFETY: the child runs ordinary Rust code although other threads may exist. That is what is under test: the C
    // library keeps its allocator usable in the child, and an alarm ends a child that waits for a lost lock.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "fork failed");
    if child > 0 {
        return Fork(child);
    }
    let limit = std::env::var(LIMIT).ok().and_then(|limit| limit.parse().ok()).unwrap_or(30);
    // SAFETY: alarm() takes a number and has no other preconditions.
    unsafe { libc::alarm(limit) };
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
    // SAFETY: _exit() ends the process; nothing of the test harness runs twice.
    unsafe { libc::_exit(i32::from(outcome.is_err())) }
}

impl Fork {
    /// Waits for the child; how it ended.
    #[must_use]
    pub fn end(self) -> ExitStatus {
        let mut status = 0;
        // SAFETY: the id is that of a child of this process which nobody has waited for; `status` outlives the call.
        let waited = unsafe { libc::waitpid(self.0, &raw mut status, 0) };
        assert_eq!(waited, self.0);
        ExitStatus::from_raw(status)
    }

    /// Waits for the child, which must have succeeded.
    pub fn succeed(self) {
        let status = self.end();
        assert_ne!(status.signal(), Some(libc::SIGALRM), "the forked child has hung");
        assert!(status.success(), "the forked child has failed: {status}");
    }
}

/// Gives up the rights of a privileged user for good, so that file modes count. Call it in a process started for it.
pub fn drop_privileges() {
    const NOBODY: libc::uid_t = 65_534;
    // SAFETY: both take a number. The process is single-purpose; a failure is asserted.
    unsafe {
        if libc::geteuid() == 0 {
            assert_eq!(libc::setgid(NOBODY), 0);
            assert_eq!(libc::setuid(NOBODY), 0);
        }
    }
}

/// Limits the size of every file that this process writes; beyond it a write fails as on a full disk, without a
/// signal. `None` lifts the limit again.
pub fn limit_file_size(bytes: Option<u64>) {
    // SAFETY: ignoring a signal has no preconditions; the structure outlives the calls that fill and read it.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        assert_eq!(libc::getrlimit(libc::RLIMIT_FSIZE, &raw mut limit), 0);
        limit.rlim_cur = bytes.unwrap_or(limit.rlim_max);
        assert_eq!(libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit), 0);
    }
}

/// Lets this process leave a core dump as large as it may.
pub fn allow_core_dumps() {
    // SAFETY: the structure outlives the calls that fill and read it.
    unsafe {
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        assert_eq!(libc::getrlimit(libc::RLIMIT_CORE, &raw mut limit), 0);
        limit.rlim_cur = limit.rlim_max;
        assert_eq!(libc::setrlimit(libc::RLIMIT_CORE, &raw const limit), 0);
    }
}

/// Runs a shell command through the C library's `system(3)`.
pub fn system(command: &std::ffi::CStr) {
    // SAFETY: the argument is a NUL-terminated string that outlives the call.
    assert_eq!(unsafe { libc::system(command.as_ptr()) }, 0);
}
