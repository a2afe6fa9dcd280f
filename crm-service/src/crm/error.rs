//! A request that breaks a rule. All broken rules are told at once.

use hubkeep_core::error::{ErrorKind, ErrorReason, FieldViolation, ServiceError};
use thiserror::Error as ThisError;

/// The fields of tokens that say where to go on. A token is only ever at fault for not being one that was given out.
const TOKENS: [&str; 2] = ["page_token", "resume_token"];

/// A request that cannot be asked of HubSpot.
#[derive(Debug, ThisError)]
#[error("{} field(s) are not valid: {}", .0.len(), names(.0))]
pub struct Error(Vec<FieldViolation>);

fn names(violations: &[FieldViolation]) -> String {
    violations
        .iter()
        .map(|violation| violation.field.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

impl Error {
    /// The faults of both.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidArgument
    }

    fn reason(&self) -> ErrorReason {
        let about_a_token = |violation: &FieldViolation| TOKENS.contains(&violation.field.as_str());
        if self.0.iter().all(about_a_token) {
            ErrorReason::PageTokenInvalid
        } else {
            ErrorReason::InvalidField
        }
    }

    fn public_message(&self) -> String {
        let told = self
            .0
            .iter()
            .take(3)
            .map(|v| format!("{}: {}", v.field, v.description));
        told.collect::<Vec<_>>().join("; ")
    }

    fn field_violations(&self) -> Vec<FieldViolation> {
        self.0.clone()
    }
}

/// The broken rules found so far.
#[derive(Debug, Default)]
pub struct Faults(Vec<FieldViolation>);

impl Faults {
    /// Notes a broken rule.
    pub fn add(&mut self, field: impl Into<String>, rule: impl Into<String>) {
        self.0.push(FieldViolation {
            field: field.into(),
            description: rule.into(),
        });
    }

    /// Notes every broken rule of another reader.
    pub fn add_all(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// The value, or `None` with the rule noted that it broke.
    pub fn keep<T, R: Into<String>>(&mut self, field: &str, value: Result<T, R>) -> Option<T> {
        value.map_err(|rule| self.add(field, rule)).ok()
    }

    /// That one field breaks its rule.
    pub fn alone(field: impl Into<String>, rule: impl Into<String>) -> Error {
        let mut faults = Self::default();
        faults.add(field, rule);
        Error(faults.0)
    }

    /// What was read, if nothing was wrong.
    ///
    /// # Errors
    /// With every rule that was broken.
    pub fn resolve<T>(self, value: Option<T>) -> Result<T, Error> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(Error(self.0)),
        }
    }
}
