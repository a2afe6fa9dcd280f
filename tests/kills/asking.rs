//! Who asks for a write until it is known what became of it.

use std::{sync::Arc, time::Duration};

use hubkeep_tests::{
    Allow, Crm, Handle, Hubkeep, Refused,
    support::{crm_process::channel, handles::EVERYTHING, writes::write_id},
};
use tonic::Status;
use tonic_types::StatusExt as _;

use super::{A, errands::Errand, pause};

/// What a caller allows for one request.
const PATIENCE: Duration = Duration::from_secs(8);
/// Before it asks again.
const PAUSE: Duration = Duration::from_millis(30);
/// So often a caller is told that nobody knows before it believes that nobody ever will.
const TOLD_UNKNOWN: usize = 3;

/// What a caller knows of a write in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// It was made.
    Done,
    /// Nobody can say.
    Unknown,
    /// It had no request id, and its answer did not come: its caller can ask nobody.
    Unanswered,
}

/// A caller.
pub struct Asking {
    hubkeep: Arc<Hubkeep>,
    handle: Handle,
}

impl Asking {
    /// With a handle of its own.
    pub async fn new(hubkeep: Arc<Hubkeep>) -> Self {
        let handle = handle(&hubkeep).await;
        Self { hubkeep, handle }
    }

    fn crm(&self, address: &str, errand: &Errand) -> Crm {
        let crm = Crm::of(channel(address), &self.handle.caller)
            .with(&self.handle)
            .within(PATIENCE);
        match errand.is_named {
            true => crm.under(&write_id(errand.number)),
            false => crm,
        }
    }

    /// Asks once, and once more where the handle has ended.
    pub async fn once(&mut self, address: &str, errand: &Errand) -> Result<(), Status> {
        match errand.make(&self.crm(address, errand)).await {
            Err(status) if told_reason(&status) == "HANDLE_INVALID" => {
                self.handle = handle(&self.hubkeep).await;
                errand.make(&self.crm(address, errand)).await
            }
            asked => asked,
        }
    }

    /// Asks until it is known, or once where it has no request id; each time at the address that is told then.
    pub async fn until_known(&mut self, errand: &Errand, mut address: impl FnMut() -> String) -> Known {
        let mut unknown = 0;
        loop {
            match self.once(&address(), errand).await {
                Ok(()) => return Known::Done,
                Err(_) if !errand.is_named => return Known::Unanswered,
                Err(status) => match told_reason(&status).as_str() {
                    "WRITE_ANSWER_LOST" => return Known::Done,
                    "OUTCOME_UNKNOWN" if unknown >= TOLD_UNKNOWN => return Known::Unknown,
                    "OUTCOME_UNKNOWN" => unknown += 1,
                    _ if is_passing(&status) => {}
                    reason => panic!("{errand:?} was refused: {reason} {status:?}"),
                },
            }
            pause(PAUSE).await;
        }
    }
}

/// One that allows everything.
async fn handle(hubkeep: &Hubkeep) -> Handle {
    let everything = EVERYTHING.into_iter().chain([Allow::WriteSchema]);
    hubkeep.handle(A).allow(everything).issue().await
}

/// The reason of a refusal; empty where the connection broke.
pub fn told_reason(status: &Status) -> String {
    match status.get_error_details().error_info() {
        Some(_) => Refused::of(status).reason,
        None => String::new(),
    }
}

/// Whether it is right to ask again. Where the connection broke, nothing is known, and the request id makes it safe.
fn is_passing(status: &Status) -> bool {
    match status.get_error_details().error_info() {
        Some(_) => Refused::of(status).retry_after.is_some() || told_reason(status) == "DEADLINE_TOO_SHORT",
        None => true,
    }
}
