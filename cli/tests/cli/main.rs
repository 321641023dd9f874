//! The built binary, driven as a user or a script drives it.

mod harness;

mod damage;
mod keys;
mod life;
mod output;
mod secrets;
mod slots;
mod tables;
mod terminal;
