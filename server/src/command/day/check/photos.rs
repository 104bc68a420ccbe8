//! The check on photos: whatever a fact names lies in the hall under that very name.

use domain::visit::Recorded;
use serde_json::{Value, json};

use super::{Finding, Stage};
use crate::photos::PhotoHash;

/// Reads every picture that a phone called saved from the hall; its bytes have to give the name that the fact has.
pub(super) async fn every_photo_is_at_the_hall(stage: &Stage) -> anyhow::Result<Finding> {
    let mut finding = Finding::new("day.check_photos");
    let mut named = 0;
    for saved in &stage.saved {
        let recorded: Recorded = serde_json::from_value(saved.recorded.clone())?;
        let Some(hash) = recorded.fact.photo() else { continue };
        named += 1;
        let path = format!("/api/jobs/{}/photos/{hash}", saved.job);
        match stage.dispatcher.bytes(&path).await {
            Ok(bytes) => finding.compare(&path, &hash, &PhotoHash::of(&bytes).as_str()),
            Err(error) => finding.compare(&path, &String::new(), &format!("{error:#}")),
        }
    }
    finding.compare("photos were taken", &true, &(named > 100));
    let missing: Value = stage.dispatcher.get("/api/photos/missing").await?;
    finding.compare("the hall misses nothing", &json!([]), &missing["photos"]);
    Ok(finding)
}
