//! How far back logs reach, and holds. For operators who read everything: a client's handle neither keeps nor ends evidence.

use hubkeep_core::{
    grpc::{AUDITOR, Context},
    id::ClientSlug,
};
use hubkeep_proto::audit::v1::{
    GetRetentionRequest, GetRetentionResponse, Hold as WireHold, HoldLogRequest, HoldLogResponse,
    LogRetention, ReleaseLogRequest, ReleaseLogResponse,
};

use super::{api::AuditApi, error::Error, page};
use crate::{Draft, Filter, Hold, Operation, Outcome, Retained};

/// The longest reason, in characters.
const MAX_REASON: usize = 400;

impl AuditApi {
    pub(super) async fn retention(
        &self,
        context: &Context,
        request: GetRetentionRequest,
    ) -> Result<GetRetentionResponse, Error> {
        must_read_everything(context)?;
        let size = page::size(request.page_size)?;
        let only = match request.client_slug.as_str() {
            "" => String::new(),
            slug => self.log_of_portal(slug).await?,
        };
        let draft = self.draft(context, None, Operation::AuditRetention)?;
        self.log.admin(draft, Outcome::ok()).await?;
        // The name of the last log of a page is the token of the next: it opens nothing.
        let mut logs = self
            .log
            .retained(&request.page_token, size.saturating_add(1), &only)
            .await?;
        let more = logs.len() > size;
        logs.truncate(size);
        let next_page_token = match logs.last() {
            Some(last) if more => last.log.clone(),
            _ => String::new(),
        };
        Ok(GetRetentionResponse {
            keep: self.log.keep().to_string(),
            logs: logs.into_iter().map(wire).collect(),
            next_page_token,
        })
    }

    pub(super) async fn hold(
        &self,
        context: &Context,
        request: HoldLogRequest,
    ) -> Result<HoldLogResponse, Error> {
        must_read_everything(context)?;
        let reason = reason(&request.reason)?;
        let log = self.log_meant(&request.client_slug, &request.log).await?;
        self.hold_on_record(context, &log, Operation::AuditHold, &reason)
            .await?;
        let hold = Hold {
            operator: context.caller.name.to_string(),
            reason,
            hold_time: self.clock.now(),
        };
        self.log.hold(&log, &hold).await?;
        Ok(HoldLogResponse {
            log: self.retained(&log).await?,
        })
    }

    pub(super) async fn release(
        &self,
        context: &Context,
        request: ReleaseLogRequest,
    ) -> Result<ReleaseLogResponse, Error> {
        must_read_everything(context)?;
        let reason = reason(&request.reason)?;
        let log = self.log_meant(&request.client_slug, &request.log).await?;
        self.hold_on_record(context, &log, Operation::AuditHoldRelease, &reason)
            .await?;
        self.log.release(&log).await?;
        Ok(ReleaseLogResponse {
            log: self.retained(&log).await?,
        })
    }

    /// In the log that it is about.
    async fn hold_on_record(
        &self,
        context: &Context,
        log: &str,
        operation: Operation,
        reason: &str,
    ) -> Result<(), Error> {
        let portal = self.log.portal_of_log(log).await?;
        let draft: Draft = self.draft(context, portal.as_ref(), operation)?;
        self.log.admin(draft.subject(reason), Outcome::ok()).await?;
        Ok(())
    }

    async fn retained(&self, log: &str) -> Result<Option<LogRetention>, Error> {
        Ok(self.log.retained("", 1, log).await?.pop().map(wire))
    }

    /// The log that is meant: that of a portal, or the one of this name.
    async fn log_meant(&self, client_slug: &str, log: &str) -> Result<String, Error> {
        match (client_slug, log) {
            ("", "") => Err(Error::field("client_slug", "name the portal, or set log")),
            (slug, "") => self.log_of_portal(slug).await,
            ("", log) if self.log.retained("", 1, log).await?.is_empty() => Err(Error::field(
                "log",
                "there is no log of this name that could be pruned",
            )),
            ("", log) => Ok(log.to_owned()),
            _ => Err(Error::field("log", "leave it out where client_slug is set")),
        }
    }

    async fn log_of_portal(&self, client_slug: &str) -> Result<String, Error> {
        let slug: Result<ClientSlug, _> = client_slug.parse();
        let slug = slug.map_err(|_| Error::field("client_slug", "is no slug of a portal"))?;
        let filter = Filter {
            client_slug: Some(slug),
            ..Filter::all()
        };
        let portal = self.portal_of(&filter).await;
        let portal = portal.map_err(|error| error.without_prefix("filter."))?;
        Ok(self.log.log_of(portal))
    }
}

fn must_read_everything(context: &Context) -> Result<(), Error> {
    match context.has_role(AUDITOR) {
        true => Ok(()),
        false => Err(Error::NotAuditor(context.caller.name.clone())),
    }
}

fn reason(text: &str) -> Result<String, Error> {
    let text = text.trim();
    let fits = !text.is_empty() && text.chars().count() <= MAX_REASON && !text.contains(char::is_control);
    match fits {
        true => Ok(text.to_owned()),
        false => Err(Error::field(
            "reason",
            "say why, in 1 to 400 characters on one line: it stands on the log",
        )),
    }
}

fn wire(retained: Retained) -> LogRetention {
    LogRetention {
        log: retained.log,
        size: retained.size,
        first_index: retained.first_index,
        first_time: retained.first_time.map(Into::into),
        beginning: retained.beginning.map(Into::into),
        next_time: retained.next_time.map(Into::into),
        hold: retained.hold.map(|hold| WireHold {
            operator: hold.operator,
            reason: hold.reason,
            hold_time: Some(hold.hold_time.into()),
        }),
    }
}
