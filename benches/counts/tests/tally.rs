//! The counting world writes down what was done, where, and on whose behalf.
#![cfg(weftwork_count)]

use weftwork_sync::primitive::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering, fence};
use weftwork_sync::primitive::dekker::publish_then_check;
use weftwork_sync::primitive::tally::{Access, Kind, LINE, record};
use weftwork_sync::primitive::unmodelled::Counter;
use weftwork_sync::primitive::{Mutex, Shared, UnsafeCell};

fn kinds(accesses: &[Access]) -> Vec<Kind> {
    accesses.iter().map(|access| access.kind).collect()
}

#[test]
fn each_access_is_of_its_kind() {
    let word = AtomicU32::new(0);
    let (_, accesses) = record(|| {
        word.load(Ordering::Acquire);
        word.store(1, Ordering::Release);
        word.swap(2, Ordering::Relaxed);
        word.fetch_add(1, Ordering::Relaxed);
        let _ = word.compare_exchange(0, 1, Ordering::AcqRel, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    });
    use Kind::{Fence, Load, ReadModifyWrite, Store};
    assert_eq!(kinds(&accesses), [Load, Store, ReadModifyWrite, ReadModifyWrite, ReadModifyWrite, Fence]);
    assert_eq!(word.load(Ordering::Relaxed), 3, "a compare-exchange that fails is counted and changes nothing");
}

#[test]
fn a_sequentially_consistent_store_takes_a_fence() {
    let pointer = AtomicPtr::new(core::ptr::null_mut::<u8>());
    let (_, accesses) = record(|| pointer.store(core::ptr::null_mut(), Ordering::SeqCst));
    assert_eq!(kinds(&accesses), [Kind::Store, Kind::Fence]);
}

#[test]
fn an_access_is_on_its_line() {
    #[repr(align(64))]
    struct Lines([AtomicU64; 16]);
    let words = Lines([(); 16].map(|()| AtomicU64::new(0)));
    let (_, accesses) = record(|| words.0.iter().for_each(|word| word.store(1, Ordering::Relaxed)));
    let first = words.0.as_ptr().addr() / LINE;
    let lines: Vec<usize> = accesses.iter().map(|access| access.line - first).collect();
    assert_eq!(lines, [[0; 8], [1; 8]].concat());
}

#[test]
fn a_lock_is_taken_and_given_back_by_whoever_asked() {
    let lock = Mutex::new(1);
    let (_, accesses) = record(|| *lock.lock() += 1);
    assert_eq!(kinds(&accesses), [Kind::ReadModifyWrite; 2]);
    assert_eq!(accesses[0].line, accesses[1].line);
    assert_eq!(accesses[0].by, accesses[1].by);
    assert!(accesses[0].by.file().ends_with("tally.rs"));
    let held = lock.lock();
    let (refused, accesses) = record(|| lock.try_lock().is_none());
    assert!(refused && kinds(&accesses) == [Kind::Load]);
    drop(held);
}

#[test]
fn what_a_cell_hands_out_for_writing_may_be_written_all_over() {
    #[repr(align(64))]
    struct Big([u8; 3 * LINE]);
    let cell = UnsafeCell::new(Big([0; 3 * LINE]));
    let (_, accesses) = record(|| cell.with_mut(|_| ()));
    assert_eq!(kinds(&accesses), [Kind::Cell; 3]);
    assert!(record(|| cell.with(|_| ())).1.is_empty());
    assert_eq!(cell.into_inner().0.len(), 3 * LINE);
}

#[test]
fn what_acts_for_another_names_the_other() {
    let (counter, shared) = (Counter::new(0), Shared::new(()));
    let (clone, accesses) = record(|| {
        counter.add(1);
        counter.bump();
        publish_then_check(|| (), || ());
        shared.clone()
    });
    assert!(accesses.iter().all(|access| access.by.file().ends_with("tally.rs")), "{accesses:#?}");
    drop(clone);
}

#[test]
fn nothing_is_written_down_outside_of_a_recording() {
    let word = AtomicU32::new(0);
    let inside = std::panic::catch_unwind(|| record(|| panic!("while recording")));
    assert!(inside.is_err());
    word.store(1, Ordering::Relaxed);
    assert!(record(|| ()).1.is_empty());
}
