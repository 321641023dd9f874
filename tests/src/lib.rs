//! What the cross-cutting tests share.
