//! The day's jobs as the hall booked them: when they were asked for, by whom, for which window.

use domain::job::JobKind;

use super::people::{COUNTER, DISPATCHERS, STAFF};
use super::prng::Prng;
use super::quarter::QUARTERS;
use super::work::{Claim, Task, is_urgent, word};

/// The day of the demo hall.
pub(crate) const DAY: &str = "2026-11-24";

/// The day in its month; every request is in the same month.
const DAY_IN_MONTH: u32 = 24;

/// The hours at which the five windows of two hours begin.
const WINDOW_HOURS: [u32; 5] = [8, 10, 12, 14, 16];

/// Makes the rows of `jobs.csv`, in walking order.
pub(crate) fn book(
    prng: &mut Prng,
    tasks: &[Task],
    account: impl Fn(&Task) -> String,
) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut emergencies = 0;
    for (quarter, technician) in STAFF.iter().enumerate().take(QUARTERS.len()) {
        let round: Vec<&Task> = tasks.iter().filter(|task| task.quarter == quarter).collect();
        let agreed = round.iter().filter(|task| task.kind != JobKind::Emergency).count();
        let mut walked = 0;
        let mut last: Option<(usize, usize)> = None;
        for task in round {
            let number = format!("GD{:04}", rows.len() + 1);
            let mut row = vec![number, word(task.kind), account(task)];
            row.push(request(prng, task));
            if task.kind == JobKind::Emergency {
                emergencies += 1;
                row.push(format!("{DAY} 07:{}", 29 + 7 * emergencies));
                row.extend([DISPATCHERS[0], "", "", ""].map(str::to_owned));
            } else {
                // Two jobs at one door share a window.
                let window = match last {
                    Some((door, window)) if door == task.door => window,
                    _ => walked * WINDOW_HOURS.len() / agreed,
                };
                row.extend(appointment(prng, task, WINDOW_HOURS[window]));
                last = Some((task.door, window));
                walked += 1;
            }
            row.push(technician.login.to_owned());
            rows.push(row);
        }
    }
    rows
}

/// Created at, by whom, window and channel.
fn appointment(prng: &mut Prng, task: &Task, hour: u32) -> [String; 5] {
    let (days_before, from_hour, to_hour) = if is_urgent(task.kind) {
        // Promised within 48 hours of the request, so nobody books it earlier than that.
        if hour <= 12 && prng.chance(40) { (2, 15, 16) } else { (1, 8, 16) }
    } else {
        (prng.between(1, 9), 8, 16)
    };
    let minute = if from_hour == 8 { prng.between(30, 59) } else { prng.between(0, 59) };
    let created_at = format!(
        "2026-11-{:02} {:02}:{minute:02}",
        DAY_IN_MONTH - days_before,
        prng.between(from_hour, to_hour)
    );
    let (by, channel) = match prng.between(1, 100) {
        1..=68 => (*prng.pick(&DISPATCHERS), "电话"),
        69..=84 => (COUNTER, "营业厅"),
        85..=97 => (*prng.pick(&DISPATCHERS), "微信"),
        _ => (COUNTER, "其他"),
    };
    [
        created_at,
        by.to_owned(),
        format!("{DAY} {hour:02}:00"),
        format!("{DAY} {:02}:00", hour + 2),
        channel.to_owned(),
    ]
}

fn request(prng: &mut Prng, task: &Task) -> String {
    let texts: &[&str] = match (task.kind, task.claim) {
        (JobKind::HoseReplacement, Some(Claim::UsedUp)) => {
            &["软管被老鼠咬破，要求再换一根", "装修时软管被压坏，要求更换"]
        }
        (JobKind::HoseReplacement, Some(Claim::Paid)) => {
            &["软管到期，自费更换", "软管发硬，要求更换"]
        }
        (JobKind::HoseReplacement, Some(Claim::Free) | None) => {
            &["申请免费更换软管", "软管到期，申请免费更换", "软管有裂纹，申请免费更换"]
        }
        (JobKind::MeterReading, _) => &["双月抄表", "双月抄表，请带缴费通知单"],
        (JobKind::SafetyInspection, _) => {
            &["年度入户安检", "年度入户安检，并发放安全宣传单", "去年安检到访不遇，今年请务必联系"]
        }
        (JobKind::Ignition, _) => &["新开户点火通气", "换表后重新点火"],
        (JobKind::Unsealing, _) => &["外出返家，申请启封", "新房入住，申请启封"],
        (JobKind::Sealing, _) => &["外出半年，申请封表", "房屋空置，申请封表"],
        (JobKind::GasStop, _) => &["厨房改造，申请停气", "房屋出售，申请停气"],
        (JobKind::CashCollection, _) => {
            &["行动不便，申请上门收取气费", "不会用手机，申请上门收现金"]
        }
        (JobKind::Repair, _) => {
            &["灶前阀拧不动", "燃气表不走字", "表接头有锈迹，请检查", "热水器打不着火，请查供气"]
        }
        (JobKind::Emergency, _) => &[
            "厨房有明显燃气味，已开窗关阀",
            "楼道闻到燃气味，多户反映",
            "表后接头嘶嘶响，已关表前阀",
        ],
        (JobKind::InstallationSurvey | JobKind::Installation, _) => &["新房报装"],
        (JobKind::Relocation | JobKind::Removal, _) => &["迁户"],
        (JobKind::MeterReplacement, _) => &["燃气表到期更换"],
        (JobKind::PublicInspection, _) => &["节前公共建筑安检"],
        (JobKind::HazardRecheck, _) => &["隐患复查"],
        (JobKind::SafetyGuidance, _) => &["请上门讲解用气安全"],
    };
    (*prng.pick(texts)).to_owned()
}
