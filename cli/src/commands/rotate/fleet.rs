//! A fleet: the new tokens of many portals, in a CSV file.

use hubkeep_core::id::ClientSlug;
use hubkeep_proto::credential::v1::{
    ImportRotationOutcome, ImportRotationsRequest, ImportRotationsResponse,
    rotation_service_client::RotationServiceClient,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Response, Status, Streaming};
use zeroize::Zeroizing;

use crate::{
    channel::Service,
    commands::bulk::{Answered, Columns, End, Job, Rotated, RowCells, RowFault, Work, fields},
};

const SWITCHED: &str = "SWITCHED";
const UNCHANGED: &str = "UNCHANGED";

/// What holds for every row.
#[derive(Debug)]
pub(super) struct Fleet {
    /// Whether a token may lack scopes which the old one has.
    pub(super) allow_narrower_scopes: bool,
}

/// A new token.
pub(super) struct NewToken {
    client_slug: ClientSlug,
    portal_token: Zeroizing<String>,
    credential_name: String,
}

impl Work for Fleet {
    type Asked = NewToken;
    type Request = ImportRotationsRequest;
    type Answer = ImportRotationsResponse;

    const COLUMNS: Columns = Columns {
        all: &["clientSlug", "portalToken", "credentialName"],
        required: 2,
    };
    const JOB: &'static Job = &Job {
        doing: "rotating",
        ends: &[
            End {
                outcome: SWITCHED,
                key: "switched",
                words: "switched",
                always: true,
            },
            End {
                outcome: UNCHANGED,
                key: "unchanged",
                words: "unchanged",
                always: true,
            },
        ],
        rotates: true,
    };

    fn read(cells: RowCells<'_>) -> Result<NewToken, RowFault> {
        let client_slug = cells
            .text(0)
            .and_then(fields::slug)
            .map_err(|message| RowFault::new("", message))?;
        let refuse = |message: String| RowFault::new(client_slug.as_str(), message);
        let portal_token = cells.text(1).and_then(fields::token).map_err(refuse)?;
        let credential_name = cells.text(2).map_err(refuse)?;
        fields::not_a_token(credential_name, "credentialName").map_err(refuse)?;
        Ok(NewToken {
            credential_name: credential_name.to_owned(),
            portal_token,
            client_slug,
        })
    }

    fn slug(new: &NewToken) -> &ClientSlug {
        &new.client_slug
    }

    fn request(&self, row: u32, new: NewToken) -> ImportRotationsRequest {
        ImportRotationsRequest {
            row,
            client_slug: new.client_slug.to_string(),
            credential_name: new.credential_name,
            portal_token: new.portal_token.to_string(),
            allow_narrower_scopes: self.allow_narrower_scopes,
        }
    }

    async fn open(
        service: &Service,
        requests: ReceiverStream<ImportRotationsRequest>,
    ) -> Result<Response<Streaming<ImportRotationsResponse>>, Status> {
        let mut client = RotationServiceClient::new(service.connection());
        client.import_rotations(requests).await
    }

    fn answered(answer: ImportRotationsResponse) -> Answered {
        Answered {
            row: answer.row,
            end: match answer.outcome() {
                ImportRotationOutcome::Switched => Some(SWITCHED),
                ImportRotationOutcome::Unchanged => Some(UNCHANGED),
                ImportRotationOutcome::Refused | ImportRotationOutcome::Unspecified => None,
            },
            reason: answer.reason(),
            client_slug: answer.client_slug,
            portal_id: answer.portal_id,
            message: answer.message,
            rotated: Some(Rotated {
                rotation_id: answer.rotation_id,
                token_fingerprint: answer.token_fingerprint,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::bulk::Rows;

    fn read(text: &[u8]) -> Result<Vec<Result<NewToken, RowFault>>, String> {
        let rows = Rows::open(text, Fleet::COLUMNS, Fleet::read);
        let mut rows = rows.map_err(|fault| fault.to_string())?;
        let mut all = Vec::new();
        while let Some(row) = rows.next_row().map_err(|fault| fault.to_string())? {
            all.push(row.content);
        }
        Ok(all)
    }

    fn told(text: &str) -> Vec<Result<(String, String, String), String>> {
        let rows = read(text.as_bytes()).expect("a fleet").into_iter();
        let row = |new: NewToken| {
            (
                new.client_slug.to_string(),
                new.credential_name,
                new.portal_token.to_string(),
            )
        };
        rows.map(|content| content.map(row).map_err(|fault| fault.message))
            .collect()
    }

    #[test]
    fn columns_stand_in_any_order_and_the_credential_may_be_left_out() {
        let row =
            |slug: &str, name: &str, token: &str| Ok((slug.to_owned(), name.to_owned(), token.to_owned()));
        assert_eq!(
            told("\u{feff}portalToken,clientSlug\r\n\"pat-1\", acme\r\n"),
            [row("acme", "", "pat-1")]
        );
        assert_eq!(
            told("clientSlug,credentialName,portalToken\nacme,writer,pat-1\n"),
            [row("acme", "writer", "pat-1")]
        );
    }

    #[test]
    fn a_bad_row_refuses_itself_only_and_repeats_nothing_of_it() {
        let rows = told(
            "clientSlug,portalToken\npat-1,acme\n../x,pat-2\nacme\nacme,pat 3\nacme,\nacme,pat\0-4\n\"acme,pat-7\nacme,pat-5\n=1+1,pat-6\n",
        );
        assert_eq!(rows.iter().filter(|row| row.is_ok()).count(), 1);
        let faults = rows.into_iter().filter_map(Result::err);
        for fault in faults {
            assert!(!fault.contains("pat-") && !fault.contains("../x"), "{fault}");
        }
    }

    #[test]
    fn a_file_that_is_no_fleet_is_told_so_and_nothing_of_it_is_repeated() {
        let utf16: Vec<u8> = "clientSlug,portalToken\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let bad: [&[u8]; 7] = [
            b"",
            b"clientSlug,portalToken\n",
            b"acme,pat-na1-s3cret\n",
            b"clientSlug;portalToken\nacme;pat-1\n",
            b"clientSlug,portalToken,other\nacme,pat-1,x\n",
            b"clientSlug,clientSlug,portalToken\na,b,c\n",
            &utf16,
        ];
        for text in bad {
            let why = read(text).err().expect("refused");
            assert!(!why.contains("s3cret"), "{why}");
        }
    }
}
