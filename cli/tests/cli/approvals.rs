//! Requests for approval, quotas and the clock, from the shell.

use sealite::{ApprovalRequest, Limit};
use serde_json::Value;

use crate::harness::Scene;

const KEY: &str = "--key file:key";

fn request(scene: &Scene, request: &ApprovalRequest) -> String {
    let vault = scene.vault();
    let id = vault.approvals().create(request).expect("a request");
    vault.close();
    id
}

fn state(scene: &Scene, id: &str) -> String {
    let (code, object) = scene.json(&format!("approval show v.db {id} {KEY}"));
    assert_eq!(code, 0, "{object}");
    object.pointer("/approval/state").and_then(Value::as_str).expect("a state").to_owned()
}

#[test]
fn a_request_is_listed_shown_and_decided_once() {
    let scene = Scene::with_vault();
    scene.run(&format!("approval list v.db {KEY}")).ok().says("no request waits");
    let id =
        request(&scene, &ApprovalRequest::new("delete", r#"{"id":7}"#, "ada").subject("users"));
    scene.run(&format!("approval list v.db {KEY}")).ok().says(&id).says("delete").says("ada");
    let (_, none) = scene.json(&format!("approval list v.db --subject others {KEY}"));
    assert_eq!(none, serde_json::json!({"approvals": []}));
    let (_, some) = scene.json(&format!("approval list v.db --subject users {KEY}"));
    assert_eq!(some.pointer("/approvals/0/id").and_then(Value::as_str), Some(id.as_str()));

    let approve = |who: &str| format!("approval approve v.db {id} --approver {who} {KEY}");
    scene.run(&approve("ada")).fails(7, "denied");
    assert_eq!(state(&scene, &id), "pending");
    scene
        .run(&format!("{} --reason checked", approve("grace")))
        .ok()
        .says("approved")
        .says("checked");
    scene.run(&approve("grace")).fails(7, "already_decided");
    assert_eq!(state(&scene, &id), "approved");
    scene.run(&format!("approval show v.db none {KEY}")).fails(7, "not_found");
    scene.run(&format!("audit tail v.db {KEY}")).ok().says("approval.approved").says("grace");
}

#[test]
fn a_request_is_rejected_in_the_role_that_may() {
    let scene = Scene::with_vault();
    let id = request(&scene, &ApprovalRequest::new("delete", "{}", "ada").allowed_role("security"));
    let reject = format!("approval reject v.db {id} --approver grace {KEY}");
    scene.run(&reject).fails(7, "denied");
    let (code, object) = scene.json(&format!("{reject} --role security"));
    assert_eq!(
        (code, object.pointer("/approval/role").and_then(Value::as_str)),
        (0, Some("security"))
    );
    assert_eq!(state(&scene, &id), "rejected");
}

#[test]
fn the_requests_of_a_tenant_are_its_own() {
    let scene = Scene::with_vault();
    let vault = scene.vault();
    let tenant = vault.tenant("acme").expect("a tenant");
    let id =
        tenant.approvals().create(&ApprovalRequest::new("delete", "{}", "ada")).expect("a request");
    vault.close();
    scene.run(&format!("approval show v.db {id} {KEY}")).fails(7, "not_found");
    scene.run(&format!("approval show v.db {id} --tenant acme {KEY}")).ok().says("pending");
}

#[test]
fn who_was_locked_out_may_try_again() {
    let scene = Scene::with_vault();
    let limits = Limit::parse("1/hour").expect("a limit");
    let charge = || {
        let vault = scene.vault();
        let allowed =
            vault.quotas().check_and_charge("192.0.2.1", &limits, 1).expect("a decision").allowed;
        vault.close();
        allowed
    };
    assert_eq!((charge(), charge()), (true, false));
    scene.run(&format!("quota reset v.db 192.0.2.1 {KEY}")).ok().says("Forgotten");
    assert!(charge());
    let (code, object) = scene.json(&format!("quota reset v.db 192.0.2.2 {KEY}"));
    assert_eq!((code, object), (0, serde_json::json!({"forgotten": false})));
}

#[test]
fn the_clock_is_accepted_and_that_is_audited() {
    let scene = Scene::with_vault();
    let (code, object) = scene.json(&format!("clock accept v.db {KEY}"));
    assert_eq!((code, object), (0, serde_json::json!({"accepted": true})));
    scene.run(&format!("audit tail v.db {KEY}")).ok().says("clock");
}
