//! Where a secret that unlocks comes from. No key is ever made, guessed or defaulted here, and a weak one is refused.

use std::fmt;
use std::path::{Path, PathBuf};

use zeroize::{Zeroize, Zeroizing};

use super::seal::no_randomness;
use crate::crypto::password::Argon2Params;
use crate::crypto::random;
use crate::error::{Result, err, fail};
use crate::format::secret_text::{RECOVERY_LEN, format_key, parse_key, parse_recovery};
use crate::format::slot::SlotKind;
use crate::secret::{ExposeSecret, Secret32, SecretString};

/// The shortest passphrase accepted, in characters.
const MIN_PASSPHRASE: usize = 12;
/// A key has at least this many different bytes; a random one has fewer with a probability below 2^-60.
const MIN_DISTINCT_BYTES: usize = 16;

/// A secret that opens one kind of slot. Wiped on drop, never shown.
#[derive(Clone)]
pub struct Unlock(Secret);

#[derive(Clone)]
pub(super) enum Secret {
    Key(Secret32),
    Passphrase(SecretString, PassphraseCost),
    Recovery(Zeroizing<[u8; RECOVERY_LEN]>),
}

/// What a passphrase slot costs to open, and a password to hash: Argon2id (RFC 9106). Only new ones use it; what exists keeps
/// its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PassphraseCost {
    /// Memory in KiB: 19,456 to 1,048,576.
    pub memory_kib: u32,
    /// Passes over it: 2 to 16.
    pub passes: u32,
    /// Lanes: 1 to 16.
    pub lanes: u32,
}

impl Default for PassphraseCost {
    /// RFC 9106's second recommendation: 64 MiB, 3 passes, 4 lanes.
    fn default() -> Self {
        let Argon2Params { memory_kib, passes, lanes } = Argon2Params::DEFAULT;
        PassphraseCost { memory_kib, passes, lanes }
    }
}

impl PassphraseCost {
    /// The least that is accepted (OWASP's minimum: 19 MiB, 2 passes, 1 lane).
    pub fn floor() -> Self {
        let Argon2Params { memory_kib, passes, lanes } = Argon2Params::FLOOR;
        PassphraseCost { memory_kib, passes, lanes }
    }

    pub(crate) fn parameters(self) -> Argon2Params {
        Argon2Params { memory_kib: self.memory_kib, passes: self.passes, lanes: self.lanes }
    }
}

impl Unlock {
    /// A 32-byte key, as bytes.
    ///
    /// # Errors
    /// [`crate::ErrorKind::WeakKey`] for another length, and for a key that is all one byte, counts up or repeats.
    pub fn key(bytes: &[u8]) -> Result<Self> {
        let Ok(key) = <&[u8; 32]>::try_from(bytes) else {
            fail!(WeakKey, "a key has 32 bytes, this one has {}", bytes.len());
        };
        if weak(key) {
            fail!(WeakKey, "a key that is regular or well known: make one from a random generator");
        }
        Ok(Unlock(Secret::Key(Secret32::copy_of(key))))
    }

    /// A 32-byte key, as 64 hexadecimal digits, or in base64 or base64url.
    pub fn key_text(text: &str) -> Result<Self> {
        match parse_key(text) {
            Ok(key) => Self::key(key.as_slice()),
            Err(_) => {
                fail!(WeakKey, "a key is 32 bytes, written as 64 hexadecimal digits or in base64")
            }
        }
    }

    /// A key from an environment variable, written as for [`Unlock::key_text`].
    pub fn environment(variable: &str) -> Result<Self> {
        if variable.is_empty() || variable.contains(['=', '\0']) {
            fail!(InvalidInput, "not the name of an environment variable");
        }
        match std::env::var(variable).map(Zeroizing::new) {
            Ok(text) => Self::key_text(&text),
            Err(std::env::VarError::NotPresent) => {
                fail!(NotFound, "the environment variable {variable} is not set")
            }
            Err(std::env::VarError::NotUnicode(_)) => {
                fail!(WeakKey, "the environment variable {variable} does not hold a key")
            }
        }
    }

    /// A key from a file: 32 raw bytes, or text as for [`Unlock::key_text`]. On Unix the file must be closed to the
    /// group and to others (mode 0600 or stricter).
    pub fn key_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        check_mode(path)?;
        read_key(path)
    }

    /// A systemd credential (`LoadCredential=`), from the folder that `$CREDENTIALS_DIRECTORY` names.
    pub fn credential(name: &str) -> Result<Self> {
        read_key(&credential_file(name)?)
    }

    /// A Docker or Kubernetes secret, from `/run/secrets`.
    pub fn docker_secret(name: &str) -> Result<Self> {
        read_key(&docker_file(name)?)
    }

    /// A passphrase of at least 12 characters. A new slot gets the default cost.
    pub fn passphrase(passphrase: impl Into<SecretString>) -> Result<Self> {
        Self::passphrase_with(passphrase, PassphraseCost::default())
    }

    /// A passphrase, and the cost of the slot that is made with it.
    pub fn passphrase_with(
        passphrase: impl Into<SecretString>,
        cost: PassphraseCost,
    ) -> Result<Self> {
        let passphrase = passphrase.into();
        let mut characters = passphrase.expose_secret().chars();
        let first = characters.next();
        if passphrase.expose_secret().chars().count() < MIN_PASSPHRASE {
            fail!(WeakKey, "a passphrase has at least {MIN_PASSPHRASE} characters");
        }
        if characters.all(|c| Some(c) == first) || well_known(passphrase.expose_secret()) {
            fail!(WeakKey, "a passphrase that is regular or well known");
        }
        if cost.parameters().check().is_err() {
            fail!(
                Limit,
                "the cost of a passphrase: 19,456 KiB to 1 GiB, 2 to 16 passes, 1 to 16 lanes"
            );
        }
        Ok(Unlock(Secret::Passphrase(passphrase, cost)))
    }

    /// A recovery code, as it was shown once. Case, hyphens and spaces do not matter.
    pub fn recovery_code(code: &str) -> Result<Self> {
        match parse_recovery(code) {
            Ok(bits) => Ok(Unlock(Secret::Recovery(bits))),
            Err(_) => fail!(
                InvalidInput,
                "not a recovery code: nine groups of four symbols, and the last group must fit the others"
            ),
        }
    }

    /// A key by reference: `env:VARIABLE`, `file:/path`, `credential:name` or `docker:name`. A key itself is refused,
    /// so that none ends up in a URL, a configuration file or a process list.
    pub fn reference(reference: &str) -> Result<Self> {
        match reference.split_once(':') {
            Some(("env", name)) => Self::environment(name),
            Some(("file", path)) => Self::key_file(path),
            Some(("credential", name)) => Self::credential(name),
            Some(("docker", name)) => Self::docker_secret(name),
            _ => fail!(
                InvalidInput,
                "a key is referred to as env:VARIABLE, file:/path, credential:name or docker:name"
            ),
        }
    }

    /// Which kind of slot this opens.
    pub fn kind(&self) -> SlotKind {
        match self.0 {
            Secret::Key(_) => SlotKind::Key,
            Secret::Passphrase(..) => SlotKind::Passphrase,
            Secret::Recovery(_) => SlotKind::Recovery,
        }
    }

    pub(super) fn secret(&self) -> &Secret {
        &self.0
    }

    pub(super) fn recovery(bits: Zeroizing<[u8; RECOVERY_LEN]>) -> Self {
        Unlock(Secret::Recovery(bits))
    }
}

/// A new random 32-byte key, as 64 hexadecimal digits, for [`Unlock::key_text`]. The engine never makes a key by
/// itself: this is for a program that sets a vault up.
pub fn generate_key() -> Result<SecretString> {
    let mut key = Secret32::zeroed();
    random::fill(key.expose_mut()).map_err(|_| no_randomness())?;
    Ok(SecretString::from(format_key(key.expose()).as_str()))
}

impl fmt::Debug for Unlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unlock({})", self.kind().name())
    }
}

/// What a reference leads to, as it is, without a last line end: the key of another program. Of files the mode is checked as
/// for [`Unlock::key_file`].
pub(crate) fn secret_reference(reference: &str) -> Result<Zeroizing<Vec<u8>>> {
    let path = match reference.split_once(':') {
        Some(("env", name)) => {
            return match std::env::var(name) {
                Ok(text) => Ok(Zeroizing::new(text.into_bytes())),
                Err(_) => fail!(NotFound, "the environment variable {name} is not set"),
            };
        }
        Some(("file", path)) => {
            check_mode(Path::new(path))?;
            Path::new(path).to_owned()
        }
        Some(("credential", name)) => credential_file(name)?,
        Some(("docker", name)) => docker_file(name)?,
        _ => fail!(
            InvalidInput,
            "a key is referred to as env:VARIABLE, file:/path, credential:name or docker:name"
        ),
    };
    let mut secret = Zeroizing::new(
        std::fs::read(&path)
            .map_err(|_| err!(NotFound, "the key file {} can't be read", path.display()))?,
    );
    if secret.pop_if(|last| *last == b'\n').is_some() {
        secret.pop_if(|last| *last == b'\r');
    }
    Ok(secret)
}

fn credential_file(name: &str) -> Result<PathBuf> {
    let Some(folder) = std::env::var_os("CREDENTIALS_DIRECTORY") else {
        fail!(NotFound, "CREDENTIALS_DIRECTORY is not set: the service was given no credentials");
    };
    Ok(Path::new(&folder).join(file_name(name)?))
}

fn docker_file(name: &str) -> Result<PathBuf> {
    Ok(Path::new("/run/secrets").join(file_name(name)?))
}

fn file_name(name: &str) -> Result<&str> {
    if name.is_empty() || name.contains(['/', '\0']) || name == "." || name == ".." {
        fail!(InvalidInput, "the name of a credential is a plain file name");
    }
    Ok(name)
}

fn read_key(path: &Path) -> Result<Unlock> {
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            err!(NotFound, "there is no key file at {}", path.display())
        }
        _ => err!(Io, "the key file {} can't be read", path.display()),
    };
    if std::fs::metadata(path).map_err(unreadable)?.len() > 4_096 {
        fail!(WeakKey, "{} is not a key file: it is longer than any key", path.display());
    }
    let mut bytes = std::fs::read(path).map_err(unreadable)?;
    let unlock = if bytes.len() == 32 {
        Unlock::key(&bytes)
    } else {
        match std::str::from_utf8(&bytes) {
            Ok(text) => Unlock::key_text(text),
            Err(_) => Err(err!(WeakKey, "{} does not hold a key", path.display())),
        }
    };
    bytes.zeroize();
    unlock
}

#[cfg(unix)]
fn check_mode(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    match std::fs::metadata(path) {
        Ok(about) if about.permissions().mode() & 0o077 != 0 => {
            fail!(WeakKey, "the key file {} is open to others: chmod 600 it", path.display())
        }
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
fn check_mode(_path: &Path) -> Result<()> {
    Ok(())
}

/// Few different bytes, or each the last plus a constant: nothing that a random generator makes.
fn weak(key: &[u8; 32]) -> bool {
    let mut seen = [false; 256];
    for byte in key {
        if let Some(slot) = seen.get_mut(usize::from(*byte)) {
            *slot = true;
        }
    }
    let distinct = seen.iter().filter(|s| **s).count();
    let mut steps = key.windows(2).map(|pair| match pair {
        [a, b] => b.wrapping_sub(*a),
        _ => 0,
    });
    let first = steps.next();
    let arithmetic = steps.all(|step| Some(step) == first);
    let text = std::str::from_utf8(key).is_ok_and(well_known);
    distinct < MIN_DISTINCT_BYTES || arithmetic || text
}

/// Words that stand in examples and templates.
pub(crate) fn well_known(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "changeme",
        "change-me",
        "change_me",
        "password",
        "passw0rd",
        "secret",
        "insecure",
        "development",
        "default",
        "example",
        "123456789012",
        "qwertyuiop",
    ];
    let lower = Zeroizing::new(text.to_lowercase());
    let rest =
        WORDS.iter().fold(lower.clone(), |rest, word| Zeroizing::new(rest.replace(word, "")));
    let letters = rest.chars().filter(|c| c.is_alphanumeric()).count();
    // A passphrase may hold such a word; it may not be made of little else.
    rest != lower && letters < 6
}

#[cfg(test)]
mod tests;
