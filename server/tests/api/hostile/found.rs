//! What hostile requests once broke, one by one.

use serde_json::json;

use super::pair::{Pair, TODAY};

#[tokio::test]
async fn check_48_numbers_at_the_end_of_all_numbers_are_refused_in_words() {
    let pair = Pair::open().await;
    let side = &pair.east;
    let smallest = i64::MIN;
    let counted =
        json!({"technician": side.things["ana"], "day": TODAY, "counted": smallest, "note": "x"});
    let hall = json!({"name": "第三营业厅", "utc_offset_minutes": smallest,
        "manager": {"login": "third", "name": "三", "password": "third kettle sings"}});

    for (path, body) in [("/api/cash/counts", counted), ("/api/halls", hall)] {
        let reply = side.counter.node.post(path, Some(&side.tokens["adam"]), &body).await;
        assert_eq!((reply.status.as_u16(), reply.problem()), (422, "unprocessable"), "{path}");
    }
}

#[tokio::test]
async fn check_48_every_figure_is_written_in_both_languages() {
    let pair = Pair::open().await;
    let side = &pair.east;
    for figure in ["trips", "first_gas", "papers", "arrivals"] {
        for lang in ["zh", "en"] {
            let days = "from=2026-03-01&to=2026-03-04";
            let path = format!("/api/exports/figures/{figure}?{days}&lang={lang}");
            let reply = side.counter.node.get(&path, &side.tokens["mara"]).await;
            assert_eq!(reply.status, 200, "{path}");
        }
    }
}

#[tokio::test]
async fn check_20_a_move_on_paper_is_tried_with_people_of_the_hall_only() {
    let pair = Pair::open().await;
    let (own, other) = (&pair.east, &pair.west);
    for (technician, status) in [(&own.things["ben"], 200), (&other.things["ben"], 404)] {
        let body = json!({"job": own.things["later"], "technician": technician});
        let path = "/api/board/check";
        let reply = own.counter.node.post(path, Some(&own.tokens["dora"]), &body).await;
        assert_eq!(reply.status, status, "{reply:?}");
    }
}
