//! Rotation: new keys for data, indexes, tokens and the audit trail, while others read and write; and the destruction of
//! those before.

mod all;
mod begin;
mod count;
mod destroy;
mod job;
mod kind;
mod place;
mod run;
mod status;
mod step;

pub(crate) use all::run_all;
pub(crate) use begin::begin;
pub(crate) use count::plan;
pub(crate) use destroy::destroy_retired;
pub use kind::{Rotation, RotationKind};
pub(crate) use run::run;
pub use status::{RotationPlan, RotationState, RotationStatus};
pub(crate) use status::{status, statuses};
pub(crate) use step::step;
