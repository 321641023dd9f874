//! The tokens of a vault, tenant or transaction: issued, verified, used and rotated.

use std::ffi::c_char;
use std::sync::Arc;
use std::time::Duration;

use sealite::{ExposeSecret, Token, TokenCheck, TokenKind, Tokens, Transaction};

use super::known::{KINDS, give};
use super::request::sealite_token_request;
use crate::bytes::{Bytes, sealite_bytes};
use crate::call::{Scope, call, free};
use crate::error::sealite_error;
use crate::handles::Kind;
use crate::held::{Held, Root};
use crate::input::choice;
use crate::output::Out;
use crate::rows::sealite_rows;
use crate::status::Result;
use crate::status::sealite_status;
use crate::tenant::{self, sealite_tenant};
use crate::transaction::sealite_transaction;
use crate::value::sealite_string;
use crate::vault::sealite_vault;

/// Tokens, of a vault or tenant, each call a transaction of its own, or of a transaction. A tenant's reach only the tenant's
/// tokens, the vault's own only those without a tenant. It may be used from any thread.
///
/// Whatever is presented, the answer to what does not hold is SEALITE_TOKEN_REJECTED; why, only the metrics and the audit
/// trail tell. SEALITE_DENIED is the answer to a token that holds and lacks a scope. To a web client: 401 and 403.
pub struct sealite_tokens {
    _opaque: [u8; 0],
}

/// The object.
pub(crate) enum Through {
    Root(Root),
    Transaction(Arc<Held<Transaction>>),
}

impl Kind for sealite_tokens {
    type Object = Through;
}

impl Through {
    /// Runs `work` on the tokens.
    pub(super) fn with<R>(
        &self,
        work: impl FnOnce(&Tokens<'_>) -> sealite::Result<R>,
    ) -> Result<R> {
        match self {
            Through::Root(Root::Vault(vault)) => Ok(work(&vault.tokens())?),
            Through::Root(Root::Tenant(tenant, _)) => Ok(work(&tenant.tokens())?),
            Through::Transaction(held) => held.with(|open| Ok(work(&open.tokens())?)),
        }
    }
}

/// What the caller accepts.
fn check(kinds: &[i32], scopes: &[&str]) -> Result<TokenCheck> {
    let none: &[TokenKind] = &[];
    let mut check = TokenCheck::from(none);
    for number in kinds {
        check = check.or(choice(&Scope::new(), "kinds", *number, KINDS)?);
    }
    for scope in scopes {
        check = check.scope(*scope);
    }
    Ok(check)
}

/// Gives a token out with its text.
pub(super) fn reveal(
    issued: (Token, &str),
    text: &Out<'_, *mut sealite_bytes>,
    rows: &Out<'_, *mut sealite_rows>,
) -> Result<()> {
    let (token, secret) = issued;
    text.give_with(Bytes::copy_of(secret.as_bytes()), || give(rows, token))
}

/// Makes a handle to the vault's own tokens. Free it with sealite_tokens_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_vault_tokens(
    vault: *mut sealite_vault,
    tokens: *mut *mut sealite_tokens,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(vault), out(tokens); {
        tokens.give(Through::Root(Root::Vault((*vault).clone())))?;
    })
}

/// Makes a handle to the tenant's tokens. Free it with sealite_tokens_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_tenant_tokens(
    tenant: *mut sealite_tenant,
    tokens: *mut *mut sealite_tokens,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(tenant), out(tokens); {
        tenant::of(&tenant)?;
        tokens.give(Through::Root((*tenant).clone()))?;
    })
}

/// Makes a handle to tokens within the transaction: what is issued, used or revoked is so where it commits. It ends with
/// the transaction (SEALITE_CLOSED) and is still to be freed, with sealite_tokens_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_transaction_tokens(
    transaction: *mut sealite_transaction,
    tokens: *mut *mut sealite_tokens,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(transaction), out(tokens); {
        transaction.held.with(|_| Ok(()))?;
        tokens.give(Through::Transaction(Arc::clone(&transaction.held)))?;
    })
}

/// Issues a token, and gives out its text, which is kept nowhere and can't be had again. Free it with sealite_bytes_free().
///
/// `rows` may be NULL. One row: `id` (24 hexadecimal digits: names the token, and opens nothing), `kind`, `subject`, `label`,
/// `scopes` (in order, separated by spaces), `limits`, `quota_key` (for sealite_quotas_check_and_charge()), `data`, `prefix`,
/// `family`, `enabled`, `created_at`, `not_before`, `expires_at`, `idle_ms`, `last_used_at` (as far as it is written down),
/// `uses_left`, `attempts_left`, `armed_until`, `armed_reason`, `rotated_at`, `successor` (its id), `revoked_at` (by itself,
/// with its kind or family), `is_imported`. What a token does not have is SEALITE_NULL. Times are in milliseconds since 1970.
///
/// SEALITE_INVALID_INPUT and SEALITE_LIMIT for a request out of bounds, and for a short code; SEALITE_NOT_FOUND for a family
/// that no valid token is of.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_tokens_issue(
    tokens: *mut sealite_tokens,
    request: *const sealite_token_request,
    text: *mut *mut sealite_bytes,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error; handle(tokens), handle(request), out(text), optional_out(rows); {
        let request = request.built()?;
        let issued = tokens.with(|tokens| tokens.issue(&request))?;
        reveal((issued.token, issued.text.expose_secret()), &text, &rows)?;
    })
}

/// Verifies a token that may be used any number of times: of one of `kinds`, an array of `kind_count` sealite_token_kind,
/// with all of the `scope_count` scopes. Writes nothing but its last use, at most once in the interval that it was issued
/// with. `rows` may be NULL. Rows: as of sealite_tokens_issue().
///
/// `text` is read where it lies and kept nowhere. SEALITE_TOKEN_REJECTED for whatever does not hold, whatever its length
/// and bytes; SEALITE_DENIED for one that lacks a scope.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_tokens_verify(
    tokens: *mut sealite_tokens,
    text: *const c_char,
    text_length: usize,
    kinds: *const i32,
    kind_count: usize,
    scopes: *const sealite_string,
    scope_count: usize,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(tokens), presented(text, text_length), array(kinds, kind_count),
        texts(scopes, scope_count), optional_out(rows);
        {
            let check = check(kinds, &scopes)?;
            give(&rows, tokens.with(|tokens| tokens.verify(text, check))?)?;
        }
    )
}

/// Whether sealite_tokens_consume() would take a use of the token now, without taking it: for the form that a link leads
/// to. Says nothing about break-glass. Parameters and results: as of sealite_tokens_verify().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_tokens_peek(
    tokens: *mut sealite_tokens,
    text: *const c_char,
    text_length: usize,
    kinds: *const i32,
    kind_count: usize,
    scopes: *const sealite_string,
    scope_count: usize,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(tokens), presented(text, text_length), array(kinds, kind_count),
        texts(scopes, scope_count), optional_out(rows);
        {
            let check = check(kinds, &scopes)?;
            give(&rows, tokens.with(|tokens| tokens.peek(text, check))?)?;
        }
    )
}

/// Takes one use of the token, and of a break-glass token its arming: of any number of threads and processes that try, as
/// many get SEALITE_OK as there are uses. In a transaction the use is taken only where that commits. Parameters and results:
/// as of sealite_tokens_verify().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_tokens_consume(
    tokens: *mut sealite_tokens,
    text: *const c_char,
    text_length: usize,
    kinds: *const i32,
    kind_count: usize,
    scopes: *const sealite_string,
    scope_count: usize,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(tokens), presented(text, text_length), array(kinds, kind_count),
        texts(scopes, scope_count), optional_out(rows);
        {
            let check = check(kinds, &scopes)?;
            give(&rows, tokens.with(|tokens| tokens.consume(text, check))?)?;
        }
    )
}

/// Issues a successor for a token that may be used any number of times, and gives out its text. For `grace_ms`, at most a
/// day, the old one gives the same successor again; presented after that, it revokes its family. `rows`, which may be NULL,
/// and `successor` are as of sealite_tokens_issue(); the other parameters as of sealite_tokens_verify().
///
/// SEALITE_REFUSED inside a transaction; SEALITE_INVALID_INPUT for a grace of more than a day, and for an imported token.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_tokens_rotate(
    tokens: *mut sealite_tokens,
    text: *const c_char,
    text_length: usize,
    kinds: *const i32,
    kind_count: usize,
    scopes: *const sealite_string,
    scope_count: usize,
    grace_ms: u64,
    successor: *mut *mut sealite_bytes,
    rows: *mut *mut sealite_rows,
    error: *mut *mut sealite_error,
) -> sealite_status {
    call!(error;
        handle(tokens), presented(text, text_length), array(kinds, kind_count),
        texts(scopes, scope_count), plain(grace_ms), out(successor), optional_out(rows);
        {
            let (check, grace) = (check(kinds, &scopes)?, Duration::from_millis(grace_ms));
            let issued = tokens.with(|tokens| tokens.rotate(text, check, grace))?;
            reveal((issued.token, issued.text.expose_secret()), &successor, &rows)?;
        }
    )
}

/// Frees the handle. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealite_tokens_free(tokens: *mut sealite_tokens) {
    free(tokens);
}
