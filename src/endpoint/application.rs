//! What an application endpoint is and is not (`domain.md` 2.2, 4.1): the machine of [`super::UserEndpoint`] with another way
//! to stand on the server, without contacts and presence of its own.

use super::config::{Config, Dialect, EndpointKind};
use super::service::ServiceId;
use super::{Error, ErrorKind, Operation, UserEndpoint};

/// The endpoint of a service: made from a [`Config`] whose kind is [`EndpointKind::Application`].
pub type ApplicationEndpoint = UserEndpoint;

/// Services of a user's endpoint, in the order in which they are asked.
const USER: &[ServiceId] = &[
    ServiceId::Contacts,
    ServiceId::Publication,
    ServiceId::Subscription,
    ServiceId::Provisioning,
    ServiceId::Directory,
    ServiceId::Conversations,
    ServiceId::Conferences,
];

/// Those of a user's endpoint on a standard server.
/// Conferences are asked first, as they know which conversations are theirs.
const SIMPLE: &[ServiceId] = &[
    ServiceId::Contacts,
    ServiceId::Publication,
    ServiceId::Subscription,
    ServiceId::Scheduling,
    ServiceId::Conferences,
    ServiceId::Conversations,
];

/// Those of an application's endpoint.
const APPLICATION: &[ServiceId] =
    &[ServiceId::Subscription, ServiceId::Directory, ServiceId::Conversations, ServiceId::Conferences];

/// That of a guest's endpoint.
const GUEST: &[ServiceId] = &[ServiceId::Conversations];

/// The services of this kind.
pub(super) fn services(config: &Config) -> &'static [ServiceId] {
    match (config.kind, config.dialect) {
        (EndpointKind::User, Dialect::Lync) => USER,
        (EndpointKind::User, Dialect::Simple) => SIMPLE,
        (EndpointKind::Application, _) => APPLICATION,
        (EndpointKind::Guest, _) => GUEST,
    }
}

/// Why this kind of endpoint cannot do it, if it cannot.
pub(super) fn refusal(kind: EndpointKind, operation: &Operation) -> Option<Error> {
    use Operation as O;
    let text = match (kind, operation) {
        (EndpointKind::User, O::Drain) => "only application endpoints drain; sign out instead",
        (EndpointKind::User, O::Impersonate { .. }) => "only application endpoints speak as somebody else",
        (EndpointKind::User, _) => return None,
        (
            EndpointKind::Guest,
            O::SignIn
            | O::SignOut
            | O::JoinConference { .. }
            | O::SendMessage { .. }
            | O::Typing { .. }
            | O::EndConversation { .. }
            | O::LockConference { .. }
            | O::Eject { .. }
            | O::SetRole { .. }
            | O::Admit { .. }
            | O::Mute { .. }
            | O::ChangeConference { .. }
            | O::EndConference { .. },
        ) => return None,
        (EndpointKind::Guest, _) => "a guest without an account takes part in the meeting only; sign in with an account for this",
        (
            EndpointKind::Application,
            O::RefreshContacts
            | O::AddContact { .. }
            | O::RenameContact { .. }
            | O::SetContactGroups { .. }
            | O::DeleteContact { .. }
            | O::AddGroup { .. }
            | O::RenameGroup { .. }
            | O::DeleteGroup { .. },
        ) => "an application endpoint has no contacts and groups; use a user's endpoint for them",
        (
            EndpointKind::Application,
            O::SetStatus { .. }
            | O::ResetStatus
            | O::SetNote { .. }
            | O::SetLocation { .. }
            | O::SetMachineState { .. }
            | O::SetPhones { .. }
            | O::Publish { .. }
            | O::Unpublish { .. }
            | O::SetLevel { .. }
            | O::ChangeMembers { .. }
            | O::SetDelegates { .. }
            | O::SetPrivacyMode { .. }
            | O::Preview { .. }
            | O::AcknowledgeSubscriber { .. },
        ) => "an application endpoint publishes no presence, so nobody watches it; use a user's endpoint for that",
        (EndpointKind::Application, _) => return None,
    };
    Some(Error::new(ErrorKind::InvalidOperation, text))
}
