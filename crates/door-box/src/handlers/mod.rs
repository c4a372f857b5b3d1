//! Decode, ask the tree, encode: one module for each resource of Box's reference.

pub(crate) mod downloads;
pub(crate) mod file_versions;
pub(crate) mod files;
pub(crate) mod folders;
mod form;
mod listing;
pub(crate) mod oauth;
pub(crate) mod storage_policies;
pub(crate) mod storage_policy_assignments;
pub(crate) mod trashed_files;
pub(crate) mod trashed_folders;
pub(crate) mod trashed_items;
pub(crate) mod upload_sessions;
pub(crate) mod uploads;
pub(crate) mod users;
