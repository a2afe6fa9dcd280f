//! The floors and the rooms: what may know what.

/// Each crate and the crates of ours that it may use: the floors below it.
pub(super) const FLOORS: [(&str, &[&str]); 10] = [
    ("proto", &[]),
    ("core", &["proto"]),
    ("seal", &["proto", "core"]),
    ("audit-log", &["proto", "core", "seal", "webhook"]),
    ("hubspot", &["proto", "core", "seal", "audit-log"]),
    ("keys", &["proto", "core", "seal", "audit-log"]),
    ("webhook", &["core"]),
    (
        "credential-service",
        &["proto", "core", "seal", "audit-log", "hubspot", "keys", "webhook"],
    ),
    (
        "crm-service",
        &["proto", "core", "seal", "audit-log", "hubspot", "keys", "webhook"],
    ),
    ("hubspot-sim", &[]),
];

/// The rooms of a service, and the rooms that each may use. `server`, `cli` and `config` build everything.
pub(super) const CREDENTIAL_ROOMS: [(&str, &[&str]); 15] = [
    (
        "api",
        &[
            "fleet",
            "rotation",
            "sessions",
            "handles",
            "connections",
            "access",
            "holders",
            "portals",
            "vault",
            "revocations",
            "secret_store",
            "record",
        ],
    ),
    (
        "fleet",
        &[
            "rotation",
            "handles",
            "access",
            "holders",
            "portals",
            "revocations",
            "record",
        ],
    ),
    ("rotation", &["portals", "vault", "revocations", "record"]),
    ("sessions", &["handles", "access", "revocations", "record"]),
    (
        "handles",
        &[
            "connections",
            "access",
            "holders",
            "portals",
            "revocations",
            "record",
        ],
    ),
    (
        "connections",
        &[
            "access",
            "portals",
            "access_tokens",
            "vault",
            "revocations",
            "record",
        ],
    ),
    ("access", &["holders", "revocations", "record"]),
    ("holders", &["revocations", "record"]),
    (
        "portals",
        &["access_tokens", "vault", "store_version", "revocations", "record"],
    ),
    ("access_tokens", &["vault"]),
    ("vault", &["secret_store"]),
    ("revocations", &["record"]),
    ("secret_store", &[]),
    ("store_version", &[]),
    ("record", &[]),
];
/// The same of crm-service.
pub(super) const CRM_ROOMS: [(&str, &[&str]); 16] = [
    (
        "api",
        &[
            "alerts",
            "reports",
            "call",
            "writes",
            "pairs",
            "credentials",
            "quota",
            "notify",
            "crm",
        ],
    ),
    ("web", &["credentials"]),
    ("mcp", &["actions", "call", "credentials"]),
    ("actions", &["call", "crm"]),
    ("alerts", &["notify", "credentials"]),
    ("reports", &["credentials"]),
    (
        "call",
        &["writes", "pairs", "credentials", "quota", "suppression", "crm"],
    ),
    ("writes", &["crm"]),
    ("pairs", &["crm"]),
    ("suppression", &["writes"]),
    ("erasure", &["writes", "suppression", "credentials", "alerts"]),
    ("credentials", &["crm", "sync"]),
    ("quota", &[]),
    ("notify", &[]),
    ("crm", &[]),
    ("sync", &[]),
];
