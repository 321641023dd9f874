//! `sealite key generate` and `list`.

use std::path::Path;

use sealite::{ExposeSecret, KeyInfo, generate_key};
use serde_json::{Value, json};

use crate::arguments::{OpenWith, Shown};
use crate::failure::{Failure, Result};
use crate::report::Report;
use crate::secret_file::SecretFile;
use crate::streams::Console;
use crate::text::{aligned, date, printable};
use crate::unlock;

pub(super) fn generate(shown: &Shown, console: &mut Console<'_>) -> Result<Report> {
    if let Some(path) = &shown.out {
        let mut file = SecretFile::create(path)?;
        file.write(generate_key()?.expose_secret())?;
        file.keep();
        let path = path.display().to_string();
        let text = format!("The key is in {0}. Open with --key file:{0}\n", printable(&path));
        return Ok(Report::new(text, json!({"key_file": path})));
    }
    if console.stdout_is_terminal() && !shown.stdout {
        return Err(Failure::usage(
            "the key would be shown on the terminal: write it to a file with --out, or insist with --stdout",
        ));
    }
    let key = generate_key()?;
    let key = key.expose_secret();
    Ok(Report::new(format!("{key}\n"), json!({"key": key})))
}

pub(super) fn list(file: &Path, open: &OpenWith, console: &mut Console<'_>) -> Result<Report> {
    let keys = unlock::open(file, open, console)?.keys().list()?;
    let cells = |key: &KeyInfo| {
        [
            key.id.to_string(),
            key.purpose.name().to_owned(),
            key.tenant.clone().unwrap_or_default(),
            key.subject.clone().unwrap_or_default(),
            key.generation.to_string(),
            key.state.name().to_owned(),
            date(key.created_at),
            date(key.changed_at),
        ]
    };
    let rows: Vec<_> = keys.iter().map(cells).collect();
    let heads =
        ["key", "purpose", "tenant", "subject", "generation", "state", "created", "changed"];
    let object = |key: &KeyInfo| {
        json!({
            "id": key.id,
            "purpose": key.purpose.name(),
            "tenant": key.tenant,
            "subject": key.subject,
            "generation": key.generation,
            "state": key.state.name(),
            "created_at": key.created_at,
            "changed_at": key.changed_at,
        })
    };
    let objects: Value = keys.iter().map(object).collect();
    Ok(Report::new(aligned(heads, &rows), json!({"keys": objects})))
}
