//! charfinder among clients that misbehave, while clients that behave are served.
//!
//! `show-hostile [--small] [NAME...]`: all scenes, or those whose names contain one of the words; `--small` has fewer
//! clients and shorter timeouts.
//!
//! Each scene has a server of its own, in its own process, and most are played more than once. Meanwhile two clients that
//! behave ask over a connection each, one on lines and one on the page, on a fixed schedule, and know every byte of each
//! answer; afterwards a newcomer does. A scene fails if one of their answers is wrong, missing or never comes, if the
//! server's memory grows by more than the scene may cost it, or in a further round by much more still, if it is busy when
//! everybody has gone, if it keeps a descriptor, or if it does not end in order. What else has to be true of a
//! scene is said in its file.
//! Delays are printed and not judged: whatever else runs on the machine would be judged with them.
//!
//! Two ways to be hostile are tests, because they need to be inside of the process: descriptors that are closed behind the
//! runtime's back, in tests/tests/closed_descriptor.rs, and 10 000 signals a second, in tests/tests/signals.rs.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a program, not the runtime")]

mod asking;
mod halves;
mod lines;
mod noise;
mod page;
mod polite;
mod scene;
mod shutdown;
mod slowloris;
mod sockets;

use examples::load::descriptors;
use scene::{Scene, Size};
use std::process::ExitCode;
use weftwork::time::Instant;

/// Of any scene, with room for those that end.
const MOST_CONNECTIONS: (usize, usize) = (8_000, 6_000);

fn main() -> ExitCode {
    let start = Instant::now();
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let size = if words.iter().any(|word| word == "--small") { Size::Small } else { Size::Full };
    words.retain(|word| word != "--small");
    let is_wanted = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word.as_str()));
    let all = [lines::SCENES, slowloris::SCENES, halves::SCENES, sockets::SCENES, page::SCENES].concat();
    let scenes: Vec<Scene> = all.into_iter().filter(|scene| is_wanted(scene.name)).collect();
    let ends_too = is_wanted(shutdown::NAME);
    if scenes.is_empty() && !ends_too {
        println!("FAILED: no scene is called {words:?}");
        return ExitCode::FAILURE;
    }
    // The server inherits what is raised here.
    if let Err(why) = descriptors::make_room_for(size.of(MOST_CONNECTIONS.0, MOST_CONNECTIONS.1)) {
        println!("FAILED: {why}");
        return ExitCode::FAILURE;
    }
    let mut failed = Vec::new();
    let mut play = |name, title: String, play: &dyn Fn() -> Result<(), String>| {
        println!("\n{title}");
        match play() {
            Ok(()) => println!("  passed"),
            Err(why) => {
                println!("  FAILED: {why}");
                failed.push(name);
            }
        }
    };
    for scene in &scenes {
        play(scene.name, scene.title(size), &|| scene.play(size));
    }
    if ends_too {
        play(shutdown::NAME, shutdown::title(size), &|| shutdown::play(size));
    }
    println!("\n{} scenes in {:.0?}", scenes.len() + usize::from(ends_too), start.elapsed());
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("FAILED: {}", failed.join(", "));
    ExitCode::FAILURE
}
