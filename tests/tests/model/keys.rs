//! The steps that concern keys and the file as a whole.

use sealite::{
    Config, Erasure, ErrorKind, RestoreOptions, Rotation, RotationState, TokenKind, Vault, values,
};
use sealite_tests::vaults::unlock_in;

use super::steps::Step;
use super::world::{Moment, Person, World, taken};

impl World {
    pub(crate) fn take_keys(&mut self, step: &Step) {
        match step {
            Step::Rotate(kind, tenant) => self.rotate(&self.rotation(*kind, *tenant)),
            Step::Begin(kind, tenant) => {
                if let Err(error) = self.vault.keys().begin(&self.rotation(*kind, *tenant)) {
                    // It has begun, or a tenant, or the vault, has no such key yet.
                    let kind = error.kind();
                    assert!(matches!(kind, ErrorKind::Conflict | ErrorKind::NotFound), "{error}");
                }
            }
            Step::Go(steps) => self.go(*steps),
            Step::DestroyRetired(kind, tenant) => {
                let rotation = self.rotation(*kind, *tenant);
                match self.vault.keys().destroy_retired(&rotation, true) {
                    Ok((_, erasure)) => assert_eq!(erasure, Erasure::Complete),
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Refused, "{error}"),
                }
            }
            Step::RotateMaster => {
                let kept = self.vault.keys().rotate_master(&[unlock_in(&self.folder)], false);
                assert_eq!(kept.unwrap().kept.len(), 1);
            }
            Step::RotateAll => {
                let keep = [unlock_in(&self.folder)];
                let (_, done) = self.vault.keys().rotate_all(&keep, false, |_| ()).unwrap();
                assert!(done.iter().all(|done| done.state != RotationState::Running));
            }
            Step::EraseSubject(tenant, person) => {
                self.erase_subject((tenant.map(|at| self.tenant(at)), i64::from(*person)));
            }
            Step::EraseTenant(at) => self.erase_tenant(*at),
            Step::Checkpoint => {
                let text = self.vault.audit().checkpoint().unwrap().text().to_owned();
                self.checkpoint = Some(Moment { seq: self.last_entry(), text });
            }
            Step::Backup => {
                let to = self.folder.join("backup.db");
                let _ = std::fs::remove_file(&to);
                self.vault.backup(to).unwrap();
                self.backup = Some((self.model.clone(), self.last_entry()));
            }
            _ => self.restore(),
        }
    }

    fn rotation(&self, kind: u8, tenant: Option<usize>) -> Rotation {
        let tenant = tenant.map(|at| self.tenant(at));
        match kind {
            0 => Rotation::data(tenant.as_deref()),
            1 => Rotation::index(tenant.as_deref()),
            2 => Rotation::token(tenant.as_deref()),
            _ => Rotation::audit(),
        }
    }

    fn rotate(&self, rotation: &Rotation) {
        match self.vault.keys().run(rotation, |_| ()) {
            // A pepper's waits for the sessions to be presented.
            Ok(done) => match done.state {
                RotationState::Finished => assert_eq!(done.left, 0),
                state => {
                    assert_eq!((state, rotation.kind().name()), (RotationState::Waiting, "token"));
                    assert!(done.left > 0 && !self.model.sessions.is_empty());
                }
            },
            // A tenant, or the vault, that has no such key yet.
            Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound, "{error}"),
        }
    }

    fn go(&self, steps: u8) {
        let keys = self.vault.keys();
        for status in keys.rotations().unwrap() {
            for _ in 0..steps {
                let now = keys.step(&status.rotation).unwrap();
                assert!(now.done >= status.done);
            }
        }
    }

    fn erase_subject(&mut self, person: Person) {
        let (tenant, name) = (person.0.as_deref(), person.1.to_string());
        let rows = self.model.diaries.remove(&person).unwrap_or_default();
        let mut gone = Vec::new();
        if person.0.is_none() {
            gone = taken(&mut self.model.sessions, |_, of| *of == person.1);
        }
        let known = self.model.erased.contains(&person);
        match self.vault.erase_subject(tenant, &name) {
            Ok(receipt) => {
                assert_eq!(receipt.erasure(), Erasure::Complete);
                assert!(known || receipt.rows() == rows.len() as u64, "{}", receipt.rows());
                assert_eq!(self.vault.verify_receipt(receipt.text()).unwrap(), receipt);
                self.model.erased.insert(person);
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
                assert!(!known && rows.is_empty() && gone.is_empty());
            }
        }
        for (text, _) in gone {
            let refused = self.vault.tokens().verify(&text, TokenKind::Session);
            assert_eq!(refused.err().map(|e| e.kind()), Some(ErrorKind::TokenRejected));
        }
    }

    fn erase_tenant(&mut self, at: usize) {
        let name = self.tenant(at);
        let of = |tenant: Option<&str>| tenant == Some(&name);
        let notes = taken(&mut self.model.notes, |(t, _), _| *t == name);
        let diaries = taken(&mut self.model.diaries, |(t, _), _| of(t.as_deref()));
        let rows = notes.len() + diaries.iter().map(|(_, texts)| texts.len()).sum::<usize>();
        match self.vault.erase_tenant(&name) {
            Ok(receipt) => {
                assert_eq!(receipt.erasure(), Erasure::Complete);
                assert_eq!(receipt.rows(), rows as u64);
                let tenant = self.vault.tenant(&name).unwrap();
                let notes = tenant.table("notes").unwrap();
                let refused = notes.insert(values! {"slug" => "x", "body" => "x"}).unwrap_err();
                assert_eq!(refused.kind(), ErrorKind::DestroyedKey);
                assert_eq!(notes.count().unwrap(), 0);
                self.model.lives[at] += 1;
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
                assert_eq!(rows, 0);
            }
        }
    }

    fn last_entry(&self) -> i64 {
        self.vault.audit().tail(1).unwrap()[0].seq()
    }

    /// The model goes back, too. Whoever has a later checkpoint is told.
    fn restore(&mut self) {
        let Some((model, seq)) = self.backup.clone() else { return };
        self.vault.close();
        let (from, to) = (self.folder.join("backup.db"), self.folder.join("vault.db"));
        std::fs::remove_file(&to).unwrap();
        let unlock = unlock_in(&self.folder);
        let checkpoint = self.checkpoint.take().filter(|checkpoint| checkpoint.seq > seq);
        if let Some(checkpoint) = &checkpoint {
            let mut options = RestoreOptions::default();
            options.checkpoint = Some(checkpoint.text.clone());
            let refused = Vault::restore_with(&from, &to, &unlock, &options, |_| true);
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::Refused);
            assert!(!to.exists());
        }
        Vault::restore(from, &to, &unlock).unwrap();
        if let Some(checkpoint) = checkpoint {
            let mut config = Config::default();
            config.checkpoint = Some(checkpoint.text);
            let refused = Vault::at_with(&to, config).unwrap().unlock(&unlock);
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::RolledBack);
        }
        self.open();
        self.model = model;
    }
}
