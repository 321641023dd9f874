//! Child processes: the test binary runs itself again, with one test and a role in the environment.

#![allow(clippy::expect_used, clippy::missing_panics_doc)]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

const ROLE: &str = "SEALITE_TEST_ROLE";

/// The role that this process was started in; none in the parent.
pub fn role() -> Option<String> {
    std::env::var(ROLE).ok()
}

/// An argument that the parent gave to its child.
pub fn argument(name: &str) -> String {
    std::env::var(format!("SEALITE_TEST_{name}")).expect("an argument for the role")
}

/// A child that runs the test `entry` of this binary in a role, with the vault's file and key.
pub fn command(entry: &str, role: &str, path: &Path, key: &str) -> Command {
    // By this name Linux finds the binary also after a build has put another one in its place.
    let linux = Path::new("/proc/self/exe");
    let this = if linux.exists() { Ok(linux.to_owned()) } else { std::env::current_exe() };
    let mut command = Command::new(this.expect("this binary"));
    command
        .args(["--exact", entry, "--include-ignored", "--nocapture", "--test-threads=1"])
        .env(ROLE, role)
        .env("SEALITE_TEST_PATH", path)
        .env("SEALITE_TEST_KEY", key)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

/// Waits for a child that must succeed within the time.
pub fn finish(mut child: Child, patience: Duration) {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(status) = child.try_wait().expect("a child to wait for") {
            assert!(status.success(), "a child failed: {status}");
            return;
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            panic!("a child did not end within {patience:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What a child tells its parent goes behind this word; the test harness prints lines of its own.
const STEP: &str = "STEP ";

/// In a child: tells the parent where it is, and waits until the parent says to go on.
pub fn step(name: &str) {
    tell(name);
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("the parent answers");
    assert!(!line.is_empty(), "the parent has gone");
}

/// In a child: tells the parent something and goes on.
pub fn tell(name: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{STEP}{name}").and_then(|()| out.flush()).expect("the parent listens");
}

/// A child and the lines between it and its parent.
pub struct Conversation {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    answers: Option<ChildStdin>,
}

impl Conversation {
    /// Starts a child that speaks with [`step`] and [`tell`].
    pub fn start(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("a child");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let answers = child.stdin.take();
        Conversation { child, lines, answers }
    }

    /// The next thing that the child tells; none once it has ended.
    pub fn next_step(&mut self) -> Option<String> {
        loop {
            let line = self.lines.next()?.expect("text");
            if let Some((_, step)) = line.split_once(STEP) {
                return Some(step.to_owned());
            }
        }
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Lets a child that waits in [`step`] go on.
    pub fn go_on(&mut self) {
        let answers = self.answers.as_mut().expect("a child that is not finished");
        answers.write_all(b"\n").and_then(|()| answers.flush()).expect("the child listens");
    }

    /// Kills the child where it stands, as `kill -9` does.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits for the child, which must succeed.
    pub fn finish(mut self, patience: Duration) {
        drop(self.answers.take());
        while self.next_step().is_some() {}
        finish(self.child, patience);
    }
}
