//! What a step asks for itself on the way of a call: an attempt of that call, with entries of its own.

use std::sync::atomic::Ordering;

use super::{Call, Error, Next};
use crate::crm::{Answer, Ask};

impl<Authority: Clone + Send + 'static> Call<Authority> {
    /// Asks something the rest of the way down. The call's next attempt comes after it.
    ///
    /// # Errors
    /// As the call itself.
    pub(super) async fn ask_aside(&mut self, ask: Ask, next: &Next<Self>) -> Result<Answer, Error> {
        let mut question = self.clone();
        question.aside = true;
        // A call that was redeemed anew meanwhile has asked before.
        question.attempt = self.made_aside.load(Ordering::Acquire).saturating_add(1);
        question.ask = ask;
        let reply = next.run(question).await?;
        self.made_aside.store(reply.attempts, Ordering::Release);
        self.attempt = reply.attempts.saturating_add(1);
        Ok(reply.answer)
    }
}
