//! `sealite key generate`.

use sealite::{ExposeSecret, generate_key};
use serde_json::json;

use crate::arguments::Shown;
use crate::failure::{Failure, Result};
use crate::report::Report;
use crate::secret_file::SecretFile;
use crate::streams::Console;
use crate::text::printable;

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
