//! Where a place that somebody describes in words is likely to be, by the doors that are known.
//!
//! No list of roads is needed: what the words share with the addresses of the register is the road, the compound or the
//! district, and the doors that share most of it lie there.

use crate::place::Place;

/// Letters that have to be the same one after another; two are shared by half a city.
const SHORTEST_SHARED: usize = 3;

/// A door that is known: its address, and where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Door {
    /// As people there write it.
    pub address: String,
    /// Where it was surveyed.
    pub place: Place,
}

/// Where a place is likely to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Likely {
    /// A known door near it.
    pub place: Place,
    /// What the words share with the address of that door; `None` when it is only the middle of all doors.
    pub shared: Option<String>,
}

/// Finds the middle of the doors whose addresses share most with the words, and of them those with the nearest number;
/// without any the middle of all doors. `None` when no door is known.
pub fn locate(words: &str, doors: &[Door]) -> Option<Likely> {
    let words = letters(words);
    let shares: Vec<_> = doors.iter().map(|door| (shared(&words, &door.address), door)).collect();
    let longest = shares.iter().map(|(run, _)| run.length).max()?;
    if longest < SHORTEST_SHARED {
        return Some(Likely { place: middle(&doors.iter().collect::<Vec<_>>()), shared: None });
    }
    let near: Vec<_> = shares.iter().filter(|(run, _)| run.length == longest).collect();
    let distance = |run: &Run| run.numbers.map_or(u32::MAX, |(said, known)| said.abs_diff(known));
    let nearest = near.iter().map(|(run, _)| distance(run)).min()?;
    let found = near.iter().filter(|(run, _)| distance(run) == nearest).map(|(_, door)| *door);
    // What every address shares is the city: it says nothing of where in it.
    let says_something = near.len() < doors.len() || doors.len() == 1;
    let run = &near.first()?.0;
    let text = || words[run.start..run.start + run.length].iter().collect();
    Some(Likely { place: middle(&found.collect::<Vec<_>>()), shared: says_something.then(text) })
}

/// What words and an address share.
struct Run {
    /// Where it begins in the words.
    start: usize,
    length: usize,
    /// The first number behind it in both.
    numbers: Option<(u32, u32)>,
}

/// The longest run of letters without a number that stands in both.
fn shared(words: &[char], address: &str) -> Run {
    let address = letters(address);
    let mut best = (0, 0, 0);
    let mut before = vec![0; address.len() + 1];
    for (at, letter) in words.iter().enumerate() {
        let mut row = vec![0; address.len() + 1];
        for (place, other) in address.iter().enumerate() {
            if letter != other || letter.is_numeric() {
                continue;
            }
            row[place + 1] = before[place] + 1;
            if row[place + 1] > best.0 {
                best = (row[place + 1], at + 1, place + 1);
            }
        }
        before = row;
    }
    let (length, said_end, known_end) = best;
    let numbers = number(&words[said_end..]).zip(number(&address[known_end..]));
    Run { start: said_end - length, length, numbers }
}

/// Letters and numbers; how somebody spaces them says nothing.
fn letters(text: &str) -> Vec<char> {
    text.chars().filter(|it| it.is_alphanumeric()).collect()
}

/// The first number.
fn number(text: &[char]) -> Option<u32> {
    let digits = text.iter().skip_while(|it| !it.is_ascii_digit());
    let digits: String = digits.take_while(|it| it.is_ascii_digit()).collect();
    digits.parse().ok()
}

/// The door that is nearest to the middle of some, so that it is a place where there is one; there is at least one.
fn middle(doors: &[&Door]) -> Place {
    let at = |of: fn(&Place) -> f64| {
        let mut all: Vec<f64> = doors.iter().map(|door| of(&door.place)).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    let centre = Place { latitude: at(|it| it.latitude), longitude: at(|it| it.longitude) };
    let by_way = |a: &Place, b: &Place| a.metres_to(&centre).total_cmp(&b.metres_to(&centre));
    let places = doors.iter().map(|door| door.place);
    places.min_by(by_way).unwrap_or(centre)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door(address: &str, latitude: f64) -> Door {
        Door { address: address.to_owned(), place: Place { latitude, longitude: 118.36 } }
    }

    fn city() -> Vec<Door> {
        vec![
            door("芜湖市镜湖区吉和街听江里1幢101室", 31.1),
            door("芜湖市镜湖区吉和街听江里2幢101室", 31.2),
            door("芜湖市镜湖区中山路12号", 31.3),
            door("芜湖市镜湖区中山路18号", 31.4),
            door("芜湖市镜湖区中山路90号", 31.5),
        ]
    }

    fn check(words: &str, latitude: f64, shared: Option<&str>) {
        let likely = locate(words, &city()).unwrap();

        assert_eq!(
            (likely.place.latitude, likely.shared.as_deref()),
            (latitude, shared),
            "{words}"
        );
    }

    #[test]
    fn b2_a_place_in_words_lies_by_the_doors_of_its_road() {
        check("中山路步行街口", 31.4, Some("中山路"));
        check("听江里小区西门", 31.2, Some("听江里"));
        check("芜湖市镜湖区吉和街桥头", 31.2, Some("芜湖市镜湖区吉和街"));
    }

    #[test]
    fn b2_the_nearest_number_on_the_road_is_nearest() {
        check("中山路 14 号门口的阀门井", 31.3, Some("中山路"));
        check("中山路100号", 31.5, Some("中山路"));
    }

    #[test]
    fn b2_a_road_that_nobody_knows_is_looked_for_from_the_middle_of_the_hall() {
        check("新桥头", 31.3, None);
        check("芜湖市镜湖区新桥头", 31.3, None);
        assert_eq!(locate("中山路", &[]), None);
    }

    #[test]
    fn a_number_alone_is_no_road() {
        let doors = [door("甲路10000号", 31.1), door("乙路20000号", 31.2), door("丙路7号", 31.3)];

        assert_eq!(locate("车牌 10000", &doors).unwrap().shared, None);
    }
}
