//! How far a write has come.

/// How far a write has come. The numbers are those of the table, and of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is being made, or its process was lost and nobody has looked since.
    UnderWay,
    /// HubSpot carried it out.
    Done,
    /// It was sent, and it is not known whether HubSpot carried it out.
    Unknown,
    /// It was sent, and HubSpot did not carry it out.
    NotDone,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::UnderWay, Self::Done, Self::Unknown, Self::NotDone];

    /// Its number.
    pub const fn number(self) -> i64 {
        match self {
            Self::UnderWay => 1,
            Self::Done => 2,
            Self::Unknown => 3,
            Self::NotDone => 4,
        }
    }

    /// Its name, as the wire has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnderWay => "UNDER_WAY",
            Self::Done => "DONE",
            Self::Unknown => "UNKNOWN",
            Self::NotDone => "NOT_DONE",
        }
    }

    /// The state with this number.
    pub fn of_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.number() == number)
    }
}
