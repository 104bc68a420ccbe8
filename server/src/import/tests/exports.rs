//! Exports of other programs: any spelling of a header, what they leave out, only the good rows.

use domain::catalogue::Language;
use domain::household::{ApplianceKind, Group};
use domain::id::HouseholdId;
use domain::measure::Volume;
use rust_xlsxwriter::Workbook;

use super::{World, now};
use crate::db::{appliances, halls, households, meters};
use crate::import::content::{household_id, meter_id};
use crate::import::problem::Reason;
use crate::import::summary::{Counts, Thing};
use crate::import::{Bad, ImportError, Loaded, Mode, Teller, load_exports};

/// A hall that is there, and the files that are loaded into it.
struct Exports {
    world: World,
}

impl Exports {
    async fn new() -> Self {
        let world = World::small().await;
        world.load().await.unwrap();
        Self { world }
    }

    async fn load(&self, files: &[(&str, &[u8])], how: (Mode, Bad)) -> Result<Loaded, ImportError> {
        let hall =
            halls::list_halls(self.world.db.read().await.unwrap().c()).await.unwrap().remove(0);
        let files: Vec<_> =
            files.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())).collect();
        let mut nobody = std::io::sink();
        let mut teller = Teller { out: &mut nobody, language: Language::English };
        load_exports(&self.world.db, &hall, files, (now(), how.0, how.1), &mut teller).await
    }

    async fn csv(&self, text: &str) -> Loaded {
        let loaded =
            self.load(&[("导出.csv", text.as_bytes())], (Mode::BY_COMMAND, Bad::StopsAll)).await;
        loaded.unwrap_or_else(|error| panic!("{error:?} in {text}"))
    }

    async fn household(&self, account: &str) -> domain::household::Household {
        let mut conn = self.world.db.read().await.unwrap();
        let hall = self.hall().await;
        let id = household_id(hall, account);
        households::find_household(conn.c(), hall, id).await.unwrap().unwrap()
    }

    async fn hall(&self) -> domain::id::HallId {
        let mut conn = self.world.db.read().await.unwrap();
        domain::id::HallId(halls::list_halls(conn.c()).await.unwrap()[0].hall_id)
    }
}

#[tokio::test]
async fn headers_are_known_in_every_spelling() {
    let exports = Exports::new().await;
    for (number, header) in [
        "户号,户名,地址,电话",
        "用户编号,用户姓名,用气地址,联系电话",
        "客户编号,客户名称,装表地址,手机号码",
        "燃气户号,户主姓名,详细地址,联系方式",
        "Account No,Customer Name,Address,Mobile",
        " 用户 编号 ,姓名（必填）,地址：,电话(手机)",
    ]
    .into_iter()
    .enumerate()
    {
        let account = 2_000 + number;
        let text = format!("{header}\n{account},赵强,长江路{number}号,13800138000\n");

        let loaded = exports.csv(&text).await;

        assert_eq!(loaded.summary.of(Thing::Household).new, 1, "{header}");
        let found = exports.household(&account.to_string()).await;
        assert_eq!((found.holder.as_str(), found.phone.as_str()), ("赵强", "13800138000"));
    }
}

#[tokio::test]
async fn a_workbook_with_titles_sums_and_several_sheets_is_understood() {
    let exports = Exports::new().await;
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet().set_name("户表").unwrap();
    sheet
        .merge_range(0, 0, 0, 3, "芜湖某燃气公司用户清单", &rust_xlsxwriter::Format::new())
        .unwrap();
    sheet.write(1, 0, "导出时间：2026-11-20").unwrap();
    let users = [
        ["用户编号", "用户名称", "用气地址", "序号"],
        ["３００１", "孙丽", "北京路3号", "1"],
        ["3002", "周敏", "北京路4号", "2"],
        ["合计", "", "", "2"],
    ];
    for (row, cells) in (3..).zip(users) {
        for (column, cell) in (0..).zip(cells) {
            sheet.write(row, column, cell).unwrap();
        }
    }
    let sheet = workbook.add_worksheet().set_name("表具").unwrap();
    for (column, cell) in (0..).zip(["用户编号", "表钢号", "型号规格"]) {
        sheet.write(0, column, cell).unwrap();
    }
    for (column, cell) in (0..).zip(["3001", "N300", "G2.5"]) {
        sheet.write(1, column, cell).unwrap();
    }
    let sheet = workbook.add_worksheet().set_name("抄表").unwrap();
    for (column, cell) in (0..).zip(["气表号", "抄表日期", "本期止码"]) {
        sheet.write(0, column, cell).unwrap();
    }
    sheet.write(1, 0, "N300").unwrap();
    sheet.write(1, 1, 46_082).unwrap();
    sheet.write(1, 2, 1_234.5).unwrap();
    let bytes = workbook.save_to_buffer().unwrap();

    let loaded =
        exports.load(&[("户表.xlsx", &bytes)], (Mode::BY_COMMAND, Bad::StopsAll)).await.unwrap();

    let new = |thing| loaded.summary.of(thing).new;
    assert_eq!((new(Thing::Household), new(Thing::Meter), new(Thing::Reading)), (2, 1, 1));
    let table = &loaded.understood[0];
    assert_eq!(
        (table.file.as_str(), table.table, table.rows),
        ("户表.xlsx [户表]", "household", 2)
    );
    assert!(table.columns.contains(&("序号".to_owned(), None)), "{table:?}");
    let hall = exports.hall().await;
    let mut conn = exports.world.db.read().await.unwrap();
    let home: HouseholdId = household_id(hall, "3001");
    let found = meters::list_meters(conn.c(), home).await.unwrap().remove(0);
    assert_eq!((found.id, found.size.as_str()), (meter_id(hall, "N300"), "G2.5"));
    let reading = found.readings[0];
    assert_eq!(
        (reading.on.to_string().as_str(), reading.register),
        ("2026-03-01", Volume(1_234_500))
    );
    drop(conn);
    let again =
        exports.load(&[("户表.xlsx", &bytes)], (Mode::BY_COMMAND, Bad::StopsAll)).await.unwrap();
    let total = again.summary.total();
    assert_eq!((total.new, total.changed, total.unchanged), (0, 0, 4), "twice changes nothing");
}

#[tokio::test]
async fn what_a_file_has_no_column_for_stays_as_it_is() {
    let exports = Exports::new().await;
    let before = exports.household("1001").await;

    let loaded = exports.csv("户号,户名,地址\n1001,王桂兰,文化路1号甲\n").await;

    let counts = loaded.summary.of(Thing::Household);
    assert_eq!(counts, Counts { changed: 1, ..Counts::default() });
    let after = exports.household("1001").await;
    assert_eq!(after.address, "文化路1号甲");
    assert_eq!((&after.phone, &after.groups), (&before.phone, &before.groups));
    assert_eq!((after.place, &after.access), (before.place, &before.access));
}

#[tokio::test]
async fn groups_hoses_and_appliances_name_households_that_are_there() {
    let exports = Exports::new().await;

    exports.csv("户号,特殊群体\n1002,孤寡老人\n").await;
    exports.csv("户号,软管材质,长度(米),安装时间\n1002,胶管,1.5,2025年3月1日\n").await;
    exports.csv("户号,燃具名称,生产厂家,熄火保护装置\n1002,燃气灶,宏图,有\n").await;

    assert!(exports.household("1002").await.groups.contains(&Group::Elderly));
    let hall = exports.hall().await;
    let mut conn = exports.world.db.read().await.unwrap();
    let hoses = crate::db::hoses::list_hoses(conn.c(), household_id(hall, "1002")).await.unwrap();
    assert_eq!(
        (hoses[0].length_mm, hoses[0].installed_on.to_string().as_str()),
        (1_500, "2025-03-01")
    );
    let found = appliances::list_hall_appliances(conn.c(), hall).await.unwrap();
    let (home, stove) = found.values().next().unwrap();
    assert_eq!(*home, household_id(hall, "1002"));
    assert_eq!((stove.kind, stove.flame_out), (ApplianceKind::Stove, Some(true)));
}

#[tokio::test]
async fn only_the_good_rows_are_loaded_when_asked() {
    let exports = Exports::new().await;
    let files: [(&str, &[u8]); 2] = [
        ("用户.csv", "户号,户名,地址,电话\n4001,甲,路1号,123\n4002,乙,路2号,\n".as_bytes()),
        ("表.csv", "户号,表号,规格\n4001,M401,G4\n4002,M402,G4\n9999,M999,G4\n".as_bytes()),
    ];

    let refused = exports.load(&files, (Mode::BY_COMMAND, Bad::StopsAll)).await.unwrap_err();
    let ImportError::Problems(problems) = refused else { panic!("{refused:?}") };
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert_eq!(exports.world.count("household").await, 2, "all or nothing");
    let loaded = exports.load(&files, (Mode::BY_COMMAND, Bad::IsLeftOut)).await.unwrap();

    let new = |thing| loaded.summary.of(thing).new;
    assert_eq!((new(Thing::Household), new(Thing::Meter)), (1, 1));
    let named: Vec<_> = loaded
        .problems
        .iter()
        .map(|it| (it.file.as_str(), it.line, it.column.as_deref().unwrap()))
        .collect();
    let expected = [("用户.csv", 2, "电话"), ("表.csv", 4, "户号"), ("表.csv", 2, "户号")];
    assert_eq!(named, expected, "with those that name what was left out");
}

#[tokio::test]
async fn a_trial_tells_what_would_be_and_writes_nothing() {
    let exports = Exports::new().await;
    let text = "户号,户名,地址\n5001,甲,路1号\n".as_bytes();

    let tried = exports.load(&[("a.csv", text)], (Mode::Try, Bad::StopsAll)).await.unwrap();

    assert_eq!(tried.summary.of(Thing::Household).new, 1);
    assert_eq!(exports.world.count("household").await, 2);
}

#[tokio::test]
async fn a_file_that_is_no_table_is_named_with_what_to_do() {
    let exports = Exports::new().await;
    let png: &[u8] = b"\x89PNG\r\n\x1a\n";
    let near = "表号,抄表日期\nM1,2026-01-01\n".as_bytes();
    let missing = Reason::TableUnclear { table: "reading", missing: "读数".to_owned() };
    for (bytes, reason) in [
        (png, Reason::NotATable),
        ("天气,温度\n晴,3\n".as_bytes(), Reason::TableUnknown),
        (near, missing),
    ] {
        let refused =
            exports.load(&[("照片.xlsx", bytes)], (Mode::BY_COMMAND, Bad::StopsAll)).await;
        let Err(ImportError::Problems(problems)) = refused else { panic!("{refused:?}") };
        assert_eq!((problems[0].file.as_str(), &problems[0].reason), ("照片.xlsx", &reason));
        for language in [Language::Chinese, Language::English] {
            let told = problems[0].tell(language);
            assert!(!told.contains("import.") && !told.contains('{'), "{told}");
        }
    }
}
