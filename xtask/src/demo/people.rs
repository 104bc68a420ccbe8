//! The demo hall's staff and the names and numbers of its households.

use super::prng::Prng;

/// A person with a log-in.
pub(crate) struct Person {
    /// What the person types to sign in.
    pub(crate) login: &'static str,
    /// The name.
    pub(crate) name: &'static str,
    /// The role, as the hall calls it.
    pub(crate) role: &'static str,
    /// Whether they are sent to leaks.
    pub(crate) is_crew: bool,
}

/// Everybody who works in the hall; the technicians come first, in the order of their neighbourhoods.
pub(crate) const STAFF: [Person; 15] = [
    crew("jiang.hai", "姜海"),
    person("tao.jun", "陶军", TECHNICIAN),
    person("wei.minghui", "魏明辉", TECHNICIAN),
    person("shao.lan", "邵岚", TECHNICIAN),
    person("ruan.zhiqiang", "阮志强", TECHNICIAN),
    person("xia.guoping", "夏国平", TECHNICIAN),
    person("pan.xiaoyu", "潘晓宇", TECHNICIAN),
    crew("cheng.dali", "程大力"),
    crew("fang.jinhua", "方锦华"),
    crew("yu.wenbo", "俞文博"),
    person("he.jing", "何静", "调度员"),
    person("dai.xinyi", "戴欣怡", "调度员"),
    person("gu.hong", "顾红", "营业员"),
    person("shi.zhengyuan", "施正远", "经理"),
    person("admin", "系统管理员", "管理员"),
];

/// The dispatcher who takes calls in the morning.
pub(crate) const DISPATCHERS: [&str; 2] = ["he.jing", "dai.xinyi"];

/// Who sits at the counter.
pub(crate) const COUNTER: &str = "gu.hong";

const fn person(login: &'static str, name: &'static str, role: &'static str) -> Person {
    Person { login, name, role, is_crew: false }
}

const fn crew(login: &'static str, name: &'static str) -> Person {
    Person { login, name, role: TECHNICIAN, is_crew: true }
}

/// The role of whoever goes to doors.
pub(crate) const TECHNICIAN: &str = "技术员";

/// What somebody is able to do, as the hall writes it; whoever never goes to a door has nothing written down.
///
/// In a small hall everybody does everything but leaks, for which some are trained.
pub(crate) fn skills(person: &Person) -> String {
    let usual = ["燃气用户安装检修工", "安检员", "抄表员"];
    let crew = person.is_crew.then_some("抢修员");
    if person.role == TECHNICIAN {
        usual.into_iter().chain(crew).collect::<Vec<_>>().join(";")
    } else {
        String::new()
    }
}

/// The password to begin with, of use in a demo only.
pub(crate) fn password(person: &Person) -> String {
    format!("demo-{}-2026", person.login)
}

/// Numbers telephones so that none can be anybody's.
///
/// Within a city no number begins with 0, so behind Wuhu's area code 0553 such a number is never given out.
pub(crate) fn phone(number: usize) -> String {
    format!("0553-0{:06}", 200_000 + number)
}

const SURNAMES: [&str; 28] = [
    "王", "李", "张", "刘", "陈", "杨", "黄", "赵", "吴", "周", "徐", "孙", "马", "朱", "胡", "郭",
    "林", "高", "梁", "郑", "罗", "宋", "谢", "唐", "许", "邓", "汪", "章",
];

const GIVEN_NAMES: [&str; 36] = [
    "桂兰", "秀英", "建国", "德明", "玉珍", "国庆", "志远", "晓燕", "文静", "海涛", "丽华", "永康",
    "春生", "金凤", "家栋", "雅琴", "立新", "红梅", "子涵", "浩然", "思雨", "长根", "美云", "振邦",
    "菊香", "少华", "守义", "佩芬", "一鸣", "若曦", "根宝", "兰芳", "启明", "翠萍", "云飞", "月娥",
];

/// Makes up the name of an account's holder.
pub(crate) fn holder(prng: &mut Prng) -> String {
    format!("{}{}", prng.pick(&SURNAMES), prng.pick(&GIVEN_NAMES))
}

/// Makes up what one has to know to get in; most doors need nothing.
pub(crate) fn access(prng: &mut Prng, is_hilly: bool, floor: usize) -> String {
    if is_hilly && prng.chance(35) {
        let steps = prng.between(3, 11) * 10;
        return format!("巷口上台阶约{steps}级，车停坡下");
    }
    if floor >= 5 && prng.chance(30) {
        return "无电梯，工具少带".to_owned();
    }
    if !prng.chance(30) {
        return String::new();
    }
    (*prng.pick(&[
        "门铃坏，请敲门",
        "家有狗，先打电话",
        "单元门禁，打电话开门",
        "表在楼道公用表箱",
        "表在厨房吊柜内，请先征得同意",
        "老人耳背，多敲一会儿",
        "院内信号差",
        "地下室表房，无信号",
    ]))
    .to_owned()
}
