//! Who somebody is: roles, how long they stay signed in, and what they prove it with.

pub mod enrolment;
pub mod password;
pub mod second_factor;
pub mod session;
pub mod throttle;
pub mod token;

use std::fmt;

use serde::{Deserialize, Serialize};

/// What somebody is at the company; it decides what they may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Goes from door to door with a phone.
    Technician,
    /// Takes calls, agrees windows, gives jobs out.
    Dispatcher,
    /// Works at the hall's counter.
    Hall,
    /// Runs the hall.
    Manager,
    /// Keeps accounts and the server.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] =
        [Self::Technician, Self::Dispatcher, Self::Hall, Self::Manager, Self::Admin];

    /// The word used in SQL, JSON and files.
    pub fn key(self) -> &'static str {
        match self {
            Self::Technician => "technician",
            Self::Dispatcher => "dispatcher",
            Self::Hall => "hall",
            Self::Manager => "manager",
            Self::Admin => "admin",
        }
    }

    /// Finds the role with this key.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.key() == key)
    }

    /// Whether this role may make, and shut out, people of the other.
    pub fn manages(self, other: Self) -> bool {
        match self {
            Self::Admin => true,
            Self::Manager => matches!(other, Self::Technician | Self::Dispatcher | Self::Hall),
            Self::Technician | Self::Dispatcher | Self::Hall => false,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

/// Writes a log-in the one way in which it is stored and compared.
pub fn normal_login(login: &str) -> String {
    login.trim().to_lowercase()
}

/// Whether a normal log-in can be given to somebody.
pub fn is_login(login: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '@');
    (2..=64).contains(&login.chars().count()) && login.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_is_found_by_its_key() {
        for role in Role::ALL {
            assert_eq!(Role::from_key(role.key()), Some(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.key());
        }
    }

    #[test]
    fn nobody_makes_somebody_mightier_than_themselves() {
        assert!(Role::Admin.manages(Role::Admin));
        assert!(Role::Manager.manages(Role::Dispatcher));
        assert!(!Role::Manager.manages(Role::Manager));
        assert!(!Role::Manager.manages(Role::Admin));
        assert!(!Role::Dispatcher.manages(Role::Technician));
    }

    #[test]
    fn a_log_in_is_written_one_way() {
        assert_eq!(normal_login("  Wang.Li "), "wang.li");
        assert!(is_login("wang.li"));
        assert!(is_login("王丽"));
        assert!(!is_login("wang li"));
        assert!(!is_login("x"));
    }
}
