//! `cargo xtask show NAME`: programs that print figures and fail by exit code.
//!
//! They lie in benches/src/bin as `show-NAME` and run optimised, because what they show is what a server would see.

use std::env::consts::EXE_SUFFIX;
use std::process::Command;

use crate::arguments::Arguments;
use crate::workspace::{Workspace, announce, finish};
use crate::{Outcome, browser};

struct Program {
    name: &'static str,
    shows: &'static str,
    needs: Option<Tool>,
    /// A program of the examples that it runs, built beside it.
    beside: Option<&'static str>,
    then: Option<Again>,
}

/// A program of the system without which this one shows nothing.
struct Tool {
    name: &'static str,
    why: &'static str,
}

/// A second, small round of the same program under a tool.
struct Again {
    under: &'static [&'static str],
    arguments: &'static [&'static str],
}

const PROGRAMS: [Program; 10] = [
    Program {
        name: "stuck",
        shows: "what goes on while workers are blocked inside a poll, and how late",
        needs: None,
        beside: None,
        then: None,
    },
    Program {
        name: "syscalls",
        shows: "the system calls of an echo server under load, counted from outside",
        needs: Some(Tool { name: "strace", why: "counts the system calls" }),
        beside: None,
        then: None,
    },
    Program {
        name: "emfile",
        shows: "that accept survives running out of descriptors, and resumes",
        needs: None,
        beside: None,
        then: None,
    },
    Program {
        name: "panics",
        shows: "that a panic anywhere is contained and reported with task and place",
        needs: None,
        beside: None,
        then: None,
    },
    Program {
        name: "churn",
        shows: "that every future is dropped exactly once while runtimes end at random; a small round under valgrind",
        needs: Some(Tool { name: "valgrind", why: "looks for leaks and stray accesses in a small round" }),
        beside: None,
        then: Some(Again {
            // Recycled cells would hide what valgrind looks for. Only what is definitely lost counts: std's own record of
            // the main thread is reached through an inner pointer.
            under: &[
                "env",
                "WEFTWORK_RECYCLE=off",
                "valgrind",
                "--quiet",
                "--error-exitcode=99",
                "--leak-check=full",
                "--show-leak-kinds=definite",
                "--errors-for-leak-kinds=definite",
                "--fair-sched=yes",
            ],
            arguments: &["--small"],
        }),
    },
    Program {
        name: "rows",
        shows: "rows of figures beside tokio, and by how much each differs",
        needs: None,
        beside: None,
        then: None,
    },
    Program {
        name: "idle",
        shows: "what a runtime costs at rest, with 10 000 connections and timers, and how long it takes to begin",
        needs: None,
        beside: None,
        then: None,
    },
    Program {
        name: "workers",
        shows: "that 8 and 64 workers on few cores make no row much slower than 2 do, and hang nothing",
        needs: None,
        beside: None,
        then: None,
    },
    Program {
        name: "load",
        shows: "charfinder under load for a minute: latencies, no error, flat memory, no descriptor kept (--small: seconds)",
        needs: None,
        beside: Some("charfinder"),
        then: None,
    },
    Program {
        name: "hostile",
        shows: "charfinder among clients that misbehave, while others are served, and its end under load (--small: a minute)",
        needs: None,
        beside: Some("charfinder"),
        then: None,
    },
];

pub(crate) fn run(workspace: &Workspace, arguments: &mut Arguments) -> Outcome {
    let Some(name) = arguments.word() else {
        println!("cargo xtask show NAME [ARGUMENT...]\n");
        for program in &PROGRAMS {
            let missing = if exists(workspace, program) { "" } else { " (not written yet)" };
            println!("  {:<10}{}{missing}", program.name, program.shows);
        }
        println!("  {:<10}{}", "browser", browser::SHOWS);
        return Ok(());
    };
    if name == "browser" {
        return browser::run(workspace, arguments);
    }
    let program = PROGRAMS
        .iter()
        .find(|program| program.name == name)
        .ok_or_else(|| format!("nothing to show is called `{name}`; `cargo xtask show` lists what there is"))?;
    if !exists(workspace, program) {
        return Err(format!("benches/src/bin/show-{name}.rs is not written yet"));
    }
    if let Some(Tool { name: tool, why }) = program.needs
        && !is_installed(tool)
    {
        return Err(format!("`show {name}` needs {tool}, which {why}: `apt-get install {tool}`, or its like"));
    }
    if let Some(beside) = program.beside {
        let mut cargo = workspace.cargo();
        cargo.args(["build", "--release", "--package", "examples", "--bin", beside]);
        announce(&cargo);
        finish(&mut cargo)?;
    }
    let binary = format!("show-{name}");
    let mut cargo = workspace.cargo();
    cargo.args(["run", "--release", "--package", "weftwork-benches", "--bin", &binary, "--"]);
    cargo.args(arguments.rest());
    announce(&cargo);
    finish(&mut cargo)?;
    let Some(Again { under: [tool, options @ ..], arguments }) = program.then else {
        return Ok(());
    };
    let mut again = Command::new(tool);
    again.args(options);
    again.arg(workspace.target().join("release").join(format!("{binary}{EXE_SUFFIX}"))).args(arguments);
    announce(&again);
    finish(&mut again)
}

fn exists(workspace: &Workspace, program: &Program) -> bool {
    let folder = workspace.root().join("benches/src/bin");
    let name = program.name;
    folder.join(format!("show-{name}.rs")).is_file() || folder.join(format!("show-{name}/main.rs")).is_file()
}

pub(crate) fn is_installed(tool: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| folder.join(format!("{tool}{EXE_SUFFIX}")).is_file())
    })
}
