//! Values that other programs have encrypted: opened on the way, so that they are sealed anew.

use std::fmt;

use base64ct::{Base64, Base64Unpadded, Base64Url, Base64UrlUnpadded, Encoding as _};
use zeroize::Zeroizing;

use crate::crypto::foreign::{Filling, Plain, aes_cbc, aes_gcm, fernet};
use crate::crypto::mac::sha256;
use crate::error::{Error, Result, err, fail};
use crate::keys::secret_reference;
use crate::password::is_hash;
use crate::value::{IdRef, Type, Value, ValueRef};

/// What opens the values of a column. The keys are in memory as long as it is.
#[derive(Clone)]
pub(super) struct Importer {
    what: What,
    keys: Vec<Zeroizing<Vec<u8>>>,
}

#[derive(Clone, Debug)]
enum What {
    Fernet,
    /// `AesEngine` of SQLAlchemy-Utils, with its padding.
    UtilsCbc(Filling),
    /// `AesGcmEngine` of SQLAlchemy-Utils is one of these.
    Gcm(Gcm),
    PasswordHash,
}

/// How a value of AES-GCM is written.
#[derive(Clone, Debug)]
struct Gcm {
    layout: [Part; 3],
    nonce: usize,
    encoding: Encoding,
    /// `{id}` in it stands for the key of the row.
    associated: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    Nonce,
    Ciphertext,
    Tag,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Encoding {
    Base64,
    Base64Url,
    Hex,
    Raw,
}

/// What the plan says of an importer.
pub(super) struct Settings {
    pub(super) keys: Vec<String>,
    pub(super) layout: Option<String>,
    pub(super) encoding: Option<String>,
    pub(super) associated: Option<String>,
    pub(super) padding: Option<String>,
    pub(super) nonce: Option<i64>,
}

impl Settings {
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty() && !self.describes() && self.padding.is_none()
    }

    fn describes(&self) -> bool {
        self.layout.is_some()
            || self.encoding.is_some()
            || self.associated.is_some()
            || self.nonce.is_some()
    }
}

impl Importer {
    /// Reads the keys.
    pub(super) fn new(place: &str, from: &str, settings: &Settings) -> Result<Self> {
        let what = match from {
            "fernet" | "sqlalchemy-utils fernet" => What::Fernet,
            "sqlalchemy-utils aes" => What::UtilsCbc(filling(place, settings.padding.as_deref())?),
            "sqlalchemy-utils aes-gcm" => What::Gcm(Gcm {
                layout: [Part::Nonce, Part::Tag, Part::Ciphertext],
                nonce: 12,
                encoding: Encoding::Base64,
                associated: String::new(),
            }),
            "aes-gcm" => What::Gcm(Gcm::new(place, settings)?),
            "password hash" => What::PasswordHash,
            _ => fail!(
                InvalidInput,
                "{place}: from is fernet, sqlalchemy-utils aes, sqlalchemy-utils aes-gcm, sqlalchemy-utils fernet, aes-gcm \
                 or password hash"
            ),
        };
        if settings.describes() && from != "aes-gcm" {
            fail!(InvalidInput, "{place}: layout, encoding, nonce and aad are for aes-gcm");
        }
        if settings.padding.is_some() && !matches!(what, What::UtilsCbc(_)) {
            fail!(InvalidInput, "{place}: padding is for sqlalchemy-utils aes");
        }
        if settings.keys.is_empty() != matches!(what, What::PasswordHash) {
            fail!(InvalidInput, "{place}: what was encrypted has a key, and nothing else has");
        }
        let mut keys = Vec::new();
        for reference in &settings.keys {
            let secret = secret_reference(reference)?;
            // SQLAlchemy-Utils takes any text for a key, and makes its own of it.
            let key = match (&what, from.starts_with("sqlalchemy-utils")) {
                (_, true) => Some(Zeroizing::new(sha256(&[&secret]).to_vec())),
                (What::Fernet, false) => decoded_key(&secret).filter(|key| key.len() == 32),
                _ => decoded_key(&secret),
            };
            let Some(key) = key else {
                fail!(WeakKey, "{place}: {reference} does not hold a key for {from}");
            };
            keys.push(key);
        }
        Ok(Importer { what, keys })
    }

    /// The value, as the type that its column has now.
    pub(super) fn open(
        &self,
        place: &str,
        id: IdRef<'_>,
        value: ValueRef<'_>,
        kind: Type,
    ) -> Result<Value> {
        if let What::PasswordHash = self.what {
            return match value {
                ValueRef::Text(hash) if is_hash(hash) => Ok(value.to_owned()),
                _ => Err(refused(place, id, "is no password hash of bcrypt or Argon2id")),
            };
        }
        let Some(given) = value.as_bytes().or_else(|| value.as_str().map(str::as_bytes)) else {
            return Err(refused(place, id, "is no text or blob"));
        };
        for key in &self.keys {
            if let Some(plain) = self.decrypt(key, id, given) {
                let typed = typed(&plain, kind);
                return typed.ok_or_else(|| {
                    err!(
                        TypeMismatch,
                        "{place} of {}: what it opens to is not {}",
                        row(id),
                        kind.name()
                    )
                });
            }
        }
        Err(refused(place, id, "does not open: another key, or not encrypted like that"))
    }

    fn decrypt(&self, key: &[u8], id: IdRef<'_>, given: &[u8]) -> Option<Plain> {
        let fixed = || <&[u8; 32]>::try_from(key).ok();
        match &self.what {
            What::Fernet => {
                let token = decode(Encoding::Base64Url, given)?;
                fernet(fixed()?, &token).ok()
            }
            What::UtilsCbc(filling) => {
                let bytes = decode(Encoding::Base64, given)?;
                aes_cbc(fixed()?, key.get(..16)?, &bytes, *filling).ok()
            }
            What::Gcm(gcm) => gcm.decrypt(key, id, given),
            What::PasswordHash => None,
        }
    }
}

impl Gcm {
    fn new(place: &str, settings: &Settings) -> Result<Self> {
        let part = |word: &str| match word {
            "nonce" | "iv" => Some(Part::Nonce),
            "ciphertext" => Some(Part::Ciphertext),
            "tag" => Some(Part::Tag),
            _ => None,
        };
        let layout = settings.layout.as_deref().unwrap_or("nonce ciphertext tag");
        let parts: Option<Vec<Part>> = layout.split_whitespace().map(part).collect();
        let layout = parts.and_then(|parts| <[Part; 3]>::try_from(parts).ok()).filter(|parts| {
            [Part::Nonce, Part::Ciphertext, Part::Tag].iter().all(|part| parts.contains(part))
        });
        let encoding = match settings.encoding.as_deref().unwrap_or("base64") {
            "base64" => Some(Encoding::Base64),
            "base64url" => Some(Encoding::Base64Url),
            "hex" => Some(Encoding::Hex),
            "raw" => Some(Encoding::Raw),
            _ => None,
        };
        let nonce = match settings.nonce.unwrap_or(12) {
            12 => Some(12),
            16 => Some(16),
            _ => None,
        };
        let (Some(layout), Some(encoding), Some(nonce)) = (layout, encoding, nonce) else {
            fail!(
                InvalidInput,
                "{place}: layout is nonce, ciphertext and tag in their order; encoding base64, base64url, hex or raw; \
                 nonce 12 or 16"
            );
        };
        let associated = settings.associated.clone().unwrap_or_default();
        Ok(Gcm { layout, nonce, encoding, associated })
    }

    fn decrypt(&self, key: &[u8], id: IdRef<'_>, given: &[u8]) -> Option<Plain> {
        let bytes = decode(self.encoding, given)?;
        let text = bytes.len().checked_sub(self.nonce + 16)?;
        let (mut rest, mut nonce, mut ciphertext, mut tag) = (bytes.as_slice(), None, None, None);
        for part in self.layout {
            let (slot, length) = match part {
                Part::Nonce => (&mut nonce, self.nonce),
                Part::Ciphertext => (&mut ciphertext, text),
                Part::Tag => (&mut tag, 16),
            };
            let (found, behind) = rest.split_at_checked(length)?;
            (*slot, rest) = (Some(found), behind);
        }
        let associated = self.associated.replace("{id}", &id.to_owned().to_string());
        aes_gcm(key, nonce?, associated.as_bytes(), ciphertext?, tag?).ok()
    }
}

impl fmt::Debug for Importer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Importer({:?}, {} keys)", self.what, self.keys.len())
    }
}

fn refused(place: &str, id: IdRef<'_>, why: &str) -> Error {
    err!(AuthenticationFailed, "{place} of {} {why}", row(id))
}

/// A row, without a text that may be somebody's name.
pub(super) fn row(id: IdRef<'_>) -> String {
    match id {
        IdRef::Integer(id) => format!("row {id}"),
        IdRef::Text(_) => "a row".to_owned(),
    }
}

fn filling(place: &str, word: Option<&str>) -> Result<Filling> {
    Ok(match word.unwrap_or("naive") {
        "naive" => Filling::Asterisks,
        "pkcs5" => Filling::Pkcs7,
        "zeroes" => Filling::ZerosAndCount,
        "oneandzeroes" => Filling::OneAndZeros,
        _ => fail!(InvalidInput, "{place}: padding is naive, pkcs5, zeroes or oneandzeroes"),
    })
}

/// A key of 16, 24 or 32 bytes, as it is or written.
fn decoded_key(secret: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let fits = |key: &Vec<u8>| matches!(key.len(), 16 | 24 | 32);
    let text = std::str::from_utf8(secret).ok().map(str::trim_ascii);
    let written = text.and_then(|text| {
        // 32 hexadecimal digits are base64 of 24 bytes, too.
        let hex = base16ct::mixed::decode_vec(text).ok().filter(fits);
        let forms = [Base64::decode_vec, Base64Url::decode_vec, Base64UrlUnpadded::decode_vec];
        hex.or_else(|| forms.iter().find_map(|decode| decode(text).ok().filter(fits)))
    });
    written.or_else(|| Some(secret.to_vec()).filter(fits)).map(Zeroizing::new)
}

fn decode(encoding: Encoding, given: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if encoding == Encoding::Raw {
        return Some(Zeroizing::new(given.to_vec()));
    }
    let text = std::str::from_utf8(given).ok()?.trim_ascii();
    let bytes = match encoding {
        Encoding::Base64 => {
            Base64::decode_vec(text).or_else(|_| Base64Unpadded::decode_vec(text)).ok()
        }
        Encoding::Base64Url => {
            Base64Url::decode_vec(text).or_else(|_| Base64UrlUnpadded::decode_vec(text)).ok()
        }
        _ => base16ct::mixed::decode_vec(text).ok(),
    };
    bytes.map(Zeroizing::new)
}

/// What a text or bytes stand for in a column of that type.
fn typed(plain: &[u8], kind: Type) -> Option<Value> {
    if kind == Type::Blob {
        return Some(Value::Blob(plain.to_vec()));
    }
    let text = std::str::from_utf8(plain).ok()?;
    Some(match kind {
        Type::Integer => Value::Integer(text.trim().parse().ok()?),
        Type::Real => Value::Real(text.trim().parse().ok().filter(|v: &f64| !v.is_nan())?),
        Type::Boolean => match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Value::Boolean(true),
            "false" | "0" => Value::Boolean(false),
            _ => return None,
        },
        Type::Json => Value::Json(text.to_owned()),
        _ => Value::Text(text.to_owned()),
    })
}

/// For fuzzing: the first byte says by what, and as what. What has a tag does not open with a byte more or less.
#[cfg(any(test, fuzzing))]
pub(crate) fn survives(data: &[u8]) {
    let Some((choice, given)) = data.split_first() else { return };
    let associated = "users:{id}".to_owned();
    let gcm = |nonce, encoding| {
        let layout = [Part::Nonce, Part::Ciphertext, Part::Tag];
        What::Gcm(Gcm { layout, nonce, encoding, associated: associated.clone() })
    };
    let whats = [
        What::Fernet,
        gcm(12, Encoding::Raw),
        gcm(16, Encoding::Hex),
        gcm(12, Encoding::Base64Url),
        What::UtilsCbc(Filling::Asterisks),
        What::UtilsCbc(Filling::Pkcs7),
        What::UtilsCbc(Filling::ZerosAndCount),
        What::UtilsCbc(Filling::OneAndZeros),
    ];
    let Some(what) = whats.get(usize::from(choice % 8)).cloned() else { return };
    let importer = Importer { what, keys: vec![Zeroizing::new((0..32).collect())] };
    let kinds = [Type::Text, Type::Integer, Type::Real, Type::Boolean, Type::Json, Type::Blob];
    let kind = kinds.get(usize::from(choice / 8 % 6)).copied().unwrap_or(Type::Text);
    let open = |given: &[u8]| {
        let given = std::str::from_utf8(given).map_or(ValueRef::Blob(given), ValueRef::Text);
        importer.open("t.c", IdRef::Integer(7), given, kind)
    };
    let _ = decoded_key(given);
    if let Ok(value) = open(given) {
        assert!(value.as_ref().type_name().to_lowercase().ends_with(kind.name()));
        if !matches!(importer.what, What::UtilsCbc(_)) {
            // Base64 may have its padding or not.
            let cut = given.trim_ascii_end().split_last();
            assert!(cut.is_none_or(|(last, cut)| *last == b'=' || open(cut).is_err()));
            assert!(open(&[given, b"A"].concat()).is_err());
        }
    }
}
