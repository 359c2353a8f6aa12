//! Why a conference command failed (conversations guide 3.5). Spelling differs between peers, so reading ignores case
//! and knows both "does not" and "doesnt".

use crate::lync::xml::Element;

macro_rules! reasons {
    ($($variant:ident $name:literal $text:literal,)*) => {
        /// A `reason` attribute.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[allow(missing_docs)]
        pub enum FailureReason { $($variant,)* Unknown(String) }

        impl FailureReason {
            /// As on the wire.
            pub fn as_str(&self) -> &str {
                match self { $(FailureReason::$variant => $name,)* FailureReason::Unknown(t) => t }
            }

            /// From the wire.
            pub fn parse(text: &str) -> FailureReason {
                let t = text.trim().to_ascii_lowercase().replace("doesntexist", "doesnotexist");
                $(if t == $name.to_ascii_lowercase() { return FailureReason::$variant; })*
                FailureReason::Unknown(text.trim().chars().take(80).collect())
            }

            /// One sentence for a person, without its full stop.
            pub fn text(&self) -> &str {
                match self { $(FailureReason::$variant => $text,)* FailureReason::Unknown(_) => "the server refused the command" }
            }
        }
    };
}

reasons! {
    ConferenceDoesNotExist "conferenceDoesNotExist" "this conference does not exist any more",
    ConferenceExists "conferenceExists" "a conference with this id exists already",
    InvalidConferenceId "invalidConferenceId" "the conference id must have 8 to 32 letters and digits",
    InvalidExpiryTime "invalidExpiryTime" "the expiry must lie between one year ago and ten years ahead",
    InvalidAdmissionPolicy "invalidAdmissionPolicy" "the server does not allow this access level",
    InvalidPasscode "invalidPasscode" "the passcode is wrong",
    PasscodeMissing "passcodeMissing" "this meeting needs its passcode",
    InvalidRole "invalidRole" "the server does not know this role",
    InvalidUserEntity "invalidUserEntity" "the address of this person is not usable here",
    InvalidVersion "invalidVersion" "the conference was changed elsewhere meanwhile",
    InvalidEncryptionKey "invalidEncryptionKey" "the server refused the encryption key",
    InvalidAutopromoteValue "invalidAutopromoteValue" "the server does not allow this choice of automatic leaders",
    McuTypeNotAvailable "mcuTypeNotAvailable" "the server does not offer one of the wanted media",
    MaximumConferencesExceeded "maximumConferencesExceeded" "you have too many conferences",
    MaximumMeetingSizeExceeded "maximumMeetingSizeExceeded" "the conference is full",
    NotificationDataTooLarge "notificationDataTooLarge" "the conference carries too much data",
    OrganizerRoamingDataTooLarge "organizerRoamingDataTooLarge" "the conference carries too much data",
    EntitySettingsTooLarge "entitySettingsTooLarge" "the conference carries too much data",
    AnonymousUsersNotAllowed "anonymousUsersNotAllowed" "the server does not let anonymous people in",
    FederatedUsersNotAllowed "federatedUsersNotAllowed" "the server does not let people of other companies in",
    UserDoesNotExist "userDoesNotExist" "this person is not in the conference",
    EndpointDoesNotExist "endpointDoesNotExist" "this device is not in the conference",
    UserExists "userExists" "this person is in the conference already, or on the way in",
    UserUnavailable "userUnavailable" "this person is not signed in",
    UserBusy "userBusy" "this person does not want to be disturbed",
    UserDeclined "userDeclined" "this person declined",
    UserDoesNotAnswer "userDoesNotAnswer" "this person did not answer",
    UserTakesNoMessages "userTakesNoMessages" "this person's program takes no messages",
    MediaDoesNotExist "mediaDoesNotExist" "this medium is not in use",
    MediaExists "mediaExists" "this medium is in use already",
    MediaNotSupported "mediaNotSupported" "the conference does not offer this medium",
    Forbidden "forbidden" "only a leader may do this",
    NotSupported "notSupported" "the server does not support this command",
    OtherFailure "otherFailure" "the server refused the command",
}

impl FailureReason {
    /// The attribute at the command, else at the response.
    pub(super) fn read(root: &Element, body: &Element) -> FailureReason {
        FailureReason::parse(body.attr("reason").or_else(|| root.attr("reason")).unwrap_or("otherFailure"))
    }
}
