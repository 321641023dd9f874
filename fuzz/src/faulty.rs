//! The operations of `stateful.rs` on a file whose writes, syncs and truncations fail: once, or from some event on as on a
//! full disk. What a failed operation leaves is the state before it or the state after it, also for whoever reads on, and
//! the vault opens again and goes on.

use sealite::{ErrorKind, ExposeSecret, Unlock, Vault};

use super::faults::{Fault, arm, disarm};
use super::stateful::{MAX_STEPS, World};

/// Which fault, and at which event, are the first two bytes; the operations come behind them.
pub fn stateful_faults(data: &[u8]) {
    let _ = failures(data);
}

/// The number of operations that failed.
pub fn failures(data: &[u8]) -> usize {
    let Some((&[how, at], operations)) = data.split_first_chunk() else { return 0 };
    let fault = if how % 2 == 0 { Fault::Io } else { Fault::Full };
    let at = 1 + usize::from(at) + 256 * usize::from(how / 2 % 4);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("vault.db");
    let key = sealite::generate_key().expect("a key");
    let unlock = Unlock::key_text(key.expose_secret()).expect("a key");
    let vault = Vault::create(&path, &unlock).expect("a vault");
    let mut world = World::new(vault).expect("a table");
    let mut failures = 0;
    arm(folder.path(), fault, at, 0);
    for pair in operations.chunks_exact(2).take(MAX_STEPS) {
        let &[what, with] = pair else { continue };
        let Err(error) = world.step(what, with) else { continue };
        assert!(is_of_the_disk(error.kind()), "{error}");
        failures += 1;
        world.abandon();
        // Whoever reads on sees a whole state, or is refused.
        match world.seen() {
            Ok(rows) => assert!(world.may_be(&rows), "half of it"),
            Err(error) => assert!(is_of_the_disk(error.kind()), "{error}"),
        }
        disarm();
        world.vault.close();
        let vault = Vault::open(&path, &unlock).expect("it opens again");
        let before = World::rows_of(&vault).expect("it can be read");
        assert!(world.may_be(&before), "half of it is there");
        world = world.reopened(vault).expect("it can be read");
    }
    disarm();
    world.end();
    failures
}

fn is_of_the_disk(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Io | ErrorKind::Full)
}
