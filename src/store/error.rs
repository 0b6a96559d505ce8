//! Why there is no store.

use core::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

/// Why the store cannot be opened. Each says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The directory cannot be made, or nothing can be made in it.
    #[error("cannot use the directory {path}: {error}; name one that the gateway may write to", path = path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the host said.
        error: io::Error,
    },
    /// It is open elsewhere.
    #[error("{path}: another process uses it; give each gateway a state_dir of its own", path = path.display())]
    InUse {
        /// The file or its directory.
        path: PathBuf,
    },
    /// A later version wrote it.
    #[error(
        "{path} has format {format}, and this version knows formats up to {known}; run the version that wrote it, or \
         give this one another state_dir", path = path.display()
    )]
    LaterFormat {
        /// The file.
        path: PathBuf,
        /// The format it has.
        format: u32,
        /// The last one that this version knows.
        known: u32,
    },
    /// It is no store, or not a whole one.
    #[error("{path} is damaged: {reason}; move it away to start without its records", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Something else.
    #[error("cannot open {path}: {reason}; see that the disk is in order and has room", path = path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// What the host or the database said.
        reason: String,
    },
}

impl StoreError {
    pub(super) fn directory(path: &Path, error: io::Error) -> StoreError {
        StoreError::Directory { path: path.into(), error }
    }

    pub(super) fn damaged(path: &Path, reason: impl Display) -> StoreError {
        StoreError::Damaged { path: path.into(), reason: reason.to_string() }
    }

    pub(super) fn other(path: &Path, reason: impl Display) -> StoreError {
        StoreError::Other { path: path.into(), reason: reason.to_string() }
    }

    /// What the database said of the file at `path`.
    pub(super) fn database(path: &Path, error: &redb::Error) -> StoreError {
        match error {
            redb::Error::DatabaseAlreadyOpen => StoreError::InUse { path: path.into() },
            redb::Error::Corrupted(_)
            | redb::Error::TableTypeMismatch { .. }
            | redb::Error::TypeDefinitionChanged { .. }
            | redb::Error::TableIsMultimap(_) => StoreError::damaged(path, error),
            redb::Error::Io(io) if is_damage(io.kind()) => StoreError::damaged(path, io),
            _ => StoreError::other(path, error),
        }
    }
}

/// What the database says of a file that is none, or too short to be one.
const fn is_damage(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}
