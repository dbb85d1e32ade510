//! The operators' API: who may do what, what it says when something is wrong, and each of its resources.

mod access;
mod audit;
mod clients;
mod desk;
mod members;
mod operators;
mod requests;
mod roster;
mod schemathesis;
