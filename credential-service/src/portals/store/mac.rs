//! What authenticates a portal's row together with those of its credentials: every column of `portal` and of `portal_credential`, so that none
//! can be altered, moved, added or taken away by whoever can merely write to the database.

use super::row::{CredentialRow, PortalRow, Rows};

/// Marks the bytes as ours, in this layout. A column that comes later changes the layout, and so this name.
const DOMAIN: &str = "hubkeep/1/portal-rows";

impl Rows {
    /// The bytes that are authenticated: the fields in order, each after its length, so that no two portals give the
    /// same. Credentials come in the order of their ids, whatever order the database gave.
    pub(super) fn message(&self) -> Vec<u8> {
        let mut bytes = Bytes::default();
        bytes.text(DOMAIN);
        self.portal.add_to(&mut bytes);
        let mut credentials: Vec<&CredentialRow> = self.credentials.iter().collect();
        credentials.sort_by(|one, other| one.credential_id.cmp(&other.credential_id));
        bytes.length(credentials.len());
        for credential in credentials {
            credential.add_to(&mut bytes);
        }
        bytes.0
    }
}

impl PortalRow {
    fn add_to(&self, bytes: &mut Bytes) {
        // Taken apart by name: a new field must be named here too.
        let Self {
            client_slug,
            portal_id,
            account_type,
            data_hosting_location,
            time_zone,
            company_currency,
            credential_version,
            portal_generation,
            state,
            state_time,
            written_version,
            details,
            onboard_time,
            verify_time,
        } = self;
        for text in [
            client_slug,
            account_type,
            data_hosting_location,
            time_zone,
            company_currency,
            state,
        ] {
            bytes.text(text);
        }
        for number in [
            portal_id,
            credential_version,
            portal_generation,
            state_time,
            written_version,
            onboard_time,
            verify_time,
        ] {
            bytes.number(*number);
        }
        bytes.optional(details.as_deref());
    }
}

impl CredentialRow {
    fn add_to(&self, bytes: &mut Bytes) {
        let Self {
            credential_id,
            credential_name,
            credential_kind,
            scopes,
            credential_version,
            // In a table of its own, which is not authenticated: by it nothing is served, and nobody is told from another.
            app_id: _,
            token_fingerprint,
            onboard_time,
            token_time,
            verify_time,
        } = self;
        for text in [
            credential_id,
            credential_name,
            credential_kind,
            scopes,
            token_fingerprint,
        ] {
            bytes.text(text);
        }
        for number in [credential_version, onboard_time, token_time, verify_time] {
            bytes.number(*number);
        }
    }
}

#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn length(&mut self, length: usize) {
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        self.0.extend_from_slice(&length.to_be_bytes());
    }

    fn field(&mut self, field: &[u8]) {
        self.length(field.len());
        self.0.extend_from_slice(field);
    }

    fn text(&mut self, text: &str) {
        self.field(text.as_bytes());
    }

    fn number(&mut self, number: i64) {
        self.field(&number.to_be_bytes());
    }

    /// Nothing is not the same as something empty.
    fn optional(&mut self, field: Option<&[u8]>) {
        self.length(usize::from(field.is_some()));
        self.field(field.unwrap_or_default());
    }
}
