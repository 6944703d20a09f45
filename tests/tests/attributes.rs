//! `#[weftwork::main]` and `#[weftwork::test]`: what they make of an async function.

use std::num::ParseIntError;
use std::rc::Rc;

/// The attribute takes any function; programs put it on `main`.
#[weftwork::main]
async fn with_defaults() -> u32 {
    weftwork::spawn(async { 42 }).await.unwrap_or(0)
}

#[test]
fn the_value_of_the_future_is_the_value_of_the_function() {
    assert_eq!(with_defaults(), 42);
}

#[weftwork::main(flavor = "current_thread")]
async fn parsed() -> Result<u32, ParseIntError> {
    let number: u32 = "forty-two".parse()?;
    Ok(number)
}

#[test]
fn a_result_comes_back_through_the_question_mark() {
    assert!(parsed().is_err());
}

#[weftwork::main(flavor = "multi_thread", worker_threads = 1)]
async fn opaque() -> impl Iterator<Item = u32> {
    [1, 2].into_iter()
}

#[test]
fn an_opaque_type_can_be_returned() {
    assert_eq!(opaque().sum::<u32>(), 3);
}

#[weftwork::test]
async fn a_test_may_hold_what_is_not_send() {
    let here = Rc::new(1);
    weftwork::spawn(async {}).await.unwrap();
    assert_eq!(*here, 1);
}

#[weftwork::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_may_return_a_result() -> Result<(), ParseIntError> {
    let number: u32 = weftwork::spawn(async { "42".parse() }).await.unwrap()?;
    assert_eq!(number, 42);
    Ok(())
}

#[weftwork::test]
#[should_panic(expected = "out of the body")]
async fn a_panic_comes_out_of_the_body() {
    panic!("out of the body");
}

mod renamed {
    pub(super) use weftwork as another_name;
}

#[weftwork::test(crate = "renamed::another_name")]
async fn the_crate_may_have_another_name() {}

#[allow(non_upper_case_globals, reason = "a pattern in an expansion could be taken for it")]
const output: u32 = 1;
#[allow(non_upper_case_globals, reason = "as above")]
const error: u32 = 2;

#[weftwork::test]
async fn constants_beside_the_function_do_not_disturb() {
    assert_eq!(output + error, 3);
}

#[weftwork::test(clock = "virtual")]
async fn a_test_on_the_virtual_clock_sleeps_for_a_year() {
    weftwork::sleep(std::time::Duration::from_secs(365 * 86_400)).await;
}

#[weftwork::test(clock = "virtual", flavor = "multi_thread", worker_threads = 2)]
async fn a_test_of_several_threads_on_the_virtual_clock_too() {
    let day = std::time::Duration::from_secs(86_400);
    let late = weftwork::spawn(weftwork::sleep(2 * day));
    assert!(weftwork::timeout(day, late).await.is_err());
}

#[weftwork::test(clock = "virtual", seed = 7, leaks = true)]
async fn a_test_may_draw_its_order_and_leave_tasks() {
    weftwork::spawn(std::future::pending::<()>()).detach();
}

#[weftwork::test]
#[should_panic(expected = "tasks are left")]
async fn a_test_that_leaves_a_task_fails() {
    weftwork::spawn(std::future::pending::<()>()).detach();
}
