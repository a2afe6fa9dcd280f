//! What can go wrong with a service of others.

use std::{path::PathBuf, time::Duration};

use thiserror::Error;

/// A service that keeps keys or secrets did not do what it was asked. No variant holds a secret.
#[derive(Debug, Error)]
pub enum RemoteError {
    /// No connection came about, or it broke.
    #[error("it cannot be reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No whole answer came in time.
    #[error("it did not answer within {0:?}")]
    Silent(Duration),
    /// It does not let us: the credentials are wrong, or lack a permission.
    #[error("it denies us: {0}")]
    Denied(String),
    /// There is no such key or secret.
    #[error("it has nothing by that name: {0}")]
    NotFound(String),
    /// There is one by that name already.
    #[error("it has one by that name already")]
    Taken,
    /// It refused for a reason of its own, or failed.
    #[error("it answered {status}: {told}")]
    Refused {
        /// The HTTP status; 0 where there is none.
        status: u16,
        /// What it said, cut to a sentence.
        told: String,
    },
    /// Its answer is not one to this question.
    #[error("it answered nonsense: {0}")]
    Nonsense(&'static str),
    /// What we show it cannot be read.
    #[error("the file {} cannot be used: {problem}", file.display())]
    Credentials {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The client cannot be built: its address, its CA, or the program itself.
    #[error("it cannot be addressed: {0}")]
    Unusable(String),
}

/// The longest part of a foreign sentence that is kept, in characters.
const MAX_TOLD: usize = 200;

/// What a service said, fit for one line of a log.
pub(crate) fn sentence(told: &str) -> String {
    let line = told.chars().map(|letter| match letter {
        letter if letter.is_control() => ' ',
        letter => letter,
    });
    line.take(MAX_TOLD).collect::<String>().trim().to_owned()
}
