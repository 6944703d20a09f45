//! `cargo xtask deps`: which crate may depend on which.
//!
//! Arrows point down only, or a part could not be understood, tested and used without what stands above it. Read from the
//! manifests themselves: what cargo resolves would also hold the features of the day. Dev-dependencies are free, because
//! a doc test shows a part through the front door.

use crate::Outcome;
use crate::workspace::{SHIPPED, Workspace};

/// What each shipped crate may stand on.
const ALLOWED: [(&str, &[&str]); 5] = [
    ("runtime", &["weftwork-blocking", "weftwork-sync", "weftwork-timer", "weftwork-macros"]),
    ("blocking", &["weftwork-sync"]),
    ("sync", &[]),
    ("timer", &[]),
    ("macros", &[]),
];

/// Packages of this workspace that only stand around the shipped ones.
const AROUND: [&str; 4] = ["examples", "xtask", "loom-tests", "modelled"];

pub(crate) fn run(workspace: &Workspace) -> Outcome {
    let mut faults = Vec::new();
    for folder in SHIPPED {
        let path = workspace.root().join(folder).join("Cargo.toml");
        let manifest = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let allowed = ALLOWED.iter().find(|(name, _)| *name == folder).map_or(&[][..], |(_, allowed)| allowed);
        for dependency in ours(&manifest) {
            if !allowed.contains(&dependency.as_str()) {
                faults.push(format!("{folder} -> {dependency}"));
            }
        }
    }
    match faults.is_empty() {
        true => Ok(()),
        false => Err(format!("arrows that point upwards: {}", faults.join(", "))),
    }
}

/// The packages of this workspace that a manifest depends on, other than for its tests.
fn ours(manifest: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut in_dependencies = false;
    for line in manifest.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            let header = header.trim_end_matches(']');
            let (table, own_table) = match header.rsplit_once('.') {
                Some((table, name)) if names_dependencies(table) => (table, Some(name)),
                _ => (header, None),
            };
            in_dependencies = names_dependencies(table) && own_table.is_none();
            found.extend(own_table.filter(|name| is_ours(name)).map(str::to_owned));
        } else if in_dependencies && !line.starts_with('#') {
            let end = line.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').unwrap_or(line.len());
            let renamed = line.split_once("package = \"").and_then(|(_, behind)| behind.split('"').next());
            let name = renamed.unwrap_or(&line[..end]);
            if is_ours(name) {
                found.push(name.to_owned());
            }
        }
    }
    found
}

/// Whether a table's name is `dependencies` or `build-dependencies`, for every target or for one.
fn names_dependencies(table: &str) -> bool {
    let name = table.rsplit('.').next().unwrap_or(table);
    matches!(name, "dependencies" | "build-dependencies")
}

fn is_ours(name: &str) -> bool {
    name == "weftwork" || name.starts_with("weftwork-") || AROUND.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_dependency_is_read() {
        let manifest = "\
[package]
name = \"weftwork-sync\"
[dependencies]
weftwork.workspace = true
weftwork-timer = { path = \"../timer\" }
renamed = { package = \"weftwork-blocking\", path = \"../blocking\" }
loom = \"0.7\"
[target.'cfg(weftwork_loom)'.dependencies]
weftwork-macros = \"0.1\"
[build-dependencies.weftwork-tests]
path = \"../tests\"
[dev-dependencies]
weftwork-benches = \"0.1\"
";
        let expected = ["weftwork", "weftwork-timer", "weftwork-blocking", "weftwork-macros", "weftwork-tests"];
        assert_eq!(ours(manifest), expected);
    }
}
