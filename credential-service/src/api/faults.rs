//! Fields of a message that is read to its end: every fault is told at once.

use hubkeep_core::error::FieldViolation;

use super::Error;

/// The faults of a message, as far as it was read.
#[derive(Debug)]
pub(super) struct Faults {
    /// Where the message stands in the request: "grant.".
    prefix: String,
    found: Vec<FieldViolation>,
}

impl Faults {
    /// No faults yet, of the message that stands here in the request.
    pub(super) fn of(prefix: impl Into<String>) -> Self {
        Self {
            prefix: prefix.into(),
            found: Vec::new(),
        }
    }

    /// A field that breaks its rule; none, where the message itself does.
    pub(super) fn add(&mut self, field: &str, rule: impl Into<String>) {
        self.found.push(FieldViolation {
            field: format!("{}{field}", self.prefix).trim_end_matches('.').to_owned(),
            description: rule.into(),
        });
    }

    /// What was read, if it could be.
    pub(super) fn take<T>(&mut self, read: Result<T, Error>) -> Option<T> {
        match read {
            Ok(read) => Some(read),
            Err(Error::Fields(found)) => {
                for fault in found {
                    self.add(&fault.field, fault.description);
                }
                None
            }
            Err(other) => {
                self.add("", other.to_string());
                None
            }
        }
    }

    /// The same for one of a list.
    pub(super) fn take_each<W, T, L: FromIterator<T>>(
        &mut self,
        wire: impl IntoIterator<Item = W>,
        read: impl Fn(W) -> Result<T, Error>,
    ) -> L {
        wire.into_iter().filter_map(|one| self.take(read(one))).collect()
    }

    /// What was read, if there is no fault.
    ///
    /// # Errors
    /// With every fault.
    pub(super) fn or<T>(self, read: Option<T>) -> Result<T, Error> {
        match read {
            Some(read) if self.found.is_empty() => Ok(read),
            _ => Err(Error::Fields(self.found)),
        }
    }
}
