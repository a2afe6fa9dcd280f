//! Writes of every kind, each about something that no other is about, so that its requests are found among all that HubSpot received.

use std::sync::OnceLock;

use hubkeep_proto::crm::v1::AssociationLabel;
use hubkeep_tests::{Crm, Hubkeep, ObjectType};
use tonic::Status;

use super::A;

const TYPES: (&str, &str) = ("contacts", "companies");
/// A label that the portal has.
static LABEL: OnceLock<u32> = OnceLock::new();

/// A kind of write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    CreateContact,
    Update,
    CreateCompany,
    CreateMany,
    UpdateMany,
    Upsert,
    Archive,
    Merge,
    Erase,
    Associate,
    Label,
    LabelMany,
    Unlabel,
    Dissociate,
    CreateProperty,
}

/// Every kind.
pub const KINDS: [Kind; 15] = [
    Kind::CreateContact,
    Kind::Update,
    Kind::CreateCompany,
    Kind::CreateMany,
    Kind::UpdateMany,
    Kind::Upsert,
    Kind::Archive,
    Kind::Merge,
    Kind::Erase,
    Kind::Associate,
    Kind::Label,
    Kind::LabelMany,
    Kind::Unlabel,
    Kind::Dissociate,
    Kind::CreateProperty,
];

/// A write that somebody wants made.
#[derive(Clone, Debug)]
pub struct Errand {
    pub number: u64,
    pub kind: Kind,
    /// Whether it has a request id.
    pub is_named: bool,
    /// Values that it writes, and no other.
    mark: String,
    /// Records that no other is about.
    contact: u64,
    companies: [u64; 2],
    label: u32,
}

impl Errand {
    /// Puts into the portal what it is about.
    pub fn new(hubkeep: &Hubkeep, kind: Kind, number: u64) -> Self {
        let (hubspot, portal) = (&hubkeep.hubspot, hubkeep.portal_id(A));
        let mark = format!("write{number:06}");
        let email = match kind {
            Kind::Erase => format!("{mark}@example.com"),
            _ => format!("contact-of-{number}@example.com"),
        };
        let contact = hubspot.seed(portal, ObjectType::Contacts, &[("email", &email)]);
        let company = || {
            let seeded = hubspot.seed(portal, ObjectType::Companies, &[("name", "One of many")]);
            seeded.expect("seeded")
        };
        let (contact, companies) = (contact.expect("seeded"), [company(), company()]);
        let sides = (ObjectType::Contacts, ObjectType::Companies);
        let label = *LABEL.get_or_init(|| {
            let defined = hubspot.define_label(portal, sides, "Advisor");
            defined.expect("defined")
        });
        if matches!(kind, Kind::Unlabel | Kind::Dissociate) {
            let (from, to) = ((sides.0, contact), (sides.1, companies[0]));
            hubspot
                .associate(portal, from, to, &[], &[label])
                .expect("associated");
        }
        Self {
            number,
            kind,
            is_named: true,
            mark,
            contact,
            companies,
            label,
        }
    }

    /// The same without a request id.
    pub fn unnamed(self) -> Self {
        Self {
            is_named: false,
            ..self
        }
    }

    /// Whether this is of one of its requests: it has in it what no other has.
    pub fn is_in(&self, text: &str) -> bool {
        let companies = self.companies.map(|company| company.to_string());
        let about = companies.iter().chain([&self.mark]);
        about.into_iter().any(|word| has_number(text, word))
    }

    /// Makes it.
    pub async fn make(&self, crm: &Crm) -> Result<(), Status> {
        let mark = self.mark.as_str();
        let address = |name: &str| format!("{mark}{name}@example.com");
        let companies = self.companies.map(|company| company.to_string());
        let [one, other] = companies.each_ref().map(String::as_str);
        let contact = self.contact.to_string();
        let pair = ((TYPES.0, contact.as_str()), (TYPES.1, one));
        let labels = || {
            vec![AssociationLabel {
                type_id: self.label,
                category: "USER_DEFINED".to_owned(),
                label: String::new(),
            }]
        };
        match self.kind {
            Kind::CreateContact => drop(crm.create("contacts", &[("email", &address(""))]).await?),
            Kind::Update => drop(crm.update("contacts", "101", &[("firstname", mark)]).await?),
            Kind::CreateCompany => drop(crm.create("companies", &[("name", mark)]).await?),
            Kind::CreateMany => {
                let (one, other) = (address("a"), address("b"));
                let inputs = [vec![("email", one.as_str())], vec![("email", other.as_str())]];
                drop(crm.create_many("contacts", &inputs).await?);
            }
            Kind::UpdateMany => {
                let inputs = [
                    ("102", vec![("firstname", mark)]),
                    ("103", vec![("lastname", mark)]),
                ];
                drop(crm.update_many("contacts", &inputs).await?);
            }
            Kind::Upsert => {
                let (email, values) = (address(""), vec![("firstname", mark)]);
                drop(crm.upsert("contacts", "email", &[(&email, values)]).await?);
            }
            Kind::Archive => drop(crm.archive("companies", one).await?),
            Kind::Merge => drop(crm.merge("companies", one, other).await?),
            Kind::Erase => drop(crm.erase(&address(""), "email").await?),
            Kind::Associate => drop(crm.associate(pair, Vec::new()).await?),
            Kind::Label => drop(crm.associate(pair, labels()).await?),
            Kind::LabelMany => {
                let pairs = [
                    (contact.as_str(), one, labels()),
                    (contact.as_str(), other, labels()),
                ];
                drop(crm.associate_many(TYPES, &pairs).await?);
            }
            Kind::Unlabel => drop(crm.unlabel_many(TYPES, &[(&contact, one, labels())]).await?),
            Kind::Dissociate => drop(crm.dissociate(pair).await?),
            Kind::CreateProperty => drop(crm.create_property("contacts", mark).await?),
        }
        Ok(())
    }
}

/// Whether a word that ends in a number is in it, and not as a part of a longer number.
fn has_number(text: &str, word: &str) -> bool {
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    let bytes = text.as_bytes();
    text.match_indices(word).any(|(at, _)| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        !is_digit(before) && !is_digit(bytes.get(at + word.len()))
    })
}
