//! The list of the runtimes of a process (L16): who ends one is its last owner, whatever is built or looked for elsewhere
//! meanwhile; and who finds one owns it.
#![cfg(weftwork_loom)]

use weftwork::doors::Living;
use weftwork_loom_tests::{Bound, check};
use weftwork_sync::primitive::atomic::{AtomicBool, Ordering};
use weftwork_sync::primitive::{Shared, thread};

/// Says when it ends.
struct Ends(Shared<AtomicBool>);

impl Drop for Ends {
    fn drop(&mut self) {
        assert!(!self.0.swap(true, Ordering::AcqRel), "ended twice");
    }
}

fn value() -> (Shared<Ends>, Shared<AtomicBool>) {
    let ended = Shared::new(AtomicBool::new(false));
    (Shared::new(Ends(ended.clone())), ended)
}

fn spawn<T: 'static>(f: impl FnOnce() -> T + 'static) -> thread::JoinHandle<T> {
    thread::spawn(String::new(), f).unwrap()
}

#[test]
fn what_ends_while_others_begin_ends_at_its_last_owner() {
    check("roll/register_against_end", Bound::Unbounded, Bound::Unbounded, || {
        let living = Shared::new(Living::new());
        let (value, ended) = self::value();
        living.register(&value);
        let others = living.clone();
        let builder = spawn(move || {
            let (other, gone) = self::value();
            others.register(&other);
            let found = others.find(Shared::as_ptr(&other)).expect("it lives");
            drop(found);
            drop(other);
            assert!(gone.load(Ordering::Acquire));
        });
        drop(value);
        assert!(ended.load(Ordering::Acquire), "somebody else still owns it");
        builder.join().unwrap();
    });
}

#[test]
fn two_that_begin_at_once_are_both_found() {
    check("roll/two_begin", Bound::Preemptions(3), Bound::Unbounded, || {
        let living = Shared::new(Living::new());
        let builders = [(), ()].map(|()| {
            let living = living.clone();
            spawn(move || {
                let (value, ended) = self::value();
                living.register(&value);
                assert!(living.find(Shared::as_ptr(&value)).is_some_and(|found| Shared::ptr_eq(&found, &value)));
                drop(value);
                assert!(ended.load(Ordering::Acquire));
            })
        });
        for builder in builders {
            builder.join().unwrap();
        }
    });
}

#[test]
fn what_is_found_lives_until_it_is_let_go_of() {
    check("roll/find_against_end", Bound::Unbounded, Bound::Unbounded, || {
        let living = Shared::new(Living::new());
        let (value, ended) = self::value();
        living.register(&value);
        let (at, watched) = (Shared::as_ptr(&value), ended.clone());
        let finder = {
            let living = living.clone();
            spawn(move || {
                if let Some(found) = living.find(at) {
                    assert!(!watched.load(Ordering::Acquire), "ended although it is owned");
                    drop(found);
                } else {
                    assert!(watched.load(Ordering::Acquire) || living.find(at).is_none());
                }
            })
        };
        drop(value);
        finder.join().unwrap();
        assert!(ended.load(Ordering::Acquire));
        assert!(living.find(at).is_none());
    });
}
