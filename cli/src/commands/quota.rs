//! `hubkeep quota`: what a portal may still do.

use clap::Args;
use hubkeep_proto::crm::v1::{
    AppBurst, GetQuotaRequest, LiftMigrationRequest, Quota, QuotaBucket, QuotaSource, WatchQuotaRequest,
    quota_service_client::QuotaServiceClient,
};

use super::{
    crm::Expected,
    shown_handle::ShownHandle,
    time::{day_and_time, time_of_day},
};
use crate::{channel::Service, errors::Error, exit::Exit, output::Output, wire_json};

/// Show how many calls a portal may still make.
///
/// With a handle that allows quota, of its own portal. An operator without a handle, of every portal that was called
/// through crm-service since it was started.
#[derive(Args, Debug)]
pub struct QuotaArgs {
    /// The portal's slug.
    slug: String,
    /// Go on, and show it again whenever it has changed. In JSON: a document a line.
    #[arg(long)]
    watch: bool,
    /// Say that HubSpot does not move this portal between data centres, although it has said so: the next call is let through to
    /// see. For operators.
    #[arg(long, requires = "reason", conflicts_with_all = ["watch", "handle"])]
    lift_migration: bool,
    /// Why that is known, in a line. It stands in the audit log: no personal data.
    #[arg(long, value_name = "TEXT", requires = "lift_migration")]
    reason: Option<String>,
    #[command(flatten)]
    expected: Expected,
    #[command(flatten)]
    shown: ShownHandle,
}

/// Runs `quota`.
///
/// # Errors
/// If the service refuses, or is not reached.
pub async fn run(args: QuotaArgs, service: Service, output: &Output) -> Result<Exit, Error> {
    let expected = args.expected.stated();
    if args.lift_migration {
        let reason = args.reason.unwrap_or_default();
        lift((args.slug, expected), reason, &service, output).await?;
        return Ok(Exit::Done);
    }
    let service = match args.shown.get()? {
        Some(handle) => service.with_handle(&handle)?,
        None => service,
    };
    match args.watch {
        true => watch((args.slug, expected), &service.without_timeout(), output).await?,
        false => get((args.slug, expected), &service, output).await?,
    }
    Ok(Exit::Done)
}

async fn get(
    (client_slug, expected_portal_id): (String, u64),
    service: &Service,
    output: &Output,
) -> Result<(), Error> {
    let mut client = QuotaServiceClient::new(service.connection());
    let request = GetQuotaRequest {
        client_slug,
        expected_portal_id,
    };
    let answer = client.get_quota(request).await;
    let answer = answer.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of("hubkeep.crm.v1.GetQuotaResponse", &answer)?);
    }
    print(&answer.quota.unwrap_or_default(), output)
}

async fn lift(
    (client_slug, expected_portal_id): (String, u64),
    reason: String,
    service: &Service,
    output: &Output,
) -> Result<(), Error> {
    let mut client = QuotaServiceClient::new(service.connection());
    let request = LiftMigrationRequest {
        client_slug,
        expected_portal_id,
        reason,
    };
    let answer = client.lift_migration(request).await;
    let answer = answer.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of("hubkeep.crm.v1.LiftMigrationResponse", &answer)?);
    }
    output.line(&match &answer.moved_until_time {
        Some(until) => format!(
            "portal {} was taken to be moved until {} UTC: its next call finds out",
            answer.portal_id,
            day_and_time(Some(until))
        ),
        None => format!(
            "portal {} was not taken to be moved: nothing changes",
            answer.portal_id
        ),
    })
}

async fn watch(
    (client_slug, expected_portal_id): (String, u64),
    service: &Service,
    output: &Output,
) -> Result<(), Error> {
    let mut client = QuotaServiceClient::new(service.connection());
    let request = WatchQuotaRequest {
        client_slug,
        expected_portal_id,
    };
    let opened = client.watch_quota(request).await;
    let mut changes = opened.map_err(|status| service.ended(status))?.into_inner();
    while let Some(change) = changes.message().await.map_err(|status| service.ended(status))? {
        if output.is_json() {
            output.json_line(&wire_json::of("hubkeep.crm.v1.WatchQuotaResponse", &change)?)?;
        } else {
            print(&change.quota.unwrap_or_default(), output)?;
        }
    }
    Ok(())
}

fn print(quota: &Quota, output: &Output) -> Result<(), Error> {
    let header = [
        "calls",
        "limit",
        "ours",
        "used",
        "by others",
        "left",
        "per",
        "waiting",
        "known by",
        "as of",
        "paused until",
        "used up at",
    ];
    let zone = match quota.time_zone.as_str() {
        "" => "a day; its time zone is not known".to_owned(),
        zone => format!("day in {zone}"),
    };
    let rows = [
        ("burst", &quota.burst, None),
        ("search", &quota.search, None),
        ("associations", &quota.associations, None),
        ("daily", &quota.daily, Some(zone)),
    ];
    let rows = rows.into_iter().filter_map(|(name, bucket, per)| {
        let bucket = bucket.as_ref()?;
        Some(row(name, bucket, per.unwrap_or_else(|| interval(bucket))))
    });
    let mut rows: Vec<_> = rows.collect();
    // Of one app the burst is all that there is to say.
    if quota.app_bursts.len() > 1 {
        let bursts = quota.app_bursts.iter().filter_map(burst_of_app);
        rows.splice(1..1, bursts);
    }
    let title = format!(
        "{} (portal {}) at {} UTC",
        quota.client_slug,
        quota.portal_id,
        day_and_time(quota.observe_time.as_ref())
    );
    output.line(&crate::output::printable(&title))?;
    output.table(&header, rows, "nothing is known")?;
    if let Some(until) = &quota.not_answering_until_time {
        output.line(&format!(
            "HubSpot does not answer for this portal: it is left alone until {} UTC",
            day_and_time(Some(until))
        ))?;
    }
    if let Some(until) = &quota.moving_until_time {
        output.line(&format!(
            "HubSpot moves this portal between data centres: nothing is sent until {} UTC",
            day_and_time(Some(until))
        ))?;
    }
    for refused in &quota.refused_tokens {
        let line = format!(
            "HubSpot refuses the token {} (credential version {}) since {} UTC: nothing is sent by it but one call from time to \
             time, the next from {} UTC; `hubkeep doctor {}` says what to do",
            refused.token_fingerprint,
            refused.credential_version,
            day_and_time(refused.since_time.as_ref()),
            day_and_time(refused.next_trial_time.as_ref()),
            quota.client_slug,
        );
        output.line(&crate::output::printable(&line))?;
    }
    match &quota.unaccounted_use {
        None => Ok(()),
        Some(seen) => output.line(&format!(
            "somebody else calls with this portal's token: {} calls were seen since {} UTC, the last at {} UTC",
            seen.call_count,
            day_and_time(seen.since_time.as_ref()),
            day_and_time(seen.last_seen_time.as_ref())
        )),
    }
}

fn burst_of_app(AppBurst { app, burst }: &AppBurst) -> Option<Vec<String>> {
    let burst = burst.as_ref()?;
    let name = match app.as_str() {
        "" => "  of the first credential's app".to_owned(),
        app => format!("  of {app}'s app"),
    };
    Some(row(&name, burst, interval(burst)))
}

fn row(name: &str, bucket: &QuotaBucket, per: String) -> Vec<String> {
    let number = |number: Option<u64>| number.map_or_else(|| "–".to_owned(), |number| number.to_string());
    vec![
        name.to_owned(),
        number(bucket.limit),
        number(bucket.share),
        number(bucket.used),
        number(bucket.others_count),
        number(bucket.left),
        per,
        bucket.waiting_count.to_string(),
        source(bucket.source()).to_owned(),
        time_of_day(bucket.as_of_time.as_ref()),
        day_and_time(bucket.paused_until_time.as_ref()),
        day_and_time(bucket.exhaustion_time.as_ref()),
    ]
}

fn interval(bucket: &QuotaBucket) -> String {
    let interval = bucket
        .interval
        .and_then(|interval| std::time::Duration::try_from(interval).ok());
    interval.map_or_else(
        || "–".to_owned(),
        |interval| humantime::format_duration(interval).to_string(),
    )
}

const fn source(source: QuotaSource) -> &'static str {
    match source {
        QuotaSource::Unspecified => "–",
        QuotaSource::Assumed => "assumed",
        QuotaSource::Header => "header",
        QuotaSource::Usage => "usage",
        QuotaSource::Refusal => "refusal",
    }
}

#[cfg(test)]
mod tests {
    use hubkeep_proto::crm::v1::{RefusedToken, UnaccountedUse};

    use super::*;

    fn bucket() -> QuotaBucket {
        QuotaBucket {
            limit: Some(100),
            share: Some(96),
            used: Some(7),
            left: Some(89),
            source: QuotaSource::Header.into(),
            ..QuotaBucket::default()
        }
    }

    fn quota() -> Quota {
        let interval = |seconds| Some(prost_types::Duration { seconds, nanos: 0 });
        Quota {
            portal_id: 42,
            client_slug: "acme".to_owned(),
            time_zone: "Asia/Kolkata".to_owned(),
            burst: Some(QuotaBucket {
                interval: interval(10),
                ..bucket()
            }),
            search: Some(QuotaBucket {
                interval: interval(1),
                ..bucket()
            }),
            daily: Some(QuotaBucket {
                limit: None,
                left: None,
                others_count: Some(4_321),
                ..bucket()
            }),
            associations: Some(bucket()),
            unaccounted_use: Some(UnaccountedUse {
                call_count: 17,
                ..UnaccountedUse::default()
            }),
            moving_until_time: Some(prost_types::Timestamp::default()),
            refused_tokens: vec![RefusedToken {
                credential_version: 3,
                token_fingerprint: "00ff00ff00ff00ff".to_owned(),
                ..RefusedToken::default()
            }],
            ..Quota::default()
        }
    }

    #[test]
    fn where_there_are_several_apps_the_table_has_a_line_for_each() {
        let lines = |apps: &[&str]| {
            let app_bursts = apps.iter().map(|app| AppBurst {
                app: (*app).to_owned(),
                burst: Some(bucket()),
            });
            let quota = Quota {
                app_bursts: app_bursts.collect(),
                ..quota()
            };
            let (output, answers, _) = Output::on_paper(false);
            print(&quota, &output).expect("written");
            answers.text()
        };
        let several = lines(&["", "reader"]);
        for line in ["of the first credential's app", "of reader's app"] {
            assert!(several.contains(line), "{several}");
        }
        assert!(!lines(&[""]).contains("'s app"), "one is all");
    }

    #[test]
    fn the_table_has_a_line_for_each_limit() {
        let (output, answers, _) = Output::on_paper(false);
        print(&quota(), &output).expect("written");
        let text = answers.text();
        let line = |word: &str| {
            let found = text.lines().find(|line| line.trim_start().starts_with(word));
            found.unwrap_or_else(|| panic!("no {word} in {text}")).to_owned()
        };
        assert!(line("acme").contains("portal 42"));
        for part in ["100", "96", "7", "89", "10s", "header"] {
            assert!(line("burst").contains(part), "{part} in {text}");
        }
        assert!(line("search").contains("1s"));
        assert!(line("associations").contains("96"));
        assert!(line("somebody else").contains("17 calls"));
        assert!(line("HubSpot moves").contains("1970"));
        assert!(line("HubSpot refuses").contains("00ff00ff00ff00ff"));
        assert!(text.contains("hubkeep doctor acme"));
        assert!(line("daily").contains('–') && line("daily").contains("Asia/Kolkata"));
        assert!(line("daily").contains("4321"));
    }
}
