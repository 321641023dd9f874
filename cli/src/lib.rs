//! The `sealite` command line, as a library: the binary and the Python wheel both call [`run_standard`].
//!
//! | command | what it does |
//! |---|---|
//! | `init FILE` | creates a vault with its first slot, exactly once |
//! | `status FILE` | the state and the slots; with a secret, that it opens, and the tables |
//! | `slot list FILE` | the ways to unlock |
//! | `slot add FILE` | adds one: a key, a passphrase or a recovery code |
//! | `slot remove FILE ID` | removes one |
//! | `table list FILE` | the sealed tables and how many rows they have |
//! | `table describe FILE [TABLE]` | columns, types, protections and indexes |
//! | `verify FILE` | opens every record and reports what does not open |
//! | `backup FILE TO` | copies a vault in use, and checks the copy |
//! | `restore BACKUP TO` | makes a vault from a backup, once that is checked; `--drill` keeps nothing |
//! | `compact FILE` | writes the file anew without its free pages |
//! | `recovery new FILE` | adds a recovery code, on a sheet to print |
//! | `setting list FILE`, `show FILE NAME` | the settings, secrets as a mask |
//! | `setting set`, `clear`, `rollback FILE NAME` | change one; each change is audited |
//! | `setting history FILE NAME` | the values that it has had, secrets as a mask |
//! | `setting reveal FILE NAME` | the value, for a person: takes a reason, and is audited |
//! | `setting check FILE [NAME…]` | what is missing, too short or well known |
//! | `setting export FILE`, `import FILE FROM` | `.env` files and JSON |
//! | `token issue FILE` | a new token, its text to a terminal once or to a file |
//! | `token list FILE`, `show FILE ID` | what is known of tokens, never their secrets |
//! | `token revoke`, `enable`, `disable FILE ID` | one token; `revoke` also a family, or what a subject has |
//! | `token rotate FILE` | a successor, its text as of `issue` |
//! | `token arm`, `disarm FILE ID` | break-glass: one use, with a reason |
//! | `token purge FILE` | deletes what ended long ago |
//! | `token import FILE FROM` | tokens that were kept elsewhere as SHA-256 |
//! | `approval list FILE`, `show FILE ID` | requests for approval |
//! | `approval approve`, `reject FILE ID` | decides one; takes the name of who does |
//! | `quota reset FILE KEY` | forgets what a key has used up |
//! | `audit tail FILE` | the last entries |
//! | `audit verify FILE` | walks the chain, and compares it with a checkpoint |
//! | `audit checkpoint FILE` | how far the chain goes, to be kept outside |
//! | `audit export FILE` | JSON Lines, one file a day where asked |
//! | `audit retain FILE` | drops the oldest entries |
//! | `doctor FILE` | all of the checks at once |
//! | `clock accept FILE` | takes the system's clock as right again |
//! | `key generate` | makes a key |
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | done |
//! | 1 | a check found faults: `verify`, `audit verify`, `setting check`, `doctor`, `adopt --dry-run` |
//! | 2 | usage: an argument is missing or not acceptable |
//! | 3 | wrong key, or locked |
//! | 4 | not initialised, or initialised already |
//! | 5 | damaged, edited from outside, or older than the checkpoint given |
//! | 6 | busy: another process holds the lock; try again |
//! | 7 | anything else |
//!
//! With `--json` every command writes one JSON object to the standard output and nothing else, errors included:
//! `{"error": {"code": 4, "name": "wrong_key", "message": "…"}}`, where code and name are those of
//! [`sealite::ErrorKind`]. Keys may be added to the objects, none is renamed.
//!
//! No option takes a secret: a command line is read by every other process and kept by the shell. Keys are referred to,
//! passphrases, recovery codes and the values of secret settings are asked for, or read from a file or the standard
//! input. Values of rows are never printed, the text of a token once when it is issued, and the value of a secret setting only by `setting reveal` and
//! `setting export --include-secrets`.

mod arguments;
mod commands;
mod failure;
mod report;
mod secret_file;
mod streams;
mod text;
mod text_source;
mod unlock;
mod usage;

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};

use clap::Parser;

use arguments::Arguments;
pub use failure::exit_code;
use streams::Console;
pub use streams::{Streams, Terminals};

/// Runs the command line that `arguments` gives, the name of the program first; the exit code.
///
/// Standard input is read only where an option asks for it. A prompt goes to the terminal of the process, whatever
/// `streams` are; a progress bar to its standard error.
pub fn run<A>(arguments: impl IntoIterator<Item = A>, streams: Streams<'_>) -> u8
where
    A: Into<OsString> + Clone,
{
    let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
    let mut console = Console::new(streams, usage::wants_json(&arguments));
    match Arguments::try_parse_from(&arguments) {
        Err(error) => usage::answer(&error, &mut console),
        Ok(parsed) => match commands::run(parsed.command, &mut console) {
            Ok(report) => console.finish(&report),
            Err(failure) => console.fail(&failure),
        },
    }
}

/// [`run`] on the standard streams of the process.
pub fn run_standard<A>(arguments: impl IntoIterator<Item = A>) -> u8
where
    A: Into<OsString> + Clone,
{
    let terminals =
        Terminals { stdout: io::stdout().is_terminal(), stderr: io::stderr().is_terminal() };
    let streams = Streams {
        stdin: &mut io::stdin().lock(),
        stdout: &mut io::stdout().lock(),
        stderr: &mut io::stderr(),
        terminals,
    };
    let code = run(arguments, streams);
    // A host that is not a Rust program doesn't do it at its end.
    let _ = io::stdout().flush();
    code
}
