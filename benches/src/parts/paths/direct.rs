//! Straight to HubSpot, as somebody would call it who has the tokens: no record, no handle.

use http::{HeaderValue, header};

use super::{bearer, contact_url, of_caller};
use crate::{Failure, load::Work, stage::Stage};

/// Reads contacts with reqwest.
pub(in crate::parts) struct Direct {
    http: reqwest::Client,
    url: String,
    bearers: Vec<HeaderValue>,
}

impl Direct {
    #[expect(clippy::disallowed_methods, reason = "a baseline that goes past the product")]
    pub(in crate::parts) fn to(stage: &Stage) -> Result<Self, Failure> {
        Ok(Self {
            http: reqwest::Client::builder().tcp_nodelay(true).build()?,
            url: contact_url(&stage.simulator.base_url()),
            bearers: stage.portals().iter().map(bearer).collect::<Result<_, _>>()?,
        })
    }
}

impl Work for Direct {
    #[expect(clippy::disallowed_methods, reason = "a baseline that goes past the product")]
    async fn once(&self, caller: usize, _turn: u64) -> Result<(), Failure> {
        let bearer = of_caller(&self.bearers, caller)?.clone();
        let asked = self.http.get(&self.url).header(header::AUTHORIZATION, bearer);
        asked.send().await?.error_for_status()?.bytes().await?;
        Ok(())
    }
}
