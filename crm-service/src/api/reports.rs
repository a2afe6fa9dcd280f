//! `hubkeep.crm.v1.ReportService`: who may have a report, what is asked, and that it is on record. A handle that allows REPORT
//! gives those of its own portal, an operator with the role "auditor" those of all.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use hubkeep_audit_log::{AuditLog, Draft, Operation as Recorded, Outcome, ProvenPortal};
use hubkeep_core::{
    clock::{SharedClock, Timestamp},
    error::ServiceError as _,
    grpc::{AUDITOR, Context, bearer_handle},
    id::{CallId, PortalId},
    random::SharedRandom,
};
use hubkeep_proto::crm::v1::{
    GetProcessingRecordRequest, GetProcessingRecordResponse, GetScopeReportRequest, GetScopeReportResponse,
    GetServiceProviderReportRequest, GetServiceProviderReportResponse, GetSubjectReportRequest,
    GetSubjectReportResponse, GetSunsetReportRequest, GetSunsetReportResponse, GetUsageReportRequest,
    GetUsageReportResponse, Report as WireReport, ReportFormat, ReportPositions, ReportScope,
    report_service_server::ReportService,
};
use tonic::{Request, Response, Status, metadata::MetadataMap};

use super::{entrance::meant, error::Error};
use crate::{
    call::{Cause, Error as CallError, Meant, ObjectRefs},
    credentials::{self, Credentials, Grant, Reader},
    crm::{Faults, ObjectType, Operation, RecordId},
    reports::{Ask, Form, Kind, LONGEST, Period, Positions, Report, Reports, Subject},
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How far back a report reaches where that is not stated.
const USUAL: Duration = Duration::from_secs(30 * DAY.as_secs());
/// The same of a report about a person.
const OF_A_PERSON: Duration = Duration::from_secs(365 * DAY.as_secs());

/// Gives reports.
#[derive(Clone)]
pub struct ReportApi {
    /// Where every report and refusal is recorded.
    pub log: AuditLog,
    /// What turns handles into grants.
    pub credentials: Credentials,
    /// Makes them.
    pub reports: Reports,
    /// What records are called in entries.
    pub object_refs: ObjectRefs,
    /// Time.
    pub clock: SharedClock,
    /// Randomness for ids.
    pub random: SharedRandom,
}

type Proven = OnceLock<Arc<Grant>>;

/// A report that was made, and what its entry says.
struct Made {
    on_the_wire: WireReport,
    portal: ProvenPortal,
    /// The record that it is about, if it is about one.
    about: Option<Subject>,
}

/// Which report, before its portal is proven.
enum Wanted {
    /// One that needs nothing but a portal.
    Plain(Kind),
    /// One about a record: its type and its id.
    Subject(String, String),
}

impl Wanted {
    const fn name(&self) -> &'static str {
        match self {
            Self::Plain(kind) => kind.name(),
            Self::Subject(..) => "subject-report",
        }
    }
}

impl ReportApi {
    /// Makes a report and puts it on record; or refuses, on record too.
    async fn report<M>(
        &self,
        request: Request<M>,
        read: impl FnOnce(M) -> (Option<ReportScope>, Wanted),
    ) -> Result<WireReport, Status> {
        let context = Context::of(&request)?;
        let (metadata, _, message) = request.into_parts();
        let (scope, wanted) = read(message);
        let scope = scope.unwrap_or_default();
        let made = CallId::make(&*self.clock, &*self.random);
        let call_id = made.map_err(|error| context.refuse(&CallError::from(error)))?;
        let proven = Proven::new();
        let report = self
            .made(&context, &metadata, &scope, &wanted, call_id, &proven)
            .await;
        let by_handle = |draft: Draft| match proven.get() {
            Some(grant) => draft.handle(grant.handle_id()).purpose(grant.purpose()),
            None => draft,
        };
        let said = |draft: Draft| by_handle(draft).context(&context).subject(wanted.name());
        match report {
            Ok(made) => {
                let draft = said(Draft::portal(&made.portal, Recorded::ReportGet, call_id));
                // That somebody asked what is known of a person is found with the person's record.
                let draft = match &made.about {
                    Some(subject) => draft.object(&subject.object_type, Some(&subject.object_ref)),
                    None => draft,
                };
                let recorded = self.log.admin(draft, Outcome::ok()).await;
                recorded.map_err(|error| context.refuse(&error))?;
                Ok(made.on_the_wire)
            }
            Err(error) => {
                let draft = match proven.get() {
                    Some(grant) => Draft::portal(grant.portal(), Recorded::ReportGet, call_id),
                    None => Draft::system(Recorded::ReportGet, call_id),
                };
                let draft = said(draft);
                if let Err(unrecorded) = self.log.denied(draft, Outcome::refused(error.reason())).await {
                    tracing::error!(error = %unrecorded, reason = error.reason().wire_name(), "a refusal was not recorded");
                }
                Err(context.refuse(&error))
            }
        }
    }

    async fn made(
        &self,
        context: &Context,
        metadata: &MetadataMap,
        scope: &ReportScope,
        wanted: &Wanted,
        call_id: CallId,
        proven: &Proven,
    ) -> Result<Made, Error> {
        // The reader is judged first: who may have nothing learns nothing of the rules.
        let reader = self.reader(context, metadata, call_id, proven).await?;
        let mut faults = Faults::default();
        let asked = self.asked(scope, wanted, call_id, &mut faults);
        let record = match wanted {
            Wanted::Plain(_) => Some(None),
            Wanted::Subject(object_type, id) => record(object_type, id, &mut faults).map(Some),
        };
        let both = asked.zip(record);
        let (mut ask, record) = faults.resolve(both).map_err(CallError::from)?;
        if let Some(grant) = proven.get() {
            permitted(grant, &ask)?;
        }
        let mut about = None;
        if let Some((object_type, id)) = record {
            let subject = self.subject(&ask, proven, object_type, &id).await?;
            about = Some(subject.clone());
            ask.kind = Kind::Subject(subject);
        }
        let report = self.reports.make(&ask, reader, context.deadline).await?;
        Ok(Made {
            portal: report.portal.clone(),
            on_the_wire: self.on_the_wire(report, scope.part)?,
            about,
        })
    }

    /// A part of a report, as one answer holds it. What is signed is the whole.
    fn on_the_wire(&self, report: Report, part: u32) -> Result<WireReport, Error> {
        let number = usize::try_from(part).unwrap_or(usize::MAX);
        let content = report.part(number)?.to_vec();
        Ok(WireReport {
            media_type: report.form.media_type().to_owned(),
            note: self.log.sign_note(&report.statement()).unwrap_or_default(),
            sha256: report.sha256(),
            part_count: u32::try_from(report.part_count()).unwrap_or(u32::MAX),
            as_of: Some(ReportPositions {
                crm_service: report.as_of.crm_service,
                credential_service: report.as_of.credential_service,
            }),
            start_time: Some(report.period.start.into()),
            end_time: Some(report.period.end.into()),
            portal_id: report.portal.portal_id().get(),
            file_name: report.file_name,
            gaps: report.gaps,
            content,
        })
    }

    async fn reader(
        &self,
        context: &Context,
        metadata: &MetadataMap,
        call_id: CallId,
        proven: &Proven,
    ) -> Result<Reader, Error> {
        if context.has_role(AUDITOR) && !metadata.contains_key("authorization") {
            return Ok(Reader::Operator(context.caller.name.clone()));
        }
        let handle = bearer_handle(metadata)
            .map_err(|malformed| CallError::from(credentials::Error::from(malformed)))?;
        let (caller, deadline) = (&context.caller, context.deadline);
        let redeemed = self.credentials.redeem(&handle, caller, call_id, deadline).await;
        // Set once: a request presents one handle.
        let _ = proven.set(redeemed.map_err(CallError::from)?);
        Ok(Reader::Handle(handle, caller.clone()))
    }

    fn asked(
        &self,
        scope: &ReportScope,
        wanted: &Wanted,
        call_id: CallId,
        faults: &mut Faults,
    ) -> Option<Ask> {
        let meant = meant(&scope.client_slug, scope.expected_portal_id, faults);
        let usual = match wanted {
            Wanted::Plain(_) => USUAL,
            Wanted::Subject(..) => OF_A_PERSON,
        };
        let period = period(scope, self.clock.now(), usual, faults);
        let form = ReportFormat::try_from(scope.format).map(form);
        let form = faults.keep("scope.format", form.map_err(|_| "must be one of the formats"));
        let Meant { client_slug, .. } = meant?;
        Some(Ask {
            kind: match wanted {
                Wanted::Plain(kind) => kind.clone(),
                // Known when its portal is.
                Wanted::Subject(..) => Kind::Usage,
            },
            client_slug,
            expected_portal_id: PortalId::new(scope.expected_portal_id),
            period: period?,
            as_of: scope.as_of.map(|stated| Positions {
                crm_service: stated.crm_service,
                credential_service: stated.credential_service,
            }),
            form: form?,
            call_id,
        })
    }

    /// What the log calls a record of this portal.
    async fn subject(
        &self,
        ask: &Ask,
        proven: &Proven,
        object_type: ObjectType,
        id: &RecordId,
    ) -> Result<Subject, Error> {
        let portal = proven.get().map(|grant| grant.portal().portal_id());
        let portal = portal.or(ask.expected_portal_id).ok_or_else(|| {
            CallError::from(Faults::alone(
                "scope.expected_portal_id",
                "must be stated by an operator, for no handle says which portal is meant: state HubSpot's id of it. The log knows the \
                 record by a hash under that portal's own key",
            ))
        })?;
        let of = self.object_refs.of_many(portal, &object_type).await;
        let record_ref = of.map_err(CallError::from)?(id.as_str());
        Ok(Subject {
            object_ref: hex::encode(record_ref),
            record_ref,
            object_type: object_type.to_string(),
        })
    }
}

/// Whether a grant gives reports of this portal.
fn permitted(grant: &Grant, ask: &Ask) -> Result<(), Error> {
    let meant = Meant {
        client_slug: ask.client_slug.clone(),
        expected_portal_id: ask.expected_portal_id.map_or(0, PortalId::get),
    };
    let cause = meant.differs_from(grant.portal()).or_else(|| {
        (!grant.allows_operation(Operation::Report)).then(|| Cause::Operation {
            operation: Operation::Report.name(),
            object_type: String::new(),
        })
    });
    match cause {
        Some(cause) => Err(CallError::NotPermitted(cause).into()),
        None => Ok(()),
    }
}

fn period(scope: &ReportScope, now: Timestamp, usual: Duration, faults: &mut Faults) -> Option<Period> {
    let end = scope.end_time.map_or(now, Timestamp::from);
    let start = scope.start_time.map_or_else(|| end.minus(usual), Timestamp::from);
    let rule = if start >= end {
        Some(("scope.start_time", "must be before end_time"))
    } else if end.since(start) > LONGEST {
        Some(("scope.start_time", "must be at most 800 days before end_time"))
    } else if start > now {
        Some(("scope.start_time", "lies in the future"))
    } else {
        None
    };
    if let Some((field, rule)) = rule {
        faults.add(field, rule);
        return None;
    }
    Some(Period { start, end })
}

const fn form(format: ReportFormat) -> Form {
    match format {
        ReportFormat::Unspecified | ReportFormat::Json => Form::Json,
        ReportFormat::Csv => Form::Csv,
        ReportFormat::Html => Form::Html,
    }
}

fn record(object_type: &str, id: &str, faults: &mut Faults) -> Option<(ObjectType, RecordId)> {
    let object_type = faults.keep("object_type", ObjectType::read(object_type));
    let id = faults.keep("object_id", RecordId::read(id));
    object_type.zip(id)
}

#[tonic::async_trait]
impl ReportService for ReportApi {
    async fn get_processing_record(
        &self,
        request: Request<GetProcessingRecordRequest>,
    ) -> Result<Response<GetProcessingRecordResponse>, Status> {
        let report = self.report(request, |asked| (asked.scope, Wanted::Plain(Kind::Processing)));
        let report = Some(report.await?);
        Ok(Response::new(GetProcessingRecordResponse { report }))
    }

    async fn get_service_provider_report(
        &self,
        request: Request<GetServiceProviderReportRequest>,
    ) -> Result<Response<GetServiceProviderReportResponse>, Status> {
        let report = self.report(request, |asked| {
            (asked.scope, Wanted::Plain(Kind::ServiceProvider))
        });
        let report = Some(report.await?);
        Ok(Response::new(GetServiceProviderReportResponse { report }))
    }

    async fn get_usage_report(
        &self,
        request: Request<GetUsageReportRequest>,
    ) -> Result<Response<GetUsageReportResponse>, Status> {
        let report = self.report(request, |asked| (asked.scope, Wanted::Plain(Kind::Usage)));
        let report = Some(report.await?);
        Ok(Response::new(GetUsageReportResponse { report }))
    }

    async fn get_subject_report(
        &self,
        request: Request<GetSubjectReportRequest>,
    ) -> Result<Response<GetSubjectReportResponse>, Status> {
        let report = self.report(request, |asked| {
            (asked.scope, Wanted::Subject(asked.object_type, asked.object_id))
        });
        let report = Some(report.await?);
        Ok(Response::new(GetSubjectReportResponse { report }))
    }

    async fn get_scope_report(
        &self,
        request: Request<GetScopeReportRequest>,
    ) -> Result<Response<GetScopeReportResponse>, Status> {
        let report = self.report(request, |asked| (asked.scope, Wanted::Plain(Kind::Scope)));
        let report = Some(report.await?);
        Ok(Response::new(GetScopeReportResponse { report }))
    }

    async fn get_sunset_report(
        &self,
        request: Request<GetSunsetReportRequest>,
    ) -> Result<Response<GetSunsetReportResponse>, Status> {
        let report = self.report(request, |asked| (asked.scope, Wanted::Plain(Kind::Sunset)));
        let report = Some(report.await?);
        Ok(Response::new(GetSunsetReportResponse { report }))
    }
}
