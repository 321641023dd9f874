//! The vault under test and its model: rows, tokens, transactions, crashes.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};

use sealite::{
    Column, ErrorKind, ExposeSecret, IdRef, Index, Normaliser, Table, TableDefinition, TokenKind,
    TokenRequest, Vault, values,
};
use sealite_tests::process::fork;
use sealite_tests::vaults::unlock_in;

use super::steps::{Step, TENANTS};

/// A person of the vault's own (no tenant) or of a tenant.
pub(crate) type Person = (Option<String>, i64);

/// What the vault must hold.
#[derive(Clone, Default, PartialEq, Debug)]
pub(crate) struct Model {
    /// By e-mail address: the name and the role.
    pub(crate) people: BTreeMap<String, (String, String)>,
    /// By tenant and key: the body.
    pub(crate) notes: BTreeMap<(String, String), String>,
    /// What each person has written.
    pub(crate) diaries: BTreeMap<Person, BTreeSet<String>>,
    /// Whose sessions hold, by their text.
    pub(crate) sessions: BTreeMap<String, i64>,
    pub(crate) erased: BTreeSet<Person>,
    /// How often each tenant was erased: it goes on under another name.
    pub(crate) lives: [usize; 2],
}

/// A vault's trail at one moment.
pub(crate) struct Moment {
    pub(crate) seq: i64,
    pub(crate) text: String,
}

pub(crate) struct World {
    pub(crate) folder: PathBuf,
    pub(crate) vault: Vault,
    pub(crate) model: Model,
    /// With the last entry of its trail.
    pub(crate) backup: Option<(Model, i64)>,
    pub(crate) checkpoint: Option<Moment>,
}

fn email(n: u8) -> String {
    format!("person{n}@example.org")
}

/// A value that tells its step.
fn text(size: u16, at: usize) -> String {
    format!("{at}:{}", "x".repeat(usize::from(size)))
}

impl World {
    pub(crate) fn new(folder: &Path) -> Self {
        for name in ["vault.db", "vault.db-wal", "vault.db-shm", "backup.db"] {
            let _ = std::fs::remove_file(folder.join(name));
        }
        let vault = Vault::create(folder.join("vault.db"), &unlock_in(folder)).unwrap();
        let unique = Index::unique().normaliser(Normaliser::Email);
        let people = TableDefinition::new("people")
            .column(Column::text("email").sealed().not_null().index(unique))
            .column(Column::text("name").sealed())
            .column(Column::text("role").authenticated().default("user"));
        let notes = TableDefinition::new("notes")
            .text_key("slug")
            .per_tenant()
            .column(Column::text("body").sealed());
        let diary = |name: &str| {
            TableDefinition::new(name)
                .column(Column::integer("person").authenticated())
                .column(Column::text("text").sealed().index(Index::unique()))
                .subject("person")
        };
        for definition in [people, notes, diary("diary"), diary("journal").per_tenant()] {
            vault.define_table(&definition).unwrap();
        }
        let folder = folder.to_owned();
        World { folder, vault, model: Model::default(), backup: None, checkpoint: None }
    }

    pub(crate) fn open(&mut self) {
        self.vault = Vault::open(self.folder.join("vault.db"), &unlock_in(&self.folder)).unwrap();
    }

    /// The name of a tenant: another one after each erasure.
    pub(crate) fn tenant(&self, at: usize) -> String {
        format!("{}{}", TENANTS[at], self.model.lives[at])
    }

    pub(crate) fn take(&mut self, at: usize, step: &Step) {
        let name = |size: u16| text(size, at);
        match step {
            Step::Insert(who, size) => self.insert(email(*who), name(*size)),
            Step::Update(who, size) => {
                let (email, name, role) = (email(*who), name(*size), format!("role {size}"));
                if let Some(id) = self.id_of(&email) {
                    let row = values! {"name" => &name, "role" => &role};
                    assert!(self.vault.table("people").unwrap().update(id, row).unwrap());
                    self.model.people.insert(email, (name, role));
                }
            }
            Step::Delete(who) => {
                let email = email(*who);
                if let Some(id) = self.id_of(&email) {
                    assert!(self.vault.table("people").unwrap().delete(id).unwrap());
                    assert!(self.model.people.remove(&email).is_some());
                }
            }
            Step::Find(who) => {
                let email = email(*who);
                assert_eq!(self.id_of(&email).is_some(), self.model.people.contains_key(&email));
            }
            Step::Note(tenant, key, size) => self.note(*tenant, *key, &name(*size)),
            Step::DeleteNote(tenant, key) => {
                let (tenant, slug) = (self.tenant(*tenant), format!("note-{key}"));
                let handle = self.vault.tenant(&tenant).unwrap();
                let deleted = handle.table("notes").unwrap().delete(&slug).unwrap();
                assert_eq!(deleted, self.model.notes.remove(&(tenant, slug)).is_some());
            }
            Step::Write(tenant, person, size) => {
                let tenant = tenant.map(|at| self.tenant(at));
                self.write((tenant, i64::from(*person)), name(*size));
            }
            Step::Session(person) => self.session(i64::from(*person)),
            Step::Present(number) => self.present(*number),
            Step::Transaction(rows, keep) => self.transaction(at, rows, *keep),
            Step::Crash(first, second) => self.crash(at, *first, *second),
            Step::Reopen => {
                self.vault.close();
                self.open();
            }
            Step::Lock => {
                self.vault.lock();
                let refused = self.vault.table("people").and_then(|people| people.count());
                assert_eq!(refused.unwrap_err().kind(), ErrorKind::Locked);
                self.vault.unlock(&unlock_in(&self.folder)).unwrap();
            }
            Step::Compact => {
                assert_eq!(self.vault.compact().unwrap().erasure, sealite::Erasure::Complete);
            }
            _ => self.take_keys(step),
        }
    }

    fn insert(&mut self, email: String, name: String) {
        let row = values! {"email" => &email, "name" => &name};
        match self.vault.table("people").unwrap().insert(row) {
            Ok(_) => {
                let new = self.model.people.insert(email, (name, "user".into()));
                assert!(new.is_none(), "a second row of the address");
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
                assert!(self.model.people.contains_key(&email));
            }
        }
    }

    fn id_of(&self, email: &str) -> Option<i64> {
        // In any spelling.
        let asked = email.to_uppercase();
        let found = self.vault.table("people").unwrap().find_one("email", &asked).unwrap()?;
        assert_eq!(found.text("email").unwrap(), email);
        match found.id() {
            IdRef::Integer(id) => Some(id),
            _ => panic!("an integer key"),
        }
    }

    fn note(&mut self, tenant: usize, key: u8, body: &str) {
        let (tenant, slug) = (self.tenant(tenant), format!("note-{key}"));
        let handle = self.vault.tenant(&tenant).unwrap();
        let notes = handle.table("notes").unwrap();
        if !notes.update(&slug, values! {"body" => body}).unwrap() {
            notes.insert(values! {"slug" => &slug, "body" => body}).unwrap();
        }
        self.model.notes.insert((tenant, slug), body.to_owned());
    }

    /// Runs work on the table of what people write.
    pub(crate) fn diary<T>(&self, tenant: Option<&str>, work: impl FnOnce(&Table<'_>) -> T) -> T {
        match tenant {
            None => work(&self.vault.table("diary").unwrap()),
            Some(name) => {
                let tenant = self.vault.tenant(name).unwrap();
                work(&tenant.table("journal").unwrap())
            }
        }
    }

    fn write(&mut self, person: Person, text: String) {
        let row = values! {"person" => person.1, "text" => &text};
        let written = self.diary(person.0.as_deref(), |diary| diary.insert(row));
        if self.model.erased.contains(&person) {
            return assert_eq!(written.unwrap_err().kind(), ErrorKind::DestroyedKey);
        }
        written.unwrap();
        let found = self.diary(person.0.as_deref(), |diary| diary.find_one("text", &text));
        assert_eq!(found.unwrap().unwrap().get("person").unwrap().as_i64().unwrap(), person.1);
        self.model.diaries.entry(person).or_default().insert(text);
    }

    fn session(&mut self, person: i64) {
        let request = TokenRequest::new(TokenKind::Session).subject(person.to_string());
        let issued = self.vault.tokens().issue(&request);
        if self.model.erased.contains(&(None, person)) {
            return assert_eq!(issued.err().map(|e| e.kind()), Some(ErrorKind::DestroyedKey));
        }
        let text = issued.unwrap().text.expose_secret().to_owned();
        self.model.sessions.insert(text, person);
    }

    fn present(&self, number: u8) {
        if let Some((text, person)) = self.model.sessions.iter().nth(usize::from(number)) {
            let token = self.vault.tokens().verify(text, TokenKind::Session).unwrap();
            assert_eq!(token.subject(), Some(person.to_string().as_str()));
        }
    }

    fn transaction(&mut self, at: usize, rows: &[(u8, u16)], keep: bool) {
        let mut model = self.model.clone();
        let transaction = self.vault.begin().unwrap();
        let mut whole = true;
        for (who, size) in rows {
            let (email, name) = (email(*who), text(*size, at));
            let row = values! {"email" => &email, "name" => &name};
            let inserted = transaction.table("people").unwrap().insert(row).is_ok();
            assert_eq!(inserted, !model.people.contains_key(&email));
            whole &= inserted;
            if inserted {
                model.people.insert(email, (name, "user".into()));
            }
        }
        if keep && whole {
            transaction.commit().unwrap();
            self.model = model;
        } else {
            transaction.roll_back().unwrap();
        }
    }

    fn crash(&mut self, at: usize, first: u8, second: u8) {
        let (first, second) = (email(first), email(second));
        let name = text(7, at);
        self.vault.close();
        let folder = self.folder.clone();
        let child = fork(|| {
            let vault = Vault::open(folder.join("vault.db"), &unlock_in(&folder)).unwrap();
            let people = vault.table("people").unwrap();
            let _ = people.insert(values! {"email" => &first, "name" => &name});
            let transaction = vault.begin().unwrap();
            let long = "y".repeat(50_000);
            let people = transaction.table("people").unwrap();
            let _ = people.insert(values! {"email" => &second, "name" => &long});
            // SAFETY: both take a number and have no other preconditions.
            unsafe { libc::kill(libc::getpid(), libc::SIGKILL) };
        });
        assert_eq!(child.end().signal(), Some(libc::SIGKILL));
        self.open();
        self.model.people.entry(first).or_insert((name, "user".into()));
    }

    /// Everything that can be read is the model's.
    pub(crate) fn check(&self) {
        let Model { sessions, erased, lives, .. } = self.model.clone();
        let mut found = Model { sessions, erased, lives, ..Model::default() };
        for row in self.vault.table("people").unwrap().scan().unwrap() {
            let row = row.unwrap();
            let text = |name: &str| row.text(name).unwrap().to_owned();
            found.people.insert(text("email"), (text("name"), text("role")));
        }
        let mut owners = vec![None];
        for at in 0..TENANTS.len() {
            let tenant = self.tenant(at);
            let handle = self.vault.tenant(&tenant).unwrap();
            for row in handle.table("notes").unwrap().scan().unwrap() {
                let row = row.unwrap();
                let IdRef::Text(slug) = row.id() else { panic!("a text key") };
                let body = row.text("body").unwrap().to_owned();
                found.notes.insert((tenant.clone(), slug.to_owned()), body);
            }
            owners.push(Some(tenant));
        }
        for tenant in owners {
            self.diary(tenant.as_deref(), |diary| {
                for row in diary.scan().unwrap() {
                    let row = row.unwrap();
                    let person = (tenant.clone(), row.get("person").unwrap().as_i64().unwrap());
                    let text = row.text("text").unwrap().to_owned();
                    assert!(found.diaries.entry(person).or_default().insert(text));
                }
            });
        }
        assert!(found == self.model, "found {found:?}\nexpected {:?}", self.model);
    }
}

/// Takes out what the test is true for.
pub(crate) fn taken<K: Ord + Clone, V>(
    map: &mut BTreeMap<K, V>,
    mut test: impl FnMut(&K, &V) -> bool,
) -> Vec<(K, V)> {
    let keys: Vec<K> =
        map.iter().filter(|(key, value)| test(key, value)).map(|(key, _)| key.clone()).collect();
    keys.into_iter().filter_map(|key| map.remove_entry(&key)).collect()
}
