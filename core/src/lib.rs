//! Sealite: an embedded crypto storage engine. One SQLite file keeps an application's keys and personal data sealed,
//! linked into the application's own process.
//!
//! ```
//! use sealite::{Column, Index, Normaliser, TableDefinition, Vault, values};
//!
//! # fn main() -> sealite::Result<()> {
//! // In a program: Vault::create("app.db", &Unlock::environment("APP_KEY")?)
//! let vault = Vault::in_memory()?;
//! vault.define_table(
//!     &TableDefinition::new("users")
//!         .column(Column::text("email").sealed().not_null().index(Index::unique().normaliser(Normaliser::Email)))
//!         .column(Column::text("name").sealed())
//!         .column(Column::text("role").authenticated().default("user"))
//!         .column(Column::text("plan")),
//! )?;
//!
//! let users = vault.table("users")?;
//! let id = users.insert(values! {"email" => "Ada@Example.org", "name" => "Ada Lovelace"})?;
//! let ada = users.find_one("email", " ada@example.ORG ")?.expect("found in any spelling");
//! assert_eq!(ada.text("name")?, "Ada Lovelace");
//! assert_eq!(ada.text("role")?, "user");
//! users.update(&id, values! {"plan" => "pro"})?;
//! # Ok(())
//! # }
//! ```
//!
//! A column is *plain*, *authenticated* (readable in the file, and bound to its row) or *sealed* (only inside the row's
//! one sealed record). A row that was edited, moved or swapped from outside is refused when it is read. What this does
//! and does not protect against is said in the threat model.

#![deny(unsafe_code)]

mod adoption;
mod approval;
mod audit;
mod creation;
mod crypto;
mod db;
mod erasure;
mod error;
mod field;
mod fork;
mod format;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod health;
mod index;
mod keys;
mod locked;
mod metrics;
mod password;
mod quota;
mod rotation;
mod secret;
mod settings;
mod sql;
mod table;
mod tenant;
mod token;
mod transaction;
mod value;
mod vault;

pub use adoption::{
    AdoptedTable, AdoptionPhase, AdoptionPlan, AdoptionPreview, AdoptionProgress, AdoptionReport,
    TablePreview,
};
pub use approval::{Approval, ApprovalRequest, ApprovalState, Approvals, Verdict};
pub use audit::{Audit, AuditFault, AuditReport, Checkpoint, Entry, Event, ExportOptions, Trace};
pub use db::{Config, SealedSql, Synchronous, prepare_fork};
pub use erasure::{Erasure, ErasureReceipt, SubjectExport, TenantInfo};
pub use error::{Error, ErrorKind, Result};
pub use field::Field;
#[doc(hidden)]
pub use fork::{ForkHooks, around_fork, called_back, fork_generation, is_lost as fork_is_lost};
pub use format::canonical::canonical_json;
pub use format::padding::Padding;
pub use format::slot::SlotKind;
pub use health::{Health, Reason};
pub use index::normalise::Normaliser;
pub use keys::{
    KeyInfo, KeyState, PassphraseCost, Purpose as KeyPurpose, Slot, Unlock, generate_key,
};
pub use metrics::{Histogram, Metrics};
pub use password::{PasswordHasher, PasswordVerdict};
pub use quota::{Decision, Limit, Quotas};
pub use rotation::{Rotation, RotationKind, RotationPlan, RotationState, RotationStatus};
pub use secret::{ExposeSecret, SecretBox, SecretSlice, SecretString, WipedBuffer};
pub use settings::{
    Author, Change, CheckReport, ImportReport, Setting, SettingDefinition, SettingFault,
    SettingProblem, SettingSource, SettingValue, SettingVersion, Settings,
};
pub use sql::{Connection, HeldStatement, OwnedStatement, SqlRows, Statement};
#[cfg(feature = "loadable")]
pub use sql::{Guest, Lent, VtabConfig};
pub use table::{
    Alteration, Column, Cursor, Fault, Index, Protection, ProtectionPlan, Row, Scan, Table,
    TableDefinition, Verification,
};
pub use tenant::Tenant;
pub use token::{
    CodeRequest, IssuedCode, IssuedToken, LegacyEntry, LegacyImport, TOKEN_PATTERN, Token,
    TokenCheck, TokenFilter, TokenKind, TokenRequest, Tokens, is_token_text,
};
pub use transaction::{Savepoint, Snapshot, Transaction};
pub use value::{Id, IdRef, Type, Value, ValueRef};
pub use vault::{
    BackupOptions, BackupProgress, BackupReport, Compaction, Keys, MasterRotation, RecoveryCode,
    RestoreOptions, Status, Vault,
};
