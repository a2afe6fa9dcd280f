//! How a call pays: it is let in, stands in line, and is served when there is room.

use std::{pin::pin, sync::Arc, time::Duration};

use hubkeep_core::{
    clock::Tick,
    id::{CallerName, CredentialName},
};
use tokio::sync::oneshot;

use super::{
    About, Error, PortalQuota, Quota, Slot,
    app::App,
    bucket::Bucket,
    class::{ByClass, Class},
    config::Config,
    crowd::Full,
    kind::Kind,
    limit::Limit,
    line::{Due, Standing, Waiter},
    paid::{Lack, Who},
    queue::Queue,
    slot::Entry,
};

/// Who pays.
#[derive(Clone, Copy, Debug)]
pub struct Payer<'a> {
    /// In whose name.
    pub caller: &'a CallerName,
    /// With the token of which app: the name of the first onboarded of its credentials; `None` if that is the portal's first.
    pub app: Option<&'a CredentialName>,
    /// What kind of app that is.
    pub kind: Kind,
    /// Whether a person is behind the call.
    pub is_person: bool,
    /// Whether it is part of much work, for which nobody waits.
    pub is_batch: bool,
    /// What the call is about.
    pub about: &'a About,
}

impl Quota {
    /// How urgent a call in this name is; whether a person is behind it, and whether it is part of much work.
    pub fn class_of(&self, caller: &CallerName, is_person: bool, is_batch: bool) -> Class {
        class(&self.config, caller, is_person, is_batch)
    }
}

fn class(config: &Config, caller: &CallerName, is_person: bool, is_batch: bool) -> Class {
    match (is_batch || config.is_for_batches(caller.as_str()), is_person) {
        (true, _) => Class::Batch,
        (false, true) => Class::Person,
        (false, false) => Class::Usual,
    }
}

impl PortalQuota {
    /// Pays for one attempt, waiting for room until `deadline`. Who waits is served as the weights of callers say, people
    /// before programs, and these before batch work. What is paid and never sent is given back when the [`Slot`] is
    /// dropped.
    ///
    /// # Errors
    /// As soon as it is clear that there will be no room before the deadline; if too many wait; if HubSpot does not answer
    /// for this portal, or moves it; or if the shares of replicas are not known. Nothing is paid then.
    pub async fn pay(&self, payer: Payer<'_>, bucket: Bucket, deadline: Tick) -> Result<Slot, Error> {
        let app = App::of(payer.app);
        let class = class(&self.0.config, payer.caller, payer.is_person, payer.is_batch);
        let entry = self.enter((payer, class), app.clone(), deadline)?;
        self.share_is_settled(deadline).await;
        if class == Class::Person {
            let now = self.now().tick;
            self.with(|budget| budget.a_person_calls(now));
        }
        let stand = |limit| self.stand((payer, class), limit, deadline, &entry);
        let burst = Limit::Burst(app.clone());
        let first = Limit::of(bucket, &app).unwrap_or_else(|| burst.clone());
        let (due, before) = match self.with(|budget| budget.is_last(&first, payer.kind)) {
            true => (stand(first).await?, None),
            false => {
                let (due, before) = self.pay_twice(class, [first, burst], stand).await?;
                (due, Some(before))
            }
        };
        Slot::new(entry, due, before)
    }

    /// Pays for a search, and for whatever else counts against two limits. It waits for its own limit in a line of its own, so that
    /// other calls do not wait behind it, and then as any call does. Meanwhile it has one of the few places of its own: where somebody
    /// more urgent wants one, it gives that up, and looks for another when it has paid the rest.
    async fn pay_twice<Standing>(
        &self,
        class: Class,
        [own, burst]: [Limit; 2],
        stand: impl Fn(Limit) -> Standing,
    ) -> Result<(Due, Due), Error>
    where
        Standing: Future<Output = Result<Due, Error>>,
    {
        let mut before = Some(stand(own.clone()).await?);
        let mut paying = pin!(stand(burst));
        let due = loop {
            let mut heard = pin!(self.0.heard.notified());
            heard.as_mut().enable();
            if before.is_some() && self.is_outranked(class, &own) {
                drop(before.take());
                self.serve(&own);
            }
            tokio::select! {
                biased;
                due = &mut paying => break due?,
                () = heard => {}
            }
        };
        let before = match before {
            Some(before) => before,
            None => stand(own).await?,
        };
        Ok((due, before))
    }

    /// Whether somebody more urgent than this class waits in a line.
    fn is_outranked(&self, class: Class, limit: &Limit) -> bool {
        let line = self.line(limit);
        let queue = line.queue();
        let mut higher = Class::ALL.into_iter().take_while(|other| *other != class);
        higher.any(|other| queue.first(other).is_some())
    }

    fn enter(&self, (payer, class): (Payer<'_>, Class), app: App, deadline: Tick) -> Result<Entry, Error> {
        let inside = self.0.crowd.enter(&Arc::from(payer.caller.as_str()), class);
        let inside = inside.map_err(|Full { setting, limit }| Error::TooMany {
            portal: self.0.portal.portal_id(),
            setting,
            limit,
        })?;
        let pass = self.let_in(payer.about, deadline)?;
        Ok(Entry::new(self.clone(), (app, payer.kind), pass, inside))
    }

    /// A share that is over may be renewed any moment: that is waited for.
    async fn share_is_settled(&self, deadline: Tick) {
        let Some(sharing) = self.0.sharing.as_ref().filter(|_| self.send_by().is_err()) else {
            return;
        };
        sharing.wanted.notify_one();
        tokio::select! {
            () = sharing.lease.settled(&*self.0.clock) => {}
            () = self.0.clock.sleep_until(deadline) => {}
        }
    }

    /// Stands in the line of a limit until something is paid.
    async fn stand(
        &self,
        (payer, class): (Payer<'_>, Class),
        limit: Limit,
        deadline: Tick,
        entry: &Entry,
    ) -> Result<Due, Error> {
        let (limit, line) = (&limit, self.line(&limit));
        let caller = Arc::<str>::from(payer.caller.as_str());
        let weight = self.0.config.weight_of(&caller);
        let (reply, mut served) = oneshot::channel();
        let standing = {
            let mut queue = line.queue();
            let now = self.now();
            self.send_by()?;
            let who = Who {
                kind: payer.kind,
                is_person: class == Class::Person,
            };
            if queue.is_empty()
                && let Ok(paid) = self.with(|budget| budget.take(limit, who, now))
            {
                queue.serve_at_once(class, &caller, weight);
                self.has_served(limit, class, caller);
                return Ok(self.due(paid));
            }
            let ahead = queue.ahead(class, &caller);
            let lack = self.with(|budget| budget.lack(limit, ahead, who, now));
            if let Some(lack) = lack.filter(|lack| now.tick.plus(lack.wait) > deadline) {
                return Err(self.refusal(lack));
            }
            let waiter = Waiter {
                caller: caller.clone(),
                app: entry.app.clone(),
                kind: entry.kind,
                deadline,
                pass: entry.pass.clone(),
                reply,
            };
            let ticket = queue.join(class, caller, weight, waiter);
            Standing { line: &line, ticket }
        };
        self.wants_more(limit);
        if !self.with(|budget| budget.is_last(limit, payer.kind)) {
            // Who is less urgent, and has a place, may give it up.
            self.0.heard.notify_waiters();
        }
        // Others may be waiting for what this one need not wait for.
        self.serve(limit);
        let answer = tokio::select! {
            biased;
            answer = &mut served => answer.ok(),
            () = self.look(limit) => None,
            () = self.0.clock.sleep_until(deadline) => None,
        };
        drop(standing);
        // It may have been served at the last moment.
        match answer.or_else(|| served.try_recv().ok()) {
            Some(answer) => answer,
            // No share came about: the database is silent. Where it is not, others have all places for now.
            None if self.has_no_places(limit) && self.send_by().is_err() => Err(self.lease_lost()),
            None => {
                let none = Lack {
                    bucket: limit.bucket(),
                    wait: Duration::ZERO,
                };
                let lack = self.lack(
                    limit,
                    Who {
                        kind: payer.kind,
                        is_person: class == Class::Person,
                    },
                );
                Err(self.refusal(lack.unwrap_or(none)))
            }
        }
    }

    /// Looks for room for all who stand in a line, when it is this one's turn to look. Does not end.
    async fn look(&self, limit: &Limit) {
        let line = self.line(limit);
        let _looks = line.looks.lock().await;
        loop {
            let mut heard = pin!(self.0.heard.notified());
            heard.as_mut().enable();
            let wait = self.serve(limit);
            let again = async {
                match wait {
                    Some(wait) => self.0.clock.sleep(wait).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = again => {}
                () = heard => {}
            }
        }
    }

    /// Serves all for whom there is room, refuses those for whom there will be none in time, and says when to look again.
    fn serve(&self, limit: &Limit) -> Option<Duration> {
        let line = self.line(limit);
        let mut queue = line.queue();
        loop {
            let now = self.now().tick;
            let Ok(send_by) = self.send_by() else {
                if self.cannot_be_renewed() {
                    self.refuse_all(&mut queue);
                }
                return None;
            };
            let lacks = ByClass::new(|class| self.lack_of_first(limit, &queue, class));
            let has_room = |class| lacks.of(class).is_none();
            let turn = queue.turn(has_room);
            let first = turn.and_then(|class| Some((class, queue.first(class)?.who(class))));
            let Some((class, who)) = first else {
                let wait = self.refuse_the_late(&mut queue, limit);
                // Behind those who are refused for the day somebody may stand whose calls do not count in it.
                if self.has_room_for_a_first(limit, &queue) {
                    continue;
                }
                let lease = send_by.map(|until| until.since(now));
                return wait.map(|wait| lease.map_or(wait, |lease| wait.min(lease)));
            };
            // Another line may have been quicker: then it is looked at again.
            let now = self.now();
            let Ok(paid) = self.with(|budget| budget.take(limit, who, now)) else {
                continue;
            };
            let due = self.due(paid);
            if let Some(waiter) = queue.serve(class, has_room) {
                self.has_served(limit, class, waiter.caller.clone());
                // What nobody takes is given back.
                let _ = waiter.reply.send(self.may_go_on(&waiter.pass).map(|()| due));
            }
        }
    }

    fn lack(&self, limit: &Limit, who: Who) -> Option<Lack> {
        let now = self.now();
        self.with(|budget| budget.lack(limit, 0, who, now))
    }

    /// What the first of a class lacks; `None` also where nobody waits in it.
    fn lack_of_first(&self, limit: &Limit, queue: &Queue<Waiter>, class: Class) -> Option<Lack> {
        let who = queue.first(class)?.who(class);
        self.lack(limit, who)
    }

    fn has_room_for_a_first(&self, limit: &Limit, queue: &Queue<Waiter>) -> bool {
        let has_room = |class: Class| {
            let first = queue.first(class);
            first.is_some_and(|first| self.lack(limit, first.who(class)).is_none())
        };
        Class::ALL.into_iter().any(has_room)
    }

    /// Whether the share is over, and there will be no other soon.
    fn cannot_be_renewed(&self) -> bool {
        let sharing = self.0.sharing.as_ref();
        sharing.is_some_and(|sharing| sharing.lease.has_failed())
    }

    /// What there is to take is not known any more.
    fn refuse_all(&self, queue: &mut Queue<Waiter>) {
        for class in Class::ALL {
            while let Some(waiter) = queue.refuse(class) {
                // Whoever is gone needs no answer.
                let _ = waiter.reply.send(Err(self.lease_lost()));
            }
        }
    }

    /// Refuses the first of each class as long as there will be no room for it in time. Says when there may be room for one
    /// of those who stay.
    fn refuse_the_late(&self, queue: &mut Queue<Waiter>, limit: &Limit) -> Option<Duration> {
        let now = self.now().tick;
        let mut waits = Vec::new();
        for class in Class::ALL {
            while let Some(lack) = self.lack_of_first(limit, queue, class)
                && let Some(first) = queue.first(class)
            {
                let broken = self.may_go_on(&first.pass).err();
                let late = now.plus(lack.wait) > first.deadline;
                let Some(error) = broken.or_else(|| late.then(|| self.refusal(lack))) else {
                    waits.push(lack.wait);
                    break;
                };
                if let Some(waiter) = queue.refuse(class) {
                    let _ = waiter.reply.send(Err(error));
                }
            }
        }
        waits.into_iter().min()
    }

    /// Tells whoever renews the shares that there are none where there should be.
    fn wants_more(&self, limit: &Limit) {
        if let Some(sharing) = &self.0.sharing
            && self.has_no_places(limit)
        {
            sharing.wanted.notify_one();
        }
    }

    fn has_no_places(&self, limit: &Limit) -> bool {
        self.with(|budget| budget.paced(limit).window.most() == 0)
    }
}
