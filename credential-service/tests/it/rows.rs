//! Whoever can write to the database can alter no column of a portal or of its credentials, exchange none between two
//! portals, and move, copy or take away no row: the portals concerned are refused, and the others are served on.

use std::time::Duration;

use hubkeep_core::{database::Database, error::ErrorReason};
use hubkeep_proto::credential::v1::{
    CredentialKind, FindingKind, ListPortalsRequest, OnboardPortalRequest, PortalDetails, PortalState,
    RunDoctorRequest, UpdatePortalRequest, VerifyPortalRequest, run_doctor_response::Message,
};
use tonic::Status;

use crate::{
    fleet::{resume, suspend},
    harness::*,
    rotation::{NARROW_TOKEN, rotate, to},
};

/// The tables that say who is served, and which of their rows are altered one at a time.
const TABLES: [(&str, &str); 2] = [
    ("portal", "portal_id = 1001"),
    (
        "portal_credential",
        "portal_id = 1001 AND credential_name = 'default'",
    ),
];

/// Two portals that differ in what they can differ in, each with a handle, and the rows as they are.
pub(crate) struct Vault {
    pub(crate) bench: Bench,
    pub(crate) database: Database,
    pub(crate) acme: String,
    pub(crate) globex: String,
}

impl Vault {
    pub(crate) async fn start() -> Self {
        let bench = Bench::start().await;
        bench
            .hubspot
            .set_data_hosting_location(GLOBEX, "eu1")
            .expect("a portal");
        onboard(&bench, "acme", "default", ACME_TOKEN).await;
        // Credentials of one instant have no first.
        bench.clock.advance(Duration::from_secs(20));
        onboard(&bench, "acme", "second", ACME_SECOND_TOKEN).await;
        onboard(&bench, "globex", "default", GLOBEX_TOKEN).await;
        suspend(&bench, "globex").await.expect("suspends");
        resume(&bench, "globex").await.expect("resumes");
        let acme = bench.issue(SYNC, "acme").await.expect("issues").handle;
        let globex = bench.issue(SYNC, "globex").await.expect("issues").handle;
        let database = bench.database().await;
        let vault = Self {
            bench,
            database,
            acme,
            globex,
        };
        vault.keep("kept").await;
        vault
    }

    pub(crate) async fn run(&self, sql: &str) -> u64 {
        let done = sqlx::query(sqlx::AssertSqlSafe(sql.to_owned()))
            .execute(self.database.pool())
            .await;
        done.expect(sql).rows_affected()
    }

    pub(crate) async fn alter(&self, sql: &str) {
        assert!(self.run(sql).await > 0, "{sql}");
    }

    async fn count(&self, sql: String) -> i64 {
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .fetch_one(self.database.pool())
            .await
            .expect("counts")
    }

    /// Keeps the rows as they are under this name.
    pub(crate) async fn keep(&self, name: &str) {
        for (table, _) in TABLES {
            self.run(&format!("CREATE TABLE {name}_{table} AS SELECT * FROM {table}"))
                .await;
        }
    }

    /// Puts the rows back that were kept under this name.
    pub(crate) async fn put_back(&self, name: &str) {
        for (table, _) in TABLES {
            self.run(&format!("DELETE FROM {table}")).await;
            self.run(&format!("INSERT INTO {table} SELECT * FROM {name}_{table}"))
                .await;
        }
    }

    /// The columns of a table with their types, as the database itself knows them.
    async fn columns(&self, table: &str) -> Vec<(String, String)> {
        let sql = if self.bench.config.database.url.starts_with("postgres") {
            "SELECT column_name::TEXT, UPPER(data_type)::TEXT FROM information_schema.columns \
             WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position"
        } else {
            "SELECT name, type FROM pragma_table_info($1) ORDER BY cid"
        };
        let columns: Vec<(String, String)> = sqlx::query_as(sql)
            .bind(table)
            .fetch_all(self.database.pool())
            .await
            .expect("a table");
        assert!(columns.len() > 8, "{columns:?}");
        columns
    }

    pub(crate) async fn serves_acme(&self, what: &str) {
        let redeemed = self.bench.redeem(&self.acme, SYNC).await;
        let token = redeemed.expect(what).portal_token;
        assert!(
            [ACME_TOKEN, ACME_SECOND_TOKEN].contains(&token.as_str()),
            "{what}"
        );
    }

    pub(crate) async fn serves_globex(&self, what: &str) {
        let redeemed = self.bench.redeem(&self.globex, SYNC).await;
        assert_eq!(redeemed.expect(what).portal_token, GLOBEX_TOKEN, "{what}");
    }

    /// Nothing that is asked about a portal is done, and HubSpot hears nothing of it.
    pub(crate) async fn refuses(&self, slug: &str, what: &str) {
        let heard = self.bench.hubspot.journal_len();
        self.serves_nothing_of(slug, what).await;
        let mut rotation = to(NARROW_TOKEN);
        slug.clone_into(&mut rotation.client_slug);
        refused(&rotate(&self.bench, rotation).await, what);
        assert_eq!(self.bench.hubspot.journal_len(), heard, "{what}");
    }

    /// The same, of a portal that may get another token: a backup was restored.
    pub(crate) async fn serves_nothing_of(&self, slug: &str, what: &str) {
        let (bench, client_slug) = (&self.bench, slug.to_owned());
        let mut portals = bench.portals(OPERATOR);
        let handle = if slug == "acme" { &self.acme } else { &self.globex };
        let verify = VerifyPortalRequest {
            client_slug: client_slug.clone(),
        };
        let update = UpdatePortalRequest {
            client_slug,
            details: Some(PortalDetails::default()),
        };
        refused(&bench.redeem(handle, SYNC).await, what);
        refused(&bench.issue(SYNC, slug).await, what);
        refused(&portals.verify_portal(verify).await, what);
        refused(&portals.update_portal(update).await, what);
        refused(&suspend(bench, slug).await, what);
    }

    /// Which portals a list shows as altered.
    pub(crate) async fn altered(&self) -> Vec<String> {
        let request = ListPortalsRequest::default();
        let listed = self.bench.portals(OPERATOR).list_portals(request).await;
        let mut portals = listed.expect("lists").into_inner().portals;
        portals.retain(|portal| portal.state() == PortalState::Altered);
        portals.into_iter().map(|portal| portal.client_slug).collect()
    }
}

/// Refused with a reason of its own, and not for want of anything to refuse.
fn refused<T>(answer: &Result<T, Status>, what: &str) {
    let reason = reason(answer);
    let ours = ["PORTAL_", "HANDLE_INVALID"];
    assert!(
        ours.iter().any(|ours| reason.starts_with(ours)),
        "{what}: {reason}"
    );
}

async fn onboard(bench: &Bench, slug: &str, credential: &str, token: &str) {
    let kind = match slug {
        "acme" => CredentialKind::PrivateApp,
        _ => CredentialKind::ServiceKey,
    };
    let request = OnboardPortalRequest {
        client_slug: slug.to_owned(),
        portal_token: token.to_owned(),
        credential_name: credential.to_owned(),
        credential_kind: kind.into(),
        details: Some(PortalDetails {
            controller_name: slug.to_owned(),
            ..PortalDetails::default()
        }),
        ..OnboardPortalRequest::default()
    };
    let onboarded = bench.portals(OPERATOR).onboard_portal(request).await;
    onboarded.expect("onboards");
}

/// The columns are those that the database has, so one that is added later and not authenticated fails here.
#[tokio::test]
async fn a_portal_with_any_column_altered_is_refused_and_served_again_when_it_is_put_back() {
    let vault = Vault::start().await;
    for (table, row) in TABLES {
        for (column, kind) in vault.columns(table).await {
            let altered = match kind.as_str() {
                "BIGINT" => format!("{column} + 7"),
                "TEXT" => format!("{column} || 'x'"),
                _ => "(SELECT sealed FROM sealed_secret WHERE secret_id = 'portal/1001/token/1')".to_owned(),
            };
            let what = format!("UPDATE {table} SET {column} = {altered} WHERE {row}");
            vault.alter(&what).await;
            vault.refuses("acme", &what).await;
            vault.serves_globex(&what).await;
            assert_eq!(vault.altered().await.len(), 1, "{what}");
            vault.put_back("kept").await;
            vault.serves_acme(&what).await;
        }
    }
    assert!(vault.altered().await.is_empty());
}

#[tokio::test]
async fn two_portals_with_any_column_exchanged_are_both_refused() {
    let vault = Vault::start().await;
    let mut exchanged = 0;
    for (table, pair) in [
        ("portal", "a.portal_id <> b.portal_id"),
        (
            "portal_credential",
            "a.portal_id <> b.portal_id AND a.credential_name = 'default' AND b.credential_name = 'default'",
        ),
    ] {
        let columns = vault.columns(table).await;
        for (column, _) in &columns {
            let what = format!("{table}.{column}");
            let alike = format!(
                "SELECT COUNT(*) FROM kept_{table} AS a, kept_{table} AS b WHERE {pair} AND a.{column} = b.{column}"
            );
            if vault.count(alike).await != 0 {
                continue;
            }
            exchanged += 1;
            let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
            let values: Vec<String> = names
                .iter()
                .map(|name| match name {
                    name if name == column => format!("b.{name}"),
                    name => format!("a.{name}"),
                })
                .collect();
            let (names, values) = (names.join(", "), values.join(", "));
            let whose = if table == "portal" {
                "1 = 1"
            } else {
                "credential_name = 'default'"
            };
            vault.alter(&format!("DELETE FROM {table} WHERE {whose}")).await;
            vault
                .alter(&format!(
                    "INSERT INTO {table} ({names}) SELECT {values} FROM kept_{table} AS a, kept_{table} AS b WHERE {pair}"
                ))
                .await;
            vault.refuses("acme", &what).await;
            vault.refuses("globex", &what).await;
            assert_eq!(vault.altered().await.len(), 2, "{what}");
            vault.put_back("kept").await;
        }
    }
    assert!(exchanged >= 16, "the portals differ in {exchanged} columns only");
    vault.serves_acme("put back").await;
    vault.serves_globex("put back").await;
}

#[tokio::test]
async fn a_credential_that_is_moved_copied_or_taken_away_makes_the_portals_concerned_refuse() {
    let vault = Vault::start().await;
    let columns = "credential_name, credential_kind, scopes, credential_version, token_fingerprint, onboard_time, \
                   token_time, verify_time";
    for (sql, refused) in [
        (
            "DELETE FROM portal_credential WHERE portal_id = 1001 AND credential_name = 'second'".to_owned(),
            &["acme"][..],
        ),
        (
            "DELETE FROM portal_credential WHERE portal_id = 1001".to_owned(),
            &["acme"],
        ),
        (
            "UPDATE portal_credential SET portal_id = 1002 WHERE credential_name = 'second'".to_owned(),
            &["acme", "globex"],
        ),
        (
            format!(
                "INSERT INTO portal_credential (credential_id, portal_id, {columns}) \
                 SELECT '01890000-0000-7000-8000-000000000000', 1002, {columns} \
                 FROM portal_credential WHERE credential_name = 'second'"
            ),
            &["globex"],
        ),
        (
            format!(
                "INSERT INTO portal_credential (credential_id, portal_id, {columns}) \
                 SELECT '01890000-0000-7000-8000-000000000000', 7, {columns} \
                 FROM portal_credential WHERE credential_name = 'second'"
            ),
            &[],
        ),
    ] {
        vault.alter(&sql).await;
        for (slug, refused) in [
            ("acme", refused.contains(&"acme")),
            ("globex", refused.contains(&"globex")),
        ] {
            match (slug, refused) {
                (slug, true) => vault.refuses(slug, &sql).await,
                ("acme", false) => vault.serves_acme(&sql).await,
                _ => vault.serves_globex(&sql).await,
            }
        }
        assert_eq!(vault.altered().await, refused, "{sql}");
        vault.put_back("kept").await;
    }
}

#[tokio::test]
async fn what_somebody_widened_is_not_made_true_by_the_next_write() {
    let vault = Vault::start().await;
    let widened =
        "UPDATE portal_credential SET scopes = scopes || ' crm.objects.deals.write' WHERE portal_id = 1001";
    vault.alter(widened).await;
    for _ in 0..2 {
        vault.refuses("acme", widened).await;
    }
    // Nobody says which portal it is.
    assert_eq!(
        reason(&vault.bench.onboard("acme", ACME_TOKEN, 0).await),
        "PORTAL_ALTERED"
    );
    assert_eq!(reason(&vault.bench.issue(SYNC, "acme").await), "PORTAL_ALTERED");
    vault.serves_globex(widened).await;
}

#[tokio::test]
async fn a_token_or_a_key_of_another_portal_opens_nothing_and_the_others_are_served() {
    for sql in [
        "UPDATE sealed_secret SET sealed = (SELECT sealed FROM sealed_secret WHERE secret_id = 'portal/1002/token/1') \
         WHERE secret_id LIKE 'portal/1001/%'",
        "UPDATE sealed_secret SET sealed = (SELECT sealed FROM sealed_secret WHERE secret_id = 'portal/1001/token/2') \
         WHERE secret_id = 'portal/1001/token/1'",
        "DELETE FROM sealed_secret WHERE secret_id LIKE 'portal/1001/%'",
        "UPDATE seal_key SET wrapped = (SELECT wrapped FROM seal_key WHERE owner = 'portal/1002' AND \
         purpose = 'credential') WHERE owner = 'portal/1001' AND purpose = 'credential'",
        "DELETE FROM seal_key WHERE owner = 'portal/1001'",
    ] {
        let vault = Vault::start().await;
        vault.alter(sql).await;
        // Until then an unwrapped key serves from memory.
        vault.bench.clock.advance(vault.bench.config.keys.cached_for);
        let acme = vault.bench.issue(SYNC, "acme").await;
        let globex = vault.bench.issue(SYNC, "globex").await.expect("issues").handle;
        let redeemed = match acme {
            Ok(issued) => vault.bench.redeem(&issued.handle, SYNC).await,
            Err(refused) => Err(refused),
        };
        let refused = reason(&redeemed);
        assert_eq!(refused, "TOKEN_UNREADABLE", "{sql}");
        let redeemed = vault.bench.redeem(&globex, SYNC).await.expect(sql);
        assert_eq!(redeemed.portal_token, GLOBEX_TOKEN, "{sql}");
    }
}

#[tokio::test]
async fn the_doctor_names_an_altered_portal_and_looks_at_the_others() {
    let vault = Vault::start().await;
    vault
        .alter("UPDATE portal SET time_zone = 'Mars/Olympus' WHERE client_slug = 'acme'")
        .await;
    vault.bench.clock.advance(Duration::from_secs(11));
    let mut doctor = vault.bench.portals(OPERATOR);
    let run = doctor.run_doctor(RunDoctorRequest::default()).await;
    let mut told = run.expect("runs").into_inner();
    let mut found = std::collections::BTreeMap::new();
    while let Some(response) = told.message().await.expect("goes on") {
        if let Some(Message::Portal(portal)) = response.message {
            let kinds: Vec<FindingKind> = portal.findings.iter().map(|finding| finding.kind()).collect();
            found.insert(portal.client_slug, kinds);
        }
    }
    assert_eq!(found["acme"], [FindingKind::Altered]);
    assert_eq!(found["globex"], []);
    let entries = vault.bench.entries().await;
    let named = entries.iter().filter(|(log, entry)| {
        log.ends_with("/system")
            && entry.reason() == ErrorReason::PortalAltered
            && entry.client_slug == "acme"
    });
    assert_eq!(named.count(), 1);
}
