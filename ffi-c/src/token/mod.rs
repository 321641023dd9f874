//! Tokens: what is asked for, what is known of one, and the handle.

pub mod code;
pub mod handle;
pub mod known;
pub mod legacy;
pub mod manage;
pub mod request;
pub mod text;
