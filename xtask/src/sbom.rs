//! `cargo xtask sbom`: the bill of materials of what is shipped, as `CycloneDX` 1.5, from the lock files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

/// What is shipped: the program, and the brain of the technician's app.
const SHIPPED: [&str; 2] = ["server", "brain"];

/// What cargo knows of the workspace.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    /// `None` for what is our own.
    source: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dep>,
}

#[derive(Deserialize)]
struct Dep {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    /// `None` for what goes into the program, else `dev` or `build`.
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    checksum: Option<String>,
}

/// Writes the bill into the target folder; returns where.
pub(crate) fn write(root: &Path) -> anyhow::Result<PathBuf> {
    let place = root.join("target/doorstep.cdx.json");
    fs::create_dir_all(root.join("target"))?;
    fs::write(&place, serde_json::to_string_pretty(&bill(root)?)? + "\n")?;
    Ok(place)
}

/// The bill: the same lock files give the same bytes.
fn bill(root: &Path) -> anyhow::Result<Value> {
    let mut components = crates(root)?;
    components.extend(scripts(root)?);
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {
            "type": "application", "name": "doorstep", "version": env!("CARGO_PKG_VERSION"),
            "licenses": [{"expression": "Apache-2.0"}],
        }},
        "components": components,
    }))
}

/// Crates that go into the program, each with its licence and the checksum of its lock entry.
fn crates(root: &Path) -> anyhow::Result<Vec<Value>> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root).args(["metadata", "--format-version", "1", "--locked"]);
    let done = cargo.output().context("cargo metadata")?;
    ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let metadata: Metadata = serde_json::from_slice(&done.stdout)?;
    let lock: Lock = toml::from_str(&fs::read_to_string(root.join("Cargo.lock"))?)?;
    let sums =
        lock.package.into_iter().filter_map(|it| Some(((it.name, it.version), it.checksum?)));
    let sums: BTreeMap<_, _> = sums.collect();
    let reached = reached(&metadata);
    let mut listed = BTreeMap::new();
    for package in metadata.packages.iter().filter(|it| reached.contains(it.id.as_str())) {
        if package.source.is_none() {
            continue;
        }
        let name = (package.name.clone(), package.version.clone());
        let sum = sums.get(&name).with_context(|| format!("{name:?} is not locked"))?;
        let licence = package.license.as_deref().unwrap_or("NOASSERTION").replace('/', " OR ");
        let kind = format!("cargo/{}", package.name);
        listed.insert(name, component(&kind, &package.name, &package.version, (&licence, sum)));
    }
    Ok(listed.into_values().collect())
}

/// Everything that what is shipped is built of, without what only tests and builds need.
fn reached(metadata: &Metadata) -> BTreeSet<&str> {
    let nodes: BTreeMap<&str, &Node> =
        metadata.resolve.nodes.iter().map(|it| (it.id.as_str(), it)).collect();
    let own = |it: &&Package| it.source.is_none() && SHIPPED.contains(&it.name.as_str());
    let mut open: Vec<&str> =
        metadata.packages.iter().filter(own).map(|it| it.id.as_str()).collect();
    let mut reached = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !reached.insert(id) {
            continue;
        }
        let deps = nodes.get(id).into_iter().flat_map(|node| &node.deps);
        let shipped = deps.filter(|dep| dep.dep_kinds.iter().any(|it| it.kind.is_none()));
        open.extend(shipped.map(|dep| dep.pkg.as_str()));
    }
    reached
}

/// What the faces are built of: everything in npm's lock file that is not for building alone.
fn scripts(root: &Path) -> anyhow::Result<Vec<Value>> {
    let lock: Value = serde_json::from_slice(&fs::read(root.join("web/package-lock.json"))?)?;
    let packages = lock["packages"].as_object().context("npm's lock file lists packages")?;
    let shipped = packages.iter().filter(|(place, it)| !place.is_empty() && it["dev"] != true);
    let listed = shipped.map(|(place, it)| {
        let name = place.rsplit("node_modules/").next().unwrap_or(place);
        let text = |key: &str| it[key].as_str().unwrap_or_default().to_owned();
        let kind = format!("npm/{}", name.replace('@', "%40"));
        component(&kind, name, &text("version"), (&text("license"), &text("integrity")))
    });
    Ok(listed.collect())
}

fn component(kind: &str, name: &str, version: &str, (licence, sum): (&str, &str)) -> Value {
    let (algorithm, content) = match sum.split_once('-') {
        Some((_, base64)) => ("SHA-512", hexadecimal(base64)),
        None => ("SHA-256", sum.to_owned()),
    };
    json!({
        "type": "library",
        "name": name,
        "version": version,
        "purl": format!("pkg:{kind}@{version}"),
        "licenses": [{"expression": licence}],
        "hashes": [{"alg": algorithm, "content": content}],
    })
}

/// The digits of a sum that npm writes in base64.
fn hexadecimal(base64: &str) -> String {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let values = base64.chars().filter_map(|it| u32::try_from(LETTERS.find(it)?).ok());
    let values: Vec<u32> = values.collect();
    let bytes = values.chunks(4).flat_map(|four| {
        let whole = four.iter().fold(0, |sum, it| (sum << 6) | it) << (6 * (4 - four.len()));
        whole.to_be_bytes()[1..four.len()].to_vec()
    });
    let digits = bytes.flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_67_the_bill_of_materials_names_what_is_shipped_with_licence_and_sum() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let bill = bill(root).unwrap();
        let components = bill["components"].as_array().unwrap();
        let purls: BTreeSet<&str> =
            components.iter().map(|it| it["purl"].as_str().unwrap()).collect();

        assert_eq!(bill["specVersion"], "1.5");
        assert_eq!(purls.len(), components.len(), "each once");
        assert!(components.len() > 200, "{}", components.len());
        let holds = |begin: &str| purls.iter().any(|it| it.starts_with(begin));
        for it in
            ["pkg:cargo/automerge@0.12.0", "pkg:cargo/sqlx@", "pkg:cargo/axum@", "pkg:npm/vue@"]
        {
            assert!(holds(it), "{it} is shipped");
        }
        for it in ["pkg:cargo/proptest@", "pkg:cargo/rcgen@", "pkg:npm/vite@", "pkg:npm/axe-core@"]
        {
            assert!(!holds(it), "{it} is for tests and builds");
        }
        for it in components {
            let (licence, sum) = (&it["licenses"][0]["expression"], &it["hashes"][0]["content"]);
            assert!(licence.as_str().is_some_and(|it| !it.is_empty()), "{it}");
            assert!(sum.as_str().is_some_and(|it| it.len() == 64 || it.len() == 128), "{it}");
        }
    }

    #[test]
    fn sums_of_npm_are_read() {
        assert_eq!(hexadecimal("AAEC/w=="), "000102ff");
        assert_eq!(hexadecimal("AAEC"), "000102");
    }
}
