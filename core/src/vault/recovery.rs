//! Recovery codes, and the sheet that one is printed on.

use std::fmt::{self, Write};

use zeroize::Zeroizing;

use crate::audit::timestamp;
use crate::secret::SecretString;

/// A new recovery code. It is shown once and kept nowhere: print it and lock it away.
pub struct RecoveryCode {
    pub(super) code: Zeroizing<String>,
    pub(super) vault: [u8; 16],
    pub(super) slot: i64,
    pub(super) label: String,
    /// In seconds since 1970.
    pub(super) made_at: i64,
}

/// Columns of a sheet: narrow enough for any printer.
const RULE: &str = "----------------------------------------------------------------------";

impl RecoveryCode {
    /// The code itself: nine groups of four symbols.
    pub fn reveal(&self) -> &str {
        &self.code
    }

    /// A page to be printed, in plain text of at most 70 columns and some 50 lines: which vault the code opens, the code,
    /// and what to do with it. The code stands on a line of its own.
    ///
    /// ```
    /// # use sealite::{ExposeSecret, Unlock, Vault};
    /// # let vault = Vault::in_memory()?;
    /// let (_, code) = vault.add_recovery_slot("the safe in the office")?;
    /// let sheet = code.sheet();
    /// assert!(sheet.expose_secret().contains(code.reveal()));
    /// # Ok::<(), sealite::Error>(())
    /// ```
    pub fn sheet(&self) -> SecretString {
        let mut vault = String::new();
        for (at, byte) in self.vault.iter().enumerate() {
            let _ = write!(vault, "{}{byte:02x}", if at > 0 && at % 4 == 0 { " " } else { "" });
        }
        let date: String = timestamp(self.made_at.saturating_mul(1_000))
            .chars()
            .take_while(|c| *c != 'T')
            .collect();
        let (code, slot) = (self.code.as_str(), self.slot);
        // A label of another program may command the printer, or forge a line.
        let label: String =
            self.label.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        // Of the size that it needs: what a text leaves behind when it grows is not wiped.
        let mut sheet = Zeroizing::new(String::with_capacity(4_096));
        let _ = write!(
            sheet,
            "SEALITE RECOVERY SHEET
{RULE}
Vault    {vault}
Slot     {slot}
Label    {label}
Made     {date} (UTC)

Recovery code:

    {code}

{RULE}
WHAT IT IS
  This code alone opens the vault. Whoever has this sheet and a copy
  of the vault's file reads everything in it.

KEEPING IT
  Print it, then destroy the file that it was printed from.
  Lock it away: apart from the vault, and apart from its backups.
  Once a year, and whenever people leave, see that it is still there
  and that it opens the vault (step 1).

USING IT
  1. See that it opens the vault:
       sealite verify FILE --recovery
  2. Give the vault a new key, or a new passphrase:
       sealite slot add FILE --recovery --new-key-file NEW.key
       sealite slot add FILE --recovery --new-passphrase
  3. Remove the slot of the secret that was lost:
       sealite slot list FILE
       sealite slot remove FILE SLOT --key file:NEW.key
  4. A code that was used may have been seen. Make another sheet, and
     remove this one's slot:
       sealite recovery new FILE --sheet NEW.txt --key file:NEW.key
       sealite slot remove FILE {slot} --key file:NEW.key

TYPING IT
  Capital or small letters, hyphens and spaces do not matter. There is
  no I, L, O or U in it: I and L are read as 1, O as 0. The last group
  is a checksum of the others: a misspelt code is told at once, and
  told from a code of another vault.

{RULE}
Checked on ______________ by ____________________

Checked on ______________ by ____________________
"
        );
        SecretString::from(sheet.as_str())
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::ExposeSecret;
    use crate::{Unlock, Vault};

    #[test]
    fn a_sheet_names_its_vault_and_its_code_opens_it() {
        let folder = std::env::temp_dir().join(format!("sealite-sheet-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let key = crate::generate_key().unwrap();
        let key = Unlock::key_text(key.expose_secret()).unwrap();
        let vault = Vault::create(folder.join("vault.db"), &key).unwrap();
        let (slot, code) = vault.add_recovery_slot("safe, 2nd floor").unwrap();
        let sheet = code.sheet();
        let sheet = sheet.expose_secret();
        assert!(
            sheet.lines().count() <= 60 && sheet.lines().all(|line| line.chars().count() <= 70)
        );
        assert!(sheet.len() < 4_096, "it has not grown while it was written");
        assert_eq!(sheet.matches(code.reveal()).count(), 1);
        assert!(sheet.contains("Label    safe, 2nd floor\n"));
        assert!(sheet.contains(&format!("Slot     {slot}\n")));
        let id: String = vault
            .engine()
            .state()
            .unwrap()
            .ring
            .vault()
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        assert!(sheet.replace(' ', "").contains(&format!("Vault{id}\n")));
        // As it is typed from the page: the one line that is a code.
        let mut typed = sheet.lines().filter_map(|line| Unlock::recovery_code(line).ok());
        vault.lock();
        vault.unlock(&typed.next().unwrap()).unwrap();
        assert!(typed.next().is_none());
        vault.close();
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_label_forges_no_line() {
        let code = RecoveryCode {
            code: Zeroizing::new("CODE".to_owned()),
            vault: [7; 16],
            slot: 1,
            label: "a\nRecovery code:\u{1b}[2J".to_owned(),
            made_at: 1_700_000_000,
        };
        let sheet = code.sheet();
        assert!(
            sheet
                .expose_secret()
                .contains("Label    a Recovery code: [2J\nMade     2023-11-14 (UTC)")
        );
        assert_eq!(format!("{code:?}"), "RecoveryCode(..)");
    }
}
