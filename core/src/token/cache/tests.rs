//! What is kept between look-ups, by what the next one asks the file for.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::secret::ExposeSecret;
use crate::token::Memory;
use crate::{TokenKind, TokenRequest, Unlock, Vault};

/// A vault in a file of its own, which is removed at the end.
struct Home {
    vault: Vault,
    folder: std::path::PathBuf,
}

impl Home {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("sealite-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let key = crate::generate_key().unwrap();
        let key = Unlock::key_text(key.expose_secret()).unwrap();
        Home { vault: Vault::create(folder.join("vault.db"), &key).unwrap(), folder }
    }

    fn known(&self, tenant: Option<&str>) -> Known {
        let token =
            self.vault.tokens().issue(&TokenRequest::new(TokenKind::Session)).unwrap().token;
        Known { token, tenant: tenant.map(Arc::from), epoch: None, mark: 0, key: 1 }
    }

    /// Connections that read; of each the cache keeps its own.
    fn readers<const N: usize>(&self) -> [impl std::ops::Deref<Target = Conn>; N] {
        [(); N].map(|()| self.vault.engine().pool.reader().unwrap())
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.vault.close();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// What a look-up asked the file for.
#[derive(PartialEq, Eq, Debug)]
struct Asked {
    whether_it_is_there: bool,
    for_the_row: bool,
}

const EVERYTHING: Asked = Asked { whether_it_is_there: true, for_the_row: true };
const THE_ROW: Asked = Asked { whether_it_is_there: false, for_the_row: true };
const NOTHING: Asked = Asked { whether_it_is_there: false, for_the_row: false };

/// Looks up a token that is there.
fn ask(cache: &Cache, conn: &Conn, id: [u8; 12], known: &Known) -> Asked {
    let mut asked = NOTHING;
    let is_there = || {
        asked.whether_it_is_there = true;
        Ok(true)
    };
    let read = || {
        asked.for_the_row = true;
        Ok(Some(known.clone()))
    };
    let found = cache.get(conn, &id, known.tenant.as_deref(), is_there, read).unwrap().unwrap();
    assert_eq!((found.token.id(), found.tenant), (known.token.id(), known.tenant.clone()));
    asked
}

fn id(number: usize) -> [u8; 12] {
    let mut id = [0; 12];
    id[..8].copy_from_slice(&number.to_be_bytes());
    id
}

#[test]
fn a_token_is_read_twice_and_then_kept_until_somebody_commits() {
    let home = Home::new("cache-kept");
    let (cache, known) = (Cache::default(), home.known(None));
    let [conn] = home.readers();
    assert_eq!(ask(&cache, &conn, id(1), &known), EVERYTHING);
    assert_eq!(ask(&cache, &conn, id(1), &known), THE_ROW);
    assert_eq!(ask(&cache, &conn, id(1), &known), NOTHING);
    assert_eq!(ask(&cache, &conn, id(2), &known), EVERYTHING);
    assert_eq!(ask(&cache, &conn, id(2), &known), THE_ROW);
    assert_eq!(ask(&cache, &conn, id(1), &known), NOTHING, "another one beside it");
    home.known(None);
    for id in [id(1), id(2)] {
        assert_eq!(ask(&cache, &conn, id, &known), THE_ROW, "something was committed");
        assert_eq!(ask(&cache, &conn, id, &known), NOTHING);
    }
    cache.clear();
    assert_eq!(ask(&cache, &conn, id(1), &known), EVERYTHING);
}

#[test]
fn a_token_is_never_given_to_another_tenant() {
    let home = Home::new("cache-tenant");
    let cache = Cache::default();
    let tenants = [home.known(None), home.known(Some("acme")), home.known(Some("beta"))];
    let [conn] = home.readers();
    ask(&cache, &conn, id(1), &tenants[0]);
    for tenant in tenants.iter().chain(&tenants) {
        assert_eq!(ask(&cache, &conn, id(1), tenant), THE_ROW);
        assert_eq!(ask(&cache, &conn, id(1), tenant), NOTHING);
    }
}

#[test]
fn an_id_that_nobody_has_costs_one_look_up_and_no_memory() {
    let home = Home::new("cache-unknown");
    let cache = Cache::default();
    let [conn] = home.readers();
    for _ in 0..3 {
        let read = || unreachable!("there is nothing to read");
        assert!(cache.get(&conn, &id(1), None, || Ok(false), read).unwrap().is_none());
        // It may be deleted between the two questions.
        assert!(cache.get(&conn, &id(1), None, || Ok(true), || Ok(None)).unwrap().is_none());
    }
    assert!(cache.0.read().is_empty());
}

#[test]
fn no_more_connections_and_tokens_are_kept_than_there_is_room_for() {
    let home = Home::new("cache-bounds");
    let (cache, known) = (Cache::default(), home.known(None));
    let conns = home.readers::<{ MAX_CONNECTIONS + 1 }>();
    let (last, first) = conns.split_last().unwrap();
    for conn in first {
        ask(&cache, conn, id(1), &known);
        ask(&cache, conn, id(1), &known);
    }
    for conn in first {
        assert_eq!(ask(&cache, conn, id(1), &known), NOTHING);
        assert_eq!(ask(&cache, conn, id(2), &known), EVERYTHING, "a new token where it is full");
    }
    assert_eq!(ask(&cache, &first[0], id(1), &known), NOTHING);
    assert_eq!(ask(&cache, last, id(1), &known), EVERYTHING);
    assert_eq!(cache.0.read().len(), 1, "the others have made room");

    for number in 1..=MAX_TOKENS {
        ask(&cache, last, id(number), &known);
    }
    for number in 1..=MAX_TOKENS {
        assert!(!ask(&cache, last, id(number), &known).whether_it_is_there, "it was met");
    }
    assert_eq!(ask(&cache, last, id(0), &known), EVERYTHING);
    assert_eq!(cache.0.read()[&last.number()].tokens.len(), 1);
}

#[test]
fn a_locked_vault_keeps_no_token_in_memory() {
    let home = Home::new("cache-locked");
    let tokens = home.vault.tokens();
    let issued = tokens.issue(&TokenRequest::new(TokenKind::Session)).unwrap();
    // The first verification writes the last use.
    for _ in 0..3 {
        tokens.verify(issued.text.expose_secret(), TokenKind::Session).unwrap();
    }
    let memory: &Memory = home.vault.engine().attached().unwrap();
    let kept = || memory.cache.0.read().len();
    assert_eq!(kept(), 1);
    home.vault.lock();
    assert_eq!(kept(), 0);
}
