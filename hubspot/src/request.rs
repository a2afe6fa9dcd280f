//! One call to HubSpot, before it is recorded.

use std::{collections::HashSet, sync::Arc};

use bytes::Bytes;
use http::Method;
use hubkeep_audit_log::Draft;
use hubkeep_core::{clock::Tick, secret::PortalToken};
use tokio_util::sync::CancellationToken;

use crate::{answer::Decoded, path::Path};

/// Whether a call changes anything at HubSpot. It decides what an answer that never came means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: asking again is harmless.
    Read,
    /// Something: without an answer it may or may not have happened.
    Write,
}

/// What it does to send the same call once more, if the first one was carried out after all. HubSpot has no key by which it
/// would know the second for the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// It reads again.
    Reads,
    /// It leaves the state as the first one left it: values are set to what the call says, what is gone is gone, what is
    /// associated is associated. Two things are to be known: what somebody else wrote in between is written over, and the
    /// second answer may differ from what the first one would have been (a record that was new is not new any more).
    SameState,
    /// It acts once more: it makes a second record, or it is refused for what the first one did. What came of the first is
    /// for a read to find out.
    ActsAgain,
}

/// Which of HubSpot's limits a call draws from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bucket {
    /// The app's calls in ten seconds, and the account's calls of the day.
    General,
    /// The account's searches, five a second. The answers say nothing of what is left.
    Search,
    /// Calls about associations, which have limits of their own: 100 or 150 in ten seconds, and 500,000 a day. Whether they
    /// count in [`General`](Self::General) too, HubSpot does not say.
    Associations,
}

/// By what right something is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    /// By the token of the request, as a bearer's.
    Token,
    /// By the id and the secret of our app, which stand in the form that is sent; the token of the request is what it is
    /// about.
    App,
}

/// Reads the body of a success.
pub(crate) type Decode<T> = Box<dyn Fn(&[u8]) -> Result<Decoded<T>, serde_json::Error> + Send + Sync>;

/// What can be asked of HubSpot: method, path, query, body, and how its answer reads.
///
/// Made by the modules of this crate that are named after what they ask for, such as [`objects`](crate::objects). It has no
/// `Debug`: what is sent may be personal data.
pub struct Ask<T> {
    pub(crate) repeat: Repeat,
    pub(crate) bucket: Bucket,
    pub(crate) right: Right,
    pub(crate) method: Method,
    pub(crate) path: Path,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) body: Option<Bytes>,
    pub(crate) decode: Decode<T>,
}

impl<T> Ask<T> {
    pub(crate) fn get(
        path: Path,
        decode: impl Fn(&[u8]) -> Result<Decoded<T>, serde_json::Error> + Send + Sync + 'static,
    ) -> Self {
        Self {
            repeat: Repeat::Reads,
            bucket: Bucket::General,
            right: Right::Token,
            method: Method::GET,
            path,
            query: Vec::new(),
            body: None,
            decode: Box::new(decode),
        }
    }

    /// A form of our app's. It changes nothing that asking again would not leave as it is.
    pub(crate) fn form(
        path: Path,
        form: String,
        decode: impl Fn(&[u8]) -> Result<Decoded<T>, serde_json::Error> + Send + Sync + 'static,
    ) -> Self {
        Self {
            right: Right::App,
            method: Method::POST,
            body: Some(Bytes::from(form)),
            ..Self::get(path, decode)
        }
    }

    /// Takes something away. What is gone stays gone.
    pub(crate) fn delete(
        path: Path,
        decode: impl Fn(&[u8]) -> Result<Decoded<T>, serde_json::Error> + Send + Sync + 'static,
    ) -> Self {
        Self {
            repeat: Repeat::SameState,
            method: Method::DELETE,
            ..Self::get(path, decode)
        }
    }

    pub(crate) fn with_query(mut self, query: Vec<(&'static str, String)>) -> Self {
        self.query = query;
        self
    }

    pub(crate) fn with_body(mut self, repeat: Repeat, method: Method, body: &serde_json::Value) -> Self {
        self.body = Some(Bytes::from(body.to_string()));
        self.without_body(repeat, method)
    }

    pub(crate) fn without_body(mut self, repeat: Repeat, method: Method) -> Self {
        self.repeat = repeat;
        self.method = method;
        self
    }

    pub(crate) const fn from(mut self, bucket: Bucket) -> Self {
        self.bucket = bucket;
        self
    }

    /// Whether it changes anything.
    pub const fn effect(&self) -> Effect {
        match self.repeat {
            Repeat::Reads => Effect::Read,
            Repeat::SameState | Repeat::ActsAgain => Effect::Write,
        }
    }

    /// What it does to send it once more.
    pub const fn repeat(&self) -> Repeat {
        self.repeat
    }

    /// Which limit it draws from.
    pub const fn bucket(&self) -> Bucket {
        self.bucket
    }

    /// The path, for records and logs.
    pub const fn path(&self) -> &Path {
        &self.path
    }
}

/// How long the right to make a call lasts. By default as long as anybody wants.
#[derive(Clone, Debug, Default)]
pub struct Lease {
    /// Fires when the right is taken back: then nothing is sent, and what is under way is cut off.
    pub revoked: CancellationToken,
    /// After this nothing is sent: nobody can say whether the right is still there. What was sent goes on.
    pub send_by: Option<Tick>,
}

/// Whether an answer says of everything that was asked that it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// It does.
    All,
    /// There is none, or it does not.
    NotAll,
}

/// What the log calls the records of an answer: it never holds their ids.
#[derive(Clone, Default)]
pub struct RecordRefs {
    /// The id that the draft names already.
    named: Option<String>,
    /// Ids of records that the call is about whatever HubSpot answers, though its answer names none of them.
    always: Vec<String>,
    /// Ids that HubSpot is asked for. Of an answer that says what was done, only those count that it names.
    asked: Vec<String>,
    of: Option<Arc<RefOf>>,
}

/// Gives the keyed hash of a record's id.
type RefOf = dyn Fn(&str) -> [u8; 16] + Send + Sync;

/// The most records of one answer: HubSpot gives no more on a page.
const MOST_RECORDS: usize = 200;

impl RecordRefs {
    /// By this keyed hash; `named` is the id that the draft names already.
    pub fn new(named: Option<String>, of: impl Fn(&str) -> [u8; 16] + Send + Sync + 'static) -> Self {
        Self {
            named,
            of: Some(Arc::new(of)),
            ..Self::default()
        }
    }

    /// The same, of a call that is about these records too, which no answer names: the one that a merge ends.
    #[must_use]
    pub fn with(mut self, ids: Vec<String>) -> Self {
        self.always = ids;
        self
    }

    /// The same, of a call that asks for these records. Where it is not known what became of them, its outcome names them all.
    #[must_use]
    pub fn asked(mut self, ids: Vec<String>) -> Self {
        self.asked = ids;
        self
    }

    /// The hashes of what HubSpot's answer names, one after the other, but for the one that is named already; with those that are
    /// asked for, where the answer does not say of each that it was done.
    pub(crate) fn of(&self, answered: &[String], told: Told) -> Vec<u8> {
        let Some(of) = &self.of else {
            return Vec::new();
        };
        let asked = self.asked.iter().filter(|_| told == Told::NotAll);
        let mut seen = HashSet::new();
        answered
            .iter()
            .chain(&self.always)
            .chain(asked)
            .filter(|id| self.named.as_ref() != Some(id) && seen.insert(id.as_str()))
            .take(MOST_RECORDS)
            .flat_map(|id| of(id))
            .collect()
    }
}

/// An [`Ask`], made with a portal's token, for somebody, until a deadline.
pub struct Request<'a, T> {
    /// What is asked.
    pub ask: Ask<T>,
    /// The token of the portal that is asked, or the one that is asked about.
    pub token: &'a PortalToken,
    /// The entry to be: whose log, who asks, by what right. The client adds what it sends.
    pub draft: Draft,
    /// When the answer must be there. The attempt is given up then.
    pub deadline: Tick,
    /// How long it may be made.
    pub lease: Lease,
    /// What its outcome calls the records that come back.
    pub refs: RecordRefs,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(refs: &[u8]) -> Vec<u8> {
        refs.chunks(16).filter_map(|one| one.first().copied()).collect()
    }

    fn ids(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn what_was_asked_is_named_where_nobody_says_what_became_of_it_and_each_record_once() {
        let first = |id: &str| [id.as_bytes().first().copied().unwrap_or_default(); 16];
        let refs = RecordRefs::new(Some("a".to_owned()), first).asked(ids(&["a", "b", "c"]));
        assert_eq!(named(&refs.of(&ids(&["b"]), Told::All)), b"b");
        assert_eq!(named(&refs.of(&[], Told::NotAll)), b"bc");
        assert_eq!(named(&refs.of(&ids(&["c"]), Told::NotAll)), b"cb");
        let merge = RecordRefs::new(Some("a".to_owned()), first).with(ids(&["b"]));
        assert_eq!(named(&merge.of(&ids(&["a"]), Told::All)), b"b");
        assert_eq!(named(&merge.of(&[], Told::NotAll)), b"b");
    }
}
