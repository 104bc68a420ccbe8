//! Who may be sent (资质): what somebody is able to do, and where they usually work.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::pack::SkillId;

/// What is recorded of somebody who goes to doors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Qualification {
    /// What they are able to do; `None` while nobody recorded it, which hinders nothing.
    pub skills: Option<BTreeSet<SkillId>>,
    /// Words of which one stands in each address of their area; none for everywhere.
    pub area: BTreeSet<String>,
}

impl Qualification {
    /// What they lack of what is needed; whoever lacks anything may not be sent.
    pub fn lacks(&self, needed: &BTreeSet<SkillId>) -> BTreeSet<SkillId> {
        self.skills.as_ref().map(|skills| needed - skills).unwrap_or_default()
    }

    /// Whether an address lies in their area.
    pub fn covers(&self, address: &str) -> bool {
        self.area.is_empty() || self.area.iter().any(|word| address.contains(word.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::JobKind;
    use crate::pack::Pack;

    fn of(skills: &[&str]) -> Qualification {
        let skills = skills.iter().map(|skill| SkillId((*skill).to_owned())).collect();
        Qualification { skills: Some(skills), area: BTreeSet::new() }
    }

    #[test]
    fn b2_whoever_is_not_of_the_crew_may_not_be_sent_to_an_emergency() {
        let pack = Pack::builtin();
        let needed = &pack.kind(JobKind::Emergency).skills;

        let fitter = of(&["gas_fitter", "meter_reader"]);
        let crew = of(&["emergency_crew"]);

        assert_eq!(fitter.lacks(needed), BTreeSet::from([SkillId("emergency_crew".to_owned())]));
        assert!(crew.lacks(needed).is_empty());
        assert!(fitter.lacks(&pack.kind(JobKind::Repair).skills).is_empty());
        assert!(!crew.lacks(&pack.kind(JobKind::Repair).skills).is_empty());
    }

    #[test]
    fn who_has_no_list_may_do_everything_and_who_has_an_empty_one_only_what_needs_nothing() {
        let pack = Pack::builtin();
        let lacks = |who: &Qualification, kind| !who.lacks(&pack.kind(kind).skills).is_empty();

        let unrecorded = Qualification::default();
        assert!(JobKind::ALL.into_iter().all(|kind| !lacks(&unrecorded, kind)));
        assert!(lacks(&of(&[]), JobKind::Ignition));
        assert!(!lacks(&of(&[]), JobKind::CashCollection));
    }

    #[test]
    fn an_area_is_what_its_addresses_say() {
        let area = ["吉和街", "中山路"].map(str::to_owned).into();
        let here = Qualification { area, ..Qualification::default() };

        assert!(here.covers("芜湖市镜湖区中山路枕河坊1幢101室"));
        assert!(!here.covers("芜湖市镜湖区文化路书院里1幢101室"));
        assert!(Qualification::default().covers("芜湖市镜湖区文化路书院里1幢101室"));
    }
}
