//! All records of a type, a line each; where a connection breaks, another goes on.

use std::time::Duration;

use hubkeep_core::clock::SharedClock;
use hubkeep_proto::{
    credential::v1::{
        HandleOperation, HandleScope, IssueHandleRequest, handle_service_client::HandleServiceClient,
    },
    crm::v1::{StreamObjectsRequest, StreamObjectsResponse, object_service_client::ObjectServiceClient},
    error::v1::ErrorReason,
};
use zeroize::Zeroizing;

use super::{StreamArgs, state::State};
use crate::{
    channel::Service,
    errors::Error,
    output::{FAINT, Output},
    wire_json,
};

const SHORTEST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Without a page for so many attempts in a row (about a minute) the walk is given up.
const ATTEMPTS: u32 = 16;

/// Runs `crm stream`.
///
/// # Errors
/// If there is no handle, the output cannot be written, or the service refuses for a reason that waiting does not mend.
pub(super) async fn run(
    args: StreamArgs,
    credential: Service,
    service: Service,
    clock: SharedClock,
    output: &Output,
) -> Result<(), Error> {
    let handles = Handles::of(&args, credential)?;
    let request = StreamObjectsRequest {
        expected_portal_id: args.of.expected.stated(),
        client_slug: args.of.slug,
        object_type: args.of.object_type,
        properties: args.properties,
        archived: args.archived,
        resume_token: String::new(),
        page_size: args.page_size.unwrap_or(0),
        filter_groups: args.filters.groups,
        query: args.query.unwrap_or_default(),
        history_properties: args.beside.history,
        associated_types: args.beside.associated,
    };
    let mut walk = Walk {
        handles,
        service: service.without_timeout(),
        request,
        state: State::left(args.resume, args.state, output.is_piped())?,
        pages: 0,
        output,
    };
    let ended = walk.run(&clock).await;
    if let Err(error) = &ended
        && leads_on(error)
        && !error.is_closed_output()
    {
        walk.state.settle()?;
        walk.state.tell(output)?;
    }
    ended
}

/// Whether the token that a walk ended with is still good: one that was refused leads nowhere.
fn leads_on(error: &Error) -> bool {
    error.refusal().reason != ErrorReason::PageTokenInvalid.wire_name()
}

/// Where handles come from.
enum Handles {
    /// This one, while it lasts.
    Given(Zeroizing<String>),
    /// New ones, as often as one ends.
    Issued(Box<Issuing>),
}

/// How handles are issued.
struct Issuing {
    credential: Service,
    request: IssueHandleRequest,
}

impl StreamArgs {
    /// What the walk is.
    fn operation(&self) -> HandleOperation {
        match self.filters.groups.is_empty() && self.query.is_none() {
            true => HandleOperation::List,
            false => HandleOperation::Search,
        }
    }

    /// The same, and what it takes to be told of associated records.
    fn operations(&self) -> Vec<i32> {
        let of_others = (!self.beside.associated.is_empty()).then_some(HandleOperation::Get);
        [self.operation()]
            .into_iter()
            .chain(of_others)
            .map(Into::into)
            .collect()
    }

    /// The types of the records, and of those that they are associated with.
    fn object_types(&self) -> Vec<String> {
        let others = self.beside.associated.iter().cloned();
        let mut types: Vec<String> = [self.of.object_type.clone()].into_iter().chain(others).collect();
        types.sort();
        types.dedup();
        types
    }

    /// The properties that are read, and those that are compared; none for all.
    fn touched(&self) -> Vec<String> {
        // Words are looked for in properties that nobody names.
        if self.properties.is_empty() || self.query.is_some() {
            return Vec::new();
        }
        let filters = self.filters.groups.iter().flat_map(|group| &group.filters);
        let compared = filters.map(|filter| filter.property.clone());
        let named = self.properties.iter().chain(&self.beside.history).cloned();
        let mut touched: Vec<String> = named.chain(compared).collect();
        touched.sort();
        touched.dedup();
        touched
    }
}

impl Handles {
    fn of(args: &StreamArgs, credential: Service) -> Result<Self, Error> {
        let Some(purpose) = &args.purpose else {
            return Ok(Self::Given(args.of.shown.clone().required()?));
        };
        let request = IssueHandleRequest {
            client_slug: args.of.slug.clone(),
            scope: Some(HandleScope {
                operations: args.operations(),
                object_types: args.object_types(),
                properties: args.touched(),
                ..HandleScope::default()
            }),
            lifetime: None,
            purpose_code: purpose.clone(),
            expected_portal_id: args.of.expected.stated(),
            ..IssueHandleRequest::default()
        };
        Ok(Self::Issued(Box::new(Issuing { credential, request })))
    }

    async fn next(&self) -> Result<Zeroizing<String>, Error> {
        match self {
            Self::Given(handle) => Ok(handle.clone()),
            Self::Issued(issuing) => {
                let mut client = HandleServiceClient::new(issuing.credential.connection());
                let issued = client.issue_handle(issuing.request.clone()).await;
                let issued = issued.map_err(|status| issuing.credential.ended(status))?;
                Ok(Zeroizing::new(issued.into_inner().handle))
            }
        }
    }

    /// Whether a walk that ended so may go on with another handle.
    fn mend(&self, error: &Error) -> bool {
        let over = matches!(error, Error::Refused(refusal) if refusal.reason == "HANDLE_INVALID");
        over && matches!(self, Self::Issued(_))
    }
}

struct Walk<'a> {
    handles: Handles,
    service: Service,
    request: StreamObjectsRequest,
    state: State,
    /// Pages written.
    pages: u64,
    output: &'a Output,
}

impl Walk<'_> {
    async fn run(&mut self, clock: &SharedClock) -> Result<(), Error> {
        let (mut wait, mut attempts) = (SHORTEST_WAIT, 0);
        loop {
            let before = self.pages;
            let Err(error) = self.one_connection().await else {
                return Ok(());
            };
            if self.pages > before {
                (wait, attempts) = (SHORTEST_WAIT, 0);
            }
            attempts += 1;
            // What never worked is more likely wrong than broken.
            let may_go_on = self.pages > 0 && (error.may_pass() || self.handles.mend(&error));
            let asked = Duration::from_millis(error.refusal().retry_after_ms.unwrap_or(0));
            if !may_go_on || attempts > ATTEMPTS || asked > LONGEST_WAIT.saturating_mul(12) {
                return Err(error);
            }
            self.output.note(&format!("{FAINT}{error}: going on{FAINT:#}"))?;
            clock.sleep(wait.max(asked)).await;
            wait = wait.saturating_mul(2).min(LONGEST_WAIT);
        }
    }

    /// Reads until the walk is complete.
    async fn one_connection(&mut self) -> Result<(), Error> {
        let handle = self.handles.next().await?;
        let service = self.service.clone().with_handle(&handle)?;
        let mut client = ObjectServiceClient::new(service.connection());
        self.request.resume_token = self.state.token().to_owned();
        let pages = client.stream_objects(self.request.clone()).await;
        let mut pages = pages.map_err(|status| service.ended(status))?.into_inner();
        while let Some(page) = pages.message().await.map_err(|status| service.ended(status))? {
            let over = page.resume_token.is_empty();
            self.write(page)?;
            if over {
                return Ok(());
            }
        }
        Err(Error::Failed("the walk ended before it was complete".to_owned()))
    }

    fn write(&mut self, page: StreamObjectsResponse) -> Result<(), Error> {
        let line = |object| Ok(wire_json::of("hubkeep.crm.v1.Object", object)?.to_string());
        let lines: Vec<String> = page.objects.iter().map(line).collect::<Result<_, Error>>()?;
        let text = lines.join("\n");
        if !text.is_empty() {
            self.output.line(&text)?;
        }
        self.pages += 1;
        self.state.reached(page.resume_token, text.len())
    }
}
