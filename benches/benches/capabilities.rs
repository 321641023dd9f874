//! Sessions, the audit trail, quotas and SQL: `cargo bench -p sealite-benches --bench capabilities`.

#![allow(missing_docs, clippy::unwrap_used)] // criterion's macros declare the rest; a failure ends the run

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use sealite::{Entry, ExposeSecret, TokenKind, TokenRequest, Vault};
use sealite_benches::dataset::Dataset;
use sealite_benches::sealed::{Sealed, fresh_key};

const ROWS: usize = 10_000;
const LOOKUPS: usize = 100;
const SESSIONS: usize = 100;
const ENTRIES: usize = 1_000;

fn tokens(c: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::create(folder.path().join("tokens.db"), &fresh_key().unwrap()).unwrap();
    let tokens = vault.tokens();
    let issue = |number| {
        let request = TokenRequest::new(TokenKind::Session).subject(format!("user-{number}"));
        tokens.issue(&request).unwrap().text.expose_secret().to_owned()
    };
    let texts: Vec<String> = (0..SESSIONS).map(issue).collect();
    let mut group = c.benchmark_group("token");
    group.throughput(Throughput::Elements(SESSIONS as u64));
    group.bench_function("verify", |b| {
        b.iter(|| {
            for text in &texts {
                black_box(tokens.verify(text, TokenKind::Session).unwrap());
            }
        });
    });
    group.finish();
}

fn audit(c: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::create(folder.path().join("audit.db"), &fresh_key().unwrap()).unwrap();
    let entry = |number| {
        Entry::new("user.changed")
            .actor("admin@example.org")
            .subject(format!("user-{number}"))
            .payload(r#"{"field":"email","from":"form","ok":true}"#)
    };
    let entries: Vec<Entry> = (0..ENTRIES).map(entry).collect();
    let mut group = c.benchmark_group("audit");
    group.throughput(Throughput::Elements(ENTRIES as u64)).sample_size(10);
    group.bench_function("append", |b| {
        b.iter_batched(
            || vault.begin().unwrap(),
            |transaction| {
                for entry in &entries {
                    transaction.audit(entry).unwrap();
                }
                // Rolled back: the trail is as long at each pass.
                transaction
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn sql(c: &mut Criterion) {
    let data = Dataset::people(ROWS);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sql.db");
    let sealed = Sealed::create(&path, &fresh_key().unwrap(), &data).unwrap();
    sealed.insert(&data.insert_names(), &data.insert_rows(), ROWS).unwrap();
    let vault = sealed.vault();
    let snapshot = vault.snapshot().unwrap();
    let mut group = c.benchmark_group("sql");
    group.throughput(Throughput::Elements(LOOKUPS as u64));
    let mut get = snapshot.prepare("SELECT email, name FROM users WHERE id = ?").unwrap();
    group.bench_function("get", |b| {
        b.iter(|| {
            for id in (1..).step_by(ROWS / LOOKUPS).take(LOOKUPS) {
                get.bind(1, id).unwrap();
                while get.step().unwrap() {
                    black_box(get.value(0).unwrap());
                }
            }
        });
    });
    let emails: Vec<_> = data.column_values("email").unwrap().step_by(ROWS / LOOKUPS).collect();
    let mut find = snapshot.prepare("SELECT id, name FROM users WHERE email = ?").unwrap();
    group.bench_function("find", |b| {
        b.iter(|| {
            for email in &emails {
                find.bind(1, *email).unwrap();
                while find.step().unwrap() {
                    black_box(find.value(1).unwrap());
                }
            }
        });
    });
    drop((get, find));
    drop(snapshot);
    let insert =
        "INSERT INTO users (email, name, address, role, plan) VALUES (?, ?, ?, 'user', 'free')";
    group.throughput(Throughput::Elements(ENTRIES as u64)).sample_size(10);
    group.bench_function("insert", |b| {
        b.iter_batched(
            || vault.begin().unwrap(),
            |transaction| {
                let mut statement = transaction.prepare(insert).unwrap();
                for number in 0..ENTRIES {
                    let email = format!("new-{number}@mail.example");
                    statement.bind(1, email.as_str()).unwrap();
                    statement.bind(2, "Ada Lovelace").unwrap();
                    statement.bind(3, "1 Main Street, Springfield").unwrap();
                    while statement.step().unwrap() {}
                }
                drop(statement);
                // Rolled back: the table is as large at each pass.
                transaction
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, tokens, audit, sql);
criterion_main!(benches);
