//! The demonstration: an application's people moved into a vault, and what that is worth: `make demo`.

mod cost;
mod guess;
mod move_in;
mod needles;
mod report;
mod search;
mod source;
mod tamper;
mod use_it;

use std::io::Write;
use std::path::{Path, PathBuf};

use sealite::{Unlock, Vault};

use crate::Outcome;
use crate::units::{bytes, grouped};
use report::Report;
use source::Source;

/// What to show, and where.
pub struct Options<'a> {
    /// The user's own database, and the table in it; none to make one.
    pub database: Option<PathBuf>,
    /// The table; none where the database has only one.
    pub table: Option<String>,
    /// The columns to seal; none to guess them by their names.
    pub columns: Option<Vec<String>>,
    /// How many people to make.
    pub people: usize,
    /// Interleaved pairs of the timings.
    pub pairs: usize,
    /// The folder where the vault stays.
    pub folder: PathBuf,
    /// Called on the vault before its files are searched. For tests that plant what must be found.
    pub meddle: Option<&'a Meddle>,
}

/// What a test does to the vault in between.
pub type Meddle = dyn Fn(&Vault) -> Outcome<()>;

/// Where everything lies.
struct Files {
    people: PathBuf,
    vault: PathBuf,
    key: PathBuf,
}

impl Files {
    fn of(folder: &Path) -> Self {
        let of = |name| folder.join(name);
        Files { people: of("people.db"), vault: of("vault.db"), key: of("vault.key") }
    }
}

/// Runs the demonstration and writes its report; true where every claim holds.
pub fn run(options: &Options<'_>, out: &mut dyn Write) -> Outcome<bool> {
    let files = Files::of(&options.folder);
    std::fs::create_dir_all(&options.folder)?;
    refuse_own_files(options.database.as_deref(), &files)?;
    for path in [&files.people, &files.vault] {
        remove_database(path)?;
    }
    remove(&files.key)?;

    let mut report = Report::new(out);
    report.plain("Sealite: personal data in SQLite, sealed")?;
    let mut source = database(options, &files, &mut report)?;
    let unlock = new_key(&files.key)?;
    let vault = move_in::show(&mut source, &files, &unlock, &mut report)?;
    use_it::find(&source, &vault, &mut report)?;
    let changed = use_it::update(&source, &vault, &mut report)?;
    if let Some(meddle) = options.meddle {
        meddle(&vault)?;
    }
    // Of the open vault: its log has not been written back yet.
    let copies = search::Copies::take(&files.vault, &options.folder)?;
    vault.close();
    tamper::show(&source, &files.vault, &unlock, &mut report)?;
    search::show(&source, &changed, &copies, &files.vault, &mut report)?;
    drop(copies);
    cost::show(&source, options, &mut report)?;
    let holds = report.failed() == 0;
    end(&source, &files, &mut report)?;
    Ok(holds)
}

fn database(options: &Options<'_>, files: &Files, report: &mut Report<'_>) -> Outcome<Source> {
    let path = options.database.as_deref().unwrap_or(&files.people);
    let made = options.database.is_none();
    report.step("An application's database, in clear")?;
    if made {
        source::make(path, options.people)?;
    }
    let table = options.table.as_deref().filter(|_| !made);
    let source = source::read(path, table, options.columns.as_deref(), made)?;
    let rows = grouped(source.data.rows.len() as u64);
    let size = bytes(std::fs::metadata(path)?.len());
    report.fact("file", &format!("{}, {size}", path.display()))?;
    report.fact("table", &format!("{}, {rows} rows by {}", source.data.table, source.data.key))?;
    if made {
        let seed = source::SEED;
        report
            .fact("people", &format!("made up here, in the scripts of 16 locales, seed {seed}"))?;
    }
    if source.data.rows.len() < 2 {
        return Err("two rows are needed, to copy the record of one over the other's".into());
    }
    Ok(source)
}

/// A fresh key in a file for its owner alone.
fn new_key(path: &Path) -> Outcome<Unlock> {
    use sealite::ExposeSecret;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    writeln!(options.open(path)?, "{}", sealite::generate_key()?.expose_secret())?;
    Ok(Unlock::key_file(path)?)
}

fn end(source: &Source, files: &Files, report: &mut Report<'_>) -> Outcome<()> {
    let (vault, key) = (files.vault.display(), files.key.display());
    let verdict = match report.failed() {
        0 => "Every claim holds. The vault stays, to look at:".to_owned(),
        1 => "ONE CLAIM FAILED. The vault stays, to look at:".to_owned(),
        failed => format!("{failed} CLAIMS FAILED. The vault stays, to look at:"),
    };
    report.plain(&format!("\n{verdict}"))?;
    report.plain(&format!("   sealite status {vault}"))?;
    report.plain(&format!(
        "   sealite table describe {vault} {} --key file:{key}",
        source.data.table
    ))?;
    report.plain(&format!("   sealite verify {vault} --key file:{key}"))
}

/// The demonstration's files are written anew: the user's database must not be one of them.
fn refuse_own_files(database: Option<&Path>, files: &Files) -> Outcome<()> {
    let Some(database) = database else { return Ok(()) };
    let database =
        database.canonicalize().map_err(|error| format!("{}: {error}", database.display()))?;
    let ours = [&files.people, &files.vault, &files.key];
    if ours.into_iter().any(|path| path.canonicalize().is_ok_and(|path| path == database)) {
        return Err(format!("{} is the demonstration's own file", database.display()).into());
    }
    Ok(())
}

/// Removes a database of an earlier run.
pub(crate) fn remove_database(path: &Path) -> Outcome<()> {
    ["", "-wal", "-shm"].into_iter().try_for_each(|suffix| remove(&beside(path, suffix)))
}

/// The file of that name with a suffix.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn remove(path: &Path) -> Outcome<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
