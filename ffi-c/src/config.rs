//! How a vault uses SQLite.

use std::ffi::c_char;
use std::time::Duration;

use sealite::{Config, SealedSql, Synchronous};

use crate::call::{call, free};
use crate::error::sealite_error;
use crate::handles::Kind;
use crate::held::Builder;
use crate::status::sealite_status;

/// When a commit is on the disk.
#[repr(i32)]
#[derive(Clone, Copy)]
pub enum sealite_synchronous {
    /// Before the call returns: a commit survives a power cut. The default.
    SEALITE_SYNCHRONOUS_FULL = 0,
    /// At the next checkpoint: a commit survives a crash of the process at once, and a power cut may take back the last
    /// commits; the file stays whole.
    SEALITE_SYNCHRONOUS_NORMAL = 1,
}

/// What SQL does with sealed tables.
#[repr(i32)]
#[derive(Clone, Copy)]
pub enum sealite_sealed_sql {
    /// They are not there: SQL that is injected into the application reaches plain columns only.
    SEALITE_SEALED_SQL_OFF = 0,
    /// They are tables, and a statement that would open every record of one, since no key or index leads to the rows, fails
    /// as SEALITE_NOT_INDEXED.
    SEALITE_SEALED_SQL_INDEXED = 1,
    /// They are tables. The default.
    SEALITE_SEALED_SQL_FULL = 2,
}

/// How a vault uses SQLite. What is not set keeps its default, which is the safe one.
pub struct sealite_config {
    _opaque: [u8; 0],
}

impl Kind for sealite_config {
    type Object = Builder<Config>;
}

/// Makes a configuration of defaults. Free it with sealite_config_free(); the vault keeps a copy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_config_create(
    config: *mut *mut sealite_config,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; out(config); { config.give(Builder::new(Config::default()))?; })
}

/// Sets how long a call waits for a lock that another thread or process holds before it fails with SEALITE_BUSY, in
/// milliseconds. Default: 5,000.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_config_set_busy_timeout(
    config: *mut sealite_config,
    milliseconds: u64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(config), plain(milliseconds); {
        config.with(|config| {
            config.busy_timeout = Duration::from_millis(milliseconds);
            Ok(())
        })?;
    })
}

/// Sets whether a commit waits for the disk: a sealite_synchronous.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_config_set_synchronous(
    config: *mut sealite_config,
    synchronous: i32,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(config),
        choice(synchronous, &[Synchronous::Full, Synchronous::Normal]);
        {
            config.with(|config| {
                config.synchronous = synchronous;
                Ok(())
            })?;
        }
    )
}

/// Sets whether a vault may be added to a SQLite database that has tables already: 1 for yes. Default: 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_config_set_existing_database(
    config: *mut sealite_config,
    allowed: i32,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(config), flag(allowed); {
        config.with(|config| {
            config.existing_database = allowed;
            Ok(())
        })?;
    })
}

/// Sets how many bytes have to be free on the disk for sealite_vault_health() to be content. Default: 64 MiB, or the size
/// of the file where that is more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_config_set_disk_reserve(
    config: *mut sealite_config,
    bytes: u64,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(config), plain(bytes); {
        config.with(|config| {
            config.disk_reserve = Some(bytes);
            Ok(())
        })?;
    })
}

/// Sets what SQL does with sealed tables: a sealite_sealed_sql.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_config_set_sealed_sql(
    config: *mut sealite_config,
    sealed_sql: i32,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(config),
        choice(sealed_sql, &[SealedSql::Off, SealedSql::Indexed, SealedSql::Full]);
        {
            config.with(|config| {
                config.sealed_sql = sealed_sql;
                Ok(())
            })?;
        }
    )
}

/// Sets whether an SQL statement may write into a plain table what it reads from sealed columns (`CREATE TABLE … AS
/// SELECT`, `INSERT … SELECT`, `UPDATE … FROM`): 1 for yes. Default: 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_config_set_sealed_to_plain(
    config: *mut sealite_config,
    allowed: i32,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(config), flag(allowed); {
        config.with(|config| {
            config.sealed_to_plain = allowed;
            Ok(())
        })?;
    })
}

/// Sets the text of an audit checkpoint that was kept outside: sealite_audit_checkpoint(). A file that does not contain it,
/// since an older one was put back, is refused as SEALITE_ROLLED_BACK when it is unlocked. NULL for none, the default.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_config_set_checkpoint(
    config: *mut sealite_config,
    checkpoint: *const c_char,
    checkpoint_length: usize,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(config), optional_text(checkpoint, checkpoint_length); {
        config.with(|config| {
            config.checkpoint = checkpoint.map(str::to_owned);
            Ok(())
        })?;
    })
}

/// Frees the configuration. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_config_free(config: *mut sealite_config) {
    free(config);
}
