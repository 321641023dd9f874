//! Settings: named and typed values with masked secrets, history, and precedence over the environment and defaults.

mod cache;
mod change;
mod check;
mod definition;
pub(crate) mod dotenv;
mod guard;
mod handle;
pub(crate) mod merge;
mod setting;
mod store;
mod tables;
pub(crate) mod transfer;
pub(crate) mod value;

pub(crate) use cache::Memory;
pub use change::{Author, Change};
pub use check::{CheckReport, SettingFault, SettingProblem};
pub use definition::SettingDefinition;
pub use handle::Settings;
pub use setting::{Setting, SettingSource, SettingVersion};
pub use transfer::ImportReport;
pub use value::SettingValue;
