//! Who works at the company of the story: a table.

/// The company whose ninety days are told.
#[derive(Debug, Clone)]
pub(crate) struct Company {
    /// As the organization is called.
    pub(crate) name: &'static str,
    /// The teams, in the order in which pages should list them.
    pub(crate) teams: Vec<TeamInfo>,
    /// Everyone who works there at some time during the story.
    pub(crate) people: Vec<Person>,
}

/// A team.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TeamInfo {
    /// As events name it in `team`.
    pub(crate) id: &'static str,
    /// For people.
    pub(crate) name: &'static str,
}

/// Someone who works there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Person {
    /// As events name them in `actor.id`.
    pub(crate) id: &'static str,
    /// For people.
    pub(crate) name: &'static str,
    /// At example.com.
    pub(crate) email: &'static str,
    /// The id of their team.
    pub(crate) team: &'static str,
    /// `admin`, `builder`, `analyst` or `agent`.
    pub(crate) role: &'static str,
    /// Minutes east of UTC, all year: nobody in a log of UTC times misses the summer.
    pub(super) utc_offset_minutes: i64,
    /// The address at the office.
    pub(super) office: &'static str,
    /// The address at home.
    pub(super) home: &'static str,
    /// The browser.
    pub(super) agent: &'static str,
    /// How busy they are; ten is usual.
    pub(super) pace: u64,
    /// Signs in with a password and a second factor, not through the company's directory.
    pub(super) password: bool,
}

/// A machine that acts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Service {
    /// As events name it in `actor.id`.
    pub(super) id: &'static str,
    /// For people.
    pub(super) name: &'static str,
    /// Where it calls from.
    pub(super) ip: &'static str,
    /// What it calls itself.
    pub(super) agent: &'static str,
}

/// The name of the company.
pub(super) const COMPANY: &str = "Fernweh Outfitters";

/// Its teams.
pub(super) const TEAMS: [TeamInfo; 5] = [
    TeamInfo { id: "operations", name: "Operations" },
    TeamInfo { id: "support", name: "Customer support" },
    TeamInfo { id: "finance", name: "Finance" },
    TeamInfo { id: "engineering", name: "Engineering" },
    TeamInfo { id: "data", name: "Data" },
];

const CHROME_MAC: &str =
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36";
const CHROME_WINDOWS: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36";
const EDGE_WINDOWS: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0";
const FIREFOX_LINUX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const FIREFOX_MAC: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0";
const SAFARI_MAC: &str =
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15";

/// A browser on a telephone, for the odd look on the way.
pub(super) const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";

/// The head of engineering: an admin.
pub(super) static INGRID: Person = Person {
    id: "u_101",
    name: "Ingrid Solheim",
    email: "ingrid.solheim@example.com",
    team: "engineering",
    role: "admin",
    utc_offset_minutes: 60,
    office: "203.0.113.7",
    home: "2001:db8:47:101::21",
    agent: FIREFOX_MAC,
    pace: 7,
    password: false,
};

/// Runs the platform: an admin.
pub(super) static MATEUSZ: Person = Person {
    id: "u_102",
    name: "Mateusz Wiśniewski",
    email: "mateusz.wisniewski@example.com",
    team: "engineering",
    role: "admin",
    utc_offset_minutes: 60,
    office: "203.0.113.7",
    home: "198.51.100.14",
    agent: FIREFOX_LINUX,
    pace: 12,
    password: false,
};

/// Builds apps.
pub(super) static PRIYA: Person = Person {
    id: "u_103",
    name: "Priya Raghunathan",
    email: "priya.raghunathan@example.com",
    team: "engineering",
    role: "builder",
    utc_offset_minutes: 330,
    office: "203.0.113.61",
    home: "198.51.100.77",
    agent: CHROME_MAC,
    pace: 11,
    password: false,
};

/// Builds apps.
pub(super) static TOMAS: Person = Person {
    id: "u_104",
    name: "Tomás Herrera",
    email: "tomas.herrera@example.com",
    team: "engineering",
    role: "builder",
    utc_offset_minutes: -180,
    office: "198.51.100.91",
    home: "198.51.100.91",
    agent: CHROME_MAC,
    pace: 10,
    password: false,
};

/// Builds apps.
static AIKO: Person = Person {
    id: "u_105",
    name: "Aiko Tanabe",
    email: "aiko.tanabe@example.com",
    team: "engineering",
    role: "builder",
    utc_offset_minutes: 540,
    office: "203.0.113.88",
    home: "2001:db8:81:9::5",
    agent: FIREFOX_LINUX,
    pace: 9,
    password: true,
};

/// Builds apps; joins during the story.
pub(super) static KWAME: Person = Person {
    id: "u_106",
    name: "Kwame Asante",
    email: "kwame.asante@example.com",
    team: "engineering",
    role: "builder",
    utc_offset_minutes: 0,
    office: "198.51.100.120",
    home: "198.51.100.120",
    agent: CHROME_WINDOWS,
    pace: 8,
    password: true,
};

/// Leads operations.
pub(super) static LEILA: Person = Person {
    id: "u_201",
    name: "Leila Haddad",
    email: "leila.haddad@example.com",
    team: "operations",
    role: "builder",
    utc_offset_minutes: 60,
    office: "203.0.113.7",
    home: "198.51.100.33",
    agent: CHROME_MAC,
    pace: 11,
    password: false,
};

static JONAS: Person = Person {
    id: "u_202",
    name: "Jonas Lindqvist",
    email: "jonas.lindqvist@example.com",
    team: "operations",
    role: "agent",
    utc_offset_minutes: 60,
    office: "203.0.113.7",
    home: "2001:db8:46:12::a4",
    agent: EDGE_WINDOWS,
    pace: 13,
    password: false,
};

static CHIARA: Person = Person {
    id: "u_203",
    name: "Chiara Bellini",
    email: "chiara.bellini@example.com",
    team: "operations",
    role: "agent",
    utc_offset_minutes: 60,
    office: "203.0.113.7",
    home: "198.51.100.41",
    agent: SAFARI_MAC,
    pace: 10,
    password: false,
};

static DEMBE: Person = Person {
    id: "u_204",
    name: "Dembe Okello",
    email: "dembe.okello@example.com",
    team: "operations",
    role: "agent",
    utc_offset_minutes: 180,
    office: "203.0.113.132",
    home: "198.51.100.52",
    agent: CHROME_WINDOWS,
    pace: 14,
    password: false,
};

static ROSA: Person = Person {
    id: "u_205",
    name: "Rosa Quispe",
    email: "rosa.quispe@example.com",
    team: "operations",
    role: "agent",
    utc_offset_minutes: -300,
    office: "203.0.113.150",
    home: "198.51.100.60",
    agent: CHROME_WINDOWS,
    pace: 9,
    password: true,
};

/// Leads customer support.
pub(super) static FATIMA: Person = Person {
    id: "u_301",
    name: "Fatima Zahra Benali",
    email: "fatima.benali@example.com",
    team: "support",
    role: "analyst",
    utc_offset_minutes: 60,
    office: "203.0.113.44",
    home: "198.51.100.18",
    agent: CHROME_MAC,
    pace: 11,
    password: false,
};

/// A support agent.
pub(super) static LIAM: Person = Person {
    id: "u_302",
    name: "Liam O'Connell",
    email: "liam.oconnell@example.com",
    team: "support",
    role: "agent",
    utc_offset_minutes: 0,
    office: "203.0.113.44",
    home: "2001:db8:353:7::19",
    agent: EDGE_WINDOWS,
    pace: 15,
    password: true,
};

static LAN: Person = Person {
    id: "u_303",
    name: "Nguyễn Thị Lan",
    email: "lan.nguyen@example.com",
    team: "support",
    role: "agent",
    utc_offset_minutes: 420,
    office: "203.0.113.171",
    home: "198.51.100.143",
    agent: CHROME_WINDOWS,
    pace: 15,
    password: true,
};

static SOFIA: Person = Person {
    id: "u_304",
    name: "Sofia Papadaki",
    email: "sofia.papadaki@example.com",
    team: "support",
    role: "agent",
    utc_offset_minutes: 120,
    office: "198.51.100.150",
    home: "198.51.100.150",
    agent: FIREFOX_MAC,
    pace: 13,
    password: false,
};

static DIEGO: Person = Person {
    id: "u_305",
    name: "Diego Ramírez",
    email: "diego.ramirez@example.com",
    team: "support",
    role: "agent",
    utc_offset_minutes: -360,
    office: "203.0.113.190",
    home: "198.51.100.162",
    agent: CHROME_WINDOWS,
    pace: 14,
    password: false,
};

/// A support agent; joins during the story.
pub(super) static HANA: Person = Person {
    id: "u_306",
    name: "Hana Novotná",
    email: "hana.novotna@example.com",
    team: "support",
    role: "agent",
    utc_offset_minutes: 60,
    office: "203.0.113.7",
    home: "198.51.100.171",
    agent: CHROME_MAC,
    pace: 11,
    password: true,
};

/// The head of finance.
pub(super) static HENRIK: Person = Person {
    id: "u_401",
    name: "Henrik Vestergaard",
    email: "henrik.vestergaard@example.com",
    team: "finance",
    role: "analyst",
    utc_offset_minutes: 60,
    office: "203.0.113.7",
    home: "198.51.100.70",
    agent: EDGE_WINDOWS,
    pace: 6,
    password: true,
};

/// The payouts accountant, whose account is stolen.
pub(super) static MARGUERITE: Person = Person {
    id: "u_402",
    name: "Marguerite Delacroix",
    email: "marguerite.delacroix@example.com",
    team: "finance",
    role: "analyst",
    utc_offset_minutes: 60,
    office: "203.0.113.23",
    home: "198.51.100.84",
    agent: SAFARI_MAC,
    pace: 12,
    password: true,
};

/// An accountant.
pub(super) static TENDAI: Person = Person {
    id: "u_403",
    name: "Tendai Moyo",
    email: "tendai.moyo@example.com",
    team: "finance",
    role: "analyst",
    utc_offset_minutes: 120,
    office: "203.0.113.132",
    home: "198.51.100.88",
    agent: CHROME_WINDOWS,
    pace: 10,
    password: false,
};

/// An accountant.
pub(super) static ELIF: Person = Person {
    id: "u_404",
    name: "Elif Yıldız",
    email: "elif.yildiz@example.com",
    team: "finance",
    role: "analyst",
    utc_offset_minutes: 180,
    office: "203.0.113.132",
    home: "2001:db8:90:44::e1",
    agent: CHROME_MAC,
    pace: 10,
    password: false,
};

/// Leads the data team.
pub(super) static NOOR: Person = Person {
    id: "u_501",
    name: "Noor Al-Amin",
    email: "noor.alamin@example.com",
    team: "data",
    role: "builder",
    utc_offset_minutes: 180,
    office: "203.0.113.132",
    home: "198.51.100.97",
    agent: CHROME_MAC,
    pace: 10,
    password: false,
};

/// An analyst, who leaves during the story.
pub(super) static SAMUEL: Person = Person {
    id: "u_502",
    name: "Samuel Ferreira",
    email: "samuel.ferreira@example.com",
    team: "data",
    role: "analyst",
    utc_offset_minutes: 0,
    office: "203.0.113.44",
    home: "198.51.100.104",
    agent: FIREFOX_LINUX,
    pace: 10,
    password: false,
};

static WEI_LING: Person = Person {
    id: "u_503",
    name: "Chen Wei-Ling",
    email: "weiling.chen@example.com",
    team: "data",
    role: "analyst",
    utc_offset_minutes: 480,
    office: "203.0.113.88",
    home: "198.51.100.111",
    agent: CHROME_MAC,
    pace: 10,
    password: false,
};

/// Everyone.
pub(super) static PEOPLE: [&Person; 24] = [
    &INGRID,
    &MATEUSZ,
    &PRIYA,
    &TOMAS,
    &AIKO,
    &KWAME,
    &LEILA,
    &JONAS,
    &CHIARA,
    &DEMBE,
    &ROSA,
    &FATIMA,
    &LIAM,
    &LAN,
    &SOFIA,
    &DIEGO,
    &HANA,
    &HENRIK,
    &MARGUERITE,
    &TENDAI,
    &ELIF,
    &NOOR,
    &SAMUEL,
    &WEI_LING,
];

/// Runs the scheduled workflows.
pub(super) static SCHEDULER: Service =
    Service { id: "svc_workflows", name: "Workflow scheduler", ip: "203.0.113.200", agent: "retool-workflows/3.148" };

/// Runs the Make scenarios.
pub(super) static MAKE: Service =
    Service { id: "svc_make", name: "Make scenarios", ip: "203.0.113.214", agent: "Make/production" };

/// Ships releases.
pub(super) static DEPLOYER: Service =
    Service { id: "svc_deploy", name: "Deploy bot", ip: "2001:db8:c1::15", agent: "deploy-bot/2.4 (+git)" };

/// Ends cloud sessions that ran out.
pub(super) static BROKER: Service =
    Service { id: "svc_sessions", name: "Session broker", ip: "203.0.113.207", agent: "session-broker/1.19" };

impl Company {
    /// The one company there is.
    pub(super) fn new() -> Company {
        Company { name: COMPANY, teams: TEAMS.to_vec(), people: PEOPLE.iter().map(|person| **person).collect() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn everyone_is_someone_of_their_own() {
        let ids: BTreeSet<_> = PEOPLE.iter().map(|person| person.id).collect();
        let emails: BTreeSet<_> = PEOPLE.iter().map(|person| person.email).collect();
        assert_eq!((ids.len(), emails.len()), (PEOPLE.len(), PEOPLE.len()));
        for person in PEOPLE {
            assert!(person.email.ends_with("@example.com"), "{}", person.email);
            assert!(TEAMS.iter().any(|team| team.id == person.team), "{}", person.name);
        }
    }
}
