//! What a server has, second by second, and whether its memory stays where it is.

use std::ops::RangeInclusive;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;
use weftwork_benches::server_process::{Sample, ServerProcess};

const EVERY: Duration = Duration::from_secs(1);
/// How far from their median the sizes may be.
const TOLERANCE: f64 = 0.05;
/// Of the time of the load, what is judged: memory grows while connections and buffers are made.
const JUDGED: f64 = 2.0 / 3.0;

const MIB: f64 = 1024.0 * 1024.0;

/// Takes a sample each second until something is sent, or its sender is gone.
pub(crate) fn watch(server: &ServerProcess, done: &Receiver<()>) -> Result<Vec<Sample>, String> {
    let mut samples = vec![server.sample()?];
    while done.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
        samples.push(server.sample()?);
        server.forget_log()?;
    }
    Ok(samples)
}

/// Prints the series; says whether memory was flat and the connections were all there.
pub(crate) fn judge(samples: &[Sample], connections: usize, baseline: usize) -> Result<(), String> {
    println!("  the server, second by second:");
    let series = |title: &str, values: Vec<String>| {
        for (row, values) in values.chunks(15).enumerate() {
            println!("    {:<18} {:>3} s {}", if row == 0 { title } else { "" }, row * 15, values.join(" "));
        }
    };
    series("resident MiB", samples.iter().map(|sample| format!("{:>6.1}", mebibytes(sample))).collect());
    let busy = samples.windows(2).map(|pair| (pair[1].processor_time - pair[0].processor_time).as_secs_f64() * 100.0);
    series("% of a processor", busy.map(|percent| format!("{percent:>6.0}")).collect());

    // One more than seconds, for both ends of them.
    let judged = (samples.len() as f64 * JUDGED).ceil() as usize + 1;
    let judged = &samples[samples.len().saturating_sub(judged)..];
    let sizes: Vec<f64> = judged.iter().map(mebibytes).collect();
    let (range, off) = spread(&sizes);
    println!(
        "  memory over the last {} s: {:.1} to {:.1} MiB, at most {:.1} % from the median",
        judged.len() - 1,
        range.start(),
        range.end(),
        off * 100.0
    );
    // The last sample may find the connections gone: the load was over.
    let open = judged[..judged.len().saturating_sub(1)].iter().map(|sample| sample.descriptors);
    let (least, most) = (open.clone().min().unwrap_or(0), open.max().unwrap_or(0));
    println!("  descriptors: {baseline} before, {least} to {most} under load");
    if off > TOLERANCE {
        return Err(format!("memory is not flat to {:.0} %", TOLERANCE * 100.0));
    }
    if least < baseline + connections {
        return Err(format!("the server did not hold {connections} connections all the time"));
    }
    Ok(())
}

fn mebibytes(sample: &Sample) -> f64 {
    sample.resident_bytes as f64 / MIB
}

/// From where to where, and how far from the median at most.
fn spread(sizes: &[f64]) -> (RangeInclusive<f64>, f64) {
    let mut sorted = sizes.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let (Some(&least), Some(&most)) = (sorted.first(), sorted.last()) else { return (0.0..=0.0, 0.0) };
    let median = sorted[sorted.len() / 2];
    (least..=most, (most - median).max(median - least) / median)
}
