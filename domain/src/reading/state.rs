//! How a register came to be known, or why it did not (抄表状态).

use serde::{Deserialize, Serialize};

/// How a register came to be known, or why it did not.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum ReadingState {
    /// 见表: somebody of the company saw the wheels.
    #[default]
    Seen,
    /// 自报: the household said what its meter shows.
    SelfReported,
    /// 估抄: nobody saw the wheels; the use was guessed.
    Estimated,
    /// 空房: nobody lives there.
    Vacant,
    /// 长期不用: somebody lives there and burns no gas.
    LongUnused,
    /// 门锁: nobody could get to the meter.
    DoorLocked,
    /// 拒抄: the household did not let it be read.
    Refused,
    /// 遮挡: something stands before it.
    Obstructed,
    /// 位置过高: it hangs too high to be read.
    TooHigh,
    /// 其他
    Other,
}

impl ReadingState {
    /// All of them, in the order in which lists show them.
    pub const ALL: [Self; 10] = [
        Self::Seen,
        Self::SelfReported,
        Self::Estimated,
        Self::Vacant,
        Self::LongUnused,
        Self::DoorLocked,
        Self::Refused,
        Self::Obstructed,
        Self::TooHigh,
        Self::Other,
    ];

    /// The word used in JSON, SQL and the catalogue.
    pub fn key(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::SelfReported => "self_reported",
            Self::Estimated => "estimated",
            Self::Vacant => "vacant",
            Self::LongUnused => "long_unused",
            Self::DoorLocked => "door_locked",
            Self::Refused => "refused",
            Self::Obstructed => "obstructed",
            Self::TooHigh => "too_high",
            Self::Other => "other",
        }
    }

    /// Finds the state with this key.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.key() == key)
    }

    /// Whether a register can go with it: the others say why there is none.
    pub fn has_register(self) -> bool {
        match self {
            Self::Seen | Self::SelfReported | Self::Estimated | Self::Vacant | Self::LongUnused => {
                true
            }
            Self::DoorLocked | Self::Refused | Self::Obstructed | Self::TooHigh | Self::Other => {
                false
            }
        }
    }

    /// Whether its register is always put to the test.
    pub fn is_judged(self) -> bool {
        matches!(self, Self::Seen | Self::SelfReported | Self::Estimated)
    }

    /// Whether it is believed more than another.
    pub fn outweighs(self, other: Self) -> bool {
        self.trust() > other.trust()
    }

    /// How far a register is believed: what was guessed least, what somebody saw most.
    pub(super) fn trust(self) -> Trust {
        match self {
            Self::Estimated => Trust::Guessed,
            Self::SelfReported => Trust::Told,
            Self::Seen
            | Self::Vacant
            | Self::LongUnused
            | Self::DoorLocked
            | Self::Refused
            | Self::Obstructed
            | Self::TooHigh
            | Self::Other => Trust::Seen,
        }
    }

    /// Most readings are seen, and that is not written down.
    pub fn is_seen(&self) -> bool {
        *self == Self::Seen
    }
}

/// How far a register is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trust {
    /// Nobody looked.
    Guessed,
    /// Somebody who pays for it said so.
    Told,
    /// Somebody of the company looked.
    Seen,
}
