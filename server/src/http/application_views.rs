//! What lists and pages show of applications, and what the desk keeps to: procedures, calls, answers about paying.

use axum::Json;
use axum::extract::State;
use domain::catalogue::Language;
use domain::id::HouseholdId;
use domain::pack::{CallRules, Procedure};
use domain::procedure::check::{ApplicationAct, may};
use domain::procedure::{Lack, missing, sentence};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::caller::{Caller, Staff};
use super::error::ApiError;
use super::schema;
use crate::applications::{Whole, rules};
use crate::db::applications::{CountsRow, ListedRow, OriginRow};
use crate::jobs::summary::{Door, JobSummary};
use crate::state::AppState;

/// An application in a list; instants are Unix milliseconds.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApplicationSummary {
    id: Uuid,
    /// What people say on the phone.
    number: i64,
    /// The procedure's key in the rule pack.
    procedure: String,
    #[schema(schema_with = schema::application_state)]
    state: String,
    /// Whose home it is about.
    household: Door,
    /// Who asked.
    applicant: String,
    /// What they asked for, in words.
    words: String,
    /// Who has it.
    owner: Uuid,
    /// Ways to the hall that it cost.
    trips: i64,
    /// How often the household was sent away for what had not been named before.
    breaches: i64,
    /// Whether it was ever incomplete when the household was told.
    was_incomplete: bool,
    taken_at: i64,
    /// When papers and payment were complete.
    accepted_at: Option<i64>,
    ended_at: Option<i64>,
    /// How many things have happened to it: what an addition is held to.
    version: i64,
}

impl From<ListedRow> for ApplicationSummary {
    fn from(row: ListedRow) -> Self {
        let it = row.application;
        let standing = it.standing;
        Self {
            id: it.application_id,
            number: it.number,
            procedure: it.procedure_id,
            state: standing.state,
            household: Door {
                id: HouseholdId(it.household_id),
                account: row.account,
                holder: row.holder,
                address: row.address,
            },
            applicant: it.applicant,
            words: it.words,
            owner: standing.owner_id,
            trips: standing.trips,
            breaches: standing.breaches,
            was_incomplete: standing.was_incomplete,
            taken_at: it.taken_at,
            accepted_at: standing.accepted_at,
            ended_at: standing.ended_at,
            version: standing.version,
        }
    }
}

/// How many applications there are in the hall.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApplicationCounts {
    /// Papers and fees are being gathered.
    gathering: i64,
    /// Those whose household knows what is missing.
    incomplete: i64,
    /// Those whose jobs are under way.
    accepted: i64,
    /// Those whose household was sent away for what had not been named, ever.
    breached: i64,
}

impl From<CountsRow> for ApplicationCounts {
    fn from(row: CountsRow) -> Self {
        let CountsRow { gathering, incomplete, accepted, breached } = row;
        Self { gathering, incomplete, accepted, breached }
    }
}

/// Something missing, as it is said to the household.
#[derive(Debug, Serialize, ToSchema)]
pub struct MissingBody {
    /// `paper`, `one_name`, `condition` or `fee`.
    what: &'static str,
    /// Its key in the procedure; empty for `one_name`.
    id: String,
    /// What is said in Chinese.
    zh: String,
    /// What is said in English.
    en: String,
}

impl MissingBody {
    fn new(procedure: &Procedure, lack: &Lack) -> Self {
        let said = |language| {
            sentence(procedure, lack).map(|sentence| sentence.say(language)).unwrap_or_default()
        };
        let (what, id) = match lack {
            Lack::Paper(id) => ("paper", id.clone()),
            Lack::OneName => ("one_name", String::new()),
            Lack::Condition(id) => ("condition", id.clone()),
            Lack::Fee(id) => ("fee", id.clone()),
        };
        Self { what, id, zh: said(Language::Chinese), en: said(Language::English) }
    }
}

/// A paper that was seen.
#[derive(Debug, Serialize, ToSchema)]
pub struct SeenPaperBody {
    paper: String,
    /// The name on it, where it matters.
    name: String,
    /// The last characters of its number.
    digits: String,
    by: Uuid,
}

/// A fee that was taken.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaidBody {
    fee: String,
    /// Fen.
    amount: i64,
    receipt: String,
}

/// Something declared.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeclaredBody {
    condition: String,
    number: Option<u32>,
    text: String,
    by: Uuid,
}

/// An application whole.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApplicationBody {
    application: ApplicationSummary,
    /// How to reach who asked.
    contact: String,
    /// Of a transfer: the holder to be.
    new_holder: String,
    /// Their number.
    new_phone: String,
    /// Of a relocation: the other address.
    new_address: String,
    /// Its procedure by the rule pack that holds for it.
    #[schema(value_type = std::collections::BTreeMap<String, serde_json::Value>)]
    procedure: serde_json::Value,
    /// What changes what has to be brought.
    #[schema(schema_with = schema::circumstances)]
    circumstances: Vec<&'static str>,
    seen: Vec<SeenPaperBody>,
    paid: Vec<PaidBody>,
    declared: Vec<DeclaredBody>,
    /// Everything that is missing, in the order in which it is said; nothing once it is decided.
    missing: Vec<MissingBody>,
    /// What the caller may do now.
    #[schema(schema_with = schema::application_acts)]
    may: Vec<&'static str>,
    jobs: Vec<JobSummary>,
    /// What happened to it, oldest first: `type`, `by`, `at`, and what belongs to the type.
    #[schema(value_type = Vec<std::collections::BTreeMap<String, serde_json::Value>>)]
    history: serde_json::Value,
}

/// Puts together what a page shows of an application.
pub(super) fn application_body(
    whole: Whole,
    jobs: Vec<JobSummary>,
    caller: &Caller,
) -> ApplicationBody {
    let Whole { row, procedure, history, standing } = whole;
    let acts = may(&procedure, &standing, caller.user);
    let is_gathering = standing.state.is_gathering();
    let lacks = if is_gathering { missing(&procedure, &standing) } else { Vec::new() };
    let seen = standing.seen.iter().map(|(paper, it)| SeenPaperBody {
        paper: paper.clone(),
        name: it.name.clone(),
        digits: it.digits.clone(),
        by: it.by.0,
    });
    let paid = standing.paid.iter().map(|(fee, it)| PaidBody {
        fee: fee.clone(),
        amount: it.amount.0,
        receipt: it.receipt.clone(),
    });
    let declared = standing.declared.iter().map(|(condition, it)| DeclaredBody {
        condition: condition.clone(),
        number: it.number,
        text: it.text.clone(),
        by: it.by.0,
    });
    ApplicationBody {
        contact: row.application.contact.clone(),
        new_holder: row.application.new_holder.clone(),
        new_phone: row.application.new_phone.clone(),
        new_address: row.application.new_address.clone(),
        circumstances: standing.circumstances.iter().map(|it| it.key()).collect(),
        seen: seen.collect(),
        paid: paid.collect(),
        declared: declared.collect(),
        missing: lacks.iter().map(|lack| MissingBody::new(&procedure, lack)).collect(),
        may: ApplicationAct::ALL
            .into_iter()
            .filter(|it| acts.contains(it))
            .map(ApplicationAct::key)
            .collect(),
        jobs,
        history: json!(history),
        procedure: procedure_json(&procedure),
        application: row.into(),
    }
}

/// A procedure as screens read it: with the numbers in its words, and what to ask first.
fn procedure_json(procedure: &Procedure) -> serde_json::Value {
    let mut body = json!(procedure);
    let conditions = procedure.conditions.iter().map(|condition| {
        let name = condition.name();
        let mut body = json!(condition);
        body["zh"] = json!(name.zh);
        body["en"] = json!(name.en);
        body
    });
    body["conditions"] = conditions.collect();
    body["circumstances"] = json!(procedure.circumstances());
    body
}

/// The application that a job was made of.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApplicationOrigin {
    id: Uuid,
    /// What people say on the phone.
    number: i64,
    /// The procedure's key in the rule pack.
    procedure: String,
    #[schema(schema_with = schema::application_state)]
    state: String,
}

impl From<OriginRow> for ApplicationOrigin {
    fn from(row: OriginRow) -> Self {
        let OriginRow { application_id, number, procedure_id, state } = row;
        Self { id: application_id, number, procedure: procedure_id, state }
    }
}

/// What the desk keeps to.
#[derive(Debug, Serialize, ToSchema)]
pub struct CounterBody {
    /// What a household can ask for, with papers, conditions and fees.
    #[schema(value_type = Vec<std::collections::BTreeMap<String, serde_json::Value>>)]
    procedures: Vec<serde_json::Value>,
    calls: CallsRuleBody,
    payment: PaymentBody,
}

/// How soon a call is answered (B3).
#[derive(Debug, Serialize, ToSchema)]
pub struct CallsRuleBody {
    /// Rings within which staff answer.
    staff_rings: u32,
    /// Rings that the public was promised.
    public_rings: u32,
}

impl From<CallRules> for CallsRuleBody {
    fn from(rules: CallRules) -> Self {
        Self { staff_rings: rules.staff_rings, public_rings: rules.public_rings }
    }
}

/// What is answered about paying (C5).
#[derive(Debug, Serialize, ToSchema)]
pub struct PaymentBody {
    answers: Vec<PaymentAnswerBody>,
    /// The notice that the meter reader leaves, with places to fill in.
    notice_zh: String,
    /// The same in English.
    notice_en: String,
}

/// A question about paying with its answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaymentAnswerBody {
    id: String,
    zh: String,
    en: String,
    answer_zh: String,
    answer_en: String,
}

/// Shows what the desk keeps to now: procedures with papers and fees, rings, answers about paying.
#[utoipa::path(
    get, path = "/api/counter", tag = "applications",
    responses((status = 200, description = "By the rule pack that holds now.", body = CounterBody)),
)]
pub async fn get_counter(
    State(state): State<AppState>,
    Staff(_caller): Staff,
) -> Result<Json<CounterBody>, ApiError> {
    let mut conn = state.db.read().await?;
    let pack = state.packs.in_force(conn.c(), state.clock.now()).await?;
    let rules = rules(&pack);
    let payment = &rules.payment;
    let answers = payment.answers.iter().map(|it| PaymentAnswerBody {
        id: it.id.clone(),
        zh: it.zh.clone(),
        en: it.en.clone(),
        answer_zh: it.answer(payment, Language::Chinese),
        answer_en: it.answer(payment, Language::English),
    });
    Ok(Json(CounterBody {
        procedures: rules.procedures.iter().map(procedure_json).collect(),
        payment: PaymentBody {
            answers: answers.collect(),
            notice_zh: payment.notice_zh.clone(),
            notice_en: payment.notice_en.clone(),
        },
        calls: rules.calls.into(),
    }))
}
