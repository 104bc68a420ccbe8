//! The ten neighbourhoods of the demo hall: real streets of Wuhu, invented estates, approximate places.

/// The city, as addresses begin.
pub(crate) const CITY: &str = "芜湖市镜湖区";

/// Doors in each neighbourhood.
pub(crate) const DOORS: usize = 32;

/// Doors that share a building and so almost a place.
const DOORS_A_BUILDING: usize = 4;

/// One technician's neighbourhood.
pub(crate) struct Quarter {
    /// A real street.
    pub(crate) street: &'static str,
    /// Two invented estates on it: no such gate exists, so no address is anybody's.
    pub(crate) estates: [&'static str; 2],
    /// Micro-degrees north and east of the first door.
    origin: (i32, i32),
    /// Whether it lies on the slope of one of the city's hills.
    pub(crate) is_hilly: bool,
}

/// All neighbourhoods, in the order of the technicians who walk them.
pub(crate) const QUARTERS: [Quarter; 10] = [
    quarter("吉和街", ["听江里", "石板巷小区"], (31_336_000, 118_361_800), false),
    quarter("中山路", ["枕河坊", "百货宿舍甲院"], (31_332_400, 118_365_900), false),
    quarter("环城北路", ["城垣里", "古井巷小区"], (31_327_200, 118_368_800), false),
    quarter("北京西路", ["雨坡里", "石阶新村乙区"], (31_338_100, 118_366_300), true),
    quarter("赭山西路", ["望塔里", "松岗宿舍"], (31_344_600, 118_364_600), true),
    quarter("赭山中路", ["山门里", "枫坡小区"], (31_339_500, 118_377_300), true),
    quarter("文化路", ["书院里", "槐荫宿舍"], (31_332_700, 118_376_400), false),
    quarter("九华中路", ["九莲里", "纺机新村丙区"], (31_334_600, 118_384_900), false),
    quarter("黄山中路", ["桂影里", "站东小区甲区"], (31_343_500, 118_389_600), false),
    quarter("天门山西路", ["矶头里", "听涛宿舍"], (31_355_300, 118_365_700), true),
];

const fn quarter(
    street: &'static str,
    estates: [&'static str; 2],
    origin: (i32, i32),
    is_hilly: bool,
) -> Quarter {
    Quarter { street, estates, origin, is_hilly }
}

/// Where and what a door is.
pub(crate) struct Door {
    /// The address as people there write it.
    pub(crate) address: String,
    /// Degrees north with six decimals.
    pub(crate) latitude: String,
    /// Degrees east with six decimals.
    pub(crate) longitude: String,
    /// The floor, counted from one.
    pub(crate) floor: usize,
}

impl Quarter {
    /// Finds a door; following numbers are a walk along two rows of buildings and back.
    pub(crate) fn door(&self, number: usize, jitter: (u32, u32)) -> Door {
        let building = number / DOORS_A_BUILDING;
        let (row, along) = (building / 4, building % 4);
        let column = if row == 0 { along } else { 3 - along };
        // Some 70 m between buildings and 80 m between rows; the jitter keeps doors within a few metres.
        let north = self.origin.0 + micro(row * 720) + jitter.0.cast_signed();
        let east = self.origin.1 + micro(column * 740) + jitter.1.cast_signed();
        let place_in_building = number % DOORS_A_BUILDING;
        let floor = 1 + (number * 5 + building) % 6;
        let address = format!(
            "{CITY}{}{}{}幢{}单元{}0{}室",
            self.street,
            self.estates[row],
            1 + column,
            1 + place_in_building / 2,
            floor,
            1 + place_in_building % 2,
        );
        Door { address, latitude: degrees(north), longitude: degrees(east), floor }
    }
}

fn micro(offset: usize) -> i32 {
    i32::try_from(offset).expect("a neighbourhood is small")
}

fn degrees(micro: i32) -> String {
    format!("{}.{:06}", micro / 1_000_000, micro % 1_000_000)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_doors_share_an_address() {
        let addresses: BTreeSet<String> = QUARTERS
            .iter()
            .flat_map(|quarter| (0..DOORS).map(|number| quarter.door(number, (0, 0)).address))
            .collect();

        assert_eq!(addresses.len(), QUARTERS.len() * DOORS);
    }

    #[test]
    fn the_next_door_is_never_far() {
        for number in 1..DOORS {
            let (a, b) = (QUARTERS[0].door(number - 1, (0, 0)), QUARTERS[0].door(number, (0, 0)));
            let apart = |a: &str, b: &str| {
                (a.parse::<f64>().unwrap() - b.parse::<f64>().unwrap()).abs() < 0.000_9
            };
            assert!(apart(&a.latitude, &b.latitude) && apart(&a.longitude, &b.longitude));
        }
    }
}
