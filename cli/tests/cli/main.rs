//! The built binary, driven as a user or a script drives it.

mod harness;

mod adopt;
mod approvals;
mod audit;
mod checkpoint;
mod copies;
mod damage;
mod doctor;
mod erasure;
mod keys;
mod life;
mod output;
mod programs;
mod rotate;
mod rotations;
mod secrets;
mod settings;
mod settings_moved;
mod slots;
mod tables;
mod terminal;
mod tokens;
