//! Builds the service, top to bottom.

mod error;
mod service;

use std::{net::SocketAddr, sync::Arc};

pub use error::StartError;
use hubkeep_audit_log::{AuditApi, AuditLog, Identity, RefusalRecorder};
pub use hubkeep_core::service::Deps;
use hubkeep_core::{
    clock::SharedClock,
    database::Database,
    dying::watched,
    grpc::{self, Chassis},
    id::RequestId,
    service::{Service as _, instance_of},
};
use hubkeep_hubspot::Client;
use hubkeep_keys::KeyApi;
use hubkeep_proto::{
    audit::v1::audit_service_server::AuditServiceServer,
    credential::v1::key_service_server::KeyServiceServer,
    crm::v1::{
        alert_service_server::AlertServiceServer, association_service_server::AssociationServiceServer,
        object_service_server::ObjectServiceServer, owner_service_server::OwnerServiceServer,
        quota_service_server::QuotaServiceServer, report_service_server::ReportServiceServer,
        schema_service_server::SchemaServiceServer, write_service_server::WriteServiceServer,
    },
};
use hubkeep_seal::{Keks, Keyring};
use hubkeep_webhook::Documents;
use tokio::sync::mpsc;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use crate::{
    MIGRATIONS,
    actions::Actions,
    alerts::{self, Alerts},
    api::{
        AlertApi, AssociationApi, Entrance, HandleAuthority, ObjectApi, OwnerApi, QuotaApi, QuotaDesk,
        ReportApi, SchemaApi, WriteApi,
    },
    call::{ObjectRefs, Unread, Usage, stack},
    config::Config,
    credentials::Credentials,
    erasure::Erasures,
    mcp,
    notify::Notify,
    pairs::Pairs,
    quota::{self, Lends, Quota},
    reports::{self, Reports},
    suppression::Suppression,
    web,
    writes::{Inheritance, Writes},
};

/// In whose name portals are erased.
const NAME_OF_CREDENTIALS: &str = "credential-service";

/// Starts the service. When this returns, its address answers.
///
/// # Errors
/// If anything it stands on is not there.
pub async fn start(config: Config, deps: Deps) -> Result<Running, StartError> {
    // Large, and waited for by whoever starts several.
    Box::pin(build(config, deps)).await
}

async fn build(config: Config, deps: Deps) -> Result<Running, StartError> {
    let Deps {
        clock,
        random,
        callers,
    } = deps;
    let access = config.who_may();
    let certificate = callers.identity().cloned();
    let stated = reports::Stated {
        measures: config.measures(),
        config: config.reports.clone().or_kept_for(&config.audit.keep),
    };

    let keks = Keks::open(&config.keys, &clock).await?;
    let database = Database::open(&config.database, &[&hubkeep_seal::MIGRATIONS, &MIGRATIONS]).await?;
    let keyring = Keyring::new(
        database.clone(),
        keks,
        config.keys.cached_for,
        clock.clone(),
        random.clone(),
    );
    let identity = Identity {
        deployment: config.deployment,
        service: Running::NAME,
        instance: instance_of(&config.instance),
    };
    let heir = Arc::new(Inheritance::new(database.clone(), clock.clone()));
    let log = AuditLog::open_for(heir, &config.audit, identity, clock.clone(), random.clone()).await?;

    log.seal_payloads_with(keyring.clone());

    let refusals = Arc::new(RefusalRecorder::new(log.clone(), clock.clone(), random.clone()));
    let longest_call = config.grpc.max_deadline;
    let chassis = Chassis::new(
        config.grpc,
        clock.clone(),
        random.clone(),
        callers,
        access,
        refusals,
    );

    let hubspot = Client::new(&config.hubspot, log.clone(), clock.clone())?;
    let (orders, ordered) = mpsc::unbounded_channel();
    let credentials = Credentials::build(
        config.credentials,
        certificate.as_ref(),
        clock.clone(),
        &*random,
        orders,
        chassis.holds(),
    )?;
    let own_calls = credentials.own_calls();
    let quota = Quota::start(
        config.quota,
        quota::Deps {
            database: database.clone(),
            log: log.clone(),
            caller: Running::NAME.parse()?,
            lends: Lends::when(move |portal, now| own_calls.are_none(portal, now)),
            clock: clock.clone(),
            random: random.clone(),
        },
    )
    .await?;
    let shared_quota = quota.clone();
    let stop = CancellationToken::new();
    let process = RequestId::make(&*clock, &*random)?;
    let writes = Writes::new(
        config.writes,
        database.clone(),
        keyring.clone(),
        log.clone(),
        clock.clone(),
        process,
    );
    let turns = (process, config.writes.not_done_after);
    let pairs = Pairs::new(database.clone(), keyring.clone(), turns, clock.clone());
    tokio::spawn(watched(writes.clone().sweep(stop.clone())));
    let suppression = Suppression::new(database.clone(), keyring.clone(), clock.clone());
    suppression.learn_from(&writes, longest_call, &stop);
    suppression.forget_payloads(log.clone(), Running::NAME.parse()?, &stop);
    let erasures = Erasures {
        writes: writes.clone(),
        database: database.clone(),
        keyring: keyring.clone(),
        log: log.clone(),
        credentials: credentials.clone(),
        caller: NAME_OF_CREDENTIALS.parse()?,
        clock: clock.clone(),
        random: random.clone(),
    };
    tokio::spawn(erasures.run(ordered, stop.clone()));
    let alerts = Alerts::start(
        config.alerts,
        alerts::Deps {
            database: database.clone(),
            log: log.clone(),
            notify: Notify::build(&config.notify, clock.clone())?,
            credentials: credentials.clone(),
            caller: Running::NAME.parse()?,
            holder: RequestId::make(&*clock, &*random)?.to_string(),
            clock: clock.clone(),
            random: random.clone(),
        },
        stop.child_token(),
    )
    .await?;
    let object_refs = ObjectRefs::new(keyring.clone());
    let authority = HandleAuthority::new(
        credentials.clone(),
        object_refs.clone(),
        clock.clone(),
        random.clone(),
    );
    let own_clock = clock.clone();
    let under_way = TaskTracker::new();
    let unread = Unread::new(log.clone(), object_refs.clone(), credentials.clone());
    let usage = Usage::new(
        hubspot.clone(),
        credentials.clone(),
        under_way.clone(),
        clock.clone(),
        random.clone(),
    );
    let desk = QuotaDesk {
        log: log.clone(),
        credentials: credentials.clone(),
        quota: quota.clone(),
        usage: usage.clone(),
        clock: clock.clone(),
        random: random.clone(),
    };
    let listed = WriteApi {
        log: log.clone(),
        credentials: credentials.clone(),
        writes: writes.clone(),
        object_refs: object_refs.clone(),
        clock: clock.clone(),
        random: random.clone(),
    };
    let alerted = AlertApi {
        log: log.clone(),
        credentials: credentials.clone(),
        alerts: alerts.clone(),
        clock: clock.clone(),
        random: random.clone(),
        stopping: chassis.stopping(),
    };
    let reports = ReportApi {
        log: log.clone(),
        credentials: credentials.clone(),
        reports: Reports::new(stated, log.clone(), credentials.clone(), clock.clone()),
        object_refs: object_refs.clone(),
        clock: clock.clone(),
        random: random.clone(),
    };
    let judge = credentials.clone();
    let stack = stack::build(stack::Tools {
        log: log.clone(),
        credentials,
        quota,
        usage,
        coalesce: config.coalesce,
        suppression,
        writes,
        hubspot,
        object_refs,
        under_way: under_way.clone(),
        stopping: chassis.stopping(),
        clock: clock.clone(),
        random: random.clone(),
    });

    hubkeep_keys::wipe_until(chassis.stopping(), keyring.clone(), clock.clone());
    let keys = KeyApi {
        keyring,
        log: log.clone(),
        clock: clock.clone(),
        random: random.clone(),
        stopping: chassis.stopping(),
    };
    let actions = Actions::build(
        &config.actions,
        stack.clone(),
        unread.clone(),
        clock.clone(),
        random.clone(),
    );
    let entrance = Entrance::new(stack, unread, clock.clone(), random.clone());
    let quota = QuotaApi::new(desk, chassis.stopping());
    let audit = Arc::new(AuditApi::new(
        log.clone(),
        Arc::new(authority),
        clock.clone(),
        random.clone(),
        chassis.stopping(),
    ));
    let pages = web::people::Pages::open(
        &config.web.providers,
        web::people::Deps {
            people: judge.people(),
            clock: clock.clone(),
            random: random.clone(),
        },
    )?;
    let people = mcp::Deps {
        actions,
        credentials: judge,
        front: chassis.front(),
        database: database.clone(),
        documents: Documents::new(clock.clone()),
        pages: Box::new(move |origin| pages.at(origin)),
        stopping: chassis.stopping(),
        clock: clock.clone(),
        random: random.clone(),
    };
    let pages = web::Deps {
        audit: audit.clone(),
        log: log.clone(),
        front: chassis.front(),
        clock,
    };
    let objects = ObjectApi::new(entrance.clone(), chassis.stopping());
    let associations = AssociationApi::new(entrance.clone(), pairs);
    let server = chassis
        .serve(ObjectServiceServer::new(objects))
        .serve(AssociationServiceServer::new(associations))
        .serve(SchemaServiceServer::new(SchemaApi::new(entrance.clone())))
        .serve(OwnerServiceServer::new(OwnerApi::new(entrance)))
        .serve(QuotaServiceServer::new(quota))
        .serve(WriteServiceServer::new(listed))
        .serve(ReportServiceServer::new(reports))
        .serve(AlertServiceServer::new(alerted))
        .serve(KeyServiceServer::new(keys))
        .serve(AuditServiceServer::from_arc(audit))
        .start()
        .await?;
    let web = web::start(&config.web, pages).await?;
    let mcp = mcp::start(config.mcp, people).await?;
    Ok(Running {
        server,
        web,
        mcp,
        under_way,
        quota: shared_quota,
        alerts,
        clock: own_clock,
        log,
        database,
        _erasing: stop.drop_guard(),
    })
}

/// The service, running. Dropping it stops it without waiting.
pub struct Running {
    server: grpc::Running,
    web: Option<grpc::Listening>,
    mcp: Option<grpc::Listening>,
    under_way: TaskTracker,
    quota: Quota,
    alerts: Alerts,
    clock: SharedClock,
    log: AuditLog,
    database: Database,
    /// Ends the carrying out of erasures, and the looking for alerts.
    _erasing: DropGuard,
}

impl Running {
    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Where its pages are, if it has any.
    pub fn web_address(&self) -> Option<SocketAddr> {
        self.web.as_ref().map(grpc::Listening::address)
    }

    /// Where people's programs come in, if they do.
    pub fn mcp_address(&self) -> Option<SocketAddr> {
        self.mcp.as_ref().map(grpc::Listening::address)
    }

    /// Its audit log.
    pub const fn audit_log(&self) -> &AuditLog {
        &self.log
    }

    /// Takes no new requests, lets the calls under way end within the drain time, and closes the log behind the last
    /// of them.
    pub async fn stop(self) {
        let over = self.server.stop().await;
        for front in [self.web, self.mcp].into_iter().flatten() {
            front.stop().await;
        }
        self.under_way.close();
        if self.clock.timeout_at(over, self.under_way.wait()).await.is_none() {
            tracing::warn!(
                calls = self.under_way.len(),
                "calls were still under way when the drain time was over"
            );
        }
        self.alerts.close().await;
        self.quota.close().await;
        self.log.stop().await;
        self.database.close().await;
    }
}
