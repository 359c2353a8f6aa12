//! `device` and `services` values: what an endpoint can do (guide 6.1, 6.6).

use super::value::Value;
use crate::domain::presence::Availability;
use crate::lync::xml::Element;

const DEVICE: &str = "http://schemas.microsoft.com/2006/09/sip/device";
const SERVICE: &str = "http://schemas.microsoft.com/2006/09/sip/service";

/// One capability, such as `text` or `voice`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capability {
    /// Token, as on the wire.
    pub name: String,
    /// Can show it.
    pub render: bool,
    /// Can make it.
    pub capture: bool,
    /// Can publish it; `false` by default.
    pub publish: bool,
    /// Version; 0 by default.
    pub version: u32,
    /// Availability of the best device that has it (services only).
    pub availability: Option<Availability>,
    /// Endpoint to use for it (services only).
    pub endpoint: Option<String>,
}

impl Capability {
    /// One that works both ways.
    pub fn both(name: &str) -> Capability {
        Capability {
            name: name.into(),
            render: true,
            capture: true,
            publish: false,
            version: 0,
            availability: None,
            endpoint: None,
        }
    }

    fn read(e: &Element) -> Capability {
        let flag = |name: &str| e.attr_bool(name).unwrap_or(false);
        Capability {
            name: e.name.clone(),
            render: flag("render"),
            capture: flag("capture"),
            publish: flag("publish"),
            version: e.attr_num("version").unwrap_or(0),
            availability: e.attr_num("deviceAvailability").map(Availability),
            endpoint: e.attr("preferredEndpointId").map(str::to_owned),
        }
    }
}

/// A `device` value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// Instance UUID, lower case.
    pub endpoint_id: String,
    /// Owner's URI.
    pub uri: String,
    /// Capabilities.
    pub capabilities: Vec<Capability>,
    /// Local time with offset, as the device writes it.
    pub timezone: String,
    /// Host name.
    pub machine_name: String,
}

/// All capability tokens known (domain guide 5.5).
pub const CAPABILITIES: [&str; 17] = [
    "text",
    "voice",
    "video",
    "gifInk",
    "isfInk",
    "calendar",
    "remoteCallControl",
    "CCCP",
    "confInvite",
    "breakthrough",
    "applicationSharing",
    "ucs",
    "containerIntegrity",
    "contentWhiteboard",
    "contentPoll",
    "contentPowerPoint",
    "contentNativeFile",
];

impl Value for Device {
    const ROOT: &'static str = "device";
    const KNOWN: &'static [&'static str] = &[
        "endpointId",
        "capabilities",
        "capabilities/*",
        "preferred",
        "uri",
        "timezone",
        "machineName",
        "render",
        "capture",
        "publish",
        "version",
        "deviceAvailability",
        "preferredEndpointId",
    ];

    fn read(e: &Element) -> Option<Device> {
        let capabilities = e.child("capabilities");
        Some(Device {
            endpoint_id: e.attr("endpointId").unwrap_or("").to_lowercase(),
            uri: capabilities.and_then(|c| c.attr("uri")).unwrap_or("").to_owned(),
            capabilities: capabilities.map(|c| c.elements().map(Capability::read).collect()).unwrap_or_default(),
            timezone: e.child_text("timezone").unwrap_or_default(),
            machine_name: e.child_text("machineName").unwrap_or_default(),
        })
    }

    fn write(&self) -> Element {
        let capability = |c: &Capability| {
            Element::in_ns(&c.name, DEVICE)
                .with_attr("capture", c.capture)
                .with_attr("render", c.render)
                .with_attr("publish", c.publish)
                .with_opt_attr("version", (c.version > 0).then_some(c.version))
        };
        let list = Element::in_ns("capabilities", DEVICE).with_attr("preferred", false).with_attr("uri", &self.uri);
        Element::in_ns("device", DEVICE)
            .with_attr("endpointId", &self.endpoint_id)
            .with(list.with_all(self.capabilities.iter().map(capability)))
            .with_leaf("timezone", self.timezone.as_str())
            .with_leaf("machineName", self.machine_name.as_str())
    }
}

/// A `services` value: all devices together, made by the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Services {
    /// Owner's URI.
    pub uri: String,
    /// Merged capabilities.
    pub capabilities: Vec<Capability>,
}

impl Value for Services {
    const ROOT: &'static str = "services";
    const KNOWN: &'static [&'static str] = &[
        "service",
        "uri",
        "capabilities",
        "capabilities/*",
        "render",
        "capture",
        "publish",
        "version",
        "deviceAvailability",
        "preferredEndpointId",
    ];

    /// All `service` children together.
    fn read(e: &Element) -> Option<Services> {
        let services = || e.children_named("service");
        Some(Services {
            uri: services().find_map(|s| s.attr("uri")).unwrap_or("").to_owned(),
            capabilities: services()
                .filter_map(|s| s.child("capabilities"))
                .flat_map(|c| c.elements().map(Capability::read))
                .collect(),
        })
    }

    /// Without capabilities it is the empty value of container 32000.
    fn write(&self) -> Element {
        let root = Element::in_ns("services", SERVICE);
        if self.capabilities.is_empty() {
            return root;
        }
        let capability = |c: &Capability| {
            Element::in_ns(&c.name, SERVICE)
                .with_attr("render", c.render)
                .with_attr("capture", c.capture)
                .with_opt_attr("publish", c.publish.then_some(true))
                .with_opt_attr("version", (c.version > 0).then_some(c.version))
                .with_opt_attr("deviceAvailability", c.availability.map(|a| a.0))
                .with_opt_attr("preferredEndpointId", c.endpoint.as_deref())
        };
        let list = Element::in_ns("capabilities", SERVICE).with_all(self.capabilities.iter().map(capability));
        root.with(Element::in_ns("service", SERVICE).with_attr("uri", &self.uri).with(list))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_and_services_round_trip() {
        let text = r#"<device xmlns="http://schemas.microsoft.com/2006/09/sip/device" endpointId="b143f5ff-8f08-50a3-b656-3cfc251b5b28"><capabilities preferred="false" uri="sip:alice@contoso.com"><text capture="true" render="true" publish="false"/><gifInk capture="false" render="true" publish="false"/></capabilities><timezone>00:00:00+01:00</timezone><machineName>HOST1</machineName></device>"#;
        let d = Device::parse(text).unwrap();
        assert_eq!((d.capabilities.len(), d.machine_name.as_str()), (2, "HOST1"));
        assert_eq!(d.to_xml(), text);
        let text = r#"<services xmlns="http://schemas.microsoft.com/2006/09/sip/service"><service uri="sip:alice@contoso.com"><capabilities><text render="true" capture="true" deviceAvailability="3500"/></capabilities></service></services>"#;
        let s = Services::parse(text).unwrap();
        assert_eq!(s.capabilities[0].availability, Some(Availability::AVAILABLE));
        assert_eq!(s.to_xml(), text);
        assert_eq!(Services::parse(&Services::default().to_xml()), Some(Services::default()));
    }
}
