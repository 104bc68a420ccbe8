//! Rule packs (规则包): dated data of one company or city, every number with its source.

use serde::{Deserialize, Serialize};

/// Names a rule pack, such as `city-gas-2026-11-01`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PackId(pub String);
