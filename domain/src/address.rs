//! Addresses of the register cut into road and building, so that an area can be named without a map.
//!
//! Registers hold one line of text. What is cut off here is always its beginning, so that two roads of one name in two
//! districts stay two, and an address belongs to exactly one road and one building.

/// What a road's name ends with.
const ROADS: [&str; 6] = ["大道", "大街", "胡同", "路", "街", "巷"];

/// What looks like a road's end and is none: a subdistrict, a crossing.
const NO_ROADS: [&str; 3] = ["街道", "路口", "街坊"];

/// What a building's name ends with.
const BUILDINGS: [&str; 4] = ["号楼", "幢", "栋", "座"];

/// The address up to its road's end; `None` where no road is named.
pub fn road(address: &str) -> Option<&str> {
    let mut at = 0;
    while let Some(letter) = address[at..].chars().next() {
        let rest = &address[at..];
        if let Some(other) = NO_ROADS.iter().find(|it| rest.starts_with(**it)) {
            at += other.len();
            continue;
        }
        // A name stands before the word.
        if let Some(word) = ROADS.iter().find(|it| at > 0 && rest.starts_with(**it)) {
            return Some(&address[..at + word.len()]);
        }
        at += letter.len_utf8();
    }
    None
}

/// The address up to its building's end; the whole address where nothing says where that is.
pub fn building(address: &str) -> &str {
    let after = road(address).map_or(0, str::len);
    let rest = &address[after..];
    let outside = rest.find("单元").map_or(rest, |at| &rest[..at]);
    let ends = |word: &str| outside.rfind(word).map(|at| after + at + word.len());
    if let Some(end) = BUILDINGS.iter().filter_map(|word| ends(word)).max() {
        return &address[..end];
    }
    if let Some(end) = ends("号").filter(|end| !address[*end..].starts_with('室')) {
        return &address[..end];
    }
    let door = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    let without = rest.strip_suffix('室').map(|it| it.trim_end_matches(door));
    match without.filter(|it| !it.is_empty()) {
        Some(without) => &address[..after + without.len()],
        None => address,
    }
}

/// An address, or its beginning, without the city and district that everybody there knows.
pub fn short(address: &str) -> &str {
    let Some(city) = address.find(['市', '县']) else { return address };
    let behind = city + '市'.len_utf8();
    let district = address[behind..].char_indices().take(5).skip(1).find(|(_, it)| *it == '区');
    let start = behind + district.map_or(0, |(at, it)| at + it.len_utf8());
    Some(&address[start..]).filter(|it| !it.is_empty()).unwrap_or(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_cut_where_people_cut_them() {
        for (address, road_of, building_of) in [
            (
                "芜湖市镜湖区吉和街听江里1幢1单元101室",
                Some("芜湖市镜湖区吉和街"),
                "芜湖市镜湖区吉和街听江里1幢",
            ),
            (
                "芜湖市镜湖区吉和街石板巷小区4幢2单元301室",
                Some("芜湖市镜湖区吉和街"),
                "芜湖市镜湖区吉和街石板巷小区4幢",
            ),
            (
                "芜湖市镜湖区黄山中路站东小区甲区4幢101室",
                Some("芜湖市镜湖区黄山中路"),
                "芜湖市镜湖区黄山中路站东小区甲区4幢",
            ),
            ("赭山街道文化路12号3号楼402室", Some("赭山街道文化路"), "赭山街道文化路12号3号楼"),
            ("文化路12号402室", Some("文化路"), "文化路12号"),
            ("长江大道88号A座1201室", Some("长江大道"), "长江大道88号A座"),
            ("听江里1幢101室", None, "听江里1幢"),
            ("河东村101室", None, "河东村"),
            ("路边小屋", None, "路边小屋"),
            ("301室", None, "301室"),
            ("12 Mill Lane", None, "12 Mill Lane"),
            ("", None, ""),
        ] {
            assert_eq!(road(address), road_of, "{address}");
            assert_eq!(building(address), building_of, "{address}");
        }
    }

    #[test]
    fn a_short_address_leaves_city_and_district_out() {
        for (address, says) in [
            ("芜湖市镜湖区吉和街听江里1幢", "吉和街听江里1幢"),
            ("无为县文化路3号", "文化路3号"),
            ("站东小区甲区4幢", "站东小区甲区4幢"),
            ("芜湖市", "芜湖市"),
        ] {
            assert_eq!(short(address), says, "{address}");
        }
    }
}
