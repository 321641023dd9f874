//! The frozen known answers of `tests/vectors/audit.json`: what the chain and checkpoints are, byte for byte. They were made
//! by `tests/reference/audit.py`, not by this engine.

use serde_json::Value as Json;

use super::chain::{Said, digest, genesis, link};
use super::checkpoint::Checkpoint;
use super::keys::Keys;
use crate::keys::AuditKey;
use crate::secret::Secret32;

fn hex<const N: usize>(json: &Json) -> [u8; N] {
    let bytes = base16ct::lower::decode_vec(json.as_str().expect("hexadecimal text"));
    bytes.expect("hexadecimal").try_into().expect("the length")
}

#[test]
fn the_chain_and_checkpoints_are_those_of_the_known_answers() {
    let vectors: Json =
        serde_json::from_str(include_str!("../../../tests/vectors/audit.json")).expect("JSON");
    let vault = hex(&vectors["vault"]);
    let keys = |id: u32| {
        let secret = Secret32::copy_of(&hex(&vectors["keys"][id.to_string()]));
        Keys::new(&AuditKey { id, generation: 1, secret })
    };
    let entries = vectors["entries"].as_array().expect("a list");
    assert_eq!(entries.len(), 4);
    let mut chain = genesis(&keys(3).chain, &vault);
    assert_eq!(chain, hex(&vectors["genesis"]));
    for entry in entries {
        let number = |name: &str| entry[name].as_i64();
        let digest = digest(
            &hex(&entry["salt"]),
            ["actor", "subject", "payload"].map(|s| entry[s].as_str()),
        );
        assert_eq!(digest, hex(&entry["digest"]), "{entry}");
        let said = Said {
            seq: number("seq").expect("a number"),
            at: number("at").expect("a number"),
            event: entry["event"].as_str().expect("a text"),
            tenant: entry["tenant"].as_str(),
            trace_id: entry["trace_id"].as_str(),
            correlation_id: entry["correlation_id"].as_str(),
            digest: &digest,
            key: number("key").expect("a number"),
            owner: number("owner"),
        };
        let own = keys(u32::try_from(said.key).expect("an id"));
        chain = link(&own.chain, &chain, &said, &mut Vec::new());
        assert_eq!(chain, hex(&entry["chain"]), "{entry}");
        let at = number("checkpoint_at").expect("a number");
        let made = Checkpoint::make(&own, &vault, said.seq, at, chain);
        assert_eq!(made.text(), entry["checkpoint"].as_str().expect("a text"));
        let read = Checkpoint::read(&vault, made.text(), |id| Ok(keys(id))).expect("a checkpoint");
        assert!(read == made);
    }
}
