//! The function that replaces the annotated one.
//!
//! The annotated function moves, unchanged, into the body of a plain one of the same name, which builds a runtime and runs
//! it there. It stays an `async fn` with its own return type, so that the compiler's messages about its body are those it
//! would give without the attribute, and so that `impl Trait` and `!` can be returned.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, ItemFn};

use crate::TESTING;
use crate::options::{CtrlC, Faults, Flavor, OptionList, Options};

/// Which of the two attributes is expanded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    Main,
    Test,
}

impl Entry {
    fn attribute(self) -> &'static str {
        match self {
            Self::Main => "#[weftwork::main]",
            Self::Test => "#[weftwork::test]",
        }
    }

    pub(crate) fn default_flavor(self) -> Flavor {
        match self {
            Self::Main => Flavor::MultiThread,
            Self::Test => Flavor::CurrentThread,
        }
    }

    /// What may be given, for the message about what may not.
    pub(crate) fn options(self) -> &'static str {
        match self {
            Self::Main => "`flavor`, `worker_threads`, `ctrl_c` and `crate`",
            Self::Test => "`flavor`, `worker_threads`, `clock`, `seed`, `leaks` and `crate`",
        }
    }
}

pub(crate) fn expand(entry: Entry, options: TokenStream, item: TokenStream) -> TokenStream {
    let function = match syn::parse2::<ItemFn>(item.clone()) {
        Ok(function) => function,
        Err(_) => {
            let message = format!("{} stands on an `async fn` with a body", entry.attribute());
            let fault = syn::Error::new_spanned(&item, message).into_compile_error();
            return quote!(#fault #item);
        }
    };
    let mut faults = Faults::default();
    let options = faults.keep(syn::parse2::<OptionList>(options).and_then(|list| list.check(entry)));
    check_function(entry, &function, &mut faults);
    match (faults.into_result(), options) {
        (Ok(()), Some(options)) => entry_point(entry, &options, function),
        (Err(fault), _) => refused(&fault, function),
        (Ok(()), None) => unreachable!("an option that was not kept left a fault"),
    }
}

fn check_function(entry: Entry, function: &ItemFn, faults: &mut Faults) {
    let attribute = entry.attribute();
    let signature = &function.sig;
    if signature.asyncness.is_none() {
        faults.add(syn::Error::new(
            signature.fn_token.span,
            format!("{attribute} runs a future: write `async fn {}`", signature.ident),
        ));
    }
    if !signature.inputs.is_empty() {
        faults.add(syn::Error::new_spanned(
            &signature.inputs,
            format!("a function under {attribute} takes no arguments: nobody is there to pass them"),
        ));
    }
    if !signature.generics.params.is_empty() {
        faults.add(syn::Error::new_spanned(
            &signature.generics.params,
            format!("a function under {attribute} cannot be generic: nobody is there to choose the types"),
        ));
    }
    for (present, word) in [
        (signature.constness.map(|word| word.span), "const"),
        (signature.unsafety.map(|word| word.span), "unsafe"),
        (signature.abi.as_ref().map(Spanned::span), "extern"),
    ] {
        if let Some(span) = present {
            faults.add(syn::Error::new(
                span,
                format!("a function under {attribute} cannot be `{word}`: remove the word"),
            ));
        }
    }
    if entry == Entry::Test
        && let Some(second) = function.attrs.iter().find(|attribute| marks_a_test(attribute))
    {
        faults.add(syn::Error::new_spanned(
            second,
            "#[weftwork::test] makes this a test already: with both, it would run twice; remove this one",
        ));
    }
}

/// Whether the attribute is the language's own `#[test]`, by any of its paths.
fn marks_a_test(attribute: &Attribute) -> bool {
    let segments: Vec<String> = attribute.path().segments.iter().map(|segment| segment.ident.to_string()).collect();
    match segments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["test"] => true,
        [root, "prelude", _, "test"] => root == "core" || root == "std",
        _ => false,
    }
}

fn entry_point(entry: Entry, options: &Options, function: ItemFn) -> TokenStream {
    let ItemFn { attrs, vis, sig, block } = function;
    let weftwork = &options.weftwork;
    let name = &sig.ident;
    let returned = &sig.output;

    let builder = match options.flavor {
        Flavor::MultiThread => quote!(new_multi_thread),
        Flavor::CurrentThread => quote!(new_current_thread),
    };
    let worker_threads = options.worker_threads.map(|count| quote!(.worker_threads(#count)));
    let test = (entry == Entry::Test).then(|| quote!(#[::core::prelude::v1::test]));

    // Names of mixed site keep clear of the user's variables, but a pattern still finds a user's constant: hence the
    // underscores.
    let output = Ident::new("__output", Span::mixed_site());
    let error = Ident::new("__error", Span::mixed_site());
    let policy = options.ctrl_c.unwrap_or(CtrlC::CancelMain).variant();
    let make = quote!(#weftwork::runtime::Builder::#builder()#worker_threads);
    let start = if entry == Entry::Test && TESTING {
        let clock = options.virtual_clock.then(|| quote!(.virtual_clock()));
        let seed = options.seed.map(|seed| quote!(.seed(#seed)));
        let leaks = options.leaks.then(|| quote!(.allow_leaks()));
        quote!(#weftwork::testing::Trial::new(#make)#clock #seed #leaks)
    } else {
        make
    };
    // At the span of the body, so that what the compiler says about the runtime's use points into the user's function.
    let run = match entry {
        Entry::Main => quote_spanned! {block.span()=>
            #start.ctrl_c(#weftwork::runtime::OnCtrlC::#policy).run_main(#name())
        },
        Entry::Test => quote_spanned! {block.span()=>
            match #start.run(#name()) {
                ::core::result::Result::Ok(#output) => #output,
                // The error says what to do about it.
                ::core::result::Result::Err(#error) => {
                    ::core::panic!("weftwork could not start its runtime: {}", #error)
                }
            }
        },
    };
    quote! {
        #test
        #(#attrs)*
        #vis fn #name() #returned {
            #sig #block
            #run
        }
    }
}

/// The faults, with the function kept inside one that compiles: no second error about a missing or an async `main`, and
/// an editor still sees the body.
fn refused(fault: &syn::Error, function: ItemFn) -> TokenStream {
    let fault = fault.to_compile_error();
    let ItemFn { vis, sig, block, .. } = function;
    let name = &sig.ident;
    quote! {
        #fault
        #[allow(unused)]
        #vis fn #name() {
            #sig #block
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(entry: Entry, options: TokenStream, item: TokenStream) -> String {
        expand(entry, options, item).to_string()
    }

    #[test]
    fn main_is_multi_thread_and_test_current_thread_by_default() {
        assert!(
            expanded(
                Entry::Main,
                quote!(),
                quote!(
                    async fn main() {}
                )
            )
            .contains("new_multi_thread")
        );
        assert!(
            expanded(
                Entry::Test,
                quote!(),
                quote!(
                    async fn works() {}
                )
            )
            .contains("new_current_thread")
        );
    }

    #[test]
    fn the_return_type_attributes_and_visibility_are_kept() {
        let text = expanded(
            Entry::Test,
            quote!(),
            quote!(
                #[should_panic]
                pub(crate) async fn works() -> Result<(), E> {
                    Ok(())
                }
            ),
        );
        assert!(text.contains("# [should_panic] pub (crate) fn works () -> Result < () , E >"), "{text}");
        assert!(text.contains("async fn works () -> Result < () , E > { Ok (()) }"), "{text}");
    }

    #[test]
    fn another_path_to_the_crate_is_used_throughout() {
        let text = expanded(
            Entry::Main,
            quote!(crate = "renamed"),
            quote!(
                async fn main() {}
            ),
        );
        assert!(text.contains("renamed :: runtime :: Builder") && !text.contains("weftwork ::"), "{text}");
    }

    #[test]
    fn whatever_is_wrong_becomes_a_compile_error() {
        for item in [
            quote!(
                fn main() {}
            ),
            quote!(
                async fn main(argument: u32) {}
            ),
            quote!(
                async fn main<T>() {}
            ),
            quote!(
                async unsafe fn main() {}
            ),
            quote!(
                async extern "C" fn main() {}
            ),
            quote!(
                struct Main;
            ),
        ] {
            assert!(expanded(Entry::Main, quote!(), item.clone()).contains("compile_error"), "{item}");
        }
    }

    #[test]
    fn a_second_test_attribute_is_refused() {
        for second in [quote!(#[test]), quote!(#[core::prelude::v1::test]), quote!(#[::std::prelude::rust_2024::test])]
        {
            let text = expanded(Entry::Test, quote!(), quote!(#second async fn works() {}));
            assert!(text.contains("compile_error"), "{text}");
        }
        let text = expanded(
            Entry::Test,
            quote!(),
            quote!(
                #[should_panic]
                async fn works() {}
            ),
        );
        assert!(!text.contains("compile_error"), "{text}");
    }
}
