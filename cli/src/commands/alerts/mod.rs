//! `hubkeep alerts`: what stands out in the log of crm-service, and by which rules.

mod words;

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use hubkeep_proto::crm::v1::{
    Alert, AlertKind, AlertReceiver, AlertReceivers, AlertRule, AlertSeverity, AlertState, ListAlertsRequest,
    ListAlertsResponse, ListRulesRequest, ListRulesResponse, PutRuleRequest, WatchAlertsRequest,
    alert_service_client::AlertServiceClient,
};

use super::{crm::Expected, time::day_and_time};
use crate::{
    channel::Service,
    errors::Error,
    exit::Exit,
    output::{Output, printable},
    wire_json,
};
use words::{Kind, Receiver, Severity, beyond, kind, receiver, severity, state, unit, window};

/// The most that the service gives at once.
const PAGE: i32 = 500;

/// Look at alerts, and say when they fire.
#[derive(Args, Debug)]
pub struct AlertsArgs {
    #[command(subcommand)]
    command: AlertsCommand,
}

#[derive(Subcommand, Debug)]
enum AlertsCommand {
    /// List alerts, the newest first.
    List(ListArgs),
    /// Show what fires now, and go on with each alert that fires or is resolved. In JSON: a document a line.
    Watch(WatchArgs),
    /// List the rules that hold: of a portal, or of the deployment and all that were put.
    Rules(RulesArgs),
    /// Change the rules of a portal.
    #[command(subcommand)]
    Rule(RuleCommand),
}

#[derive(Subcommand, Debug)]
enum RuleCommand {
    /// Put a rule for a portal. What is left out stays as it is.
    Put(PutArgs),
    /// Take back what was put: the deployment's rule holds again.
    Reset(ResetArgs),
}

#[derive(Args, Debug)]
struct ListArgs {
    /// Only those of this portal.
    slug: Option<String>,
    /// Only those in this state.
    #[arg(long)]
    state: Option<State>,
}

#[derive(Args, Debug)]
struct WatchArgs {
    /// Only those of this portal.
    slug: Option<String>,
    /// Begin behind this change, as an earlier watch has shown it.
    #[arg(long, default_value_t = 0, value_name = "NUMBER")]
    after: u64,
}

#[derive(Args, Debug)]
struct RulesArgs {
    /// The portal.
    slug: Option<String>,
}

#[derive(Args, Debug)]
struct PutArgs {
    /// The portal's slug.
    slug: String,
    /// Which rule.
    kind: Kind,
    /// It fires when more than so many are counted in the window; of a share, when more than so many in a hundred are.
    #[arg(long, value_name = "NUMBER")]
    threshold: Option<u64>,
    /// How far back is counted, for example 5m.
    #[arg(long, value_name = "TIME")]
    window: Option<humantime::Duration>,
    /// How bad it is.
    #[arg(long)]
    severity: Option<Severity>,
    /// Who is told, besides the stream and the log lines; "none" for nobody.
    #[arg(long, value_delimiter = ',', value_name = "RECEIVER,…")]
    send_to: Option<Vec<Receiver>>,
    /// Do not look at it.
    #[arg(long, conflicts_with = "on")]
    off: bool,
    /// Look at it again.
    #[arg(long)]
    on: bool,
    #[command(flatten)]
    expected: Expected,
}

#[derive(Args, Debug)]
struct ResetArgs {
    /// The portal's slug.
    slug: String,
    /// Which rule.
    kind: Kind,
    #[command(flatten)]
    expected: Expected,
}

/// Whether it fires.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum State {
    /// It does.
    Firing,
    /// It did.
    Resolved,
}

/// Runs `alerts`.
///
/// # Errors
/// If the service refuses, or is not reached.
pub async fn run(args: AlertsArgs, service: Service, output: &Output) -> Result<Exit, Error> {
    match args.command {
        AlertsCommand::List(args) => list(args, &service, output).await?,
        AlertsCommand::Watch(args) => watch(args, &service.without_timeout(), output).await?,
        AlertsCommand::Rules(args) => rules(args, &service, output).await?,
        AlertsCommand::Rule(RuleCommand::Put(args)) => put(put_request(args), &service, output).await?,
        AlertsCommand::Rule(RuleCommand::Reset(args)) => {
            let request = PutRuleRequest {
                client_slug: args.slug,
                expected_portal_id: args.expected.stated(),
                kind: AlertKind::from(args.kind).into(),
                reset: true,
                ..PutRuleRequest::default()
            };
            put(request, &service, output).await?;
        }
    }
    Ok(Exit::Done)
}

async fn list(args: ListArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let state = args.state.map(|state| match state {
        State::Firing => AlertState::Firing.into(),
        State::Resolved => AlertState::Resolved.into(),
    });
    let mut request = ListAlertsRequest {
        client_slug: args.slug.unwrap_or_default(),
        states: state.into_iter().collect(),
        page_size: PAGE,
        page_token: String::new(),
    };
    let mut client = AlertServiceClient::new(service.connection());
    let mut all = ListAlertsResponse::default();
    loop {
        let answer = client.list_alerts(request.clone()).await;
        let page = answer.map_err(|status| service.ended(status))?.into_inner();
        all.alerts.extend(page.alerts);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    if output.is_json() {
        return output.document(&wire_json::of("hubkeep.crm.v1.ListAlertsResponse", &all)?);
    }
    let header = [
        "alert", "portal", "severity", "kind", "caller", "state", "fired", "resolved", "counted", "call",
    ];
    let rows = all.alerts.iter().map(row).collect();
    output.table(&header, rows, "no such alerts")
}

fn row(alert: &Alert) -> Vec<String> {
    vec![
        alert.alert_id.to_string(),
        alert.client_slug.clone(),
        severity(alert.severity()).to_owned(),
        kind(alert.kind()).to_owned(),
        alert.subject.clone(),
        state(alert.state()).to_owned(),
        day_and_time(alert.fire_time.as_ref()),
        day_and_time(alert.resolve_time.as_ref()),
        beyond(alert),
        alert.call_id.clone(),
    ]
}

async fn watch(args: WatchArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let mut client = AlertServiceClient::new(service.connection());
    let request = WatchAlertsRequest {
        client_slug: args.slug.unwrap_or_default(),
        after_change: args.after,
    };
    let opened = client.watch_alerts(request).await;
    let mut changes = opened.map_err(|status| service.ended(status))?.into_inner();
    while let Some(change) = changes.message().await.map_err(|status| service.ended(status))? {
        if output.is_json() {
            output.json_line(&wire_json::of("hubkeep.crm.v1.WatchAlertsResponse", &change)?)?;
        } else {
            let line = line(&change.alert.unwrap_or_default(), change.change);
            output.line(&printable(&line))?;
        }
    }
    Ok(())
}

fn line(alert: &Alert, change: u64) -> String {
    let time = match alert.state() {
        AlertState::Resolved => alert.resolve_time.as_ref(),
        _ => alert.fire_time.as_ref(),
    };
    let portal = match alert.client_slug.as_str() {
        "" => "no portal",
        slug => slug,
    };
    let by = match (alert.subject.as_str(), alert.actor_ref.as_str()) {
        ("", _) => String::new(),
        (subject, "") => format!(" by {subject}"),
        (subject, actor_ref) => format!(" by {subject} for person {actor_ref}"),
    };
    format!(
        "{} UTC {} {} {} at {portal}{by}: {} (alert {}, change {change}, call {})",
        day_and_time(time),
        state(alert.state()),
        severity(alert.severity()),
        kind(alert.kind()),
        beyond(alert),
        alert.alert_id,
        alert.call_id
    )
}

async fn rules(args: RulesArgs, service: &Service, output: &Output) -> Result<(), Error> {
    let mut request = ListRulesRequest {
        client_slug: args.slug.unwrap_or_default(),
        page_size: PAGE,
        page_token: String::new(),
    };
    let mut client = AlertServiceClient::new(service.connection());
    let mut all = ListRulesResponse::default();
    loop {
        let answer = client.list_rules(request.clone()).await;
        let page = answer.map_err(|status| service.ended(status))?.into_inner();
        all.rules.extend(page.rules);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    if output.is_json() {
        return output.document(&wire_json::of("hubkeep.crm.v1.ListRulesResponse", &all)?);
    }
    print_rules(&all.rules, output)
}

fn put_request(args: PutArgs) -> PutRuleRequest {
    let send_to = args.send_to.map(|named| AlertReceivers {
        receivers: named
            .iter()
            .filter_map(|receiver| match receiver {
                Receiver::Webhook => Some(AlertReceiver::Webhook.into()),
                Receiver::Slack => Some(AlertReceiver::Slack.into()),
                Receiver::Contain => Some(AlertReceiver::Contain.into()),
                Receiver::None => None,
            })
            .collect(),
    });
    PutRuleRequest {
        client_slug: args.slug,
        expected_portal_id: args.expected.stated(),
        kind: AlertKind::from(args.kind).into(),
        enabled: (args.on || args.off).then_some(args.on),
        threshold: args.threshold,
        window: args
            .window
            .and_then(|window| prost_types::Duration::try_from(Duration::from(window)).ok()),
        severity: args
            .severity
            .map_or(AlertSeverity::Unspecified, AlertSeverity::from)
            .into(),
        send_to,
        reset: false,
    }
}

async fn put(request: PutRuleRequest, service: &Service, output: &Output) -> Result<(), Error> {
    let mut client = AlertServiceClient::new(service.connection());
    let answer = client.put_rule(request).await;
    let answer = answer.map_err(|status| service.ended(status))?.into_inner();
    if output.is_json() {
        return output.document(&wire_json::of("hubkeep.crm.v1.PutRuleResponse", &answer)?);
    }
    print_rules(answer.rule.as_slice(), output)
}

fn print_rules(rules: &[AlertRule], output: &Output) -> Result<(), Error> {
    let header = [
        "portal",
        "rule",
        "on",
        "more than",
        "in",
        "severity",
        "told",
        "put by",
        "put",
    ];
    let rows = rules.iter().map(|rule| {
        let told: Vec<&str> = rule.receivers().map(receiver).collect();
        vec![
            match rule.client_slug.as_str() {
                "" => "(all)".to_owned(),
                slug => slug.to_owned(),
            },
            kind(rule.kind()).to_owned(),
            if rule.enabled { "yes" } else { "no" }.to_owned(),
            format!("{}{}", rule.threshold, unit(rule.kind())),
            window(rule.window),
            severity(rule.severity()).to_owned(),
            told.join(", "),
            rule.put_by.clone(),
            day_and_time(rule.put_time.as_ref()),
        ]
    });
    output.table(&header, rows.collect(), "no rules")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert() -> Alert {
        Alert {
            alert_id: 17,
            kind: AlertKind::ContactReads.into(),
            client_slug: "acme".to_owned(),
            subject: "sync".to_owned(),
            severity: AlertSeverity::High.into(),
            state: AlertState::Firing.into(),
            count: 101,
            threshold: 100,
            window: Some(prost_types::Duration {
                seconds: 60,
                nanos: 0,
            }),
            call_id: "01890a5d".to_owned(),
            ..Alert::default()
        }
    }

    #[test]
    fn a_line_says_what_fires_where_by_whom_and_where_to_go_on() {
        let line = line(&alert(), 18);
        for part in [
            "firing high contact-reads at acme by sync",
            "101 in 1m, more than 100",
            "alert 17, change 18, call 01890a5d",
        ] {
            assert!(line.contains(part), "{part} in {line}");
        }
    }

    #[test]
    fn a_rule_of_all_portals_is_told_from_one_that_was_put() {
        let (output, answers, _) = Output::on_paper(false);
        let rule = AlertRule {
            kind: AlertKind::WrongPortal.into(),
            enabled: true,
            receivers: vec![AlertReceiver::Slack.into()],
            ..AlertRule::default()
        };
        let put = AlertRule {
            client_slug: "acme".to_owned(),
            put_by: "operator/ann".to_owned(),
            ..rule.clone()
        };
        print_rules(&[rule, put], &output).expect("written");
        let text = answers.text();
        for part in ["(all)", "acme", "wrong-portal", "slack", "operator/ann"] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
