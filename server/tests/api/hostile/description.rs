//! The routes as the server describes them.

use reqwest::Method;
use serde_json::Value;

use crate::hall::Node;

/// A route with one method.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) method: Method,
    pub(crate) path: String,
    /// Who may use it; nobody when everybody may.
    pub(crate) roles: Vec<String>,
    pub(crate) parameters: Vec<Parameter>,
    /// Whether it takes a body.
    pub(crate) has_body: bool,
    /// Whether it never ends.
    pub(crate) is_stream: bool,
}

/// What stands in a route's path or query.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) is_in_path: bool,
    pub(crate) is_required: bool,
    pub(crate) schema: Value,
}

impl Operation {
    /// How it is called in tables and messages.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    pub(crate) fn in_path(&self) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter().filter(|it| it.is_in_path)
    }

    pub(crate) fn in_query(&self) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter().filter(|it| !it.is_in_path)
    }
}

/// Everything that the server describes.
pub(crate) async fn operations(node: &Node) -> Vec<Operation> {
    let document = node.send(Method::GET, "/api/openapi.json", None, None).await.body;
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths.iter().flat_map(|(path, item)| {
        let item = item.as_object().expect("a path");
        item.iter().map(|(method, described)| read(method, path, described))
    });
    operations.collect()
}

fn read(method: &str, path: &str, described: &Value) -> Operation {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let parameters = list(&described["parameters"]).into_iter().filter(|it| it["in"] != "header");
    let parameters = parameters.map(|it| Parameter {
        name: it["name"].as_str().expect("a name").to_owned(),
        is_in_path: it["in"] == "path",
        is_required: it["required"] == true,
        schema: it["schema"].clone(),
    });
    let content = &described["responses"]["200"]["content"];
    Operation {
        method: method.to_uppercase().parse().expect("a method"),
        path: path.to_owned(),
        roles: list(&described["x-roles"])
            .iter()
            .filter_map(|it| Some(it.as_str()?.to_owned()))
            .collect(),
        parameters: parameters.collect(),
        has_body: described["requestBody"].is_object(),
        is_stream: content["text/event-stream"].is_object(),
    }
}
