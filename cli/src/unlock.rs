//! Secrets, from where the arguments say: a reference, a prompt, a file, the standard input.

use std::fs::File;
use std::io::{self, BufRead, Read};
use std::path::Path;

use sealite::{Config, ErrorKind, ExposeSecret, SecretString, Status, Unlock, Vault, generate_key};
use zeroize::Zeroizing;

use crate::arguments::{FirstSlot, NewSlot, OpenWith, RotateMaster, Secret};
use crate::failure::{Failure, Result};
use crate::secret_file::SecretFile;
use crate::streams::Console;
use crate::text_source;

/// The longest passphrase or recovery code, in bytes.
const MAX_SECRET: usize = 4_096;

/// Opens the vault. Nothing is asked for where there is none.
pub(crate) fn open(file: &Path, with: &OpenWith, console: &mut Console<'_>) -> Result<Vault> {
    open_since(file, &with.secret, with.checkpoint.as_deref(), console)
}

/// As [`open`], of a file that reaches as far as the checkpoint.
pub(crate) fn open_since(
    file: &Path,
    with: &Secret,
    checkpoint: Option<&str>,
    console: &mut Console<'_>,
) -> Result<Vault> {
    let vault = existing(file, checkpoint)?;
    vault.unlock(&secret_of(with, console)?)?;
    Ok(vault)
}

/// A handle to a vault that exists, and that opens where it contains the checkpoint.
pub(crate) fn existing(file: &Path, checkpoint: Option<&str>) -> Result<Vault> {
    let mut config = Config::default();
    config.checkpoint = checkpoint.map(text_source::checkpoint).transpose()?;
    let vault = Vault::at_with(file, config)?;
    let message = match vault.status()? {
        Status::Absent => "there is no vault: the file does not exist; sealite init makes one",
        Status::Uninitialised => "the file holds no vault yet; sealite init makes one",
        _ => return Ok(vault),
    };
    Err(Failure::new(ErrorKind::NotInitialised, message))
}

/// The secret that the arguments name.
pub(crate) fn secret_of(with: &Secret, console: &mut Console<'_>) -> Result<Unlock> {
    if let Some(reference) = &with.key {
        return Ok(Unlock::reference(reference)?);
    }
    if with.recovery {
        return Ok(Unlock::recovery_code(ask("Recovery code: ")?.expose_secret())?);
    }
    if with.recovery_stdin {
        return Ok(Unlock::recovery_code(next_line(console)?.expose_secret())?);
    }
    known_passphrase(if let Some(path) = &with.passphrase_file {
        from_file(path)?
    } else if with.passphrase_stdin {
        next_line(console)?
    } else {
        ask("Passphrase: ")?
    })
}

/// The secrets of the slots that are to stay, beside the one that opens the vault.
pub(crate) fn kept(of: &RotateMaster, console: &mut Console<'_>) -> Result<Vec<Unlock>> {
    let mut found = Vec::new();
    for reference in &of.keep_key {
        found.push(Unlock::reference(reference)?);
    }
    for number in 1..=of.keep_passphrase {
        found.push(known_passphrase(ask(&format!("Passphrase to keep ({number}): "))?)?);
    }
    for path in &of.keep_passphrase_file {
        found.push(known_passphrase(from_file(path)?)?);
    }
    for _ in 0..of.keep_passphrase_stdin {
        found.push(known_passphrase(next_line(console)?)?);
    }
    for number in 1..=of.keep_recovery {
        let code = ask(&format!("Recovery code to keep ({number}): "))?;
        found.push(Unlock::recovery_code(code.expose_secret())?);
    }
    for _ in 0..of.keep_recovery_stdin {
        found.push(Unlock::recovery_code(next_line(console)?.expose_secret())?);
    }
    Ok(found)
}

/// The passphrase of a slot that exists.
fn known_passphrase(passphrase: SecretString) -> Result<Unlock> {
    // One that is too short to be anybody's is a wrong one here, not a weak one.
    Unlock::passphrase(passphrase).map_err(|error| match error.kind() {
        ErrorKind::WeakKey => Failure::new(
            ErrorKind::WrongKey,
            format!("no slot can have this passphrase: {}", error.message()),
        ),
        _ => error.into(),
    })
}

/// What a new slot is made from.
pub(crate) enum NewSecret {
    /// A secret that exists.
    Known(Unlock),
    /// A key that has just been made, in a file that is not yet kept.
    KeyFile(Unlock, SecretFile),
    /// A recovery code, which the vault makes.
    Recovery,
}

/// Where a new secret comes from.
struct Sources<'a> {
    reference: Option<&'a str>,
    new_key_file: Option<&'a Path>,
    passphrase_file: Option<&'a Path>,
    passphrase_stdin: bool,
}

impl FirstSlot {
    pub(crate) fn secret(&self, console: &mut Console<'_>) -> Result<NewSecret> {
        let sources = Sources {
            reference: self.key.as_deref(),
            new_key_file: self.new_key_file.as_deref(),
            passphrase_file: self.passphrase_file.as_deref(),
            passphrase_stdin: self.passphrase_stdin,
        };
        sources.secret(console)
    }
}

impl NewSlot {
    pub(crate) fn secret(&self, console: &mut Console<'_>) -> Result<NewSecret> {
        if self.new_recovery {
            return Ok(NewSecret::Recovery);
        }
        let sources = Sources {
            reference: self.new_key.as_deref(),
            new_key_file: self.new_key_file.as_deref(),
            passphrase_file: self.new_passphrase_file.as_deref(),
            passphrase_stdin: self.new_passphrase_stdin,
        };
        sources.secret(console)
    }
}

impl Sources<'_> {
    fn secret(&self, console: &mut Console<'_>) -> Result<NewSecret> {
        if let Some(reference) = self.reference {
            return Ok(NewSecret::Known(Unlock::reference(reference)?));
        }
        if let Some(path) = self.new_key_file {
            let mut file = SecretFile::create(path)?;
            let key = generate_key()?;
            file.write(key.expose_secret())?;
            return Ok(NewSecret::KeyFile(Unlock::key_text(key.expose_secret())?, file));
        }
        let passphrase = if let Some(path) = self.passphrase_file {
            from_file(path)?
        } else if self.passphrase_stdin {
            next_line(console)?
        } else {
            ask_twice()?
        };
        Ok(NewSecret::Known(Unlock::passphrase(passphrase)?))
    }
}

/// Asks on the terminal of the process, without showing what is typed.
pub(crate) fn ask(prompt: &str) -> Result<SecretString> {
    match rpassword::prompt_password(prompt) {
        Ok(line) => Ok(SecretString::from(line)),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {
            Err(Failure::new(ErrorKind::Refused, "interrupted: nothing was done"))
        }
        Err(error) => Err(Failure::io(
            "there is no terminal to ask on; hand the secret in by a file or the standard input (see --help)",
            &error,
        )),
    }
}

fn ask_twice() -> Result<SecretString> {
    let first = ask("New passphrase: ")?;
    // Refused before it is typed a second time.
    Unlock::passphrase(first.clone())?;
    let second = ask("The same again: ")?;
    if first.expose_secret() != second.expose_secret() {
        return Err(Failure::usage("the two passphrases differ"));
    }
    Ok(first)
}

/// The whole content of a file, without the line end it may close with.
fn from_file(path: &Path) -> Result<SecretString> {
    let unreadable = |error| Failure::io(format_args!("{} can't be read", path.display()), &error);
    let file = File::open(path).map_err(unreadable)?;
    if open_to_others(&file) {
        return Err(others_can_read(path));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_SECRET + 1));
    file.take(MAX_SECRET as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    text_of(&bytes)
}

/// The next line of the standard input, without its end. Two options that read from there take two lines.
fn next_line(console: &mut Console<'_>) -> Result<SecretString> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_SECRET + 1));
    let read = console.stdin().take(MAX_SECRET as u64 + 1).read_until(b'\n', &mut bytes);
    match read {
        Ok(0) => Err(Failure::usage("the standard input ended where a secret was expected")),
        Ok(_) => text_of(&bytes),
        Err(error) => Err(Failure::io("the standard input can't be read", &error)),
    }
}

fn text_of(bytes: &[u8]) -> Result<SecretString> {
    if bytes.len() > MAX_SECRET {
        return Err(Failure::usage(format!("a secret has at most {MAX_SECRET} bytes")));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            let text = text.strip_suffix('\n').unwrap_or(text);
            Ok(SecretString::from(text.strip_suffix('\r').unwrap_or(text)))
        }
        Err(_) => Err(Failure::usage("a passphrase or recovery code that is not UTF-8")),
    }
}

/// The failure for a file with a secret that is not closed to the group and to others, as for a key file.
pub(crate) fn others_can_read(path: &Path) -> Failure {
    Failure::new(
        ErrorKind::WeakKey,
        format!("the file {} is open to others: chmod 600 it", path.display()),
    )
}

/// True where the group or others may open the file. Of pipes and the like the mode says nothing.
#[cfg(unix)]
pub(crate) fn open_to_others(file: &File) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
pub(crate) fn open_to_others(_file: &File) -> bool {
    false
}
