//! The tests and models that our pages name exist.
//!
//! A promise that cites a test which was renamed or removed is held by nothing, and nobody would notice.

use std::path::Path;

use crate::workspace::Workspace;

/// Pages that name tests, as `` `path/to/file.rs` `` or `` `path/to/file.rs::name` ``, and the folder
/// from which they do.
const PAGES: [(&str, &str); 2] = [("docs/promises.md", ""), ("loom-tests/README.md", "loom-tests/tests")];

/// Every citation that leads nowhere, and every file of models that its page does not list.
pub(crate) fn faults(workspace: &Workspace) -> Result<Vec<String>, String> {
    let mut faults = Vec::new();
    for (page, folder) in PAGES {
        let text = read(&workspace.root().join(page))?;
        for (index, line) in text.lines().enumerate() {
            for citation in citations(line) {
                if let Some(fault) = leads_nowhere(&workspace.root().join(folder), citation) {
                    faults.push(format!("{page}:{}: {fault}", index + 1));
                }
            }
        }
    }
    let listed = read(&workspace.root().join("loom-tests/README.md"))?;
    let folder = workspace.root().join("loom-tests/tests");
    // What lies deeper is a module that some of them share.
    for path in workspace.rust_files(&["loom-tests/tests"])?.into_iter().filter(|path| path.parent() == Some(&folder)) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !listed.contains(&format!("`{name}`")) {
            faults.push(format!("loom-tests/README.md: does not list {name}"));
        }
    }
    Ok(faults)
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// What stands between backquotes in a table's line and names a Rust file.
fn citations(line: &str) -> impl Iterator<Item = &str> {
    let quoted = line.split('`').skip(1).step_by(2).filter(|_| line.starts_with('|'));
    quoted.filter(|text| text.split("::").next().is_some_and(|file| file.ends_with(".rs")))
}

fn leads_nowhere(folder: &Path, citation: &str) -> Option<String> {
    let (file, name) = citation.split_once("::").map_or((citation, None), |(file, name)| (file, Some(name)));
    let Ok(text) = read(&folder.join(file)) else {
        return Some(format!("there is no {file}"));
    };
    let name = name.filter(|name| !text.contains(&format!("fn {name}(")))?;
    Some(format!("{file} has no test called {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_tests_between_backquotes_in_tables_are_citations() {
        let line = "| P1 | said of `wake` | `a/b.rs::it_works`, `c.rs` |";
        assert_eq!(citations(line).collect::<Vec<_>>(), ["a/b.rs::it_works", "c.rs"]);
        assert_eq!(citations("prose about `any.rs`").count(), 0);
    }

    #[test]
    fn a_citation_that_leads_nowhere_is_found() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(leads_nowhere(folder, "src/citations.rs::read"), None);
        assert!(leads_nowhere(folder, "src/citations.rs::no_such_test").is_some());
        assert!(leads_nowhere(folder, "src/no_such_file.rs").is_some());
    }
}
