//! The macros: they write lists of futures and take lists of values apart.
//!
//! Each is a set of rules that call each other; a name after `@` says which one is meant. Names that a rule makes are its own (a
//! macro's names are told apart by where they were made), which is why lists are unpacked by one rule calling itself.

/// Waits for the first of several futures in this task, and runs the code of its arm when the others have ended.
///
/// ```text
/// select! {
///     pattern = future => code,
///     pattern = future, if condition => code,
///     else => code
/// }
/// ```
///
/// The futures run side by side in the calling task, where they lie: they may borrow, and may be of any types. The first whose value matches its
/// pattern wins. Then the others are cancelled: each is dropped where it waits, code in [`cancellable`](crate::scope::cancellable()) and
/// [`cleanup`](crate::scope::cleanup()) inside of it runs to its end, and tasks whose handles it owned are cancelled and waited for. Only after that
/// does the winner's code begin, which may use whatever the futures borrowed, and may `return`, `break` and `?` in the function around.
///
/// - An arm whose condition is false is left out. All conditions are evaluated before the first future; the future of an arm that is left out is
///   not even made.
/// - An arm whose value does not match its pattern is left out from then on.
/// - `else` runs if no arm is left.
/// - Each poll begins with an arm by chance. With `biased;` in front they are polled from top to bottom.
/// - What is to be taken up again another time, in a loop, is made before and given as `&mut future`: then the one that loses is not
///   dropped. Nor is a task cancelled of which an arm has `&mut handle`.
///
/// # Panics
/// If no arm is left, and there is no `else`. A panic of a future goes on here; that of one that has lost, once all have ended.
///
/// # Cancel safety
/// Those that lose are dropped, so what they have lost then is lost: each future says what that is.
///
/// # Counterparts
/// tokio's is `tokio::select!`, with the same arms. There, those that lose are dropped and nothing is waited for, and the future of an arm that is left out is made, though not polled.
/// asyncio's is `asyncio.wait(return_when=FIRST_COMPLETED)`; for futures that become tasks of their own there is [`race`](crate::race()).
///
/// ```
/// use weftwork::time::Duration;
/// use weftwork::{select, sleep};
///
/// weftwork::run(async {
///     let mut ticks = 0;
///     let mut work = std::pin::pin!(async {
///         sleep(Duration::from_millis(5)).await;
///         "done"
///     });
///     let answer = loop {
///         select! {
///             answer = &mut work => break answer,
///             () = sleep(Duration::from_millis(1)), if ticks < 3 => ticks += 1,
///         }
///     };
///     assert_eq!((answer, ticks), ("done", 3));
/// });
/// ```
#[macro_export]
macro_rules! select {
    // Arms, one after the other, until none or `else` is left: [fair or not] [arms so far] what follows.
    (@arms $fair:tt [] ) => {
        ::core::compile_error!("select! needs an arm: `pattern = future => code`")
    };
    (@arms $fair:tt [] else => $($rest:tt)*) => {
        ::core::compile_error!("select! needs an arm before its `else`: `pattern = future => code`")
    };
    (@arms $fair:tt [$($arm:tt)+]) => {
        $crate::select!(@run $fair [::core::panic!("every arm of this select! is left out, and it has no `else`")] $($arm)+)
    };
    (@arms $fair:tt [$($arm:tt)+] else => $else:expr $(,)?) => {
        $crate::select!(@run $fair [$else] $($arm)+)
    };
    (@arms $fair:tt $arms:tt else $($rest:tt)*) => {
        ::core::compile_error!("`else => code` is the last arm of a select!, and has neither future nor condition")
    };
    (@arms $fair:tt [$($arm:tt)*] $pattern:pat = $future:expr $(, if $condition:expr)? => $code:block, $($rest:tt)*) => {
        $crate::select!(@arms $fair [$($arm)* { [$pattern] [$future] [$($condition)?] [$code] }] $($rest)*)
    };
    (@arms $fair:tt [$($arm:tt)*] $pattern:pat = $future:expr $(, if $condition:expr)? => $code:block $($rest:tt)*) => {
        $crate::select!(@arms $fair [$($arm)* { [$pattern] [$future] [$($condition)?] [$code] }] $($rest)*)
    };
    (@arms $fair:tt [$($arm:tt)*] $pattern:pat = $future:expr $(, if $condition:expr)? => $code:expr) => {
        $crate::select!(@arms $fair [$($arm)* { [$pattern] [$future] [$($condition)?] [$code] }])
    };
    (@arms $fair:tt [$($arm:tt)*] $pattern:pat = $future:expr $(, if $condition:expr)? => $code:expr, $($rest:tt)*) => {
        $crate::select!(@arms $fair [$($arm)* { [$pattern] [$future] [$($condition)?] [$code] }] $($rest)*)
    };
    (@arms $($rest:tt)*) => {
        ::core::compile_error!(
            "an arm of select! is `pattern = future => code` or `pattern = future, if condition => code`, with a comma before the next one"
        )
    };

    // Statements of their own, so that what only an expression needed is dropped before anything is awaited.
    (@run $fair:tt [$else:expr] $({ [$pattern:pat] [$future:expr] [$($condition:expr)?] [$code:expr] })+) => {{
        let enabled = $crate::select!(@conditions $([$($condition)?])+);
        let won = {
            let arms = $crate::select!(@list enabled; $([$future])+);
            let arms = $crate::select::Select::new(arms, $fair);
            let mut arms = ::core::pin::pin!(arms);
            let won = loop {
                match arms.as_mut().first().await {
                    ::core::option::Option::None => break ::core::option::Option::None,
                    ::core::option::Option::Some(won) => {
                        let mut takes = false;
                        $crate::select!(@takes takes won [] [] $([$pattern])+);
                        if takes {
                            break ::core::option::Option::Some(won);
                        }
                    }
                }
            };
            arms.as_mut().others_gone().await;
            won
        };
        match won {
            ::core::option::Option::None => $else,
            ::core::option::Option::Some(won) => $crate::select!(@code won; $([$pattern] [$code])+),
        }
    }};

    (@conditions) => { () };
    (@conditions [] $($rest:tt)*) => { (true, $crate::select!(@conditions $($rest)*)) };
    (@conditions [$condition:expr] $($rest:tt)*) => { ($condition, $crate::select!(@conditions $($rest)*)) };

    (@list $enabled:expr;) => { $crate::select::End };
    (@list $enabled:expr; [$future:expr] $($rest:tt)*) => {
        $crate::select::Choice::new(
            if $enabled.0 {
                ::core::option::Option::Some(::core::future::IntoFuture::into_future($future))
            } else {
                ::core::option::Option::None
            },
            $crate::select!(@list $enabled.1; $($rest)*),
        )
    };

    // Whether the pattern of the arm takes its value: [the patterns so far] [how far down the list] the patterns to come. The guards look at
    // the value where it lies: nothing is moved out of it, because they never hold.
    (@takes $takes:ident $won:ident [$($pattern:pat),*] [$($down:tt)*]) => {
        #[allow(unused_variables, unused_mut)]
        match $won {
            $($pattern if { $takes = true; false } => ::core::unreachable!(),)*
            _ => {}
        }
    };
    (@takes $takes:ident $won:ident [$($done:pat),*] [$($down:tt)*] [$pattern:pat] $($rest:tt)*) => {
        $crate::select!(
            @takes $takes $won [$($done,)* $crate::select!(@down [$($down)*] $pattern)] [$($down)* +] $($rest)*
        )
    };
    (@down [] $pattern:pat) => { $crate::select::Won::Here($pattern) };
    (@down [+ $($down:tt)*] $pattern:pat) => {
        $crate::select::Won::Further($crate::select!(@down [$($down)*] $pattern))
    };

    (@code $won:expr;) => { match $won {} };
    (@code $won:expr; [$pattern:pat] [$code:expr] $($rest:tt)*) => {
        match $won {
            $crate::select::Won::Here($pattern) => $code,
            #[allow(unreachable_patterns)]
            $crate::select::Won::Here(_) => ::core::unreachable!("the pattern took it"),
            $crate::select::Won::Further(further) => $crate::select!(@code further; $($rest)*),
        }
    };

    (biased, $($arms:tt)*) => {
        ::core::compile_error!("`biased` in front of the arms of a select! ends with a semicolon: `biased;`")
    };
    (biased; $($arms:tt)*) => { $crate::select!(@arms false [] $($arms)*) };
    ($($arms:tt)*) => { $crate::select!(@arms true [] $($arms)*) };
}

/// Waits for several futures in this task, and gives all their values, as a tuple.
///
/// They run side by side in the calling task, where they lie: they may borrow, and may be of any types. Nothing runs in parallel; for that, spawn, or
/// [`gather`](crate::gather()). Each is dropped as soon as it has its value. Cancelled from outside, they unwind together: while one of
/// them is shielded or cleans up, the others are not dropped either.
///
/// Which is polled first goes round; with `biased;` in front it is always the first.
///
/// # Cancel safety
/// Dropped, it drops the values it has and the futures it waits for.
///
/// tokio's counterpart is `tokio::join!`; asyncio's is `asyncio.gather`, whose coroutines become tasks.
///
/// ```
/// weftwork::run(async {
///     let mut sum = 0;
///     let (n, text) = weftwork::join!(async { 1 }, async {
///         sum += 2;
///         "two"
///     });
///     assert_eq!((n, text, sum), (1, "two", 2));
/// });
/// ```
#[macro_export]
macro_rules! join {
    (@list) => { $crate::select::End };
    (@list $first:expr $(, $rest:expr)*) => {
        $crate::select::All::new(::core::future::IntoFuture::into_future($first), $crate::join!(@list $($rest),*))
    };

    // One name for each value; the same rule unpacks what `try_join!` has.
    (@tuple $values:expr; [$($name:ident)*]) => {{
        let $crate::join!(@pattern $($name)*) = $values;
        ($($name,)*)
    }};
    (@tuple $values:expr; [$($name:ident)*] $future:expr $(, $rest:expr)*) => {
        $crate::join!(@tuple $values; [$($name)* value] $($rest),*)
    };
    (@pattern) => { () };
    (@pattern $first:ident $($rest:ident)*) => { ($first, $crate::join!(@pattern $($rest)*)) };

    (@run $fair:tt $($future:expr),*) => {{
        let futures = $crate::join!(@list $($future),*);
        let values = $crate::select::Join::new(futures, $fair).await;
        $crate::join!(@tuple values; [] $($future),*)
    }};

    (biased; $($future:expr),* $(,)?) => { $crate::join!(@run false $($future),*) };
    ($($future:expr),* $(,)?) => { $crate::join!(@run true $($future),*) };
}

/// As [`join!`](crate::join!), for futures that may fail: it ends with the first error, when the others have ended.
///
/// At an error the others are cancelled as those that lose in [`select!`](crate::select!): dropped where they wait, their clean-up awaited. All errors are of one
/// type; `async { Ok(work().await?) }` converts.
///
/// # Errors
/// The first error. Others that come while futures clean up are dropped; [`try_gather`](crate::try_gather()) keeps all.
///
/// # Cancel safety
/// As of [`join!`](crate::join!).
///
/// tokio's counterpart is `tokio::try_join!`, which waits for no clean-up.
///
/// ```
/// weftwork::run(async {
///     let numbers = weftwork::try_join!(async { "1".parse::<u8>() }, async { "20".parse::<u16>() });
///     assert_eq!(numbers, Ok((1, 20)));
///
///     let never = std::future::pending::<Result<(), _>>();
///     assert_eq!(weftwork::try_join!(never, async { Err::<u8, _>("no") }), Err("no"));
/// });
/// ```
#[macro_export]
macro_rules! try_join {
    (@list) => { $crate::select::End };
    (@list $first:expr $(, $rest:expr)*) => {
        $crate::select::TryAll::new(::core::future::IntoFuture::into_future($first), $crate::try_join!(@list $($rest),*))
    };

    (@run $fair:tt $($future:expr),*) => {{
        let futures = $crate::try_join!(@list $($future),*);
        let values = $crate::select::TryJoin::new(futures, $fair).await;
        match values {
            ::core::result::Result::Ok(values) => {
                ::core::result::Result::Ok($crate::join!(@tuple values; [] $($future),*))
            }
            ::core::result::Result::Err(error) => ::core::result::Result::Err(error),
        }
    }};

    ($(biased;)?) => {
        ::core::compile_error!("try_join! needs a future, or nobody knows of which type its error is: `try_join!(future, ...)`")
    };
    (biased; $($future:expr),+ $(,)?) => { $crate::try_join!(@run false $($future),+) };
    ($($future:expr),+ $(,)?) => { $crate::try_join!(@run true $($future),+) };
}
