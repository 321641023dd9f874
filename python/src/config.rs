//! The options of a vault: keyword arguments, each with the name that it has in Rust's `Config`.

use std::time::Duration;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use sealite::{Config, ErrorKind, SealedSql, Synchronous};

use crate::error::error;
use crate::given::text_given;

/// A day.
const MAX_SECONDS: f64 = 86_400.0;

/// What the caller has set. `None` stands for the default.
pub(crate) fn config(options: Option<&Bound<'_, PyDict>>) -> PyResult<Config> {
    let mut config = Config::default();
    for (name, value) in options.into_iter().flatten().filter(|(_, value)| !value.is_none()) {
        let name: String = name.extract()?;
        match name.as_str() {
            "busy_timeout" => config.busy_timeout = seconds(&name, value.extract()?)?,
            "synchronous" => {
                let choices = [("full", Synchronous::Full), ("normal", Synchronous::Normal)];
                config.synchronous = one_of(&name, &value, &choices)?;
            }
            "existing_database" => config.existing_database = value.extract()?,
            "disk_reserve" => {
                let bytes: i64 = value.extract()?;
                let bytes = u64::try_from(bytes).map_err(|_| {
                    error(ErrorKind::InvalidInput, "disk_reserve: bytes, from 0 on")
                })?;
                config.disk_reserve = Some(bytes);
            }
            "sealed_sql" => {
                let choices = [
                    ("full", SealedSql::Full),
                    ("indexed", SealedSql::Indexed),
                    ("off", SealedSql::Off),
                ];
                config.sealed_sql = one_of(&name, &value, &choices)?;
            }
            "sealed_to_plain" => config.sealed_to_plain = value.extract()?,
            "checkpoint" => config.checkpoint = Some(value.extract()?),
            "key_cache" => config.key_cache = value.extract()?,
            "key_age" => config.key_age = seconds(&name, value.extract()?)?,
            _ => {
                return Err(PyTypeError::new_err(format!(
                    "'{name}' is no option of a vault: busy_timeout, synchronous, existing_database, \
                     disk_reserve, sealed_sql, sealed_to_plain, checkpoint, key_cache, key_age"
                )));
            }
        }
    }
    Ok(config)
}

fn seconds(name: &str, seconds: f64) -> PyResult<Duration> {
    if (0.0..=MAX_SECONDS).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(error(ErrorKind::InvalidInput, format!("{name}: 0 to 86,400 seconds")))
    }
}

fn one_of<T: Copy>(name: &str, value: &Bound<'_, PyAny>, choices: &[(&str, T)]) -> PyResult<T> {
    let given = text_given(value)?;
    let found = choices.iter().find(|(choice, _)| *choice == given);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<_> = choices.iter().map(|(choice, _)| format!("\"{choice}\"")).collect();
        error(ErrorKind::InvalidInput, format!("{name} is one of {}", names.join(", ")))
    })
}
