//! How the types of `domain` look in the API's description; `domain` itself knows of no HTTP.

use domain::case::{Act, CaseKind, CaseState};
use domain::catalogue::Language;
use domain::due::What;
use domain::household::Group;
use domain::job::{Channel, JobKind};
use domain::ledger::Purpose;
use domain::outage::{OutageKind, OutageState};
use domain::pack::Start;
use domain::procedure::check::ApplicationAct;
use domain::procedure::{ApplicationState, Circumstance};
use domain::reading::{Measure, ReadingState};
use domain::reminder::About;
use domain::status::Status;
use domain::telephone::Answered;
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, KnownFormat, ObjectBuilder, OneOfBuilder, Schema,
    SchemaFormat, Type,
};

/// The earliest instant that a window may have, 2000-01-01.
pub(crate) const EARLIEST_MS: i64 = 946_684_800_000;

/// The latest, 2100-01-01.
pub(crate) const LATEST_MS: i64 = 4_102_444_800_000;

fn one_of<'k>(keys: impl Iterator<Item = &'k str>) -> Schema {
    let keys: Vec<&str> = keys.collect();
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(keys)).into()
}

/// The kinds of jobs.
pub(crate) fn job_kind() -> Schema {
    one_of(JobKind::ALL.iter().map(|kind| kind.key()))
}

/// What starts the clock of a promise.
pub(crate) fn promise_start() -> Schema {
    one_of(Start::ALL.iter().map(|start| start.key()))
}

/// A length of time as it was promised: `minutes`, `days` or `working_days` with a number.
pub(crate) fn span() -> Schema {
    let number = || ObjectBuilder::new().schema_type(Type::Integer);
    ObjectBuilder::new()
        .property("minutes", number())
        .property("days", number())
        .property("working_days", number())
        .into()
}

/// What can be due.
pub(crate) fn due_what() -> Schema {
    one_of(What::ALL.iter().map(|it| it.key()))
}

/// The states of jobs.
pub(crate) fn status() -> Schema {
    one_of(Status::ALL.iter().map(|status| status.key()))
}

/// How a window was agreed.
pub(crate) fn channel() -> Schema {
    one_of(Channel::ALL.iter().map(|channel| channel.key()))
}

/// The kinds of cases.
pub(crate) fn case_kind() -> Schema {
    one_of(CaseKind::ALL.iter().map(|kind| kind.key()))
}

/// The states of cases.
pub(crate) fn case_state() -> Schema {
    one_of(CaseState::ALL.iter().map(|state| state.key()))
}

/// Why somebody looks at cases.
pub(crate) fn case_view() -> Schema {
    one_of(["mine", "offered", "overdue", "call_back", "left"].into_iter())
}

/// What can be done with a case.
pub(crate) fn case_act() -> Schema {
    one_of(Act::ALL.iter().map(|act| act.key()))
}

/// How applications stand.
pub(crate) fn application_state() -> Schema {
    one_of(ApplicationState::ALL.iter().map(|state| state.key()))
}

/// What can be done with an application.
pub(crate) fn application_act() -> Schema {
    one_of(ApplicationAct::ALL.iter().map(|act| act.key()))
}

/// Several of what can be done with an application.
pub(crate) fn application_acts() -> Schema {
    several(ApplicationAct::ALL.iter().map(|act| act.key()))
}

/// What changes what has to be brought.
pub(crate) fn circumstances() -> Schema {
    several(Circumstance::ALL.iter().map(|it| it.key()))
}

fn several<'k>(keys: impl Iterator<Item = &'k str>) -> Schema {
    let keys: Vec<&str> = keys.collect();
    let one = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(keys));
    ArrayBuilder::new().items(one).into()
}

/// How calls were answered.
pub(crate) fn answered() -> Schema {
    one_of(Answered::ALL.iter().map(|it| it.key()))
}

/// What somebody is reminded of.
pub(crate) fn reminder_about() -> Schema {
    one_of(About::ALL.iter().map(|about| about.key()))
}

/// Whether an outage was planned.
pub(crate) fn outage_kind() -> Schema {
    one_of(OutageKind::ALL.iter().map(|kind| kind.key()))
}

/// How outages stand.
pub(crate) fn outage_state() -> Schema {
    one_of(OutageState::ALL.iter().map(|state| state.key()))
}

/// How a duty of a day stands.
pub(crate) fn duty_state() -> Schema {
    one_of(["coming", "open", "done", "late", "missed"].into_iter())
}

/// The groups that households belong to.
pub(crate) fn group() -> Schema {
    one_of(Group::ALL.iter().map(|group| group.key()))
}

/// How a register is known at the desk: nobody of the company saw it.
pub(crate) fn told_state() -> Schema {
    one_of([ReadingState::SelfReported, ReadingState::Estimated].iter().map(|state| state.key()))
}

/// What can be done about an abnormal reading.
pub(crate) fn measure() -> Schema {
    one_of(Measure::ALL.iter().map(|measure| measure.key()))
}

/// What households consent to.
pub(crate) fn purpose() -> Schema {
    one_of(Purpose::ALL.iter().map(|purpose| purpose.key()))
}

/// The languages in which households are told.
pub(crate) fn language() -> Schema {
    one_of([Language::Chinese, Language::English].map(Language::tag).into_iter())
}

/// The kinds of events that webhooks are told of, one or more.
pub(crate) fn webhook_kinds() -> Schema {
    let kinds =
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(crate::webhooks::KINDS));
    ArrayBuilder::new().items(kinds).min_items(Some(1)).into()
}

/// The roles of people.
pub(crate) fn role() -> Schema {
    one_of(crate::identity::Role::ALL.iter().map(|role| role.key()))
}

fn instant(said: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(EARLIEST_MS))
        .maximum(Some(LATEST_MS))
        .description(Some(said))
}

/// A window as it is sent; let it end after it starts.
pub(crate) fn window() -> Schema {
    a_window().into()
}

fn a_window() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("start", instant("Nobody comes before this, Unix milliseconds."))
        .required("start")
        .property("end", instant("Nobody comes after this, Unix milliseconds."))
        .required("end")
        .additional_properties(Some(AdditionalProperties::FreeForm(false)))
}

/// Windows in which there is room, one after another.
pub(crate) fn windows() -> Schema {
    ArrayBuilder::new().items(a_window()).min_items(Some(1)).max_items(Some(100)).into()
}

fn id() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
}

fn clash(kind: &str, fields: &[(&str, bool)]) -> Schema {
    let tag = ObjectBuilder::new().schema_type(Type::String).enum_values(Some([kind]));
    let mut object = ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("clash", tag)
        .required("clash")
        .additional_properties(Some(AdditionalProperties::FreeForm(false)));
    for (field, is_list) in fields {
        object = if *is_list {
            object.property(*field, ArrayBuilder::new().items(id()))
        } else {
            object.property(*field, id())
        };
        object = object.required(*field);
    }
    object.into()
}

/// Facts that contradict each other, by kind.
pub(crate) fn clashes() -> Schema {
    let of = OneOfBuilder::new()
        .item(clash("closed_twice", &[("visits", true)]))
        .item(clash("cancelled_while_visited", &[("visit", false)]))
        .item(clash("visited_by_other", &[("visit", false), ("technician", false)]))
        .item(clash("hose_replaced_twice", &[("hose", false), ("visits", true)]))
        .item(clash("meter_changed_twice", &[("meter", false), ("visits", true)]));
    ArrayBuilder::new().items(of).into()
}

/// A whole job as its document says it: plan, briefing, visits with their facts, messages.
pub(crate) fn job() -> Schema {
    let part = |said: &str| ObjectBuilder::new().schema_type(Type::Object).description(Some(said));
    let text = || ObjectBuilder::new().schema_type(Type::String);
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("schema", ObjectBuilder::new().schema_type(Type::Integer))
        .property("id", id())
        .property("hall", id())
        .property("kind", job_kind())
        .property("pack", text().description(Some("The rule pack that judges it.")))
        .property("created_at", ObjectBuilder::new().schema_type(Type::Integer))
        .property("plan", part("What the hall decided, each part a map by entry id."))
        .property("briefing", part("What the technician is told: household, meters, hoses."))
        .property("visits", part("Visits by id, each with its facts by id."))
        .property("messages", part("Messages by id."))
        .required("id")
        .required("kind")
        .required("plan")
        .required("briefing")
        .required("visits")
        .into()
}

/// What a job comes to: the fold of plan and facts.
pub(crate) fn standing() -> Schema {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("status", status())
        .required("status")
        .property("technician", id())
        .property("visit", id())
        .property("appointment", ObjectBuilder::new().schema_type(Type::Object))
        .property("clashes", clashes())
        .required("clashes")
        .into()
}

#[cfg(test)]
mod tests {
    use domain::id::{HoseId, MeterId, UserId, VisitId};
    use domain::status::Clash;
    use serde_json::json;

    use super::*;

    #[test]
    fn each_clash_that_a_job_can_show_is_described_with_all_its_fields() {
        let visit = VisitId(uuid::Uuid::nil());
        let technician = UserId(uuid::Uuid::nil());
        let hose = HoseId(uuid::Uuid::nil());
        let meter = MeterId(uuid::Uuid::nil());
        let all = [
            Clash::ClosedTwice { visits: vec![visit] },
            Clash::CancelledWhileVisited { visit },
            Clash::VisitedByOther { visit, technician },
            Clash::HoseReplacedTwice { hose, visits: vec![visit] },
            Clash::MeterChangedTwice { meter, visits: vec![visit] },
        ];
        let described = json!(clashes())["items"]["oneOf"].clone();

        for clash in all {
            let shown = json!(clash);
            let mut fields: Vec<_> = shown.as_object().unwrap().keys().cloned().collect();
            fields.sort();
            let known = described.as_array().unwrap().iter();
            let found = known.filter(|it| it["properties"]["clash"]["enum"][0] == shown["clash"]);
            let found: Vec<_> = found.collect();
            assert_eq!(found.len(), 1, "{shown}");
            let mut required: Vec<String> =
                serde_json::from_value(found[0]["required"].clone()).unwrap();
            required.sort();
            assert_eq!(required, fields);
        }
    }
}
