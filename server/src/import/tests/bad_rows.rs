//! Each kind of bad row is named by file, line, column and reason, and nothing is loaded.

use domain::catalogue::Language;

use super::World;
use crate::command::import::{BadRows, Import};
use crate::config::Config;
use crate::identity::password::ChoosePasswordError;
use crate::import::problem::{Problem, Reason};

/// One mistake: in this file this text becomes that, and line and column are named for the reason.
type Mistake = (&'static str, &'static str, &'static str, u64, Option<&'static str>, Reason);

async fn check((file, from, to, line, column, reason): Mistake) {
    let world = World::small().await;
    world.edit(file, from, to);

    let problems = world.problems().await;

    let (first, rest) = problems.split_first().expect("a problem");
    let found = (first.file.as_str(), first.line, first.column.as_deref());
    assert_eq!(found, (file, line, column), "{to}");
    assert_eq!(first.reason, reason, "{to}");
    // A row that is wrong is no reason to complain about those that name it; a name that is gone is.
    let is_dangling = |reason: &Reason| matches!(reason, Reason::Unknown { .. });
    assert!(rest.iter().all(|problem| is_dangling(&problem.reason)), "{problems:?}");
    assert!(rest.is_empty() || from.starts_with('\n'), "{problems:?}");
    assert_eq!((world.count("hall").await, world.count("household").await), (0, 0));
    problems.iter().for_each(assert_every_language_says);
}

/// No sentence is missing, and no argument of it.
fn assert_every_language_says(problem: &Problem) {
    for language in [Language::Chinese, Language::English] {
        let told = problem.tell(language);
        assert!(told.contains(&format!("{}:{}", problem.file, problem.line)), "{told}");
        assert!(!told.contains("import.") && !told.contains('{'), "{told}");
    }
}

#[tokio::test]
async fn a_skill_that_the_rule_pack_does_not_name_is_named() {
    let world = World::small().await;
    world.edit("staff.csv", "初始密码\n", "初始密码,技能\n");
    world.edit("staff.csv", "noon\n", "noon,抄表员；杂技\n");
    world.edit("staff.csv", "dusk\n", "dusk,\n");

    let problems = world.problems().await;

    let words = "抢修员 emergency_crew, 燃气用户安装检修工 gas_fitter, 燃气管道安装工 installer, 安检员 inspector, 抄表员 meter_reader";
    let problem = &problems[0];
    assert_eq!((problem.line, problem.column.as_deref()), (2, Some("技能")));
    assert_eq!(problem.reason, Reason::NotAWord { words: words.into() });
}

#[tokio::test]
async fn a_bad_person_is_named() {
    let password = |refused| Reason::Password(refused);
    let roles = "技术员 technician, 调度员 dispatcher, 营业员 hall, 经理 manager, 管理员 admin";
    for mistake in [
        ("staff.csv", "\nana,", "\na b,", 2, Some("登录名"), Reason::NotALogin),
        ("staff.csv", "\nben,", "\nANA,", 3, Some("登录名"), Reason::Twice { line: 2 }),
        ("staff.csv", "安娜", " ", 2, Some("姓名"), Reason::Empty),
        (
            "staff.csv",
            "dispatcher",
            "boss",
            3,
            Some("岗位"),
            Reason::NotAWord { words: roles.into() },
        ),
        (
            "staff.csv",
            "kettle sings at noon",
            "kettle",
            2,
            Some("初始密码"),
            password(ChoosePasswordError::TooShort),
        ),
        (
            "staff.csv",
            "kettle sings at noon",
            "password1234",
            2,
            Some("初始密码"),
            password(ChoosePasswordError::TooCommon),
        ),
        (
            "staff.csv",
            "lamps hum after dusk",
            "ben.ben.ben.ben",
            3,
            Some("初始密码"),
            password(ChoosePasswordError::Guessable),
        ),
    ] {
        check(mistake).await;
    }
}

#[tokio::test]
async fn a_bad_household_is_named_once() {
    let groups = "老年人 elderly, 残疾人 disabled, 烈属 martyr_family, 军属 soldier_family";
    for mistake in [
        ("households.csv", "王桂兰", "", 2, Some("户名"), Reason::Empty),
        ("households.csv", "文化路1号", "", 2, Some("地址"), Reason::Empty),
        ("households.csv", "0553-0200000", "1234", 2, Some("电话"), Reason::NotAPhone),
        ("households.csv", "31.33", "91", 2, Some("纬度"), Reason::NotAPlace),
        ("households.csv", ",118.37", ",", 2, Some("经度"), Reason::Empty),
        (
            "households.csv",
            "老年人;",
            "老汉;",
            2,
            Some("群体"),
            Reason::NotAWord { words: groups.into() },
        ),
        ("households.csv", "\n1002,", "\n1001,", 3, Some("户号"), Reason::Twice { line: 2 }),
        ("households.csv", "\n1002,", "\nU-2,", 3, Some("户号"), Reason::AccountOfPlaces),
    ] {
        check(mistake).await;
    }
}

#[tokio::test]
async fn a_bad_meter_or_reading_is_named() {
    let before = "120.5 (2026-07-20)".to_owned();
    let digits = Reason::OutOfRange { lowest: 4, highest: 8 };
    let unknown_account = Reason::Unknown { file: "households.csv" };
    for mistake in [
        ("meters.csv", "\n1001,", "\n9999,", 2, Some("户号"), unknown_account),
        ("meters.csv", "G4,5", "G4,3", 2, Some("位数"), digits),
        ("meters.csv", "G4,5", ",5", 2, Some("规格"), Reason::Empty),
        (
            "meters.csv",
            "M1,G4,5\n",
            "M1,G4,5\n1002,M1,G4,5\n",
            3,
            Some("表号"),
            Reason::Twice { line: 2 },
        ),
        (
            "readings.csv",
            "M1,2026-07",
            "M2,2026-07",
            2,
            Some("表号"),
            Reason::Unknown { file: "meters.csv" },
        ),
        ("readings.csv", "2026-07-20", "2026-02-30", 2, Some("日期"), Reason::NotADay),
        ("readings.csv", "2026-07-20", "2026-12-01", 2, Some("日期"), Reason::AfterTheDay),
        ("readings.csv", "2026-09-20", "2026-07-20", 3, Some("日期"), Reason::Twice { line: 2 }),
        ("readings.csv", "120.5", "-1", 2, Some("读数"), Reason::NotARegister),
        ("readings.csv", "118,", "100000,", 3, Some("读数"), Reason::RegisterTooLong { digits: 5 }),
        ("readings.csv", "换表芯", "", 3, Some("读数"), Reason::RegisterWentBack { before }),
    ] {
        check(mistake).await;
    }
}

#[tokio::test]
async fn a_bad_hose_or_replacement_is_named() {
    let kinds =
        Reason::NotAWord { words: "橡胶软管 rubber, 不锈钢波纹管 corrugated".into() };
    let length = Reason::OutOfRange { lowest: 200, highest: 10_000 };
    let free = Reason::NotAWord { words: "是 yes, 否 no".into() };
    let unknown = Reason::Unknown { file: "households.csv" };
    let elsewhere = Reason::HoseElsewhere { account: "1001".into() };
    for mistake in [
        ("hoses.csv", "橡胶软管", "纸管", 2, Some("材质"), kinds),
        ("hoses.csv", "1500", "15", 2, Some("长度毫米"), length),
        ("hoses.csv", "2024-05-06", "昨天", 2, Some("安装日期"), Reason::NotADay),
        ("replacements.csv", "\n1001,", "\n1003,", 2, Some("户号"), unknown),
        ("replacements.csv", "\n1001,", "\n1002,", 2, Some("软管编号"), elsewhere),
        ("replacements.csv", "是", "也许", 2, Some("免费"), free),
        ("replacements.csv", "2024-05-06", "2027-05-06", 2, Some("日期"), Reason::AfterTheDay),
    ] {
        check(mistake).await;
    }
}

#[tokio::test]
async fn a_bad_job_is_named() {
    let staff = || Reason::Unknown { file: "staff.csv" };
    let window = "2026-11-24 08:00,2026-11-24 10:00,电话";
    for mistake in [
        ("jobs.csv", "\nJ2,", "\nJ1,", 3, Some("工单号"), Reason::Twice { line: 2 }),
        (
            "jobs.csv",
            "J1,换软管,1001",
            "J1,换软管,4711",
            2,
            Some("户号"),
            Reason::Unknown { file: "households.csv" },
        ),
        ("jobs.csv", "2026-11-23 09:00,ben", "2026-11-23 09:00,eve", 2, Some("登记人"), staff()),
        ("jobs.csv", "电话,ana", "电话,eve", 2, Some("技术员"), staff()),
        ("jobs.csv", "电话,ana", "电话,ben", 2, Some("技术员"), Reason::NotATechnician),
        ("jobs.csv", "2026-11-23 09:00", "2026-11-23", 2, Some("登记时间"), Reason::NotAnInstant),
        (
            "jobs.csv",
            "2026-11-23 09:00",
            "2026-11-24 10:00",
            2,
            Some("预约结束"),
            Reason::WindowBeforeRequest,
        ),
        (
            "jobs.csv",
            window,
            "2026-11-24 10:00,2026-11-24 10:00,电话",
            2,
            Some("预约结束"),
            Reason::WindowEndsFirst,
        ),
        ("jobs.csv", window, "2026-11-24 08:00,,电话", 2, Some("预约结束"), Reason::HalfAWindow),
        (
            "jobs.csv",
            window,
            "2026-11-24 08:00,2026-11-24 10:00,",
            2,
            Some("约定方式"),
            Reason::HalfAWindow,
        ),
        ("jobs.csv", window, ",,,", 2, None, Reason::CellCount { expected: 10, found: 11 }),
    ] {
        check(mistake).await;
    }
}

#[tokio::test]
async fn a_kind_or_channel_that_is_no_word_is_named_with_the_words_that_are() {
    for (from, to, column) in [("换软管", "喝茶", "类型"), ("phone", "pigeon", "约定方式")]
    {
        let world = World::small().await;
        world.edit("jobs.csv", from, to);

        let problems = world.problems().await;

        let [problem] = problems.as_slice() else { panic!("{problems:?}") };
        assert_eq!(problem.column.as_deref(), Some(column));
        assert!(
            matches!(&problem.reason, Reason::NotAWord { words } if words.contains("电话 phone")
            || words.contains("抢修 emergency"))
        );
    }
}

#[tokio::test]
async fn a_bad_file_is_named() {
    let world = World::small().await;
    world.edit("meters.csv", "规格", "尺寸");
    let reasons: Vec<_> =
        world.problems().await.into_iter().map(|it| (it.line, it.reason)).collect();
    assert_eq!(reasons[..2], [(1, Reason::ColumnMissing), (1, Reason::ColumnUnknown)]);

    let world = World::small().await;
    std::fs::write(world.folder.path().join("hoses.csv"), b"\xff\xff\xff").unwrap();
    assert_eq!(world.problems().await[0].reason, Reason::UnknownEncoding);

    let world = World::small().await;
    std::fs::remove_file(world.folder.path().join("replacements.csv")).unwrap();
    assert!(matches!(world.problems().await[0].reason, Reason::Unreadable(_)));

    let world = World::small().await;
    world.edit("hall.toml", "2026-11-24", "2026-11-31");
    let problems = world.problems().await;
    assert!(matches!(problems[0].reason, Reason::BadSettings(_)));
    problems.iter().for_each(assert_every_language_says);
}

#[tokio::test]
async fn a_log_in_of_another_hall_is_named() {
    let world = World::small().await;
    world.load().await.unwrap();
    world.edit("hall.toml", "厅", "另一个厅");

    let problems = world.problems().await;

    let places: Vec<_> = problems.iter().map(|it| (it.line, it.reason.clone())).collect();
    assert_eq!(places, [(2, Reason::LoginElsewhere), (3, Reason::LoginElsewhere)]);
    assert_eq!(world.count("hall").await, 1);
    problems.iter().for_each(assert_every_language_says);
}

#[tokio::test]
async fn the_command_tells_every_bad_row_and_fails() {
    let world = World::small().await;
    world.edit("meters.csv", "G4,5", "G4,55");
    world.edit("jobs.csv", "电话,ana", "电话,ben");
    let url = format!("sqlite:{}", world.folder.path().join("other.db").display());
    let command = Import {
        paths: vec![world.folder.path().to_owned()],
        database: Some(url),
        hall: None,
        only_good: false,
        only_try: false,
        problems: None,
        day: None,
        language: "en".to_owned(),
    };
    let mut told = Vec::new();

    let error = command.run(&Config::default(), &mut told).await.unwrap_err();

    let told = String::from_utf8(told).unwrap();
    assert!(error.is::<BadRows>());
    assert!(told.contains("meters.csv:2 位数 \"55\": is not a whole number from 4 to 8"), "{told}");
    assert!(told.contains("jobs.csv:2 技术员 \"ben\": is not a technician"), "{told}");
    assert!(told.ends_with("2 problems, nothing was loaded; mend them and import again\n"));
}

#[tokio::test]
async fn a_wrong_password_is_not_repeated_on_the_screen() {
    let world = World::small().await;
    world.edit("staff.csv", "kettle sings at noon", "s3cret");

    let told = world.problems().await[0].tell(Language::English);

    assert!(!told.contains("s3cret"), "{told}");
}
