//! What is planned for a call: all that follows from its number.

use hubkeep_proto::crm::v1::{Object, Reply};
use tonic::Status;

use crate::support::{chance::Chance, crm::Crm};

const SEED: u64 = 0x4855_424b_4545_5001;

/// Who calls.
pub(super) const CALLERS: [&str; 3] = ["sync", "reports", "agent"];

/// How a caller comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// With its own handle, for the portal that it names.
    Right,
    /// With its own handle, for another portal than it names.
    WrongPortal,
    /// With a handle of the portal that it names, which is another caller's.
    AnotherCallers,
    /// With its own handle, which it has revoked.
    Revoked,
    /// With a handle that nobody issued.
    Invented,
}

const MANNERS: [(usize, Manner); 5] = [
    (60, Manner::Right),
    (20, Manner::WrongPortal),
    (8, Manner::AnotherCallers),
    (6, Manner::Revoked),
    (6, Manner::Invented),
];

#[derive(Clone, Copy, Debug)]
enum Act {
    Get,
    List,
    Search,
    Create,
    Update,
    Archive,
    Owners,
}

/// Searches are few: each portal has five a second.
const ACTS: [(usize, Act); 7] = [
    (40, Act::Get),
    (15, Act::List),
    (2, Act::Search),
    (15, Act::Create),
    (18, Act::Update),
    (5, Act::Archive),
    (5, Act::Owners),
];

/// One call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Planned {
    number: u64,
    /// Which of [`CALLERS`].
    pub(super) caller: usize,
    /// The portal that it names.
    pub(super) named: usize,
    /// Another.
    pub(super) elsewhere: usize,
    /// How it comes.
    pub(super) manner: Manner,
    act: Act,
    contact: &'static str,
}

impl Planned {
    /// The call of this number among so many portals.
    pub(super) fn call(number: u64, portals: usize) -> Self {
        let mut chance = Chance::seeded(SEED ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let named = chance.below(portals);
        Self {
            number,
            caller: chance.below(CALLERS.len()),
            named,
            elsewhere: (named + 1 + chance.below(portals - 1)) % portals,
            manner: chance.weighted(&MANNERS),
            act: chance.weighted(&ACTS),
            contact: chance.one_of(&["101", "102", "103", "104"]),
        }
    }

    /// The id of its request, which tells its number.
    pub(super) fn request_id(&self) -> String {
        format!("{PREFIX}{:012x}", self.number)
    }

    /// The call of this request id; `None` for a request of somebody else.
    pub(super) fn of_request(id: &str, portals: usize) -> Option<Self> {
        let number = u64::from_str_radix(id.strip_prefix(PREFIX)?, 16).ok()?;
        Some(Self::call(number, portals))
    }

    /// Makes the call.
    pub(super) async fn act(&self, crm: &Crm, slug: &str) -> Result<(Reply, Vec<Object>), Status> {
        let (reply, objects) = match self.act {
            Act::Get => {
                let answer = crm.get("contacts", self.contact).await?;
                (answer.reply, Vec::from_iter(answer.object))
            }
            Act::List => {
                let answer = crm.list("contacts").await?;
                (answer.reply, answer.objects)
            }
            Act::Search => {
                let answer = crm.search("contacts", "lifecyclestage", "lead").await?;
                (answer.reply, answer.objects)
            }
            Act::Create => {
                let answer = crm
                    .create("contacts", &[("firstname", "new"), ("lastname", slug)])
                    .await?;
                (answer.reply, Vec::from_iter(answer.object))
            }
            Act::Update => {
                let answer = crm
                    .update("contacts", self.contact, &[("firstname", "other")])
                    .await?;
                (answer.reply, Vec::from_iter(answer.object))
            }
            // The same record may be archived twice: HubSpot says yes to both.
            Act::Archive => (crm.archive("contacts", "105").await?.reply, Vec::new()),
            Act::Owners => (crm.owners().await?.reply, Vec::new()),
        };
        Ok((reply.expect("every answer says where it came from"), objects))
    }
}

/// How the ids of these requests begin.
const PREFIX: &str = "15014a7e-0000-7000-8000-";
