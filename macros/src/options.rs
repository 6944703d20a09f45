//! What may stand between an attribute's parentheses.
//!
//! Every mistake is reported at the token that makes it, and all of them at once: a reader who fixes the first should not
//! meet a second. Each message says what to write instead.

use proc_macro2::Span;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Expr, ExprLit, Ident, Lit, LitStr, Path, Token};

use crate::TESTING;
use crate::expand::Entry;

/// The kinds of runtime that `runtime::Builder` knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavor {
    CurrentThread,
    MultiThread,
}

/// What a Ctrl-C does to a main function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CtrlC {
    CancelMain,
    LeaveAlone,
}

impl CtrlC {
    /// Its name among the variants of `runtime::OnCtrlC`.
    pub(crate) fn variant(self) -> Ident {
        let name = match self {
            Self::CancelMain => "CancelMain",
            Self::LeaveAlone => "LeaveAlone",
        };
        Ident::new(name, Span::call_site())
    }
}

/// Options that have been checked against each other.
pub(crate) struct Options {
    pub(crate) flavor: Flavor,
    pub(crate) worker_threads: Option<usize>,
    pub(crate) ctrl_c: Option<CtrlC>,
    pub(crate) weftwork: Path,
    pub(crate) virtual_clock: bool,
    pub(crate) seed: Option<u64>,
    pub(crate) leaks: bool,
}

/// One `name = value`, not yet looked at.
struct Given {
    name: Ident,
    value: Expr,
}

impl Parse for Given {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        // parse_any, because `crate` is a keyword.
        let name = input.call(Ident::parse_any)?;
        if !input.peek(Token![=]) {
            return Err(syn::Error::new(
                name.span(),
                format!("`{name}` needs a value: options are written as `name = value`"),
            ));
        }
        input.parse::<Token![=]>()?;
        Ok(Self { name, value: input.parse()? })
    }
}

/// The list as written, for `syn::parse2`.
pub(crate) struct OptionList(Punctuated<Given, Token![,]>);

impl Parse for OptionList {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Punctuated::parse_terminated(input).map(Self)
    }
}

impl OptionList {
    /// Gives every option its meaning, or says everything that is wrong with the list.
    pub(crate) fn check(self, entry: Entry) -> syn::Result<Options> {
        let mut faults = Faults::default();
        let mut flavor: Option<Flavor> = None;
        let mut worker_threads: Option<(usize, Span)> = None;
        let mut ctrl_c: Option<CtrlC> = None;
        let mut weftwork: Option<Path> = None;
        let (mut virtual_clock, mut leaks) = (false, false);
        let mut seed: Option<(u64, Span)> = None;
        let mut seen: Vec<String> = Vec::new();

        for Given { name, value } in self.0 {
            let word = name.to_string();
            if seen.contains(&word) {
                faults.add(syn::Error::new(name.span(), format!("`{word}` is given twice: keep one of them")));
                continue;
            }
            match word.as_str() {
                "flavor" => flavor = faults.keep(read_flavor(&value)),
                "worker_threads" => {
                    worker_threads = faults.keep(read_worker_threads(&value)).map(|count| (count, name.span()));
                }
                "ctrl_c" if entry == Entry::Main => ctrl_c = faults.keep(read_ctrl_c(&value)),
                "ctrl_c" => faults.add(syn::Error::new(
                    name.span(),
                    "`ctrl_c` is an option of #[weftwork::main]: in a test Ctrl-C ends the process, as for any other test",
                )),
                "crate" => weftwork = faults.keep(read_path(&value)),
                "clock" | "seed" | "leaks" if entry == Entry::Main => faults.add(syn::Error::new(
                    name.span(),
                    format!("`{word}` is an option of #[weftwork::test]: a program runs on the real clock, in the order it comes"),
                )),
                "clock" | "seed" | "leaks" if !TESTING => faults.add(syn::Error::new(
                    name.span(),
                    format!("`{word}` needs weftwork's feature `testing`: add it to the dev-dependency"),
                )),
                "clock" => virtual_clock = faults.keep(read_clock(&value)).unwrap_or_default(),
                "seed" => seed = faults.keep(read_seed(&value)).map(|seed| (seed, name.span())),
                "leaks" => leaks = faults.keep(read_leaks(&value)).unwrap_or_default(),
                _ => faults.add(syn::Error::new(
                    name.span(),
                    format!("unknown option `{word}`: the options are {}", entry.options()),
                )),
            }
            seen.push(word);
        }

        // A flavour that could not be read makes no second complaint about what it would have meant.
        let flavor_is_known = flavor.is_some() || !seen.iter().any(|word| word == "flavor");
        let flavor = flavor.unwrap_or(entry.default_flavor());
        if let (Flavor::CurrentThread, true, Some((_, span))) = (flavor, flavor_is_known, worker_threads) {
            faults.add(syn::Error::new(
                span,
                "a current-thread runtime has one worker, the calling thread: remove `worker_threads`, \
                 or write `flavor = \"multi_thread\"`",
            ));
        }
        if let (Flavor::MultiThread, true, Some((_, span))) = (flavor, flavor_is_known, seed) {
            faults.add(syn::Error::new(
                span,
                "a seed orders the tasks of a current-thread runtime, which has one thread: remove `seed`, \
                 or write `flavor = \"current_thread\"`",
            ));
        }
        faults.into_result()?;
        Ok(Options {
            virtual_clock,
            seed: seed.map(|(seed, _)| seed),
            leaks,
            flavor,
            worker_threads: worker_threads.map(|(count, _)| count),
            ctrl_c,
            weftwork: weftwork.unwrap_or_else(|| syn::parse_quote!(::weftwork)),
        })
    }
}

/// Mistakes found so far; they are reported together.
#[derive(Default)]
pub(crate) struct Faults(Option<syn::Error>);

impl Faults {
    pub(crate) fn add(&mut self, fault: syn::Error) {
        match &mut self.0 {
            Some(all) => all.combine(fault),
            None => self.0 = Some(fault),
        }
    }

    pub(crate) fn keep<T>(&mut self, read: syn::Result<T>) -> Option<T> {
        read.map_err(|fault| self.add(fault)).ok()
    }

    pub(crate) fn into_result(self) -> syn::Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}

fn read_flavor(value: &Expr) -> syn::Result<Flavor> {
    const CHOICE: &str = "`flavor` is \"multi_thread\" or \"current_thread\"";
    let text = as_text(value).ok_or_else(|| syn::Error::new_spanned(value, format!("{CHOICE}, in quotes")))?;
    match text.value().as_str() {
        "multi_thread" => Ok(Flavor::MultiThread),
        "current_thread" => Ok(Flavor::CurrentThread),
        other => Err(syn::Error::new(text.span(), format!("no flavor is called \"{other}\": {CHOICE}"))),
    }
}

fn read_ctrl_c(value: &Expr) -> syn::Result<CtrlC> {
    const CHOICE: &str = "`ctrl_c` is \"cancel_main\" or \"leave_alone\"";
    let text = as_text(value).ok_or_else(|| syn::Error::new_spanned(value, format!("{CHOICE}, in quotes")))?;
    match text.value().as_str() {
        "cancel_main" => Ok(CtrlC::CancelMain),
        "leave_alone" => Ok(CtrlC::LeaveAlone),
        other => Err(syn::Error::new(text.span(), format!("nothing is done by \"{other}\": {CHOICE}"))),
    }
}

fn read_worker_threads(value: &Expr) -> syn::Result<usize> {
    const NUMBER: &str = "`worker_threads` is a number written out, as in `worker_threads = 4`; \
                          a number that is computed goes to `Builder::worker_threads`";
    let Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) = value else {
        return Err(syn::Error::new_spanned(value, NUMBER));
    };
    match number.base10_parse::<usize>() {
        Ok(0) => Err(syn::Error::new(
            number.span(),
            "a runtime needs at least 1 worker: leave `worker_threads` out for one per core",
        )),
        Ok(count) => Ok(count),
        Err(_) => Err(syn::Error::new(number.span(), NUMBER)),
    }
}

fn read_clock(value: &Expr) -> syn::Result<bool> {
    const CHOICE: &str = "`clock` is \"virtual\" or \"real\"";
    let text = as_text(value).ok_or_else(|| syn::Error::new_spanned(value, format!("{CHOICE}, in quotes")))?;
    match text.value().as_str() {
        "virtual" => Ok(true),
        "real" => Ok(false),
        other => Err(syn::Error::new(text.span(), format!("no clock is called \"{other}\": {CHOICE}"))),
    }
}

fn read_seed(value: &Expr) -> syn::Result<u64> {
    let fault = || syn::Error::new_spanned(value, "`seed` is a number written out, as in `seed = 7`");
    let Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) = value else { return Err(fault()) };
    number.base10_parse().map_err(|_| fault())
}

fn read_leaks(value: &Expr) -> syn::Result<bool> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Bool(word), .. }) => Ok(word.value),
        _ => Err(syn::Error::new_spanned(value, "`leaks` is `true` or `false`")),
    }
}

fn read_path(value: &Expr) -> syn::Result<Path> {
    let fault = || {
        let given = value.to_token_stream();
        syn::Error::new_spanned(
            value,
            format!("`crate` is a path in quotes, as in `crate = \"my_name_for_it\"`, not `{given}`"),
        )
    };
    as_text(value).ok_or_else(fault)?.parse_with(Path::parse_mod_style).map_err(|_| fault())
}

fn as_text(value: &Expr) -> Option<&LitStr> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    fn read(options: proc_macro2::TokenStream) -> Result<Options, Vec<String>> {
        syn::parse2::<OptionList>(options)
            .and_then(|list| list.check(Entry::Main))
            .map_err(|fault| fault.into_iter().map(|one| one.to_string()).collect())
    }

    #[test]
    fn nothing_given_means_the_defaults() {
        let options = read(quote!()).ok().unwrap();
        assert_eq!((options.flavor, options.worker_threads), (Flavor::MultiThread, None));
        assert_eq!(options.weftwork.to_token_stream().to_string(), ":: weftwork");
    }

    #[test]
    fn every_option_is_read() {
        let given = quote!(flavor = "multi_thread", worker_threads = 3, ctrl_c = "leave_alone", crate = "a::b",);
        let options = read(given).ok().unwrap();
        assert_eq!((options.flavor, options.worker_threads), (Flavor::MultiThread, Some(3)));
        assert_eq!(options.ctrl_c, Some(CtrlC::LeaveAlone));
        assert_eq!(options.weftwork.to_token_stream().to_string(), "a :: b");
    }

    #[test]
    fn all_mistakes_are_reported_at_once() {
        let given = quote!(flavor = 1, worker_threads = 0, crate = 2, ctrl_c = "beep", start = true);
        let faults = read(given).err().unwrap();
        assert_eq!(faults.len(), 5, "{faults:?}");
    }

    #[test]
    fn a_number_too_large_is_an_error_and_no_panic() {
        assert!(read(quote!(worker_threads = 99999999999999999999999)).is_err());
    }

    #[test]
    fn what_is_for_tests_alone_is_refused_on_main() {
        let faults = read(quote!(clock = "virtual", seed = 1, leaks = true)).err().unwrap();
        assert!(faults.len() == 3 && faults.iter().all(|fault| fault.contains("#[weftwork::test]")), "{faults:?}");
    }

    #[test]
    fn workers_of_an_unreadable_flavor_are_not_complained_about() {
        let faults = read(quote!(flavor = "green", worker_threads = 2)).err().unwrap();
        assert_eq!(faults.len(), 1, "{faults:?}");
    }
}
