//! The names that people the demo world.

/// First and last names, one pair per contact.
pub(super) const PEOPLE: &[(&str, &str)] = &[
    ("Ada", "Keller"),
    ("Bruno", "Marchetti"),
    ("Carmen", "Ortega"),
    ("Dmitri", "Volkov"),
    ("Elena", "Novak"),
    ("Farid", "Haddad"),
    ("Grace", "Lindqvist"),
    ("Hiro", "Tanaka"),
    ("Ines", "Carvalho"),
    ("Jonas", "Bergmann"),
    ("Kavya", "Raman"),
    ("Liam", "O'Connor"),
    ("Mei", "Zhang"),
    ("Nadia", "Rahimi"),
    ("Oscar", "Fontaine"),
    ("Priya", "Desai"),
    ("Quentin", "Moreau"),
    ("Rosa", "Jimenez"),
    ("Samuel", "Adeyemi"),
    ("Tove", "Halvorsen"),
];

/// Names of organisations with their domain.
pub(super) const COMPANIES: &[(&str, &str)] = &[
    ("Northwind Logistics", "northwind.example"),
    ("Blue Harbor Foods", "blueharbor.example"),
    ("Cedar & Stone", "cedarstone.example"),
    ("Delta Optics", "deltaoptics.example"),
    ("Evergreen Dental", "evergreendental.example"),
    ("Foxglove Studio", "foxglove.example"),
    ("Granite Insurance", "graniteinsurance.example"),
    ("Highline Cycles", "highline.example"),
    ("Ironbridge Steel", "ironbridge.example"),
    ("Juniper Travel", "junipertravel.example"),
    ("Kestrel Aviation", "kestrel.example"),
    ("Lumen Energy", "lumenenergy.example"),
    ("Marlowe Legal", "marlowelegal.example"),
    ("Nimbus Hosting", "nimbushosting.example"),
    ("Orchard Clinics", "orchardclinics.example"),
    ("Pinewood Homes", "pinewoodhomes.example"),
    ("Quarry Software", "quarrysoftware.example"),
    ("Redwood Capital", "redwoodcapital.example"),
    ("Saltmarsh Ferries", "saltmarsh.example"),
    ("Tidewater Bank", "tidewaterbank.example"),
];

/// What the tickets are about.
pub(super) const SUBJECTS: &[&str] = &[
    "Invoice shows the wrong address",
    "Cannot sign in since Monday",
    "Order arrived incomplete",
    "Question about the renewal date",
    "Newsletter comes twice",
    "Please delete my account",
    "Delivery is late",
    "Discount was not applied",
    "App closes on start",
    "Change of contact person",
];

/// What the notes say.
pub(super) const REMARKS: &[&str] = &[
    "Called about the renewal. Wants an offer by Friday.",
    "Met at the trade fair, very interested in the larger plan.",
    "Asked for references from the same industry.",
    "Budget is approved, the contract is with legal.",
    "Prefers e-mail over phone.",
];
