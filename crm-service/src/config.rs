//! The configuration of crm-service: one section a room.

use std::path::PathBuf;

use hubkeep_core::{
    config::{Fault, Validate},
    database,
    grpc::{self, AccessRules},
    telemetry,
};
use serde::{Deserialize, Serialize};

use crate::credentials;

/// Everything that can be set. Each field has a default, so that an empty file is a valid configuration.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// The name of this deployment; it begins the name of every audit log.
    pub deployment: String,
    /// Where to listen, and the limits of the server.
    pub grpc: grpc::Config,
    /// Which callers may use which gRPC service.
    pub access: AccessRules,
    /// Where keys are kept.
    pub database: database::Config,
    /// Where the audit log is kept.
    pub audit: hubkeep_audit_log::Config,
    /// The key that wraps the keys.
    pub keys: Keys,
    /// Where credential-service is.
    pub credentials: credentials::Config,
    /// Where HubSpot is.
    pub hubspot: hubkeep_hubspot::Config,
    /// What is logged.
    pub telemetry: telemetry::Config,
}

/// The key-encryption key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Keys {
    /// A file of 32 random bytes, mode 0400. It is this service's own: credential-service has another.
    pub kek_file: PathBuf,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            kek_file: PathBuf::from("hubkeep-data/crm-service.kek"),
        }
    }
}

/// Anybody known may come with a handle; what the handle allows is decided per call.
const ACCESS: [(&str, &[&str]); 3] = [
    ("hubkeep.crm.v1.ObjectService", &["*"]),
    ("hubkeep.crm.v1.OwnerService", &["*"]),
    ("hubkeep.audit.v1.AuditService", &["*"]),
];

impl Default for Config {
    fn default() -> Self {
        Self {
            deployment: "hubkeep".to_owned(),
            grpc: grpc::Config {
                listen: ([127, 0, 0, 1], 7402).into(),
                ..grpc::Config::default()
            },
            access: AccessRules::new(ACCESS),
            database: database::Config {
                url: "sqlite://hubkeep-data/crm-service.db".to_owned(),
                ..database::Config::default()
            },
            audit: hubkeep_audit_log::Config {
                url: "sqlite://hubkeep-data/crm-service-audit.db".to_owned(),
                ..hubkeep_audit_log::Config::default()
            },
            keys: Keys::default(),
            credentials: credentials::Config::default(),
            hubspot: hubkeep_hubspot::Config::default(),
            telemetry: telemetry::Config::default(),
        }
    }
}

impl Validate for Config {
    fn validate(&self, faults: &mut Vec<Fault>) {
        self.audit.validate(faults);
        self.credentials.validate(faults);
        self.hubspot.validate(faults);
        let named = !self.deployment.is_empty()
            && self
                .deployment
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
        if !named {
            let problem = "must be a name of letters, digits, '.', '-' and '_'".to_owned();
            faults.push(Fault {
                key: "deployment".to_owned(),
                problem,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use hubkeep_core::config::{Environment, load};

    use super::*;

    #[test]
    fn an_empty_configuration_is_valid() {
        load::<Config>(None, &Environment::new()).expect("valid");
    }

    #[test]
    fn a_plain_address_of_hubspot_is_refused() {
        let environment = [(
            "HUBKEEP__HUBSPOT__API_BASE".to_owned(),
            "http://example.com".to_owned(),
        )];
        let error = load::<Config>(None, &environment.into()).expect_err("not protected");
        assert_eq!(
            error.0.iter().map(|fault| fault.key.as_str()).collect::<Vec<_>>(),
            ["hubspot.api_base"]
        );
    }
}
