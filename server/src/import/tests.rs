//! What an import may and may not do, on the demo hall and on a small hall with one mistake.

mod bad_rows;
mod demo_hall;
mod exports;

use std::path::Path;

use chrono::{DateTime, NaiveDate};
use domain::catalogue::Language;
use domain::stamp::Timestamp;

use super::problem::Problem;
use super::{Bad, ImportError, Mode, Summary, Teller, load_folder};
use crate::db::Db;

/// The files of a hall with one of everything.
const SMALL_HALL: [(&str, &str); 8] = [
    (
        "hall.toml",
        "name = \"厅\"\ncity = \"芜湖\"\nutc_offset_minutes = 480\nday = \"2026-11-24\"\n",
    ),
    (
        "staff.csv",
        "登录名,姓名,岗位,初始密码\n\
         ana,安娜,技术员,kettle sings at noon\n\
         ben,本,dispatcher,lamps hum after dusk\n",
    ),
    (
        "households.csv",
        "户号,户名,地址,电话,纬度,经度,群体,上门须知\n\
         1001,王桂兰,文化路1号,0553-0200000,31.33,118.37,老年人;残疾人,门铃坏\n\
         1002,李建国,文化路2号,0553-0200001,,,,\n",
    ),
    ("meters.csv", "户号,表号,规格,位数\n1001,M1,G4,5\n"),
    ("readings.csv", "表号,日期,读数,备注\nM1,2026-07-20,120.5,\nM1,2026-09-20,118,换表芯\n"),
    ("hoses.csv", "软管编号,户号,材质,长度毫米,安装日期\nR1,1001,橡胶软管,1500,2024-05-06\n"),
    ("replacements.csv", "户号,日期,软管编号,免费\n1001,2024-05-06,R1,是\n"),
    (
        "jobs.csv",
        "工单号,类型,户号,要求,登记时间,登记人,预约开始,预约结束,约定方式,技术员\n\
         J1,换软管,1001,软管到期,2026-11-23 09:00,ben,2026-11-24 08:00,2026-11-24 10:00,电话,ana\n\
         J2,meter_reading,1001,,2026/11/23 9:05,ben,2026/11/24 8:00,2026/11/24 10:00,phone,ana\n\
         J3,抢修,1002,有燃气味,2026-11-24 07:30,ben,,,,\n",
    ),
];

/// A folder and a database that vanish with the test.
struct World {
    folder: tempfile::TempDir,
    db: Db,
}

impl World {
    async fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("hall.db").display());
        Self { db: Db::open(&url).await.unwrap(), folder }
    }

    /// A world with the files of the small hall.
    async fn small() -> Self {
        let world = Self::empty().await;
        for (file, text) in SMALL_HALL {
            std::fs::write(world.folder.path().join(file), text).unwrap();
        }
        world
    }

    /// Replaces a piece of a file, which has to stand there once.
    #[track_caller]
    fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.folder.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{from} in {file}");
        std::fs::write(path, text.replace(from, to)).unwrap();
    }

    async fn load(&self) -> Result<Summary, ImportError> {
        load(&self.db, self.folder.path(), None).await
    }

    /// Loads what must be refused.
    async fn problems(&self) -> Vec<Problem> {
        let ImportError::Problems(problems) = self.load().await.unwrap_err() else {
            panic!("the files are not what was refused");
        };
        problems
    }

    async fn count(&self, table: &'static str) -> i64 {
        let sql = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
        self.db.read().await.unwrap().c().q(sql).scalar().await.unwrap()
    }
}

async fn load(db: &Db, folder: &Path, day: Option<NaiveDate>) -> Result<Summary, ImportError> {
    let mut nobody = std::io::sink();
    let mut teller = Teller { out: &mut nobody, language: Language::English };
    let how = (now(), Mode::BY_COMMAND, Bad::StopsAll);
    load_folder(db, folder, day, how, &mut teller).await.map(|loaded| loaded.summary)
}

/// Six in the morning of the files' day.
fn now() -> Timestamp {
    DateTime::from_timestamp_millis(1_795_471_200_000).unwrap()
}
