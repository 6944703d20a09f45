//! Where things lie, and cargo as it was started.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The crates that users depend on, from the top down. The rest of the workspace stands around them.
pub(crate) const SHIPPED: [&str; 5] = ["runtime", "blocking", "sync", "timer", "macros"];

/// The workspace this program was built from.
pub(crate) struct Workspace {
    root: PathBuf,
    cargo: OsString,
    target: PathBuf,
}

impl Workspace {
    pub(crate) fn find() -> Result<Self, String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .map(Path::to_path_buf)
            .filter(|root| root.join("Cargo.toml").is_file())
            .ok_or("the workspace this was built from is gone: run `cargo xtask` inside it")?;
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(chosen) => std::env::current_dir().map_err(|e| e.to_string())?.join(chosen),
            None => root.join("target"),
        };
        Ok(Self { root, cargo: std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), target })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where everyday builds go.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Where the loom world is built. Its compiler flags differ: in one directory the two would rebuild everything in turn.
    pub(crate) fn loom_target(&self) -> PathBuf {
        self.target.join("loom")
    }

    /// Cargo at the workspace's root, in the everyday world.
    pub(crate) fn cargo(&self) -> Command {
        let mut cargo = Command::new(&self.cargo);
        cargo.current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target);
        cargo
    }

    /// Cargo at the workspace's root, in the loom world.
    pub(crate) fn cargo_loom(&self) -> Command {
        self.cargo_in_world("weftwork_loom", self.loom_target())
    }

    /// Cargo at the workspace's root, in the world of that cfg, which is built in a directory of its own.
    pub(crate) fn cargo_in_world(&self, world: &str, target: PathBuf) -> Command {
        let mut cargo = self.cargo();
        cargo.env("CARGO_TARGET_DIR", target).env("RUSTFLAGS", format!("--cfg {world}"));
        // These win over RUSTFLAGS where they are set, and would take the cfg away.
        cargo.env_remove("CARGO_ENCODED_RUSTFLAGS");
        cargo
    }

    /// The path as it is written in messages: from the root, with `/`.
    pub(crate) fn shown(&self, path: &Path) -> String {
        let inside = path.strip_prefix(&self.root).unwrap_or(path);
        inside.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
    }

    /// Every Rust file below one of the folders, in order of its path.
    pub(crate) fn rust_files(&self, folders: &[&str]) -> Result<Vec<PathBuf>, String> {
        let mut found = Vec::new();
        let mut to_visit: Vec<PathBuf> = folders.iter().map(|folder| self.root.join(folder)).collect();
        while let Some(folder) = to_visit.pop() {
            if !folder.is_dir() {
                continue;
            }
            for entry in std::fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))? {
                let path = entry.map_err(|e| format!("{}: {e}", folder.display()))?.path();
                if path.is_dir() {
                    to_visit.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    found.push(path);
                }
            }
        }
        found.sort();
        Ok(found)
    }
}

/// Runs it to its end with our own input and outputs; its exit code decides.
pub(crate) fn finish(command: &mut Command) -> Result<(), String> {
    let shown = format!("{} {}", program(command), words(command));
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{}` failed: {status}", shown.trim())),
        Err(error) => Err(format!("`{}` could not be started: {error}", shown.trim())),
    }
}

fn program(command: &Command) -> String {
    let path = Path::new(command.get_program());
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn words(command: &Command) -> String {
    command.get_args().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// What is said before a command runs, so that a reader can run it alone.
pub(crate) fn announce(command: &Command) {
    println!("$ {} {}", program(command), words(command));
}
