//! What a report must say by law or contract, field by field: each is filled, or a gap.

/// A field that must be filled.
pub(super) struct Field<B> {
    /// Where it stands in the report.
    pub(super) path: &'static str,
    /// Whether it says anything.
    pub(super) is_filled: fn(&B) -> bool,
    /// What to do where it does not.
    pub(super) gap: &'static str,
}

/// The fields that say nothing: where each stands, and what to do.
pub(super) fn gaps<B>(fields: &[Field<B>], body: &B) -> Vec<String> {
    let empty = fields.iter().filter(|field| !(field.is_filled)(body));
    empty
        .map(|field| format!("{}: {}", field.path, field.gap))
        .collect()
}
