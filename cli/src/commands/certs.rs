//! `hubkeep certs`: a first CA, and certificates from it. Speaks to no service.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use hubkeep_core::{
    clock::{SharedClock, Timestamp},
    id::{CallerName, InvalidName},
    random::SharedRandom,
    tls::{DEFAULT_TRUST_DOMAIN, Revoked},
};
use serde_json::json;

use super::time::day_and_time;
use crate::{
    certs::{Authority, AuthorityError, CertsDir, Pair, Validity, Wish},
    errors::Error,
    exit::Exit,
    output::{FAINT, GOOD, Output},
};

/// Make a CA, and certificates for services, callers and operators.
///
/// No file is overwritten but ca.crl, and by `issue --renew`. Whoever has ca.key can be anybody: keep it where no service runs.
#[derive(Args, Debug)]
pub struct CertsArgs {
    #[command(subcommand)]
    command: CertsCommand,
}

#[derive(Subcommand, Debug)]
enum CertsCommand {
    /// Make a CA: ca.crt, which services and callers trust, and ca.key, which signs.
    Init {
        #[command(flatten)]
        folder: Folder,
        /// How long it holds.
        #[arg(long, value_name = "DAYS", default_value_t = 3_650, value_parser = clap::value_parser!(u32).range(1..=36_500))]
        days: u32,
    },
    /// Make a certificate for a name: NAME.crt and NAME.key, with '/' in the name written as '-'.
    Issue {
        /// The caller's name: "crm-service", "nightly-sync", "operator/ann".
        #[arg(value_name = "NAME", value_parser = caller_name)]
        name: CallerName,
        #[command(flatten)]
        folder: Folder,
        /// A DNS name or IP address under which the holder serves. May be given several times; without it, the
        /// certificate is for calling only.
        #[arg(long = "host", value_name = "DNS_OR_IP")]
        hosts: Vec<String>,
        /// How long it holds.
        #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3_650))]
        days: u32,
        /// The trust domain of the services, as their [tls] has it.
        #[arg(long, value_name = "DOMAIN", default_value = DEFAULT_TRUST_DOMAIN)]
        trust_domain: String,
        /// Replace what is there. The certificate that was there becomes NAME.old.crt.
        #[arg(long)]
        renew: bool,
    },
    /// Revoke a certificate: writes ca.crl, for `tls.crl_file` of the services, which take it up within seconds.
    ///
    /// Without a name, the list is written anew as it is: the first one, or before it is too old.
    Revoke {
        /// Whose certificate, as it lies in the folder.
        #[arg(value_name = "NAME", value_parser = caller_name)]
        name: Option<CallerName>,
        /// Another file with the certificate, where a newer one has taken its place in the folder.
        #[arg(long, value_name = "FILE", conflicts_with = "name")]
        certificate: Option<PathBuf>,
        #[command(flatten)]
        folder: Folder,
        /// After how long there will be a newer list.
        #[arg(long, value_name = "DAYS", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3_650))]
        days: u32,
    },
}

#[derive(Args, Debug)]
struct Folder {
    /// Where the CA and its certificates lie.
    #[arg(long, value_name = "DIR", default_value = "hubkeep-certs")]
    dir: PathBuf,
}

/// Runs `certs`.
///
/// # Errors
/// If a file is there already, or cannot be written.
pub fn run(
    args: CertsArgs,
    clock: &SharedClock,
    random: &SharedRandom,
    output: &Output,
) -> Result<Exit, Error> {
    let now = clock.now();
    match args.command {
        CertsCommand::Init { folder, days } => {
            let validity = Validity::days(now, days);
            let (_, issued) = Authority::make(validity, &**random).map_err(not_made)?;
            let pair = CertsDir::at(&folder.dir).keep_authority(&issued)?;
            tell("the CA", &pair, validity.until, output)?;
            if !output.is_json() {
                let advice = "whoever has the key can be anybody: keep it where no service runs";
                output.note(&format!("{FAINT}{advice}{FAINT:#}"))?;
            }
        }
        CertsCommand::Issue {
            name,
            folder,
            hosts,
            days,
            trust_domain,
            renew,
        } => {
            let (validity, dir) = (Validity::days(now, days), CertsDir::at(&folder.dir));
            let wish = Wish {
                name,
                trust_domain,
                hosts,
                validity,
            };
            let issued = dir.open_authority()?.issue(&wish, &**random).map_err(not_made)?;
            let pair = match renew {
                true => dir.renew(&wish.name, &issued)?,
                false => dir.keep(&wish.name, &issued)?,
            };
            tell(wish.name.as_str(), &pair, validity.until, output)?;
        }
        CertsCommand::Revoke {
            name,
            certificate,
            folder,
            days,
        } => {
            let dir = CertsDir::at(&folder.dir);
            let file = certificate.or_else(|| name.map(|name| dir.of(&name).certificate));
            revoke(&dir, file.as_deref(), Validity::days(now, days), now, output)?;
        }
    }
    Ok(Exit::Done)
}

fn tell(name: &str, pair: &Pair, ends: Timestamp, output: &Output) -> Result<(), Error> {
    let ends = day_and_time(Some(&ends.into()));
    let shown = |path: &Path| path.display().to_string();
    if output.is_json() {
        return output.document(&json!({
            "name": name,
            "certificate_file": shown(&pair.certificate),
            "key_file": shown(&pair.key),
            "expires": ends,
        }));
    }
    output.line(&format!(
        "{GOOD}made{GOOD:#} {} and {} for {name}, until {ends} UTC",
        shown(&pair.certificate),
        shown(&pair.key)
    ))
}

fn revoke(
    dir: &CertsDir,
    certificate: Option<&Path>,
    validity: Validity,
    now: Timestamp,
    output: &Output,
) -> Result<(), Error> {
    let (authority, mut list) = (dir.open_authority()?, dir.open_list()?);
    if let Some(path) = certificate {
        let serial = dir.signed_here(path)?.serial().to_vec();
        if !list.revoked.iter().any(|revoked| revoked.serial == serial) {
            list.revoked.push(Revoked { serial, since: now });
        }
    }
    list.number = list.number.saturating_add(1);
    let path = dir.keep_list(&authority.revoke(&list, validity).map_err(not_made)?)?;
    let (path, count) = (path.display().to_string(), list.revoked.len());
    let due = day_and_time(Some(&validity.until.into()));
    if output.is_json() {
        return output.document(&json!({ "crl_file": path, "revoked": count, "next_due": due }));
    }
    output.line(&format!(
        "{GOOD}made{GOOD:#} {path}, which revokes {count}; a newer one is due by {due} UTC"
    ))
}

fn not_made(error: AuthorityError) -> Error {
    Error::Usage(error.to_string())
}

/// A name that may be a caller's.
pub(crate) fn caller_name(text: &str) -> Result<CallerName, String> {
    text.parse().map_err(|error: InvalidName| error.rule().to_owned())
}
