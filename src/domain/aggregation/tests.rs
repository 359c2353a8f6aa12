use super::*;
use proptest::prelude::*;

fn source(kind: SourceKind, number: u32, at: u64) -> Source {
    let availability = (number > 0).then_some(Availability(number));
    Source::new(kind, at as u32 + number, Time(at), availability)
}

fn device(number: u32) -> Source {
    let mut s = source(SourceKind::Machine, number, 1);
    s.device = Some("computer".into());
    s.endpoint_id = format!("E{number}");
    s
}

fn user(number: u32, at: u64) -> Source {
    source(SourceKind::User, number, at)
}

fn with(mut s: Source, token: &str) -> Source {
    s.activity = Some(Activity::token(token));
    s
}

fn call(at: u64) -> Source {
    with(source(SourceKind::Phone, 6500, at), "on-the-phone")
}

fn meeting(at: u64) -> Source {
    let mut s = with(source(SourceKind::Calendar, 6500, at), "in-a-meeting");
    s.meeting_subject = Some("Budget".into());
    s
}

fn oof() -> Source {
    with(source(SourceKind::Calendar, 0, 1), "out-of-office")
}

fn run(sources: &[Source]) -> (u32, Option<String>) {
    shown(sources, false)
}

fn shown(sources: &[Source], workgroup: bool) -> (u32, Option<String>) {
    let a = aggregate(sources, workgroup, Time(99), &mut None);
    (a.availability.0, a.activity.and_then(|a| a.text(1033).map(str::to_owned)))
}

fn said(number: u32, text: &str) -> (u32, Option<String>) {
    (number, (!text.is_empty()).then(|| text.to_owned()))
}

#[test]
fn a_one_active_device_gives_available() {
    assert_eq!(run(&[device(3500)]), said(3500, ""));
}

#[test]
fn b_an_idle_device_gives_inactive() {
    let got = run(&[device(5000)]);
    assert_eq!(got, said(5000, ""));
    assert_eq!(Availability(got.0).class().text(), "Inactive");
}

#[test]
fn c_the_most_active_of_two_devices_counts() {
    assert_eq!(run(&[device(15_500), device(3500)]), said(3500, ""));
}

#[test]
fn d_a_call_gives_in_a_call() {
    assert_eq!(run(&[device(3500), call(5)]), said(6500, "In a call"));
}

#[test]
fn e_a_meeting_gives_in_a_meeting() {
    assert_eq!(run(&[device(3500), meeting(5)]), said(6500, "In a meeting"));
}

#[test]
fn f_available_by_hand_after_the_meeting_began_gives_available() {
    assert_eq!(run(&[device(3500), meeting(5), user(3500, 9)]), said(3500, ""));
    assert_eq!(run(&[device(3500), meeting(9), user(3500, 5)]), said(6500, "In a meeting"));
}

#[test]
fn g_do_not_disturb_by_hand_lets_only_the_workgroup_interrupt() {
    let sources = [device(3500), user(9500, 9)];
    let (first, second) = (aggregate(&sources, false, Time(1), &mut None), aggregate(&sources, true, Time(1), &mut None));
    let written = outputs(&first, &second, &[], dnd_by_hand(&sources));
    let state = |container| {
        written.iter().find_map(|w| match &w.value {
            Value::State(a) if w.container == container => Some(a.clone()),
            _ => None,
        })
    };
    for container in [100, 200, 400] {
        assert_eq!(state(container).unwrap().availability.0, 9500);
    }
    let team = state(300).unwrap();
    assert_eq!(team.availability.0, 6900);
    assert_eq!(team.activity.unwrap().text(1033), Some("Urgent interruptions only"));
    assert_eq!(state(32_000).unwrap().availability.0, 18_500);
}

#[test]
fn h_away_and_out_of_office() {
    assert_eq!(run(&[device(15_500), oof()]), said(15_500, "Out of office"));
}

#[test]
fn i_a_meeting_with_an_away_device_gives_inactive_in_a_meeting() {
    assert_eq!(run(&[device(15_500), meeting(5)]), said(8000, "In a meeting"));
}

#[test]
fn j_be_right_back_by_hand_wins_over_a_call() {
    assert_eq!(run(&[device(3500), call(9), user(12_500, 5)]), said(12_500, ""));
}

#[test]
fn k_without_any_device_the_user_is_offline() {
    assert_eq!(run(&[user(6500, 5), meeting(6)]), said(18_500, ""));
    assert_eq!(run(&[device(18_500), user(3500, 5)]), said(18_500, ""));
    assert_eq!(run(&[oof()]), said(18_500, "Out of office"));
}

#[test]
fn inactive_results_carry_the_last_active_time() {
    let mut remembered = None;
    assert_eq!(aggregate(&[device(3500)], false, Time(7), &mut remembered).last_active, None);
    assert_eq!(aggregate(&[device(5000)], false, Time(9), &mut remembered).last_active, Some(Time(7)));
    assert_eq!(aggregate(&[], false, Time(12), &mut remembered).last_active, Some(Time(7)));
}

#[test]
fn location_belongs_to_the_most_active_computer_of_somebody_present() {
    let mut desk = device(5000);
    desk.location = Some("office".into());
    let mut phone = device(3500);
    phone.device = Some("mobile".into());
    phone.location = Some("train".into());
    let a = aggregate(&[desk.clone(), phone], false, Time(1), &mut None);
    assert_eq!((a.location.as_deref(), a.device.as_deref()), (Some("office"), Some("mobile")));
    desk.availability = Some(Availability(15_500));
    assert_eq!(aggregate(&[desk], false, Time(1), &mut None).location, None);
}

#[test]
fn meeting_details_go_to_the_workgroup_only_and_only_the_number_to_externals() {
    let sources = [device(3500), meeting(5)];
    let (first, second) = (aggregate(&sources, false, Time(1), &mut None), aggregate(&sources, true, Time(1), &mut None));
    for w in outputs(&first, &second, &[], false) {
        if let Value::State(a) = &w.value {
            assert_eq!(a.meeting_subject.is_some(), [2, 3, 300].contains(&w.container), "{}", w.container);
            assert_eq!(a.device.is_some(), ![100, 32_000].contains(&w.container), "{}", w.container);
        }
    }
}

#[test]
fn the_same_run_writes_the_other_categories() {
    let sources = [device(3500), user(9500, 9)];
    let (first, second) = (aggregate(&sources, false, Time(1), &mut None), aggregate(&sources, true, Time(1), &mut None));
    let out = outputs(&first, &second, &[], true);
    let at = |category: &str, container| {
        out.iter()
            .find(|w| w.category == category && w.container == container && (w.instance != 1 || category == "legacyInterop"))
            .map(|w| w.value.clone())
    };
    assert_eq!(at("legacyInterop", 300), Some(Value::LegacyInterop(Availability(6900))));
    assert_eq!(at("legacyInterop", 200), Some(Value::LegacyInterop(Availability(9500))));
    assert_eq!(at("legacyInterop", 32_000), Some(Value::LegacyInterop(Availability(18_500))));
    assert_eq!(at("dndState", 0), Some(Value::DoNotDisturb(Availability(9500))));
    assert_eq!(at("dndState", 300), Some(Value::NoDoNotDisturb));
    assert_eq!(at("services", 32_000), Some(Value::Empty));
    assert_eq!(at("state", 2), Some(Value::MachineState(Availability(3500), "E3500".into())));
    let mut keys: Vec<_> = out.iter().map(|w| (w.category, w.instance, w.container)).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), out.len());
}

#[test]
fn a_capability_is_as_available_as_the_best_device_that_has_it() {
    let cap = |name: &str, render| Capability {
        name: name.into(),
        render,
        capture: false,
        publish: false,
        version: 0,
        device_availability: None,
    };
    let devices = [
        Device { endpoint_id: "E3500".into(), capabilities: vec![cap("text", true)] },
        Device { endpoint_id: "E5000".into(), capabilities: vec![cap("text", true), cap("voice", true)] },
    ];
    let merged = merge_capabilities(&devices, &[device(3500), device(5000)]);
    let got: Vec<_> = merged.iter().map(|c| (c.name.as_str(), c.device_availability.unwrap().0)).collect();
    assert_eq!(got, [("text", 3500), ("voice", 5000)]);
}

fn any_source() -> impl Strategy<Value = Source> {
    let kind = prop::sample::select(vec![SourceKind::User, SourceKind::Machine, SourceKind::Calendar, SourceKind::Phone]);
    let number = prop::sample::select(vec![0u32, 3500, 5000, 6500, 6900, 7000, 9500, 12_500, 15_500, 18_500]);
    let token = prop::sample::select(vec!["", "on-the-phone", "in-a-meeting", "out-of-office", "in-a-conference"]);
    (kind, number, token, 0u64..4).prop_map(|(kind, number, token, at)| {
        let s = source(kind, number, at);
        if token.is_empty() { s } else { with(s, token) }
    })
}

proptest! {
    #[test]
    fn the_order_of_sources_does_not_matter(mut sources in prop::collection::vec(any_source(), 0..7), turn in 0usize..7, workgroup: bool) {
        for (i, s) in sources.iter_mut().enumerate() {
            s.instance = i as u32;
        }
        let one = aggregate(&sources, workgroup, Time(50), &mut Some(Time(3)));
        let len = sources.len().max(1);
        sources.rotate_left(turn % len);
        let two = aggregate(&sources, workgroup, Time(50), &mut Some(Time(3)));
        sources.reverse();
        let three = aggregate(&sources, workgroup, Time(50), &mut Some(Time(3)));
        prop_assert_eq!(&one, &two);
        prop_assert_eq!(&one, &three);
    }

    #[test]
    fn an_activity_always_fits_and_the_workgroup_is_never_shut_out(sources in prop::collection::vec(any_source(), 0..7)) {
        let a = aggregate(&sources, true, Time(50), &mut None);
        prop_assert!(a.activity.is_none_or(|x| x.fits(a.availability)));
        prop_assert!(a.availability.class() != AvailabilityClass::DoNotDisturb);
        let machines = sources.iter().any(|s| s.kind == SourceKind::Machine && s.availability.is_some_and(|n| n.0 < 18_000));
        prop_assert!(machines || a.availability == Availability::OFFLINE);
    }
}
