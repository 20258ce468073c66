//! The units that are written, checked by systemd itself.

use super::machine::Machine;

#[test]
fn systemd_accepts_the_units_and_rates_them_confined() {
    let machine = Machine::new();
    machine.run("sh $INSTALL --no-start --domain chat.example.org").success();
    let verified = machine
        .run("cd /etc/systemd/system && systemd-analyze verify ./campfire.service ./campfire.socket ./campfire-redirect.socket")
        .success();
    let ours: Vec<&str> = verified.lines().filter(|line| line.contains("campfire")).collect();
    assert!(ours.is_empty(), "{ours:#?}");
    let judged =
        machine.run("systemd-analyze security --offline=true /etc/systemd/system/campfire.service").success();
    let overall = judged.lines().find(|line| line.contains("Overall exposure level")).expect("a judgement");
    let level: f32 = overall.split_whitespace().find_map(|word| word.parse().ok()).expect("a figure");
    assert!(level < 2.0, "{judged}");
}
