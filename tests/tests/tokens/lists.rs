//! Lists of tokens, and the purge of those that have ended.

use std::time::Duration;

use sealite::{ErrorKind, ExposeSecret, TokenFilter, TokenKind, TokenRequest, Vault};
use sealite_tests::vaults::{Home, plain};

use super::{entries, issue};

#[test]
fn lists_and_purges_go_by_what_has_ended() {
    let vault = Vault::in_memory().unwrap();
    let tokens = vault.tokens();
    let start = issue(&tokens, TokenKind::ApiKey, "u").0.token.created_at();
    let (session, _) = issue(&tokens, TokenKind::Session, "u");
    issue(&tokens, TokenKind::Session, "v");
    let (link, text) = issue(&tokens, TokenKind::MagicLink, "u");
    tokens.consume(&text, TokenKind::MagicLink).unwrap();
    tokens.revoke(session.token.id()).unwrap();
    let count = |filter: TokenFilter| tokens.list(&filter).unwrap().len();
    assert_eq!(count(TokenFilter::new()), 4);
    assert_eq!(count(TokenFilter::new().subject("u")), 3);
    assert_eq!(count(TokenFilter::new().subject("nobody")), 0);
    assert_eq!(count(TokenFilter::new().kind(TokenKind::Session)), 2);
    assert_eq!(count(TokenFilter::new().kind(TokenKind::ApiKey)), 1);
    assert_eq!(count(TokenFilter::new().kind(TokenKind::Invite)), 0);
    assert_eq!(count(TokenFilter::new().active()), 2);
    assert_eq!(count(TokenFilter::new().limit(1)), 1);
    tokens.revoke_subject("v").unwrap();
    assert_eq!(count(TokenFilter::new().active()), 1);
    vault.set_clock(Some(start + 3_600_000));
    assert_eq!(tokens.purge(Duration::from_secs(3_500)).unwrap(), 1, "the revoked session");
    assert_eq!(
        tokens.purge(Duration::from_secs(60)).unwrap(),
        1,
        "the link, 15 minutes after its issue"
    );
    assert_eq!(tokens.purge(Duration::from_secs(60)).unwrap(), 0);
    assert_eq!(entries(&vault, "token.purged"), 2, "one for each purge that found any");
    assert_eq!(tokens.get(link.token.id()).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(count(TokenFilter::new()), 2);
    let (acme, beta) = (vault.tenant("acme").unwrap(), vault.tenant("beta").unwrap());
    for tenant in [&acme, &beta] {
        let (issued, _) = issue(&tenant.tokens(), TokenKind::Session, "u");
        tenant.tokens().revoke(issued.token.id()).unwrap();
    }
    vault.set_clock(Some(start + 7_200_000));
    assert_eq!(acme.tokens().purge(Duration::from_secs(1)).unwrap(), 1, "a tenant's own");
    assert_eq!(tokens.purge(Duration::from_secs(1)).unwrap(), 1, "and of every tenant");
}

#[test]
fn a_list_of_a_family_has_its_members_and_nobody_else() {
    let vault = Vault::in_memory().unwrap();
    let tokens = vault.tokens();
    let (first, _) = issue(&tokens, TokenKind::Refresh, "u");
    let (other, _) = issue(&tokens, TokenKind::Refresh, "u");
    issue(&tokens, TokenKind::Session, "u");
    let family = first.token.family().unwrap();
    let access = TokenRequest::new(TokenKind::Session).subject("v").family(family);
    let access = tokens.issue(&access).unwrap();
    let ids = |filter: TokenFilter| {
        let mut ids: Vec<String> =
            tokens.list(&filter).unwrap().iter().map(|token| token.id().to_owned()).collect();
        ids.sort_unstable();
        ids
    };
    let mut members = [first.token.id().to_owned(), access.token.id().to_owned()];
    members.sort_unstable();
    assert_eq!(ids(TokenFilter::new().family(family)), members);
    assert_eq!(ids(TokenFilter::new().family(family).subject("u")), [first.token.id()]);
    assert_eq!(
        ids(TokenFilter::new().family(family).kind(TokenKind::Session)),
        [access.token.id()]
    );
    assert_eq!(ids(TokenFilter::new().family(other.token.id())), [other.token.id()]);
    for nobodys in ["", "no id", access.token.id(), &"0".repeat(24)] {
        assert!(ids(TokenFilter::new().family(nobodys)).is_empty(), "{nobodys}");
    }
}

#[test]
fn a_token_with_a_use_left_is_not_purged() {
    let vault = Vault::in_memory().unwrap();
    let tokens = vault.tokens();
    let request = TokenRequest::new(TokenKind::ApiKey).uses(2);
    let issued = tokens.issue(&request).unwrap();
    let text = issued.text.expose_secret();
    tokens.consume(text, TokenKind::ApiKey).unwrap();
    let hour = |hours: i64| vault.set_clock(Some(issued.token.created_at() + hours * 3_600_000));
    hour(1);
    assert_eq!(tokens.purge(Duration::ZERO).unwrap(), 0);
    assert_eq!(tokens.consume(text, TokenKind::ApiKey).unwrap().uses_left(), Some(0));
    assert_eq!(tokens.purge(Duration::from_secs(3_600)).unwrap(), 0, "it was used just now");
    hour(2);
    assert_eq!(tokens.purge(Duration::from_secs(3_600)).unwrap(), 1);
}

#[test]
fn a_purge_leaves_a_row_that_was_edited_and_goes_on() {
    let home = Home::new();
    let vault = home.create();
    let request = TokenRequest::new(TokenKind::Session).expires_in(Duration::from_secs(1));
    let [edited, other] = [(); 2].map(|()| vault.tokens().issue(&request).unwrap().token);
    vault.close();
    let sql = "UPDATE sealite_tokens_sealed SET scopes = 'all' WHERE id = ?1";
    assert_eq!(plain(&home.file()).execute(sql, [edited.id()]).unwrap(), 1);
    let vault = home.open();
    vault.set_clock(Some(edited.created_at().max(other.created_at()) + 10_000));
    assert_eq!(vault.tokens().purge(Duration::ZERO).unwrap(), 1);
    assert_eq!(vault.tokens().get(other.id()).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(
        vault.tokens().get(edited.id()).unwrap_err().kind(),
        ErrorKind::AuthenticationFailed
    );
    assert!(!vault.verify(|_| ()).unwrap().is_sound());
}
