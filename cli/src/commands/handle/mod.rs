//! `hubkeep handle`: issues, narrows, explains, ends and lists handles.

mod issue;
mod renew;
mod show;
mod words;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{revoke, shown_handle::ShownHandle};
use crate::{channel::Service, errors::Error, exit::Exit, output::Output};
use issue::{IssueArgs, NarrowArgs};
pub(super) use words::{joined, operation, operations};

/// Issue, narrow, explain, revoke and list handles.
#[derive(Args, Debug)]
pub struct HandleArgs {
    #[command(subcommand)]
    command: HandleCommand,
}

#[derive(Subcommand, Debug)]
enum HandleCommand {
    /// Issue a handle to ourselves. Standard output is the handle and nothing else.
    Issue(Box<IssueArgs>),
    Narrow(Box<NarrowArgs>),
    /// Say what a handle allows and how long it lives.
    Introspect {
        /// The handle, or '-' to read it from standard input.
        #[arg(value_name = "HANDLE|-")]
        text: Option<String>,
        #[command(flatten)]
        shown: ShownHandle,
    },
    Revoke(revoke::RevokeArgs),
    List(show::ListArgs),
    /// Let our living handles go on with the certificate that is about to replace the one we call with.
    RenewCertificate {
        /// The new certificate, as PEM.
        file: PathBuf,
    },
}

/// Runs `handle`.
///
/// # Errors
/// If the service refuses or is not reached.
pub async fn run(args: HandleArgs, service: &Service, output: &Output) -> Result<Exit, Error> {
    match args.command {
        HandleCommand::Issue(args) => issue::issue(*args, service, output).await?,
        HandleCommand::Narrow(args) => issue::narrow(*args, service, output).await?,
        HandleCommand::Introspect { text, shown } => {
            let shown = ShownHandle::or(text, shown).required()?;
            show::introspect(shown.as_str(), service, output).await?;
        }
        HandleCommand::Revoke(args) => return revoke::run(args, service, output).await,
        HandleCommand::List(args) => show::list(args, service, output).await?,
        HandleCommand::RenewCertificate { file } => renew::renew(file, service, output).await?,
    }
    Ok(Exit::Done)
}
