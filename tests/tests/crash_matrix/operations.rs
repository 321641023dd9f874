//! The operations: whatever writes. A new one is one line of [`OPERATIONS`].

use std::path::{Path, PathBuf};
use std::time::Duration;

use sealite::{
    Alteration, ApprovalRequest, Author, Change, Column, Entry, ErrorKind, ExposeSecret, Index,
    Limit, Normaliser, Protection, Result, Rotation, SettingDefinition, TableDefinition, TokenKind,
    TokenRequest, Type, ValueRef, Vault, Verdict, values,
};
use sealite_tests::vaults::{people, unlock_in};

use super::{NOW, adopting};

/// The vault that an operation works on, and its folder.
pub(crate) struct Scene {
    pub(crate) vault: Vault,
    pub(crate) folder: PathBuf,
}

impl Scene {
    /// What [`prepare`] has left: a token's text, an id.
    fn left(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.join(name)).unwrap()
    }
}

/// Something that writes.
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&Scene) -> Result<()>,
    /// What has to be there first, beside what [`prepare`] makes.
    pub(crate) prepare: Option<fn(&Scene)>,
    /// What the next start does about an interruption. It changes nothing that shows.
    pub(crate) finish: Option<fn(&Scene) -> Result<()>>,
    /// What else must hold after a fault, in the folder; whether the operation was done.
    pub(crate) check: fn(&Path, bool, &str),
    /// Begins without a vault.
    pub(crate) creates: bool,
    /// What shows of it is noted in passing: its failure is no failure of the call.
    pub(crate) in_passing: bool,
}

const fn simple(name: &'static str, run: fn(&Scene) -> Result<()>) -> Operation {
    Operation {
        name,
        run,
        prepare: None,
        finish: None,
        check: |_, _, _| (),
        creates: false,
        in_passing: false,
    }
}

const fn passing(name: &'static str, run: fn(&Scene) -> Result<()>) -> Operation {
    Operation { in_passing: true, ..simple(name, run) }
}

const fn lasting(
    name: &'static str,
    run: fn(&Scene) -> Result<()>,
    finish: fn(&Scene) -> Result<()>,
) -> Operation {
    Operation { finish: Some(finish), ..simple(name, run) }
}

/// What is left of a rotation once its key is there.
const fn rotation(
    name: &'static str,
    begun: fn(&Scene),
    moved: fn(&Scene) -> Result<()>,
) -> Operation {
    Operation { prepare: Some(begun), ..simple(name, moved) }
}

/// Every operation that writes.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation { creates: true, ..simple("create", create) },
    simple("insert", |s| s.vault.table("people")?.insert(ada()).map(drop)),
    simple("insert_many", insert_many),
    simple("first_row_of_a_tenant", first_row_of_a_tenant),
    simple("update", |s| s.vault.table("people")?.update(3, values! {"name" => "new"}).map(drop)),
    simple("delete", |s| s.vault.table("people")?.delete(3).map(drop)),
    simple("transaction", transaction),
    simple("plain_sql", |s| {
        s.vault.execute("UPDATE own SET role = 'x' WHERE id > 2", &[]).map(drop)
    }),
    simple("define_table", |s| s.vault.define_table(&pages()).map(drop)),
    lasting("protect_column", protect_column, finish_people),
    lasting("drop_column", drop_column, finish_people),
    lasting("add_index", add_index, finish_people),
    lasting("drop_table", |s| s.vault.drop_table("people").map(drop), finish_erasure),
    lasting("protect_table", protect_table, finish_erasure),
    simple("setting", |s| {
        s.vault.settings().write("mail.host", Change::set("b"), &author()).map(drop)
    }),
    simple("token_issue", |s| s.vault.tokens().issue(&api_key("second")).map(drop)),
    passing("token_verify", |s| {
        s.vault.tokens().verify(&s.left("api"), TokenKind::ApiKey).map(drop)
    }),
    passing("token_rejected", token_rejected),
    simple("token_rotate", token_rotate),
    simple("token_consume", |s| {
        s.vault.tokens().consume(&s.left("link"), TokenKind::MagicLink).map(drop)
    }),
    simple("token_revoke", |s| s.vault.tokens().revoke(&s.left("api-id")).map(drop)),
    simple("revoke_subject", |s| s.vault.tokens().revoke_subject("u")),
    simple("audit", |s| s.vault.audit().append(&Entry::new("event").actor("a")).map(drop)),
    simple("audit_retain", |s| s.vault.audit().retain_after(3).map(drop)),
    simple("quota", quota),
    simple("approval_create", |s| s.vault.approvals().create(&request("second")).map(drop)),
    simple("approval_decide", approval_decide),
    simple("slot_add", |s| s.vault.add_slot("more", &unlock_in(&s.folder)).map(drop)),
    simple("recovery_slot", |s| s.vault.add_recovery_slot("more").map(drop)),
    simple("slot_remove", |s| s.vault.remove_slot(2)),
    simple("rotate_master", |s| {
        s.vault.keys().rotate_master(&[unlock_in(&s.folder)], true).map(drop)
    }),
    simple("rotate_begin", |s| s.vault.keys().begin(&Rotation::data(None)).map(drop)),
    rotation(
        "rotate_data",
        |s| begun(s, &Rotation::data(None)),
        |s| moved(s, &Rotation::data(None)),
    ),
    rotation(
        "rotate_data_of_a_tenant",
        |s| begun(s, &Rotation::data(Some("acme"))),
        |s| moved(s, &Rotation::data(Some("acme"))),
    ),
    rotation(
        "rotate_index",
        |s| begun(s, &Rotation::index(None)),
        |s| moved(s, &Rotation::index(None)),
    ),
    rotation(
        "rotate_index_of_a_tenant",
        |s| begun(s, &Rotation::index(Some("acme"))),
        |s| moved(s, &Rotation::index(Some("acme"))),
    ),
    simple("rotate_audit", |s| s.vault.keys().begin(&Rotation::audit()).map(drop)),
    simple("rotate_token", |s| s.vault.keys().begin(&Rotation::token(None)).map(drop)),
    rotation(
        "revoke_left",
        |s| begun(s, &Rotation::token(None)),
        |s| s.vault.keys().revoke_left(None).map(drop),
    ),
    rotation("rotate_token_end", none_left, |s| moved(s, &Rotation::token(None))),
    Operation {
        prepare: Some(rotated),
        ..lasting("destroy_retired", destroy_retired, finish_erasure)
    },
    Operation {
        prepare: Some(subjects),
        ..lasting("erase_subject", erase_subject, finish_erasure)
    },
    Operation {
        prepare: Some(subjects_in_rotation),
        ..lasting("erase_subject_in_rotation", erase_subject, finish_in_rotation)
    },
    Operation {
        prepare: Some(|s| begun(s, &Rotation::index(Some("acme")))),
        ..lasting("erase_tenant_in_rotation", erase_tenant, finish_in_rotation)
    },
    lasting("erase_tenant", erase_tenant, finish_erasure),
    Operation { check: backup_is_whole, ..passing("backup", backup) },
    Operation { creates: true, ..simple("restore", restore) },
    Operation {
        prepare: Some(adopting::application),
        check: adopting::is_nowhere_lost,
        ..lasting("adopt", adopting::adopt_tables, adopting::adopt_tables)
    },
    Operation {
        prepare: Some(adopting::application),
        check: adopting::is_announced,
        ..lasting("adopt_values", adopting::adopt_values, adopting::adopt_values)
    },
    lasting("compact", |s| s.vault.compact().map(drop), finish_erasure),
    Operation { prepare: Some(mark_erasure), ..lasting("finish_erasure", erase, finish_erasure) },
];

/// The vault that operations begin with.
pub(crate) fn prepare(folder: &Path) {
    let vault = Vault::create(folder.join("vault.db"), &unlock_in(folder)).unwrap();
    vault.set_clock(Some(NOW));
    vault.define_table(&people()).unwrap();
    let notes = TableDefinition::new("notes")
        .text_key("slug")
        .per_tenant()
        .column(Column::text("body").sealed().index(Index::unique()));
    vault.define_table(&notes).unwrap();
    for n in 1..=10 {
        let (email, name) = (format!("p{n}@example.org"), "n".repeat(n * 40));
        let row = values! {"email" => &email, "name" => &name, "note" => "plain"};
        vault.table("people").unwrap().insert(row).unwrap();
    }
    let acme = vault.tenant("acme").unwrap();
    acme.table("notes").unwrap().insert(values! {"slug" => "a", "body" => "b"}).unwrap();
    vault
        .execute("CREATE TABLE own (id INTEGER PRIMARY KEY, email TEXT UNIQUE, role TEXT)", &[])
        .unwrap();
    for n in 1..=5 {
        let email = format!("own{n}@example.org");
        let row = [ValueRef::from(email.as_str())];
        vault.execute("INSERT INTO own (email, role) VALUES (?, 'user')", &row).unwrap();
    }
    let settings = vault.settings();
    settings.define(&SettingDefinition::new("mail.host", Type::Text)).unwrap();
    settings.write("mail.host", Change::set("a"), &author()).unwrap();
    let tokens = vault.tokens();
    let leave = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    let api = tokens.issue(&api_key("first")).unwrap();
    leave("api", api.text.expose_secret());
    leave("api-id", api.token.id());
    for (name, kind) in [("link", TokenKind::MagicLink), ("refresh", TokenKind::Refresh)] {
        let issued = tokens.issue(&TokenRequest::new(kind).subject("u").label(name)).unwrap();
        leave(name, issued.text.expose_secret());
    }
    vault.quotas().check_and_charge("somebody", &limits(), 1).unwrap();
    leave("approval", &vault.approvals().create(&request("first")).unwrap());
    vault.add_recovery_slot("paper").unwrap();
    vault.backup(folder.join("earlier.db")).unwrap();
    vault.close();
}

fn ada() -> &'static [(&'static str, ValueRef<'static>)] {
    const {
        &[
            ("email", ValueRef::Text("ada@example.org")),
            ("name", ValueRef::Text("Ada")),
            ("role", ValueRef::Text("admin")),
        ]
    }
}

fn author() -> Author {
    Author::new("ada")
}

fn limits() -> Vec<Limit> {
    Limit::parse("10/hour").unwrap()
}

fn api_key(label: &str) -> TokenRequest {
    let minute = Duration::from_secs(60);
    TokenRequest::new(TokenKind::ApiKey).subject("u").label(label).last_used_every(minute)
}

fn request(action: &str) -> ApprovalRequest {
    ApprovalRequest::new(action, "{}", "ada")
}

fn pages() -> TableDefinition {
    TableDefinition::new("pages").column(Column::text("text").sealed())
}

fn create(scene: &Scene) -> Result<()> {
    match scene.vault.initialise(&unlock_in(&scene.folder)) {
        // It had been done when it failed.
        Err(error) if error.kind() == ErrorKind::AlreadyInitialised => {
            scene.vault.unlock(&unlock_in(&scene.folder))
        }
        created => created,
    }
}

fn insert_many(scene: &Scene) -> Result<()> {
    let emails: Vec<String> = (0..60).map(|n| format!("many{n}@example.org")).collect();
    let long = "x".repeat(700);
    let rows: Vec<[ValueRef<'_>; 2]> =
        emails.iter().map(|email| [email.into(), (&long).into()]).collect();
    scene.vault.table("people")?.insert_many(&["email", "name"], &rows).map(drop)
}

/// The tenant's keys are made with it.
fn first_row_of_a_tenant(scene: &Scene) -> Result<()> {
    let beta = scene.vault.tenant("beta")?;
    let notes = beta.table("notes")?;
    notes.insert(values! {"slug" => "a", "body" => "b"}).map(drop)
}

fn transaction(scene: &Scene) -> Result<()> {
    scene.vault.transaction(|tx| {
        tx.table("people")?.insert(ada())?;
        tx.table("people")?.delete(1)?;
        tx.tenant_table("beta", "notes")?.insert(values! {"slug" => "t", "body" => "t"})?;
        tx.execute("INSERT INTO own (email) VALUES ('t@example.org')", &[])?;
        tx.audit(&Entry::new("all.at.once"))?;
        tx.tokens().issue(&api_key("within")).map(drop)
    })
}

fn protect_column(scene: &Scene) -> Result<()> {
    let protect = Alteration::Protect("note".into(), Protection::Sealed);
    scene.vault.alter_table("people", &protect).map(drop)
}

fn drop_column(scene: &Scene) -> Result<()> {
    scene.vault.alter_table("people", &Alteration::DropColumn("note".into())).map(drop)
}

fn add_index(scene: &Scene) -> Result<()> {
    let index = Index::lookup(5_000).normaliser(Normaliser::Text);
    scene.vault.alter_table("people", &Alteration::AddIndex("name".into(), index)).map(drop)
}

fn finish_people(scene: &Scene) -> Result<()> {
    scene.vault.finish_alteration("people").map(drop)
}

fn protect_table(scene: &Scene) -> Result<()> {
    scene.vault.protect_table("own", &["email sealed unique email", "role authenticated"]).map(drop)
}

fn finish_erasure(scene: &Scene) -> Result<()> {
    let erasure = scene.vault.finish_erasure()?;
    assert_eq!(erasure, sealite::Erasure::Complete);
    assert!(scene.vault.health().ready, "{:?}", scene.vault.health().reasons);
    Ok(())
}

/// As [`finish_erasure`], while records are under a retired key.
fn finish_in_rotation(scene: &Scene) -> Result<()> {
    assert_eq!(scene.vault.finish_erasure()?, sealite::Erasure::Complete);
    Ok(())
}

fn token_rejected(scene: &Scene) -> Result<()> {
    let mut text = scene.left("link");
    // The right text, and another kind.
    text.truncate(text.trim_end().len());
    match scene.vault.tokens().verify(&text, TokenKind::Admin) {
        Err(error) if error.kind() == ErrorKind::TokenRejected => Ok(()),
        other => other.map(drop),
    }
}

fn token_rotate(scene: &Scene) -> Result<()> {
    let grace = Duration::from_secs(30);
    scene.vault.tokens().rotate(&scene.left("refresh"), TokenKind::Refresh, grace).map(drop)
}

fn quota(scene: &Scene) -> Result<()> {
    scene.vault.quotas().check_and_charge("somebody", &limits(), 2).map(drop)
}

fn approval_decide(scene: &Scene) -> Result<()> {
    let id = scene.left("approval");
    scene.vault.approvals().decide(&id, "bob", None, Verdict::Approve, None).map(drop)
}

fn begun(scene: &Scene, rotation: &Rotation) {
    scene.vault.keys().begin(rotation).unwrap();
}

/// Steps to the end; of one that had ended, nothing.
fn moved(scene: &Scene, rotation: &Rotation) -> Result<()> {
    while scene.vault.keys().step(rotation)?.finished_at.is_none() {}
    Ok(())
}

/// The data key and what is under the old one, as far as the passes go: the key was made before.
fn rotated(scene: &Scene) {
    scene.vault.keys().run(&Rotation::data(None), |_| ()).unwrap();
}

fn destroy_retired(scene: &Scene) -> Result<()> {
    scene.vault.keys().destroy_retired(&Rotation::data(None), true).map(drop)
}

fn subjects(scene: &Scene) {
    let diary = TableDefinition::new("diary")
        .column(Column::integer("person").authenticated())
        .column(Column::text("text").sealed())
        .subject("person");
    scene.vault.define_table(&diary).unwrap();
    for person in [7, 8, 7] {
        let row = values! {"person" => person, "text" => "private"};
        scene.vault.table("diary").unwrap().insert(row).unwrap();
    }
}

fn subjects_in_rotation(scene: &Scene) {
    subjects(scene);
    begun(scene, &Rotation::data(None));
}

fn erase_tenant(scene: &Scene) -> Result<()> {
    scene.vault.erase_tenant("acme").map(drop)
}

/// No token is left under the old pepper.
fn none_left(scene: &Scene) {
    begun(scene, &Rotation::token(None));
    scene.vault.keys().revoke_left(None).unwrap();
}

fn erase_subject(scene: &Scene) -> Result<()> {
    scene.vault.erase_subject(None, "7").map(drop)
}

fn backup(scene: &Scene) -> Result<()> {
    scene.vault.backup(scene.folder.join("backup.db")).map(drop)
}

/// Either there is no backup, or a whole one.
fn backup_is_whole(folder: &Path, _: bool, what: &str) {
    let file = folder.join("backup.db");
    if !file.exists() {
        return;
    }
    let copy = Vault::open(&file, &unlock_in(folder)).unwrap();
    assert!(copy.verify(|_| ()).unwrap().is_sound(), "{what}");
    assert!(copy.audit().verify(None).unwrap().is_sound(), "{what}");
    assert_eq!(copy.table("people").unwrap().count().unwrap(), 10, "{what}");
    copy.close();
    // The operation may be repeated.
    std::fs::remove_file(file).unwrap();
}

fn restore(scene: &Scene) -> Result<()> {
    let (from, to) = (scene.folder.join("earlier.db"), scene.folder.join("vault.db"));
    let unlock = unlock_in(&scene.folder);
    match Vault::restore(from, &to, &unlock) {
        // It had been done when it failed.
        Err(error) if error.kind() == ErrorKind::Refused && to.exists() => {
            scene.vault.unlock(&unlock)
        }
        restored => restored.map(drop),
    }
}

/// Remnants that a reader has kept from being overwritten.
fn mark_erasure(scene: &Scene) {
    let snapshot = scene.vault.snapshot().unwrap();
    let alteration = Alteration::DropColumn("note".into());
    let erasure = scene.vault.alter_table("people", &alteration).unwrap();
    assert_eq!(erasure, sealite::Erasure::Pending);
    drop(snapshot);
}

/// An entry first: the erasure alone does not show.
fn erase(scene: &Scene) -> Result<()> {
    scene.vault.audit().append(&Entry::new("erasing"))?;
    scene.vault.finish_erasure().map(drop)
}
