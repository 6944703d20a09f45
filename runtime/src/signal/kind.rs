//! Which signal is meant.

use core::fmt;

/// A signal of the operating system.
///
/// asyncio's counterpart is `signal.SIGTERM` and its like, tokio's is `signal::unix::SignalKind`.
///
/// ```
/// use weftwork::signal::SignalKind;
/// assert_eq!(SignalKind::terminate().to_string(), "SIGTERM");
/// assert_eq!(SignalKind::from_raw(SignalKind::hangup().as_raw()), SignalKind::hangup());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SignalKind(libc::c_int);

/// The name of each, its constructor, and what it says.
macro_rules! kinds {
    ($($name:ident $number:ident $text:literal;)*) => {
        impl SignalKind {
            $(
                #[doc = concat!("`", stringify!($number), "`: ", $text, ".")]
                pub const fn $name() -> Self {
                    Self(libc::$number)
                }
            )*
        }

        fn name(number: libc::c_int) -> Option<&'static str> {
            match number {
                $(libc::$number => Some(stringify!($number)),)*
                _ => None,
            }
        }
    };
}

kinds! {
    alarm SIGALRM "a timer of the system has run out";
    child SIGCHLD "a child process has ended, stopped or gone on";
    hangup SIGHUP "the terminal is gone; by custom, read the configuration again";
    interrupt SIGINT "Ctrl-C";
    io SIGIO "a descriptor is ready";
    pipe SIGPIPE "a pipe was written to that nobody reads";
    quit SIGQUIT "Ctrl-\\";
    terminate SIGTERM "please end; what service managers and `kill` send";
    user_defined1 SIGUSR1 "whatever the program says";
    user_defined2 SIGUSR2 "whatever the program says";
    window_change SIGWINCH "the terminal has another size";
}

impl SignalKind {
    /// The signal with this number.
    pub const fn from_raw(number: libc::c_int) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn as_raw(self) -> libc::c_int {
        self.0
    }
}

impl fmt::Display for SignalKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match name(self.0) {
            Some(name) => f.write_str(name),
            None => write!(f, "signal {}", self.0),
        }
    }
}

impl fmt::Debug for SignalKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
