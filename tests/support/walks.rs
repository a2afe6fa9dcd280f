//! Walks over all records of a type, as their reader sees them.

use hubspot_sim::{ObjectType, Simulator};
use tonic::Status;

use super::crm::Walk;

/// What a reader has of a walk.
#[derive(Debug, Default)]
pub struct Seen {
    /// The ids of the records, as they came.
    pub ids: Vec<String>,
    /// Where to go on; empty at the beginning and at the end.
    pub token: String,
    /// Messages taken.
    pub pages: usize,
    /// The calls that read the pages.
    pub call_ids: Vec<String>,
}

impl Seen {
    /// Takes one more page; `false` when there are no more.
    ///
    /// # Errors
    /// With what the walk ended with.
    pub async fn page(&mut self, walk: &mut Walk) -> Result<bool, Status> {
        let Some(page) = walk.message().await? else {
            return Ok(false);
        };
        self.ids
            .extend(page.objects.into_iter().map(|object| object.object_id));
        self.token = page.resume_token;
        self.pages += 1;
        self.call_ids
            .push(page.reply.expect("every page has its call").call_id);
        Ok(true)
    }

    /// Takes so many pages, which must be there.
    pub async fn pages(&mut self, walk: &mut Walk, count: usize) {
        for _ in 0..count {
            assert!(
                self.page(walk).await.expect("a page"),
                "it ended after {}",
                self.pages
            );
        }
    }

    /// Takes all that come, until the end of the walk.
    ///
    /// # Errors
    /// With what it ended with before that.
    pub async fn rest(&mut self, walk: &mut Walk) -> Result<(), Status> {
        while self.page(walk).await? {}
        assert_eq!(self.token, "", "complete");
        Ok(())
    }
}

/// Puts so many contacts into a portal, each with a name of this many characters; gives all ids, the portal's own
/// first.
pub fn contacts(hubspot: &Simulator, portal: u64, count: usize, length: usize) -> Vec<String> {
    let had = hubspot.record_count(portal, ObjectType::Contacts);
    let name = "x".repeat(length);
    let seeded = (had..count).map(|_| hubspot.seed(portal, ObjectType::Contacts, &[("lastname", &name)]));
    let seeded: Vec<u64> = seeded.map(|id| id.expect("seeded")).collect();
    let first = seeded.first().expect("more than there were") - had as u64;
    (first..).take(count).map(|id| id.to_string()).collect()
}
