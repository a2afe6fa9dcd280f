//! Portals as a list shows them: one whose rows were altered is told of, and nothing of it is believed.

use super::Portal;

/// A portal in a list.
#[derive(Clone, Debug)]
pub enum Listed {
    /// It is what was written.
    Intact(Box<Portal>),
    /// It is not.
    Altered(Altered),
}

/// What the rows of a portal that were altered name it. Good for telling an operator where to look, and for nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Altered {
    /// What stands for its slug; empty if that is no text.
    pub client_slug: String,
    /// What stands for its id; 0 if that is no number.
    pub portal_id: i64,
}

impl Listed {
    /// What stands for its slug.
    pub fn client_slug(&self) -> &str {
        match self {
            Self::Intact(portal) => portal.client_slug.as_str(),
            Self::Altered(altered) => &altered.client_slug,
        }
    }
}
