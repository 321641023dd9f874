//! Cryptographic primitives: functions of bytes, without I/O except the operating system's random
//! generator. No other module names a cryptography crate.

pub(crate) mod bcrypt;
mod block;
pub(crate) mod foreign;
mod gcm;
pub(crate) mod kdf;
pub(crate) mod mac;
pub(crate) mod password;
pub(crate) mod random;
pub(crate) mod xaes;

#[cfg(test)]
mod tests;
