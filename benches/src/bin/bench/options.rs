//! The command line.

use std::path::PathBuf;
use weftwork_benches::rows::{self, PRIMITIVES, Row, TARGETS, WIDER, Who};

pub(crate) const HELP: &str = "\
bench [--rows a,b,..] [--peers a,b,..] [--rounds N] [--quick] [--out FOLDER] [--write-docs]

  --rows    only these rows; `target` stands for the runtime's of which something is asked, `primitives` for those
            of locks and channels, `wider` for the others
  --peers   only these besides weftwork: tokio, smol, smolscale, go; on weftwork's workers: tokio::sync, async-lock, flume,
            kanal, crossfire
  --rounds  how often each peer measures each row (5); the wider rows three times at most
  --quick   one round each, and none repeated
  --out     where last.json and chart.svg go, and the last ones are compared with (target/bench)
  --write-docs  puts tables and chart into docs/benchmarks.md too; a whole run

bench --measure ROW --of PEER
  One figure from this process, for a profiler.

BENCH_WORKERS=N gives weftwork, tokio, smol and Go N workers instead of 2.
";

pub(crate) enum Mode {
    Help,
    Compare(Options),
}

pub(crate) struct Options {
    pub(crate) rows: Vec<&'static Row>,
    pub(crate) peers: Vec<Who>,
    pub(crate) rounds: usize,
    pub(crate) quick: bool,
    pub(crate) out: PathBuf,
    pub(crate) write_docs: bool,
}

pub(crate) fn read(arguments: impl Iterator<Item = String>) -> Result<Mode, String> {
    let mut options = Options {
        rows: rows::all().collect(),
        peers: Who::ALL.to_vec(),
        rounds: 5,
        quick: false,
        out: PathBuf::from("target/bench"),
        write_docs: false,
    };
    let mut arguments = arguments;
    while let Some(name) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{name} wants a value"));
        match name.as_str() {
            "--help" | "-h" => return Ok(Mode::Help),
            "--write-docs" => options.write_docs = true,
            "--quick" => options.quick = true,
            "--rows" => options.rows = rows(&value()?)?,
            "--peers" => {
                options.peers = vec![Who::Weftwork];
                for peer in value()?.split(',').map(who) {
                    let peer = peer?;
                    if !options.peers.contains(&peer) {
                        options.peers.push(peer);
                    }
                }
            }
            "--rounds" => {
                let text = value()?;
                options.rounds = text
                    .parse()
                    .ok()
                    .filter(|&rounds| rounds > 0)
                    .ok_or_else(|| format!("--rounds wants a number above 0, not '{text}'"))?;
            }
            "--out" => options.out = PathBuf::from(value()?),
            _ => return Err(format!("'{name}' is no option")),
        }
    }
    if options.quick {
        options.rounds = 1;
    }
    Ok(Mode::Compare(options))
}

fn rows(list: &str) -> Result<Vec<&'static Row>, String> {
    let mut rows = Vec::new();
    for name in list.split(',') {
        match name {
            "target" => rows.extend(TARGETS),
            "primitives" => rows.extend(PRIMITIVES),
            "wider" => rows.extend(WIDER),
            _ => rows.push(rows::named(name).ok_or_else(|| {
                let names: Vec<_> = rows::all().map(|row| row.name).collect();
                format!("no row is called '{name}'; there are {}", names.join(", "))
            })?),
        }
    }
    Ok(rows)
}

fn who(name: &str) -> Result<Who, String> {
    Who::named(name).ok_or_else(|| format!("no peer is called '{name}'"))
}
