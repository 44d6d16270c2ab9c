//! What the company built on the spot: apps and their queries, resources, workflows, scenarios. Tables.

/// A database or an interface that queries go to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resource {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    /// `postgresql`, `snowflake`, `rest`.
    pub(super) engine: &'static str,
}

/// What a parameter of a query looks like.
#[derive(Debug, Clone, Copy)]
pub(super) enum Param {
    Customer,
    Order,
    Seller,
    Ticket,
    Sku,
    Cents,
    Count(u32),
    Limit,
    /// A day in the last month.
    Day,
    One(&'static [&'static str]),
}

/// A query of an app.
#[derive(Debug, Clone, Copy)]
pub(super) struct Query {
    pub(super) name: &'static str,
    pub(super) resource: &'static Resource,
    pub(super) text: &'static str,
    pub(super) params: &'static [(&'static str, Param)],
    /// The usual time it takes.
    pub(super) median_ms: u64,
    /// Runs on its own when the page opens.
    pub(super) on_load: bool,
}

/// An app.
#[derive(Debug)]
pub(super) struct App {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    /// The teams that use it.
    pub(super) teams: &'static [&'static str],
    pub(super) queries: &'static [Query],
}

/// A workflow that runs by the clock.
#[derive(Debug)]
pub(super) struct Workflow {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    /// Cron.
    pub(super) schedule: &'static str,
    /// The same, as the first minute of the hour and the minutes between two runs.
    pub(super) minutes: (i64, i64),
    pub(super) blocks: &'static [Query],
}

/// A scenario in Make.
#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    /// What it connects to.
    pub(super) connection: &'static str,
    /// The data store that it writes to.
    pub(super) data_store: &'static str,
}

pub(super) static ORDERS: Resource = Resource { id: "res_orders", name: "orders-db", engine: "postgresql" };
pub(super) static CRM: Resource = Resource { id: "res_crm", name: "crm-db", engine: "postgresql" };
pub(super) static INVENTORY: Resource = Resource { id: "res_inventory", name: "inventory-db", engine: "postgresql" };
pub(super) static LEDGER: Resource = Resource { id: "res_ledger", name: "ledger-db", engine: "postgresql" };
pub(super) static WAREHOUSE: Resource = Resource { id: "res_warehouse", name: "warehouse", engine: "snowflake" };
pub(super) static PAYMENTS: Resource = Resource { id: "res_payments", name: "payments-api", engine: "rest" };
pub(super) static HELPDESK: Resource = Resource { id: "res_helpdesk", name: "helpdesk-api", engine: "rest" };
pub(super) static SHIPPING: Resource = Resource { id: "res_shipping", name: "shipping-api", engine: "rest" };
pub(super) static RETOOL_DB: Resource = Resource { id: "res_retool_db", name: "retool_db", engine: "postgresql" };

/// Every resource.
pub(super) static RESOURCES: [&Resource; 9] =
    [&ORDERS, &CRM, &INVENTORY, &LEDGER, &WAREHOUSE, &PAYMENTS, &HELPDESK, &SHIPPING, &RETOOL_DB];

const COUNTRIES: &[&str] = &["DE", "FR", "NO", "SE", "PL", "ES", "IT", "PT", "GR", "IE"];
const REASONS: &[&str] =
    &["damaged in transit", "wrong size", "late delivery", "duplicate order", "goodwill", "item missing"];

/// Every app.
pub(super) static APPS: [App; 14] = [
    App {
        id: "refunds",
        name: "Refunds",
        teams: &["operations", "support", "finance"],
        queries: &[
            Query {
                name: "getOrders",
                resource: &ORDERS,
                text: "select id, status, total_cents, currency, placed_at from orders where customer_id = :customer_id order by placed_at desc limit :limit",
                params: &[("customer_id", Param::Customer), ("limit", Param::Limit)],
                median_ms: 62,
                on_load: false,
            },
            Query {
                name: "getPendingRefunds",
                resource: &ORDERS,
                text: "select r.id, r.order_id, r.amount_cents, r.reason, r.requested_at from refunds r where r.state = 'pending' order by r.requested_at limit :limit",
                params: &[("limit", Param::Limit)],
                median_ms: 48,
                on_load: true,
            },
            Query {
                name: "issueRefund",
                resource: &PAYMENTS,
                text: "POST /v1/refunds",
                params: &[("order_id", Param::Order), ("amount_cents", Param::Cents), ("reason", Param::One(REASONS))],
                median_ms: 640,
                on_load: false,
            },
            Query {
                name: "markRefunded",
                resource: &ORDERS,
                text: "update refunds set state = 'paid', paid_at = now() where order_id = :order_id and state = 'pending'",
                params: &[("order_id", Param::Order)],
                median_ms: 31,
                on_load: false,
            },
        ],
    },
    App {
        id: "customer-360",
        name: "Customer 360",
        teams: &["support", "operations", "data"],
        queries: &[
            Query {
                name: "getCustomer",
                resource: &CRM,
                text: "select id, full_name, email, phone, country, created_at, tier from customers where id = :customer_id",
                params: &[("customer_id", Param::Customer)],
                median_ms: 24,
                on_load: true,
            },
            Query {
                name: "getLifetimeValue",
                resource: &WAREHOUSE,
                text: "select sum(net_cents) as ltv_cents, count(*) as orders, max(placed_at) as last_order from mart.customer_orders where customer_id = :customer_id",
                params: &[("customer_id", Param::Customer)],
                median_ms: 930,
                on_load: true,
            },
            Query {
                name: "getRecentTickets",
                resource: &HELPDESK,
                text: "GET /api/v2/tickets",
                params: &[("customer_id", Param::Customer), ("per_page", Param::Limit)],
                median_ms: 310,
                on_load: true,
            },
            Query {
                name: "updateTier",
                resource: &CRM,
                text: "update customers set tier = :tier, updated_at = now() where id = :customer_id",
                params: &[("customer_id", Param::Customer), ("tier", Param::One(&["standard", "trail", "summit"]))],
                median_ms: 35,
                on_load: false,
            },
        ],
    },
    App {
        id: "order-search",
        name: "Order search",
        teams: &["operations", "support", "engineering"],
        queries: &[
            Query {
                name: "searchOrders",
                resource: &ORDERS,
                text: "select o.id, o.status, o.total_cents, c.full_name from orders o join customers_ref c \
                       on c.id = o.customer_id where o.id = :order_id or o.status = :status order by o.placed_at desc limit :limit",
                params: &[
                    ("order_id", Param::Order),
                    ("status", Param::One(&["placed", "picked", "shipped", "delivered", "returned"])),
                    ("limit", Param::Limit),
                ],
                median_ms: 118,
                on_load: false,
            },
            Query {
                name: "getOrderLines",
                resource: &ORDERS,
                text: "select sku, quantity, unit_cents, tax_cents from order_lines where order_id = :order_id",
                params: &[("order_id", Param::Order)],
                median_ms: 22,
                on_load: false,
            },
            Query {
                name: "trackShipment",
                resource: &SHIPPING,
                text: "GET /v3/shipments/track",
                params: &[("order_id", Param::Order)],
                median_ms: 420,
                on_load: false,
            },
        ],
    },
    App {
        id: "inventory",
        name: "Inventory",
        teams: &["operations"],
        queries: &[
            Query {
                name: "getStock",
                resource: &INVENTORY,
                text: "select sku, site, on_hand, reserved, reorder_at from stock where site = :site and on_hand - reserved < reorder_at order by sku",
                params: &[("site", Param::One(&["Rotterdam", "Poznań", "Porto", "Lyon"]))],
                median_ms: 95,
                on_load: true,
            },
            Query {
                name: "adjustStock",
                resource: &INVENTORY,
                text: "update stock set on_hand = on_hand + :delta, counted_at = now() where sku = :sku and site = :site",
                params: &[
                    ("sku", Param::Sku),
                    ("delta", Param::Count(40)),
                    ("site", Param::One(&["Rotterdam", "Poznań", "Porto", "Lyon"])),
                ],
                median_ms: 28,
                on_load: false,
            },
            Query {
                name: "createPurchaseOrder",
                resource: &INVENTORY,
                text: "insert into purchase_orders (sku, quantity, supplier, due_on) values (:sku, :quantity, :supplier, :due_on) returning id",
                params: &[
                    ("sku", Param::Sku),
                    ("quantity", Param::Count(600)),
                    ("supplier", Param::One(&["Alpenfaden", "Nordtuch", "Serra Têxtil", "Kyushu Gear"])),
                    ("due_on", Param::Day),
                ],
                median_ms: 41,
                on_load: false,
            },
        ],
    },
    App {
        id: "seller-payouts",
        name: "Seller payouts",
        teams: &["finance"],
        queries: &[
            Query {
                name: "getOpenPayouts",
                resource: &LEDGER,
                text: "select p.id, p.seller_id, s.legal_name, p.amount_cents, p.due_on from payouts p join sellers s \
                       on s.id = p.seller_id where p.state = 'open' and p.due_on <= :due_on limit :limit",
                params: &[("due_on", Param::Day), ("limit", Param::Limit)],
                median_ms: 140,
                on_load: true,
            },
            Query {
                name: "getSellerLedger",
                resource: &LEDGER,
                text: "select booked_on, kind, amount_cents, reference from ledger_entries where seller_id = :seller_id and booked_on >= :since order by booked_on desc",
                params: &[("seller_id", Param::Seller), ("since", Param::Day)],
                median_ms: 205,
                on_load: false,
            },
            Query {
                name: "approvePayout",
                resource: &LEDGER,
                text: "update payouts set state = 'approved', approved_by = :approved_by where seller_id = :seller_id and state = 'open'",
                params: &[("seller_id", Param::Seller), ("approved_by", Param::One(&["finance"]))],
                median_ms: 44,
                on_load: false,
            },
            Query {
                name: "sendPayout",
                resource: &PAYMENTS,
                text: "POST /v1/payouts",
                params: &[
                    ("seller_id", Param::Seller),
                    ("amount_cents", Param::Cents),
                    ("currency", Param::One(&["EUR", "SEK", "PLN"])),
                ],
                median_ms: 880,
                on_load: false,
            },
        ],
    },
    App {
        id: "payroll-review",
        name: "Payroll review",
        teams: &["finance"],
        queries: &[
            Query {
                name: "getPayrollRun",
                resource: &LEDGER,
                text: "select employee_no, gross_cents, net_cents, cost_center from payroll_lines where run_on = (select max(run_on) from payroll_runs where run_on <= :run_on)",
                params: &[("run_on", Param::Day)],
                median_ms: 170,
                on_load: true,
            },
            Query {
                name: "flagLine",
                resource: &LEDGER,
                text: "insert into payroll_flags (employee_no, reason) values (:employee_no, :reason)",
                params: &[
                    ("employee_no", Param::Count(240)),
                    ("reason", Param::One(&["overtime missing", "wrong cost center", "bonus not approved"])),
                ],
                median_ms: 29,
                on_load: false,
            },
        ],
    },
    App {
        id: "ticket-triage",
        name: "Ticket triage",
        teams: &["support"],
        queries: &[
            Query {
                name: "getQueue",
                resource: &HELPDESK,
                text: "GET /api/v2/tickets?status=new",
                params: &[("per_page", Param::Limit), ("country", Param::One(COUNTRIES))],
                median_ms: 360,
                on_load: true,
            },
            Query {
                name: "assignTicket",
                resource: &HELPDESK,
                text: "PUT /api/v2/tickets/assignee",
                params: &[("ticket", Param::Ticket), ("group", Param::One(&["returns", "delivery", "billing", "product"]))],
                median_ms: 280,
                on_load: false,
            },
            Query {
                name: "getMacros",
                resource: &RETOOL_DB,
                text: "select id, title, body from macros where language = :language order by used desc limit :limit",
                params: &[("language", Param::One(&["en", "de", "fr", "es", "vi"])), ("limit", Param::Limit)],
                median_ms: 15,
                on_load: true,
            },
        ],
    },
    App {
        id: "returns-desk",
        name: "Returns desk",
        teams: &["operations", "support"],
        queries: &[
            Query {
                name: "getReturns",
                resource: &ORDERS,
                text: "select id, order_id, sku, condition, received_at from returns where received_at >= :since and state = 'received' limit :limit",
                params: &[("since", Param::Day), ("limit", Param::Limit)],
                median_ms: 76,
                on_load: true,
            },
            Query {
                name: "gradeReturn",
                resource: &ORDERS,
                text: "update returns set condition = :condition, graded_at = now() where order_id = :order_id and sku = :sku",
                params: &[
                    ("order_id", Param::Order),
                    ("sku", Param::Sku),
                    ("condition", Param::One(&["as new", "used", "damaged"])),
                ],
                median_ms: 33,
                on_load: false,
            },
            Query {
                name: "createReturnLabel",
                resource: &SHIPPING,
                text: "POST /v3/labels",
                params: &[("order_id", Param::Order), ("country", Param::One(COUNTRIES))],
                median_ms: 720,
                on_load: false,
            },
        ],
    },
    App {
        id: "shipping-exceptions",
        name: "Shipping exceptions",
        teams: &["operations"],
        queries: &[
            Query {
                name: "getExceptions",
                resource: &SHIPPING,
                text: "GET /v3/exceptions",
                params: &[("since", Param::Day), ("country", Param::One(COUNTRIES))],
                median_ms: 510,
                on_load: true,
            },
            Query {
                name: "rebookShipment",
                resource: &SHIPPING,
                text: "POST /v3/shipments/rebook",
                params: &[("order_id", Param::Order), ("carrier", Param::One(&["postal", "express", "freight"]))],
                median_ms: 690,
                on_load: false,
            },
        ],
    },
    App {
        id: "fraud-review",
        name: "Fraud review",
        teams: &["operations", "finance", "data"],
        queries: &[
            Query {
                name: "getSuspiciousOrders",
                resource: &WAREHOUSE,
                text: "select order_id, score, signals from risk.order_scores where scored_on = :scored_on and score > 0.8 order by score desc limit :limit",
                params: &[("scored_on", Param::Day), ("limit", Param::Limit)],
                median_ms: 1_240,
                on_load: true,
            },
            Query {
                name: "decideCase",
                resource: &ORDERS,
                text: "update fraud_cases set decision = :decision, decided_at = now() where order_id = :order_id",
                params: &[("order_id", Param::Order), ("decision", Param::One(&["release", "hold", "cancel"]))],
                median_ms: 38,
                on_load: false,
            },
        ],
    },
    App {
        id: "price-rules",
        name: "Price rules",
        teams: &["operations", "data"],
        queries: &[
            Query {
                name: "getRules",
                resource: &RETOOL_DB,
                text: "select id, sku, country, discount_percent, valid_from, valid_to from price_rules where country = :country",
                params: &[("country", Param::One(COUNTRIES))],
                median_ms: 19,
                on_load: true,
            },
            Query {
                name: "saveRule",
                resource: &RETOOL_DB,
                text: "insert into price_rules (sku, country, discount_percent, valid_from) values (:sku, :country, :discount_percent, :valid_from)",
                params: &[
                    ("sku", Param::Sku),
                    ("country", Param::One(COUNTRIES)),
                    ("discount_percent", Param::Count(30)),
                    ("valid_from", Param::Day),
                ],
                median_ms: 27,
                on_load: false,
            },
        ],
    },
    App {
        id: "revenue-dashboard",
        name: "Revenue dashboard",
        teams: &["finance", "data", "operations"],
        queries: &[
            Query {
                name: "getRevenueByDay",
                resource: &WAREHOUSE,
                text: "select day, country, sum(net_cents) as net_cents from mart.revenue_daily where day >= :since group by day, country order by day",
                params: &[("since", Param::Day)],
                median_ms: 1_650,
                on_load: true,
            },
            Query {
                name: "getTopSellers",
                resource: &WAREHOUSE,
                text: "select seller_id, sum(net_cents) as net_cents from mart.seller_revenue where day >= :since group by seller_id order by net_cents desc limit :limit",
                params: &[("since", Param::Day), ("limit", Param::Limit)],
                median_ms: 1_380,
                on_load: true,
            },
        ],
    },
    App {
        id: "feature-flags",
        name: "Feature flags",
        teams: &["engineering"],
        queries: &[
            Query {
                name: "getFlags",
                resource: &RETOOL_DB,
                text: "select key, enabled, rollout_percent, updated_by from flags order by key",
                params: &[],
                median_ms: 12,
                on_load: true,
            },
            Query {
                name: "setRollout",
                resource: &RETOOL_DB,
                text: "update flags set rollout_percent = :rollout_percent where key = :key",
                params: &[
                    ("key", Param::One(&["checkout-v3", "seller-onboarding", "instant-refunds", "split-shipments"])),
                    ("rollout_percent", Param::Count(100)),
                ],
                median_ms: 18,
                on_load: false,
            },
        ],
    },
    App {
        id: "data-quality",
        name: "Data quality",
        teams: &["data", "engineering"],
        queries: &[
            Query {
                name: "getFreshness",
                resource: &WAREHOUSE,
                text: "select table_name, max_loaded_at, rows_loaded from meta.freshness where max_loaded_at < :since order by max_loaded_at",
                params: &[("since", Param::Day)],
                median_ms: 870,
                on_load: true,
            },
            Query {
                name: "getOrphans",
                resource: &WAREHOUSE,
                text: "select count(*) from mart.customer_orders o left join mart.customers c on c.id = o.customer_id where c.id is null and o.placed_at >= :since",
                params: &[("since", Param::Day)],
                median_ms: 2_100,
                on_load: false,
            },
        ],
    },
];

/// Every workflow that runs by the clock.
pub(super) static WORKFLOWS: [Workflow; 6] = [
    Workflow {
        id: "wf_stock_sync",
        name: "Stock sync",
        schedule: "*/15 * * * *",
        minutes: (0, 15),
        blocks: &[
            Query {
                name: "fetchWarehouseCounts",
                resource: &SHIPPING,
                text: "GET /v3/stock/levels",
                params: &[("site", Param::One(&["Rotterdam", "Poznań", "Porto", "Lyon"]))],
                median_ms: 780,
                on_load: true,
            },
            Query {
                name: "upsertStock",
                resource: &INVENTORY,
                text: "insert into stock (sku, site, on_hand) select sku, site, on_hand from staging_stock on conflict (sku, site) do update set on_hand = excluded.on_hand",
                params: &[("batch", Param::Count(900))],
                median_ms: 340,
                on_load: true,
            },
        ],
    },
    Workflow {
        id: "wf_payout_check",
        name: "Payout reconciliation",
        schedule: "30 * * * *",
        minutes: (30, 60),
        blocks: &[
            Query {
                name: "listSettlements",
                resource: &PAYMENTS,
                text: "GET /v1/settlements",
                params: &[("since", Param::Day)],
                median_ms: 910,
                on_load: true,
            },
            Query {
                name: "matchSettlements",
                resource: &LEDGER,
                text: "select p.id from payouts p left join settlements s on s.payout_id = p.id where s.id is null and p.state = 'sent' and p.sent_at >= :since",
                params: &[("since", Param::Day)],
                median_ms: 420,
                on_load: true,
            },
        ],
    },
    Workflow {
        id: "wf_fraud_scores",
        name: "Fraud scoring",
        schedule: "*/30 * * * *",
        minutes: (0, 30),
        blocks: &[
            Query {
                name: "scoreOrders",
                resource: &WAREHOUSE,
                text: "call risk.score_orders(:scored_on, :batch)",
                params: &[("scored_on", Param::Day), ("batch", Param::Count(500))],
                median_ms: 4_800,
                on_load: true,
            },
            Query {
                name: "openCases",
                resource: &ORDERS,
                text: "insert into fraud_cases (order_id, score) select order_id, score from risk_scores where score > :threshold on conflict do nothing",
                params: &[("threshold", Param::One(&["0.80", "0.85"]))],
                median_ms: 130,
                on_load: true,
            },
        ],
    },
    Workflow {
        id: "wf_ticket_digest",
        name: "Ticket digest",
        schedule: "0 * * * *",
        minutes: (0, 60),
        blocks: &[Query {
            name: "countTickets",
            resource: &HELPDESK,
            text: "GET /api/v2/tickets/count",
            params: &[("group", Param::One(&["returns", "delivery", "billing", "product"]))],
            median_ms: 290,
            on_load: true,
        }],
    },
    Workflow {
        id: "wf_refund_retry",
        name: "Refund retry",
        schedule: "*/10 * * * *",
        minutes: (0, 10),
        blocks: &[
            Query {
                name: "getStuckRefunds",
                resource: &ORDERS,
                text: "select id, order_id, attempts from refunds where state = 'sending' and attempts < 5 limit :limit",
                params: &[("limit", Param::Limit)],
                median_ms: 40,
                on_load: true,
            },
            Query {
                name: "retryRefund",
                resource: &PAYMENTS,
                text: "POST /v1/refunds/retry",
                params: &[("order_id", Param::Order)],
                median_ms: 700,
                on_load: true,
            },
        ],
    },
    Workflow {
        id: "wf_revenue_mart",
        name: "Revenue mart",
        schedule: "5 * * * *",
        minutes: (5, 60),
        blocks: &[Query {
            name: "refreshRevenue",
            resource: &WAREHOUSE,
            text: "merge into mart.revenue_daily using staging.revenue s on day = s.day when matched then update set net_cents = s.net_cents",
            params: &[("since", Param::Day)],
            median_ms: 9_400,
            on_load: true,
        }],
    },
];

/// Every scenario in Make.
pub(super) static SCENARIOS: [Scenario; 5] = [
    Scenario { id: "scn_7731", name: "New seller to CRM", connection: "CRM (service key)", data_store: "Seller onboarding" },
    Scenario { id: "scn_7748", name: "Refund to chat", connection: "Chat workspace", data_store: "Refund threads" },
    Scenario {
        id: "scn_7802",
        name: "Carrier incident mail",
        connection: "Shared mailbox",
        data_store: "Carrier incidents",
    },
    Scenario { id: "scn_7819", name: "Review requests", connection: "Mail sender", data_store: "Review requests" },
    Scenario { id: "scn_7840", name: "Stock alert to buyers", connection: "Chat workspace", data_store: "Stock alerts" },
];

/// Cloud resources that people open sessions on: name and environment.
pub(super) static CLOUD: [(&str, &str); 6] = [
    ("orders-primary", "production"),
    ("warehouse-admin", "production"),
    ("ledger-replica", "production"),
    ("batch-runner-2", "production"),
    ("orders-staging", "staging"),
    ("sandbox-cluster", "development"),
];

/// Files in storage.
pub(super) static FILES: [&str; 8] = [
    "returns/photos/batch-0412.zip",
    "payouts/statement-draft.pdf",
    "inventory/cycle-count.csv",
    "support/macros-export.json",
    "sellers/contracts/alpenfaden.pdf",
    "pricing/autumn-sale.xlsx",
    "payroll/cost-centers.csv",
    "reports/weekly-revenue.pdf",
];

/// Configuration variables.
pub(super) static CONFIG_VARS: [&str; 6] = [
    "REFUND_AUTO_LIMIT_CENTS",
    "PAYOUT_CUTOFF_HOUR",
    "HELPDESK_PAGE_SIZE",
    "FRAUD_HOLD_SCORE",
    "CARRIER_TIMEOUT_MS",
    "STOCK_SAFETY_DAYS",
];
