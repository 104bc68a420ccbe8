//! Jobs as points (`GeoJSON`, RFC 7946).

use serde_json::{Value, json};

use crate::db::exports::JobRow;

/// A collection with one feature a job; where the door has not been surveyed the geometry is null.
pub fn collection(jobs: &[JobRow]) -> Value {
    let features: Vec<Value> = jobs.iter().map(feature).collect();
    json!({"type": "FeatureCollection", "features": features})
}

fn feature(job: &JobRow) -> Value {
    let place = job.longitude.zip(job.latitude);
    let geometry = place.map(
        |(longitude, latitude)| json!({"type": "Point", "coordinates": [longitude, latitude]}),
    );
    json!({
        "type": "Feature",
        "id": job.job_id,
        "geometry": geometry,
        "properties": {
            "kind": job.kind,
            "status": job.status,
            "account": job.account,
            "address": job.address,
            "technician": job.technician,
            "window_start": job.window_start,
            "window_end": job.window_end,
        },
    })
}
