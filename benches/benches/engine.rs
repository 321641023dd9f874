//! The engine's operations and their plain counterparts: `cargo bench -p sealite-benches`.
//!
//! `cargo bench -p sealite-benches -- --profile-time 10 get/sealed` runs one of them under a profiler.

#![allow(missing_docs, clippy::unwrap_used)] // criterion's macros declare the rest; a failure ends the run

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use sealite::{Id, IdRef, ValueRef, Vault};
use sealite_benches::dataset::Dataset;
use sealite_benches::plain::Plain;
use sealite_benches::sealed::{Sealed, fresh_key};

const ROWS: usize = 10_000;
const INSERTED: usize = 10_000;
const LOOKUPS: usize = 100;

fn insert(c: &mut Criterion) {
    let data = Dataset::people(INSERTED);
    let (names, rows) = (data.insert_names(), data.insert_rows());
    let unlock = fresh_key().unwrap();
    let mut group = c.benchmark_group("insert");
    group.throughput(Throughput::Elements(INSERTED as u64)).sample_size(10);
    group.bench_function("plain", |b| {
        b.iter_batched_ref(
            || {
                let folder = tempfile::tempdir().unwrap();
                let plain = Plain::create(&folder.path().join("plain.db"), &data).unwrap();
                (folder, plain)
            },
            |(_, plain)| plain.insert(&names, &rows, INSERTED).unwrap(),
            BatchSize::PerIteration,
        );
    });
    group.bench_function("sealed", |b| {
        b.iter_batched_ref(
            || {
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join("sealed.db");
                (Sealed::create(&path, &unlock, &data).unwrap(), folder)
            },
            |(sealed, _)| sealed.insert(&names, &rows, INSERTED).unwrap(),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn read(c: &mut Criterion) {
    let data = Dataset::people(ROWS);
    let folder = tempfile::tempdir().unwrap();
    let plain = Plain::create(&folder.path().join("plain.db"), &data).unwrap();
    let sealed =
        Sealed::create(&folder.path().join("sealed.db"), &fresh_key().unwrap(), &data).unwrap();
    plain.insert(&data.insert_names(), &data.insert_rows(), ROWS).unwrap();
    sealed.insert(&data.insert_names(), &data.insert_rows(), ROWS).unwrap();
    plain.checkpoint().unwrap();

    let step = ROWS / LOOKUPS;
    let ids: Vec<Id> = data.ids.iter().step_by(step).cloned().collect();
    let emails: Vec<ValueRef<'_>> = data.column_values("email").unwrap().step_by(step).collect();

    let mut group = c.benchmark_group("get");
    group.throughput(Throughput::Elements(LOOKUPS as u64));
    group.bench_function("plain", |b| b.iter(|| plain.get(&ids).unwrap()));
    group.bench_function("sealed", |b| b.iter(|| sealed.get(&ids).unwrap()));
    group.finish();

    let mut group = c.benchmark_group("get_in_transaction");
    group.throughput(Throughput::Elements(LOOKUPS as u64));
    group.bench_function("plain", |b| b.iter(|| plain.get_in_transaction(&ids).unwrap()));
    group.bench_function("sealed", |b| b.iter(|| sealed.get_in_transaction(&ids).unwrap()));
    group.finish();

    let mut group = c.benchmark_group("find");
    group.throughput(Throughput::Elements(LOOKUPS as u64));
    group.bench_function("plain", |b| b.iter(|| plain.find("email", &emails).unwrap()));
    group.bench_function("sealed", |b| b.iter(|| sealed.find("email", &emails).unwrap()));
    group.finish();

    let mut group = c.benchmark_group("scan");
    group.throughput(Throughput::Elements(ROWS as u64)).sample_size(20);
    group.bench_function("plain", |b| b.iter(|| plain.scan().unwrap()));
    group.bench_function("sealed", |b| b.iter(|| sealed.scan().unwrap()));
    group.finish();
}

fn value(c: &mut Criterion) {
    let vault = Vault::in_memory().unwrap();
    let field = vault.field("users.email").unwrap();
    let value = ValueRef::Blob(&[0x42; 64]);
    let record = Some(IdRef::Integer(1));
    let sealed = field.seal(value, record).unwrap();
    let mut group = c.benchmark_group("field of 64 bytes");
    group.bench_function("seal", |b| b.iter(|| field.seal(value, record).unwrap()));
    group.bench_function("open", |b| b.iter(|| field.open(&sealed, record).unwrap()));
    group.finish();
}

criterion_group!(benches, insert, read, value);
criterion_main!(benches);
