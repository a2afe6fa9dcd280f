//! What the service is configured with. See `hubkeep_core::config` for where values come from.

use std::net::SocketAddr;

use hubkeep_core::{
    config::{Alias, Fault, Validate},
    database,
    grpc::{self, Access, AccessRules, Roles},
    service::{check_deployment, check_instance},
    telemetry, tls,
};
use hubkeep_proto::{
    audit::v1::audit_service_server,
    credential::v1::{
        access_service_server, authorization_service_server, connection_service_server,
        consumer_service_server, containment_service_server, handle_service_server, key_service_server,
        portal_record_service_server, portal_service_server, redemption_service_server,
        rotation_service_server, session_service_server,
    },
};
use serde::{Deserialize, Serialize};

use crate::{connections, handles, rotation, secret_store, sessions};

/// Where development finds the service.
const DEFAULT_PORT: u16 = 7401;

/// Who may use which gRPC service, unless `[access]` says otherwise for that service.
const ACCESS: [(&str, &[&str]); 13] = [
    (portal_service_server::SERVICE_NAME, &["role:fleet"]),
    (rotation_service_server::SERVICE_NAME, &["role:fleet"]),
    // crm-service contains what an alert is about, where a rule says so, and does nothing else there.
    (
        containment_service_server::SERVICE_NAME,
        &["role:fleet", "crm-service"],
    ),
    // Whoever is not registered as a consumer has no task there.
    (consumer_service_server::SERVICE_NAME, &["*"]),
    // Whoever has no grant gets no handle there.
    (handle_service_server::SERVICE_NAME, &["*"]),
    (access_service_server::SERVICE_NAME, &["role:fleet"]),
    (key_service_server::SERVICE_NAME, &["role:fleet"]),
    (redemption_service_server::SERVICE_NAME, &["crm-service"]),
    (portal_record_service_server::SERVICE_NAME, &["crm-service"]),
    // crm-service has the pages; operators list and revoke.
    (
        session_service_server::SERVICE_NAME,
        &["crm-service", "role:fleet"],
    ),
    (
        authorization_service_server::SERVICE_NAME,
        &["crm-service", "role:fleet"],
    ),
    (
        connection_service_server::SERVICE_NAME,
        &["crm-service", "role:fleet"],
    ),
    (audit_service_server::SERVICE_NAME, &["*"]),
];

/// The configuration of credential-service.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// The name of this deployment: the first part of every audit log's name.
    pub deployment: String,
    /// Which process of the service this is, as its entries say it. Unless set, the name of the machine or container.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub instance: String,
    /// Where the service listens, and its limits.
    pub grpc: grpc::Config,
    /// The service's certificate, and the CA of its callers. Left out only in development.
    pub tls: Option<tls::Config>,
    /// For each gRPC service the callers that may use it: names, "prefix/*", "role:<role>", or "*". What is set here
    /// replaces the default of that service and leaves those of others.
    pub access: AccessRules,
    /// For each role who has it.
    pub roles: Roles,
    /// The vault's database.
    pub database: database::Config,
    /// The audit log.
    pub audit: hubkeep_audit_log::Config,
    /// The key-encryption keys.
    pub keys: hubkeep_seal::Config,
    /// Where sealed tokens rest.
    pub secrets: secret_store::Config,
    /// How long handles live, and how many.
    pub handles: handles::Config,
    /// Who may sign in, by which providers, and for how long.
    pub sessions: sessions::Config,
    /// What people connect HubSpot with.
    pub connections: connections::Config,
    /// How rotations are followed up.
    pub rotation: rotation::Config,
    /// Where HubSpot is.
    pub hubspot: hubkeep_hubspot::Config,
    /// Logs.
    pub telemetry: telemetry::Config,
}

impl Default for Config {
    fn default() -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], DEFAULT_PORT));
        Self {
            deployment: "dev".to_owned(),
            instance: String::new(),
            grpc: grpc::Config {
                listen,
                ..grpc::Config::default()
            },
            tls: None,
            access: AccessRules::new(ACCESS),
            roles: Roles::default(),
            database: database::Config {
                url: "sqlite://hubkeep-data/credential-service.db".to_owned(),
                ..database::Config::default()
            },
            audit: hubkeep_audit_log::Config {
                url: "sqlite://hubkeep-data/credential-service-audit.db".to_owned(),
                ..hubkeep_audit_log::Config::default()
            },
            keys: hubkeep_seal::Config::file("hubkeep-data/credential-service.kek"),
            secrets: secret_store::Config::default(),
            handles: handles::Config::default(),
            sessions: sessions::Config::default(),
            connections: connections::Config::default(),
            rotation: rotation::Config::default(),
            hubspot: hubkeep_hubspot::Config::default(),
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
    const ALIASES: &'static [Alias] = &[
        Alias {
            variable: "HUBSPOT_CLIENT_ID",
            key: "hubspot.app.client_id",
            secret: false,
        },
        Alias {
            variable: "HUBSPOT_CLIENT_SECRET",
            key: "hubspot.app.client_secret",
            secret: true,
        },
        Alias {
            variable: "HUBSPOT_REDIRECT_URI",
            key: "connections.redirect_uri",
            secret: false,
        },
    ];

    fn validate(&self, faults: &mut Vec<Fault>) {
        check_deployment(&self.deployment, faults);
        check_instance(&self.instance, faults);
        self.access.check(&AccessRules::new(ACCESS), &self.roles, faults);
        self.roles.check(faults);
        if let Some(tls) = &self.tls {
            tls.validate(faults);
        }
        self.grpc.validate(faults);
        self.telemetry.validate(faults);
        self.database.validate(faults);
        if self.database.url == self.audit.url {
            let problem = "must not be the database of the vault: the log has its own".to_owned();
            faults.push(Fault {
                key: "audit.url".to_owned(),
                problem,
            });
        }
        self.audit.validate(faults);
        self.keys.validate(faults);
        self.secrets.validate(faults);
        self.handles.validate(faults);
        self.sessions.validate(faults);
        self.connections.validate(faults);
        if !self.connections.redirect_uri.is_empty() && self.hubspot.app.is_none() {
            let problem = "needs an app: set hubspot.app.client_id and its secret";
            faults.push(Fault::new("connections.redirect_uri", problem));
        }
        self.rotation.validate(faults);
        self.hubspot.validate(faults);
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Write as _, time::Duration};

    use hubkeep_core::config::{Environment, load};
    use tempfile::NamedTempFile;

    use super::*;

    fn read(text: &str) -> Result<Config, hubkeep_core::config::InvalidConfig> {
        let mut file = NamedTempFile::new().expect("temporary file");
        file.write_all(text.as_bytes()).expect("written");
        load(Some(file.path()), &Environment::new())
    }

    #[test]
    fn the_default_is_valid_and_survives_being_printed() {
        let printed = hubkeep_core::config::print(&Config::default()).expect("prints");
        let config = read(&printed).expect("valid");
        assert_eq!(config.handles.default_lifetime, Duration::from_secs(300));
        assert_eq!(config.grpc.listen.port(), DEFAULT_PORT);
    }

    #[test]
    fn a_rule_for_one_service_leaves_those_of_others() {
        let config =
            read("[access]\n\"hubkeep.credential.v1.HandleService\" = [\"nightly-sync\"]\n").expect("valid");
        assert_eq!(
            config.access.callers_of("hubkeep.credential.v1.HandleService"),
            ["nightly-sync"]
        );
        assert_eq!(
            config
                .access
                .callers_of("hubkeep.credential.v1.RedemptionService"),
            ["crm-service"]
        );
    }

    #[test]
    fn the_app_is_taken_from_the_names_by_which_others_know_it_and_its_secret_is_not_printed() {
        let variables = [
            ("HUBSPOT_CLIENT_ID", "the-id"),
            ("HUBSPOT_CLIENT_SECRET", "the-s3cret"),
            ("HUBSPOT_REDIRECT_URI", "https://h.example/auth/hubspot/callback"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let config: Config = load(None, &Environment::from(variables)).expect("valid");
        assert_eq!(
            config.hubspot.app.as_ref().map(|app| app.client_id.as_str()),
            Some("the-id")
        );
        assert!(
            config
                .connections
                .redirect_uri
                .ends_with("/auth/hubspot/callback")
        );
        let shown = hubkeep_core::config::print(&config).expect("prints");
        assert!(!shown.contains("the-s3cret") && !format!("{config:?}").contains("the-s3cret"));
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let error = read(
            "deployment = \"Prod EU\"\n[grpc]\nmax_in_flight = 0\n[handles]\nmax_lifetime = \"1h\"\n\
             max_live_per_caller = 0\n[hubspot]\napi_base = \"http://api.hubapi.com\"\n[access]\n\"a.B\" = [\"*\"]\n",
        )
        .expect_err("six faults");
        let keys: Vec<&str> = error.0.iter().map(|fault| fault.key.as_str()).collect();
        for key in [
            "deployment",
            "grpc.max_in_flight",
            "handles.max_lifetime",
            "handles.max_live_per_caller",
            "hubspot.api_base",
            "access",
        ] {
            assert!(keys.contains(&key), "{key} is missing from {error}");
        }
    }
}
