//! The command line: what holds for every command, and which commands there are. The arguments of each stand beside
//! it. The environment is read here and nowhere else, when `main` parses.

use std::{ffi::OsString, path::PathBuf};

use clap::{
    Arg, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand,
    builder::{FalseyValueParser, Resettable},
};
use hubkeep_core::id::CallerName;

use crate::{
    commands::{self, certs::caller_name},
    exit,
};

/// Runs HubSpot portals through handles: onboard portals, issue handles, make calls, read the audit log.
#[derive(Parser, Debug)]
#[command(name = "hubkeep", version, after_help = exit::HELP, arg_required_else_help = true)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// Where the options of [`Global`] stand in the help.
const EVERYWHERE: &str = "For every command";

/// What holds for every command.
#[derive(Args, Debug)]
pub struct Global {
    /// Where credential-service listens.
    #[arg(
        long,
        global = true,
        help_heading = EVERYWHERE,
        value_name = "URL",
        env = "HUBKEEP_CREDENTIAL_SERVICE",
        default_value = "http://127.0.0.1:7401"
    )]
    pub credential_service: String,
    /// Where crm-service listens.
    #[arg(
        long,
        global = true,
        help_heading = EVERYWHERE,
        value_name = "URL",
        env = "HUBKEEP_CRM_SERVICE",
        default_value = "http://127.0.0.1:7402"
    )]
    pub crm_service: String,
    /// Your certificate (PEM), for addresses with https://.
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "FILE", env = "HUBKEEP_CERT")]
    pub cert: Option<PathBuf>,
    /// The private key of --cert (PEM, readable by nobody else).
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "FILE", env = "HUBKEEP_KEY")]
    pub key: Option<PathBuf>,
    /// The CA of the services (PEM).
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "FILE", env = "HUBKEEP_CA")]
    pub ca: Option<PathBuf>,
    /// Who to say we are, to services that run for development, where nobody has a certificate [operator/dev].
    #[arg(
        id = "as",
        long,
        global = true,
        help_heading = EVERYWHERE,
        value_name = "NAME",
        env = "HUBKEEP_AS",
        value_parser = caller_name
    )]
    pub caller: Option<CallerName>,
    /// How long one call may take.
    #[arg(
        long,
        global = true,
        help_heading = EVERYWHERE,
        value_name = "TIME",
        env = "HUBKEEP_TIMEOUT",
        default_value = "30s"
    )]
    pub timeout: humantime::Duration,
    /// Answer in JSON: one document, or a document a line where answers stream or rows are told. Errors too, as
    /// {"error": …}.
    #[arg(long, global = true, help_heading = EVERYWHERE, env = "HUBKEEP_JSON", value_parser = FalseyValueParser::new())]
    pub json: bool,
}

/// The commands.
#[derive(Subcommand, Debug)]
#[expect(
    missing_docs,
    reason = "each says what it does beside its arguments; a text here would take its place in the help"
)]
pub enum Command {
    Import(commands::import::ImportArgs),
    Portals(commands::portals::PortalsArgs),
    Rotate(commands::rotate::RotateArgs),
    Rotations(commands::rotations::RotationsArgs),
    Consumers(commands::consumers::ConsumersArgs),
    Doctor(commands::doctor::DoctorArgs),
    Grants(commands::grants::GrantsArgs),
    People(commands::people::PeopleArgs),
    Handle(commands::handle::HandleArgs),
    Contain(commands::contain::ContainArgs),
    Crm(commands::crm::CrmArgs),
    Quota(commands::quota::QuotaArgs),
    Writes(commands::writes::WritesArgs),
    Report(commands::report::ReportArgs),
    Alerts(commands::alerts::AlertsArgs),
    Keys(commands::keys::KeysArgs),
    Audit(commands::audit::AuditArgs),
    Certs(commands::certs::CertsArgs),
    #[cfg(feature = "dev")]
    Dev(crate::dev::DevArgs),
    #[cfg(feature = "dev")]
    Demo(crate::demo::DemoArgs),
}

/// Reads a command line. A variable that is set to nothing, as by a command that failed, is not set.
///
/// # Errors
/// With what to print, be it help or what is wrong.
pub fn parse(line: Vec<OsString>) -> Result<Cli, clap::Error> {
    let parsed = without_empty_variables(Cli::command()).try_get_matches_from(&line);
    match parsed {
        Ok(matches) => Cli::from_arg_matches(&matches),
        Err(error) => Err(as_typed(error, line)),
    }
}

/// An error as it is without the environment, if it is one then, too: clap counts what a variable gives to what was
/// typed, and would show it in the usage as if it were required.
fn as_typed(error: clap::Error, line: Vec<OsString>) -> clap::Error {
    let typed = without_variables(Cli::command()).try_get_matches_from(line);
    match typed {
        Err(typed) if typed.kind() == error.kind() => typed,
        _ => error,
    }
}

fn without_variables(command: clap::Command) -> clap::Command {
    command
        .mut_args(|arg| arg.env(Resettable::Reset))
        .mut_subcommands(without_variables)
}

fn without_empty_variables(command: clap::Command) -> clap::Command {
    command
        .mut_args(|arg| {
            if is_empty(&arg) {
                arg.env(Resettable::Reset)
            } else {
                arg
            }
        })
        .mut_subcommands(without_empty_variables)
}

/// Whether the variable of an option, which clap has read when the command was described, is set to nothing.
fn is_empty(arg: &Arg) -> bool {
    let value = arg.get_env().and_then(std::env::var_os);
    value.is_some_and(|value| value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_that_hold_for_every_command_may_stand_after_it() {
        let cli =
            Cli::try_parse_from(["hubkeep", "portals", "--json", "--as", "operator/ann"]).expect("parses");
        assert!(cli.global.json);
        assert_eq!(cli.global.caller.expect("given").as_str(), "operator/ann");
    }

    #[test]
    fn a_caller_that_can_be_no_name_is_a_usage_error() {
        let parsed = Cli::try_parse_from(["hubkeep", "--as", "a b", "portals"]);
        assert_eq!(
            parsed.expect_err("refused").exit_code(),
            i32::from(exit::Exit::Usage.code())
        );
    }

    #[test]
    fn every_command_reads_its_own_arguments_beside_those_of_all() {
        for line in [
            "import a.csv --kind service-key",
            "portals",
            "import a.csv --dry-run --results b.csv --details c.toml",
            "portals verify acme",
            "rotate acme --credential writer --token-file new --allow-narrower-scopes",
            "rotate fleet.csv --results result.csv",
            "rotate fleet.csv --result result.csv",
            "rotations",
            "rotations list --all --portal acme",
            "rotations show 0",
            "rotations cancel 0 --reason x",
            "rotations close 0 --reason x",
            "rotations ack 0 --store-version 7 --fingerprint 0123456789abcdef",
            "rotations ack acme --token-file new",
            "rotations show acme",
            "rotations watch",
            "consumers add billing --portals acme,globex --webhook https://a.b --secret-file c --deadline 2h",
            "consumers add billing --tags emea,gold",
            "consumers remove billing",
            "grants",
            "grants list --caller nightly-sync --portal acme",
            "grants show nightly-sync",
            "grants put nightly-sync --caller jobs/* --portals acme,globex --tags eu --allow get,list --types contacts \
             --properties email --pipelines default --owners 42 --max-lifetime 5m --max-calls 100 --max-records 1000 \
             --writes-need-approval --dry-run",
            "grants put ann --person ann --all-portals --allow quota",
            "grants put --file grants.toml --dry-run",
            "grants delete nightly-sync",
            "grants replay --file grants.toml --without nightly-sync --since 2h",
            "people",
            "people put ann --certs operator/ann --oidc https://accounts.google.com#1 --slack T1#U1 --hubspot ann@a.example",
            "people delete ann",
            "portals show acme",
            "portals suspend acme",
            "portals resume acme",
            "portals erase acme --portal-id 1 --certificate a.txt",
            "portals update acme --details c.toml",
            "doctor acme globex --max-token-age 90days",
            "handle issue acme --allow get,list --types contacts --purpose x --lifetime 60s --properties email",
            "handle introspect -",
            "handle revoke --id 0",
            "handle list acme",
            "crm get acme contacts 1 --handle -",
            "crm list acme contacts --page-size -1 --all",
            "crm stream acme contacts --properties email --state walk.state --purpose export",
            "crm stream acme contacts --resume token --archived --page-size 50 --handle -",
            "crm search acme contacts --query ada --sort email --descending",
            "crm create acme contacts --set email=a@b.example",
            "crm update acme contacts 1 --set phone=",
            "crm archive acme contacts 1",
            "crm owners acme --email a@b.example",
            "quota acme --watch --handle -",
            "quota acme --lift-migration --reason wrong",
            "writes list",
            "writes list acme --state unknown,not-done --portal-id 1 --handle -",
            "writes settle acme --call 0 --done --record 17 --reason seen",
            "writes settle acme --call 0 --not-done --reason looked --portal-id 1",
            "crm create acme companies --set name=a --request-id 01890a5d-ac96-774b-bcce-b302099a8057",
            "keys status --probe --of crm-service",
            "keys rotate --to 2",
            "audit tail --caller nightly-sync --portal acme --phase intent,outcome --from-now",
            "certs init --dir a",
            "certs issue operator/ann --host a.b --host 127.0.0.1 --days 7 --trust-domain b",
            "portals --ca a --cert b --key c",
            "audit list --from crm-service --after 7 --operation object-get --call 0 --limit 5",
            "audit list --portal acme --last 20",
            "audit list --log dev/crm-service/1",
            "audit export --portal acme --to evidence --held a --held b --from credential-service --handle -",
            "audit export --format ocsf --portal acme --severity medium --since 2026-11-01 --to a.jsonl",
            "audit export --format csv --to -",
            "audit list --result failed,unknown --until 2026-11-29T08:00:00Z --type contacts",
            "audit tail --portal acme --object contacts/101 --from crm-service",
            "audit list --object-ref 00112233445566778899aabbccddeeff",
            "audit verify evidence --key keys.txt --held a",
        ] {
            let words = ["hubkeep", "--as", "operator/ann", "--json"]
                .into_iter()
                .chain(line.split(' '));
            let cli = Cli::try_parse_from(words).expect(line);
            assert_eq!(
                cli.global.caller.expect("given").as_str(),
                "operator/ann",
                "{line}"
            );
        }
    }

    #[test]
    fn a_grant_is_put_whole_on_the_command_line_or_read_from_a_file() {
        for line in [
            "grants put",
            "grants put a --portals acme --allow get",
            "grants put a --caller x --person y --allow get",
            "grants put a --caller x --portals acme",
            "grants put --file a.toml --caller x",
            "grants put a --file a.toml --caller x --allow get",
            "grants put a --caller x --allow get --max-calls 0",
            "grants replay",
        ] {
            let words = std::iter::once("hubkeep").chain(line.split(' '));
            assert!(Cli::try_parse_from(words).is_err(), "{line}");
        }
    }

    #[test]
    fn help_never_shows_the_handle_that_the_environment_holds() {
        let mut command = Cli::command();
        let crm = command.find_subcommand_mut("crm").expect("there");
        for verb in crm.get_subcommands() {
            let handle = verb.get_arguments().find(|arg| arg.get_id() == "handle");
            assert!(
                handle.is_none_or(clap::Arg::is_hide_env_values_set),
                "{}",
                verb.get_name()
            );
        }
    }
}
