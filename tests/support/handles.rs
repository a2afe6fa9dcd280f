//! Handles: asked for, held, revoked.

use std::time::Duration;

use hubkeep_core::{grpc::CALLER_HEADER, handle_token::HandleToken, random::SystemRandom};
pub use hubkeep_proto::credential::v1::HandleOperation as Allow;
use hubkeep_proto::credential::v1::{
    HandleBudget, HandleScope, IntrospectHandleRequest, IntrospectHandleResponse, IssueHandleRequest,
    RevokeHandleRequest, RevokeHandleResponse, handle_service_client::HandleServiceClient,
    revoke_handle_request::Target,
};
use tonic::{Request, Status};

use super::{
    doors::Door,
    hubkeep::{Hubkeep, Service},
};

/// Everything that can be allowed on records.
pub const EVERYTHING: [Allow; 9] = [
    Allow::Get,
    Allow::List,
    Allow::Search,
    Allow::Create,
    Allow::Update,
    Allow::Archive,
    Allow::Merge,
    Allow::Erase,
    Allow::Associate,
];

/// A handle as its holder has it.
#[derive(Clone, Debug)]
pub struct Handle {
    /// The handle itself.
    pub token: String,
    /// Its public id.
    pub id: String,
    /// The portal it is for.
    pub client_slug: String,
    /// Who holds it.
    pub caller: String,
}

impl Handle {
    /// A handle that nobody issued, whole and well formed, for a portal of this name.
    pub fn invented(client_slug: &str, caller: &str) -> Self {
        let token = HandleToken::make(&*SystemRandom::shared()).expect("random");
        Self {
            token: token.expose().to_owned(),
            id: String::new(),
            client_slug: client_slug.to_owned(),
            caller: caller.to_owned(),
        }
    }
}

/// A handle that is being asked for. Unless it is said otherwise: everything on every type, for the usual time.
#[derive(Clone, Debug)]
pub struct HandleWish {
    door: Door,
    caller: String,
    request: IssueHandleRequest,
}

impl HandleWish {
    pub(super) fn of(door: Door, client_slug: &str) -> Self {
        let request = IssueHandleRequest {
            client_slug: client_slug.to_owned(),
            scope: Some(HandleScope {
                operations: EVERYTHING.map(i32::from).to_vec(),
                object_types: vec!["*".to_owned()],
                properties: Vec::new(),
                ..HandleScope::default()
            }),
            lifetime: None,
            purpose_code: "test".to_owned(),
            ..IssueHandleRequest::default()
        };
        Self {
            door,
            caller: "sync".to_owned(),
            request,
        }
    }

    /// For this caller.
    #[must_use]
    pub fn for_caller(mut self, caller: &str) -> Self {
        caller.clone_into(&mut self.caller);
        self
    }

    /// With this person behind its calls.
    #[must_use]
    pub fn for_person(mut self, end_user: &str) -> Self {
        end_user.clone_into(&mut self.request.end_user);
        self
    }

    /// Allowing this and nothing else.
    #[must_use]
    pub fn allow(mut self, operations: impl IntoIterator<Item = Allow>) -> Self {
        self.scope().operations = operations.into_iter().map(i32::from).collect();
        self
    }

    /// On these types only.
    #[must_use]
    pub fn types<const N: usize>(mut self, types: [&str; N]) -> Self {
        self.scope().object_types = types.map(str::to_owned).to_vec();
        self
    }

    /// With these properties only.
    #[must_use]
    pub fn properties<const N: usize>(mut self, properties: [&str; N]) -> Self {
        self.scope().properties = properties.map(str::to_owned).to_vec();
        self
    }

    /// For this long.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.request.lifetime = Some(lifetime.try_into().expect("fits"));
        self
    }

    /// Making so many calls and touching so many records in its whole life; 0 for any number.
    #[must_use]
    pub fn budget(mut self, max_calls: u64, max_records: u64) -> Self {
        self.request.budget = Some(HandleBudget {
            max_calls,
            max_records,
        });
        self
    }

    /// Issues it. Panics if it is refused.
    pub async fn issue(self) -> Handle {
        let slug = self.request.client_slug.clone();
        self.ask()
            .await
            .unwrap_or_else(|status| panic!("a handle for {slug} was refused: {status:?}"))
    }

    /// Asks for it.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn ask(self) -> Result<Handle, Status> {
        let Self {
            door,
            caller,
            request,
        } = self;
        let client_slug = request.client_slug.clone();
        let mut client = HandleServiceClient::new(door.of(&caller));
        let issued = client
            .issue_handle(door.request(&caller, request))
            .await?
            .into_inner();
        let description = issued.description.expect("described");
        assert_eq!(
            (&description.client_slug, &description.caller),
            (&client_slug, &caller)
        );
        Ok(Handle {
            token: issued.handle,
            id: description.handle_id,
            client_slug,
            caller,
        })
    }

    fn scope(&mut self) -> &mut HandleScope {
        self.request.scope.get_or_insert_default()
    }
}

impl Hubkeep {
    /// Ends a handle, as its holder. Panics if that is refused.
    pub async fn revoke(&self, handle: &Handle) -> RevokeHandleResponse {
        self.try_revoke(handle).await.expect("revoked")
    }

    /// Ends a handle, as its holder.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn try_revoke(&self, handle: &Handle) -> Result<RevokeHandleResponse, Status> {
        let request = RevokeHandleRequest {
            target: Some(Target::Handle(handle.token.clone())),
            ..RevokeHandleRequest::default()
        };
        let door = self.door(Service::Credential);
        let mut client = HandleServiceClient::new(door.of(&handle.caller));
        let revoked = client.revoke_handle(door.request(&handle.caller, request)).await;
        Ok(revoked?.into_inner())
    }

    /// Asks what a handle is, as `caller`.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn introspect(&self, handle: &str, caller: &str) -> Result<IntrospectHandleResponse, Status> {
        let request = IntrospectHandleRequest {
            handle: handle.to_owned(),
        };
        let door = self.door(Service::Credential);
        let mut client = HandleServiceClient::new(door.of(caller));
        let answer = client.introspect_handle(door.request(caller, request)).await?;
        Ok(answer.into_inner())
    }
}

/// A request of this caller's.
pub fn named<T>(caller: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let name = caller.parse().expect("a caller's name");
    request.metadata_mut().insert(CALLER_HEADER, name);
    request
}
