//! New keys in the place of old ones.

use serde_json::json;

use crate::harness::Scene;

#[test]
fn keys_are_rotated_planned_shown_and_destroyed() {
    let scene = Scene::with_vault();
    let run = |arguments: &str| scene.run(&format!("{arguments} --key file:key"));
    run("rotate data v.db --plan").ok().says("under key 1");
    run("rotate status v.db").ok().says("no rotation yet");
    run("rotate data v.db --destroy --fields-resealed").ok().says("0 keys destroyed");
    run("rotate data v.db --destroy --plan").fails(2, "invalid_input");
    run("rotate data v.db --tenant nobody").fails(7, "not_found");

    let (code, object) = scene.json("rotate data v.db --key file:key");
    assert_eq!((code, &object["state"], &object["old_key"]), (0, &json!("finished"), &json!(1)));
    run("rotate index v.db").ok().says("index key: finished");
    run("rotate audit v.db").ok().says("the trail goes on");
    run("rotate data v.db --destroy").fails(7, "refused");
    run("rotate data v.db --destroy --fields-resealed").ok().says("1 key destroyed");
    let (_, object) = scene.json("rotate index v.db --destroy --fields-resealed --key file:key");
    assert_eq!(object["destroyed"], json!([2]));
    let (_, object) = scene.json("rotate status v.db --key file:key");
    let rotations = object["rotations"].as_array().expect("a list");
    assert_eq!(rotations.len(), 3);
    assert!(rotations.iter().all(|one| one["state"] == "finished" && one["tenant"].is_null()));
    run("key list v.db").ok().says("destroyed").says("retired");
    run("verify v.db").ok();
    run("audit verify v.db").ok();
}

#[test]
fn tokens_that_nobody_presents_are_revoked() {
    let scene = Scene::with_vault();
    let run = |arguments: &str| scene.run(&format!("{arguments} --key file:key"));
    run("token issue v.db --kind api_key --subject ada --out t.token").ok();
    run("rotate token v.db --plan").ok().says("1 record");
    run("rotate token v.db").ok().says("1 token left under the old one");
    run("rotate token v.db --destroy").fails(7, "refused");
    run("rotate token v.db --revoke-left").ok().says("1 token revoked");
    run("rotate token v.db").ok().says("no token is left");
    run("rotate token v.db --destroy").ok().says("1 key destroyed");
}

#[test]
fn everything_is_rotated_by_one_command() {
    let scene = Scene::with_vault();
    scene
        .run("rotate all v.db --key file:key")
        .ok()
        .says("under a new master key")
        .says("data key");
    scene.run("verify v.db --key file:key").ok();
    let (_, object) = scene.json("key list v.db --key file:key");
    let retired = object["keys"].as_array().expect("a list");
    assert_eq!(retired.iter().filter(|key| key["state"] == "retired").count(), 3);
}
