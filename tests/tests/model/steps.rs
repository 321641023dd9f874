//! What can be done in one step.

use proptest::prelude::*;

/// E-mail addresses, people and tenants that a case has: few, so that they meet again.
pub(crate) const EMAILS: u8 = 12;
pub(crate) const PEOPLE: u8 = 3;
pub(crate) const TENANTS: [&str; 2] = ["acme", "beta"];

/// What is done in one step.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A row of a table of the vault's own, by its unique e-mail address.
    Insert(u8, u16),
    /// The sealed and the authenticated column of the row of that address.
    Update(u8, u16),
    Delete(u8),
    Find(u8),
    /// A row of a tenant, by its text key: inserted, or updated where it is there.
    Note(usize, u8, u16),
    DeleteNote(usize, u8),
    /// A row that is a person's own, of the vault (no tenant) or of a tenant.
    Write(Option<usize>, u8, u16),
    /// A session of a person.
    Session(u8),
    /// One of the sessions is presented.
    Present(u8),
    /// Several rows at once; taken back where the flag is false.
    Transaction(Vec<(u8, u16)>, bool),
    /// Another process commits a row, begins a transaction with a second one, and is killed.
    Crash(u8, u8),
    Reopen,
    /// Locked, every call refused, and unlocked again.
    Lock,
    Compact,
    /// A key is changed to the end: the data, index, token or audit key, of the vault or of a tenant.
    Rotate(u8, Option<usize>),
    /// The same change is begun only.
    Begin(u8, Option<usize>),
    /// Everything that was begun goes on by so many steps.
    Go(u8),
    /// Keys that a rotation has replaced are destroyed, where nothing is under them.
    DestroyRetired(u8, Option<usize>),
    RotateMaster,
    RotateAll,
    EraseSubject(Option<usize>, u8),
    EraseTenant(usize),
    /// How far the trail goes is kept outside of the vault.
    Checkpoint,
    Backup,
    /// The last backup takes the place of the vault.
    Restore,
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let email = || 0..EMAILS;
    let person = || 0..PEOPLE;
    let size = || prop_oneof![4 => 0_u16..64, 1 => 0_u16..9_000];
    let tenant = || 0..TENANTS.len();
    let perhaps = || prop::option::of(0..TENANTS.len());
    let rows = prop_oneof![
        6 => (email(), size()).prop_map(|(e, s)| Step::Insert(e, s)),
        4 => (email(), size()).prop_map(|(e, s)| Step::Update(e, s)),
        3 => email().prop_map(Step::Delete),
        3 => email().prop_map(Step::Find),
        3 => (tenant(), 0_u8..4, size()).prop_map(|(t, k, s)| Step::Note(t, k, s)),
        1 => (tenant(), 0_u8..4).prop_map(|(t, k)| Step::DeleteNote(t, k)),
        4 => (perhaps(), person(), size()).prop_map(|(t, p, s)| Step::Write(t, p, s)),
        2 => person().prop_map(Step::Session),
        2 => (0_u8..8).prop_map(Step::Present),
        2 => (prop::collection::vec((email(), size()), 1..5), any::<bool>())
            .prop_map(|(rows, keep)| Step::Transaction(rows, keep)),
    ];
    let life = prop_oneof![
        2 => (email(), email()).prop_map(|(first, second)| Step::Crash(first, second)),
        1 => Just(Step::Reopen),
        1 => Just(Step::Lock),
        1 => Just(Step::Compact),
        1 => Just(Step::Checkpoint),
        1 => Just(Step::Backup),
        1 => Just(Step::Restore),
    ];
    let keys = prop_oneof![
        2 => (0_u8..4, perhaps()).prop_map(|(k, t)| Step::Rotate(k, t)),
        2 => (0_u8..4, perhaps()).prop_map(|(k, t)| Step::Begin(k, t)),
        2 => (1_u8..4).prop_map(Step::Go),
        2 => (0_u8..4, perhaps()).prop_map(|(k, t)| Step::DestroyRetired(k, t)),
        1 => Just(Step::RotateMaster),
        1 => Just(Step::RotateAll),
        2 => (perhaps(), person()).prop_map(|(t, p)| Step::EraseSubject(t, p)),
        1 => tenant().prop_map(Step::EraseTenant),
    ];
    prop_oneof![5 => rows, 1 => life, 2 => keys]
}
