//! An office whose people sign in: a provider, a HubSpot in which they consent, and clients that ask for them.

use std::time::Duration;

use hubkeep_core::clock::Clock as _;
use hubkeep_credential_service::{config::Config, sessions::Provider};
use hubkeep_proto::credential::v1::{
    AuthorizeClientRequest, ClientTokens, CompleteConnectionRequest, Connection, ExchangeCodeRequest,
    OpenSessionRequest, RedeemHandleRequest, RedeemHandleResponse, RefreshTokensRequest, Session,
    SessionTokens, StartConnectionRequest, StartConnectionResponse,
    authorization_service_client::AuthorizationServiceClient,
    connection_service_client::ConnectionServiceClient, session_service_client::SessionServiceClient,
};
use hubkeep_test_doubles::oidc::{self, Signing};
use serde_json::{Value, json};
use tonic::Status;

use crate::{
    grants::{of_everything, put},
    harness::*,
    oauth::with_secret,
};

pub(crate) const ISSUER: &str = "https://accounts.example";
pub(crate) const CLIENT: &str = "our-client-at-the-provider";
pub(crate) const NONCE: &str = "nonce-of-this-very-sign-in";
pub(crate) const BACK: &str = "http://localhost:7403/auth/hubspot/callback";
/// Ann, at the provider and at HubSpot.
pub(crate) const ANN: (&str, &str) = ("sub-ann", "ann@agency.example");
pub(crate) const ANN_AT_HUBSPOT: u64 = 42;
pub(crate) const BOB: (&str, &str) = ("sub-bob", "bob@agency.example");
pub(crate) const BOB_AT_HUBSPOT: u64 = 43;
/// What asks for her.
pub(crate) const EDITOR: &str = "https://editor.example/client.json";
pub(crate) const EDITOR_BACK: &str = "http://localhost/callback";
pub(crate) const ALL: &str = "https://h.example/mcp";
/// RFC 7636, appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The office.
pub(crate) struct Office {
    pub(crate) bench: Bench,
    pub(crate) provider: oidc::Provider,
}

/// Somebody who has signed in.
#[derive(Clone, Debug)]
pub(crate) struct SignedIn {
    pub(crate) session: Session,
    pub(crate) tokens: SessionTokens,
}

impl SignedIn {
    pub(crate) fn token(&self) -> String {
        self.tokens.session_token.clone()
    }

    pub(crate) fn name(&self) -> String {
        self.session.user.clone().expect("told").name
    }
}

impl Office {
    /// An office with acme, whose people may read everything, and a grant for them.
    pub(crate) async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    pub(crate) async fn open_with(change: impl FnOnce(&mut Config)) -> Self {
        let provider = oidc::Provider::start(ISSUER).await;
        let described_at = provider.described_at();
        let bench = Bench::start_with(move |config| {
            with_secret(config, APP_SECRET);
            config.sessions.providers = vec![Provider {
                issuer: ISSUER.to_owned(),
                client_id: CLIENT.to_owned(),
                claim: "hd".to_owned(),
                allowed: ["agency.example".to_owned()].into(),
                discovery: described_at.parse().ok(),
            }];
            config.connections.redirect_uri = BACK.to_owned();
            config.connections.authorize_url = config
                .hubspot
                .api_base
                .join("/oauth/authorize")
                .expect("an address");
            change(config);
        })
        .await;
        put(&bench, of_everything("people", "user/*")).await.expect("put");
        bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
        Self { bench, provider }
    }

    pub(crate) fn sessions(&self, caller: &'static str) -> SessionServiceClient<Named> {
        SessionServiceClient::new(self.bench.channel_of(caller))
    }

    pub(crate) fn connections(&self, caller: &'static str) -> ConnectionServiceClient<Named> {
        ConnectionServiceClient::new(self.bench.channel_of(caller))
    }

    pub(crate) fn clients(&self, caller: &'static str) -> AuthorizationServiceClient<Named> {
        AuthorizationServiceClient::new(self.bench.channel_of(caller))
    }

    /// What the provider says of somebody who signs in now.
    pub(crate) fn claims(&self, (subject, email): (&str, &str)) -> Value {
        let now = self.bench.clock.now().as_micros() / 1_000_000;
        json!({
            "iss": ISSUER, "aud": CLIENT, "sub": subject, "email": email, "email_verified": true,
            "hd": "agency.example", "nonce": NONCE, "iat": now, "exp": now + 3_600,
            "auth_time": now - 30, "acr": "urn:strong", "amr": ["pwd", "mfa"],
        })
    }

    pub(crate) async fn open_session(&self, id_token: String, nonce: &str) -> Result<SignedIn, Status> {
        let request = OpenSessionRequest {
            id_token,
            nonce: nonce.to_owned(),
        };
        let opened = self.sessions(CRM).open_session(request).await?.into_inner();
        Ok(SignedIn {
            session: opened.session.expect("told"),
            tokens: opened.tokens.expect("given"),
        })
    }

    /// Signs somebody in.
    pub(crate) async fn sign_in(&self, who: (&str, &str)) -> SignedIn {
        let id_token = self.provider.id_token(Signing::Rsa, &self.claims(who));
        self.open_session(id_token, NONCE).await.expect("signed in")
    }

    pub(crate) async fn start(&self, who: &SignedIn, slug: &str) -> Result<StartConnectionResponse, Status> {
        let request = StartConnectionRequest {
            session_token: who.token(),
            client_slug: slug.to_owned(),
        };
        Ok(self
            .connections(CRM)
            .start_connection(request)
            .await?
            .into_inner())
    }

    /// Decides at HubSpot, as this user of this account, and gives the code that the browser is sent back with; empty if it was
    /// declined.
    #[expect(clippy::disallowed_methods, reason = "this is the browser")]
    pub(crate) async fn consent(&self, url: &str, account: u64, user: u64, decision: &str) -> String {
        let browser = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a browser");
        let form = format!("user={account}%2F{user}&decision={decision}");
        let request = browser
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        let answer = request.send().await.expect("answered");
        let location = answer.headers().get("location").expect("sent back");
        let location = url::Url::parse(location.to_str().expect("text")).expect("an address");
        assert!(location.as_str().starts_with(BACK), "{location}");
        let code = location.query_pairs().find(|(name, _)| name == "code");
        code.map(|(_, code)| code.into_owned()).unwrap_or_default()
    }

    pub(crate) async fn complete(
        &self,
        who: &SignedIn,
        state: &str,
        code: &str,
    ) -> Result<Connection, Status> {
        let request = CompleteConnectionRequest {
            session_token: who.token(),
            state: state.to_owned(),
            code: code.to_owned(),
        };
        let made = self.connections(CRM).complete_connection(request).await?;
        Ok(made.into_inner().connection.expect("told"))
    }

    /// Connects acme, as this HubSpot user.
    pub(crate) async fn connect_acme(&self, who: &SignedIn, user: u64) -> Result<Connection, Status> {
        let started = self.start(who, "acme").await?;
        let code = self.consent(&started.authorize_url, ACME, user, "allow").await;
        self.complete(who, &started.state, &code).await
    }

    /// The code that a client gets, for this resource.
    pub(crate) async fn authorize(&self, who: &SignedIn, resource: &str) -> String {
        let request = AuthorizeClientRequest {
            session_token: who.token(),
            client_id: EDITOR.to_owned(),
            client_name: "An editor".to_owned(),
            redirect_uri: EDITOR_BACK.to_owned(),
            code_challenge: CHALLENGE.to_owned(),
            resource: resource.to_owned(),
            scopes: vec!["crm.read".to_owned()],
        };
        let given = self.clients(CRM).authorize_client(request).await.expect("given");
        given.into_inner().code
    }

    pub(crate) async fn exchange(
        &self,
        code: &str,
        change: impl FnOnce(&mut ExchangeCodeRequest),
    ) -> Result<ClientTokens, Status> {
        let mut request = ExchangeCodeRequest {
            code: code.to_owned(),
            client_id: EDITOR.to_owned(),
            redirect_uri: EDITOR_BACK.to_owned(),
            code_verifier: VERIFIER.to_owned(),
            resource: String::new(),
        };
        change(&mut request);
        let given = self.clients(CRM).exchange_code(request).await?.into_inner();
        Ok(given.tokens.expect("given"))
    }

    pub(crate) async fn refresh_tokens(&self, refresh_token: &str) -> Result<ClientTokens, Status> {
        let request = RefreshTokensRequest {
            refresh_token: refresh_token.to_owned(),
            client_id: EDITOR.to_owned(),
            resource: ALL.to_owned(),
        };
        let given = self.clients(CRM).refresh_tokens(request).await?.into_inner();
        Ok(given.tokens.expect("given"))
    }

    /// The tokens of a client, for this resource.
    pub(crate) async fn client_tokens(&self, who: &SignedIn, resource: &str) -> ClientTokens {
        let code = self.authorize(who, resource).await;
        self.exchange(&code, |_| {}).await.expect("given")
    }

    pub(crate) async fn redeem(&self, token: &str, resource: &str) -> Result<RedeemHandleResponse, Status> {
        let request = at_resource(token, resource);
        Ok(self.bench.redemption().redeem_handle(request).await?.into_inner())
    }

    /// Lets time pass, here and at HubSpot.
    pub(crate) fn pass(&self, by: Duration) {
        self.bench.clock.advance(by);
        self.bench.hubspot.advance_time(by);
    }

    /// How often HubSpot was told that a refresh token is to be refused.
    pub(crate) fn revoked_at_hubspot(&self) -> usize {
        let journal = self.bench.hubspot.journal();
        let told = journal
            .iter()
            .filter(|entry| entry.path.ends_with("/token/revoke"));
        told.filter(|entry| entry.status == Some(200)).count()
    }
}

/// A client's access token, presented at a resource.
pub(crate) fn at_resource(token: &str, resource: &str) -> RedeemHandleRequest {
    RedeemHandleRequest {
        handle: token.to_owned(),
        presented_resource: resource.to_owned(),
        call_id: "01890000-0000-7000-8000-000000000000".to_owned(),
        ..RedeemHandleRequest::default()
    }
}
