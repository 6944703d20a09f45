//! The attributes `#[weftwork::main]` and `#[weftwork::test]`.
//!
//! Users do not depend on this crate: weftwork re-exports both attributes, and the code they expand to calls weftwork's
//! `runtime::Builder`. Nothing here knows how a runtime works.
//!
//! | file | holds |
//! |---|---|
//! | `options.rs` | what may stand between the attribute's parentheses, and what is said when it may not |
//! | `expand.rs` | the function that replaces the annotated one |

mod expand;
mod options;

use expand::Entry;
use proc_macro::TokenStream;

/// Whether weftwork's feature `testing` is on, which tests are then run by.
const TESTING: bool = cfg!(feature = "testing");

/// Makes an async function the program's entry point: it runs on a runtime of its own.
///
/// The calling thread becomes worker 0 and the function's future stays on it, so it need not be `Send`. When the function
/// returns, the runtime is shut down and its value becomes the value of the process, so `Result` works as it does for any
/// other `main`.
///
/// # Options
///
/// | option | meaning | default |
/// |---|---|---|
/// | `flavor = "multi_thread"` or `"current_thread"` | which kind of runtime | `"multi_thread"` |
/// | `worker_threads = N` | workers of a multi-thread runtime, the calling thread among them; at least 1 | a worker per core, or `WEFTWORK_WORKERS` |
/// | `ctrl_c = "cancel_main"` or `"leave_alone"` | what Ctrl-C does: the function is cancelled, everything cleans up and the process ends with 130, at once at the second; or the process ends as the system has it. Nothing, once the program asks for Ctrl-C itself. | `"cancel_main"`, because a program that is stopped by hand has things to clean up too |
/// | `crate = "path"` | where weftwork is found, when it was renamed or is re-exported | `"::weftwork"` |
///
/// # Panics
///
/// When the system refuses what the runtime needs to start, a thread or a descriptor for its poller, or when the
/// environment asks for something impossible; and inside of another runtime. The message says what to do.
///
/// # Counterparts
///
/// asyncio: `asyncio.run(main())`. tokio: `#[tokio::main]`.
///
/// # Examples
///
/// ```
/// #[weftwork::main]
/// async fn main() -> Result<(), std::num::ParseIntError> {
///     let answer: u32 = "42".parse()?;
///     assert_eq!(answer, 42);
///     Ok(())
/// }
/// ```
///
/// One thread, tasks in first-in first-out order:
///
/// ```
/// #[weftwork::main(flavor = "current_thread")]
/// async fn main() {
///     println!("Hello");
/// }
/// ```
#[proc_macro_attribute]
pub fn main(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(Entry::Main, options.into(), item.into()).into()
}

/// Makes an async function a test: it runs on a runtime of its own, by default one of the current-thread flavour.
///
/// The options are those of [`macro@main`] without `ctrl_c`, and the default of `flavor` is `"current_thread"`: a test that
/// says nothing gets a guaranteed first-in first-out order. `#[should_panic]`, `#[cfg]` and a `Result` as return type
/// work as with `#[test]`, which must not be written beside this attribute.
///
/// With weftwork's feature `testing` the test also fails if tasks are left when it returns, by name and place; when it fails
/// otherwise, the tasks that were there are printed. There are three more options then:
///
/// | option | meaning | default |
/// |---|---|---|
/// | `clock = "virtual"` | time stands still while anything can run, and then jumps to the next timer | `"real"` |
/// | `seed = N` | ready tasks run in an order drawn from that number, or from `WEFTWORK_SEED`; printed when the test fails; for the current-thread flavour | first in, first out |
/// | `leaks = true` | tasks may be left; they are cancelled | `false` |
///
/// # Panics
///
/// As [`macro@main`]; the test then fails.
///
/// # Counterparts
///
/// asyncio: `unittest.IsolatedAsyncioTestCase`, or pytest-asyncio's marker. tokio: `#[tokio::test]`.
///
/// # Examples
///
/// ```
/// #[weftwork::test(flavor = "multi_thread", worker_threads = 2)]
/// async fn two_and_two_are_four() {
///     assert_eq!(2 + 2, 4);
/// }
/// ```
#[proc_macro_attribute]
pub fn test(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand(Entry::Test, options.into(), item.into()).into()
}
