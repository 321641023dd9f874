//! What can be used once is used once, by whatever number of threads and processes.

use std::path::Path;
use std::sync::Barrier;
use std::time::Duration;

use sealite::{CodeRequest, ErrorKind, ExposeSecret, TokenKind, Vault};
use sealite_tests::process::{Process, Stage, listen, staged, tell};
use sealite_tests::scale::scaled;
use sealite_tests::vaults::{Home, open_in_with};

use super::{entries, issue, refused};

const PROCESSES: usize = 8;
const THREADS: usize = 16;

#[test]
fn a_one_shot_token_is_used_once() {
    let vault = Vault::in_memory().unwrap();
    let tokens = vault.tokens();
    for kind in [TokenKind::MagicLink, TokenKind::Reset, TokenKind::Invite] {
        let (_, text) = issue(&tokens, kind, "u");
        assert_eq!(tokens.peek(&text, kind).unwrap().uses_left(), Some(1));
        assert_eq!(tokens.consume(&text, kind).unwrap().uses_left(), Some(0));
        refused(&vault, "used_up", || tokens.consume(&text, kind));
        refused(&vault, "used_up", || tokens.peek(&text, kind));
    }
    assert_eq!(entries(&vault, "token.consumed"), 3);
}

#[test]
fn break_glass_takes_an_arming_each_time_and_is_no_admin_token() {
    let vault = Vault::in_memory().unwrap();
    let tokens = vault.tokens();
    let kind = TokenKind::BreakGlass;
    let (issued, text) = issue(&tokens, kind, "on call");
    let (start, id) = (issued.token.created_at(), issued.token.id());
    refused(&vault, "not_armed", || tokens.consume(&text, kind));
    for incident in ["the first", "the second"] {
        let armed = tokens.arm(id, incident, Duration::from_secs(600)).unwrap();
        assert_eq!(
            armed.armed_until(),
            Some(start.max(armed.armed_until().unwrap() - 600_000) + 600_000)
        );
        refused(&vault, "wrong_kind", || tokens.verify(&text, TokenKind::Admin));
        refused(&vault, "wrong_kind", || tokens.verify(&text, kind));
        refused(&vault, "wrong_kind", || tokens.peek(&text, kind));
        let used = tokens.consume(&text, kind).unwrap();
        assert_eq!(used.armed_reason(), Some(incident));
        refused(&vault, "not_armed", || tokens.consume(&text, kind));
    }
    assert_eq!(entries(&vault, "token.break_glass_used"), 2);
    tokens.arm(id, "a drill", Duration::from_secs(60)).unwrap();
    assert!(tokens.disarm(id).unwrap() && !tokens.disarm(id).unwrap());
    refused(&vault, "not_armed", || tokens.consume(&text, kind));
    let armed = tokens.arm(id, "a drill", Duration::from_secs(60)).unwrap();
    vault.set_clock(Some(armed.armed_until().unwrap()));
    refused(&vault, "not_armed", || tokens.consume(&text, kind));
    let (admin, _) = issue(&tokens, TokenKind::Admin, "u");
    for (id, reason) in [(admin.token.id(), "why"), (id, "")] {
        let error = tokens.arm(id, reason, Duration::from_secs(60)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}

#[test]
fn a_use_in_a_transaction_is_taken_where_that_commits() {
    let vault = Vault::in_memory().unwrap();
    let (_, text) = issue(&vault.tokens(), TokenKind::Invite, "u");
    let rolled_back: sealite::Result<()> = vault.transaction(|tx| {
        tx.tokens().consume(&text, TokenKind::Invite)?;
        assert!(tx.tokens().consume(&text, TokenKind::Invite).is_err(), "within it, it is used");
        tx.execute("no SQL", &[]).map(|_| ())
    });
    assert!(rolled_back.is_err());
    assert_eq!(entries(&vault, "token.consumed"), 0);
    vault.transaction(|tx| tx.tokens().consume(&text, TokenKind::Invite).map(|_| ())).unwrap();
    assert_eq!(entries(&vault, "token.consumed"), 1);
    refused(&vault, "used_up", || vault.tokens().consume(&text, TokenKind::Invite));
}

/// Presents what it is told, in all its threads at once; tells how many succeeded.
fn presenter(folder: &Path) {
    let vault = open_in_with(folder, Duration::from_secs(60));
    while let Some(line) = listen() {
        let (kind, rest) = line.split_once(' ').unwrap();
        let (id, text) = rest.split_once(' ').unwrap();
        let kind = TokenKind::from_name(kind).unwrap();
        let barrier = Barrier::new(THREADS);
        let used: usize = std::thread::scope(|scope| {
            let present = || {
                barrier.wait();
                let tokens = vault.tokens();
                let used = match kind {
                    TokenKind::ShortCode => tokens.verify_code(id, text),
                    _ => tokens.consume(text, kind),
                };
                match used {
                    Ok(_) => 1,
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::TokenRejected, "{error}");
                        0
                    }
                }
            };
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(present)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        tell(used);
    }
}

/// Has every process present it at once; how often that succeeded.
fn present(processes: &mut [Process], kind: TokenKind, id: &str, text: &str) -> usize {
    let line = format!("{} {id} {text}", kind.name());
    for process in processes.iter_mut() {
        process.say(&line);
    }
    processes.iter_mut().map(|process| process.hear().parse::<usize>().unwrap()).sum()
}

fn crowd(test: &'static str, play: impl FnOnce(&Vault, &mut [Process])) {
    staged(test, scaled(300, 1_200), |stage: &Stage| {
        if stage.role() == "presenter" {
            return presenter(&stage.path());
        }
        let home = Home::new();
        home.share_key();
        let vault = home.create();
        let mut processes: Vec<_> =
            (0..PROCESSES).map(|_| stage.process("presenter", home.folder())).collect();
        play(&vault, &mut processes);
    });
}

#[test]
fn of_all_who_present_a_one_shot_token_at_once_one_succeeds() {
    const TEST: &str = "one_shot::of_all_who_present_a_one_shot_token_at_once_one_succeeds";
    crowd(TEST, |vault, processes| {
        for round in 1..=50 {
            let (issued, text) = issue(&vault.tokens(), TokenKind::MagicLink, "u");
            let used = present(processes, TokenKind::MagicLink, issued.token.id(), &text);
            assert_eq!(used, 1, "round {round}");
            assert_eq!(entries(vault, "token.consumed"), round);
        }
    });
}

#[test]
fn of_all_who_break_the_glass_at_once_one_succeeds_for_each_arming() {
    const TEST: &str = "one_shot::of_all_who_break_the_glass_at_once_one_succeeds_for_each_arming";
    crowd(TEST, |vault, processes| {
        let (issued, text) = issue(&vault.tokens(), TokenKind::BreakGlass, "on call");
        for round in 1..=50 {
            let id = issued.token.id();
            vault.tokens().arm(id, "an incident", Duration::from_secs(600)).unwrap();
            assert_eq!(present(processes, TokenKind::BreakGlass, id, &text), 1, "round {round}");
            assert_eq!(entries(vault, "token.break_glass_used"), round);
        }
    });
}

#[test]
fn of_all_who_guess_a_code_at_once_no_more_than_the_attempts_are_answered() {
    const TEST: &str =
        "one_shot::of_all_who_guess_a_code_at_once_no_more_than_the_attempts_are_answered";
    crowd(TEST, |vault, processes| {
        let mut failed = 0;
        for round in 0..scaled(2, 50) {
            let issued = vault.tokens().issue_code(&CodeRequest::new("u").attempts(7)).unwrap();
            let (id, code) = (issued.token.id(), issued.code.expose_secret());
            let wrong = if code == "000000" { "000001" } else { "000000" };
            assert_eq!(present(processes, TokenKind::ShortCode, id, wrong), 0);
            failed += 7;
            assert_eq!(entries(vault, "token.code_failed"), failed, "round {round}");
            assert_eq!(vault.tokens().get(id).unwrap().attempts_left(), Some(0));
            assert!(vault.tokens().verify_code(id, code).is_err(), "the right one comes too late");
        }
        for round in 1..=scaled(2, 50) {
            let issued = vault.tokens().issue_code(&CodeRequest::new("v")).unwrap();
            let (id, code) = (issued.token.id(), issued.code.expose_secret());
            assert_eq!(present(processes, TokenKind::ShortCode, id, code), 1, "round {round}");
            assert_eq!(entries(vault, "token.consumed"), round);
        }
    });
}
