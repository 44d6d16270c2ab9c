// Details without leaving the list: the event's page in a dialog. The address bar names the event, so that the address can be
// handed on, and the browser's back button closes the dialog.
const dialog = document.createElement("dialog");
dialog.className = "event-dialog";
dialog.setAttribute("aria-labelledby", "event-sentence");
dialog.innerHTML = `
  <div class="dialog-bar"><button type="button" class="quiet" data-close>Close</button></div>
  <div data-content></div>
  <p class="vh" role="status"></p>`;
document.body.append(dialog);
const content = dialog.querySelector("[data-content]");
const listTitle = document.title;
let opener = null;
let wanted = 0;

const fragmentOf = (url) => {
  const address = new URL(url, location.href);
  address.searchParams.set("fragment", "1");
  return address;
};

async function open(url, push) {
  const turn = ++wanted;
  const answer = await fetch(fragmentOf(url), { headers: { accept: "text/html" } }).catch(() => null);
  // Signed out meanwhile, or an error: the page itself says so better.
  if (!answer || !answer.ok || answer.redirected) return location.assign(url);
  const html = await answer.text();
  if (turn !== wanted) return;
  content.innerHTML = html;
  content.querySelector(".permalink")?.setAttribute("target", "_self");
  const title = content.querySelector("article").dataset.title;
  if (push) history.pushState({ event: url }, "", url);
  document.title = `${title} · Acta`;
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  content.querySelector("h1").focus();
}

function shut() {
  wanted++;
  document.title = listTitle;
  if (dialog.open) dialog.close();
  content.replaceChildren();
  // After the browser has gone back in the history: it takes the focus to the address's #place, if there is one.
  setTimeout(() => opener?.focus());
}

// Every way of closing goes through the history, so that the address bar and the page agree.
const leave = () => (history.state?.event ? history.back() : shut());

document.addEventListener("click", (event) => {
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!plain || event.defaultPrevented) return;
  let link = event.target.closest("a[data-details]");
  const row = event.target.closest("table.events tbody tr");
  if (!link && row && !event.target.closest("a, button") && getSelection().isCollapsed) link = row.querySelector("a[data-details]");
  if (link) {
    event.preventDefault();
    opener = link;
    open(link.getAttribute("href"), true);
  }
  if (event.target.closest("[data-close]") || event.target === dialog) leave();
});

dialog.addEventListener("cancel", (event) => {
  event.preventDefault();
  leave();
});

addEventListener("popstate", (event) => (event.state?.event ? open(event.state.event, false) : shut()));
