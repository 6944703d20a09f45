#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests stand outside of the facade")]
//! Ctrl-C and the main future. Each scene plays in a process of its own, which is this program again: it says a line, and gets the
//! next signal for it.
#![cfg(unix)]

mod fixtures;

use fixtures::two_workers;
use std::future::pending;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use weftwork::runtime::{Builder, OnCtrlC, RunError};
use weftwork::scope::{cancellable, cleanup, current_scope, finally, on_cancel, shield};
use weftwork::signal::ctrl_c;
use weftwork::spawn;
use weftwork::sync::oneshot;
use weftwork::task::{CancelKind, yield_now};
use weftwork::time::Duration;

/// Longer than any test.
const LONG: Duration = Duration::from_secs(3600);
const ROLE: &str = "WEFTWORK_TEST_SCENE";

/// A process in which a scene plays.
struct Scene {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

/// Plays the scene if this is its process; otherwise starts that, once for each flavour.
fn scene(test: &str, play: impl Fn(Builder), watch: impl Fn(Scene)) {
    match std::env::var(ROLE).as_deref() {
        Ok("current") => return play(Builder::new_current_thread()),
        Ok(_) => return play(two_workers()),
        Err(_) => {}
    }
    for flavor in ["current", "multi"] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([test, "--exact", "--nocapture", "--test-threads=1"])
            .env(ROLE, flavor)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        watch(Scene { child, lines });
    }
}

/// In the process of the scene: a line of its own, written at once.
fn say(line: &str) {
    // The harness leaves its own line open.
    let mut stdout = std::io::stdout();
    writeln!(stdout, "\nscene: {line}").unwrap();
    stdout.flush().unwrap();
}

/// In the process of the scene, to this thread, so that the handler has run when the call returns.
fn press() {
    // SAFETY: a plain system call.
    assert_eq!(unsafe { libc::raise(libc::SIGINT) }, 0);
}

impl Scene {
    /// The next line of the scene.
    fn hears(&mut self, wanted: &str) {
        let line =
            self.lines.by_ref().map(Result::unwrap).find_map(|line| line.strip_prefix("scene: ").map(str::to_owned));
        assert_eq!(line.as_deref(), Some(wanted));
    }

    fn press(&self) {
        // SAFETY: a plain system call, to a child that has not been waited for.
        assert_eq!(unsafe { libc::kill(i32::try_from(self.child.id()).unwrap(), libc::SIGINT) }, 0);
    }

    fn ends(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    fn ends_well(self) {
        let status = self.ends();
        assert!(status.success(), "{status}");
    }

    fn ends_with_130(self) {
        assert_eq!(self.ends().code(), Some(130));
    }
}

#[test]
fn the_first_cancels_the_main_future_and_the_run_says_interrupted() {
    scene(
        "the_first_cancels_the_main_future_and_the_run_says_interrupted",
        |builder| {
            let ended = builder.ctrl_c(OnCtrlC::CancelMain).run(async {
                let (begin, begun) = oneshot::channel();
                let other = finally(
                    async move {
                        begin.send(()).unwrap();
                        pending::<()>().await;
                    },
                    LONG,
                    async || say("the task has cleaned up"),
                );
                spawn(other).detach();
                begun.await.unwrap();
                let work = async {
                    say("ready");
                    pending::<()>().await;
                };
                on_cancel(work, LONG, async |cause| {
                    assert_eq!(cause.kind, CancelKind::Interrupt);
                    assert!(cause.at.file().ends_with("interrupt.rs"));
                    yield_now().await;
                    say("main has cleaned up");
                })
                .await;
            });
            assert!(matches!(ended, Err(RunError::Interrupted)), "{ended:?}");
            say(&ended.unwrap_err().to_string());
        },
        |mut scene| {
            scene.hears("ready");
            scene.press();
            scene.hears("main has cleaned up");
            scene.hears("the task has cleaned up");
            scene.hears("interrupted by Ctrl-C");
            scene.ends_well();
        },
    );
}

#[test]
fn each_run_on_a_runtime_that_is_kept_can_be_interrupted() {
    scene(
        "each_run_on_a_runtime_that_is_kept_can_be_interrupted",
        |builder| {
            let runtime = builder.ctrl_c(OnCtrlC::CancelMain).build().unwrap();
            let other = runtime.spawn(pending::<()>());
            for _ in 0..2 {
                let ended = runtime.run(async {
                    let work = async {
                        say("ready");
                        pending::<()>().await;
                    };
                    on_cancel(work, LONG, async |cause| {
                        assert_eq!(cause.kind, CancelKind::Interrupt);
                        assert!(cause.at.file().ends_with("interrupt.rs"));
                        yield_now().await;
                        say("main has cleaned up");
                    })
                    .await;
                });
                assert!(matches!(ended, Err(RunError::Interrupted)), "{ended:?}");
            }
            assert!(!other.is_finished(), "the others go on");
            assert_eq!(runtime.run(async { 5 }).unwrap(), 5);
            let cancelled = runtime.run(async {
                current_scope().cancel_with("enough");
                pending::<()>().await;
            });
            assert!(matches!(cancelled, Err(RunError::Cancelled(cause)) if cause.message.as_deref() == Some("enough")));
            say("over");
            let _ = runtime.run(async {
                say("ready");
                let _ = cancellable(pending::<()>()).await;
                say("cleaning up");
                shield(pending::<()>()).await;
            });
        },
        |mut scene| {
            for _ in 0..2 {
                scene.hears("ready");
                scene.press();
                scene.hears("main has cleaned up");
            }
            scene.hears("over");
            scene.hears("ready");
            scene.press();
            scene.hears("cleaning up");
            scene.press();
            scene.ends_with_130();
        },
    );
}

#[test]
fn between_the_runs_on_a_runtime_that_is_kept_it_does_what_it_did_before() {
    scene(
        "between_the_runs_on_a_runtime_that_is_kept_it_does_what_it_did_before",
        |builder| {
            let runtime = builder.ctrl_c(OnCtrlC::CancelMain).build().unwrap();
            runtime.run(async {}).unwrap();
            press();
            unreachable!("the system has ended the process");
        },
        |scene| assert_eq!(scene.ends().signal(), Some(libc::SIGINT)),
    );
}

#[test]
fn the_second_ends_the_process() {
    scene(
        "the_second_ends_the_process",
        |builder| {
            let _ = builder.ctrl_c(OnCtrlC::CancelMain).run(async {
                say("ready");
                let _ = cancellable(pending::<()>()).await;
                say("cleaning up");
                shield(pending::<()>()).await;
            });
        },
        |mut scene| {
            scene.hears("ready");
            scene.press();
            scene.hears("cleaning up");
            scene.press();
            scene.ends_with_130();
        },
    );
}

#[test]
fn one_that_comes_when_the_main_future_is_over_ends_the_process() {
    scene(
        "one_that_comes_when_the_main_future_is_over_ends_the_process",
        |builder| {
            let _ = builder.shutdown_grace(LONG).ctrl_c(OnCtrlC::CancelMain).run(async {
                spawn(async {
                    let _ = cancellable(pending::<()>()).await;
                    say("cleaning up");
                    shield(pending::<()>()).await;
                })
                .detach();
                yield_now().await;
                weftwork::testing::settle().await;
            });
        },
        |mut scene| {
            scene.hears("cleaning up");
            scene.press();
            scene.ends_with_130();
        },
    );
}

#[test]
fn a_process_whose_workers_are_all_blocked_can_still_be_ended() {
    scene(
        "a_process_whose_workers_are_all_blocked_can_still_be_ended",
        |builder| {
            let _ = builder.watchdog(false).ctrl_c(OnCtrlC::CancelMain).run(async {
                say("ready");
                loop {
                    thread::park();
                }
            });
        },
        |mut scene| {
            scene.hears("ready");
            // Two that come at once are one for the system, so as many as it takes.
            let status = loop {
                scene.press();
                match scene.child.try_wait().unwrap() {
                    Some(status) => break status,
                    None => thread::yield_now(),
                }
            };
            assert_eq!(status.code(), Some(130));
        },
    );
}

#[test]
fn a_value_of_the_main_future_stands() {
    scene(
        "a_value_of_the_main_future_stands",
        |builder| {
            let value = builder.ctrl_c(OnCtrlC::CancelMain).run(async {
                press();
                cancellable(pending::<u32>()).await.unwrap_or(42)
            });
            assert_eq!(value.unwrap(), 42);
        },
        Scene::ends_well,
    );
}

#[test]
fn r11_if_something_else_had_cancelled_the_main_future_that_is_what_is_told() {
    scene(
        "r11_if_something_else_had_cancelled_the_main_future_that_is_what_is_told",
        |builder| {
            let ended = builder.ctrl_c(OnCtrlC::CancelMain).run(async {
                let scope = current_scope();
                spawn(async move {
                    assert!(scope.cancel_with("enough"));
                    press();
                })
                .detach();
                let _ = cancellable(pending::<()>()).await;
                let _ = cleanup(LONG, weftwork::testing::settle()).await;
                pending::<()>().await;
            });
            let Err(RunError::Cancelled(cause)) = ended else { panic!("{ended:?}") };
            assert_eq!(cause.message.as_deref(), Some("enough"));
        },
        Scene::ends_well,
    );
}

#[test]
fn a_program_that_asks_for_it_has_it() {
    scene(
        "a_program_that_asks_for_it_has_it",
        |builder| {
            let value = builder.ctrl_c(OnCtrlC::CancelMain).run(async {
                for round in ["first", "second", "third"] {
                    let asked = ctrl_c();
                    say(round);
                    asked.await.unwrap();
                }
                press();
                weftwork::testing::settle().await;
                5
            });
            assert_eq!(value.unwrap(), 5);
        },
        |mut scene| {
            for round in ["first", "second", "third"] {
                scene.hears(round);
                scene.press();
            }
            scene.ends_well();
        },
    );
}

#[test]
fn after_the_run_it_does_what_it_did_before() {
    scene(
        "after_the_run_it_does_what_it_did_before",
        |builder| {
            builder.ctrl_c(OnCtrlC::CancelMain).run(async {}).unwrap();
            say("over");
            press();
            say("not reached");
        },
        |mut scene| {
            scene.hears("over");
            assert_eq!(scene.ends().signal(), Some(libc::SIGINT));
        },
    );
}

#[test]
fn each_run_of_a_process_begins_anew() {
    scene(
        "each_run_of_a_process_begins_anew",
        |_| {
            for _ in 0..3 {
                let ended = two_workers().ctrl_c(OnCtrlC::CancelMain).run(async {
                    press();
                    pending::<()>().await;
                });
                assert!(matches!(ended, Err(RunError::Interrupted)), "{ended:?}");
            }
        },
        Scene::ends_well,
    );
}

#[test]
fn a_process_that_ignores_it_goes_on() {
    scene(
        "a_process_that_ignores_it_goes_on",
        |builder| {
            // SAFETY: a plain system call.
            unsafe { libc::signal(libc::SIGINT, libc::SIG_IGN) };
            let value = builder.ctrl_c(OnCtrlC::CancelMain).run(async {
                press();
                press();
                weftwork::testing::settle().await;
                5
            });
            assert_eq!(value.unwrap(), 5);
        },
        Scene::ends_well,
    );
}

#[test]
fn a_builder_leaves_it_alone_unless_it_is_told() {
    scene(
        "a_builder_leaves_it_alone_unless_it_is_told",
        |builder| {
            let _ = builder.run(async {
                say("ready");
                pending::<()>().await;
            });
        },
        |mut scene| {
            scene.hears("ready");
            scene.press();
            assert_eq!(scene.ends().signal(), Some(libc::SIGINT));
        },
    );
}

async fn cleans_up() {
    let work = async {
        say("ready");
        pending::<()>().await;
    };
    finally(work, LONG, async || say("clean")).await;
}

#[test]
fn run_cleans_up_and_ends_the_process_with_130() {
    scene(
        "run_cleans_up_and_ends_the_process_with_130",
        |_| {
            weftwork::run(cleans_up());
            say("not reached");
        },
        |mut scene| {
            scene.hears("ready");
            scene.press();
            scene.hears("clean");
            scene.ends_with_130();
        },
    );
}

#[weftwork::main(flavor = "current_thread")]
async fn attributed() {
    cleans_up().await;
}

#[weftwork::main(ctrl_c = "leave_alone")]
async fn left_alone() {
    cleans_up().await;
}

#[test]
fn so_does_the_attribute() {
    scene(
        "so_does_the_attribute",
        |_| attributed(),
        |mut scene| {
            scene.hears("ready");
            scene.press();
            scene.hears("clean");
            scene.ends_with_130();
        },
    );
}

#[test]
fn the_attribute_can_leave_it_alone() {
    scene(
        "the_attribute_can_leave_it_alone",
        |_| left_alone(),
        |mut scene| {
            scene.hears("ready");
            scene.press();
            assert_eq!(scene.ends().signal(), Some(libc::SIGINT));
        },
    );
}
