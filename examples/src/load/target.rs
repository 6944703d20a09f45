//! Where the load goes: an address for lines, or a URL.

/// What stands in a URL, and in an expected text, for the line of the request.
pub const LINE: &str = "{line}";

/// Which protocol, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// Lines over TCP, to `host:port`.
    Lines(String),
    /// HTTP/1.1.
    Http(HttpUrl),
}

/// A URL, as far as a request needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpUrl {
    /// The host and, where it is given, the port, as they were written.
    pub authority: String,
    /// The path with the query, from its `/` on.
    pub path_and_query: String,
}

const HTTP_PORT: u16 = 80;

impl Target {
    /// Reads `http://host[:port][/path][?query]`, `tcp://host:port` or `host:port`. IPv6 addresses stand in brackets.
    ///
    /// # Errors
    /// In words for whoever wrote it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("tcp", text));
        match scheme {
            "tcp" if port_of(rest).is_some_and(|port| port.is_some()) => Ok(Self::Lines(rest.to_owned())),
            "tcp" => Err(format!("{text:?} has no port: it has to be HOST:PORT, as 127.0.0.1:2323")),
            "http" => HttpUrl::parse(rest).map(Self::Http).ok_or_else(|| {
                format!("{text:?} is no URL this program understands: it has to be http://HOST[:PORT]/PATH")
            }),
            "https" => Err("there is no TLS here: give an http:// URL".to_owned()),
            other => Err(format!("{other:?} is no protocol of this program: it has tcp:// and http://")),
        }
    }

    /// Host and port, to be looked up.
    pub fn host_and_port(&self) -> String {
        match self {
            Self::Lines(address) => address.clone(),
            Self::Http(url) if port_of(&url.authority) == Some(None) => format!("{}:{HTTP_PORT}", url.authority),
            Self::Http(url) => url.authority.clone(),
        }
    }

    /// As it can be typed again.
    pub fn shown(&self) -> String {
        match self {
            Self::Lines(address) => format!("tcp://{address}"),
            Self::Http(url) => format!("http://{}{}", url.authority, url.path_and_query),
        }
    }
}

impl HttpUrl {
    fn parse(rest: &str) -> Option<Self> {
        let rest = rest.split('#').next().unwrap_or(rest);
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        port_of(authority)?;
        let slash = if path.starts_with('/') { "" } else { "/" };
        let path_and_query = format!("{slash}{path}");
        // What would end the request line early; the rest is the server's to judge.
        let is_plain = |c: char| c.is_ascii_graphic();
        (authority.chars().all(is_plain) && path_and_query.chars().all(is_plain))
            .then(|| Self { authority: authority.to_owned(), path_and_query })
    }
}

/// The port of `host`, `host:port`, `[v6]` or `[v6]:port`; `None` if that is none of these.
fn port_of(authority: &str) -> Option<Option<u16>> {
    let (host, behind) = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    if host.is_empty() || authority.contains('@') {
        return None;
    }
    match behind.strip_prefix(':') {
        Some(port) => port.parse().ok().map(Some),
        None => behind.is_empty().then_some(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_urls_are_understood() {
        for (given, host_and_port, shown) in [
            ("127.0.0.1:2323", "127.0.0.1:2323", "tcp://127.0.0.1:2323"),
            ("tcp://[::1]:2323", "[::1]:2323", "tcp://[::1]:2323"),
            ("http://localhost", "localhost:80", "http://localhost/"),
            ("http://[::1]:8888?query={line}", "[::1]:8888", "http://[::1]:8888/?query={line}"),
            ("http://a:8888/b?c=d#e", "a:8888", "http://a:8888/b?c=d"),
        ] {
            let target = Target::parse(given).unwrap();
            assert_eq!((target.host_and_port().as_str(), target.shown().as_str()), (host_and_port, shown));
        }
    }

    #[test]
    fn what_cannot_be_reached_is_told_in_words() {
        for (given, told) in [
            ("127.0.0.1", "has no port"),
            ("", "has no port"),
            (":80", "has no port"),
            ("a:99999", "has no port"),
            ("::1:80", "has no port"),
            ("https://a/", "no TLS"),
            ("ftp://a/", "no protocol"),
            ("http://", "is no URL"),
            ("http://a:b/", "is no URL"),
            ("http://me@a/", "is no URL"),
            ("http://a/b c", "is no URL"),
            ("http://a/\r\nX: y", "is no URL"),
        ] {
            let error = Target::parse(given).unwrap_err();
            assert!(error.contains(told), "{given}: {error}");
        }
    }
}
