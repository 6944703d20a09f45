//! `cargo xtask show browser`: charfinder's page in a real browser, driven by examples/browser/charfinder.mjs.
//!
//! It needs node, npm and Chromium, which nothing else here needs; what is missing is said before anything is built.

use std::env::consts::EXE_SUFFIX;
use std::process::Command;

use crate::Outcome;
use crate::arguments::Arguments;
use crate::programs::is_installed;
use crate::workspace::{Workspace, announce, finish};

pub(crate) const SHOWS: &str = "charfinder's page in a real browser: typing, pages, keyboard, phone, dark; screenshots";

/// What Chromium is called, here and there.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

pub(crate) fn run(workspace: &Workspace, arguments: &mut Arguments) -> Outcome {
    arguments.end()?;
    for (tool, what) in [("node", "runs the script"), ("npm", "fetches playwright-core, which drives the browser")] {
        if !is_installed(tool) {
            return Err(format!(
                "`show browser` needs {tool}, which {what}: `apt-get install nodejs npm`, or its like"
            ));
        }
    }
    let Some(browser) = BROWSERS.into_iter().find_map(path_of) else {
        return Err("`show browser` needs Chromium: `apt-get install chromium`, or its like".into());
    };
    let folder = workspace.root().join("examples/browser");
    if !folder.join("node_modules/playwright-core").is_dir() {
        let mut npm = Command::new("npm");
        npm.current_dir(&folder).args(["install", "--no-audit", "--no-fund", "--no-package-lock"]);
        announce(&npm);
        finish(&mut npm)?;
    }
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--release", "--package", "examples", "--bin", "charfinder"]);
    announce(&cargo);
    finish(&mut cargo)?;
    let mut node = Command::new("node");
    node.current_dir(&folder).arg("charfinder.mjs").arg("--chromium").arg(browser);
    node.arg("--server").arg(workspace.target().join("release").join(format!("charfinder{EXE_SUFFIX}")));
    node.arg("--shots").arg(workspace.target().join("browser"));
    announce(&node);
    finish(&mut node)
}

fn path_of(tool: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(format!("{tool}{EXE_SUFFIX}"))).find(|file| file.is_file())
}
