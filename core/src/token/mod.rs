//! Tokens: what the engine makes for somebody to present, and how each kind is verified, used, rotated and revoked.

mod cache;
mod check;
mod consume;
pub(crate) mod csrf;
mod definition;
mod erase;
mod forms;
mod handle;
mod import;
mod issue;
mod issued;
mod kind;
pub(crate) mod legacy;
mod list;
mod memory;
mod pepper;
mod presented;
mod request;
mod revoke;
mod rotate;
mod short_code;
mod store;
pub(crate) mod text;
mod verify;

pub use check::TokenCheck;
pub(crate) use erase::{erase_subject, of_subject};
pub use handle::Tokens;
pub use import::LegacyImport;
pub use issued::{IssuedToken, Token};
pub use kind::TokenKind;
pub use legacy::LegacyEntry;
pub use list::TokenFilter;
pub(crate) use memory::Memory;
pub(crate) use pepper::{left_under, revoke_under, table_of};
pub use request::TokenRequest;
pub use short_code::{CodeRequest, IssuedCode};
pub use text::{TOKEN_PATTERN, is_token_text};

#[cfg(test)]
mod tests;
