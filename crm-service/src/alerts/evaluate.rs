//! Reads the log on, and keeps what was found: one replica at a time.

use std::{
    pin::pin,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use futures::StreamExt as _;
use hubkeep_audit_log::{AuditLog, Event, Filter, Position, Tailed};
use hubkeep_core::{
    clock::{SharedClock, Tick, Timestamp},
    database::{Database, Transaction},
};
use tokio_util::sync::CancellationToken;

use super::{
    Alerts, Deps, Error, Shared,
    alert::{Alert, Change},
    deliver::{Deliveries, there_is},
    kind::Kind,
    overdue::Overdue,
    rule::{Config, Rule, Rules},
    state::{Found, State},
    store::{alerts, deliveries, evaluation, rules},
};
use crate::notify::Notify;

/// How often it is looked whether an alert is resolved, whether rules were put by other replicas, and whether the evaluation is
/// to be had.
const LOOKS_EVERY: Duration = Duration::from_secs(1);
/// How often it is kept how far the log was read, where nothing was found.
const KEEPS_EVERY: Duration = Duration::from_secs(3);
/// A replica that is lost holds the evaluation for so long.
const HOLDS_FOR: Duration = Duration::from_secs(12);
/// How often it is looked what may be forgotten.
const FORGETS_EVERY: Duration = Duration::from_secs(60 * 60);
/// Entries that are counted again at once.
const PAGE: usize = 1_000;

/// Who reads the log.
pub(super) struct Evaluator {
    config: Arc<Config>,
    shared: Arc<Shared>,
    database: Database,
    log: AuditLog,
    notify: Notify,
    holder: String,
    clock: SharedClock,
    deliveries: Deliveries,
    overdue: Overdue,
}

/// How far one evaluation has come.
struct Course {
    state: State,
    /// Everything up to here was counted.
    cursor: Position,
    /// Everything up to here is said to be counted in the table.
    kept: Position,
    /// What is known of rules that were put here.
    rules: u64,
    next_look: Tick,
    next_keep: Tick,
    next_forget: Tick,
    /// When everything up to this position is counted, everything up to this time is.
    horizon: Option<(Position, Timestamp)>,
}

impl Evaluator {
    pub(super) fn new(alerts: &Alerts, deps: Deps) -> Self {
        Self {
            config: alerts.config.clone(),
            shared: alerts.shared.clone(),
            database: deps.database.clone(),
            log: deps.log.clone(),
            notify: deps.notify.clone(),
            holder: deps.holder.clone(),
            clock: deps.clock.clone(),
            overdue: Overdue::new(&deps, alerts),
            deliveries: Deliveries::new(deps, alerts),
        }
    }

    /// Until `stop`.
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut fails = false;
        while !stop.is_cancelled() {
            match self.evaluate(&stop).await {
                Ok(()) | Err(Error::Lost) => fails = false,
                Err(error) if !fails => {
                    fails = true;
                    tracing::warn!(%error, "the log cannot be looked at for alerts: it is looked at from where that ended");
                }
                Err(_) => {}
            }
            stop.run_until_cancelled(self.clock.sleep(LOOKS_EVERY)).await;
        }
        if let Err(error) = evaluation::leave(&self.database, &self.holder).await {
            tracing::debug!(%error, "the evaluation was not given back: others have it when the lease is over");
        }
    }

    /// Takes the evaluation, if it is to be had, and keeps it until `stop` or an error.
    async fn evaluate(&self, stop: &CancellationToken) -> Result<(), Error> {
        let Some(cursor) = evaluation::take(&self.database, &self.holder, HOLDS_FOR).await? else {
            return Ok(());
        };
        // A log that was put back from a copy may end before that.
        let cursor = cursor.min(self.log.end().await?);
        let mut course = self.begin(cursor).await?;
        // Told no longer than this has the evaluation: another replica would tell the same.
        let mut telling = pin!(self.deliveries.run());
        let mut noting = pin!(self.overdue.run());
        let mut tail = pin!(self.log.tail(cursor, Kind::filter_of_all()));
        loop {
            if self.clock.tick() >= course.next_look {
                self.look(&mut course).await?;
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => return self.keep(&mut course, Vec::new()).await,
                tailed = tail.next() => match tailed {
                    None => return Ok(()),
                    Some(tailed) => self.take(&mut course, tailed?).await?,
                },
                () = self.clock.sleep_until(course.next_look) => {}
                () = &mut telling => return Ok(()),
                () = &mut noting => return Ok(()),
            }
        }
    }

    async fn begin(&self, cursor: Position) -> Result<Course, Error> {
        // Before the rules are read: what is put meanwhile is read again.
        let rules = self.shared.rules.load(Ordering::Acquire);
        let now = self.clock.tick();
        Ok(Course {
            state: self.rebuilt(cursor).await?,
            cursor,
            kept: cursor,
            rules,
            next_look: now.plus(LOOKS_EVERY),
            next_keep: now.plus(KEEPS_EVERY),
            next_forget: now,
            horizon: None,
        })
    }

    /// The windows as they were when everything up to the cursor was counted.
    async fn rebuilt(&self, cursor: Position) -> Result<State, Error> {
        let rules = Rules::new(&self.config, rules::all(&self.database).await?);
        let mut state = State::new(rules, alerts::firing(&self.database).await?);
        for kind in Kind::ALL {
            self.recount(&mut state, kind, cursor).await?;
        }
        Ok(state)
    }

    async fn recount(&self, state: &mut State, kind: Kind, cursor: Position) -> Result<(), Error> {
        if !state.rules.are_looked_at(kind) {
            return Ok(());
        }
        let Some(newest) = self.time_of(cursor).await? else {
            return Ok(());
        };
        let begin = newest.minus(state.rules.longest(kind));
        let mut after = self.log.before(begin).await?;
        while after < cursor {
            let page = self.log.list(&kind.filter(), after, PAGE).await?;
            let full = page.len() >= PAGE;
            for event in page {
                after = Position(event.position);
                if after > cursor {
                    return Ok(());
                }
                if let Some(entry) = &event.entry {
                    state.recount(kind, entry);
                }
            }
            if !full {
                return Ok(());
            }
        }
        Ok(())
    }

    /// When the entry at a position was made.
    async fn time_of(&self, position: Position) -> Result<Option<Timestamp>, Error> {
        let before = Position(position.get().saturating_sub(1));
        let found = self.log.list(&Filter::all(), before, 1).await?;
        let entry = found.into_iter().next().and_then(|event| event.entry);
        Ok(entry.and_then(|entry| entry.entry_time).map(Timestamp::from))
    }

    async fn take(&self, course: &mut Course, tailed: Tailed) -> Result<(), Error> {
        match tailed {
            Tailed::Reached(position) => course.cursor = course.cursor.max(position),
            // What is as old as that is in no window.
            Tailed::Begins(_) => {}
            Tailed::Event(event) => self.count(course, &event).await?,
        }
        self.settle(course).await
    }

    async fn count(&self, course: &mut Course, event: &Event) -> Result<(), Error> {
        let rules = self.shared.rules.load(Ordering::Acquire);
        if rules != course.rules {
            course.state = self.rebuilt(course.cursor).await?;
            course.rules = rules;
        }
        let found = course.state.count(event);
        course.cursor = Position(event.position);
        if found.is_empty() {
            return Ok(());
        }
        self.keep(course, found).await
    }

    /// What is to be done now and then.
    async fn look(&self, course: &mut Course) -> Result<(), Error> {
        let now = self.clock.tick();
        course.next_look = now.plus(LOOKS_EVERY);
        let put = Rules::new(&self.config, rules::all(&self.database).await?);
        if put != course.state.rules {
            course.state = self.rebuilt(course.cursor).await?;
        }
        if course.horizon.is_none() {
            let time = self.clock.now();
            course.horizon = Some((self.log.end().await?, time));
        }
        self.settle(course).await?;
        // Where there can be no other replica there is no lease to be held.
        if now >= course.next_keep && (self.database.is_shared() || course.cursor != course.kept) {
            self.keep(course, Vec::new()).await?;
        }
        if now >= course.next_forget {
            course.next_forget = now.plus(FORGETS_EVERY);
            let time = self.clock.now();
            alerts::forget_resolved(&self.database, time.minus(self.config.keep)).await?;
            let long_ago = time.minus(self.config.deliver_for.saturating_mul(2));
            deliveries::forget(&self.database, long_ago).await?;
        }
        Ok(())
    }

    /// Resolves what is over, when everything up to a point in time was counted.
    async fn settle(&self, course: &mut Course) -> Result<(), Error> {
        let Some((end, time)) = course.horizon.filter(|(end, _)| course.cursor >= *end) else {
            return Ok(());
        };
        course.horizon = None;
        course.cursor = course.cursor.max(end);
        let found = course.state.settle(time);
        if found.is_empty() {
            return Ok(());
        }
        self.keep(course, found).await
    }

    /// Keeps what was found and how far the log was read, both or neither, and says so.
    async fn keep(&self, course: &mut Course, found: Vec<Found>) -> Result<(), Error> {
        let mut transaction = self.database.begin().await?;
        let holder = (self.holder.as_str(), self.database.is_shared());
        let before = evaluation::advance(&mut transaction, holder, course.cursor, HOLDS_FOR).await?;
        let (mut change, mut kept) = (before, Vec::new());
        for found in found {
            change += 1;
            match found {
                Found::Fires(alert, rule) => {
                    let alert = Alert {
                        alert_id: change,
                        change,
                        ..*alert
                    };
                    alerts::insert(&mut transaction, &alert).await?;
                    self.to_be_told(&mut transaction, (&alert, Change::Fires), &rule)
                        .await?;
                    course.state.numbered(alert.clone());
                    kept.push((alert, Change::Fires));
                }
                Found::Resolved(key, at) => {
                    let Some(alert) = course.state.over(&key) else {
                        continue;
                    };
                    // Its portal may be erased.
                    if alerts::resolve(&mut transaction, alert.alert_id, change, at).await? {
                        let rule = course.state.rules.of(alert.portal_id, alert.kind);
                        self.to_be_told(&mut transaction, (&alert, Change::Resolved), rule)
                            .await?;
                        let alert = Alert {
                            resolve_time: Some(at),
                            change,
                            ..alert
                        };
                        kept.push((alert, Change::Resolved));
                    }
                }
            }
        }
        if change > before {
            evaluation::changed(&mut transaction, change).await?;
        }
        transaction.commit().await?;
        course.kept = course.cursor;
        course.next_keep = self.clock.tick().plus(KEEPS_EVERY);
        if !kept.is_empty() {
            self.say(&kept);
            self.shared.change.send_replace(change);
        }
        Ok(())
    }

    /// Those are told whom the rule names.
    async fn to_be_told(
        &self,
        transaction: &mut Transaction,
        (alert, change): (&Alert, Change),
        rule: &Rule,
    ) -> Result<(), Error> {
        let named = rule.send_to.iter().copied();
        for to in named.filter(|to| there_is(&self.notify, *to)) {
            let what = (alert.alert_id, change);
            deliveries::insert(transaction, what, to, self.clock.now()).await?;
        }
        Ok(())
    }

    fn say(&self, kept: &[(Alert, Change)]) {
        for (alert, change) in kept {
            let (alert_id, kind) = (alert.alert_id, alert.kind.name());
            let (portal_id, caller) = (alert.portal_id, alert.subject.as_str());
            metrics::counter!("hubkeep_alerts_total", "kind" => kind, "state" => change.word()).increment(1);
            match change {
                Change::Fires => {
                    tracing::warn!(
                        alert_id,
                        kind,
                        portal_id,
                        caller,
                        count = alert.count,
                        "an alert fires"
                    );
                }
                Change::Resolved => {
                    tracing::info!(alert_id, kind, portal_id, caller, "an alert is resolved");
                }
            }
        }
    }
}
