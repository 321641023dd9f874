//! Approvals over processes, restarts, clocks, tenants and edits from outside.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sealite::{
    ApprovalRequest, ApprovalState, Approvals, ErrorKind, Result, Unlock, Vault, Verdict,
};

const KEY: [u8; 32] = *b"\x11\x52\x93\xa4\x15\x06\x77\xe8\x99\x0a\xbb\x2c\xcd\x3e\x4f\x50\
    \x61\xd2\x83\x74\x95\xf6\x17\xb8\x29\x4a\xcb\x6c\x0d\xee\x1f\x90";
/// 2027-01-15, in milliseconds since 1970.
const NOW: i64 = 4_102_444_800_000;
const PAYLOAD: &str = r#"{"sql":"DELETE FROM users","args":{"b":1,"a":[2,3]}}"#;

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Home(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("vault.db")
    }

    fn create(&self) -> Vault {
        Vault::create(self.file(), &Unlock::key(&KEY).unwrap()).unwrap()
    }

    fn open(&self) -> Vault {
        open(&self.file())
    }
}

fn open(file: &Path) -> Vault {
    Vault::open(file, &Unlock::key(&KEY).unwrap()).unwrap()
}

/// Runs this very test in another process, which finds its part in the environment.
fn part(test: &str, id: &str, file: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env("SEALITE_PART", id)
        .env("SEALITE_PART_FILE", file)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// The request's id and the file, in the other process.
fn my_part() -> Option<(String, PathBuf)> {
    let part = std::env::var("SEALITE_PART").ok()?;
    Some((part, std::env::var_os("SEALITE_PART_FILE").unwrap().into()))
}

fn request() -> ApprovalRequest {
    ApprovalRequest::new("execute_sql", PAYLOAD, "agent")
        .subject("ada")
        .session("s-1")
        .expires_in(Duration::from_secs(60))
}

fn approve(approvals: &Approvals, id: &str, who: &str) -> Result<()> {
    approvals.decide(id, who, Some("admin"), Verdict::Approve, None).map(|_| ())
}

fn kind<T>(result: Result<T>) -> ErrorKind {
    result.err().expect("refused").kind()
}

fn events(vault: &Vault) -> Vec<String> {
    let tail = vault.audit().tail(1_000).unwrap();
    let names = tail.iter().map(|event| event.event().to_owned());
    names.filter(|name| name.starts_with("approval.")).collect()
}

#[test]
fn approvals_survive_a_restart() {
    let home = Home::new();
    let vault = home.create();
    let id = vault.approvals().create(&request()).unwrap();
    drop(vault);
    let approvals = home.open().approvals();
    let found = approvals.get(&id).unwrap();
    assert_eq!(found.state, ApprovalState::Pending);
    assert_eq!((found.action.as_str(), found.requester.as_str()), ("execute_sql", "agent"));
    assert_eq!((found.subject.as_deref(), found.session.as_deref()), (Some("ada"), Some("s-1")));
    assert_eq!((found.id.len(), found.expires_at - found.created_at), (26, 60_000));
    approve(&approvals, &id, "grace").unwrap();
    drop(approvals);
    let approvals = home.open().approvals();
    assert_eq!(approvals.claim(&id, PAYLOAD).unwrap().state, ApprovalState::Executed);
    drop(approvals);
    assert_eq!(kind(home.open().approvals().claim(&id, PAYLOAD)), ErrorKind::AlreadyDecided);
}

#[test]
fn create_wait_approve_reject_expire_and_list_pending_by_session() {
    let vault = Vault::in_memory().unwrap();
    vault.set_clock(Some(NOW));
    let approvals = vault.approvals();
    assert!(approvals.list_pending(None, None).unwrap().is_empty(), "before anything was asked");
    let make = |subject: &str, session: &str| {
        approvals.create(&request().subject(subject).session(session)).unwrap()
    };
    let (a, b, c, d) =
        (make("ada", "s-1"), make("ada", "s-2"), make("bob", "s-1"), make("bob", "s-2"));
    let ids = |subject, session| -> Vec<String> {
        let found = approvals.list_pending(subject, session).unwrap();
        found.into_iter().map(|approval| approval.id).collect()
    };
    let sorted = |mut ids: Vec<String>| {
        ids.sort();
        ids
    };
    assert_eq!(sorted(ids(None, Some("s-1"))), sorted(vec![a.clone(), c.clone()]));
    assert_eq!(sorted(ids(Some("ada"), None)), sorted(vec![a.clone(), b.clone()]));
    assert_eq!(ids(Some("bob"), Some("s-2")), vec![d.clone()]);
    assert_eq!(ids(None, None).len(), 4);

    approve(&approvals, &a, "grace").unwrap();
    let rejected = approvals.decide(&b, "grace", None, Verdict::Reject, Some("too broad")).unwrap();
    assert_eq!(rejected.state, ApprovalState::Rejected);
    assert_eq!(rejected.reason.as_deref(), Some("too broad"));
    assert_eq!(approvals.get(&b).unwrap(), rejected);
    assert_eq!(approvals.wait(&a, Duration::ZERO).unwrap().state, ApprovalState::Approved);
    assert_eq!(ids(None, Some("s-1")), vec![c.clone()]);

    vault.set_clock(Some(NOW + 60_000));
    assert!(ids(None, None).is_empty());
    assert_eq!(approvals.wait(&c, Duration::ZERO).unwrap().state, ApprovalState::Expired);
    assert_eq!(approvals.sweep().unwrap(), 3, "two that nobody decided, one that nobody executed");
    assert_eq!(approvals.sweep().unwrap(), 0);
    assert_eq!(events(&vault).iter().filter(|name| *name == "approval.expired").count(), 3);
}

#[test]
fn an_expired_one_cannot_be_approved() {
    let vault = Vault::in_memory().unwrap();
    vault.set_clock(Some(NOW));
    let approvals = vault.approvals();
    let id = approvals.create(&request()).unwrap();
    vault.set_clock(Some(NOW + 59_999));
    assert_eq!(approvals.get(&id).unwrap().state, ApprovalState::Pending);
    vault.set_clock(Some(NOW + 60_000));
    assert_eq!(approvals.get(&id).unwrap().state, ApprovalState::Expired);
    assert_eq!(kind(approve(&approvals, &id, "grace")), ErrorKind::Expired);
    // What was refused has been written down: a clock set back does not revive it.
    vault.set_clock(Some(NOW));
    assert_eq!(kind(approve(&approvals, &id, "grace")), ErrorKind::Expired);
    assert_eq!(kind(approvals.claim(&id, PAYLOAD)), ErrorKind::Expired);
    assert_eq!(events(&vault), ["approval.created", "approval.expired"]);
}

#[test]
fn an_approved_one_cannot_be_executed_after_its_expiry() {
    let vault = Vault::in_memory().unwrap();
    vault.set_clock(Some(NOW));
    let approvals = vault.approvals();
    let id = approvals.create(&request()).unwrap();
    approve(&approvals, &id, "grace").unwrap();
    vault.set_clock(Some(NOW + 60_000));
    assert_eq!(kind(approvals.claim(&id, PAYLOAD)), ErrorKind::Expired);
    assert_eq!(approvals.get(&id).unwrap().approver.as_deref(), Some("grace"));
}

#[test]
fn unknown_and_already_decided_and_not_allowed_and_changed_are_different_errors() {
    let vault = Vault::in_memory().unwrap();
    let approvals = vault.approvals();
    for unknown in ["", "aaaaaaaaaaaaaaaaaaaaaaaaaa"] {
        assert_eq!(kind(approvals.get(unknown)), ErrorKind::NotFound);
        assert_eq!(kind(approve(&approvals, unknown, "grace")), ErrorKind::NotFound);
        assert_eq!(kind(approvals.claim(unknown, PAYLOAD)), ErrorKind::NotFound);
        assert_eq!(kind(approvals.wait(unknown, Duration::ZERO)), ErrorKind::NotFound);
    }
    let id = approvals.create(&request()).unwrap();
    assert_eq!(kind(approve(&approvals, "aaaaaaaaaaaaaaaaaaaaaaaaaa", "x")), ErrorKind::NotFound);
    assert_eq!(kind(approvals.claim(&id, PAYLOAD)), ErrorKind::Denied, "nobody has approved it");
    approve(&approvals, &id, "grace").unwrap();
    for verdict in [Verdict::Approve, Verdict::Reject] {
        let again = approvals.decide(&id, "grace", None, verdict, None);
        assert_eq!(kind(again), ErrorKind::AlreadyDecided);
    }
    assert_eq!(kind(approvals.claim(&id, "{}")), ErrorKind::PayloadChanged);
    approvals.claim(&id, PAYLOAD).unwrap();
    assert_eq!(kind(approvals.claim(&id, PAYLOAD)), ErrorKind::AlreadyDecided);
    let rejected = approvals.create(&request()).unwrap();
    approvals.decide(&rejected, "grace", None, Verdict::Reject, None).unwrap();
    assert_eq!(kind(approvals.claim(&rejected, PAYLOAD)), ErrorKind::Denied);
}

#[test]
fn decided_once_not_by_the_requester_unless_the_policy_allows_it() {
    let vault = Vault::in_memory().unwrap();
    let approvals = vault.approvals();
    let id = approvals.create(&request().allowed_role("admin").allowed_role("owner")).unwrap();
    assert_eq!(kind(approve(&approvals, &id, "agent")), ErrorKind::Denied);
    for role in [None, Some("user"), Some("Admin")] {
        let decided = approvals.decide(&id, "grace", role, Verdict::Approve, None);
        assert_eq!(kind(decided), ErrorKind::Denied);
    }
    assert_eq!(approvals.get(&id).unwrap().state, ApprovalState::Pending);
    let decided = approvals.decide(&id, "grace", Some("owner"), Verdict::Approve, None).unwrap();
    assert_eq!(
        (decided.approver.as_deref(), decided.role.as_deref()),
        (Some("grace"), Some("owner"))
    );
    assert_eq!(
        events(&vault)[1..],
        ["approval.denied"; 4]
            .map(str::to_owned)
            .into_iter()
            .chain(["approval.approved".to_owned()])
            .collect::<Vec<_>>()
    );

    let own = approvals.create(&request().requester_may_decide()).unwrap();
    approve(&approvals, &own, "agent").unwrap();
}

#[test]
fn bound_to_the_payload_in_its_canonical_form_to_full_depth() {
    let vault = Vault::in_memory().unwrap();
    let approvals = vault.approvals();
    let id = approvals.create(&request()).unwrap();
    approve(&approvals, &id, "grace").unwrap();
    for changed in [
        r#"{"sql":"DELETE FROM users","args":{"b":1,"a":[3,2]}}"#,
        r#"{"sql":"DELETE FROM users","args":{"b":1,"a":[2,3],"c":null}}"#,
        r#"{"sql":"DELETE FROM user","args":{"b":1,"a":[2,3]}}"#,
    ] {
        assert_eq!(kind(approvals.claim(&id, changed)), ErrorKind::PayloadChanged);
    }
    assert_eq!(kind(approvals.claim(&id, r#"{"a":1,"a":2}"#)), ErrorKind::InvalidInput);
    let reordered = r#" { "args" : {"a":[2, 3.0],"b":1}, "sql": "DELETE FROM users" } "#;
    approvals.claim(&id, reordered).unwrap();
    let executed = ["approval.payload_changed"; 3].into_iter().chain(["approval.executed"]);
    assert_eq!(events(&vault)[2..], executed.map(str::to_owned).collect::<Vec<_>>());
}

#[test]
fn waiting_in_one_process_sees_the_decision_of_another() {
    if let Some((id, file)) = my_part() {
        let approvals = open(&file).approvals();
        while !file.with_extension("go").exists() {
            std::thread::sleep(Duration::from_millis(1));
        }
        return approve(&approvals, &id, "grace").unwrap();
    }
    let home = Home::new();
    let vault = home.create();
    let approvals = vault.approvals();
    let id = approvals.create(&request()).unwrap();
    let start = Instant::now();
    let pending = approvals.wait(&id, Duration::from_millis(60)).unwrap();
    assert_eq!(pending.state, ApprovalState::Pending);
    assert!(start.elapsed() >= Duration::from_millis(60));
    let mut child = part("waiting_in_one_process_sees_the_decision_of_another", &id, &home.file());
    let waiting = approvals.clone();
    let asked = id.clone();
    let waiter = std::thread::spawn(move || waiting.wait(&asked, Duration::from_secs(50)));
    // The waiting thread holds up nobody: what it waits for comes only after this.
    let other = approvals.create(&request()).unwrap();
    std::fs::write(home.file().with_extension("go"), "").unwrap();
    assert_eq!(waiter.join().unwrap().unwrap().state, ApprovalState::Approved);
    assert!(child.wait().unwrap().success());
    assert_eq!(approvals.get(&other).unwrap().state, ApprovalState::Pending);
}

#[test]
fn waiting_ends_with_the_expiry() {
    let vault = Vault::in_memory().unwrap();
    let approvals = vault.approvals();
    let id = approvals.create(&request().expires_in(Duration::from_millis(80))).unwrap();
    let start = Instant::now();
    let patience = Duration::from_secs(120);
    let expired = approvals.wait(&id, patience).unwrap();
    assert_eq!(expired.state, ApprovalState::Expired);
    assert!(start.elapsed() < patience, "it ended with the request");
}

#[test]
fn of_processes_that_claim_or_decide_at_once_exactly_one_wins() {
    let test = "of_processes_that_claim_or_decide_at_once_exactly_one_wins";
    if let Some((id, file)) = my_part() {
        let approvals = open(&file).approvals();
        let me = std::process::id().to_string();
        std::fs::write(file.with_extension(format!("ready{me}")), "").unwrap();
        while !file.with_extension("go").exists() {
            std::thread::sleep(Duration::from_micros(200));
        }
        let decided = approve(&approvals, &id, &me);
        if let Err(error) = &decided {
            assert_eq!(error.kind(), ErrorKind::AlreadyDecided);
        }
        let claimed = approvals.claim(&id, PAYLOAD);
        if let Err(error) = &claimed {
            assert_eq!(error.kind(), ErrorKind::AlreadyDecided);
        }
        for (what, won) in [("decided", decided.is_ok()), ("claimed", claimed.is_ok())] {
            if won {
                std::fs::write(file.with_extension(format!("{what}{me}")), "").unwrap();
            }
        }
        return;
    }
    let home = Home::new();
    let vault = home.create();
    let id = vault.approvals().create(&request()).unwrap();
    let count = |what: &str| {
        let names = std::fs::read_dir(home.0.path()).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with(&format!("vault.{what}"))).count()
    };
    let children: Vec<Child> = (0..6).map(|_| part(test, &id, &home.file())).collect();
    let start = Instant::now();
    while count("ready") < 6 {
        assert!(start.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(5));
    }
    std::fs::write(home.file().with_extension("go"), "").unwrap();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!((count("decided"), count("claimed")), (1, 1));
    assert_eq!(events(&vault), ["approval.created", "approval.approved", "approval.executed"]);
}

#[test]
fn a_tenant_reaches_no_approval_of_another() {
    let home = Home::new();
    let vault = home.create();
    vault.set_clock(Some(NOW));
    let (acme, beta) = (vault.tenant("acme").unwrap(), vault.tenant("beta").unwrap());
    let id = acme.approvals().create(&request()).unwrap();
    let _ = beta.approvals().create(&request()).unwrap();
    for other in [beta.approvals(), vault.approvals()] {
        assert_eq!(kind(other.get(&id)), ErrorKind::NotFound);
        assert_eq!(kind(approve(&other, &id, "grace")), ErrorKind::NotFound);
        assert_eq!(kind(other.claim(&id, PAYLOAD)), ErrorKind::NotFound);
    }
    assert_eq!(beta.approvals().list_pending(Some("ada"), None).unwrap().len(), 1);
    assert!(vault.approvals().list_pending(Some("ada"), None).unwrap().is_empty());
    approve(&acme.approvals(), &id, "grace").unwrap();
    vault.set_clock(Some(NOW + 60_000));
    assert_eq!(vault.approvals().sweep().unwrap(), 2, "the vault's sweep is for all");
    let tenants: Vec<_> =
        vault.audit().tail(9).unwrap().iter().map(|e| e.tenant().map(str::to_owned)).collect();
    assert!(
        tenants.contains(&Some("acme".to_owned())) && tenants.contains(&Some("beta".to_owned()))
    );
}

#[test]
fn finished_requests_are_removed_after_the_time_they_are_kept_for() {
    const DAY: i64 = 86_400_000;
    let vault = Vault::in_memory().unwrap();
    vault.set_clock(Some(NOW));
    let approvals = vault.approvals();
    let tenant = vault.tenant("acme").unwrap().approvals();
    let create = |request: ApprovalRequest| approvals.create(&request).unwrap();
    let (executed, rejected, expired) = (create(request()), create(request()), create(request()));
    let short = create(request().keep_for(Duration::from_secs(86_400)));
    let open = create(request().expires_in(Duration::from_secs(300 * 86_400)));
    let theirs = tenant.create(&request()).unwrap();
    approve(&approvals, &executed, "grace").unwrap();
    approvals.claim(&executed, PAYLOAD).unwrap();
    for (approvals, id) in [(&approvals, &rejected), (&approvals, &short), (&tenant, &theirs)] {
        approvals.decide(id, "grace", None, Verdict::Reject, None).unwrap();
    }
    vault.set_clock(Some(NOW + 60_000));
    assert_eq!(approvals.sweep().unwrap(), 1, "the one that has expired");
    vault.set_clock(Some(NOW + DAY - 1));
    assert_eq!(approvals.sweep().unwrap(), 0);
    vault.set_clock(Some(NOW + DAY));
    assert_eq!(approvals.sweep().unwrap(), 1);
    assert_eq!(kind(approvals.get(&short)), ErrorKind::NotFound);
    vault.set_clock(Some(NOW + 30 * DAY - 1));
    assert_eq!(approvals.sweep().unwrap(), 0);
    assert_eq!(approvals.get(&rejected).unwrap().state, ApprovalState::Rejected);
    vault.set_clock(Some(NOW + 30 * DAY));
    assert_eq!(approvals.sweep().unwrap(), 3, "the executed, the rejected and the tenant's");
    vault.set_clock(Some(NOW + 30 * DAY + 60_000));
    assert_eq!(approvals.get(&expired).unwrap().state, ApprovalState::Expired);
    // Without a sweep a later change does it.
    let next = create(request());
    for (approvals, gone) in [
        (&approvals, &executed),
        (&approvals, &rejected),
        (&approvals, &expired),
        (&tenant, &theirs),
    ] {
        assert_eq!(kind(approvals.get(gone)), ErrorKind::NotFound);
        assert_eq!(kind(approvals.claim(gone, PAYLOAD)), ErrorKind::NotFound);
    }
    let pending: Vec<_> = approvals.list_pending(None, None).unwrap();
    let ids: Vec<&str> = pending.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids, [open.as_str(), next.as_str()], "what is open stays");
    // What has become of them stays in the trail.
    let executed = |event: &&String| *event == "approval.executed";
    assert_eq!(events(&vault).iter().filter(executed).count(), 1);
    assert!(vault.verify(|_| ()).unwrap().is_sound());
}

#[test]
fn a_request_that_is_kept_for_no_time_is_executed_once_all_the_same() {
    let vault = Vault::in_memory().unwrap();
    let approvals = vault.approvals();
    let id = approvals.create(&request().keep_for(Duration::ZERO)).unwrap();
    approve(&approvals, &id, "grace").unwrap();
    approvals.claim(&id, PAYLOAD).unwrap();
    assert_eq!(kind(approvals.claim(&id, PAYLOAD)), ErrorKind::NotFound);
}

#[test]
fn an_approval_edited_from_outside_is_refused() {
    for edit in [
        "UPDATE sealite_approvals_sealed SET state = 'approved'",
        "UPDATE sealite_approvals_sealed SET expires_at = expires_at + 1000000",
        "UPDATE sealite_approvals_sealed SET due = 1",
        "UPDATE sealite_approvals_sealed SET executed_at = NULL, id = iif(id LIKE 'x%', 'y', 'x') || substr(id, 2)",
    ] {
        let home = Home::new();
        let vault = home.create();
        let mut id = vault.approvals().create(&request()).unwrap();
        vault.close();
        let outside = rusqlite::Connection::open(home.file()).unwrap();
        assert_eq!(outside.execute(edit, []).unwrap(), 1);
        drop(outside);
        if edit.contains(" id = ") {
            id.replace_range(..1, if id.starts_with('x') { "y" } else { "x" });
        }
        let vault = home.open();
        let approvals = vault.approvals();
        assert_eq!(kind(approvals.get(&id)), ErrorKind::AuthenticationFailed, "{edit}");
        let decided = approve(&approvals, &id, "grace");
        assert_eq!(kind(decided), ErrorKind::AuthenticationFailed, "{edit}");
        assert_eq!(kind(approvals.claim(&id, PAYLOAD)), ErrorKind::AuthenticationFailed);
        // It keeps nobody from asking for another.
        approvals.create(&request()).unwrap();
    }
}

#[test]
fn damaged_requests_keep_no_others_from_being_settled() {
    let home = Home::new();
    let vault = home.create();
    vault.set_clock(Some(NOW));
    for _ in 0..20 {
        vault.approvals().create(&request()).unwrap();
    }
    vault.close();
    let outside = rusqlite::Connection::open(home.file()).unwrap();
    let damage = "UPDATE sealite_approvals_sealed SET sealed = x'01'";
    assert_eq!(outside.execute(damage, []).unwrap(), 20);
    drop(outside);
    let vault = home.open();
    vault.set_clock(Some(NOW + 1));
    let approvals = vault.approvals();
    let id = approvals.create(&request().keep_for(Duration::ZERO)).unwrap();
    vault.set_clock(Some(NOW + 60_001));
    assert_eq!(approvals.sweep().unwrap(), 2, "it expires, and is removed");
    assert_eq!(kind(approvals.get(&id)), ErrorKind::NotFound);
    assert_eq!(vault.verify(|_| ()).unwrap().faults.len(), 20);
}

#[test]
fn neither_payload_nor_people_stand_in_the_file() {
    let home = Home::new();
    let vault = home.create();
    let id = vault.approvals().create(&request().subject("ada lovelace")).unwrap();
    vault
        .approvals()
        .decide(&id, "grace hopper", None, Verdict::Reject, Some("because of the moth"))
        .unwrap();
    for entry in std::fs::read_dir(home.0.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        for part in ["lovelace", "hopper", "moth", "DELETE FROM users", "execute_sql", "agent"] {
            let found = bytes.windows(part.len()).any(|window| window == part.as_bytes());
            assert!(!found, "{part}");
        }
    }
}

#[test]
fn requests_out_of_bounds_are_refused_and_leave_nothing() {
    let vault = Vault::in_memory().unwrap();
    let approvals = vault.approvals();
    let long = "x".repeat(257);
    for bad in [
        ApprovalRequest::new("", PAYLOAD, "agent"),
        ApprovalRequest::new("delete", PAYLOAD, ""),
        ApprovalRequest::new("delete", PAYLOAD, &long),
        ApprovalRequest::new("delete", "{", "agent"),
        ApprovalRequest::new("delete", r#"{"a":1,"a":1}"#, "agent"),
        request().expires_in(Duration::ZERO),
        request().expires_in(Duration::from_secs(367 * 86_400)),
        request().keep_for(Duration::from_secs(3_661 * 86_400)),
        request().allowed_role(""),
    ] {
        assert_eq!(kind(approvals.create(&bad)), ErrorKind::InvalidInput);
    }
    assert!(approvals.list_pending(None, None).unwrap().is_empty());
}
