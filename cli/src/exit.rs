//! How the command ends: one number for each thing that a script may want to tell apart.

use std::process::ExitCode;

/// The exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// All of it was done.
    Done = 0,
    /// This side failed: an output that cannot be written, services that do not start, a promise broken in the demo.
    Failed = 1,
    /// The command line, or a file that it names, cannot be used. Nothing was sent.
    Usage = 2,
    /// Some rows of a file, or some clients of an update, were refused or not found; the others are done.
    RowsRefused = 3,
    /// The service refused the request.
    Refused = 4,
    /// The service was not reached, or the connection broke before it answered.
    Unreachable = 5,
    /// A write was sent, or may have been, and what became of it is not known.
    OutcomeUnknown = 6,
    /// The doctor found something that is not as it should be.
    Unhealthy = 7,
    /// It was done, and has not arrived everywhere yet.
    NotEverywhere = 8,
    /// A bundle of evidence is not what was signed.
    Unproven = 9,
}

impl Exit {
    /// The number.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The same, for `--help`.
pub const HELP: &str = "\
Exit codes:
  0  all of it was done
  1  failed on this side (output, start of the services, a broken promise in the demo)
  2  the command line, or a file that it names, cannot be used; nothing was sent
  3  some rows of a file, or clients of an update, were refused or not found; the others are done
  4  the service refused the request
  5  the service was not reached, or the connection broke under a read
  6  a write may or may not have happened: read the record before writing again
  7  the doctor found something
  8  it is revoked or contained, and some crm-service had not said so when the wait was over
  9  a bundle of evidence is not what was signed";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exit_code_stands_in_the_help() {
        let all = [
            Exit::Done,
            Exit::Failed,
            Exit::Usage,
            Exit::RowsRefused,
            Exit::Refused,
            Exit::Unreachable,
            Exit::OutcomeUnknown,
            Exit::Unhealthy,
            Exit::NotEverywhere,
            Exit::Unproven,
        ];
        for (number, exit) in (0..).zip(all) {
            assert_eq!(exit.code(), number);
            assert!(HELP.contains(&format!("\n  {number}  ")), "{exit:?}");
        }
    }
}
