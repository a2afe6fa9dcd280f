//! The configuration of crm-service: one section a room.

use hubkeep_core::{
    config::{Fault, Validate},
    database,
    grpc::{self, Access, AccessRules, Roles},
    service::check_deployment,
    telemetry, tls,
};
use hubkeep_proto::{
    audit::v1::audit_service_server,
    credential::v1::key_service_server,
    crm::v1::{
        association_service_server, object_service_server, owner_service_server, quota_service_server,
        schema_service_server,
    },
};
use serde::{Deserialize, Serialize};

use crate::{credentials, quota};

/// Everything that can be set. Each field has a default, so that an empty file is a valid configuration.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// The name of this deployment; it begins the name of every audit log.
    pub deployment: String,
    /// Where to listen, and the limits of the server.
    pub grpc: grpc::Config,
    /// The service's certificate, and the CA of its callers and of credential-service. Left out only in development.
    pub tls: Option<tls::Config>,
    /// Which callers may use which gRPC service: names, "prefix/*", "role:<role>", or "*".
    pub access: AccessRules,
    /// For each role who has it.
    pub roles: Roles,
    /// Where keys are kept.
    pub database: database::Config,
    /// Where the audit log is kept.
    pub audit: hubkeep_audit_log::Config,
    /// The keys that wrap the keys. They are this service's own: credential-service has others.
    pub keys: hubkeep_seal::Config,
    /// Where credential-service is.
    pub credentials: credentials::Config,
    /// Where HubSpot is.
    pub hubspot: hubkeep_hubspot::Config,
    /// How HubSpot's limits are shared with others.
    pub quota: quota::Config,
    /// What is logged.
    pub telemetry: telemetry::Config,
}

/// Anybody known may come with a handle; what the handle allows is decided per call.
const ACCESS: [(&str, &[&str]); 7] = [
    (object_service_server::SERVICE_NAME, &["*"]),
    (association_service_server::SERVICE_NAME, &["*"]),
    (schema_service_server::SERVICE_NAME, &["*"]),
    (owner_service_server::SERVICE_NAME, &["*"]),
    (quota_service_server::SERVICE_NAME, &["*"]),
    (key_service_server::SERVICE_NAME, &["role:fleet"]),
    (audit_service_server::SERVICE_NAME, &["*"]),
];

impl Default for Config {
    fn default() -> Self {
        Self {
            deployment: "dev".to_owned(),
            grpc: grpc::Config {
                listen: ([127, 0, 0, 1], 7402).into(),
                ..grpc::Config::default()
            },
            tls: None,
            access: AccessRules::new(ACCESS),
            roles: Roles::default(),
            database: database::Config {
                url: "sqlite://hubkeep-data/crm-service.db".to_owned(),
                ..database::Config::default()
            },
            audit: hubkeep_audit_log::Config {
                url: "sqlite://hubkeep-data/crm-service-audit.db".to_owned(),
                ..hubkeep_audit_log::Config::default()
            },
            keys: hubkeep_seal::Config::file("hubkeep-data/crm-service.kek"),
            credentials: credentials::Config::default(),
            hubspot: hubkeep_hubspot::Config::default(),
            quota: quota::Config::default(),
            telemetry: telemetry::Config::default(),
        }
    }
}

impl Config {
    /// Who may do what.
    pub fn who_may(&self) -> Access {
        Access {
            rules: self.access.clone(),
            roles: self.roles.clone(),
        }
    }
}

impl Validate for Config {
    fn validate(&self, faults: &mut Vec<Fault>) {
        check_deployment(&self.deployment, faults);
        self.access.check(&AccessRules::new(ACCESS), &self.roles, faults);
        self.roles.check(faults);
        if let Some(tls) = &self.tls {
            tls.validate(faults);
        }
        self.credentials.check_scheme(self.tls.is_some(), faults);
        self.grpc.validate(faults);
        self.database.validate(faults);
        self.audit.validate(faults);
        self.keys.validate(faults);
        self.credentials.validate(faults);
        self.hubspot.validate(faults);
        if self.hubspot.app.is_some() {
            let problem = "belongs to credential-service: this service exchanges no tokens";
            faults.push(Fault::new("hubspot.app", problem));
        }
        self.quota.validate(faults);
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
    fn more_replicas_than_can_share_a_limit_are_refused() {
        for (replicas, valid) in [("0", false), ("1", true), ("5", true), ("6", false)] {
            let environment = [("HUBKEEP__QUOTA__REPLICAS".to_owned(), replicas.to_owned())];
            let loaded = load::<Config>(None, &environment.into());
            assert_eq!(loaded.is_ok(), valid, "{replicas}");
        }
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
