//! Subjects and tenants: listing, exporting, erasing.

use std::io::Write;

use super::Vault;
use crate::erasure::{self, Erasure, ErasureReceipt, SubjectExport, TenantInfo, Whom};
use crate::error::Result;

impl Vault {
    /// Erases a subject, of a tenant or of the vault itself: deletes its rows of every table that names it
    /// ([`crate::TableDefinition::subject`]), its tokens and the approvals about it, and destroys its keys, in one
    /// transaction. From the commit on nothing of it opens any more, in this process and in every other, and what is
    /// written for it is refused as `destroyed_key`: the name is not used again. Audit entries about it that were
    /// written since it has keys stay in the chain and read as erased. What the application keeps in plain tables, and
    /// under other subjects, is the application's to delete.
    ///
    /// Then the file is rewritten (`VACUUM`) and its log emptied; where a reader holds that back,
    /// [`ErasureReceipt::erasure`] says `Pending`, and [`Vault::finish_erasure`] does it later. A call that was
    /// interrupted has changed nothing, or left only that to be done. Of a subject that has been erased the call gives
    /// the receipt again.
    ///
    /// A backup from before still holds the subject with its keys. That such a file was put back shows to who opens it
    /// with a checkpoint kept outside ([`crate::Config::checkpoint`]), and to nobody else: erase in it again.
    ///
    /// ```
    /// use sealite::{Column, ErrorKind, TableDefinition, Vault, values};
    ///
    /// # let vault = Vault::in_memory()?;
    /// vault.define_table(&TableDefinition::new("users").column(Column::text("name").sealed()).subject_is_row())?;
    /// vault.define_table(
    ///     &TableDefinition::new("notes")
    ///         .column(Column::integer("user_id").authenticated())
    ///         .column(Column::text("body").sealed())
    ///         .subject("user_id"),
    /// )?;
    /// let ada = vault.table("users")?.insert(values! {"name" => "Ada"})?;
    /// let ada = ada.as_i64().unwrap_or_default();
    /// vault.table("notes")?.insert(values! {"user_id" => ada, "body" => "hers"})?;
    ///
    /// let receipt = vault.erase_subject(None, &ada.to_string())?;
    /// assert_eq!((receipt.rows(), receipt.keys()), (2, 1));
    /// assert_eq!(vault.verify_receipt(receipt.text())?, receipt);
    /// let refused = vault.table("notes")?.insert(values! {"user_id" => ada, "body" => "again"});
    /// assert_eq!(refused.map_err(|error| error.kind()), Err(ErrorKind::DestroyedKey));
    /// # Ok::<(), sealite::Error>(())
    /// ```
    ///
    /// # Errors
    /// `not_found` where the vault has nothing of the subject; `authentication_failed` where one of its rows, or of the
    /// table of keys, is not what was written; `conflict` where a foreign key of the application's refers to one of its
    /// rows. Nothing is erased then.
    pub fn erase_subject(&self, tenant: Option<&str>, subject: &str) -> Result<ErasureReceipt> {
        self.erase(Whom { tenant, subject: Some(subject) })
    }

    /// Erases several subjects of one owner, each in a transaction of its own, and rewrites the file once behind all of them:
    /// the way for many, since that costs as much as the whole file. The receipts, in the order of the names.
    ///
    /// ```
    /// use sealite::{Column, Erasure, TableDefinition, Vault, values};
    ///
    /// # let vault = Vault::in_memory()?;
    /// vault.define_table(&TableDefinition::new("users").column(Column::text("name").sealed()).subject_is_row())?;
    /// for name in ["Ada", "Grace", "Edsger"] {
    ///     vault.table("users")?.insert(values! {"name" => name})?;
    /// }
    /// let receipts = vault.erase_subjects(None, &["1", "3"])?;
    /// assert!(receipts.iter().all(|receipt| receipt.erasure() == Erasure::Complete));
    /// assert_eq!(vault.table("users")?.count()?, 1);
    /// # Ok::<(), sealite::Error>(())
    /// ```
    ///
    /// # Errors
    /// As of [`Vault::erase_subject`], for the first that fails: those before it are erased, those behind it are not. The
    /// same call without it gives the receipts of all.
    pub fn erase_subjects(
        &self,
        tenant: Option<&str>,
        subjects: &[&str],
    ) -> Result<Vec<ErasureReceipt>> {
        let one =
            |subject: &&str| erasure::erase(&self.engine, Whom { tenant, subject: Some(subject) });
        let erased: Result<Vec<_>> = subjects.iter().map(one).collect();
        // Also for those that were erased before one failed.
        let erasure = self.finish_erasure().unwrap_or(Erasure::Pending);
        Ok(erased?.into_iter().map(|receipt| receipt.with_erasure(erasure)).collect())
    }

    /// Erases a tenant: its rows in all tables, its subjects, settings, tokens, sessions, quotas and approvals, and every
    /// key of it. Otherwise as [`Vault::erase_subject`]. Its audit entries stay, but for those under keys of its
    /// subjects, which read as erased.
    ///
    /// Rows go in batches while others read and write; a call that was interrupted is continued by the next, and by
    /// [`Vault::finish_erasure`]. The keys go with the last batch.
    pub fn erase_tenant(&self, name: &str) -> Result<ErasureReceipt> {
        self.erase(Whom { tenant: Some(name), subject: None })
    }

    /// Whether the vault has written this receipt of an erasure; what it says. [`ErasureReceipt::erasure`] is of now.
    ///
    /// # Errors
    /// `invalid_input` for a text that is none; `authentication_failed` for another vault's, or an altered one.
    pub fn verify_receipt(&self, text: &str) -> Result<ErasureReceipt> {
        erasure::verify(&self.engine, text)
    }

    /// The tenants that have, or had, keys, in the order of their names; the erased ones, too.
    ///
    /// # Errors
    /// `authentication_failed` where the table of keys is not what was written: no tenant can be hidden.
    pub fn tenants(&self) -> Result<Vec<TenantInfo>> {
        erasure::list(&self.engine)
    }

    /// Writes everything that a subject has as one JSON object: `format`, `tenant`, `subject`, `exported_at`
    /// (RFC 3339), `tables` (its rows by table, with their keys), `tokens` (what is known of them, no hash),
    /// `approvals` and `audit` (the entries about it). Bytes are `{"base64": …}`, numbers that JSON has no word for are
    /// texts. No key, hash or token is in it; everything else is in clear: it is for the subject. Audited as
    /// `subject.exported`.
    ///
    /// Rows are streamed from one snapshot. Of the audit trail every entry is read.
    ///
    /// # Errors
    /// `io` where `out` fails; `destroyed_key` where the subject has been erased; any error of a row that does not open.
    pub fn export_subject(
        &self,
        tenant: Option<&str>,
        subject: &str,
        out: &mut dyn Write,
    ) -> Result<SubjectExport> {
        erasure::export(&self.engine, Whom { tenant, subject: Some(subject) }, out)
    }

    fn erase(&self, whom: Whom<'_>) -> Result<ErasureReceipt> {
        let receipt = erasure::erase(&self.engine, whom)?;
        // It is done: what is pending or fails here stays pending.
        let erasure = self.finish_erasure().unwrap_or(Erasure::Pending);
        Ok(receipt.with_erasure(erasure))
    }
}
