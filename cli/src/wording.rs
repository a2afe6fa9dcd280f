//! The services' words for what a caller sends, as the command line has them: nobody types `expected_portal_id`.

/// What stands before a field on a line of its own.
const OF_FIELDS: &str = "field    ";

/// Fields of requests, and what stands for them on the command line.
const TYPED: [(&str, &str); 61] = [
    ("client_slug", "the slug"),
    ("client_slugs", "--portals"),
    ("consumer_name", "the consumer's name"),
    ("credential_kind", "--kind"),
    ("credential_name", "--credential"),
    ("expected_portal_id", "--portal-id"),
    ("display_order", "--place"),
    ("field_type", "--field-type"),
    ("grant.budget.max_calls", "--max-calls"),
    ("grant.budget.max_records", "--max-records"),
    ("grant.caller", "--caller"),
    ("grant.grant_id", "the grant's id"),
    ("grant.holder", "--caller or --person"),
    ("grant.max_lifetime", "--max-lifetime"),
    ("grant.person_id", "--person"),
    ("grant.portals", "--portals, --tags or --all-portals"),
    ("grant.portals.client_slugs", "--portals"),
    ("grant.portals.tags", "--tags"),
    ("grant.scope.object_types", "--types"),
    ("grant.scope.operations", "--allow"),
    ("grant.scope.owner_ids", "--owners"),
    ("grant.scope.pipelines", "--pipelines"),
    ("grant.scope.properties", "--properties"),
    ("grant_id", "the grant's id"),
    ("group_name", "--group"),
    ("has_unique_value", "--unique"),
    ("id_property", "--id-property"),
    ("merged_object_id", "the id of the record that becomes part"),
    ("object_id", "the record's id"),
    ("object_type", "the object type"),
    ("object_types", "--types"),
    ("owner_id", "--id"),
    ("user_id", "--user"),
    ("page_size", "--page-size"),
    ("page_token", "--page-token"),
    ("person.certificate_names", "--certs"),
    ("person.oidc_subjects", "--oidc"),
    ("person.person_id", "the person's id"),
    ("person.slack_users", "--slack"),
    ("person_id", "the person's id"),
    ("pipeline_id", "the pipeline's id"),
    ("portal_token", "the token"),
    ("primary_object_id", "the id of the record that stays"),
    ("purpose_code", "--purpose"),
    ("rotation_id", "the rotation"),
    ("scope.object_types", "--types"),
    ("scope.operations", "--allow"),
    ("scope.properties", "--properties"),
    ("stage_id", "the stage's id"),
    ("stages", "--stage"),
    ("store_version", "--store-version"),
    ("target.caller", "the caller"),
    ("target.client_slug", "the slug"),
    ("target.handle_id", "the handle's id"),
    ("target.person_id", "the person"),
    ("to_object_id", "the id at the other end"),
    ("to_object_type", "the type at the other end"),
    ("to_version", "--to"),
    ("token_fingerprint", "--fingerprint"),
    ("webhook_secret", "--secret-file"),
    ("webhook_url", "--webhook"),
];

/// Fields whose names are words that sentences have too: they mean the field only where they lead one.
const LEADING: [(&str, &str); 5] = [
    ("label", "--label"),
    ("options", "--option"),
    ("send_to", "--send-to"),
    ("threshold", "--threshold"),
    ("window", "--window"),
];

/// A service's sentence in the words of the command line.
pub(crate) fn typed(text: &str) -> String {
    let text = led_by_field(text);
    in_words_of(&text, |word| {
        TYPED
            .iter()
            .find(|(field, _)| *field == word)
            .map(|(_, typed)| *typed)
    })
}

/// The same where a field stands before a colon: at the beginning, or behind the rule of the one before.
fn led_by_field(text: &str) -> String {
    let parts = text.split("; ").map(|part| {
        let (heading, part) = match part.strip_prefix(OF_FIELDS) {
            Some(rest) => (OF_FIELDS, rest),
            None => ("", part),
        };
        let found = LEADING
            .iter()
            .find_map(|(field, typed)| Some((typed, part.strip_prefix(field)?.strip_prefix(':')?)));
        match found {
            Some((typed, rule)) => format!("{heading}{typed}:{rule}"),
            None => format!("{heading}{part}"),
        }
    });
    parts.collect::<Vec<_>>().join("; ")
}

/// The same for a row of a file, whose columns have names of their own.
pub(crate) fn of_row(text: &str) -> String {
    in_words_of(text, |word| match word {
        "client_slug" => Some("clientSlug"),
        "portal_token" => Some("portalToken"),
        "expected_portal_id" => Some("portalId"),
        "credential_name" => Some("credentialName"),
        "credential_kind" => Some("credentialKind"),
        _ => None,
    })
}

/// Replaces whole words; a word is letters, digits, '_', and '.' between them.
fn in_words_of(text: &str, typed: impl Fn(&str) -> Option<&'static str>) -> String {
    let mut told = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = |in_word: bool| {
            rest.find(|char: char| is_of_word(char) != in_word)
                .unwrap_or(rest.len())
        };
        let in_word = rest.starts_with(is_of_word);
        let (part, behind) = rest.split_at(end(in_word));
        let word = part.trim_end_matches('.');
        match typed(word).filter(|_| in_word) {
            Some(typed) => {
                told.push_str(typed);
                told.push_str(part.get(word.len()..).unwrap_or_default());
            }
            None => told.push_str(part),
        }
        rest = behind;
    }
    told
}

const fn is_of_word(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '_' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_named_as_they_are_typed_and_other_words_stay() {
        for (told, typed_as) in [
            (
                "expected_portal_id is not acme's: 4100002",
                "--portal-id is not acme's: 4100002",
            ),
            ("name portals in client_slugs.", "name portals in --portals."),
            ("scope.operations: is empty", "--allow: is empty"),
            (
                "my_client_slug stays, as does reason",
                "my_client_slug stays, as does reason",
            ),
            (
                "threshold: must be at most 100,000",
                "--threshold: must be at most 100,000",
            ),
            ("window: no; send_to: no", "--window: no; --send-to: no"),
            ("field    threshold: no", "field    --threshold: no"),
            ("above the threshold: stopped", "above the threshold: stopped"),
            (
                "by another property, set id_property",
                "by another property, set --id-property",
            ),
            ("", ""),
        ] {
            assert_eq!(typed(told), typed_as);
        }
        assert_eq!(of_row("expected_portal_id: no"), "portalId: no");
    }
}
