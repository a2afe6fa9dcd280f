//! The configuration of crm-service: one section a room.

use hubkeep_core::{
    config::{Fault, Validate},
    database,
    grpc::{self, Access, AccessRules, Roles},
    service::{check_deployment, check_instance},
    telemetry, tls,
};
use hubkeep_proto::{
    audit::v1::audit_service_server,
    credential::v1::key_service_server,
    crm::v1::{
        alert_service_server, association_service_server, object_service_server, owner_service_server,
        quota_service_server, report_service_server, schema_service_server, write_service_server,
    },
};
use serde::{Deserialize, Serialize};

use crate::{actions, alerts, call::CoalesceConfig, credentials, mcp, notify, quota, reports, web, writes};

/// Everything that can be set. Each field has a default, so that an empty file is a valid configuration.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// The name of this deployment; it begins the name of every audit log.
    pub deployment: String,
    /// Which process of the service this is, as its entries say it. Unless set, the name of the machine or container.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub instance: String,
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
    /// How long reads wait for others like them, to be one.
    pub coalesce: CoalesceConfig,
    /// How long writes are kept account of.
    pub writes: writes::Config,
    /// What reports say of who runs this.
    pub reports: reports::Config,
    /// When alerts fire.
    pub alerts: alerts::Config,
    /// Who is told of them.
    pub notify: notify::Config,
    /// Where the audit viewer is.
    pub web: web::Config,
    /// Where people's programs come in.
    pub mcp: mcp::Config,
    /// What structured actions may show.
    pub actions: actions::Config,
    /// What is logged.
    pub telemetry: telemetry::Config,
}

/// Anybody known may come with a handle; what the handle allows is decided per call.
const ACCESS: [(&str, &[&str]); 10] = [
    (object_service_server::SERVICE_NAME, &["*"]),
    (association_service_server::SERVICE_NAME, &["*"]),
    (schema_service_server::SERVICE_NAME, &["*"]),
    (owner_service_server::SERVICE_NAME, &["*"]),
    (quota_service_server::SERVICE_NAME, &["*"]),
    (write_service_server::SERVICE_NAME, &["*"]),
    (report_service_server::SERVICE_NAME, &["*"]),
    (key_service_server::SERVICE_NAME, &["role:fleet"]),
    (
        alert_service_server::SERVICE_NAME,
        &["role:fleet", "role:auditor"],
    ),
    (audit_service_server::SERVICE_NAME, &["*"]),
];

impl Default for Config {
    fn default() -> Self {
        Self {
            deployment: "dev".to_owned(),
            instance: String::new(),
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
            coalesce: CoalesceConfig::default(),
            writes: writes::Config::default(),
            reports: reports::Config::default(),
            alerts: alerts::Config::default(),
            notify: notify::Config::default(),
            web: web::Config::default(),
            mcp: mcp::Config::default(),
            actions: actions::Config::default(),
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

impl Config {
    /// The measures that protect data, as this service is set now: what reports say of them cannot drift.
    pub fn measures(&self) -> Vec<String> {
        let peers = match &self.tls {
            Some(_) => {
                "Services and callers prove who they are by certificates (mutual TLS); connections are encrypted."
            }
            None => {
                "DEVELOPMENT: callers say themselves who they are, and connections inside are not encrypted."
            }
        };
        let keys = self.keys.places().join(", ");
        let deadline = humantime::format_duration(self.audit.intent_deadline);
        vec![
            peers.to_owned(),
            "HubSpot's tokens lie sealed (AES-256-GCM, a key for each portal) in a service of their own, and no caller is given one.".to_owned(),
            format!("Keys are wrapped by a key-encryption key of this service, kept in: {keys}."),
            "Access is denied by default; a handle is for one portal and one caller, lives 15 minutes at most, and dies within seconds of its revocation.".to_owned(),
            format!("Each call is on durable record before its first byte leaves; if it cannot be within {deadline}, it is not made."),
            "Entries hold no personal data: records stand in them by a keyed hash whose key is destroyed when the portal is erased.".to_owned(),
            self.audit.payloads_measure(),
            "A contact that was erased is not created again.".to_owned(),
        ]
    }
}

impl Validate for Config {
    fn validate(&self, faults: &mut Vec<Fault>) {
        check_deployment(&self.deployment, faults);
        check_instance(&self.instance, faults);
        self.access.check(&AccessRules::new(ACCESS), &self.roles, faults);
        self.roles.check(faults);
        if let Some(tls) = &self.tls {
            tls.validate(faults);
        }
        self.credentials.check_scheme(self.tls.is_some(), faults);
        self.grpc.validate(faults);
        self.telemetry.validate(faults);
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
        self.reports.validate(faults);
        self.alerts.validate(faults);
        self.notify.validate(faults);
        self.web.validate(faults);
        self.mcp.validate(faults);
        if !self.web.providers.is_empty() && self.mcp.listen.is_none() {
            let problem = "is of no use without mcp.listen: the pages on which people sign in are there";
            faults.push(Fault::new("web.providers", problem));
        }
        self.actions.validate(faults);
        self.coalesce.validate(faults);
        self.writes.validate(faults);
        // Over http there is only loopback.
        let asks_hubspot = self.hubspot.api_base.scheme() == "https";
        self.writes.check_patience(asks_hubspot, faults);
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
    fn weights_and_reserves_of_quotas_have_their_bounds() {
        for (key, value, valid) in [
            ("RESERVED_FOR_PEOPLE", "50", true),
            ("RESERVED_FOR_PEOPLE", "51", false),
            ("MAX_PER_PORTAL", "0", false),
            ("WEIGHTS__SYNC", "1000", true),
            ("WEIGHTS__SYNC", "0", false),
            ("WEIGHTS__SYNC", "1001", false),
        ] {
            let environment = [(format!("HUBKEEP__QUOTA__{key}"), value.to_owned())];
            let loaded = load::<Config>(None, &environment.into());
            assert_eq!(loaded.is_ok(), valid, "{key} {value}");
        }
    }

    #[test]
    fn no_time_is_taken_in_which_hubspot_or_a_limit_is_not_done_yet() {
        let loads = |variables: &[(&str, &str)]| {
            let named = variables.iter();
            let named = named.map(|(key, value)| (format!("HUBKEEP__{key}"), (*value).to_owned()));
            load::<Config>(None, &named.collect()).is_ok()
        };
        let base = ("HUBSPOT__API_BASE", "http://127.0.0.1:4030");
        assert!(!loads(&[("WRITES__NOT_DONE_AFTER", "100s")]));
        assert!(loads(&[("WRITES__NOT_DONE_AFTER", "101s")]));
        assert!(
            loads(&[("WRITES__NOT_DONE_AFTER", "0s"), base]),
            "not HubSpot itself"
        );
        assert!(!loads(&[("HUBSPOT__CONNECT_TIMEOUT", "3s")]));
        assert!(!loads(&[("QUOTA__ONLY_APP_IN", "[\"Not A Slug\"]")]));
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
