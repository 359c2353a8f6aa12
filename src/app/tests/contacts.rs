use super::*;
use crate::domain::contact::AddOptions;

#[test]
fn the_list_is_sorted_by_status_and_walked_by_keys() {
    let mut s = Stage::new();
    let expected = "
        |>- Pinned 1/1
        |   bob
        | - Team 2/3
        |   carol
        |   bob
        |   dan
        | - ~ 0/1
        |   erin";
    assert_eq!(s.people(), sketch(expected));
    s.keys("j j j");
    assert_eq!(s.state.people.selection, Some(RowId::Contact(GroupId(3), a("carol"))));
    s.keys("G");
    assert_eq!(s.state.people.selected_person(), Some(&a("erin")));
    s.keys("g k");
    assert_eq!(s.state.people.selection, Some(RowId::Group(GroupId(2))));
}

#[test]
fn the_selection_stays_on_its_person_when_the_order_changes() {
    let mut s = Stage::new();
    s.keys("j j j j");
    assert_eq!(s.state.people.selected_person(), Some(&a("bob")));
    s.presence("bob", Availability::AVAILABLE);
    s.presence("carol", Availability::AWAY);
    let expected = "
        | - Pinned 1/1
        |   bob
        | - Team 2/3
        |>  bob
        |   carol
        |   dan
        | - ~ 0/1
        |   erin";
    assert_eq!(s.people(), sketch(expected));
}

#[test]
fn groups_fold_and_offline_people_hide() {
    let mut s = Stage::new();
    s.keys("j h G o");
    let expected = "
        | + Pinned 1/1
        | - Team 2/3
        |   carol
        |   bob
        |>- ~ 0/1";
    assert_eq!(s.people(), sketch(expected));
    s.keys("g l o");
    assert!(s.people().contains("dan") && s.people().contains("- Pinned"));
}

#[test]
fn the_filter_works_as_typed_and_escape_clears_it() {
    let mut s = Stage::new();
    s.keys("/ \"dia\"");
    assert_eq!(s.people(), sketch("| - Team 1/1\n|>  carol"));
    s.keys("Enter");
    assert_eq!(s.state.mode(), crate::app::keymap::Mode::People);
    s.keys("Enter");
    assert_eq!(s.tabs(), "[Carol Diaz]");
    s.keys("Alt-1 Esc");
    assert_eq!(s.state.people.rows.len(), 8);
}

#[test]
fn a_contact_is_added_by_address_and_can_be_taken_back() {
    let mut s = Stage::new();
    s.keys("j a \"frank@contoso.example\" Enter");
    assert_eq!(
        s.asked(),
        [Operation::AddContact {
            uri: a("frank"),
            name: String::new(),
            groups: vec![GroupId(2)],
            options: AddOptions::default()
        }]
    );
    assert!(s.state.overlays.is_empty());
    let id = OperationId(s.state.last_operation);
    s.says(endpoint::Event::Completed { id, result: Ok(Outcome::Done) });
    assert_eq!(s.toast(), "frank@contoso.example is on the list");
    s.keys("Alt-u");
    assert_eq!(s.asked(), [Operation::DeleteContact { uri: a("frank") }]);
}

#[test]
fn a_name_searches_the_directory_and_a_row_is_added() {
    let mut s = Stage::new();
    s.keys("a \"fra\" Enter");
    let rows = vec![endpoint::event::DirectoryEntry::new(a("frank"), "Frank Gray")];
    assert_eq!(s.operations().last().unwrap().1, Operation::SearchDirectory { query: "fra".into() });
    s.completes(Ok(Outcome::Found(rows)));
    s.effects.clear();
    s.keys("Enter");
    assert_eq!(
        s.asked(),
        [Operation::AddContact {
            uri: a("frank"),
            name: String::new(),
            groups: vec![GroupId(2)],
            options: AddOptions::default()
        }]
    );
}

#[test]
fn what_cannot_be_added_is_said_in_the_prompt() {
    let mut s = Stage::new();
    for (text, error) in [
        ("alice@contoso.example", "This is your own address"),
        ("bob@contoso.example", "Bob Kelly is already on the list"),
        ("bob@", "is not an address"),
    ] {
        s.keys(&format!("a \"{text}\" Enter"));
        let Some(Overlay::Prompt(p)) = s.state.overlays.last() else { panic!("{text}") };
        assert!(p.error.as_ref().unwrap().contains(error), "{:?}", p.error);
        assert_eq!(p.line.text(), text);
        s.keys("Esc");
    }
    assert_eq!(s.asked(), []);
}

#[test]
fn delete_asks_by_name_and_offers_to_put_back() {
    let mut s = Stage::new();
    s.keys("j D");
    let Some(Overlay::Confirm(c)) = s.state.overlays.last() else { panic!() };
    assert_eq!(c.text, "Delete Bob Kelly (bob@contoso.example) from the list and from all groups?");
    s.keys("n");
    assert_eq!(s.asked(), []);
    s.keys("D Enter");
    assert_eq!(s.operations().last().unwrap().1, Operation::DeleteContact { uri: a("bob") });
    s.completes(Ok(Outcome::Done));
    s.says(endpoint::Event::ContactRemoved(a("bob")));
    s.effects.clear();
    s.keys("Alt-u");
    assert_eq!(
        s.asked(),
        [Operation::AddContact {
            uri: a("bob"),
            name: "Bob Kelly".into(),
            groups: vec![GroupId(2), GroupId(3)],
            options: AddOptions::default()
        }]
    );
}

#[test]
fn contacts_move_copy_and_leave_groups() {
    let mut s = Stage::new();
    s.keys("G k k m");
    assert_eq!(s.state.people.selected_person(), Some(&a("dan")));
    s.keys("Enter");
    assert_eq!(s.asked(), [Operation::Regroup { uri: a("dan"), join: vec![GroupId(2)], leave: vec![GroupId(3)] }]);
    s.keys("g j j j y Enter");
    assert_eq!(s.asked(), [Operation::Regroup { uri: a("carol"), join: vec![GroupId(2)], leave: vec![] }]);
    s.keys("g j d");
    assert_eq!(s.asked(), [Operation::Regroup { uri: a("bob"), join: vec![], leave: vec![GroupId(2)] }]);
}

#[test]
fn groups_are_made_renamed_and_deleted() {
    let mut s = Stage::new();
    s.keys("n \"Team\" Enter");
    assert_eq!(s.asked(), []);
    s.keys("Ctrl-U \"Customers\" Enter");
    assert_eq!(s.asked(), [Operation::AddGroup { name: "Customers".into() }]);
    s.keys("r Ctrl-U \"Favourites\" Enter");
    assert_eq!(s.asked(), [Operation::RenameGroup { id: GroupId(2), name: "Favourites".into() }]);
    s.keys("X");
    let Some(Overlay::Confirm(c)) = s.state.overlays.last() else { panic!() };
    assert_eq!(c.text, "Delete the group Pinned? Its one contact stays on the list.");
    s.keys("y");
    assert_eq!(s.asked(), [Operation::DeleteGroup { id: GroupId(2) }]);
    s.keys("G X");
    assert_eq!((s.asked(), s.toast()), (vec![], "“Other contacts” cannot be changed"));
}

#[test]
fn marked_people_go_into_one_conversation() {
    let mut s = Stage::new();
    s.keys("j Space j Space Enter");
    let asked = s.asked();
    let [Operation::MeetNow { invite, .. }] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(invite, &[a("bob"), a("carol")]);
    assert!(s.state.people.marks.is_empty());
    assert_eq!((s.state.pane, s.state.conversations.tabs.len()), (Pane::Conversations, 1));
}

#[test]
fn blocking_asks_and_levels_are_chosen() {
    let mut s = Stage::new();
    s.keys("j b Enter");
    assert_eq!(s.asked(), [Operation::SetLevel { uri: a("bob"), level: Some(crate::domain::presence::Level::Blocked) }]);
    s.keys("p g j Enter");
    assert_eq!(s.asked(), [Operation::SetLevel { uri: a("bob"), level: Some(crate::domain::presence::Level::Workgroup) }]);
}

#[test]
fn without_a_link_the_reason_is_said_and_nothing_asked() {
    let mut s = Stage::new();
    s.says(endpoint::Event::State {
        state: EndpointState::Reestablishing,
        reason: Reason::RegistrationRefreshFailed,
        retry_at: None,
    });
    s.effects.clear();
    s.keys("j D");
    assert_eq!(s.toast(), "this needs the server, and the link is down");
    assert!(s.asked().is_empty() && s.state.overlays.is_empty());
    assert!(s.state.people.presence.values().all(|p| matches!(p.freshness, Freshness::Stale { .. })));
}

#[test]
fn a_thousand_contacts_are_not_sorted_again_for_a_key() {
    let mut s = Stage::empty();
    let contacts = (0..1000).map(|i| Contact::new(a(&format!("user{i:04}")))).collect();
    s.says(endpoint::Event::ContactList { groups: Vec::new(), contacts });
    let rows = s.state.people.rows.as_ptr();
    s.keys("j j j G g");
    assert_eq!(s.state.people.rows.as_ptr(), rows);
}

#[test]
fn a_new_group_and_a_moved_contact_are_selected_when_they_appear() {
    let mut s = Stage::new();
    s.keys("n \"Customers\" Enter");
    s.completes(Ok(Outcome::Group(GroupId(4))));
    assert_eq!(s.state.people.selection, Some(RowId::Group(GroupId(2))));
    s.says(endpoint::Event::GroupChanged(Group::new(GroupId(4), "Customers")));
    assert_eq!(s.state.people.selection, Some(RowId::Group(GroupId(4))));
    s.keys("g j j j m j Enter");
    assert_eq!(s.state.people.selection, Some(RowId::Contact(GroupId(3), a("carol"))));
    s.says(endpoint::Event::ContactChanged(Contact { groups: vec![GroupId(4)], ..Contact::new(a("carol")) }));
    assert_eq!(s.state.people.selection, Some(RowId::Contact(GroupId(4), a("carol"))));
}

#[test]
fn what_was_done_is_taken_back_step_by_step_also_later() {
    let mut s = Stage::new();
    s.keys("j e Ctrl-U \"Bobby\" Enter");
    s.finishes(Ok(Outcome::Done));
    s.keys("X y");
    s.finishes(Ok(Outcome::Done));
    s.effects.clear();
    // The toast is gone, the undo is not.
    s.now = s.now + std::time::Duration::from_secs(60);
    s.event(Event::Tick);
    s.keys("u");
    assert_eq!(s.asked(), [Operation::AddGroup { name: "Pinned".into() }]);
    // The group comes back with another number, and with the people it had.
    s.finishes(Ok(Outcome::Group(GroupId(9))));
    assert_eq!(s.asked(), [Operation::Regroup { uri: a("bob"), join: vec![GroupId(9)], leave: vec![] }]);
    s.keys("u");
    assert_eq!(s.asked(), [Operation::RenameContact { uri: a("bob"), name: "Bob Kelly".into() }]);
    s.keys("u");
    assert_eq!((s.asked(), s.toast()), (vec![], "there is nothing to take back"));
}

#[test]
fn the_directory_is_searched_while_one_types() {
    let mut s = Stage::new();
    s.keys("a \"fr\"");
    assert_eq!(s.asked(), []);
    s.now = s.now + crate::app::limits::SEARCH_PAUSE;
    s.event(Event::Tick);
    assert_eq!(s.asked(), [Operation::SearchDirectory { query: "fr".into() }]);
    let row = |user: &str, name: &str| endpoint::event::DirectoryEntry::new(a(user), name);
    s.finishes(Ok(Outcome::Found(vec![row("frank", "Frank Gray"), row("frieda", "Frieda Holm")])));
    s.keys("Down Enter");
    let asked = s.asked();
    assert!(matches!(&asked[..], [Operation::AddContact { uri, .. }] if *uri == a("frieda")), "{asked:?}");
    // One letter asks nothing, and a pause asks once.
    s.keys("a \"f\"");
    s.now = s.now + crate::app::limits::SEARCH_PAUSE;
    s.event(Event::Tick);
    s.event(Event::Tick);
    assert_eq!(s.asked(), []);
}

#[test]
fn everything_can_be_said_when_somebody_is_added() {
    let mut s = Stage::new();
    s.keys("j a \"frank@contoso.example\" Ctrl-O \"Frankie\" Tab Ctrl-U \"Team, Nowhere\" Tab Right Right Tab Right Tab \"Hi from Alice\" Ctrl-S");
    let Some(Overlay::Form(f)) = s.state.overlays.last() else { panic!() };
    let error = f.form.fields[1].error.clone().unwrap();
    assert!(error.contains("there is no group “Nowhere”"), "{error}");
    s.keys("Ctrl-U \"Team, Pinned\" Ctrl-S");
    let options = AddOptions {
        without_presence: true,
        level: Some(crate::domain::presence::Level::Workgroup),
        note: "Hi from Alice".into(),
        ..AddOptions::default()
    };
    let groups = vec![GroupId(3), GroupId(2)];
    assert_eq!(s.asked(), [Operation::AddContact { uri: a("frank"), name: "Frankie".into(), groups, options }]);
    s.finishes(Err(Error::new(endpoint::ErrorKind::Contact, "the list is full")));
    let Some(Overlay::Form(d)) = s.state.overlays.last() else { panic!("what was typed is lost") };
    assert_eq!((d.form.error.as_deref(), d.form.saving), (Some("the list is full"), None));
    s.keys("Ctrl-S");
    s.finishes(Ok(Outcome::Done));
    assert!(s.state.overlays.is_empty());
}

#[test]
fn a_contact_is_changed_in_one_form_and_taken_back_at_once() {
    let mut s = Stage::new();
    s.keys("j E Ctrl-U \"Bobby\" Tab Ctrl-U \"Team\" Tab Tab Tab Left Ctrl-S");
    let bob = || a("bob");
    let expected = [
        Operation::RenameContact { uri: bob(), name: "Bobby".into() },
        Operation::Regroup { uri: bob(), join: vec![], leave: vec![GroupId(2)] },
        Operation::TagContact { uri: bob(), tagged: true },
    ];
    assert_eq!(s.asked(), expected);
    s.finishes(Ok(Outcome::Done));
    s.keys("u");
    let back = [
        Operation::RenameContact { uri: bob(), name: "Bob Kelly".into() },
        Operation::Regroup { uri: bob(), join: vec![GroupId(2)], leave: vec![] },
        Operation::TagContact { uri: bob(), tagged: false },
    ];
    assert_eq!(s.asked(), back);
}

#[test]
fn a_contact_whose_groups_have_commas_or_are_filled_by_the_server_is_saved_as_it_is() {
    let mut s = Stage::new();
    s.says(endpoint::Event::GroupChanged(Group::new(GroupId(8), "Most Used Contacts")));
    s.says(endpoint::Event::GroupChanged(Group::new(GroupId(9), "Berlin, Mitte")));
    let groups = vec![GroupId(3), GroupId(8), GroupId(9)];
    s.says(endpoint::Event::ContactChanged(Contact { name: "Carol".into(), groups, ..Contact::new(a("carol")) }));
    s.state.people.selection = Some(RowId::Contact(GroupId(3), a("carol")));
    s.effects.clear();
    s.keys("E Ctrl-S");
    assert_eq!((s.asked(), s.state.overlays.len()), (vec![], 0), "{}", s.toast());
    s.keys("E Tab Ctrl-U \"berlin, mitte, Pinned\" Ctrl-S");
    let (join, leave) = (vec![GroupId(2)], vec![GroupId(3)]);
    assert_eq!(s.asked(), [Operation::Regroup { uri: a("carol"), join, leave }]);
}

#[test]
fn the_first_pinned_contact_brings_the_group_of_favourites() {
    let mut s = Stage::new();
    s.keys("j P");
    assert_eq!(s.asked(), [Operation::AddGroup { name: "Pinned Contacts".into() }]);
    s.finishes(Ok(Outcome::Group(GroupId(7))));
    assert_eq!(s.asked(), [Operation::Regroup { uri: a("bob"), join: vec![GroupId(7)], leave: vec![] }]);
    s.says(endpoint::Event::GroupChanged(Group::new(GroupId(7), "Pinned Contacts")));
    s.keys("r");
    assert_eq!(s.toast(), "“Pinned Contacts” keeps its name and place");
}

/// Alice's list with the distribution group "All", of which the leads are a part.
fn with_list() -> (Stage, Group) {
    let mut s = Stage::empty();
    let extension = Some(endpoint::contact_data::distribution(&a("all")));
    let group = Group { extension, ..Group::new(GroupId(5), "All") };
    s.says(endpoint::Event::ContactList { groups: vec![Group::new(GroupId(1), "~"), group.clone()], contacts: vec![] });
    s.effects.clear();
    (s, group)
}

fn entry(user: &str, group: bool) -> endpoint::event::DirectoryEntry {
    endpoint::event::DirectoryEntry { group, ..endpoint::event::DirectoryEntry::new(a(user), user) }
}

#[test]
fn a_distribution_group_opens_one_level_at_a_time_and_its_members_are_read_only() {
    let (mut s, _) = with_list();
    assert_eq!(s.people(), sketch("|>+ All 0/0"));
    s.keys("l");
    assert_eq!(s.asked(), [Operation::ExpandGroup { address: a("all") }]);
    s.finishes(Ok(Outcome::Found(vec![entry("bob", false), entry("leads", true)])));
    assert_eq!(s.people(), sketch("|>- All 0/2\n|   bob\n|   + leads"));
    // Nobody asked about the group inside; presence of the members is watched.
    let view = crate::domain::watching::ViewId("lists".into());
    assert_eq!(s.asked(), [Operation::Watch { view: view.clone(), uris: vec![a("bob")] }]);
    s.keys("G l");
    assert_eq!(s.asked(), [Operation::ExpandGroup { address: a("leads") }]);
    // Groups that contain each other come to an end.
    s.finishes(Ok(Outcome::Found(vec![entry("carol", false), entry("all", true)])));
    assert_eq!(s.people(), sketch("| - All 0/2\n|   bob\n|>  - leads\n|   carol\n|   + all"));
    s.effects.clear();
    s.keys("g j d");
    assert_eq!((s.asked(), s.toast()), (vec![], "this person is not on the list"));
    s.keys("g h");
    assert_eq!(s.asked(), [Operation::Unwatch { view, uris: vec![a("bob")] }]);
    s.keys("r");
    assert_eq!(s.toast(), "a distribution group keeps the name it has on the list");
}

#[test]
fn somebody_who_is_in_a_list_and_in_a_list_inside_has_one_row_and_the_cursor_comes_by() {
    let (mut s, _) = with_list();
    s.keys("l");
    s.finishes(Ok(Outcome::Found(vec![entry("leads", true), entry("bob", false)])));
    s.keys("j l");
    s.finishes(Ok(Outcome::Found(vec![entry("bob", false), entry("carol", false)])));
    assert_eq!(s.people(), sketch("| - All 0/2\n|>  - leads\n|   bob\n|   carol"));
    s.keys("j j");
    assert_eq!(s.people(), sketch("| - All 0/2\n|   - leads\n|   bob\n|>  carol"));
}

#[test]
fn a_distribution_group_takes_no_alert_and_says_what_does() {
    let (mut s, _) = with_list();
    s.keys("t");
    assert!(s.state.overlays.is_empty());
    assert!(s.toast().contains("select one of them"), "{}", s.toast());
}

#[test]
fn rule_5_members_unused_for_5_minutes_are_asked_for_again() {
    let (mut s, _) = with_list();
    s.keys("l");
    s.finishes(Ok(Outcome::Found(vec![entry("bob", false)])));
    s.keys("h");
    s.effects.clear();
    let look = |s: &mut Stage| {
        s.keys("l h");
        let asked = s.asked();
        asked.iter().any(|o| matches!(o, Operation::ExpandGroup { .. }))
    };
    s.now = s.now + std::time::Duration::from_secs(299);
    assert!(!look(&mut s));
    s.now = s.now + std::time::Duration::from_secs(300);
    assert!(look(&mut s));
}

#[test]
fn while_an_import_is_under_way_no_other_begins() {
    let book = |name: &str| {
        format!(
            r#"{{"format":"adsum-contacts","version":1,"groups":[],"contacts":[{{"address":"{name}@contoso.example"}},{{"address":"{name}2@contoso.example"}}]}}"#
        )
    };
    let mut s = Stage::new();
    s.state.importing = Some("x.json".into());
    s.event(Event::FileRead { path: "x.json".into(), contents: Ok(book("frank")) });
    s.keys("y");
    assert!(matches!(&s.asked()[..], [Operation::AddContact { uri, .. }] if *uri == a("frank")));
    // A second file was being read already, and is not said yes to.
    s.state.importing = Some("y.json".into());
    s.event(Event::FileRead { path: "y.json".into(), contents: Ok(book("zoe")) });
    s.finishes(Ok(Outcome::Done));
    assert!(matches!(&s.asked()[..], [Operation::AddContact { uri, .. }] if *uri == a("frank2")), "the first goes on");
    s.keys("y");
    assert!(s.asked().is_empty() && s.toast().contains("under way"), "{}", s.toast());
    crate::app::commands::run(&mut crate::app::door::Door::new(&mut s.state, s.now), "import-contacts", "z.json");
    assert!(s.toast().contains("under way") && s.state.importing.is_none());
    s.finishes(Ok(Outcome::Done));
    assert_eq!(s.toast(), "Imported: 2 changes");
}

#[test]
fn an_import_shows_what_will_be_done_and_does_it_step_by_step() {
    let mut s = Stage::new();
    s.state.importing = Some("x.json".into());
    s.event(Event::FileRead { path: "x.json".into(), contents: Err("No such file".into()) });
    assert_eq!(s.toast(), "x.json: No such file");
    let text = r#"{"format":"adsum-contacts","version":1,"groups":[{"name":"New"}],
        "contacts":[{"address":"frank@contoso.example","groups":["New"]},
        {"address":"bob@contoso.example","alias":"Bob Kelly"},
        {"address":"dan@contoso.example","tagged":true},
        {"address":"broken"}]}"#;
    s.state.importing = Some("x.json".into());
    s.event(Event::FileRead { path: "x.json".into(), contents: Ok(text.into()) });
    let Some(Overlay::Confirm(c)) = s.state.overlays.last() else { panic!() };
    assert!(c.text.starts_with("x.json: 1 new group, 1 new contact, 1 changed, 1 as it is, 1 mistake."), "{}", c.text);
    assert!(c.text.contains("line 5:"), "{}", c.text);
    s.keys("y");
    assert_eq!(s.asked(), [Operation::AddGroup { name: "New".into() }]);
    s.says(endpoint::Event::GroupChanged(Group::new(GroupId(8), "New")));
    s.effects.clear();
    s.finishes(Ok(Outcome::Group(GroupId(8))));
    let asked = s.asked();
    assert!(
        matches!(&asked[..], [Operation::AddContact { uri, groups, .. }] if *uri == a("frank") && groups == &[GroupId(8)]),
        "{asked:?}"
    );
    s.finishes(Ok(Outcome::Done));
    assert_eq!(s.asked(), [Operation::TagContact { uri: a("dan"), tagged: true }]);
    s.finishes(Ok(Outcome::Done));
    assert_eq!((s.asked(), s.toast()), (vec![], "Imported: 3 changes"));
}
