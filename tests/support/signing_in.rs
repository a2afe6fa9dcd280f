//! People in their browsers, who sign in at a provider, consent at HubSpot, and let programs read for them: both services, the simulator
//! and a provider, as in production but for TLS.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr, TcpListener},
};

use hubkeep_core::clock::SystemClock;
use hubkeep_credential_service::sessions::Provider as Known;
use hubkeep_crm_service::web::people::ProviderConfig;
use hubkeep_hubspot::{AppConfig, SecretText};
use hubkeep_test_doubles::oidc;
use hubspot_sim::{AppSpec, World};
use serde_json::{Value, json};
use url::Url;

use super::{
    browser::{Browser, Page},
    grants,
    hubkeep::{Hubkeep, Service},
    programs::{form, pkce},
};

const ISSUER: &str = "https://accounts.example";
const CLIENT: &str = "our-client-at-the-provider";
const APP: &str = "00000000-0000-4000-8000-0000000000aa";
const APP_SECRET: &str = "app-secret-0000";
/// The portal that they have.
pub const PORTAL: &str = "client-0001";
/// Where the program that they use gets its codes.
const BACK: &str = "http://localhost:49152/callback";
/// Two people: subject and address at the provider, and number at HubSpot.
pub const ANN: (&str, &str, u64) = ("sub-ann", "ann@agency.example", 42);
/// The other.
pub const BOB: (&str, &str, u64) = ("sub-bob", "bob@agency.example", 43);

/// An office whose people sign in.
pub struct Office {
    /// Both services and the simulator.
    pub hubkeep: Hubkeep,
    /// Whom they sign in with.
    pub provider: oidc::Provider,
    address: SocketAddr,
}

/// Somebody's browser: it keeps cookies.
#[derive(Clone, Debug)]
pub struct Tab {
    browser: Browser,
    origin: String,
    /// What it keeps.
    pub cookies: BTreeMap<String, String>,
}

impl Office {
    /// An office with a portal, whose people may read everything there.
    pub async fn open() -> Self {
        let provider = oidc::Provider::start(ISSUER).await;
        let described_at: Url = provider.described_at().parse().expect("valid");
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = free.local_addr().expect("known");
        drop(free);
        let known = Known {
            issuer: ISSUER.to_owned(),
            client_id: CLIENT.to_owned(),
            claim: "hd".to_owned(),
            allowed: ["agency.example".to_owned()].into(),
            discovery: Some(described_at.clone()),
        };
        let here = ProviderConfig {
            name: "google".to_owned(),
            title: "Google".to_owned(),
            issuer: ISSUER.parse().expect("valid"),
            client_id: CLIENT.to_owned(),
            client_secret_file: None,
            discovery: Some(described_at),
            hosted_domain: "agency.example".to_owned(),
        };
        let hubkeep = Hubkeep::over(world())
            .credential(move |config| {
                config.hubspot.app = Some(AppConfig {
                    client_id: APP.to_owned(),
                    client_secret: SecretText::new(APP_SECRET),
                    ..AppConfig::default()
                });
                config.sessions.providers = vec![known];
                config.connections.redirect_uri = format!("http://{address}/auth/hubspot/callback");
                let page = config.hubspot.api_base.join("/oauth/authorize");
                config.connections.authorize_url = page.expect("valid");
            })
            .crm(move |config| {
                config.mcp.listen = Some(address);
                config.web.providers = vec![here];
            })
            .start()
            .await;
        hubkeep.onboard_all().await;
        let people = grants::of_everything("people", "user/*");
        grants::put(hubkeep.door(Service::Credential), people)
            .await
            .expect("put");
        Self {
            hubkeep,
            provider,
            address,
        }
    }

    /// The origin of the pages.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A program, or a browser without cookies.
    pub fn outside(&self) -> Browser {
        Browser::at(self.address)
    }

    /// A new browser.
    pub fn tab(&self) -> Tab {
        Tab {
            browser: self.outside(),
            origin: self.origin(),
            cookies: BTreeMap::new(),
        }
    }

    /// Whoever comes to the provider from now on is this person, of this organisation.
    pub fn is_at_provider(&self, (subject, email, _): (&str, &str, u64), organisation: &str) {
        let now = SystemClock::shared().now().as_micros() / 1_000_000;
        self.provider.set_account(json!({
            "sub": subject, "email": email, "email_verified": true, "hd": organisation,
            "iat": now, "exp": now + 3_600,
        }));
    }

    /// Where the provider sends the browser back that comes to this address.
    pub async fn at_provider(&self, address: &str) -> String {
        let address = Url::parse(address).expect("an address");
        let port = address.port().expect("a port");
        let browser = Browser::at((Ipv4Addr::LOCALHOST, port).into());
        let page = browser.get(&path(&address)).await;
        self.local(page.exactly("location").expect("sent back"))
    }

    /// Where HubSpot sends the browser back, once this user has decided there.
    pub async fn at_hubspot(&self, address: &str, user: u64, decision: &str) -> String {
        let address = Url::parse(address).expect("an address");
        let portal = self.hubkeep.portal_id(PORTAL);
        let user = format!("{portal}/{user}");
        let browser = Browser::at(self.hubkeep.hubspot.addr());
        let pairs = [("user", user.as_str()), ("decision", decision)];
        let page = browser.submit(&path(&address), &[], &pairs).await;
        self.local(page.exactly("location").expect("sent back"))
    }

    /// The path of an address of ours.
    fn local(&self, address: &str) -> String {
        let address = Url::parse(address).expect("an address");
        assert_eq!(address.origin().ascii_serialization(), self.origin(), "{address}");
        path(&address)
    }

    /// Signs this person in, in this browser, coming from this page; gives what comes of it.
    pub async fn sign_in(&self, tab: &mut Tab, who: (&str, &str, u64), from: &str) -> Page {
        self.is_at_provider(who, "agency.example");
        let to = tab.follow(from).await;
        let back = self.at_provider(to.exactly("location").expect("sent on")).await;
        tab.get(&back).await
    }

    /// Somebody's browser, signed in.
    pub async fn signed_in(&self, who: (&str, &str, u64)) -> Tab {
        let mut tab = self.tab();
        let page = self.sign_in(&mut tab, who, "/auth/google").await;
        assert_eq!(page.exactly("location"), Some("/auth/done"), "{}", page.body);
        tab
    }

    /// Connects HubSpot by this link.
    pub async fn connect(&self, tab: &mut Tab, link: &str, user: u64) -> Page {
        let to = tab.get(link).await;
        let to = to.exactly("location").unwrap_or_else(|| panic!("{}", to.body));
        let back = self.at_hubspot(to, user, "allow").await;
        tab.get(&back).await
    }

    /// A program registers, asks, and the person in this browser consents; gives its id. What comes next is at /oauth/continue.
    pub async fn consent(&self, tab: &mut Tab) -> String {
        let body = json!({ "client_name": "An editor", "redirect_uris": ["http://localhost/callback"] });
        let registered = self.outside().register(&body).await.json();
        let client_id = registered["client_id"].as_str().expect("an id").to_owned();
        let (resource, challenge) = (format!("{}/mcp", self.origin()), pkce().1);
        let asked = [
            ("response_type", "code"),
            ("client_id", client_id.as_str()),
            ("redirect_uri", BACK),
            ("state", "st"),
            ("scope", "crm.read"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
            ("resource", resource.as_str()),
        ];
        let page = tab
            .get(&format!("/oauth/authorize?{}", form(&asked)))
            .await
            .shown();
        let csrf = page
            .cookie("__Host-hubkeep-consent")
            .expect("a cookie")
            .to_owned();
        let said = [&asked[..], &[("csrf", &csrf), ("decision", "allow")]].concat();
        let page = tab.post("/oauth/consent", &said).await.shown();
        assert!(page.says("url=/oauth/continue"), "{}", page.body);
        client_id
    }

    /// The tokens for the code that a browser was sent away with.
    pub async fn tokens(&self, sent_away: &Page, client_id: &str) -> Value {
        let address = Url::parse(sent_away.exactly("location").expect("sent away")).expect("an address");
        let code = address.query_pairs().find(|(name, _)| name == "code");
        let code = code.expect("a code").1.into_owned();
        let (resource, verifier) = (format!("{}/mcp", self.origin()), pkce().0);
        let asked = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("client_id", client_id),
            ("redirect_uri", BACK),
            ("code_verifier", verifier.as_str()),
            ("resource", resource.as_str()),
        ];
        let page = self.outside().submit("/oauth/token", &[], &asked).await;
        page.shown().json()
    }
}

impl Tab {
    /// Asks for a page.
    pub async fn get(&mut self, path: &str) -> Page {
        let cookies = self.sent();
        let page = self.browser.get_with(path, &[("cookie", &cookies)]).await;
        self.keep(&page);
        page
    }

    /// The same; goes on as long as it is sent to other pages here. Gives what sends it elsewhere, or is shown.
    pub async fn follow(&mut self, path: &str) -> Page {
        let mut page = self.get(path).await;
        while let Some(to) = page.exactly("location").filter(|to| to.starts_with('/')) {
            let to = to.to_owned();
            page = self.get(&to).await;
        }
        page
    }

    /// Sends a form from a page of ours.
    pub async fn post(&mut self, path: &str, pairs: &[(&str, &str)]) -> Page {
        let origin = self.origin.clone();
        self.post_from(&origin, path, pairs).await
    }

    /// Sends a form from a page of this origin.
    pub async fn post_from(&mut self, origin: &str, path: &str, pairs: &[(&str, &str)]) -> Page {
        let cookies = self.sent();
        let headers = [("cookie", cookies.as_str()), ("origin", origin)];
        let page = self.browser.submit(path, &headers, pairs).await;
        self.keep(&page);
        page
    }

    fn sent(&self) -> String {
        let pairs = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }

    fn keep(&mut self, page: &Page) {
        let lines = page.exact.lines().filter_map(|line| line.split_once(": "));
        for (_, set) in lines.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie")) {
            let pair = set.split(';').next().and_then(|pair| pair.split_once('='));
            let (name, value) = pair.expect("a cookie");
            assert!(
                name.starts_with("__Host-") && set.contains("Secure; HttpOnly"),
                "{set}"
            );
            match set.contains("Max-Age=0;") {
                true => drop(self.cookies.remove(name)),
                false => drop(self.cookies.insert(name.to_owned(), value.to_owned())),
            }
        }
    }
}

/// The value of the first hidden field of this name on a page.
pub fn hidden(page: &Page, name: &str) -> String {
    let begins = format!("name=\"{name}\" value=\"");
    let (_, rest) = page
        .body
        .split_once(&begins)
        .unwrap_or_else(|| panic!("{name}: {}", page.body));
    rest.split('"').next().expect("a value").to_owned()
}

/// Where a page leads with this link.
pub fn link(page: &Page, to: &str) -> String {
    let begins = format!("href=\"{to}");
    let (_, rest) = page
        .body
        .split_once(&begins)
        .unwrap_or_else(|| panic!("{to}: {}", page.body));
    let rest = rest.split('"').next().expect("an address").replace("&amp;", "&");
    format!("{to}{rest}")
}

fn path(address: &Url) -> String {
    format!("{}?{}", address.path(), address.query().unwrap_or_default())
}

fn world() -> World {
    let mut world = World::of_portals(1).app(AppSpec::new(APP, APP_SECRET, 77));
    let portal = world.portal_mut(PORTAL).expect("it is there");
    *portal = portal.clone().user(ANN.2, ANN.1).user(BOB.2, BOB.1);
    world
}
