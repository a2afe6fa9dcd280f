//! What is sent for a row, and what its answer says.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use hubkeep_core::id::ClientSlug;
use hubkeep_proto::credential::v1::{
    CredentialKind, GetPortalRequest, ImportOutcome, ImportPortalsRequest, ImportPortalsResponse,
    PortalDetails, portal_service_client::PortalServiceClient,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Response, Status, Streaming};

use super::{client::Client, columns::COLUMNS};
use crate::{
    channel::Service,
    commands::bulk::{Answered, Columns, End, Job, Report, RowCells, RowFault, Work},
};

const ONBOARDED: &str = "ONBOARDED";
const UNCHANGED: &str = "UNCHANGED";
const WOULD_ONBOARD: &str = "WOULD_ONBOARD";

/// What holds for every row.
#[derive(Debug)]
pub(super) struct Import {
    /// What sort of credential a token is whose row does not say.
    pub(super) kind: CredentialKind,
    /// What is known of clients beside their rows.
    pub(super) details: BTreeMap<ClientSlug, PortalDetails>,
    /// Whether nothing shall be stored.
    pub(super) dry_run: bool,
    /// What is known of the clients of rows that have no answer yet.
    said: Mutex<BTreeMap<u32, PortalDetails>>,
}

impl Import {
    /// With nothing known beside the rows, and to be stored.
    pub(super) const fn new(kind: CredentialKind) -> Self {
        Self {
            kind,
            details: BTreeMap::new(),
            dry_run: false,
            said: Mutex::new(BTreeMap::new()),
        }
    }
}

impl Work for Import {
    type Asked = Client;
    type Request = ImportPortalsRequest;
    type Answer = ImportPortalsResponse;

    const COLUMNS: Columns = COLUMNS;
    const JOB: &'static Job = &Job {
        doing: "importing",
        ends: &[
            End {
                outcome: ONBOARDED,
                key: "onboarded",
                words: "onboarded",
                always: true,
            },
            End {
                outcome: UNCHANGED,
                key: "unchanged",
                words: "unchanged",
                always: true,
            },
            End {
                outcome: WOULD_ONBOARD,
                key: "would_onboard",
                words: "would be onboarded (nothing is stored)",
                always: false,
            },
        ],
        rotates: false,
    };

    fn read(cells: RowCells<'_>) -> Result<Client, RowFault> {
        Client::read(cells)
    }

    fn slug(client: &Client) -> &ClientSlug {
        &client.client_slug
    }

    fn request(&self, row: u32, client: Client) -> ImportPortalsRequest {
        let details = self.details_of(&client);
        if let Some(details) = &details {
            self.said().insert(row, details.clone());
        }
        ImportPortalsRequest {
            row,
            details,
            client_slug: client.client_slug.to_string(),
            portal_token: client.portal_token.to_string(),
            expected_portal_id: client.portal_id.map_or(0, |id| id.get()),
            credential_kind: client.kind.unwrap_or(self.kind).into(),
            credential_name: client.credential_name,
            validate_only: self.dry_run,
        }
    }

    async fn open(
        service: &Service,
        requests: ReceiverStream<ImportPortalsRequest>,
    ) -> Result<Response<Streaming<ImportPortalsResponse>>, Status> {
        let mut client = PortalServiceClient::new(service.connection());
        client.import_portals(requests).await
    }

    fn answered(answer: ImportPortalsResponse) -> Answered {
        Answered {
            row: answer.row,
            end: match answer.outcome() {
                ImportOutcome::Onboarded => Some(ONBOARDED),
                ImportOutcome::Unchanged => Some(UNCHANGED),
                ImportOutcome::WouldOnboard => Some(WOULD_ONBOARD),
                ImportOutcome::Refused | ImportOutcome::Unspecified => None,
            },
            reason: answer.reason(),
            client_slug: answer.client_slug,
            portal_id: answer.portal_id,
            message: answer.message,
            rotated: None,
        }
    }

    /// An import never changes what is known of a client that is there: a row that says something else is told so.
    async fn looked_into(&self, service: &Service, mut answer: Answered) -> Answered {
        let said = self.said().remove(&answer.row);
        let Some(said) = said.filter(|_| answer.end == Some(UNCHANGED)) else {
            return answer;
        };
        let request = GetPortalRequest {
            client_slug: answer.client_slug.clone(),
        };
        let known = PortalServiceClient::new(service.connection())
            .get_portal(request)
            .await;
        // What cannot be asked is not told: the row itself is as it should be.
        if let Some(portal) = known.ok().and_then(|known| known.into_inner().portal) {
            let differing = differing(&said, &portal.details.unwrap_or_default());
            if !differing.is_empty() {
                answer.message = format!(
                    "what is known of it differs ({}) and stays as it is: hubkeep portals update {} --details FILE \
                     replaces it",
                    differing.join(", "),
                    answer.client_slug
                );
            }
        }
        answer
    }

    fn left_over(&self, report: &Report) -> Vec<String> {
        let named: BTreeSet<&str> = report.rows().map(|row| row.client_slug.as_str()).collect();
        let slugs = self.details.keys().map(ClientSlug::as_str);
        slugs
            .filter(|slug| !named.contains(slug))
            .map(str::to_owned)
            .collect()
    }
}

/// The columns in which a row says something else than is known. What it leaves out does not differ.
fn differing(said: &PortalDetails, known: &PortalDetails) -> Vec<&'static str> {
    let text = |said: &String, known: &String| !said.is_empty() && said != known;
    let list = |said: &Vec<String>, known: &Vec<String>| !said.is_empty() && said != known;
    let columns = [
        (
            "controllerName",
            text(&said.controller_name, &known.controller_name),
        ),
        (
            "controllerContact",
            text(&said.controller_contact, &known.controller_contact),
        ),
        ("dpaReference", text(&said.dpa_reference, &known.dpa_reference)),
        ("purposes", list(&said.purposes, &known.purposes)),
        ("region", text(&said.region, &known.region)),
        ("tags", list(&said.tags, &known.tags)),
    ];
    let differing = columns.into_iter().filter(|(_, differs)| *differs);
    differing.map(|(column, _)| column).collect()
}

impl Import {
    fn said(&self) -> MutexGuard<'_, BTreeMap<u32, PortalDetails>> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Field by field: a row's own words come before the file's.
    fn details_of(&self, client: &Client) -> Option<PortalDetails> {
        let of_file = self.details.get(&client.client_slug);
        let (Some(row), Some(file)) = (&client.details, of_file) else {
            return client.details.clone().or_else(|| of_file.cloned());
        };
        let text = |row: &String, file: &String| if row.is_empty() { file } else { row }.clone();
        let list = |row: &Vec<String>, file: &Vec<String>| if row.is_empty() { file } else { row }.clone();
        Some(PortalDetails {
            controller_name: text(&row.controller_name, &file.controller_name),
            controller_contact: text(&row.controller_contact, &file.controller_contact),
            dpa_reference: text(&row.dpa_reference, &file.dpa_reference),
            purposes: list(&row.purposes, &file.purposes),
            region: text(&row.region, &file.region),
            tags: list(&row.tags, &file.tags),
            // A row has no columns for these.
            ..file.clone()
        })
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    fn details(controller_name: &str, region: &str, tags: &[&str]) -> PortalDetails {
        PortalDetails {
            controller_name: controller_name.to_owned(),
            region: region.to_owned(),
            tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
            ..PortalDetails::default()
        }
    }

    fn sent(of_file: Option<PortalDetails>, of_row: Option<PortalDetails>) -> Option<PortalDetails> {
        let slug: ClientSlug = "acme".parse().expect("a slug");
        let import = Import {
            details: of_file
                .map(|details| (slug.clone(), details))
                .into_iter()
                .collect(),
            ..Import::new(CredentialKind::Unspecified)
        };
        let client = Client {
            client_slug: slug,
            portal_token: Zeroizing::new("t".to_owned()),
            portal_id: None,
            credential_name: String::new(),
            kind: None,
            details: of_row,
        };
        import.request(1, client).details
    }

    #[test]
    fn a_cell_of_the_row_comes_before_the_file_and_what_the_row_leaves_out_comes_from_the_file() {
        let (file, row) = (details("File", "DE", &["a"]), details("", "US", &["b", "c"]));
        assert_eq!(
            sent(Some(file.clone()), Some(row.clone())),
            Some(details("File", "US", &["b", "c"]))
        );
        assert_eq!(sent(Some(file.clone()), None), Some(file));
        assert_eq!(sent(None, Some(row.clone())), Some(row));
        assert_eq!(sent(None, None), None);
    }

    #[test]
    fn a_row_differs_from_what_is_known_only_where_it_says_something_else() {
        let known = details("ACME", "DE", &["gold"]);
        assert!(differing(&details("ACME", "", &[]), &known).is_empty());
        assert_eq!(
            differing(&details("ACME", "US", &["gold", "new"]), &known),
            ["region", "tags"]
        );
    }
}
