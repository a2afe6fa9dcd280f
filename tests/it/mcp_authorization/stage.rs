//! A program that has registered, and the way that it takes from its question to tokens.

use hubkeep_tests::{
    World,
    support::{
        browser::{Browser, Page},
        limited::Limited,
        programs::{form, pkce},
    },
};
use serde_json::json;

pub(super) const LOCAL: &str = "http://localhost/callback";
pub(super) const ASKED: &str = "http://localhost:49152/callback";
pub(super) const SESSION: &str = "__Host-hubkeep-session";
pub(super) const CONSENT: &str = "__Host-hubkeep-consent";
pub(super) const FLOW: &str = "__Host-hubkeep-flow";

/// A program that has registered, and the way that it takes.
pub(super) struct Stage {
    pub(super) hubkeep: Limited,
    pub(super) outside: Browser,
    pub(super) client_id: String,
}

impl Stage {
    pub(super) async fn set() -> Self {
        let hubkeep = Limited::with_people(World::of_portals(1)).await;
        let outside = hubkeep.outside();
        let body = json!({ "client_name": "An editor", "redirect_uris": [LOCAL, "https://editor.example/callback"] });
        let registered = outside.register(&body).await;
        assert_eq!(registered.status, 201, "{}", registered.body);
        let client_id = registered.json()["client_id"].as_str().expect("an id").to_owned();
        Self {
            hubkeep,
            outside,
            client_id,
        }
    }

    /// A request as a good program makes it, with these parameters changed; an empty one is left out.
    pub(super) fn asked(&self, changed: &[(&str, &str)]) -> Vec<(String, String)> {
        let resource = format!("{}/mcp", self.hubkeep.issuer());
        let (_, challenge) = pkce();
        let mut all: Vec<(String, String)> = [
            ("response_type", "code"),
            ("client_id", self.client_id.as_str()),
            ("redirect_uri", ASKED),
            ("state", "st&te"),
            ("scope", "crm.read"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
            ("resource", resource.as_str()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        for (name, value) in changed {
            all.retain(|(known, _)| known != name);
            if !value.is_empty() {
                all.push(((*name).to_owned(), (*value).to_owned()));
            }
        }
        all
    }

    pub(super) async fn ask(&self, changed: &[(&str, &str)]) -> Page {
        let asked = self.asked(changed);
        let pairs: Vec<(&str, &str)> = asked
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        self.outside
            .get(&format!("/oauth/authorize?{}", form(&pairs)))
            .await
    }

    /// Says something on the page that a browser was shown.
    pub(super) async fn say(
        &self,
        decision: &str,
        cookie: &str,
        csrf: &str,
        headers: &[(&str, &str)],
    ) -> Page {
        let mut asked = self.asked(&[]);
        asked.push(("csrf".to_owned(), csrf.to_owned()));
        asked.push(("decision".to_owned(), decision.to_owned()));
        let pairs: Vec<(&str, &str)> = asked
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let cookie = format!("{CONSENT}={cookie}");
        let all = [headers, &[("cookie", cookie.as_str())]].concat();
        self.outside.submit("/oauth/consent", &all, &pairs).await
    }

    /// What the browser holds after somebody has allowed it.
    pub(super) async fn allowed(&self) -> String {
        let page = self.ask(&[]).await.shown();
        let csrf = page.cookie(CONSENT).expect("a cookie").to_owned();
        let said = self.say("allow", &csrf, &csrf, &[]).await.shown();
        assert!(said.says("url=/oauth/continue"), "{}", said.body);
        said.cookie(FLOW).expect("a cookie").to_owned()
    }

    pub(super) async fn resume(&self, flow: &str, session: Option<&str>) -> Page {
        let session = session
            .map(|session| format!("; {SESSION}={session}"))
            .unwrap_or_default();
        let cookie = format!("{FLOW}={flow}{session}");
        self.outside
            .get_with("/oauth/continue", &[("cookie", &cookie)])
            .await
    }

    /// A code, the whole way.
    pub(super) async fn code(&self) -> String {
        let flow = self.allowed().await;
        let back = self.resume(&flow, Some(&self.hubkeep.session())).await;
        answer(&back, "code").expect("a code")
    }

    pub(super) async fn exchange(&self, code: &str, changed: &[(&str, &str)]) -> Page {
        let (verifier, _) = pkce();
        let resource = format!("{}/mcp", self.hubkeep.issuer());
        let mut all = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("client_id", self.client_id.as_str()),
            ("redirect_uri", ASKED),
            ("code_verifier", verifier.as_str()),
            ("resource", resource.as_str()),
        ];
        for (name, value) in changed {
            all.retain(|(known, _)| known != name);
            if !value.is_empty() {
                all.push((name, value));
            }
        }
        self.outside.submit("/oauth/token", &[], &all).await
    }
}

/// A parameter of the address that a browser is sent to.
pub(super) fn answer(page: &Page, name: &str) -> Option<String> {
    let address = url::Url::parse(page.exactly("location")?).expect("an address");
    let mut pairs = address.query_pairs().into_owned();
    pairs.find(|(known, _)| known == name).map(|(_, value)| value)
}
