//! Forking while other threads are inside calls on the vault: whatever they were doing, each call of the child ends, the
//! handle goes, and the file opens anew.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::too_many_lines)]

use std::fmt::Debug;
use std::os::unix::process::ExitStatusExt;
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sealite::{
    Alteration, Author, Change, Column, Config, Entry, Error, ErrorKind, ExposeSecret, Limit,
    SettingDefinition, TableDefinition, TokenKind, TokenRequest, Type, Vault, values,
};
use sealite_tests::process::{LEAD, fork, staged, tell};
use sealite_tests::scale::scaled;
use sealite_tests::vaults::{Home, assert_distinct_nonces, assert_integrity, insert_rows, people};

/// Rows that are there before anything forks.
const ROWS: usize = 200;

/// What all children of a test together may take, in seconds; and each of them.
const LIMIT: u64 = 900;
const CHILD_SECONDS: u32 = 120;

/// What every thread and every child works with.
struct Shared {
    home: Home,
    token: String,
    sealed: Vec<u8>,
}

type Done = Result<(), Error>;
/// A kind of call, with a number that differs each time.
type Call = fn(&Vault, &Shared, u64) -> Done;

/// One of each kind of call on a vault.
const CALLS: [(&str, Call); 16] = [
    ("get", |vault, _, n| vault.table("people")?.get(number(n)).map(drop)),
    ("find", |vault, _, n| {
        let email = format!("start{}@example.org", n as usize % ROWS);
        vault.table("people")?.find_one("email", email.as_str()).map(drop)
    }),
    ("insert", |vault, _, _| {
        vault.table("people")?.insert(values! {"email" => &unique("insert")}).map(drop)
    }),
    ("transaction", |vault, _, n| {
        vault.transaction(|transaction| {
            let table = transaction.table("people")?;
            table.update(number(n), values! {"name" => "again"})?;
            table.insert(values! {"email" => &unique("transaction")}).map(drop)
        })
    }),
    ("scan", |vault, _, _| {
        vault.table("people")?.scan()?.take(600).try_for_each(|row| row.map(drop))
    }),
    ("field", |vault, shared, _| {
        let field = vault.field("users.email")?;
        field.open(&shared.sealed, None)?;
        field.seal("ada@example.org", None).map(drop)
    }),
    ("tenant", |vault, _, n| {
        let field = vault.tenant(&format!("tenant{}", n % 40))?.field("f")?;
        let sealed = field.seal("x", None)?;
        field.open(&sealed, None).map(drop)
    }),
    ("token", |vault, shared, _| {
        vault.tokens().verify(&shared.token, TokenKind::Session).map(drop)
    }),
    ("issue", |vault, _, _| {
        vault.tokens().issue(&TokenRequest::new(TokenKind::Session).subject("ada")).map(drop)
    }),
    ("setting", |vault, _, _| vault.settings().use_value("limit").map(drop)),
    ("set", |vault, _, n| {
        let change = Change::set(i64::try_from(n).unwrap());
        vault.settings().write("limit", change, &Author::new("test")).map(drop)
    }),
    ("audit", |vault, _, _| vault.audit().append(&Entry::new("user.login")).map(drop)),
    ("quota", |vault, _, _| {
        vault.quotas().check_and_charge("ada", &Limit::parse("1000000/day")?, 1).map(drop)
    }),
    ("sql", |vault, _, _| {
        let connection = vault.connect()?;
        connection.query("SELECT count(*) FROM people WHERE role = 'user'", &[]).map(drop)
    }),
    ("rename", |vault, _, _| {
        // A new state is published each time. Whoever is first makes it so; the others find another name.
        for (old, new) in [("ping", "pong"), ("pong", "ping")] {
            let rename = Alteration::RenameColumn(old.into(), new.into());
            match vault.alter_table("spare", &rename) {
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Conflict) => {
                }
                done => return done.map(drop),
            }
        }
        Ok(())
    }),
    ("look", |vault, _, n| {
        let _ = (vault.health(), vault.metrics(), vault.status()?);
        vault.count(&format!("name{}", n % 900), 1)
    }),
];

/// What goes on in memory, under locks that are held for most of the time and without a connection.
const IN_MEMORY: [(&str, Call); 4] = [
    ("count", |vault, _, n| vault.count(&format!("name{}", n % 900), 1)),
    ("metrics", |vault, _, _| {
        drop(vault.metrics());
        Ok(())
    }),
    ("setting", |vault, _, _| vault.settings().use_value("limit").map(drop)),
    ("field", |vault, shared, _| vault.field("users.email")?.open(&shared.sealed, None).map(drop)),
];

fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap() % i64::try_from(ROWS).unwrap() + 1
}

fn unique(what: &str) -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("{what}{number}of{}@example.org", std::process::id())
}

/// A vault in which every kind of call has something to work on.
fn shared() -> (Vault, Shared) {
    let home = Home::new();
    let vault = vault_at(&home, |vault| vault.initialise(&home.unlock()));
    vault.define_table(&people()).unwrap();
    let spare = TableDefinition::new("spare").column(Column::text("ping").sealed());
    vault.define_table(&spare).unwrap();
    insert_rows(&vault, "start", ROWS);
    let limit = SettingDefinition::new("limit", Type::Integer).default(10);
    vault.settings().define(&limit).unwrap();
    let issued = vault.tokens().issue(&TokenRequest::new(TokenKind::Session).subject("ada"));
    let token = issued.unwrap().text.expose_secret().to_owned();
    let sealed = vault.field("users.email").unwrap().seal("ada@example.org", None).unwrap();
    (vault, Shared { home, token, sealed })
}

/// The vault, with patience for a machine on which everybody writes.
fn vault_at(home: &Home, open: impl FnOnce(&Vault) -> Result<(), Error>) -> Vault {
    let mut config = Config::default();
    config.busy_timeout = Duration::from_secs(120);
    let vault = Vault::at_with(home.file(), config).unwrap();
    open(&vault).unwrap();
    vault
}

/// True for a call that worked, false for one that was refused as the parent's.
fn worked<T: Debug>(what: &str, done: Result<T, Error>) -> bool {
    match done {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Forked, "{what}: {error}");
            false
        }
    }
}

/// What a child does with what it has inherited, and with the file; true where the inherited vault could be used.
fn in_child(vault: &Vault, shared: &Shared) -> bool {
    // A name that is not there yet takes a lock that those who count and read share.
    let mut usable = worked("count", vault.count(&format!("child{}", std::process::id()), 1));
    for (n, (what, call)) in CALLS.iter().enumerate() {
        usable &= worked(what, call(vault, shared, n as u64));
    }
    // The last handle but for those of threads that this process does not have: what it holds goes now.
    // SAFETY: the vault is borrowed by nobody who runs in this process, and not used here again; _exit() follows.
    drop(unsafe { std::ptr::read(vault) });
    let own = vault_at(&shared.home, |vault| vault.unlock(&shared.home.unlock()));
    for (n, (what, call)) in CALLS.iter().enumerate() {
        call(&own, shared, n as u64).unwrap_or_else(|error| panic!("anew, {what}: {error}"));
    }
    own.close();
    usable
}

/// Forks so many times beside threads that make these calls, and holds that no child hangs or fails.
fn children_end(calls: &'static [(&'static str, Call)], threads: usize, children: usize) {
    let (vault, shared) = shared();
    let (stop, made) = (AtomicBool::new(false), AtomicU64::new(0));
    // Nobody calls while a child is at work: SQLite's lock goes to whoever asks most.
    let turn = RwLock::new(());
    let (mut hung, mut failed, mut usable) = (0, 0, 0);
    let mut slowest = Duration::ZERO;
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (vault, shared, stop, made, turn) = (&vault, &shared, &stop, &made, &turn);
            scope.spawn(move || {
                let mut n = thread as u64;
                while !stop.load(Ordering::Relaxed) {
                    let _turn = turn.read();
                    let (what, call) = calls[(thread + n as usize / 4) % calls.len()];
                    call(vault, shared, n).unwrap_or_else(|error| panic!("{what}: {error}"));
                    n += 1;
                    made.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let path = shared.home.folder().join("usable");
        for _ in 0..children {
            let before = made.load(Ordering::Relaxed);
            while made.load(Ordering::Relaxed) < before + threads as u64 {
                std::thread::yield_now();
            }
            let start = Instant::now();
            let child = fork(|| {
                // SAFETY: alarm() takes a number and has no other preconditions.
                unsafe { libc::alarm(CHILD_SECONDS) };
                if in_child(&vault, &shared) {
                    std::fs::write(&path, "yes").unwrap();
                }
            });
            let paused = turn.write();
            let status = child.end();
            drop(paused);
            slowest = slowest.max(start.elapsed());
            if status.signal().is_some() {
                hung += 1;
            } else if !status.success() {
                failed += 1;
            }
            usable += usize::from(std::fs::remove_file(&path).is_ok());
        }
        stop.store(true, Ordering::Relaxed);
    });
    let made = made.load(Ordering::Relaxed);
    tell(format_args!(
        "of {children} children beside {threads} threads and {made} calls {hung} hung, {failed} failed; {usable} \
         could use what they inherited; the slowest took {slowest:?}"
    ));
    assert_eq!((hung, failed), (0, 0), "children that hung, and that failed");
    assert!(vault.verify(|_| ()).unwrap().is_sound());
    vault.close();
    assert_distinct_nonces(&shared.home.file());
    assert_integrity(&shared.home.file());
}

#[test]
fn children_of_a_parent_inside_calls_of_every_kind_end_and_open_the_file_anew() {
    staged(
        "children_of_a_parent_inside_calls_of_every_kind_end_and_open_the_file_anew",
        LIMIT,
        |stage| {
            assert_eq!(stage.role(), LEAD);
            children_end(&CALLS, 8, scaled(40, 600));
        },
    );
}

#[test]
fn children_of_a_parent_that_works_in_memory_go_on_with_the_vault() {
    staged("children_of_a_parent_that_works_in_memory_go_on_with_the_vault", LIMIT, |stage| {
        assert_eq!(stage.role(), LEAD);
        children_end(&IN_MEMORY, 8, scaled(40, 600));
    });
}
