//! Approvals: a request, and the handle.

pub mod handle;
pub mod request;
