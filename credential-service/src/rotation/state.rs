//! Where a rotation stands, and what may happen to it then. Knows no time, no database and no HubSpot.

use std::fmt;

/// What HubSpot said of a token when it was last asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Token {
    /// It was not asked, or gave no answer.
    #[default]
    Unknown,
    /// It accepts it.
    Accepted,
    /// It refused it, once: it is asked again before that is believed of a token that is not in force.
    RefusedOnce,
    /// It refuses it.
    Refused,
}

impl Token {
    /// What is known of the token in force after an answer: none changes nothing.
    const fn told(self, now: Self) -> Self {
        match now {
            Self::Unknown => self,
            told => told,
        }
    }

    /// The same of a token that is not in force any more: what HubSpot refuses twice running is dead for good.
    const fn told_of_retired(self, now: Self) -> Self {
        match (self, now) {
            (Self::Refused, _) | (Self::RefusedOnce, Self::Refused) => Self::Refused,
            (_, Self::Refused) => Self::RefusedOnce,
            (known, Self::Unknown) => known,
            (_, told) => told,
        }
    }
}

/// What was decided about a rotation here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The new token is in force.
    InForce,
    /// The old token was put back in force.
    RolledBack,
    /// A later rotation of the same credential took its place.
    Superseded,
    /// An operator ended it.
    Closed,
}

/// Where a rotation stands, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// HubSpot refuses the token in force.
    NewTokenRefused,
    /// The new token is in force, and the old one is not known to be refused.
    OldTokenAlive,
    /// The old token is refused, and consumers have not acknowledged the new one.
    ConsumersBehind,
    /// The old token is refused, and every consumer runs on the new one, or an operator has dropped it.
    Done,
    /// The old token is in force again, and consumers have not acknowledged that.
    RollingBack,
    /// The old token is in force again, and every consumer runs on it; or a later rotation took its place since.
    RolledBack,
    /// A later rotation took its place.
    Superseded,
    /// An operator ended it.
    Closed,
}

/// What is known of a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// What was decided.
    pub standing: Standing,
    /// What HubSpot said of the old token.
    pub old: Token,
    /// What HubSpot said of the new token.
    pub new: Token,
    /// Consumers that have not acknowledged the token in force.
    pub open_tasks: u32,
}

/// Something that happens to a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// HubSpot was asked about both tokens.
    Probed {
        /// What it said of the old one: accepted, refused, or nothing.
        old: Token,
        /// What it said of the new one, likewise.
        new: Token,
    },
    /// The old token is put back in force, for so many consumers.
    RollBack {
        /// How many get their task anew.
        consumers: u32,
    },
    /// A later rotation takes its place; its open tasks end.
    Supersede,
    /// An operator ends it, and drops its open tasks.
    Close,
}

impl Known {
    /// Where it stands.
    pub const fn state(self) -> State {
        match self.standing {
            Standing::Superseded => State::Superseded,
            Standing::Closed => State::Closed,
            Standing::RolledBack if self.open_tasks > 0 => State::RollingBack,
            Standing::RolledBack => State::RolledBack,
            Standing::InForce => match (self.old, self.new) {
                (_, Token::Refused) => State::NewTokenRefused,
                (Token::Unknown | Token::Accepted | Token::RefusedOnce, _) => State::OldTokenAlive,
                (Token::Refused, _) if self.open_tasks > 0 => State::ConsumersBehind,
                (Token::Refused, _) => State::Done,
            },
        }
    }

    /// What HubSpot said of the token that it took out of force. Once refused, that is dead.
    pub const fn retired(self) -> Token {
        match self.standing {
            Standing::RolledBack => self.new,
            Standing::InForce | Standing::Superseded | Standing::Closed => self.old,
        }
    }

    /// Whether HubSpot is still to be asked about its tokens: until it refuses the one that is not in force any more,
    /// and for as long as it refuses the one that is.
    pub const fn is_probed(self) -> bool {
        let in_force_refused = matches!((self.standing, self.new), (Standing::InForce, Token::Refused));
        in_force_refused || !matches!(self.retired(), Token::Refused)
    }

    /// What is known after a step.
    ///
    /// # Errors
    /// With the state, where that does not allow it.
    pub const fn after(self, step: Step) -> Result<Self, State> {
        match (step, self.state()) {
            (Step::Probed { old, new }, _) => Ok(match self.standing {
                Standing::RolledBack => Self {
                    old: self.old.told(old),
                    new: self.new.told_of_retired(new),
                    ..self
                },
                Standing::InForce | Standing::Superseded | Standing::Closed => Self {
                    old: self.old.told_of_retired(old),
                    new: self.new.told(new),
                    ..self
                },
            }),
            (Step::RollBack { consumers }, State::NewTokenRefused | State::OldTokenAlive) => match self.old {
                Token::Refused => Err(self.state()),
                Token::Unknown | Token::Accepted | Token::RefusedOnce => Ok(Self {
                    standing: Standing::RolledBack,
                    old: Token::Accepted,
                    // Asked about as the token in force, whose every answer was believed.
                    new: match self.new {
                        Token::Refused => Token::RefusedOnce,
                        known => known,
                    },
                    open_tasks: consumers,
                }),
            },
            // What was rolled back is rolled back, whatever comes later; only its tasks end.
            (Step::Close | Step::Supersede, State::RollingBack) => Ok(Self {
                open_tasks: 0,
                ..self
            }),
            (Step::Close, State::NewTokenRefused | State::OldTokenAlive | State::ConsumersBehind) => {
                Ok(Self {
                    standing: Standing::Closed,
                    open_tasks: 0,
                    ..self
                })
            }
            (Step::Supersede, State::Closed | State::Superseded | State::RolledBack) => Ok(self),
            (Step::Supersede, _) => Ok(Self {
                standing: Standing::Superseded,
                open_tasks: 0,
                ..self
            }),
            (Step::RollBack { .. } | Step::Close, state) => Err(state),
        }
    }
}

impl State {
    /// The name, as the wire has it without its prefix.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NewTokenRefused => "NEW_TOKEN_REFUSED",
            Self::OldTokenAlive => "OLD_TOKEN_ALIVE",
            Self::ConsumersBehind => "CONSUMERS_BEHIND",
            Self::Done => "DONE",
            Self::RollingBack => "ROLLING_BACK",
            Self::RolledBack => "ROLLED_BACK",
            Self::Superseded => "SUPERSEDED",
            Self::Closed => "CLOSED",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::{
        Standing::{Closed, InForce, RolledBack, Superseded},
        Token::{Accepted, Refused, RefusedOnce, Unknown},
        *,
    };

    const fn known(standing: Standing, old: Token, new: Token, open_tasks: u32) -> Known {
        Known {
            standing,
            old,
            new,
            open_tasks,
        }
    }

    #[test]
    fn each_combination_of_what_is_known_has_one_word_and_is_probed_or_not() {
        let table = [
            (known(InForce, Unknown, Unknown, 0), State::OldTokenAlive, true),
            (known(InForce, Accepted, Accepted, 0), State::OldTokenAlive, true),
            (known(InForce, Accepted, Accepted, 2), State::OldTokenAlive, true),
            (
                known(InForce, Refused, Accepted, 2),
                State::ConsumersBehind,
                false,
            ),
            (known(InForce, Refused, Unknown, 0), State::Done, false),
            (known(InForce, Refused, Accepted, 0), State::Done, false),
            (known(InForce, Accepted, Refused, 0), State::NewTokenRefused, true),
            (known(InForce, Refused, Refused, 0), State::NewTokenRefused, true),
            (
                known(InForce, RefusedOnce, Accepted, 0),
                State::OldTokenAlive,
                true,
            ),
            (known(RolledBack, Accepted, Refused, 1), State::RollingBack, false),
            (known(RolledBack, Accepted, Accepted, 1), State::RollingBack, true),
            (
                known(RolledBack, Accepted, RefusedOnce, 0),
                State::RolledBack,
                true,
            ),
            (known(RolledBack, Accepted, Refused, 0), State::RolledBack, false),
            (known(Superseded, Accepted, Accepted, 0), State::Superseded, true),
            (known(Superseded, Refused, Refused, 0), State::Superseded, false),
            (known(Closed, Accepted, Accepted, 0), State::Closed, true),
            (known(Closed, Refused, Accepted, 0), State::Closed, false),
        ];
        for (known, state, probed) in table {
            assert_eq!((known.state(), known.is_probed()), (state, probed), "{known:?}");
        }
    }

    #[test]
    fn each_step_is_possible_where_it_makes_sense_and_nowhere_else() {
        let alive = known(InForce, Accepted, Accepted, 1);
        let cancelled_at_hubspot = known(InForce, Accepted, Refused, 1);
        let both_dead = known(InForce, Refused, Refused, 0);
        let behind = known(InForce, Refused, Accepted, 1);
        let done = known(InForce, Refused, Accepted, 0);
        let rolling = known(RolledBack, Accepted, RefusedOnce, 2);
        let rolled = known(RolledBack, Accepted, RefusedOnce, 0);
        let superseded = known(Superseded, Accepted, Accepted, 0);
        let closed = known(Closed, Refused, Accepted, 0);
        let back = Step::RollBack { consumers: 2 };
        let to = |known: Known, standing| {
            Ok(Known {
                standing,
                open_tasks: 0,
                ..known
            })
        };
        let table = [
            (alive, back, Ok(known(RolledBack, Accepted, Accepted, 2))),
            (cancelled_at_hubspot, back, Ok(rolling)),
            (both_dead, back, Err(State::NewTokenRefused)),
            (behind, back, Err(State::ConsumersBehind)),
            (done, back, Err(State::Done)),
            (rolled, back, Err(State::RolledBack)),
            (superseded, back, Err(State::Superseded)),
            (closed, back, Err(State::Closed)),
            (alive, Step::Close, to(alive, Closed)),
            (both_dead, Step::Close, to(both_dead, Closed)),
            (behind, Step::Close, to(behind, Closed)),
            (rolling, Step::Close, Ok(rolled)),
            (done, Step::Close, Err(State::Done)),
            (rolled, Step::Close, Err(State::RolledBack)),
            (superseded, Step::Close, Err(State::Superseded)),
            (closed, Step::Close, Err(State::Closed)),
            (alive, Step::Supersede, to(alive, Superseded)),
            (done, Step::Supersede, to(done, Superseded)),
            (rolling, Step::Supersede, Ok(rolled)),
            (rolled, Step::Supersede, Ok(rolled)),
            (closed, Step::Supersede, Ok(closed)),
        ];
        for (before, step, after) in table {
            assert_eq!(before.after(step), after, "{before:?} {step:?}");
        }
    }

    #[test]
    fn an_answer_that_did_not_come_changes_nothing_and_what_is_refused_twice_running_stays_dead() {
        let probed = |before: Known, old, new| before.after(Step::Probed { old, new });
        let alive = known(InForce, Accepted, Accepted, 1);
        assert_eq!(probed(alive, Unknown, Unknown), Ok(alive));
        let once = known(InForce, RefusedOnce, Accepted, 1);
        assert_eq!(probed(alive, Refused, Unknown), Ok(once));
        assert_eq!(probed(once, Unknown, Unknown), Ok(once));
        assert_eq!(probed(once, Accepted, Unknown), Ok(alive));
        assert_eq!(
            probed(once, Refused, Unknown),
            Ok(known(InForce, Refused, Accepted, 1))
        );
        // Of the one that is in force every answer is believed: it can come back.
        let in_force_dead = known(InForce, Accepted, Refused, 1);
        assert_eq!(probed(alive, Unknown, Refused), Ok(in_force_dead));
        assert_eq!(probed(in_force_dead, Unknown, Accepted), Ok(alive));
        let given_up = known(RolledBack, Accepted, Accepted, 0);
        let once = known(RolledBack, Accepted, RefusedOnce, 0);
        assert_eq!(probed(given_up, Unknown, Refused), Ok(once));
        assert_eq!(
            probed(once, Unknown, Refused),
            Ok(known(RolledBack, Accepted, Refused, 0))
        );
        let dead = known(InForce, Refused, Refused, 0);
        assert_eq!(
            probed(dead, Accepted, Accepted),
            Ok(known(InForce, Refused, Accepted, 0))
        );
    }
}
