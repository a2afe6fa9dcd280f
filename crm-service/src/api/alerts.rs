//! `hubkeep.crm.v1.AlertService`: who may read alerts and put rules, and that it is on record. For operators: the chassis lets
//! in who has one of the roles, and rules are put by those who look after the portals.

use std::time::Duration;

use hubkeep_audit_log::{AuditLog, Draft, Operation as Recorded, Outcome};
use hubkeep_core::{
    clock::SharedClock,
    error::ServiceError as _,
    grpc::{Context, FLEET},
    id::{CallId, ClientSlug, PortalId},
    random::SharedRandom,
};
use hubkeep_proto::crm::v1::{
    AlertRule, ListAlertsRequest, ListAlertsResponse, ListRulesRequest, ListRulesResponse, PutRuleRequest,
    PutRuleResponse, WatchAlertsRequest,
    alert_service_server::{self, AlertService},
};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use super::{
    alert_watch::{Responses, Watch},
    alert_words::{alert, deployments, put_rule, wish},
    entrance::meant,
    error::Error,
};
use crate::{
    alerts::{Alerts, Kind, PutRule, Which},
    call::Error as CallError,
    credentials::{Credentials, Reader, RecordOf},
    crm::{Faults, Question, WRITE_PAGE},
    reports,
};

/// Gives alerts and rules.
#[derive(Clone)]
pub struct AlertApi {
    /// Where every reading, change and refusal is recorded.
    pub log: AuditLog,
    /// What knows which portals there are.
    pub credentials: Credentials,
    /// Rules and alerts.
    pub alerts: Alerts,
    /// Time.
    pub clock: SharedClock,
    /// Randomness for ids.
    pub random: SharedRandom,
    /// Ends the streams.
    pub stopping: CancellationToken,
}

/// What an entry about a request says.
struct Asked {
    operation: Recorded,
    client_slug: String,
    subject: String,
}

impl Asked {
    fn new(operation: Recorded, client_slug: &str) -> Self {
        Self {
            operation,
            client_slug: client_slug.to_owned(),
            subject: String::new(),
        }
    }
}

impl AlertApi {
    fn call_id(&self, context: &Context) -> Result<CallId, Status> {
        let made = CallId::make(&*self.clock, &*self.random);
        made.map_err(|error| context.refuse(&CallError::from(error)))
    }

    /// Puts on record what was asked for, and that it was given or refused.
    async fn on_record<T>(
        &self,
        context: &Context,
        call_id: CallId,
        asked: Asked,
        given: Result<T, Error>,
    ) -> Result<T, Status> {
        let draft = Draft::system(asked.operation, call_id)
            .context(context)
            .subject(&asked.subject);
        match given {
            Ok(given) => {
                let draft = match asked.client_slug.parse() {
                    Ok(slug) => draft.claimed_slug(&slug),
                    Err(_) => draft,
                };
                let recorded = self.log.admin(draft, Outcome::ok()).await;
                recorded.map_err(|error| context.refuse(&error))?;
                Ok(given)
            }
            Err(error) => {
                if let Err(unrecorded) = self.log.denied(draft, Outcome::refused(error.reason())).await {
                    tracing::error!(error = %unrecorded, reason = error.reason().wire_name(), "a refusal was not recorded");
                }
                Err(context.refuse(&error))
            }
        }
    }

    /// The portal that an operator names, as credential-service knows it.
    async fn portal(
        &self,
        context: &Context,
        client_slug: &ClientSlug,
        expected: u64,
        call_id: CallId,
    ) -> Result<PortalId, Error> {
        let now = self.clock.now();
        let of = RecordOf {
            client_slug,
            // Nothing of its log is wanted.
            period: (now.minus(Duration::from_secs(1)), now),
            until_position: 0,
            call_id,
        };
        let reader = Reader::Operator(context.caller.name.clone());
        let read = self.credentials.read_portal_record(of, reader).await;
        let read = read.map_err(|error| Error::Report(error.into()))?;
        let portal = read.and_then(|reading| reading.record.portal);
        let found = portal.and_then(|portal| PortalId::new(portal.portal_id));
        let unknown = || reports::Error::PortalUnknown(client_slug.clone());
        let found = found.ok_or_else(unknown)?;
        match PortalId::new(expected).filter(|expected| *expected != found) {
            None => Ok(found),
            Some(expected) => {
                let client_slug = client_slug.clone();
                Err(reports::Error::AnotherPortal {
                    client_slug,
                    expected,
                }
                .into())
            }
        }
    }

    async fn put(
        &self,
        context: &Context,
        message: &PutRuleRequest,
        call_id: CallId,
        asked: &mut Asked,
    ) -> Result<AlertRule, Error> {
        if !context.has_role(FLEET) {
            return Err(Error::RoleMissing {
                caller: context.caller.name.clone(),
                role: FLEET,
                grpc_service: alert_service_server::SERVICE_NAME,
            });
        }
        let mut faults = Faults::default();
        let meant = meant(&message.client_slug, message.expected_portal_id, &mut faults);
        let wish = wish(message, &mut faults);
        let (meant, wish) = faults.resolve(meant.zip(wish)).map_err(CallError::from)?;
        asked.subject = wish.kind.name().to_owned();
        let slug = &meant.client_slug;
        let portal = self
            .portal(context, slug, meant.expected_portal_id, call_id)
            .await?;
        if wish.reset {
            self.alerts.take_back(portal, wish.kind).await?;
            asked.subject = format!("{}: as the deployment's", wish.kind.name());
            return Ok(deployments(wish.kind, self.alerts.rule(wish.kind)));
        }
        let kind = wish.kind;
        let before = self.put_before(portal, kind).await?;
        let rule = wish.over(&before).map_err(CallError::from)?;
        let put = PutRule {
            portal_id: portal,
            client_slug: slug.to_string(),
            kind,
            rule,
            put_by: context.caller.name.to_string(),
            put_time: self.clock.now(),
        };
        self.alerts.put(&put).await?;
        asked.subject = format!(
            "{}: {}more than {} in {}, {}",
            put.kind.name(),
            if put.rule.enabled { "" } else { "off, " },
            put.rule.threshold,
            humantime::format_duration(put.rule.window),
            put.rule.severity.name(),
        );
        Ok(put_rule(&put))
    }

    async fn put_before(&self, portal: PortalId, kind: Kind) -> Result<crate::alerts::Rule, Error> {
        let put = self.alerts.put_rules().await?;
        let before = put
            .into_iter()
            .find(|put| put.portal_id == portal && put.kind == kind);
        Ok(before.map_or_else(|| self.alerts.rule(kind).clone(), |before| before.rule))
    }

    /// Refuses a name that no portal has. Whether one has it is not known while credential-service is not reached, or to whom it
    /// does not say so: then nothing is said.
    async fn is_one(&self, context: &Context, client_slug: &str, call_id: CallId) -> Result<(), Error> {
        let Ok(slug) = client_slug.parse::<ClientSlug>() else {
            return Ok(());
        };
        match self.portal(context, &slug, 0, call_id).await {
            Err(Error::Report(unknown @ reports::Error::PortalUnknown(_))) => Err(unknown.into()),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    async fn rules(
        &self,
        context: &Context,
        message: &ListRulesRequest,
        call_id: CallId,
    ) -> Result<ListRulesResponse, Error> {
        let mut faults = Faults::default();
        let limit = faults.keep("page_size", WRITE_PAGE.read(message.page_size));
        check_slug(&message.client_slug, &mut faults);
        let question = Question::of(&["alert rules", &message.client_slug]);
        let after = question.cursor(&message.page_token, &mut faults);
        let limit = faults.resolve(limit).map_err(CallError::from)?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut rules = self.all_rules(&message.client_slug).await?;
        if rules.iter().all(|rule| rule.client_slug.is_empty()) {
            self.is_one(context, &message.client_slug, call_id).await?;
        }
        rules.retain(|rule| after.as_ref().is_none_or(|after| place(rule) > *after));
        let more = rules.len() > limit;
        rules.truncate(limit);
        let last = rules.last().filter(|_| more).map(place);
        Ok(ListRulesResponse {
            next_page_token: question.token(last.as_deref()),
            rules,
        })
    }

    /// Those of a portal, one of each kind that it has; without one, the deployment's and all that were put. In the order of their places.
    async fn all_rules(&self, client_slug: &str) -> Result<Vec<AlertRule>, Error> {
        let mut put = self.alerts.put_rules().await?;
        if !client_slug.is_empty() {
            put.retain(|put| put.client_slug == client_slug);
        }
        let is_put = |kind: Kind| !client_slug.is_empty() && put.iter().any(|put| put.kind == kind);
        let there_is = |kind: Kind| client_slug.is_empty() || kind.is_of_portals();
        let kinds = Kind::ALL.into_iter();
        let kinds = kinds.filter(|kind| there_is(*kind) && !is_put(*kind));
        let mut rules: Vec<AlertRule> = kinds
            .map(|kind| deployments(kind, self.alerts.rule(kind)))
            .collect();
        rules.extend(put.iter().map(put_rule));
        rules.sort_by_key(place);
        Ok(rules)
    }

    async fn listed(
        &self,
        context: &Context,
        message: &ListAlertsRequest,
        call_id: CallId,
    ) -> Result<ListAlertsResponse, Error> {
        let mut faults = Faults::default();
        let limit = faults.keep("page_size", WRITE_PAGE.read(message.page_size));
        check_slug(&message.client_slug, &mut faults);
        let states = format!("{:?}", message.states);
        let question = Question::of(&["alerts", &message.client_slug, &states]);
        let before = question.cursor(&message.page_token, &mut faults);
        let firing = super::alert_words::states(&message.states, &mut faults);
        let limit = faults.resolve(limit).map_err(CallError::from)?;
        let which = Which {
            client_slug: message.client_slug.clone(),
            firing,
        };
        let before = before.and_then(|number| number.parse().ok());
        let alerts = self.alerts.list(&which, before, limit).await?;
        if alerts.is_empty() {
            self.is_one(context, &message.client_slug, call_id).await?;
        }
        let full = alerts.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
        let last = alerts.last().filter(|_| full);
        Ok(ListAlertsResponse {
            next_page_token: question.token(last.map(|last| last.alert_id.to_string()).as_deref()),
            alerts: alerts.iter().map(alert).collect(),
        })
    }

    async fn watched(
        &self,
        context: &Context,
        message: &WatchAlertsRequest,
        call_id: CallId,
    ) -> Result<Watch, Error> {
        let mut faults = Faults::default();
        check_slug(&message.client_slug, &mut faults);
        let last = self.alerts.last_change().await?;
        if message.after_change > last {
            faults.add(
                "after_change",
                "lies beyond the last change: it is not of this service",
            );
        }
        faults.resolve(Some(())).map_err(CallError::from)?;
        self.is_one(context, &message.client_slug, call_id).await?;
        Ok(Watch::new(
            self.alerts.clone(),
            (self.clock.clone(), self.stopping.clone()),
            context.clone(),
            message,
            last,
        ))
    }
}

/// Where a rule stands in the list.
fn place(rule: &AlertRule) -> String {
    format!("{} {}", rule.client_slug, rule.kind)
}

fn check_slug(client_slug: &str, faults: &mut Faults) {
    if !client_slug.is_empty() {
        let read = client_slug.parse::<ClientSlug>();
        faults.keep("client_slug", read.map_err(|invalid| invalid.rule()));
    }
}

#[tonic::async_trait]
impl AlertService for AlertApi {
    type WatchAlertsStream = Responses;

    async fn put_rule(&self, request: Request<PutRuleRequest>) -> Result<Response<PutRuleResponse>, Status> {
        let context = Context::of(&request)?;
        let (call_id, message) = (self.call_id(&context)?, request.into_inner());
        let mut asked = Asked::new(Recorded::AlertRulePut, &message.client_slug);
        let put = self.put(&context, &message, call_id, &mut asked).await;
        let rule = Some(self.on_record(&context, call_id, asked, put).await?);
        Ok(Response::new(PutRuleResponse { rule }))
    }

    async fn list_rules(
        &self,
        request: Request<ListRulesRequest>,
    ) -> Result<Response<ListRulesResponse>, Status> {
        let context = Context::of(&request)?;
        let (call_id, message) = (self.call_id(&context)?, request.into_inner());
        let asked = Asked::new(Recorded::AlertRuleList, &message.client_slug);
        let rules = self.rules(&context, &message, call_id).await;
        Ok(Response::new(
            self.on_record(&context, call_id, asked, rules).await?,
        ))
    }

    async fn list_alerts(
        &self,
        request: Request<ListAlertsRequest>,
    ) -> Result<Response<ListAlertsResponse>, Status> {
        let context = Context::of(&request)?;
        let (call_id, message) = (self.call_id(&context)?, request.into_inner());
        let asked = Asked::new(Recorded::AlertList, &message.client_slug);
        let listed = self.listed(&context, &message, call_id).await;
        Ok(Response::new(
            self.on_record(&context, call_id, asked, listed).await?,
        ))
    }

    async fn watch_alerts(
        &self,
        request: Request<WatchAlertsRequest>,
    ) -> Result<Response<Responses>, Status> {
        let context = Context::of_stream(&request)?;
        let (call_id, message) = (self.call_id(&context)?, request.into_inner());
        let asked = Asked::new(Recorded::AlertWatch, &message.client_slug);
        let watched = self.watched(&context, &message, call_id).await;
        let watch = self.on_record(&context, call_id, asked, watched).await?;
        Ok(Response::new(watch.into_stream()))
    }
}
