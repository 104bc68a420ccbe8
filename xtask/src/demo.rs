//! Writes the demo hall: invented people at invented doors, with registers of real gas meters.

mod booking;
mod home;
mod people;
mod prng;
mod quarter;
mod source;
mod work;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;

use home::Home;
use prng::Prng;

/// Every number that is drawn comes from here.
const SEED: u64 = 20_261_124;

/// Lets a spreadsheet that is opened with a double click see that the file is UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

const HALL: &str = "\
# The demo hall. See ../README.md.
name = \"镜湖营业厅\"
city = \"芜湖\"
utc_offset_minutes = 480
day = \"2026-11-24\"
";

/// Writes the demo hall below `root`, or only says whether it is what would be written.
pub(crate) fn run(root: &Path, check: bool) -> anyhow::Result<()> {
    let files = generate(root)?;
    let mut differing = Vec::new();
    for (name, text) in &files {
        let path = root.join("demo").join(name);
        if check {
            let found = std::fs::read_to_string(&path).unwrap_or_default();
            if found != *text {
                differing.push(name.as_str());
            }
        } else {
            let folder = path.parent().context("each file lies in a folder")?;
            std::fs::create_dir_all(folder)?;
            std::fs::write(&path, text).with_context(|| format!("cannot write {name}"))?;
        }
    }
    anyhow::ensure!(
        differing.is_empty(),
        "these files of demo/ are not what the generator writes: {}; run `cargo xtask demo`",
        differing.join(", ")
    );
    Ok(())
}

/// Makes every file of the demo hall, by its path below `demo/`.
fn generate(root: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let source = source::read(&root.join("demo/source/gas_registers_2024.csv"))?;
    let mut prng = Prng::new(SEED);
    let tasks = work::deal(&mut prng);
    let homes = home::build(&mut prng, &tasks, &source);
    let account = |task: &work::Task| {
        let is_here = |home: &&Home| home.quarter == task.quarter && home.door == task.door;
        homes.iter().find(is_here).map_or_else(String::new, |home| home.account.clone())
    };
    let jobs = booking::book(&mut prng, &tasks, account);
    let mut files = BTreeMap::from([("hall/hall.toml".to_owned(), HALL.to_owned())]);
    let mut add = |name: &str, header: &[&str], rows: Vec<Vec<String>>| -> anyhow::Result<()> {
        files.insert(name.to_owned(), table(header, rows)?);
        Ok(())
    };
    add("day/registers.csv", &["工单号", "户号", "表号", "读数"], registers(&homes, &jobs))?;
    add("hall/staff.csv", &["登录名", "姓名", "岗位", "初始密码", "技能", "片区"], staff())?;
    let header = [
        "户号",
        "户名",
        "地址",
        "电话",
        "纬度",
        "经度",
        "群体",
        "上门须知",
        "用气性质",
        "通气日期",
        "上次安检",
    ];
    add("hall/households.csv", &header, homes.iter().map(|home| home.row.clone()).collect())?;
    add("hall/meters.csv", &["户号", "表号", "规格", "位数"], meters(&homes))?;
    add("hall/readings.csv", &["表号", "日期", "读数", "备注"], readings(&homes))?;
    add("hall/hoses.csv", &["软管编号", "户号", "材质", "长度毫米", "安装日期"], hoses(&homes))?;
    add("hall/replacements.csv", &["户号", "日期", "软管编号", "免费"], replacements(&homes))?;
    let header = [
        "工单号",
        "类型",
        "户号",
        "要求",
        "登记时间",
        "登记人",
        "预约开始",
        "预约结束",
        "约定方式",
        "技术员",
    ];
    add("hall/jobs.csv", &header, jobs)?;
    Ok(files)
}

fn table(header: &[&str], rows: Vec<Vec<String>>) -> anyhow::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header)?;
    for row in rows {
        writer.write_record(row)?;
    }
    let text = String::from_utf8(writer.into_inner()?)?;
    Ok(format!("{BYTE_ORDER_MARK}{text}"))
}

fn staff() -> Vec<Vec<String>> {
    // Each technician has a neighbourhood of their own.
    let streets = quarter::QUARTERS.iter().map(|quarter| quarter.street);
    let row = |(person, street): (&people::Person, &str)| {
        vec![
            person.login.to_owned(),
            person.name.to_owned(),
            person.role.to_owned(),
            people::password(person),
            people::skills(person),
            street.to_owned(),
        ]
    };
    people::STAFF.iter().zip(streets.chain(std::iter::repeat(""))).map(row).collect()
}

fn meters(homes: &[Home]) -> Vec<Vec<String>> {
    let row = |home: &Home| {
        let meter = home.meter.as_ref()?;
        Some(vec![home.account.clone(), meter.serial.clone(), meter.size.clone(), "5".to_owned()])
    };
    homes.iter().filter_map(row).collect()
}

fn readings(homes: &[Home]) -> Vec<Vec<String>> {
    let dials = homes.iter().filter_map(|home| home.meter.as_ref());
    let rows = dials.flat_map(|dial| {
        dial.past.iter().map(|(on, register)| {
            vec![dial.serial.clone(), on.clone(), register.clone(), String::new()]
        })
    });
    rows.collect()
}

fn hoses(homes: &[Home]) -> Vec<Vec<String>> {
    let rows = homes.iter().flat_map(|home| {
        home.hoses.iter().map(|hose| {
            vec![
                hose.number.clone(),
                home.account.clone(),
                hose.kind.to_owned(),
                hose.length_mm.to_string(),
                hose.installed_on.clone(),
            ]
        })
    });
    rows.collect()
}

fn replacements(homes: &[Home]) -> Vec<Vec<String>> {
    let rows = homes.iter().flat_map(|home| {
        home.replacements.iter().map(|replaced| {
            let free = if replaced.is_free { "是" } else { "否" };
            vec![home.account.clone(), replaced.on.clone(), replaced.hose.clone(), free.to_owned()]
        })
    });
    rows.collect()
}

/// What the meter at the door of each job shows on the day.
fn registers(homes: &[Home], jobs: &[Vec<String>]) -> Vec<Vec<String>> {
    let meters: BTreeMap<&str, &home::Dial> = homes
        .iter()
        .filter_map(|home| Some((home.account.as_str(), home.meter.as_ref()?)))
        .collect();
    let row = |job: &Vec<String>| {
        let (number, account) = (job[0].clone(), job[2].clone());
        let dial = meters.get(account.as_str())?;
        Some(vec![number, account, dial.serial.clone(), dial.today.clone()])
    };
    jobs.iter().filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_demo_hall_is_what_the_generator_writes() {
        run(&root(), true).unwrap();
    }

    #[test]
    fn every_real_meter_hangs_on_one_wall() {
        let files = generate(&root()).unwrap();

        let past = files["hall/readings.csv"].lines().skip(1);
        let serials: std::collections::BTreeSet<&str> =
            past.filter_map(|line| line.split(',').next()).collect();
        assert_eq!(serials.len(), 200);
    }

    fn root() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
    }
}
