//! One browser window on one server, and what a person does with it. Nothing here pauses for a fixed time: every step waits
//! for what it needs to be there.

use std::time::Duration;

use browser::Programs;
use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::key::Key;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, Locator};
use serde_json::{Value, json};

use crate::acta::Acta;
use crate::driver::{Driver, Setup};

/// How long anything may take to show.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked for.
const GLANCE: Duration = Duration::from_millis(20);

/// A browser, and the server that it is to look at.
pub(crate) struct Tab {
    client: Client,
    pub(crate) acta: Acta,
    axe: String,
    // Last, so that the browser is closed after everything else.
    _driver: Driver,
}

/// Runs a test in a new browser on the demo.
pub(crate) fn run<F: Future<Output = ()>>(setup: Setup, test: impl FnOnce(Tab) -> F) {
    run_on(setup, Acta::demo, test);
}

/// Runs a test in a new browser on a server of its own.
pub(crate) fn run_on<F: Future<Output = ()>>(setup: Setup, acta: fn(&Programs) -> Acta, test: impl FnOnce(Tab) -> F) {
    let programs = Programs::from_env().unwrap_or_else(|missing| panic!("{missing}"));
    let axe = std::fs::read_to_string(&programs.axe).unwrap_or_else(|e| panic!("{}: {e}", programs.axe.display()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let acta = acta(&programs);
        let driver = Driver::new(&programs);
        let client = driver.browser(setup).await;
        test(Tab { client, acta, axe, _driver: driver }).await;
    });
}

impl Tab {
    /// Opens a path of the server.
    pub(crate) async fn open(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.acta.url)).await.unwrap();
    }

    /// Fills in the form and waits for what comes after it.
    pub(crate) async fn sign_in_as(&self, email: &str, password: &str) {
        self.fill("#email", email).await;
        self.fill("#password", password).await;
        self.click("main button[type=submit]").await;
    }

    /// Signs in as the owner, and goes to a path.
    pub(crate) async fn sign_in(&self, path: &str) {
        self.open(path).await;
        let (email, password) = (self.acta.email.clone(), self.acta.password.clone());
        self.sign_in_as(&email, &password).await;
        self.wait_for("form[action='/sign-out']").await;
    }

    /// Opens the link of a new organization's owner, chooses her password, and is in.
    pub(crate) async fn set_first_password(&self) {
        self.open(&self.acta.link).await;
        self.fill("#password", &self.acta.password).await;
        self.follow("main button[type=submit]").await;
        self.wait_for("form[action='/sign-out']").await;
    }

    /// What an authenticator app shows that was given this secret, so many steps from now.
    pub(crate) async fn code(&self, seed: &directory::Seed, steps: i64) -> String {
        let now = self.script("return Date.now()").await.as_i64().unwrap();
        seed.code(record::Timestamp::from_millis(now + steps * 30_000))
    }

    /// Waits for a mail to this address with a link to this page, and opens that.
    pub(crate) async fn open_link_mailed_to(&self, address: &str, page: &str) {
        let mailed = async || self.acta.links_mailed_to(address).into_iter().find(|link| link.starts_with(page));
        let link = self.until("a mail", mailed).await;
        self.open(&link).await;
    }

    /// The path and query in the address bar.
    pub(crate) async fn path(&self) -> String {
        self.acta.path_of(&self.client.current_url().await.unwrap())
    }

    /// Waits until the address bar says so.
    pub(crate) async fn wait_for_path(&self, wanted: impl Fn(&str) -> bool) -> String {
        self.until("the address", async || Some(self.path().await).filter(|path| wanted(path))).await
    }

    /// Waits until the condition gives a value.
    pub(crate) async fn until<T>(&self, what: &str, mut condition: impl AsyncFnMut() -> Option<T>) -> T {
        let wait = async {
            loop {
                match condition().await {
                    Some(value) => return value,
                    None => tokio::time::sleep(GLANCE).await,
                }
            }
        };
        match tokio::time::timeout(PATIENCE, wait).await {
            Ok(value) => value,
            Err(_) => {
                let body: String = self.text_now("main").await.unwrap_or_default().chars().take(600).collect();
                panic!("waited in vain for {what} at {:?}; the page says:\n{body}", self.client.current_url().await)
            }
        }
    }

    /// Waits for an element that a person can see.
    pub(crate) async fn wait_for(&self, css: &str) -> Element {
        self.until(css, async || {
            let element = self.client.find(Locator::Css(css)).await.ok()?;
            element.is_displayed().await.ok()?.then_some(element)
        })
        .await
    }

    /// Waits until there is no such element, or none that can be seen.
    pub(crate) async fn wait_until_gone(&self, css: &str) {
        self.until(&format!("the end of {css}"), async || (!self.is_shown(css).await).then_some(())).await;
    }

    /// Waits until an element's text is as wanted.
    pub(crate) async fn wait_for_text(&self, css: &str, wanted: &str) {
        self.until(&format!("{wanted:?} in {css}"), async || {
            self.text_now(css).await.filter(|text| text.contains(wanted)).map(drop)
        })
        .await;
    }

    /// Whether an element can be seen now.
    pub(crate) async fn is_shown(&self, css: &str) -> bool {
        match self.client.find(Locator::Css(css)).await {
            Ok(element) => element.is_displayed().await.unwrap_or(false),
            Err(_) => false,
        }
    }

    async fn text_now(&self, css: &str) -> Option<String> {
        self.client.find(Locator::Css(css)).await.ok()?.text().await.ok()
    }

    /// The text of an element.
    pub(crate) async fn text(&self, css: &str) -> String {
        self.wait_for(css).await;
        self.until(css, async || self.text_now(css).await).await
    }

    /// The texts of all elements, whether there are any or not.
    pub(crate) async fn texts(&self, css: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for element in self.client.find_all(Locator::Css(css)).await.unwrap() {
            texts.push(element.text().await.unwrap().trim().to_owned());
        }
        texts
    }

    /// An attribute of the first such element.
    pub(crate) async fn attribute(&self, css: &str, name: &str) -> Option<String> {
        let found = self.client.find(Locator::Css(css)).await.unwrap_or_else(|e| panic!("{css}: {e}"));
        found.attr(name).await.unwrap()
    }

    /// What is in a field.
    pub(crate) async fn value(&self, css: &str) -> String {
        self.wait_for(css).await.prop("value").await.unwrap().unwrap_or_default()
    }

    /// Clicks.
    pub(crate) async fn click(&self, css: &str) {
        self.wait_for(css).await.click().await.unwrap_or_else(|e| panic!("{css}: {e}"));
    }

    /// Clicks a link or a button that leads to another page, and waits until the page that was there is gone.
    pub(crate) async fn follow(&self, css: &str) {
        let old = self.client.find(Locator::Css("html")).await.unwrap();
        self.click(css).await;
        self.until("another page", async || match old.tag_name().await {
            Err(CmdError::Standard(_)) => Some(()),
            _ => None,
        })
        .await;
        self.wait_for("main").await;
    }

    /// Clicks the link or button of that text.
    pub(crate) async fn follow_text(&self, text: &str) {
        let xpath = format!("//a[normalize-space()='{text}'] | //button[normalize-space()='{text}']");
        let old = self.client.find(Locator::Css("html")).await.unwrap();
        let link = self.client.find(Locator::XPath(&xpath)).await.unwrap_or_else(|e| panic!("{text}: {e}"));
        link.click().await.unwrap();
        self.until("another page", async || match old.tag_name().await {
            Err(CmdError::Standard(_)) => Some(()),
            _ => None,
        })
        .await;
        self.wait_for("main").await;
    }

    /// Types into a field, in place of what was there.
    pub(crate) async fn fill(&self, css: &str, text: &str) {
        let field = self.wait_for(css).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Types a date, `2026-11-20`, into a field for dates as an American does: the month first.
    pub(crate) async fn fill_date(&self, css: &str, date: &str) {
        let [year, month, day] = <[&str; 3]>::try_from(date.split('-').collect::<Vec<_>>()).unwrap();
        let field = self.wait_for(css).await;
        field.clear().await.unwrap();
        field.send_keys(&format!("{month}{day}{year}")).await.unwrap();
        assert_eq!(self.value(css).await, date, "{css}");
    }

    /// Chooses in a list.
    pub(crate) async fn select(&self, css: &str, value: &str) {
        self.click(&format!("{css} option[value='{value}']")).await;
    }

    /// Presses a key where the focus is.
    pub(crate) async fn press(&self, key: Key) {
        self.type_text(&char::from(key).to_string()).await;
    }

    /// Types where the focus is.
    pub(crate) async fn type_text(&self, text: &str) {
        self.client.active_element().await.unwrap().send_keys(text).await.unwrap();
    }

    /// The element that has the focus, as its tag, id and text.
    pub(crate) async fn focus(&self) -> String {
        let element = self.client.active_element().await.unwrap();
        let tag = element.tag_name().await.unwrap();
        let id = element.attr("id").await.unwrap().map(|id| format!("#{id}")).unwrap_or_default();
        format!("{tag}{id}")
    }

    /// Goes back in the browser's history.
    pub(crate) async fn back(&self) {
        self.client.back().await.unwrap();
    }

    /// Runs a script, as a test may and a page's own must be a file to.
    pub(crate) async fn script(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap_or_else(|e| panic!("{script}: {e}"))
    }

    /// Runs a script that calls its argument when it is done.
    pub(crate) async fn script_async(&self, script: &str) -> Value {
        self.client.execute_async(script, Vec::new()).await.unwrap_or_else(|e| panic!("{script}: {e}"))
    }

    /// The HTTP status of the page.
    pub(crate) async fn status(&self) -> u64 {
        let script = "return performance.getEntriesByType('navigation')[0].responseStatus";
        self.script(script).await.as_u64().unwrap()
    }

    /// How many events there are, by the sentence below the list.
    pub(crate) async fn total(&self) -> u64 {
        let position = self.text(".position").await;
        let total =
            position.split_once('(').and_then(|(_, rest)| rest.split_once(' ')).unwrap_or_else(|| panic!("{position}")).0;
        total.replace(',', "").parse().unwrap()
    }

    /// Tells the browser itself to do something.
    pub(crate) async fn browser(&self, command: &str, parameters: Value) -> Value {
        let order = BrowserCommand { name: command.to_owned(), parameters };
        self.client.issue_cmd(order).await.unwrap_or_else(|e| panic!("{command}: {e}"))
    }

    /// Everything on the page that keeps some people from using it, in words; empty if there is nothing.
    pub(crate) async fn barriers(&self) -> String {
        self.script(&format!("{}; return null", self.axe)).await;
        let found = self
            .script_async(
                "const done = arguments[0];
                 axe.run(document, {resultTypes: ['violations']}).then((result) => done(result.violations.flatMap(
                   (rule) => rule.nodes.map((node) => `${rule.impact} ${rule.id}: ${node.target} ${node.failureSummary}`))),
                   (error) => done([String(error)]))",
            )
            .await;
        let found: Vec<&str> = found.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        found.join("\n")
    }
}

/// A command of the Chrome DevTools Protocol.
#[derive(Debug)]
struct BrowserCommand {
    name: String,
    parameters: Value,
}

impl WebDriverCompatibleCommand for BrowserCommand {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(json!({ "cmd": self.name, "params": self.parameters }).to_string()))
    }
}
