//! Carries each call on a task of its own: when a caller hangs up, what was begun is still recorded to its end.

use super::{Call, Error, Next, Presented, Reply, Step};

/// The step. Stands first, so that nothing below can be cut off half-way.
#[derive(Debug)]
pub struct Detach;

impl Step<Call<Presented>> for Detach {
    type Out = Call<Presented>;

    async fn take(&self, call: Call<Presented>, next: &Next<Call<Presented>>) -> Result<Reply, Error> {
        let next = next.clone();
        let carried = tokio::spawn(async move { next.run(call).await });
        carried
            .await
            .unwrap_or_else(|lost| Err(Error::Lost(lost.to_string())))
    }
}
