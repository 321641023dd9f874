//! Several threads of one process, and several processes, at the same file: reads and writes a second.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Barrier;
use std::time::{Duration, Instant};

use sealite::ExposeSecret;
use serde_json::{Value, json};

use super::work::{Opened, Order, READS, WRITES, make};
use super::{KEY, Options, line, steps, told};
use crate::Outcome;
use crate::measure::{Spent, interleave};

/// Measures reads and writes by 1, 2, 4 … threads and processes.
pub(super) fn measure(options: &Options, work: &Path, out: &mut dyn Write) -> Outcome<Value> {
    let (plain, sealed) = (work.join("crowd-plain.db"), work.join("crowd-sealed.db"));
    let key = sealite::generate_key()?;
    make(&plain, &sealed, key.expose_secret())?;
    let mut results = Vec::new();
    let mut number = 0;
    for (kind, run) in [("threads", threads as Run), ("processes", processes as Run)] {
        for count in steps(1, options.workers, 2) {
            for writes in [false, true] {
                let mut side = |path: &Path, key: Option<&str>| {
                    let order = |number| {
                        let key = key.map(str::to_owned);
                        Order { path: path.to_owned(), key, writes, number }
                    };
                    let orders: Vec<Order> = (number..number + count).map(order).collect();
                    number += count;
                    run(&orders).map(|wall| Spent { wall, cpu: None })
                };
                let side = std::cell::RefCell::new(&mut side);
                let compared = interleave(
                    options.repeats,
                    || (side.borrow_mut())(&plain, None),
                    || (side.borrow_mut())(&sealed, Some(key.expose_secret())),
                )?;
                let compared = compared.each(count * if writes { WRITES } else { READS });
                let what = if writes { "insert" } else { "get" };
                line(out, count, &format!("{kind}: {what}"), &compared)?;
                results.push(
                    json!({"kind": kind, "count": count, "what": what, "each": told(&compared)}),
                );
            }
        }
    }
    Ok(Value::Array(results))
}

type Run = fn(&[Order]) -> Outcome<Duration>;

/// Threads that share an open vault, or have a connection each: SQLite's are not shared.
fn threads(orders: &[Order]) -> Outcome<Duration> {
    let shared = match orders.first().ok_or("nobody works")?.open()? {
        Opened::Sealed(vault) => Some(vault),
        Opened::Plain(_) => None,
    };
    let barrier = Barrier::new(orders.len() + 1);
    let start = |order: &Order| -> Result<(), String> {
        let vault = shared.clone().map(Opened::Sealed);
        let opened = vault.map_or_else(|| order.open(), Ok);
        let work = order.prepare();
        // Whatever failed, nobody waits for ever.
        barrier.wait();
        let run = opened.and_then(|opened| work.run(&opened));
        run.map_err(|error| error.to_string())
    };
    std::thread::scope(|scope| {
        let start = &start;
        let handles: Vec<_> =
            orders.iter().map(|order| scope.spawn(move || start(order))).collect();
        barrier.wait();
        let watch = Instant::now();
        for handle in handles {
            handle.join().map_err(|_| "a thread panicked")??;
        }
        Ok(watch.elapsed())
    })
}

/// Processes of this program, each with the file open for itself.
fn processes(orders: &[Order]) -> Outcome<Duration> {
    let mut children: Vec<(Child, BufReader<_>)> = Vec::new();
    for order in orders {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--work-on").arg(&order.path).arg("--number").arg(order.number.to_string());
        if order.writes {
            command.arg("--writes");
        }
        match &order.key {
            Some(key) => command.env(KEY, key),
            None => command.env_remove(KEY),
        };
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let output = BufReader::new(child.stdout.take().ok_or("no output")?);
        children.push((child, output));
    }
    for (_, output) in &mut children {
        expect(output, "ready")?;
    }
    let watch = Instant::now();
    for (child, _) in &mut children {
        child.stdin.as_mut().ok_or("no input")?.write_all(b"go\n")?;
    }
    for (_, output) in &mut children {
        expect(output, "done")?;
    }
    let elapsed = watch.elapsed();
    for (mut child, _) in children {
        child.wait()?;
    }
    Ok(elapsed)
}

fn expect(output: &mut dyn BufRead, word: &str) -> Outcome<()> {
    let mut text = String::new();
    output.read_line(&mut text)?;
    if text.trim_end() == word {
        Ok(())
    } else {
        Err(format!("a process said {text:?}, not {word}").into())
    }
}
